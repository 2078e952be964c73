"""What events are judged by and enriched from, once a container.

Belongs here: the version for an event or why there is none, its rules, and the current tables of lookups. Does not
belong here: compiling schemas (compiled.py), the stores of both (prism_resources/events), and judging.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prism_api.events.compiled import Compiled, Judge
from prism_core.events.enrichment import Kind, Rule
from prism_core.events.failed import Failure
from prism_core.events.lookups import Lookup
from prism_core.events.versions import SchemaVersion
from prism_core.failures import TransientFailure
from prism_core.settings import Settings
from prism_resources.events.lookup_store import LookupStore, LostLookup
from prism_resources.events.objects import LostObject
from prism_resources.events.schema_store import SchemaStore

CURRENT_SECONDS: Final = 10.0
_log = logging.getLogger("prism.events")


class Registry:
    """Schemas and lookups of a platform."""

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.monotonic) -> None:
        self._compiled, self._lookups, self._now = Compiled(SchemaStore(settings)), LookupStore(settings), now
        self._current: dict[str, tuple[float, int, Lookup | None]] = {}

    def find(self, kind: str, version: SchemaVersion | None) -> Judge | Failure:
        """The version that an event asks for, the newest when it asks for none; or why there is none.

        Raises TransientFailure while the registry cannot be read, PermanentFailure for a schema that is lost.
        """
        found = self._compiled.judge(kind, version)
        if found is not None:
            return found
        return Failure.UNKNOWN_VERSION if self._compiled.knows(kind) else Failure.UNKNOWN_TYPE

    def newest(self, kind: str) -> Judge | None:
        """By whose rules addresses are cut out of an event that names a version which there is not."""
        return self._compiled.judge(kind, None)

    def lookups(self, rules: Iterable[Rule]) -> Mapping[str, Lookup]:
        """The tables that rules ask for, current ten seconds ago at most; one that there is not is left out.

        Of one that is lost the table before serves, or none: it must not hold up its events until somebody adds it
        again. Raises TransientFailure, PermanentFailure for one that may not be read: it is there, so its events
        wait for it.
        """
        names = {one.lookup for one in rules if one.lookup and one.kind is not Kind.OUTSIDE}
        found = {name: self._table(name) for name in names}
        return {name: table for name, table in found.items() if table is not None}

    def _table(self, name: str) -> Lookup | None:
        known, now = self._current.get(name), self._now()
        if known is not None and now - known[0] < CURRENT_SECONDS:
            return known[2]
        try:
            version, table = self._newest(name, known)
        except TransientFailure:
            if known is None:
                raise
            return known[2]
        except (LostLookup, LostObject):
            _log.exception("the table of lookup %s is lost; add it again", name)
            version, table = (0, None) if known is None else known[1:]
        self._current[name] = (now, version, table)
        return table

    def _newest(self, name: str, known: tuple[float, int, Lookup | None] | None) -> tuple[int, Lookup | None]:
        item = self._lookups.current(name)
        if item is None:
            return 0, None
        if known is not None and known[1] == item.version:
            return known[1:]
        return item.version, self._lookups.table(item)
