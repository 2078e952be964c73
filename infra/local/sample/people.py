"""The synthetic programme: members, projects, workers, allocations, requests.

Belongs here: who exists in the sample and what was planned, drawn from one seed. Every name says that it is
synthetic, and every id starts with `syn-`. Does not belong here: what they did (activity.py), what was recorded
about it (records.py) and storing it (load.py).
"""

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from infra.local.sample.records import Records, synthetic_records
from prism_core.availability import contracted
from prism_core.calendar import Week, WeekRange
from prism_core.models.people import Availability, AvailabilityStatus, Member, ReasonCode, Skill, Weekday
from prism_core.models.projects import LabelingJob, Project, ProjectStatus, Request, RequestStatus
from prism_core.models.reports import Recipient, ReportKind, Subscription
from prism_core.models.work import Allocation
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus, worker_key

MEMBERS, PROJECTS = 79, 88
UNRESOLVED_WORKERS, UNMAPPED_JOBS = 3, 1
POOL = "us-east-1_SyntheticPool"
PROJECTS_A_MEMBER = (1, 2, 2, 3)
WEEKLY_HOURS = (12, 20, 24, 32)
SKILLS = ("image-boxes", "image-masks", "text-spans", "video-events", "audio-transcripts", "ranking")
# Where they live, by time zone: it decides their public holidays.
LOCATIONS = {
    "Europe/Madrid": "ES-MD",
    "Europe/London": "GB-ENG",
    "America/New_York": "US-NY",
    "Asia/Manila": "PH",
    "Asia/Kolkata": "IN-MH",
}
TEAMS = ("syn-team-north", "syn-team-east", "syn-team-south", "syn-team-west")
REQUESTS, WEEKS_AHEAD = 15, 3
_NAMESPACE = uuid.UUID("8c5f3f0e-6f0b-4c39-9a57-8d5b0f0d1a11")


@dataclass(frozen=True, slots=True)
class Programme:
    """Everything of the sample that a person could have typed in."""

    members: list[Member]
    projects: list[Project]
    workers: list[Worker]
    allocations: list[Allocation]
    availability: list[Availability]
    requests: list[Request]
    recipients: list[Recipient]
    records: Records


def synthetic_programme(weeks: WeekRange, seed: int) -> Programme:
    """The same programme for the same weeks and seed."""
    rng = random.Random(seed)
    members = [_member(rng, number) for number in range(1, MEMBERS + 1)]
    projects = [_project(rng, number, weeks) for number in range(1, PROJECTS + 1)]
    workers = [_worker(member, weeks) for member in members]
    asked_for = WeekRange(weeks.first, weeks.last + WEEKS_AHEAD)
    availability = [entry for week in asked_for for entry in _time_off(rng, members, week, weeks.last)]
    off = {(entry.member_id, entry.date) for entry in availability if entry.status is AvailabilityStatus.APPROVED}
    allocations = _allocations(rng, members, projects, weeks, off)
    requests = [_request(rng, number, projects, weeks) for number in range(1, REQUESTS + 1)]
    records = synthetic_records(weeks, seed, members, projects, allocations)
    return Programme(
        members, projects, workers, allocations, availability, requests, _recipients(projects), records
    )


def job_of(project: Project) -> str:
    """The labelling job that the sample's activity names for a project."""
    return f"synthetic-{project.project_id}-batch-1"


