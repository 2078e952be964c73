"""Failed events that are sent again.

Belongs here: which of them are sent, as what, and that two runs over one filter send one event. Does not belong
here: the rows (failed_store.py) and the way into the queue (sending.py).
A try is noted in the row of the failed event before it is sent, with its receipt and instant. Whoever finds it
noted asks that receipt what became of it. If nothing did, for a run may be killed at any moment, it is sent under
the same one within its hour, and later as another try: an hour that has been counted is not counted again for it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec

from prism_core import clock
from prism_core.events.conservation import DOUBTED_FOR, OVERDUE_AFTER
from prism_core.events.envelope import Envelope
from prism_core.events.failed import (
    FailedEvent,
    FailedFilter,
    FailedStatus,
    Failure,
    Replay,
    failed_id,
    replay_receipt,
    replayed,
    to_replay,
    version_to_try,
)
from prism_core.events.messages import Accepted
from prism_core.events.outcomes import Outcome
from prism_core.events.rollups import Grain
from prism_core.events.versions import SchemaVersion
from prism_core.failures import BadUsage
from prism_core.settings import Settings
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.objects import LostObject
from prism_resources.events.schema_store import SchemaStore
from prism_resources.events.sending import Sender

CHUNK: Final = 100
_READERS: Final = 8
# What a failed event becomes when its replay has ended so; one that failed again stays open.
_BECOMES: Final = {
    Outcome.STORED: FailedStatus.REPLAYED,
    Outcome.DUPLICATE: FailedStatus.REPLAYED,
    Outcome.CONFLICT: FailedStatus.GIVEN_UP,  # its producer has stored another event under its key
}


@dataclass(slots=True)
class Replayed:
    """What a run did with the failed events that its filter takes.

    `sent` went into the queue; `duplicate` were sent before with this version, or are stored already; `unchanged`
    failed by the version that they would be judged by again, or there is no version to judge them by; `closed` are
    conflicts, repeated ones and those given up; `unsent` the queue did not take, or had no room for: run it again;
    `gone` are those whose payload has expired.
    """

    run: str
    sent: list[Accepted] = field(default_factory=list[Accepted])
    duplicate: int = 0
    unchanged: int = 0
    closed: int = 0
    unsent: int = 0
    gone: int = 0

    @property
    def matched(self) -> int:
        return len(self.sent) + self.duplicate + self.unchanged + self.closed + self.unsent + self.gone


def _once(events: Iterable[FailedEvent]) -> Iterator[FailedEvent]:
    """Without those that come a second time, under the status that this very run has given them."""
    seen = set[str]()
    for event in events:
        if event.failed_id not in seen:
            seen.add(event.failed_id)
            yield event


class Replaying:
    """Sends failed events of a platform again, and leaves half of the room in the queue to producers."""

    def __init__(self, settings: Settings) -> None:
        self._most_waiting = settings.events_queue_limit // 2
        self._failed, self._schemas, self._sender = FailedStore(settings), SchemaStore(settings), Sender(settings)
        self._versions: dict[str, list[SchemaVersion]] = {}

    def replay(
        self,
        wanted: FailedFilter,
        *,
        run: str,
        now: Callable[[], datetime] = clock.now,
        version: SchemaVersion | None = None,
        told: Callable[[int], object] = lambda _: None,
        held_up: Callable[[int], object] = lambda _: None,
    ) -> Replayed:
        """Send those that the filter takes with the newest version of their model, or with `version`.

        `told` hears how many were looked at, `held_up` how many events are in the queue whenever that is waited
        for. Once there is no room for ten minutes, the rest is counted and not sent. Raises BadUsage, before
        anything is sent, when the type that the filter names lacks the version.
        """
        if version is not None and wanted.type is not None and version not in self._known(wanted.type):
            known = ", ".join(map(str, self._known(wanted.type)))
            raise BadUsage(f"{wanted.type} has no version {version}; it has {known or 'none'}")
        done, found, room = Replayed(run), _once(self._failed.find(wanted)), True
        while chunk := list(islice(found, CHUNK)):
            # With a full queue producers are refused (prism_api/events/ingest.py), and these events can wait.
            room = room and self._sender.queue.await_room(self._most_waiting, held_up)
            for target, group in self._by_version(chunk, version).items():
                self._group(group, wanted, target, now(), done, room=room)
            told(len(chunk))
        return done

    def settle(self, sent: Sequence[Accepted]) -> Mapping[str, Outcome]:
        """The outcomes of those that have ended, by receipt; their failed events are marked by them."""
        found = self._sender.receipts.outcomes(sent)
        ended = {receipt: outcome for receipt, outcome in found.items() if outcome.is_final}
        known = [(one.replay_of, ended[one.receipt]) for one in sent if one.receipt in ended]
        with ThreadPoolExecutor(_READERS) as pool:
            for _ in pool.map(lambda one: self._mark(*one), known):
                pass
        return ended

    def _mark(self, key: str | None, outcome: Outcome) -> None:
        if key is not None and outcome in _BECOMES:
            self._failed.settle(key, _BECOMES[outcome])

    def _by_version(
        self, events: Sequence[FailedEvent], version: SchemaVersion | None
    ) -> dict[SchemaVersion | None, list[FailedEvent]]:
        groups: dict[SchemaVersion | None, list[FailedEvent]] = {}
        for event in events:
            groups.setdefault(self._target(event, version), []).append(event)
        return groups

    def _target(self, event: FailedEvent, version: SchemaVersion | None) -> SchemaVersion | None:
        """The version that an event is tried with; None while its type, or the model that it names, has none."""
        return version_to_try(event.version, self._known(event.type), version)

    def _known(self, kind: str) -> list[SchemaVersion]:
        if kind not in self._versions:
            self._versions[kind] = [SchemaVersion.parse(one.version) for one in self._schemas.versions(kind)]
        return self._versions[kind]

    def _group(
        self,
        group: Sequence[FailedEvent],
        wanted: FailedFilter,
        version: SchemaVersion | None,
        now: datetime,
        done: Replayed,
        *,
        room: bool,
    ) -> None:
        fresh = {one.failed_id for one in to_replay(group, wanted, version)}
        again: list[tuple[FailedEvent, int]] = []
        for event in group:
            if event.status is FailedStatus.REPLAYED:
                done.duplicate += 1
            elif event.status is not FailedStatus.OPEN or event.failure is Failure.CONFLICT:
                done.closed += 1
            elif version is None or (event.failure is Failure.INVALID and event.version == str(version)):
                done.unchanged += 1
            elif event.failed_id in fresh:
                again.append((event, 0))
            elif (number := self._due(event, version, now)) is not None:
                again.append((event, number))
            else:
                done.duplicate += 1
        if room:
            self._send(again, version, now, done)
        else:
            done.unsent += len(again)

    def _due(self, event: FailedEvent, version: SchemaVersion | None, now: datetime) -> int | None:
        """The number of the try to send: one that is noted and never got into the queue, as far as its receipt
        says, or the next one when the message of that ended in the dead queue. None when there is none to send."""
        noted = {one.receipt: one for one in event.replays}
        for number in range(len(noted) + 1):
            tried = noted.get(replay_receipt(event, version, number))
            if tried is None:
                return number
            receipt = self._sender.receipts.get(tried.receipt, tried.at)
            # What is in doubt may be on its way, and waits for a day as if it were.
            if receipt is None or receipt.refused or (receipt.doubtful and now - tried.at > DOUBTED_FOR):
                if Grain.HOUR.start_of(tried.at) == Grain.HOUR.start_of(now):
                    return number
                # Of one that came after all, the receipt has expired long before what is kept of its failure.
                if self._failed.failure(failed_id(tried.receipt)) in {None, Failure.UNDELIVERABLE}:
                    continue
                return None
            if receipt.outcome is None:
                return number if now - tried.at > OVERDUE_AFTER else None
            self._mark(event.failed_id, receipt.outcome)
            if not receipt.undeliverable:
                return None
        return None

    def _send(
        self,
        tries: Sequence[tuple[FailedEvent, int]],
        version: SchemaVersion | None,
        now: datetime,
        done: Replayed,
    ) -> None:
        if not tries:
            return
        with ThreadPoolExecutor(_READERS) as pool:
            found = list(pool.map(lambda one: self._accepted(one[0], one[1], done.run, version, now), tries))
        accepted = [one for one in found if one is not None]
        done.gone += len(found) - len(accepted)
        taken = self._sender.send(accepted) if accepted else set[str]()
        done.sent += [_without_data(one) for one in accepted if one.receipt in taken]
        done.unsent += sum(one.receipt not in taken for one in accepted)

    def _accepted(
        self, mark: FailedEvent, number: int, run: str, version: SchemaVersion | None, now: datetime
    ) -> Accepted | None:
        """The event as it is sent, noted before: what is noted already keeps its receipt and its instant. None
        when it has expired since it was found."""
        try:
            event = self._failed.get(mark.failed_id)
        except LostObject:
            event = None
        if event is None or event.payload is None:
            return None
        receipt = replay_receipt(event, version, number)
        after = replayed(event, run, now, version, number)
        tried: Replay = next(one for one in after.replays if one.receipt == receipt)
        self._failed.note(event.failed_id, tried)
        envelope = msgspec.convert(event.payload, Envelope)
        return Accepted(
            receipt=receipt,
            producer=event.producer,
            accepted_at=tried.at,
            event=msgspec.structs.replace(envelope, dataschema=_named(envelope.dataschema, event.type, version)),
            fingerprint=event.fingerprint or envelope.fingerprint,
            replay_of=event.failed_id,
        )


def _without_data(one: Accepted) -> Accepted:
    """A run may send a great many, and asks for their outcomes alone."""
    return msgspec.structs.replace(one, event=msgspec.structs.replace(one.event, data=None))


def _named(uri: str | None, kind: str, version: SchemaVersion | None) -> str | None:
    """The `dataschema` that asks for a version, at the place where the producer has its schemas."""
    if version is None:
        return uri
    base = uri.rpartition("/")[0] if uri is not None and SchemaVersion.of_uri(uri) else f"/schemas/{kind}"
    return f"{base}/{version}"
