"""A proposal, made and shown.

Belongs here: planning a week and storing it once, and what Dagster shows of it. Does not belong here: the asset,
and how plans are kept (prism_resources/plans).
"""

import hashlib
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any, Final

import dagster as dg

from prism_core import clock
from prism_core.calendar import Week
from prism_core.capacity.kept import KeptPlan, fingerprint
from prism_core.capacity.proposing import propose
from prism_core.capacity.wish import PlanWish
from prism_core.charts import as_markdown, bar_chart, grouped_bar_chart
from prism_core.history.changes import ULID_RANDOM_BYTES, ulid
from prism_core.models.alerts import Plan, PlanStatus
from prism_core.settings import Settings
from prism_resources.planning import items_of_week
from prism_resources.plans.bodies import read_body
from prism_resources.plans.storing import PlanStore

ACTOR: Final = "capacity_plan"
# Nobody waits for it: where limits leave a gap, the search goes on for as long as a person may ask for.
SECONDS: Final = 30
MOST_SHOWN: Final = 20
_LOADS: Final = ("idle", "up to 25 %", "up to 50 %", "up to 75 %", "below full", "full", "overtime")


def proposed(settings: Settings, week: Week) -> tuple[Plan, KeptPlan]:
    """The newest proposal where the week, and what is published of it, are as they were then, else a new one."""
    store = PlanStore(settings)
    kept = propose(week, items_of_week(settings, week), PlanWish(seconds=SECONDS), settings.plan_weights)
    mark = fingerprint(kept.problem)
    newest = newest_proposal(store, week)
    is_draft = newest is not None and newest.status is PlanStatus.DRAFT
    if newest is not None and is_draft and (newest.fingerprint, newest.over) == (mark, kept.over):
        return newest, read_body(settings, newest)
    digest = hashlib.sha256(f"{week} {mark} {kept.over}".encode()).digest()
    plan_id = f"plan-{ulid(clock.now(), digest[:ULID_RANDOM_BYTES]).lower()}"
    plan = store.keep(plan_id, kept, actor=ACTOR, reason=f"proposal for {week}", request_id=plan_id)
    return plan, kept


def newest_proposal(store: PlanStore, week: Week) -> Plan | None:
    """The plan of a week that the asset stored last."""
    return next((one for one in store.of_week(week, backwards=True) if one.created_by == ACTOR), None)


def facts_of(plan: Plan, kept: KeptPlan) -> dict[str, object]:
    """What Dagster shows of a proposal."""
    found = kept.plan
    return {
        "planned_week": plan.week.label,
        "plan_id": plan.plan_id,
        "state": found.state.value,
        "objective": float(found.objective),
        "bound": float(found.bound),
        "gap": float(found.gap),
        "assigned_hours": float(found.assigned_hours),
        "unmet_hours": float(found.unmet_hours),
        "moved_hours": float(found.moved_hours),
        "unplaced": dg.MetadataValue.json(dict(kept.unplaced)),
        "notes": dg.MetadataValue.json(list(found.notes)),
        "hours_by_project": dg.MetadataValue.md(_by_project(kept)),
        "open_demand": dg.MetadataValue.md(_open_demand(kept)),
        "load": dg.MetadataValue.md(_load(kept)),
    }


def _by_project(kept: KeptPlan) -> str:
    """Planned and open hours of the projects with the most of both."""
    hours: defaultdict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for one in kept.plan.assignments:
        hours[one.project_id][0] += one.hours
    for line in kept.plan.unmet:
        hours[line.project_id][1] += line.hours
    largest = sorted(hours.items(), key=lambda item: (-sum(item[1]), item[0]))[:MOST_SHOWN]
    title = f"Hours by project, {kept.plan.week}"
    bars = [(name, [float(one) for one in both]) for name, both in largest]
    return as_markdown(title, grouped_bar_chart(title, ("planned", "open"), bars))


def _open_demand(kept: KeptPlan) -> str:
    """Open hours by what keeps them open; by project where the week is too large to be explained."""
    hours: Counter[str] = Counter()
    lines: Any = kept.plan.unmet if kept.explanation is None else kept.explanation.unmet
    for one in lines:
        name = one.project_id if kept.explanation is None else one.constraint.value.replace("_", " ")
        hours[name] += round(one.hours)
    title = f"Open hours, {kept.plan.week}"
    return as_markdown(title, bar_chart(title, hours.most_common(MOST_SHOWN)))


def _load(kept: KeptPlan) -> str:
    """Members by how much of their week is planned; those without hours are left out."""
    members: Counter[str] = Counter()
    for one in kept.plan.loads:
        if one.available:
            members[_band(one.planned / one.available)] += 1
    title = f"Members by load, {kept.plan.week}"
    return as_markdown(title, bar_chart(title, [(name, members[name]) for name in _LOADS]))


def _band(share: Decimal) -> str:
    if not share:
        return _LOADS[0]
    if share >= 1:
        return _LOADS[5 if share == 1 else 6]
    return _LOADS[1 + int(share * 4)]
