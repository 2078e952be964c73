"""Letters as an edition keeps them.

Belongs here: what some recipients get, and its form as JSON. Does not belong here: what letters say, which their
makers know, and storing and sending them (mailing.py).
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from prism_resources.messages import Inline


@dataclass(frozen=True, slots=True)
class Letter:
    """What some recipients get, by their ids: the subject, the text, and the same as HTML with its pictures."""

    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str | None = None
    pictures: tuple[Inline, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What an edition says. `data` is what its maker needs to go on after a crash."""

    letters: tuple[Letter, ...]
    data: Mapping[str, JsonValue]


def letter_document(letter: Letter) -> dict[str, JsonValue]:
    """A letter as JSON. Without pictures as it was before there were any: an edition of then is the same one."""
    found: dict[str, JsonValue] = {
        "recipients": list(letter.recipients),
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
    }
    if letter.pictures:
        found["pictures"] = [[one.name, base64.b64encode(one.png).decode()] for one in letter.pictures]
    return found


def letter_of(found: Mapping[str, Any]) -> Letter:
    """The inverse of `letter_document`."""
    pictures = tuple(Inline(name, base64.b64decode(png)) for name, png in found.get("pictures", ()))
    return Letter(tuple(found["recipients"]), found["subject"], found["text"], found["html"], pictures)
