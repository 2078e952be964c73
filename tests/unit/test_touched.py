"""Whose rows a change of a register can move, and on which days."""

import re
from datetime import date, timedelta
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.history.changes import change_of, diff
from prism_core.identity import JobResolver, resolve_member
from prism_core.models.changes import Change, Operation
from prism_core.models.projects import LabelingJob, Project
from prism_core.models.workers import Worker
from prism_core.touched import (
    Span,
    Touched,
    job_rules,
    moved_by_jobs,
    moved_by_worker,
    patterns_overlap,
    reviews_moved_by_worker,
    steps_of,
)
from tests.unit.test_changes import NOW

DAY = date(2026, 1, 5)
EVER = Span(date.min, date.max)
PATTERNS = st.text("ab*", min_size=1, max_size=5).filter(lambda text: "**" not in text)


def resolved(*periods: dict[str, str]) -> dict[str, Any]:
    return {"status": "resolved", "periods": list(periods)}


def test_a_worker_that_is_resolved_touches_its_own_name_alone_on_the_days_of_the_period() -> None:
    span = Span(date(2026, 1, 5), date(2026, 2, 2))
    after = resolved({"member": "M-1", "from": "2026-01-05", "to": "2026-02-02"})

    found = moved_by_worker("pool#one", {"status": "unresolved"}, after)

    assert found == {Touched("worker:pool#one", span)}


def test_only_the_days_on_which_somebody_else_is_meant_are_touched() -> None:
    before = resolved({"member": "M-1", "from": "2026-01-05"})
    after = resolved(
        {"member": "M-1", "from": "2026-01-05", "to": "2026-03-02"}, {"member": "M-2", "from": "2026-03-02"}
    )

    found = moved_by_worker("w", before, after)

    assert {one.span for one in found} == {Span(date(2026, 3, 2), date.max)}
    assert {one.subject for one in found} == {"M-1", "worker:w"}


def test_what_does_not_resolve_otherwise_touches_nothing() -> None:
    state = resolved({"member": "M-1", "from": "2026-01-05"})

    assert moved_by_worker("w", state, dict(state)) == set()
    assert moved_by_worker("w", {"status": "unresolved"}, {"status": "ignored"}) == set()


def test_reviews_of_a_worker_stand_under_every_name_that_a_file_may_give_it() -> None:
    names = {"sub": "one", "worker_id": "id-1"}
    after = {**names, **resolved({"member": "M-1", "from": "2026-01-05"})}

    found = reviews_moved_by_worker("pool#one", {**names, "status": "unresolved"}, after)

    span = Span(date(2026, 1, 5), date.max)
    assert found == {Touched(f"worker:{name}", span) for name in ("pool#one", "one", "id-1")}


def test_a_name_that_a_resolved_worker_gains_touches_its_reviews_alone() -> None:
    before = {"sub": "one", **resolved({"member": "M-1", "from": "2026-01-05"})}

    found = reviews_moved_by_worker("pool#one", before, {**before, "worker_id": "id-1"})

    assert {one.subject for one in found} == {"worker:id-1"}


PERIODS = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["M-1", "M-2"])), max_size=3, unique_by=lambda one: one[0]
)


def periods_of(starts: list[tuple[int, str]], until: int | None) -> list[dict[str, str]]:
    """Periods one after the other; the last one ends on a day, or never."""
    starts = sorted(starts)
    ends = [*(day for day, _ in starts[1:]), until][: len(starts)]
    return [
        {"member": member, "from": (DAY + timedelta(first)).isoformat()}
        | ({} if end is None else {"to": (DAY + timedelta(end)).isoformat()})
        for (first, member), end in zip(starts, ends, strict=True)
    ]


@given(PERIODS, st.sampled_from([None, 14, 20]), PERIODS, st.sampled_from([None, 14, 20]))
def test_a_day_is_touched_exactly_when_the_worker_resolves_otherwise_on_it(
    one: list[tuple[int, str]], one_end: int | None, other: list[tuple[int, str]], other_end: int | None
) -> None:
    states = [
        {"status": "resolved" if starts else "unresolved", "periods": periods_of(starts, end)}
        for starts, end in ((one, one_end), (other, other_end))
    ]
    identity = {"worker_key": "w", "worker_id": "w", "last_seen": NOW.isoformat()}
    workers = [Worker.from_plain(identity | state) for state in states]

    found = moved_by_worker("w", *states)

    for day in (DAY + timedelta(offset) for offset in range(-2, 24)):
        was, becomes = (resolve_member(worker, day) for worker in workers)
        subjects = {touched.subject for touched in found if day in touched.span}
        if was == becomes:
            assert subjects == set()
        else:
            assert subjects == {"worker:w", was or "worker:w"}


