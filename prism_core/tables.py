"""The operational tables: keys, indexes and the ways to read them.

Belongs here: one typed spec a table. The template (infra/templates/data.yaml) says the same to
CloudFormation and a test compares them; the store (prism_resources/tables) knows tables only by their spec.
Does not belong here: fields of items (prism_core/models), what a spec is (table_spec.py), event_tables.py.
`personal` fields leave their table only encrypted: name and e-mail of members and recipients, reasons for time
off, the requester of a request. Who acted (reporter, reviewer, owner, opened_by …) is an id, never a name.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from prism_core.event_tables import EVENT_ROLLUPS, EVENT_TABLES, EVENTS, FAILED_EVENTS, LOOKUPS, RECEIPTS, SCHEMAS
from prism_core.failures import BadUsage
from prism_core.media_tables import ARTICLES, IMAGES, MEDIA_TABLES
from prism_core.table_spec import (
    AFTER_ALL,
    CONTROL_PARTITION,
    ITEM_KEY_SEPARATOR,
    AccessPath,
    IndexSpec,
    Key,
    KeyAttribute,
    KeyCondition,
    TableSpec,
)

# What a reader of tables needs besides the tables themselves.
__all__ = (
    "AFTER_ALL",
    "ALERTS",
    "ALLOCATIONS",
    "ARTICLES",
    "AVAILABILITY",
    "BUGS",
    "CAMPAIGN_METRICS",
    "CHANGELOG",
    "CONTROL_PARTITION",
    "CORRECTIONS",
    "DELIVERIES",
    "DISPUTES",
    "EDITIONS",
    "EVENTS",
    "EVENT_ROLLUPS",
    "FAILED_EVENTS",
    "IDEMPOTENCY",
    "IMAGES",
    "ITEM_KEY_SEPARATOR",
    "JOBS",
    "LOOKUPS",
    "MEMBERS",
    "PLANS",
    "PROJECTS",
    "PUBLISHED_PLANS",
    "QUALITY",
    "RECEIPTS",
    "RECIPIENTS",
    "REQUESTS",
    "RESTATEMENTS",
    "SAVED_VIEWS",
    "SCHEMAS",
    "TABLES",
    "TAXONOMY",
    "THROUGHPUT",
    "WORKERS",
    "AccessPath",
    "IndexSpec",
    "Key",
    "KeyAttribute",
    "KeyCondition",
    "TableSpec",
    "table",
)


def _plain(name: str) -> KeyAttribute:
    return KeyAttribute(name, f"{{{name}}}")


_MEMBER_ID, _PROJECT_ID, _WEEK, _STATUS = (_plain(n) for n in ("member_id", "project_id", "week", "status"))
_WEEK_PROJECT = KeyAttribute("week_project", "{week}#{project_id}")
_WEEK_MEMBER = KeyAttribute("week_member", "{week}#{member_id}")
_DUE_REQUEST = KeyAttribute("due_request", "{due_date}#{request_id}")
_DATE_MEMBER = KeyAttribute("date_member", "{date}#{member_id}")
_WEEK_DISPUTE = KeyAttribute("week_dispute", "{week}#{dispute_id}")
_WEEK_CORRECTION = KeyAttribute("week_correction", "{week}#{correction_id}")
_SCREEN_VIEW = KeyAttribute("screen_view", "{screen}#{view_id}")
_CREATED_JOB = KeyAttribute("created_job", "{created}#{job_id}")
_PROJECT_MEMBER = KeyAttribute("project_member", "{project_id}#{member_id}")

MEMBERS: Final = TableSpec(
    "members",
    _MEMBER_ID,
    lambda: import_module("prism_core.models.people").Member,
    indexes=(
        IndexSpec("by_status", _STATUS, _MEMBER_ID),
        IndexSpec("by_subject", _plain("cognito_sub")),
        IndexSpec("by_team", _plain("team"), _MEMBER_ID),
    ),
    personal=("name", "email"),
)
PROJECTS: Final = TableSpec(
    "projects",
    _PROJECT_ID,
    lambda: import_module("prism_core.models.projects").Project,
    indexes=(IndexSpec("by_status", _STATUS, _PROJECT_ID),),
)
ALLOCATIONS: Final = TableSpec(
    "allocations",
    _MEMBER_ID,
    lambda: import_module("prism_core.models.work").Allocation,
    sort=_WEEK_PROJECT,
    home="by_member",
    indexes=(
        IndexSpec("by_project", _PROJECT_ID, _WEEK_MEMBER),
        IndexSpec("by_week", _WEEK, _PROJECT_MEMBER),
    ),
    published=True,
)
REQUESTS: Final = TableSpec(
    "requests",
    _plain("request_id"),
    lambda: import_module("prism_core.models.projects").Request,
    indexes=(IndexSpec("by_status", _STATUS, _DUE_REQUEST), IndexSpec("by_project", _PROJECT_ID, _DUE_REQUEST)),
    personal=("requester",),
)
THROUGHPUT: Final = TableSpec(
    "throughput",
    _PROJECT_ID,
    lambda: import_module("prism_core.models.work").ThroughputWeek,
    # Two generations of a week lie side by side while one replaces the other.
    sort=KeyAttribute("week_member_generation", "{week}#{member_id}@{generation:06d}"),
    home="by_project",
    indexes=(
        IndexSpec("by_member", _MEMBER_ID, _WEEK_PROJECT),
        IndexSpec("by_week", _WEEK, _PROJECT_MEMBER),
    ),
    by_generation=True,
)
QUALITY: Final = TableSpec(
    "quality",
    _MEMBER_ID,
    lambda: import_module("prism_core.models.work").QualityReview,
    sort=KeyAttribute("week_project_review", "{week}#{project_id}#{review_id}"),
    home="by_member",
    indexes=(
        IndexSpec("by_week", _WEEK, _PROJECT_MEMBER),
        IndexSpec("by_project", _PROJECT_ID, _WEEK_MEMBER),
    ),
)
AVAILABILITY: Final = TableSpec(
    "availability",
    _MEMBER_ID,
    lambda: import_module("prism_core.models.people").Availability,
    sort=_plain("date"),
    home="by_member",
    indexes=(IndexSpec("by_week", _WEEK, _DATE_MEMBER), IndexSpec("by_status", _STATUS, _DATE_MEMBER)),
    personal=("reason",),
)
WORKERS: Final = TableSpec(
    "workers",
    _plain("worker_key"),
    lambda: import_module("prism_core.models.workers").Worker,
    indexes=(IndexSpec("by_status", _STATUS, _plain("last_seen")),),
)


def _bugs_by(name: str, partition: KeyAttribute, sort: KeyAttribute) -> IndexSpec:
    """A list of bugs must not read up to 100 kB of screenshot a row."""
    return IndexSpec(
        name, partition, sort, part=lambda: import_module("prism_core.models.bugs").BugSummary, beside="bug_id"
    )


BUGS: Final = TableSpec(
    "bugs",
    _plain("bug_id"),
    lambda: import_module("prism_core.models.bugs").Bug,
    indexes=(
        _bugs_by("by_status", _STATUS, _plain("severity")),
        _bugs_by("by_reporter", _plain("reporter"), _plain("created")),
        _bugs_by("by_assignee", _plain("assignee"), _plain("created")),
    ),
)
CHANGELOG: Final = TableSpec(
    "changelog",
    KeyAttribute("table_week_shard", "{table}#{week}#{shard}"),
    lambda: import_module("prism_core.models.changes").Change,
    sort=KeyAttribute("instant_ulid", "{instant}#{ulid}"),
    home="by_week",
    indexes=(IndexSpec("by_item", _plain("item_key"), KeyAttribute("instant_ulid", "{instant}#{ulid}")),),
)
TAXONOMY: Final = TableSpec(
    "taxonomy",
    _plain("taxonomy_id"),
    lambda: import_module("prism_core.models.taxonomy").TaxonomyVersion,
    indexes=(IndexSpec("by_status", _STATUS, KeyAttribute("effective_taxonomy", "{effective}#{taxonomy_id}")),),
)
CORRECTIONS: Final = TableSpec(
    "corrections",
    # By week: the asset reads all corrections of a week consistently, and a correction is never of two weeks.
    _WEEK,
    lambda: import_module("prism_core.models.disputes").Correction,
    sort=_plain("correction_id"),
    home="by_week",
    indexes=(
        IndexSpec("by_from_member", _plain("from_member"), _WEEK_CORRECTION),
        IndexSpec("by_to_member", _plain("to_member"), _WEEK_CORRECTION),
        IndexSpec("by_from_project", _plain("from_project"), _WEEK_CORRECTION),
        IndexSpec("by_to_project", _plain("to_project"), _WEEK_CORRECTION),
    ),
)
DISPUTES: Final = TableSpec(
    "disputes",
    _plain("dispute_id"),
    lambda: import_module("prism_core.models.disputes").Dispute,
    indexes=(
        IndexSpec("by_status", _STATUS, KeyAttribute("opened_dispute", "{opened}#{dispute_id}")),
        IndexSpec("by_member", _MEMBER_ID, _WEEK_DISPUTE),
        IndexSpec("by_project", _PROJECT_ID, _WEEK_DISPUTE),
        IndexSpec("by_week", _WEEK, KeyAttribute("member_dispute", "{member_id}#{dispute_id}")),
    ),
)
SAVED_VIEWS: Final = TableSpec(
    "saved_views",
    _plain("view_id"),
    lambda: import_module("prism_core.models.views").SavedView,
    indexes=(
        IndexSpec("by_owner", _plain("owner"), _SCREEN_VIEW),
        IndexSpec("by_visibility", _plain("visibility"), _SCREEN_VIEW),
    ),
)
RECIPIENTS: Final = TableSpec(
    "recipients",
    _plain("recipient_id"),
    lambda: import_module("prism_core.models.reports").Recipient,
    indexes=(
        IndexSpec("by_status", _STATUS, _plain("recipient_id")),
        IndexSpec("by_member", _MEMBER_ID, _plain("recipient_id")),
    ),
    personal=("name", "email"),
)
ALERTS: Final = TableSpec(
    "alerts",
    _plain("fingerprint"),
    lambda: import_module("prism_core.models.alerts").Alert,
    indexes=(
        IndexSpec("by_status", _STATUS, _plain("last_seen")),
        IndexSpec("by_rule", _plain("rule"), _plain("last_seen")),
        IndexSpec("by_week", _WEEK, KeyAttribute("rule_fingerprint", "{rule}#{fingerprint}")),
        IndexSpec("by_member", _MEMBER_ID, _plain("last_seen")),
        IndexSpec("by_project", _PROJECT_ID, _plain("last_seen")),
    ),
)
PLANS: Final = TableSpec(
    "plans",
    _plain("plan_id"),
    lambda: import_module("prism_core.models.alerts").Plan,
    indexes=(
        IndexSpec("by_week", _WEEK, KeyAttribute("created_plan", "{created}#{plan_id}")),
        IndexSpec("by_status", _STATUS, KeyAttribute("week_plan", "{week}#{plan_id}")),
    ),
)
PUBLISHED_PLANS: Final = TableSpec(
    "published_plans",
    # One partition, so that the pointers of any weeks are one consistent query: a reader of rows makes one.
    KeyAttribute("pointers", "plans"),
    lambda: import_module("prism_core.models.published").PublishedPlan,
    sort=_WEEK,
    home="in_order",
)
EDITIONS: Final = TableSpec(
    "editions",
    _plain("edition_id"),
    lambda: import_module("prism_core.models.reports").Edition,
    indexes=(
        IndexSpec("by_report", _plain("report"), KeyAttribute("week_number", "{week}#{number:04d}")),
        IndexSpec("by_week", _WEEK, KeyAttribute("report_number", "{report}#{number:04d}")),
    ),
)
DELIVERIES: Final = TableSpec(
    "deliveries",
    _plain("edition_id"),
    lambda: import_module("prism_core.models.reports").Delivery,
    sort=_plain("recipient_id"),
    home="by_edition",
    indexes=(IndexSpec("by_recipient", _plain("recipient_id"), _plain("claimed")),),
)
IDEMPOTENCY: Final = TableSpec(
    "idempotency",
    KeyAttribute("actor_key", "{actor}#{idempotency_key}"),
    lambda: import_module("prism_core.models.jobs").StoredAnswer,
    expires="expires_at",
)
JOBS: Final = TableSpec(
    "jobs",
    _plain("job_id"),
    lambda: import_module("prism_core.models.jobs").Job,
    indexes=(
        IndexSpec("by_owner", _plain("owner"), _CREATED_JOB),
        IndexSpec("by_status", _STATUS, _CREATED_JOB),
    ),
)
RESTATEMENTS: Final = TableSpec(
    "restatements",
    _WEEK,
    lambda: import_module("prism_core.models.restatements").Restatement,
    sort=KeyAttribute("figure", "{table}#{new_generation:06d}#{subject}#{measure}"),
    home="by_week",
    indexes=(
        IndexSpec("by_cause", _plain("cause"), _plain("restated_at")),
        IndexSpec("by_member", _MEMBER_ID, _plain("restated_at")),
        IndexSpec("by_project", _PROJECT_ID, _plain("restated_at")),
    ),
)
CAMPAIGN_METRICS: Final = TableSpec(
    "campaign_metrics",
    _plain("campaign_id"),
    lambda: import_module("prism_core.models.campaign").CampaignMetricsWeek,
    # Two generations of a week lie side by side while one replaces the other.
    sort=KeyAttribute("week_generation", "{week}@{generation:06d}"),
    home="by_campaign",
    indexes=(IndexSpec("by_week", _WEEK, _plain("campaign_id")),),
    by_generation=True,
)

TABLES: Final[Mapping[str, TableSpec]] = {
    spec.name: spec
    for spec in (
        MEMBERS,
        PROJECTS,
        ALLOCATIONS,
        REQUESTS,
        THROUGHPUT,
        QUALITY,
        AVAILABILITY,
        WORKERS,
        BUGS,
        CHANGELOG,
        TAXONOMY,
        CORRECTIONS,
        DISPUTES,
        SAVED_VIEWS,
        RECIPIENTS,
        ALERTS,
        PLANS,
        PUBLISHED_PLANS,
        EDITIONS,
        DELIVERIES,
        IDEMPOTENCY,
        JOBS,
        RESTATEMENTS,
        CAMPAIGN_METRICS,
        *EVENT_TABLES,
        *MEDIA_TABLES,
    )
}


def table(name: str) -> TableSpec:
    """The spec of a table. Raises BadUsage with the list of valid names."""
    if name not in TABLES:
        raise BadUsage(f"there is no table {name!r}; valid ones are {', '.join(TABLES)}")
    return TABLES[name]
