"""Weeks to plan, made from a seed: the instances of the capacity benchmark.

Belongs here: the generator. Does not belong here: the contenders (capacity.py, peers/capacity.py).
Skills are so many that a member may work on about fifteen projects, whatever the size; demand is a tenth above
supply, one member in six has a day off, two thirds worked on something last week that still runs. With limits half
of the projects want two to four people or none, and a third of the members may have any number of projects.
"""

import random
from datetime import timedelta
from decimal import Decimal

from prism_core.calendar import Week
from prism_core.capacity.problem import DemandLine, Level, PlanMember, PlanProblem, PlanProject

WEEK = Week.parse("2026-W48")
SEED = 2026
ELIGIBLE = 15
_SKILLS_A_MEMBER = 3


def instance(
    members: int,
    projects: int,
    *,
    limits: bool = False,
    level: Level = Level.AUTO,
    eligible: int = ELIGIBLE,
    seed: int = SEED,
) -> PlanProblem:
    """A week of so many members and projects, always the same one of a seed."""
    rng = random.Random(seed)
    skills = max(1, round(projects * _SKILLS_A_MEMBER / eligible))
    names = [f"skill-{number:04d}" for number in range(skills)]
    a_project = max(1, round(members / projects))
    made = [_project(number, names, rng, people=a_project if limits else 0) for number in range(projects)]
    people = [_member(number, names, rng, limits=limits) for number in range(members)]
    supply = sum((sum(member.hours.values(), Decimal(0)) for member in people), Decimal(0))
    shares = [rng.uniform(0.3, 1.7) for _ in made]
    scale = float(supply) * 1.1 / sum(shares)
    lines = [
        DemandLine(f"D-{project.project_id}", project.project_id, _quarters(share * scale), project.skills)
        for project, share in zip(made, shares, strict=True)
    ]
    quality, previous = {}, {}
    by_skill: dict[str, list[PlanProject]] = {}
    for project in made:
        by_skill.setdefault(next(iter(project.skills)), []).append(project)
    for member in people:
        can = [project for skill in member.skills for project in by_skill.get(skill, ())]
        for project in rng.sample(can, min(len(can), 6)):
            quality[member.member_id, project.project_id] = Decimal(rng.randrange(80, 100)) / 100
        if can and rng.random() < 2 / 3:
            previous[member.member_id, rng.choice(can).project_id] = Decimal(rng.randrange(8, 80)) / 2
    return PlanProblem(WEEK, people, made, lines, quality=quality, previous=previous, level=level)


def _project(number: int, skills: list[str], rng: random.Random, *, people: int) -> PlanProject:
    sla = WEEK.monday + timedelta(days=rng.randrange(120)) if rng.random() < 1 / 2 else None
    fewest = rng.choice((0, 0, 0, 2, 3, 4)) if people else 0
    most = rng.choice((None, 3 * people, 5 * people)) if people else None
    return PlanProject(
        f"P-{number:05d}",
        priority=rng.choice((1, 2, 2, 3, 3, 3, 4, 5)),
        sla_date=sla,
        quality_target=Decimal(rng.choice((90, 95))) / 100,
        min_people=fewest,
        max_people=None if most is None else max(most, fewest),
        min_block_hours=rng.choice((Decimal(0), Decimal(1), Decimal(2))) if people else Decimal(0),
        skills={skills[number % len(skills)]: rng.choice((1, 1, 2))},
    )


def _member(number: int, skills: list[str], rng: random.Random, *, limits: bool) -> PlanMember:
    a_day = rng.choice((Decimal(8), Decimal(8), Decimal("7.5"), Decimal(6)))
    days = WEEK.days[:5] if rng.random() < 0.8 else tuple(rng.sample(WEEK.days[:5], 3))
    hours = dict.fromkeys(sorted(days), a_day)
    off = {}
    if rng.random() < 1 / 6:
        day = rng.choice(sorted(hours))
        off[day] = rng.choice((a_day, a_day / 2))
        hours[day] -= off[day]
    mine = rng.sample(skills, min(len(skills), _SKILLS_A_MEMBER))
    return PlanMember(
        f"M-{number:05d}",
        hours,
        off,
        {skill: rng.randrange(1, 6) for skill in mine},
        max_projects=rng.choice((2, 3, None)) if limits else None,
        overtime_hours=Decimal(4) if rng.random() < 0.1 else Decimal(0),
    )


def _quarters(hours: float) -> Decimal:
    return max(Decimal(round(hours * 4)) / 4, Decimal("0.25"))
