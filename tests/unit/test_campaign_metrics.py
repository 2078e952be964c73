"""Figures of a week are sums and ratios of sums; a lead's cost is that of campaigns for leads alone."""

import csv
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.campaign.activity import Activity, lead_activity
from prism_core.campaign.figures import Inputs, figures
from prism_core.campaign.insights import AdDay
from prism_core.campaign.lake_rows import metrics_row
from prism_core.campaign.metrics import Metric, Sums, history
from prism_core.campaign.trends import all_time, comparable, trend
from prism_core.facts.ledger import computed
from prism_core.failures import BadUsage
from tests.unit.campaign_weeks import FILE, MONDAY, ad, ad_days, of_weeks, real, week, weekly

# Written down by hand from the sums of the file, week by week: spend and leads of 916, 936 and 1178.
REAL = {
    "2023-W31": (("27.40", "514.89", "11173.28"), (7, 98, 608)),
    "2023-W32": (("51.58", "734.78", "12350.74"), (14, 134, 519)),
    "2023-W33": (("27.32", "897.07", "13410.83"), (11, 148, 649)),
    "2023-W34": (("14.86", "472.72", "12392.27"), (9, 112, 579)),
    "2023-W35": (("28.55", "273.91", "6335.03"), (17, 45, 314)),
}


@pytest.mark.parametrize("label", REAL)
def test_the_real_weeks_come_to_what_was_counted_by_hand(label: str) -> None:
    rows = real().weeks[Week.parse(label)]

    assert [row.campaign_id for row in rows] == ["916", "936", "1178"]
    assert (tuple(str(row.sums.spend) for row in rows), tuple(row.sums.leads for row in rows)) == REAL[label]


def test_the_real_weeks_are_counted_again_from_the_file_in_another_way() -> None:
    cents: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for line in csv.DictReader(FILE.read_text().splitlines()):
        iso = date.fromisoformat(line["date"]).isocalendar()
        whole, _, part = line["spend"].partition(".")
        counted = (int(whole) * 100 + int(part.ljust(2, "0")), *(int(line[n]) for n in ("leads", "clicks")))
        key = (f"{iso.year}-W{iso.week:02}", line["campaign_id"])
        cents[key] = [old + new for old, new in zip(cents[key], (*counted, int(line["impressions"])), strict=True)]

    found = {
        (str(one.week), one.campaign_id): [
            int((one.sums.spend or 0) * 100), one.sums.leads, one.sums.clicks, one.sums.impressions,
        ]
        for rows in real().weeks.values()
        for one in rows
    }  # fmt: skip

    assert found == cents
    assert len(found) == 15


def test_the_first_and_the_last_real_week_lack_days() -> None:
    found = {str(one): len(real().totals(one).missing) for one in real().weeks}

    assert found == {"2023-W31": 1, "2023-W32": 0, "2023-W33": 0, "2023-W34": 0, "2023-W35": 3}


def test_a_leads_cost_is_over_the_spend_of_lead_campaigns_which_are_listed() -> None:
    rows = [
        ad(campaign="1", spend="100.00", leads=0, objective="OUTCOME_LEADS"),
        ad(campaign="2", spend="60.00", leads=4),
        ad(campaign="3", spend="500.00", leads=1, objective="OUTCOME_AWARENESS"),
    ]

    found = of_weeks(rows, 1).totals(week(0))

    assert (found.included, found.excluded) == (("1", "2"), ("3",))
    assert (found.sums.spend, found.lead_sums.spend) == (Decimal("660.00"), Decimal("160.00"))
    cost = found.parts(Metric.COST_PER_LEAD)
    assert cost is not None
    assert cost.value == 40


def test_a_campaign_without_an_objective_is_there_for_leads_for_four_weeks_after_one() -> None:
    found = of_weeks(weekly([3, 0, 0, 0, 0]), 5)

    assert [found.weeks[week(at)][0].for_leads for at in range(5)] == [True, True, True, True, False]


@pytest.mark.parametrize(
    "objective", [pytest.param(None, id="without an objective"), pytest.param("OUTCOME_TRAFFIC", id="for traffic")]
)
@pytest.mark.parametrize("until", range(5, 11), ids=str)
def test_one_stray_lead_does_not_move_the_cost_of_a_lead(objective: str | None, until: int) -> None:
    traffic = [
        replace(one, objective=objective)
        for one in weekly([0, 0, 0, 0, 1, 0, 0, 0, 0, 0], "2000.00", campaign="2")
    ]
    rows = [*weekly([100] * 10, campaign="1"), *traffic]
    found = of_weeks(rows, 10)

    cost = trend(week(until - 1), comparable(found, Metric.COST_PER_LEAD, "EUR"))

    assert cost.change is not None
    assert abs(cost.change) < Decimal("0.02")
    ledger = figures(Inputs(found, week(until - 1), "EUR")).ledger
    assert ledger[f"week.2023-w{30 + until}.cost_per_lead"].value == computed(cost.value or Decimal(0))


