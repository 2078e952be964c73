"""The first row and the subject of a report have what matters most in its week."""

from datetime import timedelta

from prism_core.campaign.figures import Figures
from prism_core.campaign.insights import AdDay
from prism_core.campaign.metrics import Metric
from prism_core.reports import wording
from prism_core.reports.campaign import CARDS, cards_of
from tests.unit.campaign_weeks import MONDAY, ad, weekly
from tests.unit.test_campaign_report import of, plain

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
