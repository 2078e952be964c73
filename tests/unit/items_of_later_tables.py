"""Strategies for the items of the tables behind the first ten.

Belongs here: one strategy a table, sound by the rules of its model. Does not belong here: tests.
"""

from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from prism_core.evidence import Cause
from prism_core.models.alerts import Alert, AlertRule, AlertStatus, Ending, Evidence, Plan, PlanStatus, Verdict
from prism_core.models.campaign import CampaignMetricsWeek
from prism_core.models.disputes import Correction, Dispute, DisputeStatus, FactTable
from prism_core.models.jobs import Job, JobKind, JobStatus, StoredAnswer
from prism_core.models.published import PublicationState, PublishedPlan
from prism_core.models.reports import (
    Delivery,
    DeliveryStatus,
    Edition,
    EditionStatus,
    Recipient,
    RecipientStatus,
    ReportKind,
    Subscription,
)
from prism_core.models.restatements import Restatement
from prism_core.models.taxonomy import TaxonomyEntry, TaxonomyStatus, TaxonomyVersion
from prism_core.models.views import SavedView, Screen, Visibility
from prism_core.models.work import Severity
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

subjects = st.sampled_from(["M-1", "worker:us-east-1_Ab#0b8c-11", "job:person-video-1"])
keys = st.sampled_from(["plans/2026-W01/a.json.gz", "jobs/J-1/results/"])
said = st.text(min_size=1, max_size=60)
figures = st.dictionaries(names, texts, max_size=2)


@st.composite
def taxonomies(draw: st.DrawFn) -> TaxonomyVersion:
    entries: list[TaxonomyEntry] = []
    for raw in sorted(draw(st.sets(names, max_size=3))):
        edges: list[Any] = [None, *sorted(draw(st.sets(days, max_size=2))), None]
        entries += [
            TaxonomyEntry(raw=raw, category=draw(names), valid_from=start, valid_to=end)
            for start, end in pairwise(edges)
        ]
    return TaxonomyVersion(
        version=draw(versions),
        taxonomy_id=draw(ids),
        title=draw(names),
        status=draw(st.sampled_from(TaxonomyStatus)),
        effective=draw(days),
        entries=tuple(entries),
        notes=draw(texts),
    )


@st.composite
def corrections(draw: st.DrawFn) -> Correction:
    table, week = draw(st.sampled_from(FactTable)), draw(weeks)
    chosen = draw(st.sets(st.sampled_from(week.days)))
    quality = table is FactTable.QUALITY
    return Correction(
        version=draw(versions),
        week=week,
        correction_id=draw(ids),
        table=table,
        from_member=draw(subjects),
        from_project=draw(optional(subjects)),
        to_member="M-2",
        to_project=draw(optional(ids)),
        days=() if quality else tuple(sorted(chosen)),
        review_id=draw(optional(ids)) if quality else None,
        reason=draw(said),
        dispute_id=draw(optional(ids)),
        created=draw(instants),
        created_by=draw(names),
    )


@st.composite
def disputes(draw: st.DrawFn) -> Dispute:
    week, status, table = draw(weeks), draw(st.sampled_from(DisputeStatus)), draw(st.sampled_from(FactTable))
    decided = status in {DisputeStatus.CORRECTED, DisputeStatus.DECLINED}
    return Dispute(
        version=draw(versions),
        dispute_id=draw(ids),
        table=table,
        week=week,
        member_id=draw(ids),
        project_id=draw(optional(subjects)),
        day=draw(optional(st.sampled_from(week.days))),
        review_id=draw(optional(ids)) if table is FactTable.QUALITY else None,
        field="tasks_submitted",
        shown=draw(texts),
        expected=draw(optional(texts)),
        reason=draw(said),
        status=status,
        opened=draw(instants),
        opened_by=draw(names),
        decided=draw(instants) if decided else None,
        decided_by=draw(names) if decided else None,
        answer=draw(said) if decided else None,
        correction_id=draw(optional(ids)),
    )


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    first, last = sorted((draw(instants), draw(instants)))
    return Alert(
        version=draw(versions),
        fingerprint=draw(st.from_regex(r"\A[0-9a-f]{32}\Z")),
        rule=draw(st.sampled_from(AlertRule)),
        severity=draw(st.sampled_from(Severity)),
        title=draw(names),
        subject=draw(names),
        member_id=draw(optional(ids)),
        project_id=draw(optional(subjects)),
        week=draw(weeks),
        evidence=(
            Evidence(item="allocations/M-1/2026-W01#P-1", figures=draw(st.dictionaries(names, texts, max_size=2))),
        ),
        status=draw(st.sampled_from(AlertStatus)),
        first_seen=first,
        last_seen=last,
        opened=draw(optional(instants)),
        episodes=draw(versions),
        told=draw(optional(instants)),
        told_severity=draw(optional(st.sampled_from(Severity))),
        resolved=draw(instants),
        resolved_told=draw(optional(instants)),
        ending=draw(optional(st.sampled_from(Ending))),
        acknowledged=draw(optional(instants)),
        acknowledged_by=draw(optional(names)),
        silenced_until=draw(instants),
        silence_reason=draw(said),
        silenced_by=draw(optional(names)),
        verdict=draw(optional(st.sampled_from(Verdict))),
        verdict_by=draw(optional(names)),
        verdict_note=draw(optional(texts)),
    )


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    failed, done, total = sorted(draw(st.lists(counts, min_size=3, max_size=3)))
    return Job(
        job_id=draw(ids),
        kind=draw(st.sampled_from(JobKind)),
        operation=draw(names),
        status=draw(st.sampled_from(JobStatus)),
        revision=draw(versions),
        owner=draw(names),
        request_id=draw(names),
        reason=draw(texts),
        dry_run=draw(st.booleans()),
        total=total,
        done=done,
        failed=failed,
        input=draw(optional(keys)),
        results=draw(optional(keys)),
        lease=draw(optional(names)),
        lease_until=draw(optional(instants)),
        kills=draw(counts),
        created=draw(instants),
        updated=draw(instants),
        finished=draw(optional(instants)),
        error=draw(optional(texts)),
    )


