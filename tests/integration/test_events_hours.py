"""Hours of events: windows computed from all of their events, balances beside the stores, the dead queue emptied.

Why real: what an hour holds is read from five tables and a queue, each with its own way of being late.
"""

from datetime import datetime, timedelta

import msgspec
import pytest

from infra.local.platform import Platform
from prism_assets.events.hourly import AGAIN, UNTIL, hours_to_count
from prism_core.events.enrichment import Kind
from prism_core.events.envelope import Envelope
from prism_core.events.failed import FailedFilter, FailedStatus, Failure, failed_id, replay_receipt, replayed
from prism_core.events.messages import Accepted, Body, encode
from prism_core.events.outcomes import Outcome
from prism_core.events.rollups import Grain, roll_ups
from prism_core.events.scorecard import FailingField
from prism_core.events.versions import SchemaVersion
from prism_core.models.events import EnrichmentRule
from prism_core.models.reports import Recipient
from prism_core.tables import RECIPIENTS
from prism_resources.aws import client
from prism_resources.events import archive, objects
from prism_resources.events.balancing import LAG_SECONDS, Balancing
from prism_resources.events.dead import drain
from prism_resources.events.event_store import EventStore
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.folding import Folding, counted
from prism_resources.events.measuring import measure, send
from prism_resources.events.queue import DEAD_NAME, EventQueue
from prism_resources.events.receipts import Receipts
from prism_resources.events.replaying import Replaying
from prism_resources.events.rollup_store import RollupStore
from prism_resources.events.schema_store import SchemaStore
from prism_resources.events.scoring import Scoring, Telling
from prism_resources.mailing import Mailing
from prism_resources.metrics import NAMESPACE
from prism_resources.tables.store import TableStore
from tests.integration.event_rows import NOW, failed, stored
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file()

HOUR = timedelta(hours=1)
SEVEN = datetime(2026, 1, 5, 7, tzinfo=NOW.tzinfo)


def accepted(number: int, kind: str) -> Accepted:
    event = Envelope(id=f"e{number}", source=f"/{kind}", type=kind, data={"seconds": number})
    return Accepted(f"{number:026d}", "tool", NOW + timedelta(seconds=number), event, event.fingerprint)


@pytest.fixture(scope="module", autouse=True)
def _types(platform: Platform) -> None:
    for kind in ("h.folded", "h.balanced"):
        schemas = SchemaStore(platform.settings)
        schemas.add(kind, SchemaVersion(1, 0, 0), b"{}", by="test", now=NOW)


def test_windows_are_computed_from_all_of_their_events_and_a_late_one_corrects_its_own(platform: Platform) -> None:
    kind, settings = "h.folded", platform.settings
    events, rollups = EventStore(settings), RollupStore(settings)
    early = [stored(number, kind) for number in (1, 2, 70)]
    late = stored(2 * 3600, kind).model_copy(update={"time": NOW + timedelta(seconds=3)})
    events.store(early)
    rollups.put_pack(SEVEN, "pack", roll_ups(map(counted, early[:2]), Grain.MINUTE).values(), NOW)

    first = Folding(settings, at_once=2).fold([SEVEN], SEVEN + HOUR)
    before = [one.count for one in rollups.read(kind, Grain.MINUTE, SEVEN, SEVEN + HOUR)]
    events.store([late])
    for _ in range(2):
        Folding(settings).fold([SEVEN + 2 * HOUR], SEVEN + 4 * HOUR)

    assert (first.events, first.windows, first.hours) == ({kind: 3}, 4, {SEVEN: 3})
    assert before == [2, 1]
    assert [one.count for one in rollups.read(kind, Grain.MINUTE, SEVEN, SEVEN + HOUR)] == [3, 1]
    assert [(one.count, one.late) for one in rollups.read(kind, Grain.HOUR, SEVEN, SEVEN + 3 * HOUR)] == [(4, 1)]
    assert [one.count for one in rollups.of_day(Grain.DAY, SEVEN) if one.type == kind] == [4]


