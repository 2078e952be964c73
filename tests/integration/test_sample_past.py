"""The sample with its past, loaded. Why real: as-of is read back from the change log that the loader wrote."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from infra.local.platform import Platform
from infra.local.sample.load import load_programme
from infra.local.sample.past import Story, stories
from infra.local.sample.people import synthetic_programme
from prism_core.calendar import WeekRange
from prism_core.history.changes import state_of
from prism_core.models.base import Versioned
from prism_core.tables import TABLES
from prism_resources.aws import client
from prism_resources.tables.bulk import scan_pages
from prism_resources.tables.codec import decode
from prism_resources.tables.history import TableHistory
from prism_resources.tables.store import TableStore, Write
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file()

WEEKS = WeekRange.parse("2026-W42..2026-W44")
UNTIL = datetime(2026, 10, 30, 12, tzinfo=UTC)
INSTANTS = [
    WEEKS.first.start - timedelta(days=1),
    WEEKS.first.end,
    (WEEKS.first + 1).start + timedelta(days=2),
    (WEEKS.first + 1).end,
    UNTIL,
]


@pytest.fixture(scope="module")
def told(platform: Platform) -> dict[str, list[Story]]:
    """Loaded on top of what a start that was killed had left: half of the members as they were created."""
    programme = synthetic_programme(WEEKS, seed=3)
    told = dict(stories(programme, WEEKS, UNTIL))
    spec = TABLES["members"]
    store = TableStore(client(platform.settings, "dynamodb"), platform.settings, spec, spec.model)
    half = [Write(s[0].item, 0, unused=True, recorded=s[0].at) for s in told["members"][:30]]
    author: dict[str, Any] = {
        "actor": "sample",
        "reason": "synthetic sample",
        "request_id": "sample",
        "now": UNTIL,
    }
    store.transact(half, **author)
    load_programme(platform, programme, WEEKS, UNTIL)
    return told


def current(platform: Platform, table: str) -> list[Versioned]:
    spec, settings = TABLES[table], platform.settings
    pages = scan_pages(client(settings, "dynamodb"), settings.table_name(table), 2)
    found = [cast("Versioned", decode(spec, spec.model, raw)) for page in pages for raw in page]
    return [one for one in found if "/syn-" in spec.item_key(spec.key_of(one))]


@pytest.mark.parametrize("table", ["members", "projects", "allocations", "availability", "requests", "quality"])
def test_every_table_at_any_instant_is_what_the_story_tells(
    platform: Platform, told: dict[str, list[Story]], table: str
) -> None:
    spec = TABLES[table]
    history = TableHistory(client(platform.settings, "dynamodb"), platform.settings)
    rows = current(platform, table)

    for instant in INSTANTS:
        found = history.list_at(spec, rows, instant, now=datetime.now(UTC), max_weeks=None, max_changes=None)
        mine = {key: state for key, state in found.items() if "/syn-" in key}
        expected = {}
        for story in told[table]:
            steps = [step for step in story if step.at <= instant]
            if steps:
                item = steps[-1].item
                expected[spec.item_key(spec.key_of(item))] = state_of(item) | {"version": len(steps)}
        assert mine == expected


def test_loading_the_same_sample_again_changes_nothing(platform: Platform, told: dict[str, list[Story]]) -> None:
    before = {one.model_dump_json() for one in current(platform, "projects")}

    load_programme(platform, synthetic_programme(WEEKS, seed=3), WEEKS, UNTIL)

    assert {one.model_dump_json() for one in current(platform, "projects")} == before
    assert len(before) == len(told["projects"])
