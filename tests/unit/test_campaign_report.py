"""A week's report says the figures of its rows and what was told otherwise, and passes the gate."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.campaign.attribution import attribute
from prism_core.campaign.figures import Figures, Inputs, figures, week_id
from prism_core.campaign.insights import AdDay
from prism_core.campaign.metrics import Metric, history_of
from prism_core.campaign.read_weeks import Wholeness
from prism_core.facts.gate import judge
from prism_core.facts.ledger import Fact, Unit
from prism_core.reports import plain_words, wording
from prism_core.reports.campaign import report
from prism_core.reports.content import Chart, Fallback, Provenance, ReportContent, Table, Writer
from tests.unit.campaign_weeks import MONDAY, ad, ad_days, of_weeks, real, week, weekly
from tests.unit.test_campaign_attribution import ADS, lead

BY_CODE = Provenance(Writer.CODE, Fallback.NO_KEY)


def of(rows: list[AdDay], count: int, **more: object) -> Figures:
    return figures(Inputs(of_weeks(rows, count), week(count - 1), "EUR", **more))  # pyright: ignore[reportArgumentType]


def lacking(rows: list[AdDay], count: int, at: int, wholeness: Wholeness, **more: object) -> Figures:
    """Of the last of so many weeks, of which the one `at` is not known to be whole."""
    history = dataclasses.replace(of_weeks(rows, count), wholeness={week(at): wholeness})
    return figures(Inputs(history, week(count - 1), "EUR", **more))  # pyright: ignore[reportArgumentType]


def plain(found: Figures) -> ReportContent:
    return report(found, plain_words.words(found), BY_CODE)


def campaigns(report: ReportContent) -> Table:
    return next(one for one in report.sections if isinstance(one, Table) and one.title == "Campaigns")


def said(report: ReportContent) -> str:
    return " ".join(report.text(one.prose) for one in report.statements())


@pytest.mark.parametrize(
    ("campaign", "spend", "leads"),
    [
        pytest.param("916", "27.40", "7", id="916"),
        pytest.param("936", "514.89", "98", id="936"),
        pytest.param("1178", "11,173.28", "608", id="1178"),
        pytest.param(None, "11,715.57", "713", id="all"),
    ],
)
def test_the_real_first_week_reads_as_it_was_counted(campaign: str | None, spend: str, leads: str) -> None:
    first = Week.parse("2023-W31")
    ledger = figures(Inputs(real(), first, "EUR")).ledger

    assert ledger[week_id(first, Metric.SPEND, campaign)].text == f"{spend}\xa0EUR"
    assert ledger[week_id(first, Metric.LEADS, campaign)].text == leads


@pytest.mark.parametrize("number", range(31, 36), ids=str)
def test_every_real_week_has_a_report_that_passes_the_gate(number: int) -> None:
    found = plain(figures(Inputs(real(), Week.parse(f"2023-W{number}"), "EUR")))

    assert found.refused() == ()
    assert "Alert" not in said(found)
    # The second and third weeks have no two whole weeks before them.
    assert ("cannot be judged" in said(found)) is (number != 34)
    assert found.text(found.cards[3].value) == f"{'0.017' if number == 31 else '0.018'}\xa0%"
    assert ("Days of this week that were not read" in said(found)) is (number in {31, 35})


def test_a_total_knows_the_rows_that_it_was_counted_from() -> None:
    ledger = of([ad(campaign="1"), ad(campaign="2")], 1).ledger

    assert ledger.roots(week_id(week(0), Metric.COST_PER_LEAD)) == (
        "campaign_metrics#2023-W31#1",
        "campaign_metrics#2023-W31#2",
    )


def test_what_was_told_of_a_closed_week_and_is_another_figure_now_is_said() -> None:
    told_id = week_id(week(0), Metric.LEADS)
    told = {
        told_id: Fact(told_id, Decimal(41), Unit.COUNT, "leads", metric="leads"),
        week_id(week(1), Metric.LEADS): Fact("x", Decimal(50), Unit.COUNT, "leads", metric="leads"),
    }

    found = plain(of(weekly([47, 50]), 2, told=told))

    assert [found.text(one.prose) for one in found.corrections] == ["Leads of 2023-W31 were 41, now 47."]
    assert found.refused() == ()


def test_an_edition_of_the_same_week_says_what_changed_for_each_campaign() -> None:
    first = of(weekly([47, 50]), 2)

    second = plain(of(weekly([47, 53]), 2, told=dict(first.ledger)))

    assert [second.text(one.prose) for one in second.corrections] == [
        "Leads of 2023-W32 were 50, now 53.",
        "Leads of Campaign 1 in 2023-W32 were 50, now 53.",
    ]
    assert plain(first).content_hash() != second.content_hash()


def test_an_alert_is_said_to_those_who_can_do_something() -> None:
    found = plain(of(weekly([400, 400, 400, 400, 40]), 5))

    assert "Alert: leads fell against the mean of the last four weeks: -90.0\xa0%." in said(found)
    assert found.cards[1].alert
    assert found.refused() == ()


def test_a_large_move_of_one_week_is_told_and_not_called_stable() -> None:
    rows = [*weekly([1000, 1000, 1000, 1000]), ad(week(4).monday, spend="1789.00", leads=429, clicks=1_000)]

    found = plain(of(rows, 5))

    assert (
        "Leads fell this week against the mean of the last four weeks: -57.1\xa0%; one week alone is no trend."
        in [found.text(one.prose) for one in found.headline]
    )
    assert "Spend rose this week against the mean of the last four weeks: +78.9\xa0%" in said(found)
    assert "Nothing asks for action." not in said(found)
    assert [wording.card(found, one).indicator for one in found.cards[:2]] == ["UP, ONE WEEK", "DOWN, ONE WEEK"]
    assert found.refused() == ()


def test_a_large_move_of_one_week_without_an_alert_asks_to_wait() -> None:
    found = plain(of(weekly([1000, 1000, 1000, 1000, 600]), 5))

    assert not any(card.alert for card in found.cards)
    assert "look again when the next week has ended" in said(found)
    assert "Nothing asks for action." not in said(found)


def test_a_week_without_anything_is_told_as_one() -> None:
    found = plain(of([], 1))

    assert found.sections[0].status == ("NO LEADS", "#8a5a00")  # pyright: ignore[reportAttributeAccessIssue]
    assert found.text(found.cards[0].value) == "0.00\xa0EUR"
    assert found.text(found.cards[2].value) == "not known"
    assert found.refused() == ()


def test_a_campaign_that_is_not_for_leads_is_listed_as_such() -> None:
    rows = [ad(campaign="1", objective="OUTCOME_LEADS"), ad(campaign="2", leads=0, objective="OUTCOME_AWARENESS")]

    table = campaigns(plain(of(rows, 1)))

    assert [(row[0], row[-1]) for row in table.rows] == [("{{name:1}}", "yes"), ("{{name:2}}", "no")]
    assert table.rows[0][5] == "{{fact:week.2023-w31.1.cost_per_lead}}"
    assert table.rows[1][5] == "\N{EN DASH} (not for leads)"


def test_a_campaign_for_leads_without_any_has_no_known_cost_of_one() -> None:
    table = campaigns(plain(of([ad(leads=0, objective="OUTCOME_LEADS")], 1)))

    assert table.rows[0][5] == "not known"


def test_a_table_of_many_campaigns_says_that_it_is_not_all_of_them() -> None:
    rows = [ad(campaign=str(one), spend=f"{one}.00") for one in range(1, 41)]

    found = plain(of(rows, 1))
    table = campaigns(found)

    assert (len(table.rows), table.rows[0][0]) == (20, "{{name:40}}")
    assert found.text(table.total[1]) == "820.00\xa0EUR"
    text = said(found)
    assert "Further campaigns with a smaller spend: 20." in text
    assert "Spend of further campaigns: 210.00\xa0EUR. Leads of further campaigns: 20." in text
    assert "The attached list has every campaign." in text
    assert [row[0] for row in table.further] == [f"{{{{name:{one}}}}}" for one in range(20, 0, -1)]
    assert found.refused() == ()


def test_the_figures_of_further_campaigns_are_told_as_nothing_else() -> None:
    found = of([ad(campaign=str(one), spend=f"{one}.00") for one in range(1, 41)], 1)

    for prose in ("Spend was {{fact:rest.spend}}.", "It brought {{fact:rest.leads}} leads."):
        assert judge(prose, found.scope) != ()


def test_twenty_campaigns_have_no_further_ones() -> None:
    found = plain(of([ad(campaign=str(one)) for one in range(1, 21)], 1))

    assert "urther" not in said(found)


def test_attribution_is_told_with_its_reasons() -> None:
    found = attribute(ADS, [lead("1", "1", "10"), lead("2")])

    text = said(plain(of(ADS, 1, attribution=found, crm_leads=2)))

    assert "Leads matched by id: 1; not matched, Meta alone: 2." in text
    assert "The match rate is 33.3\xa0%." in text
    assert "no ids: 1" in text
    assert "not to be relied on" in text


def test_figures_that_are_missing_are_named_and_never_made_up() -> None:
    rows = [ad(), ad(campaign="2", currency="USD")]

    found = plain(lacking(rows, 1, 0, Wholeness(refused=3)))

    assert found.text(found.cards[0].value) == "not known"
    assert "Rows of ads that were refused and are in none of the figures: 3." in said(found)
    assert "several currencies" in said(found)
    assert found.refused() == ()


@pytest.mark.parametrize(
    ("wholeness", "sentence"),
    [
        pytest.param(
            Wholeness(unaccounted=Decimal("11715.57")),
            "Spend of the account that is in no row of ads: 11,715.57\xa0EUR.",
            id="unaccounted",
        ),
        pytest.param(
            Wholeness(unaccounted=Decimal(-5)),
            "Spend of rows of ads that the account's own total does not have: 5.00\xa0EUR.",
            id="more than the account",
        ),
        pytest.param(Wholeness(refused=3), "are in none of the figures: 3.", id="refused"),
        pytest.param(
            Wholeness(uncounted=12), "Leads of the account that are in no row of ads: 12.", id="uncounted"
        ),
    ],
)
def test_a_week_known_to_be_incomplete_says_so_and_raises_no_alarm(wholeness: Wholeness, sentence: str) -> None:
    found = plain(lacking(weekly([400] * 4), 5, 4, wholeness))

    text = said(found)
    assert sentence in text
    assert "This week was not read whole and cannot be judged" in text
    assert "This week is compared with nothing." in text
    assert "Alert" not in text
    assert not any(card.alert for card in found.cards)
    assert found.refused() == ()


@pytest.mark.parametrize(
    "wholeness", [Wholeness(refused=1), Wholeness(unaccounted=Decimal(90))], ids=["refused", "unaccounted"]
)
def test_a_week_that_lost_rows_is_compared_with_no_later_one(wholeness: Wholeness) -> None:
    found = lacking(weekly([400, 400, 400, 4, 400]), 5, 3, wholeness)

    assert found.indicators[Metric.LEADS].trend.weeks_in_window == 3
    assert found.ledger["before.2023-w35.leads"].value == 400
    assert found.ledger["before.2023-w35.leads"].of == tuple(week_id(week(at), Metric.LEADS) for at in range(3))


@pytest.mark.parametrize(
    ("gap", "now"),
    [
        pytest.param(Wholeness(unaccounted=Decimal(120)), Wholeness(unaccounted=Decimal(120)), id="spend"),
        pytest.param(Wholeness(uncounted=40), Wholeness(uncounted=10), id="as many of its leads"),
        pytest.param(Wholeness(), Wholeness(unaccounted=Decimal(15)), id="little"),
    ],
)
def test_a_gap_that_lasts_is_told_and_its_weeks_are_compared_with_each_other(
    gap: Wholeness, now: Wholeness
) -> None:
    fallen = of_weeks(weekly([400, 400, 400, 400, 100]), 5)
    always = dataclasses.replace(fallen, wholeness={week(at): gap for at in range(4)} | {week(4): now})
    found = figures(Inputs(always, week(4), "EUR"))

    assert found.indicators[Metric.LEADS].word == "DOWN, ALERT"
    assert found.ledger["before.2023-w35.leads"].value == 400
    text = said(plain(found))
    assert "that is in no row of ads" in text or "that are in no row of ads" in text
    assert "compared with nothing" not in text
    assert "cannot be judged" not in text


def test_a_gap_that_is_new_or_gone_is_laid_beside_no_other_week() -> None:
    history, gap = of_weeks(weekly([400] * 5), 5), Wholeness(unaccounted=Decimal(120))
    new = figures(Inputs(dataclasses.replace(history, wholeness={week(4): gap}), week(4), "EUR"))
    gone = figures(
        Inputs(dataclasses.replace(history, wholeness={week(at): gap for at in range(4)}), week(4), "EUR")
    )

    assert [one.indicators[Metric.LEADS].word for one in (new, gone)] == ["not judged", "not judged"]
    assert "This week is compared with nothing." in said(plain(new))


def test_weeks_of_another_account_are_not_compared_and_the_first_one_says_so() -> None:
    whose = {week(at): Wholeness("77 EUR Europe/Madrid" if at < 3 else "88 EUR Europe/Madrid") for at in range(5)}
    history = dataclasses.replace(of_weeks(weekly([400] * 5), 5), wholeness=whose)

    first, second = (figures(Inputs(history, week(at), "EUR")) for at in (3, 4))

    assert "another one than in the week before" in said(plain(first))
    assert "another one" not in said(plain(second))
    assert [one.indicators[Metric.LEADS].trend.weeks_in_window for one in (first, second)] == [0, 1]
    assert plain(first).refused() == ()


def test_a_week_that_nobody_has_read_is_a_gap_and_a_partial_one_is_marked() -> None:
    whole = of_weeks(weekly([400, 400, 400, 400, 40]), 5)
    days = {one: one.days for one in whole.weeks if one != week(1)} | {week(2): week(2).days[:6]}
    history = history_of({one: whole.weeks[one] for one in days}, days)

    found = figures(Inputs(history, week(4), "EUR"))
    content = plain(found)

    chart = next(one for one in content.sections if isinstance(one, Chart))
    assert chart.labels == ("2023-W31", "2023-W32", "2023-W33 *", "2023-W34", "2023-W35")
    assert [one is None for one in chart.series[0].facts] == [False, True, False, False, False]
    assert content.text(content.cards[1].note) == "-90.0\xa0% against two weeks"
    text = said(content)
    assert "Weeks with a star were not read whole." in text
    assert "against the mean of those of the last four weeks that were read whole: -90.0" in text
    assert "Weeks that these sums have in part or not at all: 2." in text
    assert content.refused() == ()


def test_a_week_of_which_nothing_was_read_has_no_figure() -> None:
    content = plain(figures(Inputs(history_of({week(0): ()}, {}), week(0), "EUR")))

    assert "The ads of 2023-W31 were not read." in said(content)
    assert content.sections[0].status == ("NOT KNOWN", "#545b64")  # pyright: ignore[reportAttributeAccessIssue]
    assert [content.text(card.value) for card in content.cards] == ["not known"] * 4
    assert content.refused() == ()


def test_contacts_that_did_not_come_are_said() -> None:
    text = said(plain(of(ADS, 1, attribution=attribute(ADS, []), crm_leads=0, crm_refused=2, crm_absent=5)))

    assert "Contacts of the customer system that were refused: 2." in text
    assert "Contacts that the customer system counts and did not send: 5." in text


def test_a_name_with_figures_and_markup_in_it_is_a_name() -> None:
    rows = [ad(name="Spring <b>2024</b> {{fact:x}} 50 % off")]

    found = plain(of(rows, 1))

    assert found.text("{{name:1}}") == "Spring <b>2024</b> {{fact:x}} 50 % off"
    assert found.refused() == ()


def test_a_change_of_a_small_rate_is_that_of_the_rate_itself() -> None:
    weeks = [(900_001, 181), (1_000_000, 207)]
    rows = [
        ad(week(at).monday, impressions=impressions, clicks=clicks)
        for at, (impressions, clicks) in enumerate(weeks)
    ]

    ledger = of(rows, 2).ledger

    # 0.000207 over 0.00020111; the rate before with four decimals, 0.0002, would make it +3.5 %.
    assert ledger["change.2023-w32.click_rate"].text == "+2.9\xa0%"


def test_a_spend_that_is_known_no_more_of_an_earlier_week_denies_no_alert_of_this_one() -> None:
    told = of(weekly([5] * 4), 4).ledger
    mixed = [ad(MONDAY + timedelta(weeks=1), spend="0.00", currency=one) for one in ("EUR", "USD")]
    rows = [ad(spend="0.01"), *mixed, ad(MONDAY + timedelta(weeks=3), spend="60.00")]

    found = plain(of(rows, 4, told=told))

    assert any(card.alert for card in found.cards)
    assert "Spend of 2023-W32 was 1,000.00\xa0EUR, now unknown." in said(found)
    assert found.refused() == ()


@given(
    st.lists(ad_days, max_size=12),
    st.integers(1, 6),
    st.none() | st.lists(st.sampled_from(["1", "22", "9", None]), max_size=6),
    st.integers(0, 3),
)
def test_whatever_the_weeks_were_code_says_nothing_that_the_gate_refuses(
    rows: list[AdDay], count: int, of_campaigns: list[str | None] | None, refused: int
) -> None:
    leads = None if of_campaigns is None else [lead(str(at), one) for at, one in enumerate(of_campaigns)]
    matched = None if leads is None else attribute([r for r in rows if Week.of(r.day) == week(count - 1)], leads)
    told = of(weekly([5] * count), count).ledger

    found = plain(
        lacking(
            rows,
            count,
            count - 1,
            Wholeness(refused=refused, unaccounted=Decimal(refused) - 1),
            attribution=matched,
            crm_leads=None if leads is None else len(leads),
            crm_refused=refused,
            crm_absent=refused,
            told=told,
        )
    )

    assert found.refused() == ()
    assert found.content_hash() == dataclasses.replace(found, edition=2).content_hash()
    assert {one["id"] for one in found.document()["facts"]} >= set(found.used())


@given(st.lists(st.integers(0, 900), min_size=1, max_size=8))
def test_whole_weeks_of_any_size_pass_the_gate_with_their_directions_and_alerts(leads: list[int]) -> None:
    assert plain(of(weekly(leads), len(leads))).refused() == ()
