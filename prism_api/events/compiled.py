"""Schemas ready to judge, once a container.

Belongs here: which version an event is judged by, and keeping what was compiled. Does not belong here: judging.
A version never changes, so what is compiled stays; which one is the newest is asked for again after ten seconds.
While the registry cannot be read, what is known goes on to be used.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from prism_api.events.agents import agent_family
from prism_core.events.enrichment import Enricher, Rule
from prism_core.events.validating import CompiledSchema
from prism_core.events.versions import SchemaVersion
from prism_core.failures import TransientFailure
from prism_core.models.events import SchemaItem
from prism_resources.events.schema_store import SchemaStore

KNOWN_SECONDS: Final = 10.0
# An unknown type or version may be one that was added a moment ago: it is looked for again, not by every event.
AGAIN_SECONDS: Final = 1.0
# Types that somebody makes up are forgotten together with the others, which are read again.
MOST_TYPES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Judge:
    """A version of a type, its schema compiled and its rules made ready."""

    item: SchemaItem
    schema: CompiledSchema
    enricher: Enricher


@dataclass(frozen=True, slots=True)
class _Known:
    at: float
    versions: dict[SchemaVersion, SchemaItem]


class Compiled:
    """The schemas of a container."""

    def __init__(self, store: SchemaStore, *, now: Callable[[], float] = time.monotonic) -> None:
        self._store, self._now = store, now
        self._types: dict[str, _Known] = {}
        self._judges: dict[tuple[str, SchemaVersion], Judge] = {}

    def knows(self, kind: str) -> bool:
        """Whether the type has any version. Raises as `judge`."""
        return bool(self._versions(kind, KNOWN_SECONDS))

    def judge(self, kind: str, version: SchemaVersion | None) -> Judge | None:
        """The version of a type, the newest for None; None when there is none.

        Raises TransientFailure when the registry cannot be read and nothing is known of the type.
        """
        if version is not None and (found := self._judges.get((kind, version))) is not None:
            return found
        versions = self._versions(kind, KNOWN_SECONDS)
        if not versions or (version is not None and version not in versions):
            versions = self._versions(kind, AGAIN_SECONDS)
        wanted = version if version is not None else max(versions, default=None)
        if wanted is None or wanted not in versions:
            return None
        return self._compiled(versions[wanted], wanted)

    def _compiled(self, item: SchemaItem, version: SchemaVersion) -> Judge:
        found = self._judges.get((item.type, version))
        if found is None:
            rules = [Rule(one.kind, one.path, one.into, one.lookup, one.beside) for one in item.rules]
            schema = CompiledSchema(self._store.schema(item))
            found = Judge(item, schema, Enricher(rules, agent_family))
            self._judges[item.type, version] = found
        return found

    def _versions(self, kind: str, fresh_seconds: float) -> dict[SchemaVersion, SchemaItem]:
        known, now = self._types.get(kind), self._now()
        if known is not None and now - known.at < fresh_seconds:
            return known.versions
        try:
            items = self._store.versions(kind)
        except TransientFailure:
            if known is None or not known.versions:
                raise
            return known.versions
        versions = {SchemaVersion.parse(one.version): one for one in items}
        if len(self._types) >= MOST_TYPES:
            self._types.clear()
        self._types[kind] = _Known(now, versions)
        return versions
