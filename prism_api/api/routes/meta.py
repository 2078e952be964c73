"""What a client must know before it starts: version, weeks, choices.

Belongs here: `GET /api/meta`. Does not belong here: data.
"""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from prism_api.api import documents
from prism_api.api.answers import respond
from prism_api.api.configured import settings
from prism_core import clock
from prism_core.calendar import Week
from prism_core.models.base import Model
from prism_core.models.bugs import BugStatus
from prism_core.models.people import AvailabilityStatus, MemberStatus, ReasonCode, Weekday
from prism_core.models.projects import ProjectStatus, RequestStatus
from prism_core.models.work import AllocationSource, Severity
from prism_core.models.workers import WorkerStatus
from prism_core.version import VERSION

router = APIGatewayHttpRouter()

_CHOICES = (
    MemberStatus, Weekday, AvailabilityStatus, ReasonCode, ProjectStatus, RequestStatus, AllocationSource,
    Severity, WorkerStatus, BugStatus,
)  # fmt: skip


class Meta(Model):
    """`weeks` reach from the first week of the programme to the running one; `choices` by name."""

    version: str
    environment: str
    first_week: Week
    this_week: Week
    choices: dict[str, list[str]]


@router.get("/api/meta", **documents.operation("Version, weeks and choices", "meta", Meta, reads=True))
def meta() -> Response[Meta]:
    configured = settings()
    return respond(
        Meta(
            version=VERSION,
            environment=configured.environment.value,
            first_week=configured.first_week,
            this_week=clock.this_week(),
            choices={choice.__name__: [value.value for value in choice] for choice in _CHOICES},
        )
    )
