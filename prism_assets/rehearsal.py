"""What materialising would change of published figures, before anything is written.

Belongs here: which assets can be rehearsed, and handing what one would be to those that are built on it. Does not
belong here: Dagster: a rehearsal is no run, so no partition turns green for it, and nothing can be written.
"""

from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from typing import Final

from prism_assets.allocation.computing import UtilisationComputation
from prism_assets.quality.computing import QualityComputation
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import Comparison, Intent
from prism_assets.throughput.publish import KeptWeek, RehearsedWeek, read_for, rehearse_week
from prism_core.calendar import Week

# In the order in which they are built on one another.
REHEARSED: Final = ("throughput", "quality_scores", "utilisation")


def rehearse(
    prism: PrismResource, assets: Container[str], weeks: Sequence[Week], now: datetime, intent: Intent
) -> Iterator[tuple[str, Comparison | KeptWeek]]:
    """Each of the assets with its comparison, week by week.

    Utilisation is rehearsed on the throughput that was rehearsed before it, else on what is published.
    """
    work = read_for(prism, weeks) if "throughput" in assets else None
    scores = QualityComputation(prism, weeks, now) if "quality_scores" in assets else None
    hours = UtilisationComputation(prism, weeks, now) if "utilisation" in assets else None
    for week in weeks:
        below: RehearsedWeek | None = None
        if work is not None:
            done = rehearse_week(prism, work, week, now, intent)
            below = None if isinstance(done, KeptWeek) else done
            yield "throughput", done if isinstance(done, KeptWeek) else done.comparison
        if scores is not None:
            yield "quality_scores", scores.week(week).rehearse(prism, now, intent)
        if hours is not None:
            yield "utilisation", hours.week(week, below).rehearse(prism, now, intent)
