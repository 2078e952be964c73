"""A platform that serves, and Dagster's GraphQL as its UI calls it, for several modules."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.emulator.process import REPOSITORY
from prism_core.calendar import WeekRange
from tests.integration.helpers import PRISM

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
# A busy machine, or a year of weeks, takes longer.
START_SECONDS, BACKFILL_SECONDS = (
    float(os.environ.get(name, "200")) for name in ("START_SECONDS", "BACKFILL_SECONDS")
)


@dataclass
class Backfill:
    """How a backfill ended."""

    status: str
    runs: list[dict[str, Any]]
    error: str | None

    @property
    def run_seconds(self) -> float:
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

    def backfill(self, assets: Sequence[str], weeks: WeekRange) -> Backfill:
        """Launch a backfill as the UI does, and wait until it has ended."""
        params = {
            "assetSelection": [{"path": [name]} for name in assets],
            "partitionNames": [week.key for week in weeks],
        }
        launched = self.ask(LAUNCH, params=params)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        deadline = time.monotonic() + BACKFILL_SECONDS
        while True:
            found = self.ask(STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
            if found["status"] not in {"REQUESTED", "COMPLETING"}:
                error = found["error"]
                return Backfill(found["status"], found["runs"], None if error is None else error["message"])
            assert time.monotonic() < deadline, found
            time.sleep(0.5)

    def assets(self) -> dict[str, ShownAsset]:
        """Every asset of the location, by name."""
        found = [_shown(node) for node in self.ask(ASSETS)["assetNodes"] if node["isMaterializable"]]
        return {one.name: one for one in found}


@contextmanager
def serving(folder: Path, base: int, *options: str, **variables: str) -> Iterator[Served]:
    """`prism up` with these options, until the block ends; it has to stop cleanly."""
    home, log = folder / "home", folder / "up.log"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PRISM_", "DAGSTER_"))
    }
    environment |= {"PRISM_HOME": str(home), **variables}
    command = [PRISM, "up", "--port", str(base), *options]
    with log.open("wb") as output:
        child = subprocess.Popen(command, env=environment, cwd=REPOSITORY, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while b"PRISM is up" not in log.read_bytes():
            assert child.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"the platform was not up in {START_SECONDS} s"
            time.sleep(0.2)
        yield Served(home, base)
        child.send_signal(signal.SIGTERM)
        assert child.wait(90) == 0, log.read_text()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _shown(node: dict[str, Any]) -> ShownAsset:
    checks = node["assetChecksOrError"].get("checks", [])
    latest = {one["name"]: one["executionForLatestMaterialization"] for one in checks}
    return ShownAsset(
        name="/".join(node["assetKey"]["path"]),
        weekly=node["isPartitioned"],
        ranges=node["assetPartitionStatuses"].get("ranges", []),
        checks={name: None if one is None else one["evaluation"] for name, one in latest.items()},
    )
