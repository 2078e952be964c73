"""Two runs that compute the same weeks at once, as of the daemon and of a person at the command line.

Why real: who was first is decided by DynamoDB and by the bucket, between two processes.
"""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_assets.resources import PrismResource
from prism_assets.restatements.book import book
from prism_core.calendar import Week, WeekRange
from prism_core.lake_tables import QUALITY_SCORES, THROUGHPUT, UNRESOLVED_WORKERS
from prism_core.models.work import QualityReview
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus
from prism_core.tables import QUALITY
from prism_resources.lake import Lake
from prism_resources.restatements import RestatementLog
from prism_resources.worker_activity.ingest import FileIngest
from prism_resources.worker_activity.landing import Landing
from tests.integration.asset_runs import lake_rows, run_assets, write
from tests.integration.fresh import platform_of_this_file
from tests.integration.helpers import POOL, record, write_lines
from tests.integration.warm import Script

platform = platform_of_this_file()

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("platform")]
NOW = datetime(2018, 9, 26, 9, tzinfo=UTC)
WEEKS = WeekRange(Week.parse("2018-W33"), Week.parse("2018-W34"))
# Says each time that it has come to a place, and waits there for a word, so many times as it is told to.
_RUN = """
import sys
from datetime import datetime
import dagster as dg
from prism_core.calendar import WeekRange
from tests.integration.asset_runs import run_assets
asset, weeks, place, waits = *sys.argv[1:4], int(sys.argv[4])
came = 0
def stopping(call):
    def stopped(*arguments, **named):
        global came
        found = call(*arguments, **named)
        came += 1
        print("came to", place, came, flush=True)
        if came <= waits:
            sys.stdin.readline()
        return found
    return stopped
from prism_assets.quality.computing import QualityComputation
from prism_assets.restatements import gate
from prism_assets.throughput import publish, unresolved
places = {
    "throughput": (publish, "_compute"),
    "quality_scores": (QualityComputation, "week"),
    "unresolved_workers": (unresolved._Computation, "week"),
    "compared": (gate, "compare"),
}
owner, name = places[place]
setattr(owner, name, stopping(getattr(owner, name)))
with dg.DagsterInstance.ephemeral() as instance:
    result = run_assets(instance, WeekRange.parse(weeks), asset)
    for event in result.get_step_failure_events():
        print(event.step_failure_data.error, flush=True)
sys.exit(not result.success)
"""
_ALWAYS_SECOND = """
import sys
from prism_assets.resources import PrismResource
from prism_assets.throughput import publish
from prism_core import clock
from prism_core.calendar import WeekRange
from prism_core.failures import TransientFailure
from prism_resources.tables.generations import Generations
weeks, prism = list(WeekRange.parse(sys.argv[1])), PrismResource()
compute = publish._compute
def stopped(*arguments):
    found = compute(*arguments)
    print("computed", flush=True)
    sys.stdin.readline()
    return found
publish._compute = stopped
try:
    publish.publish_week(prism, publish.read_for(prism, weeks), weeks[0], clock.now())
except TransientFailure as failure:
    sys.exit(str(failure))
"""


@pytest.fixture(autouse=True)
def now(platform: Platform) -> Iterator[None]:
    """A Wednesday on which all these weeks are published as soon as they are computed."""
    del platform
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRISM_NOW", NOW.isoformat())
        yield


def begin(platform: Platform, script: str, *arguments: str) -> Script:
    environment = {**os.environ, **platform.environment(), "PRISM_NOW": NOW.isoformat()}
    return Script(script, *arguments, environment=environment)


def run(asset: str, weeks: WeekRange) -> None:
    """One run from its beginning to its end, in this process."""
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_assets(instance, weeks, asset).success


def stopped_at(platform: Platform, asset: str, weeks: WeekRange, place: str) -> Script:
    """A run that has come to a place, and waits there."""
    process = begin(platform, _RUN, asset, str(weeks), place, "1")
    wait_for(process, f"came to {place} 1")
    return process


def wait_for(process: Script, line: str) -> None:
    assert line in (said.strip() for said in process.stdout), f"it ended before {line!r}"


def go_on(process: Script) -> None:
    process.stdin.write("\n")
    process.stdin.flush()


def ended(process: Script) -> str:
    go_on(process)
    said = process.communicate()
    assert process.wait() == 0, said
    return said


def load(platform: Platform, folder: Path, weeks: WeekRange, sub: str) -> None:
    """Three records of a worker in each week."""
    seconds = [int(week.start.timestamp()) + 36_000 + number for week in weeks for number in range(3)]
    path = write_lines(folder / f"{sub}.jsonl", [record(at, sub=sub) for at in seconds])
    counts = FileIngest(Landing(Lake(platform.settings)), weeks, NOW).load(path, lambda _: None, lambda _: None)
    assert counts.loaded == len(seconds)


