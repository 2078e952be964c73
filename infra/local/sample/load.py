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
from infra.local.sample.past import Story, stories
from infra.local.sample.people import Programme, synthetic_programme
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.failures import PermanentFailure, StaleVersion
from prism_core.models.base import Versioned
from prism_core.tables import TABLES, TableSpec
from prism_resources.aws import client
from prism_resources.privacy import PersonKeys
from prism_resources.tables.reader import TableReader
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
    load_programme(platform, programme, weeks, until)
    _load_activity(platform, programme, weeks, until)


def load_programme(platform: Platform, programme: Programme, weeks: WeekRange, until: datetime) -> None:
    """Every item with its past: first all as they were created, then round by round what became of them."""
    told = stories(programme, weeks, until)
    rounds = max(len(story) for _, of_table in told for story in of_table)
    jobs = [
        (number, TABLES[name], batch)
        for number in range(rounds)
        for name, of_table in told
        for batch in _batches(story for story in of_table if len(story) > number)
    ]
    dynamodb = client(platform.settings, "dynamodb")
    keys = PersonKeys(dynamodb, platform.settings)
    first = TABLES[told[0][0]]
    reader = TableReader(dynamodb, platform.settings, first, first.model)
    # The first batch is written alone: where its first item is, a start that was killed may have written others.
    empty = reader.read(first.key_of(told[0][1][0][0].item)) is None
    bar = step_progress("loading the synthetic programme", len(jobs))
    with bar as progress, ThreadPoolExecutor(WRITERS) as pool:
        for part in ([jobs[0]], *([job for job in jobs[1:] if job[0] == number] for number in range(rounds))):
            # Round by round: a later step is written on the one before it.
            for _ in pool.map(lambda job: _write(platform, keys, *job, empty=empty), part):
                progress.advance(progress.task_ids[0])


def _batches(stories_of_table: Iterable[Story]) -> Iterator[list[Story]]:
    remaining = iter(stories_of_table)
    while batch := list(islice(remaining, BATCH_WRITES)):
        yield batch


def _write(
    platform: Platform, keys: PersonKeys, number: int, spec: TableSpec, batch: list[Story], *, empty: bool
) -> None:
    """Step `number` of some items of a table; the version of an item is the number of its steps."""
    dynamodb = client(platform.settings, "dynamodb")
    store = TableStore(dynamodb, platform.settings, spec, spec.model, keys=keys)  # type: ignore[arg-type]
    now, first = clock.now(), spec.item_key(spec.key_of(batch[0][number].item))
    # Of this very batch: what a killed start wrote of it, it wrote whole.
    request_id = f"{ACTOR} {number} {len(batch)} {first}"
    writes = [
        Write(story[number].item, number, unused=empty and not number, recorded=story[number].at)
        for story in batch
    ]
    try:
        store.transact(writes, actor=ACTOR, reason=REASON, request_id=request_id, now=now)
    except StaleVersion:
        # A start that was killed had written some of these, or all that became of them: write the others.
        for write in writes:
            current = store.get(**{part: getattr(write.item, part) for part in spec.key_parts})
            if (current.version if isinstance(current, Versioned) else 0) == number:
                store.transact([write], actor=ACTOR, reason=REASON, request_id=request_id, now=now)


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
