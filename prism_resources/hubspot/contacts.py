"""Walking through the contacts that HubSpot has of a span of time.

Belongs here: the search, by id. Does not belong here: attempts and errors (wire/, errors.py), what a contact
means (prism_core/campaign/leads.py), archive and weeks (source.py).
A search ends at 10,000 results, so no page is asked for by its number: each asks for the ids behind the last
one.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from prism_core.campaign.leads import AdIds
from prism_core.failures import TransientFailure
from prism_resources.wire.calls import Answer, Calls, object_of
from prism_resources.wire.patience import Progress, Tell

PAGE, CONTROL = "page", "control"
SEARCH: Final = "/crm/v3/objects/contacts/search"
PAGE_ROWS: Final = 200
# Five searches a second are taken.
PAUSE_SECONDS: Final = 0.2
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def contacts(
    calls: Calls, start: datetime, end: datetime, where: AdIds, tell: Tell
) -> Iterator[tuple[str, Answer]]:
    """The pages of all contacts with start <= created < end, by id, each once. Raises as Calls.

    Behind them HubSpot is asked once more how many there are: as many as it counts before and after the walk have
    come, or a page was lost, which raises TransientFailure.
    """
    seen, expected = 0, None
    for answer in _pages(calls, start, end, where, tell):
        seen += len({_id(one) or place for place, one in enumerate(answer.json["results"])})
        expected = total_of(answer) if expected is None else expected
        yield PAGE, answer
    control = calls.post_json(CONTROL, SEARCH, _asked(start, end, 0, where) | {"limit": 1})
    yield CONTROL, control
    least = min((one for one in (expected, total_of(control)) if one is not None), default=0)
    if seen < least:
        raise TransientFailure(
            f"HubSpot counts {least} contacts from {start.isoformat()} to {end.isoformat()} and sent {seen}: a "
            "page was lost; try again later"
        )


def total_of(answer: Answer) -> int | None:
    """How many contacts HubSpot counts; None where it does not say."""
    found = answer.json.get("total")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _pages(calls: Calls, start: datetime, end: datetime, where: AdIds, tell: Tell) -> Iterator[Answer]:
    last, rows = 0, 0
    expected: int | None = None
    while True:
        answer = calls.post_json(PAGE, SEARCH, _asked(start, end, last, where))
        found = answer.json.get("results")
        if not isinstance(found, list):
            raise TransientFailure("HubSpot answered a page without results; try again later")
        yield answer
        if not found:
            return
        rows += len(found)
        expected = total_of(answer) if expected is None else expected
        tell(Progress("contacts", rows, min(rows / expected, 1.0) if expected else None))
        behind = max((_id(one) for one in found), default=0)
        if behind <= last:
            raise TransientFailure(
                "HubSpot answers contacts that were asked for before; the walk would not end: try again later"
            )
        last = behind
        if not object_of(object_of(answer.json.get("paging")).get("next")):
            return


def _asked(start: datetime, end: datetime, last: int, where: AdIds) -> dict[str, Any]:
    filters = [
        {"propertyName": "createdate", "operator": "GTE", "value": _millis(start)},
        {"propertyName": "createdate", "operator": "LT", "value": _millis(end)},
    ]
    if last:
        filters.append({"propertyName": "hs_object_id", "operator": "GTE", "value": str(last + 1)})
    return {
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": list(where.properties),
        "limit": PAGE_ROWS,
    }


def _millis(instant: datetime) -> str:
    return str((instant - _EPOCH) // timedelta(milliseconds=1))


def _id(contact: object) -> int:
    found = str(object_of(contact).get("id") or "")
    return int(found) if found.isdecimal() else 0
