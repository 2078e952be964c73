"""The records of a week, each once.

Belongs here: putting the columns of all blocks under one numbering of texts, and keeping one line of each id.
Does not belong here: reading lines (columns.py) and adding up (throughput.py).
Memory: about 64 bytes a record and its id.
"""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from prism_core.calendar import Week
from prism_core.worker_activity.columns import Columns, Encoded, InvalidLine, codes_of
from prism_core.worker_activity.fields import Integers
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
        """Positions to keep, or None for all. Only repeated ids are sorted: mostly there are few."""
        column: Any = pa.chunked_array(self._ids, pa.string())
        encoded = column.combine_chunks().dictionary_encode()
        self._ids.clear()
        if len(encoded.dictionary) == numbers.shape[1]:
            return None
        ids = codes_of(encoded)
        times_seen = np.bincount(ids)
        repeated = np.flatnonzero(times_seen[ids] > 1)
        # lexsort takes the last key first: by id, then received, then everything else that a record says
        order = repeated[np.lexsort((*numbers[:6, repeated], numbers[6, repeated], ids[repeated]))]
        first = np.diff(ids[order], prepend=-1) != 0
        keep = times_seen[ids] == 1
        keep[order[first]] = True
        return np.flatnonzero(keep)


def _renumber(column: Encoded, names: dict[str, int]) -> Integers:
    numbers = [names.setdefault(text, len(names)) for text in column.values]
    return np.array(numbers, np.int64)[column.codes]
