"""Hours of a week laid onto days: never above the hours of the day, never on a day off, no piece below its block.

Belongs here: the days of what a flow gives. Does not belong here: how much everybody works (network.py, limits.py)
and the packing of blocks that do not fit at once (packing.py).
Within a slot the projects of a member follow each other through the days, so pieces are long, and on whole quarter
hours where the hours are. A project whose people have no day that is long enough is not worked on by too few.
"""

from dataclasses import dataclass

import numpy as np

from prism_core.capacity.limits import Limits
from prism_core.capacity.network import Hours
from prism_core.capacity.offers import Tables
from prism_core.capacity.packing import Item, pack
from prism_core.capacity.supply import DAYS, Flags, Ints


@dataclass(frozen=True, slots=True)
class Days:
    """The pairs with hours, their hours by day, and the hours by offer that these days hold (hundredths).

    `lost`: the pairs for which no day is left, where their projects lack people without them.
    """

    pair: Ints
    by_day: Ints
    by_offer: Ints
    lost: Ints


def lay(found: Tables, hours: Hours, limits: Limits) -> Days:
    """The days of a flow that keeps the limits. Hours that no day can hold are given up."""
    free = hours.entry_pair < found.free_pairs
    days = np.zeros((len(found.pair_owner), DAYS), np.int64)
    np.add.at(days, hours.entry_pair[free], _through_slots(found, hours, free))
    pins = np.arange(found.free_pairs, len(found.pair_owner))
    days[pins] = found.supply.regular[found.pair_owner[pins]]
    by_offer, lost = hours.by_offer, np.zeros(0, np.int64)
    broken: Flags = np.any((days > 0) & (days < limits.block[:, None]), axis=1)
    broken[pins] = False
    if broken.any():
        by_offer = by_offer.copy()
        for member in np.unique(found.pair_member[broken]).tolist():
            _repack(found, member, limits.block, days, by_offer)
        lost = _without_people(found, limits, hours.by_pair, days, by_offer)
    pair = np.flatnonzero(days.any(axis=1))
    return Days(pair, days[pair], by_offer, lost)


def _through_slots(found: Tables, hours: Hours, free: Flags) -> Ints:
    """Hours by entry and day: entries and days lie behind each other on one line, and overlap where they meet."""
    pair, slot, amount = hours.entry_pair[free], hours.entry_slot[free], hours.entry_hours[free]
    order = np.lexsort((pair, slot))
    ends = np.cumsum(amount[order])
    before = ends - amount[order]
    # Every slot begins anew.
    starts_slot = np.searchsorted(slot[order], slot[order])
    begin = before - before[starts_slot]
    slots = found.slots
    within = slots.of_day[slots.owner] == np.arange(len(slots.owner))[:, None]
    room = np.concatenate([found.supply.regular[slots.owner] * within, found.supply.room[slots.owner] * within], 1)
    room_end = np.cumsum(room, axis=1)
    mine = slot[order]
    low = np.maximum(begin[:, None], (room_end - room)[mine])
    high = np.minimum((begin + amount[order])[:, None], room_end[mine])
    overlap = np.maximum(high - low, 0)
    found_days = np.empty((len(pair), DAYS), np.int64)
    found_days[order] = overlap[:, :DAYS] + overlap[:, DAYS:]
    return found_days


def _repack(found: Tables, member: int, block: Ints, days: Ints, by_offer: Ints) -> None:
    """The member's days anew, in place, so that no piece is below its block."""
    mine = np.flatnonzero((found.pair_member == member) & days.any(axis=1))
    mine = mine[mine < found.free_pairs]
    items: list[Item] = []
    for pair in mine.tolist():
        offers = np.flatnonzero((found.offer_pair == pair) & (by_offer > 0))
        ends = found.line_end[found.offer_line[offers]]
        hours = {int(end): int(by_offer[offers[ends == end]].sum()) for end in np.unique(ends)}
        worth = int(found.offer_points[offers].min())
        items.append(Item(hours, int(block[pair]), worth))
    packed = pack(
        items,
        found.supply.regular[member].tolist(),
        found.supply.room[member].tolist(),
        int(found.supply.overtime[member]),
    )
    for pair, (rows, given_up) in zip(mine.tolist(), packed, strict=True):
        days[pair] = rows
        for end, amount in given_up.items():
            _give_up(found, pair, end, amount, by_offer)


def _without_people(found: Tables, limits: Limits, planned: Ints, days: Ints, by_offer: Ints) -> Ints:
    """Empty, in place, the projects that packing left with too few people; answers the pairs that they lack.

    Somebody with less than a share that counts is no help either. `planned`: the hours by pair before packing.
    """
    fewest, project = limits.fewest, found.pair_project
    held = days.sum(axis=1)
    together = (planned > 0) & (fewest[project] > 0)
    together[found.free_pairs :] = False
    short = together & (held < limits.least)
    people = np.bincount(project[together & ~short], minlength=len(fewest))
    too_few = (people < fewest)[project]
    emptied = short | (together & too_few)
    days[emptied] = 0
    by_offer[emptied[found.offer_pair]] = 0
    return np.flatnonzero(short & too_few)


def _give_up(found: Tables, pair: int, end: int, amount: int, by_offer: Ints) -> None:
    """Take hours from the lines of a pair that end on a day, the least worth first."""
    offers = np.flatnonzero((found.offer_pair == pair) & (by_offer > 0))
    offers = offers[found.line_end[found.offer_line[offers]] == end]
    for offer in offers[np.argsort(found.offer_points[offers], kind="stable")].tolist():
        less = min(amount, int(by_offer[offer]))
        by_offer[offer] -= less
        amount -= less
