"""Prose with facts and names in it: `Spend of {{name:1178}} was {{fact:week.1178.spend}}.`

Belongs here: the form of a token, finding them, writing a text out. Does not belong here: whether the words
between them may stand (gate.py). Names are tokens too: people give campaigns names with digits in them.
"""

import re
from collections.abc import Mapping
from typing import Final

from prism_core.facts.ledger import Fact
from prism_core.failures import PermanentFailure

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


def written(prose: str, facts: Mapping[str, Fact], names: Mapping[str, str]) -> str:
    """The text with every token written out. Raises PermanentFailure for a fact or a name that is none."""

    def text(found: re.Match[str]) -> str:
        kind, key = found.groups()
        if kind == "fact" and key in facts:
            return facts[key].text
        if kind == "name" and key in names:
            return names[key]
        raise PermanentFailure(f"the text names the {kind} {key}, which the report does not have")

    return TOKEN.sub(text, prose)
