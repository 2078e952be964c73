"""The list of restatements. Why real: which rows a filter and a role reach, the indexes of the table decide."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.evidence import Cause
from prism_core.models.restatements import Restatement
from prism_core.tables import RESTATEMENTS
from prism_resources.aws import client
from prism_resources.tables.bulk import batch_write, delete_request, put_request
from prism_resources.tables.codec import encode, encode_key
from tests.integration.api_client import Api

WEEK = Week.parse("2019-W40")
AT = datetime(2019, 10, 8, 9, tzinfo=UTC)


def row(subject: str, measure: str = "tasks_submitted", *, hours: int = 0, **changes: object) -> Restatement:
    values: dict[str, object] = {
        "week": WEEK,
        "table": "throughput",
        "new_generation": 2,
        "subject": subject,
        "measure": measure,
        "old_generation": 1,
        "old": Decimal(3),
        "new": Decimal(4),
        "cause": Cause.LATE_RECORD,
        "causes": (Cause.LATE_RECORD,),
        "restated_at": AT + timedelta(hours=hours),
        "evidence": {"records": {"late_record": 1}},
    }
    return Restatement.model_validate(values | changes)


ROWS = (
    row("*"),
    row("r-p | r-ann | 2019-10-01", member_id="r-ann", project_id="r-p"),
    row("r-p | r-bob | 2019-10-01", member_id="r-bob", project_id="r-p", hours=2, cause=Cause.CORRECTION),
    row(
        "r-q | r-bob | x", "score", table="quality_scores", member_id="r-bob", project_id="r-q", hours=1, old=None
    ),
)


@pytest.fixture(autouse=True)
def _rows(platform: Platform) -> Iterator[None]:
    dynamodb, table = client(platform.settings, "dynamodb"), platform.settings.table_name("restatements")
    batch_write(dynamodb, table, (put_request(encode(RESTATEMENTS, one)) for one in ROWS))
    yield
    keys = (encode_key(RESTATEMENTS.key_of(one)) for one in ROWS)
    batch_write(dynamodb, table, (delete_request(key) for key in keys))


def subjects(**query: Any) -> list[str]:
    answer = Api("[analyst]", "somebody")("GET", "/api/restatements", **query)
    assert answer.status == 200, answer.body
    return [one["subject"] for one in answer.body["items"]]


def test_a_week_s_restatements_say_old_new_cause_and_reason() -> None:
    answer = Api("[lead]", "somebody")("GET", "/api/restatements", week=WEEK.label, sort="restated_at", limit=1)

    (first,) = answer.body["items"]
    shown = {name: first[name] for name in ("table", "measure", "old", "new", "cause", "causes", "evidence")}
    assert shown == {
        "table": "throughput",
        "measure": "tasks_submitted",
        "old": "3.0000",
        "new": "4.0000",
        "cause": "late_record",
        "causes": ["late_record"],
        "evidence": {"records": {"late_record": 1}},
    }
    assert answer.body["next"] is not None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"week": "2019-W40", "member_id": "r-bob"}, ["r-q | r-bob | x", "r-p | r-bob | 2019-10-01"]),
        ({"member_id": "r-bob", "sort": "-restated_at"}, ["r-p | r-bob | 2019-10-01", "r-q | r-bob | x"]),
        ({"project_id": "r-p", "cause": "correction"}, ["r-p | r-bob | 2019-10-01"]),
        ({"week": "2019-W40", "table": "quality_scores"}, ["r-q | r-bob | x"]),
        ({"week": "2019-W40", "measure": "score"}, ["r-q | r-bob | x"]),
        ({"week": "2019-W40", "q": "r-ann"}, ["r-p | r-ann | 2019-10-01"]),
        ({"week_from": "2019-W39", "week_to": "2019-W40", "q": "r-q"}, ["r-q | r-bob | x"]),
        ({"week": "2019-W41"}, []),
    ],
)
def test_filters_find_their_rows(query: dict[str, str], expected: list[str]) -> None:
    assert subjects(**query) == expected


def test_without_a_filter_the_restatements_of_all_weeks_are_listed_the_newest_first_when_asked() -> None:
    listed = subjects(sort="-restated_at", limit=200)

    ours = [subject for subject in listed if subject.startswith("r-")]
    assert ours == ["r-p | r-bob | 2019-10-01", "r-q | r-bob | x", "r-p | r-ann | 2019-10-01"]


def test_an_annotator_reads_none() -> None:
    assert Api("[annotator]", "somebody")("GET", "/api/restatements").status == 403


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_chosen_restatements_come_as_a_file(file_format: str) -> None:
    listed = Api("[analyst]", "somebody")("GET", "/api/restatements", member_id="r-bob").body["items"]
    chosen = [one["key"] for one in listed if one["table"] == "throughput"]
    wish = {"list": "restatements", "format": file_format, "query": {"member_id": "r-bob"}, "keys": chosen}

    answer = Api("[analyst]", "somebody")("POST", "/api/exports", wish)

    assert (answer.status, answer.body.get("rows")) == (200, 1), answer.body
    assert Api("[annotator]", "somebody")("POST", "/api/exports", wish).status == 403
