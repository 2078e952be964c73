"""What held when: events in order, and the texts that they tell, become states between instants.

Belongs here: arithmetic over whole columns (numpy, Arrow). Does not belong here: putting events in order
(interval_sql.py), who asks (intervals.py).

What a column held before an event is the first text at or behind it: the log has the value before of each field
that changed. A state has a number a column: nothing is replayed, and no text is copied before it is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from prism_core.lake import Column
from prism_resources.history.interval_sql import CREATE, DELETE, NOW
from prism_resources.history.text import ABSENT
from prism_resources.lake import ARROW_TYPES

Numbers = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Codes = npt.NDArray[np.unsignedinteger[Any]]
Flags = npt.NDArray[np.bool_]
_UNTOLD: Final = -1


@dataclass(frozen=True)
class Events:
    """Every event by item, in the order in which they were made: its changes, the row of now behind them.

    A deletion and the row of now tell every value that there was, a change those that it touched.
    """

    ids: Numbers
    versions: Longs
    instants_us: Longs
    operations: npt.NDArray[np.int8]
    numbers: Numbers
    arrived: int  # how many had numbers, with those that were left out

    @cached_property
    def first(self) -> Flags:
        """Of its item."""
        return np.diff(self.ids, prepend=-1) != 0

    @cached_property
    def last(self) -> Flags:
        return np.diff(self.ids, append=-1) != 0

    @cached_property
    def places(self) -> Numbers:
        """Where the event with a number stands; _UNTOLD for one that was left out."""
        found = np.full(self.arrived, _UNTOLD, np.int32)
        found[self.numbers] = np.arange(len(self.numbers), dtype=np.int32)
        return found

    def odd(self) -> int | None:
        """The item of an event that does not follow from the one before, or behind which something is missing."""
        made, earlier = self.operations, np.roll(self.operations, 1)
        step = self.versions - np.roll(self.versions, 1)
        follows = np.where(
            made == CREATE, earlier == DELETE, (earlier != DELETE) & (step == np.where(made == NOW, 0, 1))
        )
        found = ~(self.first | follows) | (self.last & (made != NOW) & (made != DELETE))
        return int(self.ids[found.argmax()]) if found.any() else None


@dataclass(frozen=True, slots=True)
class Spans:
    """The states that held at an instant asked for, or hold now, by their first slot and item.

    A slot is the number of an instant, now is the one behind the last. A state is that before the event at its
    place; it held from a slot to before another.
    """

    places: npt.NDArray[np.intp]
    ids: Numbers
    versions: Longs
    from_slots: Numbers
    to_slots: Numbers


def spans(events: Events, instants_us: Sequence[int]) -> Spans:
    now, first = len(instants_us), events.first
    slots = np.searchsorted(np.array(instants_us, np.int64), events.instants_us)
    slots[events.operations == NOW] = now + 1
    # The highest so far: clocks of two writers differ. Items lie apart by more than there are slots.
    apart = events.ids.astype(np.int64) * (now + 2)
    to_slots = (np.maximum.accumulate(slots + apart) - apart).astype(np.int32)
    from_slots = np.where(first, np.int32(0), np.roll(to_slots, 1))
    stood = np.where(first, events.operations != CREATE, np.roll(events.operations, 1) != DELETE)
    found = np.flatnonzero(stood & (from_slots < to_slots))
    found = found[np.argsort(from_slots[found], kind="stable")]
    alone = events.versions - (events.operations != NOW)
    versions = np.where(first, alone, np.roll(events.versions, 1))
    return Spans(found, events.ids[found], versions[found], from_slots[found], to_slots[found])


class ColumnTexts:
    """What the events say of one column."""

    def __init__(self, column: Column) -> None:
        self._column = column
        self._numbers: list[Numbers] = []
        self._texts: list[pa.Array] = []

    def add(self, first: int, texts: pa.ChunkedArray) -> None:
        """Of the events from a number on; null says nothing."""
        if texts.null_count < len(texts):
            told = np.flatnonzero(texts.is_valid().to_numpy())
            self._numbers.append((told + first).astype(np.int32))
            self._texts += texts.drop_null().chunks

    def held(self, events: Events, places: npt.NDArray[np.intp]) -> tuple[Codes, pa.Array]:
        """What was held before the events at some places: the numbers of values, and the different values.

        Raises pa.ArrowInvalid for a text that does not fit the type of the column.
        """
        told_by_event, texts = self._by_event(events)
        told = told_by_event != _UNTOLD
        behind = np.cumsum(told, dtype=np.int32) - told
        held: Any = pa.array(told_by_event[told][behind[places]]).dictionary_encode()
        codes = held.indices.to_numpy().astype(np.min_scalar_type(len(held.dictionary)))
        return codes, _typed(self._column, texts.take(held.dictionary))

    def _by_event(self, events: Events) -> tuple[Numbers, pa.Array]:
        """Of each event the number of the text that it says, and the different texts."""
        encoded: Any = pa.chunked_array(self._texts, pa.string()).dictionary_encode()
        none = pa.nulls(1, pa.string())
        texts = pa.concat_arrays([encoded.chunk(0).dictionary, none]) if encoded.num_chunks else none
        found = np.full(len(events.ids), _UNTOLD, np.int32)
        if encoded.num_chunks:
            places = events.places[np.concatenate(self._numbers)]
            codes = np.concatenate([chunk.indices.to_numpy() for chunk in encoded.chunks])
            known = places != _UNTOLD
            found[places[known]] = codes[known]
        found[events.last & (found == _UNTOLD)] = len(texts) - 1
        return found, texts


def _typed(column: Column, texts: Any) -> pa.Array:
    absent: Any = pa.scalar(ABSENT)
    escaped = pc.starts_with(texts, ABSENT)
    if pc.any(escaped).as_py():
        plain: Any = pc.utf8_slice_codeunits(texts, 1)
        texts = pc.if_else(escaped, pc.if_else(pc.equal(texts, absent), None, plain), texts)
    return texts.cast(ARROW_TYPES[column.type])
