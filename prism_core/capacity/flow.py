"""Minimum-cost flow, the one place that knows OR-Tools.

Belongs here: a typed call of `SimpleMinCostFlow` and what its verdicts mean. Does not belong here: what the arcs
stand for (network.py).
The import takes 30 ms and reads no other part of OR-Tools, so that a package may leave the rest out.
"""

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow  # pyright: ignore[reportMissingTypeStubs]

from prism_core.capacity.network import Extra, Hours, Network, hours, network
from prism_core.capacity.offers import Tables
from prism_core.capacity.problem import Weights
from prism_core.capacity.supply import Ints
from prism_core.failures import PermanentFailure


class _Solver(Protocol):
    OPTIMAL: object

    def add_arcs_with_capacity_and_unit_cost(
        self, tails: NDArray[np.int32], heads: NDArray[np.int32], capacities: Ints, unit_costs: Ints
    ) -> Ints: ...
    def set_nodes_supplies(self, nodes: NDArray[np.int32], supplies: Ints) -> None: ...
    def solve(self) -> object: ...
    def flows(self, arcs: Ints) -> Ints: ...


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow of the greatest worth: on which network, how much on each arc, and what it means.

    `objective` in hundredths of points and hours, without what is extra; `kept`: published hours that stay.
    """

    arcs: Network
    amount: Ints
    hours: Hours
    objective: int
    kept: int


def best_flow(found: Tables, weights: Weights, extra: Extra) -> Flow:
    """The best flow of a problem. Raises PermanentFailure as `cheapest`."""
    arcs = network(found, weights, extra)
    return read(found, arcs, cheapest(arcs))


def read(found: Tables, arcs: Network, amount: Ints) -> Flow:
    """What a flow on a network means."""
    objective = int(amount @ arcs.worth) + arcs.constant
    return Flow(arcs, amount, hours(found, arcs, amount), objective, int(amount @ arcs.kept))


def cheapest(arcs: Network) -> Ints:
    """The flow on every arc at the least cost. Whole numbers in, whole numbers out.

    Raises PermanentFailure when the costs are beyond what the solver can hold (64 bits times the nodes).
    """
    solver = cast("_Solver", min_cost_flow.SimpleMinCostFlow())
    numbers = solver.add_arcs_with_capacity_and_unit_cost(
        arcs.tail.astype(np.int32), arcs.head.astype(np.int32), arcs.capacity, arcs.cost
    )
    solver.set_nodes_supplies(np.arange(arcs.nodes, dtype=np.int32), arcs.supplies)
    verdict = solver.solve()
    if verdict != solver.OPTIMAL:
        raise PermanentFailure(
            f"the flow of {arcs.nodes} nodes and {len(arcs.tail)} arcs has no answer ({verdict}): "
            "weights or hours are too large; lower them"
        )
    return np.asarray(solver.flows(numbers), np.int64)
