"""The campaign report of a week: figures and sentences in the order in which they are read.

Belongs here: cards, tables, charts and sections of this report. Does not belong here: figures (campaign),
sentences (plain_words.py, or a model) and how it looks (resources).
"""

from dataclasses import replace
from typing import Final

from prism_core.campaign.figures import LABELS, MOST_CAMPAIGNS, Figures, by_spend
from prism_core.campaign.metrics import CampaignWeek, Metric
from prism_core.campaign.places import FROM, UNPLACED
from prism_core.facts.lexicon import Direction
from prism_core.reports import plain_words
from prism_core.reports.content import (
    COMPARED,
    Align,
    Card,
    Chart,
    Column,
    Prose,
    Provenance,
    ReportContent,
    Section,
    Series,
    Statement,
    Table,
    Words,
)
from prism_core.reports.wording import WEEKS_IN_WORDS

CARDS: Final = (Metric.SPEND, Metric.LEADS, Metric.COST_PER_LEAD, Metric.CLICK_RATE)
COLUMNS: Final = (Metric.SPEND, Metric.IMPRESSIONS, Metric.CLICKS, Metric.LEADS, Metric.COST_PER_LEAD)
# Rows of both tables: a row is two kilobytes of HTML. The others are in the text and in the lists.
MOST_ROWS: Final = 30
UNKNOWN: Final = "not known"
NOT_FOR_LEADS: Final = "\N{EN DASH} (not for leads)"


def report(
    found: Figures, words: Words, provenance: Provenance, *, edition: int = 1, synthetic: bool = False
) -> ReportContent:
    """The report, ready to be judged (`refused`) and rendered. Raises PermanentFailure for a figure it lacks."""
    return ReportContent(
        title="Campaign report",
        week=found.week,
        scope=found.scope,
        headline=words.headline,
        cards=tuple(_card(metric, found) for metric in cards_of(found)),
        sections=(
            Prose(
                "Lead activity",
                plain_words.activity(found),
                status=(found.activity.status.word, found.activity.status.colour),
            ),
            Prose(COMPARED, words.analysis, bullets=True),
            *(_chart(metric, found) for metric in (Metric.LEADS, Metric.SPEND)),
            _campaigns(found),
            _places(found),
            Prose("Leads by campaign, matched", plain_words.attribution(found), bullets=True),
            _all_time(found),
        ),
        provenance=provenance,
        recommendations=words.recommendations,
        corrections=plain_words.corrections(found),
        missing=plain_words.missing(found),
        edition=edition,
        synthetic=synthetic,
        unjudged=_unjudged(found),
    )


def _unjudged(found: Figures) -> str:
    """Why nothing is said of the week, in the words of the subject; empty where a card says something."""
    if any(found.indicators[metric].unjudged is None for metric in cards_of(found)):
        return ""
    return "not judged" if found.totals.every_row else "not read whole"


def cards_of(found: Figures) -> tuple[Metric, ...]:
    """The four figures of the first row, in the order of `Metric`.

    Spend and leads are what the report is of. Beside them an alert goes before a large move of one week, that
    before a move which lasts, and any of these before the usual figures; more alerts push these two out as well.
    What nobody knows gives way to what was judged.
    """

    def weight(metric: Metric) -> tuple[int, int]:
        one, usual = found.indicators[metric], CARDS.index(metric) if metric in CARDS else len(CARDS)
        if one.alert:
            return 0, usual
        if metric in CARDS[:2]:
            return 1, usual
        if one.large:
            return 2, usual
        if one.unjudged is None and one.direction is not Direction.FLAT:
            return 3, usual
        known, judged = found.of(metric) is not None, one.unjudged is None
        return (4 if known and metric in CARDS else 5 if judged else 6), usual

    return tuple(sorted(sorted(Metric, key=weight)[: len(CARDS)], key=list(Metric).index))


def _card(metric: Metric, found: Figures) -> Card:
    one, change = found.indicators[metric], found.change(metric)
    label = LABELS[metric][:1].upper() + LABELS[metric][1:]
    if one.unjudged is not None:
        return Card(label, _cell(found.of(metric)), one.word)
    age = " at the same age" if one.trend.same_age else ""
    note = f"{_cell(change)} against {WEEKS_IN_WORDS[one.trend.weeks_in_window]}{age}" if change else ""
    return Card(label, _cell(found.of(metric)), note, one.direction, one.alert, one.lasting, one.large)


def _campaigns(found: Figures) -> Table:
    """By spend, the largest first, and whether a campaign's spend is part of the cost per lead."""
    ordered = by_spend(found.campaigns)
    shown, further = ordered[:MOST_CAMPAIGNS], ordered[MOST_CAMPAIGNS:]
    notes = [Statement("The cost per lead is that of campaigns for leads alone; the last column says which are.")]
    notes += _further(found)
    total = ("All campaigns", *(_cell(found.of(metric)) for metric in COLUMNS), "")
    return Table(
        "Campaigns",
        (
            Column("Campaign", Align.LEFT),
            *(Column(LABELS[metric][:1].upper() + LABELS[metric][1:]) for metric in COLUMNS),
            Column("For leads", Align.LEFT),
        ),
        tuple(_row(one, found) for one in shown),
        total,
        tuple(notes),
        tuple(_row(one, found) for one in further),
    )


