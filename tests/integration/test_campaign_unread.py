"""What becomes of a Monday on which Meta or HubSpot does not answer.

Why real: what a run left undone is known to the instance, the lake, the shelf and the mailbox together.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from infra.local.standins.faults import NAMED, Fault, hubspot_error
from prism_assets.definitions import build_definitions
from prism_assets.reports.mails import MAILS
from prism_assets.reports.weeks import NEWEST_WEEK, REPORTS_TAG
from prism_assets.resources import PrismResource
from prism_core.calendar import Week, WeekRange
from prism_core.models.reports import ReportKind
from prism_core.reports.late import Late, Lateness
from prism_core.settings import load_settings
from prism_resources.incidents import PREFIX as INCIDENTS
from prism_resources.reports.shelf import Shelf
from prism_sensors.asking import CAUSE_TAG, RANGE_END, RANGE_START
from prism_sensors.campaign import FIGURES, REPORT
from prism_sensors.unread import AGAIN_AFTER_HOURS, JOB, LEADS, TICKS, late_report, the_tick_of
from tests.integration.emulators import await_true
from tests.integration.fresh import platform_of_this_file
from tests.integration.outside import Outside, outside, served_fixture
from tests.integration.report_readers import Readers, readers
from tests.integration.spoilt_weeks import SEARCH
from tests.integration.test_meta_insights import INSIGHTS
from tests.integration.ticks import Tick, names_of, tick

__all__ = ("outside", "readers", "served_fixture")

platform = platform_of_this_file()

W35: Final = Week.parse("2023-W35")
WEEKS: Final = WeekRange.parse("2023-W34..2023-W35")
MONDAY: Final = datetime(2023, 9, 4, 3, tzinfo=UTC)
EVERYTHING: Final = sorted((*FIGURES, *REPORT))
# HubSpot says so for the rest of the day: nothing is waited for.
NO_MORE_TODAY: Final = Fault(SEARCH, status=429, body=hubspot_error("RATE_LIMITS", "", policyName="DAILY"))
NO_DATA: Final = Fault(INSIGHTS, body={"nothing": "at all"})


@pytest.fixture(autouse=True)
def _asked_of_the_stand_ins(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("meta_api_url", "hubspot_api_url", "meta_account_id"):
        monkeypatch.setenv(f"PRISM_{name.upper()}", str(getattr(outside.settings, name)))
    monkeypatch.setenv("PRISM_MODEL_PROVIDER", "none")
    # A step waits 35 seconds in all before it gives up.
    monkeypatch.setattr("prism_assets.campaign.inputs.RETRIES", dg.RetryPolicy(max_retries=0))
    for prefix in ("reports/", "lake/", INCIDENTS):
        for key in list(outside.lake.keys(prefix)):
            outside.lake.delete(key)


class Mondays:
    """The daemon: the run of the schedule, ticks of the sensor, and the runs that these ask for."""

    def __init__(self, instance: dg.DagsterInstance, patch: pytest.MonkeyPatch) -> None:
        self._instance, self._patch = instance, patch

    def monday(self, at: datetime = MONDAY) -> dg.ExecuteInProcessResult:
        tags = {
            RANGE_START: WEEKS.first.key,
            RANGE_END: WEEKS.last.key,
            CAUSE_TAG: the_tick_of(at),
            REPORTS_TAG: NEWEST_WEEK,
            "dagster/schedule_name": TICKS,
        }
        return self._run(tags, [*FIGURES, *REPORT], at)

    def tick(self, hours: float) -> Tick:
        self._patch.setenv("PRISM_NOW", (MONDAY + timedelta(hours=hours)).isoformat())
        return tick("campaign_unread", self._instance, None)

    def follow(self, found: Tick, hours: float) -> dg.ExecuteInProcessResult:
        (asked,) = found.requests
        return self._run(dict(asked.tags), names_of(asked), MONDAY + timedelta(hours=hours))

    def mails(self, hours: float) -> int:
        """One tick that looks for mails that are due, and the run that it asks for; how many it asked for."""
        self._patch.setenv("PRISM_NOW", (MONDAY + timedelta(hours=hours)).isoformat())
        found = tick("report_delivery", self._instance, None).requests
        for asked in found:
            job = build_definitions(load_settings()).resolve_implicit_global_asset_job_def()
            assert job.execute_in_process(
                instance=self._instance, asset_selection=[dg.AssetKey(MAILS)], tags=dict(asked.tags)
            ).success
        return len(found)

    def failed_runs(self, cursor: str | None) -> str | None:
        """One tick of the sensor that mails about runs; its cursor."""
        return tick("failed_runs", self._instance, cursor).cursor

    def _run(self, tags: dict[str, str], assets: list[str], now: datetime) -> dg.ExecuteInProcessResult:
        self._patch.setenv("PRISM_NOW", now.isoformat())
        job = build_definitions(load_settings()).resolve_job_def(JOB)
        selection = [dg.AssetKey(name) for name in assets]
        return job.execute_in_process(
            instance=self._instance, asset_selection=selection, tags=tags, raise_on_error=False
        )


@pytest.fixture
def mondays(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Mondays:
    return Mondays(instance, monkeypatch)


def missing(outside: Outside) -> list[str]:
    kept = Shelf(outside.settings).newest(ReportKind.CAMPAIGN, W35)
    assert kept is not None
    return [kept.content.text(one.prose) for one in kept.content.missing]


def test_a_report_without_the_customer_system_is_followed_by_an_edition_with_it(
    outside: Outside, mondays: Mondays, readers: Readers
) -> None:
    readers.join("ada")
    outside.world.faults.add(NO_MORE_TODAY, NO_MORE_TODAY)
    assert mondays.monday().success
    assert "The customer system was not read." in missing(outside)
    assert readers.deliver(MONDAY + timedelta(hours=2)) == {"ada": "sent"}

    found = mondays.tick(4)
    assert mondays.follow(found, 4).success

    assert found.asked == [("2023-W35", sorted(LEADS))]
    assert "The customer system was not read." not in missing(outside)
    assert readers.deliver(MONDAY + timedelta(hours=5)) == {"ada": "sent"}
    assert [subject.partition("2023-W35")[2] for _, subject in readers.got()] == [
        ": not judged",
        ", edition 2: not judged",
    ]
    assert mondays.tick(8).requests == [], "it has what it lacked"


def test_a_monday_without_meta_is_asked_again_at_growing_intervals_and_not_for_ever(
    outside: Outside, mondays: Mondays
) -> None:
    outside.world.faults.add(Fault(INSIGHTS, body={"nothing": "at all"}, times=1_000))
    assert not mondays.monday().success

    keys = [one.run_key for hours in range(0, 24 * 7, 8) for one in mondays.tick(hours).requests]

    assert mondays.tick(0.4).requests == []
    assert mondays.tick(1).asked == [("2023-W34..2023-W35", EVERYTHING)]
    assert len(set(keys)) <= len(AGAIN_AFTER_HOURS), "Dagster starts one run for a key"
    assert mondays.tick(24 * 7).requests == [], "the next Monday reads the week again"


def test_what_comes_when_meta_is_back_is_the_report(outside: Outside, mondays: Mondays) -> None:
    outside.world.faults.add(NO_DATA)
    assert not mondays.monday().success

    assert mondays.follow(mondays.tick(1), 1).success

    assert missing(outside) == []
    assert mondays.tick(2).requests == []


def test_a_week_without_any_row_is_told_when_meta_says_so_hours_later_as_well(
    outside: Outside, mondays: Mondays
) -> None:
    neither_level = Fault(INSIGHTS, body={"data": []}, times=2)
    outside.world.faults.add(neither_level)
    assert not mondays.monday().success

    outside.world.faults.add(neither_level)
    assert not mondays.follow(mondays.tick(1), 1).success
    outside.world.faults.add(neither_level)
    assert mondays.follow(mondays.tick(4), 4).success

    kept = Shelf(outside.settings).newest(ReportKind.CAMPAIGN, W35)
    assert kept is not None
    assert kept.content.text("{{fact:week.2023-w35.spend}}") == "0.00\N{NO-BREAK SPACE}EUR"


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Pacific/Auckland"])
def test_east_of_utc_the_report_is_made_on_their_monday_and_asked_for_again_from_then_on(
    outside: Outside, mondays: Mondays, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("PRISM_REPORT_TIME_ZONE", zone)
    at = datetime(2023, 9, 4, 5, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    outside.world.faults.add(NO_MORE_TODAY, NO_MORE_TODAY)

    assert mondays.monday(at).success

    assert "The customer system was not read." in missing(outside)
    assert mondays.tick((at - MONDAY) / timedelta(hours=1) + 24).requests != []


@pytest.mark.parametrize(
    ("fault", "step", "weeks", "made"),
    [
        ("meta-token-expired", "meta_insights", "2023-W34 to 2023-W35 (2 weeks)", []),
        ("hubspot-token-expired", "hubspot_leads_customer_system_answers", "2023-W35", [W35]),
    ],
)
def test_what_a_person_must_mend_is_told_to_the_owners_and_not_asked_for(
    outside: Outside,
    mondays: Mondays,
    readers: Readers,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    step: str,
    weeks: str,
    made: list[Week],
) -> None:
    monkeypatch.setenv("PRISM_OPERATIONS_EMAIL", "owner@example.com")
    cursor = mondays.failed_runs(None)
    outside.world.faults.add(replace(NAMED[fault], times=1))  # of the newest week, which is asked for first

    assert not mondays.monday().success
    mondays.failed_runs(cursor)

    assert Shelf(outside.settings).weeks(ReportKind.CAMPAIGN) == made
    await_true(lambda: len(list(readers.mailbox.glob("*.eml"))) == 1)
    ((name, message),) = readers.mails()
    text = message.get_body(("plain",))
    assert (name, text is not None and "access token" in text.get_content()) == ("owner", True)
    assert str(message["Subject"]) == f"PRISM: {step} failed ({weeks})"
    assert [mondays.tick(hours).requests for hours in (1, 30, 100)] == [[], [], []]


@pytest.mark.parametrize(
    ("fault", "says"),
    [(NO_DATA, "the ads are not read yet"), (NAMED["meta-token-expired"], "somebody must mend something")],
    ids=["silent", "refused"],
)
def test_at_seven_readers_are_told_of_a_report_that_is_not_there_and_get_it_later(
    outside: Outside, mondays: Mondays, readers: Readers, fault: Fault, says: str
) -> None:
    readers.join("ada")
    outside.world.faults.add(fault)
    assert not mondays.monday().success

    before, at_seven = mondays.mails(1.9), mondays.mails(2)
    again = mondays.mails(3)
    outside.world.faults.clear()
    assert mondays.monday().success
    came = mondays.mails(4)

    assert (before, at_seven, again, came) == (0, 1, 0, 1)
    late, report = [subject for _, subject in readers.got()]
    assert late == f"Campaign report 2023-W35 is late: {says}"
    assert "Campaign report 2023-W35" in report
    assert "edition" not in report


def test_nothing_is_asked_for_without_a_monday_or_beside_a_run_which_is_waited_for_from_its_own_beginning(
    outside: Outside, mondays: Mondays, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mondays.tick(1).requests == []
    outside.world.faults.add(NO_DATA)
    mondays.monday()
    job = build_definitions(load_settings()).resolve_job_def(JOB)
    tags = {RANGE_START: WEEKS.first.key, RANGE_END: WEEKS.last.key}
    instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)

    found = mondays.tick(1)

    assert found.requests == []
    assert "a run is under way" in (found.said or "")
    mondays.tick(4)
    assert late_report(instance, PrismResource()) is None, "it was asked for a moment ago"
    monkeypatch.setattr("prism_sensors.unread.WAITED_FOR", timedelta(0))
    assert late_report(instance, PrismResource()) == Late(W35, Lateness.BEING_MADE)
