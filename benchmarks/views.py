"""The views for dashboards over 52 weeks of the reference scale: PRISM beside the same SQL over JSON Lines.

Belongs here: the made-up lake and the contenders. Does not belong here: how contenders are run (harness.py).
Each goes the whole way of `prism query`: parse the SQL, list the objects, read, compute, take the rows. The peer
reads the JSON Lines beside the Parquet, columns declared, with the same engine. Both have asked something before,
as the process behind a dashboard has: the first question of a process costs half a second of CPU time more.
"""

import argparse
import hashlib
import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.harness import Target, compare
from benchmarks.own_platform import own_platform
from prism_core.calendar import Week
from prism_core.lake_tables import LAKE_TABLES
from prism_core.lake_views import LAKE_VIEWS
from prism_core.settings import load_settings
from prism_resources.lake import Lake
from prism_resources.query.duckdb import DuckDbEngine
from prism_resources.query.result import Row
from prism_resources.query.sql import parse_query, tables_of, to_duckdb

SECONDS = 2.0
READY = "SELECT week FROM members LIMIT 1"
# The reference scale; annotations are spread over the days that people work.
MEMBERS, PROJECTS, TASKS_A_YEAR = 79, 88, 2_500_000
PROJECTS_A_MEMBER = 3
FIRST = Week.parse("2025-W01")
CONTENDERS = {
    "prism query": "benchmarks.views:WithPrism",
    "the same over JSON Lines": "benchmarks.views:OverJsonLines",
}
_TYPES = {"string": "VARCHAR", "bigint": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE"}
Rows = list[dict[str, Any]]


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--times", type=int, default=1, help="of the reference scale: members and projects")
    parser.add_argument("--view", choices=LAKE_VIEWS, action="append", help="all by default")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/views_*.json")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, own_platform(Path(folder) / "home") as platform:
        rows = generate(Lake(platform.settings), options.weeks, options.times)
        facts = {"weeks": options.weeks, "times_reference": options.times, "rows": rows}
        return [_compare(view, Path(folder), facts, options) for view in options.view or LAKE_VIEWS]


def _compare(view: str, folder: Path, facts: Mapping[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    question = folder / f"{view}.json"
    question.write_text(json.dumps({"sql": f"SELECT * FROM {view}"}), encoding="utf-8")  # noqa: S608 - our own name
    return compare(
        f"views_{view}",
        CONTENDERS,
        question,
        repeats=options.repeats,
        save=options.save,
        facts=facts,
        probe="benchmarks.prepared",
        targets=lambda result: [
            Target(f"s a dashboard over {view}", SECONDS, result["contenders"]["prism query"]["seconds"])
        ],
    )


# --- the lake ----------------------------------------------------------------------------------------------


def generate(lake: Lake, weeks: int, times: int) -> dict[str, int]:
    """A lake of made-up rows, always the same; how many a table."""
    counts: dict[str, int] = {}
    rng = random.Random(52)
    for number in range(weeks):
        week = FIRST + number
        for name, rows in _week(week, rng, times).items():
            table = LAKE_TABLES[name]
            empty = dict.fromkeys(column.name for column in table.columns)
            lake.replace_partition(
                table, week, [empty | row for row in rows], generation=1, now=datetime(2026, 1, 1, tzinfo=UTC)
            )
            counts[name] = counts.get(name, 0) + len(rows)
    return counts


def _week(week: Week, rng: random.Random, times: int) -> dict[str, Rows]:
    members = [f"m-{one:05d}" for one in range(MEMBERS * times)]
    projects = [f"p-{one:05d}" for one in range(PROJECTS * times)]
    on = {member: rng.sample(projects, PROJECTS_A_MEMBER) for member in members}
    tasks = TASKS_A_YEAR // 52 // 5 // (MEMBERS * PROJECTS_A_MEMBER)
    work = [(member, project, day) for member in members for day in week.days[:5] for project in on[member]]
    return {
        "throughput": [_done(rng, member, project, day, tasks) for member, project, day in work],
        "allocations": [
            {"member_id": member, "project_id": project, "hours": _hours(week), "pinned": False, "source": "plan"}
            for member in members
            for project in on[member]
        ],
        "projects": [
            {"project_id": project, "name": project, "category": f"c-{number % 30}", "status": "active",
             "priority": 1 + number % 5, "demand_hours": 40.0, "min_people": 2, "sla_date": week.sunday}
            for number, project in enumerate(projects)
        ],
        "members": [
            {"member_id": member, "status": "active", "team": f"t-{number % 9}"}
            for number, member in enumerate(members)
        ],
        "requests": [
            {"request_id": f"r-{one}", "status": "approved", "due_date": week.sunday, "hours": 10.0,
             "project_id": projects[one], "created": week.start}
            for one in range(12 * times)
        ],
        "utilisation": [
            {"member_id": member, "day": day, "contracted_hours": 8.0, "off_hours": 0.0, "available_hours": 8.0,
             "allocated_hours": 7.5, "worked_hours": round(rng.uniform(3, 8), 2), "active_hours": None}
            for member in members
            for day in week.days[:5]
        ],
        "quality_scores": [
            {"member_id": member, "project_id": project, "category": f"c-{rng.randrange(30)}", "mapped": True,
             "reviews": 2, "reviewed": 40, "correct": (correct := rng.randint(30, 40)), "score": correct / 40,
             "target": 0.9, "worst_severity": rng.choice(["low", "medium", "high"])}
            for member in members
            for project in on[member]
        ],
        "event_days": [
            {"type": f"com.example.e{kind}", "day": day, "events": rng.randint(1, 100_000), "late": 5,
             "delay_p50_ms": 90.0, "delay_p95_ms": rng.uniform(200, 600)}
            for kind in range(8 * times)
            for day in week.days
        ],
    }  # fmt: skip


def _done(rng: random.Random, member: str, project: str, day: date, tasks: int) -> dict[str, Any]:
    submitted = rng.randint(tasks // 2, tasks * 3 // 2)
    counts = dict.fromkeys(("tasks_returned", "tasks_declined", "tasks_accepted", "tasks_other"), 1)
    return {
        "project_id": project,
        "member_id": member,
        "day": day,
        "tasks_submitted": submitted,
        **counts,
        "wall_seconds": submitted * rng.randint(60, 180),
        "worker_resolved": True,
        "project_resolved": True,
    }


def _hours(week: Week) -> str:
    return json.dumps({day.isoformat(): "2.50" for day in week.days[:5]}, separators=(",", ":"))


# --- the contenders ----------------------------------------------------------------------------------------


class WithPrism:
    """The engine of `prism query`."""

    share = 1.0

    def __init__(self, question: Path) -> None:
        settings = load_settings()
        self._engine, self._sql = DuckDbEngine(settings, Lake(settings)), _sql(question)
        self._engine.query(READY)

    def __call__(self) -> str:
        return _digest(self._engine.query(self._sql).rows)


class OverJsonLines:
    """The same engine over the other format."""

    share = 1.0

    def __init__(self, question: Path) -> None:
        settings = load_settings()
        self._root, self._lake, self._sql = settings.local_lake_path, Lake(settings), _sql(question)
        self._ask(READY)

    def __call__(self) -> str:
        return _digest(self._ask(self._sql))

    def _ask(self, sql: str) -> list[Row]:
        query = parse_query(sql)
        with duckdb.connect(":memory:") as connection:
            connection.execute("SET memory_limit = '2GB'")
            connection.execute("SET integer_division = true")
            for name in sorted(tables_of(query)):
                table = LAKE_TABLES[name]
                columns = {column.name: _TYPES.get(column.type, "TIMESTAMP") for column in table.columns}
                files = [str(self._root / key) for key in self._lake.keys(f"lake/jsonl/{name}/")]
                connection.execute(
                    f'CREATE VIEW "{name}" AS SELECT * FROM read_json({files}, columns = {columns}, '  # noqa: S608
                    "format = 'newline_delimited', hive_partitioning = true, hive_types = {'week': VARCHAR})"
                )
            return connection.execute(to_duckdb(query)).fetchall()


def _sql(question: Path) -> str:
    return json.loads(question.read_text(encoding="utf-8"))["sql"]


def _digest(rows: Sequence[Row]) -> str:
    """Of the rows in one order: no view promises any."""
    text = "\n".join(sorted(map(str, rows)))
    return f"{text.count(chr(10)) + 1} {hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


if __name__ == "__main__":
    main()
