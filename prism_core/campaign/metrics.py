"""What a campaign's week came to, and what all campaigns of a week came to.

Belongs here: adding ads up, rates and costs, which campaigns are there for leads. Does not belong here: comparing
weeks (trends.py, indicators.py) and writing figures down (figures.py).
A rate is a ratio of sums, never a mean of rates; where there is nothing to divide by there is none.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from prism_core.calendar import Week, WeekRange
from prism_core.campaign.insights import AdDay
from prism_core.campaign.lacking import MOST_LACKING
from prism_core.campaign.read_weeks import Wholeness
from prism_core.campaign.ripening import LeadCounts
from prism_core.failures import BadUsage

WINDOW_WEEKS: Final = 4
# Objectives under which Meta looks for leads: today's name and the one of older campaigns.
LEAD_OBJECTIVES: Final = frozenset({"OUTCOME_LEADS", "LEAD_GENERATION"})
_NOTHING: Final = Decimal(0)


class Metric(StrEnum):
    """The figures of a week. A sum over ads, or a ratio of two."""

    SPEND = "spend"
    LEADS = "leads"
    COST_PER_LEAD = "cost_per_lead"
    IMPRESSIONS = "impressions"
    CLICKS = "clicks"
    CLICK_RATE = "click_rate"
    COST_PER_CLICK = "cost_per_click"
    LANDING_PAGE_VIEWS = "landing_page_views"


@dataclass(frozen=True, slots=True)
class Parts:
    """A metric as numerator and denominator (1 of a sum), so that weeks of it can be taken together.

    `events`: how many independent events carry its noise; None where it is no matter of chance. `earlier`: as the
    week stood when it was younger; `riper`: counted for longer than the week that it is laid beside. `grown`: the
    value where as many leads again are still to come (ripening.py).
    """

    over: Decimal
    under: Decimal
    events: int | None
    earlier: bool = False
    riper: bool = False
    grown: Decimal | None = None

    @property
    def value(self) -> Decimal | None:
        return self.over / self.under if self.under else None


@dataclass(frozen=True, slots=True)
class Sums:
    """What ads came to together. `spend` and `currency` are None where two currencies met; views None: unknown."""

    spend: Decimal | None = _NOTHING
    currency: str | None = None
    impressions: int = 0
    clicks: int = 0
    leads: int = 0
    landing_page_views: int | None = None

    def plus(self, more: "Sums") -> "Sums":
        known = [one for one in (self, more) if one.spend is None or one.currency is not None]
        mixed = any(one.spend is None for one in known) or len({one.currency for one in known}) > 1
        return Sums(
            None if mixed else (self.spend or _NOTHING) + (more.spend or _NOTHING),
            None if mixed or not known else known[0].currency,
            self.impressions + more.impressions,
            self.clicks + more.clicks,
            self.leads + more.leads,
            _plus(self.landing_page_views, more.landing_page_views),
        )

    @classmethod
    def of(cls, row: AdDay) -> "Sums":
        return cls(row.spend, row.currency, row.impressions, row.clicks, row.leads, row.landing_page_views)


@dataclass(frozen=True, slots=True)
class CampaignWeek:
    """One row of `campaign_metrics`. `days` had delivery; `for_leads`: its spend is part of a lead's cost."""

    week: Week
    campaign_id: str
    name: str
    objective: str | None
    sums: Sums
    days: int
    for_leads: bool

    @property
    def key(self) -> str:
        """What a fact that was counted from this row names as its source."""
        return f"campaign_metrics#{self.week}#{self.campaign_id}"

    def parts(self, metric: Metric) -> Parts | None:
        """None where the figure is not known, or this campaign is not there for leads."""
        return parts_of(metric, self.sums, self.sums if self.for_leads else Sums())


