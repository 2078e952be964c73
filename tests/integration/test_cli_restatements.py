"""A second half, from the command line. Why real: these are the commands that a refused week names."""

import gzip
import json
from pathlib import Path

import pytest

from infra.local.platform import Platform
from tests.integration.fresh import commands_of_this_file
from tests.integration.helpers import REAL_FILES, prism, seconds

platform = commands_of_this_file()
W34 = range(seconds("2018-08-20T00:00:00+00:00"), seconds("2018-08-27T00:00:00+00:00"))
SELECT = "SELECT week, subject, measure, old, new, cause, reason FROM restatements WHERE subject = '*'"


@pytest.mark.slow
def test_who_loads_a_week_in_two_halves_is_told_looks_says_why_and_finds_it_recorded(
    platform: Platform, tmp_path: Path
) -> None:
    home, lines = platform.home.root, b"".join(gzip.decompress(path.read_bytes()) for path in REAL_FILES)
    parts = {True: list[bytes](), False: list[bytes]()}
    for line in lines.splitlines(keepends=True):
        parts[int(json.loads(line)["event_timestamp"]) in W34].append(line)
    of_week, of_others = parts[True], parts[False]
    # A few records of two other weeks come late, too.
    (tmp_path / "one.jsonl").write_bytes(b"".join([*of_week[:1000], *of_others[2:-2]]))
    (tmp_path / "two.jsonl").write_bytes(b"".join([*of_week[1000:], *of_others[:2], *of_others[-2:]]))
    weeks = ("--weeks", "2018-W33..2018-W36")

    prism(home, "ingest", "worker-activity", str(tmp_path / "one.jsonl"))
    first = prism(home, "materialize", "throughput", *weeks, "--json")
    prism(home, "ingest", "worker-activity", str(tmp_path / "two.jsonl"))
    refused = prism(home, "materialize", "throughput", *weeks)
    rehearsed = prism(home, "materialize", "throughput", *weeks, "--rehearse", "--json")
    shown = prism(home, "materialize", "throughput", *weeks, "--rehearse")
    allowed = prism(home, "materialize", "throughput", *weeks, "--because", "the second half", "--json")
    booked = [line for line in allowed.stderr.splitlines() if "recording the restatements" in line]
    recorded = json.loads(prism(home, "query", SELECT, "--format", "json").stdout)

    assert (first.returncode, json.loads(first.stdout)["restated"]) == (0, {})
    assert refused.returncode == 1
    assert "tasks_submitted from 1,000 to 2,000 (+100.0%)" in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr
    by_week = {one["week"]: one for one in json.loads(rehearsed.stdout)["weeks"]}
    week = by_week["2018-W34"]
    assert (week["refused"], week["total"]["published"], week["total"]["new"]) == (True, 1000, 2000)
    assert shown.returncode == 0
    assert "needs --because" in " ".join(shown.stdout.split())
    assert allowed.returncode == 0, allowed.stderr
    # The first run published the other weeks, and recorded what it restated of them.
    assert "recording the restatements of 2018-W35..2018-W36" in " ".join(refused.stderr.split())
    assert json.loads(allowed.stdout)["restated"] == {
        "2018-W34": sum(1 for row in week["rows"] if row["subject"] != "*")
    }
    assert len(booked) == 1
    assert {
        "week": "2018-W34",
        "subject": "*",
        "measure": "tasks_submitted",
        "old": 1000.0,
        "new": 2000.0,
        "cause": "late_record",
        "reason": "the second half",
    } in recorded


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--because", "why"), "name --weeks"),
        (("--because", " ", "--weeks", "2018-W34"), "say why"),
        (("--because", "why", "--rehearse", "--weeks", "2018-W34"), "--rehearse publishes nothing"),
    ],
)
def test_words_that_do_not_fit_are_bad_usage(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    answer = prism(tmp_path / "home", "materialize", "throughput", *arguments)

    assert answer.returncode == 2
    assert says in " ".join(answer.stderr.split())
