"""The family of a user agent.

Belongs here: asking the library, whose rules come with it and are compiled once a container. Does not belong here:
which events have a user agent (rules of their type).
"""

from typing import Final

# What browsers send has a tenth of it; a longer text is nobody's.
MAX_AGENT: Final = 1_000


def agent_family(agent: str) -> str | None:
    """`Firefox`, `Chrome Mobile`; None for what the rules do not know."""
    if not agent or len(agent) > MAX_AGENT:
        return None
    from ua_parser import parse_user_agent  # noqa: PLC0415 - most containers never meet a user agent

    found = parse_user_agent(agent)
    return None if found is None else found.family
