"""Published figures that change: which, from what to what, by how much, and why.

Belongs here: the difference of two states of a week, its causes row by row, and how far a week's total moves.
Does not belong here: reading and writing partitions (prism_resources, prism_assets/restatements).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from prism_core.calendar import Week
from prism_core.evidence import Cause, Changed
from prism_core.failures import PermanentFailure

# The subject of a week's total.
WHOLE_WEEK: Final = "*"
SUBJECT_BYTES: Final = 600
_SEPARATOR = " | "
_LIKELIEST: Final = tuple(Cause)  # in this order, when the figures themselves do not say which weighs most

Row = Mapping[str, Any]
Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What the figures of a table are: the columns that tell rows apart, and the measures that people read.

    `totals` are the measures whose sum over a week means something. The gate watches `main`: its sum over the
    week, or, with `per`, that sum over the sum of another one, where more of the same is nothing to refuse.
    """

    keys: tuple[str, ...]
    measures: tuple[str, ...]
    main: str
    totals: tuple[str, ...] = ()
    per: str | None = None

    @property
    def watched(self) -> str:
        """The name of what the gate watches."""
        return self.main if self.per is None else f"{self.main}_per_{self.per}"

    @property
    def summed(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.main, *self.totals)))

    def key_of(self, row: Row) -> Keys:
        return tuple(_text(row[name]) for name in self.keys)

    def total(self, rows: Sequence[Row]) -> float:
        """What the gate watches, of the whole week; 0 without rows."""
        main = total_of(rows, self.main)
        if self.per is None:
            return main
        per = total_of(rows, self.per)
        return main / per if per else 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure: None where its row was not, or is no longer. No keys: the total of the week."""

    keys: Mapping[str, str]
    measure: str
    old: float | None
    new: float | None
    causes: tuple[Cause, ...] = ()

    @property
    def subject(self) -> str:
        """The keys as one text, `*` for the week. One that no key of a table could hold ends in a digest."""
        if not self.keys:
            return WHOLE_WEEK
        text = _SEPARATOR.join(self.keys.values())
        if len(text.encode()) <= SUBJECT_BYTES:
            return text
        digest = blake2b(text.encode(), digest_size=8).hexdigest()
        return f"{text.encode()[: SUBJECT_BYTES - 20].decode(errors='ignore')}…{digest}"

    @property
    def moved(self) -> float:
        return (self.new or 0.0) - (self.old or 0.0)


@dataclass(frozen=True, slots=True)
class Move:
    """How far a week's total goes from what was published. No share from nothing: then nothing is compared."""

    measure: str
    published: float
    new: float

    @property
    def share(self) -> float | None:
        return (self.new - self.published) / self.published if self.published else None

    def beyond(self, limit: float) -> bool:
        return self.share is not None and abs(self.share) > limit

    def __str__(self) -> str:
        share = "" if self.share is None else f" ({self.share:+.1%})"
        return f"{self.measure} from {self.published:,.10g} to {self.new:,.10g}{share}"


def is_published(week: Week, now: datetime, grace: timedelta) -> bool:
    """Whether people have read the week: from its end and the grace on. Until then it is put right silently."""
    return now >= week.end + grace


def differences(figures: Figures, old: Sequence[Row], new: Sequence[Row]) -> list[Difference]:
    """Every measure that is another one, by key, then the totals that moved. Causes are not known here."""
    was, now = _by_key(figures, old), _by_key(figures, new)
    found: list[Difference] = []
    for key in sorted(was.keys() | now.keys()):
        names = dict(zip(figures.keys, key, strict=True))
        for measure in figures.measures:
            before = _number(was[key].get(measure)) if key in was else None
            after = _number(now[key].get(measure)) if key in now else None
            if not _equal(before, after):
                found.append(Difference(names, measure, before, after))
    totals = {measure: (total_of(old, measure), total_of(new, measure)) for measure in figures.summed}
    totals[figures.watched] = figures.total(old), figures.total(new)
    found += [Difference({}, measure, *sums) for measure, sums in totals.items() if not _equal(*sums)]
    return found


def total_of(rows: Iterable[Row], measure: str) -> float:
    """The sum of a measure over a week."""
    return math.fsum(_number(row.get(measure)) or 0.0 for row in rows)


