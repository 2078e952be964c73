"""Names that the registers know.

Belongs here: the ids that a check of referential integrity compares with. Does not belong here: who a worker is.
"""

from dataclasses import dataclass

from prism_assets.resources import PrismResource
from prism_core.models.people import Member, MemberStatus
from prism_core.models.projects import Project, ProjectStatus
from prism_core.tables import MEMBERS, PROJECTS


@dataclass(frozen=True, slots=True)
class Known:
    """Ids of all members and projects, whatever their status."""

    members: frozenset[str]
    projects: frozenset[str]


def known_names(prism: PrismResource) -> Known:
    """Read both registers by their status index; no scan."""
    members, projects = prism.reader(MEMBERS, Member), prism.reader(PROJECTS, Project)
    return Known(
        frozenset(m.member_id for status in MemberStatus for m in members.query("by_status", status=status)),
        frozenset(p.project_id for status in ProjectStatus for p in projects.query("by_status", status=status)),
    )
