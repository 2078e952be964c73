"""Every model survives the way into attribute values and back, and the way through plain JSON."""

import json
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_core.alerts.thresholds import ProjectLimits
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_core.history.changes import ulid
from prism_core.models.alerts import Evidence
from prism_core.models.base import Model
from prism_core.models.bugs import Bug, BugStatus
from prism_core.models.changes import Change, Operation
from prism_core.models.people import (
    Availability,
    AvailabilityStatus,
    Member,
    MemberStatus,
    ReasonCode,
    Skill,
    Weekday,
)
from prism_core.models.projects import LabelingJob, Project, ProjectStatus, Request, RequestStatus, SkillDemand
from prism_core.models.reports import Subscription
from prism_core.models.taxonomy import TaxonomyEntry
from prism_core.models.work import (
    Allocation,
    AllocationSource,
    QualityReview,
    Severity,
    ThroughputDay,
    ThroughputWeek,
)
from prism_core.models.workers import Suggestion, Worker, WorkerPeriod, WorkerStatus, worker_key
from prism_core.tables import TABLES
from prism_resources.tables.codec import decode, decode_value, encode, encode_value, item_bytes
from tests.unit.items_of_event_tables import EVENT_ITEMS
from tests.unit.items_of_later_tables import LATER_ITEMS
from tests.unit.items_of_media_tables import MEDIA_ITEMS
from tests.unit.strategies import (
    counts,
    days,
    hours,
    ids,
    instants,
    measures,
    names,
    optional,
    shares,
    texts,
    versions,
    weeks,
)

skills = st.lists(
    st.builds(Skill, name=names, level=st.integers(1, 5)), max_size=3, unique_by=lambda s: s.name
).map(tuple)


members = st.builds(
    Member,
    version=versions,
    member_id=ids,
    name=names,
    email=st.just("a.b@example.org"),
    status=st.sampled_from(MemberStatus),
    skills=skills,
    hours=st.dictionaries(st.sampled_from(Weekday), hours),
    time_zone=st.sampled_from(["UTC", "Europe/Madrid", "America/Argentina/Ushuaia"]),
    team=optional(ids),
    location=st.sampled_from([None, "ES", "ES-MD", "US-NY", "BR-SP"]),
    cognito_sub=optional(names),
    max_projects=optional(st.integers(1, 9)),
    overtime_hours=hours,
)


@st.composite
def labeling_jobs(draw: st.DrawFn) -> LabelingJob:
    start = draw(days)
    end = draw(optional(st.integers(1, 500).map(lambda n: start + timedelta(days=n))))
    return LabelingJob(job=draw(st.sampled_from(["job-1", "job-*", "*-a", "*"])), valid_from=start, valid_to=end)


projects = st.builds(
    Project,
    version=versions,
    project_id=ids,
    name=names,
    category=ids,
    status=st.sampled_from(ProjectStatus),
    priority=st.integers(1, 5),
    demand_hours=st.decimals(100, 100_000, places=2),
    demand_by_skill=st.lists(
        st.builds(SkillDemand, name=names, level=st.integers(1, 5), hours=hours),
        max_size=3,
        unique_by=lambda one: one.name,
    ).map(tuple),
    quality_target=optional(shares),
    sla_date=optional(days),
    skills=skills,
    min_people=st.integers(0, 3),
    max_people=optional(st.integers(3, 9)),
    min_block_hours=hours,
    labeling_jobs=st.lists(labeling_jobs(), max_size=2).map(tuple),
    alert_limits=optional(
        st.builds(ProjectLimits, shrinkage_limit=optional(shares), sla_slack_days=st.integers(0, 9))
    ),
)
requests = st.builds(
    Request,
    version=versions,
    request_id=ids,
    status=st.sampled_from(RequestStatus),
    due_date=days,
    hours=hours,
    skills=skills,
    project_id=optional(ids),
    requester=names,
    reason=texts,
    created=instants,
    triaged=optional(instants),
    decided=optional(instants),
    decided_by=optional(names),
    decision=optional(texts),
    fulfilled=optional(instants),
)


