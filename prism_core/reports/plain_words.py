"""The sentences of a campaign report when no model writes them: few, and the same for the same figures.

Belongs here: what is said of indicators, attribution, restatements and gaps. Does not belong here: figures.
They pass the gate as a model's have to: no digit stands here, and no direction that no indicator has.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from prism_core.campaign.attribution import RELIABLE_SHARE
from prism_core.campaign.figures import CONTACTS_BY, LABELS, Figures
from prism_core.campaign.indicators import Indicator, Unjudged
from prism_core.campaign.metrics import WINDOW_WEEKS, Metric
from prism_core.campaign.restatements import Restated
from prism_core.facts.lexicon import Direction
from prism_core.reports.content import Department, Recommendation, Statement, Words

TOLD: Final = (Metric.SPEND, Metric.LEADS, Metric.COST_PER_LEAD, Metric.CLICK_RATE)
_PLURAL: Final = frozenset({Metric.LEADS, Metric.IMPRESSIONS, Metric.CLICKS, Metric.LANDING_PAGE_VIEWS})
_WENT: Final[Mapping[Direction, str]] = {Direction.UP: "rose", Direction.DOWN: "fell"}
_WHY_NOT: Final[Mapping[Unjudged, str]] = {
    Unjudged.NO_FIGURE: "there is nothing whole to compare",
    Unjudged.TOO_FEW_WEEKS: "too few weeks before it are known",
    Unjudged.LITTLE_VOLUME: "the volume is too small to tell a trend from chance",
    Unjudged.NOT_YET: "the weeks before it were counted for longer",
}
_LOOK: Final[Mapping[Metric, Mapping[Department, str]]] = {
    Metric.SPEND: {Department.MARKETING: "compare the budgets and bids that are set with those that were agreed"},
    Metric.LEADS: {
        Department.MARKETING: "look at each campaign of the table before any budget is moved",
        Department.DIGITAL: "fill in each lead form once and see that the lead arrives",
    },
    Metric.COST_PER_LEAD: {Department.MARKETING: "look at the campaigns with the highest cost first"},
    Metric.CLICKS: {Department.MARKETING: "see whether the ads still run and to whom they are shown"},
    Metric.CLICK_RATE: {Department.MARKETING: "see which ads have run longest and refresh those"},
    Metric.COST_PER_CLICK: {Department.MARKETING: "look at bids and audiences"},
    Metric.LANDING_PAGE_VIEWS: {Department.DIGITAL: "open the landing page from an ad and see that it loads"},
}
_CALM: Final[Mapping[Department, str]] = {
    Department.MARKETING: "Keep the campaigns as they are; nothing in the figures asks for another setting.",
    Department.DIGITAL: "Keep tracking and forms as they are.",
    Department.LEADERSHIP: "Nothing is to be decided this week.",
}

_WAIT: Final[Mapping[Department, str]] = {
    **_CALM,
    Department.MARKETING: "Keep the campaigns as they are and look again when the next week has ended.",
    Department.LEADERSHIP: "Nothing is to be decided on one week.",
}
_UNKNOWN: Final[Mapping[Department, str]] = {
    **_CALM,
    Department.MARKETING: "Keep the campaigns as they are until a week can be judged.",
    Department.LEADERSHIP: "Decide nothing on the figures of this week.",
}
SAME_AGE: Final = (
    "Meta counts leads to a day for four weeks: the weeks before are compared as they stood at the same age."
)
_UNRELIABLE: Final = Statement("Attribution of this week is not to be relied on.")


def words(found: Figures) -> Words:
    """What code says of a week."""
    return Words(tuple(_headline(found)), tuple(_analysis(found)), tuple(_recommendations(found)))


def _headline(found: Figures) -> Iterator[Statement]:
    spend, leads, cost = (found.of(one) for one in (Metric.SPEND, Metric.LEADS, Metric.COST_PER_LEAD))
    if leads is None:
        yield Statement(f"The ads of {found.week} were not read.")
    elif spend is None:
        yield Statement(f"{{{{fact:{leads}}}}} leads came in {found.week}; the spend is in several currencies.")
    else:
        yield Statement(f"Spend in {found.week} was {{{{fact:{spend}}}}}; it brought {{{{fact:{leads}}}}} leads.")
    if cost is not None:
        yield Statement(f"The cost per lead was {{{{fact:{cost}}}}}.")
    named = striking(found)
    if not found.compared and found.totals.every_row:
        yield Statement("This week cannot be judged: its spend is in several currencies.")
    elif not found.compared:
        yield Statement("This week was not read whole and cannot be judged; what is missing is listed.")
    elif not named and not _judged(found):
        yield Statement("This week cannot be judged: there is too little to compare it with.")
    elif not named:
        doubts = tuple(_doubts(found))
        yield from doubts
        yield Statement("Nothing else asks for action." if doubts else "Nothing asks for action.")
    yield from named


def _doubts(found: Figures) -> Iterator[Statement]:
    """Why a week without an alert may have something wrong all the same."""
    leads = found.indicators[Metric.LEADS]
    if leads.unjudged is not None:
        yield direction(leads, found)
    if _unreliable(found):
        yield _UNRELIABLE


def striking(found: Figures) -> tuple[Statement, ...]:
    """What every headline holds, whoever writes it: alerts, and moves of one week that are as large as one."""
    return tuple(direction(one, found) for one in found.indicators.values() if one.alert or one.large)


def _analysis(found: Figures) -> Iterator[Statement]:
    """What the cards show, and whatever else moves."""
    for metric, one in found.indicators.items():
        moves = one.unjudged is None and one.direction is not Direction.FLAT
        if moves or (metric in TOLD and found.of(metric) is not None):
            yield direction(one, found)


def direction(one: Indicator, found: Figures) -> Statement:
    """What an indicator says, in a sentence."""
    label, plural = LABELS[one.metric], one.metric in _PLURAL
    if one.unjudged is not None:
        verdict = "not yet known" if one.unjudged is Unjudged.NOT_YET else "not judged"
        return Statement(f"{_capital(label)}: {verdict}, because {_WHY_NOT[one.unjudged]}.")
    about = (one.metric.value,)
    if one.direction is Direction.FLAT:
        return Statement(f"{_capital(label)} {'are' if plural else 'is'} stable.", about)
    change, when = found.change(one.metric), "" if one.lasting else " this week"
    of = "the last four weeks"
    if one.trend.weeks_in_window < WINDOW_WEEKS:
        which = "known" if one.trend.same_age else "read whole"
        of = f"those of {of} that were {which}"
    if one.trend.same_age:
        of = f"{of} at the same age"
    if one.trend.may_become is not None:
        of = f"{of}, which were counted for longer"
    said = f"{label} {_WENT[one.direction]}{when} against the mean of {of}"
    said = f"{said}: {{{{fact:{change}}}}}" if change else said
    said = said if one.lasting else f"{said}; one week alone is no trend"
    return Statement(f"Alert: {said}." if one.alert else f"{_capital(said)}.", about)


def _recommendations(found: Figures) -> Iterator[Recommendation]:
    alerts = [metric for metric, one in found.indicators.items() if one.alert]
    for department in Department:
        todo = [
            f"{_capital(LABELS[metric])}: {_LOOK[metric][department]}."
            for metric in alerts
            if department in _LOOK.get(metric, {})
        ]
        if department is Department.DIGITAL and _unreliable(found):
            todo.append("See that every form passes on the ids of campaign, ad set and ad.")
        if department is Department.LEADERSHIP and alerts:
            todo.append("Wait for what Marketing finds before budgets are moved.")
        prose = " ".join(todo) or _quiet(found)[department]
        yield Recommendation(department, Statement(prose, tuple(alerts), claims=False))


def _quiet(found: Figures) -> Mapping[Department, str]:
    if not _judged(found) or found.indicators[Metric.LEADS].unjudged is not None:
        return _UNKNOWN
    return _WAIT if striking(found) else _CALM


def activity(found: Figures) -> tuple[Statement, ...]:
    """Whether leads came, by both counts."""
    leads, last = found.of(Metric.LEADS), found.activity.last
    counted = f"{{{{fact:{leads}}}}}" if leads else "not known"
    said = [Statement(f"Leads that Meta counted: {counted}.")]
    if found.activity.crm is not None:
        said.append(Statement("Leads in the customer system: {{fact:crm.leads}}."))
    for reason, by in CONTACTS_BY.items():
        if f"crm.others.{reason}" in found.ledger:
            said.append(Statement(f"Contacts beside the leads, by {by}: {{{{fact:crm.others.{reason}}}}}."))
    if not found.totals.every_row:
        said.append(Statement("The week was not read whole: leads may have come that are not counted."))
    if found.indicators[Metric.LEADS].trend.same_age:
        said.append(Statement(SAME_AGE))
    if last is not None and last != found.week:
        said.append(Statement(f"The last leads came in {last}."))
    return tuple(said)


def attribution(found: Figures) -> tuple[Statement, ...]:
    """How far leads can be laid beside campaigns, and why not further."""
    if found.attribution is None:
        return (Statement("Leads were not matched."),)
    said = [
        Statement(
            "Leads matched by id: {{fact:match.matched}}; not matched, Meta alone: {{fact:match.meta_only}}."
        )
    ]
    if "match.beyond" in found.ledger:
        said.append(Statement("Leads matched by id that Meta did not count: {{fact:match.beyond}}."))
    if "match.rate" in found.ledger:
        said.append(Statement("The match rate is {{fact:match.rate}}."))
    for outcome in found.attribution.crm_only:
        why = outcome.value.replace("_", " ")
        said.append(
            Statement(f"Not matched, customer system alone, {why}: {{{{fact:match.crm_only.{outcome}}}}}.")
        )
    if _unreliable(found):
        said.append(_UNRELIABLE)
    return tuple(said)


def corrections(found: Figures) -> tuple[Statement, ...]:
    """`Leads of 2023-W31 were 41, now 47.`"""
    return tuple(_correction(one, found) for one in found.restated)


def _correction(one: Restated, found: Figures) -> Statement:
    label = _capital(LABELS[Metric(one.was.metric or "")])
    week = next(week for week in found.scope.weeks if f".{week.label.lower()}." in one.was.fact_id)
    of = f"{{{{name:{one.was.subject}}}}} in {week}" if one.was.subject else f"{week}"
    were = "were" if Metric(one.was.metric or "") in _PLURAL else "was"
    now = f"now {{{{fact:{one.now.fact_id}}}}}" if one.now else "now unknown"
    return Statement(f"{label} of {of} {were} {{{{fact:{one.was.fact_id}}}}}, {now}.")


def missing(found: Figures) -> tuple[Statement, ...]:
    """What the report does not know."""
    said: list[str] = []
    if "missing.days" in found.ledger:
        said.append("Days of this week that were not read: {{fact:missing.days}}.")
    if "missing.rows" in found.ledger:
        said.append("Rows of ads that were refused and are in none of the figures: {{fact:missing.rows}}.")
    if "missing.spend" in found.ledger:
        said.append("Spend of the account that is in no row of ads: {{fact:missing.spend}}.")
    if "missing.excess" in found.ledger:
        said.append("Spend of rows of ads that the account's own total does not have: {{fact:missing.excess}}.")
    if "missing.leads" in found.ledger:
        said.append("Leads of the account that are in no row of ads: {{fact:missing.leads}}.")
    if found.totals.sums.spend is None:
        said.append("The spend is in several currencies and was not added up.")
    if not found.compared:
        said.append("This week is compared with nothing.")
    if found.other_account:
        said.append("The ad account, its currency or its time zone is another one than in the week before.")
        said.append("Weeks of the other account are not compared with this one.")
    if found.activity.crm is None:
        said.append("The customer system was not read.")
    if "missing.contacts_refused" in found.ledger:
        said.append("Contacts of the customer system that were refused: {{fact:missing.contacts_refused}}.")
    if "missing.contacts" in found.ledger:
        said.append("Contacts that the customer system counts and did not send: {{fact:missing.contacts}}.")
    return tuple(Statement(one) for one in said)


def _judged(found: Figures) -> bool:
    return any(found.indicators[metric].unjudged is None for metric in TOLD)


def _unreliable(found: Figures) -> bool:
    rate = found.attribution.match_rate if found.attribution else None
    return rate is not None and rate < RELIABLE_SHARE


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
