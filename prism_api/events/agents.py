"""The family of a user agent.

Belongs here: one call of the library, loaded when an event asks for it: that takes half a second. Does not belong
here: which field holds a user agent (the rules of a schema).
"""

from typing import Final

_LONGEST: Final = 1_024


def family(agent: str) -> str | None:
    """`Firefox`, `Chrome Mobile`; None for one that nobody knows. Longer ones are cut: they are no browser's."""
    import ua_parser  # noqa: PLC0415 - see above

    found = ua_parser.parse_user_agent(agent[:_LONGEST])
    return None if found is None or found.family == "Other" else found.family
