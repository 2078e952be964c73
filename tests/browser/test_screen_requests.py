"""The Requests screen in a browser over a running platform: what waits, what it would take, and its decision."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from prism_api.api.calls import Role
from tests.browser.screens import Place, place, signed_in, violations
from tests.integration.helpers import stay_within

DAYS = ("mon", "tue", "wed", "thu", "fri")
LONG = "a second pass over the night scenes <b>now</b> 🌙 مرحبا"


def in_days(days: int) -> date:
    """Of the day that the test runs on: that of the import may be over."""
    return datetime.now(UTC).date() + timedelta(days=days)


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Two members of whom one knows lidar, a project of 30 hours a week, and requests at every step."""
    with place(tmp_path_factory.mktemp("screens")) as found:
        for name, level in (("ada", 4), ("bo", 1)):
            fields = {
                "member_id": name, "name": f"{name.title()} Example", "email": f"{name}@example.com",
                "time_zone": "Europe/Madrid", "hours": dict.fromkeys(DAYS, 8),
                "skills": [{"name": "lidar", "level": level}],
            }  # fmt: skip
            found.call("POST", "/api/members", fields)
        project = {"project_id": "night", "name": "Night scenes", "category": "lidar-3d", "demand_hours": 30}
        found.call("POST", "/api/projects", project)
        yield found


def asked(at: Place, due: int, hours: int, *steps: str, **fields: Any) -> Any:
    """A request that is due in so many days and has taken these steps."""
    wish = {
        "due_date": in_days(due).isoformat(), "hours": hours, "requester": "Cleo Example",
        "reason": LONG, "project_id": "night", "skills": [{"name": "lidar", "level": 3}],
    }  # fmt: skip
    made = at.call("POST", "/api/requests", wish | fields)
    for step in steps:
        path = f"/api/requests/{made['key']}/decision"
        made = at.call("POST", path, {"status": step, "decision": "as agreed"}, **{"If-Match": "*"})
    return made


def row(page: Page, request: Any) -> Any:
    return page.get_by_role("row").filter(has=page.locator(f'a[href="?item={request["key"]}"]'))


def take(page: Page, step: str, why: str | None = None) -> None:
    """A step of the open item: asked, previewed, written."""
    page.get_by_role("button", name=step, exact=True).click()
    dialog = page.get_by_role("dialog")
    if why is not None:
        dialog.get_by_label("Why").fill(why)
    dialog.get_by_role("button", name="Preview").click()
    dialog.get_by_role("button", name="Write 1 request").click()
    expect(dialog.get_by_text("1 written, 0 failed.").first).to_be_visible()
    dialog.get_by_role("button", name="Close", exact=True).click()


def answer_lost(route: Route) -> None:
    """The request arrives and is written; the browser never hears of it."""
    route.fetch()
    route.abort()


def status(at: Place, request: Any) -> Any:
    return at.item(f"/api/requests/{request['key']}")["status"]


def test_a_lead_enters_a_request_sees_what_it_takes_and_decides_it_to_the_end(browser: Browser, at: Place) -> None:
    with signed_in(browser, at, Role.LEAD, "/requests", name="requests-job") as page:
        page.get_by_role("button", name="Add request").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Requester").fill("Dana Example")
        dialog.get_by_role("textbox", name="Reason", exact=True).fill(LONG)
        dialog.get_by_label("Hours in all").fill("a lot")
        dialog.get_by_label("Due").first.fill(in_days(21).strftime("%Y/%m/%d"))
        dialog.get_by_role("button", name="Add", exact=True).click()
        expect(dialog.get_by_text("Not saved").first).to_be_visible()
        dialog.get_by_label("Hours in all").fill("200,5")
        due = dialog.get_by_label("Due").first.input_value()
        dialog.get_by_label("Due").first.fill("9999/12/31")
        dialog.get_by_role("button", name="Add", exact=True).click()
        expect(dialog.get_by_text("the last one is 2199-12-31").first).to_be_visible()
        dialog.get_by_label("Due").first.fill(due)
        page.route("**/api/requests", answer_lost)
        dialog.get_by_role("button", name="Add", exact=True).click()
        expect(dialog.get_by_text("The platform does not answer.").first).to_be_visible()
        page.unroute("**/api/requests")
        dialog.get_by_role("button", name="Add", exact=True).click()
        expect(dialog).to_have_count(0)
        (made,) = at.item("/api/requests?q=Dana")["items"]
        row(page, made).get_by_role("link").click()
        expect(page.get_by_text("It names no project").first).to_be_visible()
        take(page, "Triage")
        expect(page.get_by_role("table", name="Hours of the request by week").get_by_role("row")).to_have_count(4)
        take(page, "Approve", "fits the next weeks")
        expect(page.get_by_text("fits the next weeks").first).to_be_visible()
        take(page, "Mark fulfilled")
        expect(row(page, made)).to_have_count(0)

        after = at.item(f"/api/requests/{made['key']}")
        assert (after["status"], after["decision"], after["hours"]) == (
            "fulfilled",
            "fits the next weeks",
            "200.50",
        )
        assert after["reason"] == LONG


