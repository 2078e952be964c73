"""Throughput rows: equal to an obvious reference for any input, the same in any order, and nothing lost."""

import itertools
import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.models.work import ThroughputDay, ThroughputWeek
from prism_core.tables import THROUGHPUT
from prism_core.worker_activity import columns
from prism_core.worker_activity.fields import Doubt, by_shape
from prism_core.worker_activity.files import Accepted, read_records
from prism_core.worker_activity.record import MAX_NAME_BYTES, encode_landed
from prism_core.worker_activity.throughput import ThroughputRow, WeekThroughput, week_throughput
from tests.unit.throughput_reference import reference_rows
from tests.unit.worker_activity_samples import REAL, RECEIVED, RECORD, WEEKS, landed_line, line_of

WEEK = Week.parse("2018-W33")
FORM = "%a %b %d %H:%M:%S UTC %Y"
POOL = RECORD["cognito_user_pool_id"]
SUB = RECORD["cognito_sub_id"]
JOB = "person-video-binary-choice"


def nobody(_: str, __: date) -> None:
    return None


def throughput(*chunks: bytes, week: Week = WEEK, **more: Any) -> WeekThroughput:
    return week_throughput(
        week, chunks, more.pop("resolve_member", nobody), more.pop("resolve_project", nobody), **more
    )


def only_row(result: WeekThroughput) -> ThroughputRow:
    (row,) = result.rows
    return row


# --- the property: equal to the reference ---


def _time(second: int) -> str:
    return f"{datetime(2018, 8, 13, tzinfo=UTC) + timedelta(seconds=second):{FORM}}"


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """Mostly good records, with collisions in every key; now and then something is missing, wrong or unknown."""
    accepted = draw(st.integers(0, 7 * 86_400 - 1))
    outcome = accepted + draw(st.sampled_from([0, 1, 2, 3, 60, 86_400]))
    event_type = draw(
        st.sampled_from(["TasksSubmitted"] * 4 + ["TasksReturned", "TasksDeclined", "TasksAccepted"])
    )
    record: dict[str, Any] = {
        "worker_id": draw(st.sampled_from(["w1", "w2"])),
        "cognito_user_pool_id": "pool",
        "cognito_sub_id": draw(st.sampled_from(["a", "b", "ü", "d"])),
        "task_accepted_time": _time(accepted),
        "task_submitted_time": "",
        "task_returned_time": "",
        "labeling_job_arn": draw(st.sampled_from(["arn:x:labeling-job/one", "arn:x:labeling-job/two", "three"])),
        "event_type": event_type,
        "event_timestamp": str(1_534_118_400 + accepted),
    }
    if event_type != "TasksAccepted":
        record[f"task_{event_type.removeprefix('Tasks').lower()}_time"] = _time(outcome)
    record.update(draw(st.one_of(st.just({}), st.just({}), CHANGES)))
    record = {name: value for name, value in record.items() if value is not ...}
    return json.dumps(record, ensure_ascii=draw(st.booleans())).encode()


CHANGES = st.sampled_from(
    [
        {"cognito_sub_id": ""},
        {"cognito_sub_id": None, "worker_id": "only-id"},
        {"cognito_user_pool_id": ..., "worker_id": ...},
        {"event_type": "TasksSkipped"},
        {"event_type": "TasksSkipped", "task_accepted_time": "soon"},
        {"event_type": ""},
        {"task_accepted_time": "Wed Aug 15 25:00:00 UTC 2018"},
        {"task_accepted_time": "Sun Aug 19 23:59:59 UTC 2019"},
        {"task_accepted_time": None},
        {"event_timestamp": "1534118399"},
        {"event_timestamp": "0001534118400"},
        {"event_timestamp": "0x5b70d080"},
        {"event_timestamp": 1_534_118_400},
        {"labeling_job_arn": "arn:x:labeling-job/"},
        {"labeling_job_arn": "arn:x:labeling-job/job\nname"},
        {"cognito_sub_id": "a\u0007b"},
        {"note": [1, {"deep": "NaN"}]},
        {"note": float("nan")},
        {"note": -float("inf")},
        {"job_type": 5},
    ]
)

lines = st.one_of(
    st.builds(
        lambda number, received, record, ingested: encode_landed(str(number), received, record, ingested),
        st.integers(0, 12),
        st.sampled_from([RECEIVED, RECEIVED + timedelta(microseconds=1), RECEIVED - timedelta(days=1)]),
        records(),
        st.sampled_from([None, None, 1_534_325_803_000, 1_534_325_999_999, 0, 7, -1, 10**17]),
    ),
    st.sampled_from(
        [b"\n", b" \r\n", b"{}\n", b"[]\n", b"{\n", b"}\n", b'{"id":"1"}{"id":"2"}\n', b'{"id":\n', b'"\xff"\n']
    ),
)


