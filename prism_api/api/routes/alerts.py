"""Alerts: what is about to go wrong, and what people made of it.

Belongs here: reading, taking up, silencing, judging. Does not belong here: the rules, and what a step makes of an
alert (prism_core/alerts/ledger.py).
"""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from prism_api.api import backend, documents
from prism_api.api.actions import action
from prism_api.api.calls import Call
from prism_api.api.crud import crud, respond
from prism_api.api.problems import FieldError, invalid
from prism_api.api.resource import Resource
from prism_api.api.visibility import actor
from prism_core.alerts import ledger
from prism_core.models.alerts import Alert, AlertRule, AlertStatus, Verdict
from prism_core.models.base import Choice, Count, Instant, Model, Share, Text
from prism_core.models.work import Severity
from prism_core.quality import Accuracy, accuracy
from prism_core.tables import ALERTS

EXAMPLE = {
    "fingerprint": "9e107d9d372bb6826bd81d3542a419d6",
    "rule": "ooto_conflict",
    "severity": "high",
    "title": "m-017 is planned for 6 hours on a day off",
    "subject": "availability/m-017/2026-01-06",
    "member_id": "m-017",
    "project_id": "p-042",
    "week": "2026-W02",
    "evidence": [{"item": "allocations/m-017/2026-W02#p-042", "figures": {"hours on 2026-01-06": "6.00 h"}}],
    "status": "open",
    "first_seen": "2026-01-05T06:00:00Z",
    "last_seen": "2026-01-05T06:00:00Z",
}

RESOURCE = Resource(
    path="/api/alerts",
    spec=ALERTS,
    model=Alert,
    noun="alert",
    example=EXAMPLE,
    ways=("by_id", "by_member", "by_project", "by_week", "by_rule", "by_status"),
    everything=lambda _: {"status": tuple(AlertStatus)},
    filters={
        "fingerprint": str,
        "member_id": str,
        "project_id": str,
        "week": str,
        "rule": AlertRule,
        "status": AlertStatus,
        "severity": Severity,
        "verdict": Verdict,
    },
    sorts=("last_seen", "first_seen", "rule", "title"),
    search=("title", "subject"),
    owner=lambda alert: alert.member_id,
)
router = crud(RESOURCE, "lg")


class Silence(Model):
    """Until when nothing is said of it, and why."""

    until: Instant
    reason: Annotated[str, Field(min_length=1, max_length=10_000)]


class Judgement(Model):
    """Whether the alert was worth its interruption: a rule's precision is measured by these."""

    verdict: Choice[Verdict]
    note: Text | None = None


class RulePrecision(Model):
    """Of the alerts of a rule that people judged, the share that was useful, with its 95 % interval."""

    rule: AlertRule
    judged: Count
    useful: Count
    share: Share | None = None
    low: Share
    high: Share


class Precision(Model):
    """Every rule, whether anybody judged one of its alerts or not."""

    rules: list[RulePrecision]


@router.get(
    "/api/alerts/precision",
    **documents.operation(
        "How often people found the alerts of each rule useful", "alerts", Precision, reads=True
    ),
)
def precision() -> Response[Precision]:
    reader = backend.reader(ALERTS, Alert)
    found = ledger.precision(alert for rule in AlertRule for alert in reader.query("by_rule", rule=rule))
    nothing = accuracy(0, 0)
    return respond(Precision(rules=[_of_rule(rule, found.get(rule, nothing)) for rule in AlertRule]))


def _of_rule(rule: AlertRule, found: Accuracy) -> RulePrecision:
    return RulePrecision(
        rule=rule,
        judged=found.reviewed,
        useful=found.correct,
        share=found.share,
        low=found.low,
        high=found.high,
    )


def _acknowledge(call: Call, alert: Alert, _: None) -> Alert:
    return ledger.acknowledged(alert, actor(call), call.now)


def _silence(call: Call, alert: Alert, body: Silence) -> Alert:
    if body.until <= call.now:
        raise invalid((FieldError("body.until", "lies in the past"),))
    return ledger.silenced(alert, body.until, body.reason, actor(call), call.now)


def _unsilence(call: Call, alert: Alert, _: None) -> Alert:
    return ledger.unsilenced(alert, call.now)


def _judge(call: Call, alert: Alert, body: Judgement) -> Alert:
    return ledger.judged(alert, body.verdict, actor(call), body.note)


action(router, RESOURCE, "acknowledge", None, "Say that an alert is being looked at", _acknowledge)
action(router, RESOURCE, "silence", Silence, "Say nothing of an alert until an instant", _silence)
action(router, RESOURCE, "unsilence", None, "End the silence of an alert now", _unsilence)
action(router, RESOURCE, "verdict", Judgement, "Say whether an alert was useful", _judge)
