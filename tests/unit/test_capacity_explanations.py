"""What is said of a plan holds when the week is planned again with what was said.

The judge is a linear program of its own: it takes the hour away, gives it to somebody else, or changes what an
explanation proposes, and must find the points that were told.
"""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.capacity_instances import instance
from prism_core.capacity.explain import Explainer, explain
from prism_core.capacity.explanation import Change, ChangeKind, Constraint, Explanation, UnmetWhy
from prism_core.capacity.grounds import grounds
from prism_core.capacity.plan import PlanResult
from prism_core.capacity.problem import (
    DemandLine,
    Exclusion,
    Level,
    Pair,
    Pin,
    PlanMember,
    PlanProblem,
    PlanProject,
)
from prism_core.capacity.solve import solve
from tests.unit.capacity_programs import Wishes, best_of_all_choices, most_points
from tests.unit.capacity_weeks import MON, WEEK, line, member, problems

HOUR = Decimal(1)
SLOW = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@given(problems())
@SLOW
def test_an_hour_taken_away_costs_what_was_told(problem: PlanProblem) -> None:
    plan = solve(problem)

    judge_switches(problem, plan, explain(problem, plan), Wishes())


@given(problems())
@SLOW
def test_a_change_gains_what_was_told(problem: PlanProblem) -> None:
    plan = solve(problem)

    judge_changes(problem, plan, explain(problem, plan), Wishes())


@given(problems(limits=True))
@SLOW
def test_within_limits_it_holds_with_the_same_people(problem: PlanProblem) -> None:
    plan = solve(problem)
    given_ = as_chosen(problem, plan)
    base = most_points(problem, given_)
    assert base is not None

    explanation = explain(problem, plan)

    assert float(plan.objective + explanation.given_up) == pytest.approx(base, abs=1e-6)
    if explanation.given_up:
        return  # explained around the best plan with the same people, whose hours differ
    judge_switches(problem, plan, explanation, given_)
    judge_changes(problem, plan, explanation, given_)


@given(problems(limits=True, fewest=True, blocks=False))
@SLOW
def test_a_limit_that_gives_way_gains_what_was_told_when_the_week_is_planned_again(problem: PlanProblem) -> None:
    plan = solve(problem)

    explanation = explain(problem, plan)

    assert not explanation.given_up
    judge_changes(problem, plan, explanation, as_chosen(problem, plan))
    for why in explanation.unmet:
        if why.change is not None and why.change.kind in OF_LIMITS:
            told = float(plan.objective + why.change.gain * min(HOUR, why.change.hours))
            assert best_of_all_choices(without_limit(problem, why, why.change)) >= told - 1e-6, why


@given(problems(), st.data())
@SLOW
def test_of_a_week_planned_again_it_holds_with_what_was_published(
    problem: PlanProblem, data: st.DataObject
) -> None:
    pairs = [(one.member_id, project.project_id) for one in problem.members for project in problem.projects]
    hours = st.dictionaries(st.sampled_from(pairs), st.integers(1, 4).map(Decimal), min_size=1, max_size=3)
    budget = data.draw(st.sampled_from((None, Decimal(0), Decimal(2))))
    problem = replace(problem, published=data.draw(hours), move_budget_hours=budget)
    plan = solve(problem)

    explanation = explain(problem, plan)

    judge_switches(problem, plan, explanation, as_chosen(problem, plan))


@pytest.mark.parametrize("level", [Level.AUTO, Level.DAY])
def test_a_whole_team_is_explained_truly(level: Level) -> None:
    problem = instance(12, 14, level=level)
    plan = solve(problem)

    explanation = explain(problem, plan)

    judge_switches(problem, plan, explanation, Wishes())
    judge_changes(problem, plan, explanation, Wishes())


@pytest.mark.parametrize("seed", range(4))
def test_a_team_with_everything_is_explained_truly(seed: int) -> None:
    problem = with_everything(instance(10, 12), random.Random(seed))
    plan = solve(problem)

    explanation = explain(problem, plan)

    assert any(one.switch for one in explanation.assignments)
    judge_switches(problem, plan, explanation, Wishes())
    judge_changes(problem, plan, explanation, Wishes())


