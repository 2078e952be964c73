"""What a model reads of a large account."""

import json
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from prism_core.campaign.attribution import attribute
from prism_core.campaign.figures import MOST_CAMPAIGNS, Figures, Inputs, figures
from prism_core.campaign.places import ad_sets
from prism_resources.writing.brief import MOST_CHARACTERS, brief, everything
from prism_resources.writing.passes import PROMPT, prompt
from tests.unit.campaign_weeks import MONDAY, ad, of_weeks, week

CAMPAIGNS, WEEKS = 200, 5
# As long as a mail shows of one, and in the sum of two orders: the largest spend is not the first id.
NAME = "Autumn, everybody who has seen a page of ours, second half, broad, mobile, reel"


@cache
def large(moved: int = 0, name: str = NAME) -> Figures:
    """Each with what Meta tells, over the week and the four before it; one of them with other leads."""
    rows = [
        ad(
            MONDAY + timedelta(weeks=n),
            str(120_000_000_000_000_000 + at),
            spend=f"{1_000 + (at * 37) % CAMPAIGNS}.25",
            leads=3 + (moved if at == 0 else 0),
            views=40,
            name=f"{name} {at}",
        )
        for at in range(CAMPAIGNS)
        for n in range(WEEKS)
    ]
    now = [row for row in rows if row.day >= MONDAY + timedelta(weeks=WEEKS - 1)]
    matched = attribute(now, [])
    return figures(Inputs(of_weeks(rows, WEEKS), week(WEEKS - 1), "EUR", matched, 0, ad_sets=ad_sets(now)))


def read(found: Figures) -> Any:
    return json.loads(brief(found))


def test_two_hundred_campaigns_make_a_brief_below_its_bound() -> None:
    assert len(large().ledger) > 8_000
    assert len(everything(large())) > 1_000_000
    assert len(brief(large())) < MOST_CHARACTERS


def test_names_without_an_end_make_no_brief_without_one() -> None:
    found = large(0, "Autumn " * 1_500)
    told = brief(found)

    assert len(told) <= MOST_CHARACTERS
    assert 0 < len(json.loads(told)["names"]) < MOST_CAMPAIGNS
    assert f"week.2023-w35.{found.campaigns[0].campaign_id}.spend" not in told


def test_what_is_left_out_is_told_as_a_sum_that_makes_up_the_total() -> None:
    found, ledger = read(large()), large().ledger
    told = {one["subject"] for one in found["facts"] if one.get("subject")}
    of_told = sum(ledger[f"week.2023-w35.{one}.spend"].value for one in told)

    assert len(told) == MOST_CAMPAIGNS
    assert set(found["names"]) == told
    assert {"rest.campaigns", "rest.spend", "rest.leads"} <= {one["id"] for one in found["facts"]}
    assert ledger["rest.campaigns"].value == CAMPAIGNS - MOST_CAMPAIGNS
    assert of_told + ledger["rest.spend"].value == ledger["week.2023-w35.spend"].value


def test_the_largest_campaigns_of_this_week_are_told_with_all_that_is_known_of_it() -> None:
    found = read(large())
    largest = max(large().campaigns, key=lambda one: one.sums.spend or Decimal(0)).campaign_id
    ids = {one["id"] for one in found["facts"]}

    assert {f"week.2023-w35.{largest}.{metric}" for metric in ("spend", "leads", "clicks", "click_rate")} <= ids
    assert f"week.2023-w34.{largest}.spend" in ids
    assert f"week.2023-w34.{largest}.clicks" not in ids
    assert "week.2023-w34.clicks" in ids, "of all campaigns"


def test_a_figure_of_a_campaign_that_is_not_told_makes_other_figures_of_the_report() -> None:
    assert everything(large()) != everything(large(moved=1))
    assert brief(large()) == brief(large.__wrapped__())


def test_the_prompt_says_what_the_facts_say_of_weeks_that_still_grow_and_of_where_leads_came_from() -> None:
    assert PROMPT == "campaign-5"
    for said in ("not yet known", "at\n  the same age", "rest.", "from.ID.meta_only"):
        assert said in prompt()
