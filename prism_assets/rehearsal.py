"""What materialising would change of published figures, before anything is written.

Belongs here: which assets can be rehearsed, and how. Does not belong here: Dagster: a rehearsal is no run, so no
partition turns green for it, and nothing that a run writes can be written.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from prism_assets.allocation.computing import UtilisationComputation
from prism_assets.quality.computing import QualityComputation
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import Comparison, Intent
from prism_assets.throughput.publish import KeptWeek, read_for, rehearse_week
from prism_core.calendar import Week

Rehearse = Callable[[PrismResource, Sequence[Week], datetime, Intent], Iterator[Comparison | KeptWeek]]


def _throughput(
    prism: PrismResource, weeks: Sequence[Week], now: datetime, intent: Intent
) -> Iterator[Comparison | KeptWeek]:
    reading = read_for(prism, weeks)
    return (rehearse_week(prism, reading, week, now, intent) for week in weeks)


def _quality_scores(
    prism: PrismResource, weeks: Sequence[Week], now: datetime, intent: Intent
) -> Iterator[Comparison]:
    computation = QualityComputation(prism, weeks, now)
    return (computation.week(week).rehearse(prism, now, intent) for week in weeks)


def _utilisation(
    prism: PrismResource, weeks: Sequence[Week], now: datetime, intent: Intent
) -> Iterator[Comparison]:
    computation = UtilisationComputation(prism, weeks, now)
    return (computation.week(week).rehearse(prism, now, intent) for week in weeks)


# By asset, in the order in which they are built on one another. Each is rehearsed on what the others published.
REHEARSALS: Mapping[str, Rehearse] = {
    "throughput": _throughput,
    "quality_scores": _quality_scores,
    "utilisation": _utilisation,
}
