"""Why real: that nothing is lost or stored twice must hold of processes that are killed and of calls that tear."""

import hmac
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from infra.cli.app import application
from infra.local.emulator.environment import LOOPBACK
from infra.local.emulator.process import EmulatorProcess
from infra.local.platform import Platform
from prism_core.events.messages import Accepted
from prism_core.events.outcomes import Outcome
from prism_core.failures import TransientFailure
from prism_resources.aws import client
from prism_resources.events.queue import CALL_ATTEMPTS
from prism_resources.events.receipts import Receipts
from prism_resources.events.sending import Sender
from tests.event_tallies import balances
from tests.integration.event_world import MADE, Pipeline, accepted, await_true, event
from tests.integration.faults import FaultProxy, fault_proxy
from tests.integration.fresh import platform_of_this_file, worker_port
from tests.integration.function_workers import workers

# A signature is over the host, which the proxy changes: where rights are enforced its calls would be refused.
platform = platform_of_this_file(rights=False)
EVENTS = int(os.environ.get("EVENTS", "2000"))
KILLS = 2 if EVENTS <= 10_000 else 10
BATCH = 50
PATIENCE_SECONDS = max(200, EVENTS // 10)
THROTTLED = {"code": "ProvisionedThroughputExceededException", "status": 400}
FUNCTIONS = ("ingest", "dispatcher", "step")
DELAY_SECONDS = 1.5


@pytest.fixture(scope="module")
def proxy(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    """Between every function of the pipeline and the services that it calls."""
    assert platform.emulator is not None
    log = tmp_path_factory.mktemp("proxy") / "proxy.log"
    with fault_proxy(platform.emulator.url, worker_port(8), log) as found:
        # What a killed function had taken out of the queue comes again sooner than the template says.
        sqs = client(platform.settings, "sqs")
        url = sqs.get_queue_url(QueueName=f"{platform.settings.name_prefix}-events")["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})
        functions = client(platform.settings, "lambda")
        for one in FUNCTIONS:
            name = f"{platform.settings.name_prefix}-events-{one}"
            said = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            changed = {"Variables": said | {"PRISM_AWS_ENDPOINT_URL": found.url}}
            functions.update_function_configuration(FunctionName=name, Environment=changed)
        yield found


@pytest.fixture(scope="module")
def pipeline(platform: Platform, proxy: FaultProxy) -> Iterator[Pipeline]:
    del proxy  # in front of the functions before they run
    made = Pipeline(platform)
    made.add_schema()
    yield made
    made.http.close()


@pytest.fixture(autouse=True)
def _no_fault_of_another_test(proxy: FaultProxy) -> Iterator[None]:
    yield
    proxy.clear()


def sent_until_taken(pipeline: Pipeline, *events: dict[str, Any]) -> set[str]:
    """The receipts of events that a patient producer sends."""
    run = Run(pipeline, events)
    run.send(events)
    return set(run.told)


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"service": "dynamodb", "error": THROTTLED, "times": 12}, id="table-throttled"),
        pytest.param({"service": "s3", "error": {"code": "SlowDown", "status": 503}, "times": 8}, id="s3-busy"),
        pytest.param({"service": "dynamodb", "response": {"abort_frac": 0.5}, "times": 3}, id="answers-torn"),
        pytest.param({"service": "sqs", "reset": True, "times": 3}, id="queue-resets"),
        pytest.param({"service": "dynamodb", "timeout_ms": 60_000, "times": 2}, id="table-silent"),
    ],
)
def test_a_fault_of_a_service_delays_events_and_loses_none(
    pipeline: Pipeline, proxy: FaultProxy, rule: dict[str, Any]
) -> None:
    sent = [event(number) for number in range(10)]
    proxy.rule(**rule)

    found = pipeline.await_settled(sent_until_taken(pipeline, *sent), 120)

    # A producer that got no answer sends again what had been taken.
    assert {one.outcome for one in found.values()} <= {Outcome.STORED, Outcome.DUPLICATE}
    stored = Counter(one.event_id for one in pipeline.stored())
    assert {stored[one["id"]] for one in sent} == {1}


SENDS = {"service": "sqs", "operation": "SendMessageBatch"}
WRITES = {"service": "dynamodb", "operation": "BatchWriteItem"}
HOLDS = "contains(to_string(@), '{receipt}')"
DOWN = {"code": "InternalServerError", "status": 500}


