"""Whether a figure goes up or down for good, and whether somebody must look: UP, DOWN, FLAT, ALERT, OK.

Belongs here: thresholds, sustained directions, hysteresis, minimum volume. Does not belong here: the figures
(trends.py) and the words about them (reports).
An indicator is folded from the weeks themselves, so that a report that is made again says the same. It speaks late
rather than wrongly: a model may explain what it says, and can neither make nor drop an alert.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import sqrt
from typing import Annotated, Final

from pydantic import Field

from prism_core.calendar import Week
from prism_core.campaign.metrics import Metric
from prism_core.campaign.trends import Trend
from prism_core.facts.gate import Stands
from prism_core.facts.lexicon import Direction
from prism_core.models.base import Choice, Many, Measure, Model, Share

_Weeks = Annotated[int, Field(ge=1, le=12)]


class Status(StrEnum):
    OK = "ok"
    ALERT = "alert"


class Unjudged(StrEnum):
    """Why nothing is said of a figure."""

    NO_FIGURE = "no_figure"
    TOO_FEW_WEEKS = "too_few_weeks"
    LITTLE_VOLUME = "little_volume"
    NOT_YET = "not_yet"


class Rule(Model):
    """When one metric speaks. Changes are fractions of the mean of the weeks before."""

    band: Share = Field(description="a change up to this is flat")
    alert: Annotated[Measure, Field(gt=0)] = Field(description="a change from this in a bad direction is an alert")
    severe: Annotated[Measure, Field(gt=0)] = Field(description="from this it is said at once, in its first week")
    volume: Annotated[int, Field(ge=0)] = Field(
        description="events in the weeks before, on average a week, below which only their end is said"
    )
    bad: Many[Choice[Direction]] = Field(description="the directions that are bad news")


class Rules(Model):
    """Where indicators begin to speak, and what holds for all of them."""

    sustained: _Weeks = Field(default=2, description="weeks in a direction among `of_weeks`, the newest included")
    of_weeks: _Weeks = Field(default=3, description="weeks that are looked at")
    release: Share = Field(
        default=Decimal("0.5"),
        description="hysteresis: what is said ends below this share of the change that began it",
    )
    fewest_weeks: _Weeks = Field(default=2, description="weeks before with the figure; below nothing is said")
    noise: Annotated[Measure, Field(ge=0)] = Field(
        default=Decimal("1.96"), description="standard errors of chance that a change must exceed (1.96: 95 %)"
    )


# Real weeks of small accounts differ by a tenth without a reason, and by a quarter for a holiday.
RULES: Final = Rules()
_UP, _DOWN = Direction.UP, Direction.DOWN


def _rule(band: str, alert: str, severe: str, volume: int, *bad: Direction) -> Rule:
    return Rule(band=Decimal(band), alert=Decimal(alert), severe=Decimal(severe), volume=volume, bad=bad)


METRIC_RULES: Final[Mapping[Metric, Rule]] = {
    Metric.SPEND: _rule("0.10", "0.40", "0.80", 0, _UP, _DOWN),
    Metric.LEADS: _rule("0.10", "0.30", "0.60", 10, _DOWN),
    Metric.COST_PER_LEAD: _rule("0.10", "0.30", "0.75", 10, _UP),
    Metric.IMPRESSIONS: _rule("0.15", "0.60", "0.90", 0),
    Metric.CLICKS: _rule("0.15", "0.50", "0.80", 50, _DOWN),
    Metric.CLICK_RATE: _rule("0.10", "0.30", "0.60", 50, _DOWN),
    Metric.COST_PER_CLICK: _rule("0.15", "0.40", "0.80", 50, _UP),
    Metric.LANDING_PAGE_VIEWS: _rule("0.15", "0.50", "0.80", 50, _DOWN),
}


@dataclass(frozen=True, slots=True)
class State:
    """What is carried from week to week: the readings of the last weeks, newest last, and what was said."""

    readings: tuple[Direction | None, ...] = ()
    bad: tuple[bool, ...] = ()
    direction: Direction = Direction.FLAT
    status: Status = Status.OK
    since: Week | None = None

    @property
    def lasting(self) -> bool:
        """Whether the newest week goes no way of its own: what it shows was said, or it is flat."""
        return self.direction is not Direction.FLAT or self.readings[-1:] in {(), (Direction.FLAT,), (None,)}

    @property
    def shown(self) -> Direction:
        """The direction that is said; where none lasts, the one of the newest week alone."""
        return self.direction if self.lasting else self.readings[-1] or Direction.FLAT

    @property
    def large(self) -> bool:
        """Whether the newest week alone moved as far as an alert, in a bad direction."""
        return not self.lasting and self.bad[-1]


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is said of a metric in a week. `since`: the first week in which it was said without a break.

    Without `lasting` the direction is that of this week alone; `large` when that went as far as an alert.
    With `unjudged` nothing is said: it shows FLAT and OK, and no text may claim either.
    """

    metric: Metric
    trend: Trend
    direction: Direction
    status: Status
    since: Week
    unjudged: Unjudged | None = None
    lasting: bool = True
    large: bool = False

    @property
    def alert(self) -> bool:
        return self.status is Status.ALERT

    @property
    def word(self) -> str:
        """`DOWN, ALERT`; `DOWN, ONE WEEK`; `not judged`; `not yet known`."""
        if self.unjudged is Unjudged.NOT_YET:
            return "not yet known"
        if self.unjudged is not None:
            return "not judged"
        if not self.lasting:
            return f"{self.direction.value.upper()}, ONE WEEK"
        return f"{self.direction.value.upper()}, {self.status.value.upper()}"