def with_causes(
    found: Iterable[Difference],
    changes: Sequence[Changed],
    upstream: Mapping[str, Sequence[Difference]] | None = None,
) -> list[Difference]:
    """Each difference with the causes of the inputs that touch its row, the likeliest first.

    An input touches a row unless a key that both have says otherwise. `upstream` are the restatements of the
    tables that these figures are computed from: what touches a row there has the same cause here. A row that no
    changed input touches has the causes of all (a window over other rows moved it); without any it is unknown.
    """
    touching = _Touching(changes, upstream or {})
    rows = [replace(one, causes=touching.causes(one.keys)) for one in found if one.keys]
    everywhere = _ordered({cause for one in rows for cause in one.causes} or touching.all)
    totals = [replace(one, causes=everywhere) for one in found if not one.keys]
    return [*rows, *totals]


def with_cause(found: Iterable[Difference], cause: Cause) -> list[Difference]:
    """All of them with the one cause that there is."""
    return [replace(one, causes=(cause,)) for one in found]


def by_stages(
    figures: Figures,
    found: Iterable[Difference],
    old: Sequence[Row],
    stages: Sequence[tuple[Cause, Sequence[Row]]],
) -> list[Difference]:
    """Each difference with the causes that moved it, the strongest first.

    `stages` are the rows as they would be with one change after the other made to what was published, the last one
    being the new rows: what a stage moves is its cause's doing.
    """
    strength: defaultdict[tuple[Keys, str], dict[Cause, float]] = defaultdict(dict)
    before = old
    for cause, rows in stages:
        for one in differences(figures, before, rows):
            here = strength[tuple(one.keys.values()), one.measure]
            here[cause] = here.get(cause, 0.0) + abs(one.moved)
        before = rows

    def causes(one: Difference) -> tuple[Cause, ...]:
        by = strength.get((tuple(one.keys.values()), one.measure), {})
        return tuple(sorted(by, key=lambda cause: (-by[cause], _LIKELIEST.index(cause)))) or (Cause.UNKNOWN,)

    return [replace(one, causes=causes(one)) for one in found]


class _Touching:
    """Which causes touch which rows: looked up by the keys that inputs and rows share."""

    def __init__(self, changes: Sequence[Changed], upstream: Mapping[str, Sequence[Difference]]) -> None:
        self._inputs: defaultdict[tuple[str, ...], defaultdict[Keys, set[Cause]]] = defaultdict(
            lambda: defaultdict(set)
        )
        self.all: set[Cause] = set()
        self._shared: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[Keys, set[Cause]]] = {}
        for one in changes:
            known = [up for up in upstream.get(one.table or "", ()) if up.keys]
            if known:
                for up in known:
                    for cause in up.causes or (Cause.UNKNOWN,):
                        self._add(up.keys, cause)
            else:
                self._add(one.keys, one.cause)

    def causes(self, keys: Mapping[str, str]) -> tuple[Cause, ...]:
        found: set[Cause] = set()
        for names in self._inputs:
            shared = tuple(name for name in names if name in keys)
            by_shared = self._by_shared(names, shared)
            found |= by_shared.get(tuple(keys[name] for name in shared), set())
        return _ordered(found or self.all)

    def _add(self, keys: Mapping[str, str], cause: Cause) -> None:
        self._inputs[tuple(keys)][tuple(keys.values())].add(cause)
        self.all.add(cause)

    def _by_shared(self, names: tuple[str, ...], shared: tuple[str, ...]) -> dict[Keys, set[Cause]]:
        if (names, shared) not in self._shared:
            places = [names.index(name) for name in shared]
            gathered: defaultdict[Keys, set[Cause]] = defaultdict(set)
            for values, causes in self._inputs[names].items():
                gathered[tuple(values[place] for place in places)] |= causes
            self._shared[names, shared] = gathered
        return self._shared[names, shared]


def _ordered(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    return tuple(sorted(set(causes), key=_LIKELIEST.index)) or (Cause.UNKNOWN,)


def _by_key(figures: Figures, rows: Sequence[Row]) -> dict[Keys, Row]:
    found: dict[Keys, Row] = {}
    for row in rows:
        key = figures.key_of(row)
        if key in found:
            named = ", ".join(f"{name} {value}" for name, value in zip(figures.keys, key, strict=True))
            raise PermanentFailure(f"two rows of one week have {named}; their figures cannot be compared")
        found[key] = row
    return found


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _equal(old: float | None, new: float | None) -> bool:
    """Doubles that went through Parquet and back; a sum in another order differs in its last bits."""
    if old is None or new is None:
        return old is new
    return math.isclose(old, new, rel_tol=1e-9, abs_tol=1e-9)
