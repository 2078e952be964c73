"""The hours of a week to plan as arrays: by owner and day, pins set aside, cut into slots where days differ.

Belongs here: who has how many hours when, in integers of hundredths. Does not belong here: on what they may be
spent (offers.py) and the days of a finished plan (days.py).
Owners of hours are the members and, behind them, the pins: a pin is hours that are set aside for one project.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from prism_core.capacity.problem import HOURS_A_DAY, PlanProblem
from prism_core.capacity.scoring import QUARTERS, hundredths, quarters

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
DAYS: Final = 7
_DAY: Final = hundredths(HOURS_A_DAY)


@dataclass(frozen=True, slots=True)
class Supply:
    """Hours that can still be given, by owner and day: `regular`, and `room` for overtime (of members alone).

    By member: `overtime` that is left, hours `available` by contract and after time off, and what pins take of
    these (`pinned`) and above them (`pinned_overtime`); `quarters`: where those of the load begin and end.
    """

    regular: Ints
    room: Ints
    overtime: Ints
    available: Ints
    pinned: Ints
    pinned_overtime: Ints
    quarters: Ints

    @property
    def members(self) -> int:
        return len(self.available)


def supply(problem: PlanProblem) -> Supply:
    """The hours of everybody, and of every pin in the order of the problem."""
    number = {member.member_id: index for index, member in enumerate(problem.members)}
    days = {day: index for index, day in enumerate(problem.week.days)}
    hours = _by_day([member.hours for member in problem.members], days)
    owner = np.array([number[pin.member_id] for pin in problem.pins], np.int64)
    allowance = np.array([hundredths(member.overtime_hours) for member in problem.members], np.int64)
    pins = _place_pins(problem, hours, owner, allowance, days)
    taken = np.zeros_like(hours)
    np.add.at(taken, owner, pins)
    over = np.maximum(taken - hours, 0)
    room = np.where(hours > 0, np.maximum(_most_overtime(problem, hours) - over, 0), 0)
    overtime = np.minimum(np.maximum(allowance - over.sum(axis=1), 0), room.sum(axis=1))
    room[overtime == 0] = 0
    return Supply(
        regular=np.concatenate([np.maximum(hours - taken, 0), pins]),
        room=np.concatenate([room, np.zeros_like(pins)]),
        overtime=overtime,
        available=hours.sum(axis=1),
        pinned=np.minimum(taken, hours).sum(axis=1),
        pinned_overtime=over.sum(axis=1),
        quarters=np.array([quarters(one) for one in hours.sum(axis=1).tolist()], np.int64).reshape(
            -1, QUARTERS + 1
        ),
    )


def _most_overtime(problem: PlanProblem, hours: Ints) -> Ints:
    """Overtime that fits on a day, by member and day."""
    return np.minimum(_DAY - hours, hundredths(problem.overtime_hours_a_day))


def _by_day(of_days: Sequence[Mapping[date, Decimal]], days: Mapping[date, int]) -> Ints:
    found = np.zeros((len(of_days), DAYS), np.int64)
    for row, hours in enumerate(of_days):
        for day, value in hours.items():
            found[row, days[day]] = hundredths(value)
    return found


def _place_pins(problem: PlanProblem, hours: Ints, owner: Ints, allowance: Ints, days: Mapping[date, int]) -> Ints:
    """The days of the pins. One without days takes the latest, which serve the fewest lines.

    One on a project with a line that ends inside the week takes the earliest days instead.
    """
    found = _by_day([pin.by_day or {} for pin in problem.pins], days)
    left = hours.copy()
    np.subtract.at(left, owner, found)
    ending = {line.project_id for line in problem.lines if problem.ends(line) < problem.week.sunday}
    extra = allowance - np.maximum(-left, 0).sum(axis=1)
    most = _most_overtime(problem, hours)
    for index, pin in enumerate(problem.pins):
        if pin.by_day is not None:
            continue
        member, needed = owner[index], hundredths(pin.hours)
        order = range(DAYS) if pin.project_id in ending else range(DAYS - 1, -1, -1)
        for day in order:
            taken = min(needed, max(int(left[member, day]), 0))
            found[index, day] += taken
            left[member, day] -= taken
            needed -= taken
        for day in order if needed else ():
            room = min(int(most[member, day] + min(left[member, day], 0)), int(extra[member]))
            taken = min(needed, max(room, 0)) if hours[member, day] else 0
            found[index, day] += taken
            left[member, day] -= taken
            extra[member] -= taken
            needed -= taken
    return found


@dataclass(frozen=True, slots=True)
class Slots:
    """Days of an owner between which no line ends, so that an hour of one is worth an hour of another.

    `owner`, hours, overtime and the last day with hours by slot; those of an owner lie next to each other from
    `first`, `count` of them. Days without hours are in none (-1 in `of_day`, by owner and day).
    """

    owner: Ints
    capacity: Ints
    overtime: Ints
    last_day: Ints
    of_day: Ints
    first: Ints
    count: Ints


def slots(given: Supply, cuts: Flags) -> Slots:
    """The slots of every owner; `cuts` says by owner and day where one must end."""
    day = np.arange(DAYS)
    usable = given.regular + given.room > 0
    # The number of the slot within its owner: how many cuts lie before the day.
    within = np.cumsum(cuts, axis=1) - cuts
    owner, at = np.nonzero(usable)
    codes = owner * DAYS + within[owner, at]
    kept, inverse = numbered(codes)
    of_day = np.full(usable.shape, -1, np.int64)
    of_day[owner, at] = inverse
    last = np.zeros(len(kept), np.int64)
    np.maximum.at(last, inverse, day[at])
    owners = kept // DAYS
    count = np.bincount(owners, minlength=len(usable)).astype(np.int64)
    return Slots(
        owner=owners,
        capacity=sums(inverse, given.regular[owner, at], len(kept)),
        overtime=sums(inverse, given.room[owner, at], len(kept)),
        last_day=last,
        of_day=of_day,
        first=np.cumsum(count) - count,
        count=count,
    )


def numbered(codes: Ints) -> tuple[Ints, Ints]:
    """The distinct codes in order, and the number of each among them."""
    kept, inverse = np.unique(codes, return_inverse=True)
    return kept.astype(np.int64), inverse.astype(np.int64)


def sums(index: Ints, amounts: Ints, length: int) -> Ints:
    """Sums of integers by index. (`bincount` adds floats: exact below 2**53, far above any week.)"""
    return np.bincount(index, weights=amounts, minlength=length).astype(np.int64)
