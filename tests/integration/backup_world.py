"""Tables, bucket and keys under a name of their own in the shared emulator, to back up, break and restore."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from infra.deploy import local_origins, parameters, stack_name, template
from infra.local.platform import Platform
from infra.packaging.libraries import Arch
from infra.stacks import Stack
from prism_core.backups import BACKED_UP, BackupManifest, RestoredSet, chosen_tables
from prism_core.calendar import Week
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Project
from prism_core.models.work import ThroughputWeek
from prism_core.settings import Settings
from prism_core.tables import MEMBERS, TABLES, THROUGHPUT, TableSpec
from prism_resources.aws import client
from prism_resources.backup.catalog import Listed, listed, usable
from prism_resources.backup.restoring import Restore, source_of
from prism_resources.backup.taking import take_backup
from prism_resources.lake import Lake
from prism_resources.tables.bulk import scan_pages
from prism_resources.tables.generations import Generations
from prism_resources.tables.store import TableStore

MONDAY = datetime(2026, 1, 5, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Every test restores before this instant.
WEDNESDAY = MONDAY + 48 * HOUR
RETENTION_DAYS = 35
WEEK = Week.parse("2026-W01")
_numbers = count()

Items = dict[str, dict[str, Any]]


class World:
    """A platform's data stack of its own."""

    def __init__(self, platform: Platform) -> None:
        prefix = f"b{os.getpid()}-{next(_numbers)}"
        self.settings = Settings.model_validate(platform.settings.model_dump() | {"name_prefix": prefix})
        origins = local_origins(self.settings)
        stack = Stack(self.settings, stack_name(self.settings, "data"))
        change = stack.propose(template("data"), parameters(self.settings, WEEK, origins, Arch.ARM64))
        assert change is not None
        stack.apply(change)
        self.lake, self.dynamodb = Lake(self.settings), client(self.settings, "dynamodb")

    # -- writing -----------------------------------------------------------------------------------------

    def store(self, spec: TableSpec) -> TableStore[Any]:
        return TableStore(self.dynamodb, self.settings, spec, spec.model)

    def put(self, spec: TableSpec, item: Any, at: datetime, version: int = 0) -> Any:
        return self.store(spec).put(item, expected_version=version, **_by(at))

    def delete(self, spec: TableSpec, item: Any, at: datetime) -> None:
        self.store(spec).delete(item, expected_version=item.version, **_by(at))

    def publish(self, at: datetime, *members: str, tasks: int = 1, week: Week = WEEK) -> None:
        generations = Generations(self.dynamodb, self.settings, THROUGHPUT, ThroughputWeek)
        generations.replace(week, [fact(one, tasks, week) for one in members], now=at)

    # -- backups -----------------------------------------------------------------------------------------

    def backup(self, at: datetime, **options: Any) -> BackupManifest:
        return take_backup(self.dynamodb, self.settings, self.lake, clock=lambda: at, **options)

    def backups(self) -> list[BackupManifest]:
        return usable(self.listed())

    def listed(self, backups: list[BackupManifest] | None = None) -> list[Listed]:
        """What is there, or those that are named."""
        if backups is not None:
            return [Listed(one.backup_id, one) for one in backups]
        return listed(self.lake, now=WEDNESDAY, retention_days=RETENTION_DAYS)

    def restore(
        self, at: datetime, *names: str, live_log: bool = True, backups: list[BackupManifest] | None = None
    ) -> RestoredSet:
        source = source_of(self.listed(backups), at, now=WEDNESDAY, live_log=live_log)
        restore = Restore(self.dynamodb, self.settings, self.lake, clock=lambda: WEDNESDAY)
        return restore.run(source, at, chosen_tables(names))

    # -- what is there -----------------------------------------------------------------------------------

    def items(self, spec: TableSpec) -> Items:
        """What stands in a table, by key, as the service answers it."""
        return self._items(self.settings.table_name(spec.name), spec)

    def all_items(self) -> dict[str, Items]:
        return {name: self.items(spec) for name, spec in BACKED_UP.items()}

    def restored(self, done: RestoredSet, spec: TableSpec) -> Items:
        return self._items(f"{done.name}-{spec.name}", spec)

    def all_restored(self, done: RestoredSet) -> dict[str, Items]:
        return {name: self.restored(done, TABLES[name]) for name in done.tables}

    def names(self, done: RestoredSet) -> dict[str, str]:
        """Members of a restored set and what they are called."""
        return {item["member_id"]["S"]: item["name"]["S"] for item in self.restored(done, MEMBERS).values()}

    def _items(self, table: str, spec: TableSpec) -> Items:
        found: Iterator[Any] = (item for page in scan_pages(self.dynamodb, table, 1) for item in page)
        return {json.dumps([item[a.name]["S"] for a in spec.key_attributes]): dict(item) for item in found}


def _by(at: datetime) -> dict[str, Any]:
    return {"actor": "lead-1", "reason": "", "request_id": f"r-{at.isoformat()}", "now": at}


def member(member_id: str, name: str, **fields: Any) -> Member:
    return Member.model_validate(
        {"member_id": member_id, "name": name, "email": f"{name}@example.org", "time_zone": "UTC"} | fields
    )


def project(project_id: str, hours: str) -> Project:
    return Project.model_validate(
        {"project_id": project_id, "name": project_id, "category": "text", "demand_hours": hours}
    )


def time_off(member_id: str, reason: str, day: str = "2026-01-05", **fields: Any) -> Availability:
    return Availability.model_validate(
        {"member_id": member_id, "date": day, "hours_off": "8", "reason": reason} | fields
    )


def fact(member_id: str, tasks: int, week: Week) -> ThroughputWeek:
    return ThroughputWeek.model_validate(
        {
            "project_id": "P-1",
            "week": week,
            "member_id": member_id,
            "days": [{"day": week.monday, "tasks_submitted": tasks, "tasks_per_hour": "6.50"}],
            "worker_resolved": True,
            "project_resolved": True,
        }
    )
