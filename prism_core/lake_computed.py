"""Tables of the lake that an asset computes and writes itself.

Belongs here: their columns with type and meaning. Does not belong here: what the export copies from operational
tables (lake_facts.py, lake_registers.py).
"""

from typing import Final

from prism_core.lake import Column, LakeTable

THROUGHPUT: Final = LakeTable(
    "throughput",
    "What was done: one row per project, member and UTC day.",
    (
        Column("project_id", "string", "project; `job:<name>` for a labelling job that belongs to none"),
        Column("member_id", "string", "member; `worker:<key>` for a worker nobody has resolved"),
        Column("day", "date", "UTC day of the event"),
        Column("tasks_submitted", "bigint", "tasks handed in"),
        Column("tasks_returned", "bigint", "tasks given back unfinished"),
        Column("tasks_declined", "bigint", "tasks refused"),
        Column("tasks_accepted", "bigint", "events that only say a task was taken"),
        Column("tasks_other", "bigint", "events of a type PRISM does not know"),
        Column("wall_seconds", "bigint", "submitted minus accepted, over submitted tasks"),
        Column("active_seconds", "bigint", "time spent as the labelling tool measured it; null when unknown"),
        Column("active_tasks", "bigint", "submitted tasks whose active time is known"),
        Column("median_handle_seconds", "double", "median wall seconds of a submitted task"),
        Column("mean_handle_seconds", "double", "mean wall seconds of a submitted task"),
        Column("tasks_per_hour", "double", "submitted tasks per wall hour; null without wall time"),
        Column("worker_resolved", "boolean", "whether member_id is a member"),
        Column("project_resolved", "boolean", "whether project_id is a project"),
    ),
)

QUALITY_SCORES: Final = LakeTable(
    "quality_scores",
    "How good work was: one row per member, project and today's category of a week.",
    (
        Column("member_id", "string", "whose work was reviewed, corrections applied"),
        Column("project_id", "string", "project of the work"),
        Column("category", "string", "today's category; `unmapped:<raw>` where the taxonomy knows none"),
        Column("mapped", "boolean", "whether the taxonomy maps the raw category"),
        Column("reviews", "bigint", "reviews of the week"),
        Column("reviewed", "bigint", "pieces of work that were reviewed"),
        Column("correct", "bigint", "of those, correct ones"),
        Column("share", "double", "correct over reviewed, 0 to 1"),
        Column("low", "double", "lower end of the 95 % Wilson interval of the share"),
        Column("high", "double", "upper end of the 95 % Wilson interval of the share"),
        Column("score", "double", "share weighted by severity, 0 to 1"),
        Column("trend", "double", "change of the score per week over four weeks; null with fewer than two"),
        Column("weeks_in_window", "bigint", "weeks with reviews among the four up to this one"),
        Column("target", "double", "quality target of the project, 0 to 1; null without one"),
        Column("worst_severity", "string", "worst severity of the week's errors; null without one"),
    ),
)

UTILISATION: Final = LakeTable(
    "utilisation",
    "Hours of a member: one row per member and UTC day with anything in it. Shrinkage is 1 - worked / allocated.",
    (
        Column("member_id", "string", "member"),
        Column("day", "date", "UTC day"),
        Column("contracted_hours", "double", "hours by contract on this weekday"),
        Column("off_hours", "double", "hours off, approved, at most the contracted ones"),
        Column("available_hours", "double", "contracted minus off hours"),
        Column("allocated_hours", "double", "hours allocated over all projects"),
        Column("worked_hours", "double", "wall hours of submitted tasks"),
        Column("active_hours", "double", "active hours as the labelling tool measured them; null when unknown"),
    ),
)

UNRESOLVED_WORKERS: Final = LakeTable(
    "unresolved_workers",
    "Workers and labelling jobs of a week that nobody has resolved: one row each.",
    (
        Column("subject", "string", "`worker:<key>` or `job:<name>`, as in throughput"),
        Column("kind", "string", "worker or job"),
        Column("tasks_submitted", "bigint", "tasks handed in under this name in the week"),
        Column("first_day", "date", "first UTC day of the week with an event"),
        Column("last_day", "date", "last UTC day of the week with an event"),
        Column("status", "string", "status in the queue: unresolved, ignored or resolved since"),
        Column("suggestion", "string", "the likeliest member or project; null without one"),
        Column("suggestion_score", "double", "how likely it is, 0 to 1"),
    ),
)

RESTATEMENTS: Final = LakeTable(
    "restatements",
    "Published figures of a week that changed afterwards: one row per table, subject, measure and replacement.",
    (
        Column("table", "string", "lake table whose figure changed; a keyword of SQL, so quote it"),
        Column("subject", "string", "the keys of the row, such as project, member and day"),
        Column("measure", "string", "column whose value changed"),
        Column("old", "double", "value before; null when the row is new"),
        Column("new", "double", "value after; null when the row is gone"),
        Column(
            "cause",
            "string",
            "late_record, resolved_worker, taxonomy, correction, edited_source, computed_anew or unknown",
        ),
        Column("causes", "string", "JSON list of all causes that were found", json=True),
        Column("restated_at", "timestamp", "when the new figures were published, UTC"),
        Column("old_generation", "bigint", "generation of the partition before"),
        Column("new_generation", "bigint", "generation of the partition after"),
        Column("evidence", "string", "JSON of what the causes rest on", json=True),
        Column("reason", "string", "why a large change was allowed; null when it was within the limit"),
    ),
)

COMPUTED: Final = (THROUGHPUT, QUALITY_SCORES, UTILISATION, UNRESOLVED_WORKERS, RESTATEMENTS)
