"""All routers of the API.

Belongs here: the list. Does not belong here: routes.
"""

from typing import Any

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from prism_api.api.resource import Resource
from prism_api.api.routes import (
    alerts,
    allocations,
    availability,
    bugs,
    corrections,
    disputes,
    history,
    me,
    members,
    meta,
    plans,
    projects,
    quality,
    recipients,
    reports,
    requests,
    saved_views,
    suggestions,
    taxonomy,
    throughput,
    workers,
)

_MODULES = (
    members, projects, allocations, availability, requests, quality, disputes, corrections, workers, taxonomy,
    bugs, saved_views, recipients, alerts, plans, reports,
)  # fmt: skip
# The resources with a history, by table.
RESOURCES: dict[str, Resource[Any]] = {module.RESOURCE.spec.name: module.RESOURCE for module in _MODULES}


def routers() -> tuple[APIGatewayHttpRouter, ...]:
    """Every router, in the order of the document."""
    return (
        meta.router,
        *(module.router for module in _MODULES),
        throughput.router,
        suggestions.router,
        history.router,
        me.router,
    )
