"""Quality reviews of files into their table.

Belongs here: what is stored already, who a worker and a job are today, writing with change entries, counting every
row as loaded, duplicate or rejected. Does not belong here: the form of a file (prism_core/quality_files.py).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from uuid import uuid4

from pydantic import ValidationError

from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.failures import StaleVersion
from prism_core.identity import JobResolver
from prism_core.models.people import Member, MemberStatus
from prism_core.models.projects import Project, ProjectStatus
from prism_core.models.work import QualityReview
from prism_core.models.workers import JOB_PREFIX, Worker, WorkerStatus
from prism_core.quality_files import ReviewRow, read_reviews
from prism_core.quality_subjects import WORKER_PREFIX, ReviewSubjects
from prism_core.settings import Settings
from prism_core.tables import MEMBERS, PROJECTS, QUALITY, WORKERS
from prism_core.worker_activity.files import Rejected
from prism_resources.aws import client
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore, Write
from prism_resources.worker_activity.ingest import FileCounts, Progress, Reject, readable_name

BATCH = 25
IMPORTED = "import"
_LOST = "somebody else wrote this review during the load; load the file again"


@dataclass(frozen=True, slots=True)
class _Pending:
    row: ReviewRow
    review: QualityReview
    expected_version: int


class QualityIngest:
    """Loads files one after the other. What is stored with other figures is rejected, unless `replace`."""

    def __init__(
        self, settings: Settings, weeks: WeekRange, now: datetime, *, reason: str = "", replace: bool = False
    ) -> None:
        dynamodb = client(settings, "dynamodb")
        self._store = TableStore(dynamodb, settings, QUALITY, QualityReview)
        self._weeks, self._now, self._reason, self._replace = weeks, now, reason, replace
        projects = TableReader(dynamodb, settings, PROJECTS, Project)
        members = TableReader(dynamodb, settings, MEMBERS, Member)
        workers = TableReader(dynamodb, settings, WORKERS, Worker)
        known = [one for status in ProjectStatus for one in projects.query("by_status", status=status)]
        self._projects = {project.project_id: project for project in known}
        self._members = {m.member_id for s in MemberStatus for m in members.query("by_status", status=s)}
        self._subjects = ReviewSubjects(
            workers.query("by_status", status=WorkerStatus.RESOLVED), JobResolver(known)
        )
        # A review keeps its id when its worker is resolved later, and then has another key: ids of a week decide.
        self._stored: dict[Week, dict[str, QualityReview]] = {}
        self._written: set[tuple[Week, str]] = set()

    def load(self, path: Path, reject: Reject, progress: Progress) -> FileCounts:
        """Load one file. Never raises for its content. Loading it again finds every row as a duplicate."""
        name = readable_name(path)
        counts = FileCounts(name)

        def refuse(row: ReviewRow, reason: str) -> None:
            counts.rejected += 1
            reject(Rejected(name, row.line, reason, row.excerpt))

        try:
            stream = path.open("rb")
        except OSError as error:
            counts.rejected += 1
            reject(Rejected(name, 0, f"the file cannot be read: {error.strerror}", ""))
            return counts
        waiting: list[_Pending] = []
        with stream:
            for outcome in self._progressing(stream, name, progress):
                if isinstance(outcome, Rejected):
                    counts.rejected += 1
                    reject(outcome)
                    continue
                judged = self._judge(outcome)
                if isinstance(judged, str):
                    refuse(outcome, judged)
                    continue
                counts.weeks.add(outcome.week)
                if judged is None:
                    counts.duplicate += 1
                    continue
                waiting.append(judged)
                if len(waiting) == BATCH:
                    self._write(waiting, name, counts, refuse)
        self._write(waiting, name, counts, refuse)
        return counts

    def _progressing(
        self, stream: BufferedReader, name: str, progress: Progress
    ) -> Iterator[ReviewRow | Rejected]:
        position = 0
        for outcome in read_reviews(stream, name, self._weeks):
            yield outcome
            now_at = stream.tell() if stream.seekable() else position
            if now_at != position:
                progress(now_at - position)
                position = now_at

    def _judge(self, row: ReviewRow) -> _Pending | str | None:
        """What to write; why not; None for what is stored as it is."""
        known = self._known(row.week).get(row.review_id)
        if known is not None:
            differing = _differing(row, known)
            if not differing:
                return None
            if (row.week, row.review_id) in self._written:
                return f"an earlier row of this call says of the same review: {differing}"
            if not self._replace:
                return (
                    f"review {row.review_id} of {row.week} has other figures already: {differing}; --replace "
                    "takes those of the file, or give the row a review_id of its own"
                )
            changes = {"reviewed": row.reviewed, "correct": row.correct, "severity": row.severity}
            changes |= {"category": row.category} if row.category is not None else {}
            return self._pending(row, known.model_copy(update=changes), known.version)
        if row.member_id is not None and row.member_id not in self._members:
            return f"there is no member {row.member_id!r}"
        if row.project_id is not None and row.project_id not in self._projects:
            return f"there is no project {row.project_id!r}"
        try:
            return self._pending(row, self._review(row), 0)
        except ValidationError as error:
            return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())

    def _known(self, week: Week) -> dict[str, QualityReview]:
        if week not in self._stored:
            self._stored[week] = {one.review_id: one for one in self._store.query("by_week", week=week)}
        return self._stored[week]

    def _pending(self, row: ReviewRow, review: QualityReview, expected_version: int) -> _Pending:
        self._written.add((row.week, row.review_id))
        self._known(row.week)[row.review_id] = review.model_copy(update={"version": expected_version + 1})
        return _Pending(row, review, expected_version)

    def _review(self, row: ReviewRow) -> QualityReview:
        """As it is stored: by today's member and project where they are known, else by the names of the file."""
        member = (
            row.member_id or self._subjects.member(row.worker or "", row.week) or f"{WORKER_PREFIX}{row.worker}"
        )
        project = row.project_id or self._subjects.project(row.job or "", row.week) or f"{JOB_PREFIX}{row.job}"
        of_project = self._projects.get(project)
        return QualityReview(
            member_id=member,
            week=row.week,
            project_id=project,
            review_id=row.review_id,
            category=row.category or (of_project.category if of_project is not None else row.job) or project,
            reviewed=row.reviewed,
            correct=row.correct,
            severity=row.severity,
            reviewer=row.reviewer or IMPORTED,
            # A file that says only the week: it was over then, or is as far as it is now.
            reviewed_at=row.reviewed_at or min(row.week.end, self._now),
            notes=row.notes,
        )

    def _write(
        self, waiting: list[_Pending], name: str, counts: FileCounts, refuse: Callable[[ReviewRow, str], None]
    ) -> None:
        """A batch in one transaction; row by row where somebody else was faster with one of them."""
        batches = [waiting[:]] if waiting else []
        waiting.clear()
        for batch in batches:
            try:
                self._transact(batch, name)
                counts.loaded += len(batch)
            except StaleVersion:
                for one in batch:
                    try:
                        self._transact([one], name)
                        counts.loaded += 1
                    except StaleVersion:
                        refuse(one.row, _LOST)

    def _transact(self, batch: list[_Pending], name: str) -> None:
        self._store.transact(
            [Write(one.review, one.expected_version) for one in batch],
            actor=f"quality:{Path(name).name}"[:200],
            reason=self._reason or f"import of {Path(name).name}",
            request_id=f"quality-{uuid4().hex}",
            now=clock.now(),  # of this batch: a sensor has read the log up to long after the load began
        )


def _differing(row: ReviewRow, stored: QualityReview) -> str:
    pairs = {
        "reviewed": (stored.reviewed, row.reviewed),
        "correct": (stored.correct, row.correct),
        "severity": (stored.severity, row.severity),
        "category": (stored.category, row.category or stored.category),
    }
    return ", ".join(
        f"{name} {was or 'none'}, not {now or 'none'}" for name, (was, now) in pairs.items() if was != now
    )
