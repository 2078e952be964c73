"""SQL over the lake. Why real: the files are the emulator's own, and what must not be read is on this disk."""

import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.lake_tables import THROUGHPUT
from prism_core.settings import load_settings
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.query.duckdb import DuckDbEngine

WEEK = Week.parse("2020-W10")
NOW = datetime(2020, 3, 9, tzinfo=UTC)


def row(project: str, submitted: int) -> dict[str, object]:
    values: dict[str, object] = {column.name: 0 for column in THROUGHPUT.columns}
    return values | {
        "project_id": project,
        "member_id": "m",
        "day": date(2020, 3, 2),
        "tasks_submitted": submitted,
        "active_seconds": None,
        "worker_resolved": True,
        "project_resolved": False,
    }


@pytest.fixture
def engine(platform: Platform) -> DuckDbEngine:
    lake = Lake(platform.settings)
    lake.replace_partition(THROUGHPUT, WEEK, [row("p1", 3), row("p2", 4)], generation=1, now=NOW)
    return DuckDbEngine(platform.settings, lake)


def test_a_partition_that_was_written_answers_with_its_week(engine: DuckDbEngine) -> None:
    result = engine.query(
        "SELECT week, sum(tasks_submitted) AS tasks FROM throughput WHERE week = '2020-W10' GROUP BY week"
    )

    assert result.columns == ("week", "tasks")
    assert result.rows == [("2020-W10", 7)]


def test_whole_numbers_divide_as_they_do_in_trino(engine: DuckDbEngine) -> None:
    result = engine.query(
        "SELECT 7 / 2, sum(tasks_submitted) / count(*), avg(tasks_submitted), 7 / 2e0 "
        "FROM throughput WHERE week = '2020-W10'"
    )

    assert result.rows == [(3, 3, 3.5, 3.5)]
    with pytest.raises(BadUsage, match="Division by zero"):
        engine.query("SELECT 1 / 0")


def test_replacing_a_partition_leaves_nothing_of_the_old_one(platform: Platform, engine: DuckDbEngine) -> None:
    Lake(platform.settings).replace_partition(THROUGHPUT, WEEK, [row("p3", 5)], generation=2, now=NOW)

    result = engine.query("SELECT project_id, tasks_submitted FROM throughput WHERE week = '2020-W10'")

    assert result.rows == [("p3", 5)]
    Lake(platform.settings).replace_partition(THROUGHPUT, WEEK, [row("p1", 3)], generation=3, now=NOW)


def test_a_deleted_partition_is_gone_though_its_file_may_linger(platform: Platform) -> None:
    lake, week = Lake(platform.settings), Week.parse("2020-W11")
    lake.replace_partition(THROUGHPUT, week, [row("gone", 1)], generation=1, now=NOW)
    client(platform.settings, "s3").delete_object(Bucket=lake.bucket, Key=THROUGHPUT.partition(week).parquet)

    result = DuckDbEngine(platform.settings, lake).query("SELECT count(*) FROM throughput WHERE week = '2020-W11'")

    assert result.rows == [(0,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM throughput, read_blob('/etc/hostname')",
        "SELECT (SELECT content FROM read_text('/etc/passwd'))",
        "SELECT getenv('HOME')",
        "COPY (SELECT 1) TO '/tmp/prism-leak'",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM information_schema.tables",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "DROP VIEW throughput",
        "SELECT 1; SELECT 2",
    ],
)
def test_nothing_outside_the_lake_can_be_read_or_changed(engine: DuckDbEngine, sql: str) -> None:
    with pytest.raises(BadUsage):
        engine.query(sql)

    assert not Path("/tmp/prism-leak").exists()  # noqa: S108 - the very path the statement names


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT * FROM "{file}" AS x WHERE 1 = (WITH "{file}" AS (SELECT 1 AS a) SELECT max(a) FROM "{file}")',
        'WITH RECURSIVE "{file}" AS (SELECT * FROM "{file}") SELECT * FROM "{file}"',
    ],
)
def test_a_file_beside_the_lake_is_not_read_under_the_name_of_a_with(
    platform: Platform, engine: DuckDbEngine, sql: str
) -> None:
    lake = Lake(platform.settings)
    lake.put("uploads/people.csv", b"name,a\nAnn,1\n", content_type="text/csv")
    file = platform.settings.local_lake_path / "uploads" / "people.csv"
    assert file.exists()

    with pytest.raises(BadUsage, match="there is no table"):
        engine.query(sql.format(file=file))


