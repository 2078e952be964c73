"""Uploads and imports: a workbook through the API. Why real: a dry run is worth what the write then does."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import httpx
import openpyxl
import pytest

from infra.local.platform import Platform
from tests.integration.api_client import Answer, Api

ADMIN, LEAD, OTHER = Api("[admin]", "i-admin"), Api("[lead]", "i-lead"), Api("[lead]", "i-other")
WEEK = "2027-W30"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module", autouse=True)
def _world(platform: Platform) -> None:
    assert platform.owned
    for name in ("ann", "bob"):
        fields = {
            "member_id": f"i-{name}", "name": name, "email": f"{name}@example.com", "time_zone": "UTC",
            "hours": {"mon": 8},
        }  # fmt: skip
        assert ADMIN("POST", "/api/members", fields).status == 201
    for project in ("i-p", "i-q"):
        fields = {"project_id": project, "name": project, "category": "c", "demand_hours": 8}
        assert ADMIN("POST", "/api/projects", fields).status == 201


def book(sheets: dict[str, Sequence[Sequence[Any]]]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append([*row])
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def messy() -> bytes:
    """Good rows, duplicates, a formula, an unknown member, and a sheet of no table."""
    made = openpyxl.load_workbook(
        io.BytesIO(
            book(
                {
                    "Allocations": [
                        ["Plan of the team"],
                        ["Member ", "Project", "Week", "Mon", "Tue"],
                        [" i-ann ", "i-p", WEEK, 4, "2,5"],
                        ["i-bob", "i-p", "26.07.2027", 8, None],
                        ["i-bob", "i-q", WEEK, "=1+1", None],
                        ["i-ann", "i-q", WEEK, 1, None],
                        ["i-ann", "i-q", WEEK, 2, None],
                        ["i-nobody", "i-p", WEEK, 1, None],
                    ],
                    "Allocatoins 2": [["Member"], ["i-ann"]],
                }
            )
        )
    )
    made["Allocations"].merge_cells("A1:E1")
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def imported(api: Api, data: bytes, **fields: Any) -> Answer:
    return api("POST", "/api/imports", {"content": base64.b64encode(data).decode(), **fields})


def uploaded(api: Api, data: bytes, name: str = "plan.xlsx") -> str:
    answer = api("POST", "/api/uploads", {"file_name": name, "bytes": len(data)})
    assert answer.status == 201, answer.body
    put = httpx.put(answer.body["url"], content=data, headers=answer.body["headers"], timeout=60)
    assert put.status_code == 200, put.text
    return str(answer.body["upload_id"])


def test_a_messy_workbook_loads_its_good_rows_as_its_dry_run_said_and_comes_back_marked() -> None:
    data = messy()

    dry = imported(LEAD, data, dry_run=True)
    before = LEAD("GET", "/api/allocations", week=WEEK).body["items"]
    done = imported(LEAD, data, reason="the plan of July")
    again = imported(LEAD, data)

    assert (dry.status, before) == (200, []), dry.body
    assert {**dry.body, "dry_run": False, "marked": None} == {**done.body, "marked": None}
    counts = {"read": 6, "new": 2, "changed": 0, "unchanged": 0, "conflict": 0, "rejected": 4}
    assert done.body["counts"] == counts
    assert again.body["counts"] == counts | {"new": 0, "unchanged": 2}
    assert done.body["sheets"][1]["problem"]
    assert [row["outcome"] for row in done.body["rows"]] == ["rejected"] * 4 + ["new"] * 2
    stored = LEAD("GET", "/api/allocations", week=WEEK).body["items"]
    assert {one["member_id"]: sum(float(hours) for hours in one["hours"].values()) for one in stored} == {
        "i-ann": 6.5,
        "i-bob": 8.0,
    }
    log = LEAD("GET", f"/api/history/allocations/{stored[0]['key']}").body["items"][0]
    assert (log["actor"], log["reason"]) == ("user:i-lead", "the plan of July")
    marked = openpyxl.load_workbook(io.BytesIO(httpx.get(done.body["marked"], timeout=60).content))
    assert "formula" in str([*marked["Allocations"].iter_rows(values_only=True)][4])


def test_an_uploaded_workbook_is_loaded_and_is_nobody_elses() -> None:
    data = book({"Allocations": [["Member", "Project", "Week", "Mon"], ["i-ann", "i-p", "2027-W31", 3]]})
    upload_id = uploaded(LEAD, data)

    foreign = OTHER("POST", "/api/imports", {"upload_id": upload_id})
    mine = LEAD("POST", "/api/imports", {"upload_id": upload_id})

    assert (foreign.status, foreign.body["errors"][0]["path"]) == (422, "body.upload_id")
    assert (mine.status, mine.body["counts"]["new"], mine.body["marked"]) == (200, 1, None)


def test_a_link_takes_only_the_size_and_type_that_it_was_made_for() -> None:
    answer = LEAD("POST", "/api/uploads", {"file_name": "plan.xlsx", "bytes": 10})
    url = answer.body["url"]

    larger = httpx.put(url, content=b"x" * 11, headers={"content-type": XLSX}, timeout=60)
    other = httpx.put(url, content=b"x" * 10, headers={"content-type": "text/html"}, timeout=60)
    fitting = httpx.put(url, content=b"x" * 10, headers={"content-type": XLSX}, timeout=60)

    assert answer.body["headers"] == {"content-type": XLSX, "content-length": "10"}
    assert "content-length%3Bcontent-type" in url  # signed
    assert (larger.status_code, other.status_code, fitting.status_code) == (403, 403, 200)


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"file_name": "plan.exe", "bytes": 10}, 422, "body.file_name"),
        ({"file_name": "../plan.xlsx", "bytes": 10}, 422, "body.file_name"),
        ({"file_name": "plan.xlsx", "bytes": 0}, 422, "body.bytes"),
        ({"file_name": "plan.xlsx", "bytes": 17 * 1024 * 1024}, 413, "bytes"),
    ],
)
def test_an_upload_of_another_kind_or_too_large_is_refused(fields: dict[str, Any], status: int, says: str) -> None:
    answer = LEAD("POST", "/api/uploads", fields)

    assert (answer.status, says in answer.body["detail"]) == (status, True), answer.body


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"content": base64.b64encode(b"no workbook").decode()}, "workbook"),
        ({"content": "AAAAA"}, "base64"),
        ({"upload_id": "u-01ke00000000000000000000aa"}, "uploaded"),
        ({}, "content or upload_id"),
        ({"content": base64.b64encode(book({"A": [["x"]]})).decode(), "mapping": "[tables"}, "TOML"),
    ],
)
def test_what_is_no_workbook_is_refused_with_the_reason(fields: dict[str, Any], says: str) -> None:
    answer = LEAD("POST", "/api/imports", fields)

    assert (answer.status, says in answer.body["detail"]) == (422, True), answer.body


def test_a_lead_neither_reads_nor_writes_the_reason_of_somebodys_time_off_by_a_workbook() -> None:
    off = {"member_id": "i-ann", "date": "2027-07-26", "hours_off": 2, "reason": "a private matter"}
    assert ADMIN("POST", "/api/availability", off).status == 201
    data = book({"Availability": [["Member", "Date", "Hours off", "Reason"], ["i-ann", "2027-07-26", 3, "guess"]]})

    by_lead, by_admin = imported(LEAD, data, dry_run=True), imported(ADMIN, data, dry_run=True)

    assert (by_lead.status, by_lead.body["counts"]["changed"]) == (200, 1), by_lead.body
    assert "a private matter" not in str(by_lead.body)
    assert [change["column"] for change in by_lead.body["rows"][0]["changes"]] == ["hours_off"]
    assert "a private matter" in str(by_admin.body)


def test_what_the_api_would_refuse_is_refused_in_a_workbook() -> None:
    data = book({"Availability": [["Member", "Date", "Hours off"], ["i-ann", "2027-07-27", 5]]})

    answer = imported(LEAD, data)

    assert answer.body["counts"]["rejected"] == 1
    assert "does not work" in str(answer.body["rows"][0]["problems"])


def test_an_export_is_edited_and_loaded_back() -> None:
    imported(LEAD, book({"Allocations": [["Member", "Project", "Week", "Mon"], ["i-ann", "i-p", "2027-W33", 3]]}))
    wish = {"list": "allocations", "format": "xlsx", "query": {"week": "2027-W33"}}
    url = LEAD("POST", "/api/exports", wish).body["url"]
    made = openpyxl.load_workbook(io.BytesIO(httpx.get(url, timeout=60).content))
    sheet = made["Allocations"]
    monday = next(cell.column for cell in sheet[1] if cell.value == "Mon")
    sheet.cell(2, monday or 1, 5)
    target = io.BytesIO()
    made.save(target)

    answer = imported(LEAD, target.getvalue())

    assert answer.body["counts"]["changed"] == 1, answer.body
    assert answer.body["rows"][0]["changes"][0]["after"] == "5"
