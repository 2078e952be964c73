"""The search of HubSpot as far as PRISM asks it, on loopback.

Belongs here: searching contacts and looking at a property, in HubSpot's form and with its limits. Does not
belong here: contacts (people.py), faults (faults.py) and who may call at all (app.py).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.standins.faults import hubspot_error
from infra.local.standins.world import World

MOST_ROWS, MOST_RESULTS = 200, 10_000
_ALWAYS: Final = ("createdate", "hs_object_id", "lastmodifieddate")
_PROPERTIES: Final = frozenset({"utm_campaign_id", "utm_adset_id", "utm_ad_id"})


class HubSpot:
    """One customer system."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/crm/v3/objects/contacts/search", self._search, methods=["POST"]),
            Route("/crm/v3/properties/contacts/{name}", self._property),
        ]

    async def _search(self, request: Request) -> Response:
        if refused := self._refusal(request):
            return refused
        try:
            asked = json.loads(await request.body())
            filters = {(f["propertyName"], f["operator"]): int(f["value"]) for f in _filters(asked)}
            limit, first = int(asked.get("limit", 10)), int(asked.get("after") or 0)
            start, end = (filters.pop(("createdate", name)) for name in ("GTE", "LT"))
            least = filters.pop(("hs_object_id", "GTE"), 0)
            in_order = asked["sorts"] == [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return _wrong(f"Invalid input JSON: {error!r}")
        if filters or not in_order:
            return _wrong("The stand-in knows createdate GTE and LT, hs_object_id GTE, and one order only")
        if limit > MOST_ROWS or first + limit > MOST_RESULTS:
            return _wrong(f"limit is at most {MOST_ROWS}, and paging ends at {MOST_RESULTS} results")
        found = [
            one for one in self._world.people.between(_instant(start), _instant(end)) if int(one["id"]) >= least
        ]
        page = found[first : first + limit]
        answer: dict[str, Any] = {"total": len(found), "results": [_shown(one, asked) for one in page]}
        if first + len(page) < len(found):
            answer["paging"] = {"next": {"after": str(first + len(page))}}
        return JSONResponse(answer)

    async def _property(self, request: Request) -> Response:
        if refused := self._refusal(request):
            return refused
        name = request.path_params["name"]
        if name not in _PROPERTIES:
            return JSONResponse(hubspot_error("OBJECT_NOT_FOUND", f'Property "{name}" does not exist'), 404)
        return JSONResponse({"name": name, "type": "string", "fieldType": "text"})

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("authorization") == f"Bearer {self._world.tokens.hubspot}":
            return None
        return JSONResponse(hubspot_error("INVALID_AUTHENTICATION", "Authentication credentials not found."), 401)


def _filters(asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    (group,) = asked["filterGroups"]
    return group["filters"]


def _shown(contact: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """As HubSpot: what was asked for, null where it is not set, and three properties more."""
    known = contact["properties"]
    names = [*_ALWAYS, *(name for name in asked.get("properties", []) if name not in _ALWAYS)]
    return {
        "id": contact["id"],
        "properties": {name: known.get(name) for name in names},
        "createdAt": known["createdate"],
        "updatedAt": known["lastmodifieddate"],
        "archived": False,
    }


def _instant(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


def _wrong(message: str) -> Response:
    return JSONResponse(hubspot_error("VALIDATION_ERROR", message), 400)
