"""Why real: conditions, transactions, paging and tokens are the service's own rules; a fake would agree with us.

Throttling, which the emulator never does, comes from a proxy on the wire in front of it.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.failures import BadUsage, PermanentFailure, StaleVersion, TransientFailure
from prism_core.history.changes import apply
from prism_core.models.bugs import Bug, BugSummary
from prism_core.models.changes import Change, Operation
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Request
from prism_core.models.work import Allocation, ThroughputWeek
from prism_core.settings import Settings
from prism_core.tables import ALLOCATIONS, AVAILABILITY, BUGS, CHANGELOG, MEMBERS, REQUESTS, TABLES, THROUGHPUT
from prism_resources.aws import client
from prism_resources.privacy import PersonKeys
from prism_resources.tables.bulk import MAX_ATTEMPTS, backoff_seconds
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore, Write
from tests.integration.proxies import Proxy

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)
W01 = Week.parse("2026-W01")
SCREENSHOT = "UklGRgAAAABXRUJQ"


def unique(prefix: str) -> str:
    """Ids of one test: the tables are shared by all of them."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def member(member_id: str, **fields: Any) -> Member:
    base = {"member_id": member_id, "name": "Ana", "email": "ana@example.org", "time_zone": "Europe/Madrid"}
    return Member.model_validate(base | fields)


def allocation(member_id: str, week: Week, project_id: str) -> Allocation:
    return Allocation.model_validate(
        {"member_id": member_id, "week": week, "project_id": project_id, "hours": {week.monday: "4"}}
    )


def by(request_id: str = "", now: datetime = NOW) -> dict[str, Any]:
    return {"actor": "lead-1", "reason": "test", "request_id": request_id or unique("r"), "now": now}


@pytest.fixture(scope="module")
def settings(platform: Platform) -> Settings:
    return platform.settings


@pytest.fixture(scope="module")
def members(settings: Settings) -> TableStore[Member]:
    return TableStore(client(settings, "dynamodb"), settings, MEMBERS, Member)


@pytest.fixture(scope="module")
def allocations(settings: Settings) -> TableStore[Allocation]:
    return TableStore(client(settings, "dynamodb"), settings, ALLOCATIONS, Allocation)


@pytest.fixture(scope="module")
def log(settings: Settings) -> Callable[[str], list[Change]]:
    """The changes of an item, oldest first, as its person may read them."""
    reader = TableReader(client(settings, "dynamodb"), settings, CHANGELOG, Change)
    keys = PersonKeys(client(settings, "dynamodb"), settings)
    return lambda item_key: [keys.unseal(TABLES[c.table], c) for c in reader.query("by_item", item_key=item_key)]


@pytest.fixture
def proxy(settings: Settings) -> Iterator[Proxy]:
    with Proxy(str(settings.aws_endpoint_url)) as proxy:
        yield proxy


def through(proxy: Proxy, settings: Settings) -> Settings:
    return Settings.model_validate(settings.model_dump() | {"aws_endpoint_url": proxy.url})


@pytest.fixture
def slow_members(proxy: Proxy, settings: Settings) -> TableStore[Member]:
    """The store behind the proxy, with no time lost in back-off."""
    other = through(proxy, settings)
    return TableStore(client(other, "dynamodb"), other, MEMBERS, Member, sleep=lambda _: None)


# -- one item -------------------------------------------------------------------------------------------


def test_an_item_is_stored_as_it_was_given_with_version_one(members: TableStore[Member]) -> None:
    given = member(unique("M"), hours={"mon": "7.5"}, skills=[{"name": "birds", "level": 3}])

    stored = members.create(given, **by())

    assert stored == given
    assert members.get(member_id=given.member_id) == given
    assert stored.version == 1


def test_an_item_that_does_not_exist_is_none(members: TableStore[Member]) -> None:
    assert members.get(member_id=unique("M")) is None


def test_each_write_raises_the_version_and_leaves_one_change(
    members: TableStore[Member], log: Callable[[str], list[Change]]
) -> None:
    first = members.create(member(unique("M")), **by())
    second = members.update(first.model_copy(update={"name": "Bea"}), expected_version=1, **by(now=NOW))
    members.delete(second, expected_version=2, **by(now=NOW))

    history = log(f"members/{first.member_id}")
    assert members.get(member_id=first.member_id) is None
    assert [(c.operation, c.version) for c in history] == [
        (Operation.CREATE, 1),
        (Operation.UPDATE, 2),
        (Operation.DELETE, 3),
    ]
    assert history[1].changes == {"name": {"before": "Ana", "after": "Bea"}}


