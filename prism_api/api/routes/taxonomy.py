"""The taxonomy: what raw category ids are called today, in versions.

Belongs here: versions, what is in force, mapping, and the rehearsal of a version. Does not belong here: the rules
(prism_core/taxonomy.py). Raw ids stay in the rows.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from prism_api.api import backend, documents
from prism_api.api.calls import Call, current
from prism_api.api.crud import crud, respond
from prism_api.api.problems import Problem
from prism_api.api.resource import Resource
from prism_api.api.visibility import Visible, visible
from prism_api.api.writes import read_item
from prism_core import clock
from prism_core.models.base import Count, Day, Model
from prism_core.models.projects import Project, ProjectStatus
from prism_core.models.taxonomy import TaxonomyStatus, TaxonomyVersion
from prism_core.models.work import QualityReview
from prism_core.tables import PROJECTS, QUALITY, TAXONOMY
from prism_core.taxonomy import Categorised, in_force, rehearse

REHEARSED_WEEKS = 12
MOVED_SHOWN = 200
EXAMPLE = {
    "taxonomy_id": "2026-01",
    "title": "One name for both lidar categories",
    "effective": "2026-01-05",
    "entries": [{"raw": "lidar-3d", "category": "Lidar"}, {"raw": "lidar-sweep", "category": "Lidar"}],
}


def _judge(_: Call, before: TaxonomyVersion | None, after: TaxonomyVersion | None) -> None:
    """A published one is retired as it is: back in draft, its entries could be edited in a second call."""
    if before is None or before.status is TaxonomyStatus.DRAFT:
        return
    retired = before.model_copy(update={"status": TaxonomyStatus.RETIRED})
    if before.status is not TaxonomyStatus.PUBLISHED or after != retired:
        detail = (
            f"Version {before.taxonomy_id} is {before.status}: people have read figures by it. Make a new one."
        )
        raise Problem(HTTPStatus.CONFLICT, detail)


RESOURCE = Resource(
    path="/api/taxonomy",
    spec=TAXONOMY,
    model=TaxonomyVersion,
    noun="taxonomy version",
    example=EXAMPLE,
    ways=("by_id", "by_status"),
    everything=lambda _: {"status": tuple(TaxonomyStatus)},
    filters={"taxonomy_id": str, "status": TaxonomyStatus},
    sorts=("effective", "taxonomy_id", "title", "status"),
    search=("title", "notes"),
    judge=_judge,
)
router = crud(RESOURCE, "lcgupd")


class MappedAnswer(Model):
    """A raw id and what it is called; `unmapped:<raw>` where no entry names it."""

    raw: str
    category: str | None
    label: str


class MappedPage(Model):
    """By the version that is in force on the day."""

    taxonomy_id: str | None
    day: Day
    items: list[MappedAnswer]


class MovedRow(Model):
    """A row whose category would change."""

    item: str
    raw: str
    before: str
    after: str


class RehearsalAnswer(Model):
    """What a version would change among projects and the reviews of the last twelve weeks."""

    against: str | None
    rows: Count
    moved: Count
    by_pair: list[tuple[str, str, int]]
    unmapped: dict[str, int]
    shown: Annotated[list[MovedRow], Field(max_length=MOVED_SHOWN)]


@router.get(
    "/api/taxonomy-map",
    **documents.operation("What raw categories are called", "taxonomy", MappedPage, reads=True),
)
def mapped(
    raw: Annotated[list[str], Query(description="raw category ids; repeatable", min_length=1, max_length=200)],
    day: Annotated[Day | None, Query(description="the day of the record; today, if left out")] = None,
) -> Response[MappedPage]:
    of_day = day or clock.now().date()
    taxonomy = backend.taxonomy()
    version = taxonomy.version
    found = [taxonomy.map(one, of_day) for one in current().query["raw"]]
    items = [MappedAnswer(raw=one.raw, category=one.category, label=one.label) for one in found]
    return respond(
        MappedPage(taxonomy_id=None if version is None else version.taxonomy_id, day=of_day, items=items)
    )


@router.get(
    "/api/taxonomy/<key>/rehearsal",
    **documents.operation(
        "Which rows a taxonomy version would change", "taxonomy", RehearsalAnswer, reads=True, item=True
    ),
)
def rehearsal(key: Annotated[str, Path(min_length=1, max_length=1_024)]) -> Response[RehearsalAnswer]:
    """Nothing is written: every row is read through both versions."""
    after: TaxonomyVersion = read_item(RESOURCE, current(), key)
    before = in_force((one for one in _versions() if one.taxonomy_id != after.taxonomy_id), clock.now().date())
    found = rehearse(_rows(visible(current())), before, after)
    shown = [
        MovedRow(item=one.row.item, raw=one.row.raw, before=one.before.label, after=one.after.label)
        for one in found.moved[:MOVED_SHOWN]
    ]
    return respond(
        RehearsalAnswer(
            against=None if before is None else before.taxonomy_id,
            rows=found.rows,
            moved=len(found.moved),
            by_pair=[(was, becomes, number) for (was, becomes), number in found.by_pair.items()],
            unmapped={**found.unmapped},
            shown=shown,
        )
    )


def _versions() -> Iterator[TaxonomyVersion]:
    return backend.reader(TAXONOMY, TaxonomyVersion).query("by_status", status=TaxonomyStatus.PUBLISHED)


def _rows(seen: Visible) -> Iterator[Categorised]:
    today = clock.now().date()
    projects = backend.reader(PROJECTS, Project)
    for status in ProjectStatus:
        for project in projects.query("by_status", status=status):
            yield Categorised(f"projects/{project.project_id}", project.category, today)
    reviews = backend.reader(QUALITY, QualityReview)
    for week in clock.this_week().window(REHEARSED_WEEKS):
        for review in (one for one in reviews.query("by_week", week=week) if seen.sees(one.member_id)):
            item = QUALITY.item_key(QUALITY.key_of(review))
            yield Categorised(item, review.category, review.week.monday)