def test_late_ones_stand_first_and_say_so_in_words_and_the_preview_names_what_is_short(
    browser: Browser, at: Place, screenshots: Path
) -> None:
    stay_within(timedelta(days=1), 120)  # it is late by days
    late = asked(at, -3, 20, "triaged")
    short = asked(at, 16, 400, requester="Eli Example")
    for step in ([], ["triaged"], ["triaged", "approved"]):
        asked(at, 30, 12, *step, requester="Fay Example", skills=[])
    for scheme in ("light", "dark"):
        path = f"/requests?item={short['key']}"
        with signed_in(browser, at, Role.ANALYST, path, scheme=scheme, name=f"requests-{scheme}") as page:
            expect(row(page, late).get_by_text("3 days late")).to_be_visible()
            flag = row(page, late).get_by_role("gridcell").filter(has_text="3 days late")
            expect(flag.locator("svg")).to_be_visible()
            expect(page.get_by_role("row").nth(1)).to_contain_text("3 days late")
            expect(page.get_by_text(re.compile(r"\d+ h too few with the skills")).first).to_be_visible()
            expect(page.get_by_role("button", name="Triage", exact=True)).to_have_count(0)
            expect(page.get_by_role("button", name="Add request")).to_have_count(0)
            page.reload()
            expect(page.get_by_text(re.compile(r"\d+ h too few with the skills")).first).to_be_visible()
            page.screenshot(path=screenshots / f"screen-requests-{scheme}.png")
            assert violations(page) == []


def test_what_somebody_else_decided_meanwhile_is_told_and_nothing_is_written_over(
    browser: Browser, at: Place
) -> None:
    request = asked(at, 9, 5, "triaged")
    with signed_in(browser, at, Role.LEAD, f"/requests?item={request['key']}", name="requests-stale") as page:
        page.get_by_role("button", name="Decline", exact=True).click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name="Preview")).to_be_disabled()
        dialog.get_by_label("Why").fill("no room")
        found = violations(page)
        dialog.get_by_role("button", name="Preview").click()
        path = f"/api/requests/{request['key']}/decision"
        at.call("POST", path, {"status": "approved"}, **{"If-Match": "*"})
        dialog.get_by_role("button", name="Write 1 request").click()
        expect(dialog.get_by_text("0 written, 1 failed.").first).to_be_visible()

        assert found == []
        assert status(at, request) == "approved"


def test_many_are_triaged_at_once_and_no_undo_is_offered_that_would_be_refused(
    browser: Browser, at: Place
) -> None:
    waiting, decided = asked(at, 12, 5), asked(at, 12, 5, "triaged")
    with signed_in(browser, at, Role.LEAD, "/requests", name="requests-bulk") as page:
        for one in (waiting, decided):
            row(page, one).get_by_role("checkbox").check()
        page.get_by_role("button", name="Change 2").click()
        page.get_by_role("menuitem", name="Triage").click()
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("1 would be written, 1 would fail.").first).to_be_visible()
        page.get_by_role("button", name="Write 1 request").click()
        expect(page.get_by_text("1 written, 1 failed.").first).to_be_visible()
        page.get_by_role("button", name="Close", exact=True).click()
        expect(page.get_by_text("Triage: 1 request written.").first).to_be_visible()
        expect(page.get_by_role("button", name="Undo", exact=True)).to_have_count(0)

        assert status(at, waiting) == "triaged"


def test_an_annotator_has_no_requests(browser: Browser, at: Place) -> None:
    with signed_in(browser, at, Role.ANNOTATOR, name="requests-annotator") as page:
        expect(page.get_by_role("navigation", name="Screens").get_by_role("link", name="Requests")).to_have_count(
            0
        )
