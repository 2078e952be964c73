"""Who gets which report, and what was sent.

Belongs here: recipients with their subscriptions, editions, deliveries (the send ledger). Does not belong
here: what a report says and sending it. An e-mail address stands in `recipients` only; the ledger has ids.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from prism_core.calendar import Week
from prism_core.models.base import Choice, Count, Email, Id, Instant, Many, Model, Name, Text, Versioned, Zone

# A key of S3; the bucket follows from the settings.
ObjectKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._=/:+-]{0,1023}$")]


class ReportKind(StrEnum):
    """What a person may subscribe to."""

    CAMPAIGN = "campaign"
    OPERATIONS = "ops"
    ALERTS_DAILY = "alerts_daily"
    ALERTS_WEEKLY = "alerts_weekly"
    ALLOCATION_CHANGES = "allocation_changes"
    EVENTS = "events"


class RecipientStatus(StrEnum):
    """`bounced`: the address refused mail; nothing is sent until a person says otherwise."""

    ACTIVE = "active"
    PAUSED = "paused"
    BOUNCED = "bounced"


class Subscription(Model):
    """One report. `projects` and `teams` narrow what it is about; none means everything."""

    report: Choice[ReportKind]
    projects: Many[Id] = ()
    teams: Many[Id] = ()

    def covers(self, projects: Collection[str], team: str | None) -> bool:
        """Whether it is about something of these projects, and of a member of this team; one named is enough."""
        if not self.projects and not self.teams:
            return True
        return team in self.teams or not set(self.projects).isdisjoint(projects)


class Recipient(Versioned):
    """Somebody who gets mail: a member, or a stakeholder who has no other place here."""

    recipient_id: Id
    name: Name
    email: Email
    member_id: Id | None = None
    status: Choice[RecipientStatus] = RecipientStatus.ACTIVE
    time_zone: Zone
    subscriptions: Many[Subscription] = ()

    @model_validator(mode="after")
    def _each_report_once(self) -> Self:
        reports = [subscription.report for subscription in self.subscriptions]
        repeated = sorted({report for report in reports if reports.count(report) > 1})
        if repeated:
            raise ValueError(f"each report once; repeated: {', '.join(repeated)}")
        return self


class EditionStatus(StrEnum):
    """`prepared`: the content is fixed; `sent`: every delivery is settled, or another edition stands for it;
    `withdrawn`: not to be sent."""

    PREPARED = "prepared"
    SENT = "sent"
    WITHDRAWN = "withdrawn"


class Edition(Versioned):
    """One issue of a report for a week. Its content lies in S3; a second issue of a week has the next number."""

    edition_id: Id
    report: Choice[ReportKind]
    week: Week
    number: Annotated[int, Field(ge=1, lt=10_000)] = 1
    title: Name
    status: Choice[EditionStatus] = EditionStatus.PREPARED
    content: ObjectKey = Field(description="S3 key of the content")
    content_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{16,128}$")]
    created: Instant
    sent: Instant | None = None


class DeliveryStatus(StrEnum):
    """`claimed` is written before the send, so that a crash in between never sends a second mail. `sent`: SES took
    it; `returned`: it came back after that, `error` says why."""

    CLAIMED = "claimed"
    SENT = "sent"
    RETURNED = "returned"
    FAILED = "failed"
    SKIPPED = "skipped"


class Delivery(Versioned):
    """An edition to one recipient: at most one, whatever crashes."""

    edition_id: Id
    recipient_id: Id
    status: Choice[DeliveryStatus] = DeliveryStatus.CLAIMED
    claimed: Instant
    settled: Instant | None = None
    attempts: Count = 1
    message_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    error: Text | None = None
