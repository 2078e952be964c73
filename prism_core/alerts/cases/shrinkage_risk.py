"""Cases of the rule about planned hours without work.

Belongs here: snapshots of an ended week and its work. Does not belong here: the rule (rules/shrinkage_risk.py).
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from prism_core.alerts.cases.case import ENDED, FULL_TIME, Case, members, planned, projects, snapshot, work, worked
from prism_core.alerts.snapshot import AlertSnapshot, MemberState, Planned, ProjectState, TimeOff, Worked
from prism_core.alerts.thresholds import ProjectLimits
from prism_core.calendar import Week
from prism_core.models.people import AvailabilityStatus
from prism_core.models.work import Severity

_MON, _TUE, _WED, _THU, _FRI = ENDED.days[:5]
_WEEK_OF_EIGHTS: Final = dict.fromkeys((_MON, _TUE, _WED, _THU, _FRI), "8.00")
_ANA: Final = ("members/M-1", ENDED.label)


def _of(
    plan: Mapping[date, str],
    work_by_day: Mapping[date, str],
    *rows: Worked | TimeOff | Planned,
    limits: ProjectLimits | None = None,
    with_data: tuple[date, ...] = tuple(_WEEK_OF_EIGHTS),
) -> AlertSnapshot:
    """M-1 is planned on P-1; M-2 works a little on every day that has data."""
    done = [worked("M-1", "P-1", day, hours) for day, hours in work_by_day.items()]
    colleague = [worked("M-2", "P-2", day, "1.00") for day in with_data]
    plans = [planned("M-1", "P-1", plan), *(row for row in rows if isinstance(row, Planned))]
    return snapshot(
        members=members(MemberState("M-1", FULL_TIME), MemberState("M-2", FULL_TIME)),
        projects=projects(ProjectState("P-1", limits=limits), ProjectState("P-2")),
        planned={week: tuple(one for one in plans if one.week == week) for week in (ENDED, ENDED + 1)},
        time_off={ENDED: tuple(row for row in rows if isinstance(row, TimeOff))},
        work=work(*done, *colleague, *(row for row in rows if isinstance(row, Worked))),
    )


def _off(day: date, hours: str = "8.00", status: str = "approved") -> TimeOff:
    return TimeOff("M-1", day, Decimal(hours), AvailabilityStatus(status))


_NO_FRIDAY: Final = dict.fromkeys((_MON, _TUE, _WED, _THU), "6.00")
_ALSO_PLANNED: Final = tuple(planned(f"M-{number}", "P-2", {_FRI: "8.00"}) for number in (3, 4))
_NEXT: Final = Week.of(_MON) + 1

CASES: Final = (
    Case(
        "half of the planned hours worked",
        _of(_WEEK_OF_EIGHTS, {_MON: "8.00", _TUE: "8.00", _WED: "4.00"}),
        {_ANA: Severity.MEDIUM},
    ),
    Case("nothing worked of a planned week", _of(_WEEK_OF_EIGHTS, {}), {_ANA: Severity.HIGH}),
    Case(
        "time off that was only asked for excuses nothing",
        _of(_WEEK_OF_EIGHTS, {_MON: "8.00", _TUE: "8.00", _WED: "8.00"}, _off(_THU, status="requested")),
        {_ANA: Severity.MEDIUM},
    ),
    Case(
        "a project that allows less",
        _of(
            _WEEK_OF_EIGHTS,
            dict.fromkeys(_WEEK_OF_EIGHTS, "6.40"),
            limits=ProjectLimits(shrinkage_limit=Decimal("0.10")),
        ),
        {_ANA: Severity.MEDIUM},
    ),
    Case("within what is allowed", _of(_WEEK_OF_EIGHTS, dict.fromkeys(_WEEK_OF_EIGHTS, "6.00"))),
    Case(
        "time off of two days that were planned",
        _of(_WEEK_OF_EIGHTS, {_MON: "7.00", _TUE: "7.00", _WED: "7.00"}, _off(_THU), _off(_FRI)),
    ),
    Case(
        "a partial day off",
        _of({_MON: "8.00", _TUE: "8.00"}, {_MON: "3.50", _TUE: "6.50"}, _off(_MON, "4.00")),
    ),
    Case(
        "worked on another project than planned",
        _of(_WEEK_OF_EIGHTS, {}, *(worked("M-1", "P-2", day, "7.00") for day in _WEEK_OF_EIGHTS)),
    ),
    Case(
        "an unresolved worker on the project may be the member",
        _of(_WEEK_OF_EIGHTS, {_MON: "8.00"}, worked("worker:w-1", "P-1", _TUE, "24.00")),
    ),
    Case(
        "an unresolved worker on another project explains nothing",
        _of(_WEEK_OF_EIGHTS, {_MON: "8.00"}, worked("worker:w-1", "P-2", _TUE, "24.00")),
        {_ANA: Severity.HIGH},
    ),
    Case(
        "a labelling job of no project may be the member's",
        _of(_WEEK_OF_EIGHTS, {_MON: "8.00"}, worked("worker:w-1", "job:new", _TUE, "24.00")),
    ),
    Case(
        "a labelling job of no project is nobody else's when a colleague did it",
        _of(_WEEK_OF_EIGHTS, {_MON: "8.00"}, worked("M-2", "job:new", _TUE, "24.00")),
        {_ANA: Severity.HIGH},
    ),
    Case("too few planned hours to say anything", _of({_MON: "4.00"}, {})),
    Case(
        "a running week is not judged",
        _of(dict.fromkeys(_WEEK_OF_EIGHTS, "1.00"), {}, planned("M-1", "P-1", {_NEXT.monday: "8.00"})),
    ),
    Case(
        "a day on which nobody worked has no data",
        _of(_WEEK_OF_EIGHTS, _NO_FRIDAY, *_ALSO_PLANNED, with_data=tuple(_NO_FRIDAY)),
    ),
)
