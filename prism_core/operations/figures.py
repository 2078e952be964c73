"""The facts of a week's operations report: which figures there are, and what is said of them.

Belongs here: writing sums, trends and indicators into one ledger. Does not belong here: adding up (weeks.py), and
sentences and tables (prism_core/reports/operations.py).
Ids: `week.2026-w01.tasks`, of a project `week.2026-w01.p1f3a….tasks`; `before.`, `change.`. A project may be
called anything, so its part of an id is a hash.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from prism_core.calendar import Week
from prism_core.campaign.indicators import RULES, Rule, Status, Unjudged, folded
from prism_core.campaign.metrics import WINDOW_WEEKS
from prism_core.campaign.trends import PartsOf, Trend, trend, weeks_before
from prism_core.facts.gate import Scope, Stands
from prism_core.facts.ledger import Fact, Ledger, Unit
from prism_core.facts.lexicon import Direction
from prism_core.failures import BadUsage
from prism_core.models.base import measure as rounded
from prism_core.operations.weeks import Measure, OpsWeek, Work
from prism_core.quality import accuracy

LABELS: Final[Mapping[Measure, str]] = {
    Measure.TASKS: "tasks",
    Measure.ACCURACY: "accuracy",
    Measure.WORKED_SHARE: "hours worked of those allocated",
    Measure.NEW_ALERTS: "new alerts",
}
# Where figures come from that are no alerts: tables of the lake, and the targets of projects.
_SOURCES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("tasks", "hours", "people", "unresolved", "read_until"), "throughput"),
    **dict.fromkeys(("reviewed", "correct", "missed_targets"), "quality_scores"),
    **dict.fromkeys(("available", "allocated", "worked"), "utilisation"),
    "target": "projects",
}
# How many weeks an indicator is folded over, and how many are read for it.
FOLDED_WEEKS: Final = 8
READ_WEEKS: Final = FOLDED_WEEKS + WINDOW_WEEKS
BEFORE: Final = "mean of the weeks before"


def _rule(band: str, alert: str, severe: str, volume: int, *bad: Direction) -> Rule:
    return Rule(band=Decimal(band), alert=Decimal(alert), severe=Decimal(severe), volume=volume, bad=bad)


# An accuracy of 95 % that falls by 3 % of itself has half as many errors again.
MEASURE_RULES: Final[Mapping[Measure, Rule]] = {
    Measure.TASKS: _rule("0.10", "0.40", "0.80", 50, Direction.DOWN),
    Measure.ACCURACY: _rule("0.01", "0.03", "0.08", 50, Direction.DOWN),
    Measure.WORKED_SHARE: _rule("0.05", "0.20", "0.40", 0, Direction.DOWN),
    Measure.NEW_ALERTS: _rule("0.25", "1.00", "3.00", 3, Direction.UP),
}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a measure, as an indicator of a campaign does; `unjudged` why nothing is.

    `weeks`: how many of the four weeks before have the figure.
    """

    measure: Measure
    direction: Direction
    alert: bool
    unjudged: Unjudged | None
    lasting: bool = True
    large: bool = False
    weeks: int = WINDOW_WEEKS


@dataclass(frozen=True, slots=True)
class OpsFigures:
    """One week, ready to be told. `names` of projects by the subject of their facts are in `scope`.

    `measured`: projects with a quality target and reviewed pieces. `missed`: those of them below it even at the
    upper end of the interval of their accuracy.
    """

    week: OpsWeek
    ledger: Ledger
    scope: Scope
    said: Mapping[Measure, Said]
    measured: tuple[str, ...]
    missed: tuple[str, ...]

    @property
    def weeks(self) -> tuple[Week, ...]:
        """The weeks of the window and the week itself."""
        return (*weeks_before(self.week.week), self.week.week)

    def of(self, name: str, week: Week | None = None, project_id: str | None = None) -> str | None:
        """The id of a figure; None where it is not known."""
        fact_id = week_id(week or self.week.week, name, project_id)
        return fact_id if fact_id in self.ledger else None

    def change(self, measure: Measure) -> str | None:
        fact_id = f"change.{_slug(self.week.week)}.{measure}"
        return fact_id if fact_id in self.ledger else None


