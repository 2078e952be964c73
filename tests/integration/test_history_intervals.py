"""Rows of now and the log of a real table become the states of any instant.

Why real: which changes a partition of the log answers, page by page, is the service's own rule.
"""

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.history.changes import state_of
from prism_core.history.snapshots import ends_of
from prism_core.lake import Column
from prism_core.lake_tables import LAKE_TABLES
from prism_core.models.people import Member
from prism_core.models.projects import Project
from prism_core.settings import Settings
from prism_core.tables import MEMBERS, PROJECTS
from prism_resources.aws import client
from prism_resources.forgetting import forget_member
from prism_resources.history import changes
from prism_resources.history.as_of import table_at
from prism_resources.history.changes import change_batches
from prism_resources.history.intervals import StateIntervals
from prism_resources.history.text import ColumnText, carried
from prism_resources.tables.history import TableHistory
from prism_resources.tables.raw import Page, RawTables
from prism_resources.tables.store import TableStore
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file()

COLUMNS = LAKE_TABLES["projects"].columns
BEGAN = datetime(2018, 8, 16, 9, tzinfo=UTC)
WEEKS = [Week.parse("2018-W32") + number for number in range(8)]
Recorded = list[tuple[datetime, dict[str, Project]]]


@pytest.fixture(scope="module")
def settings(platform: Platform) -> Settings:
    return platform.settings


@pytest.fixture(scope="module")
def projects(settings: Settings) -> TableStore[Project]:
    return TableStore(client(settings, "dynamodb"), settings, PROJECTS, Project)


@pytest.fixture(scope="module")
def recorded(projects: TableStore[Project]) -> Recorded:
    """Sixty writes over six weeks: creations, edits of some fields, deletions, and creations anew."""
    rng, now, items, found = random.Random(4), BEGAN, dict[str, Project](), Recorded()
    prefix = f"P-{uuid.uuid4().hex[:8]}"
    for number in range(60):
        now += timedelta(hours=rng.randrange(1, 36))
        by: dict[str, Any] = {"actor": "lead-1", "reason": "", "request_id": f"{prefix}-{number}", "now": now}
        key = f"{prefix}-{rng.randrange(8)}"
        item = items.get(key)
        if item is None:
            items[key] = projects.create(_project(key, rng), **by)
        elif rng.random() < 0.2:
            projects.delete(items.pop(key), expected_version=item.version, **by)
        else:
            change = _project(key, rng).model_copy(update={"version": item.version})
            items[key] = projects.update(change, expected_version=item.version, **by)
        found.append((now, dict(items)))
    return found


def _project(key: str, rng: random.Random) -> Project:
    return Project.model_validate(
        {
            "project_id": key,
            "name": f"project {rng.randrange(3)}",
            "category": "video",
            "priority": rng.randrange(1, 4),
            "demand_hours": f"{rng.randrange(40)}.50",
            "sla_date": rng.choice([None, "2018-12-24"]),
            "skills": [{"name": "video", "level": rng.randrange(1, 3)}] if rng.random() < 0.5 else [],
        }
    )


def rows_of(projects: TableStore[Project]) -> pa.RecordBatch:
    items = list(projects.parallel_scan(2))
    texts = [ColumnText(PROJECTS, column) for column in carried(COLUMNS)]
    found: dict[str, Any] = {
        "item_key": [PROJECTS.item_key(PROJECTS.key_of(item)) for item in items],
        "version": [item.version for item in items],
    }
    for text in texts:
        values = [text.of_plain(state_of(item).get(text.field)) for item in items]
        found[text.name] = pa.array(values, pa.string())
    return pa.RecordBatch.from_pydict(found)


def shown(items: dict[str, Project]) -> Iterator[tuple[str, int, str, float, Any, str]]:
    for key in sorted(items):
        item = items[key]
        skills = str([{"level": one.level, "name": one.name} for one in item.skills]).replace("'", '"')
        yield key, item.version, item.name, float(item.demand_hours), item.sla_date, skills.replace(" ", "")


def test_every_week_is_what_was_recorded(
    settings: Settings, projects: TableStore[Project], recorded: Recorded
) -> None:
    now = datetime.now(UTC)
    weeks = ends_of(WEEKS, now)
    mine = {key for _, items in recorded for key in items}
    with StateIntervals(COLUMNS) as intervals:
        intervals.add_rows(rows_of(projects))
        for batch in change_batches(settings, PROJECTS, COLUMNS, min(weeks.values()), now + timedelta(minutes=1)):
            intervals.add_changes(batch)
        found = {label: _of_table(table, mine) for label, table in intervals.at(weeks)}

    expected = {
        label: list(shown(next((items for at, items in reversed(recorded) if at <= end), {})))
        for label, end in weeks.items()
    }

    assert found == expected
    assert len({str(rows) for rows in found.values()}) > 5


def _of_table(table: pa.Table, keys: set[str]) -> Sequence[Any]:
    names = ("project_id", "version", "name", "demand_hours", "sla_date", "skills")
    return [tuple(row[name] for name in names) for row in table.to_pylist() if row["project_id"] in keys]


