"""What of the lake can be asked in SQL: its tables and its views, in one form.

Belongs here: that list, for listings and documents. Does not belong here: the tables (lake_tables.py) and views
(lake_views.py) themselves.
"""

from dataclasses import dataclass
from typing import Any, Final

from prism_core.failures import BadUsage
from prism_core.lake import Column
from prism_core.lake_tables import LAKE_TABLES
from prism_core.lake_views import LAKE_VIEWS

WEEK: Final = Column("week", "string", "ISO week such as 2026-W01; the partition")


@dataclass(frozen=True, slots=True)
class Entry:
    """A table or a view, its columns in the order of `SELECT *`."""

    name: str
    kind: str
    meaning: str
    columns: tuple[Column, ...]


def entries() -> tuple[Entry, ...]:
    """Views first: they are what most people look for."""
    views = [Entry(view.name, "view", view.meaning, view.columns) for view in LAKE_VIEWS.values()]
    tables = [Entry(one.name, "table", one.meaning, (*one.columns, WEEK)) for one in LAKE_TABLES.values()]
    return (*views, *tables)


def entry(name: str) -> Entry:
    """One of them. Raises BadUsage with the list of valid names."""
    found = {one.name: one for one in entries()}
    if name.lower() not in found:
        raise BadUsage(f"the lake has no table or view {name!r}; there are: {', '.join(sorted(found))}")
    return found[name.lower()]


def described(name: str) -> dict[str, Any]:
    """One of them as JSON values."""
    one = entry(name)
    columns = [{"name": c.name, "type": c.type, "meaning": c.meaning} for c in one.columns]
    return {"name": one.name, "kind": one.kind, "meaning": one.meaning, "columns": columns}