def test_a_dead_message_becomes_a_failed_event_and_its_hour_balances(platform: Platform) -> None:
    kind, settings = "h.balanced", platform.settings
    receipts, dead = Receipts(settings), EventQueue(settings, DEAD_NAME)
    kept, lost_one, ended = (accepted(number, kind) for number in (11, 12, 13))
    receipts.accept([kept, lost_one, ended])
    EventStore(settings).store([stored(11, kind), stored(13, kind)])
    receipts.settle([(kept, Outcome.STORED), (ended, Outcome.STORED)], NOW)
    later = NOW + HOUR
    waiting = Balancing(settings).of_hour(SEVEN, later)
    dead.send([encode(lost_one), encode(ended), b"{}"])

    done = drain(settings, later)

    assert "in flight for longer" in " ".join(waiting.wrong)
    assert (done.undeliverable, done.settled, done.unreadable) == (1, 1, 1)
    found = FailedStore(settings).get(failed_id(lost_one.receipt))
    assert found is not None
    assert (found.failure, found.payload) == (Failure.UNDELIVERABLE, msgspec.to_builtins(lost_one.event))
    balanced = Balancing(settings).of_hour(SEVEN, later)
    assert (balanced.stored, balanced.failed, balanced.in_flight) == (2, 1, 0)
    assert (balanced.producers["tool"].accepted, balanced.unserved) == (3, 1)
    assert drain(settings, later).undeliverable == 0


def test_the_row_of_a_replay_that_was_settled_meanwhile_stays(platform: Platform) -> None:
    """Two runs of one filter at once: the second one is about to send what the first one's message has ended."""
    receipts = Receipts(platform.settings)
    ended, refused = (
        msgspec.structs.replace(accepted(20 * 3600 + number, "h.replayed"), replay_of="0" * 32)
        for number in (1, 2)
    )
    receipts.accept([ended, refused])
    receipts.settle([(ended, Outcome.STORED)], NOW)
    receipts.refuse([refused])

    receipts.accept([ended, refused])

    rows = [receipts.get(one.receipt, one.accepted_at) for one in (ended, refused)]
    assert [(one.outcome, one.refused) for one in rows if one is not None] == [
        (Outcome.STORED, False), (None, False)
    ]  # fmt: skip
    receipts.settle([(refused, Outcome.FAILED)], NOW)


def test_a_dead_message_whose_event_is_stored_is_archived_and_settled_as_stored(platform: Platform) -> None:
    """As when the archive could not be written until the message was dead: the event is in its table by then."""
    settings, receipts = platform.settings, Receipts(platform.settings)
    one, other = accepted(10 * 3600, "h.balanced"), accepted(10 * 3600 + 1, "h.balanced")
    receipts.accept([one, other])
    EventStore(settings).store(
        [stored(10 * 3600, "h.balanced"), stored(10 * 3600 + 1, "h.balanced", receipt="9" * 26)]
    )
    EventQueue(settings, DEAD_NAME).send([encode(one), encode(other)])

    done = drain(settings, NOW + 11 * HOUR)

    assert (done.settled, done.undeliverable) == (2, 0)
    assert receipts.outcomes([one, other]) == {one.receipt: Outcome.STORED, other.receipt: Outcome.DUPLICATE}
    assert FailedStore(settings).get(failed_id(one.receipt)) is None
    keys = archive.keys_of_day(settings, one.accepted_at.date())
    assert [found.receipt for found in archive.read(settings, keys)] == [one.receipt]
    assert Balancing(settings).of_hour(SEVEN + 10 * HOUR, NOW + 11 * HOUR).lost == 0


def test_a_dead_message_that_cannot_be_kept_stays_and_holds_up_no_other(platform: Platform) -> None:
    settings, dead = platform.settings, EventQueue(platform.settings, DEAD_NAME)
    sound = accepted(14 * 3600, "h.balanced")
    large = msgspec.structs.replace(
        accepted(14 * 3600 + 1, "h.balanced"), body=Body(settings.lake_bucket, "events/large/gone", "", 2)
    )
    Receipts(settings).accept([sound, large])
    dead.send([encode(large), encode(sound)])

    first = drain(settings, NOW + 15 * HOUR)
    waiting = dead.waiting()
    objects.put(settings, "events/large/gone", b"{}", objects.JSON)
    second = drain(settings, NOW + 15 * HOUR)

    assert (first.undeliverable, first.stuck, waiting) == (1, 1, 1)
    assert (second.undeliverable, second.stuck) == (1, 0)


