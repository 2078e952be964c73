"""What is waited for, and for how long: a queue that is silent, figures that lag, a connection that was closed.

Why real: connections are closed and kept by a server. The services are stand-ins that speak AWS's JSON protocol,
since the embedded ones cannot be told to be silent.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from prism_api.events import container, dispatcher
from prism_core.events.envelope import Envelope
from prism_core.events.failed import FailedFilter
from prism_core.events.messages import Accepted, encode
from prism_core.events.versions import SchemaVersion
from prism_core.failures import BadUsage
from prism_core.models.events import FailedItem, SchemaItem
from prism_core.settings import Settings, load_settings
from prism_core.tables import FAILED_EVENTS, SCHEMAS
from prism_resources.events import queue as queues
from prism_resources.events.queue import EventQueue, Unsent
from prism_resources.events.replaying import Replaying
from prism_resources.tables.codec import encode as encode_item

NOW = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)
Answers = Callable[[str, dict[str, Any]], dict[str, Any] | None]


@contextmanager
def service(answers: Answers) -> Iterator[Settings]:
    """Settings under which every service is `answers`, by action and body; None closes the connection."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answer = answers(self.headers["x-amz-target"].rpartition(".")[2], body)
            if answer is None:
                self.close_connection = True
                return
            text = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", self.headers["content-type"])
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield load_settings(environment="local", aws_endpoint_url=f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_a_silent_queue_was_sent_is_in_doubt_when_the_time_is_over() -> None:
    """Of two batches it takes the first one; the answer to the second comes when nobody waits any more."""
    answer_at_last = threading.Event()

    def sqs(action: str, body: dict[str, Any]) -> dict[str, Any]:
        if action == "GetQueueUrl":
            return {"QueueUrl": "http://127.0.0.1/queue"}
        if "10" in [one["MessageBody"] for one in body["Entries"]]:
            answer_at_last.wait(60)
        taken = [{"Id": one["Id"], "MessageId": one["Id"], "MD5OfMessageBody": ""} for one in body["Entries"]]
        return {"Successful": taken, "Failed": []}

    with service(sqs) as settings:
        queue = EventQueue(settings)
        sent = [b"%d" % number for number in range(15)]
        assert queue.send(sent[:10], until=time.monotonic() + 60) == Unsent()
        try:
            found = queue.send(sent[10:], until=time.monotonic() + 0.2)
        finally:
            answer_at_last.set()

    assert found == Unsent(doubtful=frozenset(range(5)))


def test_a_queue_that_is_said_to_hold_messages_and_hands_out_none_is_empty() -> None:
    held = [{"MessageId": "m", "ReceiptHandle": "r", "Body": "{}"}]

    def sqs(action: str, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "GetQueueUrl": {"QueueUrl": "http://127.0.0.1/queue"},
            "GetQueueAttributes": {
                "Attributes": {"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "0"}
            },
            "ReceiveMessage": {"Messages": held},
        }[action]

    with service(sqs) as settings:
        queue = EventQueue(settings)
        before = queue.left()
        held.clear()

        assert (before, queue.left(), queue.waiting()) == (3, 0, 3)


def failed_row(kept: dict[str, Any]) -> dict[str, Any]:
    row = encode_item(FAILED_EVENTS, FailedItem.model_validate(kept))
    del row["expires_at"]  # an index carries what lists need
    return row


def test_a_replay_waits_while_half_of_what_producers_may_fill_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """But not for ever: then the rest is unsent. And a version that its type does not have is told before anything
    else is asked."""
    left, heard = [30, 12, 10, 30], list[int]()
    kept = {
        "failed_id": "0" * 32, "receipt": "R" * 26, "failure": "invalid", "producer": "tool", "source": "/s",
        "event_id": "1", "type": "w.full", "accepted_at": NOW, "failed_at": NOW, "component": "c",
        "component_version": "1", "status": "replayed",
    }  # fmt: skip
    schema = SchemaItem(
        type="w.full", version="1-0-0", body="events/schemas/1", sha256="0" * 64, added_at=NOW, added_by="t"
    )
    rows: dict[str, list[dict[str, Any]]] = {FAILED_EVENTS.name: [failed_row(kept)], SCHEMAS.name: []}

    def aws(action: str, body: dict[str, Any]) -> dict[str, Any]:
        if action == "Query":
            found = next(rows[name] for name in rows if body["TableName"].endswith(f"-{name}"))
            return {"Items": found, "Count": len(found), "ScannedCount": len(found)}
        if action == "GetQueueUrl":
            return {"QueueUrl": "http://127.0.0.1/queue"}
        assert action == "GetQueueAttributes"
        waiting = {"ApproximateNumberOfMessages": str(left.pop(0)), "ApproximateNumberOfMessagesNotVisible": "0"}
        return {"Attributes": waiting}

    monkeypatch.setattr(queues, "_COUNTED_FOR_SECONDS", 0.0)
    with service(aws) as settings:
        replaying = Replaying(settings.model_copy(update={"events_queue_limit": 20}))
        wanted = FailedFilter(type="w.full")
        with pytest.raises(BadUsage, match=r"w\.full has no version 9-0-0; it has none"):
            replaying.replay(wanted, run="r", version=SchemaVersion(9, 0, 0))

        done = replaying.replay(wanted, run="r", held_up=heard.append)

        assert (heard, left, done.duplicate) == ([30, 12], [30], 1)
        monkeypatch.setattr(queues, "_ROOM_WITHIN_SECONDS", 0.0)
        rows[SCHEMAS.name] = [encode_item(SCHEMAS, schema)]
        due = kept | {"status": "open", "failure": "unknown_type"}
        rows[FAILED_EVENTS.name] += [
            failed_row(due | {"failed_id": f"{number:032d}", "receipt": f"{number:026d}"})
            for number in range(1, 150)
        ]

        done = Replaying(settings.model_copy(update={"events_queue_limit": 20})).replay(wanted, run="r")

    assert (left, done.sent, done.duplicate, done.unsent) == ([], [], 1, 149)


def test_an_execution_is_asked_for_again_where_the_connection_was_closed_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inputs: list[Any] = []

    def states(action: str, body: dict[str, Any]) -> dict[str, Any] | None:
        assert action == "StartSyncExecution"
        inputs.append(json.loads(body["input"]))
        if len(inputs) == 1:
            return None
        (event,) = inputs[-1]["events"]
        output = {"outcomes": [{"message_id": "", "receipt": event["receipt"], "outcome": "stored"}]}
        return {
            "executionArn": "a",
            "startDate": 0,
            "stopDate": 0,
            "status": "SUCCEEDED",
            "output": json.dumps(output),
        }

    event = Envelope(id="1", source="/tests", type="t", data={})
    text = encode(Accepted("R" * 26, "tool", NOW, event, event.fingerprint)).decode()
    record = {"messageId": "m", "receiptHandle": "h", "body": text, "attributes": {"ApproximateReceiveCount": "2"}}
    with service(states) as settings:
        monkeypatch.setattr(container, "settings", lambda: settings)
        monkeypatch.setattr(dispatcher, "STALE_SECONDS", 60)
        machines = dispatcher.machines.__wrapped__()
        monkeypatch.setattr(dispatcher, "machines", lambda: machines)
        began = time.time()

        answer = dispatcher.handler({"Records": [record]}, None)

    assert answer == {"batchItemFailures": []}
    assert inputs[0] == inputs[1]
    assert began + dispatcher.WRITES_SECONDS <= inputs[0]["until"] / 1_000 + 0.001
    assert inputs[0]["until"] / 1_000 <= time.time() + dispatcher.WRITES_SECONDS + 0.001
