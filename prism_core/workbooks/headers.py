"""Finding the header of a sheet that people made: titles above it, merged cells, line breaks, two levels.

Belongs here: which row is the header, what each column is, a week that stands in a title only.
Does not belong here: the rows below (reading.py) and the synonyms (mapping.py).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.people import Weekday
from prism_core.workbooks.cells import CellValue, column_name
from prism_core.workbooks.codecs import normal
from prism_core.workbooks.columns import DATE_PART, VALUE_PART, Column
from prism_core.workbooks.fingerprint import ERROR_HEADER, KEY_HEADER, base_columns
from prism_core.workbooks.mapping import TableMapping
from prism_core.workbooks.sheets import Area, Row

SEARCHED_ROWS: Final = 40  # the header stands in one of these
_WEEK: Final = re.compile(r"(?<!\d)(\d{4})\s*-?\s*(?:W|KW|CW|WK|Week)\s*(\d{1,2})(?!\d)", re.IGNORECASE)
_WEEK_FIRST: Final = re.compile(r"\b(?:W|KW|CW|WK|Week)\s*(\d{1,2})\s*[-/ ]\s*(\d{4})(?!\d)", re.IGNORECASE)
_DAY_PARTS: Final = frozenset(day.value for day in Weekday)


@dataclass(frozen=True, slots=True)
class Header:
    """What was found. `first` and `last` are its rows; `constants` hold for every row of the sheet."""

    first: int
    last: int
    columns: Mapping[int, Column]
    titles: Mapping[int, str]
    key_at: int | None = None
    base_at: int | None = None
    base_ids: tuple[str, ...] = ()
    constants: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    ignored: tuple[str, ...] = ()
    places: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {column.id: at for at, column in self.columns.items()})

    @property
    def by_day(self) -> bool:
        """Whether a row is one day of an item."""
        return any(column.part == DATE_PART for column in self.columns.values())


def find_header(name: str, rows: Sequence[Row], areas: Iterable[Area], table: TableMapping) -> Header | str:
    """The header among the first rows of a sheet, or why there is none."""
    top = [row for row in rows if row.number <= SEARCHED_ROWS]
    merged = [area for area in areas if area.top <= SEARCHED_ROWS]
    candidates = [_candidate(row, top, merged, table) for row in top]
    best = max(candidates, key=lambda header: len(header.columns), default=None)
    expected = ", ".join(column.title for column in table.with_key())
    if best is None or not best.columns:
        return f"no header was found in the first {SEARCHED_ROWS} rows; it needs {expected}"
    if twice := _twice(best):
        return twice
    header = _laid_out(best, _constants(name, top, best, table))
    lacking = _lacking(header, table)
    if lacking:
        return f"the header in row {header.last} lacks {', '.join(lacking)}; the key of a row is {expected}"
    return header


def errors_at(rows: Iterable[Row]) -> int | None:
    """The column in which an earlier load told its errors."""
    texts = (pair for row in rows for pair in _texts(row.cells).items())
    return next((at for at, text in texts if text.startswith(ERROR_HEADER)), None)


def _candidate(row: Row, rows: Sequence[Row], areas: Sequence[Area], table: TableMapping) -> Header:
    """The row read as a header. Of two columns of one meaning the one of the exact title counts."""
    titles = _titles_of(row, rows, areas)
    columns: dict[int, Column] = {}
    exact: dict[str, int] = {}
    special: dict[str, int] = {}
    ids: tuple[str, ...] = ()
    for at, (group, title) in titles.items():
        if title == KEY_HEADER:
            special["key"] = at
        elif title.startswith(ERROR_HEADER):
            special["errors"] = at
        elif (named := base_columns(title)) is not None:
            special["base"], ids = at, named
        elif found := table.column(title) or (table.column(f"{group} {title}") if group else None):
            columns[at] = found
            if normal(title) == normal(found.title):
                exact.setdefault(found.id, at)
    kept = {at: column for at, column in columns.items() if exact.get(column.id, at) == at}
    known = {*kept, *special.values()}
    last = max((area.bottom for area in areas if area.top <= row.number <= area.bottom), default=row.number)
    return Header(
        row.number,
        last,
        kept,
        {at: title for at, (_, title) in titles.items()},
        special.get("key"),
        special.get("base"),
        ids,
        ignored=tuple(title for at, (_, title) in titles.items() if at not in known),
    )


def _titles_of(row: Row, rows: Sequence[Row], areas: Sequence[Area]) -> dict[int, tuple[str, str]]:
    """The group above and the title of each column: a merged cell counts for its rows, a group for its columns."""
    by_number = {other.number: other.cells for other in rows}
    titles = {at: ("", " ".join(text.split())) for at, text in _texts(row.cells).items()}
    for area in areas:
        text = _texts(by_number.get(area.top, {})).get(area.left)
        if text is None:
            continue
        words = " ".join(text.split())
        if area.top <= row.number <= area.bottom:
            titles.setdefault(area.left, ("", words))
        elif area.bottom == row.number - 1:
            for at in range(area.left, min(area.right, area.left + 60) + 1):
                if at in titles:
                    titles[at] = (words, titles[at][1])
    return dict(sorted(titles.items()))


def _texts(cells: Mapping[int, CellValue]) -> dict[int, str]:
    return {at: value for at, value in cells.items() if isinstance(value, str) and value.strip()}


def _twice(header: Header) -> str | None:
    places: dict[str, list[int]] = {}
    for at, column in header.columns.items():
        places.setdefault(column.id, []).append(at)
    for at in places.values():
        if len(at) > 1:
            named = " and ".join(f"{column_name(one)} ({header.titles[one]!r})" for one in at)
            return f"the columns {named} of row {header.last} both are {header.columns[at[0]].title}; rename one"
    return None


def _laid_out(header: Header, constants: Mapping[str, JsonValue]) -> Header:
    """With columns of weekdays, a date and a sum of hours are only information."""
    weekly = any(column.part in _DAY_PARTS for column in header.columns.values())
    virtual = (DATE_PART, VALUE_PART)
    columns = {at: c for at, c in header.columns.items() if not (weekly and c.part in virtual)}
    left = tuple(header.titles[at] for at in header.columns if at not in columns)
    return Header(
        header.first,
        header.last,
        columns,
        header.titles,
        header.key_at,
        header.base_at,
        header.base_ids,
        constants,
        (*header.ignored, *left),
    )


def _constants(name: str, rows: Sequence[Row], header: Header, table: TableMapping) -> dict[str, JsonValue]:
    """The week, when no column has it and the sheet's name or the titles above the header name exactly one."""
    if "week" not in table.spec.key_parts or any(c.id == "week" for c in header.columns.values()):
        return {}
    above = [text for row in rows if row.number < header.first for text in _texts(row.cells).values()]
    weeks: set[str] = set()
    for text in (name, *above):
        found = [(m[1], m[2]) for m in _WEEK.finditer(text)] + [(m[2], m[1]) for m in _WEEK_FIRST.finditer(text)]
        for year, number in found:
            try:
                weeks.add(Week.parse(f"{year}-W{int(number):02d}").label)
            except BadUsage:
                continue  # a title may hold anything
    return {"week": weeks.pop()} if len(weeks) == 1 else {}


def _lacking(header: Header, table: TableMapping) -> list[str]:
    ids = {column.id for column in header.columns.values()}
    parts = {column.part for column in header.columns.values()}
    derived = {"week"} if DATE_PART in parts else set[str]()
    given = {*ids, *header.constants, *derived}
    lacking = [column.title for column in table.with_key() if column.id not in given]
    halves = {DATE_PART: VALUE_PART, VALUE_PART: DATE_PART}
    return lacking + [
        column.title
        for column in table.columns.values()
        if column.part in halves and column.part not in parts and halves[column.part] in parts
    ]
