"""What a week is planned from, read from the operational tables.

Belongs here: which queries that takes. Does not belong here: what the items mean to a plan
(prism_core/capacity/describing.py) and storing plans.
"""

from prism_core import clock
from prism_core.calendar import Week
from prism_core.capacity.describing import QUALITY_WEEKS, Items
from prism_core.models.people import Availability, Member, MemberStatus
from prism_core.models.projects import Project, ProjectStatus, Request, RequestStatus
from prism_core.models.work import Allocation, QualityReview
from prism_core.settings import Settings
from prism_core.tables import ALLOCATIONS, AVAILABILITY, MEMBERS, PROJECTS, QUALITY, REQUESTS
from prism_resources.aws import client
from prism_resources.tables.publications import Publications
from prism_resources.tables.reader import TableReader


def items_of_week(settings: Settings, week: Week) -> Items:
    """The items of a week as they are now. About twenty queries, no scan.

    Projects are those that are active or have a pin in the week, whatever became of them since.
    """
    dynamodb = client(settings, "dynamodb")
    allocations = TableReader(dynamodb, settings, ALLOCATIONS, Allocation)
    reviews = TableReader(dynamodb, settings, QUALITY, QualityReview)
    projects = TableReader(dynamodb, settings, PROJECTS, Project)
    pointer = Publications(dynamodb, settings).of_week(week)
    past = [week + -back for back in range(1, QUALITY_WEEKS + 1)]
    of_week = list(allocations.query("by_week", week=week))
    active = list(projects.query("by_status", status=ProjectStatus.ACTIVE))
    pinned = {one.project_id for one in of_week if one.pinned} - {one.project_id for one in active}
    others = [found for one in sorted(pinned) if (found := projects.get(project_id=one)) is not None]
    return Items(
        members=list(
            TableReader(dynamodb, settings, MEMBERS, Member).query("by_status", status=MemberStatus.ACTIVE)
        ),
        projects=[*active, *others],
        requests=list(
            TableReader(dynamodb, settings, REQUESTS, Request).query("by_status", status=RequestStatus.APPROVED)
        ),
        availability=list(TableReader(dynamodb, settings, AVAILABILITY, Availability).query("by_week", week=week)),
        allocations=of_week,
        before=list(allocations.query("by_week", week=past[0])),
        reviews=[review for one in past for review in reviews.query("by_week", week=one)],
        is_published=pointer is not None and pointer.plan_id is not None,
        today=clock.now().date(),
        overtime_hours_a_day=settings.overtime_hours_a_day,
        publication=0 if pointer is None else pointer.publication,
    )
