"""Which sheet is which table, which header is which column, and how people write.

Belongs here: the mapping file (TOML), its checks, and matching names. Does not belong here: the default names
(defaults.py) and finding the header in a sheet (headers.py).
A mapping file extends the default: its names and synonyms come on top, its formats replace.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import Field, JsonValue, ValidationError

from prism_core.failures import BadUsage
from prism_core.models.base import Model, Zone
from prism_core.tables import TABLES, TableSpec
from prism_core.workbooks.codecs import ChoiceCodec, Formats, normal
from prism_core.workbooks.columns import Column, columns_of, row_by_day_columns
from prism_core.workbooks.dates import DateFormat
from prism_core.workbooks.defaults import DEFAULT_MAPPING

NOW: Final = "@now"
_Names = dict[str, list[str]]


class _FormatsFile(Model):
    dates: list[str] | None = None
    clear: str | None = Field(default=None, min_length=1, max_length=40)
    time_zone: Zone | None = None
    true: list[str] | None = None
    false: list[str] | None = None


class _TableFile(Model):
    sheets: list[str] = Field(default_factory=list[str])
    columns: _Names = Field(default_factory=dict[str, list[str]])
    values: dict[str, _Names] = Field(default_factory=dict[str, dict[str, list[str]]])
    defaults: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


class _File(Model):
    ignore: list[str] = Field(default_factory=list[str])
    formats: _FormatsFile = Field(default_factory=_FormatsFile)
    tables: dict[str, _TableFile] = Field(default_factory=dict[str, _TableFile])


@dataclass(frozen=True, slots=True)
class TableMapping:
    """One table: names of its sheets, column ids by title in normal form, values of a new row's blank cells."""

    spec: TableSpec
    sheets: tuple[str, ...]
    titles: Mapping[str, str]
    columns: Mapping[str, Column]
    defaults: Mapping[str, JsonValue]

    def column(self, title: str) -> Column | None:
        """The column of a header cell."""
        found = self.titles.get(normal(title))
        return None if found is None else self.columns[found]

    def with_key(self) -> tuple[Column, ...]:
        """The columns without which a row has no key; the week may come from elsewhere."""
        return tuple(self.columns[part] for part in self.spec.key_parts)


@dataclass(frozen=True, slots=True)
class WorkbookMapping:
    """Everything that reading a workbook must be told."""

    formats: Formats
    ignore: tuple[str, ...]
    tables: Mapping[str, TableMapping]

    def table_of(self, sheet: str) -> TableMapping | None:
        """The table of a sheet by its name: the most exact name wins."""
        fitting = [
            (_exactness(pattern), table)
            for table in self.tables.values()
            for pattern in table.sheets
            if _fits(pattern, sheet)
        ]
        return max(fitting, key=lambda pair: pair[0])[1] if fitting else None

    def ignores(self, sheet: str) -> bool:
        return any(_fits(pattern, sheet) for pattern in self.ignore)

    def no_table(self, sheet: str) -> str:
        """Why a sheet is not loaded, with the nearest name and all that would do."""
        names = {normal(name): name.rstrip("*") for table in self.tables.values() for name in table.sheets}
        near = get_close_matches(normal(sheet), names, n=1, cutoff=0.7)
        guess = f" Did you mean {names[near[0]]!r}?" if near else ""
        valid = ", ".join(table.sheets[0].rstrip("*") for table in self.tables.values())
        return f"no table has a sheet of the name {sheet!r}.{guess} Names are {valid}, and their synonyms"


@lru_cache(maxsize=1)
def default_mapping() -> WorkbookMapping:
    """The mapping without a mapping file."""
    return _mapping([_parsed(DEFAULT_MAPPING, "the default mapping")])


def load_mapping(text: str, name: str = "the mapping file") -> WorkbookMapping:
    """The default mapping extended by a mapping file. Raises BadUsage that names the line or the entry."""
    return _mapping([_parsed(text, name), _parsed(DEFAULT_MAPPING, "the default mapping")])


