"""Prose that talks an alert away: calm where something is wrong, and a move that is called none.

Belongs here: which words of a sentence deny what stands, and of what. Does not belong here: word lists of claims
(lexicon.py), and what is done with refused prose (gate.py).
An alert is no less denied by "nothing asks for action" than by a wrong direction, which has words of its own.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from prism_core.facts.lexicon import ALARMS

_NEGATION: Final = re.compile(r"\b(?:no|not|nothing|none|never|neither|nor|without|nobody|cannot)\b", re.I)
_CALL: Final = "actions?|acts?|acting|asks?|needs?|needed|done|do|tell|attention|hurry"
# Wherever it is said; leadership may be told that nothing is to be decided, which is no word about figures.
_CALM: Final = re.compile(
    rf"\b(?:no|nothing|none|neither|without)\b(?:\s+[\w-]+){{0,5}}?\s+(?:{_CALL})\b"
    rf"|\bnothing\s+(?:else|to\s+change)\b|\b(?:{_CALL})\s+(?:is|are|was)\s+not\b",
    re.I,
)
_CALM_CLAIMS: Final = re.compile(
    rf"\b(?:no|not|nothing|none|never|neither|nor|without)\b(?:\s+[\w-]+){{0,5}}?\s+"
    rf"(?:{_CALL}|decisions?|decided|decide)\b",
    re.I,
)
_NO_MOVE: Final = re.compile(
    r"\bnoise\b|\b(?:no|not|never)\s+(?:yet\s+)?(?:an?\s+|any\s+)?(?:lasting|trend|change)\b", re.I
)
# Code says so of every move of one week, whatever else stands.
_OF_ANY_WEEK: Final = re.compile(r"\bone\s+week\s+alone\s+is\s+no\s+trend\b", re.I)
_NOT_JUDGED: Final = re.compile(r"\b(?:not|cannot)\s+(?:yet\s+)?(?:to\s+)?(?:be\s+)?(?:judged|said|known)\b", re.I)


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands, by metric. `moving`: directions that last; `large`: moves of one week as large as an alert."""

    alerts: frozenset[str]
    large: frozenset[str]
    moving: frozenset[str]


def denied(sentence: str, metrics: Collection[str], standing: Standing, *, claims: bool) -> str | None:
    """The words of a sentence, which speaks of `metrics`, that deny what stands; None without any."""
    found: re.Match[str] | None = None
    if standing.alerts or standing.large:
        found = (_CALM_CLAIMS.search(sentence) if claims else None) or _CALM.search(sentence)
        if found is None and ALARMS.search(sentence):
            found = _NEGATION.search(sentence)
    said = set(metrics)
    if found is None and said & standing.moving:
        found = _NO_MOVE.search(sentence)
    if found is None and standing.alerts and not said:
        found = _NO_MOVE.search(_OF_ANY_WEEK.sub(" ", sentence))
    if found is None and said & (standing.moving | standing.alerts):
        found = _NOT_JUDGED.search(sentence)
    return found[0] if found else None
