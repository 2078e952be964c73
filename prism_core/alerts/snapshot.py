"""What the rules look at: the programme as it was known at one instant.

Belongs here: the rows of a snapshot, by week where they belong to one; demand has the lines of the plan. Does not
belong here: reading them (prism_resources) and judging them (rules/).
No name, address or reason is in it: evidence is kept and mailed. Days are calendar dates of the member or of the
record, never instants. A week that is missing from a mapping was not read, so nothing is said of it; an empty one
was read. A week is indexed once and shared by all the snapshots in whose window it lies.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from prism_core.alerts.thresholds import ProjectLimits, Thresholds
from prism_core.calendar import Week, WeekRange
from prism_core.capacity.problem import DemandLine
from prism_core.failures import BadUsage
from prism_core.models.people import AvailabilityStatus
from prism_core.models.projects import ProjectStatus, RequestStatus
from prism_core.models.workers import JOB_PREFIX, WorkerStatus
from prism_core.quality_subjects import WORKER_PREFIX

NO_HOURS: Final = Decimal("0.00")
NO_WEEK: Final = (NO_HOURS,) * 7
# How far back the longest look goes: the trend of throughput.
HISTORY_WEEKS: Final = 8
_SECONDS: Final = Decimal(3600)

Skills = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MemberState:
    """A member. `hours` are the contracted ones, Monday first; `holidays` the public ones of the location."""

    member_id: str
    hours: tuple[Decimal, ...] = NO_WEEK
    skills: Skills = field(default_factory=dict[str, int])
    active: bool = True
    team: str | None = None
    holidays: Mapping[date, str] = field(default_factory=dict[date, str])

    def contracted(self, day: date) -> Decimal:
        """Hours by contract on a day; a public holiday does not lessen them."""
        return self.hours[day.weekday()]


@dataclass(frozen=True, slots=True)
class ProjectState:
    """A project. `asked` are the hours of demand of each ended week of the window, while it was active."""

    project_id: str
    status: ProjectStatus = ProjectStatus.ACTIVE
    demand_hours: Decimal = NO_HOURS
    quality_target: Decimal | None = None
    sla_date: date | None = None
    asked: Mapping[Week, Decimal] = field(default_factory=dict[Week, Decimal])
    limits: ProjectLimits | None = None


@dataclass(frozen=True, slots=True)
class TimeOff:
    """Hours that a member is away, or asks to be, on one date."""

    member_id: str
    day: date
    hours_off: Decimal
    status: AvailabilityStatus = AvailabilityStatus.APPROVED


@dataclass(frozen=True, slots=True)
class Planned:
    """A member's hours by date on a project in a week."""

    member_id: str
    week: Week
    project_id: str
    hours: Mapping[date, Decimal]


@dataclass(frozen=True, slots=True)
class RequestState:
    """A request for capacity by the end of its due date in UTC; `decided` is when it was approved."""

    request_id: str
    status: RequestStatus
    due_date: date
    hours: Decimal
    skills: Skills = field(default_factory=dict[str, int])
    project_id: str | None = None
    decided: datetime | None = None


@dataclass(frozen=True, slots=True)
class WorkerState:
    """An identity in the labelling tool, or a labelling job (`job:<name>`). Periods: a day, and the one after."""

    worker_key: str
    status: WorkerStatus
    first_seen: datetime | None = None
    periods: tuple[tuple[date, date | None], ...] = ()

    def settled_on(self, day: date) -> bool:
        """Whether nobody has to say whose it was on a day. A job is as its status says: patterns resolve it."""
        if self.status is not WorkerStatus.RESOLVED or self.worker_key.startswith(JOB_PREFIX):
            return self.status is not WorkerStatus.UNRESOLVED
        return any(first <= day and (end is None or day < end) for first, end in self.periods)


@dataclass(frozen=True, slots=True)
class Worked:
    """What was done under one name for one project on one UTC day; names as in the lake's `throughput`."""

    project_id: str
    member_id: str
    day: date
    tasks: int
    wall_seconds: int