@dataclass(frozen=True, slots=True)
class WeekTotals:
    """All campaigns of a week. `lead_sums` are those of the campaigns that are there for leads (`included`).

    `missing`: days of the week that were not read. A day that was, without a row, had no delivery.
    """

    week: Week
    sums: Sums
    lead_sums: Sums
    included: tuple[str, ...]
    excluded: tuple[str, ...]
    missing: tuple[date, ...]
    read: Wholeness = field(default_factory=Wholeness)

    @property
    def unread(self) -> bool:
        """Whether no day of it was read: then its sums are none."""
        return len(self.missing) == len(self.week.days)

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be missing: else it is no smaller week, and compared with its like alone.

        Of a week whose currency changed nobody can say that its rows come to the account's own total.
        """
        return self.every_row and self.sums.spend is not None

    @property
    def every_row(self) -> bool:
        """Whether no row is known to be missing, whatever its money."""
        return not (self.missing or self.read.refused or self.read.unaccounted or self.read.uncounted > 0)

    def is_like(self, other: "WeekTotals") -> bool:
        """Whether the two may be laid beside each other: what both lack for good is no fall.

        Every day of both was read and no row refused, and the share of the account's spend and leads that is in no
        row is nearly the same.
        """
        pairs = zip(self.gaps, other.gaps, strict=True)
        return self.sound and other.sound and all(abs(one - another) <= MOST_LACKING for one, another in pairs)

    @property
    def sound(self) -> bool:
        """Whether every day was read and no row refused; rows may still not come to the account's totals."""
        return not (self.missing or self.read.refused or self.sums.spend is None)

    @property
    def gaps(self) -> tuple[Decimal, Decimal]:
        """The shares of the account's spend and leads that are in no row; less than nought: rows have more."""
        return (
            _share(self.read.unaccounted, self.sums.spend or _NOTHING),
            _share(Decimal(max(self.read.uncounted, 0)), Decimal(self.sums.leads)),
        )

    def parts(self, metric: Metric) -> Parts | None:
        """None where the figure is not known."""
        return parts_of(metric, self.sums, self.lead_sums)


def _share(lacking: Decimal, had: Decimal) -> Decimal:
    """Of all that there is, so much is lacking; of nothing that was had, all. Below nought: in excess."""
    if not lacking:
        return _NOTHING
    whole = had + max(lacking, _NOTHING)
    return lacking / whole if whole > 0 else Decimal(-1)


@dataclass(frozen=True, slots=True)
class History:
    """Weeks of campaigns by week; a week without any row is there as an empty one. `names` are the newest.

    `read`: the first and the last day of the account that were asked for whole; `unread`: days between them that
    were not. `wholeness`: what else is known to be missing, of weeks that somebody noted it of. `counts`: their
    leads when they were younger; a week that is not there is ripe.
    """

    weeks: Mapping[Week, tuple[CampaignWeek, ...]]
    read: tuple[date, date]
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    unread: frozenset[date] = frozenset()
    wholeness: Mapping[Week, Wholeness] = field(default_factory=dict[Week, Wholeness])
    counts: Mapping[Week, LeadCounts] = field(default_factory=dict[Week, LeadCounts])
    _totals: dict[Week, WeekTotals] = field(default_factory=dict[Week, WeekTotals], compare=False, repr=False)

    def totals(self, week: Week) -> WeekTotals:
        """Raises BadUsage for a week that was not read: that is no empty one."""
        if week not in self.weeks:
            raise BadUsage(f"the ads of {week} were not read")
        if week not in self._totals:
            read = self.wholeness.get(week, Wholeness())
            self._totals[week] = totals(week, self.weeks[week], self.read, self.unread, read)
        return self._totals[week]

    def campaign(self, week: Week, campaign_id: str) -> CampaignWeek | None:
        return next((one for one in self.weeks.get(week, ()) if one.campaign_id == campaign_id), None)


def parts_of(metric: Metric, sums: Sums, for_leads: Sums) -> Parts | None:
    """A metric of sums; a lead's cost is that of the campaigns that are there for leads. None: not known."""
    one = Decimal(1)
    found: Mapping[Metric, tuple[Decimal | int | None, Decimal | int, int | None]] = {
        Metric.SPEND: (sums.spend, one, None),
        Metric.LEADS: (sums.leads, one, sums.leads),
        Metric.COST_PER_LEAD: (for_leads.spend, for_leads.leads, for_leads.leads),
        Metric.IMPRESSIONS: (sums.impressions, one, None),
        Metric.CLICKS: (sums.clicks, one, sums.clicks),
        Metric.CLICK_RATE: (sums.clicks, sums.impressions, sums.clicks),
        Metric.COST_PER_CLICK: (sums.spend, sums.clicks, sums.clicks),
        Metric.LANDING_PAGE_VIEWS: (sums.landing_page_views, one, sums.landing_page_views),
    }
    over, under, events = found[metric]
    return None if over is None else Parts(Decimal(over), Decimal(under), events)


