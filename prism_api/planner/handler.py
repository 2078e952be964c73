"""The Lambda function that plans: it solves, and answers what only a solver can about a plan that is stored.

Belongs here: one call from event to answer, one line of log. Does not belong here: who may ask (the API is the
only one that calls) and what is done (solving.py, asking.py).
"""

import json
import sys
import time
from typing import Any

from prism_api.planner import asking, solving
from prism_core.failures import BadUsage, TransientFailure
from prism_core.settings import load_settings
from prism_resources.plans.bodies import LostBody

# What an event asks for, by its field `do`.
SOLVE, CANDIDATES, EXPLAIN = "solve", "candidates", "explain"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"do": "solve", "plan_id": …}`, called without waiting; `candidates` with a `line`, `explain` with a `line`
    or a `member_id`, which answer `{"answer": …}` or `{"status": …, "detail": …}`."""
    del context
    started = time.perf_counter()
    plan_id, do = str(event["plan_id"]), str(event["do"])
    settings = load_settings()
    answer: dict[str, Any]
    try:
        if do == SOLVE:
            answer = {"answer": solving.run(settings, plan_id)}
        elif do == CANDIDATES:
            answer = {"answer": asking.candidates(settings, plan_id, str(event["line"]))}
        elif do == EXPLAIN:
            answer = {"answer": asking.explained(settings, plan_id, event.get("member_id"), event.get("line"))}
        else:
            raise ValueError(f"the planner does not {do}")
    except BadUsage as error:
        answer = {"status": 422, "detail": str(error)}
    except LostBody as error:
        answer = {"status": 409, "detail": str(error)}
    except TransientFailure as error:
        if do == SOLVE:
            raise  # Lambda calls again, a minute later
        answer = {"status": 503, "detail": str(error)}
    line = {"do": do, "plan": plan_id, "milliseconds": round((time.perf_counter() - started) * 1000, 1)}
    sys.stdout.write(json.dumps(line) + "\n")
    return answer
