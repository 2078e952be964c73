"""Deliveries are believed by their signature, packed within bounds, and settled once however often they come."""

import base64
import hmac
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.events.conservation import (
    KEPT_IN_QUEUES,
    OVERDUE_AFTER,
    Balance,
    Held,
    Receipt,
    discrepancies,
    lost,
)
from prism_core.events.ledger import record, to_count_again
from prism_core.events.messages import is_large
from prism_core.events.outcomes import Outcome, Settled, StoredMark, batch_item_failures, outcome_of, settle
from prism_core.events.packing import (
    GROWTH_LIMIT_BYTES,
    INLINE_LIMIT_BYTES,
    MAX_EVENTS,
    PACK_LIMIT_BYTES,
    STATE_LIMIT_BYTES,
    encode_pack,
    packs,
)
from prism_core.events.signatures import SIGNATURE, TIMESTAMP, NotSigned, Scheme, require_signature, sign
from prism_core.failures import PermanentFailure
from tests.event_tallies import balances, tallies

NOW = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)
HOUR = NOW.replace(minute=0)
SECRET, OTHER = b"s" * 24, b"o" * 32
BODY = b'{"a":1}'


def checked(headers: dict[str, str], body: bytes = BODY, secrets: tuple[bytes, ...] = (SECRET,)) -> None:
    require_signature(Scheme.STANDARD, secrets, headers, body, NOW)


def test_what_was_signed_is_believed_by_each_secret_while_one_replaces_the_other() -> None:
    signed = sign(SECRET, "d-1", NOW, BODY)

    checked(signed)
    checked({name.upper(): value for name, value in signed.items()}, secrets=(OTHER, SECRET))
    checked(signed | {SIGNATURE: f"v1,AAAA v2,x {signed[SIGNATURE]}"})


def test_a_signature_is_that_of_the_standard() -> None:
    """Computed the long way: HMAC-SHA256 of id, timestamp and body with full stops between, in base64."""

    wanted = base64.b64encode(hmac.digest(SECRET, b'd-1.1767598200.{"a":1}', "sha256")).decode()

    assert sign(SECRET, "d-1", NOW, BODY)[SIGNATURE] == f"v1,{wanted}"


@pytest.mark.parametrize("part", ["webhook-id", TIMESTAMP, SIGNATURE])
def test_a_delivery_without_one_of_its_headers_is_not_believed(part: str) -> None:
    with pytest.raises(NotSigned, match=part):
        checked({name: value for name, value in sign(SECRET, "d-1", NOW, BODY).items() if name != part})


def test_a_delivery_that_was_changed_is_not_believed() -> None:
    signed = sign(SECRET, "d-1", NOW, BODY)

    for headers, body in (
        (signed, BODY + b" "),
        (signed | {"webhook-id": "d-2"}, BODY),
        (signed | {TIMESTAMP: str(int(signed[TIMESTAMP]) + 1)}, BODY),
        (sign(OTHER, "d-1", NOW, BODY), BODY),
        (signed | {SIGNATURE: "v1,not base64!"}, BODY),
    ):
        with pytest.raises(NotSigned):
            checked(headers, body)


@pytest.mark.parametrize(
    ("seconds", "believed"), [(-301, False), (-300, True), (300, True), (301, False), (10**9, False)]
)
def test_a_delivery_is_believed_within_its_window(seconds: int, believed: bool) -> None:  # noqa: FBT001
    signed = sign(SECRET, "d-1", NOW + timedelta(seconds=seconds), BODY)

    if believed:
        checked(signed)
    else:
        with pytest.raises(NotSigned, match="clock"):
            checked(signed)


def test_a_body_alone_is_signed_as_github_does() -> None:
    """The example of GitHub's own documentation."""
    secret, body = b"It's a Secret to Everybody", b"Hello, World!"
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    require_signature(Scheme.BODY_ONLY, [secret], {"X-Hub-Signature-256": f"sha256={digest}"}, body, NOW)
    for wrong in ({}, {"x-hub-signature-256": "sha256=ü"}, {"x-hub-signature-256": f"sha256={digest[:-1]}8"}):
        with pytest.raises(NotSigned):
            require_signature(Scheme.BODY_ONLY, [secret], wrong, body, NOW)


@pytest.mark.parametrize("secrets", [[], [b""], [b"short"]], ids=["none", "empty", "short"])
def test_a_producer_without_a_good_secret_is_never_believed(secrets: list[bytes]) -> None:
    with pytest.raises(NotSigned, match="24 bytes"):
        require_signature(Scheme.STANDARD, secrets, sign(b"", "d-1", NOW, BODY), BODY, NOW)


def message(size: int) -> bytes:
    return b'"' + b"x" * (size - 2) + b'"'