def of_another_hour(pipeline: Pipeline, hours: int) -> list[Accepted]:
    """Fifty events as of an hour in which nobody else sends."""
    hour = pipeline.began.replace(minute=0, second=0, microsecond=0) - timedelta(days=2, hours=hours)
    return [msgspec.structs.replace(accepted(event(number)), accepted_at=hour) for number in range(50)]


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        pytest.param(
            WRITES | {"error": DOWN, "body": "contains(to_string(@), '{receipt}')"}, 25, id="half-written"
        ),
        pytest.param(SENDS | {"error": {"code": "Refused", "status": 400}}, 50, id="queue-refuses"),
    ],
)
def test_rows_of_events_that_the_queue_never_had_are_refused(
    pipeline: Pipeline, platform: Platform, proxy: FaultProxy, rule: dict[str, Any], written: int
) -> None:
    """The sender in this process. The first of two batches of rows is never written."""
    sent, sender = of_another_hour(pipeline, written), Sender(proxy.settings(platform.settings))
    proxy.rule(**{name: told.replace("{receipt}", sent[0].receipt) if name == "body" else told
                  for name, told in rule.items()})  # fmt: skip

    with suppress(TransientFailure):
        assert sender.send(sent) == set()

    rows = Receipts(platform.settings).of_hour(sent[0].accepted_at)
    assert [one.refused for one in rows] == [True] * written


def test_events_that_the_queue_may_have_are_in_doubt_and_count_when_they_come_through(
    pipeline: Pipeline, platform: Platform, proxy: FaultProxy
) -> None:
    """Its answers are torn: it has them, each as often as it was asked."""
    sent, receipts = of_another_hour(pipeline, 0), Receipts(platform.settings)
    proxy.rule(**SENDS, response={"abort_frac": 0.5})

    assert Sender(proxy.settings(platform.settings)).send(sent) == set()

    proxy.clear()
    hour = sent[0].accepted_at
    rows = list(receipts.of_hour(hour))
    ended = [one for one in rows if one.outcome is not None]
    balance = balances(rows, pipeline.began)[hour]
    assert (balance.accepted, balance.in_flight, balance.in_doubt) == (len(ended), 0, 50 - len(ended))
    await_true(lambda: all(one.outcome is Outcome.STORED and one.counts for one in receipts.of_hour(hour)), 200)


