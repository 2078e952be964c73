"""What a person keeps for themselves in the screens.

Belongs here: saved views. Does not belong here: what a screen does with one.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from prism_core.models.base import Choice, Id, Instant, Many, Name, Versioned

STATE_MAX_CHARACTERS = 8_000


class Screen(StrEnum):
    """The screens that have lists: what a view is of."""

    TEAM = "team"
    REQUESTS = "requests"
    CAPACITY = "capacity"
    THROUGHPUT = "throughput"
    QUALITY = "quality"
    BUGS = "bugs"
    DASHBOARD = "dashboard"
    ALERTS = "alerts"
    REPORTS = "reports"
    EVENTS = "events"


class Visibility(StrEnum):
    PRIVATE = "private"
    SHARED = "shared"


class SavedView(Versioned):
    """A named state of a screen: the parameters of its address, each with its values."""

    view_id: Id
    owner: Annotated[str, Field(min_length=1, max_length=200)]
    visibility: Choice[Visibility] = Visibility.PRIVATE
    screen: Choice[Screen]
    name: Name
    state: Annotated[dict[Name, Many[Annotated[str, Field(max_length=2_000)]]], Field(max_length=50)]
    created: Instant

    @model_validator(mode="after")
    def _fits_an_address(self) -> Self:
        size = sum(len(name) + sum(map(len, values)) for name, values in self.state.items())
        if size > STATE_MAX_CHARACTERS:
            raise ValueError(f"the state takes {size:,} characters; an address holds {STATE_MAX_CHARACTERS:,}")
        return self
