"""One dialect for people: Trino SQL.

Belongs here: checking that a statement only reads, which tables it names, and its form for each engine.
Does not belong here: running it (duckdb.py, athena.py), what DuckDB answers otherwise (dialect.py), and how a view
comes into a query (views.py).
"""

import itertools
from collections.abc import Collection
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.expressions.core import Expression

from prism_core.failures import BadUsage
from prism_core.lake_tables import LAKE_TABLES
from prism_core.lake_views import LAKE_VIEWS
from prism_resources.query.dialect import as_trino
from prism_resources.query.views import with_views

_READS = (exp.Select, exp.SetOperation)
# `WITH x AS (DELETE …) SELECT …` is a SELECT by its outermost word alone.
_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop)


KNOWN = (*LAKE_TABLES, *LAKE_VIEWS)


def parse_query(sql: str, tables: Collection[str] = KNOWN) -> Expression:
    """Parse one Trino query over `tables`, by default the tables and views of the lake.

    Raises BadUsage with the place of a syntax error, for anything but one SELECT (WITH, UNION), and for
    an unknown table, naming the known ones.
    """
    try:
        return _parse(sql, tables)
    except RecursionError as error:
        raise _too_deep() from error


def to_duckdb(query: Expression) -> str:
    """The same query in DuckDB's dialect, with Trino's names and types of the answer. Views are in it whole."""
    try:
        return with_views(as_trino(query)).sql(dialect="duckdb")
    except RecursionError as error:
        raise _too_deep() from error


def to_trino(query: Expression) -> str:
    """The query as Athena is given it. Views are in it whole."""
    try:
        return with_views(query).sql(dialect="trino")
    except RecursionError as error:
        raise _too_deep() from error


def tables_of(query: Expression) -> set[str]:
    """The tables of the lake that the query reads, also through a view."""
    named = {table.name.lower() for table in query.find_all(exp.Table)}
    through = {table for name in named & LAKE_VIEWS.keys() for table in LAKE_VIEWS[name].reads}
    return (named | through) & LAKE_TABLES.keys()


def _parse(sql: str, tables: Collection[str]) -> Expression:
    try:
        statements = [statement for statement in sqlglot.parse(sql, dialect="trino") if statement is not None]
    except ParseError as error:
        raise BadUsage(f"the SQL does not parse: {_first_problem(error)}") from error
    except SqlglotError as error:
        raise BadUsage(f"the SQL does not parse: {error}") from error
    if len(statements) != 1:
        raise BadUsage(f"one statement at a time, not {len(statements)}")
    query = inner = cast("Expression", statements[0])
    while isinstance(inner, exp.Subquery):  # a query in brackets
        inner = inner.this
    if not isinstance(inner, _READS):
        raise _not_a_select(sql.split(maxsplit=1)[0])
    if (write := query.find(*_WRITES)) is not None:
        raise _not_a_select(write.key)
    _refuse_unknown_tables(query, tables)
    return query


def _too_deep() -> BadUsage:
    return BadUsage("the SQL is nested too deeply to be read")


def _not_a_select(word: str) -> BadUsage:
    return BadUsage(f"only SELECT is answered, not {word.upper()}: the lake is written by its assets")


def _refuse_unknown_tables(query: Expression, tables: Collection[str]) -> None:
    for table in query.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            raise BadUsage(
                f"{table.sql(dialect='trino')} is not a table of the lake; functions that read files are off"
            )
        name = table.name.lower()
        if table.db or table.catalog or (name not in tables and not _is_part_in_scope(table)):
            known = ", ".join(sorted(tables)) or "none"
            raise BadUsage(f"there is no table {table.sql(dialect='trino')} in the lake; tables are: {known}")


def _is_part_in_scope(table: exp.Table) -> bool:
    """Whether the name means a part of a WITH just here: that of a query around it, not of any in the statement.

    A name that means none reaches the engine as it is, and DuckDB takes the path of a file for a table.
    """
    name = table.name.lower()
    node: exp.Expr = table
    while (parent := node.parent) is not None:
        parts = parent.args.get("with_")
        visible = parts.expressions if parts is not None else []
        if isinstance(parent, exp.With):
            visible = _visible_to(node, table, parent)
            parent = cast("exp.Expr", parent.parent)  # the query whose parts these are
        if any(part.alias_or_name.lower() == name for part in visible):
            return True
        node = parent
    return False


def _visible_to(part: exp.Expr, table: exp.Table, parts: exp.With) -> list[exp.Expr]:
    """What a part of a WITH may name: the parts before it, and itself in what a recursive one repeats."""
    before = list(itertools.takewhile(lambda one: one is not part, parts.expressions))
    repeated = part.this.args.get("expression") if parts.recursive and isinstance(part.this, exp.Union) else None
    return [*before, part] if repeated is not None and _lies_in(table, repeated) else before


def _lies_in(node: exp.Expr, around: exp.Expr) -> bool:
    at: exp.Expr | None = node
    while at is not None and at is not around:
        at = at.parent
    return at is around


def _first_problem(error: ParseError) -> str:
    if not error.errors:
        return str(error)
    found = error.errors[0]
    return f"{found.get('description')} at line {found.get('line')}, column {found.get('col')}"
