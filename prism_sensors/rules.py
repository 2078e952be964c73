"""Which weeks and assets a change touches, table by table.

Belongs here: a rule a table. Does not belong here: ticks and cursors (changes.py).
A rule names a week too many rather than one too few: materialising a week on the same input writes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise

from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.history.rebuild import in_order
from prism_core.models.changes import Change, Operation
from prism_core.models.disputes import FactTable
from prism_core.models.taxonomy import TaxonomyVersion
from prism_core.models.workers import WorkerStatus
from prism_core.quality_scores import WINDOW_WEEKS
from prism_core.tables import ALLOCATIONS, AVAILABILITY, CORRECTIONS, MEMBERS, PROJECTS, QUALITY, TAXONOMY, WORKERS
from prism_core.taxonomy import Categorised, in_force, rehearse
from prism_core.touched import (
    WORKER_PREFIX,
    JobRule,
    Span,
    Touched,
    job_rules,
    moved_by_jobs,
    moved_by_worker,
    reviews_moved_by_worker,
    steps_of,
)
from prism_resources.tables.history import key_of_item_key
from prism_sensors.asking import Asked
from prism_sensors.changes import cause_of
from prism_sensors.known import KnownAssets
from prism_sensors.reads import Reads

# Of a member: what utilisation takes from the register.
_HOURS = frozenset({"hours", "status"})
# Of a worker: what says who it is. The others say when it was seen.
_WHO = frozenset({"status", "periods", "sub", "worker_id"})
_EVER = Span(date.min, date.max)


def worker_resolved(reads: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """Throughput of the weeks that hold the worker's records, on the days on which it is somebody else now.

    A worker who stays nobody's but is ignored now is shown otherwise among the unresolved ones.
    """
    weeks = reads.touched_weeks()
    for key, mine in _decided(changes).items():
        worker_key = key_of_item_key(WORKERS, key)["worker_key"]
        current = reads.state_of(WORKERS, key)
        steps = list(pairwise(steps_of(mine, current, ("status", "periods"))))
        moved = {one for before, after in steps for one in moved_by_worker(worker_key, before, after)}
        if any(before.get("status") != after.get("status") for before, after in steps if before and after):
            own = weeks.of_members([Touched(WORKER_PREFIX + worker_key, _EVER)])
            asked.add(own, known.named("unresolved_workers"), cause_of(mine))
        if moved:
            asked.add(weeks.of_members(moved), known.with_downstream("throughput"), cause_of(mine))


def reviewer_resolved(reads: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """Scores of the windows that hold reviews of a worker who is somebody else now."""
    reviews = reads.touched_reviews()
    for key, mine in _decided(changes).items():
        worker_key = key_of_item_key(WORKERS, key)["worker_key"]
        steps = steps_of(mine, reads.state_of(WORKERS, key), ("status", "periods", "sub", "worker_id"))
        moved = {
            one for before, after in pairwise(steps) for one in reviews_moved_by_worker(worker_key, before, after)
        }
        _scored(reviews.of_workers(moved), known, mine, asked)


def reviewed_job_mapped(reads: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """Scores of the windows that hold reviews of a labelling job whose project may be another now."""
    for key, mine in _by_item(one for one in changes if "labeling_jobs" in one.changes).items():
        steps = steps_of(mine, reads.state_of(PROJECTS, key), ("labeling_jobs",))
        rules = {one for before, after in pairwise(steps) for one in job_rules(before) ^ job_rules(after)}
        _scored(reads.touched_reviews().of_jobs(rules), known, mine, asked)


def jobs_mapped(reads: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """Throughput of the weeks that hold a labelling job whose project may be another now."""
    by_item = _by_item(one for one in changes if "labeling_jobs" in one.changes)
    if not by_item:
        return
    others: dict[str, set[JobRule]] = {
        project.project_id: job_rules(project.plain()) for project in reads.projects()
    }
    queued, weeks = reads.queued_jobs(), reads.touched_weeks()
    for key, mine in by_item.items():
        project_id = key_of_item_key(PROJECTS, key)["project_id"]
        steps = steps_of(mine, reads.state_of(PROJECTS, key), ("labeling_jobs",))
        moved = {
            one
            for before, after in pairwise(steps)
            for one in moved_by_jobs(project_id, before, after, others=others, queued=queued)
        }
        if moved:
            asked.add(weeks.of_projects(moved), known.with_downstream("throughput"), cause_of(mine))


def corrected(reads: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """Throughput of the week that a correction is of."""
    for week, mine in _corrections(reads, changes, FactTable.THROUGHPUT):
        asked.add([week], known.with_downstream("throughput"), cause_of(mine))


def reviews_corrected(reads: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """Scores of the weeks in whose window the corrected reviews lie."""
    for week, mine in _corrections(reads, changes, FactTable.QUALITY):
        _scored([week], known, mine, asked)


def reviewed(_: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """The reviews of their week, and the scores of the weeks in whose window it lies."""
    by_week: defaultdict[Week, list[Change]] = defaultdict(list)
    for change in changes:
        sort = key_of_item_key(QUALITY, change.item_key)["week_project_review"]
        by_week[Week.parse(sort.partition("#")[0])].append(change)
    for week, mine in by_week.items():
        asked.add([week], known.named("quality_reviews"), cause_of(mine))
        _scored([week], known, mine, asked)


def recategorised(reads: Reads, known: KnownAssets, since: datetime, asked: Asked) -> None:
    """Scores of the weeks with a review that is of another category than it was at `since`.

    A version counts from its effective day, which may come without any change. A pair of versions is compared at
    several ticks and asked for once: its names are the cause.
    """
    scores, now = known.with_downstream("quality_scores"), clock.now()
    versions = reads.taxonomies()
    before, after = _in_force_then(reads, versions, since, now), in_force(versions, now.date())
    if not scores or (before and before.entries) == (after and after.entries):
        return
    cause = f"taxonomy {_named(before)} to {_named(after)}"
    for week in reads.weeks:
        rows = (Categorised(one.review_id, one.category, week.monday) for one in reads.reviews(week))
        if rehearse(rows, before, after).moved:
            asked.add(window_of(week), scores, cause)


def allocated(_: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """The snapshot of the allocations' week, and what is used of it."""
    weeks = {
        Week.parse(key_of_item_key(ALLOCATIONS, one.item_key)["week_project"].partition("#")[0]): one
        for one in changes
    }
    _planned(known, weeks, "allocations", changes, asked)