@st.composite
def allocations(draw: st.DrawFn) -> Allocation:
    week = draw(weeks)
    return Allocation(
        version=draw(versions),
        member_id=draw(ids),
        week=week,
        project_id=draw(ids),
        hours=draw(st.dictionaries(st.sampled_from(week.days), hours, min_size=1)),
        pinned=draw(st.booleans()),
        source=draw(st.sampled_from(AllocationSource)),
        plan_id=draw(optional(ids)),
    )


@st.composite
def throughput_weeks(draw: st.DrawFn) -> ThroughputWeek:
    week = draw(weeks)
    worked = sorted(draw(st.sets(st.sampled_from(week.days), min_size=1)))
    entry: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
        {
            "tasks_submitted": counts,
            "tasks_returned": counts,
            "tasks_declined": counts,
            "tasks_accepted": counts,
            "tasks_other": counts,
            "wall_seconds": counts,
            "active_seconds": optional(counts),
            "median_handle_seconds": optional(measures),
            "mean_handle_seconds": optional(measures),
            "tasks_per_hour": optional(measures),
        }
    )
    return ThroughputWeek(
        project_id=draw(ids),
        week=week,
        member_id=draw(ids),
        days=tuple(ThroughputDay(day=day, **draw(entry)) for day in worked),
        worker_resolved=draw(st.booleans()),
        project_resolved=draw(st.booleans()),
        generation=draw(st.integers(0, 999_999)),
    )


@st.composite
def quality_reviews(draw: st.DrawFn) -> QualityReview:
    reviewed = draw(st.integers(1, 1000))
    return QualityReview(
        version=draw(versions),
        member_id=draw(ids),
        week=draw(weeks),
        project_id=draw(ids),
        review_id=draw(ids),
        category=draw(ids),
        reviewed=reviewed,
        correct=draw(st.integers(0, reviewed)),
        severity=draw(optional(st.sampled_from(Severity))),
        reviewer=draw(names),
        reviewed_at=draw(instants),
        notes=draw(texts),
    )


availabilities = st.builds(
    Availability,
    version=versions,
    member_id=ids,
    date=days,
    hours_off=hours,
    code=st.sampled_from(ReasonCode),
    reason=texts,
    status=st.sampled_from(AvailabilityStatus),
    created=optional(instants),
    decided=optional(instants),
    decided_by=optional(names),
    answer=optional(texts),
)


@st.composite
def workers(draw: st.DrawFn) -> Worker:
    parts = draw(
        st.sampled_from(
            [
                {"pool": "us-east-1_Ab", "sub": "0b8c-11"},
                {"worker_id": "a1b2c3d4e5f60718"},
                {"job": "person-video-1"},
            ]
        )
    )
    edges = sorted(draw(st.sets(days, min_size=2, max_size=6)))
    periods = [WorkerPeriod(member=draw(ids), from_=start, to=end) for start, end in pairwise(edges)]
    if draw(st.booleans()):
        periods[-1] = WorkerPeriod(member=periods[-1].member, from_=periods[-1].from_)
    resolved = "job" not in parts
    return Worker(
        version=draw(versions),
        worker_key=worker_key(**parts),
        **parts,
        status=WorkerStatus.RESOLVED if resolved else draw(st.sampled_from(WorkerStatus)),
        periods=tuple(periods) if resolved else (),
        suggestions=tuple(
            draw(st.lists(st.builds(Suggestion, candidate=ids, score=shares, why=texts), max_size=2))
        ),
        first_seen=draw(optional(instants)),
        last_seen=draw(instants),
    )


