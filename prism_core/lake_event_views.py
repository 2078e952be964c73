"""Ready-made views over the tables of events.

Belongs here: their SQL, in the words that Trino and DuckDB share (lake_views.py). Does not belong here: the tables
(lake_events.py) and what a roll-up is (prism_core/events/rollups.py).
"""

from typing import Final

from prism_core.lake import Column
from prism_core.lake_view import MONDAY_COLUMN, WEEK, LakeView, one_line

EVENT_VOLUME: Final = LakeView(
    "event_volume",
    "How many events of each type there were a day, how fast they were stored, and how many a week before: one "
    "row per type and UTC day with events.",
    (
        WEEK,
        MONDAY_COLUMN,
        Column("day", "date", "UTC day on which the events happened"),
        Column("type", "string", "type of the events"),
        Column("events", "bigint", "how many there are"),
        Column("events_week_before", "bigint", "on the same weekday a week before; null without any"),
        Column("late", "bigint", "of the events, accepted after the day had ended"),
        Column("late_share", "double", "late over events, 0 to 1"),
        Column("delay_p50_ms", "double", "median of accepted to stored, within 1 %"),
        Column("delay_p95_ms", "double", "95th percentile of accepted to stored, within 1 %"),
        Column("fast_enough", "boolean", "whether that percentile is below the promised 500 ms"),
        Column("value_p50", "double", "median of the measure; null where the type has none"),
        Column("value_p95", "double", "95th percentile of the measure; null where the type has none"),
    ),
    ("event_days",),
    one_line("""
        SELECT week, MONDAY_OF_WEEK AS monday, day, type, events,
          CAST(sum(events) OVER (
            PARTITION BY type ORDER BY date_diff('day', DATE '1970-01-05', day)
            RANGE BETWEEN 7 PRECEDING AND 7 PRECEDING) AS bigint) AS events_week_before,
          late, round(late * 1e0 / nullif(events, 0), 4) AS late_share,
          delay_p50_ms, delay_p95_ms, delay_p95_ms < 500e0 AS fast_enough, value_p50, value_p95
        FROM event_days
    """),
)
