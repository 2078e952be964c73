"""Views of the lake inside a query: the name of one becomes its SQL.

Belongs here: finding the names that mean a view, and putting its SELECT in their place. Does not belong here: the
SQL of the views (prism_core/lake_views.py). Both engines are given the whole SQL, so that a view means the same
everywhere, and a change of it counts before a template is deployed.
"""

from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.expressions.core import Expression
from sqlglot.optimizer.scope import traverse_scope

from prism_core.failures import BadUsage
from prism_core.lake_views import LAKE_VIEWS, LakeView

# What stands at a table besides its name and stays when the name goes.
_KEPT = ("joins", "laterals", "pivots", "sample")


def with_views(query: Expression) -> Expression:
    """A copy in which every view is its SELECT. Raises BadUsage where a WITH would change what a view reads."""
    query = query.copy()
    for table in _views_named(query):
        view = LAKE_VIEWS[table.name.lower()]
        _refuse_hidden_tables(query, view)
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(view.name))
        inlined = exp.Subquery(this=_select_of(view).copy(), alias=alias.copy())
        for name in _KEPT:
            inlined.set(name, table.args.get(name))
        table.replace(inlined)
    return query


def _views_named(query: Expression) -> list[exp.Table]:
    """Tables that are views. A part of a WITH may have the name of one: where it counts, it is none."""
    if not any(table.name.lower() in LAKE_VIEWS for table in query.find_all(exp.Table)):
        return []
    try:
        sources = [source for scope in traverse_scope(query) for source in scope.sources.values()]
    except SqlglotError as error:
        raise BadUsage(f"the query names its parts in a way that cannot be followed: {error}") from error
    found = [one for one in sources if isinstance(one, exp.Table) and one.name.lower() in LAKE_VIEWS]
    return list({id(table): table for table in found}.values())


def _refuse_hidden_tables(query: Expression, view: LakeView) -> None:
    defined = {cte.alias_or_name.lower() for cte in query.find_all(exp.CTE)}
    hidden = sorted(defined.intersection(view.reads))
    if hidden:
        raise BadUsage(
            f"WITH {', '.join(hidden)} hides the table of the lake that view {view.name} reads; name it otherwise"
        )


@cache
def _select_of(view: LakeView) -> Expression:
    return sqlglot.parse_one(view.sql, dialect="trino", into=exp.Select)
