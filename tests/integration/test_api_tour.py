"""The tours of docs/api.md and docs/articles.md, run as they stand there against a serving platform."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.local.emulator.process import REPOSITORY
from tests.integration.fresh import worker_port
from tests.integration.helpers import PRISM


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Variables of a shell beside a platform that serves."""
    folder = tmp_path_factory.mktemp("tours")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PRISM_", "DAGSTER_"))}
    variables = kept | {
        "PRISM_HOME": str(folder / "home"),
        "PATH": f"{Path(PRISM).parent}:{os.environ['PATH']}",
    }
    log = folder / "up.log"
    with log.open("wb") as output:
        platform = subprocess.Popen(
            [PRISM, "up", "--no-sample", "--port", str(worker_port(9))],
            env=variables,
            cwd=REPOSITORY,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 150
        while b"PRISM is up" not in log.read_bytes():
            assert platform.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "the platform was not up in time"
            time.sleep(0.2)
        yield variables
    finally:
        platform.send_signal(signal.SIGTERM)
        platform.wait(90)


def toured(guide: str, environment: Mapping[str, str], folder: Path) -> list[str]:
    """The lines that the first script of a guide prints."""
    text = (REPOSITORY / "docs" / guide).read_text(encoding="utf-8")
    script = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)[0]
    done = subprocess.run(
        ["/bin/bash", "-eu", "-c", script],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.strip()]


def test_the_tour_of_the_api_guide_walks_from_a_member_to_the_past(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    answers = [json.loads(line) for line in toured("api.md", environment, tmp_path)]

    _, _, _, edited, stale, dry, moved, history, reverted, past = answers
    assert (edited["version"], edited["hours"]) == (2, {"2026-01-05": "6.00"})
    assert (stale["status"], stale["current"]["version"], stale["change_reason"]) == (412, 2, "shorter day")
    assert (dry["dry_run"], dry["written"], moved["written"]) == (True, 1, 1)
    assert [one["operation"] for one in history["items"]] == ["delete", "update", "create"]
    assert (reverted["item"]["member_id"], reverted["version"]) == ("ada", 4)
    assert [(one["item_key"], one["deleted"]) for one in reverted["also"]] == [
        ("allocations/bo/2026-W02#birds", True)
    ]
    assert (past["version"], past["hours"]) == (1, {"2026-01-05": "8.00"})


def test_the_tour_of_articles_ends_with_what_the_public_reads(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    lines = toured("articles.md", environment, tmp_path)

    gate, reviewed, refused, published, *read = lines
    said: dict[str, Any] = json.loads(gate)
    assert {one["file_name"]: one["state"] for one in said["images"]} == dict.fromkeys(
        ("astronaut.png", "coffee.png", "rocket.jpg"), "analysed"
    )
    assert json.loads(reviewed)["status"] == "review"
    problem = json.loads(refused)
    assert (problem["status"], len(problem["errors"])) == (409, 3)
    assert all("alternative text" in one["message"] for one in problem["errors"])
    assert json.loads(published)["status"] == "published"
    assert read[0].startswith("HTTP/1.1 200")
    assert json.loads(read[-1])["html"].count("<picture>") == 3
