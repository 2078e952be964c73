"""A week's plan from its description: check, arrays, flow, limits, days, and the count of what it is worth.

Belongs here: the order of these steps and the plan as plain values. Does not belong here: each of the steps.
"""

import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from prism_core.capacity.checking import BadProblem, check
from prism_core.capacity.days import Days, lay
from prism_core.capacity.limits import Limits, limits_of
from prism_core.capacity.moves import keeping
from prism_core.capacity.offers import Tables, tables
from prism_core.capacity.plan import Assignment, MemberLoad, PlanResult, PlanState, Unmet
from prism_core.capacity.problem import NO_HOURS, PlanProblem
from prism_core.capacity.scoring import Scorer, hours_of, moved_hours, points_of
from prism_core.capacity.search import Answer, search
from prism_core.capacity.supply import sums
from prism_core.capacity.verifying import breaches


class Clock:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Count what happens inside to a phase."""
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def solve(problem: PlanProblem, *, polish_seconds: float = 0.0) -> PlanResult:
    """The best plan of a week, with what is proven of it.

    Where limits of people, projects or blocks hold, the plan at once lies within a small gap of the bound; up to
    `polish_seconds` are spent on making it smaller. Raises BadProblem with everything that is wrong.
    """
    clock = Clock()
    with clock.phase("check"):
        findings = check(problem)
        errors = tuple(finding for finding in findings if finding.is_error)
        if errors:
            raise BadProblem(errors)
    with clock.phase("arrays"):
        found = tables(problem)
        limits = limits_of(problem, found)
    notes = tuple(str(finding) for finding in findings)
    laid, plan = _best(problem, found, limits, polish_seconds, clock, notes)
    with clock.phase("verify"):
        _judge(problem, plan, laid)
    return replace(plan, seconds=clock.seconds)


@dataclass(frozen=True, slots=True)
class _Laid:
    """What a search found, its hours by day, and the bound of plans that keep as many published hours."""

    answer: Answer
    days: Days
    bound: int
    timed: bool

    @property
    def is_whole(self) -> bool:
        """Whether the days hold all hours that the search found."""
        return bool((self.days.by_offer == self.answer.flow.hours.by_offer).all())


def _best(
    problem: PlanProblem,
    found: Tables,
    limits: Limits,
    polish_seconds: float,
    clock: Clock,
    notes: tuple[str, ...],
) -> tuple[_Laid, PlanResult]:
    """The plan of a search; of a second one where the days of the first leave a project too few people."""
    first = _laid(problem, found, limits, polish_seconds, clock)
    laid = replace(first, bound=_proven(problem, found, first, first))
    with clock.phase("plan"):
        plan = _plan(problem, found, laid, notes)
    if not len(laid.days.lost):
        return laid, plan
    # Without the pairs that no day holds, their people are free for what does fit.
    fits = limits.fits.copy()
    fits[laid.days.lost] = False
    left = max(polish_seconds - clock.seconds["search"], 0.0)
    again = _laid(problem, found, replace(limits, fits=fits), left, clock)
    again = replace(again, bound=_proven(problem, found, first, again), timed=first.timed or again.timed)
    with clock.phase("plan"):
        other = _plan(problem, found, again, notes)
    return (again, other) if _rank(problem, other) > _rank(problem, plan) else (laid, plan)


def _laid(problem: PlanProblem, found: Tables, limits: Limits, polish_seconds: float, clock: Clock) -> _Laid:
    with clock.phase("search"):
        answer = search(problem, found, limits, polish_seconds)
    with clock.phase("days"):
        return _Laid(answer, lay(found, answer.flow.hours, limits), answer.bound, answer.timed)


def _proven(problem: PlanProblem, found: Tables, first: _Laid, laid: _Laid) -> int:
    """The bound of the first search; one of its own where the days keep fewer published hours than that is of."""
    kept = laid.answer.flow.kept - (0 if laid.is_whole else _kept_lost(found, laid))
    if kept >= first.answer.needed:
        return first.answer.bound
    return keeping(found, problem.weights, kept).bound


def _kept_lost(found: Tables, laid: _Laid) -> int:
    """Published hours (hundredths) that the search kept and the days do not."""
    lasting, pairs = found.offer_lasting, len(found.pair_owner)
    before, after = (
        np.minimum(sums(found.offer_pair[lasting], hours[lasting], pairs), found.published).sum()
        for hours in (laid.answer.flow.hours.by_offer, laid.days.by_offer)
    )
    return int(before - after)


def _rank(problem: PlanProblem, plan: PlanResult) -> tuple[Decimal, Decimal]:
    """The higher, the better: fewer hours moved beyond the budget (0 if there is none), then its worth."""
    return -max(plan.moved_hours - (problem.move_budget_hours or NO_HOURS), NO_HOURS), plan.objective


def _plan(problem: PlanProblem, found: Tables, laid: _Laid, notes: tuple[str, ...]) -> PlanResult:
    answer, days = laid.answer, laid.days
    assignments = _assignments(problem, found, days)
    terms = Scorer(problem).terms(assignments)
    met = sums(found.offer_line, days.by_offer, len(problem.lines))
    state = PlanState.OPTIMUM if answer.exact else PlanState.TIMED if laid.timed else PlanState.BOUND
    return PlanResult(
        week=problem.week,
        level=problem.level,
        state=state,
        objective=sum(terms.values(), Decimal(0)),
        bound=points_of(laid.bound),
        terms=terms,
        assignments=assignments,
        unmet=tuple(
            Unmet(line.line_id, line.project_id, hours_of(still))
            for line, still in zip(problem.lines, (found.line_hours - met).tolist(), strict=True)
            if still
        ),
        loads=_loads(problem, assignments),
        moved_hours=moved_hours(problem.published, assignments),
        notes=(*notes, *answer.notes),
        seconds={},
    )


def _assignments(problem: PlanProblem, found: Tables, days: Days) -> tuple[Assignment, ...]:
    """By member and project, in the order of their ids."""
    with_hours = np.flatnonzero(days.by_offer)
    lines: defaultdict[int, dict[str, Decimal]] = defaultdict(dict)
    columns = found.offer_pair[with_hours], found.offer_line[with_hours], days.by_offer[with_hours]
    triples: list[tuple[int, int, int]] = np.stack(columns, axis=1).tolist()
    for pair, line, amount in triples:
        lines[pair][problem.lines[line].line_id] = hours_of(amount)
    week, people, works = problem.week.days, problem.members, problem.projects
    members: list[int] = found.pair_member.tolist()
    projects: list[int] = found.pair_project.tolist()
    made: list[Assignment] = []
    rows: list[list[int]] = days.by_day.tolist()
    pairs: list[int] = days.pair.tolist()
    for pair, row in zip(pairs, rows, strict=True):
        hours, by_line = hours_of(sum(row)), lines[pair]
        made.append(
            Assignment(
                member_id=people[members[pair]].member_id,
                project_id=works[projects[pair]].project_id,
                hours=hours,
                by_day={day: hours_of(amount) for day, amount in zip(week, row, strict=True) if amount},
                by_line=by_line,
                beyond_demand=hours - sum(by_line.values(), NO_HOURS),
                pinned=pair >= found.free_pairs,
            )
        )
    return tuple(sorted(made, key=lambda one: one.pair))


def _loads(problem: PlanProblem, assignments: tuple[Assignment, ...]) -> tuple[MemberLoad, ...]:
    days: defaultdict[str, defaultdict[date, Decimal]] = defaultdict(lambda: defaultdict(lambda: NO_HOURS))
    for one in assignments:
        for day, hours in one.by_day.items():
            days[one.member_id][day] += hours
    made: list[MemberLoad] = []
    for member in problem.members:
        mine: dict[date, Decimal] = days.get(member.member_id) or {}
        over = (hours - member.hours.get(day, NO_HOURS) for day, hours in mine.items())
        made.append(
            MemberLoad(
                member_id=member.member_id,
                available=sum(member.hours.values(), NO_HOURS),
                planned=sum(mine.values(), NO_HOURS),
                overtime=sum((max(hours, NO_HOURS) for hours in over), NO_HOURS),
            )
        )
    return tuple(made)


def _judge(problem: PlanProblem, plan: PlanResult, laid: _Laid) -> None:
    """Two independent counts of every plan: its worth, its rules. Raises AssertionError, which is our mistake."""
    broken = breaches(problem, plan)
    counted = points_of(laid.answer.flow.objective)
    if laid.is_whole and plan.objective != counted:
        broken.append(f"worth {plan.objective}, the solver counted {counted}")
    if plan.objective > plan.bound:
        broken.append(f"worth {plan.objective}, above the bound {plan.bound}")
    if broken:
        raise AssertionError(f"a plan of {problem.week} that breaks its own rules: {'; '.join(broken[:5])}")
