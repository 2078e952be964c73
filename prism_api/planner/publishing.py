"""A stored plan made the plan of its week, and that taken back.

Belongs here: from an event to the publisher, and what it refuses as an answer. Does not belong here: publishing
(prism_resources/plans), who may (the API), and mail, which the asset `allocation_notices` sends.
"""

from collections.abc import Iterable
from typing import Any

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.base import Model
from prism_core.publications import HoursChange
from prism_core.settings import Settings
from prism_resources.plans.publishing import OutdatedPlan, Overtaken, Published, Publisher


def publish(
    settings: Settings, plan_id: str, actor: str, reason: str, expected: int | None, *, what_if: bool
) -> dict[str, Any]:
    """Publish a plan where the week is at publication `expected`, 0 for none, None for the one that the plan was
    made over. Raises LostBody."""
    publisher = Publisher(settings)
    try:
        done = publisher.publish_plan(plan_id, actor=actor, reason=reason, expected=expected, what_if=what_if)
        return _told(done)
    except Overtaken as error:
        return _overtaken(error)
    except OutdatedPlan as error:
        return {"status": 409, "detail": str(error), "extra": {"findings": list(error.findings)}}
    except BadUsage as error:
        return {"status": 409, "detail": str(error)}


def unpublish(settings: Settings, week: str, actor: str, reason: str, expected: int) -> dict[str, Any]:
    """Take the last publication of a week back."""
    try:
        return _told(Publisher(settings).undo(Week.parse(week), actor=actor, reason=reason, expected=expected))
    except Overtaken as error:
        return _overtaken(error)
    except BadUsage as error:
        return {"status": 409, "detail": str(error)}


def _told(done: Published) -> dict[str, Any]:
    edited = [{"member_id": member, "project_id": project} for member, project in done.edited]
    return {"answer": {"pointer": _plain(done.pointer), "changes": _hours(done.changes), "edited": edited}}


def _overtaken(error: Overtaken) -> dict[str, Any]:
    extra = {"current": _plain(error.pointer), "changes": _hours(error.changes)}
    return {"status": 412, "detail": str(error), "extra": extra}


def _plain(pointer: Model | None) -> Any:
    return None if pointer is None else pointer.plain()


def _hours(changes: Iterable[HoursChange]) -> list[dict[str, Any]]:
    return [
        {
            "member_id": one.member_id,
            "project_id": one.project_id,
            "before": {day.isoformat(): str(hours) for day, hours in sorted(one.before.items())},
            "after": {day.isoformat(): str(hours) for day, hours in sorted(one.after.items())},
        }
        for one in changes
    ]