def member_of(worker: str, day: date) -> str | None:
    return {"pool#a": "ann", "pool#b": "ann", "pool#ü": "uwe" if day.isoweekday() < 4 else None}.get(worker)


def project_of(job: str, _: date) -> str | None:
    return {"one": "p1", "three": "p1"}.get(job)


@settings(max_examples=150, deadline=None)
@given(st.lists(lines, max_size=25), st.randoms(use_true_random=False), st.integers(1, 4000))
def test_any_lines_in_any_order_and_any_split_give_the_rows_of_the_reference(
    landed: list[bytes], shuffle: random.Random, cut: int
) -> None:
    active = {(sub, 1_534_118_400 + at, 1_534_118_400 + at + 1): 501 for sub in "ab" for at in range(0, 600, 7)}
    rows, unique, duplicates, invalid = reference_rows(
        WEEK, [line[:-1] for line in landed if line.strip()], member_of, project_of, active
    )
    shuffle.shuffle(landed)
    content = b"".join(landed)
    chunks = [content[at : at + cut] for at in range(0, len(content), cut)]

    result = week_throughput(WEEK, chunks, member_of, project_of, active)

    assert result.rows == rows
    assert (result.counts.records, result.counts.duplicates) == (unique, duplicates)
    assert result.counts.invalid_lines == len(result.invalid) == invalid
    assert result.conserved


@settings(max_examples=150, deadline=None)
@given(st.lists(lines, min_size=1, max_size=6))
def test_a_block_read_at_once_says_exactly_what_its_lines_say(landed: list[bytes]) -> None:
    block = b"".join(landed)

    careful = columns.read_line_by_line(WEEK, block)
    either = columns._read_block(WEEK, block)

    assert either.ids.to_pylist() == careful.ids.to_pylist()
    assert (either.invalid, either.lines, either.line_ends) == (careful.invalid, careful.lines, careful.line_ends)
    for name in ("event_s", "accepted_s", "outcome_s", "received_us"):
        assert getattr(either, name).tolist() == getattr(careful, name).tolist()
    for name in ("event_types", "workers", "jobs"):
        assert _decoded(getattr(either, name)) == _decoded(getattr(careful, name))


def _decoded(encoded: columns.Encoded) -> list[str]:
    return [encoded.values[code] for code in encoded.codes]


