"""A week that was materialised alone, and what is computed from it.

Belongs here: the sensor over materialisations. Where a week's content changed and an asset that reads it was not
part of the run, that asset is asked for, for exactly that week.
Does not belong here: changes by people (changes.py).
"""

import json
from collections.abc import Iterator, Mapping

import dagster as dg

from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_sensors.asking import Asked
from prism_sensors.known import KnownAssets, keys

SECONDS = 60
# A backfill of ten years is 520 materialisations an asset; a tick takes them in turns.
MOST_A_TICK = 1_000
# Said by an asset whose week was computed again without a change.
UNCHANGED = "written"


def restated_sensor(known: KnownAssets) -> dg.SensorDefinition | None:
    """The sensor; None where no weekly asset reads another."""
    parents = [name for name in known.names() if known.is_weekly(name) and known.children(name)]
    targets = sorted({child for name in parents for child in known.children(name)})
    if not targets:
        return None

    @dg.sensor(
        name="restated_weeks",
        asset_selection=dg.AssetSelection.assets(*keys(known.with_downstream(*targets))),
        minimum_interval_seconds=SECONDS,
        description=(
            "A week was materialised and its content changed, but assets that read it were not part of that run: "
            "they are, for exactly that week."
        ),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext, prism: PrismResource) -> dg.SensorResult:
        seen, asked = _read_cursor(context.cursor), Asked()
        for name in parents:
            if name not in seen:  # the first tick, or an asset that is new: what was before is no news
                seen[name] = _newest(context.instance, name)
                continue
            for record in _after(context.instance, name, seen[name]):
                seen[name] = record.storage_id
                week, left = _changed_week(record), _left_out(context.instance, known, name, record.run_id)
                if week is not None and left:
                    asked.add([week], known.with_downstream(*left), f"{name} of run {record.run_id}")
        requests = list(asked.requests(prism.weeks(), tags=NO_RUN_RETRY))
        return dg.SensorResult(
            run_requests=requests,
            cursor=json.dumps(seen),
            skip_reason=None if requests else "no week changed without what is computed from it",
        )

    return sensor


def _read_cursor(text: str | None) -> dict[str, int]:
    try:
        found = json.loads(text) if text else {}
    except ValueError as error:
        raise PermanentFailure(f"the cursor {text!r:.80} is damaged; reset it in Dagster") from error
    return dict(found)


def _newest(instance: dg.DagsterInstance, name: str) -> int:
    found = instance.fetch_materializations(dg.AssetKey(name), limit=1, ascending=False)
    return found.records[0].storage_id if found.records else -1


def _after(instance: dg.DagsterInstance, name: str, storage_id: int) -> Iterator[dg.EventLogRecord]:
    wanted = dg.AssetRecordsFilter(dg.AssetKey(name), after_storage_id=storage_id)
    return iter(instance.fetch_materializations(wanted, limit=MOST_A_TICK, ascending=True).records)


def _left_out(instance: dg.DagsterInstance, known: KnownAssets, name: str, run_id: str) -> list[str]:
    """The assets that read this one and were not part of the run; a run without a selection has them all."""
    run = instance.get_run_by_id(run_id) if run_id else None
    if run is not None and run.asset_selection is None:
        return []
    selected = set[dg.AssetKey]() if run is None else run.asset_selection or set[dg.AssetKey]()
    return [child for child in known.children(name) if dg.AssetKey(child) not in selected]


def _changed_week(record: dg.EventLogRecord) -> Week | None:
    """The week that a materialisation changed."""
    said = record.asset_materialization
    if said is None or said.partition is None:
        return None
    metadata: Mapping[str, dg.MetadataValue] = said.metadata
    written = metadata.get(UNCHANGED)
    return None if written is not None and written.value is False else Week.parse(said.partition)
