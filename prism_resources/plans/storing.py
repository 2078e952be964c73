"""Stored plans: asked for, begun, solved or failed.

Belongs here: the item of a plan and its steps, each a conditional write with its change entry. Does not belong
here: solving (prism_api/planner, prism_assets/planning), what lies in S3 (bodies.py), publishing (publishing.py).
Nobody holds a plan while it is solved: two who do make two bodies, and the item takes one of them.
"""

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from prism_core import clock
from prism_core.calendar import Week
from prism_core.capacity.kept import KeptPlan, fingerprint
from prism_core.capacity.wish import BASE, PlanWish
from prism_core.failures import StaleVersion
from prism_core.models.alerts import PLAN_ERRORS_MAX, Plan, PlanStatus
from prism_core.settings import Settings
from prism_core.tables import PLANS
from prism_resources.aws import client
from prism_resources.plans.bodies import put_body, put_wish
from prism_resources.tables.store import TableStore

# The function that solves is ended after 300 s: who is not done then, is dead.
LEASE: Final = timedelta(seconds=330)
# Ended so often before it was done, a plan is not tried again.
MOST_ATTEMPTS: Final = 3
_ERROR_CHARACTERS: Final = 2_000


class PlanStore:
    """The plans of the table, through its change log."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = TableStore(client(settings, "dynamodb"), settings, PLANS, Plan)

    def load(self, plan_id: str) -> Plan | None:
        return self._store.get(plan_id=plan_id)

    def of_week(self, week: Week, *, backwards: bool = False) -> Iterator[Plan]:
        """The plans of a week, the oldest first, or the newest."""
        return self._store.query("by_week", week=week, backwards=backwards)

    def ask(self, plan_id: str, week: Week, wish: PlanWish, *, created: datetime, **author: Any) -> Plan:
        """Queue a plan: what is wished first, then the item. A repeated call answers what the first one made."""
        put_wish(self._settings, week, plan_id, wish)
        plan = Plan(
            plan_id=plan_id,
            week=week,
            status=PlanStatus.QUEUED,
            scenario=wish.name,
            due=_lease(),
            created=created,
            created_by=author["actor"],
        )
        try:
            return self._store.create(plan, **author)
        except StaleVersion:
            return self.load(plan_id) or plan

    def keep(self, plan_id: str, kept: KeptPlan, *, actor: str, reason: str, request_id: str) -> Plan:
        """Store a plan that is solved already; one of this id that exists stays as it is."""
        found = self.load(plan_id)
        if found is not None:
            return found
        now = clock.now()
        plan = Plan(
            plan_id=plan_id,
            week=kept.plan.week,
            scenario=BASE if kept.scenario is None else kept.scenario.name,
            created=now,
            created_by=actor,
            **self._figures(plan_id, kept, now),
        )
        try:
            return self._store.create(plan, actor=actor, reason=reason, request_id=request_id, now=now)
        except StaleVersion:
            return self.load(plan_id) or plan

    def begin(self, plan: Plan) -> Plan | None:
        """The plan as one that is being solved; None when nobody needs to, or somebody else does."""
        if plan.status is PlanStatus.SOLVING and not overdue(plan):
            return None
        if plan.status not in {PlanStatus.QUEUED, PlanStatus.SOLVING}:
            return None
        return self._step(plan, status=PlanStatus.SOLVING, attempts=plan.attempts + 1, due=_lease())

    def solved(self, plan: Plan, kept: KeptPlan) -> Plan | None:
        """The plan as a draft, its body first; None when it was changed meanwhile."""
        return self._step(plan, **self._figures(plan.plan_id, kept, clock.now()), due=None)

    def failed(self, plan: Plan, errors: Iterable[str]) -> Plan | None:
        """The plan as one that cannot be solved; `errors` say why, one each."""
        said = [one[:_ERROR_CHARACTERS] for one in errors]
        if len(said) > PLAN_ERRORS_MAX:
            more = len(said) - PLAN_ERRORS_MAX + 1
            said = [*said[: PLAN_ERRORS_MAX - 1], f"and {more} more of this kind"]
        return self._step(plan, status=PlanStatus.FAILED, errors=tuple(said), solved=clock.now(), due=None)

    def requeue(self, plan: Plan) -> Plan | None:
        """The plan as one that nobody works on."""
        return self._step(plan, status=PlanStatus.QUEUED, due=_lease())

    def abandoned(self) -> Iterator[Plan]:
        """Plans that nobody works on although somebody should: a call was killed, or never began."""
        for status in (PlanStatus.SOLVING, PlanStatus.QUEUED):
            for one in self._store.query("by_status", status=status):
                found = self.load(one.plan_id)  # the index may be a moment behind
                if found is not None and found.status is status and overdue(found):
                    yield found

    def _figures(self, plan_id: str, kept: KeptPlan, now: datetime) -> dict[str, Any]:
        plan = kept.plan
        return {
            "status": PlanStatus.DRAFT,
            "objective": plan.objective,
            "bound": plan.bound,
            "gap": plan.gap,
            "assigned_hours": plan.assigned_hours,
            "unmet_hours": plan.unmet_hours,
            "body": put_body(self._settings, plan_id, kept),
            "fingerprint": fingerprint(kept.problem),
            "over": kept.over,
            "solved": now,
        }

    def _step(self, plan: Plan, **changes: Any) -> Plan | None:
        """The plan with changes, for who asked for it; None when it was changed meanwhile."""
        after = Plan.model_validate(plan.model_dump() | changes)
        try:
            return self._store.update(
                after,
                expected_version=plan.version,
                actor=plan.created_by,
                reason=f"{after.status}",
                request_id=f"{plan.plan_id}.{uuid.uuid4().hex}",
                now=clock.now(),
            )
        except StaleVersion:
            return None


def overdue(plan: Plan) -> bool:
    """Whether whoever should work on it is not there. In time as it passes: a fixed clock ends no lease."""
    return plan.due is not None and plan.due < datetime.now(UTC)


def _lease() -> datetime:
    return datetime.now(UTC) + LEASE
