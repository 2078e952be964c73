"""Which status may follow which.

Belongs here: the one check that flows of decisions share, with an error that names what is allowed.
Does not belong here: the flows themselves (requests.py, availability.py, disputes.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from prism_core.failures import PermanentFailure

S = TypeVar("S", bound=StrEnum)


class NotAllowed(PermanentFailure):
    """The item is in a state, or the person in a role, from which this step cannot be taken.

    `allowed` are the statuses that could be reached instead.
    """

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Flow(Generic[S]):
    """What an item is called, and the statuses that may follow each status."""

    noun: str
    steps: Mapping[S, tuple[S, ...]]

    def allowed(self, status: S) -> tuple[S, ...]:
        """The statuses that may follow, in their order."""
        return self.steps[status]

    def check(self, name: str, status: S, to: S) -> None:
        """Raises NotAllowed that names the allowed statuses. Staying where it is is no step."""
        allowed = self.steps[status]
        if to not in allowed:
            then = f"from there it can become {' or '.join(allowed)}" if allowed else "that is final"
            raise NotAllowed(f"{self.noun} {name} is {status}, so it cannot become {to}; {then}", allowed)
