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
    version_to_try,
)
from prism_core.events.lake_rows import score_rows
from prism_core.events.ledger import HOUR, OF_RECEIPTS, over_windows, running
from prism_core.events.objectives import (
    BURN_WINDOWS,
    FEWEST_FOR_SPEED,
    P95_MS,
    Figures,
    Meter,
    burning,
    measures,
    nearest_rank,
)
from prism_core.events.outcomes import Outcome
from prism_core.events.problems import Problem
from prism_core.events.scorecard import ENVELOPE, FailingField, began_to_fail, failing, is_news, scores
from prism_core.events.sketches import Percentiles
from prism_core.events.tally import ProducerHour, Tally
from prism_core.events.versions import SchemaVersion
from tests.event_tallies import tallies

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


def test_an_event_is_sent_again_by_a_version_of_the_model_that_it_names_or_not_at_all() -> None:
    known, other_model = [OLD, NEW], SchemaVersion(2, 0, 0)

    assert version_to_try("1-0-0", known) == version_to_try("1-0-9", [*known, other_model]) == NEW
    assert version_to_try(None, [*known, other_model]) == other_model
    assert version_to_try("2-0-0", known) is version_to_try(None, []) is None
    assert version_to_try("2-0-0", known, OLD) == OLD
    assert version_to_try("1-0-0", known, other_model) is None


def test_a_message_that_comes_twice_fails_as_one_event() -> None:
    assert failed_id("r1") == failed_id("r1") != failed_id("r2")
    assert failed_id("r1") != replay_receipt(failed(), None)


def test_a_field_is_named_without_its_places_in_lists() -> None:
    assert field_of("/commits/3/authors/0/id") == "/commits/*/authors/*/id"


FIELD = FailingField("tool", "a.made", "/commits/*/id", "type")


def test_producers_are_scored_the_worst_first_and_every_event_once() -> None:
    receipts = [Receipt(f"r{n}", "tool", NOW, Outcome.FAILED) for n in range(3)]
    receipts += [Receipt("s1", "tool", NOW, Outcome.STORED)]
    receipts += [Receipt("p1", "page", NOW, Outcome.STORED), Receipt("p2", "page", NOW, Outcome.DUPLICATE)]
    receipts += [Receipt("again", "tool", NOW, Outcome.STORED, replay_of="r1")]
    tally = Tally(NOW, NOW + HOUR)
    tally.add(receipts)
    two_problems = failed(1, problems=(*failed(1).problems, Problem("/commits/8/id", "type", "no")))

    worst, best = scores(tally.producers, [two_problems, failed(2), failed(3)])

    assert (worst.producer, worst.accepted, worst.failed, worst.failed_share) == ("tool", 4, 3, 0.75)
    assert worst.fields == {FIELD: 3}
    assert (best.producer, best.duplicate, best.failed_share) == ("page", 1, 0.0)


def test_an_owner_is_told_of_a_field_when_it_begins_to_fail_and_not_again() -> None:
    two, three = [failed(1), failed(2)], [failed(1), failed(2), failed(3)]

    assert began_to_fail({}, failing(three)) == {"tool": {FIELD: 3}}
    assert began_to_fail({}, failing(two)) == {}
    assert began_to_fail(failing(two), failing(two)) == {"tool": {FIELD: 4}}
    assert began_to_fail(failing(three), failing(three)) == {}


def test_what_we_sent_again_and_failed_again_is_no_new_failure_of_its_producer() -> None:
    again = [failed(n, status=FailedStatus.REPEATED) for n in range(3)]

    assert scores({}, again) == ()
    assert began_to_fail({}, failing([failed(4), *again])) == {}
    (row,) = score_rows({"tool": ProducerHour(1, 0, 1, 0)}, [failed(4), *again])
    assert msgspec.json.decode(row["fields"]) == [
        {"type": "a.made", "field": "/commits/*/id", "rule": "type", "events": 1}
    ]


def test_an_owner_is_told_again_when_ten_times_as_many_fail() -> None:
    three, many = [failed(n) for n in range(3)], [failed(n) for n in range(30)]

    assert began_to_fail(failing(three), failing(many)) == {"tool": {FIELD: 30}}
    assert began_to_fail(failing(many), failing(many)) == began_to_fail(failing(many), failing(three)) == {}
    assert [is_news(number, 3) for number in (3, 29, 30)] == [False, False, True]


def test_unknown_types_and_versions_and_conflicts_begin_to_fail_as_fields_do_and_our_faults_do_not() -> None:
    kinds = (Failure.UNKNOWN_TYPE, Failure.UNKNOWN_VERSION, Failure.CONFLICT, Failure.UNDELIVERABLE)
    events = [failed(10 * n + m, failure=kind, problems=()) for n, kind in enumerate(kinds) for m in range(3)]

    began = began_to_fail({}, failing(events))

    told = [FailingField("tool", "a.made", ENVELOPE, kind.value) for kind in sorted(kinds[:3])]
    assert began == {"tool": dict.fromkeys(told, 3)}


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


def of_hour(receipts: list[Receipt], now: datetime = NOW) -> Figures:
    """Of the last sixty minutes, in two pages."""
    meter = Meter(now, [now - HOUR])
    meter.add(receipts[::2])
    meter.add(receipts[1::2])
    return meter.figures(now - HOUR)


