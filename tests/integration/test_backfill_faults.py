"""A backfill of weekly assets that is killed at random points.

Why real: a kill falls between two system calls of a process that writes tables, the lake and Dagster's storage.
SOAK_KILLS is the number of kills: 2 unless set.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_assets.lake.checks import judge_partition
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import BECAUSE_TAG
from prism_core.calendar import Week, WeekRange
from prism_core.lake import LakeTable
from prism_core.lake_tables import ALLOCATIONS, MEMBERS, QUALITY, QUALITY_SCORES, THROUGHPUT, UTILISATION
from prism_core.models.people import Member
from prism_core.models.projects import LabelingJob, Project
from prism_core.models.work import Allocation, QualityReview, ThroughputWeek
from prism_core.tables import TABLES
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.tables.bulk import batch_write, put_request
from prism_resources.tables.codec import encode
from prism_resources.worker_activity.ingest import FileIngest
from prism_resources.worker_activity.landing import Landing
from tests.integration.asset_runs import run_assets, write
from tests.integration.fresh import platform_of_this_file
from tests.integration.helpers import record, write_lines
from tests.integration.warm import Script

platform = platform_of_this_file()

KILLS = int(os.environ.get("SOAK_KILLS", "2"))
WEEKS = WeekRange(Week.parse("2018-W33"), Week.parse("2018-W34"))
NOW = datetime(2018, 9, 12, 9, tzinfo=UTC)
BEFORE = datetime(2018, 8, 1, 9, tzinfo=UTC)
ASSETS = ("throughput", "quality_reviews", "quality_scores", "allocations", "members", "utilisation")
WRITTEN = (THROUGHPUT, QUALITY, QUALITY_SCORES, ALLOCATIONS, MEMBERS, UTILISATION)
TAGS = {BECAUSE_TAG: "every round says other figures"}
REVIEWS_A_WEEK = 100
_BACKFILL = """
import sys
import dagster as dg
from prism_core.calendar import WeekRange
from tests.integration.asset_runs import run_assets
storage, weeks, tag, why, *assets = sys.argv[1:]
with dg.DagsterInstance.local_temp(storage) as instance:
    print("ready", flush=True)
    result = run_assets(instance, WeekRange.parse(weeks), *assets, tags={tag: why})
sys.exit(not result.success)
"""


# Project, member, day and tasks.
Done = tuple[str, str, date, int]


class Backfilled(NamedTuple):
    """A platform, and the folder of Dagster's storage."""

    platform: Platform
    storage: Path


