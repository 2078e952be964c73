"""What the models refuse."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from prism_core.models.base import Model
from prism_core.models.bugs import SCREENSHOT_MAX_CHARACTERS, Bug
from prism_core.models.changes import Change
from prism_core.models.people import Availability, Member, Skill
from prism_core.models.projects import LabelingJob, Project
from prism_core.models.reports import Recipient
from prism_core.models.work import Allocation, QualityReview, ThroughputDay, ThroughputWeek
from prism_core.models.workers import Worker, WorkerPeriod, worker_key

MEMBER = {"member_id": "M-1", "name": "Ana", "email": "ana@example.org", "time_zone": "Europe/Madrid"}
PROJECT = {"project_id": "P-1", "name": "Birds", "category": "cat-7", "demand_hours": "120"}
ALLOCATION = {"member_id": "M-1", "week": "2026-W01", "project_id": "P-1", "hours": {"2025-12-29": "4"}}
DAY = {"day": "2025-12-29", "tasks_submitted": 3, "wall_seconds": 60}
THROUGHPUT = {
    "project_id": "P-1",
    "week": "2026-W01",
    "member_id": "M-1",
    "days": [DAY],
    "worker_resolved": True,
    "project_resolved": True,
}
REVIEW = {
    "member_id": "M-1",
    "week": "2026-W01",
    "project_id": "P-1",
    "review_id": "Q-1",
    "category": "cat-7",
    "reviewed": 10,
    "correct": 9,
    "reviewer": "Leo",
    "reviewed_at": "2026-01-05T07:00:00Z",
}
WORKER = {"worker_key": "w-1", "worker_id": "w-1", "last_seen": "2026-01-05T07:00:00Z"}
BUG = {
    "bug_id": "B-1",
    "title": "t",
    "description": "d",
    "severity": "low",
    "category": "ui",
    "reporter": "Ana",
    "created": "2026-01-05T07:00:00Z",
}
CHANGE = {
    "table": "members",
    "week": "2026-W02",
    "shard": 0,
    "instant": "2026-01-05T07:00:00Z",
    "ulid": "01KE6F97C00000000000000000",
    "item_key": "members/M-1",
    "operation": "update",
    "version": 2,
    "changes": {},
    "actor": "ana",
    "request_id": "r-1",
}


@pytest.mark.parametrize(
    ("model", "valid", "wrong"),
    [
        (Member, MEMBER, {"version": 0}),
        (Member, MEMBER, {"version": "1"}),
        (Member, MEMBER, {"version": True}),
        (Member, MEMBER, {"nickname": "x"}),
        (Member, MEMBER, {"member_id": "M#1"}),
        (Member, MEMBER, {"member_id": "~control"}),
        (Member, MEMBER, {"member_id": "M-1\n"}),
        (Member, MEMBER, {"member_id": ""}),
        (Member, MEMBER, {"email": "nobody"}),
        (Member, MEMBER, {"status": "asleep"}),
        (Member, MEMBER, {"time_zone": "Madrid"}),
        (Member, MEMBER, {"time_zone": "America"}),
        (Member, MEMBER, {"time_zone": "../etc/passwd"}),
        (Member, MEMBER, {"skills": [{"name": "x", "level": "3"}]}),
        (Member, MEMBER, {"skills": [{"name": "x", "level": 6}]}),
        (Member, MEMBER, {"skills": [{"name": "x", "level": 3, "extra": 1}]}),
        (Member, MEMBER, {"skills": [{"name": "x", "level": 3}, {"name": "x", "level": 4}]}),
        (Member, MEMBER, {"hours": {"mon": "24.01"}}),
        (Member, MEMBER, {"hours": {"mon": "7.505"}}),
        (Member, MEMBER, {"hours": {"mon": "NaN"}}),
        (Member, MEMBER, {"hours": {"mon": True}}),
        (Member, MEMBER, {"hours": {"someday": "1"}}),
        (Project, PROJECT, {"priority": 0}),
        (Project, PROJECT, {"priority": 6}),
        (Project, PROJECT, {"demand_hours": "-1"}),
        (Project, PROJECT, {"quality_target": "1.01"}),
        (Project, PROJECT, {"quality_target": 0.5}),
        (Project, PROJECT, {"sla_date": 0}),
        (Project, PROJECT, {"sla_date": "2026-1-5"}),
        (Project, PROJECT, {"sla_date": datetime(2026, 1, 5, tzinfo=UTC)}),
        (Project, PROJECT, {"min_people": 3, "max_people": 2}),
        (Project, PROJECT, {"labeling_jobs": [{"job": "a b", "valid_from": "2026-01-01"}]}),
        (Project, PROJECT, {"labeling_jobs": [{"job": "a**", "valid_from": "2026-01-01"}]}),
        (Allocation, ALLOCATION, {"hours": {}}),
        (Allocation, ALLOCATION, {"hours": {"2026-01-05": "4"}}),
        (Allocation, ALLOCATION, {"week": "2026-W54"}),
        (Allocation, ALLOCATION, {"pinned": "yes"}),
        (ThroughputWeek, THROUGHPUT, {"days": []}),
        (ThroughputWeek, THROUGHPUT, {"days": [DAY, DAY]}),
        (ThroughputWeek, THROUGHPUT, {"days": [{**DAY, "day": "2026-01-05"}]}),
        (ThroughputWeek, THROUGHPUT, {"days": [{**DAY, "wall_seconds": 1.5}]}),
        (ThroughputWeek, THROUGHPUT, {"days": [{**DAY, "tasks_submitted": -1}]}),
        (ThroughputWeek, THROUGHPUT, {"generation": 1_000_000}),
        (QualityReview, REVIEW, {"reviewed": 0, "correct": 0}),
        (QualityReview, REVIEW, {"correct": 11}),
        (QualityReview, REVIEW, {"reviewed_at": "2026-01-05T07:00:00"}),
        (QualityReview, REVIEW, {"reviewed_at": 1767596400}),
        (Worker, WORKER, {"worker_key": "other"}),
        (Worker, WORKER, {"status": "resolved"}),
        (Worker, WORKER, {"worker_key": "job:x", "job": "x", "periods": [{"member": "M", "from": "2026-01-01"}]}),
        (Bug, BUG, {"screenshot": "not base64!"}),
        (Bug, BUG, {"screenshot": "A" * (SCREENSHOT_MAX_CHARACTERS + 4)}),
        (Change, CHANGE, {"changes": {"hours": {"after": 1.5}}}),
        (Change, CHANGE, {"changes": {"hours": {"after": [{"a": 1.5}]}}}),
        (Change, CHANGE, {"changes": {"hours": {"during": "1"}}}),
        (Change, CHANGE, {"ulid": "IL"}),
    ],
)
def test_a_model_refuses_what_does_not_hold(
    model: type[Model], valid: dict[str, Any], wrong: dict[str, Any]
) -> None:
    model.model_validate(valid)

    with pytest.raises(ValidationError):
        model.model_validate({**valid, **wrong})


def test_hours_have_two_places_however_they_were_written() -> None:
    hours = [
        Member.model_validate({**MEMBER, "hours": {"mon": text}}).hours for text in ("7.5", 7.5, Decimal("7.50"))
    ]

    assert {str(value) for entry in hours for value in entry.values()} == {"7.50"}


def test_a_computed_figure_is_rounded_to_four_places() -> None:
    day = ThroughputDay(day=date(2026, 1, 5), tasks_per_hour=Decimal(20) / 3)

    assert day.tasks_per_hour == Decimal("6.6667")


def test_an_instant_is_kept_in_utc() -> None:
    madrid = timezone(timedelta(hours=1))
    worker = Worker.model_validate({**WORKER, "last_seen": datetime(2026, 1, 5, 8, tzinfo=madrid)})

    assert worker.last_seen.tzinfo is UTC
    assert worker.plain()["last_seen"] == "2026-01-05T07:00:00.000000Z"


def test_a_model_does_not_change() -> None:
    skill = Skill(name="birds", level=3)

    with pytest.raises(ValidationError, match="frozen"):
        skill.level = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    "periods",
    [
        [("M-1", "2026-01-01", "2026-02-01"), ("M-2", "2026-01-31", None)],
        [("M-1", "2026-01-01", None), ("M-2", "2026-02-01", None)],
        [("M-1", "2026-02-01", "2026-03-01"), ("M-2", "2026-01-01", "2026-02-01")],
    ],
)
def test_the_periods_of_a_worker_may_not_overlap(periods: list[tuple[str, str, str | None]]) -> None:
    entries = [{"member": member, "from": start, "to": end} for member, start, end in periods]

    with pytest.raises(ValidationError, match="periods"):
        Worker.model_validate({**WORKER, "status": "resolved", "periods": entries})


def test_a_period_must_not_be_empty() -> None:
    day = date(2026, 1, 1)

    with pytest.raises(ValidationError, match="must end after it starts"):
        WorkerPeriod(member="M-1", from_=day, to=day)


def test_a_labelling_job_must_not_end_before_it_starts() -> None:
    with pytest.raises(ValidationError, match="must lie after"):
        LabelingJob(job="a", valid_from=date(2026, 1, 2), valid_to=date(2026, 1, 2))


def test_a_worker_is_keyed_by_pool_and_sub_before_its_worker_id() -> None:
    assert worker_key(pool="p", sub="s", worker_id="w") == "p#s"
    assert worker_key(pool="p", worker_id="w") == "w"
    assert worker_key(job="birds-1") == "job:birds-1"
    with pytest.raises(ValueError, match="a worker needs"):
        worker_key(pool="p")


def test_the_week_of_time_off_is_that_of_its_date() -> None:
    entry = Availability.model_validate({"member_id": "M-1", "date": "2026-01-04", "hours_off": "8"})

    assert entry.week.label == "2026-W01"


def test_json_text_is_held_to_the_same_rules() -> None:
    with pytest.raises(ValidationError):
        Skill.model_validate_json('{"name": "x", "level": "3"}')
    with pytest.raises(ValidationError):
        Skill.model_validate_json('{"name": "x", "level": true}')


@pytest.mark.parametrize(
    "address",
    [
        "a,b@x.com",
        "a@x.com,b@x.com",
        "A <a@x.com>",
        "a@x",
        "a@@x.com",
        "a..b@x.com",
        "a@-x.com",
        "ä@x.com",
        "a@x.com\n",
    ],
    ids=["comma", "two", "a name", "no domain", "two signs", "two dots", "hyphen", "not ascii", "line break"],
)
def test_an_address_is_one_mailbox(address: str) -> None:
    recipient = {"recipient_id": "r-1", "name": "Ana", "time_zone": "UTC"}

    for model, values in ((Member, MEMBER), (Recipient, recipient)):
        assert model.model_validate(values | {"email": "ana.o'neil+prism@mail.example.org"})
        with pytest.raises(ValidationError, match="email"):
            model.model_validate(values | {"email": address})
        assert model.from_plain({**values, "email": address}).plain()["email"] == address  # as it was stored once
