"""Prose with facts and names in it: `Spend of {{name:1178}} was {{fact:week.1178.spend}}.`

Belongs here: the form of a token, finding them, saying when a figure was, writing a text out. Does not belong
here: whether the words between them may stand (gate.py). Names are tokens too: people give campaigns names with
digits in them.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from prism_core.facts.ledger import Fact
from prism_core.failures import PermanentFailure

# The end of a sentence stays in the list that `split` gives.
SENTENCE: Final = re.compile(r"((?<=[.!?])\s+|\n+)")
# A campaign may be called anything; a report says which one it is, not all of a long name.
MOST_OF_A_NAME: Final = 80
# They would turn round the figures that follow, on paper and on a screen.
_DIRECTIONS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
TOKEN: Final = re.compile(r"\{\{(fact|name):([A-Za-z0-9][A-Za-z0-9._:+-]{0,127})\}\}", re.ASCII)


def token(fact: Fact) -> str:
    """How prose names a fact."""
    return f"{{{{fact:{fact.fact_id}}}}}"


def facts_of(prose: str) -> tuple[str, ...]:
    """The ids of facts that a text names, in its order, each once."""
    return tuple(dict.fromkeys(found[2] for found in TOKEN.finditer(prose) if found[1] == "fact"))


def named_in(prose: str) -> tuple[str, ...]:
    """The ids of subjects that a text names, in its order, each once."""
    return tuple(dict.fromkeys(found[2] for found in TOKEN.finditer(prose) if found[1] == "name"))


def dated(prose: str, facts: Mapping[str, Fact], own: str) -> str:
    """The text, with the time of a figure behind it wherever it is not all of the period `own`.

    Whoever wrote it may have taken the figure of one week for that of another: `Leads were {{fact:a}} (2023-W30).`
    cannot be read wrongly. In such a sentence every figure says its time.
    """
    parts = SENTENCE.split(prose)
    return "".join(_dated(part, facts, own) for part in parts)


def _dated(sentence: str, facts: Mapping[str, Fact], own: str) -> str:
    periods = {fact.period for one in facts_of(sentence) if (fact := facts.get(one)) and fact.period}
    if periods <= {own}:
        return sentence

    def text(found: re.Match[str]) -> str:
        fact = facts.get(found[2]) if found[1] == "fact" else None
        said = fact is not None and fact.period and not sentence.startswith(f" ({fact.period})", found.end())
        return f"{found[0]} ({fact.period})" if fact is not None and said else found[0]

    return TOKEN.sub(text, sentence)


def the_fact_of(text: str) -> str | None:
    """The id of the fact that a text is, as a cell with one figure is; None for any other text."""
    found = TOKEN.fullmatch(text)
    return found[2] if found and found[1] == "fact" else None


def written(prose: str, facts: Mapping[str, Fact], names: Mapping[str, str]) -> str:
    """The text with every token written out. Raises PermanentFailure for a fact or a name that is none."""

    def text(found: re.Match[str]) -> str:
        kind, key = found.groups()
        if kind == "fact" and key in facts:
            return facts[key].text
        if kind == "name" and key in names:
            return _shown(names[key]) or key
        raise PermanentFailure(f"the text names the {kind} {key}, which the report does not have")

    return TOKEN.sub(text, prose)


def _shown(name: str) -> str:
    """A name in one line, without characters that nobody sees and that change what stands beside them."""
    kept = _DIRECTIONS.sub("", " ".join(name.split()))
    kept = "".join(one for one in kept if unicodedata.category(one) not in {"Cc", "Cs"})
    return kept if len(kept) <= MOST_OF_A_NAME else f"{kept[: MOST_OF_A_NAME - 1]}\N{HORIZONTAL ELLIPSIS}"
