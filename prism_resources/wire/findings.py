"""What a look at a service before it is needed has found.

Belongs here: the form of a finding, for every service. Does not belong here: looking, and who is told.
"""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Whether a person must act: not at all, soon, or before the next report."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` is what was looked at, such as `meta token`; `sentence` what was found and what to do."""

    subject: str
    level: Level
    sentence: str
