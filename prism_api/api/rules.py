"""What the data need, whoever writes: a call, a row of many, a revert, and in a workbook the same by its plan.

Belongs here: that members and projects exist which an item names, that a day has 24 hours, and what the rows of a
dry run would have left. Does not belong here: who may write what (judges of resources), the rules (prism_core).
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from prism_api.api import backend
from prism_api.api.calls import Call
from prism_api.api.problems import FieldError, invalid
from prism_core.calendar import Week
from prism_core.day_hours import overfull
from prism_core.models.work import Allocation
from prism_core.references import Reference, newly_named
from prism_core.tables import ALLOCATIONS, TABLES, TableSpec

_REHEARSED = "rehearsed allocations"


def refuse_unknown(call: Call, spec: TableSpec, before: Any, after: Any) -> None:
    """Raises Problem 422 when a write names a member or project that does not exist."""
    state = {} if before is None else before.plain()
    errors = [
        FieldError(f"body.{named.field}", named.missing)
        for named in newly_named(spec.name, state, after.plain())
        if not _exists(call, named)
    ]
    if errors:
        raise invalid(tuple(errors))


def refuse_overfull(call: Call, before: Allocation | None, after: Allocation | None) -> None:
    """Raises Problem 422 when a day of the member would have more than 24 hours over all projects."""
    days = [] if after is None else overfull(_week_of(call, after.member_id, after.week), before, after)
    if days:
        raise invalid(tuple(FieldError(f"body.hours.{one.day}", one.message) for one in days))


def rehearse(call: Call, before: Allocation | None, after: Allocation | None) -> None:
    """Remember what a row of a dry run would leave: the next one is judged as it would be for real."""
    for allocation, stays in ((before, False), (after, True)):
        if allocation is not None:
            of_week = _rehearsed(call).setdefault((allocation.member_id, allocation.week), {})
            of_week[allocation.project_id] = allocation if stays else None


def rehearsed(
    call: Call, member_id: str, week: Week, project_id: str, stored: Allocation | None
) -> Allocation | None:
    """An allocation as the rows before would leave it."""
    return _rehearsed(call).get((member_id, week), {}).get(project_id, stored)


def _exists(call: Call, named: Reference) -> bool:
    """Whether there is such an item. That there is one is remembered for the call: rows name the same again."""
    known: set[tuple[str, str]] = call.found.setdefault("references", set())
    if (named.table, named.key) not in known:
        spec = TABLES[named.table]
        if backend.reader(spec, spec.model).read(spec.key({spec.key_parts[0]: named.key})) is None:
            return False
        known.add((named.table, named.key))
    return True


def _week_of(call: Call, member_id: str, week: Week) -> Mapping[str, Mapping[date, Decimal]]:
    """The member's hours of a week by project, as the rows before would leave them."""
    found = backend.reader(ALLOCATIONS, Allocation).query(
        ALLOCATIONS.home, member_id=member_id, week=week, consistent=True
    )
    weeks = {one.project_id: one for one in found} | _rehearsed(call).get((member_id, week), {})
    return {project: one.hours for project, one in weeks.items() if one is not None}


def _rehearsed(call: Call) -> dict[tuple[str, Week], dict[str, Allocation | None]]:
    return call.found.setdefault(_REHEARSED, {})
