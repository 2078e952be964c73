"""A week's plan: the exact flow beside HiGHS, CP-SAT and greedy on the same instances, and limits with their gap.

Belongs here: the sizes, what is run on them, and the promises. Does not belong here: the instances
(capacity_instances.py) and the contenders (peers/capacity.py).
"""

import argparse
import os
import pickle
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.capacity_instances import ELIGIBLE, SEED, instance
from benchmarks.harness import Target, circumstances, compare, keep, print_targets
from benchmarks.peers.capacity import greedy_points
from prism_core.capacity.explain import explain
from prism_core.capacity.network import Extra, network
from prism_core.capacity.offers import tables
from prism_core.capacity.problem import Level, PlanProblem
from prism_core.capacity.solve import solve

PREPARED = "benchmarks.prepared"
FLOW, WHOLE, HIGHS = "prism, flow", "prism, whole plan", "HiGHS LP"
SIZES = ("79x88", "500x300", "5000x1000", "20000x2000")
MANY_ELIGIBLE = 200
CP_SAT_UP_TO = 12_000  # arcs; above, it takes minutes for the same answer
REFERENCE = (79, 88)
# Beyond the first, nothing but repair is done at once: its gap is printed, and promised by nobody.
LIMITED = (REFERENCE, (500, 300))
POLISH_SECONDS = 30.0
MIB_AT_MOST = 600


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", nargs="*", default=SIZES, help="members x projects")
    parser.add_argument("--levels", nargs="*", default=("week", "day"), choices=("week", "day"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--polish-seconds", type=float, default=POLISH_SECONDS)
    parser.add_argument("--no-limits", action="store_true", help="the solvers alone: no limits, no explanation")
    parser.add_argument("--many-eligible", action="store_true", help="500x300 with 200 projects a member, alone")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/capacity-*.json")
    options = parser.parse_args(argv)
    if options.many_eligible:
        return [_compared("500x300", "week", options, MANY_ELIGIBLE)]
    found = [_compared(size, level, options) for level in options.levels for size in options.sizes]
    if options.no_limits:
        return found
    return [*found, *(_limits(options, *size) for size in LIMITED), _explained(options)]


def _compared(size: str, level: str, options: argparse.Namespace, eligible: int = ELIGIBLE) -> dict[str, Any]:
    members, projects = (int(one) for one in size.split("x"))
    of_level = Level.DAY if level == "day" else Level.AUTO
    problem = instance(members, projects, level=of_level, eligible=eligible)
    contenders = {FLOW: ":Flow", WHOLE: ":WholePlan", HIGHS: ":HighsLp"}
    facts = _facts(problem)
    if facts["arcs"] <= CP_SAT_UP_TO:
        contenders |= {"CP-SAT": "_cpsat:CpSat"}
    contenders |= {"greedy": ":Greedy"}
    name = (
        f"capacity-{size}"
        + ("-day" if level == "day" else "")
        + ("" if eligible == ELIGIBLE else f"-{eligible}-eligible")
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.pickle"
        path.write_bytes(pickle.dumps(problem))
        return compare(
            name,
            {contender: f"benchmarks.peers.capacity{target}" for contender, target in contenders.items()},
            path,
            repeats=options.repeats,
            save=options.save,
            facts=facts,
            probe=PREPARED,
            unit="ms",
            targets=_targets(members),
        )


def _facts(problem: PlanProblem) -> dict[str, Any]:
    found = tables(problem)
    arcs = network(found, problem.weights, Extra())
    plan = solve(problem)
    greedy = greedy_points(problem)
    return {
        "seed": SEED,
        "members": len(problem.members),
        "projects": len(problem.projects),
        "eligible_a_member": round(len(found.offer_pair) / max(len(problem.members), 1), 1),
        "nodes": arcs.nodes,
        "arcs": len(arcs.tail),
        "state": plan.state,
        "objective": float(plan.objective),
        "greedy_below_the_optimum": round(float(1 - greedy / plan.objective), 4),
    }


def _targets(members: int) -> Any:
    def targets(result: Mapping[str, Any]) -> Sequence[Target]:
        of = result["contenders"]
        share = of[FLOW]["seconds"] / max(of[HIGHS]["seconds"], 1e-9)
        promised = [Target("MiB of a whole plan", MIB_AT_MOST, of[WHOLE]["peak_rss_mib"])]
        return (
            [Target("share of HiGHS' time on the same arcs", 1, round(share, 3)), *promised]
            if members > 100
            else promised
        )

    return targets


def _limits(options: argparse.Namespace, members: int, projects: int) -> dict[str, Any]:
    """Limits of people, projects and blocks: the gap at once, and after polishing."""
    is_promised = (members, projects) == REFERENCE
    name = "capacity-limits" + ("" if is_promised else f"-{members}x{projects}")
    before = circumstances(os.getloadavg()[0])
    problem = instance(members, projects, limits=True)
    runs = []
    for _ in range(options.repeats):
        started = time.perf_counter()
        plan = solve(problem)
        runs.append(time.perf_counter() - started)
    started = time.perf_counter()
    polished = solve(problem, polish_seconds=options.polish_seconds)
    result = {
        "benchmark": name,
        **before,
        "repeats": options.repeats,
        "members": members,
        "projects": projects,
        "at_once_seconds": round(statistics.median(runs), 3),
        "at_once_gap": round(float(plan.gap), 6),
        "at_once_state": plan.state,
        "polish_seconds": round(time.perf_counter() - started, 1),
        "polished_gap": round(float(polished.gap), 6),
        "polished_state": polished.state,
    }
    promised = (
        [
            Target("gap at once", 0.005, result["at_once_gap"]),
            Target(f"gap within {options.polish_seconds:g} s", 0.0005, result["polished_gap"]),
        ]
        if is_promised
        else []
    )
    print(result)
    print_targets(promised)
    if options.save:
        keep(name, result)
    return result


def _explained(options: argparse.Namespace) -> dict[str, Any]:
    """The explanation of the whole plan at the reference scale, over the plan itself. One process, in turn."""
    members, projects = REFERENCE
    before = circumstances(os.getloadavg()[0])
    problem = instance(members, projects)
    plan = solve(problem)
    explain(problem, plan)
    runs: list[tuple[float, float]] = []
    for _ in range(options.repeats):
        started = time.process_time()
        plan = solve(problem)
        between = time.process_time()
        explain(problem, plan)
        runs.append((between - started, time.process_time() - between))
    solving, explaining = (statistics.median(column) for column in zip(*runs, strict=True))
    result = {
        "benchmark": "capacity-explained",
        **before,
        "repeats": options.repeats,
        "members": members,
        "projects": projects,
        "solve_cpu_seconds": round(solving, 4),
        "explain_cpu_seconds": round(explaining, 4),
    }
    promised = [Target("explanation over its plan", 10, round(explaining / solving, 2))]
    print(result)
    print_targets(promised)
    if options.save:
        keep("capacity-explained", result)
    return result


if __name__ == "__main__":
    main()
