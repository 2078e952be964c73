"""The views over the lake: one SQL that Trino and DuckDB both take, and what it answers."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import trino_query_parser
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from prism_core.calendar import Week
from prism_core.lake_tables import LAKE_TABLES
from prism_core.lake_views import (
    CAPACITY_GAP,
    EVENT_VOLUME,
    LAKE_VIEWS,
    MONDAY,
    QUALITY_TREND,
    UTILISATION_BY_WEEK,
    WEEKLY_DELIVERY,
    LakeView,
)
from prism_core.quality import accuracy
from prism_resources.query.sql import parse_query, to_duckdb, to_trino
from tests.unit.lake_samples import TYPES, Rows, answer, answer_of, small_lake

# 2020 has 53 weeks; of 2021-W02 there is nothing.
WEEKS = ("2020-W52", "2020-W53", "2021-W01", "2021-W03")
SAMPLE: Rows = {
    "throughput": [
        {
            "week": week,
            "project_id": project,
            "member_id": member,
            "day": Week.parse(week).monday,
            "tasks_submitted": 10 * number,
            "tasks_returned": 2,
            "tasks_declined": 1,
            "wall_seconds": 3600 * number,
            "active_seconds": None if member == "worker:w" else 1800,
            "worker_resolved": member != "worker:w",
        }
        for number, week in enumerate(WEEKS, start=1)
        for project, member in (("p1", "m1"), ("p1", "worker:w"), ("job:j", "m2"))
    ],
    "projects": [
        {
            "week": week,
            "project_id": project,
            "name": project.upper(),
            "category": "boxes",
            "status": status,
            "priority": 2,
            "demand_hours": 20.0,
            "min_people": 3,
            "sla_date": date(2021, 1, 10),
        }
        for week in WEEKS
        for project, status in (("p1", "active"), ("idle", "active"), ("over", "closed"))
    ],
    "allocations": [
        {"week": week, "project_id": "p1", "member_id": member, "hours": hours}
        for week in WEEKS
        for member, hours in (("m1", '{"2021-01-04":"7.50","2021-01-05":"0.25"}'), ("m2", '{"2021-01-04":4.0}'))
    ],
    "requests": [
        {"week": "2021-W01", "request_id": "r1", "status": "approved", "due_date": date(2021, 1, 10), "hours": 8.0,
         "project_id": "p1"},
        {"week": "2021-W01", "request_id": "r2", "status": "submitted", "due_date": date(2020, 6, 1),
         "hours": 5.0},
        {"week": "2021-W01", "request_id": "r3", "status": "triaged", "due_date": date(2021, 1, 11), "hours": 3.0,
         "project_id": "p1"},
        {"week": "2021-W01", "request_id": "r4", "status": "fulfilled", "due_date": date(2021, 1, 5), "hours": 9.0,
         "project_id": "p1"},
    ],
    "utilisation": [
        {"week": week, "member_id": member, "day": Week.parse(week).days[day], "contracted_hours": 8.0,
         "off_hours": 2.0, "available_hours": 6.0, "allocated_hours": allocated, "worked_hours": 3.0 * (1 - day),
         "active_hours": None}
        for week in WEEKS
        for member, allocated in (("m1", 5.0), ("m2", 9.0))
        for day in (0, 1)
    ],
    "members": [{"week": week, "member_id": "m1", "team": "blue", "status": "active"} for week in WEEKS],
    "quality_scores": [
        {"week": week, "member_id": member, "project_id": "p1", "category": "boxes", "mapped": True, "reviews": 1,
         "reviewed": 10, "correct": 10 - number, "score": 1 - number / 10, "target": 0.9, "worst_severity": worst}
        for number, week in enumerate(WEEKS)
        for member, worst in (("m1", "low"), ("m2", "critical" if number else None))
    ],
    "event_days": [
        {"week": week, "type": kind, "day": Week.parse(week).days[day], "events": 100 * number + day, "late": 5,
         "delay_p50_ms": 80.0, "delay_p95_ms": p95, "value_p50": None, "value_p95": None}
        for number, week in enumerate(WEEKS, start=1)
        for kind, p95 in (("labelled", 420.0), ("page", 500.0))
        for day in (0, 3)
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    with small_lake(SAMPLE) as connection:
        yield connection


def row(lake: duckdb.DuckDBPyConnection, view: LakeView, **where: Any) -> dict[str, Any]:
    """The one row with these values."""
    found = [one for one in answer(lake, view.sql) if where.items() <= one.items()]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("view", LAKE_VIEWS.values(), ids=lambda view: view.name)
def test_trinos_own_grammar_takes_the_view_alone_and_inside_a_query(view: LakeView) -> None:
    trino_query_parser.parse_statement(view.sql)
    trino_query_parser.parse_statement(to_trino(parse_query(f"SELECT * FROM {view.name} AS v")))  # noqa: S608


@pytest.mark.parametrize("view", LAKE_VIEWS.values(), ids=lambda view: view.name)
def test_the_text_itself_and_its_translation_answer_the_same(
    view: LakeView, lake: duckdb.DuckDBPyConnection
) -> None:
    whole = to_duckdb(parse_query(f"SELECT * FROM {view.name}"))  # noqa: S608

    rows = answer(lake, view.sql)

    assert rows
    assert answer(lake, whole) == rows


@pytest.mark.parametrize("view", LAKE_VIEWS.values(), ids=lambda view: view.name)
def test_the_columns_are_those_that_are_documented(view: LakeView, lake: duckdb.DuckDBPyConnection) -> None:
    described = lake.execute(view.sql).description or []

    assert [(column[0], str(column[1])) for column in described] == [
        (column.name, TYPES[column.type]) for column in view.columns
    ]


@pytest.mark.parametrize("view", LAKE_VIEWS.values(), ids=lambda view: view.name)
def test_a_view_reads_the_tables_that_it_says(view: LakeView) -> None:
    select = parse_one(view.sql, dialect="trino")
    named = {table.name for table in select.find_all(exp.Table)}
    parts = {part.alias for part in select.find_all(exp.CTE)}

    assert named - parts == set(view.reads)
    assert set(view.reads) <= set(LAKE_TABLES)
    assert not parts & set(LAKE_TABLES)


@pytest.mark.parametrize("view", LAKE_VIEWS.values(), ids=lambda view: view.name)
def test_an_empty_lake_is_an_empty_view(view: LakeView) -> None:
    assert answer_of({}, view.sql) == []


def test_the_monday_of_every_week_of_a_century_is_that_of_the_calendar() -> None:
    weeks = [Week(date(1999, 12, 27)) + number for number in range(5300)]
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE TABLE weeks AS SELECT unnest(?) AS week", [[week.label for week in weeks]])

    found = dict(connection.execute(f"SELECT week, {MONDAY} FROM weeks").fetchall())  # noqa: S608

    assert found == {week.label: week.monday for week in weeks}


def test_the_week_before_is_found_over_the_end_of_a_year_of_53_weeks_and_not_over_a_gap(
    lake: duckdb.DuckDBPyConnection,
) -> None:
    before = {
        week: row(lake, WEEKLY_DELIVERY, week=week, project_id="p1")["tasks_previous_week"] for week in WEEKS
    }

    assert before == {"2020-W52": None, "2020-W53": 20, "2021-W01": 40, "2021-W03": None}


def test_a_project_has_what_it_asked_for_was_given_and_delivered(lake: duckdb.DuckDBPyConnection) -> None:
    assert row(lake, WEEKLY_DELIVERY, week="2020-W53", project_id="p1") == {
        "week": "2020-W53",
        "monday": date(2020, 12, 28),
        "project_id": "p1",
        "name": "P1",
        "category": "boxes",
        "status": "active",
        "priority": 2,
        "demand_hours": 20.0,
        "allocated_hours": 11.75,
        "worked_hours": 4.0,
        "active_hours": 0.5,
        "people": 2,
        "tasks_submitted": 40,
        "tasks_returned": 4,
        "tasks_declined": 2,
        "tasks_unresolved": 20,
        "tasks_previous_week": 20,
        "tasks_per_hour": 10.0,
        "mean_handle_seconds": 360.0,
        "delivered_share": 0.2,
    }


def test_events_of_a_day_stand_beside_those_of_the_weekday_before_and_the_promise(
    lake: duckdb.DuckDBPyConnection,
) -> None:
    days = [
        row(lake, EVENT_VOLUME, day=Week.parse(week).days[3], type="labelled")["events_week_before"]
        for week in WEEKS
    ]

    assert days == [None, 103, 203, None]
    assert row(lake, EVENT_VOLUME, day=date(2020, 12, 28), type="page") == {
        "week": "2020-W53", "monday": date(2020, 12, 28), "day": date(2020, 12, 28), "type": "page", "events": 200,
        "events_week_before": 100, "late": 5, "late_share": 0.025, "delay_p50_ms": 80.0, "delay_p95_ms": 500.0,
        "fast_enough": False, "value_p50": None, "value_p95": None,
    }  # fmt: skip


def test_work_without_a_project_and_a_project_without_work_are_both_there(lake: duckdb.DuckDBPyConnection) -> None:
    work = row(lake, WEEKLY_DELIVERY, week="2021-W01", project_id="job:j")
    idle = row(lake, WEEKLY_DELIVERY, week="2021-W01", project_id="idle")

    assert (work["tasks_submitted"], work["name"], work["demand_hours"]) == (30, None, None)
    assert (idle["tasks_submitted"], idle["tasks_per_hour"], idle["delivered_share"]) == (0, None, 0.0)
    assert "over" not in {one["project_id"] for one in answer(lake, WEEKLY_DELIVERY.sql)}


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "week": st.sampled_from(WEEKS),
                "project_id": st.sampled_from(["p1", "p2", "job:j"]),
                "member_id": st.sampled_from(["m1", "worker:w"]),
                "tasks_submitted": st.integers(0, 10**6),
                "wall_seconds": st.integers(0, 10**6),
                "worker_resolved": st.booleans(),
            }
        ),
        max_size=12,
    )
)
def test_no_task_is_lost_or_counted_twice(rows: list[dict[str, Any]]) -> None:
    registers = {name: SAMPLE[name] for name in ("projects", "allocations")}

    found = answer_of({"throughput": rows, **registers}, WEEKLY_DELIVERY.sql)

    for week in WEEKS:
        expected = sum(one["tasks_submitted"] for one in rows if one["week"] == week)
        assert sum(one["tasks_submitted"] for one in found if one["week"] == week) == expected
    assert len({(one["week"], one["project_id"]) for one in found}) == len(found)


def test_a_member_is_used_as_much_as_the_days_of_the_week_say(lake: duckdb.DuckDBPyConnection) -> None:
    used = row(lake, UTILISATION_BY_WEEK, week="2020-W53", member_id="m1")

    assert (used["contracted_hours"], used["off_hours"], used["available_hours"]) == (16.0, 4.0, 12.0)
    assert (used["allocated_hours"], used["worked_hours"], used["days_worked"]) == (10.0, 3.0, 1)
    assert (used["allocated_share"], used["utilisation"], used["shrinkage"]) == (0.8333, 0.25, 0.7)
    assert (used["team"], used["active_hours"]) == ("blue", None)


def test_shares_of_nothing_are_null() -> None:
    nothing = {"contracted_hours": 0.0, "off_hours": 0.0, "available_hours": 0.0, "allocated_hours": 0.0}
    day = {"week": "2021-W01", "member_id": "m", "day": date(2021, 1, 4), "worked_hours": 1.0, **nothing}

    (used,) = answer_of({"utilisation": [day]}, UTILISATION_BY_WEEK.sql)

    assert (used["allocated_share"], used["utilisation"], used["shrinkage"]) == (None, None, None)


def test_the_window_is_four_weeks_of_the_calendar(lake: duckdb.DuckDBPyConnection) -> None:
    windows = {week: row(lake, QUALITY_TREND, week=week) for week in WEEKS}

    assert {week: one["weeks_in_window"] for week, one in windows.items()} == {
        "2020-W52": 1, "2020-W53": 2, "2021-W01": 3, "2021-W03": 3,  # of W52, W53, W01 and the missing W02
    }  # fmt: skip
    assert windows["2021-W03"]["window_reviewed"] == 60
    assert windows["2021-W03"]["window_share"] == 0.8
    assert windows["2020-W52"]["trend"] is None
    assert windows["2020-W53"]["trend"] == -0.1
    assert {week: one["worst_severity"] for week, one in windows.items()} == {
        "2020-W52": "low", "2020-W53": "critical", "2021-W01": "critical", "2021-W03": "critical",
    }  # fmt: skip


def test_a_project_is_below_its_target_when_even_the_upper_end_misses_it(lake: duckdb.DuckDBPyConnection) -> None:
    found = {week: row(lake, QUALITY_TREND, week=week)["below_target"] for week in WEEKS}

    assert found == {"2020-W52": False, "2020-W53": False, "2021-W01": False, "2021-W03": True}


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_that_of_the_quality_rules(counts: tuple[int, int]) -> None:
    correct, reviewed = counts
    score = {"week": "2021-W01", "project_id": "p", "member_id": "m", "reviewed": reviewed, "correct": correct}
    (found,) = answer_of({"quality_scores": [score]}, QUALITY_TREND.sql)

    expected = accuracy(correct, reviewed)

    for end in ("share", "low", "high"):
        assert abs(Decimal(str(found[end])) - (getattr(expected, end) or 0)) <= Decimal("0.0001")
    assert (found["window_low"], found["window_high"]) == (found["low"], found["high"])


def test_the_gap_is_what_is_asked_for_and_not_allocated(lake: duckdb.DuckDBPyConnection) -> None:
    assert row(lake, CAPACITY_GAP, week="2021-W01", project_id="p1") == {
        "week": "2021-W01",
        "monday": date(2021, 1, 4),
        "project_id": "p1",
        "name": "P1",
        "status": "active",
        "priority": 2,
        "sla_date": date(2021, 1, 10),
        "days_to_sla": 0,
        "demand_hours": 20.0,
        "allocated_hours": 11.75,
        "gap_hours": 8.25,
        "covered_share": 0.5875,
        "open_requests": 1,
        "requested_hours": 8.0,
        "people": 2,
        "people_missing": 1,
        "free_hours_of_week": 2.0,
    }


def test_an_overdue_request_without_a_project_is_a_row_of_its_own(lake: duckdb.DuckDBPyConnection) -> None:
    nobody = row(lake, CAPACITY_GAP, week="2021-W01", project_id=None)

    assert (nobody["open_requests"], nobody["requested_hours"]) == (1, 5.0)


def test_a_week_that_knows_no_projects_knows_no_gap_rather_than_too_much() -> None:
    (found,) = answer_of({"allocations": SAMPLE["allocations"][:1]}, CAPACITY_GAP.sql)

    assert (found["allocated_hours"], found["people"]) == (7.75, 1)
    assert [found[name] for name in ("demand_hours", "gap_hours", "covered_share", "people_missing")] == [None] * 4


def test_a_closed_project_asks_for_nothing() -> None:
    closed = {"week": "2021-W01", "project_id": "p1", "status": "closed", "demand_hours": 20.0, "min_people": 3}
    (found,) = answer_of({"allocations": [SAMPLE["allocations"][4]], "projects": [closed]}, CAPACITY_GAP.sql)

    assert (found["demand_hours"], found["gap_hours"], found["people_missing"]) == (0.0, -7.75, 0)


def test_hours_are_read_from_the_json_of_an_allocation_however_they_are_written() -> None:
    texts = ('{"2021-01-04":"8.00"}', '{"2021-01-04": 0.5, "2021-01-05":"1E+1"}', "{}")
    rows = [
        {"week": "2021-W01", "project_id": "p", "member_id": f"m{n}", "hours": text}
        for n, text in enumerate(texts)
    ]

    (found,) = answer_of({"allocations": rows}, CAPACITY_GAP.sql)

    assert (found["allocated_hours"], found["people"]) == (18.5, 2)
