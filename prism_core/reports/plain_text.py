"""A report as plain text, for readers and programs that show no HTML: all that the HTML says, in its order.

Belongs here: lines. Does not belong here: what is said (wording.py).
No columns: half of the mail programs show text in a font whose letters have several widths.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prism_core.reports import wording
from prism_core.reports.content import Chart, Prose, ReportContent, Section, Table

WIDTH: Final = 76
_SPACE: Final = "\N{NO-BREAK SPACE}"


def plain_text(content: ReportContent, *, closing: str = "") -> str:
    """`closing` says why the mail came, at its end. The same report gives the same text."""
    return "\n".join(_lines(content, closing)).replace(_SPACE, " ") + "\n"


def _lines(content: ReportContent, closing: str) -> Iterator[str]:
    yield from _wrapped(f"{content.title} {content.week}, {wording.days(content.week)}".upper())
    for line in wording.opening(content):
        yield from _wrapped(line)
    yield ""
    yield from _wrapped(" ".join(wording.said(content, content.headline)))
    yield ""
    for card in (wording.card(content, one) for one in content.cards):
        notes = ", ".join(filter(None, (card.indicator, card.note)))
        unit = f" {card.unit}" if card.unit else ""
        yield from _wrapped(f"{card.label}: {card.figure}{unit}" + (f" ({notes})" if notes else ""), "* ")
    yield from _points("Corrections", wording.said(content, content.corrections))
    yield from _points("What is missing", wording.said(content, content.missing))
    todo = wording.recommendations(content)
    yield from _points("What to do", (f"{department}: {' '.join(said)}" for department, said in todo))
    for section in content.sections:
        yield from _section(content, section)
    yield ""
    yield "-- "  # what programs take for a signature
    for line in filter(None, (*wording.closing(content), closing)):
        yield from _wrapped(line)


def _section(content: ReportContent, section: Section) -> Iterator[str]:
    match section:
        case Prose():
            said = wording.said(content, section.statements)
            if section.status is not None:
                said = (f"{section.status[0]}. {' '.join(said)}",)
            yield from _points(section.title, said) if section.bullets else _paragraphs(section.title, said)
        case Chart():
            points = wording.points(content, section)
            yield from _title(points.title)
            yield from _wrapped(content.text(section.alt.prose))
            for label, figures in points.rows:
                yield from _wrapped(f"{label}: {figures}", "* ")
        case Table():
            yield from _table(wording.table(content, section, units_in_heads=False))


def _table(table: wording.TableWords) -> Iterator[str]:
    """A row is a point: its first cell, and below it the others by the names of their columns."""
    yield from _title(table.title)
    for row in (*table.rows, *table.further, *((table.total,) if table.total else ())):
        named = zip(table.heads[1:], row[1:], strict=True)
        cells = "; ".join(f"{head} {cell}" for head, cell in named if cell)
        yield from _wrapped(f"{row[0]}: {cells}" if cells else row[0], "* ")
    for note in table.notes:
        yield from _wrapped(note)


def _title(title: str) -> Sequence[str]:
    return ("", title.upper(), "")


def _points(title: str, said: Iterable[str]) -> Iterator[str]:
    points = list(said)
    if points:
        yield from _title(title)
    for point in points:
        yield from _wrapped(point, "* ")


def _paragraphs(title: str, said: Iterable[str]) -> Iterator[str]:
    yield from _title(title)
    yield from _wrapped(" ".join(said))


def _wrapped(text: str, mark: str = "") -> list[str]:
    """Lines of WIDTH; a number stays beside its unit, and a long name in one piece."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=mark,
        subsequent_indent=" " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )
