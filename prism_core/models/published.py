"""Which plan of a week is published: one pointer a week.

Belongs here: the pointer. Does not belong here: what a publication changes (prism_core/publications.py), stored
plans (alerts.py) and the rows themselves (work.py).
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from prism_core.calendar import Week
from prism_core.models.base import Choice, Count, Id, Instant, Text, Versioned
from prism_core.models.changes import UNDO
from prism_core.models.reports import ObjectKey


class PublicationState(StrEnum):
    """`folding`: published, its rows are being written one by one; `settled`: they are."""

    FOLDING = "folding"
    SETTLED = "settled"


class PublishedPlan(Versioned):
    """The pointer of a week. Writing it publishes: readers see the rows that it names from then on, all of them.

    `publication` counts the publications of the week, undone ones too. `plan_id` is absent where an undo went back
    to before the first one; `replaced` is the plan that was published before, `undoes` the publication that this
    one takes back. `changed` rows differ from those before; `edited` ones are not as it has them, since people
    wrote them meanwhile. `settled` is in time as it passes, also under a fixed clock.
    """

    week: Week
    publication: Annotated[int, Field(ge=1, lt=10_000)]
    state: Choice[PublicationState] = PublicationState.FOLDING
    plan_id: Id | None = None
    replaced: Id | None = None
    undoes: Annotated[int, Field(ge=1, lt=10_000)] | None = None
    body: ObjectKey = Field(description="S3 key of the rows before and after")
    changed: Count = 0
    edited: Count = 0
    published: Instant
    published_by: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Text = ""
    settled: Instant | None = None

    @property
    def request_id(self) -> str:
        """What the change log says of each row of this publication: the same whoever writes it."""
        taken_back = "" if self.undoes is None else UNDO
        return f"publication-{self.week}-{self.publication}{taken_back}"
