"""Why a plan is as it is: what each assignment earns and who was next, what keeps hours open, why people are idle.

Belongs here: the explanation of a plan, whole or of one assignment, line or member. Does not belong here: what it
stands on (grounds.py), the changes that lift an open line (lifting.py) and sentences (wording.py).
Costs are shortest paths in what can still change of the plan's flow. An assignment's hour that is taken away goes
round such a path: its last step names who takes it over, its length is what the plan loses.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import numpy as np

from prism_core.capacity.explanation import (
    AssignmentWhy,
    Candidate,
    Constraint,
    Explanation,
    MemberWhy,
    Switch,
    UnmetWhy,
)
from prism_core.capacity.grounds import grounds
from prism_core.capacity.lifting import Lifting
from prism_core.capacity.network import NONE, SINK
from prism_core.capacity.plan import Assignment, MemberLoad, PlanResult, Unmet
from prism_core.capacity.problem import PlanProblem
from prism_core.capacity.residual import Banned, cheapest_paths, cheapest_rounds, nothing_banned
from prism_core.capacity.scoring import hours_of, points_of, rates
from prism_core.failures import BadUsage

_OF_THE_LOAD: Final = ("overtime", "fairness")
_HOUR: Final = 100


def explain(problem: PlanProblem, plan: PlanResult) -> Explanation:
    """The whole plan explained. Raises PermanentFailure when the plan is not one of the problem.

    Meant for a few hundred people and projects; of a larger plan ask an Explainer for what is looked at.
    """
    one = Explainer(problem, plan)
    return Explanation(
        week=plan.week,
        relative_to=one.relative_to,
        given_up=one.given_up,
        assignments=one.assignments(plan.assignments),
        unmet=one.unmet(plan.unmet),
        members=one.members(plan.loads),
    )


@dataclass(frozen=True, slots=True)
class _Taken:
    """An hour taken from a pair: what that costs (hundredths), who takes it over, for how many hours."""

    cost: int
    pair: int
    room: int


class Explainer:
    """Explains what is asked for, assignment by assignment, line by line, member by member."""

    def __init__(self, problem: PlanProblem, plan: PlanResult) -> None:
        """Raises PermanentFailure when the plan is not one of the problem."""
        self._on = grounds(problem, plan)
        self._lifting = Lifting(self._on)

    @property
    def relative_to(self) -> tuple[Constraint, ...]:
        """What is taken as the plan has it; empty where nothing is, and every cost is one of any plan."""
        return self._on.relative_to

    @property
    def given_up(self) -> Decimal:
        """Points that the best plan with the same choices has more; its hours fit no days."""
        return self._on.given_up

    def assignment(self, member_id: str, project_id: str) -> AssignmentWhy:
        """Why a member works on a project. Raises BadUsage when they do not."""
        for one in self._on.plan.assignments:
            if one.pair == (member_id, project_id):
                return self.assignments((one,))[0]
        raise BadUsage(f"{member_id} has no hours on {project_id} in this plan")

    def line(self, line_id: str) -> UnmetWhy:
        """Why hours of a line are open. Raises BadUsage when none are."""
        for one in self._on.plan.unmet:
            if one.line_id == line_id:
                return self.unmet((one,))[0]
        raise BadUsage(f"demand line {line_id} has no open hours in this plan")

    def candidates(self, line_id: str) -> tuple[Candidate, ...]:
        """Who could work an hour more on a line, the best first; not those without an hour that counts for it.

        Raises BadUsage when the week has no such line.
        """
        index = self._on.pairs.lines.get(line_id)
        if index is None:
            raise BadUsage(f"{self._on.problem.week} has no demand line {line_id}")
        found = [*self._offered(index), *self._lifting.kept_out(index)]
        return tuple(sorted(found, key=lambda one: (one.kept_out is not None, -one.gain, one.member_id)))

    def member(self, member_id: str) -> MemberWhy:
        """Why a member is idle or full. Raises BadUsage when the plan has no such member."""
        for one in self._on.plan.loads:
            if one.member_id == member_id:
                return self.members((one,))[0]
        raise BadUsage(f"the plan has no member {member_id}")

    def assignments(self, which: tuple[Assignment, ...]) -> tuple[AssignmentWhy, ...]:
        """Why each of these assignments is as it is."""
        on = self._on
        taken = self._taken([on.pairs.of(one) for one in which if not one.pinned])
        made: list[AssignmentWhy] = []
        for one in which:
            # Without days there is no load, without lines nothing else.
            terms = on.scorer.terms((replace(one, by_day={}),))
            pair = on.pairs.of(one)
            switch = None if one.pinned else self._switch(taken.get(pair))
            made.append(
                AssignmentWhy(
                    one.member_id,
                    one.project_id,
                    one.hours,
                    {term: points for term, points in terms.items() if term not in _OF_THE_LOAD},
                    switch,
                    held=self._held(one, pair) if switch is None else None,
                )
            )
        return tuple(made)

    def unmet(self, which: tuple[Unmet, ...]) -> tuple[UnmetWhy, ...]:
        """Why the hours of each of these lines are open."""
        return self._lifting.lines(which)

    def members(self, which: tuple[MemberLoad, ...]) -> tuple[MemberWhy, ...]:
        """Why each of these members is idle or full."""
        of_member: defaultdict[str, list[Assignment]] = defaultdict(list)
        for one in self._on.plan.assignments:
            of_member[one.member_id].append(replace(one, by_line={}))
        idle = self._lifting.idle(tuple(one.member_id for one in which if one.idle))
        next_hour = self._next_hour() if which else {}
        made: list[MemberWhy] = []
        for load in which:
            terms = self._on.scorer.terms(of_member[load.member_id])
            made.append(
                MemberWhy(
                    load.member_id,
                    load.available,
                    load.idle,
                    load.overtime,
                    {term: terms[term] for term in _OF_THE_LOAD},
                    idle.get(load.member_id),
                    None if (most := next_hour.get(load.member_id)) is None else points_of(most * _HOUR),
                )
            )
        return tuple(made)

    def _offered(self, index: int) -> Iterator[Candidate]:
        """Those who may work on a line: the hour comes from elsewhere, and something else gives way to it."""
        on, turned = self._on, self._on.towards
        found, kind = on.found, on.arcs.offer[turned.arc]
        free = (found.offer_pair < found.free_pairs) & on.allowed[found.offer_pair]
        offers = np.flatnonzero((found.offer_line == index) & free)
        line = np.full(len(offers), on.line_node[index])
        own = Banned(np.where(turned.ahead, NONE, kind), offers)
        paths = cheapest_paths(turned, line, own, round_by=np.where(turned.ahead, kind, NONE))
        for row, offer in enumerate(offers.tolist()):
            node = int(on.line_node[index])
            if paths.reached[node, row]:
                member = on.problem.members[int(found.pair_member[found.offer_pair[offer]])]
                room = int(turned.room[paths.path(node, row)].min())
                gain = -int(paths.cost[node, row])
                yield Candidate(member.member_id, points_of(gain * _HOUR), hours_of(room), None)

    def _switch(self, taken: _Taken | None) -> Switch | None:
        if taken is None:
            return None
        on = self._on
        who = None
        if taken.pair != NONE:
            who = on.problem.members[int(on.found.pair_member[taken.pair])].member_id
        return Switch(who, points_of(taken.cost * _HOUR), hours_of(taken.room))

    def _held(self, one: Assignment, pair: int) -> Constraint:
        """What keeps every hour of an assignment where it is."""
        if one.pinned:
            return Constraint.PIN
        if self._on.problem.published.get(one.pair):
            return Constraint.PUBLISHED
        return Constraint.BLOCK if self._on.limits.block[pair] else Constraint.FEW_PEOPLE

    def _taken(self, pairs: list[int]) -> dict[int, _Taken]:
        """Of every pair, the hour that is cheapest to take away; none of those whose hours are all held."""
        on, graph = self._on, self._on.graph
        pair = on.arcs.pair[graph.arc]
        back = np.flatnonzero(~graph.ahead & (pair != NONE))
        back = back[np.isin(pair[back], np.array(pairs, np.int64))]
        # One search for every pair and every node that its hours enter, on whatever days.
        key = np.unique(np.stack([pair[back], graph.tail[back]]), axis=1)
        # Of a pair with several days an hour may move from one to another while another one goes.
        deep = int(on.found.slots.count.max(initial=1))
        rounds = cheapest_rounds(graph, key[1], Banned(pair, key[0]), deep)
        cost, reached = rounds.cost, rounds.reached
        found: dict[int, _Taken] = {}
        for row in np.lexsort((np.arange(len(cost)), cost)).tolist():
            mine = int(key[0, row])
            if reached[row] and mine not in found:
                path = rounds.path(row)
                arcs, times = np.unique(path, return_counts=True)
                room = max(int((graph.room[arcs] // times).min()), 1)
                found[mine] = _Taken(int(cost[row]), self._taker(mine, path), room)
        return found

    def _taker(self, pair: int, path: list[int]) -> int:
        """The pair of the same project that has an hour more at the end of a path; NONE: the hour stays open."""
        on = self._on
        more: defaultdict[int, int] = defaultdict(int)
        for arc in path:
            other = int(on.arcs.pair[on.graph.arc[arc]])
            if other != NONE and on.found.pair_project[other] == on.found.pair_project[pair]:
                more[other] += 1 if on.graph.ahead[arc] else -1
        return next((other for other, hours in more.items() if hours > 0), NONE)

    def _next_hour(self) -> dict[str, int]:
        """What an hour more of every member with hours would earn at least, in hundredths of a point."""
        on = self._on
        paths = cheapest_paths(on.towards, np.array([SINK]), nothing_banned(on.towards, 1))
        dearest = rates(on.problem.weights)[-1]
        found: dict[str, int] = {}
        slots = on.found.slots
        for slot in np.flatnonzero(slots.owner < on.found.supply.members).tolist():
            node = int(on.slot_node[slot])
            earned = -int(paths.cost[node, 0]) - dearest if paths.reached[node, 0] else 0
            member_id = on.problem.members[int(slots.owner[slot])].member_id
            found[member_id] = max(found.get(member_id, 0), earned)
        return found
