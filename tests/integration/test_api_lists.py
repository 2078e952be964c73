"""Lists through the API. Why real: pages, indexes and their order are the table's."""

import threading
from typing import Any

import pytest

from infra.local.platform import Platform
from tests.integration.api_client import Answer, Api, every_page, known

LEAD = Api("[lead]", "sub-of-a-list-lead")
TEAM = "list-team"
NAMES = ("zoe", "Adam", "mia", "Ben", "lou", "Cat", "kim")


@pytest.fixture(scope="module", autouse=True)
def rows(platform: Platform) -> None:
    assert platform.owned
    known(projects=["list-p0", "list-p1"])
    created = [
        {
            "operation": "create",
            "fields": {
                "member_id": f"list-{number}",
                "name": name,
                "email": f"{name}@example.com",
                "time_zone": "UTC",
                "team": TEAM,
                "status": "inactive" if number % 3 == 0 else "active",
                **({"location": "ES"} if number % 2 else {}),
            },
        }
        for number, name in enumerate(NAMES)
    ]
    assert LEAD("POST", "/api/members/bulk", {"rows": created}).body["failed"] == 0
    planned = [
        {
            "operation": "create",
            "fields": {
                "member_id": f"list-{number}",
                "week": f"2017-W{week:02d}",
                "project_id": f"list-p{number % 2}",
                "hours": {f"2017-{monday}": number + 1},
            },
        }
        for week, monday in ((10, "03-06"), (11, "03-13"), (12, "03-20"))
        for number in range(len(NAMES))
    ]
    assert LEAD("POST", "/api/allocations/bulk", {"rows": planned}).body["failed"] == 0


def names(answer: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in answer]


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
@pytest.mark.parametrize("sort", [None, "name", "-name", "location", "-location"])
def test_pages_of_any_size_hold_every_row_once_in_the_same_order(limit: int, sort: str | None) -> None:
    chosen: dict[str, Any] = {} if sort is None else {"sort": sort}

    whole = every_page(LEAD, "/api/members", team=TEAM, **chosen)
    paged = every_page(LEAD, "/api/members", team=TEAM, limit=limit, **chosen)

    assert paged == whole
    assert sorted(names(whole)) == sorted(NAMES)


def test_a_limit_counts_as_it_is_accepted() -> None:
    answer = LEAD("GET", "/api/members", team=TEAM, limit="5.0")

    assert (answer.status, len(answer.body["items"])) == (200, 5), answer.body
    assert LEAD("GET", "/api/throughput", week="2017-W10", limit="5.0").status == 200


def test_an_order_ignores_case_and_puts_what_is_absent_last() -> None:
    by_name = every_page(LEAD, "/api/members", team=TEAM, sort="-name")
    by_place = every_page(LEAD, "/api/members", team=TEAM, sort="-location")

    assert names(by_name) == sorted(NAMES, key=str.casefold, reverse=True)
    assert [row["location"] for row in by_place] == ["ES"] * 3 + [None] * 4


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "inactive"}, {"zoe", "Ben", "kim"}),
        ({"status": ["inactive", "active"]}, set(NAMES)),
        ({"status": "active", "location": "ES"}, {"Adam", "Cat"}),
        ({"member_id": ["list-1", "list-2", "list-1"]}, {"Adam", "mia"}),
        ({"q": "ADA"}, {"Adam"}),
        ({"q": "nobody at all"}, set()),
        ({"location": "FR"}, set()),
    ],
)
def test_filters_of_several_fields_all_apply(query: dict[str, Any], expected: set[str]) -> None:
    found = every_page(LEAD, "/api/members", team=TEAM, limit=2, **query)

    assert set(names(found)) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("query", "rows_found"),
    [
        ({"week": "2017-W10"}, 7),
        ({"week": ["2017-W10", "2017-W12"]}, 14),
        ({"week_from": "2017-W11", "week_to": "2017-W12"}, 14),
        ({"member_id": "list-1"}, 3),
        ({"member_id": "list-1", "week_from": "2017-W11"}, 2),
        ({"member_id": "list-1", "week": "2017-W11"}, 1),
        ({"project_id": "list-p0", "week_from": "2017-W10", "week_to": "2017-W11"}, 8),
        ({"project_id": "list-p0", "member_id": ["list-0", "list-1"]}, 3),
        ({"week": "2017-W10", "pinned": "true"}, 0),
        ({"week": "2017-W10", "pinned": "false", "source": "person"}, 7),
        ({"week": "2017-W10", "pinned": "False"}, 7),
        ({"week": "2017-W10", "pinned": ["0", "1"]}, 7),
        ({"week": "2017-W10", "member_id": [f"list-{number}" for number in range(2, 150)]}, 5),
    ],
)
def test_every_way_into_the_allocations_gives_the_same_rows(query: dict[str, Any], rows_found: int) -> None:
    streamed = every_page(LEAD, "/api/allocations", limit=3, **query)
    ordered = every_page(LEAD, "/api/allocations", limit=4, sort="total", **query)

    assert len(streamed) == rows_found
    assert sorted(row["key"] for row in streamed) == sorted(row["key"] for row in ordered)


