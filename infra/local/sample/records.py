"""The synthetic programme's paper: quality reviews, bugs, disputes, a correction, the taxonomy.

Belongs here: what people recorded about the work, drawn from one seed, all of it named synthetic.
Does not belong here: who exists and what was planned (people.py), and what was done (activity.py).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from prism_core.calendar import WeekRange
from prism_core.models.bugs import Bug, BugStatus
from prism_core.models.disputes import Correction, Dispute, DisputeStatus, FactTable
from prism_core.models.people import Member
from prism_core.models.projects import Project
from prism_core.models.taxonomy import TaxonomyEntry, TaxonomyStatus, TaxonomyVersion
from prism_core.models.views import Screen
from prism_core.models.work import Allocation, QualityReview, Severity

REVIEWS_A_WEEK, BUGS, UNMAPPED_CATEGORIES = 40, 12, 1
_REASON = "synthetic sample"
# One transparent pixel.
_SCREENSHOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


@dataclass(frozen=True, slots=True)
class Records:
    """What was recorded."""

    reviews: list[QualityReview]
    bugs: list[Bug]
    disputes: list[Dispute]
    corrections: list[Correction]
    taxonomy: list[TaxonomyVersion]


def synthetic_records(
    weeks: WeekRange,
    seed: int,
    members: Sequence[Member],
    projects: Sequence[Project],
    allocations: Sequence[Allocation],
) -> Records:
    """The same records for the same programme and seed."""
    rng = random.Random(seed + 1)
    reviews = _reviews(rng, weeks, members, projects, allocations)
    return Records(
        reviews,
        [_bug(rng, number, weeks, members) for number in range(1, BUGS + 1)],
        _disputes(reviews, weeks),
        [_correction(allocations, members, weeks)],
        [_taxonomy(projects, weeks)],
    )


def _reviews(
    rng: random.Random,
    weeks: WeekRange,
    members: Sequence[Member],
    projects: Sequence[Project],
    allocations: Sequence[Allocation],
) -> list[QualityReview]:
    """Some of each week's work. The first member, whose page the demo shows, is reviewed every week."""
    category = {project.project_id: project.category for project in projects}
    hand = {member.member_id: rng.uniform(0.82, 0.995) for member in members}
    found: list[QualityReview] = []
    for week in weeks:
        mine = [one for one in allocations if one.week == week]
        first = [one for one in mine if one.member_id == members[0].member_id][:1]
        others = [one for one in mine if one not in first]
        chosen = [*first, *rng.sample(others, min(REVIEWS_A_WEEK, len(others)))]
        # The running week has only just begun.
        reviewed_at = week.start + timedelta(days=0 if week == weeks.last else 4)
        for number, work in enumerate(chosen, 1):
            reviewed = rng.randint(8, 60)
            correct = sum(rng.random() < hand[work.member_id] for _ in range(reviewed))
            found.append(
                QualityReview(
                    member_id=work.member_id,
                    week=week,
                    project_id=work.project_id,
                    review_id=f"syn-q-{week}-{number:03d}",
                    category=category[work.project_id],
                    reviewed=reviewed,
                    correct=correct,
                    severity=None if correct == reviewed else rng.choice(list(Severity)),
                    reviewer=_colleague(rng, members, work.member_id),
                    reviewed_at=reviewed_at + timedelta(minutes=number),
                    notes=_REASON,
                )
            )
    return found


def _colleague(rng: random.Random, members: Sequence[Member], member_id: str) -> str:
    """Somebody else of the same team."""
    team = next(member.team for member in members if member.member_id == member_id)
    return rng.choice([m.member_id for m in members if m.team == team and m.member_id != member_id])


