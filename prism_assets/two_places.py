"""Tables whose weeks lie in DynamoDB, by generation, and in the lake.

Belongs here: what stands of a week in both before it is replaced, and whether both hold the same one. Does not
belong here: what a row says (the domains), replacing a week in either (prism_resources).
The table is replaced first, and the lake under the generation that it gave: a kill in between is seen by the
check, and mended by materialising the week again.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.lake import LakeTable
from prism_core.models.base import Model
from prism_core.table_spec import TableSpec
from prism_resources.aws import client
from prism_resources.failures import calling
from prism_resources.lake import Stored
from prism_resources.tables.bulk import backoff_seconds
from prism_resources.tables.generations import READ_ATTEMPTS, Control, Generations
from prism_resources.tables.reader import query_of

R = TypeVar("R", bound=Model)


@dataclass(frozen=True, slots=True)
class Stands:
    """What stands of the weeks of a run, read before what they are computed from: the control items of the table
    and the objects of the lake."""

    controls: Mapping[Week, Control]
    known: Mapping[str, Stored]


@dataclass(frozen=True, slots=True)
class TwoPlaces(Generic[R]):
    """One such table. `keys` are the columns of the lake that name a row of the table."""

    lake: LakeTable
    spec: TableSpec
    model: type[R]
    keys: tuple[str, ...]

    def generations(self, prism: PrismResource) -> Generations[R]:
        return prism.generations(self.spec, self.model)

    def stands(self, prism: PrismResource, weeks: Sequence[Week]) -> Stands:
        """What stands of these weeks now."""
        controls = self.generations(prism).controls(min(weeks), max(weeks))
        return Stands(controls, prism.lake().listed(self.lake, weeks))

    def agree(self, prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
        """Whether lake and table hold the same week, by generation and by number of rows.

        Rows are counted: the control item says only what its writer meant to write.
        """
        control = self.generations(prism).control(week)
        manifest = prism.lake().manifest(self.lake.partition(week))
        table, lake = (None if one is None else one.generation for one in (control, manifest))
        if control is None or manifest is None:
            return table == lake, {"table": table, "lake": lake}
        parquet = prism.lake().read_partition(self.lake, week)
        found = [] if parquet is None else parquet.select(list(self.keys)).to_pylist()
        rows = {
            "table": self._published_rows(prism, week, control),
            "published": control.rows,
            "parquet": len({tuple(row.values()) for row in found}),
        }
        lines = {"manifest": manifest.rows, "parquet": len(found)}
        facts = {"table": table, "lake": lake, "rows": rows, "lines": lines}
        return table == lake and len(set(rows.values())) == 1 and manifest.rows == len(found), facts

    def _published_rows(self, prism: PrismResource, week: Week, control: Control) -> int:
        """Rows of the published generation, counted; again for a moment: the index may lag behind the flip."""
        found = 0
        for attempt in range(READ_ATTEMPTS):
            found = self._count(prism, week, control.generation)
            if found == control.rows:
                break
            time.sleep(backoff_seconds(attempt))
        return found

    def _count(self, prism: PrismResource, week: Week, generation: int) -> int:
        """Rows of a generation in the table, counted in the service, which sends none of them."""
        settings = prism.settings()
        name = settings.table_name(self.spec.name)
        request = query_of(name, self.spec.condition("by_week", {"week": week}))
        request |= {
            "Select": "COUNT",
            "FilterExpression": "#generation = :generation",
            "ExpressionAttributeNames": {**request["ExpressionAttributeNames"], "#generation": "generation"},
            "ExpressionAttributeValues": {
                **request["ExpressionAttributeValues"],
                ":generation": {"N": str(generation)},
            },
        }
        with calling(name, "count"):
            pages = client(settings, "dynamodb").get_paginator("query").paginate(**request)
            return sum(page["Count"] for page in pages)