def test_a_replay_whose_message_died_is_no_second_open_failure_and_is_tried_again(platform: Platform) -> None:
    kind, settings, version = "h.replayed", platform.settings, SchemaVersion(1, 0, 0)
    failures, receipts, later = FailedStore(settings), Receipts(settings), NOW + 30 * HOUR
    SchemaStore(settings).add(kind, version, b"{}", by="test", now=NOW)
    first = failed(1, kind, failure=Failure.UNDELIVERABLE)
    failures.add([first])
    tried = msgspec.structs.replace(
        accepted(30 * 3600, kind), receipt=replay_receipt(first, version), replay_of=first.failed_id
    )
    failures.note(first.failed_id, replayed(first, "r1", tried.accepted_at, version).replays[0])
    receipts.accept([tried])
    EventQueue(settings, DEAD_NAME).send([encode(tried)])

    drain(settings, later)
    wanted = FailedFilter(type=kind)
    statuses = {one.receipt: one.status for one in failures.find(wanted)}
    again = Replaying(settings).replay(wanted, run="r2", now=lambda: later)
    once_more = Replaying(settings).replay(wanted, run="r3", now=lambda: later)

    assert statuses == {first.receipt: FailedStatus.OPEN, tried.receipt: FailedStatus.REPEATED}
    assert [one.replay_of for one in again.sent] == [first.failed_id]
    assert again.sent[0].receipt not in {first.receipt, tried.receipt}
    assert (once_more.sent, once_more.duplicate, once_more.closed) == ([], 1, 1)


def test_a_try_that_never_came_is_made_anew_in_a_later_hour_and_as_it_was_in_its_own(platform: Platform) -> None:
    """Runs that were killed before they sent, or whose messages the queue refused, or whose receipts expired."""
    kind, other, settings, version = "h.resumed", "h.resumed.soon", platform.settings, SchemaVersion(1, 0, 0)
    failures, receipts = FailedStore(settings), Receipts(settings)
    for one in (kind, other):
        SchemaStore(settings).add(one, version, b"{}", by="test", now=NOW)
    killed, refused, doubted, died, failed_again, taken = (
        failed(number, kind, now=NOW + 48 * HOUR, failure=Failure.UNDELIVERABLE) for number in range(6)
    )
    just_now = failed(6, other, now=NOW + 48 * HOUR, failure=Failure.UNDELIVERABLE)
    at, soon, later = NOW + 50 * HOUR, NOW + 50 * HOUR + timedelta(minutes=20), NOW + 75 * HOUR
    tries = {
        one.failed_id: replayed(one, "r1", at, version).replays[0]
        for one in (killed, refused, doubted, died, failed_again, taken, just_now)
    }
    failures.add([killed, refused, doubted, died, failed_again, taken, just_now])
    for key, replay in tries.items():
        failures.note(key, replay)
    rows = {
        one.failed_id: msgspec.structs.replace(
            accepted(0, kind), receipt=tries[one.failed_id].receipt, accepted_at=at, replay_of=one.failed_id
        )
        for one in (refused, doubted, taken)
    }
    receipts.accept(list(rows.values()))
    receipts.refuse([rows[refused.failed_id]])
    receipts.doubt([rows[doubted.failed_id]])
    receipts.settle([(rows[taken.failed_id], Outcome.CONFLICT)], at)
    for one, why in ((died, Failure.UNDELIVERABLE), (failed_again, Failure.INVALID)):
        receipt = tries[one.failed_id].receipt
        repeated = {"receipt": receipt, "failed_id": failed_id(receipt), "status": FailedStatus.REPEATED}
        failures.add([msgspec.structs.replace(one, failure=why, **repeated)])

    in_the_hour = Replaying(settings).replay(FailedFilter(type=other), run="r2", now=lambda: soon)
    done = Replaying(settings).replay(FailedFilter(type=kind), run="r2", now=lambda: later)
    again = Replaying(settings).replay(FailedFilter(type=kind), run="r3", now=lambda: later)

    as_it_was = (tries[just_now.failed_id].receipt, at)
    assert [(one.receipt, one.accepted_at) for one in in_the_hour.sent] == [as_it_was]
    sent = {(one.replay_of, one.accepted_at, one.receipt) for one in done.sent}
    assert sent == {
        (one.failed_id, later, replay_receipt(one, version, 1)) for one in (killed, refused, doubted, died)
    }
    assert (done.duplicate, done.closed, again.sent) == (2, 2, [])
    closed = failures.get(taken.failed_id)
    assert closed is not None
    assert closed.status is FailedStatus.GIVEN_UP