bugs = st.builds(
    Bug,
    version=versions,
    bug_id=ids,
    title=names,
    description=texts,
    steps=texts,
    expected=texts,
    actual=texts,
    severity=st.sampled_from(Severity),
    category=names,
    status=st.sampled_from(BugStatus),
    page=texts,
    browser=texts,
    reporter=names,
    assignee=optional(names),
    screenshot=optional(st.just("UklGRgAAAABXRUJQ")),
    created=instants,
    resolved=optional(instants),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    instant = draw(instants)
    sides: st.SearchStrategy[Any] = st.fixed_dictionaries(
        {}, optional={"before": json_values, "after": json_values}
    )
    return Change(
        table=draw(st.sampled_from(list(TABLES))),
        week=Week.of(instant),
        shard=draw(st.integers(0, 63)),
        instant=instant,
        ulid=ulid(instant, draw(st.binary(min_size=10, max_size=10))),
        item_key="members/" + draw(ids),
        operation=draw(st.sampled_from(Operation)),
        version=draw(versions),
        changes=draw(st.dictionaries(names, sides, max_size=3)),
        actor=draw(names),
        reason=draw(texts),
        request_id=draw(names),
    )


ITEMS: dict[str, st.SearchStrategy[Any]] = {
    "members": members,
    "projects": projects,
    "allocations": allocations(),
    "requests": requests,
    "throughput": throughput_weeks(),
    "quality": quality_reviews(),
    "availability": availabilities,
    "workers": workers(),
    "bugs": bugs,
    "changelog": changes(),
    **LATER_ITEMS,
    **EVENT_ITEMS,
    **MEDIA_ITEMS,
}


@pytest.mark.parametrize("name", ITEMS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_model_survives_attribute_values_and_plain_json(name: str, data: st.DataObject) -> None:
    spec, item = TABLES[name], data.draw(ITEMS[name])

    stored = encode(spec, item)

    assert decode(spec, spec.model, stored) == item
    assert type(item).from_plain(json.loads(json.dumps(item.plain()))) == item
    assert type(item).model_validate_json(item.model_dump_json()) == item


@pytest.mark.parametrize("name", ITEMS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_stored_item_carries_its_keys_as_text(name: str, data: st.DataObject) -> None:
    spec, item = TABLES[name], data.draw(ITEMS[name])

    stored = encode(spec, item)

    assert {n: stored[n]["S"] for n in spec.key_of(item)} == spec.key_of(item)
    assert all(set(stored[n]) == {"S"} and stored[n]["S"] for n in spec.all_attributes if n in stored)


@given(json_values)
def test_a_value_survives_its_attribute_form(value: Any) -> None:
    assert decode_value(encode_value(value)) == value


def test_a_float_is_never_stored() -> None:
    with pytest.raises(TypeError, match="numbers are Decimal or int"):
        encode_value({"hours": [1.5]})


def test_a_decimal_keeps_every_digit() -> None:
    number = Decimal("12345678901234567890.123456789012345678")

    assert decode_value(encode_value(number)) == number


def test_an_item_above_the_limit_of_the_service_is_refused_before_it_is_sent() -> None:
    big = Request.model_validate(
        {
            "request_id": "R-1",
            "due_date": "2026-01-05",
            "hours": "1",
            "requester": "x",
            "reason": "",
            "created": "2026-01-05T07:00:00Z",
        }
    ).model_copy(update={"reason": "x" * 500_000})

    with pytest.raises(PermanentFailure, match=r"requests/R-1 takes 500,\d+ bytes"):
        encode(TABLES["requests"], big)


def test_the_size_of_an_item_counts_text_as_utf8() -> None:
    assert item_bytes({"name": {"S": "ñandú"}}) == 4 + 7


def test_a_stored_item_that_does_not_fit_its_model_is_named() -> None:
    with pytest.raises(PermanentFailure, match="the stored item members/M-1 is not a valid Member"):
        decode(TABLES["members"], Member, {"member_id": {"S": "M-1"}, "colour": {"S": "red"}})


def test_every_model_of_a_table_is_strict_frozen_and_closed() -> None:
    pending: list[type[Model]] = [spec.model for spec in TABLES.values()]
    pending += [Skill, LabelingJob, ThroughputDay, WorkerPeriod, Suggestion]
    pending += [Evidence, Subscription, TaxonomyEntry]

    for model in pending:
        config = model.model_config
        assert (config.get("strict"), config.get("frozen"), config.get("extra")) == (True, True, "forbid"), model
