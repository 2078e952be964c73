"""A report says where leads came from, by campaign and ad set, with what they cost and whose count has them."""

from datetime import timedelta

from prism_core.campaign.attribution import attribute
from prism_core.campaign.figures import MOST_CAMPAIGNS, Figures, Inputs, figures
from prism_core.campaign.insights import AdDay
from prism_core.campaign.known_places import Place
from prism_core.campaign.metrics import History, history
from prism_core.campaign.places import ad_sets, silent_sets
from prism_core.reports import plain_words
from prism_core.reports.campaign import MOST_ROWS, report
from prism_core.reports.content import Fallback, Provenance, ReportContent, Table, Writer
from prism_core.reports.editions import next_edition
from prism_core.reports.wording import table
from prism_resources.reports.lists import lists_of
from prism_resources.reports.rendering import MOST_BYTES, render
from prism_resources.writing.brief import brief
from tests.unit.campaign_weeks import MONDAY, ad, of_weeks, week
from tests.unit.test_campaign_attribution import lead

ADS = [
    ad(campaign="1", adset="10", spend="60.00", leads=3, objective="OUTCOME_LEADS"),
    ad(campaign="1", adset="11", spend="20.00", leads=1, objective="OUTCOME_LEADS"),
    ad(campaign="2", adset="20", spend="5.50", leads=0, objective="OUTCOME_TRAFFIC"),
]
LEADS = [lead("1", "1", "10"), lead("2", "1", "11"), lead("3", "1", "11"), lead("4", "2", "20"), lead("5")]


def told() -> Figures:
    return figures(Inputs(of_weeks(ADS, 1), week(0), "EUR", attribute(ADS, LEADS), 5, ad_sets=ad_sets(ADS)))


def made(found: Figures) -> ReportContent:
    return report(found, plain_words.words(found), Provenance(Writer.CODE, Fallback.NO_KEY))


def places(content: ReportContent) -> Table:
    return next(one for one in content.sections if isinstance(one, Table) and one.title == "Where leads came from")


def test_campaigns_and_their_ad_sets_have_spend_leads_by_count_and_cost() -> None:
    content = made(told())
    words = table(content, places(content), units_in_heads=True)

    assert words.heads[0] == "Campaign / ad set"
    assert [tuple(row) for row in words.rows] == [
        ("Campaign 1", "80.00", "2", "2", "1", "20.00"),
        ("Campaign 1 / Set 10", "60.00", "1", "2", "0", "20.00"),
        ("Campaign 1 / Set 11", "20.00", "1", "0", "1", "20.00"),
        ("Campaign 2", "5.50", "0", "0", "1", "\N{EN DASH} (not for leads)"),
        ("No campaign known", "", "", "", "1", ""),
    ]
    assert words.total == ("All", "85.50", "2", "2", "3", "20.00")
    assert content.refused() == ()
    said = [content.text(one.prose) for one in plain_words.attribution(told())]
    assert "Not matched, customer system alone, counted leads used up: 1." in said


def test_leads_of_a_campaign_without_delivery_in_the_week_have_a_row_under_the_name_known_last() -> None:
    before = [Place("7", "70", "700", "Autumn", "Form"), Place("8", "80", "800", "Winter", "Page")]
    late = [lead("1", "7", "70", "700"), lead("2", "8"), lead("3", "9")]
    matched, own = attribute(ADS, late, before), ad_sets(ADS)
    silent = silent_sets(matched, own, lambda: before)
    autumn = ad(MONDAY - timedelta(weeks=1), "7", name="Autumn", leads=0)

    found = figures(Inputs(of_weeks_before([autumn, *ADS]), week(0), "EUR", matched, 3, ad_sets=(*own, *silent)))

    rows = table(made(found), places(made(found)), units_in_heads=True).rows
    assert [tuple(row) for row in rows[-3:]] == [
        ("Autumn / Form", "not known", "0", "0", "1", "not known"),
        ("8", "not known", "0", "0", "1", "not known"),
        ("No campaign known", "", "", "", "1", ""),
    ]
    assert made(found).refused() == ()


def of_weeks_before(rows: list[AdDay]) -> History:
    """With the week before the first one."""
    return history(rows, (MONDAY - timedelta(weeks=1), MONDAY + timedelta(days=6)))


def test_without_the_customer_system_the_cost_is_told_and_the_match_is_not_known() -> None:
    content = made(figures(Inputs(of_weeks(ADS, 1), week(0), "EUR", ad_sets=ad_sets(ADS))))

    rows = table(content, places(content), units_in_heads=True).rows
    assert rows[1] == ("Campaign 1 / Set 10", "60.00", "not known", "not known", "not known", "20.00")


def test_a_large_account_fits_a_mail_and_its_list_has_every_ad_set() -> None:
    rows = [
        ad(MONDAY, str(1000 + at), adset=f"{1000 + at}{part}", spend=f"{90000 - at}.25", leads=3)
        for at in range(200)
        for part in (1, 2, 3)
    ]
    found = figures(Inputs(of_weeks(rows, 1), week(0), "EUR", attribute(rows, LEADS), 5, ad_sets=ad_sets(rows)))
    content = made(found)

    mail = render(content)

    assert len(mail.html) <= MOST_BYTES
    shown = MOST_ROWS - MOST_CAMPAIGNS
    assert (len(places(content).rows), len(places(content).further)) == (shown, 801 - shown)
    assert places(content).rows[-1][0] == "No campaign known", "directly above the total"
    (listed,) = [one for one in lists_of(content) if one.name.startswith("where-leads-came-from")]
    assert listed.csv.decode("utf-8-sig").count("\r\n") == 802
    assert "Set 11993" in mail.text


def test_ad_sets_are_no_matter_of_the_model_and_make_no_edition_alone() -> None:
    found = told()
    other = [*LEADS[:2], lead("3", "1", "10"), *LEADS[3:]]
    moved = figures(Inputs(of_weeks(ADS, 1), week(0), "EUR", attribute(ADS, other), 5, ad_sets=ad_sets(ADS)))

    assert "set.10" not in brief(found)
    assert '"from.1.matched"' in brief(found)
    assert made(moved).refused() == ()
    changed = next_edition(made(found), made(moved))
    assert changed is None or all("Set 1" not in changed.text(one.prose) for one in changed.corrections)
