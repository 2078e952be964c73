"""Bugs of the platform itself, as people report them.

Belongs here: a bug of fifteen fields, and the same without its screenshot, which is what a list shows.
Does not belong here: shrinking a screenshot to size (the screen does) and guessing its type.
"""

import base64
import binascii
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from prism_core.models.base import Choice, Id, Instant, Name, Text, Versioned
from prism_core.models.work import Severity

# A WebP of a full page took 63,000 to 96,000 characters; an item may hold 400 kB in all.
SCREENSHOT_MAX_CHARACTERS = 100_000


class BugStatus(StrEnum):
    NEW = "new"
    CONFIRMED = "confirmed"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    CLOSED = "closed"


def _check_base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"the screenshot is not base64: {error}") from error
    return text


class BugSummary(Versioned):
    """Everything but the screenshot: what the index by status carries."""

    bug_id: Id
    title: Name
    description: Text
    steps: Text = ""
    expected: Text = ""
    actual: Text = ""
    severity: Choice[Severity]
    category: Annotated[str, Field(min_length=1, max_length=128)]
    status: Choice[BugStatus] = BugStatus.NEW
    page: Annotated[str, Field(max_length=2_000)] = ""
    browser: Annotated[str, Field(max_length=500)] = ""
    reporter: Name
    assignee: Name | None = None
    created: Instant
    resolved: Instant | None = None


class Bug(BugSummary):
    """A reported bug. `screenshot` is base64, at most 100,000 characters."""

    screenshot: (
        Annotated[str, Field(min_length=4, max_length=SCREENSHOT_MAX_CHARACTERS), AfterValidator(_check_base64)]
        | None
    ) = None
