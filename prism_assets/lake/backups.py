"""Backups of the operational tables, one a day.

Belongs here: the asset, and the two checks that read the newest backup. Does not belong here: what a backup is
(prism_core/backups.py) and taking one (prism_resources/backup).
No partitions: a backup is of the moment it is made in, and of no week; a backfill cannot make one of the past.
"""

import base64
from datetime import timedelta
from typing import Any

import dagster as dg

from prism_assets.operational import reads
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core import clock
from prism_core.backups import BACKED_UP, BackupManifest
from prism_core.charts import bar_chart
from prism_core.lake_tables import EXPORTED
from prism_resources.aws import client
from prism_resources.backup.catalog import Listed, listed, verify
from prism_resources.backup.taking import take_backup

GROUP = "lake"
OWNERS = ["team:data-engineering"]
# A day, and half of one to notice: who restores loses at most what the change log does not have.
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36), warn_window=timedelta(hours=26))
# A table of fewer items shrinks by chance.
SHRINKS_FROM_ITEMS = 20
SHRINKS_TO_SHARE = 0.5
# Bars of the picture: a month of backups.
SHOWN = 31


def backup_assets() -> list[dg.AssetsDefinition]:
    """`backups`."""

    @dg.asset(
        name="backups",
        deps=reads(*EXPORTED),
        group_name=GROUP,
        owners=OWNERS,
        pool="backups",
        kinds={"dynamodb", "s3"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS,
        description=(
            "A backup of every operational table as of now, in `backups/` of the lake bucket, personal values "
            "sealed with the key of their person. `prism restore --at INSTANT` makes tables of it and of the "
            "change log."
        ),
    )
    def backups(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            settings, lake = prism.settings(), prism.lake()

            def progress(table: str, items: int) -> None:
                if not items:
                    context.log.info("reading %s", table)

            made = take_backup(client(settings, "dynamodb"), settings, lake, clock=clock.now, progress=progress)
            context.add_asset_metadata(_metadata(made, _counting(_listed(prism))))
            context.log.info("backup %s: %d items", made.backup_id, made.items)

    return [backups]


def backup_checks() -> list[dg.AssetChecksDefinition]:
    """`backup_readable` and `no_table_shrank`."""

    @dg.asset_check(
        asset="backups",
        name="backup_readable",
        description=(
            "The newest backup holds every table, each of its parts reads back as it was written, and no other "
            "backup is damaged."
        ),
        retry_policy=RETRIES,
    )
    def backup_readable(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            found = _listed(prism)
            newest = max(_counting(found), key=lambda one: one.ended, default=None)
            if newest is None:
                return dg.AssetCheckResult(passed=False, description="there is no backup that counts")
            items = verify(prism.lake(), newest)
            missing = sorted(BACKED_UP.keys() - newest.tables.keys())
            damaged = {one.backup_id: one.problem for one in found if one.damaged}
        says = [f"{newest.backup_id}: {items:,} items read back"]
        says += [f"it lacks {', '.join(missing)}"] if missing else []
        says += [f"{backup_id} is damaged" for backup_id in damaged]
        return dg.AssetCheckResult(
            passed=not missing and not damaged,
            description="; ".join(says),
            metadata={
                "items": items,
                "bytes": newest.size,
                "missing_tables": missing,
                "damaged_backups": dg.MetadataValue.json(damaged),
            },
        )

    @dg.asset_check(
        asset="backups",
        name="no_table_shrank",
        description="No table has lost half of its items since the backup before.",
        retry_policy=RETRIES,
    )
    def no_table_shrank(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            shrunk = shrunk_tables(_counting(_listed(prism))[-2:])
        says = ", ".join(f"{name} {old:,} to {new:,}" for name, (old, new) in shrunk.items())
        return dg.AssetCheckResult(
            passed=not shrunk,
            severity=dg.AssetCheckSeverity.WARN,
            description=says or "no table has lost half of its items",
            metadata={"shrunk": dg.MetadataValue.json({name: list(counts) for name, counts in shrunk.items()})},
        )

    return [backup_readable, no_table_shrank]


def shrunk_tables(backups: list[BackupManifest]) -> dict[str, tuple[int, int]]:
    """Tables that lost half of their items between the two, with both counts."""
    if len(backups) < 2:
        return {}
    before, after = backups
    counts = {
        name: (one.items, after.tables[name].items if name in after.tables else 0)
        for name, one in before.tables.items()
    }
    return {
        name: (old, new)
        for name, (old, new) in counts.items()
        if old >= SHRINKS_FROM_ITEMS and new < old * SHRINKS_TO_SHARE
    }


def _listed(prism: PrismResource) -> list[Listed]:
    return listed(prism.lake(), now=clock.now(), retention_days=prism.settings().backup_retention_days)


def _counting(found: list[Listed]) -> list[BackupManifest]:
    """The backups that count, oldest first; one that is damaged is a check's matter, not the next backup's."""
    whole = [one.manifest for one in found if one.manifest is not None]
    return sorted(whole, key=lambda one: (one.ended, one.backup_id))


def _metadata(made: BackupManifest, backups: list[BackupManifest]) -> dict[str, Any]:
    sizes = [(f"{one.began:%d %b %H:%M}", one.items) for one in backups[-SHOWN:]]
    picture = base64.b64encode(bar_chart("Items in each backup", sizes).encode()).decode()
    return {
        "backup": made.backup_id,
        "dagster/row_count": made.items,
        "bytes": made.size,
        "parts": sum(len(one.parts) for one in made.tables.values()),
        "tables": dg.MetadataValue.json({name: one.items for name, one in made.tables.items()}),
        "seconds": (made.ended - made.began).total_seconds(),
        "kept_backups": len(backups),
        "items_by_backup": dg.MetadataValue.md(f"![Items in each backup](data:image/svg+xml;base64,{picture})"),
    }
