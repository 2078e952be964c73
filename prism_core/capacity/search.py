"""From arrays to the hours of a plan and what is proven of it: the way through flow, limits, moves and polish.

Belongs here: which of them a problem needs, and the bound that holds. Does not belong here: each of them, and the
days and words of the plan (days.py, solve.py).
"""

from dataclasses import dataclass, replace
from typing import Final

from prism_core.capacity.flow import Flow, best_flow
from prism_core.capacity.limits import Limits, limited, within
from prism_core.capacity.moves import keeping
from prism_core.capacity.network import Extra, dominating
from prism_core.capacity.offers import Tables
from prism_core.capacity.polish import polished, stops_of
from prism_core.capacity.problem import NO_HOURS, PlanProblem
from prism_core.capacity.scoring import hours_of, hundredths

_DEARER: Final = 4
_FIRST_POINTS: Final = 100
_HALVINGS: Final = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """Hours as a flow; the bound in hundredths of points and hours; whether it is the optimum, or time ran out.

    `needed`: the bound is of plans that keep so many published hours (hundredths), however few are asked for.
    """

    flow: Flow
    bound: int
    exact: bool
    timed: bool = False
    notes: tuple[str, ...] = ()
    needed: int = 0


def search(problem: PlanProblem, found: Tables, limits: Limits, polish_seconds: float) -> Answer:
    """The best hours that are found, and what is proven of them."""
    if not problem.published:
        if not problem.is_limited:
            flow = best_flow(found, problem.weights, Extra())
            return Answer(flow, flow.objective, exact=True)
        return _limited(problem, found, limits, Extra(), None, polish_seconds)
    asked, note = _asked(problem, found)
    if asked is None:
        extra = Extra(kept_points=dominating(found, problem.weights))
        if not problem.is_limited:
            flow = best_flow(found, problem.weights, extra)
            return Answer(flow, flow.objective, exact=True, notes=note)
        return _limited(problem, found, limits, extra, None, polish_seconds, note)
    kept = keeping(found, problem.weights, asked)
    if not problem.is_limited:
        return Answer(kept.flow, kept.bound, exact=kept.flow.objective == kept.bound, notes=note)
    return _limited(problem, found, limits, Extra(kept_points=kept.points), asked, polish_seconds, note)


def _asked(problem: PlanProblem, found: Tables) -> tuple[int | None, tuple[str, ...]]:
    """The published hours to keep (hundredths), None for as many as can be; and what is to be told."""
    if problem.move_budget_hours is None:
        return None, ()
    # Hours of pins stay or go by decision; hours of people or projects that are gone must go.
    pins = {(pin.member_id, pin.project_id): pin.hours for pin in problem.pins}
    staying = sum(min(hundredths(problem.published.get(pair, NO_HOURS)), hundredths(pins[pair])) for pair in pins)
    asked = sum(map(hundredths, problem.published.values())) - hundredths(problem.move_budget_hours) - staying
    most = best_flow(found, problem.weights, Extra(kept_points=dominating(found, problem.weights))).kept
    if asked <= most:
        return asked, ()
    needed = hours_of(asked - most + hundredths(problem.move_budget_hours))
    return None, (f"move budget: {needed} hours must move at least, {problem.move_budget_hours} are allowed",)


def _limited(
    problem: PlanProblem,
    found: Tables,
    limits: Limits,
    extra: Extra,
    asked: int | None,
    polish_seconds: float,
    notes: tuple[str, ...] = (),
) -> Answer:
    """Within limits: repair, dearer kept hours until the budget holds, the bound of the network, polish."""
    flow = within(found, problem.weights, limits, extra)
    if asked is not None:
        flow, extra = _within_budget(problem, found, limits, extra, flow, asked)
        if flow.kept < asked:
            notes = (*notes, f"move budget: no plan was found that keeps the limits and {hours_of(asked)} hours")
    # What a plan must keep to be compared with: the budget, or where no budget holds, what ours keeps.
    needed = flow.kept if asked is None else min(asked, flow.kept)
    if extra.kept_points is None:
        bound = best_flow(found, problem.weights, Extra(limits.fits)).objective
    else:
        bound = keeping(found, problem.weights, needed).bound
    timed = False
    gap = (bound - flow.objective) / max(abs(flow.objective), 1)
    for stop in stops_of(int(limited(found, limits).sum()), gap, polish_seconds):
        flow, proven, timed = polished(found, problem.weights, limits, flow, extra, needed, stop)
        bound = min(bound, proven)
    return Answer(flow, max(bound, flow.objective), exact=False, timed=timed, notes=notes, needed=needed)


def _within_budget(
    problem: PlanProblem, found: Tables, limits: Limits, extra: Extra, flow: Flow, asked: int
) -> tuple[Flow, Extra]:
    """Dearer kept hours until the budget holds, then as cheap as it still does; else the dearest of all."""
    low, high = extra.kept_points or 0, dominating(found, problem.weights)
    points, best, price = low, flow, extra
    while best.kept < asked and points < high:
        low, points = points, min(high, _DEARER * points + _FIRST_POINTS)
        price = replace(extra, kept_points=points)
        best = within(found, problem.weights, limits, price)
    for _ in range(_HALVINGS if flow.kept < asked <= best.kept else 0):
        between = replace(extra, kept_points=(low + points) // 2)
        tried = within(found, problem.weights, limits, between)
        if tried.kept < asked:
            low = (low + points) // 2
            continue
        points = (low + points) // 2
        if tried.objective > best.objective:
            best, price = tried, between
    return best, price
