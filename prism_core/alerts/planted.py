"""Synthetic weeks with planted conflicts, for the rules whose answer is a matter of fact.

Belongs here: drawing a snapshot, writing down as it is drawn what is wrong in it, measuring a rule against that.
Does not belong here: any formula of the rules: what collides is decided first, and the hours are chosen for it.
No week, member or project of these is anybody's. Hours are drawn in quarters.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from prism_core.alerts.cases.case import About
from prism_core.alerts.judging import RULES
from prism_core.alerts.snapshot import (
    AlertSnapshot,
    MemberState,
    Planned,
    RequestState,
    TimeOff,
    Worked,
    WorkerState,
    WorkWeek,
)
from prism_core.calendar import Week
from prism_core.models.alerts import AlertRule
from prism_core.models.people import AvailabilityStatus
from prism_core.models.projects import RequestStatus
from prism_core.models.workers import WorkerStatus
from prism_core.quality import Accuracy, accuracy

FIRST = Week.parse("2020-W01")
PROJECTS = [f"P-{number}" for number in range(1, 9)]
# What everybody can do, and what nobody can.
COMMON, UNKNOWN = "boxes", "ranking"
# What a backtest measures a rule against: seeds 0 to here.
PLANTED_WEEKS: Final = 200
PLANTED_RULES: Final = (AlertRule.OOTO_CONFLICT, AlertRule.UNRESOLVED_WORKER, AlertRule.LATE_REQUEST)


@dataclass(frozen=True, slots=True)
class PlantedWeek:
    """A snapshot, and the subject and scope of everything that is wrong in it, by rule."""

    snapshot: AlertSnapshot
    wrong: Mapping[AlertRule, set[About]]

    def hits(self, rule: AlertRule) -> tuple[set[About], set[About]]:
        """What a rule finds in it, and what it should."""
        return {(one.subject, one.scope) for one in RULES[rule](self.snapshot).findings}, self.wrong[rule]


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found and planted, only found, only planted."""

    right: frozenset[str]
    false: frozenset[str]
    missed: frozenset[str]

    @property
    def precision(self) -> Accuracy:
        """The share of what was found that was planted."""
        return accuracy(len(self.right), len(self.right) + len(self.false))

    @property
    def recall(self) -> Accuracy:
        """The share of what was planted that was found."""
        return accuracy(len(self.right), len(self.right) + len(self.missed))


@dataclass(slots=True)
class _Drawn:
    conflicts: float  # share of the days off on which hours are planned
    members: dict[str, MemberState] = field(default_factory=dict[str, MemberState])
    time_off: list[TimeOff] = field(default_factory=list[TimeOff])
    planned: list[Planned] = field(default_factory=list[Planned])
    ooto: set[About] = field(default_factory=set[About])


def measured(rule: AlertRule, weeks: int = PLANTED_WEEKS) -> Hits | None:
    """What a rule finds in so many synthetic weeks against what was planted in them, by seed, subject and scope.

    None for a rule whose answer is an estimate: nothing is planted for it.
    """
    if rule not in PLANTED_RULES:
        return None
    found, planted = set[str](), set[str]()
    for seed in range(weeks):
        for known, abouts in zip((found, planted), planted_week(seed).hits(rule), strict=True):
            known.update(f"{seed} {subject} {scope}" for subject, scope in abouts)
    return Hits(frozenset(found & planted), frozenset(found - planted), frozenset(planted - found))


