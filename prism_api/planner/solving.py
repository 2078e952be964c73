"""A plan that was asked for, solved.

Belongs here: what becomes of a plan, whatever happens on the way. Does not belong here: the plan itself
(prism_core/capacity) and its steps in the table (prism_resources/plans).
"""

import logging

from prism_core.capacity.checking import BadProblem
from prism_core.capacity.proposing import propose
from prism_core.capacity.scenario import BadScenario
from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.settings import Settings
from prism_resources.planning import items_of_week
from prism_resources.plans.bodies import read_wish
from prism_resources.plans.printing import printing_to_stderr
from prism_resources.plans.storing import PlanStore

_log = logging.getLogger("prism.planner")


def run(settings: Settings, plan_id: str) -> str:
    """Solve a plan that is queued, or that somebody left; answers its status, or why nothing was done.

    Raises TransientFailure when a service is busy; the plan is queued again.
    """
    store = PlanStore(settings)
    plan = store.load(plan_id)
    begun = None if plan is None else store.begin(plan)
    if begun is None:
        return "nothing to do"
    try:
        items = items_of_week(settings, begun.week)
        wish = read_wish(settings, begun)
        with printing_to_stderr():
            kept = propose(begun.week, items, wish, settings.plan_weights)
        after = store.solved(begun, kept)
    except TransientFailure:
        store.requeue(begun)
        raise
    except (BadProblem, BadScenario) as error:
        after = store.failed(begun, map(str, error.findings))
    except PermanentFailure as error:
        after = store.failed(begun, [str(error)])
    except Exception:  # noqa: BLE001 - nobody stands above to tell who asked
        _log.exception("plan %s failed", plan_id)
        after = store.failed(begun, ["Something went wrong here, not with you; the log of the planner has it."])
    return "changed meanwhile" if after is None else after.status.value
