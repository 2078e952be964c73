"""The operational tables, as Dagster shows them: where the weekly assets get their data.

Belongs here: one external asset a table that people write, and naming it as a dependency. Does not belong here:
reading one (prism_resources/tables), and tables that an asset writes itself.
Dagster materialises none of them: screens, imports, the API and the queue of unresolved names write.
"""

from typing import Final

import dagster as dg

from prism_core.lake_tables import EXPORTED
from prism_core.table_spec import TableSpec

GROUP: Final = "operational"
OWNERS: Final = ["team:data-engineering"]


def operational_tables() -> list[dg.AssetSpec]:
    """One external asset for each of the tables that the export reads."""
    return [
        dg.AssetSpec(
            _key(table.name),
            group_name=GROUP,
            owners=OWNERS,
            kinds={"dynamodb"},
            description=f"{table.meaning} The operational table `{table.name}`, as people and the API write it.",
        )
        for table in EXPORTED.values()
    ]


def reads(*tables: TableSpec | str) -> list[dg.AssetKey]:
    """The dependencies of an asset that reads these tables."""
    return [_key(table if isinstance(table, str) else table.name) for table in tables]


def _key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["dynamodb", table])
