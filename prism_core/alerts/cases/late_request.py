"""Cases of the rule about late requests.

Belongs here: snapshots with requests that are late, cannot be met, or are in time. Does not belong here: the rule
(rules/late_request.py).
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from prism_core.alerts.cases.case import (
    ENDED,
    FRI,
    FULL_TIME,
    MON,
    TUE,
    WEEK,
    Case,
    members,
    projects,
    snapshot,
    work,
    worked,
)
from prism_core.alerts.snapshot import AlertSnapshot, MemberState, ProjectState, RequestState, TimeOff, Worked
from prism_core.alerts.thresholds import ProjectLimits
from prism_core.models.people import AvailabilityStatus
from prism_core.models.projects import RequestStatus
from prism_core.models.work import Severity

_ANA: Final = MemberState("M-1", FULL_TIME, {"boxes": 3})
_BOB: Final = MemberState("M-2", FULL_TIME, {"audio": 5})
_LAST_FRIDAY: Final = ENDED.days[4]
_WEDNESDAY_BEFORE: Final = date(2026, 11, 18)


def _of(
    status: str,
    due: date,
    hours: str = "10.00",
    *rows: Worked,
    time_off: tuple[TimeOff, ...] = (),
    limits: ProjectLimits | None = None,
    level: int = 2,
) -> AlertSnapshot:
    request = RequestState(
        "R-1",
        RequestStatus(status),
        due,
        Decimal(hours),
        {"boxes": level},
        "P-1",
        datetime(2026, 11, 16, 9, tzinfo=UTC) if status == "approved" else None,
    )
    found = work(*rows)
    return snapshot(
        requests=(request,),
        members=members(_ANA, _BOB),
        projects=projects(ProjectState("P-1", limits=limits)),
        time_off={WEEK: time_off},
        work={week: found.get(week) or work(worked("M-1", "P-2", MON, "0.00"))[WEEK] for week in (ENDED, WEEK)},
    )


def _about(due: date) -> tuple[str, str]:
    return "requests/R-1", due.isoformat()


CASES: Final = (
    Case("due last Friday and not triaged", _of("submitted", _LAST_FRIDAY), {_about(_LAST_FRIDAY): Severity.HIGH}),
    Case(
        "due yesterday and not fulfilled",
        _of("approved", ENDED.sunday),
        {_about(ENDED.sunday): Severity.MEDIUM},
    ),
    Case(
        "due last week, not decided", _of("triaged", _WEDNESDAY_BEFORE), {_about(_WEDNESDAY_BEFORE): Severity.HIGH}
    ),
    Case(
        "approved, with more hours than the people with the skill have until then",
        _of("approved", TUE, "17.00"),
        {_about(TUE): Severity.HIGH},
    ),
    Case(
        "submitted, and time off takes the hours that it needs",
        _of("submitted", TUE, "13.00", time_off=(TimeOff("M-1", TUE, Decimal("4.00")),)),
        {_about(TUE): Severity.MEDIUM},
    ),
    Case(
        "nobody has the skill at the level", _of("triaged", FRI, "1.00", level=4), {_about(FRI): Severity.MEDIUM}
    ),
    Case("due today", _of("submitted", MON, "8.00")),
    Case("late, and declined", _of("declined", _LAST_FRIDAY)),
    Case("late, and fulfilled", _of("fulfilled", _LAST_FRIDAY)),
    Case("hours that just fit", _of("approved", TUE, "16.00")),
    Case(
        "approved, most of it done since",
        _of("approved", TUE, "20.00", worked("M-1", "P-1", _WEDNESDAY_BEFORE, "6.00")),
    ),
    Case(
        "time off that is only asked for takes no hours",
        _of(
            "submitted",
            TUE,
            "13.00",
            time_off=(TimeOff("M-1", TUE, Decimal("4.00"), AvailabilityStatus.REQUESTED),),
        ),
    ),
    Case(
        "late by less than the project lets pass",
        _of("submitted", _LAST_FRIDAY, limits=ProjectLimits(late_request_days=3)),
    ),
)
