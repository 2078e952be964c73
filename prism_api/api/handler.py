"""The Lambda function of the API.

Belongs here: one call from event to answer: guard, route, problems, one line of log. Does not belong here: what
routes do. A line is logged for every call: people need it, and the embedded AWS is slow with silent functions.
What not every call needs (tables, other routes) is imported when one does; benchmarks/api_init.py has the figures.
"""

import json
import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

from prism_api import logs
from prism_api.api.start import building

with building():
    from prism_api.api import calls, guard, origin
    from prism_api.api.apps import app_of
    from prism_api.api.problems import Problem, answer, problem_of, unknown
    from prism_api.api.routes.everything import root_of
    from prism_core.failures import TransientFailure

_log = logging.getLogger("prism.api")
_log.setLevel(logging.INFO)

# Whoever asks for jobs, or plans, looks after those that were killed.
JOBS_ROOT, PLANS_ROOT = "jobs", "capacity"
_ALWAYS_SENT = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point: an API Gateway HTTP API event (payload 2.0) to its answer, or a part of a job."""
    started = time.perf_counter()
    logs.begin(context)
    calls.remember_function(context)
    if calls.WARM_EVENT in event:
        return _warmed(started)
    if calls.JOB_EVENT in event:
        return _work(str(event[calls.JOB_EVENT]), context, started)
    request_id = str(event["requestContext"].get("requestId") or getattr(context, "aws_request_id", "none"))
    path = str(event["rawPath"])
    try:
        origin.require_origin(event)
        result = _admitted(event, guard.admit(event, request_id), context)
    except Problem as problem:
        result = answer(problem, request_id, path)
    except TransientFailure as failure:
        busy = problem_of(failure)
        assert busy is not None  # noqa: S101 - it always is one
        result = answer(busy, request_id, path)
    except Exception:  # noqa: BLE001 - nobody stands above to answer
        # The log holds what happened; the caller gets nothing of it.
        _log.exception("request %s failed", request_id)
        result = answer(unknown(), request_id, path)
    result["statusCode"] = int(result["statusCode"])
    result["body"] = result.get("body") or ""  # no null: the embedded API Gateway answers 500 to it
    result["headers"] = {**_single(result), **_ALWAYS_SENT, "x-request-id": request_id}
    result.pop("multiValueHeaders", None)
    _say(event, request_id, result, started)
    return result


def _warmed(started: float) -> dict[str, Any]:
    """What the first call of a person would wait for beside the imports: the client of the tables."""
    from prism_api.api import backend  # noqa: PLC0415 - as everything that needs tables

    backend.dynamodb()
    line = {"warm": True, "milliseconds": round((time.perf_counter() - started) * 1000, 1)}
    sys.stdout.write(json.dumps(line) + "\n")
    return line


def _work(job_id: str, context: Any, started: float) -> dict[str, Any]:
    from prism_api.api import jobs  # noqa: PLC0415 - it needs tables

    jobs.run(job_id, context)
    line = {"job": job_id, "milliseconds": round((time.perf_counter() - started) * 1000, 1)}
    sys.stdout.write(json.dumps(line) + "\n")
    return line


def _admitted(event: dict[str, Any], call: calls.Call, context: Any) -> dict[str, Any]:
    def run(call: calls.Call) -> dict[str, Any]:
        calls.enter(call)
        _wake(root_of(call.path))
        return app_of(root_of(call.path)).resolve(_for_powertools(event, call), context)

    if call.method != "POST" or "idempotency-key" not in call.headers:
        return run(call)
    from prism_api.api.idempotency import once  # noqa: PLC0415 - it needs tables

    return once(call, run)


def _wake(root: str) -> None:
    try:
        if root == JOBS_ROOT:
            from prism_api.api import jobs  # noqa: PLC0415 - it needs tables

            jobs.wake()
        elif root == PLANS_ROOT:
            from prism_api.api import planning  # noqa: PLC0415

            planning.wake()
    except TransientFailure:
        _log.warning("%s were not looked after: the service is busy", root)


def _for_powertools(event: dict[str, Any], call: calls.Call) -> dict[str, Any]:
    """The event as Powertools reads it: a merge patch is JSON too, and the query is what the guard read."""
    headers = dict(call.headers)
    if "content-type" in headers:
        headers["content-type"] = "application/json"
    query = {name: ",".join(values) for name, values in call.query.items()}
    return event | {"headers": headers, "queryStringParameters": query}


def _single(result: Mapping[str, Any]) -> dict[str, str]:
    found = {name.lower(): value for name, value in (result.get("headers") or {}).items()}
    for name, values in (result.get("multiValueHeaders") or {}).items():
        found[name.lower()] = ", ".join(values) if isinstance(values, list) else values
    return found


def _say(event: Mapping[str, Any], request_id: str, result: Mapping[str, Any], started: float) -> None:
    line = {
        "request_id": request_id,
        "method": event["requestContext"]["http"]["method"],
        "path": event["rawPath"],
        "status": result["statusCode"],
        "milliseconds": round((time.perf_counter() - started) * 1000, 1),
    }
    sys.stdout.write(json.dumps(line) + "\n")
