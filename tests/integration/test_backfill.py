"""A backfill as the Dagster UI asks for it. Why real: daemon, run launcher and storage decide what turns green."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.emulator.process import REPOSITORY
from prism_core.calendar import WeekRange
from tests.integration.conftest import worker_port
from tests.integration.helpers import PRISM, REAL_FILES, prism

WEEKS = WeekRange.parse("2018-W33..2018-W36")
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
    ... on PartitionBackfill { status error { message } runs(limit: 50) { id status } }
  }
}"""
ASSET = """
{ assetNodeOrError(assetKey: {path: ["throughput"]}) { ... on AssetNode {
    assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } }
    assetChecksOrError { ... on AssetChecks { checks {
      name executionForLatestMaterialization { evaluation { success } } } } } } } }"""


class Served:
    """A serving platform and its GraphQL."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        url = f"http://127.0.0.1:{self.port}/graphql"
        request = urllib.request.Request(url, data=body, headers={"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)["data"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    home, base = tmp_path / "home", worker_port(7)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PRISM_", "DAGSTER_"))
    }
    environment |= {"PRISM_HOME": str(home), "PRISM_FIRST_WEEK": "2018-W33"}
    command = [PRISM, "up", "--no-sample", "--port", str(base)]
    with (tmp_path / "up.log").open("wb") as log:
        child = subprocess.Popen(command, env=environment, cwd=REPOSITORY, stdout=log, stderr=log)
    deadline = time.monotonic() + 120
    while b"PRISM is up" not in (tmp_path / "up.log").read_bytes():
        assert child.poll() is None, (tmp_path / "up.log").read_text()
        assert time.monotonic() < deadline, "the platform was not up in 120 s"
        time.sleep(0.2)
    yield Served(home, base + 1)
    child.send_signal(signal.SIGTERM)
    assert child.wait(90) == 0, (tmp_path / "up.log").read_text()


@pytest.mark.slow
def test_a_backfill_over_the_range_turns_its_partitions_and_checks_green_in_one_run(served: Served) -> None:
    assert prism(served.home, "ingest", "worker-activity", *map(str, REAL_FILES)).returncode == 0
    params = {
        "assetSelection": [{"path": ["worker_activity"]}, {"path": ["throughput"]}],
        "partitionNames": [week.key for week in WEEKS],
    }

    launched = served.ask(LAUNCH, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    deadline = time.monotonic() + 180
    while (backfill := served.ask(STATUS, id=launched["backfillId"])["partitionBackfillOrError"])["status"] in {
        "REQUESTED",
        "COMPLETING",
    }:
        assert time.monotonic() < deadline, backfill
        time.sleep(1)

    asset = served.ask(ASSET)["assetNodeOrError"]
    verdicts = {
        check["name"]: check["executionForLatestMaterialization"]["evaluation"]["success"]
        for check in asset["assetChecksOrError"]["checks"]
    }
    assert (backfill["status"], len(backfill["runs"])) == ("COMPLETED_SUCCESS", 1)
    assert asset["assetPartitionStatuses"]["ranges"] == [
        {"startKey": WEEKS.first.key, "endKey": WEEKS.last.key, "status": "MATERIALIZED"}
    ]
    assert verdicts == {
        "records_conserved": True,
        "no_negative_figures": True,
        "late_records": True,
        "raw_input_complete": True,
        "unresolved_share": False,  # the warning is right: nobody has resolved these workers
    }
