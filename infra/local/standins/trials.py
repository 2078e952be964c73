"""Claude's client against the stand-in, for as many weeks as an evaluation wants.

Belongs here: the world of an evaluation, its model over a socket of loopback, and which lie is told of which week.
Does not belong here: judging what came of it (prism_resources/writing/evaluation.py).
"""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from infra.local.serving import standins
from infra.local.standins.ads import DrawnAds
from infra.local.standins.author import honest_author
from infra.local.standins.liars import Lie, honest, lying
from infra.local.standins.serving import CURRENCY, ZONE
from infra.local.standins.world import Tokens, World
from prism_resources.writing.claude import Claude

MODEL = "stand-in"
_TOKENS = Tokens("meta", "meta", "hubspot", "evaluation")


@contextmanager
def trial() -> Iterator[tuple[World, Claude]]:
    """The stand-in on a free port, and a client to it. Nothing is archived: these weeks are nobody's."""
    world = World(DrawnAds(), _TOKENS, ZONE, honest_author, currency=CURRENCY)
    with standins(world, 0, "evaluation") as port:
        url = f"http://127.0.0.1:{port}/claude"
        with Claude(MODEL, keep_nothing, key=_TOKENS.claude, base_url=url, seconds=30, attempts=1) as model:
            yield world, model


def set_up(world: World, seed: int, lies: tuple[Lie, ...]) -> Lie | None:
    """What the stand-in does with the week of a seed: one of the lies in turn, the truth without any.

    Every third week that is lied about is repaired when it is asked to be.
    """
    if not lies:
        honest(world)
        return None
    lie = lies[seed % len(lies)]
    lying(world, lie, random.Random(f"lie {seed}"), repairs=seed % 3 == 2)
    return lie


def keep_nothing(
    _step: str, _asked: Mapping[str, Any], _status: int, _headers: Mapping[str, str], _body: bytes
) -> None:
    """For answers that no report is made of."""
