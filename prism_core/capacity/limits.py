"""Limits that no network can hold: people of a project, projects of a member, the shortest piece of work.

Belongs here: a plan within the limits by flow and repair, in a few flows. Does not belong here: making it better
(polish.py) and the days of the pieces (days.py).
The flow without limits bounds every plan with them. Repair closes pairs, those of the least worth first, until the
flow keeps every limit, then opens what has room again: a heuristic, so its answer is never called an optimum.
Projects that wait for each other's people are given up a few at a time: the people of one are enough for the next.
"""

from dataclasses import dataclass, replace
from itertools import count
from typing import Final

import numpy as np

from prism_core.capacity.flow import Flow, best_flow
from prism_core.capacity.network import Extra
from prism_core.capacity.offers import Tables
from prism_core.capacity.problem import PRESENCE, PlanProblem, Weights
from prism_core.capacity.scoring import hundredths
from prism_core.capacity.supply import Flags, Ints, sums

_MANY: Final = 2**31
# So many turns close one pair of a member or project at a time, later ones all that are too many; still later ones
# those without hours too, so that every turn leaves fewer of them and there is an end.
_GENTLE: Final = 12
_OPEN: Final = 24
# Of the projects that lack people so many are given up at once: one of a few, a quarter of many.
_GIVEN_UP: Final = 4
_REOPENINGS: Final = 4
_WORTH_ANOTHER: Final = 20_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What pins leave: projects by member, people by project, the fewest people (0 where a pin waives them).

    By pair, `block`: the shortest piece of a day, `least`: the fewest hours of a week, `fits`: if a day is long
    enough for it.
    """

    projects: Ints
    people: Ints
    fewest: Ints
    block: Ints
    least: Ints
    fits: Flags


def limits_of(problem: PlanProblem, found: Tables) -> Limits:
    """The limits of a problem in arrays."""
    free, given = found.free_pairs, found.supply
    pinned_people = np.bincount(found.pair_project[free:], minlength=len(problem.projects))
    pinned_projects = np.bincount(found.pair_member[free:], minlength=given.members)
    projects = np.array([_MANY if one.max_projects is None else one.max_projects for one in problem.members])
    people = np.array([_MANY if one.max_people is None else one.max_people for one in problem.projects])
    fewest = np.array([one.min_people if one.min_people > 1 else 0 for one in problem.projects])
    of_project = np.array([hundredths(one.min_block_hours) for one in problem.projects], np.int64)
    block = of_project[found.pair_project]
    block[free:] = 0
    fewest = np.where(pinned_people > 0, 0, fewest).astype(np.int64)
    presence = np.where(fewest[found.pair_project] > 0, hundredths(PRESENCE), 0)
    presence[free:] = 0
    longest = (
        given.regular[: given.members] + np.minimum(given.room[: given.members], given.overtime[:, None])
    ).max(axis=1, initial=0)
    return Limits(
        projects=(projects - pinned_projects).astype(np.int64),
        people=(people - pinned_people).astype(np.int64),
        fewest=fewest,
        block=block,
        least=np.maximum(block, presence),
        fits=longest[found.pair_member] >= block,
    )


def limited(found: Tables, limits: Limits) -> Flags:
    """The free pairs for which a limit could close others."""
    free = np.arange(len(found.pair_owner)) < found.free_pairs
    member, project = found.pair_member, found.pair_project
    of_member = np.bincount(member[free], minlength=len(limits.projects))
    of_project = np.bincount(project[free], minlength=len(limits.people))
    tight = (limits.projects < of_member)[member] | (limits.people < of_project)[project]
    return free & (tight | (limits.block > 0) | (limits.fewest > 0)[project])


def within(found: Tables, weights: Weights, limits: Limits, extra: Extra) -> Flow:
    """A flow that keeps every limit, by repair; `extra.allowed` is where the search begins."""
    start = limits.fits if extra.allowed is None else extra.allowed & limits.fits
    best = _repair(found, weights, limits, replace(extra, allowed=start))
    for _ in range(_REOPENINGS):
        tried = _repair(found, weights, limits, replace(extra, allowed=_reopened(found, limits, best, start)))
        gained = _value(tried, extra) - _value(best, extra)
        best = tried if gained > 0 else best
        if gained * _WORTH_ANOTHER <= abs(best.objective):
            break
    return best


def _value(flow: Flow, extra: Extra) -> int:
    return flow.objective + (extra.kept_points or 0) * flow.kept


def _reopened(found: Tables, limits: Limits, flow: Flow, start: Flags) -> Flags:
    """The pairs with hours, and those whose member and project both have room for one more."""
    used = flow.hours.by_pair > 0
    used[found.free_pairs :] = False
    of_member = np.bincount(found.pair_member[used], minlength=len(limits.projects)) < limits.projects
    of_project = np.bincount(found.pair_project[used], minlength=len(limits.people)) < limits.people
    return used | (start & of_member[found.pair_member] & of_project[found.pair_project])


def _repair(found: Tables, weights: Weights, limits: Limits, extra: Extra) -> Flow:
    """Settle the flow; where projects lack people, give up those that lack the most and begin without them."""
    assert extra.allowed is not None  # noqa: S101 - of our own making
    allowed = extra.allowed
    while True:
        flow, starved = _settled(found, weights, limits, replace(extra, allowed=allowed))
        if not len(starved):
            return flow
        allowed = allowed & ~np.isin(found.pair_project, starved[: max(1, len(starved) // _GIVEN_UP)])


def _settled(found: Tables, weights: Weights, limits: Limits, extra: Extra) -> tuple[Flow, Ints]:
    """Close pairs and lift short ones to their block until the flow keeps every limit, or projects lack people.

    Answers the flow and those projects, the one that lacks the most first; of equals the one worth the least.
    """
    assert extra.allowed is not None  # noqa: S101 - of our own making
    allowed = extra.allowed.copy()
    floor = np.zeros(len(allowed), np.int64) if extra.floor is None else extra.floor.copy()
    for turn in count():
        flow = best_flow(found, weights, Extra(allowed, extra.kept_points, floor if floor.any() else None))
        closed, lifted, starved = _broken(found, limits, flow, allowed, floor, gentle=turn < _GENTLE)
        if len(starved) or not (closed.any() or (lifted > floor).any()):
            return flow, starved
        allowed &= ~closed
        if turn >= _OPEN:
            allowed &= (flow.hours.by_pair > 0) | (floor > 0)
        floor = np.where(allowed, lifted, 0)
    raise AssertionError  # the turns do not end


def _broken(
    found: Tables, limits: Limits, flow: Flow, allowed: Flags, floor: Ints, *, gentle: bool
) -> tuple[Flags, Ints, Ints]:
    """The pairs to close, the hours that pairs must have to stay, the projects that cannot have their people."""
    amount = flow.hours.by_pair.copy()
    amount[found.free_pairs :] = 0
    used = amount > 0
    worth = sums(found.offer_pair, flow.hours.by_offer * np.maximum(found.offer_points, 1), len(amount))
    closed = _too_many(found.pair_member, used, worth, limits.projects, gentle=gentle)
    closed |= _too_many(found.pair_project, used & ~closed, worth, limits.people, gentle=gentle)
    short = used & ~closed & (amount < limits.least)
    # Half a block may be worth the rest of it; less, or what was tried before, is not.
    hopeless = short & ((floor > 0) | (2 * amount < limits.least))
    closed |= hopeless
    lifted = np.where(short & ~hopeless, limits.least, floor)
    untried = allowed & (floor == 0) & ~closed
    starved = _fewest(found, limits, used & ~closed, untried, worth, lifted)
    return closed, lifted, starved


def _too_many(group: Ints, used: Flags, worth: Ints, most: Ints, *, gentle: bool) -> Flags:
    """Of every group with too many used pairs, those that are worth least: all that are too many, or one."""
    pairs = np.flatnonzero(used)
    order = pairs[np.lexsort((pairs, -worth[pairs], group[pairs]))]
    rank = np.arange(len(order)) - np.searchsorted(group[order], group[order])
    people = np.bincount(group[pairs], minlength=len(most))
    over = rank >= most[group[order]]
    if gentle:
        over &= rank == people[group[order]] - 1
    closed = np.zeros(len(used), np.bool_)
    closed[order[over]] = True
    return closed


def _fewest(found: Tables, limits: Limits, used: Flags, untried: Flags, worth: Ints, lifted: Ints) -> Ints:
    """Ask for more people where a project has too few; answers the projects for which there are none."""
    project_of = found.pair_project[: found.free_pairs]
    people = np.bincount(found.pair_project[used], minlength=len(limits.fewest))
    points = np.zeros(len(used), np.int64)
    np.maximum.at(points, found.offer_pair, found.offer_points)
    earned = sums(found.pair_project[used], worth[used], len(limits.fewest))
    starved: list[tuple[int, int, int]] = []
    for project in np.flatnonzero((people > 0) & (people < limits.fewest)).tolist():
        mine = np.flatnonzero(project_of == project)
        idle = mine[~used[mine] & untried[mine]]
        missing = int(limits.fewest[project] - people[project])
        if len(idle) < missing:
            starved.append((len(idle) - missing, int(earned[project]), project))
        else:
            more = idle[np.argsort(-points[idle], kind="stable")][:missing]
            lifted[more] = limits.least[more]
    return np.array([project for _, _, project in sorted(starved)], np.int64)
