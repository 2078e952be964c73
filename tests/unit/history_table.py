"""A table that remembers what it was: what the store does, without a database.

Belongs here: writes with versions and changes, the state recorded after each, strategies of operations.
Does not belong here: tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from pydantic import JsonValue

from prism_core.history.changes import change_of, diff
from prism_core.models.changes import Change, Changes, Operation

START = datetime(2026, 1, 5, 7, tzinfo=UTC)
FIELDS = ("a", "b", "c")
State = dict[str, JsonValue]


@dataclass
class Table:
    """Versions, changes, and the rows as they were recorded after each write."""

    rows: dict[str, State] = field(default_factory=dict)
    log: list[Change] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    recorded: list[tuple[datetime, dict[str, State]]] = field(default_factory=list)

    def write(self, key: str, after: State | None, at: datetime, *, restart: bool = False) -> None:
        before = self.rows.get(key)
        if before is None and after is None:
            return
        operation = Operation.CREATE if before is None else Operation.DELETE if after is None else Operation.UPDATE
        changes = diff(before or {}, after or {})
        if not changes and operation is Operation.UPDATE:
            return
        version = 1 if restart and before is None else self.versions.get(key, 0) + 1
        self.versions[key] = version
        self.log.append(entry(key, operation, version, changes, at, request_id=f"r-{len(self.log)}"))
        if after is None:
            del self.rows[key]
        else:
            self.rows[key] = after
        self.recorded.append((at, self.now()))

    def now(self) -> dict[str, State]:
        return {key: row | {"version": self.versions[key]} for key, row in self.rows.items()}

    def at(self, instant: datetime) -> dict[str, State]:
        """What was recorded last, up to and including an instant."""
        return next((rows for at, rows in reversed(self.recorded) if at <= instant), {})

    def instants(self) -> set[datetime]:
        """Every moment at which something may differ: before and behind all, at each write and just behind it."""
        found = {START - timedelta(1), START + timedelta(10_000), *(at for at, _ in self.recorded)}
        return found | {at + timedelta(microseconds=1) for at, _ in self.recorded}


def entry(
    key: str, operation: Operation, version: int, changes: Changes, at: datetime, request_id: str = "r"
) -> Change:
    return change_of(
        table="things", item_key=f"things/{key}", operation=operation, version=version, changes=changes, now=at,
        actor="ana", reason="", request_id=request_id, shards=4,
    )  # fmt: skip


def keyed(rows: Mapping[str, State]) -> dict[str, State]:
    return {f"things/{key}": row for key, row in rows.items()}


states: st.SearchStrategy[State] = st.dictionaries(st.sampled_from(FIELDS), st.integers(0, 3), min_size=1)
# Pauses of nothing at all: a clock that stands still, and one that is read twice in a microsecond.
operations = st.lists(
    st.tuples(st.sampled_from("XYZ"), st.none() | states, st.sampled_from([0, 0, 1, 1_000, 86_400_000_000])),
    max_size=25,
)


def played(steps: list[tuple[str, State | None, int]], *, restart: bool = False) -> Table:
    table, at = Table(), START
    for key, after, pause in steps:
        # A new life at an old version is told by its instant alone.
        at += timedelta(microseconds=max(pause, 1) if restart else pause)
        table.write(key, after, at, restart=restart)
    return table
