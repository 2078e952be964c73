"""Why real: what a kill leaves, who wins a race and what a reader sees in between are facts of the tables.

Processes are killed with SIGKILL at random calls of theirs; SOAK_KILLS says how many (5).
"""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_assets.definitions import build_definitions
from prism_core import clock
from prism_core.calendar import Week
from prism_core.capacity.describing import describe
from prism_core.capacity.problem import Exclusion
from prism_core.failures import BadUsage, StaleVersion, TransientFailure
from prism_core.models.alerts import Plan, PlanStatus
from prism_core.models.changes import Change
from prism_core.models.people import Member
from prism_core.models.published import PublicationState
from prism_core.models.reports import Recipient
from prism_core.publications import Days, Pair, pair_of
from prism_core.settings import Settings, load_settings
from prism_core.tables import ALLOCATIONS, MEMBERS, PLANS, PROJECTS, PUBLISHED_PLANS, RECIPIENTS
from prism_resources.aws import client
from prism_resources.mailing import Mailing
from prism_resources.planning import items_of_week
from prism_resources.plans.publishing import OutdatedPlan, Overtaken, Publisher
from prism_resources.plans.telling import REPORT, tell, tell_all
from prism_resources.tables.history import TableHistory
from tests.integration.emulators import await_true
from tests.integration.fresh import platform_of_this_file
from tests.integration.publishing_world import (
    MEMBERS_OF_PLAN,
    NOW,
    PROJECTS_OF_PLAN,
    WHO,
    Planned,
    hours_of,
    people,
    plan,
    published,
    publishing,
    row,
    rows_of_people,
    start,
    store,
    undoing,
)
from tests.integration.test_emulator_contract_mail import received, sink
from tests.integration.ticks import tick

platform = platform_of_this_file()
KILLS = int(os.environ.get("SOAK_KILLS", "5"))
# What a publication of these rows takes, about: two events a call.
CALLS = 340
EIGHT = Decimal(8)
_weeks = count()


@pytest.fixture(scope="module")
def settings(platform: Platform) -> Settings:
    people(platform.settings)
    return platform.settings


@pytest.fixture
def week() -> Week:
    """A week of one test."""
    return Week.parse("2031-W01") + next(_weeks)


@pytest.fixture
def before(settings: Settings, week: Week) -> dict[Pair, Days]:
    return rows_of_people(settings, week)


@pytest.fixture
def publisher(settings: Settings) -> Publisher:
    return Publisher(settings)


def publish(publisher: Publisher, week: Week, plan_id: str, hours: int, expected: int) -> Any:
    return publisher.publish(week, plan_id, plan(week, hours), actor="lead-1", reason="soon", expected=expected)


def stored_plan(settings: Settings, week: Week, plan_id: str) -> None:
    values = {
        "plan_id": plan_id,
        "week": week,
        "scenario": "base",
        "objective": Decimal(1),
        "body": "plans/x.json.gz",
        "created": NOW,
        "created_by": "lead-1",
    }
    store(settings, PLANS).create(Plan.model_validate(values), request_id=plan_id, **WHO)


def changes_of(settings: Settings, week: Week, pair: Pair) -> list[Change]:
    key = ALLOCATIONS.key({"member_id": pair[0], "project_id": pair[1], "week": week})
    history = TableHistory(client(settings, "dynamodb"), settings)
    found = history.of_item(ALLOCATIONS, ALLOCATIONS.item_key(key))
    return sorted(found, key=lambda change: change.version)  # people write at a fixed instant here


def killed(settings: Settings, week: Week, plan_id: str, hours: int, expected: int, at: int) -> bool:
    """Publish in a process that is killed at its n-th event; False when it was done before."""
    process = start(publishing, settings.model_dump_json(), week.label, plan_id, hours, expected, at)
    process.join(240)
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode != 0


def killed_while_folding(settings: Settings, week: Week, plan_id: str, hours: int, expected: int) -> None:
    """The same, killed after readers see the plan and before all its rows are written."""
    publisher = Publisher(settings)
    for at in range(150, 20, -7):
        assert killed(settings, week, plan_id, hours, expected, at)
        pointer = publisher.pointer(week)
        if pointer is not None and pointer.publication > expected:
            assert pointer.state is PublicationState.FOLDING
            return
    raise AssertionError("it was never killed in between")


