"""The live worker-activity log in CloudWatch.

Belongs here: reading a span of the log completely and once, and landing what is new.
Does not belong here: schedules (prism_sensors) and what a record means (prism_core).
Source: FilterLogEvents; times in epoch milliseconds, at most 10,000 events a page, a page may be empty
while a token is set. The embedded AWS cuts at 10,000 events and gives no token at all.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from prism_core.calendar import Week, WeekRange
from prism_core.failures import PermanentFailure
from prism_core.lake import WORKER_ACTIVITY
from prism_core.settings import ActivitySource, Settings
from prism_core.worker_activity.files import Rejected, excerpt_of
from prism_core.worker_activity.record import RecordRejected, check_line, encode_landed
from prism_resources.aws import client
from prism_resources.failures import calling
from prism_resources.lake import Lake
from prism_resources.worker_activity.intake import BATCH_RECORDS, Intake, Outcome
from prism_resources.worker_activity.landing import Landing, keep_rejects

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

PAGE_EVENTS = 10_000
STEP = timedelta(hours=6)
# CloudWatch takes events of up to 14 days ago, so that the overlap cannot find all that come late: a week that has
# ended is read as a whole when it ends, after three days, and when nothing of it can come any more.
READ_AGAIN = (timedelta(days=3), timedelta(days=14))
# What has landed expires after 90 days, and could no longer be told from what is new.
READ_WHOLE_WITHIN = timedelta(days=60)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event of the log; both times in epoch milliseconds."""

    event_id: str
    stream: str
    timestamp: int
    ingested: int
    message: str


class _Place(msgspec.Struct):
    """What is remembered of a week's reading."""

    read_until: datetime


