"""Tables of the lake whose rows belong to a week: of planning, of facts, of the change log.

Belongs here: their columns, which are the fields of the model without the week and without personal fields
(ADR 0010; a test compares). Does not belong here: registers (lake_registers.py), computed ones (lake_computed.py).
"""

from typing import Final

from prism_core.lake import Column, LakeTable

_VERSION = Column("version", "bigint", "how often the item was written")
_LATE = Column("recorded_late", "boolean", "recorded only after the week had ended, so it stands as of the export")

ALLOCATIONS: Final = LakeTable(
    "allocations",
    "Who was to work on what: the week's allocations as they stood at its end.",
    (
        _VERSION,
        Column("member_id", "string", "member"),
        Column("project_id", "string", "project"),
        Column("hours", "string", "JSON object: hours by day", json=True),
        Column("pinned", "boolean", "whether the planner keeps it"),
        Column("source", "string", "person, plan or import"),
        Column("plan_id", "string", "plan that put it there; null otherwise"),
        _LATE,
    ),
    "weekly",
)

AVAILABILITY: Final = LakeTable(
    "availability",
    "Who was out of the office: the entries of the week's days as they stood at its end. Without free text.",
    (
        _VERSION,
        Column("member_id", "string", "member"),
        Column("date", "date", "the day"),
        Column("hours_off", "double", "hours off on that day"),
        Column("code", "string", "vacation, sick, holiday, training or other"),
        Column("status", "string", "requested, approved, declined or cancelled"),
        Column("created", "timestamp", "when it was entered, UTC"),
        Column("decided", "timestamp", "when it was approved or declined, UTC"),
        Column("decided_by", "string", "who decided"),
        _LATE,
    ),
    "weekly",
)

QUALITY: Final = LakeTable(
    "quality",
    "Quality reviews of a member's work of the week.",
    (
        _VERSION,
        Column("member_id", "string", "whose work was reviewed"),
        Column("project_id", "string", "project of the work"),
        Column("review_id", "string", "the review"),
        Column("category", "string", "raw category id; the taxonomy maps it when it is read"),
        Column("reviewed", "bigint", "pieces of work that were reviewed"),
        Column("correct", "bigint", "of those, correct ones"),
        Column("severity", "string", "of the worst error; null without one"),
        Column("reviewer", "string", "who reviewed"),
        Column("reviewed_at", "timestamp", "when, UTC"),
        Column("notes", "string", "free text of the reviewer"),
    ),
    "fact",
)

CORRECTIONS: Final = LakeTable(
    "corrections",
    "Work of the week that counts for somebody else, or for another project, than the records say.",
    (
        _VERSION,
        Column("correction_id", "string", "the correction"),
        Column("table", "string", "throughput or quality; a keyword of SQL, so quote it"),
        Column("from_member", "string", "whose work it was; null for any"),
        Column("from_project", "string", "project that it was on; null for any"),
        Column("to_member", "string", "whose work it is; null when it stays"),
        Column("to_project", "string", "project that it belongs to; null when it stays"),
        Column("days", "string", "JSON list of days; empty for the whole week", json=True),
        Column("review_id", "string", "the one quality review; null for all that match"),
        Column("reason", "string", "why"),
        Column("dispute_id", "string", "dispute that it answers; null without one"),
        Column("created", "timestamp", "when it was entered, UTC"),
        Column("created_by", "string", "who entered it"),
    ),
    "fact",
)

ALERTS: Final = LakeTable(
    "alerts",
    "What the rules found about the week.",
    (
        _VERSION,
        Column("fingerprint", "string", "identity: the same finding is the same alert"),
        Column("rule", "string", "which of the seven rules"),
        Column("severity", "string", "low, medium, high or critical"),
        Column("title", "string", "one line for a person"),
        Column("subject", "string", "item key of what it is about"),
        Column("member_id", "string", "member that it is about; null for none"),
        Column("project_id", "string", "project that it is about; null for none"),
        Column("evidence", "string", "JSON list of the rows that it rests on", json=True),
        Column("status", "string", "open, acknowledged, silenced or resolved"),
        Column("first_seen", "timestamp", "when the rule found it first, UTC"),
        Column("last_seen", "timestamp", "when the rule found it last, UTC"),
        Column("opened", "timestamp", "since when it is open this time, UTC"),
        Column("episodes", "bigint", "how often it was open"),
        Column("told", "timestamp", "the digest that told it last, UTC; null before one did"),
        Column("told_severity", "string", "severity that was told last"),
        Column("projects", "string", "JSON list of all projects that it is about", json=True),
        Column("told_to", "string", "JSON list of the recipients who were told of it this time", json=True),
        Column("resolved", "timestamp", "since when it does not hold, UTC"),
        Column("resolved_told", "timestamp", "the digest that told that it is resolved, UTC"),
        Column("ending", "string", "mended, or over because its week went by"),
        Column("acknowledged", "timestamp", "when somebody took it up, UTC"),
        Column("acknowledged_by", "string", "who took it up"),
        Column("acknowledged_severity", "string", "severity when somebody took it up"),
        Column("silenced_until", "timestamp", "end of its silence, UTC"),
        Column("silence_reason", "string", "why it is silenced"),
        Column("silenced_by", "string", "who silenced it"),
        Column("verdict", "string", "useful or not_useful; null before somebody said"),
        Column("verdict_by", "string", "who said"),
        Column("verdict_note", "string", "what they added"),
    ),
    "fact",
)