@pytest.fixture(scope="module")
def backfilled(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backfilled]:
    """Two people, one project, and a Wednesday after the last of three weeks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRISM_NOW", NOW.isoformat())
        base = {"name": "N", "email": "n@example.org", "time_zone": "UTC", "hours": {"mon": "6"}}
        write("members", [Member.model_validate(base | {"member_id": f"M-{n}"}) for n in range(2)], now=BEFORE)
        job = LabelingJob(job="boxes-*", valid_from=date(2018, 1, 1))
        project = Project(
            project_id="P-1", name="Boxes", category="c", demand_hours=Decimal(8), labeling_jobs=(job,)
        )
        write("projects", [project], now=BEFORE)
        yield Backfilled(platform, tmp_path_factory.mktemp("dagster"))


def write_round(found: Backfilled, round_: int, folder: Path) -> None:
    """Every table of every week says other figures than in the round before."""
    reviews = [
        QualityReview(
            member_id=f"M-{number % 2}", week=week, project_id="P-1", review_id=f"R-{number:04d}", category="box",
            reviewed=1_000, correct=500 + round_, reviewer="lead-1", reviewed_at=week.start, notes=f"{round_}",
        )
        for week in WEEKS
        for number in range(REVIEWS_A_WEEK)
    ]  # fmt: skip
    settings = found.platform.settings
    requests = (put_request(encode(TABLES["quality"], review)) for review in reviews)
    batch_write(client(settings, "dynamodb"), settings.table_name("quality"), requests)
    hours = Decimal(round_) / 100
    planned = [Allocation(member_id="M-0", week=w, project_id="P-1", hours={w.monday: hours}) for w in WEEKS]
    stored = 1 if round_ == 0 else round_
    write("allocations", [one.model_copy(update={"version": stored}) for one in planned], now=NOW)
    lines: list[bytes | dict[str, Any]] = [
        record(int(week.start.timestamp()) + 36_000 + 60 * round_ + second, sub=f"sub-{second}", job="boxes-1")
        for week in WEEKS
        for second in range(3)
    ]
    ingest = FileIngest(Landing(Lake(settings)), WEEKS, NOW)
    path = write_lines(folder / f"round-{round_}.jsonl", lines)
    counts = ingest.load(path, lambda rejected: pytest.fail(str(rejected)), lambda _: None)
    assert counts.loaded == len(lines)


def published(found: Backfilled) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """What the lake says of every week of every table."""

    def rows(table: LakeTable, week: Week) -> list[dict[str, Any]]:
        read = Lake(found.platform.settings).read_partition(table, week)
        return [] if read is None else read.to_pylist()

    return {(table.name, week.label): rows(table, week) for table in WRITTEN for week in WEEKS}


def in_table(week: Week) -> list[Done]:
    """What screens read of the throughput of a week: of one generation."""
    items = PrismResource().throughput().week(week)
    return sorted(
        (one.project_id, one.member_id, day.day, day.tasks_submitted) for one in items for day in one.days
    )


def in_lake(rows: list[dict[str, Any]]) -> list[Done]:
    return sorted((row["project_id"], row["member_id"], row["day"], row["tasks_submitted"]) for row in rows)


def generations(week: Week) -> set[int]:
    """Of all throughput rows of a week that lie in the table."""
    stored = PrismResource().reader(TABLES["throughput"], ThroughputWeek).query("by_week", week=week)
    return {row.generation for row in stored}


def finish(found: Backfilled) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Start the backfill and let it end; answers what it published."""
    with dg.DagsterInstance.local_temp(str(found.storage)) as instance:
        result = run_assets(instance, WEEKS, *ASSETS, tags=TAGS)
        failures = {event.step_key: event.step_failure_data.error for event in result.get_step_failure_events()}
        assert (result.success, failures) == (True, {})
    verdicts = {
        (table.name, week.label): judge_partition(Lake(found.platform.settings), table, week)
        for table in WRITTEN
        for week in WEEKS
    }
    assert {place: facts for place, (whole, facts) in verdicts.items() if not whole} == {}
    new = published(found)
    assert {week: in_table(week) for week in WEEKS} == {
        week: in_lake(new["throughput", week.label]) for week in WEEKS
    }
    controls = PrismResource().throughput().controls(WEEKS.first, WEEKS.last)
    assert {week: generations(week) for week in WEEKS} == {week: {controls[week].generation} for week in WEEKS}
    return new


def backfill(found: Backfilled, kill_after: float | None) -> float:
    """The backfill in a process of its own, killed so many seconds after it began. Answers its seconds."""
    arguments = [str(found.storage), str(WEEKS), *next(iter(TAGS.items())), *ASSETS]
    process = Script(_BACKFILL, *arguments, environment={**os.environ, **found.platform.environment()})
    assert process.stdout.readline() == "ready\n"
    began = time.monotonic()
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    process.communicate()
    assert process.wait() == 0 or kill_after is not None
    return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.timeout(300 + 150 * KILLS)
def test_a_kill_within_a_backfill_leaves_each_week_old_or_new_and_starting_again_ends_it(
    backfilled: Backfilled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(int.from_bytes(os.urandom(4)))
    write_round(backfilled, 0, tmp_path)
    whole = backfill(backfilled, None)
    old = published(backfilled)
    were_new, were_old = 0, 0
    for round_ in range(1, 1 + KILLS):
        write_round(backfilled, round_, tmp_path)
        backfill(backfilled, chance.uniform(0, whole))
        left, left_in_table = published(backfilled), {week: in_table(week) for week in WEEKS}

        new = finish(backfilled)

        for week, rows in left_in_table.items():
            assert rows in (in_lake(old["throughput", week.label]), in_lake(new["throughput", week.label]))
        half = [place for place, rows in left.items() if rows not in (old[place], new[place])]
        assert half == []
        changed = [place for place in new if new[place] != old[place]]
        assert {table for table, _ in changed} >= {"throughput", "quality", "quality_scores", "allocations"}
        were_new += sum(left[place] == new[place] for place in changed)
        were_old += sum(left[place] == old[place] for place in changed)
        old = new
    with capsys.disabled():
        sys.stdout.write(
            f"\n{KILLS} kills of a backfill: {were_new} weeks were new, {were_old} old, none half; starting it "
            "again ended each\n"
        )
