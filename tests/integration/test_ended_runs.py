"""Runs that have ended, each seen once. Why real: their order and their times are those of the run storage."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from prism_sensors.ended import ended_since


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """On disk, as at home."""
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"telemetry": {"enabled": False}}) as found:
        yield found


@dg.job
def working() -> None: ...


def test_more_runs_than_a_tick_reads_that_end_together_are_each_seen_once_and_in_order(
    instance: dg.DagsterInstance,
) -> None:
    cursor, seen = ended_since(instance, None).cursor(), list[list[str]]()
    ended = list[str]()
    for _ in range(5):
        run = instance.create_run_for_job(working)
        instance.report_run_failed(run, "its process is gone")
        ended.append(run.run_id)

    for _ in range(4):
        tick = ended_since(instance, cursor, at_most=2)
        seen.append([run.run_id for run in tick.runs])
        cursor = tick.cursor()

    assert seen == [ended[:2], ended[2:4], ended[4:], []]


def test_a_run_that_waits_among_many_that_end_together_is_where_the_next_tick_begins(
    instance: dg.DagsterInstance,
) -> None:
    cursor, ended = ended_since(instance, None).cursor(), list[str]()
    for _ in range(4):
        run = instance.create_run_for_job(working)
        instance.report_run_failed(run, "its process is gone")
        ended.append(run.run_id)
    cursor = ended_since(instance, cursor, at_most=2).cursor()

    waiting = ended_since(instance, cursor, at_most=2).cursor(before=ended[3])

    assert [run.run_id for run in ended_since(instance, waiting, at_most=2).runs] == ended[3:]
