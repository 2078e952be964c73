"""Reports on their shelf. Why real: that nothing is replaced and who came first is decided by the bucket."""

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_core.models.reports import ReportKind
from prism_core.reports.content import ReportContent
from prism_resources.lake import Lake
from prism_resources.reports.rendering import render
from prism_resources.reports.shelf import Shelf
from tests.unit.report_mails import CONTENTS, real_week

CAMPAIGN, OPERATIONS = ReportKind.CAMPAIGN, ReportKind.OPERATIONS
NOW = datetime(2023, 9, 4, 5, tzinfo=UTC)
PLACE = "reports/campaign/week=2023-W35/0001.json"


def other(content: ReportContent, title: str) -> ReportContent:
    return dataclasses.replace(content, title=title)


def keys(platform: Platform, kind: ReportKind, week: Week) -> list[str]:
    return list(Lake(platform.settings).keys(f"reports/{kind}/week={week}/"))


@pytest.fixture
def shelf(platform: Platform) -> Shelf:
    found = Lake(platform.settings)
    for key in list(found.keys("reports/")):
        found.delete(key)
    return Shelf(platform.settings)


@pytest.mark.parametrize("name", sorted(set(CONTENTS) - {"huge"}))
def test_a_report_is_read_back_as_it_was_made(shelf: Shelf, name: str) -> None:
    content = CONTENTS[name]()

    kept = shelf.put(CAMPAIGN, content, now=NOW)

    assert shelf.newest(CAMPAIGN, content.week) == kept
    assert (kept.report, kept.week, kept.made_at) == (CAMPAIGN, content.week, NOW)
    assert kept.content_hash == content.content_hash()
    assert render(kept.content) == render(content)


def test_the_same_report_again_writes_nothing(platform: Platform, shelf: Shelf) -> None:
    first = shelf.put(CAMPAIGN, real_week(35), now=NOW)

    again = shelf.put(CAMPAIGN, real_week(35), now=NOW + timedelta(days=1))

    assert again == first
    assert keys(platform, CAMPAIGN, first.week) == [PLACE]


def test_a_report_that_becomes_what_it_was_before_is_the_newest(shelf: Shelf) -> None:
    content = real_week(35)
    shelf.put(CAMPAIGN, content, now=NOW)
    shelf.put(CAMPAIGN, other(content, "Another"), now=NOW + timedelta(hours=1))

    back = shelf.put(CAMPAIGN, content, now=NOW + timedelta(hours=2))

    assert back.key.endswith("/0003.json")
    assert shelf.newest(CAMPAIGN, content.week) == back


def test_weeks_and_kinds_are_apart(shelf: Shelf) -> None:
    for number in (34, 31, 35):
        shelf.put(CAMPAIGN, real_week(number), now=NOW)
    shelf.put(OPERATIONS, real_week(33), now=NOW)

    assert [str(week) for week in shelf.weeks(CAMPAIGN)] == ["2023-W31", "2023-W34", "2023-W35"]
    assert [str(week) for week in shelf.weeks(OPERATIONS)] == ["2023-W33"]
    assert shelf.newest(OPERATIONS, Week.parse("2023-W35")) is None


def test_of_several_that_put_at_once_every_one_is_kept_and_the_same_one_once(
    platform: Platform, shelf: Shelf
) -> None:
    content = real_week(35)
    reports = [other(content, f"Made by {at % 3}") for at in range(6)]

    with ThreadPoolExecutor(6) as pool:
        kept = list(pool.map(lambda one: shelf.put(CAMPAIGN, one, now=NOW), reports))

    assert [one.content.title for one in kept] == [one.title for one in reports]
    bodies = [Lake(platform.settings).get(key) for key in keys(platform, CAMPAIGN, content.week)]
    assert all(before != after for before, after in pairwise(bodies))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda body: body[: len(body) // 2], id="cut off"),
        pytest.param(lambda body: body.replace(b"2023-W31", b"2023-W32"), id="another week"),
        pytest.param(lambda body: b"[]", id="no document"),
        pytest.param(lambda body: body.replace(b'"value": "', b'"value": "1', 1), id="another figure"),
    ],
)
def test_a_damaged_report_is_told_and_never_read(
    platform: Platform, shelf: Shelf, damage: Callable[[bytes], bytes]
) -> None:
    kept, lake = shelf.put(CAMPAIGN, real_week(35), now=NOW), Lake(platform.settings)
    body = lake.get(kept.key)
    assert body is not None
    lake.put(kept.key, damage(body), content_type="application/json")

    with pytest.raises(PermanentFailure, match=r"0001\.json is not the report that was put there"):
        shelf.newest(CAMPAIGN, kept.week)
