"""The live log. Why real: paging, edges of time and event ids are the service's, not ours."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week, WeekRange
from prism_core.failures import PermanentFailure
from prism_core.lake import WORKER_ACTIVITY
from prism_core.settings import ActivitySource, Settings, load_settings
from prism_core.worker_activity.files import Rejected
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.worker_activity.landing import Landing, rejects_prefix
from prism_resources.worker_activity.log import PAGE_EVENTS, LogIngest, cursor_key, read_log
from tests.integration.helpers import record

# The service refuses events older than 14 days, so these tests live in the present.
NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(hours=3)
# The two weeks that the tests' three hours can lie in.
WEEKS = WeekRange(Week.of(START), Week.of(NOW))


@pytest.fixture
def group(platform: Platform, request: pytest.FixtureRequest) -> Iterator[str]:
    logs, name = client(platform.settings, "logs"), f"/test/{request.node.name[:60]}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    yield name
    logs.delete_log_group(logGroupName=name)
    for week in {*WEEKS, WEEKS.last + -1}:
        key = cursor_key(week)
        client(platform.settings, "s3").delete_object(Bucket=platform.settings.lake_bucket, Key=key)


def put(settings: Settings, group: str, events: list[tuple[int, Any]]) -> None:
    logs = client(settings, "logs")
    for start in range(0, len(events), 5_000):
        batch = [
            {"timestamp": at, "message": body if isinstance(body, str) else json.dumps(body)}
            for at, body in events[start : start + 5_000]
        ]
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=batch)  # type: ignore[arg-type]


def millis(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def ingest_of(platform: Platform, group: str, **changes: Any) -> LogIngest:
    settings = load_settings(home=platform.settings.home, worker_activity_log_group=group, **changes)
    return LogIngest(settings, Lake(settings), WEEKS)


def test_more_events_than_a_page_are_read_completely_and_once(platform: Platform, group: str) -> None:
    total = PAGE_EVENTS + 2_500
    put(platform.settings, group, [(millis(START) + i, f"event {i}") for i in range(total)])

    events = list(read_log(client(platform.settings, "logs"), group, START, NOW))

    assert len(events) == total
    assert len({event.event_id for event in events}) == total
    assert [event.message for event in events] == [f"event {i}" for i in range(total)]


def test_a_millisecond_that_holds_a_full_page_fails_and_names_itself(platform: Platform, group: str) -> None:
    at = millis(START)
    put(platform.settings, group, [(at, f"event {i}") for i in range(PAGE_EVENTS)])

    with pytest.raises(PermanentFailure, match=f"window of 1 ms at {at} .* --start-over {Week.of(START)} FILE"):
        list(read_log(client(platform.settings, "logs"), group, START, NOW))


def test_the_start_is_included_and_the_end_is_not(platform: Platform, group: str) -> None:
    put(platform.settings, group, [(millis(START), "first"), (millis(NOW), "at the end")])

    events = list(read_log(client(platform.settings, "logs"), group, START, NOW))

    assert [event.message for event in events] == ["first"]


def test_a_second_reading_lands_only_what_is_new_and_counts_what_came_late(platform: Platform, group: str) -> None:
    first_at, late_at = NOW - timedelta(hours=2), NOW - timedelta(minutes=90)
    sub = f"log-{NOW.timestamp()}"
    put(platform.settings, group, [(millis(first_at), record(int(first_at.timestamp()), sub=sub))])
    ingest, refused = ingest_of(platform, group), list[Rejected]()

    first = ingest.catch_up(NOW - timedelta(hours=1), refused.append)
    put(platform.settings, group, [(millis(late_at), record(int(late_at.timestamp()), sub=sub))])
    second = ingest.catch_up(NOW, refused.append)
    third = ingest.catch_up(NOW, refused.append)

    assert (first.read, first.loaded, first.late) == (1, 1, 0)
    assert (second.loaded, second.late) == (1, 1)
    assert (third.loaded, third.duplicate) == (0, third.read)
    assert not refused


def test_the_reading_that_finishes_a_week_finds_what_came_later_than_the_overlap(
    platform: Platform, group: str
) -> None:
    week, at = Week.of(NOW) + -1, (Week.of(NOW) + -1).end - timedelta(hours=3)
    ingest = ingest_of(platform, group)
    client(platform.settings, "s3").delete_object(Bucket=platform.settings.lake_bucket, Key=cursor_key(week))

    early = ingest.read_week(week, week.end - timedelta(hours=1), lambda _: None)
    put(platform.settings, group, [(millis(at), "no record, so that it binds the week to no source")])
    running = ingest.read_week(week, week.end + timedelta(minutes=30), lambda _: None)
    finishing = ingest.read_week(week, week.end + timedelta(minutes=60), lambda _: None)

    assert [one.read for one in (early, running, finishing)] == [0, 0, 1]


def test_unknown_event_types_are_landed_and_broken_messages_are_rejected_by_event(
    platform: Platform, group: str
) -> None:
    at = NOW - timedelta(minutes=30)
    odd = record(int(at.timestamp()), sub=f"odd-{NOW.timestamp()}", event_type="TasksPaused")
    put(platform.settings, group, [(millis(at), odd), (millis(at) + 1, "not a record")])
    refused = list[Rejected]()

    counts = ingest_of(platform, group).catch_up(NOW, refused.append)

    assert (counts.loaded, counts.rejected) == (1, 1)
    assert refused[0].file.startswith(f"{group}/s/")
    assert "not JSON" in refused[0].reason


def test_the_landed_record_carries_event_id_and_ingestion_time(platform: Platform, group: str) -> None:
    at = NOW - timedelta(minutes=20)
    put(platform.settings, group, [(millis(at), record(int(at.timestamp()), sub=f"id-{NOW.timestamp()}"))])
    (event,) = read_log(client(platform.settings, "logs"), group, START, NOW)

    ingest_of(platform, group).catch_up(NOW, lambda _: None)

    landed = b"".join(Landing(Lake(platform.settings)).contents(Week.of(at)))
    line = next(line for line in landed.splitlines() if event.event_id.encode() in line)
    assert json.loads(line)["ingested"] == event.ingested


def test_a_reading_that_died_before_it_was_remembered_is_repeated_without_duplicates(
    platform: Platform, group: str
) -> None:
    at, sub = NOW - timedelta(minutes=40), f"died-{NOW.timestamp()}"
    events = [(millis(at) + i, record(int(at.timestamp()), sub=sub, job=f"j-{i}")) for i in range(5)]
    put(platform.settings, group, [*events, (millis(at) + 9, "broken")])
    week, landing = Week.of(at), Landing(Lake(platform.settings))
    before = len(landing.ids(week))

    def die(_: Rejected) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest_of(platform, group).catch_up(NOW, die)
    ingest_of(platform, group).catch_up(NOW, lambda _: None)
    again = ingest_of(platform, group).read_week(week, NOW, lambda _: None)

    assert len(landing.ids(week)) == before + 5
    assert again.loaded == 0


def test_events_of_a_week_that_is_fed_from_files_are_refused_one_by_one_and_the_reading_goes_on(
    platform: Platform, group: str
) -> None:
    at, lake = NOW - timedelta(minutes=15), Lake(platform.settings)
    # Of two weeks before the log's: such an event is written now, about work of then.
    foreign = Week.of(at) + -2
    weeks = WeekRange(foreign, Week.of(NOW))
    old = record(int(foreign.start.timestamp()) + 100, sub=f"old-{NOW.timestamp()}")
    new = record(int(at.timestamp()), sub=f"new-{NOW.timestamp()}")
    put(platform.settings, group, [(millis(at), old), (millis(at) + 1, new)])
    landing, week = Landing(lake), Week.of(at)
    landing.claim(foreign, ActivitySource.FILES)
    settings = load_settings(home=platform.settings.home, worker_activity_log_group=group)
    refused, kept_before = list[Rejected](), set(lake.keys(rejects_prefix(WORKER_ACTIVITY, week)))
    ingest = LogIngest(settings, lake, weeks)

    counts = ingest.read_week(week, NOW, refused.append)

    assert (counts.read, counts.loaded, counts.rejected, counts.weeks) == (2, 1, 1, {week})
    assert f"{foreign} is fed from files already" in refused[0].reason
    assert refused[0].file.startswith(f"{group}/s/")
    assert ingest.read_until(week) == NOW
    assert landing.keys(foreign) == []
    (kept,) = set(lake.keys(rejects_prefix(WORKER_ACTIVITY, week))) - kept_before
    assert json.loads(lake.get(kept) or b"")["reason"] == refused[0].reason
