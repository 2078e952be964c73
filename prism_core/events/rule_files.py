"""Files of enrichment rules.

Belongs here: reading the rules of a schema's version (JSON), and what is wrong with them. Does not belong here:
applying them (enrichment.py).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from prism_core.events.enrichment import Kind, Rule
from prism_core.failures import PermanentFailure

_POINTER: Final = re.compile(r"(/([^~/]|~[01])*)*")
_INTO: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_rules_of: Final = msgspec.json.Decoder(tuple[Rule, ...]).decode


def read_rules(text: bytes) -> tuple[Rule, ...]:
    """The rules of a list of objects. Raises PermanentFailure for what no event could be enriched by."""
    try:
        found = _rules_of(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PermanentFailure(f"this is no list of rules: {error}") from error
    for problem in _problems(found):
        raise PermanentFailure(problem)
    return found


def is_pointer(text: str) -> bool:
    """Whether it is a JSON pointer (RFC 6901)."""
    return _POINTER.fullmatch(text) is not None


def _problems(rules: Sequence[Rule]) -> Iterator[str]:
    for rule in rules:
        if not _INTO.fullmatch(rule.into):
            yield f"{rule.into!r:.80} is no name for what is added; use small letters, digits and _"
        for path in (rule.path, rule.beside):
            if path is not None and not is_pointer(path):
                yield f"{rule.into}: {path!r:.80} is no JSON pointer into the data, such as /client/ip"
        if (rule.lookup is None) != (rule.kind is Kind.AGENT):
            wanted = "no lookup" if rule.kind is Kind.AGENT else "a lookup"
            yield f"{rule.into}: a rule of kind {rule.kind} names {wanted}"
        if (rule.beside is None) == (rule.kind is Kind.MONEY):
            yield f"{rule.into}: `beside` is where the currency of money stands, and nothing else has one"
    into = [rule.into for rule in rules]
    if len(set(into)) < len(into):
        yield f"two rules add {next(one for one in into if into.count(one) > 1)}"
