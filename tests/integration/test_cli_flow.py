"""The command line from an empty home. Why real: these are the README's commands, in processes of their own.

The first ones start as a shell starts them.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from infra.local.emulator.process import REPOSITORY
from infra.local.home import Home
from infra.local.platform import running_platform
from tests.integration.fresh import served, worker_port
from tests.integration.helpers import (
    PRISM,
    REAL_FILES,
    descendants,
    prism,
    prism_from_nothing,
    record,
    seconds,
    write_lines,
)

TASKS_BY_WEEK = "SELECT week, SUM(tasks_submitted) AS tasks FROM throughput GROUP BY week ORDER BY week"
KNOWN = "week,tasks\n2018-W33,1000\n2018-W34,2000\n2018-W35,976\n2018-W36,840\n"
FILES = [str(path) for path in REAL_FILES]


@pytest.fixture(scope="module")
def loaded_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with the four real weeks, made with the commands of the README, and served from then on."""
    home = tmp_path_factory.mktemp("cli") / "home"
    started = prism_from_nothing(home, "up", "--once", "--no-sample", "--port", str(worker_port(3)))
    assert started.returncode == 0, started.stderr
    assert prism_from_nothing(home, "ingest", "worker-activity", *FILES).returncode == 0
    assert prism_from_nothing(home, "materialize", "throughput", "--weeks", "2018-W33..2018-W36").returncode == 0
    with served(home):
        yield home


def test_the_worked_example_prints_the_known_figures(loaded_home: Path) -> None:
    answer = prism_from_nothing(loaded_home, "query", TASKS_BY_WEEK, "--format", "csv")

    assert (answer.returncode, answer.stdout) == (0, KNOWN)


def test_the_worked_example_a_second_time_changes_nothing(loaded_home: Path) -> None:
    again = prism(loaded_home, "ingest", "worker-activity", *FILES, "--json")
    prism(loaded_home, "materialize", "throughput", "--weeks", "2018-W33..2018-W36")

    total = json.loads(again.stdout)["total"]
    assert (again.returncode, total) == (0, {"read": 4816, "loaded": 0, "duplicate": 4816, "rejected": 0})
    assert prism(loaded_home, "query", TASKS_BY_WEEK, "--format", "csv").stdout == KNOWN


def test_the_operations_report_of_a_real_week_is_written_as_the_mail_that_it_becomes(
    loaded_home: Path, tmp_path: Path
) -> None:
    written = prism(loaded_home, "report", "ops", "2018-W36", "--out", str(tmp_path / "mail"), "--json")
    early = prism(loaded_home, "report", "ops", "2018-W32", "--out", str(tmp_path / "none"))

    found = json.loads(written.stdout)
    assert (found["subject"].partition(":")[0], found["synthetic"]) == ("Operations report 2018-W36", False)
    assert sorted(Path(one).name for one in found["files"]) == sorted(
        one.name for one in (tmp_path / "mail").iterdir()
    )
    text = (tmp_path / "mail" / "report.txt").read_text()
    assert "Tasks: 840" in text
    assert "2018-W33: 1,000" in text
    assert (early.returncode, (tmp_path / "none").exists()) == (2, False)


def test_the_home_remembers_its_first_week(loaded_home: Path) -> None:
    answer = prism(loaded_home, "query", TASKS_BY_WEEK, "--format", "json", first_week="")

    assert [row["tasks"] for row in json.loads(answer.stdout)] == [1000, 2000, 976, 840]


def test_a_view_is_written_to_files_and_a_query_that_fails_leaves_the_old_one(
    loaded_home: Path, tmp_path: Path
) -> None:
    book, rows, kept = tmp_path / "w.xlsx", tmp_path / "w.parquet", tmp_path / "kept.csv"
    kept.write_text("before")
    totals = "SELECT week, SUM(tasks_submitted) AS tasks FROM weekly_delivery GROUP BY week ORDER BY week"

    done = [prism(loaded_home, "query", totals, "--out", str(path)) for path in (book, rows)]
    failed = prism(loaded_home, "query", "SELECT 1 / 0 FROM weekly_delivery", "--out", str(kept))

    assert [one.returncode for one in done] == [0, 0], done
    assert "4 rows in" in " ".join(done[0].stderr.split())
    sheet = openpyxl.load_workbook(book).active
    assert sheet is not None
    found = [f"{week},{tasks}" for week, tasks in sheet.iter_rows(values_only=True)]
    assert "\n".join([*found, ""]) == KNOWN
    assert [row["tasks"] for row in pq.read_table(rows).to_pylist()] == [1000, 2000, 976, 840]
    assert (failed.returncode, kept.read_text()) == (2, "before")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.csv", "w.parquet", "w.xlsx"]


