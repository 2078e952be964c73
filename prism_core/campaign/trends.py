"""What a figure of a week is beside the weeks before it, and since the beginning.

Belongs here: the baseline of up to four weeks, the change against it, all-time totals. Does not belong here:
whether a change means anything (indicators.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

from prism_core.calendar import Week
from prism_core.campaign.metrics import WINDOW_WEEKS, History, Metric, Parts, Sums, parts_of
from prism_core.failures import BadUsage

# The parts of one metric in a week, the first, laid beside another one; None where the figure is not known.
PartsOf = Callable[[Week, Week], Parts | None]


@dataclass(frozen=True, slots=True)
class Trend:
    """One figure of a week. `before` is the mean week of those before it, a ratio is that of their sums.

    `change` is a fraction of `before`; None without one. `weeks_in_window`: how many of the four weeks before have
    the figure. `events` and `events_before` are counted behind both (metrics.Parts). Noise is that of so many as
    are `expected` at the rate of the weeks before: a week in which nothing came is not the less certain for it.
    """

    week: Week
    value: Decimal | None
    before: Decimal | None
    weeks_in_window: int
    events: int | None = None
    events_before: int | None = None
    expected: Decimal | None = None

    @property
    def change(self) -> Decimal | None:
        if self.value is None or not self.before:
            return None
        return (self.value - self.before) / self.before


def trend(week: Week, known: PartsOf) -> Trend:
    """A figure beside the four weeks before its own."""
    now = known(week, week)
    past = [parts for one in weeks_before(week) if (parts := known(one, week)) is not None]
    over = sum((one.over for one in past), Decimal(0))
    under = sum((one.under for one in past), Decimal(0))
    return Trend(
        week,
        None if now is None else now.value,
        over / under if under else None,
        len(past),
        None if now is None else now.events,
        _events(past),
        None if now is None or not over or not under else _expected(now, over / under),
    )


def weeks_before(week: Week, size: int = WINDOW_WEEKS) -> tuple[Week, ...]:
    """The weeks that a week is compared with, the newest last."""
    return tuple(week + back for back in range(-size, 0))


def comparable(history: History, metric: Metric, currency: str | None, whose: str | None = None) -> PartsOf:
    """A metric of all campaigns by week; unknown where the week was not read whole, or is of other money or ads.

    A week that lacks something is no smaller week: it is compared with nothing, and nothing with it. A lead's cost
    is that of the same campaigns in every week that a week is laid beside.
    `whose`: the account that the weeks must be of (Wholeness); None: of any.
    """

    def parts(week: Week, beside: Week) -> Parts | None:
        if week not in history.weeks:
            return None
        found = history.totals(week)
        other_money = metric in MONEY and found.sums.currency not in {None, currency}
        other_ads = whose is not None and found.read.whose not in {None, whose}
        if not found.whole or other_money or other_ads:
            return None
        if metric is not Metric.COST_PER_LEAD:
            return found.parts(metric)
        ids = _for_leads(history, beside)
        same = (row.sums for row in history.weeks[week] if row.campaign_id in ids)
        return parts_of(metric, found.sums, reduce(Sums.plus, same, Sums()))

    return parts


def _for_leads(history: History, week: Week) -> frozenset[str]:
    """The campaigns that are there for leads in a week; of those without a row in it, in the weeks before."""
    here = {row.campaign_id: row.for_leads for row in history.weeks.get(week, ())}
    past = {row.campaign_id for one in weeks_before(week) for row in history.weeks.get(one, ()) if row.for_leads}
    return frozenset({one for one, is_for in here.items() if is_for} | (past - here.keys()))


MONEY = frozenset({Metric.SPEND, Metric.COST_PER_LEAD, Metric.COST_PER_CLICK})


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
