"""Tables of the lake that hold a register as it stood at the end of each week.

Belongs here: their columns, which are the fields of the model without personal ones (ADR 0010; a test compares).
Does not belong here: tables whose rows belong to a week (lake_facts.py).
"""

from typing import Final

from prism_core.lake import Column, LakeTable

_VERSION = Column("version", "bigint", "how often the item was written")

MEMBERS: Final = LakeTable(
    "members",
    "Who works, as of the end of the week. Without names and addresses.",
    (
        _VERSION,
        Column("member_id", "string", "member"),
        Column("status", "string", "active or inactive"),
        Column("skills", "string", "JSON list of name and level, 1 to 5", json=True),
        Column("hours", "string", "JSON object: contracted hours by weekday, mon to sun", json=True),
        Column("time_zone", "string", "IANA time zone"),
        Column("team", "string", "team; null without one"),
        Column("location", "string", "country or its subdivision, for public holidays"),
        Column("cognito_sub", "string", "account that signs in"),
        Column("max_projects", "bigint", "at most so many projects in a week; null without a limit"),
        Column("overtime_hours", "double", "hours a week that a plan may add"),
    ),
    "register",
)

PROJECTS: Final = LakeTable(
    "projects",
    "What was to be done, as of the end of the week.",
    (
        _VERSION,
        Column("project_id", "string", "project"),
        Column("name", "string", "its name"),
        Column("category", "string", "raw category id; the taxonomy maps it when it is read"),
        Column("status", "string", "planned, active, paused or closed"),
        Column("priority", "bigint", "1 is the most urgent, 5 the least"),
        Column("demand_hours", "double", "hours wanted a week"),
        Column("demand_by_skill", "string", "JSON list: skill, level and the hours that need it", json=True),
        Column("quality_target", "double", "share of correct work that is promised; null without one"),
        Column("sla_date", "date", "promised day; null without one"),
        Column("skills", "string", "JSON list of needed skills and levels", json=True),
        Column("min_people", "bigint", "at least so many people"),
        Column("max_people", "bigint", "at most so many people; null without a limit"),
        Column("min_block_hours", "double", "no shorter piece of work a day, hours"),
        Column("labeling_jobs", "string", "JSON list of labelling jobs with their days", json=True),
        Column("alert_limits", "string", "JSON object: where its alerts begin; null as the settings", json=True),
    ),
    "register",
)

REQUESTS: Final = LakeTable(
    "requests",
    "Who asked for capacity, as of the end of the week. Without the name of the requester.",
    (
        _VERSION,
        Column("request_id", "string", "request"),
        Column("status", "string", "submitted, triaged, approved, declined or fulfilled"),
        Column("due_date", "date", "wanted by this day"),
        Column("hours", "double", "hours asked for"),
        Column("skills", "string", "JSON list of needed skills and levels", json=True),
        Column("project_id", "string", "project; null for a new one"),
        Column("reason", "string", "what it is for"),
        Column("created", "timestamp", "when it was submitted, UTC"),
        Column("triaged", "timestamp", "when it was triaged, UTC"),
        Column("decided", "timestamp", "when it was approved or declined, UTC"),
        Column("decided_by", "string", "who decided"),
        Column("decision", "string", "why it was approved or declined"),
        Column("fulfilled", "timestamp", "when it was fulfilled, UTC"),
    ),
    "register",
)

WORKERS: Final = LakeTable(
    "workers",
    "Identities in the labelling tool and whose they were, as of the end of the week.",
    (
        _VERSION,
        Column("worker_key", "string", "`pool#sub`, else the worker id; `job:<name>` for a queued job"),
        Column("pool", "string", "user pool"),
        Column("sub", "string", "account in the pool"),
        Column("worker_id", "string", "worker id, when there is no account"),
        Column("job", "string", "name of a queued labelling job"),
        Column("status", "string", "resolved, unresolved or ignored"),
        Column("periods", "string", "JSON list: member, from (included), to (excluded)", json=True),
        Column("suggestions", "string", "JSON list: candidate, score, why", json=True),
        Column("first_seen", "timestamp", "first event, UTC"),
        Column("last_seen", "timestamp", "last event, UTC"),
    ),
    "register",
)

BUGS: Final = LakeTable(
    "bugs",
    "Bugs of the platform as people reported them, as of the end of the week. Without the screenshot.",
    (
        _VERSION,
        Column("bug_id", "string", "bug"),
        Column("title", "string", "one line"),
        Column("description", "string", "what is wrong"),
        Column("steps", "string", "how to see it"),
        Column("expected", "string", "what should be"),
        Column("actual", "string", "what is"),
        Column("severity", "string", "low, medium, high or critical"),
        Column("category", "string", "part of the platform"),
        Column("status", "string", "new, confirmed, in_progress, resolved or closed"),
        Column("page", "string", "address of the screen"),
        Column("browser", "string", "browser of the reporter"),
        Column("reporter", "string", "who reported it"),
        Column("assignee", "string", "who repairs it; null for nobody"),
        Column("created", "timestamp", "when it was reported, UTC"),
        Column("resolved", "timestamp", "when it was resolved, UTC"),
    ),
    "register",
)

