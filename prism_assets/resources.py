"""The outside world as assets see it.

Belongs here: one Dagster resource that opens what an asset needs, from the settings of the process that runs
it. Does not belong here: any logic; and nothing is opened before it is asked for.
"""

from typing import TypeVar

import dagster as dg

from prism_core.calendar import WeekRange
from prism_core.clock import this_week
from prism_core.models.base import Model, Versioned
from prism_core.models.disputes import Correction
from prism_core.models.work import ThroughputWeek
from prism_core.models.workers import Worker
from prism_core.settings import Settings, load_settings
from prism_core.tables import CORRECTIONS, THROUGHPUT, WORKERS, TableSpec
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.query.engine import query_engine
from prism_resources.query.result import QueryEngine
from prism_resources.registers import Registers, read_registers
from prism_resources.tables.generations import Generations
from prism_resources.tables.reader import TableReader
from prism_resources.tables.settled import Settled, settled
from prism_resources.tables.store import TableStore
from prism_resources.worker_activity.landing import Landing

M = TypeVar("M", bound=Model)
V = TypeVar("V", bound=Versioned)


class PrismResource(dg.ConfigurableResource):
    """Opens tables, lake and query engine for the platform this process belongs to."""

    def settings(self) -> Settings:
        return load_settings()

    def lake(self) -> Lake:
        return Lake(self.settings())

    def landing(self) -> Landing:
        return Landing(self.lake())

    def throughput(self) -> Generations[ThroughputWeek]:
        return self.generations(THROUGHPUT, ThroughputWeek)

    def generations(self, spec: TableSpec, model: type[M]) -> Generations[M]:
        """The weeks of a table that is replaced by generation."""
        settings = self.settings()
        return Generations(client(settings, "dynamodb"), settings, spec, model)

    def corrections(self) -> TableReader[Correction]:
        settings = self.settings()
        return TableReader(client(settings, "dynamodb"), settings, CORRECTIONS, Correction)

    def reader(self, spec: TableSpec, model: type[M]) -> TableReader[M]:
        """Typed reads of one table."""
        settings = self.settings()
        return TableReader(client(settings, "dynamodb"), settings, spec, model)

    def settled(self, spec: TableSpec, model: type[V]) -> Settled[V]:
        """Typed reads of one table by week or status, as it stands now: for figures."""
        return settled(self.settings(), spec, model)

    def workers(self) -> TableStore[Worker]:
        """For writing: only the queue of unresolved ones does."""
        settings = self.settings()
        return TableStore(client(settings, "dynamodb"), settings, WORKERS, Worker)

    def registers(self) -> Registers:
        return read_registers(self.settings())

    def query_engine(self) -> QueryEngine:
        return query_engine(self.settings(), self.lake())

    def weeks(self) -> WeekRange:
        """The weeks that records may lie in."""
        first = self.settings().first_week
        return WeekRange(first, max(first, this_week()))
