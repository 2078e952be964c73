"""Two exports of the same weeks at once, as of a person at the command line and of a schedule.

Why real: who was first is decided by the bucket, between two processes.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import IO

import pytest

from infra.local.platform import Platform
from prism_assets.lake.checks import judge_partition
from prism_core.calendar import Week, WeekRange
from prism_core.lake_tables import QUALITY
from prism_core.models.work import QualityReview
from prism_core.tables import TABLES
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.tables.bulk import batch_write, put_request
from prism_resources.tables.codec import encode
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file()

WEEKS = WeekRange(Week.parse("2018-W33"), Week.parse("2018-W36"))
NOW = datetime(2018, 9, 20, 9, tzinfo=UTC)
REVIEWS = 20
# Says when it has read the table, and waits for a word before it writes; each time that it is told to.
_EXPORT = """
import sys
from datetime import datetime
from prism_core.calendar import WeekRange
from prism_core.lake_tables import QUALITY
from prism_core.settings import load_settings
from prism_resources.export.engine import Export
from prism_core.failures import TransientFailure
from prism_resources.lake import Lake
settings, waits = load_settings(), int(sys.argv[3])
read = 0
def progress(table, items):
    global read
    read += 1
    print("read", read, flush=True)
    if read <= waits:
        sys.stdin.readline()
export = Export(settings, Lake(settings), now=datetime.fromisoformat(sys.argv[2]), progress=progress)
try:
    (outcome,) = export.run([QUALITY], WeekRange.parse(sys.argv[1]))
except TransientFailure as failure:
    sys.exit(str(failure))
print("written", outcome.written, flush=True)
"""


def write_reviews(platform: Platform, round_: int) -> None:
    """All reviews of all weeks say the round they are of."""
    items = (
        QualityReview(
            member_id="M-1", week=week, project_id="P-1", review_id=f"R-{number:04d}", category="box", reviewed=10,
            correct=9, reviewer="lead-1", reviewed_at=week.start, notes=f"round {round_}",
        )
        for week in WEEKS
        for number in range(REVIEWS)
    )  # fmt: skip
    table = platform.settings.table_name("quality")
    requests = (put_request(encode(TABLES["quality"], item)) for item in items)
    batch_write(client(platform.settings, "dynamodb"), table, requests)


def begin(platform: Platform, *, waits: int = 0) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _EXPORT, str(WEEKS), NOW.isoformat(), str(waits)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **platform.environment()},
    )  # fmt: skip


def line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def go_on(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def published(platform: Platform) -> list[set[str]]:
    """What the reviews of each week say; every week is whole."""
    lake = Lake(platform.settings)
    assert [
        judge_partition(lake, QUALITY, week) for week in WEEKS if not judge_partition(lake, QUALITY, week)[0]
    ] == []
    found = [lake.read_partition(QUALITY, week) for week in WEEKS]
    return [set() if rows is None else set(map(str, rows["notes"].to_pylist())) for rows in found]


@pytest.mark.slow
def test_an_export_that_read_before_another_one_wrote_reads_again_and_takes_nothing_back(
    platform: Platform,
) -> None:
    write_reviews(platform, 1)
    slow = begin(platform, waits=1)
    assert line(slow.stdout) == "read 1"
    write_reviews(platform, 2)
    quick, said = begin(platform), ""
    said, _ = quick.communicate(timeout=240)
    assert said.splitlines()[-1] == f"written {len(WEEKS)}"

    go_on(slow)
    said, problem = slow.communicate(timeout=240)

    assert (slow.returncode, problem) == (0, "")
    assert said.splitlines() == ["read 2", "written 0"]
    assert published(platform) == [{"round 2"}] * len(WEEKS)


@pytest.mark.slow
def test_an_export_that_always_comes_second_says_so_and_leaves_the_others_weeks(platform: Platform) -> None:
    write_reviews(platform, 10)
    slow = begin(platform, waits=3)
    for round_ in (11, 12, 13):
        assert line(slow.stdout) == f"read {round_ - 10}"
        write_reviews(platform, round_)
        quick = begin(platform)
        quick.communicate(timeout=240)
        go_on(slow)

    _, problem = slow.communicate(timeout=240)

    assert slow.returncode == 1
    assert "another run has written s3://" in problem
    assert "start this one again" in problem
    assert published(platform) == [{"round 13"}] * len(WEEKS)


@pytest.mark.slow
def test_of_two_exports_at_once_each_ends_or_says_why_and_every_week_is_whole(platform: Platform) -> None:
    for round_ in range(20, 23):
        write_reviews(platform, round_)
        both = [begin(platform), begin(platform)]
        ended = [process.communicate(timeout=240) for process in both]

        for process, (said, problem) in zip(both, ended, strict=True):
            assert process.returncode == 0 or "another run has written s3://" in problem, (said, problem)
        assert 0 in [process.returncode for process in both]
        assert published(platform) == [{f"round {round_}"}] * len(WEEKS)
