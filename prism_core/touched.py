"""Which rows of throughput, and which reviews, a change of a register can move: whose, and on which days.

Belongs here: comparing the states before and after a change of a worker or of a project's labelling jobs. Pure.
Does not belong here: which weeks hold such rows, and asking for them (prism_sensors).
What moves stands under the names of before. The answer may name a subject that does not move (another worker of
the same member); it never leaves one out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import cast

from pydantic import JsonValue

from prism_core.history.changes import State
from prism_core.models.changes import Change
from prism_core.models.workers import WorkerPeriod, WorkerStatus

WORKER_PREFIX = "worker:"
# What a file may call a worker, beside its key.
_NAMES = ("sub", "worker_id")
_FIRST, _LAST = date.min, date.max


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Days from `first` until before `until`; `date.min` and `date.max` are no limit."""

    first: date
    until: date

    def overlaps(self, other: "Span") -> bool:
        return self.first < other.until and other.first < self.until

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.until


@dataclass(frozen=True, slots=True, order=True)
class Touched:
    """Rows of a subject (a member, a project, `worker:…`, `job:…`) on the days of a span."""

    subject: str
    span: Span


@dataclass(frozen=True, slots=True, order=True)
class JobRule:
    """A labelling job of a project, by name or pattern, and when it holds."""

    job: str
    span: Span

    def until(self, day: date) -> "JobRule":
        """The rule as far as it holds before a day."""
        return JobRule(self.job, Span(self.span.first, min(self.span.until, day)))


def steps_of(changes: Sequence[Change], current: State | None, fields: Iterable[str]) -> list[State]:
    """The values of some fields before the first of an item's changes, and after each of them.

    `changes` stand in order. A field that none of them names has its current value throughout.
    """
    state: dict[str, JsonValue] = {}
    for name in fields:
        first = next((change.changes[name] for change in changes if name in change.changes), None)
        if first is not None:
            if "before" in first:
                state[name] = first["before"]
        elif current is not None and name in current:
            state[name] = current[name]
    steps: list[State] = [state]
    for change in changes:
        state = dict(state)
        for name in fields:
            if name in change.changes:
                if "after" in change.changes[name]:
                    state[name] = change.changes[name]["after"]
                else:
                    state.pop(name, None)
        steps.append(state)
    return steps


def moved_by_worker(worker_key: str, before: State, after: State) -> set[Touched]:
    """The subjects under which a worker's rows stand on the days on which it is somebody else: whose it was, and
    its own name, which weeks that were computed before it was anybody's have still."""
    own = WORKER_PREFIX + worker_key
    return {Touched(one or own, span) for span, old in _reassigned(before, after) for one in (old, None)}


def reviews_moved_by_worker(worker_key: str, before: State, after: State) -> set[Touched]:
    """The subjects of reviews that a file gave to the worker, by any of its names, on such days."""
    names = {worker_key} | {str(state[name]) for state in (before, after) for name in _NAMES if state.get(name)}

    def under(name: str, state: State) -> State:
        return state if name in [worker_key, *map(state.get, _NAMES)] else {}

    return {
        Touched(WORKER_PREFIX + name, span)
        for name in names
        for span, _ in _reassigned(under(name, before), under(name, after))
    }


def moved_by_jobs(
    project_id: str,
    before: State,
    after: State,
    *,
    others: Mapping[str, Iterable[JobRule]],
    queued: Iterable[str],
) -> set[Touched]:
    """The subjects whose jobs may belong to another project now.

    `others` are the rules of the other projects, `queued` the names of labelling jobs that no project has.
    """
    was, becomes = job_rules(before), job_rules(after)
    queued = list(queued)
    found: set[Touched] = set()
    for rule in was ^ becomes:
        if rule in was:
            found.add(Touched(project_id, rule.span))
        else:  # a longer pattern takes a job from another project, an equal one makes it nobody's
            found |= {
                Touched(other, rule.span)
                for other, rules in others.items()
                if other != project_id
                and any(one.span.overlaps(rule.span) and patterns_overlap(one.job, rule.job) for one in rules)
            }
        found |= {Touched(f"job:{name}", rule.span) for name in queued if patterns_overlap(rule.job, name)}
    return found


def job_rules(state: State) -> set[JobRule]:
    """The rules of a project's plain state."""
    entries = cast("list[dict[str, str]]", state.get("labeling_jobs") or [])
    return {JobRule(one["job"], _span(one.get("valid_from"), one.get("valid_to"))) for one in entries}


def patterns_overlap(one: str, other: str) -> bool:
    """Whether some name fits both; `*` stands for any characters."""
    reachable = {0}
    # Positions of `other` that the characters of `one` read so far can lead to.
    reachable = _past_stars(reachable, other)
    for character in one:
        following: set[int] = set()
        for at in reachable:
            if character == "*":
                following |= set(range(at, len(other) + 1))
            elif at < len(other) and other[at] == "*":
                following.add(at)
            elif at < len(other) and other[at] == character:
                following.add(at + 1)
        reachable = _past_stars(following, other)
    return len(other) in reachable


def _past_stars(positions: set[int], pattern: str) -> set[int]:
    """With every position behind stars that stand for nothing."""
    found = set(positions)
    for at in positions:
        while at < len(pattern) and pattern[at] == "*":
            at += 1  # noqa: PLW2901 - walks on
            found.add(at)
    return found


def _periods(state: State) -> list[tuple[Span, str]]:
    """Whose a worker was; nobody's unless it is resolved."""
    if state.get("status") != WorkerStatus.RESOLVED:
        return []
    entries = cast("list[dict[str, JsonValue]]", state.get("periods") or [])
    periods = [WorkerPeriod.from_plain(entry) for entry in entries]
    return [(Span(one.from_, one.to or _LAST), one.member) for one in periods]


def _reassigned(before: State, after: State) -> list[tuple[Span, str | None]]:
    """The days on which a worker is somebody else than before, and who it was."""
    was, becomes = _periods(before), _periods(after)
    edges = sorted({_FIRST, _LAST} | {day for span, _ in (*was, *becomes) for day in (span.first, span.until)})
    return [
        (Span(first, until), _member_on(was, first))
        for first, until in pairwise(edges)
        if _member_on(was, first) != _member_on(becomes, first)
    ]


def _member_on(periods: Sequence[tuple[Span, str]], day: date) -> str | None:
    return next((member for span, member in periods if day in span), None)


def _span(first: str | None, until: str | None) -> Span:
    return Span(date.fromisoformat(first) if first else _FIRST, date.fromisoformat(until) if until else _LAST)
