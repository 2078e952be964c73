"""Runs of assets in the process of a test.

Belongs here: one run over a range of weeks, what its checks said, the metadata of a week, items written to tables.
Does not belong here: fixtures (conftest) and what a domain's figures should be.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from prism_assets.definitions import build_definitions
from prism_core.calendar import Week, WeekRange
from prism_core.lake import LakeTable
from prism_core.models.base import Versioned
from prism_core.settings import load_settings
from prism_core.tables import TABLES
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.tables.store import TableStore


def run_assets(
    instance: dg.DagsterInstance, weeks: WeekRange, *assets: str, tags: dict[str, str] | None = None
) -> dg.ExecuteInProcessResult:
    job = build_definitions(load_settings()).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(name) for name in assets],
        raise_on_error=False,
        tags={
            "dagster/asset_partition_range_start": weeks.first.key,
            "dagster/asset_partition_range_end": weeks.last.key,
            **(tags or {}),
        },
    )


def run_checks(instance: dg.DagsterInstance, week: Week, asset: str) -> dg.ExecuteInProcessResult:
    """The checks of an asset alone, over what is published."""
    checks = dg.define_asset_job("checks_alone", selection=dg.AssetSelection.checks_for_assets(dg.AssetKey(asset)))
    merged = dg.Definitions.merge(build_definitions(load_settings()), dg.Definitions(jobs=[checks]))
    return merged.resolve_job_def("checks_alone").execute_in_process(
        instance=instance,
        raise_on_error=False,
        tags={"dagster/asset_partition_range_start": week.key, "dagster/asset_partition_range_end": week.key},
    )


def failed_checks(result: dg.ExecuteInProcessResult) -> set[str]:
    return {one.check_name for one in result.get_asset_check_evaluations() if not one.passed}


def week_metadata(instance: dg.DagsterInstance, asset: str, week: Week) -> dict[str, Any]:
    event = instance.get_latest_data_version_record(dg.AssetKey(asset), partition_key=week.key)
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def lake_rows(table: LakeTable, week: Week) -> list[dict[str, Any]]:
    found = Lake(load_settings()).read_partition(table, week)
    return [] if found is None else found.to_pylist()


def write(table: str, items: Sequence[Versioned], *, now: datetime | None = None) -> None:
    """Items through the store, each with its change entry: created, or replaced at their version."""
    spec, settings = TABLES[table], load_settings()
    store = TableStore(client(settings, "dynamodb"), settings, spec, spec.model)
    for item in items:
        current = store.get(**{part: getattr(item, part) for part in spec.key_parts})
        store.put(
            item,
            expected_version=current.version if isinstance(current, Versioned) else 0,
            actor="test",
            reason="test",
            request_id="test",
            now=now or datetime.now(UTC),
        )
