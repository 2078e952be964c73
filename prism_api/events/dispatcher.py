"""The function between the queue and the state machine.

Belongs here: packs of messages, an execution a pack, and which messages the queue keeps. Does not belong here:
what happens to an event (steps.py).
It never raises and never answers in another form: an error would stop all batches for a while, and an answer that
the queue cannot read would count as success and lose the whole batch.
"""

import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from botocore.exceptions import ConnectionClosedError

from prism_api import logs
from prism_api.api.start import building

with building():
    from prism_api.events import container
    from prism_core.events.messages import decode
    from prism_core.events.outcomes import Settled, batch_item_failures
    from prism_core.events.packing import MAX_EVENTS, encode_pack, packs
    from prism_core.failures import PermanentFailure, PrismFailure
    from prism_resources.aws import client
    from prism_resources.failures import calling

# Executions of a batch run at once, and each is asked once: with what a connection takes (5 s) that is less than
# the function has (25 s, infra/templates/events.yaml), so that what a slow machine leaves goes back by `_delay`.
# Where the function is ended before, it comes again by the queue's own 300 s, and sixteen of those are 80 minutes.
AT_ONCE: Final = 10
EXECUTION_SECONDS: Final = 18
# How long the states of an execution judge and store. One that nobody waits for any more ends what it has in hand,
# which the next delivery finds: where the machine is slow little else ends. But not for minutes, beside several.
WRITES_SECONDS: Final = 60
# What has failed twice goes with fewer others each time, since one of them may be what all fail by: five together,
# then two, then each alone. Not alone at once: where the machine is slow, ten times the executions end nothing.
_FEWER_FROM, _OF_A_BATCH = 3, 10
# What is done with a message that failed: it waits twice as long each time, half an hour at most.
_MOST_SECONDS: Final = 1_800
# By then it shows that a connection was closed; with it all that is waited for stays within the function's time.
STALE_SECONDS: Final = 1.0
_log = logging.getLogger("prism.events")
_log.setLevel(logging.INFO)


class Message(NamedTuple):
    """Its text, the ids under which the queue handed it over, and how often it did so before and now."""

    text: bytes
    ids: list[str]
    tried: int


