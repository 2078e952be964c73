"""Strategies for the field types that models share.

Belongs here: hypothesis strategies of ids, days, instants and figures, for more than one test module.
Does not belong here: whole models (the tests of the models).
"""

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.models.base import measure

ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:+-]{0,20}\Z")
names = st.text(min_size=1, max_size=30)
texts = st.text(max_size=80)
days = st.dates(date(1990, 1, 1), date(2090, 1, 1))
weeks = days.map(Week.of)
instants = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001
hours = st.decimals(0, 24, places=2)
shares = st.decimals(0, 1, places=4)
measures = st.decimals(0, 10**6).map(measure)
counts = st.integers(0, 10**9)
versions = st.integers(1, 10**6)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The value or None."""
    return st.none() | strategy
