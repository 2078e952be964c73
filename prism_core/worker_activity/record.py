"""One record of Ground Truth worker activity, and the line it becomes in the lake.

Belongs here: the record's shape, when it is accepted, who and what it names, its identity, and the landed line.
Does not belong here: reading files (files.py) and counting (throughput.py).
Source: the CloudWatch log group /aws/sagemaker/groundtruth/WorkerActivity; every value is a string.
"""

import re
from calendar import timegm
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NoReturn

import msgspec

from prism_core.calendar import Week, WeekRange
from prism_core.failures import PermanentFailure

MAX_RECORD_BYTES = 262_144  # a log event of CloudWatch is at most 256 KiB, so a longer line is no record
SECONDS_A_DAY = 86_400
IDENTITY_BYTES = 16
# The longest key of throughput is that of its index by week, `job:…#worker:…`, in the 1,024 bytes of a sort key.
MAX_NAME_BYTES = 500
_SURELY_SHORT = MAX_NAME_BYTES // 4  # characters; one has at most four bytes

ACCEPTED = "TasksAccepted"
# The time that says when the event happened, by event type; an event type that is not here is kept uninterpreted.
OUTCOME_TIMES: Mapping[str, str] = {
    "TasksSubmitted": "task_submitted_time",
    "TasksReturned": "task_returned_time",
    "TasksDeclined": "task_declined_time",
    ACCEPTED: "task_accepted_time",
}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TWO_DIGITS = {f"{number:02d}": number for number in range(60)}
_DAY_OF_TIME = re.compile(rf"(?:{'|'.join(WEEKDAYS)}) ([A-Z][a-z]{{2}}) (\d\d)  UTC (\d{{4}})", re.ASCII)
_MAX_TIMESTAMP_DIGITS = 11  # up to the year 5138; milliseconds have 13
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # what no key may hold: see FactSubject in prism_core/models/work.py
_EXAMPLE = "Wed Aug 14 16:00:59 UTC 2019"


class RecordRejected(PermanentFailure):
    """A line that is no usable record; `reason` is a sentence for the person who sent it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ActivityRecord(msgspec.Struct, frozen=True, gc=False):
    """The fields of a record that are read; absent is None. All others stay in the landed line as they came:
    workteam_arn, work_requester_account_id, job_reference_code, job_type, and what AWS may add.
    """

    worker_id: str | None = None
    cognito_user_pool_id: str | None = None
    cognito_sub_id: str | None = None
    task_accepted_time: str | None = None
    task_submitted_time: str | None = None
    task_returned_time: str | None = None
    task_declined_time: str | None = None
    labeling_job_arn: str | None = None
    event_type: str | None = None
    event_timestamp: str | None = None


class Activity(msgspec.Struct, frozen=True, gc=False):
    """What a record says once checked. Times are epoch seconds in UTC.

    `accepted_s` and `outcome_s` are 0 for an event type that PRISM does not know.
    """

    event_type: str
    event_s: int
    accepted_s: int
    outcome_s: int
    worker_key: str
    job_name: str

    @property
    def week(self) -> Week:
        return _week_of_day(self.event_s // SECONDS_A_DAY)


class CheckedRecord(msgspec.Struct, frozen=True):
    """An accepted line: its week and the digest of its canonical form (32 hex digits)."""

    week: Week
    digest: str
    activity: Activity


class LandedRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a raw object in the lake. `record` holds the bytes that were sent."""

    id: str
    received: str
    record: msgspec.Raw
    ingested: int | None = None

    @property
    def received_at(self) -> datetime:
        return parse_instant(self.received)


_decode_record = msgspec.json.Decoder(ActivityRecord).decode
_decode_landed = msgspec.json.Decoder(LandedRecord).decode
_canonical = msgspec.json.Encoder(order="sorted").encode