def test_figures_come_from_the_stamps_and_what_is_still_in_flight_waits() -> None:
    receipts = [receipt(n, n) for n in range(1, 101)] + [receipt(200, None), receipt(201, 1, refused=True)]

    found = of_hour(receipts)

    assert (found.accepted, found.success, found.loss, found.holds) == (100, 1.0, 0.0, True)
    assert found.p95_ms == pytest.approx(95, rel=0.01)


def test_what_is_overdue_or_undeliverable_is_no_success_and_what_is_lost_is_a_loss() -> None:
    receipts = [receipt(n, 5) for n in range(98)]
    receipts += [receipt(98, None, OVERDUE_AFTER * 2), receipt(99, 5, undeliverable=True)]

    found = msgspec.structs.replace(of_hour(receipts), lost=1)

    assert (found.success, found.loss, found.holds) == (0.98, 0.01, False)
    assert found.burn == pytest.approx(0.02 / 0.005)


def test_nothing_accepted_burns_nothing_and_holds() -> None:
    found = of_hour([])

    assert (found.burn, found.success, found.p95_ms, found.holds) == (0.0, None, None, True)


def test_a_time_ends_where_the_next_begins_and_what_comes_after_now_is_in_none() -> None:
    ages = (
        timedelta(0),
        timedelta(microseconds=1),
        timedelta(minutes=5),
        timedelta(minutes=5, microseconds=1),
        HOUR,
    )
    meter = Meter(NOW, [NOW - one for one in OF_RECEIPTS])
    meter.add([receipt(n, 5, age) for n, age in enumerate(ages)])

    assert [meter.figures(NOW - one).accepted for one in OF_RECEIPTS] == [2, 3, 4]


@pytest.mark.parametrize(("slow", "holds"), [(5, True), (6, False)])
def test_one_of_twenty_may_be_slow_and_the_percentile_says_the_same(slow: int, holds: bool) -> None:  # noqa: FBT001
    """Both are within a percent of the bound, where a sketch alone could say either."""
    found = of_hour([receipt(n, 498 if n >= slow else 502) for n in range(100)])

    assert found.holds is holds
    assert found.p95_ms is not None
    assert (found.p95_ms < P95_MS) is holds
    assert found.p95_ms == pytest.approx(P95_MS, rel=0.01)


def over(*receipts: Receipt, now: datetime = NOW) -> dict[timedelta, Figures]:
    """The windows of a platform that has these: from receipts and from hours as they are kept."""
    meter = Meter(now, [now - one for one in OF_RECEIPTS])
    meter.add(receipts)
    recent = {one: meter.figures(now - one) for one in OF_RECEIPTS}
    return over_windows(recent, [running(one) for one in tallies(receipts, now).values()], now)


def test_a_cold_start_alone_in_its_hour_breaks_no_promise_of_any_window_and_tells_nobody() -> None:
    cold = receipt(0, 900, timedelta(hours=3))
    after = [receipt(n, 100, timedelta(hours=2, minutes=10, seconds=-n % 600)) for n in range(1, 1_201)]

    windows = over(cold, *after)
    just_now = over(receipt(0, 900, timedelta(minutes=2)))

    assert [one.accepted for one in windows.values()] == [0, 0, 0, 1_201, 1_201, 1_201]
    assert all(one.holds for one in (*windows.values(), *just_now.values()))
    assert windows[timedelta(days=28)].p95_ms == pytest.approx(100, rel=0.01)
    assert burning(windows) == burning(just_now) == ()


def test_somebody_is_told_while_it_burns_and_not_after_it_stopped() -> None:
    bad = [receipt(n, 900, timedelta(minutes=n % 60)) for n in range(600)]
    stopped = [one for one in bad if NOW - one.accepted_at > timedelta(minutes=30)]

    assert burning(over(*bad, now=NOW + timedelta(seconds=1))) == BURN_WINDOWS
    assert burning(over(*stopped)) == ()
    # One cold start in an hour of its own, or a handful: no percentile of anything.
    assert burning(over(*bad[: FEWEST_FOR_SPEED - 1])) == ()
    few = of_hour(bad[1:FEWEST_FOR_SPEED])
    assert few.p95_ms == pytest.approx(900, rel=0.01)
    assert few.holds
    assert "EventsP95Ms" not in measures(few, ())


def test_the_nearest_rank_is_a_value_that_was_measured() -> None:
    assert nearest_rank([3, 1, 2], 0.5) == 2
    assert nearest_rank([3, 1, 2], 1) == 3
    assert nearest_rank([3, 1, 2], 0) == 1
    assert nearest_rank([], 0.5) is None


def test_what_alarms_look_at_is_whole_numbers_and_never_rounded_to_nothing() -> None:
    found = Figures(accepted=10_000_001, slow=0, unserved=1, delays_ms=Percentiles.of([250.0]), lost=1)

    assert measures(found, BURN_WINDOWS[:1], 1.2345) == {
        "EventsAccepted": 10_000_001,
        "EventsBurning": 1,
        "EventsUnservedOfMillion": 1,
        "EventsLost": 1,
        "EventsLostOfMillion": 1,
        "EventsP95Ms": 252,  # within 1 %
        "EventsQueryMs": 1_234,
    }


def test_nothing_is_told_of_what_there_is_not() -> None:
    assert measures(Figures(), ()) == {"EventsAccepted": 0, "EventsBurning": 0, "EventsLost": 0}
    assert measures(Figures(lost=2), ())["EventsLost"] == 2