def history(rows: Iterable[AdDay], read: tuple[date, date]) -> History:
    """Rows added up by campaign and week, from the first to the last day that were read; no others.

    Each ad is there once a day (insights.Read). A renamed campaign is one, by its id, under its newest name.
    Memory is that of campaigns and weeks, not of rows.
    """
    first, last = read
    weeks = tuple(WeekRange(Week.of(first), Week.of(last)))
    found: dict[tuple[Week, str], _Adding] = {}
    newest: dict[str, tuple[date, str]] = {}
    for row in rows:
        if not first <= row.day <= last:
            continue
        week = Week.of(row.day)
        found.setdefault((week, row.campaign_id), _Adding()).add(row)
        newest[row.campaign_id] = max(newest.get(row.campaign_id, (date.min, "")), (row.day, row.campaign_name))
    names = {campaign: name for campaign, (_, name) in sorted(newest.items(), key=lambda one: _numeric(one[0]))}
    by_week: dict[Week, list[tuple[str, _Adding]]] = {week: [] for week in weeks}
    for (week, campaign), adding in found.items():
        by_week[week].append((campaign, adding))
    return History(
        {
            week: tuple(
                CampaignWeek(
                    week,
                    campaign,
                    adding.name,
                    adding.objective,
                    adding.sums,
                    len(adding.days),
                    is_for_leads(adding.objective, _leads_in_window(found, week, campaign)),
                )
                for campaign, adding in sorted(by_week[week], key=lambda one: _numeric(one[0]))
            )
            for week in weeks
        },
        read,
        names,
    )


def history_of(
    weeks: Mapping[Week, Sequence[CampaignWeek]],
    days: Mapping[Week, Collection[date]],
    wholeness: Mapping[Week, Wholeness] | None = None,
    counts: Mapping[Week, LeadCounts] | None = None,
) -> History:
    """Weeks that were added up before, with the days of each that were read. Raises BadUsage without a week.

    A week between them that is not there counts as one of which no day was read.
    """
    if not weeks:
        raise BadUsage("a history needs a week")
    every = WeekRange(min(weeks), max(weeks))
    known = {day for week in every for day in days.get(week, ())}
    read = (min(known), max(known)) if known else (every.first.monday, every.first.monday - timedelta(days=1))
    span = (read[0] + timedelta(days=n) for n in range((read[1] - read[0]).days + 1))
    names = {row.campaign_id: row.name for week in every for row in weeks.get(week, ())}
    return History(
        {week: tuple(weeks.get(week, ())) for week in every},
        read,
        {campaign: names[campaign] for campaign in sorted(names, key=_numeric)},
        frozenset(day for day in span if day not in known),
        wholeness or {},
        counts or {},
    )


def is_for_leads(objective: str | None, leads_in_window: int) -> bool:
    """A campaign is there for leads when its objective says so; without one, when it brought a lead in four weeks.

    Without the second rule a file without objectives would have leads without a cost. One stray lead of a campaign
    for traffic does not put its spend on the cost of a lead.
    """
    return objective in LEAD_OBJECTIVES if objective else leads_in_window > 0


def totals(
    week: Week,
    rows: Iterable[CampaignWeek],
    read: tuple[date, date],
    unread: Collection[date] = (),
    wholeness: Wholeness | None = None,
) -> WeekTotals:
    """All campaigns of one week together."""
    every, for_leads = Sums(), Sums()
    included, excluded = list[str](), list[str]()
    for row in rows:
        every = every.plus(row.sums)
        if row.for_leads:
            for_leads = for_leads.plus(row.sums)
        (included if row.for_leads else excluded).append(row.campaign_id)
    missing = tuple(day for day in week.days if not read[0] <= day <= read[1] or day in unread)
    return WeekTotals(week, every, for_leads, tuple(included), tuple(excluded), missing, wholeness or Wholeness())


@dataclass(slots=True)
class _Adding:
    sums: Sums = field(default_factory=Sums)
    newest: tuple[date, str, str] = (date.min, "", "")
    days: set[date] = field(default_factory=set[date])

    def add(self, row: AdDay) -> None:
        self.sums = self.sums.plus(Sums.of(row))
        self.days.add(row.day)
        self.newest = max(self.newest, (row.day, row.campaign_name, row.objective or ""))

    @property
    def name(self) -> str:
        return self.newest[1]

    @property
    def objective(self) -> str | None:
        return self.newest[2] or None


def _leads_in_window(found: Mapping[tuple[Week, str], _Adding], week: Week, campaign: str) -> int:
    known = (found.get((one, campaign)) for one in week.window(WINDOW_WEEKS))
    return sum(one.sums.leads for one in known if one is not None)


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)


def _numeric(campaign_id: str) -> tuple[int, str]:
    """936 before 1178."""
    return len(campaign_id), campaign_id
