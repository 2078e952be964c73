"""Letters as an edition keeps them.

Belongs here: what some recipients get, its form as JSON, and how it ends. Does not belong here: what letters say,
which their makers know, and storing and sending them (mailing.py).
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from prism_core.models.reports import ReportKind
from prism_core.settings import Settings
from prism_resources.messages import Attached, Inline


@dataclass(frozen=True, slots=True)
class Letter:
    """What some recipients get, by their ids: subject, text, the same as HTML with its pictures, lists beside it.

    `recipients` None: whoever is named as it is sent, so that people may join after the edition was stored.
    """

    recipients: tuple[str, ...] | None
    subject: str
    text: str
    html: str | None = None
    pictures: tuple[Inline, ...] = ()
    attached: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What an edition says. `data` is what its maker needs to go on after a crash."""

    letters: tuple[Letter, ...]
    data: Mapping[str, JsonValue]


def letter_document(letter: Letter) -> dict[str, JsonValue]:
    """A letter as JSON. Without pictures as it was before there were any: an edition of then is the same one."""
    found: dict[str, JsonValue] = {
        "recipients": None if letter.recipients is None else list(letter.recipients),
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
    }
    if letter.pictures:
        found["pictures"] = [[one.name, base64.b64encode(one.png).decode()] for one in letter.pictures]
    if letter.attached:
        found["attached"] = [[one.name, base64.b64encode(one.csv).decode()] for one in letter.attached]
    return found


def letter_of(found: Mapping[str, Any]) -> Letter:
    """The inverse of `letter_document`."""
    pictures = tuple(Inline(name, base64.b64decode(png)) for name, png in found.get("pictures", ()))
    whom = None if found["recipients"] is None else tuple(found["recipients"])
    attached = tuple(Attached(name, base64.b64decode(csv)) for name, csv in found.get("attached", ()))
    return Letter(whom, found["subject"], found["text"], found["html"], pictures, attached)


def opt_out(settings: Settings, report: ReportKind) -> str:
    """The sentence that ends a letter: why it came, and how to stop it."""
    whom = f"write to {settings.operations[0]}" if settings.operations else "ask whoever runs PRISM"
    return f"You get this as a recipient of {report} in PRISM. To narrow or stop it, answer this mail or {whom}."
