"""The capacity benchmark's CP-SAT contender, in a file of its own: its import alone takes 60 MiB.

Belongs here: the integer program. Does not belong here: the other contenders (capacity.py).
"""

from collections import defaultdict

from ortools.sat.python import cp_model

from benchmarks.peers.capacity import SECONDS, OfArcs


class CpSat(OfArcs):
    """The same network as an integer program for CP-SAT, on both cores."""

    def __call__(self) -> str | None:
        arcs = self.arcs
        model = cp_model.CpModel()
        flow = [model.new_int_var(0, int(one), "") for one in arcs.capacity.tolist()]
        balance: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for arc, (tail, head) in enumerate(zip(arcs.tail.tolist(), arcs.head.tolist(), strict=True)):
            balance[tail].append((arc, 1))
            balance[head].append((arc, -1))
        for node, terms in balance.items():
            expression = cp_model.LinearExpr.weighted_sum(
                [flow[arc] for arc, _ in terms], [sign for _, sign in terms]
            )
            model.add(expression == int(arcs.supplies[node]))
        model.maximize(cp_model.LinearExpr.weighted_sum(flow, arcs.worth.tolist()))
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = SECONDS
        solver.parameters.num_workers = 2
        verdict = solver.solve(model)
        return self.told(solver.objective_value) if verdict == cp_model.OPTIMAL else None