def _bug(rng: random.Random, number: int, weeks: WeekRange, members: Sequence[Member]) -> Bug:
    status = list(BugStatus)[number % len(BugStatus)]
    screen = list(Screen)[number % len(Screen)]
    created = weeks.last.start - timedelta(days=3 * number)
    done = status in {BugStatus.RESOLVED, BugStatus.CLOSED}
    return Bug(
        bug_id=f"syn-b-{number:03d}",
        title=f"Synthetic bug {number:02d}: the {screen} screen shows an old figure",
        description="Synthetic: after a correction the figure stays until the page is loaded again.",
        steps="1. Open the screen. 2. Correct a figure. 3. Look again.",
        expected="The new figure.",
        actual="The old one.",
        severity=list(Severity)[number % len(Severity)],
        category=rng.choice(("display", "data", "speed", "access")),
        status=status,
        page=f"/{screen}",
        browser="Synthetic Browser 1.0",
        reporter=members[number % len(members)].member_id if number % 4 else members[0].member_id,
        assignee=None if status is BugStatus.NEW else rng.choice(members).member_id,
        screenshot=_SCREENSHOT if number % 5 == 1 else None,
        created=created,
        resolved=created + timedelta(days=2) if done else None,
    )


def _disputes(reviews: Sequence[QualityReview], weeks: WeekRange) -> list[Dispute]:
    """One of each status about a review with errors, and a second open one, of the first member where possible."""
    member = reviews[0].member_id
    own = [review for review in reviews if review.member_id == member]
    others = [review for review in reviews if review.member_id != member]
    chosen = [one for one in (*own[:1], *others, *own[1:]) if one.correct < one.reviewed]
    statuses = (DisputeStatus.OPEN, *DisputeStatus)
    return [_dispute(number, *pair, weeks) for number, pair in enumerate(zip(chosen, statuses, strict=False), 1)]


def _dispute(number: int, review: QualityReview, status: DisputeStatus, weeks: WeekRange) -> Dispute:
    decided = status in {DisputeStatus.CORRECTED, DisputeStatus.DECLINED}
    return Dispute(
        dispute_id=f"syn-d-{number:03d}",
        table=FactTable.QUALITY,
        week=review.week,
        member_id=review.member_id,
        project_id=review.project_id,
        review_id=review.review_id,
        field="correct",
        shown=str(review.correct),
        expected=str(review.correct + 1),
        reason="Synthetic: one piece was right by the guideline of that week.",
        status=status,
        opened=weeks.last.start - timedelta(hours=30 - number),
        opened_by=review.member_id,
        decided=weeks.last.start - timedelta(hours=3) if decided else None,
        decided_by=review.reviewer if decided else None,
        answer="Synthetic: looked at again." if decided else None,
    )


def _correction(allocations: Sequence[Allocation], members: Sequence[Member], weeks: WeekRange) -> Correction:
    """A day that was worked under a colleague's account, in the first week."""
    work = next(one for one in allocations if one.week == weeks.first and one.member_id == members[1].member_id)
    return Correction(
        week=weeks.first,
        correction_id="syn-c-001",
        from_member=work.member_id,
        from_project=work.project_id,
        to_member=members[2].member_id,
        days=(min(work.hours),),
        reason="Synthetic: worked under a colleague's account.",
        created=weeks.last.start - timedelta(days=1),
        created_by=members[3].member_id,
    )


def _taxonomy(projects: Sequence[Project], weeks: WeekRange) -> TaxonomyVersion:
    """Raw ids by the skill in their name; the first one stays unmapped, so that there is one to see."""
    raws = sorted({project.category for project in projects})[UNMAPPED_CATEGORIES:]
    return TaxonomyVersion(
        taxonomy_id="syn-taxonomy-1",
        title="Synthetic taxonomy 1",
        status=TaxonomyStatus.PUBLISHED,
        effective=weeks.first.monday,
        entries=tuple(TaxonomyEntry(raw=raw, category=_category(raw)) for raw in raws),
        notes=_REASON,
    )


def _category(raw: str) -> str:
    """`raw-image-boxes-3` is today's *Image boxes*."""
    words = raw.removeprefix("raw-").rpartition("-")[0].replace("-", " ")
    return f"{words.capitalize()} (synthetic)"
