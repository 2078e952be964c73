"""What publishing a plan changes: rows of a week before and after, and what readers see in between.

Belongs here: which allocations a plan replaces, taking that back, and laying it over rows that are not written
yet. Does not belong here: the pointer (models/published.py), reading and writing rows (prism_resources).
A pinned allocation is a person's word: no publication touches it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from prism_core.calendar import Week
from prism_core.day_hours import overfilling
from prism_core.models.work import Allocation, AllocationSource

Pair = tuple[str, str]
Days = Mapping[date, Decimal]


@dataclass(frozen=True, slots=True)
class Replacement:
    """One row before and after a publication, each with its version; absent where there is none."""

    before: Allocation | None
    after: Allocation | None

    @property
    def row(self) -> Allocation:
        """Either of them, for what both say: member, week and project."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 - a replacement is of something
        return found

    @property
    def pair(self) -> Pair:
        return pair_of(self.row)


@dataclass(frozen=True, slots=True)
class PublishedRows:
    """What a publication writes, and the rows that it leaves as people wrote them."""

    replacements: tuple[Replacement, ...]
    left: tuple[Pair, ...] = ()

    def leaving(self, more: Sequence[Pair]) -> "PublishedRows":
        """The same once more rows are left."""
        kept = tuple(one for one in self.replacements if one.pair not in more)
        return PublishedRows(kept, (*self.left, *more))


@dataclass(frozen=True, slots=True)
class Taken:
    """What an undo does, and the rows that it leaves since somebody changed them after the publication."""

    replacements: tuple[Replacement, ...]
    edited: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class HoursChange:
    """A member's hours by day on a project, before and after; empty where there are none."""

    member_id: str
    project_id: str
    before: Days
    after: Days

    @property
    def hours(self) -> Decimal:
        """How many more, or fewer."""
        return sum(self.after.values(), Decimal(0)) - sum(self.before.values(), Decimal(0))


def pair_of(row: Allocation) -> Pair:
    return row.member_id, row.project_id


def replaced_by(
    week: Week,
    plan_id: str,
    planned: Mapping[Pair, Days],
    current: Iterable[Allocation],
    today: date | None = None,
) -> list[Replacement]:
    """What a plan makes of the rows of a week: pinned ones stay, all others are the plan's.

    With `today` those whose days have all passed stay as well where their hours do: the plan has no say in them.
    """
    rows = {pair_of(one): one for one in current}
    found: list[Replacement] = []
    for pair in sorted({*planned, *rows}):
        before, days = rows.get(pair), planned.get(pair)
        if before is not None and before.pinned:
            continue
        after = None if not days else _row_of(week, pair, days, plan_id, before)
        if not _same(before, after) and not _is_past(before, after, today):
            found.append(Replacement(before, after))
    return found


def _is_past(before: Allocation | None, after: Allocation | None, today: date | None) -> bool:
    """Whether two rows have the same hours, all of them on days before `today`."""
    if before is None or after is None or today is None:
        return False
    hours = _worked(before)
    return bool(hours) and hours == _worked(after) and max(hours) < today


def _worked(row: Allocation) -> Days:
    return {day: hours for day, hours in row.hours.items() if hours}


def _row_of(week: Week, pair: Pair, days: Days, plan_id: str, before: Allocation | None) -> Allocation:
    member, project = pair
    return Allocation(
        version=1 if before is None else before.version + 1,
        member_id=member,
        project_id=project,
        week=week,
        hours={day: hours for day, hours in sorted(days.items()) if hours},
        source=AllocationSource.PLAN,
        plan_id=plan_id,
    )


def taken_back(
    published: Iterable[Replacement], current: Iterable[Allocation], today: date | None = None
) -> Taken:
    """What undoes a publication: rows that are as it left them become what they were before it.

    What somebody changed since stays, and what would give a day more than 24 hours beside that. With `today` the
    days before it keep their hours: people have worked by them.
    """
    rows = {pair_of(one): one for one in current}
    found, edited = list[Replacement](), list[Pair]()
    for one in published:
        now = rows.get(one.pair)
        if _same(now, one.before):
            continue
        if not _same(now, one.after):
            edited.append(one.pair)
            continue
        back = _back(now, one.before, today)
        if not _same(now, back) and not _is_past(now, back, today):
            found.append(Replacement(now, back))
    gone = {one.pair for one in found if one.after is None}
    stays = [row for pair, row in rows.items() if pair not in gone]
    writes = [(one, (one.before, one.after)) for one in found if one.after is not None]
    overfull = {writes[number][0].pair for number in overfilling(stays, [write for _, write in writes])}
    kept = tuple(one for one in found if one.pair not in overfull)
    return Taken(kept, (*edited, *sorted(overfull)))


