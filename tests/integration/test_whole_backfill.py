"""A fresh platform with its sample, backfilled whole from the Dagster UI, and what the lake then answers.

Why real: everything between a raw record and an answer of `prism query` takes part, in the processes that serve.
SAMPLE_WEEKS=52 does it for a year (`make soak-year`); START_SECONDS and BACKFILL_SECONDS give it time.
"""

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from email import message_from_bytes, policy
from typing import Any

import pytest

from benchmarks.served import Served, serving
from prism_core.calendar import Week, WeekRange
from prism_core.lake_events import EVENT_LAKE
from prism_core.lake_views import LAKE_VIEWS
from tests.integration.fresh import worker_port
from tests.integration.helpers import prism
from tests.integration.recount import Recount

SAMPLE_WEEKS = int(os.environ.get("SAMPLE_WEEKS", "2"))
SIX = ("quality", "throughput", "allocations", "requests", "members", "projects")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("whole")
    with serving(folder, worker_port(8), "--sample", str(SAMPLE_WEEKS)) as found:
        yield found


def ask(served: Served, sql: str) -> list[dict[str, Any]]:
    answer = prism(served.home, "query", sql, "--json", first_week=first_week(served))
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def first_week(served: Served) -> str:
    return json.loads((served.home / "settings.json").read_text())["first_week"]


def by_week(served: Served, measures: str, table: str) -> dict[str, tuple[Any, ...]]:
    rows = ask(served, f"SELECT week, {measures} FROM {table} GROUP BY week ORDER BY week")  # noqa: S608
    return {row.pop("week"): tuple(row.values()) for row in rows}


@pytest.mark.timeout(1_200 if SAMPLE_WEEKS < 10 else 9_000)
@pytest.mark.slow
def test_the_report_of_the_newest_week_that_has_ended_is_in_the_mailbox(served: Served) -> None:
    ended = Week.parse(first_week(served)) + (SAMPLE_WEEKS - 2)

    files = sorted((served.home / "mail").glob("*.eml"))
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]

    reports = [one for one in mails if str(one["Subject"]).startswith(f"[SYNTHETIC] Campaign report {ended}")]
    assert reports
    (leads,) = by_week(served, "sum(leads) AS a", "campaign_metrics")[ended.label]
    for one in reports:
        text = one.get_body(("plain",))
        assert text is not None
        assert f"Leads: {leads:,}" in text.get_content()
        assert {part.get_content_type() for part in one.walk()} >= {"text/plain", "text/html", "image/png"}


# A platform is started, and everything it has is computed twice.
@pytest.mark.timeout(1_200 if SAMPLE_WEEKS < 10 else 9_000)
@pytest.mark.slow
def test_one_backfill_over_all_weeks_is_green_and_the_lake_answers_what_a_recount_finds(served: Served) -> None:
    weekly = sorted(name for name, asset in served.assets().items() if asset.weekly)
    weeks = WeekRange(Week.parse(first_week(served)), Week.parse(first_week(served)) + (SAMPLE_WEEKS - 1))

    backfill = served.backfill(weekly, weeks)

    print(f"{len(weekly)} assets, {len(weeks)} weeks: the run took {backfill.run_seconds:.1f} s")  # noqa: T201
    whole = [{"startKey": weeks.first.key, "endKey": weeks.last.key, "status": "MATERIALIZED"}]
    shown = [asset for asset in served.assets().values() if asset.weekly]
    red = {
        f"{asset.name} {name}": verdict
        for asset in shown
        for name, verdict in asset.checks.items()
        if verdict is None or (not verdict["success"] and verdict["severity"] == "ERROR")
    }
    assert (backfill.status, len(backfill.runs), backfill.error) == ("COMPLETED_SUCCESS", 1, None)
    assert {asset.name: asset.ranges for asset in shown} == dict.fromkeys(weekly, whole)
    assert red == {}
    totals_equal_a_recount(served, weeks)
    views_answer(served)


def totals_equal_a_recount(served: Served, weeks: WeekRange) -> None:
    labels = [week.label for week in weeks]
    files = sorted((served.home / "sample").glob("*.jsonl.gz"))
    recount = Recount(files, f"http://127.0.0.1:{served.base + 3}", labels)

    outcomes = "sum(tasks_submitted) AS a, sum(tasks_returned) AS b, sum(tasks_declined) AS c"
    tasks = by_week(served, outcomes, "throughput")
    reviews = by_week(served, "count(*) AS a, sum(reviewed) AS b, sum(correct) AS c", "quality")
    allocated = ask(served, "SELECT week, hours FROM allocations")
    hours = {label: [json.loads(row["hours"]) for row in allocated if row["week"] == label] for label in labels}

    assert tasks == recount.tasks()
    assert reviews == recount.reviews()
    assert {label: (len(rows), _hours(rows)) for label, rows in hours.items() if rows} == recount.allocated()
    for table in ("members", "projects", "requests"):
        counted = by_week(served, "count(*) AS a", table)
        assert {label: counted.get(label, (0,))[0] for label in labels} == recount.existing(table)


def _hours(rows: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(str(value)) for row in rows for value in row.values()), Decimal(0))


def views_answer(served: Served) -> None:
    """Nobody posts events here: what is over them is empty."""
    over_events = {table.name for table in EVENT_LAKE}
    views = [view.name for view in LAKE_VIEWS.values() if over_events.isdisjoint(view.reads)]
    for name in (*SIX, *views):
        (row,) = ask(served, f"SELECT count(*) AS rows_of_it FROM {name}")  # noqa: S608
        assert row["rows_of_it"] > 0, name
