"""Honest prose passes the gate: what a careful writer says of drawn weeks is hardly ever refused.

The sentences are of no author of this repository's and of another kind than the deterministic ones.
"""

from collections.abc import Iterator

import pytest

from prism_core.campaign.figures import Figures, figures
from prism_core.campaign.indicators import Indicator
from prism_core.campaign.metrics import Metric
from prism_core.campaign.planted import Planted, planted_ads
from prism_core.facts.gate import judge
from prism_core.facts.lexicon import Direction
from prism_core.reports import plain_words
from prism_core.reports.campaign import report
from prism_core.reports.content import Fallback, Provenance, Writer

ADVICE = (
    "Keep budgets and bids as they are until the next report.",
    "Wait for one more week before any budget is moved.",
    "Check whether the forms still send their leads to the customer system.",
    "Open the landing page on a telephone and see that it loads.",
    "Review the creatives that have run longest; refresh them if needed.",
    "Do not change the targeting because of one week.",
    "Nothing is to be decided this week.",
    "Look at {{name:1201}} first, then at {{name:1202}}.",
    "Verify that the pixel fires on each form.",
)


def told(found: Figures) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Sentences that are true of a week, with what they are about."""
    week = found.week.label
    slug = week.lower()
    yield (
        f"In {week} the ads cost {{{{fact:week.{slug}.spend}}}} and brought {{{{fact:week.{slug}.leads}}}} leads.",
        (),
    )
    yield f"The campaigns spent {{{{fact:week.{slug}.spend}}}} this week.", ()
    yield f"A lead cost {{{{fact:week.{slug}.cost_per_lead}}}}: that is the cost per lead.", ()
    yield f"{{{{name:1201}}}} brought {{{{fact:week.{slug}.1201.leads}}}} leads.", ()
    yield f"The ads were shown with {{{{fact:week.{slug}.impressions}}}} impressions.", ()
    yield "The customer system received {{fact:crm.leads}} leads.", ()
    yield f"Leads of the four weeks before were {{{{fact:before.{slug}.leads}}}} on average.", ()
    for metric, one in found.indicators.items():
        if one.unjudged is None:
            yield _way(one, found), (metric.value,)
    if not any(one.alert or one.large for one in found.indicators.values()):
        yield "Nothing asks for action, and no decision is needed.", ()


def _way(one: Indicator, found: Figures) -> str:
    label, change = one.metric.value.replace("_", " "), found.change(one.metric)
    if one.direction is Direction.FLAT:
        return f"The level of {label} was steady against the weeks before."
    went = "higher" if one.direction is Direction.UP else "lower"
    if not one.lasting:
        return f"This week {label} came in {went} ({{{{fact:{change}}}}}); it is not yet a trend."
    return f"Against the last four weeks, {label} moved {went}: {{{{fact:{change}}}}}."


@pytest.mark.parametrize("planted", [pytest.param(one, id=one.value) for one in Planted])
def test_honest_sentences_of_drawn_weeks_pass_but_one_in_twenty(planted: Planted) -> None:
    judged, refused = 0, list[str]()
    for seed in range(8):
        found = figures(planted_ads(seed, planted).inputs)
        for prose, about in told(found):
            judged += 1
            refused += [f"{prose}: {one}" for one in judge(prose, found.scope, about)[:1]]
        calm = not any(one.alert or one.large for one in found.indicators.values())
        for prose in (*ADVICE, *(["No action is needed."] if calm else [])):
            judged += 1
            refused += [f"{prose}: {one}" for one in judge(prose, found.scope, claims=False)[:1]]

    assert len(refused) <= judged / 20, "\n".join(sorted(set(refused)))


@pytest.mark.parametrize("planted", [pytest.param(one, id=one.value) for one in Planted])
def test_what_code_says_of_drawn_weeks_passes(planted: Planted) -> None:
    for seed in range(8):
        found = figures(planted_ads(seed, planted).inputs)

        assert report(found, plain_words.words(found), Provenance(Writer.CODE, Fallback.NO_KEY)).refused() == ()
        assert set(found.indicators) == set(Metric)
