"""The records of a week, each once.

Belongs here: putting the columns of all blocks under one numbering of texts, and keeping one line of each id.
Does not belong here: reading lines (columns.py) and adding up (throughput.py).
Memory: about 130 bytes a record and its id.
"""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from prism_core.calendar import Week
from prism_core.worker_activity.columns import Columns, Encoded, Hashes, InvalidLine, codes_of
from prism_core.worker_activity.fields import Integers, int64_array
from prism_core.worker_activity.record import SECONDS_A_DAY

INVALID_LISTED_MAX = 10_000  # every invalid line is counted; beyond this number they are no longer quoted


class UniqueActivity(msgspec.Struct, frozen=True):
    """Unique records as columns. Codes are ranks: the order of codes is the order of the texts."""

    kinds: Encoded
    workers: Encoded
    jobs: Encoded
    event_s: Integers
    accepted_s: Integers
    outcome_s: Integers
    received_us: Integers
    day: Integers  # 0 is the Monday of the week

    @property
    def wall_s(self) -> Integers:
        return self.outcome_s - self.accepted_s


class Gathered:
    """Columns of all blocks, with one numbering of texts over all of them."""

    def __init__(self) -> None:
        self.lines = 0
        self.valid = 0
        self.invalid_lines = 0
        self.invalid: list[InvalidLine] = []
        self._line_ends = 0
        self._ids: list[Any] = []
        self._id_hashes: list[Hashes] = []
        self._numbers: list[Integers] = []
        self._names: tuple[dict[str, int], dict[str, int], dict[str, int]] = ({}, {}, {})

    def add(self, columns: Columns) -> None:
        self.invalid_lines += len(columns.invalid)
        for line in columns.invalid[: INVALID_LISTED_MAX - len(self.invalid)]:
            self.invalid.append(msgspec.structs.replace(line, line=line.line + self._line_ends))
        self.lines += columns.lines
        self._line_ends += columns.line_ends
        self.valid += len(columns.event_s)
        self._ids.append(columns.ids)
        self._id_hashes.append(columns.id_hashes)
        encoded = (columns.event_types, columns.workers, columns.jobs)
        codes = [_renumber(column, names) for column, names in zip(encoded, self._names, strict=True)]
        self._numbers.append(
            np.vstack([*codes, columns.event_s, columns.accepted_s, columns.outcome_s, columns.received_us])
        )

    def unique(self, week: Week) -> UniqueActivity:
        numbers = np.hstack(self._numbers) if self._numbers else np.zeros((7, 0), np.int64)
        self._numbers.clear()
        texts: list[list[str]] = []
        for row, names in enumerate(self._names):
            ordered = sorted(names)
            rank = np.empty(len(ordered), np.int64)
            rank[[names[text] for text in ordered]] = np.arange(len(ordered))
            numbers[row] = rank[numbers[row]]
            texts.append(ordered)
        kept = self._first_of_each_id(numbers)
        if kept is not None:
            numbers = numbers[:, kept]
        kinds, workers, jobs, event_s, accepted_s, outcome_s, received_us = numbers
        day = (event_s - int(week.start.timestamp())) // SECONDS_A_DAY
        return UniqueActivity(
            Encoded(kinds, texts[0]),
            Encoded(workers, texts[1]),
            Encoded(jobs, texts[2]),
            event_s,
            accepted_s,
            outcome_s,
            received_us,
            day,
        )

    def _first_of_each_id(self, numbers: Integers) -> Integers | None:
        """Positions to keep, or None for all. Only ids that may be repeated are compared: mostly there are few."""
        repeated = self._maybe_repeated()
        if len(repeated) == 0:
            return None
        column: Any = pa.chunked_array(self._ids, pa.string())
        ids = codes_of(column.take(int64_array(repeated)).combine_chunks().dictionary_encode())
        # lexsort takes the last key first: by id, then received, then everything else that a record says
        order = np.lexsort((*numbers[:6, repeated], numbers[6, repeated], ids))
        again = np.diff(ids[order], prepend=-1) == 0
        keep = np.ones(numbers.shape[1], np.bool_)
        keep[repeated[order[again]]] = False
        return np.flatnonzero(keep)

    def _maybe_repeated(self) -> Integers:
        """Positions of ids whose hash occurs more than once; comparing all texts takes twice as long."""
        hashes = np.concatenate([np.zeros(0, np.uint64), *self._id_hashes])
        ordered = np.sort(hashes)
        again = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if len(again) == 0:
            return np.zeros(0, np.int64)
        nearest = np.minimum(np.searchsorted(again, hashes), len(again) - 1)
        return np.flatnonzero(again[nearest] == hashes)


def _renumber(column: Encoded, names: dict[str, int]) -> Integers:
    numbers = [names.setdefault(text, len(names)) for text in column.values]
    return np.array(numbers, np.int64)[column.codes]
