"""A page of contacts without what could name a person, before it is kept anywhere.

Belongs here: which properties and parameters of an address may be archived. Does not belong here: reading leads
(leads.py) and the archive (resources).
We ask for no property of a person; this holds when a service answers more than it was asked for, and for
addresses, in which forms and mailings write e-mail addresses.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from prism_core.campaign.insights import json_object
from prism_core.campaign.leads import LIFECYCLES, OTHER, SOURCES, STATUSES, AdIds

_ADDRESS: Final = "hs_analytics_first_url"
# What HubSpot answers unasked.
_ALWAYS: Final = frozenset({"createdate", "lastmodifieddate", "hs_object_id"})
_OF_A_CONTACT: Final = frozenset({"id", "createdAt", "updatedAt", "archived"})
_CLOSED: Final[Mapping[str, frozenset[str]]] = {
    "hs_analytics_source": SOURCES,
    "lifecyclestage": LIFECYCLES,
    "hs_lead_status": STATUSES,
}
_OF_CAMPAIGNS: Final = frozenset({"utm_source", "utm_medium", "utm_campaign"})


def without_people(body: bytes, where: AdIds) -> bytes:
    """The same bytes when there is nothing to take out, else the page written anew without it.

    What is no page of contacts, such as an error, is left alone.
    """
    try:
        page = json_object(json.loads(body))
    except (ValueError, RecursionError):
        return body
    results = page.get("results") if page is not None else None
    if page is None or not isinstance(results, list):
        return body
    found = cast("list[object]", results)
    kept = [_contact(one, where) for one in found]
    return body if kept == found else json.dumps({**page, "results": kept}).encode()


def _contact(found: object, where: AdIds) -> dict[str, Any]:
    contact = json_object(found) or {}
    kept: dict[str, Any] = {name: value for name, value in contact.items() if name in _OF_A_CONTACT}
    properties = json_object(contact.get("properties"))
    if properties is not None:
        kept["properties"] = _properties(properties, where)
    return kept


def _properties(found: Mapping[str, object], where: AdIds) -> dict[str, object]:
    allowed = _ALWAYS | set(where.properties)
    kept = {name: value for name, value in found.items() if name in allowed}
    for name in (where.campaign, where.adset, where.ad):  # a form fills them with whatever the address had
        if name in kept and not _is_id(kept[name]):
            kept[name] = None
    for name, words in _CLOSED.items():  # people add values of their own, and write into them what they like
        said = kept.get(name)
        if said is not None and not (isinstance(said, str) and said in words):
            kept[name] = OTHER
    if isinstance(kept.get(_ADDRESS), str):
        kept[_ADDRESS] = _address(str(kept[_ADDRESS]), where)
    return kept


def _address(url: str, where: AdIds) -> str:
    """Host, path, and the parameters that say from which ad somebody came."""
    try:
        parts = urlsplit(url)
        given = parse_qsl(parts.query, keep_blank_values=True)
        host = parts.hostname or ""
    except ValueError:
        return ""
    ids = {where.campaign, where.adset, where.ad}
    kept = [
        (name, value)
        for name, value in given
        if (name in ids and _is_id(value)) or (name in _OF_CAMPAIGNS and "@" not in value)
    ]
    path = "" if "@" in parts.path or "%40" in parts.path else parts.path
    if kept == given and path == parts.path and not parts.fragment and "@" not in parts.netloc:
        return url
    return urlunsplit((parts.scheme, host, path, urlencode(kept, quote_via=quote), ""))


def _is_id(found: object) -> bool:
    return isinstance(found, str) and found.isdecimal()
