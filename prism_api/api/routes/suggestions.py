"""Who an unresolved worker may be, and which project a labelling job may belong to.

Belongs here: gathering the evidence of the last weeks for a person who decides. Does not belong here: the ranking
(prism_core/suggestions.py) and the decision (workers.py).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from prism_api.api import backend, documents
from prism_api.api.calls import current
from prism_api.api.crud import respond
from prism_api.api.routes.workers import RESOURCE
from prism_api.api.visibility import visible
from prism_api.api.writes import read_item
from prism_core import clock
from prism_core.calendar import WeekRange
from prism_core.models.base import Model
from prism_core.models.people import Member, MemberStatus
from prism_core.models.projects import Project, ProjectStatus
from prism_core.models.work import Allocation
from prism_core.models.workers import Suggestion, Worker
from prism_core.suggestions import Colleague, Seen, suggest_members, suggest_projects
from prism_core.tables import ALLOCATIONS, MEMBERS, PROJECTS

WEEKS = 4
router = APIGatewayHttpRouter()


class Suggestions(Model):
    """The likeliest first, each with its reason. Members for a worker, projects for a labelling job."""

    worker_key: str
    weeks: str
    items: list[Suggestion]


@router.get(
    "/api/workers/<key>/suggestions",
    **documents.operation("Who a worker may be", "workers", Suggestions, reads=True, item=True),
)
def suggestions(
    key: Annotated[str, Path(min_length=1, max_length=1_024)],
    weeks: Annotated[int, Query(ge=1, le=12, description="of evidence, the running one included")] = WEEKS,
) -> Response[Suggestions]:
    worker: Worker = read_item(RESOURCE, current(), key)
    span = clock.this_week().window(weeks)
    found = suggest_projects(worker.job, _projects()) if worker.job is not None else _members(worker, span)
    return respond(Suggestions(worker_key=worker.worker_key, weeks=str(span), items=list(found)))


def _members(worker: Worker, span: WeekRange) -> tuple[Suggestion, ...]:
    facts = backend.throughput()
    by_project, by_day = Counter[str](), Counter[date]()
    for fact in facts.member(f"worker:{worker.worker_key}", span.first, span.last):
        by_project[fact.project_id] += fact.tasks_submitted
        by_day.update({day.day: day.tasks_submitted for day in fact.days})
    return suggest_members(Seen(by_project, by_day), _colleagues(span))


def _colleagues(span: WeekRange) -> list[Colleague]:
    planned: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    busy = Counter[str]()
    for week in span:
        for allocation in backend.reader(ALLOCATIONS, Allocation).query("by_week", week=week):
            planned[allocation.member_id][allocation.project_id] += allocation.total
        for fact in backend.throughput().week(week):
            busy[fact.member_id] += fact.tasks_submitted
    active = backend.reader(MEMBERS, Member).query("by_status", status=MemberStatus.ACTIVE)
    seen = visible(current())
    theirs = [member for member in active if seen.sees(member.member_id)]
    return [Colleague(member, planned[member.member_id], busy[member.member_id]) for member in theirs]


def _projects() -> Iterator[Project]:
    for status in ProjectStatus:
        yield from backend.reader(PROJECTS, Project).query("by_status", status=status)
