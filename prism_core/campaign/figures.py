"""The facts of a week's campaign report: which figures there are, their ids, and what they were counted from.

Belongs here: writing metrics, trends, attribution and restatements into one ledger. Does not belong here:
computing them, and the sentences about them (reports).
Ids: `week.2023-w31.leads`, of a campaign `week.2023-w31.1178.leads`; `before.`, `change.`, `all.`, `match.`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from prism_core.calendar import Week
from prism_core.campaign.activity import LeadActivity, lead_activity
from prism_core.campaign.attribution import Attribution
from prism_core.campaign.indicators import RULES, Indicator, Rules, indicator, stands
from prism_core.campaign.lead_rule import NotALead
from prism_core.campaign.metrics import CampaignWeek, History, Metric, Sums, WeekTotals
from prism_core.campaign.places import AdSetWeek, add_places
from prism_core.campaign.read_weeks import Wholeness
from prism_core.campaign.restatements import Restated, restated
from prism_core.campaign.trends import (
    MONEY,
    RIPENING,
    Trend,
    all_time,
    comparable,
    since_the_first,
    trend,
    weeks_before,
)
from prism_core.facts.gate import Scope
from prism_core.facts.ledger import Fact, Ledger, Unit, computed

LABELS: Final[Mapping[Metric, str]] = {
    Metric.SPEND: "spend",
    Metric.LEADS: "leads",
    Metric.COST_PER_LEAD: "cost per lead",
    Metric.IMPRESSIONS: "impressions",
    Metric.CLICKS: "clicks",
    Metric.CLICK_RATE: "click rate",
    Metric.COST_PER_CLICK: "cost per click",
    Metric.LANDING_PAGE_VIEWS: "landing page views",
}
_SUMS: Final = (Metric.SPEND, Metric.LEADS, Metric.IMPRESSIONS, Metric.CLICKS, Metric.LANDING_PAGE_VIEWS)
_LEAD_LEADS: Final = "lead_leads"
# How many weeks an indicator is folded over at most.
FOLDED_WEEKS: Final = 26
# How many campaigns a table shows: a mail stays below the size at which it is cut. The others are a list.
MOST_CAMPAIGNS: Final = 20
# Contacts of the customer system that are no leads, by what.
CONTACTS_BY: Final[Mapping[NotALead, str]] = {
    NotALead.STAGE: "their life cycle stage",
    NotALead.SOURCE: "their source",
}
# When a figure was that is of no single week.
BEFORE: Final = "mean of the weeks before"
AT_THE_SAME_AGE: Final = "at the same age"
ALL_TIME: Final = "since the first week"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a report of a week is made of. `told`: facts by id as the newest edition with them said them.

    `attribution` and `crm_leads` are None where the customer system was not read. `crm_refused`: contacts that
    could not be used, `crm_absent` those that it said there are and did not send, `crm_others` those that are no
    leads, by reason. `ad_sets` are those of the week.
    """

    history: History
    week: Week
    currency: str
    attribution: Attribution | None = None
    crm_leads: int | None = None
    told: Mapping[str, Fact] | None = None
    crm_refused: int = 0
    crm_absent: int = 0
    crm_others: Mapping[NotALead, int] = field(default_factory=dict[NotALead, int])
    ad_sets: tuple[AdSetWeek, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """One week, ready to be told. `campaigns` are those of the week; what `scope` does not hold cannot be said.

    `partial`: weeks of the window that were read, and not whole.
    """

    week: Week
    ledger: Ledger
    scope: Scope
    totals: WeekTotals
    campaigns: tuple[CampaignWeek, ...]
    indicators: Mapping[Metric, Indicator]
    activity: LeadActivity
    attribution: Attribution | None
    restated: tuple[Restated, ...]
    other_account: bool = False
    partial: frozenset[Week] = frozenset()
    ad_sets: tuple[AdSetWeek, ...] = ()

    @property
    def weeks(self) -> tuple[Week, ...]:
        """The weeks of the window and the week itself."""
        return (*weeks_before(self.week), self.week)

    @property
    def compared(self) -> bool:
        """Whether the week is whole, or lies beside weeks that lack as much as it does."""
        known = any(one.trend.weeks_in_window for one in self.indicators.values())
        return self.totals.whole or known

    @property
    def ripens(self) -> bool:
        """Whether leads are still counted to the week: those of weeks before are more, and no measure of it."""
        trends = (self.indicators[metric].trend for metric in RIPENING)
        return any(one.same_age or one.may_become is not None for one in trends)

    def is_riper(self, fact: Fact) -> bool:
        """Whether a figure is of leads of a week before that had more time than those of this week."""
        of_leads = fact.metric in {*RIPENING, _LEAD_LEADS} and fact.fact_id.startswith("week.")
        return self.ripens and of_leads and fact.period != self.week.label

    def of(self, metric: Metric, week: Week | None = None, campaign_id: str | None = None) -> str | None:
        """The id of a figure of a week (this one) and a campaign (all); None where it is not known."""
        fact_id = week_id(week or self.week, metric, campaign_id)
        return fact_id if fact_id in self.ledger else None

    def change(self, metric: Metric) -> str | None:
        """The id of the change against the weeks before; None where there is none."""
        fact_id = f"change.{_slug(self.week)}.{metric}"
        return fact_id if fact_id in self.ledger else None


def week_id(week: Week, metric: Metric, campaign_id: str | None = None) -> str:
    """The id of a figure of a week."""
    return ".".join(["week", _slug(week), *([campaign_id] if campaign_id else []), metric])


def figures(inputs: Inputs, rules: Rules = RULES) -> Figures:
    """Every figure of a week's report. Raises BadUsage when the week was not read."""
    week, found = inputs.week, inputs.history
    totals, ledger = found.totals(week), Ledger()
    window = [one for one in (*weeks_before(week), week) if one in found.weeks]
    for one in [one for one in window if not found.totals(one).unread]:
        _add_week(ledger, found.totals(one), found.weeks[one], inputs.currency)
    said = {metric: _indicator(inputs, metric, rules) for metric in Metric}
    for metric, one in said.items():
        _add_trend(ledger, found, one.trend, metric, [one for one in window if found.totals(one).is_like(totals)])
    _add_all_time(ledger, found, week, inputs.currency)
    activity = lead_activity(found, week, inputs.crm_leads)
    if activity.crm is not None:
        _count(ledger, "crm.leads", "leads in the customer system", activity.crm, "crm_leads", f"leads#{week}")
        for reason, count in inputs.crm_others.items():
            label = f"contacts beside the leads, by {CONTACTS_BY[reason]}"
            _count(ledger, f"crm.others.{reason}", label, count, "crm_others", f"leads#{week}")
    if inputs.attribution is not None:
        _add_attribution(ledger, inputs.attribution, week)
    _add_rest(ledger, by_spend(found.weeks[week])[MOST_CAMPAIGNS:], inputs.currency)
    _add_missing(ledger, inputs, totals)
    add_places(ledger, week, inputs.ad_sets, frozenset(totals.included), inputs.attribution, inputs.currency)
    moved = restated(inputs.told or {}, ledger, _tellable(window, week, found))
    weeks = {*window, *([activity.last] if activity.last else [])}
    silent = inputs.attribution.rows if inputs.attribution else ()
    names = {row.campaign_id: row.campaign_id for row in silent if row.campaign_id not in found.names}
    names |= {**found.names, **{one.subject: one.name for one in inputs.ad_sets}}
    scope = Scope(ledger, names, stands(said), frozenset(weeks), week)
    return Figures(
        week,
        ledger,
        scope,
        totals,
        found.weeks[week],
        said,
        activity,
        inputs.attribution,
        moved,
        _other_account(found, week),
        frozenset(one for one in window if not (found.totals(one).whole or found.totals(one).unread)),
        inputs.ad_sets,
    )


def _add_week(ledger: Ledger, totals: WeekTotals, rows: Iterable[CampaignWeek], currency: str) -> None:
    """Sums of each campaign, sums of them, and the rates of both."""
    week, campaigns = totals.week, list(rows)
    for row in campaigns:
        for metric in _SUMS:
            _add_sum(ledger, row, metric, currency)
        _add_rates(ledger, row.week, row.campaign_id, row.sums if row.for_leads else None)
    for metric in _SUMS:
        parts = [fact for row in campaigns if (fact := ledger.get(week_id(week, metric, row.campaign_id)))]
        known = totals.parts(metric) is not None
        if known and (metric is not Metric.LANDING_PAGE_VIEWS or parts):
            money = totals.sums.currency or currency if metric in MONEY else None
            label = f"{LABELS[metric]}, {week}"
            unit = Unit.MONEY if money else Unit.COUNT
            fact_id, period = week_id(week, metric), week.label
            ledger.total(fact_id, label, parts, metric=metric, unit=unit, currency=money, period=period)
    if totals.lead_sums.spend is not None and totals.sums.spend is not None:
        spends = [ledger[week_id(week, Metric.SPEND, one)] for one in totals.included]
        label, money = f"spend of campaigns for leads, {week}", totals.sums.currency or currency
        fact_id = f"week.{_slug(week)}.lead_spend"
        period = week.label
        ledger.total(fact_id, label, spends, metric="lead_spend", unit=Unit.MONEY, currency=money, period=period)
        counts = [ledger[week_id(week, Metric.LEADS, one)] for one in totals.included]
        label, fact_id = f"leads of campaigns for leads, {week}", f"week.{_slug(week)}.lead_leads"
        ledger.total(fact_id, label, counts, metric=_LEAD_LEADS, unit=Unit.COUNT, period=period)
    _add_rates(ledger, week, None, totals.lead_sums)


def _add_sum(ledger: Ledger, row: CampaignWeek, metric: Metric, currency: str) -> None:
    parts = row.parts(metric)
    if parts is None:
        return
    money = (row.sums.currency or currency) if metric in MONEY else None
    ledger.add(
        Fact(
            week_id(row.week, metric, row.campaign_id),
            parts.over,
            Unit.MONEY if money else Unit.COUNT,
            f"{LABELS[metric]} of {row.campaign_id}, {row.week}",
            money,
            metric,
            row.campaign_id,
            (row.key,),
            period=row.week.label,
        )
    )


def _add_rates(ledger: Ledger, week: Week, campaign: str | None, for_leads: Sums | None) -> None:
    """Ratios of sums that are in the ledger; a lead's cost only of what is there for leads."""

    def ratio(metric: Metric, part_id: str, whole_id: str, unit: Unit) -> None:
        part, under = ledger.get(part_id), ledger.get(whole_id)
        if part is not None and under is not None:
            label = f"{LABELS[metric]}{f' of {campaign}' if campaign else ''}, {week}"
            ledger.ratio(week_id(week, metric, campaign), label, part, under, metric=metric, unit=unit)

    spend, clicks, leads, shown = (
        week_id(week, one, campaign) for one in (Metric.SPEND, Metric.CLICKS, Metric.LEADS, Metric.IMPRESSIONS)
    )
    ratio(Metric.CLICK_RATE, clicks, shown, Unit.SHARE)
    ratio(Metric.COST_PER_CLICK, spend, clicks, Unit.MONEY)
    if for_leads is not None:
        of_all = f"week.{_slug(week)}"
        part, under = (spend, leads) if campaign else (f"{of_all}.lead_spend", f"{of_all}.lead_leads")
        ratio(Metric.COST_PER_LEAD, part, under, Unit.MONEY)


def _indicator(inputs: Inputs, metric: Metric, rules: Rules) -> Indicator:
    currency = inputs.history.totals(inputs.week).sums.currency or inputs.currency
    whose = inputs.history.totals(inputs.week).read.whose
    parts = comparable(inputs.history, metric, currency, whose, inputs.week)
    folded = [inputs.week + back for back in range(1 - FOLDED_WEEKS, 1)]
    return indicator(metric, [trend(one, parts) for one in folded], rules)


def _add_trend(ledger: Ledger, history: History, found: Trend, metric: Metric, window: list[Week]) -> None:
    """The mean of the weeks before and the change against it; `window` are the weeks that are like it.

    Neither where those were counted for longer and nobody can tell: the mean alone would read as a fall.
    """
    now, undecided = ledger.get(week_id(found.week, metric)), found.change is not None and found.certain is None
    if found.before is None or now is None or undecided:
        return
    known = (ledger.get(week_id(week, metric)) for week in window if week < found.week)
    parts = tuple(one.fact_id for one in known if one is not None and one.currency == now.currency)
    unit = Unit.NUMBER if now.unit is Unit.COUNT else now.unit
    when, sources = BEFORE, ()
    if found.same_age:  # what those weeks have come to since is another figure
        when, parts = f"{BEFORE} {AT_THE_SAME_AGE}", ()
        sources = tuple(row.key for week in weeks_before(found.week) for row in history.weeks.get(week, ()))
    label = f"{LABELS[metric]}, {when}"
    fact_id, value = f"before.{_slug(found.week)}.{metric}", computed(found.before)
    before = ledger.add(
        Fact(fact_id, value, unit, label, now.currency, metric, sources=sources, of=parts, period=when)
    )
    label = f"change of {LABELS[metric]} against the weeks before"
    ledger.change(f"change.{_slug(found.week)}.{metric}", label, now, before)


def _add_all_time(ledger: Ledger, found: History, week: Week, currency: str) -> None:
    sums, weeks = all_time(found, week), since_the_first(found, week)
    sources = tuple(row.key for one in weeks for row in found.weeks[one])
    _count(ledger, "all.leads", "leads since the first week", sums.leads, "leads", *sources, period=ALL_TIME)
    partial = sum(1 for one in weeks if not found.totals(one).whole)
    if partial:
        _count(ledger, "missing.all_weeks", "weeks since the first one that were not read whole", partial)
    if sums.spend is not None:
        money, label = sums.currency or currency, "spend since the first week"
        ledger.add(
            Fact("all.spend", sums.spend, Unit.MONEY, label, money, "spend", sources=sources, period=ALL_TIME)
        )


def _add_attribution(ledger: Ledger, found: Attribution, week: Week) -> None:
    source = f"lead_attribution#{week}"
    matched = _count(ledger, "match.matched", "leads matched by id", found.matched, "matched", source)
    label = "leads that Meta alone counted"
    meta = _count(ledger, "match.meta_only", label, found.meta_only, "meta_only", source)
    for outcome, count in found.crm_only.items():
        label = f"leads of the customer system alone: {outcome.value.replace('_', ' ')}"
        _count(ledger, f"match.crm_only.{outcome}", label, count, "crm_only", source)
    parts = [ledger[f"match.crm_only.{outcome}"] for outcome in found.crm_only]
    label = "leads of the customer system alone"
    ledger.total("match.crm_only", label, parts, metric="crm_only", unit=Unit.COUNT)
    known = matched
    if found.beyond:
        label = "leads matched by id that Meta did not count"
        beyond = _count(ledger, "match.beyond", label, found.beyond, "beyond", source)
        known = ledger.difference("match.known", "leads of Meta that are matched", matched, beyond)
    counted = ledger.total("match.meta", "leads of Meta", (known, meta), metric="leads", unit=Unit.COUNT)
    ledger.ratio("match.rate", "match rate", known, counted, metric="match_rate")


def by_spend(campaigns: Iterable[CampaignWeek]) -> list[CampaignWeek]:
    """The largest first."""
    return sorted(campaigns, key=lambda one: (-(one.sums.spend or Decimal(0)), one.campaign_id))


def _add_rest(ledger: Ledger, rest: list[CampaignWeek], currency: str) -> None:
    """The campaigns behind those that a table shows, and what they came to together."""
    if not rest:
        return
    _count(ledger, "rest.campaigns", "further campaigns with a smaller spend", len(rest), "rest_campaigns")
    for metric, name in ((Metric.SPEND, "rest_spend"), (Metric.LEADS, "rest_leads")):
        parts = [ledger.get(week_id(one.week, metric, one.campaign_id)) for one in rest]
        known = [one for one in parts if one is not None]
        money = (known[0].currency or currency) if known and metric in MONEY else None
        if len(known) == len(rest) and len({one.currency for one in known}) == 1:
            label, unit = f"{LABELS[metric]} of further campaigns", Unit.MONEY if money else Unit.COUNT
            ledger.total(f"rest.{metric}", label, known, metric=name, unit=unit, currency=money)


def _add_missing(ledger: Ledger, inputs: Inputs, totals: WeekTotals) -> None:
    """What is known to be in no figure of the week."""
    counts = (
        ("missing.days", "days of the week that were not read", len(totals.missing), "missing_days"),
        ("missing.rows", "rows of ads that were refused", totals.read.refused, "missing_rows"),
        ("missing.contacts_refused", "contacts that were refused", inputs.crm_refused, "missing_contacts"),
        (
            "missing.contacts",
            "contacts that the customer system did not send",
            inputs.crm_absent,
            "missing_contacts",
        ),
    )
    for fact_id, label, count, metric in counts:
        if count:
            _count(ledger, fact_id, label, count, metric)
    if totals.read.uncounted > 0:
        label = "leads of the account that are in no row"
        _count(ledger, "missing.leads", label, totals.read.uncounted, "missing_leads")
    if lacking := totals.read.unaccounted:
        way = "missing.spend" if lacking > 0 else "missing.excess"
        label = "spend of the account that is in no row" if lacking > 0 else "spend of rows beyond the account's"
        ledger.add(Fact(way, abs(lacking), Unit.MONEY, label, inputs.currency, way.replace(".", "_")))


def _other_account(found: History, week: Week) -> bool:
    """Whether the week before is known to be of another account, currency or time zone."""
    now, before = (found.wholeness.get(one, Wholeness()).whose for one in (week, week + -1))
    return None not in {now, before} and now != before


def _tellable(window: list[Week], week: Week, found: History) -> list[str]:
    """Totals of every week of the window, and of this week each campaign: told again in another edition."""
    ids = [week_id(one, metric) for one in window for metric in Metric]
    return ids + [week_id(week, metric, row.campaign_id) for row in found.weeks[week] for metric in Metric]


def _count(
    ledger: Ledger,
    fact_id: str,
    label: str,
    value: int,
    metric: str | None = None,
    *sources: str,
    period: str | None = None,
) -> Fact:
    return ledger.add(
        Fact(fact_id, Decimal(value), Unit.COUNT, label, metric=metric, sources=sources, period=period)
    )


def _slug(week: Week) -> str:
    return week.label.lower()
