"""Ready-made views over the lake, for dashboards and for `prism query`.

Belongs here: the SQL of every view with the type and meaning of its columns, but those over events
(lake_event_views.py). Glue views, the command line and docs/lake-views.md are derived from these lines. Does not
belong here: tables (lake_tables.py) and how a query is answered (prism_resources/query).
The SQL keeps to what Trino and DuckDB both understand and both mean: no `json_parse`, no `date_add`, no whole
numbers divided. So the very text runs on Athena and on DuckDB, and tests run it on both.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from prism_core.lake import Column
from prism_core.lake_event_views import EVENT_VOLUME
from prism_core.lake_view import MONDAY, MONDAY_COLUMN, WEEK, LakeView, one_line

__all__ = [
    "CAPACITY_GAP",
    "EVENT_VOLUME",
    "LAKE_VIEWS",
    "MONDAY",
    "QUALITY_TREND",
    "UTILISATION_BY_WEEK",
    "WEEKLY_DELIVERY",
    "LakeView",
]

# The lake holds the hours of an allocation as JSON by day. No function that reads JSON has one name in both
# engines; the numbers are what stands behind a colon, and no key holds one.
_HOURS_BY_DAY: Final = """regexp_extract_all(a.hours, ': *"?([0-9][0-9.eE+-]*)', 1)"""
# Wilson's interval of 95 %, as prism_core/quality.py: z is 1.959964, and this is its square.
_Z_SQUARED: Final = "3.841458881296e0"


def _reach(correct: str, reviewed: str, sign: str) -> str:
    """One end of Wilson's interval; null when nothing was reviewed. Exactly 0 and 1 at the ends."""
    exact, value = (f"{correct} = 0", "0e0") if sign == "-" else (f"{correct} = {reviewed}", "1e0")
    share = f"(CAST({correct} AS double) / {reviewed})"
    centre = f"{share} + {_Z_SQUARED} / (2e0 * {reviewed})"
    spread = (
        f"sqrt({_Z_SQUARED} * ({share} * (1e0 - {share}) / {reviewed}"
        f" + {_Z_SQUARED} / (4e0 * {reviewed} * {reviewed})))"
    )
    end = f"round(({centre} {sign} {spread}) / (1e0 + {_Z_SQUARED} / {reviewed}), 4)"
    return f"CASE WHEN {reviewed} = 0 THEN NULL WHEN {exact} THEN {value} ELSE {end} END"


def _sql(text: str) -> str:
    return one_line(text.replace("HOURS_BY_DAY", _HOURS_BY_DAY))


