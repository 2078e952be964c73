"""Images, looked after every hour.

Belongs here: the reconciliation and the sample of drift as assets, with their checks. Does not belong here: what
is wrong with an image (prism_core/media/reconciling.py).
No partitions: an image belongs to no week.
"""

from datetime import timedelta
from typing import Any, Final

import dagster as dg

from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core import clock
from prism_core.media.reconciling import Trouble
from prism_resources.events.queue import EventQueue
from prism_resources.media.reconciling import DEAD_QUEUE, Drifted, Reconciling

GROUP: Final = "media"
OWNERS: Final = ["team:data-engineering"]
RECONCILIATION, DRIFT = "image_reconciliation", "image_model_drift"
FRESHNESS: Final = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=4), warn_window=timedelta(hours=2, minutes=30)
)
SAMPLE: Final = 10
_HELPLESS: Final = (Trouble.HOPELESS, Trouble.DELETED, Trouble.UNREADABLE, Trouble.UNDRAWN)


def media_assets() -> list[dg.AssetsDefinition]:
    """`image_reconciliation` and `image_model_drift`."""

    @dg.asset(
        name=RECONCILIATION,
        pool=RECONCILIATION,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"dynamodb", "s3", "sqs"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS,
        description=(
            "Rows of images beside their files: what was never analysed or got stuck is driven again, what lost "
            "its file says so, and a file that belongs to no image for a day is deleted; its versions stay. "
            "Public copies that were lost are drawn again, and those that no article shows are deleted."
        ),
    )
    def image_reconciliation(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            done = Reconciling(prism.settings()).reconcile(clock.now())
            context.add_asset_metadata(
                {
                    "dagster/row_count": done.images,
                    "originals": done.objects,
                    "driven_again": done.driven,
                    "marked_gone": done.marked,
                    "given_up": done.given_up,
                    "removed": done.removed,
                    "drawn_again": done.drawn,
                    "dead_letters": done.dead,
                    "troubles": dg.MetadataValue.json(done.counts),
                    "images": dg.MetadataValue.json({name: kind.value for name, kind in done.troubles.items()}),
                }
            )
            for words in done.words.values():
                context.log.warning(words)
            context.log.info("%d images, %d in trouble", done.images, len(done.troubles))

    @dg.asset(
        name=DRIFT,
        pool=DRIFT,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"rekognition"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        description=(
            f"The {SAMPLE} newest images before the analyser as it is today, beside what is stored: which "
            "labels came, went or moved. No row changes, and each run costs the questions."
        ),
    )
    def image_model_drift(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent():
            found = Reconciling(prism.settings()).sample(SAMPLE)
            models = sorted({one.after.moderation_model for one in found})
            context.add_asset_metadata(
                {
                    "dagster/row_count": len(found),
                    "drifted": sum(bool(one.labels) for one in found),
                    "models": dg.MetadataValue.json(models),
                    "drift": dg.MetadataValue.md(drift_table(found)),
                }
            )

    return [image_reconciliation, image_model_drift]


def media_checks() -> list[dg.AssetChecksDefinition]:
    """`images_settled` and `drift_small`."""

    @dg.asset_check(
        asset=RECONCILIATION,
        name="images_settled",
        retry_policy=RETRIES,
        description=(
            "No image waits for a person: none was begun too often, lost its file, is unreadable or lacks public "
            "copies, no message is dead."
        ),
    )
    def images_settled(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            waiting = EventQueue(prism.settings(), DEAD_QUEUE).waiting()
        said = _last_troubles(context)
        helpless = {kind.value: said.get(kind.value, 0) for kind in _HELPLESS}
        words = ", ".join(f"{count} {kind}" for kind, count in helpless.items() if count)
        return dg.AssetCheckResult(
            passed=not waiting and not words,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{words or 'no image'} waits for a person, {waiting} messages are dead",
        )

    @dg.asset_check(
        asset=DRIFT,
        name="drift_small",
        retry_policy=RETRIES,
        description="No sampled image would be labelled otherwise by the model of today.",
    )
    def drift_small(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        event = context.instance.get_latest_materialization_event(dg.AssetKey(DRIFT))
        found = None if event is None else event.asset_materialization
        drifted = 0 if found is None else int(str(found.metadata["drifted"].value))
        return dg.AssetCheckResult(
            passed=not drifted,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{drifted} sampled images are labelled otherwise by the model of today",
        )

    return [images_settled, drift_small]


def _last_troubles(context: dg.AssetCheckExecutionContext) -> dict[str, int]:
    event = context.instance.get_latest_materialization_event(dg.AssetKey(RECONCILIATION))
    found = None if event is None else event.asset_materialization
    counts: Any = {} if found is None else found.metadata["troubles"].value
    return dict(counts)


def drift_table(found: list[Drifted]) -> str:
    """A row for each label that moved."""
    lines = ["| image | label | stored % | today % |", "|---|---|--:|--:|"]
    for one in found:
        for label in one.labels:
            before, after = (("-" if p is None else f"{p:.1f}") for p in (label.before, label.after))
            lines.append(f"| {one.image.article_id}/{one.image.image_id} | {label.name} | {before} | {after} |")
    return "\n".join(lines)
