"""The steps of an image, as fields of its row: an analysis begun, released for another try, given up, ended, and
public copies drawn.

Belongs here: what each step writes over a row as it is now, or that it has nothing to write any more. Does not
belong here: what an event asks for (arrivals.py) and writing (prism_resources/media).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prism_core.media.arrivals import Arrival, Due, due
from prism_core.models.images import Copy, Image, ImageState

Fields = dict[str, Any]


def begun(image: Image, arrival: Arrival, now: datetime) -> Fields | None:
    """A new upload closes the gate: what was said of the one before, a person's words too, is not said of this."""
    if due(image, arrival, now) is not Due.ANALYSE:
        return None
    fields: Fields = {
        "state": ImageState.ANALYSING,
        "reason": "",
        "started": now,
        "attempts": image.attempts + 1,
    }
    if image.object_version == arrival.object_version:
        return fields
    return fields | {
        "object_version": arrival.object_version,
        "sequencer": arrival.sequencer,
        "uploaded": arrival.at,
        "bytes": arrival.size,
        "attempts": 1,
        "analysis": None,
        "copies": (),
        "override": None,
        # Before the first upload there was no other picture that it could have been said of.
        "alt": image.alt if image.object_version is None else None,
        "alt_suggestion": image.alt or image.alt_suggestion,
        "format": None,
        "width": None,
        "height": None,
        "orientation": None,
    }


def ended(image: Image, arrival: Arrival, found: Mapping[str, Any]) -> Fields | None:
    """Not when the image was replaced meanwhile, or another call came to an end first."""
    if image.object_version != arrival.object_version or image.state is not ImageState.ANALYSING:
        return None
    return dict(found)


def at_once(image: Image, arrival: Arrival, now: datetime, found: Mapping[str, Any]) -> Fields | None:
    """Begun and ended in one write: of a first upload that nobody else was told of, whose row says nothing that a
    begin would have to take back."""
    if image.object_version == arrival.object_version:  # somebody has begun it meanwhile
        return ended(image, arrival, found)
    fields = begun(image, arrival, now)
    return None if fields is None else fields | dict(found)


def released(image: Image, arrival: Arrival, *, outage: bool) -> Fields | None:
    """Whoever tries again must not take this call for one that is still at it. A try that met an `outage` of a
    service does not count: an hour of that is not the picture's fault."""
    return ended(image, arrival, {"started": None, "attempts": max(0, image.attempts - outage)})


def given_up(image: Image, arrival: Arrival, why: str, *, outage: bool) -> Fields | None:
    """The queue will not try again by itself. Of all tries that met an outage, this one counts."""
    words = f"the analysis has not worked so far and is tried again by itself: {why}"
    found = {"state": ImageState.FAILED, "reason": words, "attempts": image.attempts + outage}
    return ended(image, arrival, found)


def drawn(image: Image, object_version: str, copies: tuple[Copy, ...]) -> Fields | None:
    """Public copies are of one upload that was analysed: not when it was replaced or lost meanwhile."""
    if image.object_version != object_version or image.state is not ImageState.ANALYSED:
        return None
    return {"copies": copies}
