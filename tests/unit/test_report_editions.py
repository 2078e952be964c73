"""An edition of a report goes out when a figure of it is another one, and says which."""

import dataclasses
from decimal import Decimal

import pytest

from prism_core.campaign.figures import Inputs, figures
from prism_core.facts.ledger import Fact, Unit
from prism_core.failures import BadUsage
from prism_core.reports import wording
from prism_core.reports.content import Card, Provenance, ReportContent, Statement, Writer
from prism_core.reports.editions import changed, next_edition
from prism_core.reports.reading import report_of
from tests.unit.campaign_weeks import ad, of_weeks, week, weekly
from tests.unit.report_mails import plain, real_week


def of_leads(spring: int, summer: int = 5, *, told: dict[str, Fact] | None = None) -> ReportContent:
    rows = [ad(leads=spring, name="Spring 2023"), ad(campaign="2", name="Summer", leads=summer)]
    return plain(figures(Inputs(of_weeks(rows, 1), week(0), "EUR", told=told)))


def kept(content: ReportContent) -> ReportContent:
    """As a shelf or an edition holds it."""
    return report_of(content.document())


def corrections(content: ReportContent | None) -> list[str]:
    assert content is not None
    return [one.replace("\N{NO-BREAK SPACE}", " ") for one in wording.said(content, content.corrections)]


def test_the_first_edition_is_what_was_made() -> None:
    made = of_leads(41)

    first = next_edition(None, made)

    assert first == made
    assert first is not None
    assert (first.edition, first.corrections) == (1, ())


def test_the_same_figures_are_no_edition_whatever_words_stand_around_them() -> None:
    told = of_leads(41)
    by_model = dataclasses.replace(
        of_leads(41),
        headline=(Statement("A calm week."),),
        provenance=Provenance(Writer.MODEL, model="claude-example-1"),
    )

    assert next_edition(kept(told), kept(of_leads(41))) is None
    assert next_edition(kept(told), by_model) is None


def test_a_correction_says_each_figure_that_changed_the_cards_first_and_passes_the_gate() -> None:
    made = of_leads(47)

    second = next_edition(kept(of_leads(41)), made)

    assert second is not None
    assert (second.edition, second.refused()) == (2, ())
    said = corrections(second)
    assert said[0] == "Leads, 2023-W31: 46 before, now 52."
    assert "Leads of Spring 2023, 2023-W31: 41 before, now 47." in said
    assert not [one for one in said if "Summer" in one]
    assert {one.partition(":")[0] for one in said} >= {"Cost per lead, 2023-W31", "Leads since the first week"}


def test_a_third_edition_corrects_the_second_and_not_the_first() -> None:
    second = next_edition(kept(of_leads(41)), kept(of_leads(47)))
    assert second is not None

    third = next_edition(kept(second), kept(of_leads(49)))

    assert third is not None
    assert third.edition == 3
    assert corrections(third)[0] == "Leads, 2023-W31: 52 before, now 54."
    assert next_edition(kept(third), kept(of_leads(49))) is None
    assert next_edition(kept(second), kept(of_leads(47))) is None


def test_a_figure_that_appears_and_one_that_is_gone_are_told() -> None:
    one = plain(figures(Inputs(of_weeks([ad(name="Spring")], 1), week(0), "EUR")))

    appeared, gone = next_edition(kept(one), kept(of_leads(7))), next_edition(kept(of_leads(7)), kept(one))

    assert "Leads of Summer, 2023-W31: not known before, now 5." in corrections(appeared)
    assert "Leads of Summer, 2023-W31: 5 before, now not known." in corrections(gone)
    assert all(each is not None and not kept(each).refused() for each in (appeared, gone))


def of_views(views: int) -> ReportContent:
    """Five weeks, the last with so many landing page views, which no table and no chart shows."""
    rows = weekly([400] * 5)
    rows = [dataclasses.replace(one, landing_page_views=900) for one in rows[:4]] + [
        dataclasses.replace(rows[4], landing_page_views=views)
    ]
    return plain(figures(Inputs(of_weeks(rows, 5), week(4), "EUR")))


def test_a_figure_that_one_edition_names_and_the_other_does_not_is_no_correction() -> None:
    plainly = of_views(900)
    named = dataclasses.replace(
        plainly,
        headline=(Statement("The mean of leads was {{fact:before.2023-w35.leads}}."),),
        cards=(
            *plainly.cards[:3],
            Card("Impressions", "{{fact:week.2023-w35.impressions}}", "{{fact:change.2023-w35.impressions}}"),
        ),
    )

    assert next_edition(kept(plainly), kept(named)) is None
    assert next_edition(kept(named), kept(plainly)) is None


def test_a_card_of_a_figure_that_the_edition_before_did_not_show_is_compared_with_what_it_knew() -> None:
    told, made = of_views(900), of_views(60)
    assert "{{fact:week.2023-w35.landing_page_views}}" not in [card.value for card in told.cards]

    said = corrections(next_edition(kept(told), kept(made)))

    assert "Landing page views, 2023-W35: 900 before, now 60." in said
    assert not [one for one in said if "not known" in one]


def test_what_a_report_itself_corrects_is_said_once() -> None:
    """A figure of this week that the report was told of as it was made, and one of a week before."""
    older = Fact("was.week.2023-w30.leads", Decimal(41), Unit.COUNT, "leads, 2023-W30", metric="leads")
    was = Fact("week.2023-w31.leads", Decimal(46), Unit.COUNT, "leads, 2023-W31", metric="leads")
    made = of_leads(47, told={was.fact_id: was})
    assert len(made.corrections) == 1
    facts = {**made.scope.facts, older.fact_id: older}
    of_before = Statement("Leads of a week before were {{fact:was.week.2023-w30.leads}}.")
    made = dataclasses.replace(
        made, scope=dataclasses.replace(made.scope, facts=facts), corrections=(*made.corrections, of_before)
    )

    second = next_edition(kept(of_leads(41)), kept(made))

    said = corrections(second)
    assert len([one for one in said if one.startswith("Leads") and "2023-W31" in one and "Spring" not in one]) == 1
    assert said[-1] == "Leads of a week before were 41."


def test_what_was_told_before_is_no_figure_that_changed() -> None:
    second = next_edition(kept(of_leads(41)), kept(of_leads(47)))
    assert second is not None

    assert changed(kept(second), kept(of_leads(47))) == ()


def test_another_week_corrects_nothing() -> None:
    with pytest.raises(BadUsage, match="2023-W34 is not corrected by one of 2023-W35"):
        next_edition(real_week(34), real_week(35))
