"""A week whose leads are still counted is compared with weeks as they stood at its age: the lag is no fall."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from prism_core.campaign.figures import Figures, Inputs, figures
from prism_core.campaign.indicators import Indicator, Unjudged
from prism_core.campaign.metrics import Metric
from prism_core.campaign.ripening import RIPE_DAYS, LeadCounts, age_of
from prism_core.evidence import Evidence
from prism_core.reports import plain_words
from prism_core.reports.campaign import report
from prism_core.reports.content import Chart, Fallback, Provenance, Writer
from prism_resources.writing.brief import brief
from tests.unit.campaign_weeks import of_weeks, week, weekly

MONDAYS = (0, 7, 14, 21)
BY_CODE = Provenance(Writer.CODE, Fallback.NO_KEY)


def read_on_mondays(leads: Sequence[int], lag: random.Random, *, since: int = 0) -> Figures:
    """The report of the last week, each week read on the Monday after it and on four more; `since`: none before.

    Four of five leads are counted on their day, the others on any of the 27 days after it.
    """
    newest, rows, counts = len(leads) - 1, list[int](), dict[int, LeadCounts]()
    for at, ever in enumerate(leads):
        days = [(lag.randrange(7), 0 if lag.random() < 0.8 else lag.randrange(1, RIPE_DAYS)) for _ in range(ever)]
        by_age = {age: {"1": sum(day + late <= 6 + age for day, late in days)} for age in MONDAYS}
        age = min(7 * (newest - at), RIPE_DAYS)
        known = {one: found for one, found in by_age.items() if one <= age and at + one // 7 >= since}
        rows.append(by_age[age]["1"] if age in by_age else ever)
        counts[at] = LeadCounts(age, known)
    history = replace(of_weeks(weekly(rows), len(leads)), counts={week(at): found for at, found in counts.items()})
    return figures(Inputs(history, week(newest), "EUR"))


def told(found: Figures) -> Indicator:
    return found.indicators[Metric.LEADS]


def said(found: Figures) -> str:
    content = report(found, plain_words.words(found), BY_CODE)
    assert content.refused() == ()
    cards = " ".join(content.text(f"{card.label} {card.note}") for card in content.cards)
    return f"{cards} {' '.join(content.text(one.prose) for one in content.statements())}"


def test_the_lag_of_meta_is_no_fall_in_any_of_a_year_of_mondays() -> None:
    chance, lag = random.Random(6), random.Random(7)
    leads = [max(0, round(chance.gauss(600, 40))) for _ in range(60)]

    mondays = [read_on_mondays(leads[: at + 1], random.Random(lag.random()), since=2) for at in range(8, 60)]

    assert sum(one.alert for found in mondays for one in found.indicators.values()) == 0
    ways = [told(found).direction.value for found in mondays]
    assert ways.count("down") <= 6
    assert all(told(found).trend.same_age for found in mondays)


def test_beside_older_weeks_as_they_are_now_the_same_mondays_would_fall() -> None:
    """What the comparison at one age is for: the lag alone is larger than the band."""
    found = read_on_mondays([600] * 10, random.Random(1))
    now = found.totals.sums.leads

    assert now < 600 * 0.88
    assert told(found).trend.before is not None
    assert abs(told(found).trend.change or 1) < 0.08


@pytest.mark.parametrize(
    ("last", "word"), [([60], "DOWN, ALERT"), ([380], "DOWN, ONE WEEK"), ([300, 280], "DOWN, ALERT")]
)
def test_a_true_fall_is_told_as_ever(last: list[int], word: str) -> None:
    found = read_on_mondays([600] * 9 + last, random.Random(2))

    assert told(found).word == word
    assert "at the same age" in said(found)


def test_a_report_says_what_its_weeks_are_compared_with() -> None:
    found = read_on_mondays([600] * 9 + [290], random.Random(3))
    before = found.ledger["before.2023-w40.leads"]

    assert before.value < 560
    assert before.period == "mean of the weeks before at the same age"
    assert (len(before.sources), before.of) == (4, ())

    assert "Leads fell this week against the mean of the last four weeks at the same age" in said(found)
    assert "compared as they stood at the same age" in said(found)


@pytest.mark.parametrize(
    ("last", "word"),
    [
        pytest.param(600, "not yet known", id="nothing happened"),
        pytest.param(420, "not yet known", id="perhaps a fall"),
        pytest.param(60, "DOWN, ALERT", id="a collapse, whatever is still counted"),
        pytest.param(1200, "UP, OK", id="more, and more to come"),
    ],
)
def test_where_no_week_was_read_at_this_age_only_what_more_leads_cannot_undo_is_told(last: int, word: str) -> None:
    found = read_on_mondays([600] * 9 + [last], random.Random(4), since=9)
    cost = found.indicators[Metric.COST_PER_LEAD]

    assert told(found).word == word
    if word == "not yet known":
        assert (told(found).unjudged, cost.unjudged) == (Unjudged.NOT_YET, Unjudged.NOT_YET)
        assert "change.2023-w40.leads" not in found.ledger
        assert "before.2023-w40.leads" not in found.ledger, "a model would set the week beside it"
        assert "Leads: not yet known, because the weeks before it were counted for longer." in said(found)
        assert "Nothing asks for action." not in said(found)
    else:
        assert "which were counted for longer" in said(found)


@pytest.mark.parametrize("since", [pytest.param(2, id="at the same age"), pytest.param(9, id="not yet known")])
def test_what_older_weeks_have_come_to_since_is_no_figure_for_a_model_and_the_chart_says_why(since: int) -> None:
    found = read_on_mondays([600] * 10, random.Random(8), since=since)
    told_of = {fact["id"] for fact in json.loads(brief(found))["facts"]}

    (chart,) = [one for one in charts(found) if one.key == Metric.LEADS]
    assert {"week.2023-w40.leads", "week.2023-w39.spend"} <= told_of
    assert not {"week.2023-w39.leads", "week.2023-w39.1.leads", "week.2023-w39.cost_per_lead"} & told_of
    assert "week.2023-w39.leads" in chart.series[0].facts
    assert chart.title == "Leads by week, the newest still counted"
    assert (plain_words.SAME_AGE in chart.alt.prose) is told(found).trend.same_age


def test_where_nothing_is_added_any_more_a_model_reads_every_week() -> None:
    found = figures(Inputs(of_weeks(weekly([600] * 10), 10), week(9), "EUR"))

    assert '"week.2023-w39.leads"' in brief(found)
    assert [one.title for one in charts(found)] == ["Leads by week", "Spend by week"]


def charts(found: Figures) -> list[Chart]:
    content = report(found, plain_words.words(found), BY_CODE)
    assert content.refused() == ()
    return [one for one in content.sections if isinstance(one, Chart)]


def test_two_weeks_of_the_same_age_are_enough_and_then_the_others_are_left_out() -> None:
    found = read_on_mondays([600] * 10, random.Random(5), since=7)

    assert told(found).word == "FLAT, OK"
    assert told(found).trend.weeks_in_window == 2


def test_ages_are_whole_days_and_a_day_more_is_the_same_age() -> None:
    last = week(0).sunday

    assert [age_of(week(0), last.replace(day=last.day + more)) for more in (0, 1, 2, 8)] == [0, 0, 1, 7]
    counts = LeadCounts(14, {0: {"1": 5}, 7: {"1": 6}})
    assert [counts.beside(age) for age in (0, 1, 3, 6, 8, 14, 20)] == [0, 0, 7, 7, 7, 14, None]
    assert counts.leads(14) is None
    assert counts.own(28) == 14


def test_counts_come_back_from_the_manifest_as_they_went_in() -> None:
    counts = LeadCounts(7, {0: {"1": 5, "22": 1}, 7: {}})

    assert LeadCounts.of(Evidence({"lead_counts": counts.part()})) == counts
    assert LeadCounts.of(Evidence()) == LeadCounts()
    assert counts.until(3) == LeadCounts(3, {0: {"1": 5, "22": 1}})
    assert counts.with_count(0, {"1": 9}) is counts
    assert counts.with_count(RIPE_DAYS, {"1": 9}) is counts