def week_id(week: Week, name: str, project_id: str | None = None) -> str:
    """The id of a figure of a week."""
    return ".".join(["week", _slug(week), *([subject_of(project_id)] if project_id else []), name])


def subject_of(project_id: str) -> str:
    """How facts and tokens name a project."""
    return f"p{hashlib.blake2b(project_id.encode(), digest_size=5).hexdigest()}"


def ops_figures(
    week: Week, weeks: Mapping[Week, OpsWeek], names: Mapping[str, str], targets: Mapping[str, Decimal]
) -> OpsFigures:
    """Every figure of a week's report; `names` and quality `targets` by project id.

    Raises BadUsage when the week is not among `weeks`.
    """
    if week not in weeks:
        raise BadUsage(f"{week} was not computed")
    ledger, here = Ledger(), weeks[week]
    window = [one for one in (*weeks_before(week), week) if one in weeks]
    for one in window:
        _add_week(ledger, weeks[one])
    for project_id, work in sorted(here.projects.items()):
        _add_work(ledger, week, work, project_id, reviewed=here.quality)
        if project_id in targets and here.quality:
            fact_id, subject = week_id(week, "target", project_id), subject_of(project_id)
            label = f"quality target of {subject}, {week}"
            _add(ledger, fact_id, targets[project_id], Unit.SHARE, label, "target", week, subject=subject)
    measured = tuple(one for one, work in here.projects.items() if one in targets and work.reviewed)
    missed = tuple(one for one in measured if _missed(here.projects[one], targets[one]))
    if measured:
        fact_id, label = week_id(week, "missed_targets"), f"projects that missed their quality target, {week}"
        _add(ledger, fact_id, Decimal(len(missed)), Unit.COUNT, label, "missed_targets", week)
    for name, counts in (("new", here.new_alerts), ("open", here.open_alerts)):
        for rule, count in sorted(counts.items()):
            label = f"{name} alerts of {rule.value.replace('_', ' ')}, {week}"
            _add(ledger, week_id(week, f"{rule}.{name}"), Decimal(count), Unit.COUNT, label, "alerts", week)
    said = {one: _said(week, weeks, one) for one in Measure}
    for one in Measure:
        _add_trend(ledger, trend(week, _parts(weeks, one)), one)
    stands = {
        one.measure.value: Stands(one.direction, one.alert, one.lasting, one.large)
        for one in said.values()
        if not one.unjudged
    }
    stands["urgent_alerts"] = Stands(Direction.FLAT, alert=here.urgent > 0)
    named = {subject_of(one): names.get(one, one) for one in here.projects}
    return OpsFigures(
        here, ledger, Scope(ledger, named, stands, frozenset(window), here.week), said, measured, missed
    )


def _missed(work: Work, target: Decimal) -> bool:
    return accuracy(work.correct, work.reviewed).high < target


def _add_week(ledger: Ledger, found: OpsWeek) -> None:
    week = found.week
    _add_work(ledger, week, found.work, None, reviewed=found.quality)
    counts = {
        "people": (found.people, "members who handed in tasks"),
        "unresolved": (found.unresolved, "tasks that belong to nobody, or to no project"),
        Measure.NEW_ALERTS.value: (sum(found.new_alerts.values()), LABELS[Measure.NEW_ALERTS]),
        "urgent_alerts": (found.urgent, "open alerts that are high or critical"),
        "open_alerts": (sum(found.open_alerts.values()), "alerts that were not mended"),
    }
    if found.read_until is not None:
        # What is read after the week is over is another week's.
        until, name = Decimal(int(min(found.read_until, week.end).timestamp())), "read_until"
        _add(ledger, week_id(week, name), until, Unit.INSTANT, f"activity read until, {week}", name, week)
    for name, (count, label) in counts.items():
        _add(ledger, week_id(week, name), Decimal(count), Unit.COUNT, f"{label}, {week}", name, week)
    if found.hours is None:
        return
    for name in ("available", "allocated", "worked"):
        hours = rounded(getattr(found.hours, name))
        _add(ledger, week_id(week, name), hours, Unit.HOURS, f"hours {name}, {week}", name, week)
    _ratio(ledger, week, Measure.WORKED_SHARE, "worked", "allocated", LABELS[Measure.WORKED_SHARE])


