"""Producers, events and what became of them, for tests of the deployed pipeline.

Belongs here: posting as a producer does, adding schemas, waiting until nothing is in flight, and the balance of
what was accepted. Does not belong here: what a test expects.
"""

import json
import secrets
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import httpx
import msgspec

from infra.local.platform import Platform
from prism_core.events.conservation import Balance, Held, Receipt, discrepancies
from prism_core.events.envelope import read_envelope
from prism_core.events.failed import FailedEvent, FailedFilter
from prism_core.events.messages import Accepted
from prism_core.events.versions import SchemaVersion
from prism_core.history.changes import ULID_RANDOM_BYTES, ulid
from prism_core.models.events import EnrichmentRule
from prism_resources.aws import client
from prism_resources.events.event_store import EventStore
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.queue import DEAD_NAME, EventQueue
from prism_resources.events.receipts import Receipts
from prism_resources.events.schema_store import SchemaStore
from tests.event_tallies import balances
from tests.integration.deployed import Deployed

MADE = "com.example.made"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["number"],
    "properties": {"number": {"type": "integer", "minimum": 0}, "label": {"type": "string"}},
}
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"


def event(number: int | None = None, **changes: Any) -> dict[str, Any]:
    """A sound event of the type MADE, unless told otherwise; None takes an attribute away."""
    sound = {
        "specversion": "1.0", "id": uuid.uuid4().hex, "source": "/tests", "type": MADE,
        "data": {"number": 1 if number is None else number, "label": "a"},
    }  # fmt: skip
    return {name: value for name, value in (sound | changes).items() if value is not None}


def accepted(one: dict[str, Any]) -> Accepted:
    """As the ingest function accepts an event."""
    envelope, now = read_envelope(one), datetime.now(UTC)
    receipt = ulid(now, secrets.token_bytes(ULID_RANDOM_BYTES))
    return Accepted(receipt, "tests", now, envelope, envelope.fingerprint)


@dataclass
class Pipeline:
    """The deployed pipeline as producers and operators see it."""

    platform: Platform
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def deployed(self) -> Deployed:
        return Deployed(self.platform)

    @cached_property
    def http(self) -> httpx.Client:
        return httpx.Client(timeout=60, trust_env=False)

    @cached_property
    def receipts(self) -> Receipts:
        return Receipts(self.platform.settings)

    @cached_property
    def events(self) -> EventStore:
        return EventStore(self.platform.settings)

    @cached_property
    def failures(self) -> FailedStore:
        return FailedStore(self.platform.settings)

    @cached_property
    def queue(self) -> EventQueue:
        return EventQueue(self.platform.settings)

    @cached_property
    def dead(self) -> EventQueue:
        return EventQueue(self.platform.settings, DEAD_NAME)

    @cached_property
    def producer(self) -> str:
        return self.deployed.made["ProducerClientId"]

    @property
    def token(self) -> str:
        """A new one each time: it is good for ten minutes, and a soak posts for longer."""
        return self.deployed.signed(client_id=self.producer, groups=(), scope="prism/events")

    def post(
        self,
        body: Any,
        media: str = STRUCTURED,
        *,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """POST /api/events with the producer's token, another one, or none (None)."""
        bearer = self.token if token == "" else token
        sent = {"content-type": media, **({"authorization": f"Bearer {bearer}"} if bearer else {})}
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self.http.post(
            f"{self.deployed.url}/api/events", content=content, headers=sent | dict(headers or {})
        )

    def batch(self, events: Sequence[Any]) -> httpx.Response:
        return self.post(list(events), BATCH)

    def hook(self, producer: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        return self.http.post(
            f"{self.deployed.url}/hooks/{producer}",
            content=body,
            headers={"content-type": "application/json", **headers},
        )

    def add_producer(self, producer: str, **told: Any) -> None:
        secrets = client(self.platform.settings, "secretsmanager")
        name = f"{self.platform.settings.name_prefix}/hooks/{producer}"
        secrets.create_secret(Name=name, SecretString=json.dumps(told))

    def add_schema(
        self,
        kind: str = MADE,
        version: str = "1-0-0",
        schema: Any = None,
        rules: Iterable[EnrichmentRule] = (),
        **about: Any,
    ) -> None:
        SchemaStore(self.platform.settings).add(
            kind,
            SchemaVersion.parse(version),
            msgspec.json.encode(SCHEMA if schema is None else schema),
            by="test",
            now=datetime.now(UTC),
            rules=tuple(rules),
            about=about,
        )

    def await_settled(self, receipts: Iterable[str], seconds: float = 180) -> dict[str, Receipt]:
        """The receipts by their ids, when none of them is in flight any more."""
        wanted = set(receipts)
        found: dict[str, Receipt] = {}

        def settled() -> bool:
            found.update({one.receipt: one for one in self.all_receipts() if one.receipt in wanted})
            return len(found) == len(wanted) and all(one.outcome is not None for one in found.values())

        await_true(settled, seconds, lambda: f"of {len(wanted)}: {Counter(one.outcome for one in found.values())}")
        return found

    def all_receipts(self) -> list[Receipt]:
        hour, found = self.began.replace(minute=0, second=0, microsecond=0), list[Receipt]()
        while hour <= datetime.now(UTC):
            found += self.receipts.of_hour(hour)
            hour += timedelta(hours=1)
        return found

    def stored(self, kind: str = MADE) -> list[Any]:
        hour, found = self.began, list[Any]()
        while hour <= datetime.now(UTC) + timedelta(hours=1):
            found += self.events.of_hour(kind, hour.strftime("%Y-%m-%dT%H"))
            hour += timedelta(hours=1)
        return found

    def types(self) -> set[str]:
        return {one.type for one in SchemaStore(self.platform.settings).all()}

    def await_empty(self, seconds: float = 180) -> None:
        """Nothing waits in the queue, and nothing is being processed."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs = client(self.platform.settings, "sqs")

        def empty() -> bool:
            found = sqs.get_queue_attributes(QueueUrl=self.queue.url, AttributeNames=names)["Attributes"]
            return all(found[name] == "0" for name in names)

        await_true(empty, seconds)

    def failed(self, **wanted: Any) -> list[FailedEvent]:
        return list(self.failures.find(FailedFilter(**wanted)))

    def problems(self, *kinds: str) -> tuple[str, ...]:
        """What is wrong with the hours of this run, beside what the stores hold on their own. How long something
        is in flight is left out: a long run ends with rows whose functions were killed before they sent them."""
        stored = Counter(one.hour for kind in kinds for one in self.stored(kind))
        failed = Counter(one.accepted_at.strftime("%Y-%m-%dT%H") for one in self.failed())
        found: list[str] = []
        for hour, balance in balances(self.all_receipts(), self.began).items():
            name = hour.strftime("%Y-%m-%dT%H")
            found += discrepancies(balance, Held(stored[name], failed[name]))
        return tuple(found)

    def balances(self) -> dict[datetime, Balance]:
        return balances(self.all_receipts(), datetime.now(UTC))


def await_true(
    condition: Callable[[], bool], seconds: float, said: Callable[[], str] = str, every: float = 0.1
) -> None:
    """Raises AssertionError with what `said` says when it never was."""
    deadline = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        if condition():
            return
        assert time.monotonic() < deadline, f"not within {seconds} s: {said()}"
        # A look at thousands of receipts takes the processor from those that it waits for.
        time.sleep(max(every, 2 * (time.monotonic() - asked)))
