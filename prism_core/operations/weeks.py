"""What a week of the programme came to: tasks, hours, reviewed work, alerts.

Belongs here: adding up the rows of the lake and the alerts of a week. Does not belong here: reading them (assets),
comparing weeks and writing figures down (figures.py).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from prism_core.calendar import Week
from prism_core.campaign.metrics import Parts
from prism_core.models.alerts import Alert, AlertRule, AlertStatus
from prism_core.models.work import Severity

URGENT: Final = frozenset({Severity.HIGH, Severity.CRITICAL})
_HOUR: Final = Decimal(3600)
_ONE: Final = Decimal(1)
Rows = Iterable[Mapping[str, Any]]


class Measure(StrEnum):
    """The figures of a week that are compared with the weeks before."""

    TASKS = "tasks"
    ACCURACY = "accuracy"
    WORKED_SHARE = "worked_share"
    NEW_ALERTS = "new_alerts"


@dataclass(frozen=True, slots=True)
class Work:
    """What was done and reviewed: tasks that were handed in, wall seconds of them, pieces reviewed and correct."""

    tasks: int = 0
    wall_seconds: int = 0
    reviewed: int = 0
    correct: int = 0

    @property
    def hours(self) -> Decimal:
        return self.wall_seconds / _HOUR

    def plus(self, more: "Work") -> "Work":
        return Work(
            self.tasks + more.tasks,
            self.wall_seconds + more.wall_seconds,
            self.reviewed + more.reviewed,
            self.correct + more.correct,
        )


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of members: by contract minus time off, allocated, and worked."""

    available: Decimal
    allocated: Decimal
    worked: Decimal


@dataclass(frozen=True, slots=True)
class OpsWeek:
    """One week. `hours` and what was reviewed (`quality`) are not known where they were not computed.

    `unresolved`: tasks of workers or labelling jobs that nobody has resolved; they are in the sums. `urgent`: open
    alerts that are high or critical. `read_until`: when the log of activity was last read; None where files feed
    the week, of which nobody knows whether there are more. `newest`: the last day with work.
    """

    week: Week
    projects: Mapping[str, Work]
    people: int
    unresolved: int
    hours: Hours | None
    quality: bool
    new_alerts: Mapping[AlertRule, int] = field(default_factory=dict[AlertRule, int])
    open_alerts: Mapping[AlertRule, int] = field(default_factory=dict[AlertRule, int])
    urgent: int = 0
    read_until: datetime | None = None
    newest: date | None = None

    @property
    def whole(self) -> bool:
        """Whether activity was read to the end: part of a week is no smaller one."""
        return self.read_until is None or self.read_until >= self.week.end

    @property
    def work(self) -> Work:
        total = Work()
        for one in self.projects.values():
            total = total.plus(one)
        return total

    def parts(self, measure: Measure) -> Parts | None:
        """A measure as numerator and denominator; None where it is not known, or not of the whole week."""
        work = self.work
        if not self.whole and measure in {Measure.TASKS, Measure.WORKED_SHARE}:
            return None
        match measure:
            case Measure.TASKS:
                return Parts(Decimal(work.tasks), _ONE, work.tasks)
            case Measure.NEW_ALERTS:
                new = sum(self.new_alerts.values())
                return Parts(Decimal(new), _ONE, new)
            case Measure.ACCURACY:
                if not self.quality or not work.reviewed:
                    return None
                return Parts(Decimal(work.correct), Decimal(work.reviewed), _events(work))
            case Measure.WORKED_SHARE:
                if self.hours is None or not self.hours.allocated:
                    return None
                return Parts(self.hours.worked, self.hours.allocated, None)


def ops_week(
    week: Week,
    throughput: Rows,
    quality: Rows | None,
    utilisation: Rows | None,
    alerts: Iterable[Alert],
    read_until: datetime | None = None,
) -> OpsWeek:
    """A week from the rows of the lake; None of quality or utilisation: they were not computed."""
    work: defaultdict[str, Work] = defaultdict(Work)
    people, unresolved, days = set[str](), 0, set[date]()
    for row in throughput:
        done = Work(row["tasks_submitted"], row["wall_seconds"])
        work[row["project_id"]] = work[row["project_id"]].plus(done)
        days |= {row["day"]} if done.tasks else set()
        people |= {row["member_id"]} if done.tasks and row["worker_resolved"] else set()
        unresolved += 0 if row["worker_resolved"] and row["project_resolved"] else done.tasks
    for row in quality or ():
        reviewed = Work(reviewed=row["reviewed"], correct=row["correct"])
        work[row["project_id"]] = work[row["project_id"]].plus(reviewed)
    found = list(alerts)
    still_open = [one for one in found if _is_open(one, week.end)]
    return OpsWeek(
        week,
        dict(work),
        len(people),
        unresolved,
        None if utilisation is None else _hours(utilisation),
        quality is not None,
        Counter(one.rule for one in found if one.first_seen in week),
        Counter(one.rule for one in still_open),
        sum(one.severity in URGENT for one in still_open),
        read_until,
        max(days, default=None),
    )


def _hours(rows: Rows) -> Hours:
    def total(name: str) -> Decimal:
        return sum((Decimal(str(row[name])) for row in found), Decimal(0))

    found = list(rows)
    return Hours(total("available_hours"), total("allocated_hours"), total("worked_hours"))


def _is_open(alert: Alert, at: datetime) -> bool:
    """One that came back later counts as mended then: when it was open before, nobody keeps."""
    began = alert.first_seen if alert.opened is None else alert.opened
    over = alert.status is AlertStatus.RESOLVED and alert.resolved is not None and alert.resolved <= at
    return began < at and not over


def _events(work: Work) -> int:
    """Independent events that a share is as noisy as: the nearer it is to 1, the less chance moves it."""
    wrong = max(work.reviewed - work.correct, 1)
    return work.reviewed * max(work.correct, 1) // wrong
