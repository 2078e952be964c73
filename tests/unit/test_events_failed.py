"""Failed events are found, sent again once, scored by producer; objectives burn by what was measured."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from prism_core.events.conservation import OVERDUE_AFTER, Receipt
from prism_core.events.failed import (
    FailedEvent,
    FailedFilter,
    FailedStatus,
    Failure,
    failed_id,
    field_of,
    replay_receipt,
    replayed,
    to_replay,
)
from prism_core.events.objectives import (
    BURN_WINDOWS,
    FEWEST_FOR_SPEED,
    Figures,
    burning,
    figures,
    measures,
    nearest_rank,
)
from prism_core.events.outcomes import Outcome
from prism_core.events.problems import Problem
from prism_core.events.scorecard import ENVELOPE, FailingField, began_to_fail, scores
from prism_core.events.versions import SchemaVersion

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
OLD, NEW = SchemaVersion(1, 0, 0), SchemaVersion(1, 0, 1)


def failed(number: int = 1, **more: object) -> FailedEvent:
    event = FailedEvent(
        failed_id=failed_id(f"r{number}"),
        receipt=f"r{number}",
        failure=Failure.INVALID,
        producer="tool",
        source="/s",
        event_id=f"e{number}",
        type="a.made",
        accepted_at=NOW + timedelta(minutes=number),
        failed_at=NOW + timedelta(minutes=number, seconds=1),
        component="validate",
        component_version="0.1.0",
        version=str(OLD),
        problems=(Problem(f"/commits/{number}/id", "type", "no"),),
        payload={"id": number},
    )
    return msgspec.structs.replace(event, **more)


def test_a_failed_event_is_read_back_as_it_was_written() -> None:
    event = replayed(failed(), "run-1", NOW, NEW)

    assert msgspec.json.decode(msgspec.json.encode(event), type=FailedEvent) == event


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (FailedFilter(), True),
        (FailedFilter(type="a.made", producer="tool", failure=Failure.INVALID, version="1-0-0"), True),
        (FailedFilter(type="a"), False),
        (FailedFilter(producer="page"), False),
        (FailedFilter(failure=Failure.CONFLICT), False),
        (FailedFilter(version="1-0-1"), False),
        (FailedFilter(since=NOW + timedelta(minutes=1)), True),
        (FailedFilter(until=NOW + timedelta(minutes=1)), False),
        (FailedFilter(path="/commits/*/id"), True),
        (FailedFilter(path="/commits/9/id"), True),
        (FailedFilter(path="/commits"), False),
    ],
    ids=[
        "all",
        "each",
        "type",
        "producer",
        "failure",
        "version",
        "since",
        "until",
        "field",
        "index",
        "other field",
    ],
)
def test_a_filter_takes_what_it_names(wanted: FailedFilter, taken: bool) -> None:  # noqa: FBT001
    assert wanted.takes(failed()) is taken


def test_the_oldest_open_ones_are_sent_again_and_conflicts_never() -> None:
    events = [
        failed(3),
        failed(1),
        failed(2, status=FailedStatus.REPLAYED),
        failed(4, status=FailedStatus.GIVEN_UP),
        failed(5, failure=Failure.CONFLICT),
    ]

    assert [one.receipt for one in to_replay(events, FailedFilter(), NEW)] == ["r1", "r3"]


def test_sending_again_twice_sends_once_and_a_newer_version_may_try_again() -> None:
    first = replayed(failed(), "run-1", NOW, NEW)

    assert list(to_replay([first], FailedFilter(), NEW)) == []
    assert list(to_replay([first], FailedFilter(), SchemaVersion(1, 0, 2))) == [first]
    assert replayed(first, "run-2", NOW, NEW) == first
    assert replay_receipt(failed(), NEW, 1) not in {replay_receipt(failed(), NEW, n) for n in (0, 2)}
    assert replay_receipt(failed(), NEW) == first.replays[0].receipt != replay_receipt(failed(), OLD)
    assert (first.replays[0].old_version, first.replays[0].new_version) == ("1-0-0", "1-0-1")


def test_a_message_that_comes_twice_fails_as_one_event() -> None:
    assert failed_id("r1") == failed_id("r1") != failed_id("r2")
    assert failed_id("r1") != replay_receipt(failed(), None)


def test_a_field_is_named_without_its_places_in_lists() -> None:
    assert field_of("/commits/3/authors/0/id") == "/commits/*/authors/*/id"


FIELD = FailingField("tool", "a.made", "/commits/*/id", "type")


def test_producers_are_scored_the_worst_first_and_every_event_once() -> None:
    receipts = [Receipt(f"r{n}", "tool", NOW, Outcome.FAILED) for n in range(3)]
    receipts += [Receipt("s1", "tool", NOW, Outcome.STORED), Receipt("s1", "tool", NOW, Outcome.STORED)]
    receipts += [Receipt("p1", "page", NOW, Outcome.STORED), Receipt("p2", "page", NOW, Outcome.DUPLICATE)]
    receipts += [Receipt("again", "tool", NOW, Outcome.STORED, replay_of="r1")]
    two_problems = failed(1, problems=(*failed(1).problems, Problem("/commits/8/id", "type", "no")))

    worst, best = scores(receipts, [two_problems, two_problems, failed(2), failed(3)])

    assert (worst.producer, worst.accepted, worst.failed, worst.failed_share) == ("tool", 4, 3, 0.75)
    assert worst.fields == {FIELD: 3}
    assert (best.producer, best.duplicate, best.failed_share) == ("page", 1, 0.0)


def test_an_owner_is_told_of_a_field_when_it_begins_to_fail_and_not_again() -> None:
    two, three = scores([], [failed(1), failed(2)]), scores([], [failed(1), failed(2), failed(3)])

    assert began_to_fail([], three) == {"tool": (FIELD,)}
    assert began_to_fail([], two) == {}
    assert began_to_fail(two, three) == {"tool": (FIELD,)}
    assert began_to_fail(three, three) == {}


def test_an_owner_is_told_again_when_ten_times_as_many_fail() -> None:
    three, many = scores([], [failed(n) for n in range(3)]), scores([], [failed(n) for n in range(30)])

    assert began_to_fail(three, many) == {"tool": (FIELD,)}
    assert began_to_fail(many, many) == began_to_fail(many, three) == {}


def test_unknown_types_and_versions_and_conflicts_begin_to_fail_as_fields_do_and_our_faults_do_not() -> None:
    kinds = (Failure.UNKNOWN_TYPE, Failure.UNKNOWN_VERSION, Failure.CONFLICT, Failure.UNDELIVERABLE)
    events = [failed(10 * n + m, failure=kind, problems=()) for n, kind in enumerate(kinds) for m in range(3)]

    began = began_to_fail([], scores([], events))

    told = [FailingField("tool", "a.made", ENVELOPE, kind.value) for kind in sorted(kinds[:3])]
    assert began == {"tool": tuple(told)}


def receipt(
    number: int,
    ms: float | None,
    age: timedelta = timedelta(minutes=1),
    *,
    refused: bool = False,
    undeliverable: bool = False,
) -> Receipt:
    accepted = NOW - age
    settled = None if ms is None else accepted + timedelta(milliseconds=ms)
    outcome = None if ms is None else Outcome.STORED
    return Receipt(f"{number}", "p", accepted, outcome, settled, refused, undeliverable)


def test_figures_come_from_the_stamps_and_what_is_still_in_flight_waits() -> None:
    receipts = [receipt(n, n) for n in range(1, 101)] + [receipt(200, None), receipt(201, 1, refused=True)]

    found = figures(receipts, NOW - timedelta(hours=1), NOW)

    assert (found.accepted, found.p95_ms, found.success, found.loss, found.holds) == (100, 95.0, 1.0, 0.0, True)


def test_what_is_overdue_or_undeliverable_is_no_success_and_what_is_lost_is_a_loss() -> None:
    receipts = [receipt(n, 5) for n in range(98)]
    receipts += [receipt(98, None, OVERDUE_AFTER * 2), receipt(99, 5, undeliverable=True)]

    found = figures(receipts, NOW - timedelta(hours=1), NOW, lost=1)

    assert (found.success, found.loss, found.holds) == (0.98, 0.01, False)
    assert found.burn == pytest.approx(0.02 / 0.005)


def test_nothing_accepted_burns_nothing_and_holds() -> None:
    found = figures([], NOW - timedelta(hours=1), NOW)

    assert (found.burn, found.success, found.p95_ms, found.holds) == (0.0, None, None, True)


def test_somebody_is_told_while_it_burns_and_not_after_it_stopped() -> None:
    bad = [receipt(n, 900, timedelta(minutes=n % 60)) for n in range(600)]
    stopped = [one for one in bad if NOW - one.accepted_at > timedelta(minutes=30)]

    assert burning(bad, NOW) == BURN_WINDOWS
    assert burning(stopped, NOW) == ()
    # One cold start in an hour of its own, or a handful: no percentile of anything.
    assert burning(bad[: FEWEST_FOR_SPEED - 1], NOW) == ()
    few = figures(bad[: FEWEST_FOR_SPEED - 1], NOW - timedelta(hours=1), NOW)
    assert few.p95_ms == 900
    assert "EventsP95Ms" not in measures(few, ())


def test_the_nearest_rank_is_a_value_that_was_measured() -> None:
    assert nearest_rank([3, 1, 2], 0.5) == 2
    assert nearest_rank([3, 1, 2], 1) == 3
    assert nearest_rank([3, 1, 2], 0) == 1
    assert nearest_rank([], 0.5) is None


def test_what_alarms_look_at_is_whole_numbers_and_never_rounded_to_nothing() -> None:
    found = Figures(accepted=10_000_001, slow=0, unserved=1, p95_ms=499.2, lost=1)

    assert measures(found, BURN_WINDOWS[:1], 1.2345) == {
        "EventsAccepted": 10_000_001,
        "EventsBurning": 1,
        "EventsUnservedOfMillion": 1,
        "EventsLost": 1,
        "EventsLostOfMillion": 1,
        "EventsP95Ms": 499,
        "EventsQueryMs": 1_234,
    }


def test_nothing_is_told_of_what_there_is_not() -> None:
    assert measures(Figures(0, 0, 0, None), ()) == {"EventsAccepted": 0, "EventsBurning": 0, "EventsLost": 0}
    assert measures(Figures(0, 0, 0, None, lost=2), ())["EventsLost"] == 2
