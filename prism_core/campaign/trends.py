"""What a figure of a week is beside the weeks before it, and since the beginning.

Belongs here: the baseline of up to four weeks, the change against it, all-time totals. Does not belong here:
whether a change means anything (indicators.py).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from typing import Final

from prism_core.calendar import Week
from prism_core.campaign.metrics import WINDOW_WEEKS, CampaignWeek, History, Metric, Parts, Sums, parts_of
from prism_core.campaign.ripening import MOST_GROWTH, SAME_AGE_DAYS, LeadCounts
from prism_core.failures import BadUsage

# From so many weeks of its own age on a week is laid beside these alone.
FEWEST_OF_ONE_AGE: Final = 2
# The parts of one metric in a week, the first, laid beside another one; None where the figure is not known.
PartsOf = Callable[[Week, Week], Parts | None]


@dataclass(frozen=True, slots=True)
class Trend:
    """One figure of a week. `before` is the mean week of those before it, a ratio is that of their sums.

    `change` is a fraction of `before`; None without one. `weeks_in_window`: how many of the four weeks before have
    the figure. `events` and `events_before` are counted behind both (metrics.Parts). Noise is that of so many as
    are `expected` at the rate of the weeks before: a week in which nothing came is not the less certain for it.
    `same_age`: the weeks before are as they stood at the age of this one. `may_become`: the value where as many
    leads again are still to come, of a week that lies beside such as were counted for longer.
    """

    week: Week
    value: Decimal | None
    before: Decimal | None
    weeks_in_window: int
    events: int | None = None
    events_before: int | None = None
    expected: Decimal | None = None
    same_age: bool = False
    may_become: Decimal | None = None

    @property
    def change(self) -> Decimal | None:
        return self._change(self.value)

    @property
    def certain(self) -> Decimal | None:
        """As much of the change as holds whatever leads are still counted; None where that may be either way."""
        now, then = self._change(self.value), self._change(self.may_become)
        if now is None or then is None:
            return now
        return min(now, then, key=abs) if now * then > 0 else None

    def _change(self, value: Decimal | None) -> Decimal | None:
        return None if value is None or not self.before else (value - self.before) / self.before


def trend(week: Week, known: PartsOf) -> Trend:
    """A figure beside the four weeks before its own."""
    now = known(week, week)
    past = [parts for one in weeks_before(week) if (parts := known(one, week)) is not None]
    fair = [one for one in past if not one.riper]
    past = fair if len(fair) >= FEWEST_OF_ONE_AGE else past
    over = sum((one.over for one in past), Decimal(0))
    under = sum((one.under for one in past), Decimal(0))
    found = Trend(
        week,
        None if now is None else now.value,
        over / under if under else None,
        len(past),
        None if now is None else now.events,
        _events(past),
        None if now is None or not over or not under else _expected(now, over / under),
        any(one.earlier for one in past),
    )
    riper = now is not None and any(one.riper for one in past)
    return replace(found, may_become=now.grown) if now is not None and riper else found


def weeks_before(week: Week, size: int = WINDOW_WEEKS) -> tuple[Week, ...]:
    """The weeks that a week is compared with, the newest last."""
    return tuple(week + back for back in range(-size, 0))


def comparable(
    history: History,
    metric: Metric,
    currency: str | None,
    whose: str | None = None,
    told: Week | None = None,
) -> PartsOf:
    """A metric of all campaigns by week; unknown where the week was not read whole, or is of other money or ads.

    A week that lacks something is no smaller week: it is compared with such alone as lack as much of the account,
    and with none where days or rows are missing (WeekTotals.is_like). A lead's cost is that of the same campaigns
    in every week that a week is laid beside.
    `whose`: the account that the weeks must be of (Wholeness); None: of any. `told`: the week of the report, at
    whose age every other one is told; leads are compared at one age, see ripening.py.
    """
    age = _counts(history, told).age

    def parts(week: Week, beside: Week) -> Parts | None:
        if week not in history.weeks:
            return None
        found = history.totals(week)
        other_money = metric in MONEY and found.sums.currency not in {None, currency}
        other_ads = whose is not None and found.read.whose not in {None, whose}
        like = found.is_like(history.totals(beside) if beside in history.weeks else found)
        if not like or other_money or other_ads:
            return None
        if metric not in RIPENING:
            return found.parts(metric)
        counts, own = _counts(history, week), _counts(history, beside).own(age)
        at = own if week == beside else counts.beside(own)
        if at is None:
            return None
        ids = None if metric is Metric.LEADS else _for_leads(history, beside)
        same = [row for row in history.weeks[week] if ids is None or row.campaign_id in ids]
        sums = _sums(same, counts.leads(at))
        more = replace(sums, leads=sums.leads * MOST_GROWTH)
        known, grown = parts_of(metric, sums, sums), parts_of(metric, more, more)
        if known is None or grown is None:
            return None
        return replace(known, earlier=at != counts.age, riper=at > own + SAME_AGE_DAYS, grown=grown.value)

    return parts


def _sums(rows: Iterable[CampaignWeek], leads: Mapping[str, int] | None) -> Sums:
    """Rows added up, with the leads of an earlier reading where there are such."""
    ours = (row.sums if leads is None else replace(row.sums, leads=leads.get(row.campaign_id, 0)) for row in rows)
    return reduce(Sums.plus, ours, Sums())


def _counts(history: History, week: Week | None) -> LeadCounts:
    return LeadCounts() if week is None else history.counts.get(week, LeadCounts())


def _for_leads(history: History, week: Week) -> frozenset[str]:
    """The campaigns that are there for leads in a week; of those without a row in it, in the weeks before."""
    here = {row.campaign_id: row.for_leads for row in history.weeks.get(week, ())}
    past = {row.campaign_id for one in weeks_before(week) for row in history.weeks.get(one, ()) if row.for_leads}
    return frozenset({one for one, is_for in here.items() if is_for} | (past - here.keys()))


MONEY = frozenset({Metric.SPEND, Metric.COST_PER_LEAD, Metric.COST_PER_CLICK})
# What Meta adds to for weeks.
RIPENING = frozenset({Metric.LEADS, Metric.COST_PER_LEAD})


def since_the_first(history: History, until: Week) -> tuple[Week, ...]:
    """The weeks up to one, that one included, which are not known to be of another ad account than it is.

    Raises BadUsage when there is none.
    """
    weeks = [week for week in history.weeks if week <= until]
    if not weeks:
        raise BadUsage(f"no ads up to {until} were read")
    ours = _account(history, until)
    return tuple(week for week in weeks if None in {ours, their := _account(history, week)} or their == ours)


def all_time(history: History, until: Week) -> Sums:
    """Everything that was read of the account up to a week, the week included. Raises as `since_the_first`."""
    weeks = since_the_first(history, until)
    return reduce(Sums.plus, (row.sums for week in weeks for row in history.weeks[week]), Sums())


def _account(history: History, week: Week) -> str | None:
    whose = history.wholeness[week].whose if week in history.wholeness else None
    return None if whose is None else whose.partition(" ")[0]


def _events(past: Sequence[Parts]) -> int | None:
    known = [one.events for one in past if one.events is not None]
    return sum(known) if known else None


def _expected(now: Parts, rate: Decimal) -> Decimal | None:
    """The events of a week at the rate of those before: they are what is counted, or what a cost is divided by."""
    if now.events is None:
        return None
    return rate * now.under if now.events == now.over else now.over / rate
