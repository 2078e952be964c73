"""How good reviewed work was, as it counts today: by member, project and today's category, and over weeks.

Belongs here: reading the reviews of weeks with their corrections, and answering what the rules make of them; the
lake has the figures as they were published. Does not belong here: the rules (prism_core/quality_scores.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from prism_api.api import backend, documents
from prism_api.api.calls import Call, current
from prism_api.api.crud import FilterText, WeekText, respond
from prism_api.api.lists import DEFAULT_LIMIT, MAX_LIMIT, all_in_order, page_of
from prism_api.api.opaque import encode_key
from prism_api.api.problems import FieldError, invalid
from prism_api.api.visibility import visible
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.corrections import corrected_reviews, members_behind
from prism_core.failures import BadUsage
from prism_core.identity import JobResolver
from prism_core.models.base import Count, Measure, Model, measure
from prism_core.models.disputes import Correction, FactTable
from prism_core.models.projects import Project, ProjectStatus
from prism_core.models.work import QualityReview
from prism_core.models.workers import Worker, WorkerStatus
from prism_core.quality import accuracy
from prism_core.quality_scores import WINDOW_WEEKS, CellKey, Cells, QualityScore, cells_of, overall, week_scores
from prism_core.quality_subjects import ReviewSubjects, is_settled, stored_names
from prism_core.tables import CORRECTIONS, PROJECTS, QUALITY, WORKERS

MAX_WEEKS = 26
DEFAULT_WEEKS = 12
router = APIGatewayHttpRouter()
_SORTS = Literal[
    "member_id", "-member_id", "project_id", "-project_id", "category", "-category", "reviewed", "-reviewed",
    "share", "-share", "score", "-score", "trend", "-trend",
]  # fmt: skip


class ScoreRow(Model):
    """The reviews of one member, project and category of today in one week. `raw` are the ids that stand in them;
    `low` and `high` the 95 % interval of the share; `trend` the change of the score a week."""

    key: str
    week: Week
    member_id: str
    project_id: str
    category: str
    mapped: bool
    raw: list[str]
    reviews: Count
    reviewed: Count
    correct: Count
    share: Measure | None
    low: Measure
    high: Measure
    score: Measure
    trend: Measure | None
    weeks_in_window: Count
    target: Measure | None
    worst_severity: str | None


class ScorePage(Model):
    """A page of a week, by the taxonomy in force."""

    taxonomy_id: str | None
    items: list[ScoreRow]
    next: str | None = None


class ScoreWeek(Model):
    """All chosen reviews of a week together; without one there is no share and no score."""

    week: Week
    reviews: Count
    reviewed: Count
    correct: Count
    share: Measure | None
    low: Measure
    high: Measure
    score: Measure | None


class ScoreTrend(Model):
    """Weeks in order."""

    items: list[ScoreWeek]


@dataclass(frozen=True, slots=True)
class _Reviewed:
    """A week: its cells, and the raw ids behind each."""

    cells: Cells
    raw: Mapping[CellKey, frozenset[str]]


@router.get(
    "/api/quality-scores",
    **documents.operation("Quality scores of a week", "quality", ScorePage, reads=True),
)
def quality_scores(
    week: Annotated[WeekText | None, Query(description="this week without it")] = None,
    member_id: Annotated[list[FilterText] | None, Query(description="only these members; repeatable")] = None,
    project_id: Annotated[list[FilterText] | None, Query(description="only these projects; repeatable")] = None,
    category: Annotated[list[FilterText] | None, Query(description="today's names; repeatable")] = None,
    sort: Annotated[_SORTS | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response[ScorePage]:
    call = current()
    chosen = sorted((name, values) for name, values in call.query.items() if name not in {"limit", "cursor"})
    listed = f"quality-scores {chosen} {_week(call)} {sorted(visible(call).members or ())}"
    page = page_of(_rows(call), _in_order, call, listed)
    version = backend.taxonomy().version
    return respond(
        ScorePage(taxonomy_id=version.taxonomy_id if version else None, items=page.rows, next=page.next)
    )


@router.get(
    "/api/quality-trend",
    **documents.operation("Quality by week", "quality", ScoreTrend, reads=True),
)
def quality_trend(
    week: Annotated[WeekText | None, Query(description="the last one; this week without it")] = None,
    weeks: Annotated[int, Query(ge=1, le=MAX_WEEKS)] = DEFAULT_WEEKS,
    member_id: Annotated[list[FilterText] | None, Query(description="only these members; repeatable")] = None,
    project_id: Annotated[list[FilterText] | None, Query(description="only these projects; repeatable")] = None,
    category: Annotated[list[FilterText] | None, Query(description="today's names; repeatable")] = None,
) -> Response[ScoreTrend]:
    call = current()
    found = _weeks(call, _week(call).window(weeks))
    return respond(ScoreTrend(items=[_sum(at, one.cells) for at, one in sorted(found.items())]))


def rows_of_list(call: Call) -> list[ScoreRow]:
    """All rows that the parameters of a call choose, in the order of the list."""
    return all_in_order(_rows(call), _in_order, call.one("sort"))


def _rows(call: Call) -> list[ScoreRow]:
    at = _week(call)
    found = _weeks(call, at.window(WINDOW_WEEKS))
    targets = {one.project_id: one.quality_target for one in _projects()}
    scores = week_scores(at, {each: one.cells for each, one in found.items()}, targets)
    return [_row(at, score, found[at]) for score in scores]


def _week(call: Call) -> Week:
    try:
        return Week.parse(call.one("week") or clock.this_week().label)
    except BadUsage as error:
        raise invalid((FieldError("query.week", str(error)),)) from error


def _weeks(call: Call, weeks: Iterable[Week]) -> dict[Week, _Reviewed]:
    """The weeks as the asset reads them (prism_assets/quality), of what the caller sees and asks for."""
    seen, taxonomy = visible(call), backend.taxonomy()
    found: dict[Week, _Reviewed] = {}
    for week, reviews in counted_reviews(weeks).items():
        mine = [one for one in reviews if seen.sees(one.member_id) and _asked(call, one)]
        raw: defaultdict[CellKey, set[str]] = defaultdict(set)
        for review in mine:
            raw[next(iter(cells_of([review], taxonomy)))].add(review.category)
        chosen = call.query.get("category", ())
        every = cells_of(mine, taxonomy)
        cells = {key: cell for key, cell in every.items() if not chosen or key.category in chosen}
        found[week] = _Reviewed(cells, {key: frozenset(ids) for key, ids in raw.items()})
    return found


def counted_reviews(weeks: Iterable[Week]) -> dict[Week, list[QualityReview]]:
    """Everybody's reviews of weeks as they count today: of whom they are, after the corrections."""
    stored = {week: tuple(_stored(week)) for week in weeks}
    return _counted(stored, {week: _corrections(week) for week in stored})