def _places(found: Figures) -> Table:
    """Each campaign and, where it has several, its ad sets: what they cost, and whose count has their leads."""
    rows: list[tuple[str, ...]] = []
    for campaign in by_spend(found.campaigns):
        own = campaign.campaign_id
        spend, cost = (found.of(one, campaign_id=own) for one in (Metric.SPEND, Metric.COST_PER_LEAD))
        named = f"{{{{name:{own}}}}}"
        rows.append(_place(named, f"{FROM}{own}", spend, cost, found, for_leads=campaign.for_leads))
        sets = [one for one in found.ad_sets if one.campaign_id == own]
        for one in sets if len(sets) > 1 else ():
            name = f"{named} / {{{{name:{one.subject}}}}}"
            ids = (one.fact(metric) for metric in (Metric.SPEND, Metric.COST_PER_LEAD))
            spend, cost = (fact_id if fact_id in found.ledger else None for fact_id in ids)
            place = one.fact("").rstrip(".")
            rows.append(_place(name, place, spend, cost, found, for_leads=campaign.for_leads))
    rows += _without_delivery(found)
    unplaced = [("No campaign known", "", "", "", _cell(UNPLACED), "")] if UNPLACED in found.ledger else []
    known = found.attribution is not None
    most = MOST_ROWS - min(len(found.campaigns), MOST_CAMPAIGNS) - len(unplaced)
    total = (
        *("All", _cell(found.of(Metric.SPEND))),
        *(_cell(f"match.{one}" if known else None) for one in ("matched", "meta_only", "crm_only")),
        _cell(found.of(Metric.COST_PER_LEAD)),
    )
    note = "Leads without the id of an ad set stand in the row of their campaign alone."
    return Table(
        "Where leads came from",
        (
            Column("Campaign / ad set", Align.LEFT),
            *map(Column, ("Spend", "Leads matched", "Meta alone", "Customer system alone", "Cost per lead")),
        ),
        (*rows[:most], *unplaced),
        total,
        (Statement(note), *((Statement("The attached list has every campaign."),) if rows[most:] else ())),
        tuple(rows[most:]),
    )


def _without_delivery(found: Figures) -> list[tuple[str, ...]]:
    """Campaigns that leads are of and that had no delivery in the week, by ad set where that is known."""
    shown = {one.campaign_id for one in found.campaigns}
    sets = {one.adset_id: one for one in found.ad_sets if one.campaign_id not in shown}
    rows: list[tuple[str, ...]] = []
    for row in found.attribution.rows if found.attribution else ():
        if row.campaign_id in shown:
            continue
        one, named = sets.get(row.adset_id or ""), f"{{{{name:{row.campaign_id}}}}}"
        if one is None:
            rows.append(_place(named, f"{FROM}{row.campaign_id}", None, None, found, for_leads=True))
            continue
        name = f"{named} / {{{{name:{one.subject}}}}}"
        rows.append(_place(name, one.fact("").rstrip("."), None, None, found, for_leads=True))
    return rows


def _place(
    name: str, place: str, spend: str | None, cost: str | None, found: Figures, *, for_leads: bool
) -> tuple[str, ...]:
    counts = [f"{place}.{one}" for one in ("matched", "meta_only", "crm_only")]
    cells = [_cell(one if one in found.ledger else None) for one in counts]
    return (name, _cell(spend), *cells, _cell(cost) if for_leads else NOT_FOR_LEADS)


def _further(found: Figures) -> list[Statement]:
    """How many campaigns the table does not show, what they came to, and where they stand."""
    said = {
        "rest.campaigns": "Further campaigns with a smaller spend: {}.",
        "rest.spend": "Spend of further campaigns: {}.",
        "rest.leads": "Leads of further campaigns: {}.",
    }
    known = [Statement(prose.format(_cell(one))) for one, prose in said.items() if one in found.ledger]
    return [*known, Statement("The attached list has every campaign.")] if known else []


def _row(one: CampaignWeek, found: Figures) -> tuple[str, ...]:
    cells = (
        NOT_FOR_LEADS
        if metric is Metric.COST_PER_LEAD and not one.for_leads
        else _cell(found.of(metric, campaign_id=one.campaign_id))
        for metric in COLUMNS
    )
    return (f"{{{{name:{one.campaign_id}}}}}", *cells, "yes" if one.for_leads else "no")


def _chart(metric: Metric, found: Figures) -> Section:
    series = Series(LABELS[metric], tuple(found.of(metric, week) for week in found.weeks))
    alt = plain_words.direction(found.indicators[metric], found)
    if found.partial:
        alt = replace(alt, prose=f"{alt.prose} Weeks with a star were not read whole.")
    title = f"{LABELS[metric].capitalize()} by week"
    if metric is Metric.LEADS and found.ripens:
        title = f"{title}, the newest still counted"
        if found.indicators[metric].trend.same_age:
            alt = replace(alt, prose=f"{alt.prose} {plain_words.SAME_AGE}")
    labels = tuple(f"{week.label}{' *' if week in found.partial else ''}" for week in found.weeks)
    return Chart(metric.value, title, labels, (series,), alt)


def _all_time(found: Figures) -> Prose:
    said = [Statement("Leads since the first week: {{fact:all.leads}}.")]
    if "all.spend" in found.ledger:
        said.append(Statement("Spend since the first week: {{fact:all.spend}}."))
    if "missing.all_weeks" in found.ledger:
        said.append(Statement("Weeks that these sums have in part or not at all: {{fact:missing.all_weeks}}."))
    return Prose("All time", tuple(said))


def _cell(fact_id: str | None) -> str:
    return UNKNOWN if fact_id is None else f"{{{{fact:{fact_id}}}}}"
