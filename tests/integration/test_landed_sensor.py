"""Which weeks a landed object asks for, and what the run counts. Why real: S3's listing and manifests decide."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week, WeekRange
from prism_core.lake import WORKER_RESPONSE, raw_prefix
from prism_core.lake_tables import THROUGHPUT
from prism_core.settings import load_settings
from prism_resources.lake import Lake
from prism_resources.worker_activity.ingest import FileIngest
from prism_resources.worker_activity.landing import Landing
from prism_sensors.landed import MOST_WAITS
from tests.integration.asset_runs import lake_rows, run_assets
from tests.integration.fresh import platform_of_this_file
from tests.integration.helpers import record, write_lines
from tests.integration.ticks import Tick, names_of, tick, weeks_of

platform = platform_of_this_file()

# Three years after the first of the weeks: no schedule looks back so far.
NOW = datetime(2021, 9, 15, 9, tzinfo=UTC)
W33, W34, W35, W36 = (Week.parse(f"2018-W{number}") for number in (33, 34, 35, 36))
FOLLOWS = ["restatements", "throughput", "unresolved_workers", "utilisation"]


@pytest.fixture(autouse=True)
def lake(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """Nothing has landed, and nothing is published."""
    monkeypatch.setenv("PRISM_NOW", NOW.isoformat())
    lake = Lake(platform.settings)
    yield lake
    for key in [*lake.keys("raw/"), *lake.keys("lake/")]:
        lake.delete(key)


class Sensor:
    """The sensor, with what it remembers; a new one remembers nothing."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance, self._cursor = instance, None

    def tick(self) -> Tick:
        found = tick("landed_activity", self._instance, self._cursor)
        self._cursor = found.cursor
        return found

    def settled(self) -> Tick:
        """What it asks for when nothing has landed between two ticks."""
        first = self.tick()
        assert first.requests == []
        return self.tick()


@pytest.fixture
def sensor(instance: dg.DagsterInstance) -> Sensor:
    return Sensor(instance)


def land(folder: Path, name: str, *weeks: Week) -> None:
    """A task in each of the weeks, all in one file, each of a worker called like the file."""
    lines = [record(int(week.start.timestamp()) + 3600, sub=name) for week in weeks]
    ingest = FileIngest(Landing(Lake(load_settings())), WeekRange(W33, Week.of(NOW)), NOW)
    counts = ingest.load(write_lines(folder / f"{name}.jsonl", [*lines]), lambda _: None, lambda _: None)
    assert (counts.loaded, counts.rejected) == (len(weeks), 0)


def execute(instance: dg.DagsterInstance, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
    return run_assets(instance, weeks_of(request), *names_of(request), tags=dict(request.tags))


def tasks(week: Week) -> int:
    return sum(row["tasks_submitted"] for row in lake_rows(THROUGHPUT, week))


def test_an_object_of_w34_that_lands_years_after_w36_was_published_asks_for_w34_alone_and_is_counted(
    instance: dg.DagsterInstance, sensor: Sensor, tmp_path: Path
) -> None:
    land(tmp_path, "on-time", W33, W34, W35, W36)
    (first,) = sensor.settled().requests
    published = execute(instance, first)
    nothing = sensor.tick()
    land(tmp_path, "late", W34)

    late = sensor.settled()
    (request,) = late.requests
    tags = {"prism/because": "one of two tasks is late"}
    counted = run_assets(instance, weeks_of(request), *names_of(request), tags=dict(request.tags) | tags)

    assert str(weeks_of(first)) == "2018-W33..2018-W36"
    assert (published.success, nothing.requests) == (True, [])
    assert late.asked == [("2018-W34", sorted([*FOLLOWS, "worker_activity"]))]
    assert counted.success
    assert [tasks(week) for week in (W33, W34, W35, W36)] == [1, 2, 1, 1]
    assert sensor.tick().requests == []


def test_the_same_objects_are_asked_for_once_also_when_nothing_comes_of_it(
    instance: dg.DagsterInstance, sensor: Sensor, tmp_path: Path
) -> None:
    land(tmp_path, "one", W34)

    (asked,) = sensor.settled().requests
    again = [sensor.tick().requests for _ in range(3)]
    (forgetful,) = Sensor(instance).settled().requests
    land(tmp_path, "two", W34)
    (more,) = sensor.settled().requests

    assert again == [[], [], []]
    assert forgetful.run_key == asked.run_key
    assert more.run_key != asked.run_key


def test_while_objects_land_nothing_is_asked_for_but_not_for_ever(sensor: Sensor, tmp_path: Path) -> None:
    waited = 0
    while waited <= MOST_WAITS:
        land(tmp_path, f"part-{waited}", W33 if waited % 2 else W35)
        if (found := sensor.tick()).requests:
            break
        waited += 1

    assert waited == MOST_WAITS
    assert found.weeks_of("throughput") == [W33.label, W35.label]


def test_a_week_whose_manifest_is_damaged_is_asked_for_alone_and_once_and_its_run_says_why(
    instance: dg.DagsterInstance, sensor: Sensor, lake: Lake, tmp_path: Path
) -> None:
    land(tmp_path, "base", W33, W34, W35)
    (first,) = sensor.settled().requests
    assert execute(instance, first).success
    lake.put(THROUGHPUT.partition(W34).manifest, b'{"table": "thr', content_type="application/json")
    land(tmp_path, "late", W33, W34, W35)

    asked = sensor.settled()
    (damaged,) = [one for one in asked.requests if W34 in weeks_of(one)]
    failed = execute(instance, damaged)

    assert [weeks for weeks, _ in asked.asked] == [W33.label, W34.label, W35.label]
    assert not failed.success
    assert "the manifest was damaged" in str([event.event_specific_data for event in failed.all_events])
    assert sensor.tick().requests == []


def test_worker_responses_that_land_ask_for_their_week(sensor: Sensor, lake: Lake) -> None:
    body = gzip.compress(b'{"name": "a.json", "document": {"answers": []}}\n')
    lake.put(f"{raw_prefix(WORKER_RESPONSE, W36)}files/a.jsonl.gz", body, content_type="application/gzip")

    assert sensor.settled().weeks_of("throughput") == [W36.label]


def test_where_the_log_is_the_source_what_landed_is_counted_and_the_log_not_read_again(
    monkeypatch: pytest.MonkeyPatch, sensor: Sensor, tmp_path: Path
) -> None:
    monkeypatch.setenv("PRISM_WORKER_ACTIVITY_SOURCE", "log")
    land(tmp_path, "late", W34)

    assert sensor.settled().asked == [(W34.label, FOLLOWS)]


def test_weeks_before_the_first_one_are_asked_for_when_it_is_moved_to_an_earlier_one(
    monkeypatch: pytest.MonkeyPatch, sensor: Sensor, tmp_path: Path
) -> None:
    land(tmp_path, "early", W33)
    monkeypatch.setenv("PRISM_FIRST_WEEK", W34.label)
    before = sensor.settled()
    monkeypatch.setenv("PRISM_FIRST_WEEK", W33.label)

    assert before.requests == []
    assert sensor.settled().weeks_of("throughput") == [W33.label]