def test_without_a_lead_there_is_no_cost_of_one_and_without_a_click_none_of_it() -> None:
    (row,) = of_weeks([ad(leads=0, clicks=0, impressions=0, objective="OUTCOME_LEADS")], 1).weeks[week(0)]

    found = metrics_row(row)

    assert (found["cpl"], found["cpc"], found["ctr"]) == (None, None, None)
    assert (found["spend"], found["leads"], found["landing_page_views"]) == (10.0, 0, None)


def test_a_renamed_campaign_is_one_under_its_newest_name() -> None:
    rows = [ad(MONDAY + timedelta(days=1), name="New", ad_id="1"), ad(name="Old", ad_id="2")]

    found = of_weeks(rows, 1)

    assert [(one.name, one.sums.leads) for one in found.weeks[week(0)]] == [("New", 2)]
    assert found.names == {"1": "New"}


def test_money_of_two_currencies_is_not_added_up_and_everything_else_is() -> None:
    rows = [ad(), ad(MONDAY + timedelta(days=1), currency="USD"), ad(campaign="2")]

    found = of_weeks(rows, 1)

    assert [one.sums.spend for one in found.weeks[week(0)]] == [None, Decimal("10.00")]
    assert found.totals(week(0)).sums == Sums(None, None, 3_000, 30, 3, None)
    assert found.totals(week(0)).parts(Metric.COST_PER_LEAD) is None


def test_a_week_of_other_money_is_not_compared_but_its_leads_are() -> None:
    rows = [*weekly([10, 10, 10]), ad(week(3).monday, leads=10, currency="USD")]
    found = of_weeks(rows, 4)

    assert trend(week(3), comparable(found, Metric.SPEND, "USD")).weeks_in_window == 0
    assert trend(week(3), comparable(found, Metric.LEADS, "USD")).weeks_in_window == 3


def test_an_account_without_data_has_weeks_of_nothing() -> None:
    found = of_weeks([], 2)

    assert found.totals(week(1)).sums == Sums()
    assert lead_activity(found, week(1), None).status is Activity.YELLOW
    with pytest.raises(BadUsage, match="2023-W33 were not read"):
        found.totals(week(2))


def test_lead_activity_is_green_when_a_lead_came_by_either_way_and_yellow_when_none_did() -> None:
    found = of_weeks(weekly([3, 0]), 2)

    quiet, by_crm = lead_activity(found, week(1), 0), lead_activity(found, week(1), 2)

    assert (quiet.status, quiet.status.word, quiet.last) == (Activity.YELLOW, "NO LEADS", week(0))
    assert (by_crm.status, by_crm.status.word, by_crm.last) == (Activity.GREEN, "ACTIVE", week(1))
    assert lead_activity(found, week(0), None).status is Activity.GREEN


def test_a_trend_is_against_up_to_four_weeks_before_and_a_ratio_is_that_of_their_sums() -> None:
    rows = [*weekly([10, 20, 30, 40, 50]), ad(week(5).monday, leads=70, spend="700.00")]
    found = of_weeks(rows, 6)

    leads = trend(week(5), comparable(found, Metric.LEADS, "EUR"))
    cost = trend(week(5), comparable(found, Metric.COST_PER_LEAD, "EUR"))

    assert (leads.value, leads.before, leads.change, leads.weeks_in_window) == (70, 35, 1, 4)
    assert cost.before == Decimal(4_000) / 140
    assert trend(week(1), comparable(found, Metric.LEADS, "EUR")).weeks_in_window == 1
    assert all_time(found, week(4)).leads == 150


def test_a_week_that_lacks_days_is_compared_with_nothing() -> None:
    found = history(weekly([10, 10, 10]), (MONDAY + timedelta(days=1), week(2).monday))

    assert trend(week(1), comparable(found, Metric.LEADS, "EUR")).weeks_in_window == 0
    assert trend(week(2), comparable(found, Metric.LEADS, "EUR")).value is None


def test_rows_outside_the_days_that_were_read_are_none_of_it() -> None:
    found = history([ad(), ad(MONDAY + timedelta(days=7), ad_id="9")], (MONDAY, MONDAY + timedelta(days=6)))

    assert [sum(row.sums.leads for row in rows) for rows in found.weeks.values()] == [1]


@given(st.lists(ad_days, max_size=15), st.randoms(use_true_random=True))
def test_totals_are_the_sums_of_the_rows_in_whatever_order_they_come(rows: list[AdDay], random: object) -> None:
    found = of_weeks(rows, 6)
    shuffled = list(rows)
    random.shuffle(shuffled)  # pyright: ignore[reportAttributeAccessIssue]

    assert of_weeks(shuffled, 6) == found
    assert all_time(found, week(5)).leads == sum(row.leads for row in rows)
    for one in found.weeks:
        total, own = found.totals(one), [row for row in rows if Week.of(row.day) == one]
        assert total.sums.impressions == sum(row.impressions for row in own)
        if len({row.currency for row in own}) < 2:
            assert total.sums.spend == sum((row.spend for row in own), Decimal(0))
        stated = [row for row in own if row.objective == "OUTCOME_SALES"]
        if not stated:  # whoever brought a lead is there for leads, unless its objective says otherwise
            assert total.lead_sums.leads == total.sums.leads
