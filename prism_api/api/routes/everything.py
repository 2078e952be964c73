"""All routers of the API, each made when a path of it is first called.

Belongs here: the list of the sections, and what each of them serves. A call needs one section: making all of them
took a third of a cold start. Does not belong here: routes, and what a call is (apps.py, handler.py).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

if TYPE_CHECKING:
    from prism_api.api.resource import Resource


@dataclass(frozen=True, slots=True)
class Section:
    """A module of routes: the names behind /api that its paths begin with, and the table of its RESOURCE."""

    roots: tuple[str, ...]
    load: Callable[[], ModuleType]
    table: str | None = None


# In the order of the document.
SECTIONS = (
    Section(("meta",), lambda: import_module("prism_api.api.routes.meta")),
    Section(("members",), lambda: import_module("prism_api.api.routes.members"), "members"),
    Section(("projects",), lambda: import_module("prism_api.api.routes.projects"), "projects"),
    Section(("allocations",), lambda: import_module("prism_api.api.routes.allocations"), "allocations"),
    Section(
        ("availability", "holidays"), lambda: import_module("prism_api.api.routes.availability"), "availability"
    ),
    Section(("requests",), lambda: import_module("prism_api.api.routes.requests"), "requests"),
    Section(("quality",), lambda: import_module("prism_api.api.routes.quality"), "quality"),
    Section(("quality-scores", "quality-trend"), lambda: import_module("prism_api.api.routes.quality_scores")),
    Section(("disputes",), lambda: import_module("prism_api.api.routes.disputes"), "disputes"),
    Section(("corrections",), lambda: import_module("prism_api.api.routes.corrections"), "corrections"),
    Section(("workers",), lambda: import_module("prism_api.api.routes.workers"), "workers"),
    Section(("taxonomy", "taxonomy-map"), lambda: import_module("prism_api.api.routes.taxonomy"), "taxonomy"),
    Section(("bugs",), lambda: import_module("prism_api.api.routes.bugs"), "bugs"),
    Section(("saved-views",), lambda: import_module("prism_api.api.routes.saved_views"), "saved_views"),
    Section(("recipients",), lambda: import_module("prism_api.api.routes.recipients"), "recipients"),
    Section(("alerts",), lambda: import_module("prism_api.api.routes.alerts"), "alerts"),
    Section(("plans",), lambda: import_module("prism_api.api.routes.plans"), "plans"),
    Section(("capacity",), lambda: import_module("prism_api.api.routes.capacity")),
    Section(("capacity",), lambda: import_module("prism_api.api.routes.publications")),
    Section(("reports",), lambda: import_module("prism_api.api.routes.reports"), "editions"),
    Section(("throughput",), lambda: import_module("prism_api.api.routes.throughput")),
    Section(("throughput-trend",), lambda: import_module("prism_api.api.routes.throughput_trend")),
    Section(("restatements",), lambda: import_module("prism_api.api.routes.restatements")),
    Section(("workers",), lambda: import_module("prism_api.api.routes.suggestions")),
    Section(("history", "changes"), lambda: import_module("prism_api.api.routes.history")),
    Section(("events",), lambda: import_module("prism_api.api.routes.events")),
    Section(("status",), lambda: import_module("prism_api.api.routes.status")),
    Section(("me",), lambda: import_module("prism_api.api.routes.me")),
    Section(("uploads",), lambda: import_module("prism_api.api.routes.uploads")),
    Section(("imports",), lambda: import_module("prism_api.api.routes.imports")),
    Section(("exports",), lambda: import_module("prism_api.api.routes.exports")),
    Section(("articles",), lambda: import_module("prism_api.api.routes.articles"), "articles"),
    Section(("images", "articles"), lambda: import_module("prism_api.api.routes.images"), "images"),
    Section(("jobs",), lambda: import_module("prism_api.api.routes.jobs")),
)


def root_of(path: str) -> str:
    """What tells the section of a path: `members` of /api/members/m-017."""
    return path.split("/", 3)[2]


def routers(root: str | None = None) -> tuple[APIGatewayHttpRouter, ...]:
    """The routers of a root, in the order of the document; without one, all of them."""
    return tuple(section.load().router for section in SECTIONS if root is None or root in section.roots)


class _Resources(Mapping[str, "Resource[Any]"]):
    """Looking one up loads its section alone; going through them loads them all."""

    def __getitem__(self, table: str) -> "Resource[Any]":
        return _LOADERS[table]().RESOURCE

    def __contains__(self, table: object) -> bool:
        return table in _LOADERS

    def __iter__(self) -> Iterator[str]:
        return iter(_LOADERS)

    def __len__(self) -> int:
        return len(_LOADERS)


_LOADERS = {section.table: section.load for section in SECTIONS if section.table is not None}
# The resources with a history, by table.
RESOURCES: Mapping[str, "Resource[Any]"] = _Resources()
