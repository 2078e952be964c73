"""One record of worker activity: what is accepted, what is rejected and why, identity, the landed line."""

import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week, WeekRange
from prism_core.worker_activity.record import (
    MAX_RECORD_BYTES,
    RecordRejected,
    check_line,
    decode_landed,
    encode_landed,
    parse_time,
)
from tests.unit.worker_activity_samples import EVENT_S, RECEIVED, RECORD, WEEKS, line_of


def rejection(line: bytes, weeks: WeekRange = WEEKS) -> str:
    with pytest.raises(RecordRejected) as caught:
        check_line(line, weeks)
    return caught.value.reason


def test_a_real_record_gives_its_week_worker_job_and_times() -> None:
    checked = check_line(line_of(), WEEKS)

    assert checked.week == Week.parse("2018-W33")
    assert checked.activity.worker_key == "us-east-1_PrismPool#61103a8c-eef7-5502-ab94-92e36f5f01cb"
    assert checked.activity.job_name == "person-video-binary-choice"
    assert checked.activity.event_s == EVENT_S
    assert checked.activity.outcome_s - checked.activity.accepted_s == 29


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (line_of() + line_of(), "not JSON"),
        (line_of()[:-1] + b', "note": NaN}', "not JSON"),
        (line_of()[:-1] + b', "note": "\xff"}', "not UTF-8"),
        (line_of()[:-1] + b', "no\xfe": 1}', "not UTF-8"),
        (line_of()[:-1] + b', "note": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b" " * MAX_RECORD_BYTES + b"{", "longer than 262,144 bytes"),
        (line_of(event_timestamp=None), "no event_timestamp"),
        (line_of(event_timestamp=""), "no event_timestamp"),
        (line_of(event_timestamp="yesterday"), "not a number of epoch seconds"),
        (line_of(event_timestamp="-5"), "not a number of epoch seconds"),
        (line_of(event_timestamp="1534325832.5"), "not a number of epoch seconds"),
        (line_of(event_timestamp="\N{ARABIC-INDIC DIGIT ONE}534325832"), "not a number of epoch seconds"),
        (line_of(event_timestamp="1534325832000"), "milliseconds"),
        (line_of(event_timestamp=EVENT_S), "event_timestamp has the wrong type"),
        (line_of(event_type=None), "no event_type"),
        (line_of(worker_id=None, cognito_sub_id=None), "names no worker"),
        (line_of(worker_id="", cognito_user_pool_id=""), "names no worker"),
        (line_of(labeling_job_arn=None), "names no labeling job"),
        (line_of(labeling_job_arn="arn:aws:sagemaker:us-east-1:123456789012:labeling-job/"), "no labeling job"),
        (line_of(task_accepted_time=""), "needs task_accepted_time"),
        (line_of(task_submitted_time=""), "needs task_submitted_time"),
        (line_of(task_submitted_time=None), "needs task_submitted_time"),
        (line_of(event_type="TasksReturned"), "needs task_returned_time"),
        (line_of(event_type="TasksDeclined"), "needs task_declined_time"),
        (line_of(event_type="TasksAccepted", task_accepted_time=None), "needs task_accepted_time"),
        (line_of(task_submitted_time="2018-08-15T09:37:12Z"), "is not a time such as"),
        (line_of(task_submitted_time="Wed Aug 15 09:36:42 UTC 2018"), "lies before task_accepted_time"),
        (
            line_of(cognito_sub_id=None, worker_id="w" * 700),
            "name of the worker has 700 bytes, more than the 500",
        ),
        (line_of(cognito_sub_id=None, worker_id="a\u0007b"), "the name of the worker holds a control character"),
        (line_of(cognito_sub_id="a\tb"), "the name of the worker holds a control character"),
        (
            line_of(labeling_job_arn="labeling-job/job\nname"),
            "the name of the labeling job holds a control character",
        ),
        (line_of(labeling_job_arn="labeling-job/" + "é" * 251), "the name of the labeling job has 502 bytes"),
        (line_of(event_timestamp="1533513600"), "2018-W32, outside 2018-W33..2018-W36"),
    ],
)
def test_an_unusable_line_is_rejected_with_its_reason(line: bytes, words: str) -> None:
    assert words in rejection(line)


def test_a_line_of_exactly_the_greatest_length_is_accepted() -> None:
    line = line_of()

    assert check_line(line + b" " * (MAX_RECORD_BYTES - len(line)), WEEKS).week == Week.parse("2018-W33")


def test_an_unknown_event_type_is_kept_without_looking_at_its_times() -> None:
    line = line_of(event_type="TasksSkipped", task_accepted_time="", task_submitted_time="soon")

    assert check_line(line, WEEKS).activity.event_type == "TasksSkipped"


def test_an_accepted_task_needs_no_other_time() -> None:
    assert check_line(line_of(event_type="TasksAccepted", task_submitted_time=""), WEEKS).activity.outcome_s > 0


