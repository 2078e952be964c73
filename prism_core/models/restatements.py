"""A published figure that is another one now.

Belongs here: the row that people and screens read. Does not belong here: finding it (prism_core/restatements.py).
"""

from typing import Annotated

from pydantic import Field

from prism_core.calendar import Week
from prism_core.evidence import Cause
from prism_core.models.base import Choice, Count, Instant, Many, Measure, Model, Text
from prism_core.models.work import FactSubject

_Column = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
_Generation = Annotated[int, Field(ge=0, lt=1_000_000)]


class Restatement(Model):
    """One figure of a published week, before and after one replacement. Bookkeeping: written once, never edited.

    `subject` are the keys of the figure's row, `*` the week as a whole; `old` is absent where the row was not,
    `new` where it is no longer. `cause` is the first of `causes`, `evidence` how many inputs changed.
    """

    week: Week
    table: _Column
    new_generation: _Generation
    subject: Annotated[str, Field(min_length=1, max_length=600)]
    measure: _Column
    old_generation: _Generation
    old: Measure | None = None
    new: Measure | None = None
    cause: Choice[Cause]
    causes: Annotated[Many[Choice[Cause]], Field(min_length=1)]
    restated_at: Instant
    evidence: dict[str, dict[str, Count]] = Field(default_factory=dict)
    reason: Text | None = Field(default=None, description="why a person let it be published")
    member_id: FactSubject | None = None
    project_id: FactSubject | None = None
