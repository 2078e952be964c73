"""How the parts of a report are written, for its HTML and its text alike.

Belongs here: the subject, the days of the week, cards and tables as words, a unit said once for a column or chart.
Does not belong here: markup and colours (resources), and the sentences of a report (plain_words.py, or a model).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from prism_core.calendar import Week
from prism_core.facts.ledger import Fact
from prism_core.facts.lexicon import Direction
from prism_core.facts.tokens import the_fact_of
from prism_core.reports.content import (
    Align,
    Card,
    Chart,
    Department,
    ReportContent,
    Statement,
    Table,
)

SYNTHETIC: Final = "Synthetic data: no figure in this mail is of the real world."
# How many moves a subject says: a telephone shows some forty letters of it.
MOST_MOVES: Final = 2
OK, ALERT, ONE_WEEK = "OK", "ALERT", "ONE WEEK"
# How many weeks a figure is compared with.
WEEKS_IN_WORDS: Final = ("no week", "one week", "two weeks", "three weeks", "four weeks")
_SPACE: Final = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class CardWords:
    """A card written out: `11,173.28` and `EUR` of its figure, `UP` and `OK` of its indicator, or neither."""

    label: str
    figure: str
    unit: str
    direction: str
    status: str
    note: str

    @property
    def indicator(self) -> str:
        """`UP, OK`; nothing where nothing was judged."""
        return f"{self.direction}, {self.status}" if self.direction else self.status


@dataclass(frozen=True, slots=True)
class TableWords:
    """A table written out. With units in its heads, one that all figures of a column share stands there alone."""

    title: str
    heads: tuple[str, ...]
    aligns: tuple[Align, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...]
    notes: tuple[str, ...]
    further: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Points:
    """What a chart shows, in words: for each label the figures of its series."""

    title: str
    rows: tuple[tuple[str, str], ...]

    @property
    def said(self) -> str:
        return "; ".join(f"{label}: {figures}" for label, figures in self.rows)


def subject(content: ReportContent) -> str:
    """`Campaign report 2023-W31, edition 2: ALERT on leads`: what a reader sees first, in one line.

    Without an alert it says what moved, large moves of one week first, then what lasts: `clicks DOWN this week,
    spend UP`; of a week of which that is not known, so much.
    """
    marked = "[SYNTHETIC] " if content.synthetic else ""
    edition = f", edition {content.edition}" if content.edition > 1 else ""
    news = _news(content)
    return f"{marked}{content.title} {content.week}{edition}{f': {news}' if news else ''}"


def _news(content: ReportContent) -> str:
    if alerts := [card.label.lower() for card in content.cards if card.alert]:
        return f"ALERT on {', '.join(alerts)}"
    moves = sorted(filter(_moves, content.cards), key=lambda card: (not card.large, not card.lasting))
    said = [
        f"{card.label.lower()} {card.direction.value.upper()}{'' if card.lasting else ' this week'}"
        for card in moves[:MOST_MOVES]
        if card.direction is not None
    ]
    return ", ".join(said) or content.unjudged


def _moves(card: Card) -> bool:
    return card.direction not in {None, Direction.FLAT}


def days(week: Week) -> str:
    """`31 July to 6 August 2023`."""
    first, last = week.days[0], week.days[-1]
    year = f" {first.year}" if first.year != last.year else ""
    month = f" {first:%B}{year}" if first.month != last.month else ""
    return f"{first.day}{month} to {last.day} {last:%B} {last.year}"


def opening(content: ReportContent) -> tuple[str, ...]:
    """What a reader must know before the first figure; mostly nothing."""
    said = [SYNTHETIC] if content.synthetic else []
    if content.edition > 1:
        said.append(f"Edition {content.edition}: it replaces the report of {content.week} that was sent before.")
    return tuple(said)


def closing(content: ReportContent) -> tuple[str, ...]:
    """Who wrote the sentences."""
    model = f"Model: {content.provenance.model}." if content.provenance.model else ""
    return tuple(filter(None, (content.provenance.label, model)))


def said(content: ReportContent, statements: Iterable[Statement]) -> tuple[str, ...]:
    return tuple(content.text(one.prose) for one in statements)


def card(content: ReportContent, one: Card) -> CardWords:
    fact_id = the_fact_of(one.value)
    figure, _, unit = (content.fact(fact_id).text if fact_id else content.text(one.value)).partition(_SPACE)
    calm = OK if one.lasting else ONE_WEEK
    status = ALERT if one.alert else calm if one.direction else ""
    direction = one.direction.value.upper() if one.direction else ""
    return CardWords(one.label, figure, unit, direction, status, content.text(one.note))


def table(content: ReportContent, one: Table, *, units_in_heads: bool) -> TableWords:
    lines = (*one.rows, *one.further, *((one.total,) if one.total else ()))
    units = [""] * len(one.columns)
    if units_in_heads:
        units = [common_unit(_facts(content, [line[at] for line in lines])) for at in range(len(one.columns))]

    def written(line: Sequence[str]) -> tuple[str, ...]:
        return tuple(without_unit(content.text(cell), unit) for cell, unit in zip(line, units, strict=True))

    return TableWords(
        one.title,
        tuple(_with_unit(column.label, unit) for column, unit in zip(one.columns, units, strict=True)),
        tuple(column.align for column in one.columns),
        tuple(written(row) for row in one.rows),
        written(one.total) if one.total else (),
        said(content, one.notes),
        tuple(written(row) for row in one.further),
    )


def points(content: ReportContent, one: Chart) -> Points:
    unit = common_unit(content.fact(found) for line in one.series for found in line.facts if found)
    rows: list[tuple[str, str]] = []
    for at, label in enumerate(one.labels):
        figures: list[str] = []
        for line in one.series:
            fact_id = line.facts[at]
            text = without_unit(content.fact(fact_id).text, unit) if fact_id else "not known"
            figures.append(f"{line.label} {text}" if len(one.series) > 1 else text)
        rows.append((label, ", ".join(figures)))
    return Points(_with_unit(one.title, unit), tuple(rows))


def recommendations(content: ReportContent) -> tuple[tuple[Department, tuple[str, ...]], ...]:
    """What each department is to do, in the order of departments."""
    found = {
        one: tuple(content.text(r.statement.prose) for r in content.recommendations if r.department is one)
        for one in Department
    }
    return tuple((department, todo) for department, todo in found.items() if todo)


def common_unit(facts: Iterable[Fact]) -> str:
    """The unit that each of some facts is written with; empty when they have none, or several."""
    found = {fact.text.partition(_SPACE)[2] for fact in facts}
    return found.pop() if len(found) == 1 else ""


def without_unit(text: str, unit: str) -> str:
    return text.removesuffix(f"{_SPACE}{unit}") if unit else text


def _facts(content: ReportContent, cells: Iterable[str]) -> list[Fact]:
    return [content.fact(fact_id) for cell in cells if (fact_id := the_fact_of(cell)) is not None]


def _with_unit(label: str, unit: str) -> str:
    return f"{label}, {unit}" if unit else label