@dataclass(frozen=True, slots=True)
class WorkWeek:
    """The work of a week in hours on the wall clock: by project, by member and day; tasks of names nobody owns.

    `open_hours` are those of workers that are nobody's, by project (`job:<name>` for a job that is of no project),
    `open_tasks` the tasks of a name by day and project.
    """

    hours_by_project: Mapping[str, Decimal]
    hours_by_day: Mapping[str, Mapping[date, Decimal]]
    project_hours_by_day: Mapping[str, Mapping[date, Decimal]]
    open_hours: Mapping[str, Decimal]
    open_tasks: Mapping[str, Mapping[date, Mapping[str, int]]]

    @classmethod
    def of(cls, rows: Iterable[Worked]) -> "WorkWeek":
        """Each row once."""
        by_member, by_project = _by_day(), _by_day()
        open_seconds = defaultdict[str, int](int)
        tasks: defaultdict[str, defaultdict[date, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        for row in rows:
            by_member[row.member_id][row.day] += row.wall_seconds
            by_project[row.project_id][row.day] += row.wall_seconds
            if is_open(row.member_id):
                open_seconds[row.project_id] += row.wall_seconds
            for name in filter(is_open, (row.member_id, row.project_id)):
                of_day = tasks[name][row.day]
                of_day[row.project_id] = of_day.get(row.project_id, 0) + row.tasks
        project_days = {name: _hours(days) for name, days in by_project.items()}
        return cls(
            {name: sum(days.values(), NO_HOURS) for name, days in project_days.items()},
            {name: _hours(days) for name, days in by_member.items()},
            project_days,
            {name: seconds / _SECONDS for name, seconds in open_seconds.items()},
            dict(tasks),
        )


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What was reviewed of a member's work on a project in a week: pieces, and correct ones."""

    member_id: str
    project_id: str
    reviewed: int
    correct: int


@dataclass(frozen=True, slots=True)
class AlertSnapshot:
    """The programme as known at `as_of`, judged for `week`.

    `ended` is the last week whose facts are complete; facts are judged up to it, plans for `week` and those
    after it. Raises BadUsage when a time has no zone, or `ended` lies after `week`.
    """

    as_of: datetime
    week: Week
    ended: Week
    thresholds: Thresholds = field(default_factory=Thresholds)
    members: Mapping[str, MemberState] = field(default_factory=dict[str, MemberState])
    projects: Mapping[str, ProjectState] = field(default_factory=dict[str, ProjectState])
    requests: tuple[RequestState, ...] = ()
    workers: Mapping[str, WorkerState] = field(default_factory=dict[str, WorkerState])
    time_off: Mapping[Week, tuple[TimeOff, ...]] = field(default_factory=dict[Week, tuple[TimeOff, ...]])
    planned: Mapping[Week, tuple[Planned, ...]] = field(default_factory=dict[Week, tuple[Planned, ...]])
    demand: Mapping[Week, tuple[DemandLine, ...]] = field(default_factory=dict[Week, tuple[DemandLine, ...]])
    work: Mapping[Week, WorkWeek] = field(default_factory=dict[Week, WorkWeek])
    quality: Mapping[Week, tuple[Reviewed, ...]] = field(default_factory=dict[Week, tuple[Reviewed, ...]])

    def __post_init__(self) -> None:
        if self.as_of.tzinfo is None:
            raise BadUsage(f"the snapshot of {self.week} is as of {self.as_of}, which has no time zone")
        if self.ended > self.week:
            raise BadUsage(f"{self.ended} cannot have ended when {self.week} is judged")

    @property
    def plans(self) -> WeekRange:
        """The weeks whose plan is judged: `week` and those ahead of it."""
        return WeekRange(self.week, self.week + self.thresholds.ahead_weeks)

    def limits(self, project_id: str | None) -> Thresholds:
        """The thresholds for a project."""
        project = None if project_id is None else self.projects.get(project_id)
        return self.thresholds if project is None else self.thresholds.of(project.limits)


def ended_by(week: Week, as_of: datetime, grace: timedelta) -> Week:
    """The last week up to `week` that had ended, for at least `grace`, at an instant."""
    last = Week.of(as_of - grace) + -1
    return min(week, last)


def is_open(name: str) -> bool:
    """Whether a name of `throughput` is nobody's: `worker:<key>` or `job:<name>`."""
    return name.startswith((WORKER_PREFIX, JOB_PREFIX))


def _by_day() -> defaultdict[str, defaultdict[date, int]]:
    return defaultdict(lambda: defaultdict(int))


def _hours(seconds: Mapping[date, int]) -> dict[date, Decimal]:
    return {day: amount / _SECONDS for day, amount in seconds.items()}
