"""The running call: who asks for what, under which id.

Belongs here: what the guard found out about a request and routes need to know. One call runs at a time in a
Lambda container; the context variable keeps tests and threads apart.
Does not belong here: finding it out (guard.py) and connections (backend.py).
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

# An event with this name alone is a job to go on with, not a request.
JOB_EVENT = "prism_job"
# And one with this name comes from the schedule that keeps a copy of the function warm (infra/templates/api.yaml).
WARM_EVENT = "prism_warm"


class Role(StrEnum):
    """Cognito groups, in the order of what they may do."""

    ADMIN = "admin"
    LEAD = "lead"
    ANALYST = "analyst"
    ANNOTATOR = "annotator"


class Access(StrEnum):
    """How much of an operation's rows a role reaches."""

    ALL = "all"
    OWN = "own"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `sub` is the Cognito subject."""

    sub: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed the guard. `query` keeps repeated names apart and commas whole."""

    request_id: str
    method: str
    path: str
    operation: str
    caller: Caller
    access: Access
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    body: Any
    now: datetime
    # What was found out on the way and does not change during the call, such as the caller's member.
    found: dict[str, Any] = field(default_factory=dict[str, Any], compare=False, repr=False)

    def one(self, name: str) -> str | None:
        """The only value of a query parameter, or None."""
        values = self.query.get(name, ())
        return values[0] if values else None

    @property
    def reason(self) -> str:
        """Why a change is made: the header X-Change-Reason."""
        return self.headers.get("x-change-reason", "")


_current: ContextVar[Call] = ContextVar("prism_call")


_function: ContextVar[str | None] = ContextVar("prism_function", default=None)


def remember_function(context: Any) -> None:
    """The name that this function runs under, by its Lambda context."""
    _function.set(getattr(context, "function_name", None))


def function_name() -> str | None:
    """The name that this function runs under; None outside Lambda."""
    return _function.get()


def current() -> Call:
    """The running call. Raises LookupError outside one."""
    return _current.get()


def enter(call: Call) -> None:
    """Make this the running call."""
    _current.set(call)
