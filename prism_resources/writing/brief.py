"""What a model reads of a week, and what tells two states of its figures apart.

Belongs here: which facts and names, their form and their bound. Does not belong here: figures
(prism_core/campaign), the passes and the prompt (passes.py).
200 campaigns have 8,000 facts over five weeks: 1.2 MB that no model reads with care and somebody pays for three
times. A model reads of the campaigns that the readers' table shows, and of the others what they came to together.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from prism_core.campaign.figures import MOST_CAMPAIGNS, Figures, by_spend
from prism_core.campaign.metrics import Metric
from prism_core.campaign.places import is_of_an_ad_set
from prism_core.facts.ledger import Fact

# No brief is longer, of whatever account: about 32,000 tokens at three characters each.
MOST_CHARACTERS: Final = 96_000
# How many campaigns are told, until the brief fits: beside long names all of them do not.
_FEWER: Final = (MOST_CAMPAIGNS, MOST_CAMPAIGNS // 2, MOST_CAMPAIGNS // 4, 1, 0)
# Of a campaign's weeks before: what it was paid and what came of it. The rest is told of all campaigns together.
_OF_WEEKS_BEFORE: Final = frozenset({Metric.SPEND, Metric.LEADS})


def brief(found: Figures) -> str:
    """Facts, names and indicators as JSON; never a lead, who is a person.

    Ad sets are too many to be told in sentences; of campaigns the MOST_CAMPAIGNS with the largest spend, with the
    facts `rest.…` for the others. Leads of weeks before that were counted for longer are none that a week is told
    beside. Of fewer campaigns where it would be longer than MOST_CHARACTERS.
    """
    told = (_of_campaigns(found, most) for most in _FEWER)
    return next((text for text in told if len(text) <= MOST_CHARACTERS), _of_campaigns(found, 0))


def _of_campaigns(found: Figures, most: int) -> str:
    told = {one.campaign_id for one in by_spend(found.campaigns)[:most]}

    def is_told(fact: Fact) -> bool:
        if fact.subject is None:
            return True
        now = fact.period in {None, found.week.label}
        return fact.subject in told and (now or fact.metric in _OF_WEEKS_BEFORE)

    return _document(found, is_told, lambda key: key in told)


def everything(found: Figures) -> str:
    """The same of every campaign: figures, names and indicators differ when it does."""
    return _document(found, lambda _: True, lambda _: True)


def _document(found: Figures, is_told: Callable[[Fact], bool], is_named: Callable[[str], bool]) -> str:
    told: dict[str, Any] = {
        "week": found.week.label,
        "weeks_before": [week.label for week in found.weeks[:-1]],
        "facts": [
            {name: value for name, value in fact.document().items() if name not in {"sources", "of", "value"}}
            for fact in found.ledger.values()
            if is_told(fact) and not (is_of_an_ad_set(fact.subject) or found.is_riper(fact))
        ],
        "names": {
            key: name for key, name in found.scope.names.items() if is_named(key) and not is_of_an_ad_set(key)
        },
        "indicators": [
            {"id": metric.value, "says": one.word, "since": one.since.label if one.unjudged is None else None}
            for metric, one in found.indicators.items()
        ],
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
