"""Put the synthetic sample into a platform, the way real data gets in.

Belongs here: members, projects and the rest through the store with their change entries; activity as files
through the ingest (AWS refuses log events older than 14 days, so the log is no way for history).
Does not belong here: what the sample holds. Safe to repeat: what is there already is left alone.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from pathlib import Path

from isal import igzip

from infra.cli.console import step_progress
from infra.cli.ingest import RejectsFile, load_files
from infra.local.platform import Platform
from infra.local.sample.activity import week_lines
from infra.local.sample.people import Programme, synthetic_programme
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.failures import PermanentFailure, StaleVersion
from prism_core.models.base import Versioned
from prism_core.tables import TABLES, TableSpec
from prism_resources.aws import client
from prism_resources.privacy import PersonKeys
from prism_resources.tables.store import TableStore, Write

SEED = 20_180_813
ACTOR = "sample"
REASON = "synthetic sample"
BATCH_WRITES, WRITERS = 50, 4


def load_sample(platform: Platform, weeks_wanted: int, until: datetime) -> None:
    """Load the sample of the `weeks_wanted` weeks that end at `until`, the instant of the first start.

    A start that was killed half-way is repeated with the same instant, so that it draws the same records.
    Raises PermanentFailure when a record is refused.
    """
    last = Week.of(until)
    weeks = WeekRange(max(platform.settings.first_week, last.window(weeks_wanted).first), last)
    programme = synthetic_programme(weeks, SEED)
    _load_programme(platform, programme)
    _load_activity(platform, programme, weeks, until)


def _load_programme(platform: Platform, programme: Programme) -> None:
    kinds: list[tuple[str, list[Versioned]]] = [
        ("members", [*programme.members]),
        ("projects", [*programme.projects]),
        ("workers", [*programme.workers]),
        ("availability", [*programme.availability]),
        ("requests", [*programme.requests]),
        ("allocations", [*programme.allocations]),
        ("quality", [*programme.records.reviews]),
        ("bugs", [*programme.records.bugs]),
        ("disputes", [*programme.records.disputes]),
        ("corrections", [*programme.records.corrections]),
        ("taxonomy", [*programme.records.taxonomy]),
    ]
    keys = PersonKeys(client(platform.settings, "dynamodb"), platform.settings)
    batches = [(TABLES[name], batch) for name, items in kinds for batch in _batches(items)]
    bar = step_progress("loading the synthetic programme", len(batches))
    with bar as progress, ThreadPoolExecutor(WRITERS) as pool:
        for _ in pool.map(lambda job: _create(platform, keys, *job), batches):
            progress.advance(progress.task_ids[0])


def _batches(items: Iterable[Versioned]) -> Iterator[list[Versioned]]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH_WRITES)):
        yield batch


def _create(platform: Platform, keys: PersonKeys, spec: TableSpec, items: list[Versioned]) -> None:
    dynamodb = client(platform.settings, "dynamodb")
    store = TableStore(dynamodb, platform.settings, spec, spec.model, keys=keys)  # type: ignore[arg-type]
    now = clock.now()
    try:
        store.transact(
            [Write(item, 0, unused=True) for item in items], actor=ACTOR, reason=REASON, request_id=ACTOR, now=now
        )
    except StaleVersion:
        # A start that was killed had written some of these: write the others, one by one.
        for item in items:
            if store.read(spec.key_of(item)) is None:
                store.create(item, actor=ACTOR, reason=REASON, request_id=ACTOR, now=now)


def _load_activity(platform: Platform, programme: Programme, weeks: WeekRange, until: datetime) -> None:
    folder = platform.home.root / "sample"
    folder.mkdir(exist_ok=True)
    paths: list[Path] = []
    with step_progress("drawing synthetic activity", len(weeks)) as progress:
        for week in weeks:
            path = folder / f"synthetic-activity-{week}.jsonl.gz"
            path.write_bytes(igzip.compress(b"".join(week_lines(programme, week, until, SEED)), mtime=0))
            progress.advance(progress.task_ids[0])
            paths.append(path)
    rejects = RejectsFile.in_folder(platform.home.rejects, "sample")
    load_files(platform, [path for path in paths if path.stat().st_size > 100], rejects)
    if rejects.count:
        raise PermanentFailure(f"{rejects.count} records of the sample were refused; see {rejects.path}")
