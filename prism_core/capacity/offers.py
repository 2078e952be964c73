"""Who may work on what, and for how many points an hour, as arrays.

Belongs here: pairs of a member and a project, their offers to the lines of demand, and the problem as a whole in
arrays. Does not belong here: hours (supply.py), nodes and arcs (network.py).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from prism_core.capacity.problem import DemandLine, Level, Pair, PlanProblem
from prism_core.capacity.scoring import hundredths, last_end, line_value, shortfall, surplus
from prism_core.capacity.supply import DAYS, Flags, Ints, Slots, Supply, numbered, slots, supply


@dataclass(frozen=True, slots=True)
class Tables:
    """The problem in arrays. The free pairs come first, those of the pins behind them, as the problem has them.

    An offer is a pair that may work on a line, for `points` (hundredths) an hour. Hours on a `lasting` one, whose
    line ends when the last of the project does, count for continuity and as kept.
    """

    supply: Supply
    slots: Slots
    line_hours: Ints
    line_end: Ints
    pair_owner: Ints
    pair_member: Ints
    pair_project: Ints
    previous: Ints
    published: Ints
    offer_pair: Ints
    offer_line: Ints
    offer_points: Ints
    offer_lasting: Flags
    free_pairs: int


def tables(problem: PlanProblem) -> Tables:
    """The arrays of a problem that was checked."""
    given = supply(problem)
    number = _Numbers(problem)
    able = given.regular[: given.members].sum(axis=1) + given.overtime > 0
    members, lines, levels = _eligible(problem, able)
    line_project = number.of_lines
    free = _allowed(problem, number, members * number.many + line_project[lines])
    members, lines, levels = members[free], lines[free], levels[free]
    free_codes, offer_pair = numbered(members * number.many + line_project[lines])
    pins = [(pin.member_id, pin.project_id) for pin in problem.pins]
    codes = np.concatenate([free_codes, number.codes(pins)])
    pin_pairs, pin_lines, pin_levels = _pinned(problem, len(free_codes))

    offer_pair = np.concatenate([offer_pair, pin_pairs])
    offer_line = np.concatenate([lines, pin_lines])
    points = np.concatenate([levels, pin_levels]) * hundredths(problem.weights.level_surplus)
    points += number.value[line_project[offer_line]] - _shortfalls(problem, number, codes)[offer_pair]
    line_end = np.array([(problem.ends(line) - problem.week.monday).days for line in problem.lines], np.int64)
    owner = np.concatenate([free_codes // number.many, given.members + np.arange(len(pins))])
    published = _by_pair(problem.published, number, codes)
    published[len(free_codes) :] = 0  # hours of a pin stay or go by decision
    cuts = _cuts(problem, owner[offer_pair], line_end[offer_line], len(given.regular))
    return Tables(
        supply=given,
        slots=slots(given, cuts),
        line_hours=np.array([hundredths(line.hours) for line in problem.lines], np.int64),
        line_end=line_end,
        pair_owner=owner,
        pair_member=codes // number.many,
        pair_project=codes % number.many,
        previous=_by_pair(problem.previous, number, codes),
        published=published,
        offer_pair=offer_pair,
        offer_line=offer_line,
        offer_points=points,
        offer_lasting=line_end[offer_line] == number.last_end[line_project[offer_line]],
        free_pairs=len(free_codes),
    )


class _Numbers:
    """Positions in the problem, and the code of a pair: member * projects + project."""

    def __init__(self, problem: PlanProblem) -> None:
        self.member = {one.member_id: index for index, one in enumerate(problem.members)}
        self.project = {one.project_id: index for index, one in enumerate(problem.projects)}
        self.many = max(len(self.project), 1)
        self.of_lines = np.array([self.project[line.project_id] for line in problem.lines], np.int64)
        self.value = np.array([sum(line_value(problem, one).values()) for one in problem.projects], np.int64)
        lines: defaultdict[str, list[DemandLine]] = defaultdict(list)
        for line in problem.lines:
            lines[line.project_id].append(line)
        ends = (last_end(problem, lines[one.project_id]) for one in problem.projects)
        self.last_end = np.array([(end - problem.week.monday).days for end in ends], np.int64)

    def codes(self, pairs: list[Pair]) -> Ints:
        found = (self.member[member] * self.many + self.project[project] for member, project in pairs)
        return np.fromiter(found, np.int64, len(pairs))

    def known(self, pair: Pair) -> bool:
        return pair[0] in self.member and pair[1] in self.project


def _eligible(problem: PlanProblem, able: Flags) -> tuple[Ints, Ints, Ints]:
    """Members with hours to give and lines whose skills they have, with the levels above the need."""
    having: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for index, member in enumerate(problem.members):
        if able[index]:
            for skill, level in member.skills.items():
                having[skill].append((index, level))
    levels = {skill: np.array(who, np.int64) for skill, who in having.items()}
    everybody = np.flatnonzero(able)
    known: dict[frozenset[tuple[str, int]], tuple[Ints, Ints]] = {}
    found: list[tuple[Ints, Ints]] = []
    for line in problem.lines:
        need = frozenset(line.skills.items())
        if need not in known:
            known[need] = _with_skills(line.skills, levels, everybody)
        found.append(known[need])
    counts = [len(who) for who, _ in found]
    empty = np.zeros(0, np.int64)
    return (
        np.concatenate([empty, *(who for who, _ in found)]),
        np.repeat(np.arange(len(counts)), counts),
        np.concatenate([empty, *(above for _, above in found)]),
    )


def _with_skills(need: Mapping[str, int], levels: Mapping[str, Ints], everybody: Ints) -> tuple[Ints, Ints]:
    """Who has every skill, and how far above the need their least one is."""
    who, above = everybody, np.zeros(len(everybody), np.int64)
    for number, (skill, level) in enumerate(sorted(need.items())):
        having = levels.get(skill, np.zeros((0, 2), np.int64))
        having = having[having[:, 1] >= level]
        both, mine, theirs = np.intersect1d(who, having[:, 0], assume_unique=True, return_indices=True)
        surplus_here = having[theirs, 1] - level
        above = surplus_here if number == 0 else np.minimum(above[mine], surplus_here)
        who = both
    return who, above


def _allowed(problem: PlanProblem, number: _Numbers, codes: Ints) -> Flags:
    """Neither excluded nor pinned: a pinned pair has its hours and no more."""
    barred = [(one.member_id, one.project_id) for one in (*problem.exclusions, *problem.pins)]
    return ~np.isin(codes, number.codes(barred)) if barred else np.ones(len(codes), np.bool_)


def _pinned(problem: PlanProblem, first: int) -> tuple[Ints, Ints, Ints]:
    """The offers of the pins: every line of the project, with its skills or without them."""
    of_project: defaultdict[str, list[int]] = defaultdict(list)
    for index, line in enumerate(problem.lines):
        of_project[line.project_id].append(index)
    skills = {member.member_id: member.skills for member in problem.members} if problem.pins else {}
    rows = [
        (first + index, line, surplus(skills[pin.member_id], problem.lines[line].skills) or 0)
        for index, pin in enumerate(problem.pins)
        for line in of_project[pin.project_id]
    ]
    found = np.array(rows, np.int64).reshape(-1, 3)
    return found[:, 0], found[:, 1], found[:, 2]


def _shortfalls(problem: PlanProblem, number: _Numbers, codes: Ints) -> Ints:
    targets = {one.project_id: one.quality_target for one in problem.projects}
    off = {
        pair: shortfall(problem.weights, targets[pair[1]], score)
        for pair, score in problem.quality.items()
        if number.known(pair)
    }
    return _spread(off, number, codes)


def _by_pair(hours: Mapping[Pair, Decimal], number: _Numbers, codes: Ints) -> Ints:
    return _spread({pair: hundredths(one) for pair, one in hours.items() if number.known(pair)}, number, codes)


def _spread(amounts: Mapping[Pair, int], number: _Numbers, codes: Ints) -> Ints:
    """Amounts of pairs in the order of `codes`, 0 where nothing is said; pairs that are not there say nothing."""
    found = np.zeros(len(codes), np.int64)
    if amounts and len(codes):
        order = np.argsort(codes, kind="stable")
        wanted = number.codes(list(amounts))
        at = np.minimum(np.searchsorted(codes, wanted, sorter=order), len(codes) - 1)
        there = codes[order[at]] == wanted
        found[order[at[there]]] = np.fromiter(amounts.values(), np.int64, len(amounts))[there]
    return found


def _cuts(problem: PlanProblem, owner: Ints, end: Ints, owners: int) -> Flags:
    """By owner and day: whether a slot must end, since a line that the owner may work on ends."""
    if problem.level is Level.DAY:
        return np.ones((owners, DAYS), np.bool_)
    cuts = np.zeros((owners, DAYS), np.bool_)
    cuts[owner, end] = True
    return cuts
