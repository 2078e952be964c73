"""Facts: every figure that a report says, with its unit, what it was counted from, and its one text.

Belongs here: facts, the ledger that holds those of one report, and figures derived from facts. Does not belong
here: which figures a report needs (campaign, reports), and the prose around them (tokens.py, gate.py).
A figure is computed once and written once: prose names it by its id, so that no writer ever writes a digit.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Any, Final

from prism_core.failures import PermanentFailure

FACT_ID: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII)
# No line break between a number and its unit.
_SPACE: Final = "\N{NO-BREAK SPACE}"
_CENT, _TENTH = Decimal("0.01"), Decimal("0.1")
_HUNDRED: Final = Decimal(100)
# Click rates of real ads lie near 0.0002: four decimals would tell one that is off by a tenth.
_RATIO, _FINEST_PERCENT = Decimal("1e-12"), -6


class Unit(StrEnum):
    """What a value counts. Shares and changes are fractions: 0.25 reads 25 %, a change +25 %.

    An instant is seconds since 1970 in UTC.
    """

    COUNT = "count"
    MONEY = "money"
    HOURS = "hours"
    SHARE = "share"
    CHANGE = "change"
    NUMBER = "number"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure. `sources`: item or object keys that it was counted from. `of`: facts that it was derived from.

    `label` says it in words, for tables and whoever writes prose; `currency` is an ISO 4217 code, of money alone.
    `metric` and `subject` (a campaign, a project; none means all): what a sentence with this figure is about.
    `period` says in words when it was ("2023-W31", "mean of the weeks before").
    """

    fact_id: str
    value: Decimal
    unit: Unit
    label: str
    currency: str | None = None
    metric: str | None = None
    subject: str | None = None
    sources: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    period: str | None = None

    @property
    def text(self) -> str:
        """The one way in which this figure is written: `1,234`, `56.70 EUR`, `12.3 %`, `+4.0 %`."""
        match self.unit:
            case Unit.COUNT:
                return f"{self.value:,.0f}"
            case Unit.MONEY:
                return f"{_rounded(self.value, _CENT):,.2f}{_SPACE}{self.currency}"
            case Unit.HOURS:
                return f"{_rounded(self.value, _TENTH):,.1f}{_SPACE}h"
            case Unit.SHARE:
                return f"{_share(self.value * _HUNDRED):,f}{_SPACE}%"
            case Unit.CHANGE:
                return f"{_rounded(self.value * _HUNDRED, _TENTH):+,.1f}{_SPACE}%"
            case Unit.NUMBER:
                return f"{_rounded(self.value, _CENT):,.2f}"
            case Unit.INSTANT:
                at = datetime.fromtimestamp(int(self.value), UTC)
                return f"{at:%Y-%m-%d}{_SPACE}{at:%H:%M}{_SPACE}UTC"

    def document(self) -> dict[str, Any]:
        """As it stands in an archive and in a prompt."""
        found: dict[str, Any] = {
            "id": self.fact_id,
            "label": self.label,
            "value": str(self.value),
            "unit": self.unit.value,
            "text": self.text,
            "sources": list(self.sources),
            "of": list(self.of),
        }
        more = {
            "currency": self.currency,
            "metric": self.metric,
            "subject": self.subject,
            "period": self.period,
        }
        return found | {name: value for name, value in more.items() if value is not None}

    @classmethod
    def from_document(cls, found: Mapping[str, Any]) -> "Fact":
        """The inverse of `document`."""
        return cls(
            found["id"],
            Decimal(found["value"]),
            Unit(found["unit"]),
            found["label"],
            found.get("currency"),
            found.get("metric"),
            found.get("subject"),
            tuple(found["sources"]),
            tuple(found["of"]),
            found.get("period"),
        )


