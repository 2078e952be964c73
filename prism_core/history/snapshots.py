"""States of a table at many instants: the reference that the set-based way (prism_resources/history) is held to.

Belongs here: the instants of weeks, and from the rows of now and their changes, one item after the other, what
stood at each instant. Does not belong here: the order and the undoing of changes (rebuild.py), DuckDB, files.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from pydantic import JsonValue

from prism_core.calendar import Week
from prism_core.history.changes import State
from prism_core.history.rebuild import by_item, item_states
from prism_core.models.changes import Change

# Instants have microseconds: the last one of Sunday. A change of Monday 00:00 belongs to the next week.
_LAST = timedelta(microseconds=1)


def end_of(week: Week, now: datetime) -> datetime:
    """The last instant of a week; of the running week (and of a later one) it is now."""
    return min(week.end - _LAST, now)


def ends_of(weeks: Iterable[Week], now: datetime) -> dict[str, datetime]:
    """The same by label, the way the set-based snapshots take it."""
    return {week.label: end_of(week, now) for week in weeks}


def states_at(
    rows: Mapping[str, State],
    changes: Iterable[Change],
    instants: Mapping[str, datetime],
    *,
    began: datetime | None = None,
) -> dict[str, dict[str, dict[str, JsonValue]]]:
    """By label of an instant, every item that stood then, with its version.

    `rows` are those of now with their `version`, `changes` at least all that are later than the first instant.
    Each change is undone once, however many instants there are. Raises as `undo_since` does.
    """
    latest_first = sorted(instants, key=lambda label: instants[label], reverse=True)
    found: dict[str, dict[str, dict[str, JsonValue]]] = {label: {} for label in instants}
    of_items = by_item(changes)
    for item_key in sorted({*rows, *of_items}):
        states = item_states(rows.get(item_key), of_items.get(item_key, ()), began=began)
        since, state = next(states)
        for label in latest_first:
            while since is not None and since > instants[label]:
                since, state = next(states)
            if state is not None:
                found[label][item_key] = state
    return found


def states_of_weeks(
    rows: Mapping[str, State],
    changes: Iterable[Change],
    instants: Mapping[str, datetime],
    week_of: Callable[[State], str],
) -> dict[str, dict[str, tuple[dict[str, JsonValue], bool]]]:
    """By week, its own items as they stood at its instant, and whether each was recorded late.

    An item that did not stand then and does now is there as it is now, recorded late: what was imported after
    its week would else be missing. An item never changes its week, which is part of its key.
    """
    kept = list(changes)
    stood = states_at(rows, kept, instants)
    found: dict[str, dict[str, tuple[dict[str, JsonValue], bool]]] = {}
    for label in instants:
        now = {key: (dict(row), True) for key, row in rows.items() if week_of(row) == label}
        then = {key: (state, False) for key, state in stood[label].items() if week_of(state) == label}
        found[label] = dict(sorted((now | then).items()))
    return found
