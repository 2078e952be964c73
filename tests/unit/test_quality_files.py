"""Files of reviews: every row is a review or rejected with what is wrong, whatever the file."""

import gzip
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week, WeekRange
from prism_core.quality_files import ReviewRow, read_reviews
from prism_core.worker_activity.files import Rejected

WEEKS = WeekRange.parse("2018-W33..2018-W36")
HEAD = "job,week,worker_id,cognito_sub_id,judgments,accuracy\n"


def read(text: str | bytes) -> list[ReviewRow | Rejected]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_reviews(io.BufferedReader(io.BytesIO(data)), "f.csv", WEEKS))  # type: ignore[type-var]


def reviews(text: str | bytes) -> list[ReviewRow]:
    found = read(text)
    assert [one for one in found if isinstance(one, Rejected)] == []
    return [one for one in found if isinstance(one, ReviewRow)]


def reason(text: str | bytes) -> str:
    (found,) = [one for one in read(text) if isinstance(one, Rejected)]
    return found.reason


def test_a_row_of_a_worker_and_a_job_is_a_review_of_whole_pieces() -> None:
    (row,) = reviews(HEAD + "birds-1,2018-W34,0123,sub-1,7,0.857143\n")

    assert (row.worker, row.job, row.week, row.reviewed, row.correct) == (
        "sub-1", "birds-1", Week.parse("2018-W34"), 7, 6,
    )  # fmt: skip
    assert (row.member_id, row.project_id, row.severity, row.line) == (None, None, None, 2)


def test_a_row_of_a_member_and_a_project_with_everything_is_read() -> None:
    head = "Member,Project ID,reviewed,correct,severity,reviewer,reviewed_at,review_id,category,notes,other\n"
    (row,) = reviews(head + 'ann,birds,10,9,HIGH,lead,2018-08-15T10:00:00Z,q-1,raw-1,"one, two",x\n')

    assert (row.member_id, row.project_id, row.review_id, row.category) == ("ann", "birds", "q-1", "raw-1")
    assert (row.severity, row.notes, row.week) == ("high", "one, two", Week.parse("2018-W33"))


def test_the_identity_is_of_the_work_and_not_of_what_was_found() -> None:
    one, other, again = reviews(HEAD + "b,2018-W33,w,s,10,0.9\nb,2018-W34,w,s,10,0.9\nb,2018-W33,w,s,20,0.5\n")

    assert one.review_id == again.review_id != other.review_id


def test_gzip_a_byte_order_mark_windows_lines_and_blank_lines_are_read() -> None:
    text = ("\ufeff" + HEAD + "\nb,2018-W33,w,s,10,0.9\n\n").replace("\n", "\r\n").encode()

    assert len(reviews(text)) == len(reviews(gzip.compress(text))) == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("b,2018-W33,w,s,7,0.9", "accuracy 0.9 of 7 is 6.3, not a whole number of pieces"),
        ("b,2018-W33,w,s,7,1.2", "accuracy is 1.2, not a share of 0 to 1"),
        ("b,2018-W33,w,s,7,NaN", "accuracy is NaN, not a share"),
        ("b,2018-W33,w,s,7,", "the row has no correct and no accuracy"),
        ("b,2018-W33,w,s,0,1", "reviewed must be at least 1"),
        ("b,2018-W33,w,s,-1,1", "reviewed is '-1', not a whole number"),
        ("b,2018-W40,w,s,7,1", "2018-W40 lies outside 2018-W33..2018-W36"),
        ("b,week 33,w,s,7,1", "'week 33' is not a week"),
        ("b,,w,s,7,1", "the row has neither a week nor a reviewed_at"),
        (",2018-W33,w,s,7,1", "the row names no project and no labelling job"),
        ("b,2018-W33,,,7,1", "the row names no member and no worker"),
    ],
)
def test_a_row_that_is_no_review_is_rejected_with_what_is_wrong(row: str, said: str) -> None:
    assert said in reason(f"{HEAD}{row}\nb,2018-W33,w,s,10,0.9\n")


def test_a_file_without_its_columns_is_rejected_with_their_names_and_an_empty_one_too() -> None:
    assert reason("job,week\nb,2018-W33\n") == (
        "the first line names the columns; it has none for member_id/member or "
        "cognito_sub_id/cognito_sub/sub/worker_id/worker; reviewed/judgments/judgements; correct or accuracy"
    )
    assert reason("") == "empty file"


def test_a_line_that_is_not_utf8_is_rejected_alone_and_a_torn_gzip_from_there_on() -> None:
    good = b"b,2018-W33,w,s,10,0.9\n"
    torn = gzip.compress(HEAD.encode() + b"".join(b"b-%d,2018-W33,w,s,10,0.9\n" % n for n in range(5000)))[:-400]

    assert reason(HEAD.encode() + b"b\xff,2018-W33,w,s,10,0.9\n" + good) == "the line is not UTF-8"
    assert "cannot be read further" in reason(torn)


@given(st.integers(1, 400), st.data())
def test_an_accuracy_of_six_places_gives_back_the_pieces(reviewed: int, data: st.DataObject) -> None:
    correct = data.draw(st.integers(0, reviewed))
    accuracy = (Decimal(correct) / reviewed).quantize(Decimal("0.000001"))

    (row,) = reviews(f"{HEAD}b,2018-W33,w,s,{reviewed},{accuracy}\n")

    assert (row.reviewed, row.correct) == (reviewed, correct)


@given(st.binary(max_size=300))
def test_any_bytes_are_answered_row_by_row_and_never_raise(data: bytes) -> None:
    assert read(HEAD.encode() + data) is not None
    assert read(data)