def subject(kind: str, number: int) -> str:
    """A stable UUID for a synthetic Cognito user."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}-{number}"))


def _member(rng: random.Random, number: int) -> Member:
    hours = Decimal(rng.choice(WEEKLY_HOURS)) / 4
    days = list(Weekday)[:5]
    free = rng.choice(days)
    chosen = rng.sample(SKILLS, rng.randint(2, 4))
    zone = rng.choice(list(LOCATIONS))
    return Member(
        member_id=f"syn-m-{number:03d}",
        name=f"Synthetic Member {number:03d}",
        email=f"synthetic.member.{number:03d}@example.com",
        skills=tuple(Skill(name=name, level=rng.randint(1, 5)) for name in sorted(chosen)),
        hours={day: hours for day in days if day is not free},
        time_zone=zone,
        team=TEAMS[number % len(TEAMS)],
        location=LOCATIONS[zone],
        cognito_sub=subject("member", number),
        overtime_hours=Decimal("4.00") if number % 5 == 0 else Decimal("0.00"),
    )


def _project(rng: random.Random, number: int, weeks: WeekRange) -> Project:
    skill = rng.choice(SKILLS)
    project_id = f"syn-p-{number:03d}"
    return Project(
        project_id=project_id,
        name=f"Synthetic Project {number:03d} ({skill})",
        category=f"raw-{skill}-{number % 7}",
        status=ProjectStatus.ACTIVE,
        priority=rng.choice((1, 2, 3, 3, 4, 5)),
        demand_hours=Decimal(rng.randint(8, 40)),
        quality_target=Decimal(rng.choice(("0.90", "0.95", "0.98"))),
        sla_date=(weeks.last + rng.randint(1, 12)).sunday,
        skills=(Skill(name=skill, level=rng.randint(1, 3)),),
        min_people=1,
        max_people=rng.randint(2, 6),
        min_block_hours=Decimal("1.00"),
        labeling_jobs=(LabelingJob(job=f"synthetic-{project_id}-*", valid_from=weeks.first.monday),),
    )


def _worker(member: Member, weeks: WeekRange) -> Worker:
    return Worker(
        worker_key=worker_key(pool=POOL, sub=member.cognito_sub),
        pool=POOL,
        sub=member.cognito_sub,
        status=WorkerStatus.RESOLVED,
        periods=(WorkerPeriod(member=member.member_id, from_=weeks.first.monday),),
        first_seen=weeks.first.start,
        last_seen=weeks.last.start,
    )


def _time_off(rng: random.Random, members: list[Member], week: Week, running: Week) -> list[Availability]:
    """Five whole days off, approved, and one entry of each other status; ahead, some still wait for an answer."""
    waiting = AvailabilityStatus.REQUESTED if week > running else AvailabilityStatus.DECLINED
    others = (waiting, AvailabilityStatus.DECLINED, AvailabilityStatus.CANCELLED)
    if week == running:
        others = (AvailabilityStatus.REQUESTED, *others)
    statuses = (*[AvailabilityStatus.APPROVED] * 5, *others)
    chosen = rng.sample(members, len(statuses))
    return [_entry(rng, *pair, week, running) for pair in zip(chosen, statuses, strict=True)]


def _entry(
    rng: random.Random, member: Member, status: AvailabilityStatus, week: Week, running: Week
) -> Availability:
    day = rng.choice([day for day in week.days if contracted(member, day)])
    created = min(week.start - timedelta(days=20), running.start - timedelta(days=2))
    decided = None if status is AvailabilityStatus.REQUESTED else created + timedelta(days=1)
    return Availability(
        member_id=member.member_id,
        date=day,
        hours_off=contracted(member, day),
        code=rng.choice((ReasonCode.VACATION, ReasonCode.HOLIDAY, ReasonCode.TRAINING)),
        reason="synthetic",
        status=status,
        created=created,
        decided=decided,
        decided_by=None if decided is None else "syn-m-002",
        answer="synthetic: too many are away" if status is AvailabilityStatus.DECLINED else None,
    )


def _allocations(
    rng: random.Random,
    members: list[Member],
    projects: list[Project],
    weeks: WeekRange,
    off: set[tuple[str, date]],
) -> list[Allocation]:
    found: list[Allocation] = []
    home = {member.member_id: rng.sample(projects, rng.choice(PROJECTS_A_MEMBER)) for member in members}
    names = dict(zip(range(1, 8), Weekday, strict=True))
    for week in weeks:
        for member in members:
            if rng.random() < 0.1:  # people move to other projects now and then
                home[member.member_id] = rng.sample(projects, rng.choice(PROJECTS_A_MEMBER))
            mine = home[member.member_id]
            for project in mine:
                hours = {
                    day: (contracted / len(mine)).quantize(Decimal("0.01"))
                    for day in week.days
                    if (contracted := member.hours.get(names[day.isoweekday()])) is not None
                    and (member.member_id, day) not in off
                }
                if hours:
                    allocation = Allocation(
                        member_id=member.member_id, week=week, project_id=project.project_id, hours=hours
                    )
                    found.append(allocation)
    return found


def _recipients(projects: list[Project]) -> list[Recipient]:
    """Who reads the digests of alerts (a coordinator everything, two leads what is theirs), and the reports."""
    daily, weekly = ReportKind.ALERTS_DAILY, ReportKind.ALERTS_WEEKLY
    campaign, operations = Subscription(report=ReportKind.CAMPAIGN), Subscription(report=ReportKind.OPERATIONS)
    first = tuple(project.project_id for project in projects[:10])
    wanted = {
        "coordinator": (Subscription(report=daily), Subscription(report=weekly)),
        "lead-north": (Subscription(report=daily, teams=(TEAMS[0],)),),
        "lead-projects": (Subscription(report=daily, projects=first),),
        "leadership": (campaign, operations),
        "marketing": (campaign,),
        "digital": (campaign,),
    }
    return [
        Recipient(
            recipient_id=f"syn-r-{name}",
            name=f"Synthetic {name.replace('-', ' ').capitalize()}",
            email=f"synthetic.{name}@example.com",
            time_zone="America/New_York" if name == "digital" else "Europe/Madrid",
            subscriptions=subscriptions,
        )
        for name, subscriptions in wanted.items()
    ]


def _request(rng: random.Random, number: int, projects: list[Project], weeks: WeekRange) -> Request:
    """Each status in turn. The first of each was due in the week before: what still waits of these is late."""
    status = list(RequestStatus)[number % len(RequestStatus)]
    created = datetime.combine(weeks.last.monday - timedelta(days=10 + number), time(9), UTC)
    due_in_weeks = -1 if number <= len(RequestStatus) else rng.randint(0, 3)
    decided = status in {RequestStatus.APPROVED, RequestStatus.DECLINED, RequestStatus.FULFILLED}
    return Request(
        request_id=f"syn-r-{number:03d}",
        status=status,
        due_date=(weeks.last + due_in_weeks).days[4],
        hours=Decimal(rng.randint(5, 60)),
        project_id=rng.choice(projects).project_id,
        requester="Synthetic Requester",
        reason="synthetic request for capacity",
        created=created,
        triaged=None if status is RequestStatus.SUBMITTED else created + timedelta(hours=4),
        decided=created + timedelta(days=1) if decided else None,
        decided_by="syn-m-002" if decided else None,
        decision="synthetic decision" if decided else None,
        fulfilled=created + timedelta(days=4) if status is RequestStatus.FULFILLED else None,
    )
