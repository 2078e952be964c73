"""Identities in the labelling tool, and whose they were when.

Belongs here: workers with their periods, and the queue of unmapped labelling jobs, which lives in the same
table. Does not belong here: resolving one on a day (prism_core/identity.py).
"""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Self

from pydantic import AliasChoices, Field, model_validator

from prism_core.models.base import Choice, Day, Id, Instant, Many, Model, Share, Text, Versioned

JOB_PREFIX = "job:"
_Part = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}$")]


class WorkerStatus(StrEnum):
    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    IGNORED = "ignored"


class WorkerPeriod(Model):
    """The worker was this member from a day until before another; without the latter, until further notice."""

    member: Id
    from_: Annotated[Day, Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")]
    to: Day | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.to is not None and self.to <= self.from_:
            raise ValueError(
                f"the period of {self.member} from {self.from_} must end after it starts, not {self.to}"
            )
        return self


class Suggestion(Model):
    """Who a worker may be (or which project a job may belong to), how likely, and why."""

    candidate: Id
    score: Share
    why: Text = ""


class Worker(Versioned):
    """An identity in the labelling tool, keyed `pool#sub`, else by its worker id; a queued job `job:<name>`."""

    worker_key: Annotated[str, Field(min_length=1, max_length=260)]
    pool: _Part | None = None
    sub: _Part | None = None
    worker_id: _Part | None = None
    job: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,127}$")] | None = None
    status: Choice[WorkerStatus] = WorkerStatus.UNRESOLVED
    periods: Many[WorkerPeriod] = ()
    suggestions: Many[Suggestion] = ()
    first_seen: Instant | None = None
    last_seen: Instant

    @model_validator(mode="after")
    def _key_fits(self) -> Self:
        expected = worker_key(pool=self.pool, sub=self.sub, worker_id=self.worker_id, job=self.job)
        if self.worker_key != expected:
            raise ValueError(f"worker_key is {self.worker_key!r}, but its parts give {expected!r}")
        return self

    @model_validator(mode="after")
    def _one_member_a_day(self) -> Self:
        if self.job is not None and self.periods:
            raise ValueError("a queued job has no periods; its project's labeling_jobs resolve it")
        if self.status is WorkerStatus.RESOLVED and self.job is None and not self.periods:
            raise ValueError("a resolved worker needs at least one period")
        for earlier, later in pairwise(self.periods):
            if later.from_ < earlier.from_:
                raise ValueError("periods stand in the order of their first day")
            if earlier.to is None or earlier.to > later.from_:
                raise ValueError(f"the periods of {earlier.member} and {later.member} overlap on {later.from_}")
        return self

    @property
    def is_job(self) -> bool:
        return self.job is not None


def worker_key(
    *, pool: str | None = None, sub: str | None = None, worker_id: str | None = None, job: str | None = None
) -> str:
    """`job:<name>`, else `pool#sub`, else the worker id. Raises ValueError when nothing identifies it."""
    if job:
        return f"{JOB_PREFIX}{job}"
    if pool and sub:
        return f"{pool}#{sub}"
    if worker_id:
        return worker_id
    raise ValueError("a worker needs pool and sub, or a worker_id, or it is a job")