def test_a_list_of_before_has_the_rows_that_the_list_had() -> None:
    review = {"member_id": "list-1", "project_id": "list-p1", "category": "c", "reviewed": 4, "correct": 3}
    keys = [LEAD("POST", "/api/quality", {**review, "week": f"2017-W{week}"}).body["key"] for week in (10, 11, 12)]
    instant = LEAD("GET", f"/api/history/quality/{keys[-1]}").body["items"][0]["instant"]
    queries: list[dict[str, Any]] = [
        {},  # this week alone
        {"member_id": "list-1", "week_from": "2017-W11"},
        {"member_id": "list-1", "week_to": "2017-W11"},
        {"member_id": ["list-0", "list-1"], "week": ["2017-W10", "2017-W12"], "category": "c"},
        {"week_from": "2017-W10", "week_to": "2017-W11", "project_id": "list-p1"},
    ]

    def listed(**beside: str) -> list[list[str]]:
        found = [every_page(LEAD, "/api/quality", **query, **beside) for query in queries]
        return [
            sorted(row["week"] for row in rows if row["key"] in keys and row["correct"] == 3) for rows in found
        ]

    before = listed()
    for key in keys:
        assert LEAD("PATCH", f"/api/quality/{key}", {"correct": 4}, match="*").status == 200

    first, middle, last = "2017-W10", "2017-W11", "2017-W12"
    assert before == [[], [middle, last], [first, middle], [first, last], [first, middle]]
    assert listed(as_of=instant) == before
    assert listed() == [[]] * len(queries)


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"colour": "red"}, 422, "valid are"),
        ({"limit": 0}, 422, "limit"),
        ({"limit": 201}, 422, "limit"),
        ({"sort": "hours"}, 422, "sort"),
        ({"status": "gone"}, 422, "status"),
        ({"cursor": "AAAA"}, 400, "cursor"),
        ({"team": ""}, 422, "team"),
        ({"member_id": [f"m{n}" for n in range(121)]}, 422, "narrow"),
    ],
)
def test_a_question_that_is_none_is_refused(query: dict[str, Any], status: int, says: str) -> None:
    answer = LEAD("GET", "/api/members", **query)

    assert (answer.status, says in str(answer.body)) == (status, True), answer.body


@pytest.mark.parametrize("path", ["/api/allocations", "/api/disputes"])
@pytest.mark.parametrize("beside", [{}, {"project_id": "list-p0"}])
def test_weeks_that_end_before_they_begin_are_refused(path: str, beside: dict[str, Any]) -> None:
    answer = LEAD("GET", path, week_from="2017-W12", week_to="2017-W11", **beside)

    assert (answer.status, "week_to" in str(answer.body)) == (422, True), answer.body


def test_a_cursor_belongs_to_its_list_its_filters_and_its_reader() -> None:
    cursor = LEAD("GET", "/api/members", team=TEAM, limit=1).body["next"]

    others: list[tuple[str, dict[str, Any]]] = [
        ("/api/projects", {}),
        ("/api/members", {"team": "other"}),
        ("/api/members", {}),
    ]
    for path, query in others:
        answer = LEAD("GET", path, cursor=cursor, **query)
        assert (answer.status, "another list" in answer.body["detail"]) == (400, True)
    other = Api("[annotator]", "nobody")("GET", "/api/members", team=TEAM, cursor=cursor)
    assert other.body["items"] == [] if other.status == 200 else other.status == 400


def test_a_repeated_post_answers_the_same_and_writes_once() -> None:
    fields = {"due_date": "2031-01-01", "hours": 5, "requester": "Cleo", "reason": "once"}
    key = {"idempotency-key": "post-once"}

    first = LEAD("POST", "/api/requests", fields, headers=key)
    second = LEAD("POST", "/api/requests", fields, headers=key)
    other = LEAD("POST", "/api/requests", {**fields, "hours": 6}, headers=key)
    somebody = Api("[lead]", "another-lead")("POST", "/api/requests", fields, headers=key)

    assert (first.status, second.status, second.headers["idempotent-replayed"]) == (201, 201, "true")
    assert (second.body, second.etag) == (first.body, first.etag)
    assert (other.status, somebody.status) == (422, 201)
    assert somebody.body["request_id"] != first.body["request_id"]


def test_calls_with_one_key_at_once_write_once() -> None:
    fields = {"due_date": "2031-02-01", "hours": 5, "requester": "Cleo", "reason": "at once"}
    answers: list[Answer] = []

    def post(number: int) -> None:
        headers = {"idempotency-key": "at-once"}
        answers.append(LEAD("POST", "/api/requests", fields, headers=headers, request_id=f"at-once-{number}"))

    threads = [threading.Thread(target=post, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.body["request_id"] for answer in answers if answer.status == 201}) == 1
    found = every_page(LEAD, "/api/requests", due_date="2031-02-01", status="submitted")
    assert len(found) == 1
