"""Reads for figures while an index lags behind its table.

Why real: the emulator's indexes never lag, so a proxy before it answers queries of an index as it stood before.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core import clock
from prism_core.calendar import Week
from prism_core.models.people import Availability
from prism_core.models.work import QualityReview
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus
from prism_core.settings import Settings
from prism_core.tables import AVAILABILITY, QUALITY
from prism_resources.aws import client
from prism_resources.registers import read_registers
from prism_resources.tables.settled import settled
from prism_resources.tables.store import TableStore
from tests.integration.asset_runs import write
from tests.integration.fresh import platform_of_this_file
from tests.integration.proxies import Proxy

platform = platform_of_this_file()

WEEK = Week.parse("2018-W35")


@pytest.fixture
def lagging(platform: Platform) -> Iterator[Settings]:
    """Settings whose indexes answer each query as they did the first time."""
    answers: dict[str, tuple[int, dict[str, Any]]] = {}

    def as_before(proxy: Proxy, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if operation != "Query" or "IndexName" not in body:
            return None
        asked = json.dumps(body, sort_keys=True)
        if asked not in answers:
            answers[asked] = proxy.forward(operation, body)
        return answers[asked]

    with Proxy(str(platform.settings.aws_endpoint_url)) as proxy:
        proxy.interfere = as_before
        yield Settings.model_validate(platform.settings.model_dump() | {"aws_endpoint_url": proxy.url})


def review(number: int, correct: int, *, version: int = 1, week: Week = WEEK) -> QualityReview:
    return QualityReview(
        member_id="M-1", week=week, project_id="P-1", review_id=f"R-{number}", category="box", reviewed=10,
        correct=correct, reviewer="lead-1", reviewed_at=week.start, version=version,
    )  # fmt: skip


def delete(settings: Settings, item: QualityReview) -> None:
    store = TableStore(client(settings, "dynamodb"), settings, QUALITY, QualityReview)
    words = {"actor": "test", "reason": "test", "request_id": f"delete-{item.review_id}"}
    store.delete(item, expected_version=item.version, now=clock.now(), **words)


def test_what_was_created_edited_and_deleted_a_moment_ago_is_read_as_it_is(
    platform: Platform, lagging: Settings
) -> None:
    write("quality", [review(1, 5), review(2, 5), review(3, 5)])
    before = settled(lagging, QUALITY, QualityReview).of_week(WEEK)
    write("quality", [review(2, 9), review(4, 9), review(5, 9, week=WEEK + 1)])
    delete(platform.settings, review(3, 5))

    found = settled(lagging, QUALITY, QualityReview).of_week(WEEK)

    assert {one.review_id: one.correct for one in before} == {"R-1": 5, "R-2": 5, "R-3": 5}
    assert {one.review_id: one.correct for one in found} == {"R-1": 5, "R-2": 9, "R-4": 9}


def test_a_day_off_belongs_to_the_week_of_its_date(lagging: Settings) -> None:
    def away(day: int) -> Availability:
        values = {"member_id": "M-1", "date": WEEK.days[day], "hours_off": "8", "status": "approved"}
        return Availability.model_validate(values)

    assert settled(lagging, AVAILABILITY, Availability).of_week(WEEK) == []
    write("availability", [away(0), away(6)])

    found = settled(lagging, AVAILABILITY, Availability).of_week(WEEK)

    assert sorted(one.date for one in found) == [WEEK.days[0], WEEK.days[6]]


def test_a_worker_is_known_who_was_resolved_a_moment_ago_and_not_one_who_no_longer_is(
    lagging: Settings,
) -> None:
    def worker(name: str, status: WorkerStatus) -> Worker:
        periods = (WorkerPeriod(member="M-1", from_=WEEK.monday),) if status is WorkerStatus.RESOLVED else ()
        return Worker(worker_key=name, worker_id=name, status=status, last_seen=clock.now(), periods=periods)

    write("workers", [worker("w-1", WorkerStatus.UNRESOLVED), worker("w-2", WorkerStatus.RESOLVED)])
    before = read_registers(lagging).workers
    write("workers", [worker("w-1", WorkerStatus.RESOLVED), worker("w-2", WorkerStatus.IGNORED)])

    found = read_registers(lagging)

    assert set(before) == {"w-2"}
    assert set(found.workers) == {"w-1"}
    assert found.member("w-1", WEEK.monday) == "M-1"
