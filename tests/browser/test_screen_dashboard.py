"""My Dashboard, as an annotator and their lead use it together.

Why real: time off that is asked for in one browser is decided in another, and the first one reads the answer.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.local.demo_users import demo_email
from infra.users import Users
from prism_api.api.calls import Role
from prism_core import clock
from tests.browser.screens import Place, place, signed_in, violations

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("dashboard")) as found:
        user = Users(found.platform.settings).find(demo_email(Role.ANNOTATOR))
        assert user is not None
        ann = {
            "member_id": "ann", "name": "Ann Example", "email": "ann@example.com", "time_zone": "Europe/Madrid",
            "hours": dict.fromkeys(WORKDAYS, 8), "cognito_sub": user.sub,
        }  # fmt: skip
        found.call("POST", "/api/members", ann)
        found.call("POST", "/api/members", ann | {"member_id": "bob", "name": "Bob Example", "cognito_sub": None})
        birds = {"project_id": "birds", "name": "Birds of Spain", "category": "birds-2d", "demand_hours": 40}
        found.call("POST", "/api/projects", birds)
        week = clock.this_week()
        planned = {"week": week.label, "project_id": "birds", "hours": {week.monday.isoformat(): 6}}
        reviewed = {
            "week": week.label,
            "project_id": "birds",
            "category": "birds-2d",
            "reviewed": 40,
            "correct": 38,
        }
        for member in ("ann", "bob"):
            found.call("POST", "/api/allocations", {"member_id": member, **planned})
            found.call("POST", "/api/quality", {"member_id": member, **reviewed})
        yield found


def dialog(page: Page) -> Any:
    return page.get_by_role("dialog")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_annotator_sees_their_own_figures_and_nobody_elses(
    browser: Browser, at: Place, scheme: str, screenshots: Path
) -> None:
    with signed_in(browser, at, Role.ANNOTATOR, scheme=scheme, name=f"figures-{scheme}") as page:
        expect(page.get_by_role("heading", name="Ann Example")).to_be_visible()
        expect(page.get_by_text("95.0 %").first).to_be_visible()
        expect(page.get_by_role("table", name="Reviews")).to_contain_text(
            re.compile(r"83\.5 . 98\.6 %")
        )  # as on Quality
        expect(page.get_by_text("Birds of Spain").first).to_be_visible()
        found = violations(page)
        page.screenshot(path=screenshots / f"screen-dashboard-{scheme}.png")

        assert found == []
        assert "Bob" not in page.content()


def test_a_figure_is_disputed_beside_it_and_the_dispute_can_be_withdrawn(browser: Browser, at: Place) -> None:
    with signed_in(browser, at, Role.ANNOTATOR, name="dispute") as page:
        page.get_by_role("button", name="Dispute correct of birds").click()
        dialog(page).get_by_label("What it should be").fill("39")
        dialog(page).get_by_label("Why").fill("one was right by the guideline")
        found = violations(page)
        dialog(page).get_by_role("button", name="Add", exact=True).click()
        expect(dialog(page)).to_have_count(0)
        opened = at.item("/api/disputes?member_id=ann")["items"]
        page.get_by_role("tab", name="My disputes").click()
        page.get_by_role("link", name="correct").click()
        page.get_by_role("button", name="Withdraw").click()
        page.get_by_role("button", name="Preview").click()
        page.get_by_role("button", name="Write 1 dispute").click()
        expect(page.get_by_text("1 written, 0 failed.").first).to_be_visible()

        assert found == []
        assert [(one["shown"], one["expected"], one["status"]) for one in opened] == [("38", "39", "open")]
        assert [one["status"] for one in at.item("/api/disputes?member_id=ann")["items"]] == ["withdrawn"]


def test_time_off_is_asked_for_declined_with_an_answer_and_asked_for_again(browser: Browser, at: Place) -> None:
    day = ((clock.this_week() + 2).monday + timedelta(days=1)).isoformat()
    with (
        signed_in(browser, at, Role.ANNOTATOR, "/dashboard?tab=time-off", name="asks") as own,
        signed_in(browser, at, Role.LEAD, "/team?tab=time-off", name="decides") as lead,
    ):
        own.get_by_role("button", name="Add day off").click()
        dialog(own).get_by_label("Day").fill(day.replace("-", "/"))
        dialog(own).get_by_label("Reason", exact=False).last.fill("a <b>secret</b>")
        dialog(own).get_by_role("button", name="Add", exact=True).click()
        expect(dialog(own)).to_have_count(0)
        lead.reload()
        lead.get_by_role("row").filter(has_text="Ann Example").get_by_role("checkbox").check()
        lead.get_by_role("button", name="Change 1").click()
        lead.get_by_role("menuitem", name="Decline").click()
        dialog(lead).get_by_label("Answer to the member").fill("the audit is on that day")
        found = violations(lead)
        lead.get_by_role("button", name="Preview").click()
        lead.get_by_role("button", name="Write 1 entry").click()
        expect(lead.get_by_text("1 written, 0 failed.").first).to_be_visible()
        own.reload()
        expect(own.get_by_text("the audit is on that day").first).to_be_visible()

        assert found == []
        assert "secret" not in lead.content()
        entry = at.item("/api/availability?member_id=ann")["items"][0]
        assert (entry["date"], entry["status"], entry["reason"]) == (day, "declined", "a <b>secret</b>")
