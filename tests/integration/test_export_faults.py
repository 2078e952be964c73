"""The export against a service that throttles, breaks and cuts off, and kills at random points.

Why real: whether a retry is taken for one is decided by the bytes on the wire, and a kill falls between two system
calls. So a fault proxy stands before the emulator, and real processes are killed.
SOAK_KILLS is the number of kills: 5 unless set.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from infra.local.platform import Platform
from prism_assets.lake.checks import judge_partition
from prism_core.calendar import Week, WeekRange
from prism_core.failures import TransientFailure
from prism_core.lake_tables import EXPORTED, QUALITY
from prism_core.models.work import QualityReview
from prism_core.tables import TABLES
from prism_resources.aws import client
from prism_resources.export.engine import Export, TableOutcome
from prism_resources.lake import Lake
from prism_resources.tables.bulk import batch_write, put_request
from prism_resources.tables.codec import encode
from prism_resources.tables.raw import Page, RawTables
from tests.integration.faults import FaultProxy, fault_proxy
from tests.integration.fresh import platform_of_this_file, worker_port
from tests.integration.warm import Script

platform = platform_of_this_file()

KILLS = int(os.environ.get("SOAK_KILLS", "5"))
WEEKS = WeekRange(Week.parse("2018-W33"), Week.parse("2018-W38"))
NOW = datetime(2018, 9, 20, 9, tzinfo=UTC)
REVIEWS_A_WEEK = 150
PUTS = {"service": "s3", "operation": "PutObject"}
SCANS = {"service": "dynamodb", "operation": "Scan"}
THROTTLED = {"code": "ProvisionedThroughputExceededException"}
_EXPORT = """
import sys
from datetime import datetime
from prism_core.calendar import WeekRange
from prism_core.lake_tables import lake_tables
from prism_core.settings import load_settings
from prism_resources.export.engine import Export
from prism_resources.lake import Lake
settings = load_settings()
export = Export(settings, Lake(settings), now=datetime.fromisoformat(sys.argv[2]))
print("ready", flush=True)
export.run(lake_tables(["quality"]), WeekRange.parse(sys.argv[1]))
"""


def write_reviews(platform: Platform, round_: int) -> None:
    """All reviews of all weeks say the round they are of."""
    spec = TABLES["quality"]
    items = (
        QualityReview(
            member_id=f"M-{number % 9}", week=week, project_id="P-1", review_id=f"R-{number:04d}", category="box",
            reviewed=10, correct=9, reviewer="lead-1", reviewed_at=week.start, notes=f"round {round_}",
        )
        for week in WEEKS
        for number in range(REVIEWS_A_WEEK)
    )  # fmt: skip
    table = platform.settings.table_name("quality")
    batch_write(client(platform.settings, "dynamodb"), table, (put_request(encode(spec, item)) for item in items))


def rounds(platform: Platform) -> dict[str, set[str]]:
    """What the reviews of each published week say; a week of two rounds would be half."""
    lake, found = Lake(platform.settings), {}
    for week in WEEKS:
        rows = lake.read_partition(QUALITY, week)
        if rows is not None:
            assert rows.num_rows == REVIEWS_A_WEEK, week
            found[week.label] = set(rows["notes"].to_pylist())
    return found


def export(platform: Platform, proxy: FaultProxy | None = None) -> tuple[TableOutcome, int]:
    """The outcome, and how many calls were repeated."""
    settings = platform.settings if proxy is None else proxy.settings(platform.settings)
    raw = RawTables(settings, sleep=lambda _: None)
    (outcome,) = Export(settings, Lake(settings), now=NOW, raw=raw).run([QUALITY], WEEKS)
    return outcome, raw.retries


def tell(capsys: pytest.CaptureFixture[str], words: str) -> None:
    """A figure for whoever watches the run."""
    with capsys.disabled():
        sys.stdout.write(f"\n{words}\n")


@pytest.fixture(scope="module")
def one_proxy(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    log = tmp_path_factory.mktemp("proxy") / "proxy.log"
    with fault_proxy(str(platform.settings.aws_endpoint_url), worker_port(5), log) as running:
        yield running


@pytest.fixture
def proxy(one_proxy: FaultProxy) -> Iterator[FaultProxy]:
    """Without the rules of another test."""
    yield one_proxy
    one_proxy.clear()


@pytest.mark.parametrize(
    "fault",
    [
        {"error": THROTTLED},
        {"error": {"code": "InternalServerError", "status": 500}},
        {"reset": True},
        {"response": {"corrupt_bytes": 16}},
        {"response": {"abort_frac": 0.5}},
    ],
    ids=["throttled", "500", "reset", "corrupt", "cut off"],
)
def test_a_scan_that_fails_three_times_goes_on(
    platform: Platform, proxy: FaultProxy, fault: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    write_reviews(platform, 0)
    proxy.rule(**SCANS, times=3, **fault)

    outcome, retries = export(platform, proxy)

    tell(capsys, f"scan {next(iter(fault))}: {retries} calls repeated, {outcome.rows} rows exported")
    assert (retries, outcome.rows) == (3, len(WEEKS) * REVIEWS_A_WEEK)
    assert rounds(platform) == {week.label: {"round 0"} for week in WEEKS}


def test_a_table_that_stays_throttled_is_said_and_the_lake_stays_as_it_is(
    platform: Platform, proxy: FaultProxy
) -> None:
    write_reviews(platform, 0)
    export(platform)
    write_reviews(platform, 1)
    proxy.rule(**SCANS, error=THROTTLED)

    with pytest.raises(TransientFailure, match=r"Scan of prism-quality: ProvisionedThroughputExceeded.*8 times"):
        export(platform, proxy)

    assert rounds(platform) == {week.label: {"round 0"} for week in WEEKS}


def test_tables_that_all_stay_throttled_fail_as_transient(platform: Platform, proxy: FaultProxy) -> None:
    settings = proxy.settings(platform.settings)
    run = Export(settings, Lake(settings), now=NOW, raw=RawTables(settings, sleep=lambda _: None))
    proxy.rule(**SCANS, error=THROTTLED)

    with pytest.raises(
        TransientFailure, match=r"2 tables failed\. quality: .*Throughput.*; saved_views: .*Through"
    ):
        run.run([QUALITY, EXPORTED["saved_views"]], WEEKS)

    assert run.finished == []


@pytest.mark.slow
def test_a_bucket_that_answers_503_now_and_then_gets_every_week(
    platform: Platform, proxy: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    write_reviews(platform, 2)
    proxy.rule(**PUTS, error={"code": "SlowDown", "status": 503}, sequence={"pass": 2, "fail": 1})

    before = proxy.fired()

    outcome, _ = export(platform, proxy)

    met = proxy.fired() - before
    tell(capsys, f"S3 503: {met} of the puts met one, {outcome.written} weeks written")
    assert met >= len(WEEKS)
    assert outcome.written == len(WEEKS)
    assert rounds(platform) == {week.label: {"round 2"} for week in WEEKS}


@pytest.mark.slow
def test_a_bucket_that_stays_down_leaves_each_week_old_or_new_and_the_next_export_ends_it(
    platform: Platform, proxy: FaultProxy
) -> None:
    write_reviews(platform, 3)
    export(platform)
    write_reviews(platform, 4)
    proxy.rule(**PUTS, error={"code": "SlowDown", "status": 503}, sequence={"pass": 4, "fail": 1_000})

    with pytest.raises(TransientFailure, match="write of s3://"):
        export(platform, proxy)

    assert all(said in ({"round 3"}, {"round 4"}) for said in rounds(platform).values())
    export(platform)
    assert rounds(platform) == {week.label: {"round 4"} for week in WEEKS}
    assert all(judge_partition(Lake(platform.settings), QUALITY, week)[0] for week in WEEKS)


@pytest.mark.slow
@pytest.mark.timeout(120 + 60 * KILLS)
def test_a_kill_leaves_each_week_old_or_new_and_the_next_export_ends_it(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(int.from_bytes(os.urandom(4)))
    write_reviews(platform, 100)
    export(platform)
    write_reviews(platform, 101)
    whole = _run(platform, None)
    new, old = 0, 0
    for round_ in range(102, 102 + KILLS):
        write_reviews(platform, round_)
        _run(platform, chance.uniform(0, whole))
        said = rounds(platform)
        assert all(one in ({f"round {round_ - 1}"}, {f"round {round_}"}) for one in said.values()), said
        new += sum(one == {f"round {round_}"} for one in said.values())
        old += sum(one == {f"round {round_ - 1}"} for one in said.values())
        export(platform)
        assert rounds(platform) == {week.label: {f"round {round_}"} for week in WEEKS}
        assert all(judge_partition(Lake(platform.settings), QUALITY, week)[0] for week in WEEKS)
    tell(capsys, f"{KILLS} kills: {new} weeks were new, {old} old, none half; each next run ended it")


def _run(platform: Platform, kill_after: float | None) -> float:
    """Run the export in a process of its own; kill it so many seconds after it began. Answers its seconds."""
    environment = {**os.environ, **platform.environment()}
    process = Script(_EXPORT, str(WEEKS), NOW.isoformat(), environment=environment)
    assert process.stdout.readline() == "ready\n"
    began = time.monotonic()
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    process.communicate()
    assert process.wait() == 0 or kill_after is not None
    return time.monotonic() - began


@pytest.mark.parametrize("segments", [1, 3])
def test_a_scan_of_many_pages_gives_every_item_once(platform: Platform, segments: int) -> None:
    dynamodb, name = client(platform.settings, "dynamodb"), platform.settings.table_name("idempotency")
    keys = [f"a#{number}" for number in range(12)]
    for key in keys:
        dynamodb.put_item(TableName=name, Item={"actor_key": {"S": key}, "body": {"S": "x" * 300_000}})
    decoder = msgspec.json.Decoder(Page[dict[str, dict[str, str]]])

    pages = list(RawTables(platform.settings).scan(name, decoder, segments=segments))

    for key in keys:
        dynamodb.delete_item(TableName=name, Key={"actor_key": {"S": key}})
    assert len(pages) > segments
    assert sorted(item["actor_key"]["S"] for page in pages for item in page) == sorted(keys)
