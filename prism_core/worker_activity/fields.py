"""A block of landed lines to text columns, without judging what the texts mean.

Belongs here: the two fast readers. `by_shape` is for lines that differ in their values only, which is what one
producer writes: 1.1 µs a line. `by_arrow` takes any JSON: 2.7 µs; a typed msgspec decode takes 3.2 µs.
Both give up (Doubt) on anything that record.py could read differently. Does not belong here: rules (columns.py).
"""

import itertools
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.json as pj

from prism_core.worker_activity.record import MAX_RECORD_BYTES, ActivityRecord, RecordRejected, decode_landed

MAX_LANDED_LINE_BYTES = MAX_RECORD_BYTES + 4096  # the record, its id, and two instants

Integers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Array = Any  # pyarrow's stubs type most arrays as partly unknown

_RECORD_FIELDS = ActivityRecord.__struct_fields__
_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("received", pa.string()),
        ("record", pa.struct([(field, pa.string()) for field in _RECORD_FIELDS])),
        ("ingested", pa.int64()),
    ]
)
_PARSE = pj.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="ignore")
_BEFORE_A_NUMBER = np.frombuffer(b" :,[-\t", np.uint8)
_MAX_DIGITS = 18  # always within 64 bits
_QUOTE, _LINE_END, _SPACE = ord('"'), ord("\n"), ord(" ")


class Doubt(Exception):
    """The block holds something that must be looked at more carefully."""


class Fields(NamedTuple):
    """The texts of a block as Arrow string columns; a field that a record does not have is null."""

    lines: int
    ids: Array
    received: Array
    record: dict[str, Array]


def by_shape(block: bytes) -> Fields:
    """Read lines that are equal but for the texts between their quotes, and the number that the log puts behind.

    The first line is read as JSON. When every other line has the same bytes between its texts, and its texts
    hold neither quotes, backslashes nor control characters, then it is the same JSON with other texts. The last
    number (`"ingested":1534325803000`) may be another one of as many digits.
    """
    text = np.frombuffer(block, np.uint8)
    names = _shape_of_first(block)
    flags = text == _QUOTE
    quotes = np.flatnonzero(flags)
    control_characters = np.count_nonzero(np.less(text, _SPACE, out=flags))  # out: no new pages to touch
    lines, rest = divmod(len(quotes), 2 * len(names))
    if rest or control_characters != lines or text[-1] != _LINE_END or b"\\" in block:
        raise Doubt
    _require_utf8(block)
    columns = np.ascontiguousarray(quotes.reshape(lines, -1).T)
    if np.diff(columns[0], append=len(text)).max() > MAX_LANDED_LINE_BYTES:
        raise Doubt
    texts = [number for number, name in enumerate(names) if name is not None]
    for before, after in itertools.pairwise(texts):
        _require_equal_bytes(text, columns[2 * before + 1], columns[2 * after])
    first, last = columns[2 * texts[0]], columns[2 * texts[-1] + 1]
    if texts[-1] != len(names) - 1:  # after the last text stands one key more, of the number
        _require_equal_bytes(text, last, columns[-1] + 2)  # with its quote and colon
        last = _end_of_number(text, columns[-1] + 2)
    _require_equal_bytes(text, last[:-1], first[1:])
    # the two ends of the block: the first line begins it, and the last line ends like the first
    if block[int(last[-1]) :] != block[int(last[0]) : block.index(b"\n") + 1]:
        raise Doubt
    source, even = pa.py_buffer(block), int64_array(np.arange(0, 2 * lines, 2, dtype=np.int64))
    found = {
        names[number]: _texts_between(source, columns[2 * number] + 1, columns[2 * number + 1], even)
        for number in texts
        if names[number] in _WANTED
    }
    absent: Array = pa.nulls(lines, pa.string())
    record = {field: found.get(f"record.{field}", absent) for field in _RECORD_FIELDS}
    return Fields(lines, found["id"], found["received"], record)


def by_arrow(block: bytes) -> Fields:
    """Read any JSON, as long as every line is one object."""
    lines = _one_object_a_line(block)
    reader: Any = pj.read_json  # the stubs leave out that it reads Arrow buffers
    options = pj.ReadOptions(use_threads=False, block_size=len(block) + 1)
    try:
        table = reader(pa.BufferReader(pa.py_buffer(block)), read_options=options, parse_options=_PARSE)
    except pa.ArrowInvalid as error:
        raise Doubt from error
    record = _whole(table.column("record"))
    if table.num_rows != lines or record.null_count:
        raise Doubt
    fields = {field: record.field(field) for field in _RECORD_FIELDS}
    return Fields(lines, _whole(table.column("id")), _whole(table.column("received")), fields)