def test_the_changes_of_an_item_rebuild_it(
    members: TableStore[Member], log: Callable[[str], list[Change]]
) -> None:
    first = members.create(member(unique("M"), hours={"mon": "8"}), **by())
    last = members.update(first.model_copy(update={"name": "Bea", "cognito_sub": "s"}), expected_version=1, **by())

    state: dict[str, Any] = {}
    for change in log(f"members/{first.member_id}"):
        state = apply(state, change.changes)

    assert Member.from_plain(state | {"version": 2}) == last


def test_a_change_is_found_by_week_and_shard(settings: Settings, members: TableStore[Member]) -> None:
    stored = members.create(member(unique("M")), **by())
    reader = TableReader(client(settings, "dynamodb"), settings, CHANGELOG, Change)

    found = [
        change.item_key
        for shard in range(settings.changelog_shards)
        for change in reader.query("by_week", table="members", week=Week.of(NOW), shard=shard, first=NOW, last=NOW)
    ]

    assert found.count(f"members/{stored.member_id}") == 1


def test_a_write_at_an_old_version_names_the_current_one(members: TableStore[Member]) -> None:
    first = members.create(member(unique("M")), **by())
    members.update(first.model_copy(update={"name": "Bea"}), expected_version=1, **by())

    with pytest.raises(StaleVersion, match="expected version 1, found 2") as lost:
        members.update(first.model_copy(update={"name": "Cea"}), expected_version=1, **by())

    assert (lost.value.table, lost.value.key, lost.value.current) == ("members", first.member_id, 2)


def test_what_was_read_is_not_read_again_and_its_version_holds_all_the_same(
    proxy: Proxy, slow_members: TableStore[Member], log: Callable[[str], list[Change]]
) -> None:
    first = slow_members.create(member(unique("M")), **by())
    asked: list[str] = []
    proxy.interfere = lambda _, operation, __: asked.append(operation)
    changed = first.model_copy(update={"name": "Bea"})

    stored = slow_members.update(changed, expected_version=1, before=first, **by())
    with pytest.raises(StaleVersion, match="expected version 1, found 2"):
        slow_members.update(changed, expected_version=1, before=first, **by())

    assert asked == ["TransactWriteItems"] * 2
    assert (stored.name, stored.version) == ("Bea", 2)
    assert [one.changes for one in log(f"members/{first.member_id}")][1:] == [
        {"name": {"before": "Ana", "after": "Bea"}}
    ]


def test_an_item_is_not_created_twice(members: TableStore[Member]) -> None:
    first = members.create(member(unique("M")), **by())

    with pytest.raises(StaleVersion, match="expected version 0, found 1"):
        members.create(first.model_copy(update={"name": "Bea"}), **by())


def test_a_deleted_item_is_at_version_zero(members: TableStore[Member]) -> None:
    first = members.create(member(unique("M")), **by())
    members.delete(first, expected_version=1, **by())

    with pytest.raises(StaleVersion, match="expected version 1, found 0"):
        members.update(first.model_copy(update={"name": "Bea"}), expected_version=1, **by())


def test_an_item_that_is_created_again_continues_its_versions(members: TableStore[Member]) -> None:
    first = members.create(member(unique("M")), **by())
    members.delete(first, expected_version=1, **by())

    restored = members.create(first, **by("again"))

    assert restored.version == 3
    assert members.get(member_id=first.member_id) == restored
    assert members.create(first, **by("again")) == restored


def test_a_write_that_changes_nothing_leaves_version_and_log_alone(
    members: TableStore[Member], log: Callable[[str], list[Change]]
) -> None:
    first = members.create(member(unique("M")), **by())

    again = members.update(first, expected_version=1, **by())

    assert again.version == 1
    assert len(log(f"members/{first.member_id}")) == 1


def test_two_writers_race_for_one_version_and_exactly_one_wins_with_one_change(
    members: TableStore[Member], log: Callable[[str], list[Change]]
) -> None:
    for _ in range(5):
        first = members.create(member(unique("M")), **by())
        gate = threading.Barrier(8)

        def write(number: int, first: Member = first, gate: threading.Barrier = gate) -> str | int:
            gate.wait()
            try:
                members.update(first.model_copy(update={"name": f"writer {number}"}), expected_version=1, **by())
            except StaleVersion as lost:
                return lost.current
            return f"writer {number}"

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(write, range(8)))

        stored = members.get(member_id=first.member_id)
        assert stored is not None
        assert stored.version == 2
        assert sorted(answers, key=str) == [2] * 7 + [stored.name]
        assert len(log(f"members/{first.member_id}")) == 2


