"""The settings of this function, read once from its environment.

Belongs here: settings alone, so that a call which needs nothing else does not import tables and clients.
Does not belong here: connections (backend.py).
"""

from functools import lru_cache

from prism_core.settings import Settings, load_settings


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this function, from its environment."""
    return load_settings()
