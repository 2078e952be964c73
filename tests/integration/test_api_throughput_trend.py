"""Throughput by week of the API. Why real: which facts a filter and a role reach, the table's indexes decide."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from prism_api.api import backend
from prism_core.calendar import Week
from prism_core.models.work import ThroughputDay, ThroughputWeek
from tests.integration.api_client import Answer, Api, known

FIRST = Week.parse("2017-W10")
# Submitted by ann and by bob; the last week is more than half above what was usual.
TASKS = ((10, 10), (20, 20), (20, 20), (30, 30), (70, 10))
LEAD = ("[lead]", "somebody")


def fact(week: Week, member: str, tasks: int) -> ThroughputWeek:
    active = 1_800 if member == "tt-ann" else None
    day = ThroughputDay(day=week.monday, tasks_submitted=tasks, wall_seconds=3_600, active_seconds=active)
    return ThroughputWeek(
        project_id="tt-p", week=week, member_id=member, days=(day,), worker_resolved=True, project_resolved=True
    )


@pytest.fixture(scope="module", autouse=True)
def facts(platform: object) -> Iterator[None]:
    del platform
    known(("tt-ann", "tt-bob"), ("tt-p",))
    now = datetime.now(UTC)
    for number, (ann, bob) in enumerate(TASKS):
        week = FIRST + number
        backend.throughput().replace(week, [fact(week, "tt-ann", ann), fact(week, "tt-bob", bob)], now=now)
    yield
    for number in range(len(TASKS)):
        backend.throughput().replace(FIRST + number, [], now=now)


def trend(*who: str, **query: Any) -> Answer:
    return Api(*(who or LEAD))("GET", "/api/throughput-trend", **query)


def test_a_week_is_added_up_beside_the_band_of_the_four_before_it() -> None:
    last = (FIRST + 4).label
    weeks = trend(week=last, weeks=5).body["items"]

    assert [(one["tasks_submitted"], one["low"], one["high"]) for one in weeks] == [
        (20, None, None),
        (40, None, None),  # one week before it is too few
        (40, "15.0000", "45.0000"),  # half of the mean of 20 and 40, and one and a half
        (60, "16.6700", "50.0000"),
        (80, "20.0000", "60.0000"),
    ]
    assert (weeks[-1]["week"], weeks[-1]["wall_seconds"], weeks[-1]["active_seconds"]) == (last, 7_200, 1_800)


def test_filters_choose_and_a_week_without_figures_counts_for_no_band() -> None:
    weeks = trend(week=(FIRST + 6).label, weeks=2, member_id="tt-bob", project_id="tt-p").body["items"]

    assert [(one["tasks_submitted"], one["low"], one["high"]) for one in weeks] == [
        (0, "10.0000", "30.0000"),  # of 20, 20, 30 and 10
        (0, "10.0000", "30.0000"),  # of 20, 30 and 10, and no week at all
    ]
    assert weeks[0]["active_seconds"] is None
    assert trend(week="2017-W99").status == trend(weeks=27).status == 422


def test_who_is_no_member_sees_no_work_of_others() -> None:
    weeks = trend("[annotator]", "somebody", week=(FIRST + 4).label, weeks=5).body["items"]

    assert {one["tasks_submitted"] for one in weeks} == {0}