TAXONOMY: Final = LakeTable(
    "taxonomy",
    "Versions of the mapping of raw categories, as of the end of the week.",
    (
        _VERSION,
        Column("taxonomy_id", "string", "version of the taxonomy"),
        Column("title", "string", "its title"),
        Column("status", "string", "draft, published or retired"),
        Column("effective", "date", "in force from this day"),
        Column("entries", "string", "JSON list: raw, category, valid_from, valid_to", json=True),
        Column("notes", "string", "free text"),
    ),
    "register",
)

DISPUTES: Final = LakeTable(
    "disputes",
    "Figures that a member disputes, as of the end of the week.",
    (
        _VERSION,
        Column("dispute_id", "string", "dispute"),
        Column("table", "string", "throughput or quality; a keyword of SQL, so quote it"),
        Column("disputed_week", "string", "ISO week of the figure; `week` is that of the snapshot", "week"),
        Column("member_id", "string", "whose figure"),
        Column("project_id", "string", "project; null for all"),
        Column("day", "date", "day; null for the whole week"),
        Column("review_id", "string", "quality review; null for none"),
        Column("field", "string", "the figure"),
        Column("shown", "string", "what the screen said"),
        Column("expected", "string", "what the member thinks is right"),
        Column("reason", "string", "why"),
        Column("status", "string", "open, corrected, declined or withdrawn"),
        Column("opened", "timestamp", "when it was opened, UTC"),
        Column("opened_by", "string", "who opened it"),
        Column("decided", "timestamp", "when it was decided, UTC"),
        Column("decided_by", "string", "who decided"),
        Column("answer", "string", "what the lead answered"),
        Column("correction_id", "string", "correction that answered it"),
    ),
    "register",
)

SAVED_VIEWS: Final = LakeTable(
    "saved_views",
    "States of screens that people keep, as of the end of the week.",
    (
        _VERSION,
        Column("view_id", "string", "view"),
        Column("owner", "string", "whose it is"),
        Column("visibility", "string", "private or shared"),
        Column("screen", "string", "which screen"),
        Column("name", "string", "its name"),
        Column("state", "string", "JSON object: parameters of the address", json=True),
        Column("created", "timestamp", "when it was made, UTC"),
    ),
    "register",
)

RECIPIENTS: Final = LakeTable(
    "recipients",
    "Who gets which report, as of the end of the week. Without names and addresses.",
    (
        _VERSION,
        Column("recipient_id", "string", "recipient"),
        Column("member_id", "string", "member; null for a stakeholder"),
        Column("status", "string", "active, paused or bounced"),
        Column("time_zone", "string", "IANA time zone"),
        Column("subscriptions", "string", "JSON list: report, projects, teams", json=True),
    ),
    "register",
)

ARTICLES: Final = LakeTable(
    "articles",
    "Articles as of the end of the week, deleted ones too.",
    (
        _VERSION,
        Column("article_id", "string", "article"),
        Column("title", "string", "as it is being written"),
        Column("slug", "string", "its name in addresses"),
        Column("summary", "string", "what it is about"),
        Column("tags", "string", "JSON list", json=True),
        Column("status", "string", "draft, review, published, archived or deleted"),
        Column("author", "string", "who began it"),
        Column("created", "timestamp", "when it was begun, UTC"),
        Column("published_at", "timestamp", "when it was first published, UTC; null before"),
        Column("body", "string", "Markdown, as it is being written"),
        Column("publication", "string", "JSON object: what the public reads; null before", json=True),
    ),
    "register",
)

IMAGES: Final = LakeTable(
    "images",
    "Images of articles and what was found in them, as of the end of the week.",
    (
        _VERSION,
        Column("article_id", "string", "article"),
        Column("image_id", "string", "image"),
        Column("file_name", "string", "as its author called it"),
        Column("state", "string", "waiting, analysing, analysed, refused, gone or failed"),
        Column("reason", "string", "why it is refused, gone or failed"),
        Column("requested", "timestamp", "when a form for it was handed out, UTC"),
        Column("requested_by", "string", "to whom"),
        Column("object_key", "string", "where the original lies"),
        Column("object_version", "string", "the newest upload, as S3 calls it"),
        Column("sequencer", "string", "order of its events, as S3 gives it"),
        Column("uploaded", "timestamp", "when it was uploaded, UTC"),
        Column("started", "timestamp", "when the analysis last began, UTC"),
        Column("attempts", "bigint", "how often it began for this upload"),
        Column("bytes", "bigint", "size of the upload"),
        Column("format", "string", "JPEG, PNG or WEBP"),
        Column("width", "bigint", "pixels, as a person sees it"),
        Column("height", "bigint", "pixels, as a person sees it"),
        Column("orientation", "bigint", "the EXIF value that was applied, 1 to 8"),
        Column("alt", "string", "alternative text that a person wrote or confirmed"),
        Column("alt_suggestion", "string", "a proposal for it"),
        Column("analysis", "string", "JSON object: models, labels, findings, text, colours", json=True),
        Column("copies", "string", "JSON list: the public copies", json=True),
        Column("override", "string", "JSON object: what a person decided, and why", json=True),
    ),
    "register",
)

REGISTERS: Final = (
    MEMBERS,
    PROJECTS,
    REQUESTS,
    WORKERS,
    BUGS,
    TAXONOMY,
    DISPUTES,
    SAVED_VIEWS,
    RECIPIENTS,
    ARTICLES,
    IMAGES,
)