def _back(now: Allocation | None, before: Allocation | None, today: date | None) -> Allocation | None:
    """The row of before over the one of now, whose days before `today` it keeps; none where no hours are left."""
    row, version = before or now, 1 if now is None else now.version + 1
    if row is None:
        return None
    old = {} if before is None else before.hours
    passed = (
        {} if now is None or today is None else {day: hours for day, hours in _worked(now).items() if day < today}
    )
    hours = passed | {day: one for day, one in old.items() if today is None or day >= today}
    if not any(hours.values()) and (before is None or hours != old):
        return None
    return row.model_copy(update={"version": version, "hours": hours})


def overlaid(
    rows: Iterable[Allocation], replacements: Iterable[Replacement]
) -> tuple[dict[Pair, Allocation], list[Replacement]]:
    """The rows as a publication has them, and the replacements whose row was not among them and is a new one.

    A row at the version from before it reads as its replacement; one at another version was written since, by the
    publication or by somebody else, and reads as it is.
    """
    found = {pair_of(one): one for one in rows}
    new: list[Replacement] = []
    for one in replacements:
        row = found.get(one.pair)
        if row is None:
            if one.before is None:
                new.append(one)
        elif one.before is not None and row.version == one.before.version:
            if one.after is None:
                del found[one.pair]
            else:
                found[one.pair] = one.after
    return found, new


def left_alone(
    replacements: Iterable[Replacement],
    current: Iterable[Allocation],
    plan_id: str | None,
    today: date | None = None,
) -> list[Pair]:
    """Which rows are not as a publication wanted them, once it is written: somebody changed them meanwhile.

    With a plan also rows beside it that are not pinned, that it does not know, and that do not lie before `today`,
    the day on which it was published.
    """
    rows = {pair_of(one): one for one in current}
    wanted = {one.pair: one.after for one in replacements}
    other = {pair for pair, after in wanted.items() if not _same(rows.get(pair), after)}
    if plan_id is not None:
        other |= {
            pair
            for pair, row in rows.items()
            if pair not in wanted and not row.pinned and row.plan_id != plan_id and not _is_past(row, row, today)
        }
    return sorted(other)


def hours_changes(before: Mapping[Pair, Days], after: Mapping[Pair, Days]) -> list[HoursChange]:
    """Where hours by member and project differ."""
    old, new = (
        {pair: {day: hours for day, hours in days.items() if hours} for pair, days in side.items()}
        for side in (before, after)
    )
    return [
        HoursChange(*pair, old.get(pair, {}), new.get(pair, {}))
        for pair in sorted({*old, *new})
        if old.get(pair, {}) != new.get(pair, {})
    ]


def changes_of(replacements: Iterable[Replacement]) -> list[HoursChange]:
    """Where a publication changes hours."""
    found = list(replacements)
    before = hours_of(one.before for one in found if one.before is not None)
    return hours_changes(before, hours_of(one.after for one in found if one.after is not None))


def hours_of(rows: Iterable[Allocation]) -> dict[Pair, Days]:
    """Hours by day of rows, by member and project."""
    return {pair_of(one): one.hours for one in rows}


def by_member(changes: Iterable[HoursChange]) -> dict[str, list[HoursChange]]:
    """The changes of each member, in order."""
    found: defaultdict[str, list[HoursChange]] = defaultdict(list)
    for one in changes:
        found[one.member_id].append(one)
    return dict(found)


def rows_text(week: Week, rows: PublishedRows) -> bytes:
    """The rows as the JSON that S3 keeps: the same for the same ones."""
    replaced = [
        {"before": _plain(one.before), "after": _plain(one.after)}
        for one in sorted(rows.replacements, key=lambda one: one.pair)
    ]
    said = {"week": week.label, "rows": replaced, "left": sorted(rows.left)}
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def read_rows(text: bytes) -> PublishedRows:
    """The inverse of `rows_text`."""
    said: dict[str, Any] = json.loads(text)
    replaced = (Replacement(_read(row["before"]), _read(row["after"])) for row in said["rows"])
    return PublishedRows(tuple(replaced), tuple((member, project) for member, project in said.get("left", ())))


def _plain(row: Allocation | None) -> Any:
    return None if row is None else row.plain()


def _read(values: Any) -> Allocation | None:
    return None if values is None else Allocation.from_plain(values)


def _same(one: Allocation | None, other: Allocation | None) -> bool:
    """Whether two rows say the same, whatever their versions."""
    if one is None or other is None:
        return one is other
    return _without_version(one) == _without_version(other)


def _without_version(row: Allocation) -> dict[str, object]:
    return {name: value for name, value in row.model_dump().items() if name != "version"}