PLANS: Final = LakeTable(
    "plans",
    "Stored plans of the week: their figures; the assignments lie in the object that `body` names.",
    (
        _VERSION,
        Column("plan_id", "string", "the plan"),
        Column("status", "string", "queued, solving, failed, draft, published, superseded or discarded"),
        Column("scenario", "string", "name of its scenario"),
        Column("objective", "double", "value that was reached; null until it is solved"),
        Column("bound", "double", "value that cannot be exceeded"),
        Column("gap", "double", "distance of the two as a share"),
        Column("assigned_hours", "double", "hours assigned"),
        Column("unmet_hours", "double", "hours of demand without anybody"),
        Column("body", "string", "S3 key of assignments and reasons"),
        Column("fingerprint", "string", "hash of the week as it was planned from"),
        Column("over", "bigint", "publication of the week that it was made over; 0 for none"),
        Column("errors", "string", "JSON list of what kept it from being solved", json=True),
        Column("attempts", "bigint", "how often it was begun"),
        Column("due", "timestamp", "when whoever solves it should be done, UTC; null when nobody does"),
        Column("created", "timestamp", "when it was asked for, UTC"),
        Column("created_by", "string", "who asked for it"),
        Column("solved", "timestamp", "when it was solved or failed, UTC"),
        Column("published", "timestamp", "when it was published, UTC"),
        Column("published_by", "string", "who published it"),
    ),
    "fact",
)

PUBLISHED_PLANS: Final = LakeTable(
    "published_plans",
    "Which plan of the week is published, by whom, and how many rows that changed.",
    (
        _VERSION,
        Column("publication", "bigint", "how often a plan of the week was published or taken back"),
        Column("state", "string", "settled, or folding while its rows are being written"),
        Column("plan_id", "string", "the plan; null when its publication was undone and none was before"),
        Column("replaced", "string", "plan that was published before"),
        Column("undoes", "bigint", "publication that this one takes back"),
        Column("body", "string", "S3 key of the rows before and after"),
        Column("changed", "bigint", "rows that differ from those before"),
        Column("edited", "bigint", "rows that are not as it has them, since people wrote them meanwhile"),
        Column("published", "timestamp", "when it was published, UTC"),
        Column("published_by", "string", "who published it"),
        Column("settled", "timestamp", "when its rows were written, UTC"),
    ),
    "fact",
)

EDITIONS: Final = LakeTable(
    "editions",
    "Issues of the reports about the week.",
    (
        _VERSION,
        Column("edition_id", "string", "the edition"),
        Column("report", "string", "which report"),
        Column("number", "bigint", "1 for the first issue of the week"),
        Column("title", "string", "title of the issue"),
        Column("status", "string", "prepared, sent or withdrawn"),
        Column("content", "string", "S3 key of the content"),
        Column("content_hash", "string", "hash of the content"),
        Column("created", "timestamp", "when it was prepared, UTC"),
        Column("sent", "timestamp", "when every delivery was settled, UTC"),
    ),
    "fact",
)

DELIVERIES: Final = LakeTable(
    "deliveries",
    "Which recipient got which edition; the week is that of `claimed`.",
    (
        _VERSION,
        Column("edition_id", "string", "the edition"),
        Column("recipient_id", "string", "the recipient; addresses are not in the lake"),
        Column("status", "string", "claimed, sent, failed or skipped"),
        Column("claimed", "timestamp", "when the delivery was begun, UTC"),
        Column("settled", "timestamp", "when its outcome was known, UTC"),
        Column("attempts", "bigint", "how often it was tried"),
        Column("message_id", "string", "id that the mail service gave"),
    ),
    "fact",
)

CHANGELOG: Final = LakeTable(
    "changelog",
    "Every change of an item made in the week: who, when, which fields, before and after. Without the reason.",
    (
        Column("table", "string", "operational table; a keyword of SQL, so quote it"),
        Column("shard", "bigint", "shard of the log"),
        Column("instant", "timestamp", "when, UTC"),
        Column("ulid", "string", "orders the changes of one instant"),
        Column("item_key", "string", "the item, such as allocations/M-1/2026-W01#P-12"),
        Column("operation", "string", "create, update or delete"),
        Column("version", "bigint", "version of the item after the change"),
        Column("changes", "string", "JSON object by field: before and after; without personal fields", json=True),
        Column("actor", "string", "who changed it"),
        Column("request_id", "string", "the request that did it"),
    ),
    "log",
)

FACTS: Final = (
    ALLOCATIONS,
    AVAILABILITY,
    QUALITY,
    CORRECTIONS,
    ALERTS,
    PLANS,
    PUBLISHED_PLANS,
    EDITIONS,
    DELIVERIES,
    CHANGELOG,
)