@pytest.mark.parametrize("seed", [101, 104])
def test_points_that_fit_no_days_are_told(seed: int) -> None:
    problem = with_everything(instance(8, 10, limits=True), random.Random(seed))
    plan = solve(problem)

    explanation = explain(problem, plan)

    with_the_same_people = most_points(problem, as_chosen(problem, plan))
    assert explanation.given_up >= 0
    assert float(plan.objective + explanation.given_up) == pytest.approx(with_the_same_people, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_an_hour_of_a_candidate_does_what_was_told(seed: int) -> None:
    problem = with_everything(instance(6, 6), random.Random(seed))
    plan = solve(problem)
    explainer = Explainer(problem, plan)
    planned = {(one.member_id, name): hours for one in plan.assignments for name, hours in one.by_line.items()}
    judged = 0

    for demand in problem.lines:
        found = explainer.candidates(demand.line_id)
        ranked = [one.gain for one in found if one.kept_out is None]
        assert ranked == sorted(ranked, reverse=True)
        for one in found:
            where, amount = (one.member_id, demand.line_id), min(HOUR, one.hours)
            wish = Wishes(on_line={where: planned.get(where, Decimal(0)) + amount})
            if one.kept_out is Constraint.EXCLUDED:
                wish = Wishes(also={where: amount})
            elif one.kept_out is not None:
                continue
            told = pytest.approx(float(plan.objective + one.gain * amount), abs=1e-6)
            assert most_points(problem, wish) == told
            judged += 1

    assert judged > 10


def test_an_hour_goes_on_one_day_while_another_moves_there() -> None:
    """Monday's line gives the hour up, and one that is kept from last week moves there from Tuesday's overtime."""
    problem = PlanProblem(
        WEEK,
        [member("A", 4, 4, overtime_hours=Decimal(2))],
        [PlanProject("Q", 2)],
        [line("Q", 6), line("Q", 3, "Monday", until=MON)],
        previous={("A", "Q"): Decimal(6)},
    )
    plan = solve(problem)

    explanation = explain(problem, plan)

    assert [why.switch.cost for why in explanation.assignments if why.switch] == [80 - 36]
    judge_switches(problem, plan, explanation, Wishes())


@given(problems(limits=True))
@SLOW
def test_the_terms_sum_to_the_objective(problem: PlanProblem) -> None:
    plan = solve(problem)

    explanation = explain(problem, plan)

    parts = [*explanation.assignments, *explanation.members]
    assert sum(points for part in parts for points in part.terms.values()) == plan.objective


@given(problems())
@SLOW
def test_one_part_asked_for_is_that_of_the_whole(problem: PlanProblem) -> None:
    plan = solve(problem)
    whole, explainer = explain(problem, plan), Explainer(problem, plan)

    assert [explainer.assignment(*one.pair) for one in plan.assignments] == list(whole.assignments)
    assert [explainer.line(one.line_id) for one in plan.unmet] == list(whole.unmet)
    assert [explainer.member(one.member_id) for one in plan.loads] == list(whole.members)


def with_everything(problem: PlanProblem, rng: random.Random) -> PlanProblem:
    """Days off, lines that end inside the week or need more, pins by day, exclusions and overtime."""
    members: list[PlanMember] = []
    pins: list[Pin] = []
    excluded: list[Exclusion] = []
    for one in problem.members:
        day = rng.choice(sorted(one.hours))
        off = {day: one.hours[day]} if rng.random() < 1 / 3 else {}
        hours = {other: amount for other, amount in one.hours.items() if other not in off}
        overtime = Decimal(rng.choice((0, 0, 2)))
        members.append(replace(one, hours=hours, off=off, overtime_hours=overtime))
        able = [project.project_id for project in problem.projects if project.skills.keys() <= one.skills.keys()]
        where = sorted(day for day, amount in hours.items() if amount)
        if able and where and rng.random() < 1 / 3:
            pins.append(Pin(one.member_id, rng.choice(able), HOUR * 2, {rng.choice(where): HOUR * 2}))
        elif able and rng.random() < 1 / 2:
            excluded.append(Exclusion(one.member_id, rng.choice(able)))
    lines: list[DemandLine] = []
    for asked in problem.lines:
        early = (asked.hours / 3).quantize(Decimal("0.25"))
        until = rng.choice((*problem.week.days[:5], None))
        more = {name: level + rng.choice((0, 2)) for name, level in asked.skills.items()}
        if early:
            lines.append(DemandLine(f"{asked.line_id}-early", asked.project_id, early, more, until=until))
        lines.append(replace(asked, hours=asked.hours - early))
    return replace(problem, members=members, lines=lines, pins=pins, exclusions=excluded)


# --- the judge ---------------------------------------------------------------------------------------------------


def judge_switches(problem: PlanProblem, plan: PlanResult, explanation: Explanation, given_: Wishes) -> None:
    hours = {one.pair: one.hours for one in plan.assignments}
    pinned = {(pin.member_id, pin.project_id) for pin in problem.pins}
    met: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in plan.assignments:
        met[one.project_id] += sum(one.by_line.values(), Decimal(0))
    for why in explanation.assignments:
        if why.switch is None:
            assert why.held is not None
            continue
        amount = min(HOUR, why.switch.hours)
        assert amount > 0
        expected = pytest.approx(float(plan.objective - why.switch.cost * amount), abs=1e-6)
        less = replace(given_, at_most={why.pair: why.hours - amount})
        assert most_points(problem, less) == expected
        if why.switch.member_id is None:
            open_ = {why.project_id: met[why.project_id] - amount}
            assert most_points(problem, replace(less, met_of_project=open_)) == expected
        elif (other := (why.switch.member_id, why.project_id)) not in pinned:
            # (A pin's hours beyond the demand may take over: it has no more of them.)
            more = {other: hours.get(other, Decimal(0)) + amount}
            assert most_points(problem, replace(less, at_least=more)) == expected


def judge_changes(problem: PlanProblem, plan: PlanResult, explanation: Explanation, given_: Wishes) -> None:
    lines = {one.line_id: one for one in problem.lines}
    for why in explanation.unmet:
        if why.change is None:
            continue
        amount = min(HOUR, why.change.hours)
        assert amount > 0
        assert why.change.gain > 0
        met = lines[why.line_id].hours - why.hours + amount
        changed, wishes = applied(problem, why, why.change, amount)
        wishes = replace(given_, closed=given_.closed, also=wishes.also, met_at_least={why.line_id: met})
        points = most_points(changed, wishes)
        told = float(plan.objective + why.change.gain * amount)
        assert points is not None
        assert points >= told - 1e-6, why
        if why.change.kind in EXACT:
            assert points == pytest.approx(told, abs=1e-6), why


OF_LIMITS = (ChangeKind.PERSON, ChangeKind.ALONE, ChangeKind.JOIN, ChangeKind.PROJECT, ChangeKind.EXCLUSION)
EXACT = (ChangeKind.OVERTIME, ChangeKind.SKILL, *OF_LIMITS)


def without_limit(problem: PlanProblem, why: UnmetWhy, change: Change) -> PlanProblem:
    """The problem with the one limit or exclusion changed that a change names."""
    project = next(one for one in problem.projects if one.project_id == why.project_id)
    who = next(one for one in problem.members if one.member_id == change.member_id)
    if change.kind is ChangeKind.PERSON:
        project = replace(project, max_people=(project.max_people or 0) + 1)
    elif change.kind is ChangeKind.ALONE:
        project = replace(project, min_people=1)
    elif change.kind is ChangeKind.PROJECT:
        who = replace(who, max_projects=(who.max_projects or 0) + 1)
    gone = Exclusion(change.member_id, why.project_id) if change.kind is ChangeKind.EXCLUSION else None
    return replace(
        with_member(problem, who),
        projects=[project if one.project_id == why.project_id else one for one in problem.projects],
        exclusions=[one for one in problem.exclusions if one != gone],
    )


def applied(problem: PlanProblem, why: UnmetWhy, change: Change, amount: Decimal) -> tuple[PlanProblem, Wishes]:
    """The problem with the change made for so many hours, and what the plan may do that it may not by itself."""
    who = next(one for one in problem.members if one.member_id == change.member_id)
    line = next(one for one in problem.lines if one.line_id == why.line_id)
    also = Wishes(also={(change.member_id, why.line_id): amount})
    days = [day for day, hours in who.hours.items() if hours and day <= problem.ends(line)]
    if change.kind is ChangeKind.UNPIN:
        return with_pin(problem, change, change.project_id, -amount, None), Wishes()
    if change.kind is ChangeKind.PIN:
        return best_of(with_pin(problem, change, why.project_id, amount, day) for day in days), Wishes()
    if change.kind is ChangeKind.OVERTIME:
        who = replace(who, overtime_hours=who.overtime_hours + amount)
    elif change.kind is ChangeKind.TIME_OFF:
        assert change.day is not None
        who = replace(who, hours={**who.hours, change.day: who.hours.get(change.day, Decimal(0)) + amount})
    elif change.kind is ChangeKind.HOURS:
        longer = ({**who.hours, day: who.hours.get(day, Decimal(0)) + amount} for day in days or [MON])
        return best_of(with_member(problem, replace(who, hours=hours)) for hours in longer), Wishes()
    else:
        return problem, also
    return with_member(problem, who), Wishes()


def best_of(tried: Iterable[PlanProblem]) -> PlanProblem:
    """A person would choose the day on which the change helps most."""
    return max(tried, key=lambda one: most_points(one) or 0)


def with_member(problem: PlanProblem, who: PlanMember) -> PlanProblem:
    members = [who if one.member_id == who.member_id else one for one in problem.members]
    return replace(problem, members=members)


def with_pin(
    problem: PlanProblem, change: Change, project: str | None, amount: Decimal, day: date | None
) -> PlanProblem:
    """The pin of the changed member with more or fewer hours, on a day or on its only one."""
    pins: list[Pin] = []
    for pin in problem.pins:
        by_day = pin.by_day or {}
        if (pin.member_id, pin.project_id) == (change.member_id, project):
            where = day or next(iter(by_day))
            by_day = {**by_day, where: by_day.get(where, Decimal(0)) + amount}
        pins.append(replace(pin, hours=sum(by_day.values(), Decimal(0)), by_day=by_day))
    return replace(problem, pins=pins)


def as_chosen(problem: PlanProblem, plan: PlanResult) -> Wishes:
    """What an explanation within limits takes as given."""
    on = grounds(problem, plan)
    free = {pair: number for pair, number in on.pairs.number.items() if number < on.found.free_pairs}
    closed = frozenset(pair for pair, number in free.items() if not on.allowed[number])
    pinned = {pin.project_id for pin in problem.pins}
    ends: defaultdict[str, list] = defaultdict(list)
    for one in problem.lines:
        ends[one.project_id].append(problem.ends(one))
    of_line = {one.line_id: problem.ends(one) == max(ends[one.project_id]) for one in problem.lines}
    projects = {one.project_id: one for one in problem.projects}
    kept: dict[Pair, Decimal] = {}
    for one in plan.assignments:
        project = projects[one.project_id]
        if one.pinned:
            continue
        presence = Decimal("0.25") if project.min_people > 1 and project.project_id not in pinned else Decimal(0)
        lasting = sum((hours for name, hours in one.by_line.items() if of_line[name]), Decimal(0))
        floor = max(project.min_block_hours, presence, problem.published.get(one.pair, Decimal(0)))
        kept[one.pair] = min(floor, lasting)
    return Wishes(closed=closed, kept=kept)
