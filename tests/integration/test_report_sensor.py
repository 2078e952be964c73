"""When reports are mailed by themselves. Why real: what is due is what ledger, shelf and recipients say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from prism_assets.definitions import build_definitions
from prism_assets.reports.mails import MAILS
from prism_assets.resources import PrismResource
from prism_core.models.reports import ReportKind
from prism_core.settings import load_settings
from prism_resources.aws import client
from prism_resources.mailing import Mailing, Settled
from prism_resources.metrics import NAMESPACE
from prism_resources.reports.delivery import ReportDelivery
from tests.integration.report_readers import MONDAY, W35, Readers, readers, with_leads
from tests.integration.ticks import tick
from tests.unit.report_mails import dated

__all__ = ("readers",)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    folder = tmp_path_factory.mktemp("dagster")
    with dg.DagsterInstance.local_temp(str(folder), overrides={"telemetry": {"enabled": False}}) as found:
        yield found


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions(load_settings())


class Ticks:
    def __init__(
        self, definitions: dg.Definitions, instance: dg.DagsterInstance, patch: pytest.MonkeyPatch
    ) -> None:
        self._definitions, self._instance, self._patch = definitions, instance, patch

    def at(self, now: datetime) -> list[str]:
        """The keys of the runs that a tick asks for."""
        self._patch.setenv("PRISM_NOW", now.isoformat())
        with dg.build_sensor_context(
            instance=self._instance,
            repository_def=self._definitions.get_repository_def(),
            resources={"prism": PrismResource()},
        ) as context:
            found = self._definitions.resolve_sensor_def("report_delivery").evaluate_tick(context)
        return [one.run_key or "" for one in found.run_requests or ()]

    def run(self, now: datetime) -> dg.ExecuteInProcessResult:
        """What the run does that a tick asks for."""
        self._patch.setenv("PRISM_NOW", now.isoformat())
        job = self._definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self._instance, asset_selection=[dg.AssetKey(MAILS)], raise_on_error=False
        )


@pytest.fixture
def ticks(definitions: dg.Definitions, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Ticks:
    return Ticks(definitions, instance, monkeypatch)


@pytest.mark.parametrize(
    ("week", "zone", "seven"),
    [
        pytest.param("2026-W12", "Europe/Madrid", "2026-03-23T06:00", id="Madrid, last of winter"),
        pytest.param("2026-W13", "Europe/Madrid", "2026-03-30T05:00", id="Madrid, first of summer"),
        pytest.param("2026-W42", "Europe/Madrid", "2026-10-19T05:00", id="Madrid, last of summer"),
        pytest.param("2026-W43", "Europe/Madrid", "2026-10-26T06:00", id="Madrid, first of winter"),
        pytest.param("2026-W09", "America/New_York", "2026-03-02T12:00", id="New York, last of winter"),
        pytest.param("2026-W10", "America/New_York", "2026-03-09T11:00", id="New York, first of summer"),
        pytest.param("2026-W43", "America/New_York", "2026-10-26T11:00", id="New York, last of summer"),
        pytest.param("2026-W44", "America/New_York", "2026-11-02T12:00", id="New York, first of winter"),
    ],
)
def test_it_asks_at_seven_on_monday_by_the_readers_clock_across_both_changes_of_the_clocks(
    readers: Readers, ticks: Ticks, week: str, zone: str, seven: str
) -> None:
    due = datetime.fromisoformat(seven).replace(tzinfo=UTC)
    readers.join("ada", zone=zone)
    readers.shelve(dated(week), at=due - 2 * HOUR)

    before = [ticks.at(due - minutes * MINUTE) for minutes in (120, 60, 1)]

    assert before == [[], [], []]
    assert [key.partition("+")[0] for key in ticks.at(due)] == [f"report_mails@{due:%Y-%m-%dT%H}"]


def test_what_was_mailed_is_asked_for_no_more_and_what_was_refused_again_each_hour(
    readers: Readers, ticks: Ticks
) -> None:
    readers.join("ada")
    readers.shelve(with_leads(376))
    asked = [ticks.at(MONDAY)]
    good = readers.settings
    readers.settings = good.model_copy(update={"mail_sender": "x@nobody.example"})
    refused = readers.deliver(MONDAY)
    readers.settings = good
    asked += [ticks.at(MONDAY + minutes * MINUTE) for minutes in (1, 59, 60)]

    sent = ticks.run(MONDAY + HOUR)

    assert (refused, sent.success) == ({"ada": "failed"}, True)
    first, *others = [key for (key,) in asked]
    assert others[0] == others[1] != others[2]
    assert first != others[0]
    assert ticks.at(MONDAY + 2 * HOUR) == []
    assert [name for name, _ in readers.got()] == ["ada"]


def test_a_run_shows_what_became_of_each_mail_and_its_checks_pass(
    readers: Readers, ticks: Ticks, instance: dg.DagsterInstance
) -> None:
    readers.join("ada", "bob")
    readers.join("olga", report="ops")
    readers.shelve(with_leads(376))

    result = ticks.run(MONDAY)

    event = instance.get_latest_materialization_event(dg.AssetKey(MAILS))
    assert event is not None
    assert event.asset_materialization is not None
    shown = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    assert shown["editions"] == ["campaign-2023-W35-1"]
    assert shown["deliveries"] == {"sent": 2}
    assert {one.check_name: one.passed for one in result.get_asset_check_evaluations()} == {
        "has_recipients": True,
        "deliveries_settled": True,
    }


def test_a_mail_that_is_given_up_fails_each_run_of_its_week_until_a_person_settles_it(
    readers: Readers, ticks: Ticks
) -> None:
    readers.join("ada")
    readers.shelve(with_leads(376))
    good = readers.settings
    readers.settings = good.model_copy(update={"mail_sender": "x@nobody.example"})
    for at in [MONDAY] * 4 + [MONDAY + 96 * HOUR]:
        readers.deliver(at)
    readers.settings = good
    readers.join("olga", report="ops")

    quiet, runs = ticks.at(MONDAY + 112 * HOUR), [ticks.run(MONDAY + 112 * HOUR)]
    Mailing(good).settle("campaign-2023-W35-1", "ada", Settled.AGAIN, actor="bob", now=MONDAY + 120 * HOUR)
    runs.append(ticks.run(MONDAY + 120 * HOUR))

    assert (quiet, [one.success for one in runs]) == ([], [False, True])
    (failed,) = (one.step_failure_data.error for one in runs[0].get_step_failure_events())
    said = failed.cause.message if failed is not None and failed.cause is not None else ""
    assert "1 mails are given up" in said
    assert "campaign-2023-W35-1 to ada" in said
    assert "--settle again" in said
    assert [name for name, _ in readers.got()] == ["ada"]


def test_while_a_run_mails_no_other_is_asked_for(readers: Readers, ticks: Ticks, tmp_path: Path) -> None:
    readers.join("ada")
    readers.shelve(with_leads(376))
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"telemetry": {"enabled": False}}) as other:
        ticks._instance = other
        (key,) = ticks.at(MONDAY)
        run = other.create_run_for_job(
            job_def=ticks._definitions.resolve_implicit_global_asset_job_def(),
            asset_selection=frozenset({dg.AssetKey(MAILS)}),
            status=dg.DagsterRunStatus.STARTED,
            tags={"prism/mails": "true"},
        )

        during = ticks.at(MONDAY + MINUTE)
        other.report_run_failed(run)

        assert (during, ticks.at(MONDAY + 2 * MINUTE)) == ([], [key])


def test_a_report_that_is_due_for_two_hours_and_was_not_made_is_counted_once_an_hour_for_its_alarm(
    readers: Readers, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers.join("ada")
    nine, began = MONDAY + 2 * HOUR, datetime.now(UTC)
    delivery = ReportDelivery(readers.settings)

    early, late = delivery.missing(nine - MINUTE), delivery.missing(nine)
    cursors, counts, cursor = list[str | None](), [sent(readers, began)], None
    for now in (nine, nine + MINUTE, nine + HOUR):
        monkeypatch.setenv("PRISM_NOW", now.isoformat())
        cursor = tick("report_delivery", instance, cursor).cursor
        cursors.append(cursor)
        counts.append(sent(readers, began))
    readers.shelve(with_leads(376))

    assert early == [(ReportKind.CAMPAIGN, W35 + -1)]
    assert late == [(ReportKind.CAMPAIGN, W35)]
    assert delivery.missing(nine) == []
    assert cursors == ["2023-09-04T07", "2023-09-04T07", "2023-09-04T08"]
    assert [count - counts[0] for count in counts] == [0, 1, 1, 2]


def sent(readers: Readers, began: datetime) -> int:
    """How often CloudWatch was told, in the days around this test."""
    day = timedelta(days=1)
    answer = client(readers.settings, "cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName="ReportsMissing",
        Dimensions=[{"Name": "Platform", "Value": readers.settings.name_prefix}],
        StartTime=began - day,
        EndTime=began + day,
        Period=3600,
        Statistics=["SampleCount"],
    )
    return round(sum(one["SampleCount"] for one in answer["Datapoints"]))
