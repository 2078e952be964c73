"""`prism ingest quality`. Why real: what is a duplicate is decided by what the table holds, after kills too."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.platform import Platform
from tests.integration.fresh import commands_of_this_file
from tests.integration.helpers import prism

platform = commands_of_this_file()

# Weeks of this year: the change log since the first week is read week by week.
FIRST = "2026-W33"
HEAD = "job,week,worker_id,cognito_sub_id,judgments,accuracy\n"


def ingest(home: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = prism(home, "ingest", "quality", *arguments, "--json", first_week=FIRST)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def total(answer: dict[str, Any]) -> tuple[int, int, int, int]:
    counts = answer["total"]
    return counts["read"], counts["loaded"], counts["duplicate"], counts["rejected"]


@pytest.mark.slow
def test_a_file_loads_once_other_figures_are_rejected_and_replace_takes_them(
    platform: Platform, tmp_path: Path
) -> None:
    home = platform.home.root
    rows = [f"birds-{n % 3},2026-W{33 + n % 4},w{n},sub-{n},{10 + n},1.0" for n in range(60)]
    path = tmp_path / "q.csv"
    path.write_text(HEAD + "\n".join([*rows, "birds-1,2026-W33,w,s,7,0.9"]) + "\n")

    first = ingest(home, str(path))
    again = ingest(home, str(path))
    path.write_text(HEAD + rows[0].replace(",1.0", ",0.5") + "\n")
    other = ingest(home, str(path))
    taken = ingest(home, str(path), "--replace", "--reason", "second look")
    scores = prism(home, "materialize", "quality_scores", "--weeks", FIRST, "--json", first_week=FIRST)

    assert (first[0], total(first[1])) == (1, (61, 60, 0, 1))
    assert (again[0], total(again[1])) == (1, (61, 0, 60, 1))
    assert (other[0], total(other[1])) == (1, (1, 0, 0, 1))
    reason = json.loads(Path(other[1]["rejects_file"]).read_text())["reason"]
    assert "has other figures already: correct 10, not 5; --replace" in reason
    assert (taken[0], total(taken[1])) == (0, (1, 1, 0, 0))
    assert scores.returncode == 0, scores.stderr
    found = prism(
        home, "query", "SELECT sum(reviewed) AS r, sum(correct) AS c FROM quality_scores", "--format", "json"
    )
    pieces = sum(10 + n for n in range(0, 60, 4))
    assert json.loads(found.stdout) == [{"r": pieces, "c": pieces - 5}]
