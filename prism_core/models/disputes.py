"""What people say about computed figures: a dispute, and the correction that may answer it.

Belongs here: which figure is disputed, and whose work belongs to whom. Does not belong here: which steps a
dispute may take (prism_core/disputes.py) and what a correction does to a week (prism_core/corrections.py).
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from prism_core.calendar import Week
from prism_core.models.base import Choice, Day, Id, Instant, Many, Text, Versioned
from prism_core.models.work import FactSubject

Said = Annotated[str, Field(min_length=1, max_length=10_000)]
Actor = Annotated[str, Field(min_length=1, max_length=200)]


class FactTable(StrEnum):
    """Tables whose figures can be disputed and corrected."""

    THROUGHPUT = "throughput"
    QUALITY = "quality"


class DisputeStatus(StrEnum):
    OPEN = "open"
    CORRECTED = "corrected"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Dispute(Versioned):
    """A member says that a figure of theirs is wrong; a lead answers with a correction or a reason.

    The figure is `field` of `table` for member and project in a week: of one day where `day` is given, of one
    review where `review_id` is. `shown` is what the screen said, `expected` what the member thinks is right.
    """

    dispute_id: Id
    table: Choice[FactTable]
    week: Week
    member_id: Id
    project_id: FactSubject | None = None
    day: Day | None = None
    review_id: Id | None = None
    field: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,63}$")]
    shown: Annotated[str, Field(max_length=200)]
    expected: Annotated[str, Field(max_length=200)] | None = None
    reason: Said
    status: Choice[DisputeStatus] = DisputeStatus.OPEN
    opened: Instant
    opened_by: Actor
    decided: Instant | None = None
    decided_by: Actor | None = None
    answer: Text | None = None
    correction_id: Id | None = Field(default=None, description="of this week: what answered the dispute")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.day is not None and self.day not in self.week.days:
            raise ValueError(f"{self.day} lies outside {self.week}")
        if self.review_id is not None and self.table is not FactTable.QUALITY:
            raise ValueError("review_id names a quality review; the disputed figure is of throughput")
        decided = self.status in {DisputeStatus.CORRECTED, DisputeStatus.DECLINED}
        if decided is (self.decided is None or self.decided_by is None):
            raise ValueError(
                "decided and decided_by belong to a dispute that is corrected or declined, and to it only"
            )
        if self.status is DisputeStatus.DECLINED and not self.answer:
            raise ValueError("a declined dispute needs an answer: the reason that the member reads")
        return self


class Correction(Versioned):
    """Work of a week that counts for somebody else, or for another project, than the records say.

    Applies to what matches both `from_member` and `from_project` (absent: any) on `days` (none: the whole week)
    and moves it to `to_member` and `to_project` (absent: stays). Sources may be unresolved subjects such as
    `worker:pool#sub` and `job:name`; targets are members and projects. Whole days only: the records of a day
    carry the seconds, and a share of them would be invented.
    """

    week: Week
    correction_id: Id
    table: Choice[FactTable] = FactTable.THROUGHPUT
    from_member: FactSubject | None = None
    from_project: FactSubject | None = None
    to_member: Id | None = None
    to_project: Id | None = None
    days: Many[Day] = ()
    review_id: Id | None = Field(default=None, description="quality only: this review, else all that match")
    reason: Said
    dispute_id: Id | None = None
    created: Instant
    created_by: Actor

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.from_member is None and self.from_project is None:
            raise ValueError("a correction says whose work it moves: from_member, from_project or both")
        if self.to_member is None and self.to_project is None:
            raise ValueError("a correction says where the work belongs: to_member, to_project or both")
        if self.to_member in {None, self.from_member} and self.to_project in {None, self.from_project}:
            raise ValueError("the correction changes nothing: source and target are the same")
        outside = sorted(day.isoformat() for day in self.days if day not in self.week.days)
        if outside:
            raise ValueError(
                f"{', '.join(outside)}: outside {self.week} ({self.week.monday} to {self.week.sunday})"
            )
        if list(self.days) != sorted(set(self.days)):
            raise ValueError("each day once, in order")
        if self.table is FactTable.QUALITY and self.days:
            raise ValueError("a quality review is of a week: it has no days to choose from")
        if self.table is FactTable.THROUGHPUT and self.review_id is not None:
            raise ValueError("review_id belongs to a correction of quality")
        return self
