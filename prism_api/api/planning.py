"""Plans that are made elsewhere: asking for one, publishing it, and asking what only a solver can say.

Belongs here: the calls of the planner function, and waking plans that were killed. Does not belong here: routes
(routes/capacity.py) and solving (prism_api/planner).
"""

import json
import logging
import time
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from prism_api.api import backend, objects
from prism_api.api.calls import Call
from prism_api.api.problems import Problem
from prism_api.api.writes import author_of
from prism_core.calendar import Week
from prism_core.capacity.wish import PlanWish
from prism_core.failures import PrismFailure
from prism_core.models.alerts import Plan
from prism_resources.plans.storing import MOST_ATTEMPTS, PlanStore

WAKE_SECONDS = 30.0
_looked: list[float] = []
_log = logging.getLogger("prism.api")


@lru_cache(maxsize=1)
def store() -> PlanStore:
    """The plans, as they are made."""
    return PlanStore(backend.settings())


def ask(call: Call, week: Week, wish: PlanWish) -> Plan:
    """Queue a plan and have it solved. A repeated call finds the plan that it made."""
    plan = store().ask(objects.new_id(call, "plan"), week, wish, created=call.now, **author_of(call).of())
    start(plan)
    return plan


def start(plan: Plan) -> None:
    """Have a queued plan solved, by a call of its own."""
    backend.start_planner(json.dumps({"do": "solve", "plan_id": plan.plan_id}).encode())


def answer(do: str, **asked: Any) -> Any:
    """What the planner says, or did. Raises Problem with what it refuses."""
    found = backend.ask_planner(json.dumps({"do": do, **asked}).encode())
    if "answer" not in found:
        busy = found["status"] == HTTPStatus.SERVICE_UNAVAILABLE
        words = "The planner is busy; try again." if busy else str(found["detail"])
        raise Problem(int(found["status"]), words, extra=found.get("extra", {}))
    return found["answer"]


def wake() -> None:
    """Have plans solved that nobody works on although somebody should: their call was killed, or never began.

    Every request for plans looks after all of them, every half minute at most. One that was begun three times and
    never ended has failed: it would be ended for ever.
    """
    now = time.monotonic()
    if _looked and now - _looked[0] < WAKE_SECONDS:
        return
    _looked[:] = [now]
    for plan in store().abandoned():
        if plan.attempts >= MOST_ATTEMPTS:
            words = f"It was begun {plan.attempts} times and ended before it was done"
            store().failed(plan, [f"{words}: the week takes too long, or too much memory."])
        elif (queued := store().requeue(plan)) is not None:
            try:
                start(queued)
            except PrismFailure:
                _log.exception("plan %s could not be started again; the next look tries it", plan.plan_id)