WEEKLY_DELIVERY: Final = LakeView(
    "weekly_delivery",
    "What each project asked for, was given and delivered: one row per week and project. A project is there "
    "while it is active, has hours allocated, or had work done.",
    (
        WEEK,
        MONDAY_COLUMN,
        Column("project_id", "string", "project; `job:<name>` for a labelling job that belongs to none"),
        Column("name", "string", "name of the project; null when the week knows none of this id"),
        Column("category", "string", "raw category id of the project"),
        Column("status", "string", "status at the end of the week"),
        Column("priority", "bigint", "1 is the most urgent"),
        Column(
            "demand_hours", "double", "hours a week that the project asks for; 0 unless active, null if unknown"
        ),
        Column("allocated_hours", "double", "hours allocated to it in the week"),
        Column("worked_hours", "double", "hours on the wall clock, over submitted tasks"),
        Column("active_hours", "double", "hours that the labelling tool measured; null when none is known"),
        Column("people", "bigint", "members and unresolved workers who submitted a task"),
        Column("tasks_submitted", "bigint", "tasks handed in"),
        Column("tasks_returned", "bigint", "tasks given back unfinished"),
        Column("tasks_declined", "bigint", "tasks refused"),
        Column("tasks_unresolved", "bigint", "submitted tasks of workers nobody has resolved"),
        Column("tasks_previous_week", "bigint", "tasks handed in one week before; null when it has no row there"),
        Column("tasks_per_hour", "double", "submitted tasks per worked hour; null without worked time"),
        Column("mean_handle_seconds", "double", "mean wall seconds of a submitted task"),
        Column("delivered_share", "double", "worked over demanded hours; null without demand"),
    ),
    ("throughput", "allocations", "projects"),
    _sql("""
        WITH done AS (
          SELECT week, project_id,
            count(DISTINCT CASE WHEN tasks_submitted > 0 THEN member_id END) AS people,
            sum(tasks_submitted) AS submitted, sum(tasks_returned) AS returned, sum(tasks_declined) AS declined,
            sum(CASE WHEN worker_resolved THEN 0 ELSE tasks_submitted END) AS unresolved,
            sum(wall_seconds) AS wall_seconds, sum(active_seconds) AS active_seconds
          FROM throughput GROUP BY week, project_id
        ), allocated AS (
          SELECT a.week, a.project_id, sum(CAST(d.day_hours AS double)) AS allocated_hours
          FROM allocations AS a CROSS JOIN UNNEST(HOURS_BY_DAY) AS d (day_hours)
          GROUP BY a.week, a.project_id
        ), subjects AS (
          SELECT week, project_id FROM done
          UNION SELECT week, project_id FROM allocated
          UNION SELECT week, project_id FROM projects WHERE status = 'active'
        ), figures AS (
          SELECT s.week, s.project_id, p.name, p.category, p.status, p.priority,
            CASE WHEN p.status = 'active' THEN p.demand_hours WHEN p.status IS NOT NULL THEN 0e0 END
              AS demand_hours,
            coalesce(a.allocated_hours, 0e0) AS allocated_hours,
            coalesce(d.wall_seconds, 0) AS wall_seconds, d.active_seconds,
            coalesce(d.people, 0) AS people, coalesce(d.submitted, 0) AS submitted,
            coalesce(d.returned, 0) AS returned, coalesce(d.declined, 0) AS declined,
            coalesce(d.unresolved, 0) AS unresolved
          FROM subjects AS s
          LEFT JOIN projects AS p ON p.week = s.week AND p.project_id = s.project_id
          LEFT JOIN allocated AS a ON a.week = s.week AND a.project_id = s.project_id
          LEFT JOIN done AS d ON d.week = s.week AND d.project_id = s.project_id
        ), placed AS (
          SELECT *, MONDAY_OF_WEEK AS monday FROM figures
        )
        SELECT week, monday, project_id, name, category, status, priority,
          round(demand_hours, 2) AS demand_hours,
          round(allocated_hours, 2) AS allocated_hours,
          round(wall_seconds / 3600e0, 2) AS worked_hours,
          round(active_seconds / 3600e0, 2) AS active_hours,
          CAST(people AS bigint) AS people,
          CAST(submitted AS bigint) AS tasks_submitted,
          CAST(returned AS bigint) AS tasks_returned,
          CAST(declined AS bigint) AS tasks_declined,
          CAST(unresolved AS bigint) AS tasks_unresolved,
          CAST(sum(submitted) OVER (
            PARTITION BY project_id ORDER BY date_diff('day', DATE '1970-01-05', monday)
            RANGE BETWEEN 7 PRECEDING AND 7 PRECEDING) AS bigint) AS tasks_previous_week,
          round(submitted * 3600e0 / nullif(wall_seconds, 0), 2) AS tasks_per_hour,
          round(wall_seconds * 1e0 / nullif(submitted, 0), 2) AS mean_handle_seconds,
          round(wall_seconds / 3600e0 / nullif(demand_hours, 0e0), 4) AS delivered_share
        FROM placed
    """),
)

