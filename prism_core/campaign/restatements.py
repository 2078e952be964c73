"""Figures that a report has told and that are others now: "leads of 2023-W31 were 41, now 47".

Belongs here: the difference between what was told and what is. Does not belong here: the sentences about it
(reports) and where what was told is kept (editions).
Meta counts leads to a day for four weeks after it: a closed week that moves is normal, and is said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from prism_core.campaign.metrics import Metric
from prism_core.facts.ledger import Fact, Ledger

# How the id of a figure begins as it was told before.
WAS: Final = "was."
# What a reader may have acted on. Impressions and clicks move a little in every re-reading.
TOLD_AGAIN: Final = frozenset({Metric.SPEND.value, Metric.LEADS.value})


@dataclass(frozen=True, slots=True)
class Restated:
    """A figure as it was told (its id begins with WAS) and as it is; None: it is not known any more."""

    was: Fact
    now: Fact | None


def restated(told: Mapping[str, Fact], now: Ledger, ids: Iterable[str]) -> tuple[Restated, ...]:
    """The figures that a reader would read otherwise now; what was told is added to the ledger.

    `told`: by id, as the newest edition that had it said it. `ids`: which may be compared, in the order in
    which they are reported.
    """
    found: list[Restated] = []
    for fact_id in ids:
        was, is_now = told.get(fact_id), now.get(fact_id)
        if was is None or was.metric not in TOLD_AGAIN or (is_now is not None and is_now.text == was.text):
            continue
        before = replace(was, fact_id=f"{WAS}{fact_id}", of=(), period="as told before")
        found.append(Restated(now.add(before), is_now))
    return tuple(found)
