"""Why real: whether the named ways of the tables and the partitions of the lake give a rule what it looks at.

One programme is written down, once into the tables and once into the lake; each rule finds what is wrong in it.
The lake's rows are those that the export and the assets write.
"""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.alerts.backtest import backtest
from prism_core.alerts.judging import judge
from prism_core.alerts.snapshot import AlertSnapshot
from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.lake_tables import LAKE_TABLES
from prism_core.models.alerts import AlertRule
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Project, Request
from prism_core.models.work import Allocation, ThroughputWeek
from prism_core.models.workers import Worker
from prism_core.settings import Settings
from prism_core.tables import THROUGHPUT
from prism_resources.alerts.past import SnapshotLake
from prism_resources.alerts.tables import SnapshotTables
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.tables.generations import Generations
from tests.integration.asset_runs import write
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file()

WEEK = Week.parse("2026-W48")
PAST = [WEEK + -number for number in range(8, 0, -1)]
ENDED = PAST[-1]
NOW = WEEK.start + timedelta(hours=9)
MADE = datetime(2026, 9, 1, tzinfo=UTC)
THURSDAY = WEEK.days[3]
_EIGHTS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "8.00")


def _member(number: int, **more: Any) -> Member:
    plain: dict[str, Any] = {
        "member_id": f"M-{number}",
        "name": f"Member {number}",
        "email": f"m{number}@example.com",
        "hours": _EIGHTS,
        "time_zone": "Europe/Madrid",
        "skills": [{"name": "boxes", "level": 3}],
    }
    return Member.from_plain(plain | more)


MEMBERS = [_member(1), _member(2), _member(3, location="ES"), _member(4, location="ES-MAD")]
PROJECT = Project.from_plain(
    {
        "project_id": "P-1",
        "name": "Project 1",
        "category": "boxes",
        "demand_hours": "200.00",
        "quality_target": "0.95",
        "sla_date": "2026-12-13",
        "skills": [{"name": "boxes", "level": 1}],
        "alert_limits": {"shrinkage_limit": "0.20"},
    }
)
REQUEST = Request.from_plain(
    {
        "request_id": "R-1",
        "due_date": "2026-11-20",
        "hours": "10.00",
        "requester": "Somebody",
        "reason": "more boxes",
        "created": "2026-11-01T09:00:00Z",
    }
)
WORKER = Worker.from_plain(
    {
        "worker_key": "w-1",
        "worker_id": "w-1",
        "first_seen": "2026-11-17T09:00:00Z",
        "last_seen": "2026-11-17T09:00:00Z",
    }
)


def _allocations(week: Week) -> list[Allocation]:
    days: dict[str, Any] = {day.isoformat(): "8.00" for day in week.days[:5]}
    return [
        Allocation.from_plain({"member_id": f"M-{number}", "week": week.label, "project_id": "P-1", "hours": days})
        for number in (1, 2)
    ]


def _time_off(day: date, status: str = "approved") -> Availability:
    plain: dict[str, Any] = {"member_id": "M-1", "date": day.isoformat(), "hours_off": "8.00", "status": status}
    return Availability.from_plain(plain | {"created": "2026-09-01T09:00:00Z"})


def _throughput(week: Week) -> list[ThroughputWeek]:
    """M-1 does what is planned, M-2 half of it; in the last ended week, somebody unknown does an hour."""
    done = [("M-1", 28_800, True), ("M-2", 14_400, True)]
    rows = [_worked(week, member, week.days[:5], seconds, known=known) for member, seconds, known in done]
    return rows + ([_worked(week, "worker:w-1", [week.days[1]], 3_600, known=False)] if week == ENDED else [])


def _worked(week: Week, member: str, days: Any, seconds: int, *, known: bool) -> ThroughputWeek:
    return ThroughputWeek.from_plain(
        {
            "project_id": "P-1",
            "week": week.label,
            "member_id": member,
            "days": [{"day": day.isoformat(), "tasks_submitted": 60, "wall_seconds": seconds} for day in days],
            "worker_resolved": known,
            "project_resolved": True,
        }
    )


SCORES = {ENDED + -3: 196, ENDED + -2: 190, ENDED + -1: 182, ENDED: 170}


@pytest.fixture(scope="module")
def lake(platform: Platform) -> Lake:
    """Eight ended weeks as the export and the assets leave them, and the time off of the running one."""
    lake = Lake(platform.settings)
    for week in PAST:
        _keep(lake, "members", week, [_lake_row("members", one.plain()) for one in MEMBERS])
        _keep(lake, "projects", week, [_lake_row("projects", PROJECT.plain())])
        _keep(lake, "requests", week, [_lake_row("requests", REQUEST.plain())] if week == ENDED else [])
        _keep(lake, "workers", week, [_lake_row("workers", WORKER.plain())] if week == ENDED else [])
        _keep(lake, "allocations", week, [_lake_row("allocations", one.plain()) for one in _allocations(week)])
        off = [_time_off(week.days[3])] if week == ENDED else []
        _keep(lake, "availability", week, [_lake_row("availability", one.plain()) for one in off])
        _keep(lake, "throughput", week, [row for item in _throughput(week) for row in _lake_days(item)])
        _keep(lake, "quality_scores", week, [_score(SCORES[week])] if week in SCORES else [])
    _keep(lake, "availability", WEEK, [])
    return lake


