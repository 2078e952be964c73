"""Cases of the rule about demand that people cannot serve.

Belongs here: snapshots of a week ahead, its demand and its people. Does not belong here: the rule
(rules/capacity_risk.py).
"""

from decimal import Decimal
from typing import Final

from prism_core.alerts.cases.case import FULL_TIME, WEEK, Case, members, snapshot
from prism_core.alerts.snapshot import AlertSnapshot, MemberState, TimeOff
from prism_core.calendar import Week
from prism_core.capacity.problem import DemandLine
from prism_core.models.work import Severity

_NEXT: Final = WEEK + 1
_ANA: Final = MemberState("M-1", FULL_TIME, {"boxes": 3})
_BOB: Final = MemberState("M-2", FULL_TIME, {"audio": 5})
_GONE: Final = MemberState("M-3", FULL_TIME, {"boxes": 5}, active=False)


def _line(hours: str, skill: str | None = None, level: int = 1, project: str = "P-1") -> DemandLine:
    return DemandLine(f"{project}:{skill}", project, Decimal(hours), {} if skill is None else {skill: level})


def _of(*lines: DemandLine, time_off: tuple[TimeOff, ...] = (), week: Week = _NEXT) -> AlertSnapshot:
    return snapshot(members=members(_ANA, _BOB, _GONE), demand={week: lines}, time_off={week: time_off, WEEK: ()})


def _off(*days: int) -> tuple[TimeOff, ...]:
    return tuple(TimeOff("M-1", _NEXT.days[number], Decimal("8.00")) for number in days)


CASES: Final = (
    Case(
        "more demand of a skill than its people have hours",
        _of(_line("60.00", "boxes")),
        {("capacity/boxes", _NEXT.label): Severity.HIGH},
    ),
    Case(
        "more demand than all people have hours", _of(_line("90.00")), {("capacity", _NEXT.label): Severity.MEDIUM}
    ),
    Case(
        "time off takes what the skill needs",
        _of(_line("36.00", "boxes"), time_off=_off(3, 4)),
        {("capacity/boxes", _NEXT.label): Severity.HIGH},
    ),
    Case(
        "a level that nobody has",
        _of(_line("10.00", "boxes", 4), _line("10.00", "boxes", 1)),
        {("capacity/boxes", _NEXT.label): Severity.HIGH},
    ),
    Case(
        "a skill that nobody has",
        _of(_line("20.00", "ranking")),
        {("capacity/ranking", _NEXT.label): Severity.HIGH},
    ),
    Case("demand that just fits", _of(_line("40.00", "boxes"), _line("40.00", "audio"))),
    Case("a shortage of few hours", _of(_line("47.00", "boxes"))),
    Case("time off that leaves enough", _of(_line("24.00", "boxes"), time_off=_off(3, 4))),
    Case("the running week is not ahead", _of(_line("90.00"), week=WEEK)),
    Case("a week without demand", _of()),
)