UTILISATION_BY_WEEK: Final = LakeView(
    "utilisation_by_week",
    "How the time of each member was used: one row per week and member.",
    (
        WEEK,
        MONDAY_COLUMN,
        Column("member_id", "string", "member; `worker:<key>` for a worker nobody has resolved"),
        Column("team", "string", "team at the end of the week; null when there is none"),
        Column("status", "string", "status at the end of the week"),
        Column("contracted_hours", "double", "hours by contract"),
        Column("off_hours", "double", "hours off that were approved"),
        Column("available_hours", "double", "contracted minus off"),
        Column("allocated_hours", "double", "hours allocated to projects"),
        Column("worked_hours", "double", "hours on the wall clock, over submitted tasks"),
        Column("active_hours", "double", "hours that the labelling tool measured; null when none is known"),
        Column("days_worked", "bigint", "UTC days with work"),
        Column("allocated_share", "double", "allocated over available hours; above 1 is overbooked"),
        Column("utilisation", "double", "worked over available hours; null when nothing was available"),
        Column("shrinkage", "double", "1 minus worked over allocated hours; null when nothing was allocated"),
    ),
    ("utilisation", "members"),
    _sql("""
        WITH used AS (
          SELECT week, member_id,
            sum(contracted_hours) AS contracted_hours, sum(off_hours) AS off_hours,
            sum(available_hours) AS available_hours, sum(allocated_hours) AS allocated_hours,
            sum(worked_hours) AS worked_hours, sum(active_hours) AS active_hours,
            count(CASE WHEN worked_hours > 0 THEN 1 END) AS days_worked
          FROM utilisation GROUP BY week, member_id
        ), placed AS (
          SELECT *, MONDAY_OF_WEEK AS monday FROM used
        )
        SELECT u.week, u.monday, u.member_id, m.team, m.status,
          round(u.contracted_hours, 2) AS contracted_hours,
          round(u.off_hours, 2) AS off_hours,
          round(u.available_hours, 2) AS available_hours,
          round(u.allocated_hours, 2) AS allocated_hours,
          round(u.worked_hours, 2) AS worked_hours,
          round(u.active_hours, 2) AS active_hours,
          CAST(u.days_worked AS bigint) AS days_worked,
          round(u.allocated_hours / nullif(u.available_hours, 0e0), 4) AS allocated_share,
          round(u.worked_hours / nullif(u.available_hours, 0e0), 4) AS utilisation,
          round(1e0 - u.worked_hours / nullif(u.allocated_hours, 0e0), 4) AS shrinkage
        FROM placed AS u LEFT JOIN members AS m ON m.week = u.week AND m.member_id = u.member_id
    """),
)

