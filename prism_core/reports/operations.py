"""The operations report of a week: figures and sentences in the order in which they are read.

Belongs here: cards, charts, tables and sentences of this report, which code writes. Does not belong here: figures
(prism_core/operations) and how it looks (resources).
The sentences pass the gate as those of a model have to.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from prism_core.campaign.indicators import Unjudged
from prism_core.campaign.metrics import WINDOW_WEEKS
from prism_core.facts.lexicon import Direction
from prism_core.models.alerts import AlertRule
from prism_core.operations.figures import LABELS, OpsFigures, subject_of
from prism_core.operations.weeks import Measure, Work
from prism_core.reports.content import (
    COMPARED,
    Align,
    Card,
    Chart,
    Column,
    Fallback,
    Prose,
    Provenance,
    ReportContent,
    Series,
    Statement,
    Table,
    Writer,
)
from prism_core.reports.wording import WEEKS_IN_WORDS

TITLE: Final = "Operations report"
MOST_PROJECTS: Final = 20
UNKNOWN: Final = "not known"
_WENT: Final[Mapping[Direction, str]] = {Direction.UP: "rose", Direction.DOWN: "fell"}
_WHY_NOT: Final[Mapping[Unjudged, str]] = {
    Unjudged.NO_FIGURE: "there is nothing to compare",
    Unjudged.TOO_FEW_WEEKS: "too few weeks before it are known",
    Unjudged.LITTLE_VOLUME: "the volume is too small to tell a trend from chance",
}
# A card has room for one line.
_CARDS: Final[Mapping[Measure, str]] = {Measure.WORKED_SHARE: "Hours worked"}
_COLUMNS: Final[Mapping[str, str]] = {
    "tasks": "Tasks",
    "hours": "Hours",
    "pace": "Tasks an hour",
    "reviewed": "Reviewed",
    "accuracy": "Accuracy",
    "target": "Target",
}


def operations_report(found: OpsFigures, *, synthetic: bool = False) -> ReportContent:
    """The report, ready to be judged (`refused`) and rendered."""
    return ReportContent(
        title=TITLE,
        week=found.week.week,
        scope=found.scope,
        headline=tuple(_headline(found)),
        cards=tuple(_card(one, found) for one in Measure),
        sections=(
            Prose(COMPARED, tuple(_analysis(found)), bullets=True),
            _chart("tasks", "Tasks by week", ("tasks",), found, _direction(Measure.TASKS, found)),
            _chart(
                "hours",
                "Hours by week",
                ("allocated", "worked"),
                found,
                Statement("Hours that were allocated, and hours that were worked."),
            ),
            _projects(found),
            Prose("Quality", tuple(_quality(found)), bullets=True),
            Prose("Hours", (*_hours(found), *_read(found)), bullets=True),
            _alerts(found),
        ),
        provenance=Provenance(Writer.CODE, Fallback.NOT_ASKED),
        missing=tuple(_missing(found)),
        synthetic=synthetic,
    )


def _headline(found: OpsFigures) -> Iterator[Statement]:
    week = found.week.week
    yield Statement(
        f"Tasks that were done in {week}: {_token(found, 'tasks')}; members: {_token(found, 'people')}."
    )
    if not found.week.whole:
        yield Statement(f"This week is not whole: activity was read until {_token(found, 'read_until')}.")
    if found.of(Measure.ACCURACY):
        yield Statement(f"The accuracy was {_token(found, Measure.ACCURACY)}.")
    if found.missed:
        yield Statement(f"Projects that missed their quality target: {_token(found, 'missed_targets')}.")
    if found.week.urgent:
        said = f"Open alerts that are high or critical: {_token(found, 'urgent_alerts')}."
        yield Statement(said, ("urgent_alerts",))
    if unmeasured := _unmeasured(found):
        yield Statement(unmeasured)
    if all(one.unjudged for one in found.said.values()):
        yield Statement("This week cannot be judged: there is too little to compare it with.")
    elif not (found.missed or found.week.urgent or any(one.alert or one.large for one in found.said.values())):
        yield Statement("Nothing else asks for action." if unmeasured else "Nothing asks for action.")
    for one in found.said.values():
        if one.alert or (one.large and one.measure is not Measure.NEW_ALERTS):
            yield _direction(one.measure, found)


def _analysis(found: OpsFigures) -> Iterator[Statement]:
    for one in found.said.values():
        # The gate takes the word for an alarm; how many there are stands in the cards and in the table.
        if one.measure is not Measure.NEW_ALERTS or one.alert:
            yield _direction(one.measure, found)


def _direction(measure: Measure, found: OpsFigures) -> Statement:
    one, label = found.said[measure], LABELS[measure]
    if one.unjudged is not None:
        return Statement(f"{_capital(label)}: not judged, because {_WHY_NOT[one.unjudged]}.")
    about = (measure.value,)
    if one.direction is Direction.FLAT:
        return Statement(f"{_capital(label)}: stable.", about)
    change = found.change(measure)
    when = "" if one.lasting else " this week"
    of = "the last four weeks" if one.weeks == WINDOW_WEEKS else "those of the last four weeks that are known"
    said = f"{label} {_WENT[one.direction]}{when} against the mean of {of}"
    said = f"{said}: {{{{fact:{change}}}}}" if change else said
    said = said if one.lasting else f"{said}; one week alone is no trend"
    return Statement(f"Alert: {said}." if one.alert else f"{_capital(said)}.", about)


def _quality(found: OpsFigures) -> Iterator[Statement]:
    if unmeasured := _unmeasured(found):
        yield Statement(unmeasured)
        return
    missed = [project_id for project_id, _ in _by_tasks(found) if project_id in found.missed]
    for project_id in missed[:MOST_PROJECTS]:
        name = f"{{{{name:{subject_of(project_id)}}}}}"
        share, target = _token(found, "accuracy", project_id), _token(found, "target", project_id)
        yield Statement(f"Accuracy of {name}: {share}, with a target of {target}; chance does not explain it.")
    if not missed:
        yield Statement("Every project with a target and reviewed pieces reached it, as far as those can tell.")


def _unmeasured(found: OpsFigures) -> str | None:
    """Why no project can be held against a target; None when one can."""
    if not found.week.quality:
        return "Quality of this week was not computed."
    if found.measured:
        return None
    if not any(found.of("target", project_id=one) for one in found.week.projects):
        return "No project of this week has a quality target."
    return "Of the projects with a quality target nothing was reviewed."


def _hours(found: OpsFigures) -> Iterator[Statement]:
    for name in ("available", "allocated", "worked"):
        if found.of(name):
            yield Statement(f"Hours {name}: {_token(found, name)}.")
    if found.of(Measure.WORKED_SHARE):
        yield Statement(f"Hours worked of those allocated: {_token(found, Measure.WORKED_SHARE)}.")
    if found.week.unresolved:
        said = "Tasks that belong to nobody, or to no project, as nobody has resolved them"
        yield Statement(f"{said}: {_token(found, 'unresolved')}.")


def _read(found: OpsFigures) -> Iterator[Statement]:
    """Until when activity is in the figures: of files nobody knows whether there are more."""
    if found.of("read_until"):
        yield Statement(f"Activity was read until {_token(found, 'read_until')}.")
    elif found.week.newest is not None:
        yield Statement(f"Activity was loaded from files; the newest of this week is of {found.week.newest}.")


def _missing(found: OpsFigures) -> Iterator[Statement]:
    if not found.week.whole:
        until = _token(found, "read_until")
        yield Statement(f"Activity was read until {until}: tasks and hours after that are in no figure.")
        yield Statement("Tasks and hours of this week are compared with nothing.")
    if not found.week.quality:
        yield Statement("Quality of this week was not computed.")
    if found.week.hours is None:
        yield Statement("Hours of this week were not computed.")


def _card(measure: Measure, found: OpsFigures) -> Card:
    one, change = found.said[measure], found.change(measure)
    label = _CARDS.get(measure, _capital(LABELS[measure]))
    value = _cell(found.of(measure))
    if one.unjudged is not None:
        return Card(label, value, "not judged")
    note = f"{_cell(change)} against {WEEKS_IN_WORDS[one.weeks]}" if change else ""
    return Card(label, value, note, one.direction, one.alert, one.lasting, one.large)


def _chart(key: str, title: str, names: tuple[str, ...], found: OpsFigures, alt: Statement) -> Chart:
    series = tuple(Series(_capital(one), tuple(found.of(one, week) for week in found.weeks)) for one in names)
    return Chart(key, title, tuple(week.label for week in found.weeks), series, alt)


def _by_tasks(found: OpsFigures) -> list[tuple[str, Work]]:
    return sorted(found.week.projects.items(), key=lambda one: (-one[1].tasks, one[0]))


def _projects(found: OpsFigures) -> Table:
    """By tasks, the most first."""
    ordered = [project_id for project_id, _ in _by_tasks(found)]
    notes = [Statement("The table has the largest projects; the attached list has every project.")]
    rows = tuple(
        (
            f"{{{{name:{subject_of(project_id)}}}}}",
            *(_cell(found.of(name, project_id=project_id), "") for name in _COLUMNS),
        )
        for project_id in ordered
    )
    total = ("All projects", *(_cell(found.of(name), "") for name in _COLUMNS))
    columns = (Column("Project", Align.LEFT), *(Column(label) for label in _COLUMNS.values()))
    shown, further = rows[:MOST_PROJECTS], rows[MOST_PROJECTS:]
    return Table("Projects", columns, shown, total, tuple(notes) if further else (), further)


def _alerts(found: OpsFigures) -> Table:
    """Rules that found something, with what was found first in the week, and what stood at its end."""
    rules = [one for one in AlertRule if one in found.week.new_alerts or one in found.week.open_alerts]
    rows = tuple(
        (
            _capital(rule.value.replace("_", " ").replace("ooto", "OOTO")),
            *(_cell(found.of(f"{rule}.{name}"), "none") for name in ("new", "open")),
        )
        for rule in rules
    )
    total = ("All rules", _cell(found.of(Measure.NEW_ALERTS)), _cell(found.of("open_alerts")))
    columns = (Column("Rule", Align.LEFT), Column("New"), Column("Open at the end"))
    return Table("Alerts", columns, rows, total)


def _token(found: OpsFigures, name: str, project_id: str | None = None) -> str:
    return _cell(found.of(name, project_id=project_id))


def _cell(fact_id: str | None, unknown: str = UNKNOWN) -> str:
    return unknown if fact_id is None else f"{{{{fact:{fact_id}}}}}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
