"""The tour of docs/api.md, run as it stands there against a serving platform."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from infra.local.emulator.process import REPOSITORY
from tests.integration.fresh import worker_port
from tests.integration.helpers import PRISM


def test_the_tour_of_the_api_guide_walks_from_a_member_to_the_past(tmp_path: Path) -> None:
    guide = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    script = re.findall(r"```bash\n(.*?)```", guide, re.DOTALL)[0]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PRISM_", "DAGSTER_"))}
    environment = kept | {
        "PRISM_HOME": str(tmp_path / "home"),
        "PATH": f"{Path(PRISM).parent}:{os.environ['PATH']}",
    }
    log = tmp_path / "up.log"
    with log.open("wb") as output:
        platform = subprocess.Popen(
            [PRISM, "up", "--no-sample", "--port", str(worker_port(9))],
            env=environment,
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
        done = subprocess.run(
            ["/bin/bash", "-eu", "-c", script],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        platform.send_signal(signal.SIGTERM)
        platform.wait(90)

    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
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
