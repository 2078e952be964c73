"""Restatements within a run over many weeks.

Belongs here: going on behind a week that is refused, and what a materialisation shows of its restatement.
Does not belong here: judging a week (gate.py).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg

from prism_assets.restatements.gate import ANEW_TAG, BECAUSE_TAG, Guarded, Intent, Refused
from prism_core.calendar import Week


def intent_of(context: dg.AssetExecutionContext) -> Intent:
    """What the tags of the run say."""
    return Intent(context.run.tags.get(BECAUSE_TAG), context.run.tags.get(ANEW_TAG))


class PublishedWeeks:
    """The weeks of a run that were published, and those that were refused."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._context = context
        self._refused: dict[Week, Refused] = {}
        self._published: dict[Week, Mapping[str, Any]] = {}

    @contextmanager
    def refusals(self, week: Week) -> Iterator[None]:
        """Around one week: a refusal of it waits until the others are published."""
        try:
            yield
        except Refused as refusal:
            self._refused[week] = refusal
            self._context.log.warning("%s", refusal)  # the run fails with it at its end

    def published(self, week: Week, metadata: Mapping[str, Any]) -> None:
        """The week is what people read from now on."""
        self._published[week] = metadata
        self._context.add_asset_metadata(metadata, partition_key=week.key)

    def report(self) -> None:
        """Say one by one what was published, where Dagster will not."""
        for week, metadata in self._published.items():
            self._context.log_event(
                dg.AssetMaterialization(self._context.asset_key, metadata=metadata, partition=week.key)
            )

    def require_none_refused(self) -> None:
        """Raises Refused when a week was."""
        if self._refused:
            raise Refused(" · ".join(str(self._refused[week]) for week in sorted(self._refused)))


@contextmanager
def publishing(context: dg.AssetExecutionContext) -> Iterator[PublishedWeeks]:
    """Around the weeks of a run: refused ones fail it at its end.

    A step that fails materialises nothing in Dagster, however many weeks it published: whatever ends it, these are
    reported, so that what is computed from them is asked for.
    """
    weeks = PublishedWeeks(context)
    try:
        yield weeks
        weeks.require_none_refused()
    except BaseException:
        weeks.report()
        raise


def restatement_metadata(guarded: Guarded) -> dict[str, object]:
    """What a materialisation shows of the published figures that it changed; nothing when it changed none."""
    if not guarded.restated:
        return {}
    comparison = guarded.comparison
    causes = {cause.value: figures for cause, figures in comparison.causes.items()}
    facts: dict[str, object] = {
        "restated_figures": guarded.restated,
        "restated_total": str(comparison.move),
        "restated_causes": dg.MetadataValue.json(causes),
    }
    if comparison.intent.because is not None:
        facts["restated_because"] = comparison.intent.because
    return facts