@given(st.lists(st.integers(2, 60_000) | st.just(PACK_LIMIT_BYTES - 38), max_size=60))
def test_every_message_is_in_one_pack_in_order_and_no_pack_is_too_large(sizes: list[int]) -> None:
    messages = [message(size) for size in sizes]

    found = list(packs(messages))

    assert [number for pack in found for number in pack] == list(range(len(messages)))
    for pack in found:
        text = encode_pack([messages[number] for number in pack], NOW)
        assert len(text) <= PACK_LIMIT_BYTES
        assert 1 <= len(pack) <= MAX_EVENTS
        assert len(json.loads(text)["events"]) == len(pack)


def test_small_messages_fill_a_pack_to_its_number() -> None:
    assert [len(pack) for pack in packs([b"{}"] * 250)] == [100, 100, 50]


def test_a_message_for_no_pack_is_refused() -> None:
    with pytest.raises(PermanentFailure, match="reference"):
        list(packs([message(PACK_LIMIT_BYTES)]))


def test_the_bounds_leave_room_for_what_the_states_add() -> None:
    assert PACK_LIMIT_BYTES + GROWTH_LIMIT_BYTES == STATE_LIMIT_BYTES == 262_144
    assert INLINE_LIMIT_BYTES + 10_000 < PACK_LIMIT_BYTES


@given(st.lists(st.integers(1, 60_000), min_size=1, max_size=20))
def test_a_pack_of_arrays_is_within_the_limit_as_the_functions_write_it(sizes: list[int]) -> None:
    """A function's answer is written with a space after each comma and colon: of "1,1,1" that is half as much."""
    messages = [json.dumps({"a": [1] * size}, separators=(",", ":")).encode() for size in sizes]

    for pack in packs(messages):
        state = json.loads(encode_pack([messages[number] for number in pack], NOW))
        assert len(json.dumps(state)) <= PACK_LIMIT_BYTES


def test_an_array_that_is_too_long_with_its_spaces_travels_as_a_reference() -> None:
    short, long = (json.dumps([1] * size, separators=(",", ":")).encode() for size in (60_000, 85_000))

    assert len(long) < INLINE_LIMIT_BYTES < len(json.dumps([1] * 85_000))
    assert (is_large(short), is_large(long)) == (False, True)


def test_only_messages_with_a_final_outcome_leave_the_queue() -> None:
    settled = [
        Settled("m1", "r1", Outcome.STORED),
        Settled("m2", "r2", Outcome.FAILED),
        Settled("m3", "r3", Outcome.RETRY),
        Settled("m4", "r4", Outcome.CONFLICT),
        Settled("stranger", "r9", Outcome.RETRY),
    ]

    answer = batch_item_failures(["m1", "m2", "m3", "m4", "m5", "m5"], settled)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m3"}, {"itemIdentifier": "m5"}]}


def test_a_message_that_comes_again_finds_itself_stored_and_is_no_duplicate() -> None:
    first = StoredMark("r1", "f1")

    assert outcome_of(None, first) is Outcome.STORED
    assert outcome_of(first, first) is Outcome.STORED
    assert outcome_of(first, StoredMark("r2", "f1")) is Outcome.DUPLICATE
    assert outcome_of(first, StoredMark("r2", "f2")) is Outcome.CONFLICT


marks = st.builds(StoredMark, st.sampled_from(["r1", "r2", "r3", "r4"]), st.just(""))


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.sampled_from("xy")), max_size=20), st.data()
)
def test_conservation_holds_whatever_is_delivered_again_and_in_any_order(
    events: list[tuple[str, int, str]], data: st.DataObject
) -> None:
    """Each event is delivered one to three times; the store and the failed events are counted on their own."""
    deliveries = [(f"r{number}", key, body) for number, (key, _, body) in enumerate(events)]
    again = data.draw(st.lists(st.sampled_from(deliveries), max_size=10)) if deliveries else []
    order = data.draw(st.permutations(deliveries + again))
    store: dict[str, StoredMark] = {}
    failed: set[str] = set()
    outcomes: dict[str, Outcome] = {}

    for receipt, key, body in order:
        coming = StoredMark(receipt, body)
        outcome = outcome_of(store.get(key), coming)
        store.setdefault(key, coming)
        if outcome is Outcome.CONFLICT:
            failed.add(receipt)
        outcomes[receipt] = settle(outcomes.get(receipt), outcome)

    found = balances((Receipt(receipt, "p", NOW, outcome) for receipt, outcome in outcomes.items()), NOW)
    for balance in found.values():
        assert balance.accepted == len(events)
        assert discrepancies(balance, Held(len(store), len(failed))) == ()


