"""Why real: that nothing is lost or stored twice must hold of processes that are killed and of calls that tear."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.platform import Platform
from prism_core.events.outcomes import Outcome
from prism_resources.aws import client
from prism_resources.events.sending import Sender
from tests.integration.event_world import Pipeline, accepted, event
from tests.integration.faults import FaultProxy, fault_proxy
from tests.integration.fresh import platform_of_this_file, worker_port

platform = platform_of_this_file()
PATIENCE_SECONDS = 200
THROTTLED = {"code": "ProvisionedThroughputExceededException", "status": 400}
FUNCTIONS = ("ingest", "dispatcher", "step")


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


def test_events_wait_while_the_registry_is_down_and_are_judged_when_it_is_back(
    pipeline: Pipeline, proxy: FaultProxy
) -> None:
    kind = "com.example.registry"
    pipeline.add_schema(kind)
    proxy.rule(service="s3", operation="GetObject", error={"code": "SlowDown", "status": 503})

    receipts = sent_until_taken(pipeline, event(1, type=kind))
    time.sleep(2)
    proxy.clear()

    assert [one.outcome for one in pipeline.await_settled(receipts, 120).values()] == [Outcome.STORED]


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


def workers(platform: Platform, function: str) -> list[int]:
    """The processes of a function: children of the emulator whose environment names it."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            said = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        name = f"AWS_LAMBDA_FUNCTION_NAME={platform.settings.name_prefix}-{function}".encode()
        home = str(platform.home.root).encode()
        if name in said and any(home in one for one in said):
            found.append(int(folder.name))
    return found


@dataclass
class Run:
    """A producer that sends until it has a receipt, and keeps a ledger of what it was told."""

    pipeline: Pipeline
    events: Sequence[dict[str, Any]]
    told: dict[str, str] = field(default_factory=dict[str, str])
    tries: Counter[str] = field(default_factory=Counter[str])

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