def test_a_dead_message_keeps_no_address_that_the_version_which_it_names_cuts(platform: Platform) -> None:
    kind, settings = "h.addressed", platform.settings
    rule = EnrichmentRule(kind=Kind.COUNTRY, path="/ip", into="country", lookup="geo")
    for named, rules in (("1-0-0", [rule]), ("1-0-1", [])):
        version = SchemaVersion.parse(named)
        SchemaStore(settings).add(kind, version, b"{}", by="test", now=NOW, rules=rules)
    event = Envelope(id="e", source="/h", type=kind, dataschema="/schemas/1-0-0", data={"ip": "203.0.113.9"})
    dead = Accepted("h" * 26, "tool", NOW + 16 * HOUR, event, event.fingerprint)
    Receipts(settings).accept([dead])
    EventQueue(settings, DEAD_NAME).send([encode(dead)])

    drain(settings, NOW + 17 * HOUR)

    found = FailedStore(settings).get(failed_id(dead.receipt))
    assert found is not None
    assert found.payload["data"] == {"ip": "203.0.113.0/24"}


def test_a_store_that_lacks_what_receipts_say_is_told(platform: Platform) -> None:
    receipts = Receipts(platform.settings)
    gone = accepted(5 * 3600, "h.balanced")
    receipts.accept([gone])
    receipts.settle([(gone, Outcome.STORED)], NOW)

    waits: list[float] = []

    found = Balancing(platform.settings, sleep=waits.append).of_hour(SEVEN + 5 * HOUR, NOW + 9 * HOUR)

    assert found.wrong == ("1 receipts say stored, and the store holds 0: 1 are lost",)
    assert (found.lost, found.only_waits, waits) == (1, False, [LAG_SECONDS])


def test_what_an_index_does_not_know_yet_is_not_lost(platform: Platform) -> None:
    """An event and a failed one that come into sight while the run waits before it tells of a loss."""
    settings, start = platform.settings, SEVEN + 40 * HOUR
    both = [accepted(40 * 3600 + number, "h.balanced") for number in (1, 2)]
    Receipts(settings).accept(both)
    Receipts(settings).settle([(both[0], Outcome.STORED), (both[1], Outcome.FAILED)], NOW)
    waits: list[float] = []

    def come_into_sight(seconds: float) -> None:
        waits.append(seconds)
        EventStore(settings).store([stored(40 * 3600 + 1, "h.balanced")])
        FailedStore(settings).add([failed(number * 3600, "h.balanced") for number in (39, 40, 41)])

    found = Balancing(settings, sleep=come_into_sight).of_hour(start, start + HOUR)

    assert waits == [LAG_SECONDS]
    assert (found.wrong, found.held_stored, found.held_failed, found.lost) == ((), 1, 1, 0)


def test_what_waits_for_too_long_is_told_and_is_not_lost(platform: Platform) -> None:
    Receipts(platform.settings).accept([accepted(8 * 3600, "h.balanced")])

    found = Balancing(platform.settings).of_hour(SEVEN + 8 * HOUR, NOW + 12 * HOUR)

    assert (len(found.wrong), found.only_waits, found.lost) == (1, True, 0)


