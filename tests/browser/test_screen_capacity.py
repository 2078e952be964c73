"""The Capacity screen in a browser over a running platform: a week planned, decided and published by keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from prism_api.api.calls import Role
from prism_core import clock
from tests.browser.screens import Place, place, signed_in, violations

WEEK = (clock.this_week() + 2).label
DAYS = ("mon", "tue", "wed", "thu", "fri")
SOLVED_MS = 90_000


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Forty members, three of whom know lidar, two projects, of which one wants more lidar than there is."""
    with place(tmp_path_factory.mktemp("screens")) as found:
        people = [
            {
                "member_id": f"m-{number:02}", "name": f"Member {number:02}", "email": f"m{number}@example.com",
                "team": "lidar" if number < 3 else "boxes", "time_zone": "UTC", "hours": dict.fromkeys(DAYS, 8),
                "skills": [{"name": "lidar", "level": 4}] if number < 3 else [],
            }
            for number in range(40)
        ]  # fmt: skip
        found.call(
            "POST", "/api/members/bulk", {"rows": [{"operation": "create", "fields": one} for one in people]}
        )
        night = {
            "project_id": "night",
            "name": "Night scenes",
            "category": "c",
            "demand_hours": 150,
            "priority": 1,
        }
        found.call("POST", "/api/projects", night | {"skills": [{"name": "lidar", "level": 3}]})
        boxes = {"project_id": "boxes", "name": "City boxes", "category": "c", "demand_hours": 900}
        found.call("POST", "/api/projects", boxes)
        yield found


def rows(at: Place) -> list[Any]:
    return at.item(f"/api/allocations?week={WEEK}&limit=200")["items"]


def cell(page: Page, row: int, column: int) -> Any:
    return page.locator(f'[data-cell="{row} {column}"]')


def tab_to(page: Page, name: str) -> None:
    """Reaches a button as a keyboard does."""
    button = page.get_by_role("button", name=name, exact=True).first
    button.focus()
    page.keyboard.press("Enter")


def test_a_lead_plans_pins_publishes_and_takes_it_back_by_keyboard(browser: Browser, at: Place) -> None:
    with signed_in(browser, at, Role.LEAD, f"/capacity?week={WEEK}", name="capacity-job") as page:
        expect(page.get_by_role("grid")).to_be_visible()
        tab_to(page, "Run the engine")
        found = [*violations(page)]
        page.get_by_label("Seconds to look for a better plan").fill("99")
        tab_to(page, "Run")
        expect(page.get_by_text("Not asked for")).to_be_visible()
        page.get_by_label("Seconds to look for a better plan").fill("0")
        tab_to(page, "Run")
        expect(page.get_by_text("Proposed by the plan")).to_be_visible(timeout=SOLVED_MS)
        expect(cell(page, 0, 1)).to_contain_text("Night scenes")
        assert rows(at) == []

        cell(page, 0, 0).focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        expect(cell(page, 1, 1)).to_be_focused()
        page.keyboard.press("p")
        expect(page.get_by_text("Pinned hours of Member 01.")).to_be_visible()
        expect(cell(page, 1, 1).get_by_label("pinned")).to_be_visible()
        page.keyboard.press("Control+End")
        expect(cell(page, 39, 8)).to_be_focused()
        assert [(one["member_id"], one["pinned"]) for one in rows(at)] == [("m-01", True)]

        tab_to(page, "Publish")
        expect(page.get_by_role("table", name="Hours that change")).to_be_visible()
        found += violations(page)
        page.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).press("Enter")
        expect(page.get_by_text("Published:")).to_be_visible(timeout=SOLVED_MS)
        published = {one["member_id"] for one in rows(at)}
        expect(page.get_by_text("What stands")).to_be_visible()
        page.get_by_role("button", name="Undo", exact=True).first.press("Enter")
        expect(page.get_by_text(f"The publication of {WEEK} was taken back.")).to_be_visible(timeout=SOLVED_MS)

        assert len(published) > 20
        assert {one["member_id"] for one in rows(at)} == {"m-01"}
        assert found == []


def test_open_demand_tells_why_and_candidates_and_the_link_shows_the_same(
    browser: Browser, at: Place, screenshots: Path
) -> None:
    plan = at.item(f"/api/capacity/{WEEK}/plans")["items"][0]["plan_id"]
    for scheme in ("light", "dark"):
        path = f"/capacity?week={WEEK}&plan={plan}"
        with signed_in(browser, at, Role.ANALYST, path, scheme=scheme, name=f"capacity-{scheme}") as page:
            expect(cell(page, 0, 1)).to_contain_text("Night scenes")
            expect(page.get_by_role("button", name="Run the engine")).to_have_count(0)
            page.screenshot(path=screenshots / f"screen-capacity-{scheme}.png")
            found = [*violations(page)]
            page.get_by_role("tab", name="Utilisation").click()
            expect(page.get_by_text("Hours by day")).to_be_visible()
            found += violations(page)
            page.screenshot(path=screenshots / f"screen-capacity-utilisation-{scheme}.png")
            page.get_by_role("tab", name="Open demand").click()
            page.get_by_role("button", name="Candidates for night").click()
            expect(page.get_by_role("heading", name="Why")).to_be_visible()
            expect(page.get_by_text("everybody who could has better work").first).to_be_visible()
            page.reload()
            expect(page.get_by_role("heading", name="Why")).to_be_visible()
            page.screenshot(path=screenshots / f"screen-capacity-open-{scheme}.png")
            found += violations(page)
            assert found == []


def test_an_annotator_has_no_capacity_and_the_past_is_read_only(browser: Browser, at: Place) -> None:
    with signed_in(browser, at, Role.ANNOTATOR, name="capacity-annotator") as page:
        expect(page.get_by_role("navigation", name="Screens").get_by_role("link", name="Capacity")).to_have_count(
            0
        )
    past = f"/capacity?week={WEEK}&as_of={clock.now():%Y-%m-%dT%H:%M:%SZ}"
    with signed_in(browser, at, Role.LEAD, past, name="capacity-as-of") as page:
        expect(page.get_by_text("As known on")).to_be_visible()
        expect(page.get_by_role("grid")).to_be_visible()
        expect(page.get_by_role("button", name="Run the engine")).to_have_count(0)
