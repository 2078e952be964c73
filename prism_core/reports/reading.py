"""A report from its document (`ReportContent.document`), as an archive or a file holds it.

Belongs here: reading alone. Does not belong here: judging: the document says nothing of indicators, so that what
was read can be rendered again, and the gate has judged it before.
"""

from collections.abc import Mapping
from typing import Any

from prism_core.calendar import Week
from prism_core.facts.gate import Scope
from prism_core.facts.ledger import Fact, Ledger
from prism_core.facts.lexicon import Direction
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.reports.content import (
    Align,
    Card,
    Chart,
    Column,
    Department,
    Fallback,
    Prose,
    Provenance,
    Recommendation,
    ReportContent,
    Section,
    Series,
    Statement,
    Table,
    Writer,
)

Found = Mapping[str, Any]


def report_of(document: Found) -> ReportContent:
    """The inverse of `ReportContent.document`. Raises BadUsage for what is no document of a report."""
    try:
        return _report(document)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, PermanentFailure) as error:
        what = f"{type(error).__name__}: {error}"
        raise BadUsage(f"this is not the content of a report as PRISM writes it ({what})") from error


def _report(found: Found) -> ReportContent:
    week, by = Week.parse(found["week"]), found["provenance"]
    return ReportContent(
        title=found["title"],
        week=week,
        scope=Scope(Ledger(map(Fact.from_document, found["facts"])), dict(found["names"]), {}, frozenset({week})),
        headline=_statements(found["headline"]),
        cards=tuple(_card(one) for one in found["cards"]),
        sections=tuple(_section(one) for one in found["sections"]),
        provenance=Provenance(
            Writer(by["writer"]), Fallback(by["fallback"]) if by["fallback"] else None, by["model"]
        ),
        recommendations=tuple(
            Recommendation(Department(one["department"]), _statement(one["statement"]))
            for one in found["recommendations"]
        ),
        corrections=_statements(found["corrections"]),
        missing=_statements(found["missing"]),
        edition=found["edition"],
        synthetic=found["synthetic"],
        unjudged=found.get("unjudged", ""),
    )


def _card(found: Found) -> Card:
    direction = Direction(found["direction"]) if found["direction"] else None
    return Card(
        found["label"],
        found["value"],
        found["note"],
        direction,
        found["alert"],
        found.get("lasting", True),
        found.get("large", False),
    )


def _section(found: Found) -> Section:
    match found["part"]:
        case "table":
            columns = tuple(Column(one["label"], Align(one["align"])) for one in found["columns"])
            rows = tuple(tuple(row) for row in found["rows"])
            further = tuple(tuple(row) for row in found.get("further", ()))
            return Table(
                found["title"], columns, rows, tuple(found["total"]), _statements(found["notes"]), further
            )
        case "chart":
            series = tuple(Series(one["label"], tuple(one["facts"])) for one in found["series"])
            alt, labels = _statement(found["alt"]), tuple(found["labels"])
            return Chart(found["key"], found["title"], labels, series, alt)
        case "prose":
            status = (found["status"][0], found["status"][1]) if found["status"] else None
            return Prose(found["title"], _statements(found["statements"]), found["bullets"], status)
        case other:
            raise ValueError(f"there is no part called {other!r}")


def _statements(found: list[Found]) -> tuple[Statement, ...]:
    return tuple(_statement(one) for one in found)


def _statement(found: Found) -> Statement:
    return Statement(found["prose"], tuple(found["about"]), found["claims"])
