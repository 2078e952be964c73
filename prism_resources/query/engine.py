"""Which engine answers, by environment.

Belongs here: that choice alone.
"""

from prism_core.settings import Environment, Settings
from prism_resources.lake import Lake
from prism_resources.query.result import QueryEngine


def query_engine(settings: Settings, lake: Lake) -> QueryEngine:
    """Athena in `aws`, DuckDB over the same files locally."""
    if settings.environment is Environment.AWS:
        from prism_resources.query.athena import AthenaEngine

        return AthenaEngine(settings)
    from prism_resources.query.duckdb import DuckDbEngine

    return DuckDbEngine(settings, lake)
