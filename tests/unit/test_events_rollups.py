"""Roll-ups say the same however their events are split, repeated or late, within a stated error."""

import random
from datetime import UTC, datetime, timedelta
from functools import reduce

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.events.envelope import BEHIND_AT_MOST
from prism_core.events.objectives import nearest_rank
from prism_core.events.rollups import Counted, Grain, fold, roll_ups, touched
from prism_core.events.sketches import MOST_VALUES, RELATIVE_ERROR, Percentiles, TopValues

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
amounts = st.floats(1e-6, 1e12) | st.floats(-1e12, -1e-6)
offsets = st.integers(-(8 * 86_400), 86_400)


def counted(key: str, seconds: int, delay: int = 0, kind: str = "a") -> Counted:
    accepted = NOON + timedelta(seconds=delay)
    time = NOON + timedelta(seconds=seconds)
    return Counted(key, kind, "p", accepted, accepted + timedelta(milliseconds=7), time, float(abs(seconds)))


events = st.lists(
    st.builds(counted, st.uuids().map(str), offsets, st.integers(0, 86_400), st.sampled_from("ab")), max_size=25
)


@given(st.lists(amounts, min_size=1, max_size=80), st.floats(0, 1))
def test_a_quantile_is_within_its_error_of_the_exact_one(values: list[float], share: float) -> None:
    found, exact = Percentiles.of(values).quantile(share), nearest_rank(values, share)

    assert found == pytest.approx(exact, rel=RELATIVE_ERROR * 1.0001)


@given(st.lists(st.lists(st.just(0.0) | amounts, max_size=10), max_size=6))
def test_percentiles_of_parts_are_those_of_all_in_any_order(parts: list[list[float]]) -> None:
    whole = Percentiles.of(value for part in parts for value in part)
    sketches = [Percentiles.of(part) for part in parts]

    assert reduce(Percentiles.merged, sketches, Percentiles()) == whole
    assert reduce(Percentiles.merged, reversed(sketches), Percentiles()) == whole
    assert whole.count == sum(map(len, parts))


def test_a_value_that_has_no_rank_is_refused() -> None:
    with pytest.raises(ValueError, match="no value"):
        Percentiles.of([float("nan")])


def test_measures_below_zero_count_as_any_other() -> None:
    measured = [msgspec.structs.replace(counted(str(n), 0), value=float(n)) for n in (-10, -9, -8, -7, 5)]

    (found,) = roll_ups(measured, Grain.DAY).values()

    assert found.values.count == 5
    assert found.values.quantile(0.5) == pytest.approx(-8, rel=RELATIVE_ERROR)


def test_nothing_has_no_quantile() -> None:
    assert Percentiles().quantile(0.5) is None


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_counts_of_top_values_are_never_too_high_and_at_most_missed_too_low(seed: int, parts: int) -> None:
    drawn = random.Random(seed)
    values = [f"v{int(drawn.paretovariate(0.6)) % 400}" for _ in range(1_500)]
    exact = {value: values.count(value) for value in set(values)}

    found = reduce(TopValues.merged, (TopValues.of(values[part::parts]) for part in range(parts)), TopValues())

    assert len(found.counts) <= MOST_VALUES
    assert found.missed <= len(values) / MOST_VALUES
    assert all(exact[v] - found.missed <= found.counts.get(v, 0) <= exact[v] for v in exact)


def test_few_values_are_counted_exactly_and_ties_are_ordered() -> None:
    found = TopValues.of("abcab").merged(TopValues.of("ca"))

    assert found.top(2) == [("a", 3), ("b", 2)]
    assert found.missed == 0


@given(events)
def test_every_event_is_in_one_window_of_each_grain_and_hours_are_folded_minutes(found: list[Counted]) -> None:
    minutes = roll_ups(found, Grain.MINUTE)
    hours = roll_ups(found, Grain.HOUR)

    assert sum(one.count for one in minutes.values()) == len({event.key for event in found})
    folded = fold(minutes.values(), Grain.HOUR)
    assert {key: (one.count, one.delays_ms, one.values, one.producers) for key, one in folded.items()} == {
        key: (one.count, one.delays_ms, one.values, one.producers) for key, one in hours.items()
    }


@given(events, st.randoms())
def test_computing_again_with_repeated_and_shuffled_events_changes_nothing(
    found: list[Counted], order: random.Random
) -> None:
    again = found + found[: len(found) // 2]
    order.shuffle(again)

    assert roll_ups(again, Grain.DAY) == roll_ups(found, Grain.DAY)


@given(events, events)
def test_only_touched_windows_change_when_events_come_late(before: list[Counted], late: list[Counted]) -> None:
    was, now = roll_ups(before, Grain.HOUR), roll_ups(before + late, Grain.HOUR)

    assert {key for key in now if now[key] != was.get(key)} == set(touched(late, Grain.HOUR))


def test_a_late_event_corrects_its_window_within_a_week_and_its_acceptance_after_that() -> None:
    late = counted("1", seconds=-int(BEHIND_AT_MOST.total_seconds()))
    too_late = counted("2", seconds=-int(BEHIND_AT_MOST.total_seconds()) - 1)

    found = roll_ups([late, too_late], Grain.HOUR)

    assert [(start, one.late) for (_, start), one in found.items()] == [(NOON - BEHIND_AT_MOST, 1), (NOON, 0)]


def test_roll_ups_of_two_windows_have_no_sum() -> None:
    first, second = roll_ups([counted("1", 0), counted("2", 3_600, 3_600)], Grain.HOUR).values()

    with pytest.raises(ValueError, match="two windows"):
        first.merged(second)
