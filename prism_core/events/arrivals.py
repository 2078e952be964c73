"""What was posted, and the events in it.

Belongs here: the four ways an event comes over HTTP (one, a batch, its attributes as headers, a plain webhook),
their limits, and an answer a row. Does not belong here: one event's attributes (envelope.py) and who may post
(signatures.py, the API). Source: HTTP protocol binding of CloudEvents 1.0.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final
from urllib.parse import unquote

import msgspec

from prism_core.events.envelope import Envelope, checked, read_envelope
from prism_core.events.rejections import EventRejected, Rejection
from prism_core.events.strict_json import canonical, read

MAX_BODY_BYTES: Final = 1_000_000
MAX_BATCH: Final = 500

_STRUCTURED, _BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
_PREFIX: Final = "ce-"
_rows_of = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class Arrival:
    """One row of what was posted: an event, or why it is none."""

    row: int
    event: Envelope | EventRejected


class Webhook(msgspec.Struct, frozen=True):
    """How the deliveries of a service become events: GitHub's are `x-github-event` and `x-github-delivery`.

    An id that the signature does not cover proves nothing: the event is known by the digest of its type and body,
    so that the same delivery sent twice is the same event, and keeps the id as its attribute `delivery`.
    """

    source: str
    type_prefix: str
    type_header: str
    id_header: str | None = None


def arrivals(headers: Mapping[str, str], body: bytes, *, signed: bool = False) -> tuple[Arrival, ...]:
    """The rows of a request, by its headers (any case) and body, in their order.

    `signed`: the body is signed and its headers are not, so that they may say nothing of an event. Raises
    EventRejected for what is wrong with all of it: its size, its media type, no JSON, an empty batch.
    """
    _bounded(body)
    named = {name.lower(): value for name, value in headers.items()}
    media = named.get("content-type", "").partition(";")[0].strip().lower()
    if media == _BATCH:
        return _batch(body)
    if media == _STRUCTURED:
        return (_row(0, body),)
    if "ce-specversion" in named and signed:
        raise EventRejected(
            Rejection.MEDIA_TYPE,
            f"a signature does not cover headers; post {_STRUCTURED} or {_BATCH}",
            "header ce-specversion",
        )
    if "ce-specversion" in named:
        return (Arrival(0, _by_headers(named, body)),)
    if media != "application/json":
        raise EventRejected(
            Rejection.MEDIA_TYPE,
            f"post {_STRUCTURED}, {_BATCH}, or the attributes as ce- headers",
            "header content-type",
        )
    return _batch(body) if body.lstrip()[:1] == b"[" else (_row(0, body),)


def webhook_event(webhook: Webhook, headers: Mapping[str, str], body: bytes, signed: Collection[str]) -> Envelope:
    """The event of a delivery; `signed` are the headers that its signature covers. Raises EventRejected."""
    _bounded(body)
    named = {name.lower(): value for name, value in headers.items()}
    kind = named.get(webhook.type_header)
    if not kind:
        raise EventRejected(
            Rejection.ENVELOPE, "the delivery does not say what it is of", f"header {webhook.type_header}"
        )
    data = read(body)
    own = named.get(webhook.id_header) if webhook.id_header else None
    attributes = {"specversion": "1.0", "source": webhook.source, "type": f"{webhook.type_prefix}{kind}"}
    if own and webhook.id_header in signed:
        attributes["id"] = own
    else:
        attributes["id"] = blake2b(canonical([kind, data]), digest_size=16).hexdigest()
        attributes |= {"delivery": own} if own else {}
    own_header = webhook.id_header or "id"
    headers_of = {"type": webhook.type_header, "id": own_header, "delivery": own_header}
    return checked(attributes, data, lambda name: f"header {headers_of.get(name, name)}")


def _bounded(body: bytes) -> None:
    if len(body) > MAX_BODY_BYTES:
        raise EventRejected(
            Rejection.TOO_LARGE, f"a request has at most {MAX_BODY_BYTES:,} bytes, this one has {len(body):,}"
        )
    if not body.strip():
        raise EventRejected(Rejection.EMPTY, "the body is empty")


def _batch(body: bytes) -> tuple[Arrival, ...]:
    """Rows are cut out of the body as they are: one that is wrong leaves the others alone."""
    try:
        rows = _rows_of(body)
    except msgspec.ValidationError as error:
        raise EventRejected(Rejection.ENVELOPE, "a batch is a list of events") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise EventRejected(Rejection.NOT_JSON, f"this is not JSON: {error}") from error
    if not rows:
        raise EventRejected(Rejection.EMPTY, "the batch is empty")
    if len(rows) > MAX_BATCH:
        raise EventRejected(
            Rejection.TOO_MANY, f"a batch has at most {MAX_BATCH} events, this one has {len(rows)}"
        )
    return tuple(_row(number, memoryview(row)) for number, row in enumerate(rows))


def _row(number: int, text: bytes | memoryview) -> Arrival:
    try:
        return Arrival(number, read_envelope(read(text)))
    except EventRejected as rejected:
        return Arrival(number, rejected)


def _by_headers(named: Mapping[str, str], body: bytes) -> Envelope | EventRejected:
    attributes: dict[str, object] = {
        name.removeprefix(_PREFIX): unquote(value) for name, value in named.items() if name.startswith(_PREFIX)
    }
    attributes["datacontenttype"] = named.get("content-type")
    try:
        return checked(attributes, read(body), lambda name: f"header {_PREFIX}{name}")
    except EventRejected as rejected:
        return rejected
