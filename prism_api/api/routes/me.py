"""What an annotator sees of themselves: the numbers that their lead sees, by the same reads.

Belongs here: putting them together. Does not belong here: computing any of them.
"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field

from prism_api.api import backend, documents
from prism_api.api.calls import current
from prism_api.api.crud import respond
from prism_api.api.problems import Problem
from prism_api.api.routes.quality_scores import reviews_of
from prism_api.api.routes.throughput import ThroughputRow, row_of
from prism_api.api.visibility import own_member
from prism_core import clock
from prism_core.calendar import Week
from prism_core.models.base import Count, Hours, Measure, Model, measure
from prism_core.models.disputes import Dispute, DisputeStatus
from prism_core.models.people import Availability, Member
from prism_core.models.work import Allocation, QualityReview
from prism_core.quality import accuracy
from prism_core.quality_scores import Cell
from prism_core.tables import ALLOCATIONS, AVAILABILITY, DISPUTES

WEEKS = 4
AHEAD = 8
router = APIGatewayHttpRouter()


class WeekOfMine(Model):
    """One week: planned hours and submitted tasks."""

    week: Week
    allocated_hours: Hours
    tasks_submitted: Count


class QualityOfMine(Model):
    """One week's reviews added up as they count today, corrections applied. `low` and `high` are the 95 % interval
    of the share; severe errors weigh more in the score."""

    week: Week
    project_id: str
    reviewed: Count
    correct: Count
    share: Measure | None
    low: Measure
    high: Measure
    score: Measure | None


class Me(Model):
    """The member, the last four weeks, the plan of this and the next, time off ahead, open disputes."""

    member: Member
    weeks: list[WeekOfMine]
    throughput: list[ThroughputRow]
    quality: list[QualityOfMine]
    allocations: list[Allocation]
    availability: list[Availability]
    disputes: list[Dispute]
    time_zone: str = Field(description="of the member: times are shown in it")


@router.get("/api/me", **documents.operation("My own figures", "me", Me, reads=True, item=True))
def me() -> Response[Me]:
    member = own_member(current())
    if member is None:
        raise Problem(HTTPStatus.NOT_FOUND, "You are signed in, but no member carries your sign-in; ask a lead.")
    this = clock.this_week()
    weeks = this.window(WEEKS)
    facts = [row_of(fact) for fact in backend.throughput().member(member.member_id, weeks.first, weeks.last)]
    plans = _of_me(ALLOCATIONS, Allocation, member, weeks.first.label, (this + 1).label)
    today = clock.now().date()
    days = (today.isoformat(), (today + timedelta(weeks=AHEAD)).isoformat())
    disputes = backend.reader(DISPUTES, Dispute).query("by_member", member_id=member.member_id)
    return respond(
        Me(
            member=member,
            weeks=[_week(week, plans, facts) for week in weeks],
            throughput=facts,
            quality=_quality(reviews_of(member.member_id, weeks)),
            allocations=[one for one in plans if one.week in (this, this + 1)],
            availability=_of_me(AVAILABILITY, Availability, member, *days),
            disputes=[one for one in disputes if one.status is DisputeStatus.OPEN],
            time_zone=member.time_zone,
        )
    )


def _of_me(spec: Any, model: Any, member: Member, first: str, last: str) -> list[Any]:
    found = backend.reader(spec, model).query("by_member", member_id=member.member_id, first=first, last=last)
    return list(found)


def _week(week: Week, plans: Iterable[Allocation], facts: Iterable[ThroughputRow]) -> WeekOfMine:
    return WeekOfMine(
        week=week,
        allocated_hours=sum((one.total for one in plans if one.week == week), Decimal("0.00")),
        tasks_submitted=sum(one.tasks_submitted for one in facts if one.week == week),
    )


def _quality(reviews: Iterable[QualityReview]) -> list[QualityOfMine]:
    cells: dict[tuple[Week, str], Cell] = {}
    for review in reviews:
        at = review.week, review.project_id
        cells[at] = cells.get(at, Cell()).plus(review)
    return [_figures(*at, cell) for at, cell in sorted(cells.items())]


def _figures(week: Week, project_id: str, cell: Cell) -> QualityOfMine:
    found = accuracy(cell.correct, cell.reviewed)
    return QualityOfMine(
        week=week,
        project_id=project_id,
        reviewed=cell.reviewed,
        correct=cell.correct,
        share=found.share,
        low=found.low,
        high=found.high,
        score=measure(cell.score) if cell.reviewed else None,
    )