class Ledger(Mapping[str, Fact]):
    """The facts of one report by id, in the order in which they were added."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        """Raises PermanentFailure as `add` does."""
        self._facts: dict[str, Fact] = {}
        for fact in facts:
            self.add(fact)

    def __getitem__(self, fact_id: str) -> Fact:
        return self._facts[fact_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def add(self, fact: Fact) -> Fact:
        """One more fact; the same once more is none.

        Raises PermanentFailure for another fact under an id that is taken, an id that no token could name, a value
        that is no number, or money without a currency: each would let a wrong figure into a report.
        """
        known = self._facts.get(fact.fact_id)
        if known is not None and known != fact:
            raise PermanentFailure(f"two facts are called {fact.fact_id}: {known.text} and {fact.text}")
        if not FACT_ID.fullmatch(fact.fact_id):
            raise PermanentFailure(f"{fact.fact_id!r} is no id of a fact, such as week.2026-w01.spend")
        if not fact.value.is_finite():
            raise PermanentFailure(f"the fact {fact.fact_id} has the value {fact.value}")
        if (fact.unit is Unit.MONEY) is not (fact.currency is not None):
            raise PermanentFailure(f"the fact {fact.fact_id} is {fact.unit} with the currency {fact.currency}")
        if unknown := [one for one in fact.of if one not in self._facts]:
            raise PermanentFailure(f"the fact {fact.fact_id} is derived from {', '.join(unknown)}, which is none")
        self._facts[fact.fact_id] = fact
        return fact

    def change(self, fact_id: str, label: str, now: Fact, before: Fact) -> Fact | None:
        """How much `now` is above `before`, as a share of `before`; None where that was nothing."""
        if not before.value:
            return None
        value = computed((now.value - before.value) / before.value)
        about = (now.metric, now.subject)
        parts = (now.fact_id, before.fact_id)
        return self.add(Fact(fact_id, value, Unit.CHANGE, label, None, *about, of=parts, period=now.period))

    def difference(self, fact_id: str, label: str, now: Fact, before: Fact) -> Fact:
        """`now` minus `before`, in their unit. Raises PermanentFailure when they have two."""
        if (now.unit, now.currency) != (before.unit, before.currency):
            raise PermanentFailure(f"{now.fact_id} and {before.fact_id} have no common unit")
        about = (now.currency, now.metric, now.subject)
        parts = (now.fact_id, before.fact_id)
        value = now.value - before.value
        return self.add(Fact(fact_id, value, now.unit, label, *about, of=parts, period=now.period))

    def ratio(
        self, fact_id: str, label: str, part: Fact, whole: Fact, *, metric: str, unit: Unit = Unit.SHARE
    ) -> Fact | None:
        """`part` over `whole`, a metric of its own; None where the whole is nothing. Money keeps its currency."""
        if not whole.value:
            return None
        currency = part.currency if unit is Unit.MONEY else None
        value = computed(part.value / whole.value)
        parts = (part.fact_id, whole.fact_id)
        about = (currency, metric, part.subject)
        return self.add(Fact(fact_id, value, unit, label, *about, of=parts, period=part.period))

    def total(
        self,
        fact_id: str,
        label: str,
        parts: Iterable[Fact],
        *,
        metric: str,
        unit: Unit,
        currency: str | None = None,
        period: str | None = None,
    ) -> Fact:
        """The sum of facts of one unit; of none it is 0. Raises PermanentFailure when one has another unit."""
        added = list(parts)
        if other := [one.fact_id for one in added if (one.unit, one.currency) != (unit, currency)]:
            raise PermanentFailure(f"the sum {fact_id} is {unit}, but {', '.join(other)} is not")
        value = sum((one.value for one in added), Decimal(0))
        of = tuple(one.fact_id for one in added)
        return self.add(Fact(fact_id, value, unit, label, currency, metric, of=of, period=period))

    def roots(self, fact_id: str) -> tuple[str, ...]:
        """Every source that a fact rests on, its own and those of the facts that it was derived from."""
        found: dict[str, None] = {}
        open_ids = [fact_id]
        while open_ids:
            fact = self._facts[open_ids.pop()]
            found |= dict.fromkeys(fact.sources)
            open_ids += fact.of
        return tuple(sorted(found))


def computed(value: Decimal) -> Decimal:
    """A figure that a division gave, so fine that what is said of it or of another one from it is rounded once."""
    return value.quantize(_RATIO, rounding=ROUND_HALF_EVEN)


def _share(percent: Decimal) -> Decimal:
    """One decimal, below one percent two digits that count: 0.018 %, never 0.0 % of what is something."""
    if not percent or abs(percent) >= 1:
        return _rounded(percent, _TENTH)
    return _rounded(percent, Decimal(1).scaleb(max(percent.adjusted() - 1, _FINEST_PERCENT)))


def _rounded(value: Decimal, quantum: Decimal) -> Decimal:
    """Never `-0.00`, which would read as a loss."""
    rounded = value.quantize(quantum, rounding=ROUND_HALF_EVEN)
    return rounded if rounded else abs(rounded)
