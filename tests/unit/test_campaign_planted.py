"""What is planted into synthetic weeks is told as an alert, and noise is not."""

import pytest

from prism_core.campaign.figures import figures
from prism_core.campaign.planted import EFFECTS, Planted, planted_ads

SEEDS = 40


@pytest.mark.parametrize("planted", [pytest.param(one, id=one.value) for one in Planted])
def test_what_was_planted_is_an_alert_and_nothing_else_is(planted: Planted) -> None:
    effect = EFFECTS[planted]
    for seed in range(SEEDS):
        found = figures(planted_ads(seed, planted).inputs).indicators
        alerts = {metric for metric, one in found.items() if one.alert}

        assert effect.must <= alerts, f"seed {seed} misses {sorted(effect.must - alerts)}"
        assert alerts <= effect.must | effect.may, f"seed {seed} alarms falsely"


def test_the_same_seed_draws_the_same_weeks_and_every_second_one_is_noise() -> None:
    assert planted_ads(7) == planted_ads(7) != planted_ads(8)
    assert {planted_ads(seed).planted for seed in range(1, 60, 2)} == {Planted.NOISE}
    assert {planted_ads(seed).planted for seed in range(0, 60, 2)} == set(Planted) - {Planted.NOISE}


def test_every_name_says_that_it_is_synthetic() -> None:
    rows = planted_ads(1).rows

    assert all("Synthetic" in name for row in rows for name in (row.campaign_name, row.adset_name, row.ad_name))