def _parsed(text: str, name: str) -> _File:
    try:
        return _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadUsage(f"{name} is no TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadUsage(f"{name}: {where}: {first['msg']}") from error


def _mapping(files: Sequence[_File]) -> WorkbookMapping:
    importable = [*files[-1].tables]  # those of the default: a workbook writes no facts, jobs or alerts
    if unknown := sorted({name for file in files for name in file.tables} - set(importable)):
        raise BadUsage(f"the mapping names the table {unknown[0]!r}; valid ones are {', '.join(importable)}")
    tables = {n: _table(TABLES[n], [file.tables[n] for file in files if n in file.tables]) for n in importable}
    return WorkbookMapping(_formats(files), tuple(pattern for file in files for pattern in file.ignore), tables)


def _formats(files: Sequence[_File]) -> Formats:
    formats = Formats(())
    for file in reversed(files):
        given = file.formats
        if given.dates is not None:
            formats = replace(formats, dates=tuple(DateFormat(pattern) for pattern in given.dates))
        if given.clear is not None:
            formats = replace(formats, clear=given.clear)
        if given.time_zone is not None:
            formats = replace(formats, zone=ZoneInfo(given.time_zone))
        if given.true is not None:
            formats = replace(formats, true=frozenset(word.casefold() for word in given.true))
        if given.false is not None:
            formats = replace(formats, false=frozenset(word.casefold() for word in given.false))
    if not any(known.read("2026-01-05") for known in formats.dates):  # what an export writes is always read
        formats = replace(formats, dates=(*formats.dates, DateFormat("YYYY-MM-DD")))
    return formats


def _table(spec: TableSpec, files: Sequence[_TableFile]) -> TableMapping:
    columns = {column.id: column for column in (*columns_of(spec.model), *row_by_day_columns(spec.model))}
    _check_names(spec, columns, files)
    titles = _titles(spec, columns, files)
    for column_id in {name for file in files for name in file.values}:
        columns[column_id] = _with_values(spec, columns[column_id], files)
    defaults = {name: value for file in reversed(files) for name, value in file.defaults.items()}
    sheets = tuple(pattern for file in files for pattern in file.sheets) or (spec.name,)
    return TableMapping(spec, sheets, titles, columns, defaults)


def _check_names(spec: TableSpec, columns: Mapping[str, Column], files: Sequence[_TableFile]) -> None:
    for file in files:
        for column_id in (*file.columns, *file.values):
            if column_id not in columns:
                raise BadUsage(
                    f"the mapping names {spec.name}.{column_id}; its columns are {', '.join(sorted(columns))}"
                )
        for name in file.defaults:
            if name not in spec.model.model_fields:
                raise BadUsage(f"the mapping has a default for {spec.name}.{name}, which is no field")


def _titles(spec: TableSpec, columns: Mapping[str, Column], files: Sequence[_TableFile]) -> dict[str, str]:
    """Column ids by title: the mapping file comes before the default, and both before derived titles."""
    titles: dict[str, str] = {}
    for file in files:
        own: dict[str, str] = {}
        for column_id, words in file.columns.items():
            for word in words:
                if own.setdefault(normal(word), column_id) != column_id:
                    raise BadUsage(f"the mapping names {word!r} for two columns of {spec.name}")
        titles = own | titles  # the right side wins, and the mapping file came first
    for column in columns.values():
        titles.setdefault(normal(column.title), column.id)
        if not column.part:
            titles.setdefault(normal(column.id), column.id)
    return titles


def _with_values(spec: TableSpec, column: Column, files: Sequence[_TableFile]) -> Column:
    codec = column.codec
    if not isinstance(codec, ChoiceCodec):
        raise BadUsage(f"the mapping has words for {spec.name}.{column.id}, which is no choice")
    synonyms: dict[str, str] = {}
    for file in reversed(files):
        for value, words in file.values.get(column.id, {}).items():
            if value not in codec.values:
                raise BadUsage(f"{spec.name}.{column.id} is one of {', '.join(codec.values)}, not {value!r}")
            synonyms |= {normal(word): value for word in words}
    return replace(column, codec=replace(codec, synonyms=synonyms))


def _fits(pattern: str, name: str) -> bool:
    expression = ".*".join(re.escape(normal(piece)) for piece in pattern.split("*"))
    return bool(normal(name)) and re.fullmatch(expression, normal(name)) is not None


def _exactness(pattern: str) -> tuple[bool, int]:
    return "*" not in pattern, len(normal(pattern))
