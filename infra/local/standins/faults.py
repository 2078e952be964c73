"""What a stand-in does wrong, and when.

Belongs here: rules that hold for a number of requests, and faults by name for people who try one out. Does not
belong here: what a service answers when all is well (meta.py, hubspot.py, claude.py).
"""

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from prism_core.failures import BadUsage


class How(StrEnum):
    """`answer` instead of the service; `headers` beside its answer; `cut`: half of it, and the line is dead;
    `repeat`: its rows twice."""

    ANSWER = "answer"
    HEADERS = "headers"
    CUT = "cut"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class Fault:
    """Holds for `times` requests that fit `at`, after the first `skip` of them.

    `at` is searched for in `GET /meta/v25.0/act_1/insights`, and in `POST /rekognition
    RekognitionService.DetectText` where a header names the operation. `body` is sent as JSON, a text as it is.
    """

    at: str
    how: How = How.ANSWER
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    skip: int = 0
    times: int = 1


def meta_error(code: int, subcode: int | None = None, *, message: str = "", **more: Any) -> dict[str, Any]:
    """Meta's envelope around an error."""
    error: dict[str, Any] = {
        "message": message or f"(#{code}) Synthetic error of the stand-in",
        "type": "OAuthException",
        "code": code,
        "fbtrace_id": "AStandInTrace",
    }
    if subcode is not None:
        error["error_subcode"] = subcode
    return {"error": error | more}


def hubspot_error(category: str, message: str, **more: Any) -> dict[str, Any]:
    """HubSpot's form of an error."""
    return {
        "status": "error",
        "category": category,
        "message": message,
        "correlationId": "00000000-0000-4000-8000-000000000000",
    } | more


def claude_error(kind: str, message: str) -> dict[str, Any]:
    """Anthropic's form of an error."""
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_stand_in"}


def rekognition_error(kind: str, message: str) -> dict[str, Any]:
    """The form of an error of AWS in JSON 1.1."""
    return {"__type": kind, "message": message}


_INSIGHTS, _SEARCH, _MESSAGES = r"^GET /meta/.*/insights", r"/contacts/search", r"/v1/messages"
_REKOGNITION = r"^POST /rekognition/? "
NAMED: Final[Mapping[str, Fault]] = {
    "meta-throttled": Fault(
        _INSIGHTS,
        status=400,
        body=meta_error(80000, message="There have been too many calls to this ad account"),
        headers={"x-ad-account-usage": '{"acc_id_util_pct": 100, "reset_time_duration": 2}'},
    ),
    "meta-token-expired": Fault(
        r"^(?:GET|POST) /meta/",
        status=400,
        times=1_000_000,
        body=meta_error(190, 463, message="Session has expired"),
    ),
    "meta-development-mode": Fault(
        r"^(?:GET|POST) /meta/.*act_",
        status=403,
        times=1_000_000,
        body=meta_error(200, message="(#200) The app is in development mode"),
    ),
    "meta-too-much": Fault(
        _INSIGHTS,
        status=500,
        body=meta_error(1, message="Please reduce the amount of data you're asking for, then retry your request"),
    ),
    "meta-down": Fault(r"/meta/", status=503, body="<html>Service Unavailable</html>", times=1_000_000),
    "hubspot-throttled": Fault(
        _SEARCH,
        status=429,
        body=hubspot_error("RATE_LIMITS", "You have reached your secondly limit.", policyName="SECONDLY"),
    ),
    "hubspot-token-expired": Fault(
        r"/hubspot/",
        status=401,
        times=1_000_000,
        body=hubspot_error("EXPIRED_AUTHENTICATION", "The token expired"),
    ),
    "claude-overloaded": Fault(_MESSAGES, status=529, body=claude_error("overloaded_error", "Overloaded")),
    "claude-down": Fault(_MESSAGES, status=500, body=claude_error("api_error", "Internal"), times=1_000_000),
    "claude-html": Fault(_MESSAGES, body="<html>proxy</html>"),
    "rekognition-throttled": Fault(
        _REKOGNITION, status=400, body=rekognition_error("ThrottlingException", "Rate exceeded")
    ),
    "rekognition-down": Fault(
        _REKOGNITION, status=500, body=rekognition_error("InternalServerError", "Internal"), times=1_000_000
    ),
    "rekognition-denied": Fault(
        _REKOGNITION,
        status=400,
        body=rekognition_error("AccessDeniedException", "not authorized to perform: rekognition:DetectLabels"),
        times=1_000_000,
    ),
}


class Faults:
    """The rules that hold now. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[tuple[Fault, list[int]]] = []

    def add(self, *faults: Fault) -> None:
        """More rules; the first one that fits a request holds."""
        with self._lock:
            self._rules += [(fault, [0]) for fault in faults]

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def take(self, request: str) -> Fault | None:
        """The fault that this request meets, which counts as one of its times."""
        with self._lock:
            for fault, seen in self._rules:
                if seen[0] < fault.skip + fault.times and re.search(fault.at, request):
                    seen[0] += 1
                    if seen[0] > fault.skip:
                        return fault
        return None

    def shown(self) -> list[dict[str, Any]]:
        """Every rule with how often it was met."""
        with self._lock:
            return [
                {"at": fault.at, "how": fault.how.value, "met": max(seen[0] - fault.skip, 0), "times": fault.times}
                for fault, seen in self._rules
            ]


def read_faults(given: object) -> Iterable[Fault]:
    """Rules from JSON: names of NAMED, or objects with the fields of a Fault. Raises BadUsage."""
    rules: list[Any] = given if isinstance(given, list) else [given]
    for one in rules:
        if isinstance(one, str):
            if one not in NAMED:
                raise BadUsage(f"there is no fault {one!r}; there are {', '.join(sorted(NAMED))}")
            yield NAMED[one]
            continue
        try:
            found = Fault(**one)
            re.compile(found.at)
            yield Fault(**(one | {"how": How(found.how)}))
        except (TypeError, ValueError, re.error) as error:
            raise BadUsage(f"{one!r} is no fault: {error}") from error
