"""Every table of the lake, by name.

Belongs here: the one list that Glue tables, Arrow schemas, the export and the views of DuckDB are derived from, so
that they cannot disagree. Does not belong here: the columns (lake_registers.py, lake_facts.py, lake_computed.py,
lake_campaign.py, lake_events.py) and what a table is made of (lake.py).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from prism_core.failures import BadUsage
from prism_core.lake import LakeTable
from prism_core.lake_campaign import (
    CAMPAIGN,
    CAMPAIGN_METRICS,
    CAMPAIGN_TRENDS,
    HUBSPOT_LEADS,
    LEAD_ATTRIBUTION,
    META_INSIGHTS,
)
from prism_core.lake_computed import (
    COMPUTED,
    QUALITY_SCORES,
    RESTATEMENTS,
    THROUGHPUT,
    UNRESOLVED_WORKERS,
    UTILISATION,
)
from prism_core.lake_events import EVENT_LAKE
from prism_core.lake_facts import ALLOCATIONS, AVAILABILITY, CHANGELOG, FACTS, QUALITY
from prism_core.lake_registers import MEMBERS, PROJECTS, REGISTERS, REQUESTS

__all__ = (
    "ALLOCATIONS",
    "AVAILABILITY",
    "CAMPAIGN_METRICS",
    "CAMPAIGN_TRENDS",
    "CHANGELOG",
    "EXPORTED",
    "HUBSPOT_LEADS",
    "LAKE_TABLES",
    "LEAD_ATTRIBUTION",
    "MEMBERS",
    "META_INSIGHTS",
    "PROJECTS",
    "QUALITY",
    "QUALITY_SCORES",
    "REQUESTS",
    "RESTATEMENTS",
    "THROUGHPUT",
    "UNRESOLVED_WORKERS",
    "UTILISATION",
    "lake_table",
    "lake_tables",
)

LAKE_TABLES: Final[Mapping[str, LakeTable]] = MappingProxyType(
    {table.name: table for table in (*COMPUTED, *CAMPAIGN, *EVENT_LAKE, *FACTS, *REGISTERS)}
)
# What the export writes: a line in one of the lists above is all that a new table needs.
EXPORTED: Final[Mapping[str, LakeTable]] = MappingProxyType(
    {name: table for name, table in LAKE_TABLES.items() if table.exported}
)


def lake_table(name: str) -> LakeTable:
    """The table of this name. Raises BadUsage with the list of valid ones."""
    if name not in LAKE_TABLES:
        raise BadUsage(f"the lake has no table {name!r}; valid ones are {', '.join(LAKE_TABLES)}")
    return LAKE_TABLES[name]


def lake_tables(names: Iterable[str]) -> tuple[LakeTable, ...]:
    """Several of them, each once, in the order of the list. Raises BadUsage."""
    wanted = {lake_table(name).name for name in names}
    return tuple(table for table in LAKE_TABLES.values() if table.name in wanted)
