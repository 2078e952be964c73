"""Mail about failed runs: once an incident. Why real: the run storage, S3's conditional put and SES decide it."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_assets.restatements.gate import Refused
from prism_assets.restatements.running import publishing
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.incidents import Incident, opened
from prism_core.models.base import instant_text
from prism_core.settings import Settings
from prism_resources.incidents import PREFIX, Incidents
from prism_resources.lake import Lake
from prism_sensors.asking import RANGE_END, RANGE_START
from tests.integration import warm
from tests.integration.fresh import platform_of_this_file
from tests.integration.test_emulator_contract_mail import received, sink
from tests.integration.ticks import Tick, tick

platform = platform_of_this_file()

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
FIRST, SECOND, THIRD = (Week.parse(f"2018-W{number}") for number in (33, 34, 35))
WEEKLY = dg.WeeklyPartitionsDefinition(start_date=FIRST.key, day_offset=1, end_offset=1, timezone="UTC")
NOW = datetime(2026, 1, 7, tzinfo=UTC)


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


def asset(name: str, *deps: str) -> dg.AssetsDefinition:
    @dg.asset(name=name, deps=list(deps), partitions_def=WEEKLY, backfill_policy=dg.BackfillPolicy.single_run())
    def of_weeks(context: dg.AssetExecutionContext) -> None:
        with publishing(context) as run:
            for week in map(Week.parse, context.partition_keys):
                with run.refusals(week):
                    if context.run.tags.get("refused") == week.label:
                        raise Refused(f"{week} moves too far")
                    run.published(week, {})

    return of_weeks


ASSETS = dg.Definitions(assets=[asset("figures"), asset("scores", "figures")])


def materialise(
    instance: dg.DagsterInstance, first: Week, last: Week, *, only: str = "", refused: str = ""
) -> None:
    """One run of both assets, or of one."""
    ASSETS.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(only)] if only else None,
        tags={RANGE_START: first.key, RANGE_END: last.key, "refused": refused},
        raise_on_error=False,
    )


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


def test_the_same_failure_and_later_ticks_are_mailed_no_second_time(
    instance: dg.DagsterInstance, mailbox: Path
) -> None:
    sensor = Sensor(instance)
    run(instance, FIRST, "2018-W33: 7 records are refused")
    sensor.tick()
    sensor.tick()
    run(instance, FIRST, "2018-W33: 12 records are refused")
    run(instance, FIRST, "the bucket does not exist")

    sensor.tick()

    assert subjects(mailbox) == ["PRISM: counted failed (2018-W33)"] * 2


def test_a_week_that_joins_an_open_incident_is_mailed_and_weeks_of_one_tick_are_one_mail(
    instance: dg.DagsterInstance, mailbox: Path
) -> None:
    sensor = Sensor(instance)
    run(instance, FIRST, "2018-W33: 7 records are refused")
    sensor.tick()
    run(instance, SECOND, "2018-W34: 12 records are refused")
    run(instance, THIRD, "2018-W35: 9 records are refused")

    sensor.tick()

    assert subjects(mailbox) == [
        "PRISM: counted failed (2018-W33)",
        "PRISM: counted failed (2018-W33 to 2018-W35 (3 weeks))",
    ]


def test_an_incident_that_goes_on_is_mailed_again_after_a_day(
    instance: dg.DagsterInstance, mailbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2026-01-05T07:00:00Z")
    sensor = Sensor(instance)
    for instant in (
        "2026-01-05T08:00:00Z",
        "2026-01-06T07:00:00Z",
        "2026-01-06T09:00:00Z",
        "2026-01-06T10:00:00Z",
    ):
        monkeypatch.setenv("PRISM_NOW", instant)
        run(instance, FIRST, "refused")
        sensor.tick()

    assert subjects(mailbox) == ["PRISM: counted failed (2018-W33)"] * 2


def test_a_range_that_fails_for_one_week_is_an_incident_of_that_week_and_names_what_it_left_out(
    platform: Platform, instance: dg.DagsterInstance, mailbox: Path
) -> None:
    sensor, incidents = Sensor(instance), Incidents(Lake(platform.settings))
    materialise(instance, FIRST, THIRD, refused=SECOND.label)
    sensor.tick()
    (opened_with,) = incidents.open()
    materialise(instance, SECOND, SECOND)
    sensor.tick()

    ((_, message),) = received(mailbox)
    text = message.get_body(("plain",))
    assert message["Subject"] == "PRISM: figures failed (2018-W34)"
    assert text is not None
    assert "Left out because of it: scores." in text.get_content()
    assert opened_with.left == {"figures": (SECOND.label,)}
    assert list(incidents.open()) == []


def test_steps_of_one_incident_that_succeed_in_runs_of_their_own_end_it(
    platform: Platform, instance: dg.DagsterInstance, mailbox: Path
) -> None:
    del mailbox  # clears the marks
    incidents = Incidents(Lake(platform.settings))
    incident = opened({"figures": ["2018-W33"], "scores": ["2018-W33"]}, "refused", "run-1", instant_text(NOW))
    incidents.failed(incident, NOW, lambda _: None)
    sensor = Sensor(instance)
    materialise(instance, FIRST, FIRST, only="figures")
    sensor.tick()
    (half,) = incidents.open()
    materialise(instance, FIRST, FIRST, only="scores")
    sensor.tick()

    assert half.left == {"scores": (FIRST.label,)}
    assert list(incidents.open()) == []


def test_a_run_whose_process_died_is_an_incident_of_the_assets_that_it_had_not_materialised(
    platform: Platform, instance: dg.DagsterInstance, mailbox: Path
) -> None:
    sensor, incidents = Sensor(instance), Incidents(Lake(platform.settings))
    # Created and started as the daemon does it; then nothing more is heard of it.
    tags = {RANGE_START: FIRST.key, RANGE_END: SECOND.key}
    dead = instance.create_run_for_job(ASSETS.resolve_implicit_global_asset_job_def(), tags=tags)
    instance.report_run_failed(dead, "its process is gone")
    materialise(instance, FIRST, SECOND, only="figures")

    sensor.tick()

    (incident,) = incidents.open()
    assert subjects(mailbox) == ["PRISM: figures, scores failed (2018-W33 to 2018-W34 (2 weeks))"]
    assert incident.left == {"scores": (FIRST.label, SECOND.label)}


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
    assert subjects(mailbox) == [
        "PRISM: counted failed (2018-W33 to 2018-W34 (2 weeks))",
        "PRISM: counted failed (2018-W33)",
    ]


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


def test_runs_before_one_whose_mail_could_not_be_sent_are_not_followed_again(
    instance: dg.DagsterInstance, mailbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = Sensor(instance)
    run(instance, FIRST, "refused")
    sensor.tick()
    run(instance, FIRST, "refused")
    run(instance, FIRST)
    run(instance, SECOND, "the bucket does not exist")
    with monkeypatch.context() as patch:
        patch.setenv("PRISM_MAIL_SENDER", "nobody@example.com")  # SES has not verified it
        stopped = sensor.tick()
        with pytest.raises(PermanentFailure, match="not verified"):
            sensor.tick()

    sensor.tick()

    assert "waits for the next tick" in (stopped.said or "")
    assert subjects(mailbox) == ["PRISM: counted failed (2018-W33)", "PRISM: counted failed (2018-W34)"]


def test_an_incident_whose_mail_failed_is_told_when_the_same_run_is_followed_again(
    platform: Platform, mailbox: Path
) -> None:
    del mailbox  # clears the marks
    incidents, told = Incidents(Lake(platform.settings)), list[tuple[str, ...]]()
    first, second = (
        opened({"throughput": [week.label]}, "refused", f"run-{week}", instant_text(NOW))
        for week in (FIRST, SECOND)
    )

    def refuse(_: object) -> None:
        raise TransientFailure("SES is throttled")

    for incident in (first, second):
        with pytest.raises(TransientFailure):
            incidents.failed(incident, NOW, refuse)
        incidents.failed(incident, NOW, lambda one: told.append(one.weeks))

    (left,) = incidents.open()
    assert told == [(FIRST.label,), (FIRST.label, SECOND.label)]
    assert (left.runs, incidents.failed(second, NOW, lambda one: told.append(one.weeks))) == (2, False)


def killed_while_telling(settings: Settings, incident: Incident) -> None:
    Incidents(Lake(settings)).failed(incident, NOW, lambda _: os._exit(9))


def test_an_incident_whose_teller_was_killed_is_told_once_by_the_next_that_follows_the_run(
    platform: Platform, mailbox: Path
) -> None:
    del mailbox  # clears the marks
    incidents, told, now = Incidents(Lake(platform.settings)), list[str](), NOW + timedelta(seconds=30)
    incident = opened({"throughput": [FIRST.label]}, "refused", "run-1", instant_text(NOW))
    teller = warm.process(killed_while_telling, platform.settings, incident)
    teller.start()
    teller.join(240)

    next_tick, again = (incidents.failed(incident, now, lambda one: told.append(one.run_id)) for _ in range(2))

    assert (teller.exitcode, next_tick, again, told) == (9, True, False, ["run-1"])
