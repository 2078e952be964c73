"""Where leads came from: campaigns and their ad sets, with what they cost and whose leads they are.

Belongs here: adding ads up by ad set, and the facts of each place. Does not belong here: totals of the week
(figures.py), matching (attribution.py), the table of them (reports/campaign.py).
Ids: `from.1178.matched`, of an ad set `from.1178.set.144536.spend`; its name is that of `set.144536`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from prism_core.calendar import Week
from prism_core.campaign.attribution import Attribution, AttributionRow, Outcome
from prism_core.campaign.insights import AdDay
from prism_core.campaign.known_places import Place
from prism_core.campaign.metrics import Metric, Sums
from prism_core.facts.ledger import Fact, Ledger, Unit

FROM: Final = "from."
UNPLACED: Final = "from.unplaced.crm_only"
_SET: Final = "set."
# Leads of the customer system alone whose campaign is known.
_PLACED: Final = (Outcome.NOT_COUNTED_BY_META, Outcome.COUNTED_LEADS_USED_UP)


@dataclass(frozen=True, slots=True)
class AdSetWeek:
    """What the ads of one ad set came to in a week, under its newest name."""

    campaign_id: str
    adset_id: str
    name: str
    sums: Sums | None

    @property
    def subject(self) -> str:
        """What a text names it by: an ad set may have the digits of a campaign."""
        return f"{_SET}{self.adset_id}"

    def fact(self, metric: str) -> str:
        """The id of a figure of it."""
        return f"{FROM}{self.campaign_id}.{_SET}{self.adset_id}.{metric}"


def ad_sets(ads: Iterable[AdDay]) -> tuple[AdSetWeek, ...]:
    """The ad sets of one week's ads, the one with the largest spend of its campaign first."""
    sums: dict[tuple[str, str], Sums] = {}
    names: dict[tuple[str, str], tuple[object, str]] = {}
    for ad in ads:
        place = (ad.campaign_id, ad.adset_id)
        sums[place] = sums.get(place, Sums()).plus(Sums.of(ad))
        names[place] = max(names.get(place, (ad.day, ad.adset_name)), (ad.day, ad.adset_name))
    ordered = sorted(sums, key=lambda place: (place[0], -(sums[place].spend or Decimal(0)), place[1]))
    return tuple(AdSetWeek(*place, names[place][1], sums[place]) for place in ordered)


def silent_sets(
    attribution: Attribution | None, own: Iterable[AdSetWeek], before: Callable[[], Iterable[Place]]
) -> tuple[AdSetWeek, ...]:
    """Ad sets without delivery that leads of the week are of, under the name that `before` (oldest first) tells.

    `before` is read where there is one.
    """
    known = {one.adset_id for one in own}
    rows = () if attribution is None else attribution.rows
    silent = [(row.campaign_id, row.adset_id) for row in rows if row.adset_id and row.adset_id not in known]
    names = {one.adset_id: one.adset_name for one in before()} if silent else {}
    return tuple(AdSetWeek(campaign, adset, names.get(adset, adset), None) for campaign, adset in silent)


def is_of_an_ad_set(subject: str | None) -> bool:
    """Whether a name or the subject of a fact is that of an ad set."""
    return subject is not None and subject.startswith(_SET)


def add_places(
    ledger: Ledger,
    week: Week,
    sets: Iterable[AdSetWeek],
    for_leads: frozenset[str],
    attribution: Attribution | None,
    currency: str,
) -> None:
    """The figures of ad sets, and of every place the leads by whose count they are."""
    for one in sets:
        if one.sums is not None:
            _add_sums(ledger, week, one, one.sums, currency, for_leads=one.campaign_id in for_leads)
    if attribution is None:
        return
    source = (f"lead_attribution#{week}",)
    campaigns: dict[str, list[AttributionRow]] = {}
    for row in attribution.rows:
        campaigns.setdefault(row.campaign_id, []).append(row)
        if row.adset_id is not None:
            place = f"{FROM}{row.campaign_id}.{_SET}{row.adset_id}"
            counts = {"matched": row.matched, "meta_only": row.meta_only, "crm_only": row.crm_only}
            _add_counts(ledger, place, f"{_SET}{row.adset_id}", counts, source)
    for campaign, rows in campaigns.items():
        matched = sum(row.matched for row in rows)
        loose = sum(row.matched for row in rows if row.adset_id is None)
        lacking = sum(row.meta_only for row in rows if row.adset_id is not None)
        counts = {"matched": matched, "meta_only": max(lacking - loose, 0)}
        counts["crm_only"] = sum(row.crm_only for row in rows)
        _add_counts(ledger, f"{FROM}{campaign}", campaign, counts, source)
    placed = sum(attribution.crm_only.get(one, 0) for one in _PLACED)
    unplaced = sum(attribution.crm_only.values()) - placed
    label = "leads of the customer system alone, of no campaign that is known"
    ledger.add(
        Fact(UNPLACED, Decimal(unplaced), Unit.COUNT, label, metric="crm_only", sources=source, period=week.label)
    )


def _add_sums(ledger: Ledger, week: Week, one: AdSetWeek, sums: Sums, currency: str, *, for_leads: bool) -> None:
    sources, period = (f"meta_insights#{week}#{one.adset_id}",), week.label
    leads = ledger.add(
        Fact(
            one.fact(Metric.LEADS), Decimal(sums.leads), Unit.COUNT, f"leads of {one.subject}, {week}",
            metric=Metric.LEADS, subject=one.subject, sources=sources, period=period,
        )
    )  # fmt: skip
    if sums.spend is None:
        return
    spend = ledger.add(
        Fact(
            one.fact(Metric.SPEND), sums.spend, Unit.MONEY, f"spend of {one.subject}, {week}",
            sums.currency or currency, Metric.SPEND, one.subject, sources, period=period,
        )
    )  # fmt: skip
    if for_leads:
        label, metric = f"cost per lead of {one.subject}, {week}", Metric.COST_PER_LEAD
        ledger.ratio(one.fact(metric), label, spend, leads, metric=metric, unit=Unit.MONEY)


def _add_counts(
    ledger: Ledger, place: str, subject: str, counts: Mapping[str, int], source: tuple[str, ...]
) -> None:
    words = {
        "matched": "leads matched by id",
        "meta_only": "leads that Meta alone counted",
        "crm_only": "leads of the customer system alone",
    }
    for metric, count in counts.items():
        label, value = f"{words[metric]}, of {subject}", Decimal(count)
        fact = Fact(f"{place}.{metric}", value, Unit.COUNT, label, None, metric, subject, source)
        ledger.add(fact)