LATER_ITEMS: dict[str, st.SearchStrategy[Any]] = {
    "taxonomy": taxonomies(),
    "corrections": corrections(),
    "disputes": disputes(),
    "saved_views": st.builds(
        SavedView,
        version=versions,
        view_id=ids,
        owner=names,
        visibility=st.sampled_from(Visibility),
        screen=st.sampled_from(Screen),
        name=names,
        state=st.dictionaries(names, st.lists(texts, max_size=2).map(tuple), max_size=3),
        created=instants,
    ),
    "recipients": st.builds(
        Recipient,
        version=versions,
        recipient_id=ids,
        name=names,
        email=st.just("a.b@example.org"),
        member_id=optional(ids),
        status=st.sampled_from(RecipientStatus),
        time_zone=st.sampled_from(["UTC", "Europe/Madrid"]),
        subscriptions=st.lists(
            st.builds(
                Subscription,
                report=st.sampled_from(ReportKind),
                projects=st.lists(ids, max_size=2).map(tuple),
                teams=st.lists(ids, max_size=2).map(tuple),
            ),
            max_size=3,
            unique_by=lambda subscription: subscription.report,
        ).map(tuple),
    ),
    "alerts": alerts(),
    "plans": st.builds(
        Plan,
        version=versions,
        plan_id=ids,
        week=weeks,
        status=st.sampled_from(PlanStatus),
        scenario=names,
        objective=measures,
        bound=optional(measures),
        gap=optional(shares),
        assigned_hours=optional(hours),
        unmet_hours=optional(hours),
        body=keys,
        fingerprint=optional(st.just("0f" * 16)),
        errors=st.lists(names, min_size=1, max_size=2).map(tuple),
        attempts=st.integers(0, 3),
        due=optional(instants),
        created=instants,
        created_by=names,
        solved=optional(instants),
        published=instants,
        published_by=names,
    ),
    "published_plans": st.builds(
        PublishedPlan,
        version=versions,
        week=weeks,
        publication=st.integers(1, 9_999),
        state=st.sampled_from(PublicationState),
        plan_id=optional(ids),
        replaced=optional(ids),
        undoes=optional(st.integers(1, 9_999)),
        body=keys,
        changed=counts,
        edited=counts,
        published=instants,
        published_by=names,
        reason=texts,
        settled=optional(instants),
    ),
    "editions": st.builds(
        Edition,
        version=versions,
        edition_id=ids,
        report=st.sampled_from(ReportKind),
        week=weeks,
        number=st.integers(1, 9_999),
        title=names,
        status=st.sampled_from(EditionStatus),
        content=keys,
        content_hash=st.from_regex(r"\A[0-9a-f]{32}\Z"),
        created=instants,
        sent=optional(instants),
    ),
    "deliveries": st.builds(
        Delivery,
        version=versions,
        edition_id=ids,
        recipient_id=ids,
        status=st.sampled_from(DeliveryStatus),
        claimed=instants,
        settled=optional(instants),
        attempts=counts,
        message_id=optional(names),
        error=optional(texts),
    ),
    "idempotency": st.builds(
        StoredAnswer,
        actor=ids,
        idempotency_key=st.from_regex(r"\A[\x21-\x7e]{1,40}\Z"),
        operation=names,
        request_hash=st.from_regex(r"\A[0-9a-f]{64}\Z"),
        request_id=names,
        created=instants,
        lease=optional(names),
        lease_until=optional(instants),
        expires_at=counts,
        status=optional(st.integers(200, 599)),
        headers=st.dictionaries(names, texts, max_size=2),
        body=optional(texts),
        body_in=optional(keys),
    ),
    "jobs": jobs(),
    "campaign_metrics": st.builds(
        CampaignMetricsWeek,
        campaign_id=st.integers(1, 10**20).map(str),
        week=weeks,
        name=names,
        objective=optional(names),
        currency=optional(st.sampled_from(["EUR", "CHF"])),
        spend=optional(st.decimals(0, 10**9, places=2)),
        impressions=counts,
        clicks=counts,
        leads=counts,
        landing_page_views=optional(counts),
        click_rate=optional(measures),
        cost_per_click=optional(measures),
        cost_per_lead=optional(measures),
        for_leads=st.booleans(),
        days=st.integers(1, 7),
        generation=st.integers(0, 999_999),
    ),
    "restatements": st.builds(
        Restatement,
        week=weeks,
        table=st.sampled_from(["throughput", "quality_scores"]),
        new_generation=st.integers(0, 999_999),
        subject=names,
        measure=st.sampled_from(["tasks_submitted", "score"]),
        old_generation=st.integers(0, 999_999),
        old=optional(measures),
        new=optional(measures),
        cause=st.sampled_from(Cause),
        causes=st.lists(st.sampled_from(Cause), min_size=1, max_size=3).map(tuple),
        restated_at=instants,
        evidence=st.dictionaries(names, st.dictionaries(names, counts, max_size=2), max_size=2),
        reason=optional(texts),
        member_id=optional(subjects),
        project_id=optional(subjects),
    ),
}