def test_the_connection_itself_reads_the_parquet_files_and_nothing_beside_them(
    platform: Platform, engine: DuckDbEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lake(platform.settings).put("uploads/people.csv", b"name,a\nAnn,1\n", content_type="text/csv")
    root = platform.settings.local_lake_path
    monkeypatch.setattr("prism_resources.query.sql._refuse_unknown_tables", lambda _query, _tables: None)

    for file in (root / "uploads/people.csv", root / "lake/parquet/../../uploads/people.csv"):
        with pytest.raises(BadUsage, match="disabled by configuration"):
            engine.query(f'SELECT * FROM "{file}"')  # noqa: S608 - the file above
    with pytest.raises(BadUsage, match="root does not exist"):
        engine.query("SELECT * FROM root")


def test_a_query_that_fails_says_why_in_one_line(engine: DuckDbEngine) -> None:
    with pytest.raises(BadUsage, match="nope") as failure:
        engine.query("SELECT nope FROM throughput")

    assert "\n" not in str(failure.value)


def test_equal_content_is_not_written_again(platform: Platform) -> None:
    lake, week = Lake(platform.settings), Week.parse("2020-W12")
    s3, key = client(platform.settings, "s3"), THROUGHPUT.partition(week).parquet
    first = lake.replace_partition(THROUGHPUT, week, [row("p", 1)], generation=1, now=NOW)
    version = s3.head_object(Bucket=lake.bucket, Key=key)["VersionId"]

    second = lake.replace_partition(THROUGHPUT, week, [row("p", 1)], generation=1, now=NOW)

    assert (first.written, second.written) == (True, False)
    assert s3.head_object(Bucket=lake.bucket, Key=key)["VersionId"] == version


def test_a_query_that_takes_too_long_is_ended_and_the_setting_is_named(platform: Platform) -> None:
    settings = load_settings(home=platform.settings.home, query_timeout_seconds=1)
    numbers = ", ".join(f"UNNEST(sequence(1, 10000)) AS t{place} (x{place})" for place in range(4))
    endless = f"SELECT count(*) AS n FROM {numbers} WHERE (x0 * x1 * x2 * x3) % 7 = 3"  # noqa: S608
    started = time.monotonic()

    with pytest.raises(TransientFailure, match="PRISM_QUERY_TIMEOUT_SECONDS"):
        DuckDbEngine(settings, Lake(settings)).query(endless)

    assert time.monotonic() - started < 100


def test_a_query_that_needs_too_much_memory_fails_and_fills_no_disk(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prism_resources.query.duckdb.MEMORY_LIMIT", "50MB")

    with pytest.raises(PermanentFailure, match="more than 50MB of memory"):
        DuckDbEngine(platform.settings, Lake(platform.settings)).query(
            "SELECT array_agg(CAST(x AS varchar) || 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') AS a "
            "FROM UNNEST(sequence(1, 5000000)) AS t (x)"
        )


def test_dates_and_names_of_the_answer_are_those_of_trino(engine: DuckDbEngine) -> None:
    result = engine.query(
        "SELECT date_trunc('month', day), count(*) FROM throughput WHERE week = '2020-W10' GROUP BY 1"
    )

    assert (result.columns, result.rows) == (("_col0", "_col1"), [(date(2020, 3, 1), 2)])