def test_a_worker_without_cognito_is_known_by_the_worker_id() -> None:
    assert check_line(line_of(cognito_sub_id=""), WEEKS).activity.worker_key == "e96287c9aabb4daa"


@pytest.mark.parametrize(
    ("event_s", "week"), [(1_534_118_399, "2018-W32"), (1_534_118_400, "2018-W33"), (1_534_723_199, "2018-W33")]
)
def test_a_week_begins_on_monday_at_midnight_utc(event_s: int, week: str) -> None:
    line = line_of(event_timestamp=str(event_s))

    assert check_line(line, WeekRange.parse("2018-W30..2018-W40")).week == Week.parse(week)


def test_the_digest_ignores_key_order_and_spaces_but_no_value_not_even_of_an_unknown_field() -> None:
    turned = json.dumps(dict(reversed(RECORD.items())), separators=(",", ":")).encode()

    assert check_line(turned, WEEKS).digest == check_line(line_of(), WEEKS).digest
    assert check_line(line_of(job_type="Public"), WEEKS).digest != check_line(line_of(), WEEKS).digest
    assert check_line(line_of(added_in_2031="x"), WEEKS).digest != check_line(line_of(), WEEKS).digest


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 1),  # noqa: DTZ001
        max_value=datetime(2400, 12, 31),  # noqa: DTZ001
        timezones=st.just(UTC),
    )
)
def test_every_second_is_read_as_written_in_every_season(instant: datetime) -> None:
    text = f"{instant:%a %b %d %H:%M:%S UTC %Y}"

    assert parse_time(text) == int(instant.replace(microsecond=0).timestamp())


@pytest.mark.parametrize(
    "text",
    [
        "Fri Feb 29 12:00:00 UTC 2019",
        "Sat Feb 30 12:00:00 UTC 2019",
        "Sat Jun 00 12:00:00 UTC 2019",
        "Sat Jun 31 12:00:00 UTC 2019",
        "Wed Aug 14 24:00:00 UTC 2019",
        "Wed Aug 14 16:60:00 UTC 2019",
        "Wed Aug 14 16:00:60 UTC 2019",
        "Wed Aug 14 16:00:5x UTC 2019",
        "Wed Aug 14 16-00-59 UTC 2019",
        "Wed Aug 14 16:00:59 CET 2019",
        "Wed Aug 14 16:00:59 UTC 0000",
        "Wed Aug  4 16:00:59 UTC 2019",
        "Wed Agu 14 16:00:59 UTC 2019",
        "Mit Aug 14 16:00:59 UTC 2019",
        "Wed Aug 14 16:00:59 UTC 2019 ",
        "",
    ],
)
def test_a_time_of_another_form_or_that_never_was_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        parse_time(text)


def test_a_wrong_weekday_name_does_not_lose_the_record() -> None:
    assert parse_time("Mon Aug 14 16:00:59 UTC 2019") == parse_time("Wed Aug 14 16:00:59 UTC 2019")


def test_a_landed_line_carries_the_bytes_of_the_record_untouched() -> None:
    record = line_of(added="1.50", note="é  ").replace(b'": ', b'"  :')

    line = encode_landed('a"b', RECEIVED.astimezone(timezone(timedelta(hours=2))), record, 1_536_559_200_123)

    assert line == b'{"id":"a\\"b","received":"2018-09-10T06:00:00+00:00","record":%b,"ingested":%d}\n' % (
        record,
        1_536_559_200_123,
    )
    landed = decode_landed(line)
    assert (landed.id, landed.received_at, landed.ingested) == ('a"b', RECEIVED, 1_536_559_200_123)
    assert bytes(landed.record) == record


def test_a_pretty_printed_log_message_lands_on_one_line_with_the_same_meaning() -> None:
    line = encode_landed("1", RECEIVED, json.dumps(RECORD, indent=2).replace("\n", "\r\n").encode())

    assert line.count(b"\n") == 1
    assert msgspec.json.decode(decode_landed(line).record) == RECORD


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"id":"1","received":"2018-09-10T06:00:00+00:00"}', "record"),
        (b'{"id":"","received":"2018-09-10T06:00:00+00:00","record":{}}', "empty id"),
        (b'{"id":"1","received":"2018-09-10T06:00:00","record":{}}', "no time zone"),
        (b'{"id":"1","received":"today","record":{}}', "not an instant"),
        (b'{"id":1,"received":"2018-09-10T06:00:00Z","record":{}}', "id has the wrong type"),
        (b'{"id":"1","rec', "not JSON"),
        (b'{"id":"\xff"}', "not UTF-8"),
    ],
)
def test_a_damaged_landed_line_says_what_is_wrong(line: bytes, words: str) -> None:
    with pytest.raises(RecordRejected, match=words):
        decode_landed(line)


def test_a_landed_line_refuses_an_instant_without_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        encode_landed("1", datetime(2018, 9, 10), line_of())  # noqa: DTZ001
