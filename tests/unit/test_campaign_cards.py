"""The first row and the subject of a report have what matters most in its week."""

import dataclasses
from datetime import timedelta

from prism_core.campaign.figures import Figures
from prism_core.campaign.insights import AdDay
from prism_core.campaign.metrics import Metric
from prism_core.campaign.read_weeks import Wholeness
from prism_core.facts.lexicon import Direction
from prism_core.reports import wording
from prism_core.reports.campaign import CARDS, cards_of
from prism_core.reports.content import Card
from prism_core.reports.reading import report_of
from tests.unit.campaign_weeks import MONDAY, ad, weekly
from tests.unit.test_campaign_report import lacking, of, plain

M = Metric


def found(views: list[int], clicks: list[int], *, leads: int = 400, objective: str | None = None) -> Figures:
    def row(at: int) -> AdDay:
        day = MONDAY + timedelta(weeks=at)
        return ad(
            day, leads=leads, spend="1000.00", impressions=100_000, clicks=clicks[at], views=views[at],
            objective=objective,
        )  # fmt: skip

    return of([row(at) for at in range(len(views))], len(views))


def test_a_calm_week_has_the_usual_cards_and_a_plain_subject() -> None:
    calm = of(weekly([400] * 6), 6)

    assert cards_of(calm) == CARDS
    assert wording.subject(plain(calm)) == "Campaign report 2023-W36"


def test_an_alert_of_another_figure_is_in_the_first_row_and_in_the_subject() -> None:
    down = found([900] * 5 + [60], [1000] * 6)

    assert M.LANDING_PAGE_VIEWS in cards_of(down)
    assert wording.subject(plain(down)) == "Campaign report 2023-W36: ALERT on landing page views"
    assert {M.SPEND, M.LEADS} <= set(cards_of(down))


def test_without_an_alert_the_subject_says_what_moved() -> None:
    moved = found([900] * 6, [1000] * 4 + [1400, 1450])

    assert M.CLICKS in cards_of(moved)
    subject = wording.subject(plain(moved))
    assert subject.startswith("Campaign report 2023-W36: ")
    assert "clicks UP" in subject
    assert "ALERT" not in subject


def test_a_figure_that_nobody_knows_gives_way_to_one_that_is_known() -> None:
    none = found([900] * 6, [1000] * 6, leads=0, objective="OUTCOME_TRAFFIC")

    assert M.COST_PER_LEAD not in cards_of(none)
    assert len(cards_of(none)) == len(CARDS)
    assert plain(none).refused() == ()


def test_the_subject_names_large_moves_before_lasting_ones_before_the_rest() -> None:
    cards = (
        Card("Spend", "not known", direction=Direction.UP, lasting=False),
        Card("Leads", "not known", direction=Direction.UP),
        Card("Clicks", "not known", direction=Direction.DOWN, lasting=False, large=True),
        Card("Click rate", "not known", direction=Direction.FLAT),
    )

    content = dataclasses.replace(plain(of(weekly([400] * 6), 6)), cards=cards)

    assert wording.subject(content) == "Campaign report 2023-W36: clicks DOWN this week, leads UP"
    assert report_of(content.document()).cards == cards


def test_a_large_move_of_one_week_is_one_on_its_card() -> None:
    moved = plain(of(weekly([1000, 1000, 1000, 1000, 600]), 5))

    assert [card.label for card in moved.cards if card.large] == ["Leads", "Cost per lead"]


def test_the_subject_of_a_week_that_says_nothing_says_why() -> None:
    partly = plain(lacking(weekly([400] * 4), 5, 4, Wholeness(refused=3)))
    first = plain(of(weekly([400]), 1))

    assert wording.subject(report_of(partly.document())) == "Campaign report 2023-W35: not read whole"
    assert wording.subject(report_of(first.document())) == "Campaign report 2023-W31: not judged"
