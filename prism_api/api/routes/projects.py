"""Projects: what has to be done, by when, with which skills.

Belongs here: the description of the resource. Does not belong here: who works on them (allocations.py).
"""

from prism_api.api import backend
from prism_api.api.crud import crud
from prism_api.api.resource import Resource
from prism_core import clock
from prism_core.models.projects import Project, ProjectStatus
from prism_core.tables import PROJECTS

EXAMPLE = {
    "project_id": "p-042",
    "name": "Street scenes",
    "category": "lidar-3d",
    "demand_hours": 120,
    "priority": 2,
    "sla_date": "2026-03-31",
    "skills": [{"name": "lidar", "level": 3}],
    "labeling_jobs": [{"job": "street-scenes-*", "valid_from": "2026-01-05"}],
}


def _category(project: Project) -> str:
    """Today's name of the raw category; `unmapped:<raw>` where the taxonomy has none."""
    return backend.taxonomy().map(project.category, clock.now().date()).label


RESOURCE = Resource(
    path="/api/projects",
    spec=PROJECTS,
    model=Project,
    noun="project",
    example=EXAMPLE,
    ways=("by_id", "by_status"),
    everything=lambda _: {"status": tuple(ProjectStatus)},
    filters={"project_id": str, "status": ProjectStatus, "category": str, "priority": str},
    sorts=("name", "project_id", "status", "priority", "category", "demand_hours", "sla_date"),
    search=("name", "project_id"),
    derived={"category_name": (str, _category)},
)
router = crud(RESOURCE)