def test_a_bad_file_loads_what_is_good_exits_with_1_and_names_the_rejects_file(
    loaded_home: Path, tmp_path: Path
) -> None:
    at = seconds("2018-09-11T10:00:00+00:00")
    path = write_lines(tmp_path / "mixed.jsonl", [record(at), b"{broken", record(at + 1)])

    answer = prism(loaded_home, "ingest", "worker-activity", str(path), "--json")

    facts = json.loads(answer.stdout)
    rejects = [json.loads(line) for line in Path(facts["rejects_file"]).read_text().splitlines()]
    assert answer.returncode == 1
    assert (facts["total"]["loaded"], facts["total"]["rejected"]) == (2, 1)
    assert [(row["file"], row["line"]) for row in rejects] == [(str(path), 2)]
    assert "not JSON" in rejects[0]["reason"]
    assert facts["rejects_file"] in answer.stderr.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("query", "SELECT * FROM nowhere"), "tables are: alerts"),
        (("query",), "--views"),
        (("query", "SELECT 1", "--format", "xlsx"), "add --out FILE"),
        (("query", "SELECT 1", "--out", "answer.doc"), "does not say its form"),
        (("query", "DELETE FROM throughput"), "only SELECT"),
        (("materialize", "throughput", "--weeks", "2018-W54"), "2018 has weeks W01 to W52"),
        (("materialize", "throughput", "--weeks", "2018-W36..2018-W33"), "ends before it starts"),
        (("materialize", "throughput", "--weeks", "2017-W01"), "reach outside 2018-W33"),
        (("materialize", "nothing",), "nothing"),
        (("ingest", "worker-activity"), "name files to load"),
        (("up", "--sample", "0"), "Invalid value for '--sample'"),
        (("frobnicate",), "No such command"),
    ],
)  # fmt: skip
def test_bad_usage_says_what_is_wrong_and_exits_with_2(
    loaded_home: Path, arguments: tuple[str, ...], says: str
) -> None:
    answer = prism(loaded_home, *arguments)

    assert answer.returncode == 2
    assert says in " ".join(answer.stderr.split())
    assert "Traceback" not in answer.stderr


@pytest.mark.slow
@pytest.mark.parametrize("whole_platform", [False, True], ids=["the-command-alone", "a-serving-platform"])
def test_a_kill_in_the_middle_of_an_ingest_is_healed_by_the_same_ingest(
    tmp_path: Path, *, whole_platform: bool
) -> None:
    home, total = tmp_path / "home", 60_000
    at = seconds("2018-08-13T00:00:00+00:00")
    lines = [record(at + i * 8, sub=f"s-{i % 50}") for i in range(total)]
    path = write_lines(tmp_path / "big.jsonl.gz", [*lines], zipped=True)
    port = str(worker_port(4 + whole_platform))
    assert prism(home, "up", "--once", "--no-sample", "--port", port).returncode == 0
    platform = _start(home, "up") if whole_platform else None
    if platform is not None:
        _await(lambda: (found := running_platform(Home(home))) is not None and found.ready, 240)

    ingest = _start(home, "ingest", "worker-activity", str(path))
    raw = home / "emulator/s3/000000000000/prism-lake-000000000000-us-east-1/raw"
    _await(lambda: any(raw.rglob("*.jsonl.gz")), 200)
    for pid in descendants((platform or ingest).pid):
        with suppress(ProcessLookupError):  # a function of the embedded AWS may end by itself
            os.kill(pid, signal.SIGKILL)
    ingest.wait(240)

    assert ingest.returncode != 0
    assert prism(home, "up", "--once").returncode == 0
    assert prism(home, "ingest", "worker-activity", str(path)).returncode == 0
    assert prism(home, "materialize", "throughput", "--weeks", "2018-W33").returncode == 0
    assert prism(home, "query", TASKS_BY_WEEK, "--format", "csv").stdout == f"week,tasks\n2018-W33,{total}\n"


def _start(home: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PRISM_", "DAGSTER_"))
    }
    environment |= {"PRISM_HOME": str(home), "PRISM_FIRST_WEEK": "2018-W33"}
    return subprocess.Popen(
        [PRISM, *arguments],
        env=environment,
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _await(condition: Callable[[], bool], limit_seconds: float) -> None:
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline, f"not true within {limit_seconds} s"
        time.sleep(0.05)
