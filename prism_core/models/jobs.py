"""What the API remembers of its calls: stored answers and bulk jobs.

Belongs here: the answer of an idempotent POST, a job and how far it is. Does not belong here: the rows of a
job (S3) and running one. Neither is a fact of the programme: they are not in the change log.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from prism_core.models.base import Choice, Count, Id, Instant, Model, Text
from prism_core.models.reports import ObjectKey

_Actor = Annotated[str, Field(min_length=1, max_length=200)]
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# An item holds 400 kB; an answer of more bytes is kept in S3.
ANSWER_MAX_CHARACTERS = 100_000


class StoredAnswer(Model):
    """A POST with an Idempotency-Key: `status` and `body` are absent until a call has answered.

    The same key with another request (`request_hash`) is refused. Who works on it holds `lease` until an instant;
    without one, or behind it, the next call goes on under the same `request_id` and `created`, as a replay. The
    service deletes it after `expires_at`, an epoch second, but may take two days over it: a reader compares with
    its own clock.
    """

    actor: Annotated[str, Field(pattern=r"^[^#\x00-\x1f]{1,200}$")]
    idempotency_key: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,255}$")]
    operation: Annotated[str, Field(min_length=1, max_length=200)]
    request_hash: _Hash
    request_id: _Actor
    created: Instant
    lease: _Actor | None = None
    lease_until: Instant | None = None
    expires_at: Count
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    headers: Annotated[dict[str, str], Field(max_length=20)] = Field(default_factory=dict[str, str])
    body: Annotated[str, Field(max_length=ANSWER_MAX_CHARACTERS)] | None = None
    body_in: ObjectKey | None = Field(default=None, description="S3 key of a longer answer")

    @property
    def running(self) -> bool:
        return self.status is None


class JobKind(StrEnum):
    BULK = "bulk"
    IMPORT = "import"
    EXPORT = "export"


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Model):
    """Many rows, worked off in the order of its input. `done` counts settled rows: a resumed job goes on there.

    `failed` of them were refused, each with its reason in the results. Who works on it holds `lease` until an
    instant; behind it anybody may go on. Without a holder it is the instant by which somebody should have begun.
    `kills` counts how often in a row it was ended without settling a row. `revision` is the condition of a write.
    """

    job_id: Id
    kind: Choice[JobKind]
    operation: Annotated[str, Field(min_length=1, max_length=200, description="what is done with each row")]
    status: Choice[JobStatus] = JobStatus.QUEUED
    revision: Annotated[int, Field(ge=1)] = 1
    owner: _Actor
    request_id: _Actor
    reason: Text = ""
    dry_run: bool = False
    total: Count = 0
    done: Count = 0
    failed: Count = 0
    input: ObjectKey | None = None
    results: ObjectKey | None = Field(default=None, description="S3 prefix: one object a settled part")
    lease: _Actor | None = None
    lease_until: Instant | None = None
    kills: Count = 0
    created: Instant
    updated: Instant
    finished: Instant | None = None
    error: Text | None = None

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        if self.done > self.total or self.failed > self.done:
            raise ValueError(f"failed {self.failed} <= done {self.done} <= total {self.total} does not hold")
        return self