def check_line(line: bytes, weeks: WeekRange) -> CheckedRecord:
    """Check one line (without its line end) as a record of `weeks`.

    Raises RecordRejected with the reason.
    """
    if len(line) > MAX_RECORD_BYTES:
        raise RecordRejected(f"the line is longer than {MAX_RECORD_BYTES:,} bytes, the most a log record can have")
    activity = read_activity(line)
    week = activity.week
    if week not in weeks:
        raise RecordRejected(f"event_timestamp lies in {week}, outside {weeks}")
    return CheckedRecord(week, canonical_digest(line), activity)


def read_activity(line: bytes) -> Activity:
    """Decode and check a record of any week. Raises RecordRejected."""
    _require_utf8(line)
    try:
        return check_record(_decode_record(line))
    except msgspec.ValidationError as error:
        _explain_type(error)
    except msgspec.DecodeError as error:
        raise RecordRejected(f"the line is not JSON: {error}") from error
    except RecursionError as error:
        raise RecordRejected("the record is nested too deeply to be read") from error


def check_record(record: ActivityRecord) -> Activity:
    """Check a decoded record of any week. Raises RecordRejected."""
    if not record.event_type:
        raise RecordRejected("the record has no event_type")
    event_s = _epoch_seconds(record.event_timestamp)
    worker, job = worker_key(record), job_name(record.labeling_job_arn)
    outcome_field = OUTCOME_TIMES.get(record.event_type)
    if outcome_field is None:
        return Activity(record.event_type, event_s, 0, 0, worker, job)
    accepted_s = _needed_time(record, "task_accepted_time")
    outcome_s = accepted_s if record.event_type == ACCEPTED else _needed_time(record, outcome_field)
    if outcome_s < accepted_s:
        raise RecordRejected(
            f"{outcome_field} ({getattr(record, outcome_field)}) lies before "
            f"task_accepted_time ({record.task_accepted_time})"
        )
    return Activity(record.event_type, event_s, accepted_s, outcome_s, worker, job)


def worker_key(record: ActivityRecord) -> str:
    """`<pool>#<sub>` of a Cognito worker, else the worker id. Raises RecordRejected when there is neither, and for
    a name that no key can hold."""
    if record.cognito_user_pool_id and record.cognito_sub_id:
        return _usable(f"{record.cognito_user_pool_id}#{record.cognito_sub_id}", "worker")
    if not record.worker_id:
        raise RecordRejected("the record names no worker: neither Cognito pool and sub nor worker_id")
    return _usable(record.worker_id, "worker")


def job_name(labeling_job_arn: str | None) -> str:
    """The last part of the ARN. Raises RecordRejected when there is none, and for a name that no key can hold."""
    name = re.split("[/:]", labeling_job_arn)[-1] if labeling_job_arn else ""
    if not name:
        raise RecordRejected("the record names no labeling job: labeling_job_arn is empty or ends without a name")
    return _usable(name, "labeling job")


def parse_time(text: str) -> int:
    """Epoch seconds of `Wed Aug 14 16:00:59 UTC 2019`.

    Raises ValueError for any other form and for dates and hours that do not exist. The name of the weekday
    must be one, but is not compared with the date.
    """
    if len(text) != len(_EXAMPLE) or text[13] != ":" or text[16] != ":":
        raise ValueError(text)
    hour, minute, second = (_TWO_DIGITS.get(text[at : at + 2], 99) for at in (11, 14, 17))
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(text)
    return _midnight_s(text[:11] + text[19:]) + hour * 3600 + minute * 60 + second


