"""What lies in the lake, and where.

Belongs here: key layout, the tables of the lake with the type and meaning of every column. Glue tables,
Arrow schemas and the views of DuckDB are all derived from these lines, so that they cannot disagree.
Does not belong here: reading and writing (prism_resources/lake.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from prism_core.calendar import Week

# Types by their Athena (Hive) names.
ColumnType = Literal["string", "bigint", "double", "boolean", "date", "timestamp"]

RAW_EXPIRY_DAYS = 90
# Files on their way in or out: what a person uploaded, exports to be fetched, the rows and results of jobs.
UPLOADS, EXPORTS, JOBS = "uploads/", "exports/", "jobs/"
PASSING_EXPIRY_DAYS = 7
WORKER_ACTIVITY = "worker_activity"
WORKER_RESPONSE = "worker_response"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the lake: what it is called, its type, and what it says with its unit."""

    name: str
    type: ColumnType
    meaning: str


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table partitioned by ISO week. The partition column `week` is not in the files (Athena's rule)."""

    name: str
    meaning: str
    columns: tuple[Column, ...]

    def partition(self, week: Week) -> "LakePartition":
        return LakePartition(self.name, week)


@dataclass(frozen=True, slots=True)
class LakePartition:
    """Keys of one week of one table: exactly one object per format, so that replacing it is one put."""

    table: str
    week: Week

    @property
    def parquet(self) -> str:
        return f"{parquet_prefix(self.table)}week={self.week}/part-0.parquet"

    @property
    def jsonl(self) -> str:
        return f"lake/jsonl/{self.table}/week={self.week}/part-0.jsonl.gz"

    @property
    def manifest(self) -> str:
        return f"lake/_manifests/{self.table}/week={self.week}.json"


def parquet_prefix(table: str) -> str:
    return f"lake/parquet/{table}/"


def raw_prefix(source: str, week: Week) -> str:
    """Where the untouched input of a week lies; expires after RAW_EXPIRY_DAYS."""
    return f"raw/{source}/week={week}/"


THROUGHPUT = LakeTable(
    "throughput",
    "What was done: one row per project, member and UTC day.",
    (
        Column("project_id", "string", "project; `job:<name>` for a labelling job that belongs to none"),
        Column("member_id", "string", "member; `worker:<key>` for a worker nobody has resolved"),
        Column("day", "date", "UTC day of the event"),
        Column("tasks_submitted", "bigint", "tasks handed in"),
        Column("tasks_returned", "bigint", "tasks given back unfinished"),
        Column("tasks_declined", "bigint", "tasks refused"),
        Column("tasks_accepted", "bigint", "events that only say a task was taken"),
        Column("tasks_other", "bigint", "events of a type PRISM does not know"),
        Column("wall_seconds", "bigint", "submitted minus accepted, over submitted tasks"),
        Column("active_seconds", "bigint", "time spent as the labelling tool measured it; null when unknown"),
        Column("active_tasks", "bigint", "submitted tasks whose active time is known"),
        Column("median_handle_seconds", "double", "median wall seconds of a submitted task"),
        Column("mean_handle_seconds", "double", "mean wall seconds of a submitted task"),
        Column("tasks_per_hour", "double", "submitted tasks per wall hour; null without wall time"),
        Column("worker_resolved", "boolean", "whether member_id is a member"),
        Column("project_resolved", "boolean", "whether project_id is a project"),
    ),
)

LAKE_TABLES: Mapping[str, LakeTable] = MappingProxyType({table.name: table for table in (THROUGHPUT,)})
