"""A platform that serves, and Dagster's GraphQL as its UI calls it.

Belongs here: `prism up` as a process of its own, backfills as the UI launches them, what the UI shows of assets.
The tests of these use it, too. Does not belong here: what is measured (backfill.py).
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.emulator.process import REPOSITORY
from prism_core.calendar import WeekRange

PRISM = str(Path(sys.executable).parent / "prism")
LAUNCH = """
mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
STATUS = """
query($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } runs(limit: 50) { id status startTime endTime } }
  }
}"""
ASSETS = """
{ assetNodes { assetKey { path } isMaterializable isPartitioned
    assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } }
    assetChecksOrError { ... on AssetChecks { checks {
      name executionForLatestMaterialization { evaluation { success severity description } } } } } } }"""
# A busy machine, or a year of weeks, takes longer: the variables START_SECONDS and BACKFILL_SECONDS say how long.
PATIENCE_SECONDS = "400"


@dataclass
class Backfill:
    """How a backfill ended. `seconds` from its launch to its end, as who launched it saw them."""

    status: str
    runs: list[dict[str, Any]]
    error: str | None
    seconds: float

    @property
    def run_seconds(self) -> float:
        """Those in which its runs were at work; the others are waits of the daemon."""
        return sum(run["endTime"] - run["startTime"] for run in self.runs)


@dataclass
class ShownAsset:
    """An asset as the UI shows it: what is materialised, and the verdicts of its checks on that."""

    name: str
    weekly: bool
    ranges: list[dict[str, str]]
    checks: dict[str, dict[str, Any] | None]

    @property
    def verdicts(self) -> dict[str, bool | None]:
        return {name: None if one is None else one["success"] for name, one in self.checks.items()}


class Served:
    """A serving platform and its GraphQL."""

    def __init__(self, home: Path, base: int) -> None:
        self.home, self.base = home, base

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        url = f"http://127.0.0.1:{self.base + 1}/graphql"
        request = urllib.request.Request(url, data=body, headers={"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)["data"]

    def backfill(self, assets: Sequence[str], weeks: WeekRange, *, within: float | None = None) -> Backfill:
        """Launch a backfill as the UI does, and wait until it has ended."""
        params = {
            "assetSelection": [{"path": [name]} for name in assets],
            "partitionNames": [week.key for week in weeks],
        }
        started = time.monotonic()
        within = within or float(os.environ.get("BACKFILL_SECONDS", PATIENCE_SECONDS))
        launched = self.ask(LAUNCH, params=params)["launchPartitionBackfill"]
        _require(launched["__typename"] == "LaunchBackfillSuccess", str(launched))
        while True:
            found = self.ask(STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
            if found["status"] not in {"REQUESTED", "COMPLETING"}:
                error = found["error"]
                said = None if error is None else error["message"]
                return Backfill(found["status"], found["runs"], said, time.monotonic() - started)
            _require(time.monotonic() < started + within, f"still at work: {found}")
            time.sleep(0.5)

    def assets(self) -> dict[str, ShownAsset]:
        """Every asset of the location, by name."""
        found = [_shown(node) for node in self.ask(ASSETS)["assetNodes"] if node["isMaterializable"]]
        return {one.name: one for one in found}


@contextmanager
def serving(
    folder: Path, base: int, *options: str, within: float | None = None, **variables: str
) -> Iterator[Served]:
    """`prism up` with these options, until the block ends; it has to stop cleanly."""
    within = within or float(os.environ.get("START_SECONDS", PATIENCE_SECONDS))
    home, log = folder / "home", folder / "up.log"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PRISM_", "DAGSTER_"))
    }
    environment |= {"PRISM_HOME": str(home), **variables}
    command = [PRISM, "up", "--port", str(base), *options]
    with log.open("wb") as output:
        child = subprocess.Popen(command, env=environment, cwd=REPOSITORY, stdout=output, stderr=output)  # noqa: S603
    try:
        deadline = time.monotonic() + within
        while b"PRISM is up" not in log.read_bytes():
            _require(child.poll() is None, log.read_text())
            _require(time.monotonic() < deadline, f"the platform was not up in {within} s")
            time.sleep(0.2)
        yield Served(home, base)
        child.send_signal(signal.SIGTERM)
        _require(child.wait(90) == 0, log.read_text())
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _require(holds: bool, said: str) -> None:  # noqa: FBT001 - the condition, as in an assertion
    if not holds:
        raise RuntimeError(said)


def _shown(node: dict[str, Any]) -> ShownAsset:
    checks = node["assetChecksOrError"].get("checks", [])
    latest = {one["name"]: one["executionForLatestMaterialization"] for one in checks}
    return ShownAsset(
        name="/".join(node["assetKey"]["path"]),
        weekly=node["isPartitioned"],
        ranges=node["assetPartitionStatuses"].get("ranges", []),
        checks={name: None if one is None else one["evaluation"] for name, one in latest.items()},
    )
