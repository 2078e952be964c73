"""The family of a user agent.

Belongs here: asking the library, whose rules come with it and are compiled once a container. Does not belong here:
which events have a user agent (rules of their type).
"""

from functools import lru_cache
from typing import Final

# What browsers send has a tenth of it; a longer text is nobody's.
MAX_AGENT: Final = 1_000


def agent_family(agent: str) -> str | None:
    """`Firefox`, `Chrome Mobile`; None for what the rules do not know."""
    return _family(agent) if 0 < len(agent) <= MAX_AGENT else None


@lru_cache(maxsize=1_024)  # thousands of events come from a few dozen browsers
def _family(agent: str) -> str | None:
    from ua_parser import parse_user_agent  # noqa: PLC0415 - most containers never meet a user agent

    found = parse_user_agent(agent)
    return None if found is None else found.family
