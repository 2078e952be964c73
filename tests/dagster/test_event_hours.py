"""Hours of events that a run counts: those since the run before, and those that it left with a question."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from prism_assets.events.hourly import AGAIN, UNTIL, hourly_assets, hours_missed, hours_to_count
from prism_core.events.conservation import Held, Receipt
from prism_core.events.ledger import HourRecord, record, to_count_again
from prism_core.events.outcomes import Outcome
from prism_core.events.tally import Tally
from prism_core.models.base import instant_text

HOUR = timedelta(hours=1)
KEPT = timedelta(days=35)
SEVEN = datetime(2026, 1, 5, 7, tzinfo=UTC)


def hour(
    start: datetime, *, stored: int, held: int, in_flight: int = 0, counted_at: datetime = SEVEN + 2 * HOUR
) -> HourRecord:
    tally = Tally(start, counted_at)
    tally.add([Receipt(f"s{n}", "p", start, Outcome.STORED, start) for n in range(stored)])
    tally.add([Receipt(f"w{n}", "p", start) for n in range(in_flight)])
    return record(tally, Held(held, 0))


def test_an_hour_that_was_wrong_is_counted_again_by_each_run_until_it_is_right() -> None:
    wrong, sound = hour(SEVEN, stored=3, held=2), hour(SEVEN, stored=3, held=3)
    waiting = hour(SEVEN - 2 * HOUR, stored=1, held=1, in_flight=1)
    until = {UNTIL: instant_text(SEVEN + 4 * HOUR)}

    first = to_count_again([waiting, wrong], {})
    second = hours_to_count(until | {AGAIN: [instant_text(one) for one in first]}, SEVEN + 5 * HOUR, KEPT)
    third = hours_to_count(until | {AGAIN: to_count_again([sound], {SEVEN: 3})}, SEVEN + 5 * HOUR, KEPT)

    assert first == [SEVEN - 2 * HOUR, SEVEN]
    assert second == [SEVEN - 2 * HOUR, SEVEN, SEVEN + 3 * HOUR, SEVEN + 4 * HOUR]
    assert third == [SEVEN + 3 * HOUR, SEVEN + 4 * HOUR]


def test_an_hour_whose_windows_hold_other_events_than_its_balance_found_is_counted_again() -> None:
    sound, quiet = hour(SEVEN, stored=3, held=3), hour(SEVEN + HOUR, stored=0, held=0)

    assert to_count_again([sound, quiet], {SEVEN: 2, SEVEN + HOUR: 0}) == [SEVEN]
    assert to_count_again([sound, quiet], {SEVEN: 4, SEVEN + HOUR: 0}) == [SEVEN]
    assert to_count_again([sound, quiet], {SEVEN: 3, SEVEN + HOUR: 0}) == []


def test_an_hour_with_something_in_flight_is_counted_until_no_queue_has_it_and_a_wrong_one_for_a_week() -> None:
    later = SEVEN + timedelta(days=14, hours=12)
    waiting = hour(SEVEN, stored=1, held=1, in_flight=1, counted_at=later)
    wrong = hour(SEVEN, stored=3, held=2, counted_at=later)

    hours = hours_to_count({UNTIL: instant_text(later), AGAIN: [instant_text(SEVEN)]}, later, KEPT)

    assert (to_count_again([waiting], {}), to_count_again([wrong], {})) == ([SEVEN], [])
    assert hours[0] == SEVEN
    assert SEVEN not in hours_to_count(
        {UNTIL: instant_text(later), AGAIN: [instant_text(SEVEN)]}, later + 24 * HOUR, KEPT
    )


def test_after_weeks_without_a_run_hours_are_made_up_for_in_order_and_those_without_receipts_are_told() -> None:
    before, now = {UNTIL: instant_text(SEVEN)}, SEVEN + timedelta(days=20)

    first = hours_to_count(before, now, KEPT)
    second = hours_to_count({UNTIL: instant_text(first[-1] + HOUR)}, now + HOUR, KEPT)
    much_later = SEVEN + timedelta(days=40)

    assert (first[0], len(first), hours_missed(before, now, KEPT)) == (SEVEN - HOUR, 7 * 24, 0)
    assert (second[0], len(second)) == (first[-1], 7 * 24)
    assert hours_to_count(before, much_later, KEPT)[0] == much_later - timedelta(days=34)
    assert hours_missed(before, much_later, KEPT) == 6 * 24
    assert hours_missed({}, now, KEPT) == 0


def test_an_hour_that_does_not_balance_keeps_no_owner_from_being_told() -> None:
    """The check of roll-ups blocks whatever is below them in its run."""
    below = {one.key.to_user_string(): one.dependency_keys for one in hourly_assets()}

    assert below["event_scorecard"] == below["event_rollups"] == {dg.AssetKey("event_dead_letters")}
