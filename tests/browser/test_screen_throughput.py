"""The Throughput screen in a browser over a running platform.

Why real: which rows a preview refuses, what stays selected and what a link shows again, a browser knows.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from infra.local.platform import Platform
from prism_api.api.calls import Role
from prism_core import clock
from prism_core.calendar import Week
from prism_core.evidence import Cause
from prism_core.models.restatements import Restatement
from prism_core.models.work import ThroughputDay, ThroughputWeek
from prism_core.tables import RESTATEMENTS, THROUGHPUT
from prism_resources.aws import client
from prism_resources.tables.bulk import batch_write, put_request
from prism_resources.tables.codec import encode
from prism_resources.tables.generations import Generations
from tests.browser.screens import Place, asked_of, asked_one_way, place, signed_in, violations

# Ended, and among the weeks that corrections are listed of.
WEEK = clock.this_week() + -1
BACK = 7
MEMBERS = ("ada", "bo", "cy")
STRANGER = "worker:pool#9f2c"


def fact(week: Week, member: str, tasks: int, project: str = "birds") -> ThroughputWeek:
    days = tuple(
        ThroughputDay(
            day=week.days[number],
            tasks_submitted=tasks + number,
            tasks_returned=number,
            wall_seconds=6 * 3_600,
            active_seconds=None if member == STRANGER else 5 * 3_600 + 900,
            tasks_per_hour=Decimal(tasks + number) / 6,
        )
        for number in range(5)
    )
    return ThroughputWeek(
        project_id=project, week=week, member_id=member, days=days,
        worker_resolved=member != STRANGER, project_resolved=True,
    )  # fmt: skip


def restatement() -> Restatement:
    return Restatement(
        week=WEEK, table="throughput", new_generation=2, old_generation=1, measure="tasks_submitted",
        subject=f"birds | bo | {WEEK.monday}", member_id="bo", project_id="birds",
        old=Decimal(17), new=Decimal(20), cause=Cause.LATE_RECORD, causes=(Cause.LATE_RECORD,),
        restated_at=datetime.now(UTC), evidence={"records": {"late_record": 3}},
    )  # fmt: skip


def publish(platform: Platform) -> None:
    dynamodb, settings = client(platform.settings, "dynamodb"), platform.settings
    published = Generations(dynamodb, settings, THROUGHPUT, ThroughputWeek)
    for back in range(-BACK, 0):
        rows = [fact(WEEK + back, member, 20 + back % 3 * 4) for member in MEMBERS]
        published.replace(WEEK + back, rows, now=datetime.now(UTC))
    rows = [fact(WEEK, "ada", 24), fact(WEEK, "bo", 20), fact(WEEK, "cy", 9, "trees"), fact(WEEK, STRANGER, 31)]
    published.replace(WEEK, rows, now=datetime.now(UTC))
    batch_write(dynamodb, settings.table_name("restatements"), (put_request(encode(RESTATEMENTS, restatement())),))


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("throughput")) as found:
        for name in MEMBERS:
            fields = {"member_id": name, "name": f"{name.title()} Example", "email": f"{name}@example.com"}
            found.call("POST", "/api/members", {**fields, "time_zone": "UTC"})
        for name in ("birds", "trees"):
            project = {"project_id": name, "name": name.title(), "category": f"{name}-2d", "demand_hours": 40}
            found.call("POST", "/api/projects", project)
        publish(found.platform)
        yield found


def row(page: Page | Locator, words: str) -> Locator:
    return page.get_by_role("row", name=re.compile(words))


def corrections(at: Place) -> list[tuple[object, ...]]:
    found = at.item(f"/api/corrections?week={WEEK}")["items"]
    return [(one["from_member"], one["from_project"], one["to_member"], one["reason"]) for one in found]


def test_a_lead_moves_misattributed_work_a_row_that_fails_stays_selected_and_the_move_is_taken_back(
    browser: Browser, at: Place
) -> None:
    with signed_in(browser, at, Role.LEAD, f"/throughput?week={WEEK}", name="throughput-move") as page:
        for name in (f"{STRANGER} on birds", "ada on birds"):
            page.get_by_role("checkbox", name=f"Select {name}").check()
        page.get_by_role("button", name="Move 2").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Belongs to member").click()
        page.get_by_role("option", name=re.compile("Ada Example")).click()
        expect(dialog.get_by_role("button", name="Preview")).to_be_disabled()
        dialog.get_by_label("Why").fill("<b>Ada</b> worked as a guest 🙂")
        found = list(violations(page))
        dialog.get_by_role("button", name="Preview").click()
        expect(dialog.get_by_text("1 would be written, 1 would fail.").first).to_be_visible()
        expect(row(dialog, "ada on birds.*fails.*changes nothing")).to_be_visible()
        expect(row(dialog, "worker:pool.*ok.*165 tasks count for ada")).to_be_visible()
        found += violations(page)
        assert corrections(at) == []
        dialog.get_by_role("button", name="Write 1").click()
        expect(dialog.get_by_text("1 written, 1 failed.").first).to_be_visible()
        dialog.get_by_role("button", name="Close", exact=True).last.click()
        expect(page.get_by_role("checkbox", name="Select ada on birds")).to_be_checked()
        expect(page.get_by_role("checkbox", name=f"Select {STRANGER} on birds")).not_to_be_checked()
        assert corrections(at) == [(STRANGER, "birds", "ada", "<b>Ada</b> worked as a guest 🙂")]
        page.get_by_role("button", name="Undo").first.click()
        expect(page.get_by_text("Undone.").first).to_be_visible()
        assert corrections(at) == []
        chosen = disputed_and_corrected(at)
        page.goto(f"{at.origin}/throughput?tab=disputes&status=open")
        page.get_by_role("link", name="Bo Example").click()
        page.get_by_role("button", name="It is corrected").click()
        expect(dialog.get_by_role("button", name="Preview")).to_be_disabled()
        dialog.get_by_label("Correction").click()
        page.get_by_role("option", name=f"{WEEK}: bo on birds → cy, “typed by another”").click()
        found += violations(page)
        dialog.get_by_role("button", name="Preview").click()
        dialog.get_by_role("button", name="Write 1 dispute").click()
        expect(dialog.get_by_text("1 written, 0 failed.").first).to_be_visible()

    assert found == []
    (answered,) = at.item("/api/disputes?member_id=bo")["items"]
    assert (answered["status"], answered["correction_id"]) == ("corrected", chosen)


def disputed_and_corrected(at: Place) -> str:
    """A figure of a member that is said to be wrong, and the correction that answers it: its id."""
    disputed = {"table": "throughput", "week": WEEK.label, "member_id": "bo", "project_id": "birds"}
    figure = {"field": "tasks_submitted", "shown": "110", "expected": "90", "reason": "twenty were typed by Cy"}
    at.call("POST", "/api/disputes", disputed | figure)
    moved = {"table": "throughput", "week": WEEK.label, "from_member": "bo", "from_project": "birds"}
    made = at.call("POST", "/api/corrections", moved | {"to_member": "cy", "reason": "typed by another"})
    return made["correction_id"]


def test_an_analyst_reads_days_with_both_clocks_and_what_was_restated_and_a_link_shows_the_same(
    browser: Browser, at: Place
) -> None:
    with signed_in(browser, at, Role.ANALYST, f"/throughput?week={WEEK}", name="throughput-days") as page:
        expect(row(page, r"worker:pool.*no member")).to_be_visible()
        expect(page.get_by_role("button", name="Move")).to_have_count(0)
        filters = page.get_by_label("Filter throughput")
        filters.fill("Member id = bo")
        filters.press("Enter")
        expect(page.get_by_role("link", name="Ada Example")).to_have_count(0)
        page.get_by_role("link", name="Bo Example").click()
        asked: list[str] = []
        for again in range(2):
            expect(row(page, "Bo Example.*110.*30.0 h.*26.3 h.*restated")).to_be_visible()
            expect(row(page, "^Mon.*20 0 6.0 h 5.3 h")).to_be_visible()
            expect(row(page, f"{WEEK.monday} tasks submitted 17 20 late")).to_be_visible()
            expect(page.get_by_role("link", name="Ada Example")).to_have_count(0)
            if not again:
                asked = asked_of(page)
                page.reload()
        page.get_by_role("button", name="The weeks as figures").click()
        expect(row(page, f"^{WEEK} 110 .* 30.0 h 26.3 h")).to_be_visible()
        assert asked_one_way(asked, "/api/throughput", "/api/throughput-trend", "/api/members", "/api/projects")
        page.goto(f"{at.origin}/throughput?week={WEEK}&as_of={clock.now() - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}")
        expect(page.get_by_text("Figures of now, not of").first).to_be_visible()
        expect(page.get_by_text(f"Of {WEEK} 1 figure was restated since.").first).to_be_visible()
        page.get_by_role("main").get_by_role("link", name="Restatements", exact=True).click()
        expect(page.get_by_text("Figures of now, not of").first).to_be_visible()
        expect(row(page, "Bo Example.*tasks submitted 17 20")).to_be_visible()
        page.get_by_role("button", name="Back to now").click()
        expect(page.get_by_text("Figures of now, not of")).to_have_count(0)
        page.get_by_role("checkbox", name=re.compile("^Select tasks_submitted of birds")).check()
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as got:
            page.get_by_role("menuitem", name="Selected rows (1) as CSV").click()

        assert got.value.suggested_filename.startswith("restatements-")
        assert len(got.value.path().read_text("utf-8-sig").splitlines()) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_weeks_corrections_and_restatements_are_accessible(
    browser: Browser, at: Place, scheme: str, screenshots: Path
) -> None:
    address = f"/throughput?week={WEEK}"
    with signed_in(browser, at, Role.LEAD, address, scheme=scheme, name=f"throughput-{scheme}") as page:
        expect(row(page, "Ada Example")).to_be_visible()
        expect(page.get_by_role("application", name="Tasks submitted by week")).to_be_visible()
        page.screenshot(path=screenshots / f"screen-throughput-{scheme}.png")
        found = list(violations(page))
        page.get_by_role("link", name="Bo Example").click()
        page.get_by_role("button", name="The weeks as figures").click()
        expect(page.get_by_role("table", name="Restated figures")).to_be_visible()
        found += violations(page)
        page.get_by_role("tab", name="Corrections").click()
        page.get_by_role("button", name="Add correction").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        found += violations(page)
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        page.get_by_role("tab", name="Restatements").click()
        expect(row(page, "Bo Example.*tasks submitted 17 20 late record")).to_be_visible()
        found += violations(page)

    assert found == []