@contextmanager
def at_calls(settings: Settings, operation: str, act: Callable[[int], None]) -> Iterator[None]:
    """Do something before each call of an operation by this process, the number of the call given."""
    events = client(settings, "dynamodb").meta.events
    busy, seen = threading.Lock(), count(1)

    def hook(**_: Any) -> None:
        if busy.acquire(blocking=False):  # not at the calls of what is done here
            try:
                act(next(seen))
            finally:
                busy.release()

    name = f"before-call.dynamodb.{operation}"
    events.register(name, hook)
    try:
        yield
    finally:
        events.unregister(name, hook)


# -- publishing and undoing --------------------------------------------------------------------------------


def test_a_plan_replaces_what_is_not_pinned_and_the_history_names_it(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    stored_plan(settings, week, "plan-a")

    done = publish(publisher, week, "plan-a", 8, 0)

    assert hours_of(settings, week) == published(plan(week, 8), week, before)
    pointer = publisher.pointer(week)
    assert pointer == done.pointer
    assert pointer is not None
    assert (pointer.publication, pointer.plan_id, pointer.state, pointer.edited) == (
        1, "plan-a", PublicationState.SETTLED, 0,
    )  # fmt: skip
    found = store(settings).get(member_id="m-01", project_id="p-2", week=week)
    assert (found.plan_id, found.source, found.version) == ("plan-a", "plan", 2)
    last = changes_of(settings, week, ("m-01", "p-2"))[-1]
    assert (last.actor, last.version) == ("lead-1", 2)
    assert "plan plan-a was published" in last.reason
    assert last.reason.endswith("soon")
    assert store(settings, PLANS).get(plan_id="plan-a").status is PlanStatus.PUBLISHED
    assert items_of_week(settings, week).is_published
    assert {one.member_id for one in done.changes} >= {"m-01", "m-02"}


def test_a_week_is_published_again_and_each_publication_is_taken_back(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    for name in ("plan-b", "plan-c"):
        stored_plan(settings, week, name)
    publish(publisher, week, "plan-b", 8, 0)
    publish(publisher, week, "plan-c", 3, 1)

    assert hours_of(settings, week) == published(plan(week, 3), week, before)
    back = publisher.undo(week, actor="lead-2", reason="no", expected=2)

    assert hours_of(settings, week) == published(plan(week, 8), week, before)
    assert (back.pointer.publication, back.pointer.plan_id, back.pointer.undoes) == (3, "plan-b", 2)
    assert "publication 2 of" in changes_of(settings, week, ("m-01", "p-2"))[-1].reason
    statuses = {name: store(settings, PLANS).get(plan_id=name).status for name in ("plan-b", "plan-c")}
    assert statuses == {"plan-b": PlanStatus.PUBLISHED, "plan-c": PlanStatus.SUPERSEDED}
    publisher.undo(week, actor="lead-2", expected=3)
    assert hours_of(settings, week) == published(plan(week, 3), week, before)


def test_undoing_the_first_publication_leads_back_to_what_people_wrote(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    publish(publisher, week, "plan-d", 8, 0)

    back = publisher.undo(week, actor="lead-1", expected=1)

    assert hours_of(settings, week) == before
    assert back.pointer.plan_id is None
    assert not items_of_week(settings, week).is_published
    found = store(settings).get(member_id="m-01", project_id="p-1", week=week)
    assert (found.source, found.plan_id) == ("person", None)
    # The same call again is the same undo; a row that was created, deleted and created again keeps its order.
    assert publisher.undo(week, actor="lead-1", expected=1).pointer == back.pointer
    publisher.undo(week, actor="lead-1", expected=2)
    versions = [one.version for one in changes_of(settings, week, ("m-00", "p-3"))]
    assert versions == list(range(1, len(versions) + 1))


def test_where_nothing_was_published_nothing_is_taken_back(publisher: Publisher, week: Week) -> None:
    with pytest.raises(BadUsage, match=r"no plan of .* was published"):
        publisher.undo(week, actor="lead-1", expected=0)


def test_an_empty_plan_leaves_the_pins_alone(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    publisher.publish(week, "plan-e", {}, actor="lead-1", expected=0)

    assert hours_of(settings, week) == published({}, week, before)
    publisher.publish(week, "plan-e2", {}, actor="lead-1", expected=1)  # nothing to replace, and still published
    pointer = publisher.pointer(week)
    assert pointer is not None
    assert (pointer.plan_id, pointer.changed) == ("plan-e2", 0)


def test_the_same_call_again_publishes_once(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    first = publish(publisher, week, "plan-f", 8, 0)

    again = publish(publisher, week, "plan-f", 8, 0)

    assert (again.pointer, again.changes) == (first.pointer, first.changes)
    with pytest.raises(Overtaken) as overtaken:
        publish(publisher, week, "plan-g", 8, 0)
    assert overtaken.value.changes == ()  # its hours are those that are there


def test_members_and_projects_that_were_archived_since_are_named_and_nothing_is_written(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    member = store(settings, MEMBERS).get(member_id="m-05")
    project = store(settings, PROJECTS).get(project_id="p-2")
    for spec, item, status in ((MEMBERS, member, "inactive"), (PROJECTS, project, "closed")):
        gone = spec.model.model_validate(item.model_dump() | {"status": status})
        store(settings, spec).update(gone, expected_version=item.version, request_id="gone", **WHO)

    try:
        with pytest.raises(OutdatedPlan, match="member m-05 is not active; project p-2 is not active"):
            publish(publisher, week, "plan-h", 8, 0)
    finally:
        for spec, item in ((MEMBERS, member), (PROJECTS, project)):
            store(settings, spec).update(item, expected_version=item.version + 1, request_id="back", **WHO)

    assert hours_of(settings, week) == before
    assert publisher.pointer(week) is None


def test_a_day_that_pins_of_since_make_longer_than_a_day_is_named(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    pin = row(week, "m-07", "p-4", hours={week.days[1]: Decimal(12)}, pinned=True)
    store(settings).create(pin, request_id="pin", **WHO)

    with pytest.raises(OutdatedPlan, match="m-07 would work 28"):
        publish(publisher, week, "plan-i", 8, 0)


# -- what people write ---------------------------------------------------------------------------------------


def test_an_edit_just_before_the_publication_stays_and_is_counted(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    table = store(settings)
    mine = {week.days[4]: Decimal(2)}

    def edit(number: int) -> None:
        if number == 1:  # the rows are read, the pointer is about to be written
            for project in ("p-1", "p-2"):
                found = table.get(member_id="m-01", project_id=project, week=week)
                edited = found.model_copy(update={"hours": mine})
                table.update(edited, expected_version=found.version, request_id=f"edit-{project}", **WHO)
            table.create(row(week, "m-02", "p-3", hours=mine), request_id="new", **WHO)
            table.create(row(week, "m-02", "p-4", hours=mine), request_id="beside", **WHO)

    with at_calls(settings, "TransactWriteItems", edit):
        done = publish(publisher, week, "plan-j", 8, 0)

    kept = {("m-01", "p-1"): mine, ("m-01", "p-2"): mine, ("m-02", "p-3"): mine, ("m-02", "p-4"): mine}
    assert hours_of(settings, week) == published(plan(week, 8), week, before) | kept
    assert done.pointer.edited == len(done.edited) == 4
    assert set(done.edited) == kept.keys()
    # None of them is told, or said to have the plan's hours, however often the call is made.
    assert not kept.keys() & {(one.member_id, one.project_id) for one in done.changes}
    assert publish(publisher, week, "plan-j", 8, 0) == done
    back = publisher.undo(week, actor="lead-1", expected=1)
    assert hours_of(settings, week) == before | kept
    assert not kept.keys() & {(one.member_id, one.project_id) for one in back.changes}


def test_an_edit_while_rows_are_written_is_of_the_new_row_and_stays(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    table = store(settings)
    old = table.get(member_id="m-30", project_id="p-2", week=week)
    mine = {week.days[4]: Decimal(2)}

    def edit(number: int) -> None:
        if number == 2:  # published, and no row is written
            with pytest.raises(StaleVersion):
                table.update(old.model_copy(update={"hours": mine}), expected_version=1, request_id="stale", **WHO)
            found = table.get(member_id="m-30", project_id="p-2", week=week)
            assert found.plan_id == "plan-k"
            edited = found.model_copy(update={"hours": mine})
            table.update(edited, expected_version=found.version, request_id="edit", **WHO)
            added = table.get(member_id="m-30", project_id="p-3", week=week)
            table.delete(added, expected_version=added.version, request_id="delete", **WHO)

    with at_calls(settings, "TransactWriteItems", edit):
        publish(publisher, week, "plan-k", 8, 0)

    wanted = published(plan(week, 8), week, before) | {("m-30", "p-2"): mine}
    del wanted["m-30", "p-3"]
    assert hours_of(settings, week) == wanted
    said = [one.reason for one in changes_of(settings, week, ("m-30", "p-2"))]
    assert len(said) == 3
    assert "plan-k" in said[1]


def test_an_undo_leaves_what_was_edited_or_pinned_since_and_names_it(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    publish(publisher, week, "plan-l", 8, 0)
    table = store(settings)
    changes: dict[Pair, dict[str, Any]] = {
        ("m-01", "p-2"): {"hours": {week.monday: Decimal(7)}},
        ("m-02", "p-3"): {"pinned": True},
    }
    for (member, project), fields in changes.items():
        found = table.get(member_id=member, project_id=project, week=week)
        edited = found.model_copy(update=fields)
        table.update(edited, expected_version=found.version, request_id="edit", **WHO)

    back = publisher.undo(week, actor="lead-1", expected=1)

    assert back.edited == (("m-01", "p-2"), ("m-02", "p-3"))
    assert back.pointer.edited == 2
    kept = {("m-01", "p-2"): {week.monday: Decimal(7)}, ("m-02", "p-3"): plan(week, 8)["m-02", "p-3"]}
    assert hours_of(settings, week) == before | kept


# -- two at once, readers, kills -------------------------------------------------------------------------------


def test_of_two_processes_that_publish_at_once_one_wins_and_the_other_sees_the_difference(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher, tmp_path: Path
) -> None:
    answers = [tmp_path / "one", tmp_path / "two"]
    text = settings.model_dump_json()
    processes = [
        start(_into, str(answer), text, week.label, f"plan-{number}", number + 3, 0)
        for number, answer in enumerate(answers)
    ]
    for process in processes:
        process.join(240)

    said = [answer.read_text() for answer in answers]
    winner = next(number for number, one in enumerate(said) if '"publication": 1' in one)
    assert "overtaken" in said[1 - winner]
    assert '"changes": 0' not in said[1 - winner]
    assert f"plan-{winner} by lead-1" in said[1 - winner]
    assert hours_of(settings, week) == published(plan(week, winner + 3), week, before)


def _into(path: str, *arguments: Any) -> None:
    """The same as `publishing`, its answer into a file."""
    with Path(path).open("w", encoding="utf-8") as sys.stdout:
        publishing(*arguments)


def test_readers_see_the_old_rows_or_the_new_ones_and_never_the_old_ones_again(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    stop, wrong = threading.Event(), list[str]()
    states = [before, published(plan(week, 8), week, before), published(plan(week, 3), week, before)]
    reads: list[int] = []

    def read() -> None:
        at = 0
        while not stop.is_set():
            for part, found in _reads(settings, week).items():
                of_part = [{pair: hours for pair, hours in one.items() if part in {*pair, ""}} for one in states]
                if found in of_part[at:]:
                    at += of_part[at:].index(found)
                else:
                    wrong.append(f"{part or 'the week'} is neither of {at} to 2: {len(found)} rows")
            reads.append(at)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        publish(publisher, week, "plan-m", 8, 0)
        publish(publisher, week, "plan-n", 3, 1)
        await_true(lambda: len(reads) > 10)
    finally:
        stop.set()
        for reader in readers:
            reader.join()

    assert wrong == []


def _reads(settings: Settings, week: Week) -> dict[str, dict[Pair, Days]]:
    """By every way, and in pages."""
    table = store(settings)
    found: dict[str, Any] = {
        "": table.query("by_week", week=week),
        "p-2": table.query("by_project", project_id="p-2", week=week),
        "m-30": table.query("by_member", member_id="m-30", first=week, last=week, consistent=True),
    }
    return {part: {pair_of(one): one.hours for one in rows} for part, rows in found.items()}


@pytest.mark.parametrize("number", range(KILLS))
def test_a_kill_leaves_the_old_rows_or_the_new_ones_and_the_next_call_ends_it(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher, number: int
) -> None:
    random.seed()
    after, at = published(plan(week, 8), week, before), random.randint(1, CALLS)
    was_killed = killed(settings, week, "plan-o", 8, 0, at)
    pointer = publisher.pointer(week)

    for part, found in _reads(settings, week).items():
        wanted = before if pointer is None else after
        assert found == {pair: hours for pair, hours in wanted.items() if part in {*pair, ""}}, f"killed at {at}"
    for _ in range(3):
        was_killed = killed(settings, week, "plan-o", 8, 0, random.randint(1, CALLS)) and was_killed
    done = publish(publisher, week, "plan-o", 8, 0)

    assert hours_of(settings, week) == after
    assert (done.pointer.publication, done.pointer.state, done.pointer.edited) == (1, PublicationState.SETTLED, 0)
    for pair in ((member, project) for member in MEMBERS_OF_PLAN for project in PROJECTS_OF_PLAN):
        changes = changes_of(settings, week, pair)
        versions = [one.version for one in changes]
        assert versions == list(range(1, len(versions) + 1))
        assert len(changes) == (pair in before) + (before.get(pair) != after.get(pair))


@pytest.mark.parametrize("number", range(-(-KILLS // 2)))
def test_a_kill_of_an_undo_leaves_the_plan_or_what_was_before_and_the_next_call_ends_it(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher, number: int
) -> None:
    del number
    random.seed()
    publish(publisher, week, "plan-t", 8, 0)
    process = start(undoing, settings.model_dump_json(), week.label, 1, at := random.randint(1, CALLS))
    process.join(240)

    pointer = publisher.pointer(week)
    assert pointer is not None
    after = published(plan(week, 8), week, before)
    assert hours_of(settings, week) == (after if pointer.publication == 1 else before), f"killed at {at}"
    done = publisher.undo(week, actor="lead-1", expected=1)
    assert hours_of(settings, week) == before
    assert (done.pointer.publication, done.pointer.state) == (2, PublicationState.SETTLED)


def test_a_week_that_a_kill_left_is_read_in_pages_and_one_by_one_as_it_is_published(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    killed_while_folding(settings, week, "plan-p", 8, 0)
    table = store(settings)
    after = published(plan(week, 8), week, before)

    for backwards in (False, True):
        rows, start, pages = list[Any](), None, 0
        while pages == 0 or start is not None:
            page = table.page("by_week", week=week, limit=7, start=start, backwards=backwards)
            rows, start, pages = rows + page.items, page.next, pages + 1
        assert {pair_of(one): one.hours for one in rows} == after
        assert len(rows) == len(after)
        assert pages > 5
    for pair, hours in after.items():
        assert table.get(member_id=pair[0], project_id=pair[1], week=week).hours == hours
    gone = next(pair for pair in before if pair not in after)
    assert table.get(member_id=gone[0], project_id=gone[1], week=week) is None
    history = TableHistory(client(settings, "dynamodb"), settings)
    with pytest.raises(TransientFailure, match="is being published"):
        history.list_at(ALLOCATIONS, table.query("by_week", week=week), NOW, now=NOW)

    # Whoever edits the week ends it.
    found = store(settings).get(member_id="m-20", project_id="p-2", week=week)
    pinned = found.model_copy(update={"pinned": True})
    assert store(settings).update(pinned, expected_version=found.version, request_id="pin", **WHO).version == 3
    pointer = publisher.pointer(week)
    assert pointer is not None
    assert pointer.state is PublicationState.SETTLED
    assert hours_of(settings, week) == after


def test_a_writer_that_slept_through_the_end_writes_nothing_any_more(
    settings: Settings, week: Week, before: dict[Pair, Days], publisher: Publisher
) -> None:
    process = start(_sleeping, settings.model_dump_json(), week.label)
    deadline = time.monotonic() + 200
    while (pointer := publisher.pointer(week)) is None or _state_of(process.pid) != "T":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert pointer.state is PublicationState.FOLDING
    publisher.finish(week)
    table = store(settings)
    for project in ("p-2", "p-3"):
        for member in MEMBERS_OF_PLAN:
            found = table.get(member_id=member, project_id=project, week=week)
            if found is not None and not found.pinned:
                table.delete(found, expected_version=found.version, request_id="delete", **WHO)
    left = hours_of(settings, week)

    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)
    process.join(240)

    assert process.exitcode == 0
    assert hours_of(settings, week) == left
    assert len(left) < 20


def _sleeping(settings_text: str, week: str) -> None:
    """Publish, and stop before the first rows are written."""
    settings = Settings.model_validate_json(settings_text)
    calls = count(1)

    def stop(**_: Any) -> None:
        if next(calls) == 2:
            os.kill(os.getpid(), signal.SIGSTOP)

    client(settings, "dynamodb").meta.events.register("before-send.dynamodb.TransactWriteItems", stop)
    publish(Publisher(settings), Week.parse(week), "plan-q", 8, 0)


def _state_of(pid: int | None) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


# -- telling by itself ---------------------------------------------------------------------------------------


def test_of_a_running_week_the_days_that_have_passed_stay_and_an_ended_one_is_refused(
    settings: Settings, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    week = Week.parse("2034-W20")
    monday, tuesday, wednesday = week.days[:3]
    table = store(settings)
    for project, hours in (("p-1", {monday: EIGHT}), ("p-2", {tuesday: EIGHT, wednesday: EIGHT})):
        table.create(row(week, "m-01", project, hours=hours), request_id=project, **WHO)

    monkeypatch.setenv("PRISM_NOW", f"{wednesday}T09:00:00Z")
    planned = {("m-01", "p-1"): {monday: EIGHT / 2, wednesday: EIGHT}}
    done = publisher.publish(week, "plan-days", planned, actor="lead-1", expected=0)

    assert hours_of(settings, week) == {
        ("m-01", "p-1"): {monday: EIGHT, wednesday: EIGHT},
        ("m-01", "p-2"): {tuesday: EIGHT},
    }
    assert [(one.project_id, one.hours) for one in done.changes] == [("p-1", EIGHT), ("p-2", -EIGHT)]
    monkeypatch.setenv("PRISM_NOW", f"{(week + 1).monday}T09:00:00Z")
    assert publisher.publish(week, "plan-days", planned, actor="lead-1", expected=0).pointer == done.pointer
    with pytest.raises(BadUsage, match=f"{week} ended on {week.sunday}"):
        publisher.publish(week, "plan-late", planned, actor="lead-1", expected=1)
    with pytest.raises(BadUsage, match=f"{week} ended on {week.sunday}"):
        publisher.undo(week, actor="lead-1", expected=1)


def test_taking_a_plan_back_in_the_middle_of_its_week_leaves_the_days_that_have_passed(
    settings: Settings, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    week = Week.parse("2034-W25")
    monday, tuesday, wednesday = week.days[:3]
    typed = row(week, "m-01", "p-1", hours={monday: Decimal(2), wednesday: Decimal(2)})
    store(settings).create(typed, request_id="typed-w25", **WHO)
    monkeypatch.setenv("PRISM_NOW", f"{monday}T05:00:00Z")
    planned: Planned = {("m-01", "p-1"): {tuesday: EIGHT}, ("m-02", "p-1"): {monday: EIGHT, wednesday: EIGHT}}
    publisher.publish(week, "plan-w25", planned, actor="lead-1", expected=0)

    monkeypatch.setenv("PRISM_NOW", f"{wednesday}T09:00:00Z")
    back = publisher.undo(week, actor="lead-1", expected=1)

    assert hours_of(settings, week) == {
        ("m-01", "p-1"): {tuesday: EIGHT, wednesday: Decimal(2)},
        ("m-02", "p-1"): {monday: EIGHT},
    }
    assert {day for one in back.changes for day in {*one.before, *one.after} - {monday, tuesday}} == {wednesday}


def test_a_pin_of_days_that_have_passed_stays_and_lets_the_running_week_be_published(
    settings: Settings, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    week = Week.parse("2034-W22")
    monday, _, wednesday = week.days[:3]
    pin = row(week, "m-01", "p-1", hours={monday: EIGHT}, pinned=True)
    store(settings).create(pin, request_id="pin", **WHO)
    monkeypatch.setenv("PRISM_NOW", f"{wednesday}T09:00:00Z")
    problem = describe(week, items_of_week(settings, week)).problem

    publisher.publish(week, "plan-pin", {}, actor="lead-1", expected=0, problem=problem)

    assert Exclusion("m-01", "p-1") in problem.exclusions
    assert hours_of(settings, week) == {("m-01", "p-1"): {monday: EIGHT}}


@pytest.mark.parametrize("publications", [0, 1], ids=["typed", "planned"])
def test_the_rest_of_a_week_is_published_after_somebody_left_and_a_project_was_paused(
    settings: Settings, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, publications: int
) -> None:
    week = Week.parse("2034-W30") + publications
    monday, _, wednesday = week.days[:3]
    passed: Planned = {("m-06", "p-1"): {monday: EIGHT}, ("m-07", "p-3"): {monday: EIGHT}}
    left: Planned = {("m-06", "p-2"): {monday: Decimal(1), wednesday: EIGHT}}
    monkeypatch.setenv("PRISM_NOW", f"{monday}T05:00:00Z")
    if publications:
        publisher.publish(week, "plan-whole", passed | left, actor="lead-1", expected=0)
    else:
        for pair, days in (passed | left).items():
            store(settings).create(row(week, *pair, hours=days), request_id=f"{week}-{pair}", **WHO)
    member = store(settings, MEMBERS).get(member_id="m-06")
    project = store(settings, PROJECTS).get(project_id="p-3")
    for spec, item, status in ((MEMBERS, member, "inactive"), (PROJECTS, project, "paused")):
        gone = spec.model.model_validate(item.model_dump() | {"status": status})
        store(settings, spec).update(gone, expected_version=item.version, request_id=f"gone-{week}", **WHO)
    monkeypatch.setenv("PRISM_NOW", f"{wednesday}T09:00:00Z")

    planned: Planned = {("m-08", "p-1"): {wednesday: EIGHT}}
    try:
        done = publisher.publish(week, "plan-rest", planned, actor="lead-1", expected=publications)
    finally:
        for spec, item in ((MEMBERS, member), (PROJECTS, project)):
            now = item.version + 1
            store(settings, spec).update(item, expected_version=now, request_id=f"back-{week}", **WHO)

    assert hours_of(settings, week) == passed | planned | {("m-06", "p-2"): {monday: Decimal(1)}}
    assert (done.edited, len(done.changes)) == ((), 2)
    stays = store(settings).get(member_id="m-06", project_id="p-1", week=week)
    assert (stays.version, stays.plan_id) == (1, "plan-whole" if publications else None)


def test_the_sensor_asks_once_for_a_publication_and_the_asset_tells_and_finishes_it_once(
    settings: Settings,
    platform: Platform,
    publisher: Publisher,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2035-03-01T07:00:00Z")  # the weeks of the other tests have ended
    week = Week.parse("2035-W20")
    old = rows_of_people(settings, week)
    new = published(plan(week, 8), week, old)
    moved = {pair[0] for pair in {*old, *new} if old.get(pair) != new.get(pair)}  # two have pins alone
    killed_while_folding(settings, week, "plan-r", 8, 0)
    publish(publisher, week + 1, "plan-s", 8, 0)  # nobody had hours there; everybody has some now
    assert f"allocation_notices@{week}-1" not in _asked(instance)  # whoever publishes may still be at it
    assert f"allocation_notices@{week + 1}-1" in _asked(instance)

    folder = tmp_path / "mail"
    folder.mkdir()
    with sink(platform, folder):
        for _ in range(2):
            run = (
                build_definitions(load_settings())
                .resolve_implicit_global_asset_job_def()
                .execute_in_process(instance=instance, asset_selection=[dg.AssetKey("allocation_notices")])
            )
            assert run.success
        mails = received(folder, len(moved) + len(MEMBERS_OF_PLAN))

    pointer = publisher.pointer(week)
    assert pointer is not None
    assert pointer.state is PublicationState.SETTLED
    of_week = [mail for _, mail in mails if mail["Subject"] == f"Your allocations of {week} have changed"]
    later = [mail for _, mail in mails if mail["Subject"] == f"Your allocations of {week + 1} have changed"]
    assert (len(of_week), len(later)) == (len(moved), len(MEMBERS_OF_PLAN))
    assert len(moved) == len(MEMBERS_OF_PLAN) - 2

    # Cut off again, and found when its week has ended: nobody would write its rows, or read its history.
    folding = pointer.model_copy(update={"state": PublicationState.FOLDING, "settled": None})
    store(settings, PUBLISHED_PLANS).update(folding, expected_version=pointer.version, request_id="cut off", **WHO)
    monkeypatch.setenv("PRISM_NOW", "2035-07-01T07:30:00Z")
    asked = _asked(instance)
    tell_all(settings, now=clock.now())

    ended = publisher.pointer(week)
    assert f"allocation_notices@{week}-1+2035-07-01T07" in asked
    assert ended is not None
    assert ended.state is PublicationState.SETTLED


def test_a_publication_that_another_one_follows_before_anybody_was_told_is_told_too(
    settings: Settings, platform: Platform, publisher: Publisher, tmp_path: Path
) -> None:
    week, now = Week.parse("2035-W40"), datetime(2035, 9, 1, tzinfo=UTC)
    publish(publisher, week, "plan-t", 8, 0)
    publisher.undo(week, actor="lead-1", expected=1)
    publish(publisher, week, "plan-u", 6, 2)
    mine = {week.monday: Decimal(3)}

    def edit(number: int) -> None:
        if number == 1:
            table = store(settings)
            found = table.get(member_id="m-01", project_id="p-2", week=week)
            edited = found.model_copy(update={"hours": mine})
            table.update(edited, expected_version=found.version, request_id="late", **WHO)

    with at_calls(settings, "TransactWriteItems", edit):
        publish(publisher, week, "plan-v", 5, 3)
    publisher.undo(week, actor="lead-1", expected=4)

    with sink(platform, tmp_path):
        told, again = (tell_all(settings, now=now) for _ in range(2))
        mails = received(tmp_path, 5 * len(MEMBERS_OF_PLAN))

    editions = [one.edition.edition_id for one in told if one.edition.week == week]
    texts = [body.get_content() for _, mail in mails if (body := mail.get_body(("plain",))) is not None]
    assert editions == [f"allocation_changes-{week}-{number}" for number in (1, 2, 3, 4, 5)]
    assert {len(one.deliveries) for one in told if one.edition.week == week} == {len(MEMBERS_OF_PLAN)}
    assert sum("taken back" in text for text in texts) == 2 * len(MEMBERS_OF_PLAN)
    assert len(mails) == 5 * len(MEMBERS_OF_PLAN)
    # What she wrote in between is neither told as planned nor as taken back.
    for number in (4, 5):
        letters = Mailing(settings).content(told[-6 + number].edition).letters
        (text,) = [one.text for one in letters if "m-01" in (one.recipients or ())]
        assert ("* p-2: " in text, "* p-3: " in text) == (False, True)
    assert [one.edition.edition_id for one in again if one.edition.week == week] == editions[-1:]


def _asked(instance: dg.DagsterInstance) -> set[str | None]:
    return {one.run_key for one in tick("published_plans", instance, None).requests}


def test_a_narrowed_subscription_is_told_of_its_projects_and_teams_alone(
    settings: Settings, publisher: Publisher, week: Week
) -> None:
    narrowed: dict[str, list[dict[str, Any]]] = {
        "everything": [{}],
        "one-project": [{"projects": ["p-2"]}],
        "own-team": [{"teams": ["north"]}],
        "either": [{"projects": ["p-2"], "teams": ["south"]}],
        "neither": [{"projects": ["p-4"], "teams": ["south"]}],
        "two-addresses": [{"projects": ["p-1"]}, {"projects": ["p-2"]}],
    }
    for member, wanted in narrowed.items():
        person = {"name": "Ana", "email": f"{member}@example.org", "time_zone": "UTC", "member_id": member}
        store(settings, MEMBERS).create(
            Member.model_validate(person | {"team": "north"}), request_id=member, **WHO
        )
        for number, one in enumerate(wanted):
            entry = {"recipient_id": f"{member}-{number}", "subscriptions": [{"report": REPORT, **one}]}
            found = Recipient.model_validate(person | entry)
            store(settings, RECIPIENTS).create(found, request_id=f"{member}-{number}", **WHO)
    planned = {(member, project): {week.monday: Decimal(1)} for member in narrowed for project in ("p-1", "p-2")}
    done = publisher.publish(week, "plan-n", planned, actor="lead-1", reason="soon", expected=0)

    outcome = tell(settings, done, now=NOW)

    assert outcome is not None
    told = {
        recipient: tuple(project for project in PROJECTS_OF_PLAN if f"* {project}: " in letter.text)
        for letter in Mailing(settings).content(outcome.edition).letters
        for recipient in letter.recipients or ()
    }
    both = ("p-1", "p-2")
    assert told == {
        "everything-0": both,
        "one-project-0": ("p-2",),
        "own-team-0": both,
        "either-0": ("p-2",),
        "two-addresses-0": ("p-1",),
        "two-addresses-1": ("p-2",),
    }
