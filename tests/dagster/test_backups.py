"""The check that notices a table which lost half of its items."""

from datetime import UTC, datetime, timedelta

from prism_assets.lake.backups import shrunk_tables
from prism_core.backups import BackupManifest, TableBackup, new_backup_id

MONDAY = datetime(2026, 1, 5, 2, 15, tzinfo=UTC)


def backup(day: int, **items: int) -> BackupManifest:
    at = MONDAY + timedelta(day)
    return BackupManifest(
        backup_id=new_backup_id(at, b"abc"),
        name_prefix="prism",
        began=at,
        log_began=at,
        ended=at,
        tables={name: TableBackup(items=count, parts=()) for name, count in items.items()},
    )


def test_a_table_that_lost_half_of_its_items_is_named_with_both_counts() -> None:
    before = backup(0, members=100, projects=40, bugs=19, allocations=60, workers=20)
    after = backup(1, members=49, projects=20, bugs=0, allocations=70)

    assert shrunk_tables([before, after]) == {"members": (100, 49), "workers": (20, 0)}


def test_one_backup_is_compared_with_nothing() -> None:
    assert shrunk_tables([backup(0, members=100)]) == {}