QUALITY_TREND: Final = LakeView(
    "quality_trend",
    "How good the work is and where it goes: one row per week, project and today's category that was reviewed. "
    "The window is the week and the three before it on the calendar.",
    (
        WEEK,
        MONDAY_COLUMN,
        Column("project_id", "string", "project"),
        Column("category", "string", "today's category; `unmapped:<raw id>` when the taxonomy names none"),
        Column("mapped", "boolean", "whether the taxonomy names the category"),
        Column("members", "bigint", "members reviewed"),
        Column("reviews", "bigint", "reviews"),
        Column("reviewed", "bigint", "pieces of work reviewed"),
        Column("correct", "bigint", "of these, correct"),
        Column("share", "double", "correct over reviewed"),
        Column("low", "double", "lower end of the 95 % interval of the share (Wilson)"),
        Column("high", "double", "upper end of the 95 % interval of the share (Wilson)"),
        Column("score", "double", "severity-weighted share, the mean of the members weighted by reviewed pieces"),
        Column("worst_severity", "string", "worst error of the week; null without one"),
        Column("weeks_in_window", "bigint", "weeks of the window with a review, 1 to 4"),
        Column("window_reviewed", "bigint", "pieces reviewed in the window"),
        Column("window_share", "double", "correct over reviewed in the window"),
        Column("window_low", "double", "lower end of the 95 % interval of the window's share"),
        Column("window_high", "double", "upper end of the 95 % interval of the window's share"),
        Column("trend", "double", "change of the score per week over the window; null with fewer than two weeks"),
        Column("target", "double", "share that the project asks for; null when it asks for none"),
        Column("below_target", "boolean", "whether even the window's upper end misses the target"),
    ),
    ("quality_scores",),
    _sql(
        """
        WITH weekly AS (
          SELECT week, project_id, category, mapped,
            count(DISTINCT member_id) AS members, sum(reviews) AS reviews,
            sum(reviewed) AS reviewed, sum(correct) AS correct,
            sum(score * reviewed) / nullif(sum(CASE WHEN score IS NOT NULL THEN reviewed END), 0) AS score,
            max(CASE worst_severity
              WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 WHEN 'low' THEN 1 END) AS worst,
            max(target) AS target
          FROM quality_scores GROUP BY week, project_id, category, mapped
        ), placed AS (
          SELECT *, MONDAY_OF_WEEK AS monday FROM weekly
        ), numbered AS (
          SELECT *, date_diff('day', DATE '1970-01-05', monday) AS day_number FROM placed
        ), windowed AS (
          SELECT *,
            count(*) OVER recent AS weeks_in_window,
            sum(reviewed) OVER recent AS window_reviewed,
            sum(correct) OVER recent AS window_correct,
            regr_slope(score, CAST(day_number AS double) / 7e0) OVER recent AS slope
          FROM numbered
          WINDOW recent AS (
            PARTITION BY project_id, category, mapped ORDER BY day_number
            RANGE BETWEEN 21 PRECEDING AND CURRENT ROW)
        ), ranged AS (
          SELECT *, LOW_OF_WEEK AS low, HIGH_OF_WEEK AS high, LOW_OF_WINDOW AS window_low,
            HIGH_OF_WINDOW AS window_high
          FROM windowed
        )
        SELECT week, monday, project_id, category, mapped,
          CAST(members AS bigint) AS members,
          CAST(reviews AS bigint) AS reviews,
          CAST(reviewed AS bigint) AS reviewed,
          CAST(correct AS bigint) AS correct,
          round(correct * 1e0 / nullif(reviewed, 0), 4) AS share,
          low, high,
          round(score, 4) AS score,
          CASE worst WHEN 4 THEN 'critical' WHEN 3 THEN 'high' WHEN 2 THEN 'medium' WHEN 1 THEN 'low' END
            AS worst_severity,
          CAST(weeks_in_window AS bigint) AS weeks_in_window,
          CAST(window_reviewed AS bigint) AS window_reviewed,
          round(window_correct * 1e0 / nullif(window_reviewed, 0), 4) AS window_share,
          window_low, window_high,
          CASE WHEN weeks_in_window > 1 THEN round(slope, 4) END AS trend,
          target,
          window_high < target AS below_target
        FROM ranged
        """.replace("LOW_OF_WEEK", _reach("correct", "reviewed", "-"))
        .replace("HIGH_OF_WEEK", _reach("correct", "reviewed", "+"))
        .replace("LOW_OF_WINDOW", _reach("window_correct", "window_reviewed", "-"))
        .replace("HIGH_OF_WINDOW", _reach("window_correct", "window_reviewed", "+"))
    ),
)