@pytest.fixture(scope="module")
def settings(platform: Platform, lake: Lake) -> Settings:
    """The tables of the same programme, in the running week."""
    write("members", MEMBERS, now=MADE)
    write("projects", [PROJECT], now=MADE)
    write("requests", [REQUEST], now=MADE)
    write("workers", [WORKER], now=MADE)
    write("allocations", [*_allocations(ENDED), *_allocations(WEEK)], now=MADE)
    write("availability", [_time_off(THURSDAY), _time_off(WEEK.days[4], "requested")], now=MADE)
    facts = Generations(client(platform.settings, "dynamodb"), platform.settings, THROUGHPUT, ThroughputWeek)
    for week in PAST:
        facts.replace(week, _throughput(week), now=NOW)
    return platform.settings


def _keep(lake: Lake, table: str, week: Week, rows: list[dict[str, Any]]) -> None:
    lake.replace_partition(LAKE_TABLES[table], week, rows, generation=1, now=NOW)


def _lake_row(table: str, plain: dict[str, Any]) -> dict[str, Any]:
    """As the export writes an item: no personal value, JSON as text."""
    row: dict[str, Any] = {}
    for column in LAKE_TABLES[table].columns:
        value = plain.get(column.of_field)
        if column.json and value is not None:
            value = json.dumps(value)
        elif value is not None and column.type == "double":
            value = float(value)
        elif value is not None and column.type == "date":
            value = date.fromisoformat(value)
        elif value is not None and column.type == "timestamp":
            value = datetime.fromisoformat(value)
        row[column.name] = value
    return row


def _lake_days(item: ThroughputWeek) -> list[dict[str, Any]]:
    plain: dict[str, Any] = item.plain()
    return [_lake_row("throughput", plain | day) for day in plain["days"]]


def _score(correct: int) -> dict[str, Any]:
    plain = {"member_id": "M-1", "project_id": "P-1", "category": "boxes", "mapped": True, "reviews": 1}
    figures = {"reviewed": 200, "correct": correct, "share": 0.9, "low": 0.8, "high": 0.95, "score": 0.9}
    return _lake_row("quality_scores", plain | figures | {"weeks_in_window": 4})


def _found(snapshot: AlertSnapshot) -> dict[str, set[str]]:
    judgements = judge(snapshot)
    assert {one.rule: one.abstained for one in judgements if one.abstained} == {}
    return {one.rule: {f"{found.subject} {found.scope}".strip() for found in one.findings} for one in judgements}


def test_the_tables_of_now_give_every_rule_what_it_looks_at(settings: Settings, lake: Lake) -> None:
    snapshot = SnapshotTables(settings, lake).read(WEEK, NOW)

    assert _found(snapshot) == {
        AlertRule.OOTO_CONFLICT: {
            f"availability/M-1/{THURSDAY} {THURSDAY}",
            f"availability/M-1/{WEEK.days[4]} {WEEK.days[4]}",
        },
        AlertRule.QUALITY_DEGRADATION: {"projects/P-1", "members/M-1 P-1"},
        AlertRule.SHRINKAGE_RISK: {f"members/M-2 {ENDED}"},
        AlertRule.UNRESOLVED_WORKER: {"workers/w-1"},
        AlertRule.LATE_REQUEST: {"requests/R-1 2026-11-20"},
        AlertRule.CAPACITY_RISK: {
            f"{subject} {week}" for subject in ("capacity", "capacity/boxes") for week in (WEEK + 1, WEEK + 2)
        },
        AlertRule.SLA_BREACH: {"projects/P-1 2026-12-13"},
    }
    assert snapshot.limits("P-1").shrinkage_limit == Decimal("0.20")
    # The Immaculate Conception, Tuesday of the second week ahead.
    assert snapshot.members["M-3"].holidays == {date(2026, 12, 8): "Immaculate Conception"}
    assert snapshot.members["M-4"].holidays == {}
    assert set(snapshot.work) == set(PAST)


def test_a_week_of_the_lake_gives_the_rules_what_stood_at_its_end(settings: Settings, lake: Lake) -> None:
    thursday = ENDED.days[3]

    assert _found(SnapshotLake(settings, lake).read(ENDED)) == {
        AlertRule.OOTO_CONFLICT: {f"availability/M-1/{thursday} {thursday}"},
        AlertRule.QUALITY_DEGRADATION: {"projects/P-1", "members/M-1 P-1"},
        AlertRule.SHRINKAGE_RISK: {f"members/M-2 {ENDED}"},
        AlertRule.UNRESOLVED_WORKER: {"workers/w-1"},
        AlertRule.LATE_REQUEST: {"requests/R-1 2026-11-20"},
        AlertRule.CAPACITY_RISK: {f"capacity {WEEK}", f"capacity/boxes {WEEK}"},
        AlertRule.SLA_BREACH: {"projects/P-1 2026-12-13"},
    }


def test_stored_weeks_are_replayed_for_a_backtest(settings: Settings, lake: Lake) -> None:
    weeks = PAST[-3:]

    result = backtest(AlertRule.SHRINKAGE_RISK, SnapshotLake(settings, lake).weeks(weeks))

    assert result.snapshots == len(weeks)
    assert [(episode.subject, episode.week) for episode in result.episodes] == [
        ("members/M-2", week) for week in weeks
    ]


def test_a_week_that_is_not_in_the_lake_is_named(settings: Settings, lake: Lake) -> None:
    with pytest.raises(BadUsage, match=f"the lake has no projects of {WEEK}"):
        SnapshotLake(settings, lake).read(WEEK)


def test_weeks_that_were_never_published_are_not_taken_for_weeks_without_work(
    settings: Settings, lake: Lake
) -> None:
    snapshot = SnapshotTables(settings, lake).read(WEEK + 20, NOW + timedelta(weeks=20))

    assert snapshot.work == snapshot.quality == {}
    judged = {one.rule: one.abstained for one in judge(snapshot)}
    assert judged[AlertRule.SHRINKAGE_RISK]
    assert judged[AlertRule.UNRESOLVED_WORKER]
