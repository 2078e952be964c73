"""What the rules of the sensors look up in the tables.

Belongs here: reads by index that answer which weeks a change touches. Does not belong here: the rules (rules.py).
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from pydantic import JsonValue

from prism_assets.resources import PrismResource
from prism_core.calendar import Week, WeekRange
from prism_core.models.changes import Change
from prism_core.models.disputes import Correction
from prism_core.models.people import Availability
from prism_core.models.projects import Project, ProjectStatus
from prism_core.models.taxonomy import TaxonomyStatus, TaxonomyVersion
from prism_core.models.work import Allocation, QualityReview
from prism_core.models.workers import Worker, WorkerStatus
from prism_core.settings import Settings
from prism_core.table_spec import TableSpec
from prism_core.tables import ALLOCATIONS, AVAILABILITY, CORRECTIONS, PROJECTS, QUALITY, TAXONOMY, WORKERS
from prism_resources.aws import client
from prism_resources.tables.codec import decode
from prism_resources.tables.history import TableHistory, key_of_item_key
from prism_resources.tables.reader import M, TableReader
from prism_resources.touched_weeks import TouchedReviews, TouchedWeeks


class Reads:
    """The tables of one tick."""

    def __init__(self, prism: PrismResource) -> None:
        self._prism = prism
        self.settings: Settings = prism.settings()
        self.weeks: WeekRange = prism.weeks()

    @cached_property
    def history(self) -> TableHistory:
        return TableHistory(client(self.settings, "dynamodb"), self.settings)

    def touched_weeks(self) -> TouchedWeeks:
        return TouchedWeeks(self._prism.throughput(), self._reader(CORRECTIONS, Correction), self.weeks)

    def touched_reviews(self) -> TouchedReviews:
        return TouchedReviews(self._reader(QUALITY, QualityReview), self.weeks)

    def state_of(self, spec: TableSpec, item_key: str) -> dict[str, JsonValue] | None:
        """The plain state of an item now; None when it is gone."""
        raw = self._reader(spec, spec.model).read(key_of_item_key(spec, item_key))
        return None if raw is None else decode(spec, spec.model, raw).plain()

    def recorded(self, spec: TableSpec, changes: Sequence[Change]) -> Week:
        """The week in which the item of these changes was recorded."""
        oldest = next(self.history.of_item(spec, changes[0].item_key, oldest_first=True), changes[0])
        return Week.of(min(oldest.instant, *(change.instant for change in changes)))

    def weeks_of_member(self, member_id: str, until: Week) -> set[Week]:
        """Weeks before `until` in which a member was planned, off or at work."""
        if until <= self.weeks.first:
            return set()
        last = until + -1
        planned = self._reader(ALLOCATIONS, Allocation).query("by_member", member_id=member_id, last=last)
        off = self._reader(AVAILABILITY, Availability).query("by_member", member_id=member_id, last=last.sunday)
        worked = self._prism.throughput().member(member_id, self.weeks.first, last)
        return {*(one.week for one in (*planned, *worked)), *(Week.of(one.date) for one in off)}

    def projects(self) -> Iterator[Project]:
        reader = self._reader(PROJECTS, Project)
        return (project for status in ProjectStatus for project in reader.query("by_status", status=status))

    def queued_jobs(self) -> list[str]:
        """The labelling jobs that some run could not map."""
        reader = self._reader(WORKERS, Worker)
        found = (worker for status in WorkerStatus for worker in reader.query("by_status", status=status))
        return [worker.job for worker in found if worker.job is not None]

    def taxonomies(self) -> list[TaxonomyVersion]:
        """The published versions."""
        return list(self._reader(TAXONOMY, TaxonomyVersion).query("by_status", status=TaxonomyStatus.PUBLISHED))

    def reviews(self, week: Week) -> Iterator[QualityReview]:
        return self._reader(QUALITY, QualityReview).query("by_week", week=week)

    def _reader(self, spec: TableSpec, model: type[M]) -> TableReader[M]:
        return TableReader(client(self.settings, "dynamodb"), self.settings, spec, model)
