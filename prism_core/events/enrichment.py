"""What is added to an event before it is stored.

Belongs here: rules by type of event, and applying them with pinned lookups: the same event, rules and versions
give the same answer at any time. Does not belong here: the tables (lookups.py) and calls to other services.
Nothing fails here: what no lookup knows is `missing`, and the event is stored without it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, cast

import msgspec

from prism_core.events.lookups import Lookup, Prefixes, Rates, Texts, prefix_of, read_prefix

_MOST: Final = Decimal(10**15)
_INDEX: Final = re.compile(r"0|[1-9]\d{0,5}", re.ASCII)


class Kind(StrEnum):
    """`text`: an exact text (project, member). `country`: of an address, of which only the prefix stays.

    `agent`: the family of a user agent. `money`: an amount in the base currency. `outside`: what a service says of
    a text; the only one that may answer otherwise another time.
    """

    TEXT = "text"
    COUNTRY = "country"
    AGENT = "agent"
    MONEY = "money"
    OUTSIDE = "outside"


class Rule(msgspec.Struct, frozen=True):
    """Look up what stands at `path` (a JSON pointer into the data) and add it as `into`.

    `lookup` names the table or the service (none for `agent`), `beside` the pointer of a currency.
    """

    kind: Kind
    path: str
    into: str
    lookup: str | None = None
    beside: str | None = None


class Enriched(msgspec.Struct, frozen=True):
    """The data to store, what was added, from which versions, and what was asked for in vain (`into`)."""

    data: Any
    added: dict[str, str]
    versions: dict[str, int]
    missing: tuple[str, ...]


def knows_nothing(_service: str, _text: str) -> str | None:
    """Where no service outside may be asked."""
    return None


_Answer = Callable[[Any, Any, Lookup | None], str | None]


class Enricher:
    """The rules of a version, made ready once: what each asks of the data and of its lookup.

    An address that a rule names is stored nowhere, neither in what is enriched nor in what failed.
    """

    def __init__(self, rules: Sequence[Rule], agent_family: Callable[[str], str | None] = lambda _: None) -> None:
        """`agent_family` knows user agents; only who cuts addresses alone does without."""
        self.rules = tuple(rules)
        self._steps = [
            (
                *_names(one.path),
                one.path,
                one.into,
                one.lookup,
                _answering(one, agent_family),
                _parts(one.path) if one.kind is Kind.COUNTRY else None,
            )
            for one in rules
        ]

    def __call__(
        self,
        data: Any,
        lookups: Mapping[str, Lookup],
        outside: Callable[[str, str], str | None] = knows_nothing,
    ) -> Enriched:
        """Apply the rules. `data` stay as they are; addresses are cut to prefixes in a copy. `outside` is asked by
        service and text."""
        kept, named = data, data.__class__ is dict
        added: dict[str, str] = {}
        versions: dict[str, int] = {}
        missing: list[str] = []
        for outer, inner, path, into, name, answer_of, address_parts in self._steps:
            if named and outer is not None:  # as `at`, without its loop
                found = data.get(outer)
                if inner is not None:
                    found = found.get(inner) if found.__class__ is dict else at(data, path)
            else:
                found = at(data, path)
            if found is None:
                continue
            lookup = None
            if name is not None and (lookup := lookups.get(name)) is not None:
                versions[name] = lookup.version
            if answer_of is not None:
                answer = answer_of(found, data, lookup)
            elif address_parts is not None:
                known = read_prefix(found) if found.__class__ is str else None
                kept = _put(kept, address_parts, None if known is None else known[2])
                answer = None if known is None or not isinstance(lookup, Prefixes) else lookup.country_of(known)
            else:
                answer = outside(name or "", found) if found.__class__ is str else None
            if answer is None:
                missing.append(into)
            else:
                added[into] = answer
        return Enriched(kept, added, versions, tuple(missing))

    def without_addresses(self, data: Any) -> Any:
        """The data with every address that a rule names cut to its prefix; what is none is taken out."""
        kept = data
        for _, _, path, *_, parts in self._steps:
            if parts is not None and (found := at(data, path)) is not None:
                kept = _put(kept, parts, prefix_of(found) if isinstance(found, str) else None)
        return kept


def at(data: Any, path: str) -> Any:
    """What stands at a JSON pointer; None when there is nothing."""
    for part in _parts(path):
        kind: object = data.__class__
        if kind is dict:
            data = data.get(part)
        elif kind is list:
            data = data[int(part)] if _INDEX.fullmatch(part) and int(part) < len(data) else None
        else:
            return None
    return data


def _names(path: str) -> tuple[str | None, str | None]:
    """The one or two names of a path, as nearly all rules have; nothing of a longer one."""
    parts = _parts(path)
    if not 1 <= len(parts) <= 2:
        return None, None
    return parts[0], parts[1] if len(parts) > 1 else None


def _answering(rule: Rule, agent_family: Callable[[str], str | None]) -> _Answer | None:
    """How a rule is answered from what it found, the data and its lookup; None where more than that is needed."""
    if rule.kind is Kind.TEXT:
        return _text
    if rule.kind is Kind.AGENT:
        return lambda found, _data, _lookup: agent_family(found) if found.__class__ is str else None
    if rule.kind is Kind.MONEY:
        return lambda found, data, lookup: _money(found, at(data, rule.beside) if rule.beside else None, lookup)
    return None


def _text(found: Any, _data: Any, lookup: Lookup | None) -> str | None:
    return lookup.entries.get(found) if found.__class__ is str and isinstance(lookup, Texts) else None


def _money(found: Any, beside: Any, lookup: Lookup | None) -> str | None:
    amount = _amount(found)
    if amount is None or beside.__class__ is not str or not isinstance(lookup, Rates):
        return None
    converted = lookup.converted(amount, beside)
    return None if converted is None else str(converted)


def _amount(value: Any) -> Decimal | None:
    kind: object = value.__class__
    if kind is not str and kind is not int and kind is not float:
        return None
    try:
        amount = Decimal(repr(value) if kind is float else value)
        fits = -_MOST < amount < _MOST
    except InvalidOperation:  # no number, or a comparison with NaN
        return None
    return amount if fits else None


@lru_cache(maxsize=4_096)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])


def _put(data: Any, parts: Sequence[str], value: str | None) -> Any:
    """A copy along the path, with what stood at its end replaced."""
    if not parts:
        return value
    if isinstance(data, dict):
        known = cast("dict[str, Any]", data)
        return {**known, parts[0]: _put(known[parts[0]], parts[1:], value)}
    listed = list(cast("list[Any]", data))
    listed[int(parts[0])] = _put(listed[int(parts[0])], parts[1:], value)
    return listed