Messages = dict[str, Message]  # by receipt
_outcomes_of = msgspec.json.Decoder(dict[str, list[Settled]]).decode


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of SQS; answers `batchItemFailures`, every message without a final outcome."""
    logs.begin(context)
    started, arrived = time.perf_counter(), time.time()
    records = {str(one["messageId"]): one for one in event["Records"]}
    settled: list[Settled] = []
    try:
        messages = _read(records)
        settled = _settled(messages)
        answer = batch_item_failures(list(records), settled)
        _delay(records, messages, [one["itemIdentifier"] for one in answer["batchItemFailures"]])
    except Exception:  # noqa: BLE001 - see above
        _log.exception("a batch of %d stays in the queue", len(records))
        answer = batch_item_failures(list(records), settled)
    took = round((time.perf_counter() - started) * 1000, 1)
    line = {
        "messages": len(records),
        "left": len(answer["batchItemFailures"]),
        "waited_milliseconds": _waited(event["Records"], arrived),
        "milliseconds": took,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    return answer


def _waited(records: Sequence[Mapping[str, Any]], arrived: float) -> float:
    """How long messages had been in the queue, on average; one that came again counts from its start."""
    sent = [int(one.get("attributes", {}).get("SentTimestamp", 0)) for one in records]
    known = [arrived * 1000 - one for one in sent if one]
    return round(sum(known) / len(known), 1) if known else 0.0


def _read(records: Mapping[str, Mapping[str, Any]]) -> Messages:
    """The messages that can be read; SQS may hand the same one over twice."""
    messages: Messages = {}
    for message_id, record in records.items():
        text = str(record["body"]).encode("utf-8", "surrogatepass")
        try:
            receipt = decode(text).receipt
        except PermanentFailure as error:
            _log.error("message %s is left for the dead queue: %s", message_id, error)
            continue
        messages.setdefault(receipt, Message(text, [], _tried(record))).ids.append(message_id)
    return messages


def _tried(record: Mapping[str, Any]) -> int:
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))


def most_together(tried: int) -> int:
    """How many events that come for so many times an execution takes at most."""
    return MAX_EVENTS if tried < _FEWER_FROM else max(1, _OF_A_BATCH >> (tried - _FEWER_FROM + 1))


def inputs(messages: Iterable[Message]) -> list[bytes]:
    """The inputs of executions: packs, the smaller the more often their events have failed."""
    groups: dict[int, list[Message]] = {}
    for one in messages:
        groups.setdefault(most_together(one.tried), []).append(one)
    made: list[bytes] = []
    for most, alike in groups.items():
        for start in range(0, len(alike), most):
            chunk = alike[start : start + most]
            until = datetime.fromtimestamp(time.time() + WRITES_SECONDS, UTC)
            texts = [one.text for one in chunk]
            made += [encode_pack(texts[part.start : part.stop], until) for part in packs(texts)]
    return made


def _settled(messages: Messages) -> list[Settled]:
    """The outcomes of messages, as far as executions know them."""
    parts = inputs(messages.values())
    if len(parts) == 1:
        found: Sequence[list[Settled]] = [_executed(parts[0])]
    else:
        with ThreadPoolExecutor(min(AT_ONCE, len(parts) or 1)) as pool:
            found = list(pool.map(_executed, parts))
    outcomes = {one.receipt: one for part in found for one in part}
    return list(_by_message(messages, outcomes))


def _by_message(messages: Messages, outcomes: Mapping[str, Settled]) -> Iterator[Settled]:
    for receipt, message in messages.items():
        if receipt in outcomes:
            for message_id in message.ids:
                yield msgspec.structs.replace(outcomes[receipt], message_id=message_id)


def _executed(pack: bytes) -> list[Settled]:
    """The outcomes that an execution knows; none when it failed: its messages stay in the queue."""
    try:
        with calling("state machine of events", "start"):
            done = _started(pack.decode())
        if done["status"] != "SUCCEEDED":
            _log.error("an execution ended %s: %s", done["status"], str(done.get("cause", ""))[:500])
            return []
        return _outcomes_of(done["output"])["outcomes"]
    except (PrismFailure, msgspec.DecodeError, KeyError):
        _log.exception("an execution did not answer")
        return []


def _started(pack: str) -> Any:
    """A connection that was kept may have been closed meanwhile, which is seen at once, and when it is used: asked
    again on another one. One that is torn later is no such: there is no time for a second execution."""
    states, began = machines(), time.monotonic()
    try:
        return states.start_sync_execution(stateMachineArn=_machine(), input=pack)
    except ConnectionClosedError:
        if time.monotonic() - began > STALE_SECONDS:
            raise
        return states.start_sync_execution(stateMachineArn=_machine(), input=pack)


@cache
def machines() -> Any:
    """An execution is asked for once, but see `_started`: asked again after it began it would be a second one, and
    the queue tries again anyway."""
    return client(container.settings(), "stepfunctions", attempts=1, read_seconds=EXECUTION_SECONDS)


@cache
def _machine() -> str:
    settings = container.settings()
    place = f"{machines().meta.partition}:states:{settings.region}:{settings.account_id}"
    return f"arn:{place}:stateMachine:{settings.name_prefix}-events"


def seconds_until_tried(tried: int) -> int:
    """After so many tries that failed a message waits 2, 4, 8 … seconds. One that nobody can read does not wait,
    so that it is dead the sooner."""
    return min(_MOST_SECONDS, 2**tried)


def _delay(records: Mapping[str, Mapping[str, Any]], messages: Messages, left: Sequence[str]) -> None:
    """Have them tried again soon, and later each time. Where that fails the queue waits as long as always."""
    delays, readable = dict[str, int](), {one for message in messages.values() for one in message.ids}
    for message_id in left:
        record = records[message_id]
        delay = seconds_until_tried(_tried(record)) if message_id in readable else 0
        delays[str(record["receiptHandle"])] = delay
    if delays:
        try:
            container.queue().try_again(delays)
        except PrismFailure as error:
            _log.warning("messages were not delayed: %s", error)