@dataclass(slots=True)
class LogCounts:
    """What one reading of the log did. `late` events happened before the previous reading ended."""

    read: int = 0
    loaded: int = 0
    duplicate: int = 0
    rejected: int = 0
    late: int = 0
    weeks: set[Week] = field(default_factory=set)

    def add(self, other: "LogCounts") -> None:
        for name in ("read", "loaded", "duplicate", "rejected", "late"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.weeks |= other.weeks


def read_log(logs: "CloudWatchLogsClient", group: str, start: datetime, end: datetime) -> Iterator[LogEvent]:
    """Every event with start <= timestamp < end, each once.

    A window whose page is full without a token may have been cut: it is halved and read again. Raises
    PermanentFailure that names the window when one of 1 ms is still full.
    """
    seen: set[str] = set()
    windows = deque(_windows(_millis(start), _millis(end)))
    while windows:
        first, last = windows.popleft()
        events, complete = _read_window(logs, group, first, last)
        if not complete:
            if first == last:
                raise PermanentFailure(
                    f"{group}: the window of 1 ms at {first} ({_instant(first).isoformat()}) holds "
                    f"{PAGE_EVENTS:,} events or more and cannot be read whole; export the log group to S3 and "
                    "load the exported files of that week with `prism ingest worker-activity --start-over "
                    f"{Week.of(_instant(first))} FILE…`"
                )
            middle = (first + last) // 2
            windows.extendleft([(middle + 1, last), (first, middle)])
            continue
        for event in events:
            if event.event_id not in seen:
                seen.add(event.event_id)
                yield event


def _read_window(logs: "CloudWatchLogsClient", group: str, first: int, last: int) -> tuple[list[LogEvent], bool]:
    """The events of first..last (both included), and whether these are surely all."""
    events: list[LogEvent] = []
    request: dict[str, Any] = {
        "logGroupName": group, "startTime": first, "endTime": last, "limit": PAGE_EVENTS,
    }  # fmt: skip
    while True:
        with calling(f"log group {group}", "read"):
            page = logs.filter_log_events(**request)
        found = [_event(raw) for raw in page.get("events", ())]
        # endTime's edge differs between the services that answer; ours is exact.
        events += [event for event in found if first <= event.timestamp <= last]
        token = page.get("nextToken")
        if not token:
            return events, len(found) < PAGE_EVENTS
        request["nextToken"] = token


def _event(raw: Any) -> LogEvent:
    return LogEvent(
        raw["eventId"], raw.get("logStreamName", ""), raw["timestamp"], raw.get("ingestionTime", 0), raw["message"]
    )


def _windows(start: int, end: int) -> Iterator[tuple[int, int]]:
    step = int(STEP.total_seconds() * 1000)
    for first in range(start, end, step):
        yield first, min(first + step, end) - 1


def _millis(instant: datetime) -> int:
    return int((instant - _EPOCH) / timedelta(milliseconds=1))


def _instant(millis: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=millis)


def read_until(lake: Lake, week: Week) -> datetime | None:
    """The instant of the last complete reading of a week; None before the first, and where files feed it.

    Also when the place is damaged: the week is read again as a whole, which finds duplicates and mends it.
    """
    body = lake.get(cursor_key(week))
    if body is None:
        return None
    try:
        return msgspec.json.decode(body, type=_Place).read_until
    except msgspec.MsgspecError as error:
        _log.warning("%s is damaged (%s): %s is read as a whole", cursor_key(week), error, week)
        return None


class LogIngest:
    """Lands what is new in the log, a week at a time; each week remembers up to when it was read."""

    def __init__(self, settings: Settings, lake: Lake, weeks: WeekRange) -> None:
        self._logs, self._lake, self._weeks = client(settings, "logs"), lake, weeks
        self._group = settings.worker_activity_log_group
        self._overlap = timedelta(minutes=settings.worker_activity_overlap_minutes)
        self._landing = Landing(lake)

    def read_until(self, week: Week) -> datetime | None:
        """As `read_until`."""
        return read_until(self._lake, week)

    def catch_up(self, now: datetime, reject: Callable[[Rejected], None]) -> LogCounts:
        """Read every week whose reading is due."""
        total = LogCounts()
        for week in WeekRange(self._weeks.first, max(self._weeks.first, Week.of(now))):
            if self.is_due(week, now):
                total.add(self.read_week(week, now, reject))
        return total

    def read_week(self, week: Week, now: datetime, reject: Callable[[Rejected], None]) -> LogCounts:
        """Read a week from its last reading (less the overlap, for late arrivals) until now, and land what is new.

        The reading that finishes a week is one of the whole week, and so is every later one. What is refused goes
        to `reject` and is kept in the lake. The reading is remembered only when all of it has landed: a kill
        before that repeats it, and finds what had landed as duplicates.
        """
        before = self.read_until(week)
        finishing = week.end + self._overlap <= now < week.end + READ_WHOLE_WITHIN
        whole = before is None or finishing or self._finished(week, before)
        start = week.start if before is None or whole else max(week.start, before - self._overlap)
        refused = _Refused(self._lake, week, reject)
        counts = self._read(start, min(week.end, now), now, before, refused.add)
        refused.keep()
        self._lake.put(cursor_key(week), msgspec.json.encode(_Place(now)), content_type="application/json")
        return counts

    def is_due(self, week: Week, now: datetime) -> bool:
        """Whether an hourly reading looks at a week: until it was read past its end and the overlap, and twice
        again for what comes very late."""
        before = self.read_until(week)
        if before is None or not self._finished(week, before):
            return True
        late = (week.end + self._overlap + after for after in READ_AGAIN)
        return now < week.end + READ_WHOLE_WITHIN and any(before < at <= now for at in late)

    def _finished(self, week: Week, read_until: datetime) -> bool:
        return read_until >= week.end + self._overlap

    def _read(
        self,
        start: datetime,
        end: datetime,
        now: datetime,
        late_before: datetime | None,
        reject: Callable[[Rejected], None],
    ) -> LogCounts:
        counts, intake = LogCounts(), Intake[LogEvent](self._landing, ActivitySource.LOG)

        def refuse(event: LogEvent, reason: str) -> None:
            counts.rejected += 1
            place = f"{self._group}/{event.stream}/{event.event_id}"
            reject(Rejected(place, 0, reason, excerpt_of(event.message.encode("utf-8", "surrogatepass"))))

        def is_late(event: LogEvent) -> bool:
            return late_before is not None and _instant(event.timestamp) < late_before

        def refuse_after_all(_: Week, event: LogEvent, reason: str) -> None:
            counts.loaded -= 1
            counts.late -= is_late(event)
            refuse(event, reason)

        for event in read_log(self._logs, self._group, start, end):
            counts.read += 1
            line = event.message.encode("utf-8", "surrogatepass")
            try:
                week = check_line(line, self._weeks).week
            except RecordRejected as refused:
                refuse(event, refused.reason)
                continue
            verdict, reason = intake.judge(week, event.event_id)
            if verdict is Outcome.REFUSED:
                refuse(event, reason)
                continue
            counts.weeks.add(week)
            if verdict is Outcome.DUPLICATE:
                counts.duplicate += 1
                continue
            counts.loaded += 1
            counts.late += is_late(event)
            landed = encode_landed(event.event_id, now, line, event.ingested)
            intake.keep(week, event, landed, refuse_after_all)
        intake.finish(refuse_after_all)
        return counts


class _Refused:
    """Keeps what a reading refuses in the lake, in parts: a whole week of the other source may be refused."""

    def __init__(self, lake: Lake, week: Week, tell: Callable[[Rejected], None]) -> None:
        self._lake, self._week, self._tell = lake, week, tell
        self._waiting: list[Rejected] = []

    def add(self, rejected: Rejected) -> None:
        self._tell(rejected)
        self._waiting.append(rejected)
        if len(self._waiting) >= BATCH_RECORDS:
            self.keep()

    def keep(self) -> None:
        if self._waiting:
            keep_rejects(self._lake, WORKER_ACTIVITY, self._week, self._waiting)
        self._waiting.clear()


def cursor_key(week: Week) -> str:
    """Where the last reading of a week is remembered; outside `raw/`, which expires."""
    return f"state/worker_activity_log/week={week}.json"
