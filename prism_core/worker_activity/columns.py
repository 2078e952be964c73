"""Landed lines to columns: the fast reading of a week.

Belongs here: cutting chunks into blocks of whole lines, and judging a block as a whole, in columns of numbers
(two threads). At the least doubt a block is read again line by line with record.py, which alone decides what is
valid and why. Does not belong here: splitting JSON into texts (fields.py) and counting (throughput.py).
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from prism_core.calendar import Week, WeekRange
from prism_core.worker_activity.fields import (
    MAX_LANDED_LINE_BYTES,
    Array,
    Doubt,
    Fields,
    Integers,
    by_arrow,
    by_shape,
    cut_out,
)
from prism_core.worker_activity.files import excerpt_of
from prism_core.worker_activity.record import (
    ACCEPTED,
    OUTCOME_TIMES,
    SECONDS_A_DAY,
    Activity,
    ActivityRecord,
    RecordRejected,
    decode_landed,
    job_name,
    parse_instant,
    parse_time,
    read_activity,
    worker_key,
)

BLOCK_BYTES = 4 * 1024 * 1024  # large enough to hide numpy's cost a call, small enough to stay near the cache


_TIME_LENGTH = 28
_TIMESTAMP_LENGTH = 10  # epoch seconds from 2001 to 2286; any other length is read line by line
_ODD = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio of 64 bits: spreads what differs over all bits
_DIGITS_OF_CLOCK = [11, 12, 14, 15, 17, 18]


Hashes = npt.NDArray[np.uint64]


class InvalidLine(msgspec.Struct, frozen=True):
    """A landed line that is not counted. `line` counts from 1 over the whole input."""

    line: int
    reason: str
    excerpt: str


class Encoded(NamedTuple):
    """A text column as numbers into its distinct values."""

    codes: Integers
    values: list[str]


class Columns(NamedTuple):
    """The valid records of one block, and the lines that are none."""

    ids: Array
    id_hashes: Hashes  # equal ids have equal hashes; the reverse must be checked
    event_types: Encoded
    workers: Encoded
    jobs: Encoded
    event_s: Integers
    accepted_s: Integers
    outcome_s: Integers
    received_us: Integers
    lines: int  # blank ones not counted
    line_ends: int
    invalid: list[InvalidLine]


def read_columns(week: Week, chunks: Iterable[bytes | bytearray | memoryview]) -> Iterator[Columns]:
    """Read landed JSON Lines of `week`, in order; memory is a few blocks whatever the size of the input.

    Chunks may be cut anywhere, but an object must end with a line end before the next one begins.
    """
    workers = max(1, min(4, os.cpu_count() or 1))
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Columns]] = deque()
        for block in _blocks(chunks):
            waiting.append(pool.submit(_read_block, week, block))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _blocks(chunks: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    """Whole lines, about BLOCK_BYTES at a time. An endless line is cut short and so invalid."""
    pending: list[bytes] = []
    pending_bytes = 0
    open_line = 0  # bytes of the unfinished line at the end of `pending`
    for piece in _pieces(chunks):
        start, end = 0, piece.rfind(b"\n") + 1
        if open_line > MAX_LANDED_LINE_BYTES:
            start = piece.find(b"\n") if end else len(piece)
        if end and pending_bytes + end >= BLOCK_BYTES:
            yield b"".join([*pending, piece[start:end]])
            pending, pending_bytes, start = [], 0, end
        pending.append(piece[start:])
        pending_bytes += len(piece) - start
        open_line = len(piece) - end if end else open_line + len(piece)
    if rest := b"".join(pending):
        yield rest


def _pieces(chunks: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    for chunk in chunks:
        if isinstance(chunk, bytes) and len(chunk) <= BLOCK_BYTES:
            yield chunk
            continue
        view = memoryview(chunk).cast("B")
        yield from (bytes(view[start : start + BLOCK_BYTES]) for start in range(0, len(view), BLOCK_BYTES))


def _read_block(week: Week, block: bytes) -> Columns:
    for read_fields in (by_shape, by_arrow):
        with suppress(Doubt):
            return _read_at_once(week, read_fields(block))
    return read_line_by_line(week, block)


def read_line_by_line(week: Week, block: bytes) -> Columns:
    """The careful reading of a block, and the definition of what is valid."""
    ids: list[str] = []
    activities: list[Activity] = []
    received_us: list[int] = []
    invalid: list[InvalidLine] = []
    lines = 0
    for number, line in enumerate(block.split(b"\n"), start=1):
        if not line.strip():
            continue
        lines += 1
        try:
            identity, received, activity = _check_landed(week, line)
        except RecordRejected as rejection:
            invalid.append(InvalidLine(number, rejection.reason, excerpt_of(line)))
            continue
        ids.append(identity)
        received_us.append(received)
        activities.append(activity)
    id_texts = _strings(ids)
    return Columns(
        id_texts,
        _hashes(id_texts),
        _encode([activity.event_type for activity in activities]),
        _encode([activity.worker_key for activity in activities]),
        _encode([activity.job_name for activity in activities]),
        np.array([activity.event_s for activity in activities], np.int64),
        np.array([activity.accepted_s for activity in activities], np.int64),
        np.array([activity.outcome_s for activity in activities], np.int64),
        np.array(received_us, np.int64),
        lines,
        block.count(b"\n"),
        invalid,
    )


def _check_landed(week: Week, line: bytes) -> tuple[str, int, Activity]:
    if len(line) > MAX_LANDED_LINE_BYTES:
        raise RecordRejected(f"the landed line is longer than {MAX_LANDED_LINE_BYTES:,} bytes")
    landed = decode_landed(line)
    activity = read_activity(bytes(landed.record))
    if activity.week != week:
        raise RecordRejected(f"event_timestamp lies in {activity.week}, outside {WeekRange(week, week)}")
    return landed.id, _microseconds(landed.received), activity


def _read_at_once(week: Week, fields: Fields) -> Columns:
    """The same as `read_line_by_line` for a block in which everything is in order. Raises Doubt otherwise."""
    record = fields.record
    if _has_empty(fields.ids):
        raise Doubt
    event_types = _dictionary(record["event_type"])
    jobs = _dictionary(record["labeling_job_arn"])
    instants = _dictionary(fields.received)
    accepted_s, outcome_s = _clock(record, event_types)
    return Columns(
        fields.ids,
        _hashes(fields.ids),
        event_types,
        _workers(record),
        Encoded(jobs.codes, [_certain(job_name, arn) for arn in jobs.values]),
        _event_seconds(record["event_timestamp"], week),
        accepted_s,
        outcome_s,
        np.array([_certain(_microseconds, text) for text in instants.values], np.int64)[instants.codes],
        fields.lines,
        fields.lines,
        [],
    )


def _clock(record: dict[str, Array], event_types: Encoded) -> tuple[Integers, Integers]:
    """Accepted and outcome seconds; 0 for event types that PRISM does not know."""
    accepted_s = np.zeros(len(event_types.codes), np.int64)
    outcome_s = np.zeros(len(event_types.codes), np.int64)
    known = np.array([event_type in OUTCOME_TIMES for event_type in event_types.values], np.bool_)
    rows = np.flatnonzero(known[event_types.codes])
    accepted_s[rows] = _seconds(record["task_accepted_time"], rows)
    for code in np.flatnonzero(known):
        event_type = event_types.values[code]
        field = OUTCOME_TIMES[event_type]
        rows = np.flatnonzero(event_types.codes == code)
        outcome_s[rows] = accepted_s[rows] if event_type == ACCEPTED else _seconds(record[field], rows)
    if np.any(outcome_s < accepted_s):
        raise Doubt
    return accepted_s, outcome_s


def _seconds(column: Array, rows: Integers) -> Integers:
    """Epoch seconds of times such as `Wed Aug 14 16:00:59 UTC 2019`.

    All but the digits of the clock is shared by the times of a day: those few texts go through `parse_time`.
    """
    if len(rows) == 0:
        return np.zeros(0, np.int64)
    text = _characters(column, _TIME_LENGTH, rows)
    clock = text[:, _DIGITS_OF_CLOCK].T - np.uint8(ord("0"))
    hour, minute, second = (clock[at].astype(np.int64) * 10 + clock[at + 1] for at in (0, 2, 4))
    if clock.max() > 9 or hour.max() > 23 or minute.max() > 59 or second.max() > 59:
        raise Doubt
    rest = text.copy()
    rest[:, _DIGITS_OF_CLOCK] = ord("0")
    days = _dictionary(_fixed_size_strings(rest))
    midnight_s = np.array([_certain(_parse_time, day) for day in days.values], np.int64)
    return midnight_s[days.codes] + hour * 3600 + minute * 60 + second


def _event_seconds(column: Array, week: Week) -> Integers:
    digits = _characters(column, _TIMESTAMP_LENGTH, np.arange(len(column))) - np.uint8(ord("0"))
    if digits.max() > 9:
        raise Doubt
    event_s = digits.astype(np.int64) @ (10 ** np.arange(_TIMESTAMP_LENGTH - 1, -1, -1, dtype=np.int64))
    start = int(week.start.timestamp())
    if event_s.min() < start or event_s.max() >= start + 7 * SECONDS_A_DAY:
        raise Doubt
    return event_s


def _workers(record: dict[str, Array]) -> Encoded:
    """Worker keys: each combination of pool, sub and worker id goes through `worker_key` once."""
    pools, subs = (
        _dictionary(record[field], may_be_empty=True) for field in ("cognito_user_pool_id", "cognito_sub_id")
    )
    if len(pools.values) == 1 and pools.values[0] and all(subs.values):  # one pool is the usual case
        return Encoded(
            subs.codes, [_certain(worker_key, ActivityRecord(None, pools.values[0], sub)) for sub in subs.values]
        )
    ids = _dictionary(record["worker_id"], may_be_empty=True)
    packed = (pools.codes * len(subs.values) + subs.codes) * len(ids.values) + ids.codes
    combinations, codes = np.unique(packed, return_inverse=True)
    keys: list[str] = []
    for combination in combinations:
        pair, worker_id = divmod(int(combination), len(ids.values))
        pool, sub = divmod(pair, len(subs.values))
        named = ActivityRecord(ids.values[worker_id], pools.values[pool], subs.values[sub])
        keys.append(_certain(worker_key, named))
    return Encoded(codes.astype(np.int64), keys)


def _has_empty(column: Array) -> bool:
    return bool(column.null_count) or bool(np.any(np.diff(_offsets(column)) == 0))


def _dictionary(column: Array, *, may_be_empty: bool = False) -> Encoded:
    """Distinct values of a text column; null, where it may occur, is a value."""
    encoded = column.dictionary_encode(null_encoding="encode")
    values: list[str] = encoded.dictionary.to_pylist()
    if not may_be_empty and not all(values):
        raise Doubt
    return Encoded(codes_of(encoded), values)


def codes_of(encoded: Array) -> Integers:
    """The codes of an Arrow dictionary array without nulls.

    Read off the buffer: `to_numpy`, like `pa.array`, first imports pandas if it is installed (1.2 s).
    """
    codes = np.frombuffer(encoded.indices.buffers()[1], np.int32)
    return codes[encoded.offset : encoded.offset + len(encoded)].astype(np.int64)


def _offsets(column: Array) -> npt.NDArray[np.int32]:
    return np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]


def _characters(column: Array, length: int, rows: Integers) -> npt.NDArray[np.uint8]:
    """The bytes of these rows of a text column, one row each; the texts must all have this length."""
    offsets = _offsets(column)
    text = np.frombuffer(column.buffers()[2], np.uint8)
    if np.any(np.diff(offsets)[rows] != length):  # a null has no length
        raise Doubt
    if len(rows) == len(column):
        return text[offsets[0] : offsets[-1]].reshape(len(rows), length)
    return cut_out(text, offsets[rows].astype(np.int64), length)


def _fixed_size_strings(text: npt.NDArray[np.uint8]) -> Array:
    fixed: Any = pa.FixedSizeBinaryArray
    return fixed.from_buffers(pa.binary(text.shape[1]), len(text), [None, pa.py_buffer(text.tobytes())])


def _hashes(column: Array) -> Hashes:
    """64 bits of each text, by its bytes alone. Texts of one length are folded together, eight bytes at a time."""
    lengths = np.diff(_offsets(column))
    hashes = np.zeros(len(column), np.uint64)
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        words = np.zeros((len(rows), (length + 8) // 8 * 8), np.uint8)
        words[:, :length] = _characters(column, length, rows)
        folded = np.full(len(rows), length, np.uint64)
        for word in words.view(np.uint64).T:
            folded = (folded ^ word) * _ODD
            folded ^= folded >> np.uint64(29)
        hashes[rows] = folded
    return hashes


def _strings(texts: list[str]) -> Array:
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    strings: Any = pa.StringArray
    return strings.from_buffers(len(encoded), pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(encoded)))


def _encode(values: list[str]) -> Encoded:
    codes: dict[str, int] = {}
    return Encoded(np.array([codes.setdefault(value, len(codes)) for value in values], np.int64), list(codes))


def _microseconds(received: str) -> int:
    instant = parse_instant(received)
    return int(instant.timestamp()) * 1_000_000 + instant.microsecond


def _parse_time(day: bytes) -> int:
    try:
        return parse_time(day.decode("ascii"))
    except ValueError as error:
        raise Doubt from error


def _certain(read: Any, text: Any) -> Any:
    try:
        return read(text)
    except RecordRejected as error:
        raise Doubt from error
