"""An indicator speaks of what lasts and is large, never of chance, of little, or of a week that is not whole."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.campaign.indicators import METRIC_RULES, Indicator, Status, Unjudged, indicator, stands
from prism_core.campaign.metrics import Metric, history
from prism_core.campaign.trends import Trend, comparable, trend
from prism_core.facts.gate import Stands
from prism_core.facts.lexicon import Direction
from tests.unit.campaign_weeks import MONDAY, of_weeks, real, week, weekly

UP, DOWN, FLAT = Direction.UP, Direction.DOWN, Direction.FLAT


def told(leads: list[int], metric: Metric = Metric.LEADS, spend: str = "1000.00") -> list[Indicator]:
    """What is said week by week, as it would have been in each of them."""
    parts = comparable(of_weeks(weekly(leads, spend), len(leads)), metric, "EUR")
    trends = [trend(week(at), parts) for at in range(len(leads))]
    return [indicator(metric, trends[: at + 1]) for at in range(len(leads))]


def words(leads: list[int], metric: Metric = Metric.LEADS) -> list[str]:
    return [one.word for one in told(leads, metric)]


def test_two_weeks_must_pass_before_anything_is_said() -> None:
    assert words([100, 100, 100]) == ["not judged", "not judged", "FLAT, OK"]
    assert [one.unjudged for one in told([100, 100])] == [Unjudged.NO_FIGURE, Unjudged.TOO_FEW_WEEKS]


def test_one_week_is_no_trend_and_a_second_one_is() -> None:
    assert words([400, 400, 400, 400, 480, 500])[-2:] == ["UP, ONE WEEK", "UP, OK"]


@pytest.mark.parametrize(
    ("last", "shown", "large"),
    [
        pytest.param(405, "FLAT, OK", False, id="chance"),
        pytest.param(330, "DOWN, ONE WEEK", False, id="a move"),
        pytest.param(200, "DOWN, ONE WEEK", True, id="as far as an alert"),
        pytest.param(600, "UP, ONE WEEK", False, id="good news"),
    ],
)
def test_a_week_that_moved_alone_is_neither_flat_nor_a_trend(last: int, shown: str, *, large: bool) -> None:
    found = told([400, 400, 400, 400, last])[-1]

    assert (found.word, found.large, found.alert) == (shown, large, False)
    assert stands({Metric.LEADS: found})["leads"].lasting is (shown == "FLAT, OK")


def test_a_fall_is_an_alert_in_its_second_week_and_a_collapse_at_once() -> None:
    assert words([400, 400, 400, 400, 260, 240])[-2:] == ["DOWN, ONE WEEK", "DOWN, ALERT"]
    assert words([400, 400, 400, 400, 40])[-1] == "DOWN, ALERT"


@pytest.mark.parametrize("left", [0, 1, 3], ids=["none", "one", "three"])
def test_leads_that_stop_are_an_alert_at_once_although_hardly_any_is_left_to_count(left: int) -> None:
    assert told([100, 104, 98, 101, left])[-1].alert
    small = [one.alert for one in told([14, 12, 15, 13, 0, 0])]
    assert small[-1], "where a week has few, in its second week"


def test_more_leads_and_less_cost_are_never_an_alert() -> None:
    assert words([100, 100, 100, 100, 900, 900])[-2:] == ["UP, OK", "UP, OK"]
    assert words([100, 100, 100, 100, 900, 900], Metric.COST_PER_LEAD)[-2:] == ["DOWN, OK", "DOWN, OK"]
    assert words([900, 900, 900, 900, 100, 100], Metric.COST_PER_LEAD)[-2:] == ["UP, ALERT", "UP, ALERT"]


def test_an_alert_ends_later_than_it_began_and_a_new_level_is_no_alert_for_ever() -> None:
    fallen = words([1000, 1000, 1000, 1000, 600, 600, 600, 600, 600, 600])

    assert fallen[4:] == ["DOWN, ONE WEEK", "DOWN, ALERT", "DOWN, ALERT", "DOWN, OK", "FLAT, OK", "FLAT, OK"]


def test_hysteresis_holds_a_direction_between_its_two_thresholds() -> None:
    trends = [_trend(change) for change in ("0.2", "0.2", "0.07", "0.04", "0.07")]

    found = [indicator(Metric.IMPRESSIONS, trends[: at + 1]) for at in range(5)]
    narrow = [indicator(Metric.SPEND, trends[: at + 1]) for at in range(5)]

    assert [one.direction for one in found] == [UP, UP, FLAT, FLAT, FLAT]
    assert [one.direction for one in narrow] == [UP, UP, UP, FLAT, FLAT]
    assert [one.lasting for one in narrow] == [False, True, True, True, True]


def test_since_when_it_is_said_is_the_first_week_of_it() -> None:
    found = told([400, 400, 400, 400, 500, 560, 640])

    assert [str(one.since) for one in found[-3:]] == ["2023-W35", "2023-W36", "2023-W36"]


def test_little_volume_says_nothing_whatever_it_does() -> None:
    found = told([4, 5, 4, 3, 0, 0, 9, 0])

    assert {one.unjudged for one in found[2:]} == {Unjudged.LITTLE_VOLUME}
    assert stands({Metric.LEADS: found[-1]}) == {}


@pytest.mark.parametrize(
    ("leads", "shown"),
    [
        pytest.param([7, 8, 6, 7, 0], ["DOWN, ONE WEEK"], id="a week"),
        pytest.param([7, 8, 6, 7, 0, 0], ["DOWN, ONE WEEK", "DOWN, ALERT"], id="two weeks"),
        pytest.param([2, 3, 2, 1, 0, 0], ["not judged", "not judged"], id="by chance"),
        pytest.param([7, 8, 6, 7, 1], ["not judged"], id="one lead"),
    ],
)
def test_of_little_it_is_told_that_it_stopped_where_that_is_not_chance(leads: list[int], shown: list[str]) -> None:
    assert words(leads)[4:] == shown


def test_what_was_judged_goes_to_the_gate() -> None:
    found = told([400, 400, 400, 400, 40])[-1]

    assert stands({Metric.LEADS: found}) == {"leads": Stands(DOWN, alert=True)}


def test_a_week_without_all_its_days_is_not_judged_and_ends_what_was_said() -> None:
    rows = history(weekly([400, 400, 400, 400, 40]), (MONDAY, week(4).monday + timedelta(days=3)))
    trends = [trend(week(at), comparable(rows, Metric.LEADS, "EUR")) for at in range(5)]

    found = indicator(Metric.LEADS, trends)

    assert (found.unjudged, found.status) == (Unjudged.NO_FIGURE, Status.OK)


def test_the_real_weeks_alarm_nobody() -> None:
    found = real()
    for metric in Metric:
        trends = [trend(one, comparable(found, metric, "EUR")) for one in found.weeks]
        assert [indicator(metric, trends[: at + 1]).alert for at in range(5)] == [False] * 5


@pytest.mark.parametrize("level", [5, 8, 12, 40, 600], ids=["tiny", "very small", "small", "middle", "large"])
def test_plain_chance_is_an_alert_in_less_than_one_week_of_a_hundred(level: int) -> None:
    chance = random.Random(level)
    # A week is as dispersed as real ones: chance of each lead, and a tenth of the level beside it.
    false = sum(
        one.alert
        for _ in range(20)
        for one in told(
            [max(0, round(chance.gauss(level, (level + (level / 10) ** 2) ** 0.5))) for _ in range(20)]
        )
    )

    assert false < 4


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=9))
def test_an_alert_is_a_bad_direction_that_was_judged_and_the_same_weeks_say_the_same(leads: list[int]) -> None:
    for metric in (Metric.LEADS, Metric.COST_PER_LEAD, Metric.SPEND):
        found = told(leads, metric)
        assert told(leads, metric) == found
        for one in found:
            assert not one.alert or (one.unjudged is None and one.direction in METRIC_RULES[metric].bad)
            assert one.lasting or (not one.alert and one.direction is not FLAT and one.since == one.trend.week)
            assert one.unjudged is None or (one.direction, one.status) == (FLAT, Status.OK)
            if one.unjudged is None and one.direction is not FLAT:
                assert ((one.trend.change or 0) > 0) is (one.direction is UP)


def _trend(change: str) -> Trend:
    return Trend(week(9), 100 * (1 + Decimal(change)), Decimal(100), 4)
