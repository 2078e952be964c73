"""A plan as the JSON that the command line prints, the API answers and S3 keeps.

Belongs here: the names of its fields, what of a plan is said at all, and the plan that such a JSON says. Does not
belong here: who asks for it.
Hours are texts of two places and points of four, as everywhere in JSON; the gap is a fraction.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from prism_core.calendar import Week
from prism_core.capacity.describing import Described
from prism_core.capacity.plan import Assignment, MemberLoad, PlanResult, PlanState, Unmet
from prism_core.capacity.problem import Level

_POINTS: Final = Decimal("0.0001")


def plan_document(described: Described, plan: PlanResult) -> dict[str, Any]:
    """One JSON object: figures, assignments, open hours, members, what nobody takes up."""
    return {
        "week": plan.week.label,
        "state": plan.state.value,
        "level": plan.level.value,
        "objective": _points(plan.objective),
        "bound": _points(plan.bound),
        "gap": float(round(plan.gap, 6)),
        "terms": {name: _points(points) for name, points in plan.terms.items()},
        "assigned_hours": str(plan.assigned_hours),
        "unmet_hours": str(plan.unmet_hours),
        "moved_hours": str(plan.moved_hours),
        "assignments": [_assignment(one) for one in plan.assignments],
        "unmet": [
            {"line": one.line_id, "project_id": one.project_id, "hours": str(one.hours)} for one in plan.unmet
        ],
        "members": [
            {
                "member_id": one.member_id,
                "available_hours": str(one.available),
                "planned_hours": str(one.planned),
                "overtime_hours": str(one.overtime),
            }
            for one in plan.loads
        ],
        "unplaced": dict(described.unplaced),
        "notes": list(plan.notes),
    }


def plan_of(document: Mapping[str, Any]) -> PlanResult:
    """The plan that a document says; without `seconds`, which differ from run to run."""
    return PlanResult(
        week=Week.parse(document["week"]),
        level=Level(document["level"]),
        state=PlanState(document["state"]),
        objective=Decimal(document["objective"]),
        bound=Decimal(document["bound"]),
        terms={name: Decimal(points) for name, points in document["terms"].items()},
        assignments=tuple(
            Assignment(
                one["member_id"],
                one["project_id"],
                Decimal(one["hours"]),
                {date.fromisoformat(day): Decimal(hours) for day, hours in one["by_day"].items()},
                {line: Decimal(hours) for line, hours in one["by_line"].items()},
                Decimal(one["beyond_demand"]),
                pinned=one["pinned"],
            )
            for one in document["assignments"]
        ),
        unmet=tuple(Unmet(one["line"], one["project_id"], Decimal(one["hours"])) for one in document["unmet"]),
        loads=tuple(
            MemberLoad(
                one["member_id"],
                Decimal(one["available_hours"]),
                Decimal(one["planned_hours"]),
                Decimal(one["overtime_hours"]),
            )
            for one in document["members"]
        ),
        moved_hours=Decimal(document["moved_hours"]),
        notes=tuple(document["notes"]),
        seconds={},
    )


def _assignment(one: Assignment) -> dict[str, Any]:
    return {
        "member_id": one.member_id,
        "project_id": one.project_id,
        "hours": str(one.hours),
        "by_day": _days(one.by_day),
        "by_line": {line: str(hours) for line, hours in sorted(one.by_line.items())},
        "beyond_demand": str(one.beyond_demand),
        "pinned": one.pinned,
    }


def _days(by_day: Mapping[date, Decimal]) -> dict[str, str]:
    return {day.isoformat(): str(hours) for day, hours in sorted(by_day.items())}


def _points(points: Decimal) -> str:
    return str(points.quantize(_POINTS))
