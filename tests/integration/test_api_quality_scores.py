"""Quality scores of the API. Why real: they come from the indexes of three tables, and a role has its own rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from infra.local.platform import Platform
from prism_core import clock
from prism_core.calendar import Week
from prism_core.models.work import QualityReview, Severity
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus
from prism_core.tables import QUALITY, WORKERS
from prism_resources.aws import client
from prism_resources.tables.store import TableStore
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


def test_a_member_reads_of_themselves_what_their_lead_reads_once_reviews_were_corrected(
    platform: Platform,
) -> None:
    """One review that was a colleague's is theirs since, and one of theirs is the colleague's; one names their
    worker, and all of a project were theirs whoever stands in them."""
    known(("qs-eve",), ("qs-shared",))
    assert Api()("PATCH", "/api/members/qs-eve", {"cognito_sub": "qs-eve-sub"}, match="*").status == 200
    week = clock.this_week() + -1  # of the last four, also when the week ends meanwhile
    fields = {"week": week.label, "category": "qs-own", "reviewed": 20}
    places = (
        ("qs-eve", "qs-p", 18, {}),
        ("qs-eve", "qs-p", 10, {"to_member": "qs-bob"}),
        ("qs-bob", "qs-p", 19, {"to_member": "qs-eve"}),
        ("qs-bob", "qs-shared", 20, {}),
    )
    wrong = {"week": week.label, "table": "quality", "reason": "under a colleague's account"}
    corrections = [{**wrong, "from_project": "qs-shared", "to_member": "qs-eve"}]
    for member, project, correct, to in places:
        found = {**fields, "member_id": member, "project_id": project, "correct": correct, "severity": "high"}
        made = Api(*LEAD)("POST", "/api/quality", found)
        if to:
            corrections.append({**wrong, "review_id": made.body["review_id"], "from_member": member, **to})
    keys = [Api(*LEAD)("POST", "/api/corrections", one).body["key"] for one in corrections]
    mine = Api("[annotator]", "qs-eve-sub")

    with named_worker(platform, week, "qs-eve"):
        own = mine("GET", "/api/me").body["quality"]
        page = Api(*LEAD)("GET", "/api/quality-scores", week=week.label, member_id="qs-eve").body["items"]
        Api(*LEAD)("DELETE", f"/api/corrections/{keys[0]}", match="*")
        fewer = mine("GET", "/api/me").body["quality"]
    for key in keys[1:]:
        Api(*LEAD)("DELETE", f"/api/corrections/{key}", match="*")

    read = {one["project_id"]: one for one in page}
    assert own == [{name: read[project][name] for name in own[0]} for project in ("qs-p", "qs-shared")]
    assert (own[0]["reviewed"], own[0]["correct"], own[0]["share"]) == (60, 56, "0.9333")
    assert own[0]["score"] == "0.8889"  # 4 errors, the worst of each review twice as heavy: 56 of 63
    assert (own[1]["reviewed"], own[1]["correct"]) == (20, 20)
    assert fewer == own[:1]


@contextmanager
def named_worker(platform: Platform, week: Week, member: str) -> Iterator[None]:
    """A review of 20 pieces with one error, as a file brings it that names a worker, and whose worker it is."""
    worker = Worker(
        worker_key="pool-qs#sub-qs", pool="pool-qs", sub="sub-qs", status=WorkerStatus.RESOLVED,
        periods=(WorkerPeriod(member=member, from_=week.days[0]),), last_seen=clock.now(),
    )  # fmt: skip
    review = QualityReview(
        member_id="worker:sub-qs", week=week, project_id="qs-p", review_id="qs-of-a-worker", category="qs-own",
        reviewed=20, correct=19, severity=Severity.HIGH, reviewer="lead", reviewed_at=clock.now(),
    )  # fmt: skip
    settings = platform.settings
    workers = TableStore(client(settings, "dynamodb"), settings, WORKERS, Worker)
    reviewed = TableStore(client(settings, "dynamodb"), settings, QUALITY, QualityReview)
    author: dict[str, Any] = {"actor": "test", "reason": "", "now": clock.now()}
    workers.put(worker, expected_version=0, request_id="qs-1", **author)
    reviewed.put(review, expected_version=0, request_id="qs-2", **author)
    yield
    reviewed.delete(review, expected_version=1, request_id="qs-3", **author)
    workers.delete(worker, expected_version=1, request_id="qs-4", **author)


def test_who_is_no_member_sees_no_scores_of_others() -> None:
    assert scores("[annotator]", "somebody", week=WEEKS[1]) == []
