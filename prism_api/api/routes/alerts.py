"""Alerts: what is about to go wrong, and what people made of it.

Belongs here: reading, acknowledging, silencing, judging. Does not belong here: the rules, which raise and resolve.
"""

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field

from prism_api.api.actions import action
from prism_api.api.calls import Call
from prism_api.api.crud import crud
from prism_api.api.problems import FieldError, Problem, invalid
from prism_api.api.resource import Resource
from prism_api.api.visibility import actor
from prism_core.models.alerts import Alert, AlertRule, AlertStatus, Verdict
from prism_core.models.base import Choice, Instant, Model, Text, instant_text
from prism_core.models.work import Severity
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


def _open(alert: Alert) -> None:
    if alert.status is AlertStatus.RESOLVED:
        raise Problem(HTTPStatus.CONFLICT, f"The alert is over since {alert.resolved:%Y-%m-%d %H:%M} UTC.")


def _acknowledge(call: Call, alert: Alert, _: None) -> dict[str, Any]:
    _open(alert)
    if alert.status is AlertStatus.ACKNOWLEDGED:
        return {}
    ended = {"silenced_until": None, "silence_reason": None, "silenced_by": None}
    return ended | {
        "status": AlertStatus.ACKNOWLEDGED.value,
        "acknowledged": instant_text(call.now),
        "acknowledged_by": actor(call),
    }


def _silence(call: Call, alert: Alert, body: Silence) -> dict[str, Any]:
    _open(alert)
    if body.until <= call.now:
        raise invalid((FieldError("body.until", "lies in the past"),))
    return {
        "status": AlertStatus.SILENCED.value,
        "silenced_until": instant_text(body.until),
        "silence_reason": body.reason,
        "silenced_by": actor(call),
    }


def _judge(call: Call, _: Alert, body: Judgement) -> dict[str, Any]:
    return {"verdict": body.verdict.value, "verdict_by": actor(call), "verdict_note": body.note}


action(router, RESOURCE, "acknowledge", None, "Say that an alert is being looked at", _acknowledge)
action(router, RESOURCE, "silence", Silence, "Say nothing of an alert until an instant", _silence)
action(router, RESOURCE, "verdict", Judgement, "Say whether an alert was useful", _judge)