def planted_week(seed: int) -> PlantedWeek:
    """The same for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - drawn weeks, no secrets
    week = FIRST + rng.randrange(520)
    as_of = week.start + timedelta(seconds=rng.choice((0, rng.randrange(7 * 86_400), 7 * 86_400 - 1)))
    drawn = _Drawn(rng.choice((0, 0.1, 0.4)))
    ahead = [week, week + 1, week + 2]
    for number in range(rng.randint(3, 10)):
        _member(rng, drawn, f"M-{number}", ahead)
    drawn.members["M-free"] = MemberState("M-free", (Decimal(8),) * 7, {COMMON: 5})
    rows, workers, wrong_workers = _names(rng, week, as_of)
    requests, wrong_requests = _requests(rng, as_of)
    snapshot = AlertSnapshot(
        as_of=as_of,
        week=week,
        ended=week + -1,
        members=drawn.members,
        time_off={one: tuple(row for row in drawn.time_off if Week.of(row.day) == one) for one in ahead},
        planned={one: tuple(row for row in drawn.planned if row.week == one) for one in ahead},
        work={one: WorkWeek.of(row for row in rows if Week.of(row.day) == one) for one in (week + -1, week)},
        workers=workers,
        requests=requests,
    )
    yesterday = as_of.date() - timedelta(days=1)  # a day that has passed everywhere is nothing to tell
    ooto = {about for about in drawn.ooto if date.fromisoformat(about[1]) >= yesterday}
    return PlantedWeek(snapshot, dict(zip(PLANTED_RULES, (ooto, wrong_workers, wrong_requests), strict=True)))


def _hours(quarters: int) -> Decimal:
    return Decimal(quarters) / 4


# --- time off ----------------------------------------------------------------------------------------------


def _member(rng: random.Random, drawn: _Drawn, member: str, weeks: list[Week]) -> None:
    contract = [rng.choice((0, 12, 24, 30, 32)) if day < 5 else rng.choice((0, 0, 0, 16)) for day in range(7)]
    holidays: dict[date, str] = {}
    totals: dict[date, int] = {}
    for week in weeks:
        for day in week.days:
            totals[day] = _day(rng, drawn, member, day, contract[day.weekday()], holidays)
    drawn.members[member] = MemberState(member, tuple(_hours(q) for q in contract), {COMMON: 3}, holidays=holidays)
    for week in weeks:
        _allocate(rng, drawn, member, week, totals)


def _day(
    rng: random.Random, drawn: _Drawn, member: str, day: date, contract: int, holidays: dict[date, str]
) -> int:
    """The quarters that are planned on a day, with its time off; a conflict is written down where one is meant."""
    kind = rng.choices(
        ("none", "whole", "part", "asked", "refused", "holiday", "no contract"), (60, 9, 9, 6, 8, 4, 4)
    )[0]
    meant = rng.random() < drawn.conflicts
    if kind == "no contract" and not contract:
        drawn.time_off.append(_entry(member, day, off := rng.randint(1, 32), AvailabilityStatus.APPROVED))
        return _wrong(rng, drawn, member, day, 1, off) if meant else 0
    if not contract or kind in {"none", "no contract"}:
        return rng.choice((0, contract, contract + 8, rng.randint(0, 40)))  # overtime is no conflict
    if kind == "refused":
        status = rng.choice((AvailabilityStatus.DECLINED, AvailabilityStatus.CANCELLED))
        drawn.time_off.append(_entry(member, day, contract, status))
        return rng.randint(0, contract)
    if kind == "holiday":
        holidays[day] = "a holiday"
        if meant:
            drawn.ooto.add((f"members/{member}", day.isoformat()))
        return rng.randint(1, 40) if meant else 0
    off = contract if kind == "whole" else rng.randint(1, contract)
    asked = kind == "asked"
    drawn.time_off.append(
        _entry(member, day, off, AvailabilityStatus.REQUESTED if asked else AvailabilityStatus.APPROVED)
    )
    left = contract - off
    return _wrong(rng, drawn, member, day, left + 1, left + 40) if meant else rng.randint(0, left)


def _wrong(rng: random.Random, drawn: _Drawn, member: str, day: date, least: int, most: int) -> int:
    drawn.ooto.add((f"availability/{member}/{day}", day.isoformat()))
    return rng.randint(least, most)


def _entry(member: str, day: date, quarters: int, status: AvailabilityStatus) -> TimeOff:
    return TimeOff(member, day, _hours(quarters), status)


def _allocate(rng: random.Random, drawn: _Drawn, member: str, week: Week, totals: dict[date, int]) -> None:
    """The totals of the days, spread over one to three projects; a share may be nothing."""
    projects = rng.sample(PROJECTS, rng.randint(1, 3))
    shares: dict[str, dict[date, Decimal]] = {project: {} for project in projects}
    for day in week.days:
        left = totals[day]
        for project in projects[:-1]:
            part = rng.randint(0, left)
            left -= part
            if part or rng.random() < 0.1:
                shares[project][day] = _hours(part)
        if left or rng.random() < 0.1:
            shares[projects[-1]][day] = _hours(left)
    drawn.planned += [Planned(member, week, project, hours) for project, hours in shares.items() if hours]


# --- names of the labelling tool ---------------------------------------------------------------------------


def _names(
    rng: random.Random, week: Week, as_of: datetime
) -> tuple[list[Worked], dict[str, WorkerState], set[About]]:
    rows: list[Worked] = [Worked("P-1", "M-free", week.monday, 5, 3600)]
    workers: dict[str, WorkerState] = {}
    wrong: set[About] = set()
    days = [*(week + -1).days, *(day for day in week.days if day <= as_of.date())]
    for number in range(rng.randint(0, 6)):
        key, name = f"pool#{number}", f"worker:pool#{number}"
        worked_on = sorted(rng.sample(days, rng.randint(1, min(4, len(days)))))
        kind = rng.choice(("queued", "stranger", "gap", "resolved", "ignored", "idle", "job", "known job"))
        if kind in {"job", "known job"}:
            key = name = f"job:batch-{number}"
        rows += [_row(rng, name, kind, day) for day in worked_on]
        if kind != "stranger":
            workers[key] = _worker(rng, key, kind, worked_on)
        if kind in {"queued", "stranger", "gap", "job"}:
            wrong.add((f"workers/{key}", ""))
    return rows, workers, wrong


def _row(rng: random.Random, name: str, kind: str, day: date) -> Worked:
    tasks = 0 if kind == "idle" else rng.randint(1, 300)
    project, member = (name, "M-free") if name.startswith("job:") else (rng.choice(PROJECTS), name)
    return Worked(project, member, day, tasks, tasks * 60)


def _worker(rng: random.Random, key: str, kind: str, days: list[date]) -> WorkerState:
    if kind in {"resolved", "gap"}:
        covered = days[0] - timedelta(days=rng.randint(0, 300))
        gap = rng.choice(days)
        # The day of the gap is the first without an owner, or the last before there is one.
        periods = ((covered, None),) if kind == "resolved" else ((covered, gap), (gap + timedelta(days=1), None))
        return WorkerState(key, WorkerStatus.RESOLVED, None, tuple(p for p in periods if p[0] != p[1]))
    status = {"known job": WorkerStatus.RESOLVED, "ignored": WorkerStatus.IGNORED}.get(
        kind, WorkerStatus.UNRESOLVED
    )
    return WorkerState(key, status)


# --- requests ----------------------------------------------------------------------------------------------


def _requests(rng: random.Random, as_of: datetime) -> tuple[tuple[RequestState, ...], set[About]]:
    found: list[RequestState] = []
    wrong: set[About] = set()
    today = as_of.date()
    for number in range(rng.randint(0, 8)):
        kind = rng.choice(("overdue", "settled", "in time", "too much", "nobody can", "done in part"))
        waiting = rng.choice((RequestStatus.SUBMITTED, RequestStatus.TRIAGED, RequestStatus.APPROVED))
        settled = rng.choice((RequestStatus.DECLINED, RequestStatus.FULFILLED))
        past, ahead = today - timedelta(days=rng.randint(1, 90)), today + timedelta(days=rng.randint(0, 60))
        hours, skills, due, status = Decimal(4), {COMMON: rng.randint(1, 3)}, ahead, waiting
        if kind == "overdue":
            due = past
        elif kind == "settled":
            due, status = rng.choice((past, ahead)), settled
        elif kind == "too much":
            hours = Decimal(100_000)
        elif kind == "nobody can":
            hours, skills = Decimal(1), {UNKNOWN: 1}
            status = rng.choice((RequestStatus.SUBMITTED, RequestStatus.TRIAGED))
        elif kind == "done in part":
            hours, due, status = Decimal(9), today, RequestStatus.APPROVED
        # Approved before the week, of which an hour was worked on the project: what is asked for in part is done.
        decided = Week.of(as_of).start - timedelta(hours=rng.randint(1, 100))
        approved = decided if status is RequestStatus.APPROVED else None
        request = RequestState(f"R-{number}", status, due, hours, skills, "P-1", approved)
        found.append(request)
        if kind in {"overdue", "too much", "nobody can"}:
            wrong.add((f"requests/{request.request_id}", due.isoformat()))
    return tuple(found), wrong
