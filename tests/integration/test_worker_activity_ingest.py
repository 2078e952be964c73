"""Files into the lake. Why real: what counts is which objects S3 holds after good, bad and repeated loads."""

import gzip
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week, WeekRange
from prism_core.settings import ActivitySource
from prism_core.worker_activity.files import Rejected
from prism_resources.lake import Lake
from prism_resources.worker_activity.ingest import FileCounts, FileIngest
from prism_resources.worker_activity.landing import Landing
from tests.integration.helpers import record, seconds, write_lines

RECEIVED = datetime(2021, 1, 1, tzinfo=UTC)
WEEKS = WeekRange.parse("2019-W01..2020-W53")


@pytest.fixture
def landing(platform: Platform) -> Landing:
    return Landing(Lake(platform.settings))


def load(landing: Landing, *paths: Path) -> tuple[list[FileCounts], list[Rejected]]:
    ingest, rejected = FileIngest(landing, WEEKS, RECEIVED), list[Rejected]()
    return [ingest.load(path, rejected.append, lambda _: None) for path in paths], rejected


def test_loading_the_same_file_twice_lands_nothing_new(landing: Landing, tmp_path: Path) -> None:
    at = seconds("2019-01-08T10:00:00+00:00")
    path = write_lines(tmp_path / "a.jsonl", [record(at + i) for i in range(20)])

    first, _ = load(landing, path)
    objects = landing.keys(Week.parse("2019-W02"))
    second, rejected = load(landing, path)

    assert (first[0].loaded, second[0].loaded, second[0].duplicate) == (20, 0, 20)
    assert landing.keys(Week.parse("2019-W02")) == objects
    assert not rejected


def test_equal_lines_of_one_file_are_different_tasks_and_equal_files_are_not(
    landing: Landing, tmp_path: Path
) -> None:
    same = record(seconds("2019-01-15T10:00:00+00:00"))
    once = write_lines(tmp_path / "once.jsonl", [same, same, same])
    again = write_lines(tmp_path / "again.jsonl", [same, same, same, same])

    load(landing, once)
    load(landing, again)

    assert len(landing.ids(Week.parse("2019-W03"))) == 4


def test_landed_records_hold_the_sent_bytes_untouched(landing: Landing, tmp_path: Path) -> None:
    sent = (
        b'{ "event_timestamp":"1548064800",  "extra": {"b":1,"a":"\\u00e9"}, '
        + json.dumps(record(1548064800)).encode()[1:]
    )
    path = write_lines(tmp_path / "odd.jsonl", [sent])

    load(landing, path)

    (content,) = landing.contents(Week.of(datetime.fromtimestamp(1548064800, UTC)))
    assert content.rstrip(b"\n").endswith(b'"record":' + sent + b"}")


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("not-json", b"{not json}", "not JSON"),
        ("list", b"[1]", "not a JSON object"),
        ("no-times", json.dumps(record(1548669600, task_submitted_time="")).encode(), "needs task_submitted_time"),
        ("backwards", json.dumps(record(1548669600, handle=-5)).encode(), "lies before"),
        ("other-week", json.dumps(record(seconds("2018-12-30T23:59:59+00:00"))).encode(), "outside"),
        ("huge", b'{"a":"' + b"x" * 1_000_000 + b'"}', "longer than"),
        ("latin-1", b'{"a":"\xe9"}', "not UTF-8"),
        ("nan", b'{"a":NaN}', "not JSON"),
    ],
)
def test_a_bad_line_is_rejected_with_its_place_and_reason_and_the_rest_loads(
    landing: Landing, tmp_path: Path, name: str, body: bytes, reason: str
) -> None:
    at = seconds("2019-01-28T10:00:00+00:00")
    good = [record(at, sub=f"{name}-{i}") for i in range(2)]
    path = write_lines(tmp_path / f"{name}.jsonl", [good[0], body, good[1]])

    (counts,), rejected = load(landing, path)

    assert (counts.read, counts.loaded, counts.rejected) == (3, 2, 1)
    assert (rejected[0].file, rejected[0].line) == (str(path), 2)
    assert reason in rejected[0].reason


def test_a_truncated_gzip_loads_what_is_whole_and_names_the_line_where_it_ends(
    landing: Landing, tmp_path: Path
) -> None:
    at = seconds("2019-02-05T10:00:00+00:00")
    lines = b"".join(json.dumps(record(at + i, sub=f"s-{i * 7919}")).encode() + b"\n" for i in range(2_000))
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(lines)[:-2_000])

    (counts,), rejected = load(landing, path)

    assert 0 < counts.loaded < 2_000
    assert len(rejected) == 1
    assert rejected[0].line == counts.loaded + 1
    assert len(landing.ids(Week.parse("2019-W06"))) == counts.loaded


def test_an_empty_file_and_a_missing_file_are_rejected_as_a_whole(landing: Landing, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"")

    _, rejected = load(landing, tmp_path / "empty.jsonl", tmp_path / "missing.jsonl")

    assert [(item.line, item.reason) for item in rejected] == [
        (0, "empty file"),
        (0, "the file cannot be read: No such file or directory"),
    ]


