"""Since when a week counts as materialised."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from prism_core.calendar import Week
from prism_sensors.materialised import materialised_since, read_at

WEEK = Week.parse("2025-W02")
WEEKLY = dg.WeeklyPartitionsDefinition(start_date="2025-01-06", day_offset=1, end_offset=1, timezone="UTC")
_reading: list[datetime] = []


@dg.asset(partitions_def=WEEKLY)
def snapshot() -> None:
    _reading.append(datetime.now(UTC))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def run(instance: dg.DagsterInstance) -> datetime:
    """Materialise the week; answers an instant within the run, before its materialisation was stored."""
    assert dg.materialize([snapshot], instance=instance, partition_key=WEEK.key).success
    return _reading[-1]


def test_a_run_that_was_under_way_when_the_week_ended_has_read_half_a_week(instance: dg.DagsterInstance) -> None:
    ended = run(instance)
    under_way = materialised_since(instance, "snapshot", {WEEK: ended})

    run(instance)

    assert under_way == set()
    assert materialised_since(instance, "snapshot", {WEEK: ended}) == {WEEK}


def test_a_materialisation_whose_run_is_gone_counts_from_its_own_stamp(instance: dg.DagsterInstance) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("snapshot", partition=WEEK.key))
    now = datetime.now(UTC)

    assert materialised_since(instance, "snapshot", {WEEK: now - timedelta(minutes=1)}) == {WEEK}
    assert read_at(instance, "gone", now.timestamp()) == now
