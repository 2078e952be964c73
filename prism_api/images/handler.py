"""The function behind the queue of uploads.

Belongs here: which messages the queue keeps, when they are tried again, and the line of log a batch. Does not
belong here: what becomes of an upload (prism_resources/media/analysing.py).
It never raises and always answers in the queue's form: an error would stop all batches for a while, and an
answer that the queue cannot read would count as success and lose the batch.
"""

import json
import logging
import math
import sys
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from prism_api import logs
from prism_api.api.start import building

with building():
    from prism_core.failures import PermanentFailure, PrismFailure, TransientFailure
    from prism_core.media.arrivals import Arrival, Due, read_arrivals
    from prism_core.settings import Settings, load_settings
    from prism_resources.events.queue import EventQueue
    from prism_resources.media.analysing import Analysing, Done

QUEUE: Final = "images"
# The template's maxReceiveCount: after so many tries a message waits in the dead queue.
TRIES: Final = 8
_MOST_SECONDS: Final = 120
# What is left of a call is for the analyser but for these: what was found is written after it, or that it is tried
# again, also while a service hangs.
_WRITING_SECONDS: Final = 7
_log = logging.getLogger("prism.images")
_log.setLevel(logging.INFO)


@cache
def _settings() -> Settings:
    return load_settings()


@cache
def _analysing() -> Analysing:
    return Analysing(_settings())


@cache
def _queue() -> EventQueue:
    return EventQueue(_settings(), QUEUE)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of SQS; answers `batchItemFailures`, every message whose upload has come to no end."""
    logs.begin(context)
    started = time.perf_counter()
    delays: dict[str, int] = {}
    left: list[str] = []
    lines: list[dict[str, Any]] = []
    until = _until(context)
    for record in event["Records"]:
        tried = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
        delay = _brought_to_its_end(record, tried, lines, until)
        if delay is not None:
            left.append(str(record["messageId"]))
            delays[str(record["receiptHandle"])] = delay
    _delay(delays)
    took = round((time.perf_counter() - started) * 1000, 1)
    line = {"messages": len(event["Records"]), "left": len(left), "milliseconds": took, "images": lines}
    sys.stdout.write(json.dumps(line) + "\n")
    return {"batchItemFailures": [{"itemIdentifier": one} for one in left]}


def _until(context: Any) -> float:
    """When the analyser must have answered, of time.monotonic: a call that runs out of time says nothing, and
    its try would count against the picture."""
    return time.monotonic() + context.get_remaining_time_in_millis() / 1_000 - _WRITING_SECONDS


def _brought_to_its_end(
    record: Mapping[str, Any], tried: int, lines: list[dict[str, Any]], until: float
) -> int | None:
    """None when the message is done with, else the seconds after which it is to be seen again."""
    try:
        arrivals = read_arrivals(str(record["body"]))
    except PermanentFailure:
        _log.exception("message %s is left for the dead queue", record["messageId"])
        return 0
    delay: int | None = None
    for arrival in arrivals:
        try:
            done = _analysing().handle(arrival, until, tried)
        except TransientFailure as failure:
            _log.warning("%s is tried again: %s", arrival.key, failure)
            _tell_author(arrival, failure, tried)
            delay = min(_MOST_SECONDS, 2**tried)
            continue
        except PermanentFailure as failure:  # a key that PRISM did not hand out, a row that cannot be written
            _log.exception("%s is not analysed", arrival.key)
            _tell_author(arrival, failure, TRIES)
            continue
        except Exception as error:  # noqa: BLE001 - see above
            _log.exception("%s came to no end", arrival.key)
            _tell_author(arrival, error, tried)
            delay = min(_MOST_SECONDS, 2**tried)
            continue
        lines.append(_line(arrival, done))
        if done.due is Due.BUSY:
            delay = math.ceil(done.again) + 1
    return delay


def _tell_author(arrival: Arrival, failure: Exception, tried: int) -> None:
    """After the last try nobody would ever say what became of the image."""
    if tried < TRIES:
        return
    try:
        _analysing().give_up(arrival, failure)
    except PrismFailure as error:
        _log.warning("the row of %s says nothing of it: %s", arrival.key, error)


def _line(arrival: Arrival, done: Done) -> dict[str, Any]:
    seconds = {f"{name}_milliseconds": round(value * 1000, 1) for name, value in done.seconds.items()}
    state = None if done.state is None else done.state.value
    return {"key": arrival.key, "due": done.due.value, "state": state, **seconds}


def _delay(delays: Mapping[str, int]) -> None:
    """Where that fails the queue waits as long as always."""
    if not delays:
        return
    try:
        _queue().try_again(delays)
    except PrismFailure as error:
        _log.warning("messages were not delayed: %s", error)
