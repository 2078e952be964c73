"""A week beside the four before it."""

from prism_core.bands import band


def test_a_week_within_the_share_around_the_mean_of_four_holds_and_one_outside_does_not() -> None:
    earlier = [1000.0, 100.0, 100.0, 120.0, 80.0]  # the first one is too old to count

    assert [band(value, earlier, 0.5).holds for value in (49, 50, 150, 151)] == [False, True, True, False]


def test_with_fewer_than_two_weeks_before_it_there_is_nothing_to_compare_with() -> None:
    assert band(10_000, [None, None, None, 5], 0.5).holds
    assert not band(10_000, [None, 5, None, 5], 0.5).holds
