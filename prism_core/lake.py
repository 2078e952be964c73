"""What lies in the lake, and where.

Belongs here: key layout, and what a table of the lake is made of. Does not belong here: the tables themselves
(lake_tables.py) and reading and writing (prism_resources/lake.py).
"""

from dataclasses import dataclass
from typing import Literal

from prism_core.calendar import Week

# Types by their Athena (Hive) names.
ColumnType = Literal["string", "bigint", "double", "boolean", "date", "timestamp"]

# What a partition `week=W` holds (ADR 0010).
#   register: the items as they stood at the end of W; of the running week, as they stand now
#   weekly:   the items of W as they stood at the end of W; those recorded only after it, as they stand now
#   fact:     the rows of W in their newest state
#   log:      the changes made in W
#   own:      computed by an asset of its own, not exported
Kind = Literal["register", "weekly", "fact", "log", "own"]

RAW_EXPIRY_DAYS = 90
RESTATEMENTS_ROOT = "lake/_restatements/"
PARQUET_ROOT = "lake/parquet/"
# Files on their way in or out: what a person uploaded, exports to be fetched, the rows and results of jobs.
UPLOADS, EXPORTS, JOBS = "uploads/", "exports/", "jobs/"
PASSING_EXPIRY_DAYS = 7
# Who was given which rows as a file.
AUDIT_EXPORTS = "audit/exports/"
AUDIT_EXPIRY_DAYS = 400
# Stored plans, what each was asked for, and the rows of publications.
PLANS, WISHES, PUBLICATIONS = "plans/", "plans/wishes/", "plans/publications/"
# Reports that are made, by kind and week (prism_resources/reports/shelf.py).
REPORTS = "reports/"
WORKER_ACTIVITY = "worker_activity"
WORKER_RESPONSE = "worker_response"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the lake: what it is called, its type, and what it says with its unit.

    `field` is the field of the model where that is named otherwise. `json`: the text is compact JSON, which stands
    in JSON Lines as the value that it is.
    """

    name: str
    type: ColumnType
    meaning: str
    field: str = ""
    json: bool = False

    @property
    def of_field(self) -> str:
        return self.field or self.name


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table partitioned by ISO week. The partition column `week` is not in the files (Athena's rule)."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    kind: Kind = "own"

    @property
    def exported(self) -> bool:
        """Whether the export writes it, from the operational table of the same name."""
        return self.kind != "own"

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
        return f"{manifests_prefix(self.table)}week={self.week}.json"


def parquet_prefix(table: str) -> str:
    return f"{PARQUET_ROOT}{table}/"


def manifests_prefix(table: str) -> str:
    return f"lake/_manifests/{table}/"


def restatements_prefix(table: str, week: Week) -> str:
    """Where it is written what a published week of a table said before it was replaced."""
    return f"{RESTATEMENTS_ROOT}{table}/week={week}/"


def raw_root(source: str) -> str:
    """Where the untouched input of all weeks lies."""
    return f"raw/{source}/"


def raw_prefix(source: str, week: Week) -> str:
    """Where the untouched input of a week lies; expires after RAW_EXPIRY_DAYS."""
    return f"{raw_root(source)}week={week}/"
