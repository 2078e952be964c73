"""What the event pipeline keeps: events once, failed events as data, roll-ups, the archive.

Why real: what a lost condition answers, and what a query of an index carries, is the database's to say.
"""

from datetime import datetime, timedelta

import msgspec
import pytest

from infra.local.platform import Platform
from prism_core.events.failed import FailedFilter, FailedStatus, Replay
from prism_core.events.outcomes import Outcome
from prism_core.events.rollups import Counted, Grain, roll_ups
from prism_core.failures import PermanentFailure
from prism_core.models.events import EventMark
from prism_resources.events import archive, objects
from prism_resources.events.event_store import EventStore
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.rollup_store import RollupStore
from tests.integration.event_rows import NOW, failed, stored


@pytest.fixture
def events(platform: Platform) -> EventStore:
    return EventStore(platform.settings)


@pytest.fixture
def failures(platform: Platform) -> FailedStore:
    return FailedStore(platform.settings)


@pytest.fixture
def rollups(platform: Platform) -> RollupStore:
    return RollupStore(platform.settings)


# -- events ------------------------------------------------------------------------------------------------


def test_events_of_a_pack_are_stored_once_and_a_retry_of_the_pack_finds_its_own(events: EventStore) -> None:
    pack = [stored(number, "s.retried") for number in range(105)]

    retry = [one.model_copy(update={"stored_at": one.stored_at + timedelta(seconds=2)}) for one in pack]

    assert events.store(pack) == [(Outcome.STORED, one) for one in pack]
    assert events.store(retry) == [(Outcome.STORED, one) for one in pack]
    assert events.get(pack[3].event_key) == pack[3]


def test_another_delivery_is_a_duplicate_and_another_payload_a_conflict_beside_new_ones(
    events: EventStore,
) -> None:
    first = stored(1, "s.again")
    events.store([first])
    again = stored(1, "s.again", receipt="A" * 26)
    other = stored(1, "s.again", receipt="B" * 26, data={"seconds": 9}).model_copy(
        update={"fingerprint": "f" * 32}
    )

    found = events.store([stored(2, "s.again"), again, other, stored(3, "s.again")])

    assert [one.outcome for one in found] == [
        Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.STORED
    ]  # fmt: skip
    assert events.get(first.event_key) == first


def test_two_deliveries_of_one_event_in_one_pack_are_one_event_and_a_duplicate(events: EventStore) -> None:
    pack = [stored(1, "s.twice"), stored(1, "s.twice", receipt="C" * 26)]

    assert [one.outcome for one in events.store(pack)] == [Outcome.STORED, Outcome.DUPLICATE]
    assert [one.outcome for one in events.store(pack[::-1])] == [Outcome.DUPLICATE, Outcome.STORED]


def test_the_events_of_a_type_and_an_hour_are_read_without_their_data(events: EventStore) -> None:
    pack = [stored(number, "s.hour") for number in (0, 1, 1799, 1800)]
    events.store(pack)

    found = sorted(events.of_hour("s.hour", "2026-01-05T07"), key=lambda mark: mark.accepted_at)

    assert [mark.event_id for mark in found] == ["e0", "e1", "e1799"]
    assert {type(mark) for mark in found} == {EventMark}


# -- failed events -----------------------------------------------------------------------------------------


def test_failed_events_are_found_by_each_index_and_counted_without_their_payload(failures: FailedStore) -> None:
    kind, other = "f.found", "f.found.other"
    failures.add([failed(1, kind), failed(2, kind, producer="page"), failed(3, other, producer="page")])
    since, until = NOW + timedelta(seconds=1), NOW + timedelta(seconds=3)

    def ids(wanted: FailedFilter, status: FailedStatus | None = None) -> list[str]:
        return sorted(one.event_id for one in failures.find(wanted, status) if one.type.startswith("f.found"))

    assert ids(FailedFilter(type=kind)) == ["e1", "e2"]
    assert ids(FailedFilter(producer="page")) == ["e2", "e3"]
    assert ids(FailedFilter(type=kind, producer="page")) == ["e2"]
    assert ids(FailedFilter(), FailedStatus.OPEN) == ["e1", "e2", "e3"]
    assert ids(FailedFilter(since=since, until=until)) == ["e1", "e2"]
    assert ids(FailedFilter(type=kind, since=until)) == []
    assert ids(FailedFilter(path="/seconds", type=kind)) == ["e1", "e2"]
    assert failures.counts(FailedFilter(producer="page", type=kind)) == {("page", kind, "invalid", "open"): 1}
    assert [one.payload for one in failures.find(FailedFilter(type=kind))] == [None, None]


def test_a_failed_event_is_read_back_with_its_payload_however_long_that_is(failures: FailedStore) -> None:
    short = failed(1, "f.read")
    long = failed(2, "f.read", payload={"data": "x" * 400_000})

    assert failures.add([short, long]) == 2

    assert failures.get(short.failed_id) == short
    found = failures.get(long.failed_id)
    assert found is not None
    assert found == msgspec.structs.replace(long, body=f"events/failed/{long.failed_id}.json")


