"""When the weeks of the campaign are read, and which, by the clock of the readers."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import cron_string_iterator

from prism_assets.definitions import build_definitions
from prism_assets.reports.weeks import NEWEST_WEEK, REPORTS_TAG, readers_zone, weeks_to_report
from prism_assets.resources import PrismResource
from prism_core.calendar import Week, WeekRange
from prism_core.settings import Settings
from prism_sensors.asking import RANGE_END, RANGE_START
from prism_sensors.campaign import FIGURES, REPORT, weeks_to_read

MADRID = ZoneInfo("Europe/Madrid")


def schedule_of(settings: Settings) -> dg.ScheduleDefinition:
    found = build_definitions(settings).resolve_schedule_def("campaign_figures_weekly")
    assert isinstance(found, dg.ScheduleDefinition)
    return found


def asked(
    monkeypatch: pytest.MonkeyPatch, at: datetime, first_week: str = "2025-W01", zone: ZoneInfo = MADRID
) -> list[dg.RunRequest]:
    monkeypatch.setenv("PRISM_NOW", at.isoformat())
    monkeypatch.setenv("PRISM_FIRST_WEEK", first_week)
    monkeypatch.setenv("PRISM_REPORT_TIME_ZONE", zone.key)
    definitions = build_definitions(PrismResource().settings())
    schedule = definitions.resolve_schedule_def("campaign_figures_weekly")
    assert isinstance(schedule, dg.ScheduleDefinition)
    with dg.build_schedule_context(
        scheduled_execution_time=at,
        repository_def=definitions.get_repository_def(),
        resources={"prism": PrismResource()},
    ) as context:
        return list(schedule.evaluate_tick(context).run_requests or [])


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        pytest.param("2026-03-20", ["2026-03-23T04:00", "2026-03-30T03:00"], id="into summer"),
        pytest.param("2026-10-16", ["2026-10-19T03:00", "2026-10-26T04:00"], id="into winter"),
    ],
)
def test_it_is_five_on_monday_by_the_clock_of_the_readers_on_both_sides_of_a_change(
    start: str, expected: list[str]
) -> None:
    schedule = schedule_of(Settings(report_time_zone=MADRID.key))
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp()

    assert schedule.execution_timezone == MADRID.key
    ticks = cron_string_iterator(begin, str(schedule.cron_schedule), schedule.execution_timezone)
    found = [next(ticks).astimezone(UTC) for _ in expected]
    assert [f"{tick:%Y-%m-%dT%H:%M}" for tick in found] == expected


def test_the_hour_comes_from_the_settings_and_the_schedule_runs_from_the_start() -> None:
    schedule = schedule_of(Settings(campaign_figures_cron="30 4 * * 2"))

    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 4 * * 2", "UTC")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_a_tick_asks_for_the_week_that_has_ended_and_the_four_before_it_in_one_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (found,) = asked(monkeypatch, datetime(2026, 3, 30, 3, tzinfo=UTC))

    assert (found.tags[RANGE_START], found.tags[RANGE_END]) == ("2026-02-23", "2026-03-23")
    assert {key.to_user_string() for key in found.asset_selection or ()} == {*FIGURES, *REPORT}
    assert found.tags[REPORTS_TAG] == NEWEST_WEEK, (
        "what was reported on before is read again, and not mailed again"
    )


def test_every_monday_is_asked_anew_and_no_week_before_the_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = asked(monkeypatch, datetime(2026, 3, 30, 3, tzinfo=UTC), "2026-W12")
    (other,) = asked(monkeypatch, datetime(2026, 4, 6, 3, tzinfo=UTC), "2026-W12")

    assert (one.tags[RANGE_START], other.tags[RANGE_START]) == ("2026-03-16", "2026-03-16")
    assert one.run_key != other.run_key
    assert asked(monkeypatch, datetime(2026, 3, 30, 3, tzinfo=UTC), "2026-W14") == []


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        pytest.param("2026-03-30T03:00", "Europe/Madrid", "2026-W09..2026-W13", id="Monday"),
        pytest.param("2026-03-29T16:00", "Pacific/Auckland", "2026-W09..2026-W13", id="Sunday in UTC"),
        pytest.param("2026-03-30T03:00", "America/New_York", "2026-W08..2026-W12", id="Sunday there"),
    ],
)
def test_the_week_that_has_ended_is_that_of_the_readers(at: str, zone: str, expected: str) -> None:
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)

    assert weeks_to_read(instant, ZoneInfo(zone)) == WeekRange.parse(expected)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Pacific/Auckland", "UTC", "America/New_York"])
def test_the_week_that_a_tick_asks_for_has_ended_for_its_run(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    at = datetime(2026, 3, 30, 5, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    (found,) = asked(monkeypatch, at, zone=ZoneInfo(zone))
    weeks = WeekRange(Week.parse(found.tags[RANGE_START]), Week.parse(found.tags[RANGE_END]))
    told: list[list[Week]] = []

    @dg.asset
    def report(context: dg.AssetExecutionContext) -> None:
        told.append(weeks_to_report(context, list(weeks), readers_zone(PrismResource())))

    dg.materialize([report], tags={REPORTS_TAG: found.tags[REPORTS_TAG]})

    assert told == [[weeks.last]] == [[Week.parse("2026-W13")]]
