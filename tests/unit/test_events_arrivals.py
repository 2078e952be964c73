"""Events that are posted are read row by row, whatever way they come, and refused with their place."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.events import messages
from prism_core.events.arrivals import MAX_BATCH, MAX_BODY_BYTES, Webhook, arrivals, webhook_event
from prism_core.events.envelope import Clock, Envelope, clock_of, counted_at, read_envelope
from prism_core.events.rejections import EventRejected, Rejection
from prism_core.events.versions import SchemaVersion
from prism_core.failures import PermanentFailure

NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "https://tool.example/labels",
    "type": "com.example.labelled",
    "time": "2026-01-05T07:00:00.5+01:00",
    "dataschema": "https://prism.example/schemas/com.example.labelled/1-0-2",
    "data": {"task": 7, "label": "ü"},
}
STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"content-type": "application/cloudevents-batch+json"}
GITHUB = Webhook("https://github.com", "com.github.", "x-github-event", "x-github-delivery")


def posted(*events: object) -> bytes:
    return json.dumps(list(events)).encode()


def without(name: str, **more: object) -> dict[str, Any]:
    return {key: value for key, value in PLAIN.items() if key != name} | more


def the_event(headers: dict[str, str], body: bytes) -> Envelope:
    (arrival,) = arrivals(headers, body)
    assert isinstance(arrival.event, Envelope), arrival.event
    return arrival.event


def test_one_event_is_the_same_in_every_mode() -> None:
    structured = the_event(STRUCTURED, json.dumps(PLAIN).encode())
    batch = the_event(BATCH, posted(PLAIN))
    plain = the_event({"content-type": "application/json"}, json.dumps(PLAIN, indent=1).encode())
    headers = {f"Ce-{name.title()}": str(value) for name, value in PLAIN.items() if name != "data"}
    binary = the_event(headers | {"Content-Type": "application/json"}, json.dumps(PLAIN["data"]).encode())

    assert structured == batch == plain == binary
    assert structured.time == datetime(2026, 1, 5, 6, 0, 0, 500_000, UTC)
    assert structured.version == SchemaVersion(1, 0, 2)


def test_a_wrong_row_of_a_batch_leaves_the_others_alone() -> None:
    body = b"[" + json.dumps(PLAIN).encode() + b',{"id":1},{"a":1,"a":2},{"x":"\xff"},7]'

    found = arrivals(BATCH, body)

    assert [one.row for one in found] == [0, 1, 2, 3, 4]
    assert isinstance(found[0].event, Envelope)
    kinds = [one.event.kind for one in found[1:] if isinstance(one.event, EventRejected)]
    assert kinds == [Rejection.ENVELOPE, Rejection.DUPLICATE_NAME, Rejection.NOT_UTF8, Rejection.ENVELOPE]


@pytest.mark.parametrize(
    ("headers", "body", "kind"),
    [
        pytest.param(STRUCTURED, b" \n", Rejection.EMPTY, id="empty body"),
        pytest.param(BATCH, b"[]", Rejection.EMPTY, id="empty batch"),
        pytest.param(BATCH, b"{}", Rejection.ENVELOPE, id="batch that is no list"),
        pytest.param(BATCH, b'[{"a":1}', Rejection.NOT_JSON, id="cut off"),
        pytest.param(BATCH, b"[" + b"1," * MAX_BATCH + b"1]", Rejection.TOO_MANY, id="one too many"),
        pytest.param(BATCH, b"[" * 300_000, Rejection.NOT_JSON, id="nested without end"),
        pytest.param(STRUCTURED, b"x" * (MAX_BODY_BYTES + 1), Rejection.TOO_LARGE, id="too large"),
        pytest.param({"content-type": "text/plain"}, b"{}", Rejection.MEDIA_TYPE, id="text"),
        pytest.param({}, b"{}", Rejection.MEDIA_TYPE, id="no media type"),
    ],
)
def test_what_is_wrong_with_all_of_it_refuses_all_of_it(
    headers: dict[str, str], body: bytes, kind: Rejection
) -> None:
    with pytest.raises(EventRejected) as rejected:
        arrivals(headers, body)

    assert rejected.value.kind is kind
    assert 400 <= kind.status < 500


@pytest.mark.parametrize(
    ("event", "path"),
    [
        pytest.param(without("id"), "/id", id="no id"),
        pytest.param(without("id", id=""), "/id", id="empty id"),
        pytest.param(without("id", id=7), "/id", id="id is a number"),
        pytest.param(without("id", id="x" * 257), "/id", id="long id"),
        pytest.param(without("id", id="a\nb"), "/id", id="line break in the id"),
        pytest.param(without("source"), "/source", id="no source"),
        pytest.param(without("source", source="a b"), "/source", id="space in the source"),
        pytest.param(without("type"), "/type", id="no type"),
        pytest.param(without("type", type="a/b#c"), "/type", id="type that would break a key"),
        pytest.param(without("specversion"), "/specversion", id="no specversion"),
        pytest.param(without("specversion", specversion=1.0), "/specversion", id="specversion is a number"),
        pytest.param(without("time", time="2026-01-05"), "/time", id="a day"),
        pytest.param(without("time", time="2026-01-05T07:00:00"), "/time", id="no zone"),
        pytest.param(without("time", time="2026-02-30T07:00:00Z"), "/time", id="no such day"),
        pytest.param(without("time", time="0001-01-01T00:00:00+10:00"), "/time", id="before the first year"),
        pytest.param(without("id", datacontenttype="text/xml", id="1"), "/datacontenttype", id="xml"),
        pytest.param(without("data", data_base64="AA=="), "/data_base64", id="binary"),
        pytest.param(without("id", id="1", traceId="x"), "/traceId", id="capital in a name"),
        pytest.param(without("id", id="1", trace=1.5), "/trace", id="attribute is a fraction"),
        pytest.param(without("id", id="1", trace=2**31), "/trace", id="attribute beyond 32 bits"),
    ],
)
def test_a_wrong_attribute_is_told_with_its_path(event: dict[str, Any], path: str) -> None:
    with pytest.raises(EventRejected) as rejected:
        read_envelope(event)

    assert rejected.value.path == path


def test_a_null_attribute_is_an_absent_one() -> None:
    found = read_envelope(without("time", time=None, subject=None, data=None))

    assert (found.time, found.subject, found.data) == (None, None, None)


def test_a_wrong_header_is_named_as_the_header_it_is() -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-type": "a", "content-type": "application/json"}

    (arrival,) = arrivals(headers, b"{}")

    assert isinstance(arrival.event, EventRejected)
    assert arrival.event.path == "header ce-source"


def test_headers_are_decoded_as_the_binding_says() -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "%C3%BC%20x", "ce-source": "/s", "ce-type": "a"}

    assert the_event(headers | {"content-type": "application/json"}, b"1").id == "ü x"


SHOP = Webhook("https://shop.example", "com.shop.", "x-shop-topic", "webhook-id")


def test_a_webhook_becomes_an_event_by_its_headers() -> None:
    headers = {"X-Shop-Topic": "orders", "Webhook-Id": "72d3162e"}

    event = webhook_event(SHOP, headers, b'{"action": "opened"}', frozenset({"webhook-id"}))

    assert (event.type, event.id, event.data) == ("com.shop.orders", "72d3162e", {"action": "opened"})
    assert event.extensions == {}


def test_a_webhook_is_known_by_what_it_says_and_not_by_an_id_that_nobody_signed() -> None:
    """Whoever has seen a delivery may send its signed body again under another id."""
    bodies = (b'{"a":1,"b":2}', b'{"b": 2, "a": 1}', b'{"a":1,"b":3}')
    first, again, other = (
        webhook_event(GITHUB, {"x-github-event": "ping", "x-github-delivery": f"d-{number}"}, body, frozenset())
        for number, body in enumerate(bodies)
    )
    another = webhook_event(GITHUB, {"x-github-event": "push"}, bodies[0], frozenset())

    assert first.key == again.key
    assert len({first.key, other.key, another.key}) == 3
    assert (first.extensions, again.extensions) == ({"delivery": "d-0"}, {"delivery": "d-1"})
    assert first.fingerprint == again.fingerprint


def test_a_signed_delivery_has_its_attributes_in_its_body() -> None:
    headers = {"content-type": "application/json", "ce-specversion": "1.0", "ce-id": "1", "ce-type": "a"}

    with pytest.raises(EventRejected, match="signature does not cover"):
        arrivals(headers | {"ce-source": "/s"}, b"{}", signed=True)


def test_a_webhook_that_does_not_say_what_it_is_of_is_refused() -> None:
    with pytest.raises(EventRejected, match="x-github-event"):
        webhook_event(GITHUB, {}, b"{}", frozenset())


def test_identity_is_source_and_id_and_nothing_else() -> None:
    first, renamed = read_envelope(PLAIN), read_envelope(without("id", id="e-2"))
    other = read_envelope(without("data", data=None))
    moved = read_envelope(without("source", source="https://tool.example/label"))

    assert first.key == other.key
    assert len({first.key, renamed.key, moved.key}) == 3


def test_a_fingerprint_ignores_order_time_and_trace_and_nothing_else() -> None:
    first = read_envelope(PLAIN)
    resent = read_envelope(without("time", data={"label": "ü", "task": 7}, traceparent="00-x"))
    other = read_envelope(without("data", data={"label": "u", "task": 7}))

    assert first.fingerprint == resent.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("time", "clock"),
    [
        (None, Clock.ABSENT),
        (NOW, Clock.SOUND),
        (NOW + timedelta(minutes=5), Clock.SOUND),
        (NOW + timedelta(minutes=5, microseconds=1), Clock.AHEAD),
        (datetime(2099, 1, 1, tzinfo=UTC), Clock.AHEAD),
        (NOW - timedelta(days=7), Clock.SOUND),
        (datetime(1970, 1, 1, tzinfo=UTC), Clock.BEHIND),
    ],
    ids=["absent", "now", "little ahead", "ahead", "2099", "a week ago", "1970"],
)
def test_a_clock_that_cannot_be_right_is_kept_and_not_counted_by(time: datetime | None, clock: Clock) -> None:
    assert clock_of(time, NOW) is clock
    assert counted_at(time, NOW) == (time if clock is Clock.SOUND else NOW)


@given(st.binary(max_size=80) | st.text(max_size=40).map(lambda text: json.dumps([{"id": text}]).encode()))
def test_no_body_brings_the_edge_down(body: bytes) -> None:
    try:
        found = arrivals(BATCH, body)
    except EventRejected:
        return
    assert all(isinstance(one.event, Envelope | EventRejected) for one in found)


def accepted(**more: Any) -> messages.Accepted:
    event = read_envelope(PLAIN | more)
    return messages.Accepted("r1", "tool", NOW, event, event.fingerprint)


def test_a_message_is_read_back_as_it_was_put_into_the_queue() -> None:
    message = accepted(traceparent="00-x", data={"big": 2**70, "deep": [[{"ü": None}]]})

    assert messages.decode(messages.encode(message)) == message


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("\ufffe\uffff\x00\x0b\x7f")))
def test_a_message_has_only_characters_that_a_queue_takes_and_loses_none(text: str) -> None:
    sent = accepted(data={text: text})

    message = messages.encode(sent)

    assert re.fullmatch("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*", message.decode())
    assert messages.decode(message) == sent


def test_a_large_event_travels_without_its_data_and_keeps_its_fingerprint() -> None:
    large = accepted(data="x" * 200_000)

    small, data = messages.apart(large, messages.Body("b", "k", "v", 200_002))

    assert messages.is_large(messages.encode(large))
    assert not messages.is_large(messages.encode(small))
    assert (small.fingerprint, small.event.data, data) == (large.fingerprint, None, large.event.data)
    assert messages.decode(messages.encode(small)) == small


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b'{"receipt":1}', b"\xff"], ids=["empty", "object", "list", "number", "no text"]
)
def test_a_message_of_somebody_else_is_refused(text: bytes) -> None:
    with pytest.raises(PermanentFailure, match="no message"):
        messages.decode(text)
