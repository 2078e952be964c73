"""What an error of Meta means, as a table.

Belongs here: which codes, subcodes and words lead to which deed, and the sentence for a person. Does not belong
here: doing it (wire/calls.py) and how long to wait (throttling.py).
Source: the error envelope of the Graph API, v25.0. The first row that fits counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from prism_resources.meta_ads.throttling import regain_seconds
from prism_resources.wire.calls import Answer, Do, Verdict, object_of

_MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Row:
    """Fits an error whose code, subcode and message are all among those named; what is not named fits all."""

    do: Do
    why: str
    codes: frozenset[int] = frozenset()
    subcodes: frozenset[int] = frozenset()
    words: re.Pattern[str] | None = None
    transient: bool = False

    def fits(self, code: int, subcode: int, message: str, *, transient: bool) -> bool:
        return (
            (not self.codes or code in self.codes)
            and (not self.subcodes or subcode in self.subcodes)
            and (self.words is None or self.words.search(message) is not None)
            and (not self.transient or transient)
        )


_RENEW = "make a new token of the system user in Business Settings and put it into the secret"
ERRORS: Final = (
    Row(
        Do.STOP,
        "the app may not use the Marketing API for this account; ask for advanced access of ads_read in the app's "
        "dashboard",
        subcodes=frozenset({2446289}),
    ),
    Row(
        Do.SMALLER_PAGES,
        "Meta asks for less data at once",
        words=re.compile(r"reduce the amount of data", re.IGNORECASE),
    ),
    Row(Do.SPLIT, "the range is too large for one answer", frozenset({100}), frozenset({1487534})),
    Row(Do.STOP, f"Meta does not take the access token; {_RENEW}", frozenset({102, 190})),
    Row(
        Do.STOP,
        "the token or the app lacks a permission: give the token ads_read and the system user the ad account, and "
        "see that the app is in Live mode, not in Development mode",
        frozenset({3, 10, *range(200, 300)}),
    ),
    Row(
        Do.WAIT,
        "Meta limits the calls of this app or account",
        frozenset({4, 17, 32, 341, 613, *range(80000, 80007), 80008, 80009, 80014}),
    ),
    Row(
        Do.RETRY,
        "Meta does not find or cannot load what was asked for; if it stays so, the account id is wrong or the "
        "token does not reach it",
        subcodes=frozenset({33}),
    ),
    Row(Do.RETRY, "Meta failed without a reason", subcodes=frozenset({99})),
    Row(Do.RETRY, "Meta failed for the moment", frozenset({1, 2, 99, 104, 960})),
    Row(Do.RETRY, "Meta says that its error will pass", transient=True),
)
_UNKNOWN: Final = Row(Do.STOP, "Meta refuses the call; if its words do not say why, this is a fault in PRISM")


def judge(answer: Answer) -> Verdict | None:
    """None for an answer that is one."""
    found = object_of(answer.json)
    if answer.status == 200 and answer.json is found and "error" not in found:
        return None
    if "error" in found:
        return _of_envelope(answer, object_of(found["error"]))
    if answer.status == 429:
        return Verdict(Do.WAIT, "Meta limits the calls of this app or account", regain_seconds(answer.headers))
    if answer.status >= 500 or answer.status == 200:
        return Verdict(Do.RETRY, f"Meta answered {answer.status} without a reason that a program can read")
    return Verdict(Do.STOP, f"Meta answered {answer.status}; see whether the address in the settings is right")


def row_of(error: Mapping[str, Any], status: int) -> Row:
    """The row of the table for one error envelope."""
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    message = f"{error.get('message', '')} {error.get('error_user_msg', '')}"
    transient = error.get("is_transient") is True or status >= 500
    fitting = (row for row in ERRORS if row.fits(code, subcode, message, transient=transient))
    return next(fitting, _UNKNOWN)


def _of_envelope(answer: Answer, error: Mapping[str, Any]) -> Verdict:
    row = row_of(error, answer.status)
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    said = " ".join(str(error.get("error_user_msg") or error.get("message") or "no words").split())[:_MOST_SHOWN]
    trace = f", fbtrace_id {error['fbtrace_id']}" if isinstance(error.get("fbtrace_id"), str) else ""
    why = f"{row.why} (code {code}{f', subcode {subcode}' if subcode else ''}: {said}{trace})"
    return Verdict(row.do, why, regain_seconds(answer.headers) if row.do is Do.WAIT else None)


def _number(found: object) -> int:
    return found if isinstance(found, int) else 0
