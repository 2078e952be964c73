"""Alerts as Dagster runs them: judged, kept, told, counted, replayed.

Why real: the job, its checks and its metadata are Dagster's, the mail is SES's and the metric CloudWatch's.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_assets.definitions import build_definitions
from prism_core.calendar import Week, WeekRange
from prism_core.models.alerts import AlertRule
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Project, Request
from prism_core.models.reports import Delivery, Recipient, ReportKind
from prism_core.models.work import Allocation
from prism_core.settings import load_settings
from prism_resources.alerts.ledger import AlertLedger
from prism_resources.aws import client
from prism_resources.letters import Letter
from prism_resources.mailing import Mailing
from prism_resources.metrics import NAMESPACE
from tests.integration.asset_runs import failed_checks, run_assets, write
from tests.integration.fresh import platform_of_this_file
from tests.integration.helpers import prism
from tests.integration.test_emulator_contract_mail import received, sink

platform = platform_of_this_file()

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
# A Tuesday; of the weeks before, W34 and W35 go to the lake.
NOW = datetime(2018, 9, 4, 6, 15, tzinfo=UTC)
WEEK = Week.of(NOW)
PAST = WeekRange.parse("2018-W34..2018-W35")
BEFORE = datetime(2018, 8, 13, 9, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def programme(platform: Platform) -> Iterator[None]:
    """A member planned on a day off, one at an unknown place, a request that was due a week ago, one recipient."""
    del platform
    week_hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "8.00")
    base = {"email": "m-1@example.com", "time_zone": "UTC", "hours": week_hours}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRISM_NOW", NOW.isoformat())
        lost = {"member_id": "m-2", "name": "L", **base, "hours": {}, "location": "ES-MAD"}
        members = [{"member_id": "m-1", "name": "N", **base}, lost]
        write("members", [Member.model_validate(one) for one in members], now=BEFORE)
        project = {"project_id": "p-1", "name": "Boxes", "category": "boxes", "demand_hours": "10.00"}
        write("projects", [Project.model_validate(project)], now=BEFORE)
        off = {"member_id": "m-1", "date": "2018-09-06", "hours_off": "8.00", "status": "approved"}
        write("availability", [Availability.model_validate(off)], now=BEFORE)
        hours = {"2018-09-03": "4.00", "2018-09-06": "4.00"}
        planned = {"member_id": "m-1", "week": WEEK.label, "project_id": "p-1", "hours": hours}
        write("allocations", [Allocation.model_validate(planned)], now=BEFORE)
        asked = {"request_id": "r-1", "status": "triaged", "due_date": "2018-08-24", "hours": "6.00"}
        said = {"requester": "S", "reason": "more", "created": BEFORE.isoformat(), "project_id": "p-1"}
        write("requests", [Request.model_validate(asked | said)], now=BEFORE)
        wanted = [{"report": "alerts_daily"}, {"report": "alerts_weekly"}]
        ada = {"recipient_id": "ada", "name": "Ada", "email": "ada@example.com", "time_zone": "UTC"}
        write("recipients", [Recipient.model_validate(ada | {"subscriptions": wanted})], now=BEFORE)
        yield


@pytest.fixture
def mailbox(platform: Platform, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "mail"
    folder.mkdir()
    with sink(platform, folder):
        yield folder


def told(instance: dg.DagsterInstance, job: str) -> dg.ExecuteInProcessResult:
    definitions = build_definitions(load_settings())
    return definitions.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False)


def metadata(instance: dg.DagsterInstance, asset: str) -> dict[str, Any]:
    event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event is not None
    assert event.asset_materialization is not None
    return {
        name: value.records if isinstance(value, dg.TableMetadataValue) else value.value
        for name, value in event.asset_materialization.metadata.items()
    }


def records(table: Any, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.data[column] for column in columns) for row in table]


def test_a_run_of_the_daily_job_tells_what_is_true_and_a_second_run_tells_nothing(
    platform: Platform, instance: dg.DagsterInstance, mailbox: Path
) -> None:
    first = told(instance, "alerts_told_daily")
    judged, digest = (metadata(instance, name) for name in ("alert_ledger", "alert_digest"))
    second = told(instance, "alerts_told_daily")

    ((recipients, message),) = received(mailbox)
    text = message.get_body(("plain",))
    assert (first.success, second.success) == (True, True)
    assert (recipients, message["Subject"]) == (("ada@example.com",), "PRISM alerts: 2 new")
    assert text is not None
    for words in ("allocations/m-1/2018-W36#p-1", "requests/r-1", "answer this mail"):
        assert words in text.get_content()
    assert records(judged["rules"], "rule", "new") == [
        (rule.value, int(rule in {AlertRule.OOTO_CONFLICT, AlertRule.LATE_REQUEST})) for rule in AlertRule
    ]
    assert {row[0] for row in records(judged["alerts"], "rule")} == {"ooto_conflict", "late_request"}
    assert "data:image/svg+xml" in judged["open_by_week"]
    assert (digest["edition"], digest["told"], digest["deliveries"]) == (
        f"alerts_daily-{WEEK}-1",
        {"new": 2},
        {"sent": 1},
    )
    assert metadata(instance, "alert_digest")["edition"] == "none: nothing is new"
    assert metadata(instance, "alert_ledger")["new"] in {0, 2}  # the clock stands: they are as old as the run
    assert failed_checks(second) - {"rules_judged"} == {"locations_known"}
    assert [one.told for one in AlertLedger(platform.settings).open()] == [NOW, NOW]


def test_each_rule_has_its_metric_in_cloudwatch(platform: Platform, instance: dg.DagsterInstance) -> None:
    told(instance, "alerts_told_daily")

    cloudwatch = client(platform.settings, "cloudwatch")
    listed = cloudwatch.list_metrics(Namespace=NAMESPACE, MetricName="OpenAlerts")["Metrics"]
    dimensions = [{one["Name"]: one["Value"] for one in metric["Dimensions"]} for metric in listed]
    answer = cloudwatch.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName="OpenAlerts",
        Dimensions=[
            {"Name": "Platform", "Value": platform.settings.name_prefix},
            {"Name": "Rule", "Value": "late_request"},
        ],
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(minutes=5),
        Period=7200,
        Statistics=["Maximum"],
    )
    assert {one["Rule"] for one in dimensions} == set(AlertRule)
    assert {one["Platform"] for one in dimensions} == {platform.settings.name_prefix}
    assert {point["Maximum"] for point in answer["Datapoints"]} == {1.0}


def test_the_weekly_job_tells_the_week_that_has_ended_once(
    instance: dg.DagsterInstance, mailbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(instance, "alerts_told_daily")
    monkeypatch.setenv("PRISM_NOW", "2018-09-10T06:30:00+00:00")
    for name in list(mailbox.glob("*.eml")):
        name.unlink()

    runs = [told(instance, "alerts_told_weekly").success for _ in range(2)]

    ((_, message),) = received(mailbox)
    assert runs == [True, True]
    assert str(message["Subject"]).startswith(f"PRISM alerts of {WEEK}: ")
    assert metadata(instance, "alert_week_digest")["edition"] == "none: nothing is new"


def test_a_delivery_that_a_crash_left_claimed_is_a_warning_and_a_command_settles_it(
    platform: Platform, instance: dg.DagsterInstance, mailbox: Path
) -> None:
    mailing = Mailing(platform.settings)
    edition = mailing.prepare(
        ReportKind.ALERTS_DAILY, WEEK + -1, "Alerts", [Letter(("ada",), "S", "T")], now=NOW, occasion="left"
    )
    left = Delivery(edition_id=edition.edition_id, recipient_id="ada", claimed=NOW - timedelta(hours=1))
    write("deliveries", [left], now=NOW)

    run = told(instance, "alerts_told_daily")

    (check,) = [one for one in run.get_asset_check_evaluations() if one.check_name == "deliveries_settled"]
    assert (run.success, check.passed) == (True, False)
    assert edition.edition_id in str(check.metadata["deliveries"].value)
    assert list(mailbox.glob("*.eml")) == []
    home = platform.settings.home
    platform.announce()
    listed = prism(home, "deliveries", "--json", PRISM_NOW=NOW.isoformat())
    assert edition.edition_id in listed.stdout, listed.stderr
    settled = prism(home, "deliveries", edition.edition_id, "ada", "--settle", "again", PRISM_NOW=NOW.isoformat())
    assert settled.returncode == 0, settled.stderr
    assert [message["Subject"] for _, message in received(mailbox)] == ["S"]
    assert mailing.deliveries(edition.edition_id)[0].status.value == "sent"


def test_the_hours_of_both_schedules_come_from_the_settings_and_a_tick_is_one_run() -> None:
    settings = load_settings(alerts_daily_cron="5 4 * * 1-5", alerts_weekly_cron="10 4 * * 2")
    definitions = build_definitions(settings)
    found = {name: definitions.resolve_schedule_def(name) for name in ("alerts_daily", "alerts_weekly")}

    assert [one.cron_schedule for one in found.values() if isinstance(one, dg.ScheduleDefinition)] == [
        "5 4 * * 1-5",
        "10 4 * * 2",
    ]
    for schedule in found.values():
        assert isinstance(schedule, dg.ScheduleDefinition)
        with dg.build_schedule_context(
            scheduled_execution_time=NOW, repository_def=definitions.get_repository_def()
        ) as context:
            ticks = [schedule.evaluate_tick(context) for _ in range(2)]
        (first,), (second,) = (tick.run_requests or [] for tick in ticks)
        assert first.run_key == second.run_key


def test_a_backtest_says_what_a_rule_would_have_told_over_the_weeks_of_the_lake(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", datetime(2018, 9, 4, 7, tzinfo=UTC).isoformat())
    names = ("members", "projects", "requests", "workers", "allocations", "availability")
    exported = run_assets(instance, PAST, *names)
    assert exported.success

    definitions = build_definitions(load_settings())
    run = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey("alert_backtest")], raise_on_error=False
    )

    shown = metadata(instance, "alert_backtest")
    assert run.success
    assert failed_checks(run) == set()
    assert shown["weeks"] == str(PAST)
    assert records(shown["alerts"], "rule", "from", "about") == [
        ("late_request", date(2018, 8, 27).isoformat(), "requests/r-1")
    ]
    assert dict(records(shown["rules"], "rule", "cases"))["late_request"] == "13 of 13 right"
    planted = dict(records(shown["rules"], "rule", "precision, planted"))
    assert planted["late_request"].startswith("100.0 % (")
    assert planted["sla_breach"] == "nothing is planted"


def test_a_backtest_of_a_rule_that_there_is_not_names_those_that_there_are(instance: dg.DagsterInstance) -> None:
    definitions = build_definitions(load_settings())
    run = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey("alert_backtest")],
        run_config={"ops": {"alert_backtest": {"config": {"rules": ["late"]}}}},
        raise_on_error=False,
    )

    assert not run.success
    (failure,) = [event for event in run.all_events if event.is_step_failure]
    assert "valid ones are ooto_conflict" in str(failure.event_specific_data)