def test_promises_are_measured_from_receipts_and_sent_to_the_alarms(platform: Platform) -> None:
    settings, receipts = platform.settings, Receipts(platform.settings)
    quick, slow, waiting = (accepted(number, "h.measured") for number in (20 * 3600, 20 * 3600 + 1, 20 * 3600 + 2))
    receipts.accept([quick, slow, waiting])
    receipts.settle([(quick, Outcome.STORED)], quick.accepted_at + timedelta(milliseconds=80))
    receipts.settle([(slow, Outcome.STORED)], slow.accepted_at + timedelta(milliseconds=900))

    soon = measure(settings, waiting.accepted_at + timedelta(minutes=1), 0)
    later = measure(settings, waiting.accepted_at + timedelta(minutes=20), 1, 700.5)
    of_two_hours = measure(settings, quick.accepted_at + HOUR, 0)
    send(settings, later)

    assert (soon.figures.accepted, soon.figures.slow) == (2, 1)
    assert soon.figures.p95_ms == pytest.approx(900, rel=0.01)
    assert (soon.figures.holds, soon.burns) == (True, ())
    assert (of_two_hours.figures.accepted, of_two_hours.figures.unserved) == (3, 1)
    assert later.query_seconds >= 700.5
    assert (later.figures.accepted, later.figures.unserved, later.figures.loss) == (3, 1, 1 / 3)
    sent = client(settings, "cloudwatch").list_metrics(Namespace=NAMESPACE)["Metrics"]
    assert {one.name for one in later.metrics()} <= {one["MetricName"] for one in sent}


def test_a_run_goes_on_where_the_last_one_ended_and_looks_again_at_what_was_in_flight() -> None:
    now = SEVEN + timedelta(minutes=10)

    kept = timedelta(days=35)
    first = hours_to_count({}, now, kept)
    later = hours_to_count({UNTIL: "2026-01-05T06:00:00Z", AGAIN: ["2026-01-05T01:00:00Z"]}, now, kept)

    assert (len(first), first[-1]) == (25, SEVEN - HOUR)
    assert later == [SEVEN - 6 * HOUR, SEVEN - 2 * HOUR, SEVEN - HOUR]


def test_what_began_to_fail_while_no_scorecard_was_made_is_told_by_the_next_one(platform: Platform) -> None:
    scoring, now = Scoring(platform.settings), NOW + timedelta(days=60)
    began = NOW + timedelta(days=56)
    FailedStore(platform.settings).add([failed(number, "h.began", now=began) for number in range(3)])
    field = FailingField("h.began-tool", "h.began", "/seconds", "type")

    blocked, hourly, first = (scoring.began((), now, last) for last in (began - HOUR, now - HOUR, None))

    assert blocked == {field.producer: {field: 3}}
    assert hourly == first == {}


def test_an_owner_is_told_again_within_two_weeks_only_of_ten_times_as_much(platform: Platform) -> None:
    settings, field = platform.settings, FailingField("tool", "h.told", "/seconds", "type")
    person = Recipient.model_validate(
        {
            "recipient_id": "owner", "name": "Ana", "email": "ana@example.org", "time_zone": "UTC",
            "subscriptions": [{"report": "events"}],
        }
    )  # fmt: skip
    store = TableStore(client(settings, "dynamodb"), settings, RECIPIENTS, Recipient)
    store.create(person, actor="test", reason="", request_id="owner", now=NOW)
    telling = Telling(settings)

    def told(number: int, days: int) -> list[str]:
        """What mails said that went out."""
        outcomes = telling.tell({"tool": {field: number}}, NOW + timedelta(days=days))
        letters = [letter for one in outcomes for letter in Mailing(settings).content(one.edition).letters]
        return [line for letter in letters for line in letter.text.splitlines() if "h.told, field" in line]

    line = "- h.told, field /seconds: breaks the rule type (tool, {:,} events)"
    assert told(3, 0) == [line.format(3)]
    assert told(29, 1) == []
    assert told(3_000, 2) == [line.format(3_000)]
    assert told(3, 3) == told(29_999, 8) == []
    assert told(30_000, 9) == [line.format(30_000)]
    assert told(3, 16) == []
    assert told(3, 24) == [line.format(3)]
