"""What the models of disputes, taxonomy, views, reports, alerts, plans and jobs refuse."""

from typing import Any

import pytest
from pydantic import ValidationError

from prism_core.models.alerts import Alert, Plan
from prism_core.models.base import Model
from prism_core.models.disputes import Correction, Dispute
from prism_core.models.jobs import Job, StoredAnswer
from prism_core.models.people import Member
from prism_core.models.reports import Edition, Recipient
from prism_core.models.views import STATE_MAX_CHARACTERS, SavedView

NOW = "2026-01-05T07:00:00Z"
DISPUTE = {
    "dispute_id": "D-1",
    "table": "throughput",
    "week": "2026-W01",
    "member_id": "M-1",
    "field": "tasks_submitted",
    "shown": "3",
    "reason": "five",
    "opened": NOW,
    "opened_by": "M-1",
}
DECIDED = {"decided": NOW, "decided_by": "lead"}
CORRECTION = {
    "week": "2026-W01",
    "correction_id": "C-1",
    "from_member": "worker:pool#sub",
    "to_member": "M-2",
    "reason": "r",
    "created": NOW,
    "created_by": "lead",
}
VIEW = {"view_id": "V-1", "owner": "M-1", "screen": "team", "name": "mine", "state": {"q": ["x"]}, "created": NOW}
RECIPIENT = {"recipient_id": "R-1", "name": "x", "email": "x@example.org", "time_zone": "UTC"}
EDITION = {
    "edition_id": "E-1",
    "report": "campaign",
    "week": "2026-W01",
    "title": "t",
    "content": "editions/E-1.html",
    "content_hash": "0" * 32,
    "created": NOW,
}
ALERT = {
    "fingerprint": "0" * 32,
    "rule": "sla_breach",
    "severity": "high",
    "title": "t",
    "subject": "projects/P-1",
    "week": "2026-W01",
    "first_seen": NOW,
    "last_seen": NOW,
}
PLAN = {
    "plan_id": "P-1",
    "week": "2026-W01",
    "scenario": "base",
    "objective": "1.5",
    "body": "plans/P-1.json",
    "created": NOW,
    "created_by": "lead",
}
ANSWER = {
    "actor": "user:abc",
    "idempotency_key": "k-1",
    "operation": "POST /api/members",
    "request_hash": "0" * 64,
    "request_id": "r-1",
    "created": NOW,
    "expires_at": 1767596400,
}
JOB = {
    "job_id": "J-1",
    "kind": "bulk",
    "operation": "o",
    "owner": "M-1",
    "request_id": "r-1",
    "created": NOW,
    "updated": NOW,
    "total": 3,
    "done": 2,
    "failed": 1,
}
MEMBER = {"member_id": "M-1", "name": "Ana", "email": "ana@example.org", "time_zone": "Europe/Madrid"}


@pytest.mark.parametrize(
    ("model", "valid", "wrong"),
    [
        (Dispute, DISPUTE, {"day": "2026-01-05"}),
        (Dispute, DISPUTE, {"field": "Tasks; DROP"}),
        (Dispute, DISPUTE, {"reason": ""}),
        (Dispute, DISPUTE, {"review_id": "Q-1"}),
        (Dispute, DISPUTE, {"status": "corrected"}),
        (Dispute, DISPUTE, DECIDED),
        (Dispute, DISPUTE, {"status": "declined", **DECIDED}),
        (Correction, CORRECTION, {"from_member": None}),
        (Correction, CORRECTION, {"to_member": None}),
        (Correction, CORRECTION, {"to_member": "worker:pool#sub"}),
        (Correction, CORRECTION, {"from_member": "M-2"}),
        (Correction, CORRECTION, {"days": ["2026-01-05"]}),
        (Correction, CORRECTION, {"days": ["2025-12-30", "2025-12-29"]}),
        (Correction, CORRECTION, {"days": ["2025-12-29", "2025-12-29"]}),
        (Correction, CORRECTION, {"table": "quality", "days": ["2025-12-29"]}),
        (Correction, CORRECTION, {"table": "allocations"}),
        (Correction, CORRECTION, {"review_id": "Q-1"}),
        (Correction, CORRECTION, {"reason": ""}),
        (SavedView, VIEW, {"screen": "secret"}),
        (SavedView, VIEW, {"state": {"q": 1}}),
        (SavedView, VIEW, {"state": {f"q{n}": ["x" * 2_000] for n in range(STATE_MAX_CHARACTERS // 2_000 + 1)}}),
        (Recipient, RECIPIENT, {"subscriptions": [{"report": "ops"}, {"report": "ops"}]}),
        (Recipient, RECIPIENT, {"subscriptions": [{"report": "gossip"}]}),
        (Recipient, RECIPIENT, {"email": "x"}),
        (Edition, EDITION, {"number": 0}),
        (Edition, EDITION, {"content": "../etc/passwd"}),
        (Alert, ALERT, {"fingerprint": "x"}),
        (Alert, ALERT, {"last_seen": "2026-01-04T07:00:00Z"}),
        (Alert, ALERT, {"status": "silenced", "silenced_until": NOW}),
        (Alert, ALERT, {"status": "silenced", "silence_reason": "known"}),
        (Alert, ALERT, {"status": "resolved"}),
        (Plan, PLAN, {"status": "published"}),
        (Plan, PLAN, {"gap": "-0.1"}),
        (Plan, PLAN, {"status": "failed"}),
        (Plan, PLAN, {"objective": None}),
        (Plan, PLAN, {"body": None}),
        (StoredAnswer, ANSWER, {"actor": "a#b"}),
        (StoredAnswer, ANSWER, {"idempotency_key": "with space"}),
        (StoredAnswer, ANSWER, {"expires_at": 1.5}),
        (Job, JOB, {"done": 4}),
        (Job, JOB, {"failed": 3}),
        (Member, MEMBER, {"location": "es"}),
        (Member, MEMBER, {"location": "ES-"}),
        (Member, MEMBER, {"team": "a b"}),
    ],
)
def test_a_model_refuses_what_does_not_hold(
    model: type[Model], valid: dict[str, Any], wrong: dict[str, Any]
) -> None:
    model.model_validate(valid)

    with pytest.raises(ValidationError):
        model.model_validate({name: value for name, value in {**valid, **wrong}.items() if value is not None})


def test_an_answer_without_a_status_is_still_running() -> None:
    assert StoredAnswer.model_validate(ANSWER).running
    assert not StoredAnswer.model_validate({**ANSWER, "status": 201}).running