@pytest.mark.parametrize(
    "name", ["line\nbreak", "s" * 3_000, "~/\u202e\x00"], ids=["line break", "long", "control characters"]
)
def test_a_problem_below_any_name_can_be_kept(failures: FailedStore, name: str) -> None:
    event = failed(1, "f.names")
    problem = msgspec.structs.replace(event.problems[0], path=f"/{name}", reason="r" * 5_000)

    failures.add([msgspec.structs.replace(event, problems=(problem,))])

    assert failures.get(event.failed_id) is not None


def test_a_failure_that_comes_again_leaves_what_became_of_it(failures: FailedStore) -> None:
    event = failed(1, "f.settled")
    failures.add([event])
    replay = Replay("run-1", NOW, "D" * 32, "1-0-0", "1-0-1")
    failures.note(event.failed_id, replay)
    failures.note(event.failed_id, replay)
    failures.settle(event.failed_id, FailedStatus.REPLAYED)

    assert failures.add([event]) == 0

    found = failures.get(event.failed_id)
    assert found == msgspec.structs.replace(event, status=FailedStatus.REPLAYED, replays=(replay,))
    assert list(failures.find(FailedFilter(type="f.settled"), FailedStatus.OPEN)) == []
    with pytest.raises(PermanentFailure, match="there is no failed event"):
        failures.settle("0" * 32, FailedStatus.GIVEN_UP)


def test_open_ones_are_given_up_and_what_was_stored_meanwhile_stays_so(failures: FailedStore) -> None:
    events = [failed(number, "f.closed") for number in range(12)]
    failures.add([*events, failed(1, "f.closed.other")])
    failures.settle(events[0].failed_id, FailedStatus.REPLAYED)

    closed = [failures.give_up(FailedFilter(type="f.closed")) for _ in range(2)]
    failures.settle(events[0].failed_id, FailedStatus.GIVEN_UP)

    assert closed == [11, 0]
    assert {key[1:]: number for key, number in failures.counts(FailedFilter(type="f.closed")).items()} == {
        ("f.closed", "invalid", "replayed"): 1, ("f.closed", "invalid", "given_up"): 11
    }  # fmt: skip
    (other,) = failures.find(FailedFilter(type="f.closed.other"))
    assert other.status is FailedStatus.OPEN
    assert failures.failure(other.failed_id) == "invalid"


# -- roll-ups ----------------------------------------------------------------------------------------------


def counted(number: int, kind: str) -> Counted:
    at = NOW + timedelta(seconds=number)
    return Counted(f"{number:032x}", kind, "tool", at, at + timedelta(milliseconds=100), value=float(number))


def test_packs_are_summed_until_a_window_is_computed_and_repeated_writes_change_nothing(
    rollups: RollupStore,
) -> None:
    kind, later = "r.packs", NOW + timedelta(hours=1)
    first = roll_ups([counted(1, kind), counted(2, kind)], Grain.MINUTE)
    second = roll_ups([counted(3, kind), counted(70, kind)], Grain.MINUTE)
    for _ in range(2):
        rollups.put_pack(NOW, "pack1", first.values(), NOW)
        rollups.put_pack(NOW, "pack2", second.values(), NOW)

    def counts() -> list[int]:
        return [one.count for one in rollups.read(kind, Grain.MINUTE, NOW, later)]

    assert counts() == [3, 1]
    assert sum(one.count for one in rollups.of_day(Grain.MINUTE, NOW) if one.type == kind) == 4
    computed = roll_ups([counted(number, kind) for number in (1, 2, 3)], Grain.MINUTE)
    rollups.put_accepted(NOW, computed.values(), NOW)
    assert rollups.read(kind, Grain.MINUTE, NOW, NOW) == list(computed.values())
    rollups.put_pack(later, "late", first.values(), later)
    assert counts() == [5, 1]
    assert rollups.drop_packs(kind, NOW, NOW, NOW) == 2
    assert counts() == [5, 1]


# -- archive -----------------------------------------------------------------------------------------------


def test_an_archived_event_says_all_of_it_once_however_its_packs_were_cut(platform: Platform) -> None:
    settings, kind = platform.settings, "a.cut"
    objects.put(settings, "events/large/r4", b'{"seconds": 4}', objects.JSON)
    pack = [stored(number, kind, added={"country": "NZ"}, lookups={"geo": 7}) for number in (1, 2, 1800)]
    large = stored(4, kind).model_copy(update={"data": None, "body": "events/large/r4"})

    keys = archive.archive(settings, [*pack, large])

    assert archive.archive(settings, [*pack, large]) == keys
    assert [key.rpartition("/")[0] for key in keys] == [
        "raw/events/week=2026-W02/hour=2026-01-05T07", "raw/events/week=2026-W02/hour=2026-01-05T08"
    ]  # fmt: skip
    archive.archive(settings, pack[:1])
    of_day = archive.keys_of_day(settings, NOW.date())
    found = sorted(
        (one for one in archive.read(settings, of_day) if one.type == kind), key=lambda one: one.accepted_at
    )
    assert [one.event_id for one in found] == ["e1", "e2", "e4", "e1800"]
    assert [one.data for one in found] == [{"seconds": number} for number in (1, 2, 4, 1800)]
    assert (found[0].added, found[0].lookups, found[0].stored_at) == (
        {"country": "NZ"},
        {"geo": 7},
        pack[0].stored_at,
    )
    assert isinstance(found[0].accepted_at, datetime)