@pytest.mark.parametrize("seconds", [0, 30])
def test_a_request_that_repeats_its_write_gets_what_it_stored(
    seconds: int, members: TableStore[Member], log: Callable[[str], list[Change]]
) -> None:
    later = NOW + timedelta(seconds=seconds)
    first = members.create(member(unique("M")), **by("create-1"))
    assert members.create(first, **by("create-1", later)) == first
    changed = first.model_copy(update={"name": "Bea"})
    second = members.update(changed, expected_version=1, **by("update-1"))

    again = members.update(changed, expected_version=1, **by("update-1", later))
    members.delete(second, expected_version=2, **by("delete-1"))
    members.delete(second, expected_version=2, **by("delete-1", later))

    assert again == second
    assert [c.version for c in log(f"members/{first.member_id}")] == [1, 2, 3]


def test_another_request_that_wants_the_same_is_stale(members: TableStore[Member]) -> None:
    first = members.create(member(unique("M")), **by())
    changed = first.model_copy(update={"name": "Bea"})
    members.update(changed, expected_version=1, **by())

    with pytest.raises(StaleVersion):
        members.update(changed, expected_version=1, **by())


def test_a_write_whose_answer_was_lost_on_the_wire_is_won(
    proxy: Proxy, slow_members: TableStore[Member], log: Callable[[str], list[Change]]
) -> None:
    def lose_first_answer(proxy: Proxy, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if operation != "TransactWriteItems" or proxy.interfere is not lose_first_answer:
            return None
        proxy.interfere = lambda *_: None
        assert proxy.forward(operation, body)[0] == 200
        return 500, {"__type": "InternalServerError", "message": "gone"}

    proxy.interfere = lose_first_answer

    stored = slow_members.create(member(unique("M")), **by())

    assert slow_members.get(member_id=stored.member_id) == stored
    assert len(log(f"members/{stored.member_id}")) == 1


def test_a_conflict_with_another_transaction_is_tried_again(
    proxy: Proxy, slow_members: TableStore[Member]
) -> None:
    reasons = [{"Code": "TransactionConflict", "Message": "in conflict"}, {"Code": "None"}]
    cancelled = {"__type": "TransactionCanceledException", "message": "cancelled", "CancellationReasons": reasons}
    left = iter([(400, cancelled)] * 3)
    proxy.interfere = lambda _, operation, __: next(left, None) if operation == "TransactWriteItems" else None

    stored = slow_members.create(member(unique("M")), **by())

    assert slow_members.get(member_id=stored.member_id) == stored


def test_a_conflict_that_does_not_end_is_transient(proxy: Proxy, slow_members: TableStore[Member]) -> None:
    reasons = [{"Code": "TransactionConflict", "Message": "in conflict"}, {"Code": "None"}]
    cancelled = {"__type": "TransactionCanceledException", "message": "cancelled", "CancellationReasons": reasons}
    proxy.interfere = lambda _, operation, __: (400, cancelled) if operation == "TransactWriteItems" else None

    with pytest.raises(TransientFailure, match="prism-members: 1 items stayed in conflict"):
        slow_members.create(member(unique("M")), **by())


def test_a_fact_has_no_versioned_write(settings: Settings) -> None:
    store = TableStore(client(settings, "dynamodb"), settings, THROUGHPUT, ThroughputWeek)
    row = ThroughputWeek.model_validate(
        {
            "project_id": "P",
            "week": "2026-W01",
            "member_id": "M",
            "days": [{"day": "2025-12-29"}],
            "worker_resolved": True,
            "project_resolved": True,
        }
    )

    with pytest.raises(PermanentFailure, match="ThroughputWeek is a fact without a version"):
        store.create(row, **by())


# -- many items -----------------------------------------------------------------------------------------


def test_fifty_items_and_their_changes_are_written_at_once_or_not_at_all(
    members: TableStore[Member], log: Callable[[str], list[Change]]
) -> None:
    items = [member(unique("M")) for _ in range(50)]

    stored = members.transact([Write(item, 0) for item in items], **by())

    assert stored == items
    assert len(log(f"members/{items[49].member_id}")) == 1

    changed = [item.model_copy(update={"name": "Bea"}) for item in items]
    members.update(items[7].model_copy(update={"name": "Cea"}), expected_version=1, **by())
    with pytest.raises(StaleVersion, match=f"members {items[7].member_id}"):
        members.transact([Write(item, 1) for item in changed], **by())
    assert members.get(member_id=items[0].member_id) == items[0]


def test_more_than_a_hundred_items_in_one_transaction_are_refused_before_anything_is_sent(
    members: TableStore[Member],
) -> None:
    items = [member(unique("M")) for _ in range(51)]

    with pytest.raises(BadUsage, match="51 writes with their change entries are more than the 100 items"):
        members.transact([Write(item, 0) for item in items], **by())

    assert members.get(member_id=items[0].member_id) is None


def test_more_than_four_megabytes_in_one_transaction_are_refused(settings: Settings) -> None:
    store = TableStore(client(settings, "dynamodb"), settings, BUGS, Bug)
    bugs = [bug(unique("B"), screenshot="A" * 100_000) for _ in range(22)]

    with pytest.raises(BadUsage, match="the transaction takes"):
        store.transact([Write(item, 0) for item in bugs], **by())


def test_a_batch_of_any_size_is_written_and_deleted(members: TableStore[Member]) -> None:
    items = [member(unique("M")) for _ in range(130)]

    assert members.batch_write(items) == 130
    assert members.get(member_id=items[129].member_id) == items[129]
    assert members.batch_write(deletes=[{"member_id": item.member_id} for item in items]) == 130
    assert members.get(member_id=items[0].member_id) is None


def test_unprocessed_items_are_written_by_a_later_attempt(proxy: Proxy, slow_members: TableStore[Member]) -> None:
    def process_three(proxy: Proxy, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if operation != "BatchWriteItem":
            return None
        ((table, requests),) = body["RequestItems"].items()
        proxy.forward(operation, {"RequestItems": {table: requests[:10]}})
        return 200, {"UnprocessedItems": {table: requests[10:]} if requests[10:] else {}}

    proxy.interfere = process_three
    items = [member(unique("M")) for _ in range(60)]

    assert slow_members.batch_write(items) == 60
    assert all(slow_members.get(member_id=item.member_id) == item for item in items)
    assert proxy.calls > 60 + 3


def test_items_that_stay_unprocessed_are_transient_and_counted(
    proxy: Proxy, slow_members: TableStore[Member]
) -> None:
    def process_ten(proxy: Proxy, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        ((table, requests),) = body["RequestItems"].items()
        return 200, {"UnprocessedItems": {table: requests[-4:]}}

    proxy.interfere = process_ten

    with pytest.raises(TransientFailure, match="prism-members: 4 of 20 items were not written after 8 attempts"):
        slow_members.batch_write([member(unique("M")) for _ in range(20)])

    assert proxy.calls == MAX_ATTEMPTS


def test_back_off_doubles_up_to_a_bound_and_is_jittered() -> None:
    bounds = [backoff_seconds(attempt, jitter=lambda: 1.0) for attempt in range(10)]

    assert all(later == min(3.0, 2 * earlier) for earlier, later in pairwise(bounds))
    assert 0 <= backoff_seconds(9) <= 3.0


def test_a_parallel_scan_returns_every_item_exactly_once(settings: Settings) -> None:
    store = TableStore(client(settings, "dynamodb"), settings, REQUESTS, Request)
    items = [
        Request.model_validate(
            {
                "request_id": unique("R"),
                "due_date": "2026-01-05",
                "hours": "1",
                "requester": "x",
                "reason": "",
                "created": NOW,
            }
        )
        for _ in range(240)
    ]
    store.batch_write(items)

    for segments in (1, 3, 8, 40):
        found = [item.request_id for item in store.parallel_scan(segments, page_size=7)]
        assert len(found) == len(set(found))
        assert {item.request_id for item in items} <= set(found)


def test_a_scan_that_is_left_early_stops_its_threads(settings: Settings, members: TableStore[Member]) -> None:
    members.batch_write([member(unique("M")) for _ in range(60)])
    before = threading.active_count()

    scan = members.parallel_scan(4, page_size=1)
    next(scan)
    scan.close()  # type: ignore[attr-defined]

    assert threading.active_count() <= before


def test_a_scan_that_fails_in_one_segment_fails(proxy: Proxy, slow_members: TableStore[Member]) -> None:
    refused = (400, {"__type": "AccessDeniedException", "message": "not allowed"})
    proxy.interfere = lambda _, operation, body: refused if body.get("Segment") == 2 else None

    with pytest.raises(PermanentFailure, match="scan of prism-members: AccessDeniedException"):
        list(slow_members.parallel_scan(4))


# -- queries --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plan(allocations: TableStore[Allocation]) -> tuple[str, str, list[Allocation]]:
    """One member on three projects in four weeks; a second member on the first project."""
    ana, bea = unique("M"), unique("M")
    p1 = unique("P")
    rows = [allocation(ana, W01 + week, project) for week in range(4) for project in (p1, f"{p1}2", unique("P"))]
    rows += [allocation(bea, W01 + week, p1) for week in range(4)]
    allocations.batch_write(rows)
    return ana, p1, rows


def test_a_query_by_member_is_in_the_order_of_its_weeks(
    allocations: TableStore[Allocation], plan: tuple[str, str, list[Allocation]]
) -> None:
    ana, _, rows = plan

    found = list(allocations.query("by_member", member_id=ana, consistent=True))
    back = list(allocations.query("by_member", member_id=ana, backwards=True))

    expected = sorted((row for row in rows if row.member_id == ana), key=lambda row: (row.week, row.project_id))
    assert found == expected
    assert back == expected[::-1]


def test_a_query_by_member_and_week_holds_that_week_only(
    allocations: TableStore[Allocation], plan: tuple[str, str, list[Allocation]]
) -> None:
    ana, _, _ = plan

    found = list(allocations.query("by_member", member_id=ana, week=W01 + 1))

    assert {row.week for row in found} == {W01 + 1}
    assert len(found) == 3


def test_a_query_by_project_does_not_return_a_project_whose_id_starts_the_same(
    allocations: TableStore[Allocation], plan: tuple[str, str, list[Allocation]]
) -> None:
    ana, p1, _ = plan

    found = list(allocations.query("by_project", project_id=p1, first=W01 + 1, last=W01 + 2))
    of_week = list(allocations.query("by_week", week=W01, project_id=p1))

    assert {row.project_id for row in found} == {p1}
    assert sorted(row.week.label for row in found) == ["2026-W02", "2026-W02", "2026-W03", "2026-W03"]
    assert len(of_week) == 2
    assert ana in {row.member_id for row in of_week}


def test_pages_join_without_a_gap_or_a_repetition(
    allocations: TableStore[Allocation], plan: tuple[str, str, list[Allocation]]
) -> None:
    ana, _, _ = plan
    pages, start = [], None
    while True:
        page = allocations.page("by_member", member_id=ana, limit=5, start=start)
        pages.append(page.items)
        start = page.next
        if start is None:
            break

    assert [len(items) for items in pages if items] == [5, 5, 2]
    assert [row for items in pages for row in items] == list(allocations.query("by_member", member_id=ana))


def test_a_cursor_of_an_index_leads_on_in_the_index(
    allocations: TableStore[Allocation], plan: tuple[str, str, list[Allocation]]
) -> None:
    _, p1, _ = plan

    first = allocations.page("by_project", project_id=p1, limit=3)
    rest = allocations.page("by_project", project_id=p1, limit=50, start=first.next)

    assert [*first.items, *rest.items] == list(allocations.query("by_project", project_id=p1))


def test_a_cursor_of_another_list_is_refused(
    allocations: TableStore[Allocation], plan: tuple[str, str, list[Allocation]]
) -> None:
    ana, p1, _ = plan
    cursor = allocations.page("by_project", project_id=p1, limit=1).next

    with pytest.raises(BadUsage, match="the cursor does not belong"):
        allocations.page("by_project", project_id="P-other", limit=1, start=cursor)
    with pytest.raises(BadUsage, match="the cursor does not belong"):
        allocations.page("by_member", member_id=ana, limit=1, start=cursor)


def test_a_limit_ends_a_query(
    allocations: TableStore[Allocation], plan: tuple[str, str, list[Allocation]]
) -> None:
    ana, _, _ = plan

    assert len(list(allocations.query("by_member", member_id=ana, limit=4))) == 4


def test_an_index_is_never_read_consistently(allocations: TableStore[Allocation]) -> None:
    with pytest.raises(BadUsage, match="which is never read consistently"):
        list(allocations.query("by_week", week=W01, consistent=True))


def test_a_query_streams_over_the_pages_of_the_service(settings: Settings) -> None:
    store = TableStore(client(settings, "dynamodb"), settings, AVAILABILITY, Availability)
    member_id = unique("M")
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(250)]
    store.batch_write(
        Availability.model_validate({"member_id": member_id, "date": day, "hours_off": "8", "reason": "x" * 9_000})
        for day in days
    )

    found = [entry.date for entry in store.query("by_member", member_id=member_id)]
    january = [entry.date for entry in store.query("by_member", member_id=member_id, first=days[3], last=days[9])]

    assert found == days
    assert january == days[3:10]


def bug(bug_id: str, **fields: Any) -> Bug:
    base = {
        "bug_id": bug_id,
        "title": "t",
        "description": "d",
        "severity": "high",
        "category": "ui",
        "reporter": "Ana",
        "created": NOW,
        "screenshot": SCREENSHOT,
    }
    return Bug.model_validate(base | fields)


def test_a_list_of_bugs_carries_no_screenshot_and_cannot_be_mistaken_for_bugs(settings: Settings) -> None:
    store = TableStore(client(settings, "dynamodb"), settings, BUGS, Bug)
    stored = store.create(bug(unique("B")), **by())

    listed = list(store.query_as(BugSummary, "by_status", status="new", severity="high"))

    (mine,) = [entry for entry in listed if entry.bug_id == stored.bug_id]
    assert not hasattr(mine, "screenshot")
    assert mine == BugSummary.model_validate(stored.model_dump(exclude={"screenshot"}))
    with pytest.raises(BadUsage, match="carries BugSummary only"):
        list(store.query("by_status", status="new"))


def test_the_change_of_a_bug_holds_its_screenshot_only_when_it_changed(
    settings: Settings, log: Callable[[str], list[Change]]
) -> None:
    store = TableStore(client(settings, "dynamodb"), settings, BUGS, Bug)
    stored = store.create(bug(unique("B")), **by())
    store.update(stored.model_copy(update={"title": "u"}), expected_version=1, **by())

    created, renamed = log(f"bugs/{stored.bug_id}")

    assert created.changes["screenshot"] == {"after": SCREENSHOT}
    assert set(renamed.changes) == {"title"}


# -- failures -------------------------------------------------------------------------------------------


def test_a_missing_table_waits_for_a_person_and_says_what_to_do(settings: Settings) -> None:
    elsewhere = Settings.model_validate(settings.model_dump() | {"name_prefix": "nowhere"})
    store = TableStore(client(settings, "dynamodb"), elsewhere, MEMBERS, Member)

    with pytest.raises(PermanentFailure, match=r"nowhere-members: ResourceNotFoundException.*deploy the stacks"):
        store.get(member_id="M-1")
    with pytest.raises(PermanentFailure, match="deploy the stacks"):
        store.batch_write([member("M-1")])


def impatient(url: str) -> "DynamoDBClient":
    """Without the client's own attempts, which take twenty seconds to give up."""
    return boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="prism-local",
        aws_secret_access_key="prism-local",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(
    ("status", "code"), [(400, "ThrottlingException"), (500, "InternalServerError"), (503, "ServiceUnavailable")]
)
def test_throttling_and_broken_services_are_transient(
    status: int, code: str, proxy: Proxy, settings: Settings
) -> None:
    proxy.interfere = lambda *_: (status, {"__type": code, "message": "no"})
    store = TableStore(impatient(proxy.url), settings, MEMBERS, Member)

    with pytest.raises(TransientFailure, match="read of prism-members"):
        store.get(member_id="M-1")


def test_a_service_that_is_not_there_is_transient(settings: Settings) -> None:
    store = TableStore(impatient("http://127.0.0.1:9"), settings, MEMBERS, Member)

    with pytest.raises(TransientFailure, match="could not be reached"):
        store.get(member_id="M-1")


def test_a_store_is_made_for_the_model_of_its_table(settings: Settings) -> None:
    with pytest.raises(BadUsage, match="members holds Member, not Allocation"):
        TableStore(client(settings, "dynamodb"), settings, MEMBERS, Allocation)


def test_every_access_path_of_every_table_answers(settings: Settings) -> None:
    nowhere = {"week": Week.parse("1999-W01"), "shard": 0}
    for spec in TABLES.values():
        reader = TableReader(client(settings, "dynamodb"), settings, spec, spec.model)
        for path in spec.paths.values():
            parts = {part: nowhere.get(part, "none") for part in path.partition.parts}

            assert list(reader.query_as(path.model or spec.model, path.name, **parts)) == []
