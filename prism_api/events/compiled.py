"""What events are judged by and enriched from, once a container.

Belongs here: compiled schemas and tables of lookups by version, which never change, and for a few seconds which
version is the newest. Does not belong here: the registry (prism_resources/events) and judging.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

from prism_core.events.enrichment import Rule
from prism_core.events.failed import Failure
from prism_core.events.lookups import Lookup
from prism_core.events.validating import CompiledSchema
from prism_core.events.versions import SchemaVersion
from prism_core.models.events import RegistryStatus, SchemaItem
from prism_core.settings import Settings
from prism_resources.events.lookup_store import LookupStore
from prism_resources.events.schema_store import SchemaStore

T = TypeVar("T")
# A producer that waits for a version sees it used so many seconds after it was added.
NEWEST_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Known:
    """A version of a type: its row, and its schema ready to judge."""

    item: SchemaItem
    compiled: CompiledSchema

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(Rule(one.kind, one.path, one.into, one.lookup, one.beside) for one in self.item.rules)


class Registry:
    """Schemas and lookups of a platform."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._schemas, self._lookups = SchemaStore(settings), LookupStore(settings)
        self._clock = clock
        self._known: dict[tuple[str, str], Known] = {}
        self._tables: dict[tuple[str, int], Lookup] = {}
        self._newest: dict[str, tuple[float, SchemaItem | None]] = {}
        self._current: dict[str, tuple[float, Lookup | None]] = {}

    def find(self, kind: str, version: SchemaVersion | None) -> Known | Failure:
        """The version that an event asks for, the newest when it asks for none; or why there is none.

        Raises TransientFailure while the registry cannot be reached, PermanentFailure for a schema that is lost.
        """
        if version is not None and (kind, str(version)) in self._known:
            return self._known[kind, str(version)]
        newest = self.newest(kind)
        if newest is None:
            return Failure.UNKNOWN_TYPE
        if version is None or newest.version == str(version):
            return self._compiled(newest)
        asked = self._schemas.version(kind, version)
        return Failure.UNKNOWN_VERSION if asked is None else self._compiled(asked)

    def named(self, kind: str, version: str) -> Known | None:
        """A version by its text; None when there is none."""
        if (kind, version) in self._known:
            return self._known[kind, version]
        item = self._schemas.version(kind, SchemaVersion.parse(version))
        return None if item is None else self._compiled(item)

    def newest(self, kind: str) -> SchemaItem | None:
        """The newest version of a type that is in use, as it was a few seconds ago at most."""
        return self._fresh(self._newest, kind, self._ask_newest)

    def rules(self, kind: str) -> tuple[Rule, ...]:
        """Those of the newest version: what is cut out of an event that names a version which there is not."""
        newest = self.newest(kind)
        return () if newest is None else self._compiled(newest).rules

    def lookups(self, rules: Iterable[Rule]) -> Mapping[str, Lookup]:
        """The current tables that rules ask for; one that there is not is left out."""
        names = {one.lookup for one in rules if one.lookup}
        found = {name: self._fresh(self._current, name, self._ask_current) for name in names}
        return {name: table for name, table in found.items() if table is not None}

    def _fresh(self, kept: dict[str, tuple[float, T]], name: str, ask: Callable[[str], T]) -> T:
        found = kept.get(name)
        if found is None or self._clock() - found[0] > NEWEST_SECONDS:
            found = kept[name] = (self._clock(), ask(name))
        return found[1]

    def _ask_newest(self, kind: str) -> SchemaItem | None:
        used = [one for one in self._schemas.versions(kind) if one.status is RegistryStatus.ACTIVE]
        return used[-1] if used else None

    def _ask_current(self, name: str) -> Lookup | None:
        item = self._lookups.current(name)
        if item is None:
            return None
        key = (name, item.version)
        if key not in self._tables:
            self._tables[key] = self._lookups.table(item)
        return self._tables[key]

    def _compiled(self, item: SchemaItem) -> Known:
        key = (item.type, item.version)
        if key not in self._known:
            self._known[key] = Known(item, CompiledSchema(self._schemas.schema(item)))
        return self._known[key]
