"""Weeks as Dagster sees them."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from prism_assets.partitions import weekly, weeks_of
from prism_core.calendar import Week
from prism_core.settings import Settings


@pytest.fixture
def settings() -> Settings:
    return Settings(first_week=Week.parse("2025-W01"))


def test_partitions_are_mondays_from_the_first_week_to_the_running_one(settings: Settings) -> None:
    now = datetime(2026, 1, 7, 12, tzinfo=UTC)

    keys = weekly(settings).get_partition_keys(current_time=now)

    assert keys[0] == "2024-12-30"
    assert keys[-1] == "2026-01-05"
    assert {Week.parse(key).monday.isoweekday() for key in keys} == {1}
    assert len(keys) == Week.parse("2026-W02") - Week.parse("2025-W01") + 1


def test_the_window_of_a_partition_is_the_iso_week(settings: Settings) -> None:
    window = weekly(settings).time_window_for_partition_key("2025-12-29")

    assert (window.start, window.end) == (Week.parse("2026-W01").start, Week.parse("2026-W01").end)


def test_the_running_week_is_there_from_its_first_second(settings: Settings) -> None:
    before = weekly(settings).get_partition_keys(current_time=datetime(2026, 1, 4, 23, 59, 59, tzinfo=UTC))
    after = weekly(settings).get_partition_keys(current_time=datetime(2026, 1, 5, 0, 0, 0, tzinfo=UTC))

    assert (before[-1], after[-1]) == ("2025-12-29", "2026-01-05")


@pytest.mark.parametrize(
    ("first", "last", "weeks"), [("2025-01-06", "2025-01-20", 3), ("2025-01-06", "2025-01-06", 1)]
)
def test_a_run_over_a_range_knows_each_of_its_weeks(settings: Settings, first: str, last: str, weeks: int) -> None:
    seen: list[Week] = []

    @dg.asset(partitions_def=weekly(settings), backfill_policy=dg.BackfillPolicy.single_run())
    def probe(context: dg.AssetExecutionContext) -> None:
        seen.extend(weeks_of(context))

    dg.materialize(
        [probe], tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    )

    assert len(seen) == weeks
    assert (seen[0].key, seen[-1].key) == (first, last)


@pytest.mark.parametrize("now", ["2025-03-05T12:00:00+00:00", "2031-07-02T12:00:00+00:00", "2031-06-30T00:00:00Z"])
def test_a_fixed_clock_decides_which_week_is_the_last_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, now: str
) -> None:
    monkeypatch.setenv("PRISM_NOW", now)
    running = Week.of(datetime.fromisoformat(now))

    partitions = weekly(settings)

    assert partitions.get_last_partition_key() == running.key
    assert partitions.get_partition_keys()[-1] == running.key
    assert len(partitions.get_partition_keys()) == running - settings.first_week + 1
    assert not partitions.has_partition_key((running + 1).key)
