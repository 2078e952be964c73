"""Why real: what a kill leaves and who wins a race are facts of the table, not of our code.

A killed run is driven step by step up to the step it died before.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import boto3
import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.models.people import Member
from prism_core.models.work import ThroughputWeek
from prism_core.settings import Settings
from prism_core.tables import MEMBERS, THROUGHPUT
from prism_resources.aws import client
from prism_resources.tables.generations import Generations, Overtaken, content_hash
from prism_resources.tables.store import TableStore
from tests.integration.emulators import await_true

NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
_weeks = count(1)


def row(week: Week, member: int, tasks: int, project: str = "P-1") -> ThroughputWeek:
    return ThroughputWeek.model_validate(
        {
            "project_id": project,
            "week": week,
            "member_id": f"M-{member:03}",
            "days": [{"day": week.monday, "tasks_submitted": tasks, "wall_seconds": 60, "tasks_per_hour": "6.5"}],
            "worker_resolved": True,
            "project_resolved": True,
        }
    )


def rows(week: Week, tasks: int, members: int = 5) -> list[ThroughputWeek]:
    return [row(week, number, tasks) for number in range(members)]


@pytest.fixture(scope="module")
def settings(platform: Platform) -> Settings:
    return platform.settings


@pytest.fixture(scope="module")
def weeks(settings: Settings) -> Generations[ThroughputWeek]:
    return Generations(client(settings, "dynamodb"), settings, THROUGHPUT, ThroughputWeek)


@pytest.fixture
def week(weeks: Generations[ThroughputWeek]) -> Week:
    """A week that no other test uses: the table is shared."""
    return Week.parse("2030-W01") + next(_weeks)


@pytest.fixture
def stored(settings: Settings, week: Week) -> Any:
    """All rows of the week that lie in the table, of whatever generation, as (generation, tasks)."""
    store = TableStore(client(settings, "dynamodb"), settings, THROUGHPUT, ThroughputWeek)
    return lambda: sorted({(r.generation, r.tasks_submitted) for r in store.query("by_week", week=week)})


def tasks(found: Iterator[ThroughputWeek]) -> list[int]:
    return [entry.tasks_submitted for entry in found]


def test_a_week_is_published_with_its_control_item(weeks: Generations[ThroughputWeek], week: Week) -> None:
    done = weeks.replace(week, rows(week, 3), now=NOW)

    control = weeks.control(week)
    assert control is not None
    assert (done.generation, done.rows, done.deleted, done.unchanged) == (1, 5, 0, False)
    assert (control.generation, control.rows, control.content_hash) == (1, 5, done.content_hash)
    assert (control.first_published_at, control.published_at) == (NOW, NOW)
    assert [r.model_copy(update={"generation": 0}) for r in weeks.week(week)] == rows(week, 3)


def test_a_replaced_week_has_the_new_rows_only(
    weeks: Generations[ThroughputWeek], week: Week, stored: Any
) -> None:
    weeks.replace(week, rows(week, 3), now=NOW)

    done = weeks.replace(week, rows(week, 4, members=2), now=LATER)

    control = weeks.control(week)
    assert control is not None
    assert (done.generation, done.rows, done.deleted) == (2, 2, 5)
    assert (control.first_published_at, control.published_at) == (NOW, LATER)
    assert tasks(weeks.week(week)) == [4, 4]
    assert stored() == [(2, 4)]


def test_an_unchanged_week_writes_nothing(weeks: Generations[ThroughputWeek], week: Week) -> None:
    weeks.replace(week, rows(week, 3), now=NOW)
    before = weeks.control(week)

    done = weeks.replace(week, reversed(rows(week, 3)), now=LATER)

    assert (done.unchanged, done.generation, done.rows) == (True, 1, 5)
    assert weeks.control(week) == before


def test_a_week_that_was_published_since_its_inputs_were_read_is_not_replaced(
    weeks: Generations[ThroughputWeek], week: Week, stored: Any
) -> None:
    before = weeks.controls(week, week)
    weeks.replace(week, rows(week, 3), now=NOW, known=before)
    between = weeks.controls(week, week)
    weeks.replace(week, rows(week, 4), now=NOW, known=between)

    for known in (before, between):
        with pytest.raises(Overtaken, match="repeat this run"):
            weeks.replace(week, rows(week, 3), now=LATER, known=known)

    assert stored() == [(2, 4)], "nothing was written to be taken away again"


def test_a_week_can_become_empty(weeks: Generations[ThroughputWeek], week: Week, stored: Any) -> None:
    weeks.replace(week, rows(week, 3), now=NOW)

    weeks.replace(week, [], now=LATER)

    assert tasks(weeks.week(week)) == []
    assert stored() == []


def test_a_week_of_many_rows_is_replaced_whole(weeks: Generations[ThroughputWeek], week: Week) -> None:
    weeks.replace(week, rows(week, 3, members=260), now=NOW)
    weeks.replace(week, rows(week, 4, members=310), now=NOW)

    assert tasks(weeks.week(week)) == [4] * 310


def test_a_week_that_was_never_published_is_empty(weeks: Generations[ThroughputWeek], week: Week) -> None:
    assert weeks.control(week) is None
    assert list(weeks.week(week)) == []


def test_a_kill_between_write_and_flip_leaves_the_old_week(
    weeks: Generations[ThroughputWeek], week: Week, stored: Any
) -> None:
    weeks.replace(week, rows(week, 3), now=NOW)

    weeks.write(rows(week, 4), weeks.reserve(week))

    assert stored() == [(1, 3), (2, 4)]
    assert tasks(weeks.week(week)) == [3] * 5
    assert tasks(weeks.project("P-1", week, week)) == [3] * 5
    assert tasks(weeks.member("M-000", week, week)) == [3]


def test_a_kill_before_the_first_flip_leaves_no_week(weeks: Generations[ThroughputWeek], week: Week) -> None:
    weeks.write(rows(week, 3), weeks.reserve(week))

    assert list(weeks.week(week)) == []
    assert list(weeks.project("P-1", week, week)) == []


def test_a_kill_between_flip_and_delete_leaves_the_new_week(
    weeks: Generations[ThroughputWeek], week: Week, stored: Any
) -> None:
    weeks.replace(week, rows(week, 3), now=NOW)
    read, generation = weeks.control(week), weeks.reserve(week)
    weeks.write(rows(week, 4, members=2), generation)

    assert weeks.flip(week, generation, read, content_hash(THROUGHPUT, rows(week, 4, members=2)), 2, LATER)

    assert stored() == [(1, 3), (2, 4)]
    assert tasks(weeks.week(week)) == [4, 4]
    assert tasks(weeks.project("P-1", week, week)) == [4, 4]


def test_the_run_after_a_kill_removes_what_it_left_even_when_nothing_changed(
    weeks: Generations[ThroughputWeek], week: Week, stored: Any
) -> None:
    weeks.replace(week, rows(week, 3), now=NOW)
    read, generation = weeks.control(week), weeks.reserve(week)
    weeks.write(rows(week, 4), generation)
    weeks.flip(week, generation, read, content_hash(THROUGHPUT, rows(week, 4)), 5, LATER)

    done = weeks.replace(week, rows(week, 4), now=LATER)

    assert (done.unchanged, done.deleted) == (True, 5)
    assert stored() == [(2, 4)]
    assert weeks.replace(week, rows(week, 4), now=LATER).deleted == 0


def test_the_next_replacement_removes_the_orphans_of_a_killed_run(
    weeks: Generations[ThroughputWeek], week: Week, stored: Any
) -> None:
    weeks.replace(week, rows(week, 3), now=NOW)
    weeks.write(rows(week, 4), weeks.reserve(week))

    done = weeks.replace(week, rows(week, 5), now=LATER)

    assert (done.generation, done.deleted) == (3, 10)
    assert stored() == [(3, 5)]


def test_of_two_writers_the_one_that_flips_second_loses_and_leaves_the_winners_rows(
    weeks: Generations[ThroughputWeek], week: Week, stored: Any
) -> None:
    weeks.replace(week, rows(week, 3), now=NOW)
    read, slow = weeks.control(week), weeks.reserve(week)
    weeks.write(rows(week, 8), slow)
    weeks.replace(week, rows(week, 9), now=LATER)

    assert not weeks.flip(week, slow, read, "digest", 5, LATER)

    assert tasks(weeks.week(week)) == [9] * 5
    weeks.discard(rows(week, 8), slow)
    assert stored() == [(3, 9)]


def test_concurrent_writers_leave_one_whole_week_and_the_losers_say_so(
    weeks: Generations[ThroughputWeek], week: Week, stored: Any
) -> None:
    weeks.replace(week, rows(week, 1), now=NOW)
    gate = threading.Barrier(4)

    def write(number: int) -> int | str:
        gate.wait()
        try:
            return weeks.replace(week, rows(week, number, members=60), now=LATER).generation
        except TransientFailure as lost:
            return str(lost)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(write, range(10, 14)))

    control = weeks.control(week)
    assert control is not None
    assert control.generation == max(answer for answer in answers if isinstance(answer, int))
    assert all("another run published" in answer for answer in answers if isinstance(answer, str))
    found = tasks(weeks.week(week))
    assert len(found) == 60
    assert set(found) == {10 + answers.index(control.generation)}
    assert {generation for generation, _ in stored()} == {control.generation}


def test_a_flip_whose_answer_was_lost_is_won(weeks: Generations[ThroughputWeek], week: Week) -> None:
    generation = weeks.reserve(week)
    weeks.write(rows(week, 3), generation)
    assert weeks.flip(week, generation, None, "digest", 5, NOW)

    assert weeks.flip(week, generation, None, "digest", 5, NOW)


def test_a_reader_during_replacements_sees_one_whole_generation(
    weeks: Generations[ThroughputWeek], week: Week
) -> None:
    weeks.replace(week, rows(week, 1, members=40), now=NOW)
    ended = threading.Event()
    seen: list[set[int]] = []

    def read() -> None:
        while not ended.is_set():
            for rows_of in (partial(weeks.week, week), partial(weeks.project, "P-1", week, week)):
                with suppress(TransientFailure):  # replaced without a pause: refused, never half a week
                    found = tasks(rows_of())
                    assert len(found) == 40
                    seen.append(set(found))

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            await_true(lambda: seen)
            for version in range(2, 14):
                weeks.replace(week, rows(week, version, members=40), now=NOW)
            await_true(lambda: seen[-1] == {13})
        finally:
            ended.set()
        for reader in readers:
            reader.result()

    assert all(len(generation) == 1 for generation in seen)
    assert len({next(iter(generation)) for generation in seen}) > 1


@pytest.mark.parametrize("way", ["week", "project", "member"])
def test_a_week_that_is_replaced_between_two_calls_of_a_reader_is_read_again(
    way: str, weeks: Generations[ThroughputWeek], week: Week, settings: Settings
) -> None:
    weeks.replace(week, rows(week, 3), now=NOW)
    queries = count(1)

    def replace_before_the_rows_are_read(**_: Any) -> None:
        if next(queries) == 2:  # the first asks for the control items
            weeks.replace(week, rows(week, 4), now=LATER)

    own = boto3.client(
        "dynamodb",
        endpoint_url=str(settings.aws_endpoint_url),
        region_name=settings.region,
        aws_access_key_id="prism-local",
        aws_secret_access_key="prism-local",
    )
    own.meta.events.register("before-send.dynamodb.Query", replace_before_the_rows_are_read)
    reader = Generations(own, settings, THROUGHPUT, ThroughputWeek)

    ways = {
        "week": lambda: reader.week(week),
        "project": lambda: reader.project("P-1", week, week),
        "member": lambda: reader.member("M-000", week, week),
    }

    assert set(tasks(ways[way]())) == {4}
    assert next(queries) > 5


def test_a_project_and_a_member_are_read_over_several_weeks(
    weeks: Generations[ThroughputWeek], week: Week
) -> None:
    second = week + 1
    next(_weeks)  # the week after is used here too
    for number, each in ((3, week), (4, second)):
        weeks.replace(each, [*rows(each, number), row(each, 0, number * 10, project="P-2")], now=NOW)
    weeks.replace(second, [row(second, 0, 7)], now=NOW)

    assert tasks(weeks.project("P-1", week, second)) == [3] * 5 + [7]
    assert sorted(tasks(weeks.member("M-000", week, second))) == [3, 7, 30]
    assert set(weeks.controls(week, second)) == {week, second}


def test_the_control_items_are_no_rows(weeks: Generations[ThroughputWeek], week: Week, settings: Settings) -> None:
    weeks.replace(week, rows(week, 3), now=NOW)
    store = TableStore(client(settings, "dynamodb"), settings, THROUGHPUT, ThroughputWeek)

    scanned = [entry for entry in store.parallel_scan(3) if entry.week == week]

    assert len(scanned) == 5


def test_a_row_of_another_week_is_refused_before_anything_is_written(
    weeks: Generations[ThroughputWeek], week: Week
) -> None:
    with pytest.raises(PermanentFailure, match=f"is not of {week}"):
        weeks.replace(week, rows(week + 500, 3), now=NOW)

    assert weeks.control(week) is None


def test_a_repeated_row_is_refused(weeks: Generations[ThroughputWeek], week: Week) -> None:
    with pytest.raises(PermanentFailure, match="occurs twice"):
        weeks.replace(week, [row(week, 1, 3), row(week, 1, 4)], now=NOW)


def test_only_a_table_of_facts_is_replaced_by_generation(settings: Settings) -> None:
    with pytest.raises(BadUsage, match="members is not replaced by generation"):
        Generations(client(settings, "dynamodb"), settings, MEMBERS, Member)