def test_the_log_is_read_from_a_little_before_the_instant_and_to_the_end_in_pages(
    settings: Settings, projects: TableStore[Project], recorded: Recorded
) -> None:
    since, until = recorded[20][0], recorded[40][0]
    seen: list[tuple[int, int]] = []
    columns = (Column("priority", "bigint", "1 is the most urgent"),)

    batches = change_batches(
        settings, PROJECTS, columns, since, until, page_size=2, progress=lambda *done: seen.append(done)
    )
    found = {ulid for batch in batches for ulid in batch.column("ulid").to_pylist()}

    history = TableHistory(client(settings, "dynamodb"), settings)
    between = {change.ulid for change in history.between(PROJECTS, since, until)}
    assert between < found
    assert len(found - between) == 1  # the one of `since` itself
    assert seen[-1][0] == seen[-1][1] == len(seen)


def test_pages_of_bytes_follow_one_another(
    settings: Settings, projects: TableStore[Project], recorded: Recorded
) -> None:
    decoder = msgspec.json.Decoder(Page[msgspec.Raw])
    request = {"TableName": settings.table_name("changelog"), "Limit": 7}

    pages = list(RawTables(settings).pages("Scan", [request], decoder))

    assert sum(map(len, pages)) >= len(recorded)
    assert max(map(len, pages)) == 7


def test_a_table_at_an_instant_reads_as_the_list_that_is_undone_change_by_change(
    settings: Settings, projects: TableStore[Project], recorded: Recorded
) -> None:
    now = datetime.now(UTC)
    history = TableHistory(client(settings, "dynamodb"), settings)
    for instant in (BEGAN, recorded[15][0], recorded[40][0], now):
        items = projects.parallel_scan(2)
        expected = history.list_at(PROJECTS, items, instant, now=now, max_weeks=None, max_changes=None)

        found = list(table_at(settings, projects, instant, now=now))

        assert found == list(expected.values())


def test_a_change_of_a_row_that_was_read_late_is_undone(
    settings: Settings, projects: TableStore[Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading the rows takes longer than anybody foresaw, and the last one changed just before it was read."""
    key, now = f"P-{uuid.uuid4().hex[:8]}", datetime.now(UTC)
    by: dict[str, Any] = {"actor": "lead-1", "reason": "", "request_id": uuid.uuid4().hex}
    first = projects.create(_project(key, random.Random(1)), now=BEGAN, **by)
    late = now + timedelta(hours=2)
    changed = first.model_copy(update={"name": "named late"})
    scan = projects.parallel_scan

    def slow(segments: int) -> Iterator[Project]:
        projects.update(changed, expected_version=1, now=late, **by)
        monkeypatch.setattr("prism_resources.history.changes.datetime", _Later)
        yield from scan(segments)

    class _Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return late.astimezone(tz)

    monkeypatch.setattr(projects, "parallel_scan", slow)

    found = {row["project_id"]: row for row in table_at(settings, projects, BEGAN, now=now)}

    assert (found[key]["name"], found[key]["version"]) == (first.name, 1)


@pytest.mark.usefixtures("recorded")
def test_a_small_log_is_scanned_and_answers_what_its_partitions_answer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    since, until = BEGAN, BEGAN + timedelta(days=100)

    def read() -> list[dict[str, Any]]:
        found = change_batches(settings, PROJECTS, COLUMNS, since, until, page_size=7)
        return sorted((row for batch in found for row in batch.to_pylist()), key=lambda row: row["ulid"])

    asked = read()
    monkeypatch.setattr(changes, "SCAN_PARTITIONS", 0)

    assert read() == asked != []


def test_personal_values_of_the_past_are_opened_and_those_of_the_forgotten_are_not(settings: Settings) -> None:
    dynamodb, now = client(settings, "dynamodb"), datetime.now(UTC)
    members = TableStore(dynamodb, settings, MEMBERS, Member)
    base = {"time_zone": "UTC", "hours": {"mon": "7.50"}}
    by: dict[str, Any] = {"actor": "lead-1", "reason": "", "request_id": uuid.uuid4().hex}
    keys = [f"M-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for key in keys:
        said = base | {"member_id": key, "name": "Ana", "email": "ana@example.org"}
        first = members.create(Member.model_validate(said), now=BEGAN, **by)
        later = BEGAN + timedelta(days=9)
        members.update(first.model_copy(update={"name": "Anna"}), expected_version=1, now=later, **by)
    forget_member(dynamodb, settings, keys[1], actor="dpo", reason="asked", request_id=uuid.uuid4().hex, now=now)

    store = TableStore(dynamodb, settings, MEMBERS, Member)  # with no key in memory
    found = {row["member_id"]: row for row in table_at(settings, store, BEGAN + timedelta(days=1), now=now)}

    kept, lost = found[keys[0]], found[keys[1]]
    assert (kept["name"], kept["hours"], kept["version"]) == ("Ana", {"mon": "7.50"}, 1)
    assert (lost["name"], lost["hours"]) == ({"forgotten": True}, {"mon": "7.50"})