def reviews_of(member_id: str, weeks: WeekRange) -> list[QualityReview]:
    """One member's reviews as they count today, without reading everybody's.

    They are stored under the member, under their workers, or under whom a correction names. Only a week with a
    correction that names nobody is read whole.
    """
    corrections = {week: _corrections(week) for week in weeks}
    behind = {week: members_behind(member_id, these, FactTable.QUALITY) for week, these in corrections.items()}
    members = frozenset[str]().union(*(found for found in behind.values() if found is not None))
    workers = tuple(_workers())
    stored: dict[Week, list[QualityReview]] = {week: [] for week in weeks}
    for name in sorted(members | stored_names(workers, members)):
        rows = backend.reader(QUALITY, QualityReview)
        for review in rows.query("by_member", member_id=name, first=weeks.first, last=weeks.last):
            stored[review.week].append(review)
    for week in (week for week, found in behind.items() if found is None):
        stored[week] = list(_stored(week))
    counted = _counted(stored, corrections, workers)
    return [one for reviews in counted.values() for one in reviews if one.member_id == member_id]


def _counted(
    stored: Mapping[Week, Sequence[QualityReview]],
    corrections: Mapping[Week, Sequence[Correction]],
    workers: Iterable[Worker] | None = None,
) -> dict[Week, list[QualityReview]]:
    """The registers are read only where a review names a worker or a labelling job."""
    settled = all(is_settled(review) for reviews in stored.values() for review in reviews)
    known = _workers() if workers is None else workers
    subjects = None if settled else ReviewSubjects(known, JobResolver(_projects()))
    found: dict[Week, list[QualityReview]] = {}
    for week, reviews in stored.items():
        theirs = reviews if subjects is None else tuple(map(subjects.settled, reviews))
        found[week] = [one.review for one in corrected_reviews(theirs, corrections[week])]
    return found


def _asked(call: Call, review: QualityReview) -> bool:
    members, projects = call.query.get("member_id", ()), call.query.get("project_id", ())
    return (not members or review.member_id in members) and (not projects or review.project_id in projects)


def _stored(week: Week) -> Iterator[QualityReview]:
    return backend.reader(QUALITY, QualityReview).query("by_week", week=week)


def _corrections(week: Week) -> list[Correction]:
    found = backend.reader(CORRECTIONS, Correction).query("by_week", week=week)
    return [one for one in found if one.table is FactTable.QUALITY]


def _projects() -> Iterator[Project]:
    projects = backend.reader(PROJECTS, Project)
    for status in ProjectStatus:
        yield from projects.query("by_status", status=status)


def _workers() -> Iterator[Worker]:
    return backend.reader(WORKERS, Worker).query("by_status", status=WorkerStatus.RESOLVED)


def _row(week: Week, score: QualityScore, reviewed: _Reviewed) -> ScoreRow:
    values: dict[str, Any] = {name: getattr(score, name) for name in QualityScore.__slots__}
    key = CellKey(score.member_id, score.project_id, score.category, score.mapped)
    parts = {
        "week": week.label,
        "member_id": key.member_id,
        "project_id": key.project_id,
        "category": key.category,
    }
    text = encode_key({**parts, "mapped": str(key.mapped).lower()})
    return ScoreRow(key=text, week=week, raw=sorted(reviewed.raw[key]), **values)


def _sum(week: Week, cells: Cells) -> ScoreWeek:
    total = overall(cells)
    found = accuracy(total.correct, total.reviewed)
    return ScoreWeek(
        week=week,
        reviews=total.reviews,
        reviewed=total.reviewed,
        correct=total.correct,
        share=found.share,
        low=found.low,
        high=found.high,
        score=measure(total.score) if total.reviewed else None,
    )


def _in_order(row: ScoreRow) -> str:
    return f"{row.member_id}#{row.project_id}#{row.category}"
