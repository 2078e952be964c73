"""`prism plan`: the best plan of a week, from the items as they are now.

Belongs here: the command and how it prints a plan. Does not belong here: the engine (prism_core/capacity), how
plans are kept (prism_resources/plans) and publishing one (publishing.py).
"""

import getpass
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from infra.cli.console import count_of, err, out, plain, say
from infra.local.platform import attached
from prism_core.calendar import Week
from prism_core.failures import BadUsage

if TYPE_CHECKING:
    from prism_core.capacity.describing import Described
    from prism_core.capacity.kept import KeptPlan
    from prism_core.capacity.plan import PlanResult
    from prism_core.capacity.scenario import Scenario
    from prism_core.settings import Settings

_STATES: Final = {
    "optimum": "the best plan there is",
    "bound": "at most the gap below the best plan there is",
    "timed": "at most the gap below the best plan there is; a time limit ended the search",
}


def plan(
    week: Annotated[str, typer.Argument(help="the week to plan, such as 2026-W48")],
    scenario: Annotated[
        Path | None, typer.Option("--scenario", help="a what-if file; its plan is printed beside what it changes")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="say why everybody is where they are")] = False,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0, max=600, help="how long to go on where limits leave a gap")
    ] = 5.0,
    store: Annotated[
        bool, typer.Option("--store", help="keep the plan, so that it can be compared and published")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of tables")] = False,
) -> None:
    """Plan a week: who works how long on what, what stays open, and how good that is."""
    from prism_core.capacity.compare import difference
    from prism_core.capacity.describing import describe
    from prism_core.capacity.document import plan_document
    from prism_core.capacity.explain import explain as explained
    from prism_core.capacity.kept import KeptPlan
    from prism_core.capacity.problem import Weights
    from prism_core.capacity.running import check_plannable
    from prism_core.capacity.scenario import apply
    from prism_core.capacity.weighting import weighted
    from prism_core.capacity.wording import Names, differences, sentences
    from prism_resources.planning import items_of_week
    from prism_resources.plans.printing import printing_to_stderr

    wanted, what_if = Week.parse(week), None if scenario is None else _scenario(scenario)
    with attached(say) as platform:
        check_plannable(wanted, platform.settings.first_week)
        with err.status(f"reading what {wanted} is planned from"):
            weights = weighted(Weights(), platform.settings.plan_weights)
            items = items_of_week(platform.settings, wanted)
            described = describe(wanted, items, weights)
        found, changes = _solved(described, seconds), list[str]()
        if what_if is not None:
            before, described = found, replace(described, problem=apply(what_if, described.problem))
            found = _solved(described, seconds)
            changes = list(differences(difference(before, found), Names()))
        with printing_to_stderr():
            why = explained(described.problem, found) if explain else None
        kept = KeptPlan(described.problem, found, described.unplaced, what_if, why, items.publication)
        plan_id = _stored(platform.settings, kept) if store else None
    reasons = [] if why is None else list(sentences(why, Names()))
    if as_json:
        more = {"scenario": None if what_if is None else what_if.name, "changes": changes, "explanation": reasons}
        typer.echo(json.dumps(plan_document(described, found) | more | ({"plan_id": plan_id} if store else {})))
        return
    _print(described, found)
    if plan_id is not None:
        out.print(plain(f"stored as {plan_id}"))
    for title, lines in (("What the scenario changes", changes), ("Why", reasons)):
        if lines:
            out.print(f"\n[bold]{title}[/bold]")
            for line in lines:
                out.print(plain(line))


def _stored(settings: "Settings", kept: "KeptPlan") -> str:
    """Keep a plan under a name that is made of its content: the same plan again is the same one."""
    from prism_core.capacity.kept import kept_text
    from prism_resources.plans.storing import PlanStore

    plan_id = f"plan-{kept.plan.week}-{hashlib.sha256(kept_text(kept)).hexdigest()[:12]}"
    author = {"actor": f"cli:{getpass.getuser()}", "reason": "prism plan --store", "request_id": plan_id}
    return PlanStore(settings).keep(plan_id, kept, **author).plan_id


def _scenario(path: Path) -> "Scenario":
    from prism_core.capacity.scenario import read_scenario

    try:
        return read_scenario(path.read_bytes(), path.name)
    except OSError as error:
        raise BadUsage(f"{path} cannot be read: {error.strerror}") from error


def _solved(described: "Described", seconds: float) -> "PlanResult":
    from prism_core.capacity.solve import solve
    from prism_resources.plans.printing import printing_to_stderr

    problem = described.problem
    people, lines = len(problem.members), len(problem.lines)
    about = f"{count_of(people, 'member', 'members')} on {count_of(lines, 'demand line', 'demand lines')}"
    with err.status(f"planning {about}, for at most {seconds:g} s where limits leave a gap"), printing_to_stderr():
        return solve(problem, polish_seconds=seconds)


def _print(described: "Described", found: "PlanResult") -> None:
    shown = Table("member", "project", "hours", "days", title=f"plan · {found.week}")
    for one in found.assignments:
        days = " ".join(f"{day:%a} {hours}" for day, hours in sorted(one.by_day.items()))
        pinned = " (pinned)" if one.pinned else ""
        shown.add_row(plain(one.member_id), plain(one.project_id), f"{one.hours}{pinned}", days)
    out.print(shown)
    if found.unmet:
        still_open = Table("project", "demand line", "open hours", title=f"open demand · {found.week}")
        for unmet in found.unmet:
            still_open.add_row(plain(unmet.project_id), plain(unmet.line_id), str(unmet.hours))
        out.print(still_open)
    planned = f"{found.assigned_hours} h planned, {found.unmet_hours} h open"
    if found.moved_hours:
        planned += f", {found.moved_hours} published h moved"
    out.print(f"{planned}; objective {found.objective:.2f}, bound {found.bound:.2f}, gap {found.gap:.4%}")
    out.print(f"{found.state}: {_STATES[found.state]}")
    for request, why in described.unplaced.items():
        err.print("[yellow]not planned:[/yellow]", plain(f"request {request}, {why}"))
    for note in found.notes:
        err.print("[yellow]note:[/yellow]", plain(note))