def absent(_: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """The snapshot of the week of the days off, and what is used of it."""
    weeks = {Week.of(key_of_item_key(AVAILABILITY, one.item_key)["date"]): one for one in changes}
    _planned(known, weeks, "availability", changes, asked)


def registered(_: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """The snapshots of a register: of the week of the change and of those that ended since."""
    for table in sorted({change.table for change in changes}):
        mine = [change for change in changes if change.table == table]
        first = min(Week.of(change.instant) for change in mine)
        weeks = WeekRange(first, max(first, clock.this_week()))
        asked.add(weeks, known.with_downstream(table), cause_of(mine))
        hours = [one for one in mine if table == MEMBERS.name and not _HOURS.isdisjoint(one.changes)]
        if hours:
            asked.add(weeks, known.with_downstream("utilisation"), cause_of(hours))


def retargeted(_: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """Scores stand beside the quality target of their week's end: of the week of the change, and later ones."""
    mine = [change for change in changes if "quality_target" in change.changes]
    if mine:
        first = min(Week.of(change.instant) for change in mine)
        weeks = WeekRange(first, max(first, clock.this_week()))
        asked.add(weeks, known.with_downstream("quality_scores"), cause_of(mine))


def window_of(week: Week) -> list[Week]:
    """The weeks whose scores count this week's reviews: its own, and those whose window reaches back to it."""
    return [week + later for later in range(WINDOW_WEEKS)]


def _scored(weeks: Iterable[Week], known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    for week in weeks:
        asked.add(window_of(week), known.with_downstream("quality_scores"), cause_of(changes))


def _planned(
    known: KnownAssets, weeks: Mapping[Week, Change], asset: str, changes: Sequence[Change], asked: Asked
) -> None:
    assets = {*known.with_downstream(asset), *known.with_downstream("utilisation")}
    asked.add(weeks, sorted(assets), cause_of(changes))


def _named(version: TaxonomyVersion | None) -> str:
    return "none" if version is None else f"{version.taxonomy_id}@{version.version}"


def _corrections(reads: Reads, changes: Sequence[Change], table: FactTable) -> Iterator[tuple[Week, list[Change]]]:
    for key, mine in _by_item(changes).items():
        current = reads.state_of(CORRECTIONS, key)
        if any(step.get("table") == table for step in steps_of(mine, current, ("table",))):
            yield Week.parse(key_of_item_key(CORRECTIONS, key)["week"]), mine


def _in_force_then(
    reads: Reads, versions: Sequence[TaxonomyVersion], instant: datetime, now: datetime
) -> TaxonomyVersion | None:
    states = reads.history.list_at(TAXONOMY, versions, instant, now=now, max_weeks=None)
    return in_force((TaxonomyVersion.from_plain(state) for state in states.values()), instant.date())


def _decided(changes: Iterable[Change]) -> dict[str, list[Change]]:
    """By worker, what somebody said of it. That one was seen, for the first time or again, moves nothing."""
    found = _by_item(one for one in changes if not _WHO.isdisjoint(one.changes))
    return {key: mine for key, mine in found.items() if not all(map(_first_seen, mine))}


def _first_seen(change: Change) -> bool:
    status = change.changes.get("status", {}).get("after")
    return change.operation is Operation.CREATE and status == WorkerStatus.UNRESOLVED


def _by_item(changes: Iterable[Change]) -> dict[str, list[Change]]:
    """The changes of each item in the order in which they were made."""
    found: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        found[change.item_key].append(change)
    return {key: in_order(mine) for key, mine in found.items()}
