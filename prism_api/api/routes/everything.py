"""All routers of the API.

Belongs here: the list. Does not belong here: routes.
"""

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from prism_api.api.routes import members, meta, projects


def routers() -> tuple[APIGatewayHttpRouter, ...]:
    """Every router, in the order of the document."""
    return (meta.router, members.router, projects.router)
