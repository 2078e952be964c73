"""docs/lake-views.md, written from the tables and views of the lake.

Belongs here: what that document says, and the command that writes it: `python -m infra.lake_documents`. A test
fails when the file says anything else. Does not belong here: the columns (prism_core/lake_*.py), other documents.
"""

from pathlib import Path

from prism_core.lake_catalogue import Entry, entry
from prism_core.lake_views import LAKE_VIEWS

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "lake-views.md"
# The six that dashboards are built on; `prism query --views` describes all of them.
TABLES = ("quality", "throughput", "allocations", "requests", "members", "projects")

_HEAD = """\
# Tables and views for dashboards

What can be asked in SQL: on Athena in the Glue database `prism_lake`, locally with
[`prism query`](cli.md#prism-query). This document is written by `python -m infra.lake_documents` from
`prism_core/lake_views.py` and `prism_core/lake_tables.py`; a test compares. `prism query --views` lists all tables
and views, and `prism query --views NAME` the columns of one.

- Everything has the column `week`, an ISO week such as `2026-W01`. It is the partition: name it in WHERE, and the
  other weeks are not read. It sorts as text; do not add to its number, since some years have 53 weeks. The views
  have `monday`, the first day of the week, to compute with.
- Hours and shares are rounded: hours to two places, shares to four. A share of nothing is null, never 0.
- Instants are in UTC. There are no names, e-mail addresses or reasons of persons in the lake.

## How the views are built

The SQL of a view is one text that Trino and DuckDB both take. Tests parse it with Trino's own grammar, and compare
what DuckDB answers to the text as it is, to its translation, and through the Athena of the embedded AWS. Athena in
an account was not asked. `prism query` puts the SQL of a view in the place of its name, on either engine; the Glue
views of `infra/templates/catalog-views.yaml` are for other clients of Athena, such as QuickSight.

```
SELECT week, project_id, gap_hours, free_hours_of_week FROM capacity_gap WHERE gap_hours > 0 ORDER BY week DESC
```

- `weekly_delivery`, `utilisation_by_week` and `capacity_gap` read what the allocations, members, projects and
  requests were at the end of the week. What `utilisation` and `quality_scores` say is computed by the assets of
  those names; a week that was not materialised is missing in the views over them.
- A week that still runs is as far as it has got.
- `weekly_delivery` and `quality_trend` look at earlier weeks, so they read all weeks even if one is asked for.
"""


def document() -> str:
    """The whole text."""
    views = "\n".join(_section(entry(name), LAKE_VIEWS[name].reads) for name in LAKE_VIEWS)
    tables = "\n".join(_section(entry(name), ()) for name in TABLES)
    return f"{_HEAD}\n## Views\n\n{views}\n## Tables\n\n{tables}"


def _section(found: Entry, reads: tuple[str, ...]) -> str:
    source = f" Over {', '.join(f'`{name}`' for name in reads)}." if reads else ""
    rows = "\n".join(f"| `{c.name}` | {c.type} | {c.meaning.replace('|', chr(92) + '|')} |" for c in found.columns)
    return f"### {found.name}\n\n{found.meaning}{source}\n\n| column | type | meaning |\n|---|---|---|\n{rows}\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
