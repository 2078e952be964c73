"""The states of the machine: what becomes of a pack of accepted events.

Belongs here: the four entries, validate, enrich, store and aggregate, and the pack between them. Does not belong
here: rules of events (prism_core/events) and where things are kept (prism_resources/events).
A state returns an outcome for each event and never fails for one; it raises when all must wait, and may be tried
again: whatever it had written it finds.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import blake2b
from typing import Any, Final, TypeVar

import msgspec

from prism_api import logs
from prism_api.api.start import building

with building():
    from prism_api.events import container
    from prism_api.events.compiled import Judge
    from prism_api.events.kept import Entry, counted, data_of, failed_event, stored_event
    from prism_api.events.registry import Registry
    from prism_core import clock
    from prism_core.events.enrichment import Enriched
    from prism_core.events.failed import FailedStatus, Failure
    from prism_core.events.messages import Accepted
    from prism_core.events.outcomes import Outcome, Settled
    from prism_core.events.packing import GROWTH_LIMIT_BYTES
    from prism_core.events.rollups import Counted, Grain, roll_ups
    from prism_core.events.versions import SchemaVersion
    from prism_core.failures import PermanentFailure, PrismFailure, TransientFailure
    from prism_resources.events.archive import archive

# Of what a pack may grow by; the rest is for verdicts. What finds no room here is added where it is stored.
_ROOM_BYTES: Final = GROWTH_LIMIT_BYTES * 2 // 3
_ASKING_SECONDS: Final = 3.0
_T = TypeVar("_T")
_log = logging.getLogger("prism.events")
_log.setLevel(logging.INFO)


class Pack(msgspec.Struct, omit_defaults=True):
    """The state of the machine: `events` as the dispatcher packs them, `entries` those that go on, `outcomes` what
    is known of others, `counted` the stored ones, `valid` how many are of those or become such. From `until` on
    (milliseconds of Unix time) other deliveries have the same events in hand; 0 is never."""

    until: int = 0
    events: list[Accepted] = []
    entries: list[Entry] = []
    outcomes: list[Settled] = []
    counted: list[Counted] = []
    valid: int = 0


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"step": "validate", "pack": {…}}` to the pack as the next state takes it."""
    logs.begin(context)
    started = time.perf_counter()
    pack = msgspec.convert(event["pack"], Pack)
    if event["step"] in _JUDGING and 0 < pack.until <= time.time() * 1_000:
        raise TransientFailure("this execution was given up: what is left of its pack comes again, or has come")
    after = _STEPS[event["step"]](pack)
    after.until = pack.until
    done: dict[str, Any] = msgspec.to_builtins(after)
    took = round((time.perf_counter() - started) * 1000, 1)
    line = {
        "step": event["step"],
        "events": _size(pack),
        "receipts": logs.some(_receipts(pack)),
        "milliseconds": took,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    return {"valid": 0, "outcomes": [], **done}


def _size(pack: Pack) -> int:
    return len(pack.events) or len(pack.entries) or len(pack.counted)


@cache
def registry() -> Registry:
    return Registry(container.settings())


def validate(pack: Pack) -> Pack:
    """Judge each event by the schema that it asks for. One whose message had come before keeps what became of it
    then, whatever schema there is now."""
    before = container.earlier().fates(pack.events, clock.now())
    _note_replayed(before.ended)
    outcomes = [Settled("", receipt, outcome) for receipt, outcome in before.outcomes.items()]
    again = [counted(event) for event in before.stored]
    entries: list[Entry] = []
    for accepted in pack.events:
        if accepted.receipt in before.outcomes:
            continue
        try:
            entries.append(_judged(accepted))
        except PermanentFailure as error:
            _log.exception("receipt %s could not be judged", accepted.receipt)
            outcomes.append(Settled("", accepted.receipt, Outcome.RETRY, str(error)[:200]))
    valid = sum(one.failure is None for one in entries)
    return Pack(entries=entries, outcomes=outcomes, counted=again, valid=valid + len(again))


def add(pack: Pack) -> Pack:
    """Enrich the valid ones from the current lookups, as far as the state has room."""
    room, asking = _ROOM_BYTES, _asking()
    for number, entry in enumerate(pack.entries):
        if entry.failure is not None or entry.accepted.body is not None:
            continue
        try:
            judge = _judge(entry)
            if not judge.item.rules:
                continue
            found = _enriched(judge, entry.accepted.event.data, asking)
        except PermanentFailure:  # where it is stored it is tried once more, and left alone
            _log.exception("receipt %s could not be enriched", entry.accepted.receipt)
            continue
        room -= len(msgspec.json.encode(msgspec.structs.replace(found, data=None)))
        if room < 0:
            break
        event = msgspec.structs.replace(entry.accepted.event, data=found.data)
        pack.entries[number] = msgspec.structs.replace(
            entry,
            accepted=msgspec.structs.replace(entry.accepted, event=event),
            enriched=msgspec.structs.replace(found, data=None),
        )
    return pack


def store(pack: Pack) -> Pack:
    """Store events and what failed, then their archive, and at last settle the receipts."""
    now, settings, asking = clock.now(), container.settings(), _asking()
    left: list[Settled] = []
    valid = [one for one in pack.entries if one.failure is None]
    stored = made_alone(
        valid, lambda one: stored_event(settings, one, _judge(one), _whole(one, asking), now), left
    )
    put = container.events().store(stored)
    found = {event.receipt: one.outcome for event, one in zip(stored, put, strict=True)}
    kept = [one.event for one in put if one.outcome is Outcome.STORED]
    archive(settings, kept)
    wrong = [
        one
        for one in pack.entries
        if one.failure is not None or found.get(one.accepted.receipt) is Outcome.CONFLICT
    ]
    # An execution that was given up may be this late: by another version, the next one may have stored its event.
    before = container.receipts().outcomes([one.accepted for one in wrong]) if wrong else {}
    wrong = [one for one in wrong if one.accepted.receipt not in before]
    failed = made_alone(wrong, lambda one: failed_event(settings, one, _looked_up(one), registry(), now), left)
    if failed:
        container.failed().add(failed)
    open_ones = {one.receipt for one in left}
    ended = [
        (one.accepted, before.get(one.accepted.receipt) or found.get(one.accepted.receipt, Outcome.FAILED))
        for one in pack.entries
        if one.accepted.receipt not in open_ones
    ]
    container.receipts().settle(ended, clock.now())
    _note_replayed(ended)
    told = [Settled("", accepted.receipt, outcome) for accepted, outcome in ended]
    now_counted = [*pack.counted, *(counted(event) for event in kept)]
    return Pack(outcomes=[*pack.outcomes, *left, *told], counted=now_counted)


def aggregate(pack: Pack) -> Pack:
    """What this pack adds to the minutes of its events, until their hours of acceptance are computed."""
    hours: dict[datetime, list[Counted]] = {}
    for one in pack.counted:
        hours.setdefault(Grain.HOUR.start_of(one.accepted_at), []).append(one)
    for hour, events in hours.items():
        parts = roll_ups(events, Grain.MINUTE).values()
        own = blake2b("".join(sorted(one.key for one in events)).encode(), digest_size=16).hexdigest()
        container.rollups().put_pack(hour, own, parts, clock.now())
    return Pack(outcomes=pack.outcomes)


def _receipts(pack: Pack) -> Iterator[str]:
    yield from (one.receipt for one in pack.events)
    yield from (one.accepted.receipt for one in pack.entries)


_STEPS: Final[Mapping[str, Callable[[Pack], Pack]]] = {
    "validate": validate,
    "enrich": add,
    "store": store,
    "aggregate": aggregate,
}


# What is stored is counted at any time: that decides nothing of an event.
_JUDGING: Final = frozenset({"validate", "enrich", "store"})


def made_alone(entries: Iterable[Entry], make: Callable[[Entry], _T], left: list[Settled]) -> list[_T]:
    """What `make` makes of each. One that it cannot make anything of, as of data that are gone, goes to `left`, to
    be tried again until it is dead: its pack does not wait for it."""
    made: list[_T] = []
    for entry in entries:
        try:
            made.append(make(entry))
        except PermanentFailure as error:
            _log.exception("receipt %s could not be kept", entry.accepted.receipt)
            left.append(Settled("", entry.accepted.receipt, Outcome.RETRY, str(error)[:200]))
    return made


def _note_replayed(ended: Sequence[tuple[Accepted, Outcome]]) -> None:
    """Mark failed events whose replay is stored. Outcomes are final by then: what cannot be marked is logged, and
    the next replay of it finds the receipt and marks it."""
    for accepted, outcome in ended:
        if accepted.replay_of is None or outcome not in {Outcome.STORED, Outcome.DUPLICATE}:
            continue
        try:
            container.failed().settle(accepted.replay_of, FailedStatus.REPLAYED)
        except PrismFailure:
            _log.exception("failed event %s is stored and was not marked so", accepted.replay_of)


def _judged(accepted: Accepted) -> Entry:
    found = registry().find(accepted.event.type, accepted.event.version)
    if isinstance(found, Failure):
        return Entry(accepted, failure=found)
    fits = found.schema.fits(data_of(container.settings(), accepted))
    return Entry(accepted, found.item.version, None if fits else Failure.INVALID)


def _looked_up(entry: Entry) -> Judge | None:
    return None if entry.version is None else _judge(entry)


def _judge(entry: Entry) -> Judge:
    """The version that an entry was judged by."""
    found = registry().find(entry.accepted.event.type, SchemaVersion.parse(entry.version or ""))
    if isinstance(found, Failure):
        raise TransientFailure(f"{entry.accepted.event.type} {entry.version} was there when the event was judged")
    return found


def _whole(entry: Entry, asking: Callable[[str, str], str | None]) -> Enriched:
    """What was added to an entry and its data, which may lie apart."""
    data = data_of(container.settings(), entry.accepted)
    if entry.enriched is not None:
        return msgspec.structs.replace(entry.enriched, data=data)
    return _enriched(_judge(entry), data, asking)


def _enriched(judge: Judge, data: Any, asking: Callable[[str, str], str | None]) -> Enriched:
    return judge.enricher(data, registry().lookups(judge.enricher.rules), asking)


def _asking() -> Callable[[str, str], str | None]:
    """Asks services outside for as long as a state has time: a slow one must not hold up a pack."""
    until = time.monotonic() + _ASKING_SECONDS

    def asked(service: str, text: str) -> str | None:
        if time.monotonic() > until:
            return None
        try:
            return container.outside().ask(service, text)
        except PrismFailure as error:
            _log.warning("nothing is added by %s: %s", service, error)
            return None

    return asked
