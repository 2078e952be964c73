"""Throughput of many people together, week by week, beside the band of the weeks before.

Belongs here: adding up the published facts that the parameters choose. Does not belong here: the band
(prism_core/bands.py) and the facts of one member and project (throughput.py).
"""

from decimal import Decimal
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from prism_api.api import backend, documents
from prism_api.api.calls import current
from prism_api.api.crud import FilterText, WeekText, respond
from prism_api.api.routes.throughput import facts_of, week_of
from prism_api.api.visibility import visible
from prism_core import clock
from prism_core.bands import WEEKS, band
from prism_core.calendar import Week
from prism_core.models.base import Count, Measure, Model, measure
from prism_core.models.work import ThroughputWeek

MAX_WEEKS = 26
DEFAULT_WEEKS = 12
router = APIGatewayHttpRouter()


class ThroughputSum(Model):
    """A week's sums; `low` and `high` are the band of submitted tasks by the four weeks before, absent with fewer
    than two of them. Weeks that nothing is published of count as none."""

    week: Week
    tasks_submitted: Count
    wall_seconds: Count
    active_seconds: Count | None
    low: Measure | None
    high: Measure | None


class ThroughputTrend(Model):
    """Weeks in order."""

    items: list[ThroughputSum]


@router.get(
    "/api/throughput-trend",
    **documents.operation("Throughput by week with its band", "throughput", ThroughputTrend, reads=True),
)
def throughput_trend(
    week: Annotated[WeekText | None, Query(description="the last one; this week without it")] = None,
    weeks: Annotated[int, Query(ge=1, le=MAX_WEEKS)] = DEFAULT_WEEKS,
    project_id: Annotated[list[FilterText] | None, Query(description="only these projects; repeatable")] = None,
    member_id: Annotated[list[FilterText] | None, Query(description="only these members; repeatable")] = None,
) -> Response[ThroughputTrend]:
    call = current()
    last = week_of("week", week or clock.this_week().label)
    asked = last.window(weeks + WEEKS)
    chosen = call.query.get("project_id", ()), call.query.get("member_id", ())
    found: dict[Week, list[ThroughputWeek]] = {each: [] for each in asked}
    for fact in facts_of(asked, *chosen, visible(call)):
        found[fact.week].append(fact)
    return respond(ThroughputTrend(items=[_sum(each, found) for each in last.window(weeks)]))


def _sum(week: Week, found: dict[Week, list[ThroughputWeek]]) -> ThroughputSum:
    days = [day for fact in found[week] for day in fact.days]
    active = [day.active_seconds for day in days if day.active_seconds is not None]
    earlier = [_tasks(found[week + back]) for back in range(-WEEKS, 0)]
    tolerance = backend.settings().volume_band
    around = band(_tasks(found[week]) or 0, earlier, tolerance)
    return ThroughputSum(
        week=week,
        tasks_submitted=sum(day.tasks_submitted for day in days),
        wall_seconds=sum(day.wall_seconds for day in days),
        active_seconds=sum(active) if active else None,
        low=None if around.low is None else measure(Decimal(str(around.low))),
        high=None if around.high is None else measure(Decimal(str(around.high))),
    )


def _tasks(facts: list[ThroughputWeek]) -> float | None:
    return float(sum(fact.tasks_submitted for fact in facts)) if facts else None
