"""Cases of the rule about hours that are planned on a day off.

Belongs here: snapshots with and without a conflict. Does not belong here: the rule (rules/ooto_conflict.py).
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from prism_core.alerts.cases.case import (
    FRI,
    FULL_TIME,
    MON,
    SAT,
    THU,
    TUE,
    WED,
    WEEK,
    Case,
    members,
    planned,
    snapshot,
)
from prism_core.alerts.snapshot import AlertSnapshot, MemberState, Planned, TimeOff
from prism_core.calendar import Week
from prism_core.models.people import AvailabilityStatus
from prism_core.models.work import Severity

_ANA: Final = MemberState("M-1", FULL_TIME)
_PART_TIME: Final = MemberState("M-2", (Decimal("6.00"),) * 3 + (Decimal("0.00"),) * 4)
_THURSDAY: Final = ("availability/M-1/2026-11-26", "2026-11-26")


def _off(day: date, hours: str = "8.00", member: str = "M-1", status: str = "approved") -> TimeOff:
    return TimeOff(member, day, Decimal(hours), AvailabilityStatus(status))


def _of(
    *rows: TimeOff | Planned, member: MemberState = _ANA, as_of: datetime = WEEK.start + timedelta(hours=7)
) -> AlertSnapshot:
    weeks = [WEEK, WEEK + 1, WEEK + 2]
    entries = [row for row in rows if isinstance(row, TimeOff)]
    plans = [row for row in rows if isinstance(row, Planned)]
    return snapshot(
        as_of=as_of,
        members=members(member, _PART_TIME),
        time_off={week: tuple(one for one in entries if Week.of(one.day) == week) for week in weeks},
        planned={week: tuple(one for one in plans if one.week == week) for week in weeks},
    )


_MONDAY_TO_WEDNESDAY: Final = planned("M-1", "P-1", {MON: "8.00", TUE: "8.00", WED: "8.00"})
_WHOLE_WEEK: Final = planned("M-1", "P-1", dict.fromkeys((MON, TUE, WED, THU, FRI), "8.00"))

CASES: Final = (
    Case("a whole day off with hours planned", _of(_off(THU), _WHOLE_WEEK), {_THURSDAY: Severity.HIGH}),
    Case(
        "more hours than a partial day off leaves",
        _of(_off(THU, "4.00"), planned("M-1", "P-1", {THU: "6.00"})),
        {_THURSDAY: Severity.MEDIUM},
    ),
    Case(
        "two projects that each fit, and together do not",
        _of(_off(THU, "4.00"), planned("M-1", "P-1", {THU: "3.00"}), planned("M-1", "P-2", {THU: "3.00"})),
        {_THURSDAY: Severity.MEDIUM},
    ),
    Case(
        "time off that is only asked for",
        _of(_off(THU, status="requested"), _WHOLE_WEEK),
        {_THURSDAY: Severity.LOW},
    ),
    Case(
        "a public holiday where the member lives",
        _of(_WHOLE_WEEK, member=MemberState("M-1", FULL_TIME, holidays={THU: "Thanksgiving Day"})),
        {("members/M-1", "2026-11-26"): Severity.MEDIUM},
    ),
    Case(
        "two days off of a week are two conflicts",
        _of(_off(WED), _off(THU), _WHOLE_WEEK),
        {_THURSDAY: Severity.HIGH, ("availability/M-1/2026-11-25", "2026-11-25"): Severity.HIGH},
    ),
    Case(
        "hours off on a Saturday without contract that is planned all the same",
        _of(_off(SAT, "4.00"), planned("M-1", "P-1", {SAT: "4.00"})),
        {("availability/M-1/2026-11-28", "2026-11-28"): Severity.HIGH},
    ),
    Case(
        "a day off two weeks ahead",
        _of(_off(THU + timedelta(weeks=2)), planned("M-1", "P-1", {THU + timedelta(weeks=2): "1.00"})),
        {("availability/M-1/2026-12-10", "2026-12-10"): Severity.HIGH},
    ),
    Case("time off on Thursday and an allocation from Monday to Wednesday", _of(_off(THU), _MONDAY_TO_WEDNESDAY)),
    Case("a partial day off that leaves room", _of(_off(THU, "4.00"), planned("M-1", "P-1", {THU: "4.00"}))),
    Case("time off that was declined", _of(_off(THU, status="declined"), _WHOLE_WEEK)),
    Case("time off that was cancelled", _of(_off(THU, status="cancelled"), _WHOLE_WEEK)),
    Case("overtime on a day without time off", _of(_off(THU), planned("M-1", "P-1", {WED: "10.00"}))),
    Case(
        "an entry that takes no hours off",
        _of(_off(THU, "0.00"), planned("M-1", "P-1", {THU: "10.00"})),
    ),
    Case(
        "hours on a weekday that is none of a part-time contract",
        _of(_off(MON, "6.00", "M-2"), planned("M-2", "P-1", {THU: "6.00"})),
    ),
    Case("the same weekday off in another week", _of(_off(THU + timedelta(weeks=1)), _WHOLE_WEEK)),
    Case("a colleague's day off", _of(_off(THU, member="M-2"), _WHOLE_WEEK)),
    Case("an allocation of no hours on the day off", _of(_off(THU), planned("M-1", "P-1", {THU: "0.00"}))),
    Case(
        "a member far west whose Thursday has not ended while Friday, the day off, has begun in UTC",
        _of(_off(FRI), planned("M-1", "P-1", {THU: "8.00"}), as_of=datetime(2026, 11, 27, 5, tzinfo=UTC)),
    ),
)