def day_of(event_s: int) -> date:
    """The UTC day of an epoch second."""
    return _day_of_ordinal(event_s // SECONDS_A_DAY)


def parse_instant(text: str) -> datetime:
    """An aware ISO instant, in UTC. Raises RecordRejected."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise RecordRejected(f"received {text!r} is not an instant") from error
    if instant.tzinfo is None:
        raise RecordRejected(f"received {text!r} has no time zone")
    return instant.astimezone(UTC)


def canonical_digest(line: bytes) -> str:
    """32 hex digits of the whole record, whatever the order of its keys and its spaces. Expects valid JSON."""
    canonical = _canonical(msgspec.json.decode(line))
    return blake2b(canonical, digest_size=IDENTITY_BYTES).hexdigest()


def encode_landed(identity: str, received: datetime, record: bytes, ingested_ms: int | None = None) -> bytes:
    """The landed line, with its line end. `record` must have passed `check_line`; its bytes stay as they are.

    Only raw line breaks become spaces: in valid JSON they can stand between tokens alone (a pretty-printed
    log message), and a landed record is one line.
    """
    if received.tzinfo is None:
        raise ValueError(f"received must be aware, not {received!r}")
    if b"\n" in record or b"\r" in record:
        record = record.replace(b"\n", b" ").replace(b"\r", b" ")
    landed = LandedRecord(identity, received.astimezone(UTC).isoformat(), msgspec.Raw(record), ingested_ms)
    return msgspec.json.encode(landed) + b"\n"


def decode_landed(line: bytes) -> LandedRecord:
    """Read a landed line, without looking into its record. Raises RecordRejected."""
    _require_utf8(line)
    try:
        landed = _decode_landed(line)
    except msgspec.ValidationError as error:
        _explain_type(error)
    except msgspec.DecodeError as error:
        raise RecordRejected(f"the line is not JSON: {error}") from error
    except RecursionError as error:
        raise RecordRejected("the record is nested too deeply to be read") from error
    if not landed.id:
        raise RecordRejected("the landed line has an empty id")
    parse_instant(landed.received)
    return landed


def _require_utf8(line: bytes) -> None:
    if line.isascii():
        return
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecordRejected(f"byte {error.start + 1} of the line is not UTF-8") from error


def _explain_type(error: msgspec.ValidationError) -> NoReturn:
    """msgspec says ``Expected `str`, got `int` - at `$.event_type` ``; a sender needs the field and the rule."""
    wanted, _, place = str(error).partition(" - at `$.")
    if not place:
        raise RecordRejected(f"the line is not a JSON object: {wanted}") from error
    raise RecordRejected(f"{place.rstrip('`')} has the wrong type: {wanted}") from error


def _usable(name: str, of_what: str) -> str:
    """The name. Rows are kept under it, so that one which no key can hold would stop its whole week."""
    if len(name) <= _SURELY_SHORT and name.isprintable():
        return name
    if (size := len(name.encode("utf-8", "surrogatepass"))) > MAX_NAME_BYTES:
        raise RecordRejected(
            f"the name of the {of_what} has {size:,} bytes, more than the {MAX_NAME_BYTES} that a key can hold: "
            f"{name[:60]!r}…"
        )
    if _CONTROL.search(name):
        raise RecordRejected(f"the name of the {of_what} holds a control character: {name[:60]!r}")
    return name


def _needed_time(record: ActivityRecord, field: str) -> int:
    text: str | None = getattr(record, field)
    if not text:
        raise RecordRejected(f"a record of {record.event_type} needs {field}, which is empty")
    try:
        return parse_time(text)
    except ValueError as error:
        raise RecordRejected(f"{field} {text[:60]!r} is not a time such as {_EXAMPLE}") from error


def _epoch_seconds(text: str | None) -> int:
    if not text:
        raise RecordRejected("the record has no event_timestamp")
    if not (text.isascii() and text.isdigit()):
        raise RecordRejected(f"event_timestamp {text[:60]!r} is not a number of epoch seconds")
    if len(text) > _MAX_TIMESTAMP_DIGITS:
        raise RecordRejected(
            f"event_timestamp {text[:60]!r} is too large for epoch seconds; are these milliseconds?"
        )
    return int(text)


@lru_cache(maxsize=4096)
def _midnight_s(day: str) -> int:
    """Epoch seconds of `Wed Aug 14  UTC 2019`. Cached, as a file has few days: it costs 2 µs, twice the rest."""
    match = _DAY_OF_TIME.fullmatch(day)
    if match is None or match[1] not in MONTHS:
        raise ValueError(day)
    exists = date(int(match[3]), MONTHS.index(match[1]) + 1, int(match[2]))
    return timegm(exists.timetuple())


@lru_cache(maxsize=4096)
def _week_of_day(day: int) -> Week:
    return Week.of(_day_of_ordinal(day))


def _day_of_ordinal(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)