def test_the_command_sends_again_what_the_queue_did_not_take(
    pipeline: Pipeline, platform: Platform, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two batches of messages one is refused as often as a call is tried."""
    file, sent = tmp_path / "events.json", [event(number) for number in range(15)]
    file.write_text(json.dumps(sent))
    monkeypatch.setenv("PRISM_HOME", str(platform.home.root))
    platform.announce()
    proxy.rule(**SENDS, error=DOWN, body=f"contains(to_string(@), '{sent[12]['id']}')", times=CALL_ATTEMPTS)

    done = CliRunner().invoke(application(), ["events", "send", str(file), "--json"])

    assert proxy.fired() >= CALL_ATTEMPTS
    assert done.exit_code == 0, done.output
    assert {one.event_id for one in pipeline.stored()} >= {one["id"] for one in sent}


@pytest.mark.parametrize(
    "down",
    [
        pytest.param({"service": "s3", "operation": "GetObject"}, id="documents"),
        pytest.param({"service": "dynamodb", "body": "contains(to_string(@), 'schemas')"}, id="versions"),
    ],
)
def test_events_wait_while_the_registry_is_down_and_are_judged_when_it_is_back(
    pipeline: Pipeline, proxy: FaultProxy, down: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    kind = f"com.example.registry.{request.node.callspec.id}"
    pipeline.add_schema(kind)
    proxy.rule(**down, error={"code": "SlowDown", "status": 503})

    receipts = sent_until_taken(pipeline, event(1, type=kind))
    time.sleep(2)
    proxy.clear()

    assert [one.outcome for one in pipeline.await_settled(receipts, 120).values()] == [Outcome.STORED]


def test_a_delivery_whose_secret_may_not_be_read_is_repeated_by_its_sender(
    pipeline: Pipeline, proxy: FaultProxy
) -> None:
    """401 would say that the producer is wrong, and senders give up on it."""
    secret, body = b"a secret of the tests, long enough", b'{"pushed": true}'
    mapping = {"source": "//forge", "type_prefix": "forge.", "type_header": "x-forge-event"}
    pipeline.add_producer("forge", secrets=[secret.decode()], scheme="body_only", webhook=mapping)
    signature = "sha256=" + hmac.digest(secret, body, "sha256").hex()
    signed = {"x-forge-event": "push", "x-hub-signature-256": signature}
    proxy.rule(service="secretsmanager", error={"code": "AccessDeniedException", "status": 400})

    denied = pipeline.hook("forge", body, signed)
    proxy.clear()

    assert (denied.status_code, pipeline.hook("forge", body, signed).status_code) == (500, 202)


def test_a_step_that_is_killed_in_the_middle_of_a_batch_loses_nothing_and_stores_nothing_twice(
    pipeline: Pipeline, platform: Platform
) -> None:
    sender = Sender(platform.settings)
    sent = [accepted(event(number)) for number in range(200)]
    done = threading.Event()
    killed = 0

    def kill() -> None:
        nonlocal killed
        while not done.wait(0.3) and killed < 5:
            for pid in workers(platform, "events-step"):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                killed += 1

    killer = threading.Thread(target=kill)
    killer.start()
    sender.send(sent)
    try:
        found = pipeline.await_settled([one.receipt for one in sent], 120)
    finally:
        done.set()
        killer.join()

    assert killed
    assert {one.outcome for one in found.values()} == {Outcome.STORED}
    assert max(Counter(one.event_id for one in pipeline.stored()).values()) == 1
    assert pipeline.problems(*pipeline.types()) == ()


@dataclass
class Run:
    """A producer that sends until it has a receipt, and keeps a ledger of what it was told."""

    pipeline: Pipeline
    events: Sequence[dict[str, Any]]
    process: EmulatorProcess | None = None
    told: dict[str, str] = field(default_factory=dict[str, str])
    tries: Counter[str] = field(default_factory=Counter[str])
    forgotten: int = 0
    began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """The long run takes an hour: where it is."""
        seconds, answers = time.monotonic() - self.began, dict(self.tries)
        sys.stdout.write(f"{seconds:.0f} s: {text}; answers {answers}, sent again {self.forgotten}\n")
        sys.stdout.flush()

    def send(self, events: Sequence[dict[str, Any]]) -> None:
        left, deadline = list(events), time.monotonic() + PATIENCE_SECONDS
        while left:
            assert time.monotonic() < deadline, f"{len(left)} events were never accepted: {self.tries}"
            try:
                answer = self.pipeline.batch(left)
                self.tries[str(answer.status_code)] += 1
                rows = answer.json().get("rows", []) if answer.status_code in {202, 503} else []
            except (httpx.HTTPError, ValueError):
                self.tries["no answer"] += 1
                rows = []
            taken = {row["row"]: row["receipt"] for row in rows if row["status"] == 202}
            self.told |= {receipt: left[row]["id"] for row, receipt in taken.items()}
            left = [one for row, one in enumerate(left) if row not in taken]
            if left:
                time.sleep(0.3)

    def kill(self, platform: Platform) -> None:
        """The whole platform but this producer, and it again. What was answered in the last two seconds before is
        gone with the embedded AWS: events without a row any more are sent once more, and counted."""
        assert self.process is not None
        self.process.kill()
        # A function that outlives its platform would settle, in the next one, what only the last one had stored.
        for one in FUNCTIONS:
            for pid in workers(platform, f"events-{one}"):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        # Nor may a call that the proxy held back: it would settle events there that the last one took with it.
        time.sleep(2 * DELAY_SECONDS)
        home, ports = platform.home, platform.ports
        again = EmulatorProcess.start(
            home.emulator,
            port=ports.emulator,
            token=home.token(),
            region=platform.settings.region,
            account_id=platform.settings.account_id,
            smtp_port=ports.smtp,
            log=home.logs / "emulator.log",
            origins=[f"http://{LOOPBACK}:{ports.screens}"],
        )
        self.process._child = again._child  # who owns the platform stops this one
        self._again({one.receipt for one in self.pipeline.all_receipts()})

    def send_forgotten(self) -> None:
        """With an empty queue: the snapshot that a kill went back to may have a row whose message it lacks."""
        self._again({one.receipt for one in self.pipeline.all_receipts() if one.outcome is not None})

    def _again(self, kept: set[str]) -> None:
        gone = {event_id for receipt, event_id in self.told.items() if receipt not in kept}
        self.told = {receipt: event_id for receipt, event_id in self.told.items() if receipt in kept}
        self.forgotten += len(gone)
        lost = [one for one in self.events if one["id"] in gone]
        for start in range(0, len(lost), BATCH):
            self.send(lost[start : start + BATCH])


@pytest.mark.timeout(PATIENCE_SECONDS * 4)
def test_faults_and_kills_lose_no_event_and_store_none_twice(
    pipeline: Pipeline, platform: Platform, proxy: FaultProxy
) -> None:
    """`EVENTS=100000` is the long run; its figures are printed."""
    assert platform.process is not None
    platform.flush()  # it saves what it serves from here on: it is killed, and started again
    began, source = time.monotonic(), f"/run/{time.time_ns()}"
    wrong, large = {"number": "none"}, {"number": 1, "label": "l" * 200_000}
    sent = [
        event(number, source=source, id=str(number), **told)
        for number in range(EVENTS)
        for told in ({"data": wrong} if number % 20 == 0 else {"data": large} if number % 401 == 7 else {},)
    ]
    twice = sent[::25]
    for rule in (
        {"service": "dynamodb", "error": THROTTLED, "probability": 0.05},
        {"service": "dynamodb", "error": {"code": "InternalServerError", "status": 500}, "probability": 0.02},
        {"service": "s3", "error": {"code": "SlowDown", "status": 503}, "probability": 0.05},
        {"service": "sqs", "error": {"code": "InternalFailure", "status": 500}, "probability": 0.05},
        {"response": {"abort_frac": 0.5}, "probability": 0.01},
        {"reset": True, "probability": 0.02},
        {"latency": DELAY_SECONDS * 1_000, "probability": 0.01},
        # Longer than a call waits: its connection is closed, and it is sent again.
        {"timeout_ms": 10_000, "probability": 0.003},
    ):
        proxy.rule(**rule)
    run, calls, fired = Run(pipeline, sent, platform.process), proxy.calls(), proxy.fired()
    chunks = [sent[start : start + BATCH] for start in range(0, EVENTS, BATCH)]
    part = len(chunks) // (KILLS + 1) + 1
    for number in range(0, len(chunks), part):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(run.send, chunks[number : number + part]))
        run.say(f"{min(number + part, len(chunks)) * BATCH} of {EVENTS} sent")
        if number + part < len(chunks):
            run.kill(platform)
            run.say("killed and started again")
    for start in range(0, len(twice), BATCH):
        run.send(twice[start : start + BATCH])
    calls, fired = proxy.calls() - calls, proxy.fired() - fired
    proxy.clear()
    run.say("all sent; waiting until the queue is empty")
    pipeline.await_empty(PATIENCE_SECONDS)
    run.send_forgotten()
    settled = pipeline.await_settled(run.told, PATIENCE_SECONDS)
    run.say("all settled")
    pipeline.await_empty(PATIENCE_SECONDS)
    # A function that died between row and message: nobody was given these receipts.
    unanswered = {one.receipt for one in pipeline.all_receipts() if one.outcome is None and one.counts}

    stored = Counter(one.event_id for one in pipeline.stored() if one.source == source)
    failed = {one.event_id for one in pipeline.failed(type=MADE) if one.source == source}
    balance = list(pipeline.balances().values())
    figures = {
        "events": EVENTS,
        "kills": KILLS,
        "calls": calls,
        "faults": fired,
        "seconds": round(time.monotonic() - began, 1),
        "answers": dict(run.tries),
        "sent again after a kill": run.forgotten,
        "accepted": sum(one.accepted for one in balance),
        "stored": sum(one.stored for one in balance),
        "failed": sum(one.failed for one in balance),
        "duplicate": sum(one.duplicate for one in balance),
        "in flight": sum(one.in_flight for one in balance),
    }
    sys.stdout.write(f"\nfigures: {figures}\n")  # `make soak` leaves lines out that begin with a brace
    assert fired > calls / 20
    assert set(run.told) == set(settled)
    assert not unanswered & set(run.told)
    assert all(one.holds for one in balance)
    assert figures["in flight"] == len(unanswered)
    assert pipeline.problems(*pipeline.types()) == ()
    assert set(stored) == {one["id"] for one in sent if one["data"] != wrong}
    assert set(stored.values()) == {1}
    assert failed == {one["id"] for one in sent if one["data"] == wrong}
    assert figures["duplicate"] >= sum(one["data"] != wrong for one in twice)
