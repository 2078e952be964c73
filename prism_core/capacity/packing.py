"""One member's hours packed into days so that no piece of work is shorter than its project allows.

Belongs here: the days of one member when blocks do not fall into place by themselves. Does not belong here: the
hours of many members at once (days.py, limits.py).
First in turn, by every order of a few projects; what does not fit so is a small program, solved exactly.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from typing import Final

import numpy as np

from prism_core.capacity.milp import INFINITY, Limits, Model, maximise
from prism_core.capacity.supply import DAYS

_ORDERS: Final = 24
_LIMITS: Final = Limits(seconds=60.0, nodes=2_000, gap=0.0)

# Hours by day, and the hours that are given up by the day on which their lines end.
Packed = tuple[list[int], dict[int, int]]


@dataclass(frozen=True, slots=True)
class Item:
    """A project's hours by the last day on which they count, its shortest piece, the points of its worst hour."""

    hours: Mapping[int, int]
    block: int
    points: int

    @property
    def total(self) -> int:
        return sum(self.hours.values())


def pack(items: Sequence[Item], regular: Sequence[int], room: Sequence[int], overtime: int) -> list[Packed]:
    """Days of each item within the hours of the days; `room`: for at most `overtime` more when short."""
    extra = overtime if sum(item.total for item in items) > sum(regular) else 0
    if not extra and all(len(item.hours) == 1 for item in items):
        order = sorted(range(len(items)), key=lambda index: -items[index].block)
        for one in islice(permutations(order), _ORDERS):
            rows = _in_turn(items, one, regular)
            if rows is not None:
                return [(row, {}) for row in rows]
    return _exactly(items, regular, room, extra)


def _in_turn(items: Sequence[Item], order: Iterable[int], regular: Sequence[int]) -> list[list[int]] | None:
    """Every item in turn on the first days with room; None when one does not fit."""
    left = list(regular)
    rows = [[0] * DAYS for _ in items]
    for index in order:
        item = items[index]
        needed, block = item.total, item.block
        for day in range(min(item.hours) + 1):
            piece = min(left[day], needed)
            # What remains must be nothing or a block of its own.
            if 0 < needed - piece < block:
                piece = needed - block
            if piece < max(block, 1):
                continue
            rows[index][day] = piece
            left[day] -= piece
            needed -= piece
        if needed:
            return None
    return rows


def _exactly(items: Sequence[Item], regular: Sequence[int], room: Sequence[int], extra: int) -> list[Packed]:
    """The days that give up the fewest points. Columns: hours and days used by item, hours given up, overtime."""
    count = len(items)
    cells = count * DAYS
    ends = [(index, end) for index, item in enumerate(items) for end in sorted(item.hours)]
    columns = 2 * cells + len(ends) + DAYS
    cell = np.arange(cells)
    used, lost, over = cells + cell, 2 * cells + np.arange(len(ends)), 2 * cells + len(ends) + np.arange(DAYS)
    worth, upper = np.zeros(columns), np.full(columns, INFINITY)
    upper[used] = 1
    upper[over] = [min(one, extra) for one in room]
    # A point more than nothing, so that hours that earn nothing are kept too.
    worth[lost] = [-max(items[index].points, 0) - 1 for index, _ in ends]
    worth[over] = -0.5
    upper[lost] = [items[index].hours[end] for index, end in ends]
    whole = np.zeros(columns, np.bool_)
    whole[used] = True
    model = Model(worth, np.zeros(columns), upper, whole)

    day = np.tile(np.arange(DAYS), count)
    model.add(
        np.concatenate([day, np.arange(DAYS)]), np.concatenate([cell, over]),
        np.concatenate([np.ones(cells), -np.ones(DAYS)]), np.full(DAYS, -INFINITY), np.array(regular, np.float64),
    )  # fmt: skip
    model.add(np.zeros(DAYS, np.int64), over, np.ones(DAYS), np.zeros(1), np.array([extra], np.float64))
    most = np.tile(np.array(regular, np.float64) + np.minimum(np.array(room), extra), count)
    block = np.repeat(np.array([item.block for item in items], np.float64), DAYS)
    both = np.concatenate([cell, cell]), np.concatenate([cell, used])
    nothing, unlimited = np.zeros(cells), np.full(cells, INFINITY)
    model.add(*both, np.concatenate([np.ones(cells), -most]), -unlimited, nothing)
    model.add(*both, np.concatenate([np.ones(cells), -block]), nothing, unlimited)
    for number, (index, end) in enumerate(ends):
        # Until a day, at least what ends by then; in all, exactly everything that is not given up.
        due = [one for one, (other, until) in enumerate(ends) if other == index and until <= end]
        needed = float(sum(items[index].hours[ends[one][1]] for one in due))
        last = number + 1 == len(ends) or ends[number + 1][0] != index
        inside = index * DAYS + np.arange(DAYS if last else end + 1)
        entries = np.concatenate([inside, lost[due]])
        model.add(
            np.zeros(len(entries), np.int64), entries, np.ones(len(entries)),
            np.array([needed]), np.array([needed if last else INFINITY]),
        )  # fmt: skip
        if last:
            after = index * DAYS + np.arange(end + 1, DAYS)
            model.upper[after] = 0
    values = maximise(model, _LIMITS).values
    if values is None:
        return [([0] * DAYS, dict(item.hours)) for item in items]
    rows = np.rint(values[:cells]).astype(np.int64).reshape(count, DAYS).tolist()
    return [(row, _given_up(item, row)) for item, row in zip(items, rows, strict=True)]


def _given_up(item: Item, row: Sequence[int]) -> dict[int, int]:
    """What the days do not hold, the lines that end first served first."""
    held, found = 0, dict[int, int]()
    for end, needed in sorted(item.hours.items()):
        holds = min(needed, sum(row[: end + 1]) - held)
        held += holds
        found[end] = needed - holds
    return found
