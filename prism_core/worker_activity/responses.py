"""The active clock: how long a worker really worked on a task, pauses excluded.

Belongs here: Ground Truth worker-response documents ({job}/annotations/worker-response/… in S3) to seconds by
worker, accepted and submitted second, which is what an activity record can be matched on.
Does not belong here: finding and fetching the documents, and the wall clock (record.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import msgspec

from prism_core.worker_activity.files import BYTE_ORDER_MARK, excerpt_of

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024  # an answer may carry masks and polygons; beyond this it is no document

# (Cognito sub, accepted epoch second, submitted epoch second)
ActiveKey = tuple[str, int, int]
# Whole milliseconds, because they add up to the same sum in any order.
ActiveMilliseconds = Mapping[ActiveKey, int]


class ActiveTime(msgspec.Struct, frozen=True):
    """The active time of one submitted task."""

    worker_sub: str
    accepted_s: int
    submitted_s: int
    active_ms: int

    @property
    def key(self) -> ActiveKey:
        return self.worker_sub, self.accepted_s, self.submitted_s


class RejectedAnswer(msgspec.Struct, frozen=True):
    """An answer that cannot be used. `answer` counts from 1; 0 is the document as a whole."""

    document: str
    answer: int
    reason: str
    excerpt: str


class ActiveClock(msgspec.Struct, frozen=True):
    """What a set of documents says, and what of it could not be used."""

    milliseconds: dict[ActiveKey, int]
    rejected: list[RejectedAnswer]


def read_active_clock(documents: Iterable[tuple[str, bytes]]) -> ActiveClock:
    """Collect (name, content) documents in any order.

    A task of several objects writes one document an object with the same times; it counts once. Where two
    documents disagree, the longer time stands, so that the result does not depend on their order.
    """
    milliseconds: dict[ActiveKey, int] = {}
    rejected: list[RejectedAnswer] = []
    for name, content in documents:
        for found in read_worker_response(name, content):
            if isinstance(found, RejectedAnswer):
                rejected.append(found)
            else:
                milliseconds[found.key] = max(found.active_ms, milliseconds.get(found.key, 0))
    return ActiveClock(milliseconds, rejected)


def read_worker_response(name: str, content: bytes) -> Iterator[ActiveTime | RejectedAnswer]:
    """The answers of one document, each as a time or a rejection."""
    try:
        answers = _answers(content)
    except ValueError as error:
        yield RejectedAnswer(name, 0, str(error), excerpt_of(content))
        return
    for number, answer in enumerate(answers, start=1):
        try:
            yield _active_time(answer)
        except ValueError as error:
            yield RejectedAnswer(name, number, str(error), excerpt_of(msgspec.json.encode(answer)))


def _answers(content: bytes) -> list[Any]:
    if len(content) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"the document is larger than {MAX_DOCUMENT_BYTES:,} bytes")
    try:
        content.decode("utf-8")
        # Decimals keep timeSpentInSeconds as it was written; binary floats would round it twice.
        document = msgspec.json.Decoder(Any, float_hook=Decimal).decode(content.removeprefix(BYTE_ORDER_MARK))
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} of the document is not UTF-8") from error
    except msgspec.DecodeError as error:
        raise ValueError(f"the document is not JSON: {error}") from error
    except RecursionError as error:
        raise ValueError("the document is nested too deeply to be read") from error
    answers = _member(document, "answers")
    if isinstance(answers, list):
        return cast("list[Any]", answers)
    raise ValueError("the document has no list of answers; is it a worker response?")


def _active_time(answer: Any) -> ActiveTime:
    worker_sub = _worker_sub(answer)
    accepted_s, submitted_s = _second(answer, "acceptanceTime"), _second(answer, "submissionTime")
    if submitted_s < accepted_s:
        raise ValueError(
            f"submissionTime ({answer['submissionTime']}) lies before acceptanceTime ({answer['acceptanceTime']})"
        )
    return ActiveTime(worker_sub, accepted_s, submitted_s, _milliseconds(_member(answer, "timeSpentInSeconds")))


def _worker_sub(answer: Any) -> str:
    found = _member(_member(_member(answer, "workerMetadata"), "identityData"), "sub")
    if isinstance(found, str) and found:
        return found
    raise ValueError("the answer names no worker: workerMetadata.identityData.sub is missing")


def _member(value: Any, name: str) -> Any:
    """A member of a JSON object; None when it is absent or the value is no object."""
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def _second(answer: Any, field: str) -> int:
    """The epoch second, fractions cut off as in the activity log."""
    text = _member(answer, field)
    if not isinstance(text, str) or not text:
        raise ValueError(f"the answer has no {field}")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{field} {text[:60]!r} is not an instant such as 2020-01-02T18:59:58.321Z") from error
    if instant.tzinfo is None:
        raise ValueError(f"{field} {text[:60]!r} has no time zone")
    return int(instant.timestamp() // 1)


def _milliseconds(seconds: Any) -> int:
    if not isinstance(seconds, int | Decimal) or isinstance(seconds, bool):
        problem = "has no timeSpentInSeconds that is a number"
    elif not 0 <= seconds < 10**9:  # thirty years: anything longer is no time spent on a task
        problem = f"has a timeSpentInSeconds of {seconds}, which is no possible duration"
    else:
        return int((Decimal(seconds) * 1000).to_integral_value())
    raise ValueError(f"the answer {problem}")