_WANTED = frozenset(["id", "received", *(f"record.{field}" for field in _RECORD_FIELDS)])


def _shape_of_first(block: bytes) -> list[str | None]:
    """What each quoted text of the first line is: the name of a value, or None for a key."""
    line = block[: block.find(b"\n")]
    try:
        landed = decode_landed(line)
        record: dict[str, Any] = msgspec.json.decode(landed.record, type=dict[str, Any])
    except (RecordRejected, msgspec.DecodeError) as error:
        raise Doubt from error
    names: list[str | None] = [None, "id", None, "received", None]
    texts: list[Any] = ["id", landed.id, "received", landed.received, "record"]
    for key, value in record.items():
        names += [None, f"record.{key}"]
        texts += [key, value]
    if landed.ingested is not None:
        names.append(None)
        texts.append("ingested")
    # any other number, a nested value, a key that occurs twice or another order makes the two lists differ
    if [part.decode() for part in line.split(b'"')[1::2]] != texts:
        raise Doubt
    return names


def _end_of_number(text: Bytes, starts: Integers) -> Integers:
    """Where the whole numbers at `starts` end: all of the same length and without a sign, and then the line."""
    length = int(np.argmax(text[int(starts[0]) :] == _LINE_END)) - 1  # a brace stands between
    if not 1 <= length <= _MAX_DIGITS or int(starts[-1]) + length > len(text):
        raise Doubt
    digits = cut_out(text, starts, length)
    if np.any(digits < ord("0")) or np.any(digits > ord("9")) or (length > 1 and np.any(digits[:, 0] == ord("0"))):
        raise Doubt
    return starts + length


def _require_equal_bytes(text: Bytes, starts: Integers, ends: Integers) -> None:
    """The bytes from each start up to its end are the same as those of the first."""
    if len(starts) == 0:
        return
    length = int(ends[0] - starts[0])
    if np.any(ends - starts != length):
        raise Doubt
    found = cut_out(text, starts, length)
    if np.any(found != found[0]):
        raise Doubt


def cut_out(text: Bytes, starts: Integers, length: int) -> Bytes:
    """`length` bytes from each start, one row each: items that overlap, so numpy copies each in one go."""
    items = np.ndarray((len(text) - length + 1,), np.dtype((np.void, length)), text.data, strides=(1,))
    return items[starts].view(np.uint8).reshape(len(starts), length)


def _texts_between(source: pa.Buffer, starts: Integers, ends: Integers, even: Array) -> Array:
    """The texts of a column, cut out of the block: an Arrow array of texts and of what lies between them, of
    which every second entry is taken."""
    offsets = np.empty(2 * len(starts), np.int32)
    offsets[0::2], offsets[1::2] = starts, ends
    strings: Any = pa.StringArray
    return strings.from_buffers(len(offsets) - 1, pa.py_buffer(offsets.tobytes()), source).take(even)


def int64_array(numbers: Integers) -> Array:
    """Not by `pa.array`, which first imports pandas if it is installed (1.2 s)."""
    array: Any = pa.Int64Array
    return array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers.tobytes())])


def _one_object_a_line(block: bytes) -> int:
    """The number of lines. Arrow reads objects, not lines, so the two must be shown to be the same.

    Between two lines stands `}`, line end, `{`: this occurs inside no JSON value, so every line holds at least
    one object, and as many objects as lines means one each.
    """
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text == _LINE_END)
    if len(ends) == 0 or ends[-1] != len(text) - 1 or text[0] != ord("{"):
        raise Doubt
    if np.any(text[ends - 1] != ord("}")) or np.any(text[ends[:-1] + 1] != ord("{")):
        raise Doubt
    if np.diff(ends, prepend=-1).max() > MAX_LANDED_LINE_BYTES or _may_hold_nan(text):
        raise Doubt
    _require_utf8(block)
    return len(ends)


def _may_hold_nan(text: Bytes) -> bool:
    """Whether NaN or Infinity may stand in a field that is not counted: Arrow takes them for numbers."""
    for first, second in ((b"N", b"a"), (b"I", b"n")):
        at = np.flatnonzero(text[:-1] == ord(first))
        before = text[np.maximum(at - 1, 0)]
        if np.any((text[at + 1] == ord(second)) & np.isin(before, _BEFORE_A_NUMBER)):
            return True
    return False


def _require_utf8(block: bytes) -> None:
    if block.isascii():
        return
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Doubt from error


def _whole(column: Array) -> Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