def test_the_same_content_named_twice_in_one_call_is_rejected_the_second_time(
    landing: Landing, tmp_path: Path
) -> None:
    at = seconds("2019-02-12T10:00:00+00:00")
    one = write_lines(tmp_path / "one.jsonl", [record(at)])
    two = write_lines(tmp_path / "two.jsonl", [record(at)])

    counts, rejected = load(landing, one, two)

    assert [item.loaded for item in counts] == [1, 0]
    assert str(one) in rejected[0].reason


def test_a_week_fed_from_the_log_refuses_its_lines_and_the_other_weeks_load(
    landing: Landing, tmp_path: Path
) -> None:
    foreign, own, after = Week.parse("2019-W10"), Week.parse("2019-W12"), Week.parse("2019-W13")
    landing.claim(foreign, ActivitySource.LOG)
    lines = [record(seconds(f"{week.monday}T10:00:00+00:00")) for week in (own, foreign, own)]
    mixed = write_lines(tmp_path / "mixed.jsonl", [*lines])
    later = write_lines(tmp_path / "later.jsonl", [record(seconds(f"{after.monday}T10:00:00+00:00"))])

    counts, rejected = load(landing, mixed, later)

    assert [(item.loaded, item.rejected) for item in counts] == [(2, 1), (1, 0)]
    assert counts[0].weeks == {own}
    (refused,) = rejected
    assert (refused.file, refused.line) == (str(mixed), 2)
    assert "2019-W10 is fed from log already" in refused.reason
    assert "--start-over 2019-W10" in refused.reason
    assert landing.keys(foreign) == []
    assert len(landing.ids(own)) == 2


def test_the_log_that_comes_first_while_a_file_is_read_keeps_its_week(landing: Landing, tmp_path: Path) -> None:
    week, at = Week.parse("2019-W14"), seconds("2019-04-02T10:00:00+00:00")
    # Progress is called once a chunk of the file, so the padding brings a call before the end.
    path = write_lines(tmp_path / "raced.jsonl", [record(at), record(at + 1), *[b"x" * 300_000] * 4])
    ingest, rejected = FileIngest(landing, WEEKS, RECEIVED), list[Rejected]()

    counts = ingest.load(path, rejected.append, lambda _: landing.claim(week, ActivitySource.LOG))

    assert (counts.read, counts.loaded, counts.rejected, counts.weeks) == (6, 0, 6, set())
    assert [item.line for item in rejected if "fed from log" in item.reason] == [1, 2]
    assert landing.keys(week) == []


def test_a_load_that_lands_nothing_binds_no_week(landing: Landing, tmp_path: Path) -> None:
    week, at = Week.parse("2019-W15"), seconds("2019-04-09T10:00:00+00:00")
    path = write_lines(tmp_path / "padded.jsonl", [record(at), *[b"x" * 300_000] * 4])
    ingest = FileIngest(landing, WEEKS, RECEIVED)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest.load(path, lambda _: None, interrupt)

    assert landing.source(week) is None


def test_a_pipe_loads_like_a_file(landing: Landing, tmp_path: Path) -> None:
    at, pipe = seconds("2019-04-16T10:00:00+00:00"), tmp_path / "pipe"
    os.mkfifo(pipe)
    body = gzip.compress(b"".join(json.dumps(record(at + i)).encode() + b"\n" for i in range(3)))
    with ThreadPoolExecutor(1) as writer:
        writing = writer.submit(pipe.write_bytes, body)

        (counts,), rejected = load(landing, pipe)

        writing.result()
    assert (counts.loaded, rejected) == (3, [])


def test_a_file_whose_disk_fails_is_a_rejection_and_the_next_one_loads(landing: Landing, tmp_path: Path) -> None:
    good = write_lines(tmp_path / "good.jsonl", [record(seconds("2019-04-23T10:00:00+00:00"))])

    # The kernel answers a read of address 0 of our own memory with an input/output error.
    counts, rejected = load(landing, Path("/proc/self/mem"), good)

    assert [item.loaded for item in counts] == [0, 1]
    assert [(item.line, "Input/output error" in item.reason) for item in rejected] == [(1, True)]


def test_file_names_that_no_file_can_have_and_that_are_no_text_are_named_readably(
    landing: Landing, tmp_path: Path
) -> None:
    at = seconds("2019-04-30T10:00:00+00:00")
    odd = write_lines(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jsonl")), [record(at), b"broken"])

    counts, rejected = load(landing, tmp_path / ("n" * 300), odd)

    assert [item.loaded for item in counts] == [0, 1]
    assert "File name too long" in rejected[0].reason
    assert rejected[1].file.endswith("caf\\xe9.jsonl")
    assert rejected[1].file.encode()


def test_a_load_that_was_cut_short_is_completed_by_loading_again(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prism_resources.worker_activity.intake.BATCH_RECORDS", 10)
    at = seconds("2019-03-12T10:00:00+00:00")
    path = write_lines(tmp_path / "long.jsonl", [record(at + i) for i in range(35)])
    ingest, week = FileIngest(landing, WEEKS, RECEIVED), Week.parse("2019-W11")
    # Progress is called once a chunk of the file, so the padding brings a call in the middle of the load.
    padded = write_lines(tmp_path / "padded.jsonl", [*[record(at + i) for i in range(35)], *[b"x" * 300_000] * 4])

    def interrupt(_: int) -> None:
        if len(landing.keys(week)) >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest.load(padded, lambda _: None, interrupt)
    assert 0 < len(landing.ids(week)) < 35

    load(landing, path)

    assert len(landing.ids(week)) == 35
