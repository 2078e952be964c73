"""What an error of HubSpot means, as a table.

Belongs here: which status and category lead to which deed, and the sentence for a person. Does not belong here:
doing it (wire/calls.py).
Source: `{category, correlationId, message, subCategory, errors[]}`; 429 names a policy; 423 and 477 ask for a
retry.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prism_resources.wire.calls import Answer, Do, Verdict, object_of

_MOST_SHOWN: Final = 200
# The limit of each policy is over after so many seconds. That of the day ends at midnight: nobody waits for it.
POLICIES: Final[Mapping[str, float]] = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 24 * 3600.0}


@dataclass(frozen=True, slots=True)
class Row:
    """What an answer with one of these statuses means."""

    do: Do
    why: str
    statuses: frozenset[int]


ERRORS: Final = (
    Row(
        Do.STOP,
        "HubSpot does not take the access token; make a new one of the private app and put it into the secret",
        frozenset({401}),
    ),
    Row(
        Do.STOP,
        "the token lacks a permission; add it to the private app",
        frozenset({403}),
    ),
    Row(Do.WAIT, "HubSpot limits the calls of this account", frozenset({429})),
    Row(Do.RETRY, "HubSpot failed for the moment", frozenset({408, 423, 477, *range(500, 600)})),
)
_UNKNOWN: Final = Row(
    Do.STOP, "HubSpot refuses the call; if its words do not say why, this is a fault in PRISM", frozenset()
)


def judge(answer: Answer) -> Verdict | None:
    """None for an answer that is one."""
    if answer.status == 200 and object_of(answer.json) is answer.json:
        return None
    if answer.status == 200:
        return Verdict(Do.RETRY, "HubSpot answered something that is no JSON object")
    row = next((row for row in ERRORS if answer.status in row.statuses), _UNKNOWN)
    error = object_of(answer.json)
    scopes = ", ".join(dict.fromkeys(_scopes(error)))
    said = " ".join(str(error.get("message") or "no words").split())[:_MOST_SHOWN]
    category = f" {error['category']}" if isinstance(error.get("category"), str) else ""
    trace = f", correlationId {error['correlationId']}" if isinstance(error.get("correlationId"), str) else ""
    why = f"{row.why}{f': {scopes}' if scopes else ''} ({answer.status}{category}: {said}{trace})"
    return Verdict(row.do, why, _seconds(answer, error))


def _scopes(error: Mapping[str, Any]) -> Iterator[str]:
    """The permissions that HubSpot says are missing."""
    listed = error.get("errors")
    for one in listed if isinstance(listed, list) else ():
        needed = object_of(object_of(one).get("context")).get("requiredGranularScopes")
        yield from (str(scope) for scope in needed) if isinstance(needed, list) else ()


def _seconds(answer: Answer, error: Mapping[str, Any]) -> float | None:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else POLICIES.get(str(error.get("policyName")))
