"""The Lambda function that plans: it solves, publishes, and answers what only a solver can about a stored plan.

Belongs here: one call from event to answer, one line of log. Does not belong here: who may ask (the API is the
only one that calls) and what is done (solving.py, asking.py, publishing.py).
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from prism_api import logs
from prism_api.planner import asking, publishing, solving
from prism_core.failures import BadUsage, TransientFailure
from prism_core.settings import Settings, load_settings
from prism_resources.plans.bodies import LostBody

# What an event asks for, by its field `do`; the other fields are the arguments.
SOLVE: Final = "solve"
_DOES: Final[Mapping[str, Callable[..., dict[str, Any]]]] = {
    SOLVE: lambda settings, plan_id: {"answer": solving.run(settings, plan_id)},
    "candidates": lambda settings, **asked: {"answer": asking.candidates(settings, **asked)},
    "explain": lambda settings, **asked: {"answer": asking.explained(settings, **asked)},
    "publish": publishing.publish,
    "unpublish": publishing.unpublish,
}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"do": "solve", "plan_id": …}`; answers `{"answer": …}`, or `{"status": …, "detail": …, "extra": …}` for
    what it refuses."""
    logs.begin(context)
    started = time.perf_counter()
    asked = dict(event)
    do = str(asked.pop("do"))
    answer = _done(load_settings(), do, asked)
    took = round((time.perf_counter() - started) * 1000, 1)
    line = {"do": do, "about": asked.get("plan_id") or asked.get("week"), "milliseconds": took}
    sys.stdout.write(json.dumps(line) + "\n")
    return answer


def _done(settings: Settings, do: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return _DOES[do](settings, **asked)
    except BadUsage as error:
        return {"status": 422, "detail": str(error)}
    except LostBody as error:
        return {"status": 409, "detail": str(error)}
    except TransientFailure as error:
        if do == SOLVE:  # nobody waits for it: Lambda calls again, a minute later
            raise
        return {"status": 503, "detail": str(error)}
