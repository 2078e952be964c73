"""Quality scores of the API. Why real: they come from the indexes of three tables, and a role has its own rows."""

from typing import Any

import httpx
import pytest

from prism_core import clock
from tests.integration.api_client import Answer, Api, known

WEEKS = ("2019-W10", "2019-W11")
LEAD = ("[lead]", "somebody")


@pytest.fixture(scope="module", autouse=True)
def reviews(platform: object) -> list[str]:
    """The ids of the reviews, in order."""
    del platform
    known(("qs-ann", "qs-bob"), ("qs-p",))
    rows = (
        (WEEKS[0], "qs-ann", "qs-raw", 50, 40),
        (WEEKS[1], "qs-ann", "qs-raw", 50, 45),
        (WEEKS[1], "qs-ann", "qs-raw", 50, 45),
        (WEEKS[1], "qs-bob", "qs-other", 10, 10),
    )
    made = []
    for week, member, category, reviewed, correct in rows:
        fields = {"member_id": member, "project_id": "qs-p", "week": week, "category": category}
        answer = Api(*LEAD)("POST", "/api/quality", {**fields, "reviewed": reviewed, "correct": correct})
        assert answer.status == 201, answer.body
        made.append(answer.body["review_id"])
    return made


def scores(*who: str, **query: Any) -> list[dict[str, Any]]:
    answer = Api(*(who or LEAD))("GET", "/api/quality-scores", project_id="qs-p", **query)
    assert answer.status == 200, answer.body
    return answer.body["items"]


def test_reviews_of_a_week_are_added_up_with_interval_trend_and_the_raw_ids_behind_a_name() -> None:
    ann = next(one for one in scores(week=WEEKS[1]) if one["member_id"] == "qs-ann")

    assert (ann["reviews"], ann["reviewed"], ann["correct"], ann["share"]) == (2, 100, 90, "0.9000")
    assert (ann["low"], ann["high"]) == ("0.8256", "0.9448")  # Wilson, 95 %
    assert (ann["trend"], ann["weeks_in_window"]) == ("0.1000", 2)
    assert (ann["category"], ann["mapped"], ann["raw"]) == ("unmapped:qs-raw", False, ["qs-raw"])


def test_pages_filters_and_orders_choose_rows() -> None:
    assert [one["member_id"] for one in scores(week=WEEKS[1], sort="-share", limit=1)] == ["qs-bob"]
    assert [one["member_id"] for one in scores(week=WEEKS[1], category="unmapped:qs-other")] == ["qs-bob"]
    assert scores(week="2019-W20") == []


def test_scores_come_as_a_file_in_the_order_of_the_list_and_chosen_ones_by_their_keys() -> None:
    best = scores(week=WEEKS[1], sort="-share")[0]["key"]
    wish: dict[str, Any] = {
        "list": "quality_scores",
        "format": "csv",
        "query": {"week": WEEKS[1], "project_id": "qs-p"},
    }
    whole = Api(*LEAD)("POST", "/api/exports", {**wish, "query": {**wish["query"], "sort": "-share"}})
    chosen = Api(*LEAD)("POST", "/api/exports", {**wish, "keys": [best]})
    found = [[line.split(",")[1:3] for line in lines(answer)] for answer in (whole, chosen)]

    assert [[member for member, _ in rows] for rows in found] == [
        ["Member ID", "qs-bob", "qs-ann"],
        ["Member ID", "qs-bob"],
    ]
    assert Api("[annotator]", "somebody")("POST", "/api/exports", wish).body["rows"] == 0


def lines(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return httpx.get(answer.body["url"], timeout=60).content.decode("utf-8-sig").splitlines()


def test_the_trend_has_every_week_and_no_share_where_nothing_was_reviewed() -> None:
    query = {"week": "2019-W12", "weeks": 3, "project_id": "qs-p", "member_id": "qs-ann"}
    answer = Api(*LEAD)("GET", "/api/quality-trend", **query)

    assert [(one["week"], one["reviewed"], one["share"]) for one in answer.body["items"]] == [
        (WEEKS[0], 50, "0.8000"),
        (WEEKS[1], 100, "0.9000"),
        ("2019-W12", 0, None),
    ]


def test_a_review_that_a_correction_moved_counts_for_whom_it_is(reviews: list[str]) -> None:
    correction = {
        "week": WEEKS[1], "table": "quality", "review_id": reviews[2], "reason": "under a colleague's account",
        "from_member": "qs-ann", "to_member": "qs-bob",
    }  # fmt: skip
    made = Api(*LEAD)("POST", "/api/corrections", correction)
    found = {one["member_id"]: one["reviewed"] for one in scores(week=WEEKS[1], category="unmapped:qs-raw")}
    Api(*LEAD)("DELETE", f"/api/corrections/{made.body['key']}", match="*")

    assert made.status == 201, made.body
    assert found == {"qs-ann": 50, "qs-bob": 50}


def test_a_member_reads_of_themselves_what_their_lead_reads_once_reviews_were_corrected() -> None:
    """One review that was a colleague's is theirs since, and one of theirs is the colleague's."""
    known(("qs-eve",))
    assert Api()("PATCH", "/api/members/qs-eve", {"cognito_sub": "qs-eve-sub"}, match="*").status == 200
    week = (clock.this_week() + -1).label  # of the last four, also when the week ends meanwhile
    fields = {"project_id": "qs-p", "week": week, "category": "qs-own", "reviewed": 20}
    places = (("qs-eve", 18, {}), ("qs-eve", 10, {"to_member": "qs-bob"}), ("qs-bob", 19, {"to_member": "qs-eve"}))
    wrong = {"week": week, "table": "quality", "reason": "under a colleague's account"}
    corrections: list[str] = []
    for member, correct, to in places:
        found = {**fields, "member_id": member, "correct": correct, "severity": "high"}
        made = Api(*LEAD)("POST", "/api/quality", found)
        if to:
            moving = {**wrong, "review_id": made.body["review_id"], "from_member": member, **to}
            corrections.append(Api(*LEAD)("POST", "/api/corrections", moving).body["key"])

    own = Api("[annotator]", "qs-eve-sub")("GET", "/api/me").body["quality"]
    (read,) = (one for one in scores(week=week) if one["member_id"] == "qs-eve")
    for key in corrections:
        Api(*LEAD)("DELETE", f"/api/corrections/{key}", match="*")

    assert own == [{name: read[name] for name in own[0]}]
    assert (own[0]["reviewed"], own[0]["correct"], own[0]["share"]) == (40, 37, "0.9250")
    assert own[0]["score"] == "0.8810"  # 3 errors, the worst of each review twice as heavy: 37 of 42


def test_who_is_no_member_sees_no_scores_of_others() -> None:
    assert scores("[annotator]", "somebody", week=WEEKS[1]) == []
