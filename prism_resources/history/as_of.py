"""A whole table at one instant, however long ago.

Belongs here: rows of now and the log as JSON texts, and the states that StateIntervals makes of them, personal
values opened. Does not belong here: lists that somebody waits for and single items (tables/history.py), weeks.
Every field is carried as its plain JSON, so that a state reads as the API shows it. Changes are decoded by msgspec
and no model is made of them, and only what is answered is unsealed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
import pyarrow as pa

from prism_core.clock import SKEW
from prism_core.failures import BadUsage
from prism_core.history.changes import state_of
from prism_core.lake import Column
from prism_core.models.base import Versioned, instant_text
from prism_core.settings import Settings
from prism_core.tables import TableSpec
from prism_resources.history.changes import change_batches, log_end
from prism_resources.history.intervals import StateIntervals
from prism_resources.history.text import VERSION
from prism_resources.tables.codec import Attribute, decode_value
from prism_resources.tables.history import key_of_item_key, refuse_unlogged
from prism_resources.tables.raw import Ended
from prism_resources.tables.store import TableStore

SCAN_SEGMENTS: Final = 4
_BATCH_ROWS: Final = 10_000
_KEY: Final = "item_key"
M = TypeVar("M", bound=Versioned)


class JsonText:
    """The texts of a field: its plain value as JSON."""

    def __init__(self, field: str) -> None:
        self.name = self.field = field

    def of_attribute(self, attribute: Attribute | None) -> str | None:
        return None if attribute is None else json_text(decode_value(attribute))


def json_text(value: Any) -> str | None:
    """None for no value; JSON never begins as ABSENT does."""
    return None if value is None else msgspec.json.encode(value).decode()


def table_at(
    settings: Settings,
    store: TableStore[M],
    instant: datetime,
    *,
    now: datetime,
    progress: Ended = lambda _done, _all: None,
) -> Iterator[dict[str, Any]]:
    """Every item of a table that stood at an instant, with its version, sorted by key.

    Personal values of a person who was forgotten read {"forgotten": true}. Raises BadUsage for an instant in the
    future, TransientFailure when the table changed while it was read, PermanentFailure when its history has a gap.
    """
    spec = store.spec
    refuse_unlogged(spec)
    began = min(now, datetime.now(UTC)) - SKEW
    if instant > log_end(now):
        raise BadUsage(f"{instant_text(instant)} lies in the future")
    fields = [name for name in spec.model.model_fields if name != VERSION]
    columns = [Column(name, "string", "its plain JSON") for name in fields]
    with StateIntervals(columns, began=began) as intervals:
        for batch in _rows(store, fields):
            intervals.add_rows(batch)
        texts = [JsonText(name) for name in fields]
        # Only now: a row may have changed until the last page was read.
        for batch in change_batches(settings, spec, (), instant, log_end(now), texts=texts, progress=progress):
            intervals.add_changes(batch)
        for _, found in intervals.at({"": instant}):
            for batch in found.to_batches(max_chunksize=_BATCH_ROWS):
                yield from (_state(store, spec, row) for row in batch.to_pylist())


def _rows(store: TableStore[M], fields: Sequence[str]) -> Iterator[pa.RecordBatch]:
    remaining = store.parallel_scan(SCAN_SEGMENTS)
    while items := list(islice(remaining, _BATCH_ROWS)):
        states = [state_of(item) for item in items]
        found: dict[str, Any] = {
            _KEY: pa.array([store.spec.item_key(store.spec.key_of(item)) for item in items], pa.string()),
            VERSION: pa.array([item.version for item in items], pa.int64()),
        }
        for name in fields:
            found[name] = pa.array([json_text(state.get(name)) for state in states], pa.string())
        yield pa.RecordBatch.from_pydict(found)


def _state(store: TableStore[M], spec: TableSpec, row: Mapping[str, Any]) -> dict[str, Any]:
    state = {
        name: msgspec.json.decode(text)
        for name, text in row.items()
        if text is not None and name not in {_KEY, VERSION}
    }
    opened = store.keys.unseal_row(spec, key_of_item_key(spec, row[_KEY]), state)
    return opened | {VERSION: row[VERSION]}