def resolve(sub: str, member: str) -> None:
    """Say who a worker is."""
    current = PrismResource().workers().get(worker_key=f"{POOL}#{sub}")
    worker = Worker(
        worker_key=f"{POOL}#{sub}", pool=POOL, sub=sub, status=WorkerStatus.RESOLVED, last_seen=NOW,
        periods=(WorkerPeriod(member=member, from_=date(2018, 1, 1)),), version=getattr(current, "version", 1),
    )  # fmt: skip
    write("workers", [worker])


def in_table(week: Week) -> set[str]:
    return {item.member_id for item in PrismResource().throughput().week(week)}


def in_lake(week: Week) -> set[str]:
    return {row["member_id"] for row in lake_rows(THROUGHPUT, week)}


def review(week: Week, correct: int) -> None:
    """The one review of a week says so many correct pieces of a thousand."""
    reader = PrismResource().reader(QUALITY, QualityReview)
    stored = reader.get(member_id="M-1", week=week, project_id="P-1", review_id="R-1")
    values = QualityReview(
        member_id="M-1", week=week, project_id="P-1", review_id="R-1", category="box", reviewed=1_000,
        correct=correct, reviewer="lead-1", reviewed_at=week.start, version=getattr(stored, "version", 1),
    )  # fmt: skip
    write("quality", [values])


def correct(week: Week) -> list[int]:
    return [row["correct"] for row in lake_rows(QUALITY_SCORES, week)]


def test_a_run_that_read_the_registers_before_a_worker_was_resolved_reads_them_again_for_every_week(
    platform: Platform, tmp_path: Path
) -> None:
    load(platform, tmp_path, WEEKS, "late-known")
    slow = stopped_at(platform, "throughput", WEEKS, "throughput")
    resolve("late-known", "M-late")
    run("throughput", WEEKS)

    ended(slow)

    assert [in_table(week) for week in WEEKS] == [{"M-late"}, {"M-late"}]
    assert [in_lake(week) for week in WEEKS] == [{"M-late"}, {"M-late"}]
    assert [RestatementLog(Lake(platform.settings)).entries("throughput", week) for week in WEEKS] == [[], []]


def test_a_run_that_always_comes_second_says_so_and_leaves_the_others_week(
    platform: Platform, tmp_path: Path
) -> None:
    week = Week.parse("2018-W35")
    one = WeekRange(week, week)
    load(platform, tmp_path, one, "much-moved")
    slow = begin(platform, _ALWAYS_SECOND, str(one))
    for number in range(3):
        wait_for(slow, "computed")
        resolve("much-moved", f"M-{number}")
        run("throughput", one)
        go_on(slow)

    slow.communicate()

    assert slow.wait() == 1
    assert (in_table(week), in_lake(week)) == ({"M-2"}, {"M-2"})


def test_scores_from_reviews_as_they_were_before_do_not_replace_those_of_a_faster_run(platform: Platform) -> None:
    week = Week.parse("2018-W33")
    one = WeekRange(week, week)
    review(week, 500)
    slow = stopped_at(platform, "quality_scores", one, "quality_scores")
    review(week, 900)  # so far from the other that it would be refused
    run("quality_scores", one)

    said = ended(slow)

    assert "came to quality_scores 2" in said
    assert correct(week) == [900]
    assert RestatementLog(Lake(platform.settings)).recorded(QUALITY_SCORES, week).entries == ()


def test_two_runs_that_restate_a_week_at_once_leave_the_restatement_of_the_faster_one_alone(
    platform: Platform,
) -> None:
    week = Week.parse("2018-W34")
    one = WeekRange(week, week)
    review(week, 900)
    run("quality_scores", one)
    review(week, 880)
    slow = stopped_at(platform, "quality_scores", one, "compared")
    review(week, 890)
    run("quality_scores", one)

    ended(slow)

    booked = book(PrismResource(), week, NOW)
    moved = {(row.old, row.new) for entry in booked.entries for row in entry.rows if row.measure == "correct"}
    assert correct(week) == [890]
    assert (moved, len(booked.abandoned)) == ({(900.0, 890.0)}, 1)


def test_names_that_were_resolved_meanwhile_do_not_come_back(platform: Platform, tmp_path: Path) -> None:
    week = Week.parse("2018-W36")
    one = WeekRange(week, week)
    load(platform, tmp_path, one, "stranger")
    run("throughput", one)
    slow = stopped_at(platform, "unresolved_workers", one, "unresolved_workers")
    resolve("stranger", "M-found")
    run("throughput", one)
    run("unresolved_workers", one)

    said = ended(slow)

    assert "came to unresolved_workers 2" in said
    assert {row["kind"] for row in lake_rows(UNRESOLVED_WORKERS, week)} == {"job"}
