"""Ads are read when the account's Sunday is over and before anybody reads, or it is told which hour to set."""

from datetime import UTC, datetime

import pytest

from prism_core.models.reports import Recipient
from prism_core.settings import Settings
from prism_resources.meta_ads.checks import read_too_early
from prism_resources.preflight import read_too_soon

NOW = datetime(2026, 7, 3, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "readers", "account", "expected"),
    [
        # Midnight there is 07:00 UTC in summer and 08:00 in winter.
        pytest.param("0 5 * * 1", "UTC", "America/Los_Angeles", "0 8 * * 1", id="west"),
        pytest.param("30 6 * * 1", "Europe/Madrid", "America/New_York", "30 6 * * 1", id="just late enough"),
        pytest.param("30 5 * * 1", "Europe/Madrid", "America/New_York", "30 6 * * 1", id="too early"),
        pytest.param("0 5 * * 1", "Europe/Madrid", "Europe/Madrid", None, id="the same"),
        pytest.param("0 5 * * 1", "UTC", "Asia/Tokyo", None, id="east"),
        pytest.param("0 5 * * 2", "UTC", "America/Los_Angeles", None, id="on Tuesday"),
    ],
)
def test_an_hour_before_the_account_s_midnight_is_told_with_the_one_to_set(
    cron: str, readers: str, account: str, expected: str | None
) -> None:
    settings = Settings(campaign_figures_cron=cron, report_time_zone=readers)

    found = [one.sentence for one in read_too_early(settings, account, NOW)]

    assert [expected in one for one in found if expected] == ([True] if expected not in {None, cron} else [])
    assert bool(found) is (expected not in {None, cron})


@pytest.mark.parametrize(
    ("cron", "ours", "reader", "expected"),
    [
        pytest.param("0 5 * * 1", "UTC", "Asia/Kolkata", '"0 1 * * 1"', id="east"),
        pytest.param("0 5 * * 1", "UTC", "Pacific/Auckland", "TIME_ZONE to Pacific/Auckland", id="still Sunday"),
        pytest.param("30 5 * * 1", "UTC", "Europe/Madrid", '"30 4 * * 1"', id="in summer alone"),
        pytest.param("0 5 * * 1", "UTC", "Europe/Madrid", None, id="the same"),
        pytest.param("0 5 * * 1", "UTC", "America/New_York", None, id="west"),
        pytest.param("0 5 * * 1", "Asia/Kolkata", "Asia/Kolkata", None, id="their own zone"),
        pytest.param("0 5 * * 2", "UTC", "Asia/Kolkata", None, id="on Tuesday"),
    ],
)
def test_who_reads_before_the_report_is_made_is_named_with_the_hour_to_set(
    cron: str, ours: str, reader: str, expected: str | None
) -> None:
    settings = Settings(campaign_figures_cron=cron, report_time_zone=ours)
    ada = Recipient(recipient_id="ada", name="Ada", email="ada@example.com", time_zone=reader)

    found = [one.sentence for one in read_too_soon(settings, [ada], NOW)]

    assert [expected in one and "for ada it is 07:00" in one for one in found if expected] == [True] * len(found)
    assert bool(found) is (expected is not None)
