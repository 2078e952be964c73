"""Mail about failed runs: once an incident. Why real: the run storage, S3's conditional put and SES decide it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import msgspec
import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_core.incidents import opened
from prism_core.models.base import instant_text
from prism_resources.incidents import CLAIM, PREFIX, Incidents
from prism_resources.lake import Lake
from tests.integration.fresh import platform_of_this_file
from tests.integration.test_emulator_contract_mail import received, sink
from tests.integration.ticks import Tick, tick

platform = platform_of_this_file()

FIRST, SECOND = Week.parse("2018-W33"), Week.parse("2018-W34")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """On disk: the order of runs by their last change is the storage's."""
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"telemetry": {"enabled": False}}) as found:
        yield found


@pytest.fixture
def mailbox(platform: Platform, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "mail"
    folder.mkdir()
    lake = Lake(platform.settings)
    with sink(platform, folder):
        yield folder
    for key in list(lake.keys(PREFIX)):
        lake.delete(key)


@dg.op
def counted(context: dg.OpExecutionContext) -> None:
    said = context.run.tags.get("says", "")
    if said:
        raise PermanentFailure(said)


@dg.job
def counting() -> None:
    counted()


def run(instance: dg.DagsterInstance, week: Week, says: str = "") -> None:
    """One run of a week, which fails when it has something to say."""
    tags = {"dagster/partition": week.key, "says": says}
    counting.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


class Sensor:
    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._cursor = tick("failed_runs", instance, None).cursor

    def tick(self) -> Tick:
        found = tick("failed_runs", self._instance, self._cursor)
        self._cursor = found.cursor
        return found


def subjects(mailbox: Path) -> list[str]:
    return [message["Subject"] for _, message in received(mailbox)]


def test_a_failure_is_mailed_to_those_who_look_after_the_platform_with_what_it_said(
    instance: dg.DagsterInstance, mailbox: Path
) -> None:
    sensor = Sensor(instance)
    run(instance, FIRST, "2018-W33: 7 records are refused; look at the file")

    sensor.tick()

    ((recipients, message),) = received(mailbox)
    text = message.get_body(("plain",))
    assert recipients == ("operations@prism.localhost",)
    assert message["Subject"] == "PRISM: counted failed (2018-W33)"
    assert text is not None
    assert "7 records are refused; look at the file" in text.get_content()


def test_the_same_failure_of_other_weeks_and_later_ticks_is_mailed_no_second_time(
    instance: dg.DagsterInstance, mailbox: Path
) -> None:
    sensor = Sensor(instance)
    run(instance, FIRST, "2018-W33: 7 records are refused")
    sensor.tick()
    sensor.tick()
    run(instance, SECOND, "2018-W34: 12 records are refused")
    run(instance, SECOND, "the bucket does not exist")

    sensor.tick()

    assert subjects(mailbox) == ["PRISM: counted failed (2018-W33)", "PRISM: counted failed (2018-W34)"]


def test_an_incident_is_over_when_all_its_weeks_have_succeeded_and_only_then_a_new_one_is_mailed(
    platform: Platform, instance: dg.DagsterInstance, mailbox: Path
) -> None:
    sensor, incidents = Sensor(instance), Incidents(Lake(platform.settings))
    run(instance, FIRST, "refused")
    run(instance, SECOND, "refused")
    sensor.tick()
    run(instance, SECOND)
    sensor.tick()
    (left,) = incidents.open()
    run(instance, FIRST)
    sensor.tick()
    over = list(incidents.open())
    run(instance, FIRST, "refused")

    sensor.tick()

    assert (left.weeks, over) == ((FIRST.label,), [])
    assert subjects(mailbox) == ["PRISM: counted failed (2018-W33)"] * 2


def test_runs_that_failed_before_the_first_tick_or_are_tried_again_are_not_mailed(
    platform: Platform, instance: dg.DagsterInstance, mailbox: Path
) -> None:
    run(instance, FIRST, "long ago")
    sensor = Sensor(instance)
    tags = {"dagster/partition": FIRST.key, "says": "again", "dagster/will_retry": "true"}
    counting.execute_in_process(instance=instance, tags=tags, raise_on_error=False)

    sensor.tick()

    assert list(Incidents(Lake(platform.settings)).open()) == []
    assert list(mailbox.glob("*.eml")) == []


def test_mail_that_could_not_be_sent_is_sent_by_the_next_tick(
    instance: dg.DagsterInstance, mailbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = Sensor(instance)
    run(instance, FIRST, "refused")
    with monkeypatch.context() as patch:
        patch.setenv("PRISM_MAIL_SENDER", "nobody@example.com")  # SES has not verified it
        with pytest.raises(PermanentFailure, match="not verified"):
            sensor.tick()

    sensor.tick()

    assert subjects(mailbox) == ["PRISM: counted failed (2018-W33)"]


def test_an_incident_whose_teller_was_killed_is_told_after_a_while_and_not_before(
    platform: Platform, mailbox: Path
) -> None:
    del mailbox  # clears the marks
    lake, now = Lake(platform.settings), datetime(2026, 1, 7, tzinfo=UTC)
    incidents, told = Incidents(lake), list[str]()
    incident = opened(["throughput"], "refused", [FIRST.label], "run-1", instant_text(now))

    # What is left when a process is killed between its claim and its mail.
    key, claimed = f"{PREFIX}{incident.fingerprint}.json", msgspec.json.encode(incident)
    lake.put_new(key, claimed, content_type="application/json")
    at_once = incidents.failed(incident, now + timedelta(minutes=1), lambda one: told.append(one.run_id))
    later = incidents.failed(incident, now + CLAIM + timedelta(minutes=1), lambda one: told.append(one.run_id))
    again = incidents.failed(incident, now + 3 * CLAIM, lambda one: told.append(one.run_id))

    assert (at_once, later, again, told) == (False, True, False, ["run-1"])
