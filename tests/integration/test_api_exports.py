"""Exports: any list as a file. Why real: the link is signed by one party and honoured by another."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import openpyxl
import pytest

from infra.local.platform import Platform
from prism_core.lake import AUDIT_EXPORTS
from prism_resources.lake import Lake
from tests.integration.api_client import Answer, Api, known

ADMIN, LEAD = Api("[admin]", "x-admin"), Api("[lead]", "x-lead")
ANN, BOB = Api("[annotator]", "x-sub-ann"), Api("[annotator]", "x-sub-bob")
WEEK = "2027-W20"


@pytest.fixture(scope="module", autouse=True)
def _world(platform: Platform) -> None:
    assert platform.owned
    known(projects=["x-p", "x-later"])
    for name in ("ann", "bob"):
        fields = {
            "member_id": f"x-{name}", "name": f"=cmd|{name}", "email": f"{name}@example.com", "time_zone": "UTC",
            "hours": {"mon": 8, "tue": 8}, "cognito_sub": f"x-sub-{name}",
        }  # fmt: skip
        assert ADMIN("POST", "/api/members", fields).status == 201
        planned = {"member_id": f"x-{name}", "week": WEEK, "project_id": "x-p", "hours": {"2027-05-17": 4}}
        assert ADMIN("POST", "/api/allocations", planned).status == 201
        off = {"member_id": f"x-{name}", "date": "2027-05-18", "hours_off": 4, "reason": f"secret of {name}"}
        assert ADMIN("POST", "/api/availability", off).status == 201


def exported(api: Api, name: str, file_format: str = "csv", **query: Any) -> Answer:
    return api("POST", "/api/exports", {"list": name, "format": file_format, "query": query})


def fetched(answer: Answer) -> bytes:
    assert answer.status == 200, answer.body
    got = httpx.get(answer.body["url"], timeout=60)
    assert got.status_code == 200
    assert len(got.content) == answer.body["bytes"]
    assert answer.body["file_name"] in got.headers["content-disposition"]
    return got.content


def rows(answer: Answer) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(fetched(answer).decode("utf-8-sig"), newline=""))]


def test_a_list_comes_as_csv_in_its_own_order() -> None:
    answer = exported(LEAD, "allocations", week=WEEK, sort="-member_id")

    assert [row["Member ID"] for row in rows(answer)] == ["x-bob", "x-ann"]
    assert answer.body["rows"] == 2


def test_who_was_given_which_rows_is_kept_and_what_was_searched_for_is_not(platform: Platform) -> None:
    answer = exported(LEAD, "members", q="cmd|ann", status="active")

    lake = Lake(platform.settings)
    noted = [json.loads(lake.get(key) or b"") for key in lake.keys(AUDIT_EXPORTS)]
    mine = next(one for one in noted if one["sha256"] == hashlib.sha256(fetched(answer)).hexdigest())
    assert (mine["actor"], mine["sub"], mine["roles"]) == ("user:x-lead", "x-lead", ["lead"])
    assert (mine["list"], mine["query"], mine["searched"], mine["rows"]) == (
        "members", {"status": "active"}, True, 1
    )  # fmt: skip
    assert "cmd" not in json.dumps(noted)


def test_rows_that_were_chosen_by_their_keys_are_those_of_the_file() -> None:
    listed = LEAD("GET", "/api/allocations", week=WEEK).body["items"]
    chosen = [row["key"] for row in listed if row["member_id"] == "x-bob"]
    wish = {"list": "allocations", "format": "csv", "query": {"week": WEEK}, "keys": [*chosen, "no-such"]}

    answer = LEAD("POST", "/api/exports", wish)

    assert [row["Member ID"] for row in rows(answer)] == ["x-bob"]


def test_a_list_comes_as_a_workbook_that_can_be_loaded_back() -> None:
    data = fetched(exported(LEAD, "allocations", "xlsx", week=[WEEK], member_id=["x-ann", "x-bob"]))

    sheet = openpyxl.load_workbook(io.BytesIO(data))["Allocations"]
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == ["x-ann", "x-bob"]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_text_that_looks_like_a_formula_is_no_formula_in_a_file(file_format: str) -> None:
    data = fetched(exported(ADMIN, "members", file_format, member_id=["x-ann"]))

    if file_format == "csv":
        assert "'=cmd|ann" in data.decode("utf-8-sig")
    else:
        cell = next(c for c in openpyxl.load_workbook(io.BytesIO(data)).active["B"] if "cmd" in str(c.value))  # type: ignore[index,union-attr]
        assert (cell.value, cell.data_type) == ("=cmd|ann", "s")


def test_a_file_shows_an_annotator_what_the_list_shows() -> None:
    for name in ("allocations", "members", "availability"):
        query = {} if name == "members" else {"week": WEEK, "member_id": ["x-ann", "x-bob"]}
        assert [row["Member ID"] for row in rows(exported(ANN, name, **query))] == ["x-ann"]

    assert exported(ANN, "requests").status == 403
    assert exported(ANN, "recipients").status == 403


def test_the_reason_for_time_off_is_in_the_files_of_those_who_may_read_it() -> None:
    of = {who: fetched(exported(api, "availability", week=WEEK)).decode() for who, api in WHO.items()}

    assert [who for who, text in of.items() if "secret of ann" in text] == ["admin", "ann"]
    assert "secret of bob" not in of["ann"] + of["lead"]


WHO = {"admin": ADMIN, "lead": LEAD, "ann": ANN}


def test_a_list_as_of_an_earlier_instant_comes_as_a_file() -> None:
    instant = datetime.now(UTC)
    later = {"member_id": "x-ann", "week": WEEK, "project_id": "x-later", "hours": {"2027-05-17": 1}}
    assert ADMIN("POST", "/api/allocations", later).status == 201

    answer = exported(LEAD, "allocations", week=WEEK, as_of=f"{instant:%Y-%m-%dT%H:%M:%S.%fZ}", sort="member_id")

    assert [row["Project ID"] for row in rows(answer)] == ["x-p", "x-p"]


def test_throughput_comes_as_a_file() -> None:
    answer = exported(LEAD, "throughput", week="2018-W33", resolved="true", sort="-tasks_submitted")

    assert fetched(answer).decode("utf-8-sig").startswith("Week,Project ID,Member ID,Tasks submitted")


@pytest.mark.parametrize(
    ("name", "query", "path"),
    [
        ("nothing", {}, "body.list"),
        ("allocations", {"colour": "red"}, "body.query.colour"),
        ("allocations", {"week": "last"}, "body.query.week.0"),
        ("allocations", {"sort": "hours; drop"}, "body.query.sort"),
        ("allocations", {"sort": ["week", "-week"]}, "body.query.sort"),
        ("allocations", {"as_of": "yesterday"}, "body.query.as_of"),
        ("allocations", {"limit": "5"}, "body.query.limit"),
        ("throughput", {"resolved": "perhaps"}, "body.query.resolved"),
    ],
)
def test_what_the_list_refuses_is_refused_with_its_place(name: str, query: dict[str, Any], path: str) -> None:
    answer = exported(LEAD, name, **query)

    assert answer.status == 422, answer.body
    assert answer.body["errors"][0]["path"].startswith(path)
