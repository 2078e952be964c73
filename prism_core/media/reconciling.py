"""Images against their objects: what was never analysed, got stuck, lost its file or its row, and public copies
that nobody is shown.

Belongs here: what is wrong with an image or an object, given both, and what can be done about it. Does not belong
here: listing either, and doing it.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from prism_core.models.images import Image, ImageState

# An upload takes seconds. The queue tries for eight minutes before it gives one up.
STUCK_AFTER: Final = timedelta(minutes=10)
# A form holds for a quarter of an hour; a row that was deleted may be brought back for a day from then on.
ORPHAN_AFTER: Final = timedelta(days=1)
# So often an upload is begun before only a person, by uploading again, has it begun once more. A try that met a
# service that was down does not count; the eight of a drive count as one, which is forty hours.
MOST_ATTEMPTS: Final = 40
# `gone` with a file: somebody brought it back, or it was not seen.
_OPEN: Final = (ImageState.WAITING, ImageState.ANALYSING, ImageState.FAILED, ImageState.GONE)
_HAD_A_FILE: Final = (ImageState.ANALYSING, ImageState.ANALYSED, ImageState.FAILED, ImageState.GONE)


class Trouble(StrEnum):
    """`never`: its upload has no analysis, and nothing was heard of one; `stuck`: one began and did not end;
    `replaced`: a newer upload has none; `deleted`: the file is gone; `orphan`: a file without a row; `hopeless`:
    it was begun too often; `unreadable`: its row fits no image; `unshown`: public copies that no article shows;
    `undrawn`: an article shows it, and its copies were lost and cannot be drawn again."""

    NEVER = "never"
    STUCK = "stuck"
    REPLACED = "replaced"
    DELETED = "deleted"
    ORPHAN = "orphan"
    HOPELESS = "hopeless"
    UNREADABLE = "unreadable"
    UNSHOWN = "unshown"
    UNDRAWN = "undrawn"


# What having the event once more can mend.
DRIVEN_AGAIN: Final = frozenset({Trouble.NEVER, Trouble.STUCK, Trouble.REPLACED})


@dataclass(frozen=True, slots=True)
class Stored:
    """The newest version of an original, as far as a look at it tells."""

    object_version: str
    at: datetime


def trouble_of(image: Image, stored: Stored | None, now: datetime) -> Trouble | None:
    """What is wrong with an image; None when nothing is, or when it is on its way."""
    if stored is None:  # a person is waited for until they upload again or remove it
        return Trouble.DELETED if image.state in _HAD_A_FILE else None
    if now - stored.at < STUCK_AFTER:
        return None
    if image.object_version is None:
        return Trouble.NEVER
    if image.object_version != stored.object_version:
        return Trouble.REPLACED
    if image.state not in _OPEN:
        return None
    if image.started is not None and now - image.started < STUCK_AFTER:
        return None
    return Trouble.HOPELESS if image.attempts >= MOST_ATTEMPTS else Trouble.STUCK


def orphans(objects: Mapping[str, Stored], known: Container[str], now: datetime) -> list[str]:
    """The keys of originals that no row names (`known` are those that one does), and that are old enough that none
    will come."""
    return sorted(key for key, one in objects.items() if key not in known and now - one.at >= ORPHAN_AFTER)


def unshown(folders: Mapping[str, datetime], shown: Container[str], now: datetime) -> list[str]:
    """The folders of public copies, each with the time of its newest, that no article on the shelf shows, and that
    are old enough that none is being published with them."""
    return sorted(name for name, at in folders.items() if name not in shown and now - at >= ORPHAN_AFTER)
