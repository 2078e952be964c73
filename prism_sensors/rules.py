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
from prism_core.models.workers import WorkerStatus
from prism_core.quality_scores import WINDOW_WEEKS
from prism_core.tables import ALLOCATIONS, AVAILABILITY, CORRECTIONS, MEMBERS, PROJECTS, QUALITY, WORKERS
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
from prism_resources.ahead import read_ahead
from prism_resources.tables.history import key_of_item_key
from prism_sensors.asking import Asked
from prism_sensors.changes import cause_of
from prism_sensors.known import KnownAssets
from prism_sensors.reads import Reads

SNAPSHOTS = ("allocations", "availability", "members", "projects", "requests")
# Of a member: what utilisation takes from the register.
_HOURS = frozenset({"hours", "status"})
# Of a worker: what says who it is. The others say when it was seen.
_WHO = ("status", "periods", "sub", "worker_id")
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
    reviews, decided = reads.touched_reviews(), _decided(changes)

    def weeks(key: str) -> set[Week]:
        worker_key = key_of_item_key(WORKERS, key)["worker_key"]
        steps = pairwise(steps_of(decided[key], reads.state_of(WORKERS, key), _WHO))
        return reviews.of_workers({one for step in steps for one in reviews_moved_by_worker(worker_key, *step)})

    for found, mine in zip(read_ahead(weeks, decided), decided.values(), strict=True):
        _scored(found, known, mine, asked)


def reviewed_job_mapped(reads: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """Scores of the windows that hold reviews of a labelling job whose project may be another now."""
    rules, mapped = set[JobRule](), [one for one in changes if "labeling_jobs" in one.changes]
    for key, mine in _by_item(mapped).items():
        steps = pairwise(steps_of(mine, reads.state_of(PROJECTS, key), ("labeling_jobs",)))
        rules |= {one for before, after in steps for one in job_rules(before) ^ job_rules(after)}
    if rules:
        _scored(reads.touched_reviews().of_jobs(rules), known, mapped, asked)


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
    """The corrections of the week that one is of, and its throughput where it corrects that."""
    for key, mine in _by_item(changes).items():
        asked.add([_week_of_correction(key)], known.named("corrections"), cause_of(mine))
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


def week_began(reads: Reads, known: KnownAssets, since: datetime, asked: Asked, left: str) -> str:
    """Snapshots and utilisation of a week that has begun, once: what was planned ahead for it is no change now.

    Answers the running week.
    """
    running = clock.this_week()
    if running > Week.parse(left or Week.of(since).label) and running in reads.weeks:
        assets = known.with_downstream(*SNAPSHOTS, "utilisation")
        asked.add([running], assets, f"{running} began")
    return running.label


def registered(reads: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """The snapshots of a register: of the week of the change and of those that ended since."""
    for table in sorted({change.table for change in changes}):
        mine = [change for change in changes if change.table == table]
        asked.add(_since(mine), known.with_downstream(table), cause_of(mine))
        if table == MEMBERS.name:
            _contracted(reads, known, mine, asked)


def _contracted(reads: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """Utilisation takes a member's hours as they stood at the week's end; of weeks before the member was recorded,
    as they stand now."""
    assets = known.with_downstream("utilisation")
    by_member = _by_item(one for one in changes if not _HOURS.isdisjoint(one.changes))

    def before(key: str) -> set[Week]:
        recorded = reads.recorded(MEMBERS, by_member[key])
        return reads.weeks_of_member(key_of_item_key(MEMBERS, key)["member_id"], recorded)

    for weeks, mine in zip(read_ahead(before, by_member), by_member.values(), strict=True):
        asked.add({*weeks, *_since(mine)}, assets, cause_of(mine))


def retargeted(reads: Reads, known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    """Scores stand beside the quality target of their week's end; of weeks before the project was recorded, beside
    that of now."""
    assets, rules = known.with_downstream("quality_scores"), set[JobRule]()
    mine = [one for one in changes if "quality_target" in one.changes]
    for key, of_project in _by_item(mine).items():
        recorded = reads.recorded(PROJECTS, of_project)
        weeks = reads.touched_reviews().of_project(key_of_item_key(PROJECTS, key)["project_id"], recorded)
        asked.add({*weeks, *_since(of_project)}, assets, cause_of(of_project))
        rules |= {one.until(recorded.monday) for one in job_rules(reads.state_of(PROJECTS, key) or {})}
    if rules:
        asked.add(reads.touched_reviews().of_jobs(rules), assets, cause_of(mine))


def window_of(week: Week) -> list[Week]:
    """The weeks whose scores count this week's reviews: its own, and those whose window reaches back to it."""
    return [week + later for later in range(WINDOW_WEEKS)]


def _since(changes: Iterable[Change]) -> WeekRange:
    """The week of the first change, and those since."""
    first = min(Week.of(change.instant) for change in changes)
    return WeekRange(first, max(first, clock.this_week()))


def _scored(weeks: Iterable[Week], known: KnownAssets, changes: Sequence[Change], asked: Asked) -> None:
    for week in weeks:
        asked.add(window_of(week), known.with_downstream("quality_scores"), cause_of(changes))


def _planned(
    known: KnownAssets, weeks: Mapping[Week, Change], asset: str, changes: Sequence[Change], asked: Asked
) -> None:
    assets = {*known.with_downstream(asset), *known.with_downstream("utilisation")}
    asked.add(weeks, sorted(assets), cause_of(changes))


def _corrections(reads: Reads, changes: Sequence[Change], table: FactTable) -> Iterator[tuple[Week, list[Change]]]:
    for key, mine in _by_item(changes).items():
        current = reads.state_of(CORRECTIONS, key)
        if any(step.get("table") == table for step in steps_of(mine, current, ("table",))):
            yield _week_of_correction(key), mine


def _week_of_correction(item_key: str) -> Week:
    return Week.parse(key_of_item_key(CORRECTIONS, item_key)["week"])


def _decided(changes: Iterable[Change]) -> dict[str, list[Change]]:
    """By worker, what somebody said of it. That one was seen, for the first time or again, moves nothing."""
    found = _by_item(one for one in changes if not one.changes.keys().isdisjoint(_WHO))
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
