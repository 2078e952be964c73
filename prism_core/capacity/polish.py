"""A plan within limits made better, and its bound tighter, by a mixed-integer program.

Belongs here: the program of the network with its limits, begun from the plan that repair found. Does not belong
here: the solver (milp.py) and the repair (limits.py).
The program decides which pairs are used; their hours are then a flow of whole hundredths again, so nothing that a
floating-point solver rounds ever reaches a plan.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from prism_core.capacity.flow import Flow
from prism_core.capacity.limits import Limits, limited, within
from prism_core.capacity.milp import INFINITY, Answer, Floats, Model, maximise, maximise_near
from prism_core.capacity.milp import Limits as Stop
from prism_core.capacity.network import NONE, SINK, Extra, network
from prism_core.capacity.offers import Tables
from prism_core.capacity.problem import Weights
from prism_core.capacity.supply import Flags, Ints, sums

_HUNDREDTHS: Final = 100
_HALF: Final = 0.5
_FAR: Final = 2**62
# So few decisions are searched to the end, whether anybody waits for it or not.
_FEW: Final = 120
_ALL: Final = Stop(seconds=60.0, nodes=5_000, gap=0.0)
# The tree is cut off here, so that equal input gives an equal answer on a machine that is fast enough.
_NODES: Final = 20_000
_GAP: Final = 1e-4
# What nobody wants to wait for: begun only where repair left more of a gap.
# Its nodes end it, not its seconds: those are so many that no machine that is merely busy gets there.
_AT_ONCE: Final = Stop(seconds=60.0, nodes=100, gap=0.001, near=True)
_GAP_AT_ONCE: Final = 0.004
_MOST_AT_ONCE: Final = 3_000


def stops_of(decisions: int, gap: float, seconds: float) -> list[Stop]:
    """When the programs of so many decisions end, in turn; none where it is not worth to begin.

    `gap`: what repair left, as a share; `seconds`: for how long somebody wants to wait, 0 for not at all.
    """
    if gap <= 0:
        return []
    if decisions <= _FEW:
        return [replace(_ALL, seconds=max(seconds, _ALL.seconds))]
    at_once = [_AT_ONCE] if decisions <= _MOST_AT_ONCE and gap > _GAP_AT_ONCE else []
    return [*at_once, Stop(seconds, _NODES, _GAP)] if seconds > 0 else at_once


def polished(
    found: Tables, weights: Weights, limits: Limits, flow: Flow, extra: Extra, needed: int, stop: Stop
) -> tuple[Flow, int, bool]:
    """The better of the flow and what the program finds from it; its bound (hundredths); whether time ran out.

    Where a week is planned again, nothing is looked at that keeps fewer published hours than `needed`.
    """
    program = _Program(found, weights, limits, extra, needed)
    search = maximise_near if stop.near else maximise
    answer = search(program.model, stop, program.start(flow))
    bound = program.bound(answer)
    if answer.values is None:
        return flow, bound, answer.timed
    used = program.used(answer.values)
    tried = within(found, weights, limits, Extra(used, extra.kept_points, np.where(used, program.least, 0)))
    better = tried.kept >= needed and tried.objective > flow.objective
    return (tried if better else flow), bound, answer.timed


class _Program:
    """Columns: the arcs of the network in hours, whether a pair is used, whether a project is worked on."""

    def __init__(self, found: Tables, weights: Weights, limits: Limits, extra: Extra, kept: int) -> None:
        self._found, self._limits = found, limits
        self._allowed = limits.fits if extra.allowed is None else extra.allowed & limits.fits
        again = None if extra.kept_points is None else 0
        self._arcs = arcs = network(found, weights, Extra(self._allowed, again))
        self._pairs = np.flatnonzero(limited(found, limits) & self._allowed)
        self._projects = np.flatnonzero(limits.fewest > 0)
        count = len(arcs.tail), len(self._pairs), len(self._projects)
        self._pair_column = np.full(len(found.pair_owner), NONE, np.int64)
        self._pair_column[self._pairs] = count[0] + np.arange(count[1])
        self._project_column = np.full(len(limits.fewest), NONE, np.int64)
        self._project_column[self._projects] = count[0] + count[1] + np.arange(count[2])
        worth = np.concatenate([arcs.worth, np.zeros(sum(count[1:]), np.int64)])
        upper = np.concatenate([arcs.capacity / _HUNDREDTHS, np.ones(sum(count[1:]))])
        whole = np.arange(sum(count)) >= count[0]
        self.model = Model(worth / _HUNDREDTHS, np.zeros(sum(count)), upper, whole)
        self.least = np.where(self._pair_column == NONE, 0, limits.least)
        self._balance()
        self._use()
        self._people()
        self._worked()
        if again is not None:
            which = np.flatnonzero(arcs.kept)
            most, ones = np.full(1, INFINITY), np.ones(len(which))
            self.model.add(np.zeros(len(which), np.int64), which, ones, np.full(1, kept / _HUNDREDTHS), most)

    def _balance(self) -> None:
        """What enters a node leaves it."""
        arcs, number = self._arcs, np.arange(len(self._arcs.tail))
        supplies = arcs.supplies / _HUNDREDTHS
        row, column = np.concatenate([arcs.tail, arcs.head]), np.concatenate([number, number])
        value = np.concatenate([np.ones(len(number)), -np.ones(len(number))])
        self.model.add(row, column, value, supplies, supplies)

    def _use(self) -> None:
        """Hours only of a pair that is used, and at least its block."""
        found, pairs = self._found, self._pairs
        if not len(pairs):
            return
        row_of = np.full(len(found.pair_owner), NONE, np.int64)
        row_of[pairs] = np.arange(len(pairs))
        arcs = np.flatnonzero((self._arcs.pair != NONE) & (row_of[self._arcs.pair] != NONE))
        row = np.concatenate([row_of[self._arcs.pair[arcs]], np.arange(len(pairs))])
        column = np.concatenate([arcs, self._pair_column[pairs]])
        ones, nothing, unlimited = np.ones(len(arcs)), np.zeros(len(pairs)), np.full(len(pairs), INFINITY)
        self.model.add(row, column, np.concatenate([ones, -self._most()]), -unlimited, nothing)
        least = self.least[pairs] / _HUNDREDTHS
        self.model.add(row, column, np.concatenate([ones, -least]), nothing, unlimited)

    def _most(self) -> Floats:
        """No pair has more hours than its member has on days that are long enough, nor than its lines want."""
        found, given = self._found, self._found.supply
        member = found.pair_member[self._pairs]
        room = np.minimum(given.room[: given.members], given.overtime[:, None])
        day = given.regular[: given.members] + room
        long = day[member] >= self._limits.block[self._pairs][:, None]
        regular = (given.regular[: given.members][member] * long).sum(axis=1)
        hours = regular + np.minimum((room[member] * long).sum(axis=1), given.overtime[member])
        lines = sums(found.offer_pair, found.line_hours[found.offer_line], len(found.pair_owner))
        return np.minimum(hours, lines[self._pairs]) / _HUNDREDTHS

    def _people(self) -> None:
        """At most so many projects of a member and people of a project, and no project with too few."""
        found, limits, pairs = self._found, self._limits, self._pairs
        for group, most in (
            (found.pair_member[pairs], limits.projects),
            (found.pair_project[pairs], limits.people),
        ):
            tight = np.flatnonzero(np.bincount(group, minlength=len(most)) > most)
            inside = np.flatnonzero(np.isin(group, tight))
            if len(tight):
                row = np.searchsorted(tight, group[inside])
                nothing = np.full(len(tight), -INFINITY)
                ones = np.ones(len(inside))
                self.model.add(
                    row, self._pair_column[pairs[inside]], ones, nothing, most[tight].astype(np.float64)
                )
        projects = self._projects
        if not len(projects):
            return
        inside = pairs[limits.fewest[found.pair_project[pairs]] > 0]
        project = found.pair_project[inside]
        row = np.concatenate([np.searchsorted(projects, project), np.arange(len(projects))])
        column = np.concatenate([self._pair_column[inside], self._project_column[projects]])
        value = np.concatenate([np.ones(len(inside)), -limits.fewest[projects].astype(np.float64)])
        self.model.add(row, column, value, np.zeros(len(projects)), np.full(len(projects), INFINITY))
        number = np.arange(len(inside))
        row, column = (
            np.tile(number, 2),
            np.concatenate([self._pair_column[inside], self._project_column[project]]),
        )
        value = np.repeat([1.0, -1.0], len(inside))
        self.model.add(row, column, value, np.full(len(inside), -INFINITY), np.zeros(len(inside)))

    def _worked(self) -> None:
        """A line of a project with fewest people is met as far as the project is worked on, and no further.

        Follows from the rest for whole decisions; for parts of them it makes the bound several times tighter.
        """
        found, arcs = self._found, self._arcs
        owners = len(found.supply.regular)
        of_line = (arcs.tail > owners) & (arcs.tail <= owners + len(found.line_hours))
        met = np.flatnonzero(of_line & (arcs.head == SINK))
        line = arcs.tail[met] - 1 - owners
        project_of = np.zeros(len(found.line_hours), np.int64)
        project_of[found.offer_line] = found.pair_project[found.offer_pair]
        of_project = self._project_column[project_of[line]]
        some = np.flatnonzero(of_project != NONE)
        if len(some):
            number, ones = np.arange(len(some)), np.ones(len(some))
            hours = found.line_hours[line[some]] / _HUNDREDTHS
            self.model.add(
                np.tile(number, 2), np.concatenate([met[some], of_project[some]]), np.concatenate([ones, -hours]),
                np.full(len(some), -INFINITY), np.zeros(len(some)),
            )  # fmt: skip

    def start(self, flow: Flow) -> tuple[Ints, Floats]:
        """The decisions of a flow that keeps the limits: the pairs and projects that it uses."""
        pairs, projects = self._pairs, self._projects
        used = flow.hours.by_pair > 0
        worked = np.isin(projects, self._found.pair_project[used])
        column = np.concatenate([self._pair_column[pairs], self._project_column[projects]])
        return column, np.concatenate([used[pairs], worked]).astype(np.float64)

    def used(self, values: Floats) -> Flags:
        """The pairs that the program uses; those without a decision stay as they are."""
        used = self._allowed.copy()
        used[self._pairs] = values[self._pair_column[self._pairs]] > _HALF
        return used

    def bound(self, answer: Answer) -> int:
        """The proven bound in hundredths of points and hours; far above all where time ended before one."""
        if abs(answer.bound) >= INFINITY:
            return _FAR
        scale = _HUNDREDTHS * _HUNDREDTHS
        return int(np.ceil(answer.bound * scale * (1 + 1e-9))) + self._arcs.constant
