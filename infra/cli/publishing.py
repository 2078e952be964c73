"""`prism plans`, `prism publish` and `prism unpublish`: the stored plans of a week, and which of them counts.

Belongs here: the commands and what they print. Does not belong here: publishing (prism_resources/plans) and making
plans (plan.py).
"""

import getpass
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from infra.cli.console import count_of, err, out, plain, say, show_whole
from infra.local.platform import attached
from prism_core import clock
from prism_core.calendar import Week
from prism_core.failures import BadUsage, PermanentFailure, PrismFailure
from prism_core.models.published import PublicationState

if TYPE_CHECKING:
    from prism_core.models.published import PublishedPlan
    from prism_core.settings import Settings
    from prism_resources.plans.publishing import Published

_REASON = typer.Option("--reason", help="why; the history of each allocation says it")
_OVER = typer.Option(
    "--over",
    min=0,
    help="the publication of the week to go over (0: none); else the one that the plan was made over",
)
_BACK_OVER = typer.Option("--over", min=0, help="take back only if this is still the last publication of the week")
_WHAT_IF = typer.Option("--what-if", help="publish it although its scenario supposes other people or demand")
_JSON = typer.Option("--json", help="one JSON object instead of a table")


def plans(
    week: Annotated[str, typer.Argument(help="the week, such as 2026-W48")],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """The stored plans of a week, and which one is published."""
    from prism_resources.plans.publishing import Publisher
    from prism_resources.plans.storing import PlanStore

    wanted = Week.parse(week)
    with attached(say) as platform:
        found = list(PlanStore(platform.settings).of_week(wanted))
        pointer = Publisher(platform.settings).pointer(wanted)
    if as_json:
        published = None if pointer is None else pointer.plain()
        typer.echo(json.dumps({"published": published, "plans": [one.plain() for one in found]}))
        return
    # The id is what the next command is given: it is never cut.
    shown = Table(
        Column("plan", no_wrap=True), "status", "scenario", "points", "planned", "open h", "over", "made by"
    )
    for one in found:
        figures = [
            "" if value is None else f"{value:.0f}"
            for value in (one.objective, one.assigned_hours, one.unmet_hours)
        ]
        made = [str(one.over) if one.is_solved else "", plain(one.created_by)]
        shown.add_row(plain(one.plan_id), one.status.value, plain(one.scenario), *figures, *made)
    if found:
        show_whole(shown)
    out.print(plain(_stands(wanted, pointer)))


def publish(
    plan_id: Annotated[str, typer.Argument(help="a stored plan, as `prism plans` lists it")],
    reason: Annotated[str, _REASON] = "",
    over: Annotated[int | None, _OVER] = None,
    what_if: Annotated[bool, _WHAT_IF] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Make a stored plan the allocations of its week, next to pinned ones. Again after a kill, it goes on.

    Refused where another plan was published since this one was made.
    """
    from infra.local.serving import mail
    from prism_resources.plans.publishing import Overtaken, Publisher
    from prism_resources.plans.storing import PlanStore

    with attached(say, beside=mail) as platform, err.status(f"publishing {plan_id}"):
        publisher = Publisher(platform.settings)
        plan = PlanStore(platform.settings).load(plan_id)
        if plan is None:
            raise BadUsage(f"there is no plan {plan_id}; `prism plans WEEK` lists those of a week")
        expected = _looked_at(publisher.finish(plan.week), over, plan_id)
        try:
            done = publisher.publish_plan(
                plan_id, actor=_actor(), reason=reason, expected=expected, what_if=what_if
            )
        except Overtaken as error:
            stands = 0 if error.pointer is None else error.pointer.publication
            raise PermanentFailure(
                f"{error} (prism publish {plan_id} --over {stands}), or plan the week again"
            ) from error
        mails = _told(platform.settings, done)
    _print(done, mails, as_json=as_json)


def unpublish(
    week: Annotated[str, typer.Argument(help="the week, such as 2026-W48")],
    reason: Annotated[str, _REASON] = "",
    over: Annotated[int | None, _BACK_OVER] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Take the last publication of a week back: its allocations are what they were before it.

    Again after a kill, it goes on. To take back what was taken back, name it with --over.
    """
    from infra.local.serving import mail
    from prism_resources.plans.publishing import Publisher

    wanted = Week.parse(week)
    with attached(say, beside=mail) as platform, err.status(f"taking back what is published of {wanted}"):
        publisher = Publisher(platform.settings)
        pointer = publisher.finish(wanted)
        expected = over if over is not None else _taken_back(pointer)
        done = publisher.undo(wanted, actor=_actor(), reason=reason, expected=expected)
        mails = _told(platform.settings, done)
    _print(done, mails, as_json=as_json)


def _looked_at(pointer: "PublishedPlan | None", over: int | None, plan_id: str) -> int | None:
    """The publication to publish over; None for the one that the plan was made over.

    A plan that stands is not published once more, but told if nobody was.
    """
    if over is not None or pointer is None:
        return over
    again = pointer.plan_id == plan_id and pointer.undoes is None and pointer.published_by == _actor()
    return pointer.publication - 1 if again else None


def _taken_back(pointer: "PublishedPlan | None") -> int:
    """The publication to take back. Taken back once more, it would be published."""
    if pointer is None:
        return 0
    again = pointer.undoes is not None and pointer.published_by == _actor()
    return pointer.undoes or 0 if again else pointer.publication


def _actor() -> str:
    return f"cli:{getpass.getuser()}"


def _told(settings: "Settings", done: "Published") -> dict[str, int]:
    from prism_resources.plans.telling import tell

    found: dict[str, int] = {}
    try:
        outcome = tell(settings, done, now=clock.now())
    except PrismFailure as error:  # the plan is published all the same
        err.print("[yellow]not everybody was told:[/yellow]", plain(f"{error}; the same command again goes on"))
        return found
    for one in () if outcome is None else outcome.deliveries:
        found[one.status.value] = found.get(one.status.value, 0) + 1
    return found


def _print(done: "Published", mails: dict[str, int], *, as_json: bool) -> None:
    pointer = done.pointer
    if as_json:
        changes: list[dict[str, Any]] = [
            {
                "member_id": one.member_id,
                "project_id": one.project_id,
                "before": {day.isoformat(): str(hours) for day, hours in sorted(one.before.items())},
                "after": {day.isoformat(): str(hours) for day, hours in sorted(one.after.items())},
            }
            for one in done.changes
        ]
        edited = [{"member_id": member, "project_id": project} for member, project in done.edited]
        said = {"published": pointer.plain(), "changes": changes, "edited": edited, "mails": mails}
        typer.echo(json.dumps(said))
        return
    out.print(plain(_stands(pointer.week, pointer)))
    members = len({one.member_id for one in done.changes})
    hours = count_of(len(done.changes), "allocation has", "allocations have")
    out.print(f"{hours} other hours than before, of {count_of(members, 'member', 'members')}")
    for member, project in done.edited:
        err.print("[yellow]left as it is, somebody wrote it:[/yellow]", plain(f"{member} on {project}"))
    said = ", ".join(f"{number} {status}" for status, number in sorted(mails.items()))
    out.print(f"mails: {said or 'none'}")


def _stands(week: Week, pointer: "PublishedPlan | None") -> str:
    if pointer is None:
        return f"no plan of {week} was published"
    what = f"plan {pointer.plan_id}" if pointer.plan_id else "no plan"
    said = (
        f"publication {pointer.publication} of {week}: {what}, by {pointer.published_by} at "
        f"{pointer.published:%Y-%m-%d %H:%M} UTC, {count_of(pointer.changed, 'row', 'rows')} replaced"
    )
    if pointer.undoes is not None:
        said += f", publication {pointer.undoes} taken back"
    if pointer.edited:
        said += f", {count_of(pointer.edited, 'row', 'rows')} left as people wrote them"
    return f"{said}; not all rows are written yet" if pointer.state is PublicationState.FOLDING else said