def _add_work(ledger: Ledger, week: Week, work: Work, project_id: str | None, *, reviewed: bool) -> None:
    subject = subject_of(project_id) if project_id else None
    of = f" of {subject}" if subject else ""
    counts = {"tasks": work.tasks} | ({"reviewed": work.reviewed, "correct": work.correct} if reviewed else {})
    for name, count in counts.items():
        label = {"tasks": "tasks", "reviewed": "reviewed pieces", "correct": "correct pieces"}[name]
        fact_id = week_id(week, name, project_id)
        _add(ledger, fact_id, Decimal(count), Unit.COUNT, f"{label}{of}, {week}", name, week, subject=subject)
    fact_id, label = week_id(week, "hours", project_id), f"hours of tasks{of}, {week}"
    _add(ledger, fact_id, rounded(work.hours), Unit.HOURS, label, "hours", week, subject=subject)
    _ratio(ledger, week, "pace", "tasks", "hours", "tasks an hour", project_id, Unit.NUMBER)
    if reviewed:
        _ratio(ledger, week, Measure.ACCURACY, "correct", "reviewed", LABELS[Measure.ACCURACY], project_id)


def _ratio(
    ledger: Ledger,
    week: Week,
    name: str,
    part: str,
    whole: str,
    label: str,
    project_id: str | None = None,
    unit: Unit = Unit.SHARE,
) -> None:
    of = f" of {subject_of(project_id)}" if project_id else ""
    parts = (ledger[week_id(week, one, project_id)] for one in (part, whole))
    ledger.ratio(week_id(week, name, project_id), f"{label}{of}, {week}", *parts, metric=name, unit=unit)


def _add(
    ledger: Ledger,
    fact_id: str,
    value: Decimal,
    unit: Unit,
    label: str,
    metric: str,
    week: Week,
    *,
    subject: str | None = None,
) -> None:
    sources = (f"{_SOURCES.get(metric, 'alerts')}#{week}",)
    ledger.add(Fact(fact_id, value, unit, label, None, metric, subject, sources, period=week.label))


def _add_trend(ledger: Ledger, found: Trend, measure: Measure) -> None:
    """The mean of the weeks before, and the change against it."""
    now = ledger.get(week_id(found.week, measure))
    if found.before is None or now is None:
        return
    unit = Unit.NUMBER if now.unit is Unit.COUNT else now.unit
    fact_id, label = f"before.{_slug(found.week)}.{measure}", f"{LABELS[measure]}, mean of the weeks before"
    known = (ledger.get(week_id(one, measure)) for one in weeks_before(found.week))
    of = tuple(one.fact_id for one in known if one is not None)
    before = Fact(fact_id, rounded(found.before), unit, label, None, measure, of=of, period=BEFORE)
    ledger.add(before)
    if found.change is not None:
        label = f"change of {LABELS[measure]} against the weeks before"
        ledger.change(f"change.{_slug(found.week)}.{measure}", label, now, before)


def _said(week: Week, weeks: Mapping[Week, OpsWeek], measure: Measure) -> Said:
    trends = [trend(week + back, _parts(weeks, measure)) for back in range(1 - FOLDED_WEEKS, 1)]
    state, unjudged = folded(trends, MEASURE_RULES[measure], RULES)
    if unjudged is not None:
        return Said(measure, Direction.FLAT, alert=False, unjudged=unjudged)
    alert = state.status is Status.ALERT
    known = trends[-1].weeks_in_window
    return Said(measure, state.shown, alert, unjudged=None, lasting=state.lasting, large=state.large, weeks=known)


def _parts(weeks: Mapping[Week, OpsWeek], measure: Measure) -> PartsOf:
    return lambda week, _: weeks[week].parts(measure) if week in weeks else None


def _slug(week: Week) -> str:
    return week.label.lower()
