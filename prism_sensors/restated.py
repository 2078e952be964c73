"""A week that was published anew, and what is computed from it.

Belongs here: the sensor over ended runs. Where a run changed the content of a week and did not materialise an
asset that reads it, that asset is asked for, for exactly that week: whether it was no part of the run, was skipped
because something failed, or the process died before it.
Does not belong here: changes by people (changes.py).
"""

from collections.abc import Iterator

import dagster as dg

from prism_assets.computed import GENERATION
from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY
from prism_core.calendar import Week
from prism_sensors.asking import Asked
from prism_sensors.ended import ended_since
from prism_sensors.known import KnownAssets, keys
from prism_sensors.run_events import NO_WEEK, RunEvents

SECONDS = 60
# A week that was materialised more often since a run ended counts as changed by it.
MOST_SINCE = 50


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
            "A run has ended that changed the content of a week, but did not materialise the assets that read it: "
            "they are, for exactly that week."
        ),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext, prism: PrismResource) -> dg.SensorResult:
        ended, asked = ended_since(context.instance, context.cursor), Asked()
        for run in ended.runs:
            events = RunEvents(context.instance, run)
            for name in parents:
                for week, left in _left_out(context.instance, known, events, name):
                    asked.add([week], known.with_downstream(*left), f"{name} of run {run.run_id}")
        requests = list(asked.requests(prism.weeks(), tags=NO_RUN_RETRY))
        return dg.SensorResult(
            run_requests=requests,
            cursor=ended.cursor(),
            skip_reason=None if requests else "no week changed without what is computed from it",
        )

    return sensor


def _left_out(
    instance: dg.DagsterInstance, known: KnownAssets, events: RunEvents, name: str
) -> Iterator[tuple[Week, list[str]]]:
    """The weeks that a run changed of an asset, and the assets reading it that did not materialise them.

    One that failed of itself is none of them: that is mailed, and asking again would fail again. Nor is anything
    asked for in a week that a blocking check found wrong.
    """
    children = [child for child in known.children(name) if child not in events.failed]
    blocked = events.blocked.get(name, set())
    for label, metadata in events.materialised.get(name, {}).items():
        left = [child for child in children if label not in events.materialised.get(child, {})]
        if not left or label in blocked or label == NO_WEEK:
            continue
        week, generation = Week.parse(label), metadata.get(GENERATION)
        if generation is None or generation != _generation_before(instance, name, week, events.run.run_id):
            yield week, left


def _generation_before(instance: dg.DagsterInstance, name: str, week: Week, run_id: str) -> object:
    """The content of the week at the last materialisation before the run; None where nobody knows.

    Judged by the generation, not by whether the run wrote: one that was killed may have written before it. Places
    in the log of a run and in that of an asset are counted apart, so the run is found by its id.
    """
    wanted = dg.AssetRecordsFilter(dg.AssetKey(name), asset_partitions=[week.key])
    records = instance.fetch_materializations(wanted, limit=MOST_SINCE, ascending=False).records
    mine = [place for place, record in enumerate(records) if record.run_id == run_id]
    before = records[mine[-1] + 1 : mine[-1] + 2] if mine else []
    said = before[0].asset_materialization if before else None
    known = None if said is None else said.metadata.get(GENERATION)
    return None if known is None else known.value