CAPACITY_GAP: Final = LakeView(
    "capacity_gap",
    "Where hours are missing: one row per week and project that is active, has hours allocated, or is named by an "
    "open request. Open requests that name no project are the row without one.",
    (
        WEEK,
        MONDAY_COLUMN,
        Column("project_id", "string", "project; null for requests that name none"),
        Column("name", "string", "name of the project"),
        Column("status", "string", "status at the end of the week"),
        Column("priority", "bigint", "1 is the most urgent"),
        Column("sla_date", "date", "day the project is due; null when there is none"),
        Column("days_to_sla", "bigint", "days from the week's Sunday to that day; negative when it has passed"),
        Column(
            "demand_hours", "double", "hours a week that the project asks for; 0 unless active, null if unknown"
        ),
        Column("allocated_hours", "double", "hours allocated to it in the week"),
        Column(
            "gap_hours",
            "double",
            "demanded minus allocated hours; negative when more is allocated, null without a demand",
        ),
        Column("covered_share", "double", "allocated over demanded hours; null without demand"),
        Column("open_requests", "bigint", "requests neither declined nor fulfilled, due by that Sunday or before"),
        Column("requested_hours", "double", "hours of these requests, asked for on top of the demand"),
        Column("people", "bigint", "members with hours allocated"),
        Column("people_missing", "bigint", "how many fewer than the project needs at least; null if unknown"),
        Column(
            "free_hours_of_week",
            "double",
            "available hours that nothing is allocated to, of all members together; the same in every row of the "
            "week, so never to be added up",
        ),
    ),
    ("projects", "allocations", "requests", "utilisation"),
    _sql("""
        WITH allocated AS (
          SELECT a.week, a.project_id, sum(CAST(d.day_hours AS double)) AS allocated_hours,
            count(DISTINCT CASE WHEN CAST(d.day_hours AS double) > 0e0 THEN a.member_id END) AS people
          FROM allocations AS a CROSS JOIN UNNEST(HOURS_BY_DAY) AS d (day_hours)
          GROUP BY a.week, a.project_id
        ), due AS (
          SELECT week, project_id, due_date, hours AS request_hours, MONDAY_OF_WEEK AS monday
          FROM requests WHERE status IN ('submitted', 'triaged', 'approved')
        ), requested AS (
          SELECT week, project_id, count(*) AS open_requests, sum(request_hours) AS requested_hours
          FROM due WHERE due_date < CAST(monday + INTERVAL '7' DAY AS date)
          GROUP BY week, project_id
        ), left_over AS (
          SELECT week, member_id, sum(available_hours) - sum(allocated_hours) AS free_hours
          FROM utilisation GROUP BY week, member_id
        ), free AS (
          SELECT week, sum(CASE WHEN free_hours > 0e0 THEN free_hours ELSE 0e0 END) AS free_hours
          FROM left_over GROUP BY week
        ), subjects AS (
          SELECT week, project_id FROM allocated
          UNION SELECT week, project_id FROM requested
          UNION SELECT week, project_id FROM projects WHERE status = 'active'
        ), figures AS (
          SELECT s.week, s.project_id, p.name, p.status, p.priority, p.sla_date,
            CASE WHEN p.status = 'active' THEN p.demand_hours WHEN p.status IS NOT NULL THEN 0e0 END
              AS demand_hours,
            CASE WHEN p.status = 'active' THEN p.min_people WHEN p.status IS NOT NULL THEN 0 END AS min_people,
            coalesce(a.allocated_hours, 0e0) AS allocated_hours, coalesce(a.people, 0) AS people,
            coalesce(r.open_requests, 0) AS open_requests, coalesce(r.requested_hours, 0e0) AS requested_hours,
            f.free_hours
          FROM subjects AS s
          LEFT JOIN projects AS p ON p.week = s.week AND p.project_id = s.project_id
          LEFT JOIN allocated AS a ON a.week = s.week AND a.project_id = s.project_id
          LEFT JOIN requested AS r
            ON r.week = s.week AND coalesce(r.project_id, '') = coalesce(s.project_id, '')
          LEFT JOIN free AS f ON f.week = s.week
        ), placed AS (
          SELECT *, MONDAY_OF_WEEK AS monday FROM figures
        )
        SELECT week, monday, project_id, name, status, priority, sla_date,
          CAST(date_diff('day', monday, sla_date) - 6 AS bigint) AS days_to_sla,
          round(demand_hours, 2) AS demand_hours,
          round(allocated_hours, 2) AS allocated_hours,
          round(demand_hours - allocated_hours, 2) AS gap_hours,
          round(allocated_hours / nullif(demand_hours, 0e0), 4) AS covered_share,
          CAST(open_requests AS bigint) AS open_requests,
          round(requested_hours, 2) AS requested_hours,
          CAST(people AS bigint) AS people,
          CAST(CASE WHEN min_people > people THEN min_people - people WHEN min_people IS NOT NULL THEN 0 END
            AS bigint) AS people_missing,
          round(free_hours, 2) AS free_hours_of_week
        FROM placed
    """),
)

LAKE_VIEWS: Final[Mapping[str, LakeView]] = MappingProxyType(
    {view.name: view for view in (WEEKLY_DELIVERY, UTILISATION_BY_WEEK, QUALITY_TREND, CAPACITY_GAP, EVENT_VOLUME)}
)
