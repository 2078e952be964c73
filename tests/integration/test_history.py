"""The change log, read and turned back.

Why real: the order of the log, its cursor, and who wins a version are the service's own rules.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from pydantic import JsonValue

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.clock import SKEW
from prism_core.failures import BadUsage, PermanentFailure, StaleVersion
from prism_core.history.changes import state_of
from prism_core.history.rebuild import LaterChanges, TooManyChanges, in_order, replay
from prism_core.models.changes import Change, Operation
from prism_core.models.people import Member, MemberStatus
from prism_core.models.work import Allocation
from prism_core.settings import Settings
from prism_core.tables import ALLOCATIONS, CHANGELOG, MEMBERS, THROUGHPUT
from prism_resources.aws import client
from prism_resources.tables.history import TableHistory, key_of_item_key
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore, Write

EDITS, EDITORS = 200, 8
W01 = Week.parse("2026-W01")
LONG_AGO = datetime(2019, 3, 4, 7, tzinfo=UTC)


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def by(now: datetime, request_id: str = "") -> dict[str, Any]:
    return {"actor": "lead-1", "reason": "test", "request_id": request_id or unique("r"), "now": now}


def allocation(member_id: str, hours: int, project_id: str = "P-1") -> Allocation:
    return Allocation.model_validate(
        {"member_id": member_id, "week": W01, "project_id": project_id, "hours": {W01.monday: str(hours)}}
    )


def hours(number: int) -> dict[str, Any]:
    return {"hours": {W01.monday: Decimal(number).quantize(Decimal("0.01"))}}


def member(member_id: str, **fields: Any) -> Member:
    base = {"member_id": member_id, "name": "Ana", "email": "ana@example.org", "time_zone": "Europe/Madrid"}
    return Member.model_validate(base | fields)


@pytest.fixture(scope="module")
def settings(platform: Platform) -> Settings:
    return platform.settings


@pytest.fixture(scope="module")
def history(settings: Settings) -> TableHistory:
    return TableHistory(client(settings, "dynamodb"), settings)


@pytest.fixture(scope="module")
def allocations(settings: Settings) -> TableStore[Allocation]:
    return TableStore(client(settings, "dynamodb"), settings, ALLOCATIONS, Allocation)


@pytest.fixture(scope="module")
def members(settings: Settings) -> TableStore[Member]:
    return TableStore(client(settings, "dynamodb"), settings, MEMBERS, Member)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def item_key(item: Allocation | Member) -> str:
    spec = ALLOCATIONS if isinstance(item, Allocation) else MEMBERS
    return spec.item_key(spec.key_of(item))


# -- many hands ------------------------------------------------------------------------------------------


def test_of_two_hundred_conflicting_edits_exactly_one_wins_each_version_and_the_log_replays_to_the_item(
    allocations: TableStore[Allocation], history: TableHistory
) -> None:
    first = allocations.create(allocation(unique("M"), 1), **by(LONG_AGO))
    gate = threading.Barrier(EDITORS)
    lost: Counter[int] = Counter()

    def edit(number: int) -> int:
        """Read, change, write; read again when somebody was quicker. The clock stands still."""
        if number < EDITORS:
            gate.wait()
        while True:
            read = allocations.get(member_id=first.member_id, week=W01, project_id="P-1")
            assert read is not None
            change = {"plan_id": f"plan-{number}"} | (hours(number % 24) if number % 2 else {})
            try:
                stored = allocations.update(
                    read.model_copy(update=change), expected_version=read.version, **by(LONG_AGO, f"edit-{number}")
                )
            except StaleVersion:
                lost[number] += 1
            else:
                return stored.version

    with ThreadPoolExecutor(EDITORS) as pool:
        won = list(pool.map(edit, range(EDITS)))

    changes = in_order(history.of_item(ALLOCATIONS, item_key(first)))
    stored = allocations.get(member_id=first.member_id, week=W01, project_id="P-1")
    assert stored is not None
    assert sorted(won) == list(range(2, EDITS + 2))
    assert [change.version for change in changes] == list(range(1, EDITS + 2))
    assert {f"edit-{number}": version for number, version in enumerate(won)} == {
        change.request_id: change.version for change in changes[1:]
    }
    assert replay(changes) == stored.plain()
    assert sum(lost.values()) > EDITORS


def test_of_two_hundred_edits_of_one_version_one_wins_and_the_others_leave_no_trace(
    allocations: TableStore[Allocation], history: TableHistory
) -> None:
    first = allocations.create(allocation(unique("M"), 1), **by(LONG_AGO))

    def edit(number: int) -> bool:
        try:
            allocations.update(
                first.model_copy(update={"plan_id": f"plan-{number}"}), expected_version=1, **by(LONG_AGO)
            )
        except StaleVersion:
            return False
        return True

    with ThreadPoolExecutor(EDITORS) as pool:
        won = list(pool.map(edit, range(EDITS)))

    stored = allocations.get(member_id=first.member_id, week=W01, project_id="P-1")
    assert stored is not None
    assert (won.count(True), stored.version, stored.plan_id) == (1, 2, f"plan-{won.index(True)}")
    assert len(list(history.of_item(ALLOCATIONS, item_key(first)))) == 2


# -- whatever was done ------------------------------------------------------------------------------------

# Which item, what to do with it, and how long after the last: no time at all is a clock that is fixed.
steps = st.lists(
    st.tuples(
        st.sampled_from(["P-1", "P-2", "P-3"]),
        st.none() | st.integers(0, 3),
        st.sampled_from([0, 1, 1_000_000]),
    ),
    max_size=12,
)


@given(steps)
@given_settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_after_any_operations_every_instant_is_as_it_was_recorded_and_the_log_replays(
    allocations: TableStore[Allocation],
    history: TableHistory,
    now: datetime,
    steps: list[tuple[str, int | None, int]],
) -> None:
    member_id, at = unique("M"), now
    recorded: list[tuple[datetime, dict[str, dict[str, JsonValue]]]] = []
    for project_id, number, pause in steps:
        at += timedelta(microseconds=pause)
        read = allocations.get(member_id=member_id, week=W01, project_id=project_id)
        if number is None and read is not None:
            allocations.delete(read, expected_version=read.version, **by(at))
        elif number is not None and read is not None:
            allocations.update(read.model_copy(update=hours(number)), expected_version=read.version, **by(at))
        elif number is not None:
            allocations.create(allocation(member_id, number, project_id), **by(at))
        rows = list(allocations.query("by_member", member_id=member_id, consistent=True))
        recorded.append((at, {item_key(row): row.plain() for row in rows}))

    current = list(allocations.query("by_member", member_id=member_id))
    for instant, rows in [(now - timedelta(1), {}), *dict(recorded).items()]:
        found = history.list_at(
            ALLOCATIONS, current, instant, now=at, matches=lambda state: state["member_id"] == member_id
        )
        assert found == rows
        for project_id in ("P-1", "P-2", "P-3"):
            key = ALLOCATIONS.key({"member_id": member_id, "week": W01, "project_id": project_id})
            assert history.item_at(ALLOCATIONS, key, instant) == rows.get(ALLOCATIONS.item_key(key))
    for row in current:
        assert replay(in_order(history.of_item(ALLOCATIONS, item_key(row)))) == row.plain()


def test_a_member_is_seen_as_they_were(members: TableStore[Member], history: TableHistory, now: datetime) -> None:
    first = members.create(member(unique("M")), **by(now))
    second = members.update(
        first.model_copy(update={"name": "Bea", "status": MemberStatus.INACTIVE}),
        expected_version=1,
        **by(now + timedelta(seconds=5)),
    )
    mine = {"matches": lambda state: state["member_id"] == first.member_id, "now": now}

    # The list of the active ones of now does not hold her any more; the one of then does.
    then = history.list_at(MEMBERS, [], now, **mine)
    before = history.list_at(MEMBERS, [second], now - timedelta(seconds=1), **mine)

    assert then == {item_key(first): first.plain()}
    assert before == {}
    assert history.item_at(MEMBERS, {"member_id": first.member_id}, now) == first.plain()


def test_rows_that_change_while_a_list_is_read_are_seen_as_they_were(
    allocations: TableStore[Allocation], history: TableHistory, now: datetime
) -> None:
    first = allocations.create(allocation(unique("M"), 1), **by(now))
    instant = now + timedelta(seconds=1)
    allocations.update(first.model_copy(update=hours(2)), expected_version=1, **by(now + timedelta(seconds=2)))

    found = history.list_at(  # the row was read before the update
        ALLOCATIONS, [first], instant, now=now, matches=lambda state: state["member_id"] == first.member_id
    )

    assert found == {item_key(first): first.plain()}


# -- limits ----------------------------------------------------------------------------------------------


def test_a_list_too_long_ago_is_refused_with_the_command_that_answers_it(history: TableHistory) -> None:
    with pytest.raises(TooManyChanges, match=r"run `prism as-of members --at 2019-03-04T07:00:00.000000Z`"):
        history.list_at(MEMBERS, [], LONG_AGO, now=datetime.now(UTC))


def test_too_many_changes_are_refused_and_no_further_one_is_read(
    history: TableHistory, allocations: TableStore[Allocation], now: datetime
) -> None:
    row = allocations.create(allocation(unique("M"), 1), **by(now))
    for number in range(6):
        row = allocations.update(
            row.model_copy(update=hours(number + 2)),
            expected_version=row.version,
            **by(now + timedelta(seconds=1)),
        )

    with pytest.raises(TooManyChanges, match="more than 5 changes back"):
        history.list_at(ALLOCATIONS, [row], now, now=now, max_changes=5)


def test_the_future_and_facts_have_no_history(history: TableHistory) -> None:
    with pytest.raises(BadUsage, match="lies in the future"):
        history.list_at(MEMBERS, [], datetime.now(UTC) + timedelta(days=1), now=datetime.now(UTC))
    with pytest.raises(BadUsage, match="throughput has no changes"):
        list(history.between(THROUGHPUT, LONG_AGO, LONG_AGO + timedelta(1)))
    with pytest.raises(BadUsage, match="a key is written allocations/"):
        list(history.of_item(ALLOCATIONS, "allocations/M-1"))


def test_an_item_key_leads_back_to_the_key() -> None:
    assert key_of_item_key(ALLOCATIONS, "allocations/M-1/2026-W01#P/1") == {
        "member_id": "M-1",
        "week_project": "2026-W01#P/1",
    }


# -- reading the log -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spread(allocations: TableStore[Allocation]) -> tuple[datetime, datetime, list[str]]:
    """Forty changes over three weeks of a year that no other test uses, some at one instant; newest first."""
    start = datetime(2031, 5, 8, 7, tzinfo=UTC)
    instants = [start + timedelta(days=number // 3) for number in range(40)]
    made = [allocations.create(allocation(unique("M"), 1), **by(instant)) for instant in instants]
    return start, instants[-1], [item_key(row) for row in reversed(made)]


def test_changes_between_two_instants_come_newest_first_over_weeks_and_shards(
    history: TableHistory, spread: tuple[datetime, datetime, list[str]]
) -> None:
    start, end, expected = spread
    told: list[tuple[int, int]] = []

    found = list(
        history.between(ALLOCATIONS, start - SKEW, end, progress=lambda done, all_: told.append((done, all_)))
    )

    assert [change.instant for change in found] == sorted((c.instant for c in found), reverse=True)
    assert Counter(change.item_key for change in found) == Counter(expected)
    assert len({change.shard for change in found}) > 1
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_later_end_is_part_of_a_span_and_the_earlier_is_not(
    history: TableHistory, spread: tuple[datetime, datetime, list[str]]
) -> None:
    start, _, _ = spread

    found = list(history.between(ALLOCATIONS, start, start + timedelta(days=1)))

    assert {change.instant for change in found} == {start + timedelta(days=1)}
    assert len(found) == 3


@pytest.mark.parametrize("limit", [1, 7, 39, 40, 41])
def test_pages_of_changes_join_without_a_gap_or_a_repetition(
    history: TableHistory, spread: tuple[datetime, datetime, list[str]], limit: int
) -> None:
    start, end, _ = spread
    whole = list(history.between(ALLOCATIONS, start - SKEW, end))
    pages: list[list[Change]] = []
    cursor: str | None = None
    while True:
        page = history.page_between(ALLOCATIONS, start - SKEW, end, limit=limit, start=cursor)
        pages.append(page.items)
        cursor = page.next
        if cursor is None:
            break

    assert [change for items in pages for change in items] == whole
    assert all(len(items) == limit for items in pages[:-1])


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "2019-01-01T00:00:00.000000Z#0",
        "~",
        "2031-05-09#x#y",
        "2031-05-09T99:00:00.000000Z#01ARZ3NDEKTSV4RRFFQ69G5FAV",
    ],
)
def test_a_cursor_from_elsewhere_is_refused(
    history: TableHistory, spread: tuple[datetime, datetime, list[str]], cursor: str
) -> None:
    start, end, _ = spread

    with pytest.raises(BadUsage, match="the cursor does not belong"):
        history.page_between(ALLOCATIONS, start, end, limit=5, start=cursor)


def test_a_change_is_found_by_its_key_in_its_table_alone(
    history: TableHistory, settings: Settings, members: TableStore[Member], now: datetime
) -> None:
    stored = members.create(member(unique("M")), **by(now))
    (change,) = history.page_of_item(MEMBERS, item_key(stored), limit=5).items
    key = CHANGELOG.key_of(change)

    assert history.change(MEMBERS, key) == change
    assert history.change(ALLOCATIONS, key) is None
    assert history.change(MEMBERS, key | {"instant_ulid": "x"}) is None


# -- undo ------------------------------------------------------------------------------------------------


@pytest.fixture
def edited(members: TableStore[Member], now: datetime) -> Member:
    first = members.create(member(unique("M")), **by(now))
    second = members.update(first.model_copy(update={"name": "Bea"}), expected_version=1, **by(now))
    return members.update(second.model_copy(update={"time_zone": "UTC"}), expected_version=2, **by(now))


def change_to(history: TableHistory, item: Member, version: int) -> Change:
    return next(c for c in history.of_item(MEMBERS, item_key(item)) if c.version == version)


def test_an_undo_is_a_change_of_its_own_that_keeps_later_edits_of_other_fields(
    history: TableHistory, members: TableStore[Member], edited: Member, now: datetime
) -> None:
    stored = history.undo(members, change_to(history, edited, 2), **by(now))

    assert stored == edited.model_copy(update={"name": "Ana", "version": 4})
    newest = change_to(history, edited, 4)
    assert (newest.operation, newest.changes) == (Operation.UPDATE, {"name": {"before": "Bea", "after": "Ana"}})


def test_an_undo_that_is_repeated_after_its_answer_was_lost_is_done_once(
    history: TableHistory, members: TableStore[Member], edited: Member, now: datetime
) -> None:
    change = change_to(history, edited, 2)

    first = history.undo(members, change, **by(now, "undo-1"))
    again = history.undo(members, change, **by(now, "undo-1"))

    assert again == first
    assert change_to(history, edited, 4).request_id == "undo-1.undo"
    with pytest.raises(LaterChanges):
        history.undo(members, change, **by(now, "undo-2"))


def test_an_undo_under_a_later_edit_is_refused_with_the_fields_and_the_edit(
    history: TableHistory, members: TableStore[Member], edited: Member, now: datetime
) -> None:
    members.update(edited.model_copy(update={"name": "Cea"}), expected_version=3, **by(now))

    with pytest.raises(LaterChanges, match=r"name: version 4 of .* by lead-1 stands on it") as refused:
        history.undo(members, change_to(history, edited, 2), **by(now))

    assert refused.value.fields == ("name",)
    stored = members.get(member_id=edited.member_id)
    assert stored is not None
    assert (stored.name, stored.version) == ("Cea", 4)


def test_undoing_a_deletion_and_a_creation_turns_them_back(
    history: TableHistory, members: TableStore[Member], now: datetime
) -> None:
    first = members.create(member(unique("M")), **by(now))
    members.delete(first, expected_version=1, **by(now))

    restored = history.undo(members, change_to(history, first, 2), **by(now))
    gone = history.undo(members, change_to(history, first, 3), **by(now))

    assert restored == first.model_copy(update={"version": 3})
    assert gone is None
    assert members.get(member_id=first.member_id) is None
    assert [c.version for c in history.of_item(MEMBERS, item_key(first))] == [4, 3, 2, 1]


def test_an_undo_that_races_with_an_edit_of_another_field_keeps_both(
    history: TableHistory, members: TableStore[Member], edited: Member, now: datetime
) -> None:
    class Racing(TableStore[Member]):
        raced = False

        def transact(self, writes: Sequence[Write[Member]], **rest: Any) -> list[Member | None]:
            if not self.raced:
                self.raced = True
                members.update(edited.model_copy(update={"cognito_sub": "s"}), expected_version=3, **by(now))
            return super().transact(writes, **rest)

    racing = Racing(members.client, members.settings, MEMBERS, Member)

    stored = history.undo(racing, change_to(history, edited, 2), **by(now))

    assert stored is not None
    assert (stored.name, stored.cognito_sub, stored.version) == ("Ana", "s", 5)


def test_a_change_of_another_table_is_not_undone_through_this_one(
    history: TableHistory, allocations: TableStore[Allocation], edited: Member, now: datetime
) -> None:
    with pytest.raises(BadUsage, match="the change is one of members, not of allocations"):
        history.undo(allocations, change_to(history, edited, 2), **by(now))


def test_a_row_that_was_written_past_the_log_is_noticed(
    history: TableHistory, allocations: TableStore[Allocation], now: datetime
) -> None:
    first = allocations.create(allocation(unique("M"), 1), **by(now))
    allocations.update(first.model_copy(update=hours(2)), expected_version=1, **by(now + timedelta(seconds=9)))
    allocations.batch_write([first.model_copy(update=hours(3) | {"version": 2})])

    with pytest.raises(PermanentFailure, match="has a gap at version 2"):
        history.item_at(ALLOCATIONS, ALLOCATIONS.key_of(first), now)


def test_a_row_that_was_deleted_past_the_log_is_no_item_that_never_was(
    history: TableHistory, allocations: TableStore[Allocation], settings: Settings, now: datetime
) -> None:
    at = now - timedelta(days=21)
    first = allocations.create(allocation(unique("M"), 1), **by(at))
    key = ALLOCATIONS.key_of(first)
    client(settings, "dynamodb").delete_item(
        TableName=settings.table_name("allocations"), Key={name: {"S": part} for name, part in key.items()}
    )
    try:
        with pytest.raises(PermanentFailure, match=r"has a gap behind version 1 .*the item is not there"):
            history.item_at(ALLOCATIONS, key, now)
    finally:
        allocations.batch_write([first])


def test_the_state_of_a_fact_never_comes_from_the_log(settings: Settings) -> None:
    log = TableReader(client(settings, "dynamodb"), settings, CHANGELOG, Change)

    assert list(log.query("by_item", item_key="throughput/P-1/2026-W01#M-1@000001")) == []
    assert state_of(None) == {}