def indicators(trends: Mapping[Metric, Iterable[Trend]], rules: Rules = RULES) -> dict[Metric, Indicator]:
    """One for each metric, folded over its weeks in order; the last week is the one that is told of."""
    return {metric: indicator(metric, list(weeks), rules) for metric, weeks in trends.items()}


def stands(found: Mapping[Metric, Indicator]) -> dict[str, Stands]:
    """What a text may claim, for the gate: nothing of a figure that was not judged."""
    return {
        metric.value: Stands(one.direction, one.alert, one.lasting, one.large)
        for metric, one in found.items()
        if one.unjudged is None
    }


def indicator(metric: Metric, weeks: list[Trend], rules: Rules = RULES) -> Indicator:
    """The indicator of the last of some weeks. At least one week is needed."""
    state, unjudged = folded(weeks, METRIC_RULES[metric], rules)
    newest = weeks[-1]
    if unjudged is not None:
        return Indicator(metric, newest, Direction.FLAT, Status.OK, newest.week, unjudged)
    since = state.since if state.since and state.lasting else newest.week
    lasting, large = state.lasting, state.large
    return Indicator(metric, newest, state.shown, state.status, since, lasting=lasting, large=large)


def folded(weeks: Iterable[Trend], rule: Rule, rules: Rules = RULES) -> tuple[State, Unjudged | None]:
    """What is said of a figure after some weeks, and why nothing may be said of the last one."""
    state, unjudged = State(), None
    for one in weeks:
        unjudged = why_not(one, rule, rules)
        state = step(state, one, rule, rules) if unjudged is None else _interrupted(state, rules)
    return state, unjudged


def why_not(trend: Trend, rule: Rule, rules: Rules = RULES) -> Unjudged | None:
    """Why a week says nothing; None when it may be judged."""
    if trend.value is None or trend.change is None:
        return Unjudged.NO_FIGURE
    if trend.weeks_in_window < rules.fewest_weeks:
        return Unjudged.TOO_FEW_WEEKS
    if (trend.events_before or 0) < rule.volume * trend.weeks_in_window and not _stopped(trend, rules):
        return Unjudged.LITTLE_VOLUME
    return Unjudged.NOT_YET if trend.certain is None else None


def _stopped(trend: Trend, rules: Rules) -> bool:
    """Whether nothing came where something was to be expected, by more than chance: of little, too, it says so."""
    return trend.value == 0 and rules.noise * _standard_error(trend) < 1


def step(state: State, trend: Trend, rule: Rule, rules: Rules = RULES) -> State:
    """The state after one more week that can be judged."""
    change = trend.certain or Decimal(0)
    chance = rules.noise * _standard_error(trend)
    reading = _reading(change, max(rule.band, chance), state.direction, rules)
    readings = (*state.readings, reading)[-rules.of_weeks :]
    is_bad = reading in rule.bad
    alert_from = rule.alert * (rules.release if state.status is Status.ALERT else 1)
    bad = (*state.bad, is_bad and abs(change) >= max(alert_from, chance))[-rules.of_weeks :]
    severe = abs(change) >= max(rule.severe, 2 * chance)
    direction = reading if severe or _sustained(reading, readings, state, rules) else Direction.FLAT
    alerts = bad[-1] and (severe or state.status is Status.ALERT or sum(bad) >= rules.sustained)
    status = Status.ALERT if alerts and direction in rule.bad else Status.OK
    same = (direction, status) == (state.direction, state.status) and state.since is not None
    return State(readings, bad, direction, status, state.since if same else trend.week)


def _reading(change: Decimal, flat_up_to: Decimal, said: Direction, rules: Rules) -> Direction:
    """The direction of one week; one that is said already ends later than it began."""
    for direction, size in ((_UP, change), (_DOWN, -change)):
        if size > flat_up_to * (rules.release if said is direction else 1):
            return direction
    return Direction.FLAT


def _sustained(reading: Direction, readings: tuple[Direction | None, ...], state: State, rules: Rules) -> bool:
    """The newest week goes that way, and enough of the last ones do, or it was said before."""
    return state.direction is reading or readings.count(reading) >= rules.sustained


def _interrupted(state: State, rules: Rules) -> State:
    """A week that says nothing counts as one of the last weeks, and ends what was said."""
    readings, bad = (*state.readings, None)[-rules.of_weeks :], (*state.bad, False)[-rules.of_weeks :]
    return State(readings, bad)


def _standard_error(trend: Trend) -> Decimal:
    """Of a change that is chance alone: both figures rest on events that come independently, at one rate."""
    if not trend.expected or not trend.events_before:
        return Decimal(0)
    return Decimal(str(round(sqrt(1 / max(float(trend.expected), 1) + 1 / trend.events_before), 6)))
