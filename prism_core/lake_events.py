"""Tables of the lake that the weekly assets of events write.

Belongs here: their columns with type and meaning. Does not belong here: what a row is made of
(prism_core/events/lake_rows.py). A week is that of acceptance, in UTC; roll-ups are of the day they count in.
"""

from typing import Final

from prism_core.lake import Column, LakeTable

EVENTS: Final = LakeTable(
    "events",
    "Stored events, compacted from the archive: one row per source and id.",
    (
        Column("event_key", "string", "32 hex digits of source and id"),
        Column("type", "string", "type of the event"),
        Column("version", "string", "version of the schema that it was judged by"),
        Column("producer", "string", "who posted it"),
        Column("source", "string", "source, as its producer says it"),
        Column("event_id", "string", "id, as its producer says it"),
        Column("subject", "string", "subject; null without one"),
        Column("accepted_at", "timestamp", "when it was accepted, UTC"),
        Column("stored_at", "timestamp", "when it was stored, UTC"),
        Column("time", "timestamp", "when it happened by its producer's clock, UTC; null without one"),
        Column("value", "double", "the measure of its type; null where that has none"),
        Column("label", "string", "the text of its type that is counted; null where that has none"),
        Column("added", "string", "JSON object: what enrichment added", json=True),
        Column(
            "lookups", "string", "JSON object: lookups that it was enriched from, with their versions", json=True
        ),
        Column("missing", "string", "JSON list: what no lookup knew", json=True),
        Column("data", "string", "JSON: its data, addresses cut to their networks", json=True),
        Column("receipt", "string", "the receipt that its producer was given"),
    ),
)

FAILED_EVENTS: Final = LakeTable(
    "failed_events",
    "Accepted events that were not stored, without their payload: one row each.",
    (
        Column("failed_id", "string", "the failed event"),
        Column("type", "string", "type of the event"),
        Column("version", "string", "version that it was judged by; null where there was none"),
        Column("producer", "string", "who posted it"),
        Column("source", "string", "source, as its producer says it"),
        Column("event_id", "string", "id, as its producer says it"),
        Column("failure", "string", "invalid, unknown_type, unknown_version, conflict or undeliverable"),
        Column("status", "string", "open, replayed, repeated or given_up"),
        Column("accepted_at", "timestamp", "when it was accepted, UTC"),
        Column("failed_at", "timestamp", "when it failed, UTC"),
        Column("component", "string", "what found it"),
        Column("component_version", "string", "version of that"),
        Column("field", "string", "field of its first problem, * for a place in a list; null without one"),
        Column("rule", "string", "the rule that this field breaks; null without one"),
        Column("problems", "string", "JSON list: path, rule and reason", json=True),
        Column("replays", "bigint", "how often it was sent again"),
    ),
)

EVENT_DAYS: Final = LakeTable(
    "event_days",
    "Stored events by type and UTC day, each counted on the day it happened.",
    (
        Column("type", "string", "type of the events"),
        Column("day", "date", "UTC day"),
        Column("events", "bigint", "how many there are"),
        Column("late", "bigint", "of those, accepted after the day had ended"),
        Column("delay_p50_ms", "double", "median of accepted to stored, within 1 %"),
        Column("delay_p95_ms", "double", "95th percentile of accepted to stored, within 1 %"),
        Column("value_p50", "double", "median of the measure, within 1 %; null where the type has none"),
        Column("value_p95", "double", "95th percentile of the measure, within 1 %; null where the type has none"),
        Column("producers", "string", "JSON object: events of the most frequent producers", json=True),
        Column("labels", "string", "JSON object: events of the most frequent labels", json=True),
    ),
)

EVENT_SCORES: Final = LakeTable(
    "event_scores",
    "How well producers kept to their schemas: one row per producer with events in the week.",
    (
        Column("producer", "string", "who posted"),
        Column("accepted", "bigint", "events that were accepted"),
        Column("stored", "bigint", "of those, stored"),
        Column("failed", "bigint", "of those, failed, also by a conflict"),
        Column("duplicate", "bigint", "of those, had come before"),
        Column("failed_share", "double", "failed over stored and failed, 0 to 1; null of none"),
        Column("fields", "string", "JSON list: type, field, rule and events of what fails", json=True),
    ),
)

EVENT_LAKE: Final = (EVENTS, FAILED_EVENTS, EVENT_DAYS, EVENT_SCORES)
