"""How good a model's reports are: weeks told by it, of most of which is known what happened, and what was wrong.

Belongs here: one week told on the way that every report goes, and the sums over many. Does not belong here:
drawing weeks (prism_core/campaign/planted.py), and models that lie (infra/local/standins).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from prism_core.campaign.figures import Figures, figures
from prism_core.campaign.metrics import Metric
from prism_core.campaign.planted import Planted, PlantedAds
from prism_core.reports import plain_words
from prism_core.reports.campaign import report
from prism_core.reports.content import Provenance, ReportContent
from prism_core.reports.grounding import ungrounded
from prism_core.reports.plain_text import plain_text
from prism_core.reports.wording import subject
from prism_resources.writing.passes import Asked, write


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A report as it would be mailed. `planted` is None of a real week, of which nobody knows what happened.

    `missed` was planted and is no alert in it, `false_alarms` the reverse. `ungrounded`: figures of its text that
    are none of its facts, and what the gate has against it. `reasons`: why words of the model were refused.
    """

    content: ReportContent
    reasons: tuple[str, ...]
    repaired: bool
    ungrounded: tuple[str, ...]
    planted: Planted | None = None
    missed: frozenset[Metric] = frozenset()
    false_alarms: frozenset[Metric] = frozenset()

    @property
    def by(self) -> Provenance:
        """Who wrote it."""
        return self.content.provenance


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Sums over weeks: one in which something was missed, or alarmed falsely, counts once.

    `fallbacks`: how many code had to write, by the reason that the report says.
    """

    weeks: int
    planted: int
    missed: int
    false_alarms: int
    ungrounded: int
    repaired: int
    fallbacks: dict[str, int]


def evaluated(ads: PlantedAds, model: Asked) -> Evaluated:
    """Tell the last of some weeks of which is known what happened."""
    found = figures(ads.inputs)
    one = told(found, model, synthetic=True)
    said = {statement.prose for statement in one.content.headline}
    alerts = {
        metric
        for metric, indicator in found.indicators.items()
        if indicator.alert and plain_words.direction(indicator, found).prose in said
    }
    missed, false = ads.effect.must - alerts, alerts - ads.effect.must - ads.effect.may
    return Evaluated(one.content, one.reasons, one.repaired, one.ungrounded, ads.planted, missed, frozenset(false))


def told(found: Figures, model: Asked, *, synthetic: bool = False) -> Evaluated:
    """Tell a week, and look at what would be mailed."""
    written = write(found, model, lambda _: None)
    content = report(found, written.words, written.provenance, synthetic=synthetic)
    against = tuple(f"{one.offence.value}: {one.found}" for one in content.refused())
    figures_of_none = ungrounded(content, f"{subject(content)}\n{plain_text(content)}")
    return Evaluated(content, written.reasons, written.repaired, (*figures_of_none, *against))


def together(found: Iterable[Evaluated]) -> Evaluation:
    """The sums."""
    every = list(found)
    return Evaluation(
        len(every),
        sum(one.planted not in {None, Planted.NOISE} for one in every),
        sum(bool(one.missed) for one in every),
        sum(bool(one.false_alarms) for one in every),
        sum(len(one.ungrounded) for one in every),
        sum(one.repaired for one in every),
        dict(Counter(one.by.fallback.value for one in every if one.by.fallback)),
    )
