"""Where DuckDB answers otherwise than Trino, although both understand the words.

Belongs here: the names of columns without one, and the types of computed dates. Does not belong here: what may be
asked (sql.py) and functions that have another name there, which sqlglot translates.
"""

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.expressions.core import Expression
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from prism_core.lake_tables import LAKE_TABLES
from prism_core.lake_views import LAKE_VIEWS

_NAMED = (exp.Alias, exp.Aliases, exp.Column, exp.Dot, exp.Star)
# In Trino all of these give a date for a date; in DuckDB a timestamp.
_SAME_TYPE = (exp.TimestampTrunc, exp.DateTrunc, exp.DateAdd, exp.DateSub, exp.Add, exp.Sub)
_MARK = "prism_number"
# A date that was computed from a computed date of a CTE is seen in the second pass, and so on.
_PASSES = 4


def as_trino(query: Expression) -> Expression:
    """A copy that DuckDB answers with Trino's column names and types."""
    query = query.copy()
    _name_columns(query)
    for _ in range(_PASSES):
        if not _keep_dates(query):
            break
    return query


def _name_columns(query: Expression) -> None:
    """A column without a name is called `_col0`, `_col1`, … by its place."""
    for select in query.find_all(exp.Select):
        named = [
            column if isinstance(column, _NAMED) or column.alias else exp.alias_(column, f"_col{place}")
            for place, column in enumerate(select.expressions)
        ]
        select.set("expressions", named)


def _keep_dates(query: Expression) -> bool:
    """Cast what is computed from a date back to one; whether there was any.

    The types are found in a copy whose columns are resolved. Where that fails, DuckDB says what is wrong.
    """
    candidates = list(query.find_all(*_SAME_TYPE))
    for node in candidates:
        node.meta.pop(_MARK, None)  # of the pass before: the number is another one's by now
    computed = [node for node in candidates if not _is_cast_to_date(node.parent)]
    for number, node in enumerate(computed):
        node.meta[_MARK] = number
    schema: dict[str, object] = {
        table.name: {column.name: column.type for column in table.columns} | {"week": "string"}
        for table in (*LAKE_TABLES.values(), *LAKE_VIEWS.values())
    }
    try:
        resolved = qualify(query.copy(), schema=schema, dialect="trino", validate_qualify_columns=False)
        typed = annotate_types(resolved, schema=schema, dialect="trino")
    except SqlglotError:
        return False
    dates = {node.meta.get(_MARK) for node in typed.find_all(*_SAME_TYPE) if _is_date(node)}
    for number, node in reversed(list(enumerate(computed))):  # the inner ones first: the outer ones copy them
        if number in dates:
            node.replace(exp.cast(node.copy(), "date"))
    return bool(dates - {None})


def _is_cast_to_date(node: object) -> bool:
    return isinstance(node, exp.Cast) and node.to.is_type("date")


def _is_date(node: Expression) -> bool:
    if isinstance(node, exp.Add | exp.Sub) and not isinstance(node.expression, exp.Interval):
        return False
    operand = node.this
    return isinstance(operand, Expression) and operand.type is not None and operand.type.is_type("date")
