"""A report calls a week calm, or without leads, only where that is known."""

from datetime import timedelta

import pytest

from prism_core.calendar import Week
from prism_core.campaign.attribution import attribute
from prism_core.campaign.read_weeks import Wholeness
from prism_core.reports.content import ReportContent
from tests.unit.campaign_weeks import ad, week, weekly
from tests.unit.test_campaign_attribution import lead
from tests.unit.test_campaign_report import lacking, of, plain, said


def test_a_stop_of_few_leads_is_told_and_in_its_second_week_an_alert() -> None:
    first, second = (plain(of(weekly(leads), len(leads))) for leads in ([7, 8, 6, 7, 0], [7, 8, 6, 7, 0, 0]))

    assert "Leads fell this week against the mean of the last four weeks: -100.0\xa0%" in said(first)
    assert "Alert: leads fell" in said(second)
    for content in (first, second):
        assert "asks for action" not in said(content)
        assert content.refused() == ()


def test_nothing_asks_for_action_only_where_leads_were_judged_and_are_matched() -> None:
    few = plain(of(weekly([4, 5, 4, 3, 5]), 5))
    unmatched = attribute([row for row in weekly([400] * 5) if Week.of(row.day) == week(4)], [lead("1")])
    loose = plain(of(weekly([400] * 5), 5, attribution=unmatched, crm_leads=1))

    def headline(content: ReportContent) -> list[str]:
        return [content.text(one.prose) for one in content.headline][-2:]

    assert headline(few)[0].startswith("Leads: not judged, because the volume is too small")
    assert headline(loose)[0] == "Attribution of this week is not to be relied on."
    assert {headline(one)[1] for one in (few, loose)} == {"Nothing else asks for action."}
    assert headline(plain(of(weekly([400] * 5), 5)))[1] == "Nothing asks for action."
    assert (few.refused(), loose.refused()) == ((), ())


def test_a_week_whose_currency_changed_is_compared_with_nothing_and_says_so() -> None:
    rows = [*weekly([400] * 5), ad(week(4).monday + timedelta(days=3), campaign="2", leads=0, currency="USD")]

    found = of(rows, 5)
    content = plain(found)

    assert not found.totals.whole
    assert {one.word for one in found.indicators.values()} == {"not judged"}
    assert "This week cannot be judged: its spend is in several currencies." in said(content)
    assert "This week is compared with nothing." in said(content)
    assert content.sections[0].status[0] == "ACTIVE"  # pyright: ignore[reportAttributeAccessIssue, reportOptionalSubscript]
    assert content.refused() == ()


@pytest.mark.parametrize(
    ("leads", "crm", "chip"),
    [
        pytest.param(0, None, "NOT KNOWN", id="none is known"),
        pytest.param(0, 0, "NOT KNOWN", id="none by the customer system"),
        pytest.param(0, 2, "ACTIVE", id="one by the customer system"),
        pytest.param(3, None, "ACTIVE", id="one by Meta"),
    ],
)
def test_of_a_week_that_was_not_read_whole_nobody_says_that_there_were_no_leads(
    leads: int, crm: int | None, chip: str
) -> None:
    content = plain(lacking(weekly([9, leads]), 2, 1, Wholeness(refused=1), crm_leads=crm))

    assert content.sections[0].status[0] == chip  # pyright: ignore[reportAttributeAccessIssue, reportOptionalSubscript]
