"""Worker-activity files: gzip, line ends and broken input, each line accepted or rejected, none lost."""

import errno
import gzip
import io
import tracemalloc
from collections import Counter
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.worker_activity.files import Accepted, Rejected, read_records
from prism_core.worker_activity.record import MAX_RECORD_BYTES
from tests.unit.worker_activity_samples import REAL, WEEKS, line_of

ONE = line_of()
TWO = line_of(job_reference_code="2")


class Trickle:
    """A stream that gives a few bytes at a time, as a network stream may."""

    def __init__(self, content: bytes, step: int) -> None:
        self._stream, self._step = io.BytesIO(content), step

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(min(size, self._step) if size >= 0 else self._step)


class Endless:
    """A line of `size` bytes without an end, made as it is read."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        given_now = min(self.left, size)
        self.left -= given_now
        return b"x" * given_now


class Failing:
    """A disk that fails after some bytes."""

    def __init__(self, content: bytes) -> None:
        self._stream = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        if found := self._stream.read(size):
            return found
        raise OSError(errno.EIO, "Input/output error")


def read(content: bytes, step: int = 1 << 20) -> list[Accepted | Rejected]:
    return list(read_records(cast("BinaryIO", Trickle(content, step)), "sent.jsonl", WEEKS))


def accepted(results: list[Accepted | Rejected]) -> list[bytes]:
    return [result.record for result in results if isinstance(result, Accepted)]


def rejected(results: list[Accepted | Rejected]) -> list[tuple[int, str]]:
    return [(result.line, result.reason) for result in results if isinstance(result, Rejected)]


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "content",
    [
        ONE + b"\n" + TWO + b"\n",
        ONE + b"\n" + TWO,
        ONE + b"\r\n" + TWO + b"\r\n",
        b"\xef\xbb\xbf" + ONE + b"\n" + TWO,
        b"\n\n" + ONE + b"\n \t\n\r\n" + TWO + b"\n\n",
    ],
    ids=["unix", "no final line end", "windows", "byte-order mark", "blank lines"],
)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_the_form_of_a_file_does_not_change_its_records(content: bytes, compress: type[bytes], step: int) -> None:
    assert accepted(read(compress(content), step)) == [ONE, TWO]


def test_members_of_a_gzip_file_are_read_one_after_the_other() -> None:
    assert accepted(read(gzip.compress(ONE + b"\n" + TWO[:9]) + b"\0\0" + gzip.compress(TWO[9:]))) == [ONE, TWO]


@pytest.mark.parametrize("content", [b"", gzip.compress(b""), b"\xef\xbb\xbf"], ids=["nothing", "gzip", "mark"])
def test_an_empty_file_is_one_rejection_of_the_file(content: bytes) -> None:
    assert rejected(read(content)) == [(0, "empty file")]


def test_a_file_of_blank_lines_says_so() -> None:
    assert rejected(read(b"\n\r\n")) == [(0, "the file has only blank lines")]


def test_a_bad_line_is_rejected_with_its_number_and_beginning_and_the_others_load() -> None:
    results = read(ONE + b"\n\n" + b"\x1b[31m{" + b"y" * 500 + b"\n" + TWO + b"\n")

    assert accepted(results) == [ONE, TWO]
    (bad,) = [result for result in results if isinstance(result, Rejected)]
    assert (bad.file, bad.line, len(bad.excerpt)) == ("sent.jsonl", 3, 200)
    assert bad.excerpt.startswith("\N{REPLACEMENT CHARACTER}[31m{y")


def test_a_truncated_gzip_loads_what_was_complete_and_says_where_it_ends() -> None:
    lines = [line_of(job_reference_code=str(number * 7919)) for number in range(2000)]
    content = gzip.compress(b"\n".join(lines))

    results = read(content[: len(content) // 2])

    loaded = accepted(results)
    assert 500 < len(loaded) < 1500
    assert loaded == lines[: len(loaded)]
    ((line, reason),) = rejected(results)
    assert line == len(loaded) + 1
    assert "ends too early" in reason


def test_a_gzip_without_its_checksum_is_not_taken_as_complete() -> None:
    results = read(gzip.compress(ONE + b"\n" + TWO + b"\n")[:-8])

    assert accepted(results) == [ONE, TWO]
    assert [line for line, _ in rejected(results)] == [3]


def test_a_damaged_gzip_is_rejected_where_the_damage_is() -> None:
    content = bytearray(gzip.compress(b"\n".join(line_of(job_reference_code=str(n * n)) for n in range(20_000))))
    content[len(content) // 2] ^= 0xFF

    results = read(bytes(content))

    ((line, reason),) = rejected(results[-1:])
    assert line >= len(accepted(results))
    assert "damaged" in reason


def test_a_small_gzip_with_a_wrong_checksum_gives_its_lines_and_says_that_it_is_damaged() -> None:
    content = bytearray(gzip.compress(ONE + b"\n" + TWO + b"\n"))
    content[-5] ^= 0xFF  # the last byte of the checksum; the four after it are the length

    results = read(bytes(content))

    assert accepted(results) == [ONE, TWO]
    ((line, reason),) = rejected(results)
    assert (line, "incorrect data check" in reason) == (3, True)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_disk_that_fails_in_the_middle_leaves_what_was_read_and_says_where(compress: type[bytes]) -> None:
    whole = compress(ONE + b"\n" + TWO + b"\n")

    results = list(read_records(cast("BinaryIO", Failing(whole + whole[:2])), "failing", WEEKS))

    assert accepted(results)[:2] == [ONE, TWO]
    ((line, reason),) = rejected(results)
    assert (line, "Input/output error" in reason) == (3, True)


def test_a_file_of_an_exported_log_group_loads_to_the_same_records_and_ids() -> None:
    plain = read(ONE + b"\n" + TWO + b"\n" + ONE)
    exported = b"2018-08-15T09:37:12.000Z " + ONE + b"\n" + TWO + b"\n2018-08-15T09:37:13Z " + ONE

    assert read(exported) == plain


@pytest.mark.parametrize(
    "before", [b"2018-08-15 ", b"x 2018-08-15T09:37:12.000Z ", b"2018-08-15T09:37:12.000Z x "]
)
def test_anything_else_before_a_record_is_rejected(before: bytes) -> None:
    ((_, reason),) = rejected(read(before + ONE))

    assert "not JSON" in reason or "not a JSON object" in reason


def test_something_else_after_the_gzip_data_is_rejected() -> None:
    results = read(gzip.compress(ONE + b"\n") + b"not gzip")

    assert accepted(results) == [ONE]
    assert "something else" in rejected(results)[0][1]


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_line_that_is_too_long_is_one_rejection_and_the_next_line_loads(compress: type[bytes]) -> None:
    results = read(compress(ONE + b"\n" + b"z" * (3 * MAX_RECORD_BYTES) + b"\n" + TWO))

    assert accepted(results) == [ONE, TWO]
    ((line, reason),) = rejected(results)
    assert (line, "longer than" in reason) == (2, True)


def test_a_line_of_the_greatest_length_with_a_windows_end_is_accepted() -> None:
    longest = ONE + b" " * (MAX_RECORD_BYTES - len(ONE))

    assert accepted(read(longest + b"\r\n" + TWO, step=1)) == [longest, TWO]


def test_a_line_without_end_is_read_in_bounded_memory() -> None:
    tracemalloc.start()

    results = list(read_records(cast("BinaryIO", Endless(200_000_000)), "endless", WEEKS))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [line for line, _ in rejected(results)] == [1]
    assert peak < 4 * 1024 * 1024


def test_equal_lines_of_a_file_are_different_records_and_the_file_has_the_same_ids_each_time() -> None:
    content = b"\n".join([ONE, TWO, ONE, ONE])

    ids = [result.id for result in read(content) if isinstance(result, Accepted)]

    assert [identity.rpartition("-")[2] for identity in ids] == ["1", "1", "2", "3"]
    assert len(set(ids)) == 4
    assert ids == [result.id for result in read(gzip.compress(content)) if isinstance(result, Accepted)]


@given(st.lists(st.binary(max_size=40)), st.integers(1, 50), st.booleans())
def test_every_line_that_is_not_blank_is_accepted_or_rejected_exactly_once(
    lines: list[bytes],
    step: int,
    compressed: bool,  # noqa: FBT001
) -> None:
    content = ONE + b"\n" + b"\n".join(lines)

    results = read(gzip.compress(content) if compressed else content, step)

    expected = [number for number, line in enumerate(content.split(b"\n"), start=1) if line.strip()]
    assert [result.line for result in results] == expected


def test_the_real_files_load_completely() -> None:
    weeks: Counter[str] = Counter()
    for path in sorted(REAL.glob("*.jsonl.gz")):
        with path.open("rb") as stream:
            weeks.update(
                result.checked.week.label if isinstance(result, Accepted) else result.reason
                for result in read_records(stream, path.name, WEEKS)
            )

    assert weeks == {"2018-W33": 1000, "2018-W34": 2000, "2018-W35": 976, "2018-W36": 840}
