"""What a week of figures was computed from, and how two such states differ.

Belongs here: the parts that figures rest on, by identity and digest; their difference by cause; their JSON form,
which the manifest of a partition keeps. Does not belong here: which figures moved (restatements.py).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from prism_core.failures import PermanentFailure


class Cause(StrEnum):
    """Why a published figure is another one now."""

    COMPUTED_ANEW = "computed_anew"
    LATE_RECORD = "late_record"
    RESOLVED_WORKER = "resolved_worker"
    CORRECTION = "correction"
    TAXONOMY = "taxonomy"
    EDITED_SOURCE = "edited_source"
    UNKNOWN = "unknown"


# Parts whose name says the cause. Every other part holds records: a new one is late, one that is another or gone
# was edited. Identities of the taxonomy begin with the raw id, those of corrections with the id of the correction.
RESOLUTION, CORRECTIONS, TAXONOMY = "resolution", "corrections", "taxonomy"
_NAMED: Final = {
    RESOLUTION: Cause.RESOLVED_WORKER,
    CORRECTIONS: Cause.CORRECTION,
    TAXONOMY: Cause.TAXONOMY,
}

Identity = tuple[str, ...]
_BY_DAY: Final = re.compile(r"\d+=[^;]*(;\d+=[^;]*)*")


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of input: the digest of every item by its identity, whose parts are named by `keys`.

    A key that the figures have as well (`member_id`) says which of their rows an item touches. `table` names the
    lake table whose week this is: then a change of it has the causes of that table's own restatement.
    """

    keys: tuple[str, ...]
    items: Mapping[Identity, str]
    table: str | None = None

    @classmethod
    def of(cls, keys: Iterable[str], items: Iterable[tuple[Identity, str]], table: str | None = None) -> "Part":
        return cls(tuple(keys), dict(items), table)


def days_text(answers: Mapping[int, str]) -> str:
    """What a register answered by day of the week (0 is Monday), short: `31=M-1;96=M-2`, days as bits."""
    masks: dict[str, int] = {}
    for day, answer in sorted(answers.items()):
        masks[answer] = masks.get(answer, 0) | 1 << day
    return ";".join(f"{mask}={answer}" for answer, mask in masks.items())


def days_of(text: str) -> dict[int, str]:
    """The inverse of `days_text`. No answer of a register holds a semicolon."""
    found: dict[int, str] = {}
    for one in text.split(";") if text else ():
        mask, _, answer = one.partition("=")
        found |= {day: answer for day in range(7) if int(mask) >> day & 1}
    return found


@dataclass(frozen=True, slots=True)
class Baseline:
    """The week's total that the gate compares with: as first published, or as a person last allowed it."""

    measure: str
    total: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """The parts of one partition. `complete`: computed after its week had ended, so that it is of all of it."""

    parts: Mapping[str, Part] = field(default_factory=dict[str, Part])
    complete: bool = False
    baseline: Baseline | None = None

    def plain(self) -> dict[str, Any]:
        """JSON values, the same for the same evidence."""
        parts = {
            name: {
                "keys": list(part.keys),
                "items": [[*identity, part.items[identity]] for identity in sorted(part.items)],
                **({} if part.table is None else {"table": part.table}),
            }
            for name, part in sorted(self.parts.items())
        }
        found: dict[str, Any] = {"complete": self.complete, "parts": parts}
        if self.baseline is not None:
            found["baseline"] = {"measure": self.baseline.measure, "total": self.baseline.total}
        return found

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "Evidence":
        """The inverse of `plain`; nothing gives no parts. Raises PermanentFailure for what is no evidence."""
        try:
            parts = {
                name: Part(
                    tuple(part["keys"]),
                    {tuple(item[:-1]): item[-1] for item in part["items"]},
                    part.get("table"),
                )
                for name, part in values.get("parts", {}).items()
            }
            given = values.get("baseline")
            baseline = None if given is None else Baseline(given["measure"], float(given["total"]))
            return cls(parts, bool(values.get("complete", False)), baseline)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise PermanentFailure(f"the evidence of a partition is damaged: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Changed:
    """One input that is another one now: which part, why, and what its identity says of the rows it touches."""

    part: str
    cause: Cause
    keys: Mapping[str, str]
    table: str | None = None


def changed(old: Evidence, new: Evidence) -> list[Changed]:
    """Every input that came, went or is another one. A part that the old evidence did not have says nothing."""
    found: list[Changed] = []
    for name in sorted(new.parts.keys() & old.parts.keys()):
        was, now = old.parts[name], new.parts[name]
        if was.keys != now.keys:
            found.append(Changed(name, Cause.UNKNOWN, {}, now.table))
            continue
        counts = _counting(name, was.items, now.items)
        for identity in sorted(was.items.keys() | now.items.keys()):
            if was.items.get(identity) == now.items.get(identity) or not counts(identity):
                continue
            late = identity not in was.items
            of_records = Cause.LATE_RECORD if late else Cause.EDITED_SOURCE
            cause = _NAMED.get(name, of_records if now.table is None else Cause.UNKNOWN)
            found.append(Changed(name, cause, dict(zip(now.keys, identity, strict=True)), now.table))
    return found


def _counting(part: str, was: Mapping[Identity, str], now: Mapping[Identity, str]) -> Callable[[Identity], bool]:
    """Which items of a part have changed themselves: the others were only asked for other records than before."""
    if part == RESOLUTION:
        return lambda identity: _answered_otherwise(was.get(identity), now.get(identity))
    if part not in {TAXONOMY, CORRECTIONS}:
        return lambda _: True
    before, after = ({identity[0]: digest for identity, digest in items.items()} for items in (was, now))
    if part == TAXONOMY:  # a raw id that came with a record was not mapped otherwise before
        return lambda identity: identity[0] in before and identity[0] in after
    return lambda identity: before.get(identity[0]) != after.get(identity[0])


def _answered_otherwise(was: str | None, now: str | None) -> bool:
    """Whether a register answers otherwise for a day that it was asked for both times: who is new was not resolved
    before."""
    if was is None or now is None:
        return False
    if not (_BY_DAY.fullmatch(was) and _BY_DAY.fullmatch(now)):
        return was != now
    before, after = days_of(was), days_of(now)
    return any(before[day] != after[day] for day in before.keys() & after.keys())
