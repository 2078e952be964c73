"""An evaluation counts what was missed, alarms of nothing, figures of no fact and what code had to write."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prism_core.campaign.metrics import Metric
from prism_core.campaign.planted import Planted, planted_ads
from prism_core.reports.content import Fallback
from prism_core.reports.grounding import ungrounded
from prism_core.reports.plain_text import plain_text
from prism_resources.writing.evaluation import evaluated, together
from prism_resources.writing.passes import Unusable


class Silent:
    """A model that answers nothing."""

    model = "silent"

    def ask(self, step: str, system: str, turns: list[tuple[str, str]], schema: Mapping[str, Any]) -> str:
        assert (step, bool(system), len(turns), bool(schema)) == ("read", True, 1, True)
        raise Unusable(Fallback.UNREACHABLE, "nobody is there")


def test_misses_false_alarms_figures_of_no_fact_and_fallbacks_are_counted_each_for_itself() -> None:
    noise, broken = planted_ads(1, Planted.NOISE), planted_ads(2, Planted.FORMS_BROKE)
    right = evaluated(broken, Silent())
    missed = evaluated(replace(noise, planted=Planted.FORMS_BROKE), Silent())
    false = evaluated(replace(broken, planted=Planted.NOISE), Silent())
    altered = plain_text(right.content) + "77.77"
    wrong = replace(evaluated(noise, Silent()), ungrounded=ungrounded(right.content, altered))

    found = together([right, missed, false, wrong])

    assert (right.missed, right.false_alarms, right.ungrounded) == (frozenset(), frozenset(), ())
    assert missed.missed == {Metric.LEADS}
    assert Metric.LEADS in false.false_alarms
    assert (found.weeks, found.planted, found.missed, found.false_alarms) == (4, 2, 1, 1)
    assert found.ungrounded == 1
    assert found.fallbacks == {Fallback.UNREACHABLE.value: 4}