@given(PATTERNS, PATTERNS)
def test_two_patterns_overlap_when_some_name_fits_both(one: str, other: str) -> None:
    expressions = [re.compile(".*".join(map(re.escape, text.split("*")))) for text in (one, other)]
    names = ("".join(name) for length in range(9) for name in product("ab", repeat=length))

    assert patterns_overlap(one, other) == any(all(e.fullmatch(name) for e in expressions) for name in names)


RULES = st.lists(st.tuples(PATTERNS.filter(lambda text: text != ""), st.integers(0, 4)), max_size=2)


def jobs_of(rules: list[tuple[str, int]]) -> tuple[LabelingJob, ...]:
    return tuple(LabelingJob(job=job, valid_from=DAY + timedelta(start)) for job, start in dict(rules).items())


def a_project(project_id: str, jobs: tuple[LabelingJob, ...]) -> Project:
    return Project.from_plain(
        {
            "project_id": project_id,
            "name": project_id,
            "category": "text",
            "demand_hours": "1.00",
            "labeling_jobs": [job.plain() for job in jobs],
        }
    )


@given(RULES, RULES, RULES)
def test_a_job_whose_project_changes_stands_under_a_touched_subject(
    before: list[tuple[str, int]], after: list[tuple[str, int]], others: list[tuple[str, int]]
) -> None:
    """What a row is called before the change is what has to be found."""
    other = a_project("P-2", jobs_of(others))
    states = [a_project("P-1", jobs_of(rules)) for rules in (before, after)]
    resolvers = [JobResolver([state, other]) for state in states]
    names = ["".join(name) for length in (1, 2, 3) for name in product("ab", repeat=length)]

    found = moved_by_jobs(
        "P-1",
        states[0].plain(),
        states[1].plain(),
        others={"P-2": job_rules(other.plain())},
        queued=names,
    )

    for name, day in product(names, (DAY + timedelta(offset) for offset in range(6))):
        was, becomes = (resolver.resolve(name, day) for resolver in resolvers)
        if was != becomes:
            subject = was or f"job:{name}"
            assert any(touched.subject == subject and day in touched.span for touched in found), (name, day, was)


def test_a_project_that_changes_elsewhere_touches_nothing() -> None:
    state = a_project("P-1", jobs_of([("a*", 0)])).plain()

    assert moved_by_jobs("P-1", state, {**state, "priority": 1}, others={}, queued=["ab"]) == set()


def a_change(version: int, before: dict[str, Any], after: dict[str, Any]) -> Change:
    operation = Operation.UPDATE if before and after else Operation.DELETE if before else Operation.CREATE
    return change_of(
        table="workers",
        item_key="workers/w",
        operation=operation,
        version=version,
        changes=diff(before, after),
        now=NOW,
        actor="a",
        reason="",
        request_id=f"r{version}",
        shards=1,
    )


def test_the_steps_of_an_item_are_its_states_one_after_the_other() -> None:
    states: list[dict[str, Any]] = [{"a": 1, "b": 5}, {"a": 2, "b": 5}, {"b": 5}]
    changes = [a_change(n + 2, *pair) for n, pair in enumerate(pairwise(states))]

    assert steps_of(changes, states[-1], ("a", "b")) == states
    assert steps_of(changes, None, ("a",)) == [{"a": 1}, {"a": 2}, {}]


@pytest.mark.parametrize(
    ("before", "after", "steps"), [({}, {"a": 1}, [{}, {"a": 1}]), ({"a": 1}, {}, [{"a": 1}, {}])]
)
def test_an_item_that_is_created_or_deleted_has_nothing_on_one_side(
    before: dict[str, Any], after: dict[str, Any], steps: list[dict[str, Any]]
) -> None:
    assert steps_of([a_change(1, before, after)], after or None, ("a",)) == steps