def test_the_first_final_outcome_is_kept() -> None:
    assert settle(None, Outcome.RETRY) is Outcome.RETRY
    assert settle(Outcome.RETRY, Outcome.STORED) is Outcome.STORED
    assert settle(Outcome.STORED, Outcome.FAILED) is Outcome.STORED


def test_hours_are_balanced_on_their_own() -> None:
    receipts = [
        Receipt("1", "p", HOUR, Outcome.STORED),
        Receipt("2", "p", HOUR + timedelta(minutes=59, seconds=59), Outcome.CONFLICT),
        Receipt("3", "p", HOUR + timedelta(hours=1)),
        Receipt("4", "p", HOUR, refused=True),
    ]

    found = balances(receipts, NOW + timedelta(hours=1))

    assert found[HOUR] == Balance(HOUR, 2, 1, 1, 0, 0, 0)
    assert Counter({"in": found[HOUR + timedelta(hours=1)].in_flight}) == Counter({"in": 1})


def test_what_is_lost_or_too_much_or_overdue_is_told() -> None:
    balance = Balance(HOUR, accepted=10, stored=7, failed=1, duplicate=1, in_flight=1, overdue=0)

    assert discrepancies(balance, Held(7, 1)) == ()
    assert discrepancies(balance, Held(8, 1)) == ()  # the one in flight has been stored, its receipt comes
    assert (lost(balance, Held(6, 0)), len(discrepancies(balance, Held(6, 0)))) == (2, 2)
    assert "more than were accepted" in discrepancies(balance, Held(9, 1))[0]
    assert discrepancies(balance, Held(9, 3), runs=True) == ()  # others post while this is read
    assert len(discrepancies(balance, Held(6, 3), runs=True)) == 1
    (of_the_hour,) = tallies([Receipt("1", "p", HOUR)], HOUR + timedelta(minutes=1)).values()
    assert record(of_the_hour, Held(3, 1)).holds
    late = balances([Receipt("1", "p", NOW - OVERDUE_AFTER - timedelta(seconds=1))], NOW)[HOUR]
    assert "dead queue" in discrepancies(late, Held(0, 0))[0]


def test_what_nobody_was_told_of_is_never_accepted_nor_lost_until_it_comes_through() -> None:
    """One that the queue refused, and one of which nobody knows: a month later, then stored, then settled."""
    open_one = Receipt("r1", "tool", NOW)
    refused = msgspec.structs.replace(open_one, receipt="r2", refused=True)
    doubtful = msgspec.structs.replace(open_one, receipt="r3", doubtful=True)
    later = NOW + KEPT_IN_QUEUES * 2

    (balance,) = balances([refused, doubtful], NOW + timedelta(hours=2)).values()
    (much_later,) = balances([refused, doubtful], later).values()

    assert balance == Balance(HOUR, 0, 0, 0, 0, 0, 0, in_doubt=1)
    assert (discrepancies(balance, Held(0, 0)), lost(balance, Held(0, 0))) == ((), 0)
    assert discrepancies(balance, Held(1, 0)) == ()
    assert "more than were accepted" in " ".join(discrepancies(balance, Held(2, 0)))
    assert (much_later.in_doubt, discrepancies(much_later, Held(0, 0)), lost(much_later, Held(0, 0))) == (1, (), 0)
    assert "more than were accepted" in " ".join(discrepancies(much_later, Held(1, 0)))
    kept = record(tallies([refused, doubtful], NOW + timedelta(hours=2))[HOUR], Held(1, 0))
    assert to_count_again([kept], {HOUR: 1}) == [HOUR]
    assert (kept.producers, kept.unserved) == ({}, 0)
    settled = msgspec.structs.replace(doubtful, doubtful=False, outcome=Outcome.STORED, settled_at=NOW)
    (after,) = balances([refused, settled], later).values()
    assert (after.accepted, after.stored, after.in_doubt) == (1, 1, 0)


def test_what_waits_for_longer_than_a_queue_keeps_it_is_lost_unless_a_store_holds_it() -> None:
    gone, waiting = NOW - KEPT_IN_QUEUES - timedelta(seconds=1), NOW - KEPT_IN_QUEUES + timedelta(minutes=1)
    receipts = [Receipt("1", "p", gone), Receipt("2", "p", gone), Receipt("3", "p", waiting)]
    (tally,) = tallies(receipts, NOW).values()
    balance = tally.balance

    assert (balance.in_flight, balance.overdue, balance.vanished) == (3, 3, 2)
    assert [lost(balance, held) for held in (Held(0, 0), Held(1, 0), Held(1, 1), Held(3, 0))] == [2, 1, 0, 0]
    assert "2 are in no queue any more and in no store: they are lost" in discrepancies(balance, Held(0, 0))
    assert len(discrepancies(balance, Held(1, 1))) == 1
    assert not record(tally, Held(0, 0)).only_waits
