"""Worker-activity files, as people send them, read line by line.

Belongs here: from a binary stream to records and rejections: gzip, line ends, byte-order marks, broken and
endless input, in bounded memory: one line, and about 90 bytes a record to count equal ones.
Does not belong here: what makes a record acceptable (record.py) and where the bytes come from.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import msgspec

from prism_core.calendar import WeekRange
from prism_core.worker_activity.record import MAX_RECORD_BYTES, CheckedRecord, RecordRejected, check_line

CHUNK_BYTES = 131_072
EXCERPT_CHARACTERS = 200
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_GZIP_MAGIC = b"\x1f\x8b"
# zlib's number for a gzip header with the largest window. Inflating takes 1.0 of 10.9 µs a line; isal would take
# 0.1, which is not worth a dependency here.
_GZIP_FORMAT = 31
# A log group that was exported to S3 has the event's instant before each message: `2018-08-15T09:37:12.000Z {…}`.
_EXPORTED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z[ \t]+(?=\{)")
_BRACE = ord("{")
_EXCERPT_BYTES = EXCERPT_CHARACTERS * 4  # a character of UTF-8 has at most four bytes


class Accepted(msgspec.Struct, frozen=True):
    """A record of a file. `record` is its line, untouched (of an exported log, without the instant before it);
    `line` counts from 1."""

    file: str
    line: int
    id: str
    record: bytes
    checked: CheckedRecord


class Rejected(msgspec.Struct, frozen=True):
    """A line that was not loaded and why. Line 0 is the file as a whole."""

    file: str
    line: int
    reason: str
    excerpt: str


class _Broken(Exception):
    """The compressed stream cannot be read further."""


class _Overlong(msgspec.Struct, frozen=True):
    """The beginning of a line that is too long to be kept."""

    beginning: bytes


def read_records(stream: BinaryIO, name: str, weeks: WeekRange) -> Iterator[Accepted | Rejected]:
    """Every line of a plain or gzip-compressed file of JSON Lines or of a CloudWatch export, accepted or rejected,
    in order.

    Blank lines are skipped but counted. A file that ends early, is damaged or cannot be read to its end yields
    what could be read and then one rejection. The id is the digest of the canonical record and its occurrence
    number in this file, so that the same file loads to the same ids every time.
    """
    number = 0
    seen_any = False
    occurrences = _Occurrences()
    lines = _split_lines(_decompressed(stream))
    while True:
        try:
            line = next(lines, None)
        except _Broken as error:
            yield Rejected(name, number + 1, str(error), "")
            return
        except OSError as error:  # a disk or a network drive that fails in the middle
            reason = f"the file cannot be read further: {error.strerror or error}; the lines before were read"
            yield Rejected(name, number + 1, reason, "")
            return
        if line is None:
            break
        number += 1
        if isinstance(line, _Overlong):
            reason = f"the line is longer than {MAX_RECORD_BYTES:,} bytes, the most a log record can have"
            yield Rejected(name, number, reason, excerpt_of(line.beginning))
        elif line.strip():
            yield _judge(line, name, number, weeks, occurrences)
        else:
            continue
        seen_any = True
    if not seen_any:
        yield Rejected(name, 0, "empty file" if number == 0 else "the file has only blank lines", "")


def excerpt_of(line: bytes) -> str:
    """The beginning of a line, safe to print: at most 200 characters, none of them a control character."""
    text = line[:_EXCERPT_BYTES].decode("utf-8", "replace")[:EXCERPT_CHARACTERS]
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _judge(
    line: bytes, name: str, number: int, weeks: WeekRange, occurrences: "_Occurrences"
) -> Accepted | Rejected:
    if line[0] != _BRACE and (instant := _EXPORTED.match(line)):
        line = line[instant.end() :]
    try:
        checked = check_line(line, weeks)
    except RecordRejected as rejection:
        return Rejected(name, number, rejection.reason, excerpt_of(line))
    occurrence = occurrences.next(checked.digest)
    return Accepted(name, number, f"{checked.digest}-{occurrence}", line, checked)


class _Occurrences:
    """Counts equal records of a file. Most occur once, so only the repeated ones pay for a counter."""

    def __init__(self) -> None:
        self._once: set[bytes] = set()
        self._more: dict[bytes, int] = {}

    def next(self, digest: str) -> int:
        key = bytes.fromhex(digest)
        if key not in self._once:
            self._once.add(key)
            return 1
        self._more[key] = self._more.get(key, 1) + 1
        return self._more[key]


def _split_lines(chunks: Iterator[bytes]) -> Iterator[bytes | _Overlong]:
    """Lines without their ends. Where the chunks end in a failure, the unfinished line before it is not given."""
    pending = b""
    overlong: _Overlong | None = None
    for chunk in chunks:
        *complete, rest = chunk.split(b"\n")
        if complete:
            yield overlong or _finish(pending + complete[0])
            pending, overlong = b"", None
            yield from map(_finish, complete[1:])
        if overlong is None:
            pending += rest
            if len(pending) > MAX_RECORD_BYTES + 1:  # + 1 for the carriage return that may still end it
                pending, overlong = b"", _Overlong(pending[:_EXCERPT_BYTES])
    if overlong is not None or pending:
        yield overlong or _finish(pending)


def _finish(line: bytes) -> bytes | _Overlong:
    line = line.removesuffix(b"\r")
    return line if len(line) <= MAX_RECORD_BYTES else _Overlong(line[:_EXCERPT_BYTES])


def _decompressed(stream: BinaryIO) -> Iterator[bytes]:
    """The text of the file in chunks of bounded size, without its byte-order mark."""
    head = _read_head(stream, len(_GZIP_MAGIC))
    chunks = _inflate(stream, head) if head == _GZIP_MAGIC else _plain(stream, head)
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) >= len(BYTE_ORDER_MARK):
            yield start.removeprefix(BYTE_ORDER_MARK)
            yield from chunks
            return
    yield start.removeprefix(BYTE_ORDER_MARK)


def _read_head(stream: BinaryIO, size: int) -> bytes:
    head = b""
    while len(head) < size and (more := stream.read(size - len(head))):
        head += more
    return head


def _plain(stream: BinaryIO, head: bytes) -> Iterator[bytes]:
    chunk = head
    while chunk:
        yield chunk
        chunk = stream.read(CHUNK_BYTES)


def _inflate(stream: BinaryIO, head: bytes) -> Iterator[bytes]:
    """Members of a gzip file, one after the other, never more than CHUNK_BYTES of text at a time.

    Raises _Broken when the file is damaged, ends early, or goes on with something else.
    """
    pending = head
    while pending:
        member = zlib.decompressobj(_GZIP_FORMAT)
        while not member.eof:
            pending = pending or stream.read(CHUNK_BYTES)
            if not pending:
                raise _Broken("the gzip file ends too early; the lines before were read, send the file again")
            before = member.copy()
            try:
                text = member.decompress(pending, CHUNK_BYTES)
            except zlib.error as error:
                yield from _until_damage(before.decompress, pending)
                raise _Broken(
                    f"the gzip data is damaged from here on ({error}); the lines before were read"
                ) from error
            pending = member.unconsumed_tail
            if text:
                yield text
        pending = _after_member(stream, member.unused_data)


def _until_damage(inflate: Callable[[bytes], bytes], pending: bytes) -> Iterator[bytes]:
    """What can be inflated before the damage. zlib gives nothing of a call that fails, and a small file whose
    checksum is wrong is one call; so the bytes go in one by one, until the one that fails."""
    text = bytearray()
    for at in range(len(pending)):
        try:
            text += inflate(pending[at : at + 1])
        except zlib.error:
            break
        if len(text) >= CHUNK_BYTES:
            yield bytes(text)
            text.clear()
    yield bytes(text)


def _after_member(stream: BinaryIO, pending: bytes) -> bytes:
    """The beginning of the next member, or nothing. Zeros between members are padding (gzip's own rule)."""
    pending = pending.lstrip(b"\0")
    while len(pending) < len(_GZIP_MAGIC) and (more := stream.read(CHUNK_BYTES)):
        pending = (pending + more).lstrip(b"\0")
    if pending and not pending.startswith(_GZIP_MAGIC):
        raise _Broken("after its gzip data the file goes on with something else; the lines before were read")
    return pending
