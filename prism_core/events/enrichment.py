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

from prism_core.events.lookups import Lookup, Prefixes, Rates, Texts, prefix_of

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


def enrich(
    data: Any,
    rules: Sequence[Rule],
    lookups: Mapping[str, Lookup],
    agent_family: Callable[[str], str | None],
    outside: Callable[[str, str], str | None] = knows_nothing,
) -> Enriched:
    """Apply the rules of an event's type. `data` stays as it is; addresses are cut to prefixes in a copy.

    `outside` is asked by service and text.
    """
    added: dict[str, str] = {}
    versions: dict[str, int] = {}
    missing: list[str] = []
    for rule in rules:
        found = at(data, rule.path)
        if found is None:
            continue
        if rule.kind is Kind.OUTSIDE:
            answer = outside(rule.lookup or "", found) if isinstance(found, str) else None
            _note(rule, answer, added, missing)
            continue
        lookup = lookups.get(rule.lookup or "")
        if lookup is not None and rule.lookup:
            versions[rule.lookup] = lookup.version
        answer = _answer(rule, found, at(data, rule.beside) if rule.beside else None, lookup, agent_family)
        _note(rule, answer, added, missing)
    return Enriched(without_addresses(data, rules), added, versions, tuple(missing))


def _note(rule: Rule, answer: str | None, added: dict[str, str], missing: list[str]) -> None:
    if answer is None:
        missing.append(rule.into)
    else:
        added[rule.into] = answer


def without_addresses(data: Any, rules: Sequence[Rule]) -> Any:
    """The data with every address that a rule names cut to its prefix; what is no address there is taken out.

    For events that failed as well: an address is stored nowhere.
    """
    for rule in rules:
        if rule.kind is Kind.COUNTRY and (found := at(data, rule.path)) is not None:
            data = _put(data, _parts(rule.path), prefix_of(found) if isinstance(found, str) else None)
    return data


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


def _answer(
    rule: Rule, found: Any, beside: Any, lookup: Lookup | None, agent_family: Callable[[str], str | None]
) -> str | None:
    if rule.kind is Kind.MONEY:
        amount = _amount(found)
        if not isinstance(lookup, Rates) or amount is None or not isinstance(beside, str):
            return None
        converted = lookup.converted(amount, beside)
        return None if converted is None else str(converted)
    if not isinstance(found, str):
        return None
    if rule.kind is Kind.AGENT:
        return agent_family(found)
    if rule.kind is Kind.COUNTRY:
        return lookup.country(found) if isinstance(lookup, Prefixes) else None
    return lookup.entries.get(found) if isinstance(lookup, Texts) else None


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < Decimal(10**15) else None


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
