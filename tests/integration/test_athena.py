"""Athena's side of `prism query`. Why a stand-in: AWS cannot be reached, and the embedded Athena is not relied on.

The stand-in speaks Athena's wire format (AWS JSON 1.1; API reference of StartQueryExecution, GetQueryExecution,
GetQueryResults and StopQueryExecution) over a real socket; boto3 and our engine are the real ones.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.settings import Environment, Settings
from prism_resources.query.athena import AthenaEngine
from tests.aws_credentials import only_credentials

EXECUTION = "11111111-2222-3333-4444-555555555555"


@dataclass
class StandIn:
    """Answers from a script: the states that GetQueryExecution goes through, and the pages of the result."""

    states: list[dict[str, Any]] = field(default_factory=lambda: [{"State": "QUEUED"}, {"State": "SUCCEEDED"}])
    columns: list[tuple[str, str]] = field(default_factory=lambda: [("week", "varchar"), ("tasks", "bigint")])
    pages: list[list[list[str | None]]] = field(
        default_factory=lambda: [[["week", "tasks"], ["2018-W33", "1000"]]]
    )
    start_error: tuple[int, str] | None = None
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    def answer(self, action: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls.append((action, request))
        if action == "StartQueryExecution":
            if self.start_error is not None:
                return self.start_error[0], {"__type": self.start_error[1], "Message": "said the stand-in"}
            return 200, {"QueryExecutionId": EXECUTION}
        if action == "GetQueryExecution":
            status = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return 200, {"QueryExecution": {"Status": status, "Statistics": {"DataScannedInBytes": 123}}}
        if action == "GetQueryResults":
            page = int(request.get("NextToken", "0"))
            rows = [{"Data": [{} if c is None else {"VarCharValue": c} for c in row]} for row in self.pages[page]]
            info = [{"Name": name, "Type": kind} for name, kind in self.columns]
            result: dict[str, Any] = {"ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": info}}}
            if page + 1 < len(self.pages):
                result["NextToken"] = str(page + 1)
            return 200, result
        return 200, {}


@pytest.fixture
def athena(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandIn]:
    monkeypatch.delenv("PRISM_AWS_ENDPOINT_URL", raising=False)  # of a platform that this process attached to
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            action = self.headers["X-Amz-Target"].rpartition(".")[2]
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = stand_in.answer(action, body)
            payload = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}"
    keys = {"AWS_ACCESS_KEY_ID": "stand-in", "AWS_SECRET_ACCESS_KEY": "stand-in"}
    with only_credentials(tmp_path, AWS_ENDPOINT_URL_ATHENA=here, **keys):
        yield stand_in
    server.shutdown()
    server.server_close()


def engine(**changes: Any) -> AthenaEngine:
    return AthenaEngine(Settings(environment=Environment.AWS, **changes))


def test_an_answer_of_several_pages_is_read_whole_with_its_types(athena: StandIn) -> None:
    athena.columns = [
        ("week", "varchar"),
        ("day", "date"),
        ("tasks", "bigint"),
        ("rate", "double"),
        ("ok", "boolean"),
    ]
    athena.pages = [
        [["week", "day", "tasks", "rate", "ok"], ["2018-W33", "2018-08-13", "1000", "2.5", "true"]],
        [["2018-W34", None, "2000", None, "false"]],
    ]

    result = engine().query("SELECT week, day, tasks_submitted AS tasks, 1.0 AS rate, true AS ok FROM throughput")

    assert result.columns == ("week", "day", "tasks", "rate", "ok")
    assert result.rows == [
        ("2018-W33", date(2018, 8, 13), 1000, 2.5, True),
        ("2018-W34", None, 2000, None, False),
    ]
    assert (result.engine, result.scanned_bytes) == ("athena", 123)


def test_the_query_runs_in_our_database_and_workgroup(athena: StandIn) -> None:
    engine(name_prefix="acme-prism").query("SELECT count(*) FROM throughput")
    engine(name_prefix="acme-prism", athena_workgroup="team").query("SELECT count(*) FROM throughput")

    asked = [request for action, request in athena.calls if action == "StartQueryExecution"]
    assert [one["WorkGroup"] for one in asked] == ["acme-prism", "team"]
    action, request = athena.calls[0]
    assert action == "StartQueryExecution"
    assert request["QueryExecutionContext"] == {"Database": "acme_prism_lake"}
    assert request["QueryString"] == "SELECT COUNT(*) FROM throughput"


def test_a_failed_query_says_athenas_reason(athena: StandIn) -> None:
    athena.states = [{"State": "FAILED", "StateChangeReason": "COLUMN_NOT_FOUND: line 1:8: nope"}]

    with pytest.raises(BadUsage, match="COLUMN_NOT_FOUND"):
        engine().query("SELECT nope FROM throughput")


def test_a_query_over_the_time_limit_is_cancelled(athena: StandIn) -> None:
    athena.states = [{"State": "RUNNING"}]

    with pytest.raises(TransientFailure, match="PRISM_QUERY_TIMEOUT_SECONDS"):
        engine(query_timeout_seconds=1).query("SELECT 1 AS one FROM throughput")

    assert athena.calls[-1] == ("StopQueryExecution", {"QueryExecutionId": EXECUTION})


def test_an_access_error_waits_for_a_person(athena: StandIn) -> None:
    athena.start_error = (400, "AccessDeniedException")

    with pytest.raises(PermanentFailure, match="add the action to its policy"):
        engine().query("SELECT 1 AS one FROM throughput")


def test_bad_sql_never_reaches_athena(athena: StandIn) -> None:
    with pytest.raises(BadUsage):
        engine().query("DROP TABLE throughput")

    assert athena.calls == []