def test_good_lines_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the property above would compare the careful reading with itself."""
    monkeypatch.delattr(columns, "read_line_by_line")
    kinds = [
        {},
        {"event_type": "TasksSkipped", "task_accepted_time": ""},
        {"event_type": "TasksAccepted", "task_submitted_time": ""},
        {"cognito_sub_id": ""},
        {"cognito_sub_id": None},
        {"added": [1, None, "NaN-free"], "note": "ü"},
    ]

    result = throughput(b"".join(landed_line(str(number), **change) for number, change in enumerate(kinds)))

    assert result.counts.records == len(kinds)


def of_the_log(number: int, ingested: int | str) -> bytes:
    line = encode_landed(str(number), RECEIVED, line_of(job_reference_code=str(number % 10)), 1_534_325_803_000)
    return line.replace(b"1534325803000}", f"{ingested}}}".encode())


def test_lines_of_the_log_are_read_by_their_shape_although_each_has_another_arrival() -> None:
    block = b"".join(of_the_log(number, 1_534_325_803_000 + number * 7) for number in range(1000, 1050))

    fields = by_shape(block)

    assert fields.ids.to_pylist() == [str(number) for number in range(1000, 1050)]
    assert fields.record["event_type"].to_pylist() == ["TasksSubmitted"] * 50


@pytest.mark.parametrize(
    "odd",
    [
        of_the_log(2, "153432580300"),
        of_the_log(2, "0534325803000"),
        of_the_log(2, "-534325803000"),
        of_the_log(2, "1534325803.00"),
        of_the_log(2, "15343258030e0"),
        of_the_log(2, " 534325803000"),
        of_the_log(2, "1534325803000").replace(b'"ingested":', b'"ingested",'),
        of_the_log(2, "1534325803000").replace(b'"ingested":', b'"ingester":'),
        of_the_log(2, "1534325803000")[:-2] + b"]\n",
        of_the_log(2, "1534325803000")[:-2] + b",\n",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_line_of_the_log_with_another_end_is_looked_at_more_carefully(odd: bytes, place: int) -> None:
    block = [of_the_log(number, 1_534_325_803_000) for number in (1, 3)]
    block.insert(place, odd)

    with pytest.raises(Doubt):
        by_shape(b"".join(block))


# --- single rules ---


def test_a_row_has_wall_time_mean_median_and_rate() -> None:
    durations = (10, 11, 60)
    start = datetime(2018, 8, 15, 9, tzinfo=UTC)
    content = b"".join(
        landed_line(
            str(seconds),
            task_accepted_time=f"{start:{FORM}}",
            task_submitted_time=f"{start + timedelta(seconds=seconds):{FORM}}",
        )
        for seconds in durations
    )

    row = only_row(throughput(content))

    assert (row.tasks_submitted, row.wall_seconds, row.active_seconds) == (3, 81, None)
    assert (row.median_handle_seconds, row.mean_handle_seconds) == (Decimal("11.00"), Decimal("27.00"))
    assert row.tasks_per_hour == Decimal("133.33")


def test_a_task_without_wall_time_has_no_rate() -> None:
    row = only_row(throughput(landed_line("1", task_submitted_time=RECORD["task_accepted_time"])))

    assert (row.wall_seconds, row.tasks_per_hour, row.median_handle_seconds) == (0, None, Decimal("0.00"))


def test_an_unresolved_worker_and_job_are_counted_under_their_own_names() -> None:
    result = throughput(landed_line("1"))

    row = only_row(result)
    assert (row.member_id, row.worker_resolved) == (f"worker:{POOL}#{SUB}", False)
    assert (row.project_id, row.project_resolved) == (f"job:{JOB}", False)
    assert result.counts.unresolved_by_worker == {f"{POOL}#{SUB}": 1}
    assert result.counts.unresolved_by_job == {JOB: 1}


def test_two_workers_of_one_member_make_one_row_with_the_median_of_all_their_tasks() -> None:
    content = landed_line("1") + landed_line(
        "2", cognito_sub_id="other", task_submitted_time="Wed Aug 15 09:36:44 UTC 2018"
    )

    row = only_row(throughput(content, resolve_member=lambda *_: "ann"))

    assert (row.member_id, row.tasks_submitted, row.median_handle_seconds) == ("ann", 2, Decimal("15.00"))


def test_the_resolution_is_that_of_the_day() -> None:
    content = landed_line("1") + landed_line("2", event_timestamp="1534464000")

    result = throughput(content, resolve_member=lambda _, day: "ann" if day == date(2018, 8, 15) else None)

    assert [(row.day.day, row.worker_resolved) for row in result.rows] == [(15, True), (17, False)]


def test_active_time_is_the_sum_of_what_is_known_and_says_for_how_many_tasks() -> None:
    accepted, submitted = 1_534_325_803, 1_534_325_832
    content = landed_line("1") + landed_line("2", task_submitted_time="Wed Aug 15 09:37:13 UTC 2018")

    row = only_row(throughput(content, active={(SUB, accepted, submitted): 20_500}))

    assert (row.tasks_submitted, row.active_seconds, row.active_tasks) == (2, 21, 1)


def test_a_record_read_twice_counts_once_and_only_its_first_arrival_decides_whether_it_is_late() -> None:
    published = RECEIVED + timedelta(hours=1)
    content = (
        landed_line("1", RECEIVED + timedelta(hours=2))
        + landed_line("1", RECEIVED)
        + landed_line("2", RECEIVED + timedelta(hours=2))
        + landed_line("3", published)
    )

    counts = throughput(content, published_at=published).counts

    assert (counts.records, counts.duplicates, counts.late) == (3, 1, 1)


def test_counts_name_event_types_days_and_the_first_and_last_event() -> None:
    content = landed_line("1") + landed_line("2", event_type="TasksSkipped", event_timestamp="1534464000")

    result = throughput(content)

    assert result.counts.by_event_type == {"TasksSkipped": 1, "TasksSubmitted": 1}
    assert result.counts.by_day == {WEEK.monday + timedelta(days=day): int(day in (2, 4)) for day in range(7)}
    assert result.counts.first_event == datetime(2018, 8, 15, 9, 37, 12, tzinfo=UTC)
    assert result.counts.last_event == datetime(2018, 8, 17, tzinfo=UTC)
    assert sum(row.tasks_other for row in result.rows) == 1


def test_an_invalid_landed_line_is_counted_and_quoted_with_its_number_over_all_objects() -> None:
    first = b"\n" + landed_line("1") + b'{"id":"2"\n'
    second = landed_line("3") + b"\n" + landed_line("4", event_timestamp="1534723200")

    result = throughput(first, second)

    assert [(line.line, line.reason) for line in result.invalid] == [
        (3, "the line is not JSON: Input data was truncated"),
        (6, "event_timestamp lies in 2018-W34, outside 2018-W33"),
    ]
    assert (result.counts.lines, result.counts.records) == (4, 2)
    assert result.conserved


def test_the_longest_names_fit_the_keys_of_the_table_and_a_longer_one_that_has_landed_is_an_invalid_line() -> None:
    longest = "é" * (MAX_NAME_BYTES // 2)
    arn = f"arn:aws:sagemaker:eu-central-1:0:labeling-job/{longest}"
    fits = landed_line("1", cognito_sub_id=None, worker_id=longest, labeling_job_arn=arn)
    longer = landed_line("2", cognito_sub_id=None, worker_id=longest + "w")

    result = throughput(fits, longer)

    row = only_row(result)
    item = ThroughputWeek(
        project_id=row.project_id, week=WEEK, member_id=row.member_id, days=(ThroughputDay(day=row.day),),
        worker_resolved=False, project_resolved=False, generation=999_999,
    )  # fmt: skip
    keys = {**THROUGHPUT.key_of(item), **THROUGHPUT.derived_of(item)}
    assert max(len(key.encode()) for key in keys.values()) <= 1024
    assert [line.line for line in result.invalid] == [2]
    assert result.conserved


def test_line_numbers_hold_over_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "BLOCK_BYTES", 2000)
    content = b"".join(b"?\n" if number % 10 == 0 else landed_line(str(number)) for number in range(1, 101))

    result = throughput(content)

    assert [line.line for line in result.invalid] == list(range(10, 101, 10))
    assert result.counts.records == 90


@pytest.mark.parametrize("cut", [1000, 100_000, 10_000_000])
def test_a_line_without_end_is_one_invalid_line_in_bounded_memory(
    monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    monkeypatch.setattr(columns, "BLOCK_BYTES", 50_000)
    content = landed_line("1") + b"x" * 3_000_000 + b"\n" + landed_line("2")
    chunks = [content[at : at + cut] for at in range(0, len(content), cut)]

    result = throughput(*chunks)

    assert max(map(len, columns._blocks(chunks))) < columns.MAX_LANDED_LINE_BYTES + 200_000
    assert [(line.line, "longer than" in line.reason) for line in result.invalid] == [(2, True)]
    assert result.counts.records == 2


def test_a_week_without_records_has_no_rows_and_is_conserved() -> None:
    result = throughput()

    assert (result.rows, result.counts.records, result.counts.first_event) == ([], 0, None)
    assert result.conserved


@pytest.mark.parametrize(
    ("week", "submitted"), [("2018-W33", 1000), ("2018-W34", 2000), ("2018-W35", 976), ("2018-W36", 840)]
)
def test_the_real_files_give_the_known_figures(week: str, submitted: int) -> None:
    result = throughput(*landed_weeks()[week], week=Week.parse(week))

    assert sum(row.tasks_submitted for row in result.rows) == submitted
    assert (result.counts.records, result.counts.duplicates, result.counts.invalid_lines) == (submitted, 0, 0)
    assert result.conserved


def landed_weeks() -> dict[str, list[bytes]]:
    by_week: dict[str, list[bytes]] = {}
    for accepted in _real_records():
        line = encode_landed(accepted.id, RECEIVED, accepted.record)
        by_week.setdefault(accepted.checked.week.label, []).append(line)
    return by_week


def _real_records() -> Iterator[Accepted]:
    for path in sorted(REAL.glob("*.jsonl.gz")):
        with path.open("rb") as stream:
            for result in read_records(stream, path.name, WEEKS):
                assert isinstance(result, Accepted)
                yield result


def test_files_read_twice_land_as_duplicates_only() -> None:
    twice = list(itertools.chain.from_iterable([landed_weeks()["2018-W35"]] * 2))

    counts = throughput(*twice, week=Week.parse("2018-W35")).counts

    assert (counts.records, counts.duplicates) == (976, 976)


def test_a_landed_object_may_come_as_bytearray_or_memoryview() -> None:
    content = landed_line("1") + landed_line("2", note="x" * 10)

    result = week_throughput(WEEK, [bytearray(content[:99]), memoryview(content)[99:]], nobody, nobody)

    assert result.counts.records == 2


def test_line_of_is_a_valid_record() -> None:
    assert throughput(encode_landed("1", RECEIVED, line_of())).conserved
