"""What several integration modules need: records in the Ground Truth form, and the `prism` command."""

import gzip
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.integration import warm
from tests.integration.fresh import RIGHTS

REPOSITORY = Path(__file__).resolve().parents[2]
PRISM = str(Path(sys.executable).parent / "prism")
REAL_FILES = sorted((REPOSITORY / "tests/data/worker_activity").glob("*.jsonl.gz"))
POOL = "us-east-1_TestPool"
SECONDS = 240


def record(
    second: int, *, sub: str = "sub-1", job: str = "job-1", handle: int = 30, **changes: str
) -> dict[str, str]:
    """A TasksSubmitted record submitted at an epoch second."""
    return {
        "worker_id": "0123456789abcdef",
        "cognito_user_pool_id": POOL,
        "cognito_sub_id": sub,
        "task_accepted_time": wire_time(second - handle),
        "task_submitted_time": wire_time(second),
        "task_returned_time": "",
        "workteam_arn": "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/t",
        "labeling_job_arn": f"arn:aws:sagemaker:us-east-1:123456789012:labeling-job/{job}",
        "work_requester_account_id": "123456789012",
        "job_reference_code": "1",
        "job_type": "Private",
        "event_type": "TasksSubmitted",
        "event_timestamp": str(second),
    } | changes


def wire_time(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")


def seconds(text: str) -> int:
    """Epoch seconds of an ISO instant."""
    return int(datetime.fromisoformat(text).timestamp())


def stay_within(grain: timedelta, seconds: float) -> None:
    """For a test that compares instants of one hour or one day, of UTC: wait for the next where this one ends
    within so many seconds."""
    left = grain - (datetime.now(UTC) - datetime.fromtimestamp(0, UTC)) % grain
    if left < timedelta(seconds=seconds):
        time.sleep(left.total_seconds() + 0.1)


def write_lines(path: Path, lines: list[bytes | dict[str, Any]], *, zipped: bool = False) -> Path:
    body = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    path.write_bytes(gzip.compress(body) if zipped else body)
    return path


def prism(
    home: Path, *arguments: str, first_week: str = "2018-W33", **variables: str
) -> subprocess.CompletedProcess[str]:
    """The command in a process and an environment of its own, which need not import anything (warm.py)."""
    return warm.prism(arguments, _environment(home, first_week, variables), SECONDS)


def prism_from_nothing(
    home: Path, *arguments: str, first_week: str = "2018-W33", **variables: str
) -> subprocess.CompletedProcess[str]:
    """The same as a shell starts it, with an interpreter, imports and an order of sets of its own."""
    return subprocess.run(
        [PRISM, *arguments],
        env=_environment(home, first_week, variables),
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


def _environment(home: Path, first_week: str, variables: dict[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PRISM_", "DAGSTER_"))}
    told = {"PRISM_HOME": str(home), "PRISM_FIRST_WEEK": first_week, "COLUMNS": "200"}
    return RIGHTS | inherited | told | variables


def descendants(pid: int) -> list[int]:
    """A process and all that it started, parents first, as /proc knows them now."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(text.split()[0])] = int(text.rpartition(")")[2].split()[1])
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found
