"""The Capacity screen in a browser over a running platform: a week planned, decided and published by keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect

from prism_api.api.calls import Role
from prism_core import clock
from prism_core.calendar import Week
from tests.browser.screens import LATER, WINDOW, Place, place, signed_in, violations

WEEK = (clock.this_week() + 2).label
GRID = f"Members and days of {WEEK}"
DAYS = ("mon", "tue", "wed", "thu", "fri")
SOLVED_MS = 90_000
# Whether a cell comes to rest where nothing cuts it off: the head of the grid, its end, that of the window.
IN_SIGHT = """async (cell) => {
    const grid = cell.closest('[role=grid]');
    for (let frame = 0, still = 0; frame < 300; frame += 1) {
        const box = cell.getBoundingClientRect(), around = grid.getBoundingClientRect();
        const head = grid.querySelector('.plan-head').getBoundingClientRect().bottom;
        const seen = box.top >= head - 1 && box.bottom <= Math.min(around.bottom, window.innerHeight) + 1;
        still = seen ? still + 1 : 0;
        if (still > 5) return true;
        await new Promise(requestAnimationFrame);
    }
    return false;
}"""
LOW = ViewportSize(width=1440, height=620)
# From the top of the page round to its top again, with room.
MOST_TABS = 90


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


def goes_to(page: Page, key: str, row: int) -> None:
    """A key leads to this row, of which one sees all."""
    page.keyboard.press(key)
    at = cell(page, row, 1)
    expect(at).to_be_focused()
    assert at.evaluate(IN_SIGHT), f"row {row} is cut off after {key}"


def tab_to(page: Page, name: str, role: Any = "button") -> None:
    """Presses Tab until what has this name has the focus, as somebody without a mouse does."""
    wanted = page.locator(":focus").and_(page.get_by_role(role, name=name, exact=True))
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.count() == 1:
            return
    raise AssertionError(f"{MOST_TABS} times Tab do not lead to {role} {name!r}")


def press(page: Page, name: str) -> None:
    tab_to(page, name)
    page.keyboard.press("Enter")


def tab_to_cell(page: Page, grid: str, *keys: str) -> None:
    """Into a grid, which is one stop of Tab, to its first cell, and on by the keys of grids."""
    wanted = page.get_by_role("grid", name=grid).or_(page.get_by_role("table", name=grid)).first
    expect(wanted).to_be_visible()
    focus = wanted.locator(":focus")
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if focus.count() == 1:
            break
    for key in ("Control+Home", *keys):
        page.keyboard.press(key)


def test_a_lead_plans_pins_publishes_reassigns_and_takes_it_back_by_keyboard_alone(
    browser: Browser, at: Place
) -> None:
    with signed_in(browser, at, Role.LEAD, f"/capacity?week={WEEK}", name="capacity-job") as page:
        expect(page.get_by_role("grid")).to_be_visible(timeout=SOLVED_MS)  # the first calls start functions
        press(page, "Run the engine")
        found = [*violations(page)]
        tab_to(page, "Seconds to look for a better plan", "textbox")
        page.keyboard.type("99")
        press(page, "Run")
        expect(page.get_by_text("Not asked for").first).to_be_visible()
        page.keyboard.press("Shift+Tab")
        tab_to(page, "Seconds to look for a better plan", "textbox")
        page.keyboard.type("0")
        press(page, "Run")
        expect(page.get_by_text("Proposed by the plan").first).to_be_visible(timeout=SOLVED_MS)
        expect(cell(page, 0, 1)).to_contain_text("Night scenes")
        assert rows(at) == []

        tab_to_cell(page, GRID, "ArrowDown", "ArrowRight")
        expect(cell(page, 1, 1)).to_be_focused()
        page.keyboard.press("p")
        expect(page.get_by_text("Pinned hours of Member 01.").first).to_be_visible()
        expect(cell(page, 1, 1).get_by_label("pinned")).to_be_visible()
        page.set_viewport_size(LOW)  # the grid ends below the window
        for key, row in (("PageDown", 11), ("PageDown", 21), ("ArrowDown", 22), ("PageUp", 12), ("PageUp", 2)):
            goes_to(page, key, row)
        page.set_viewport_size(WINDOW)
        page.keyboard.press("Control+End")
        expect(cell(page, 39, 8)).to_be_focused()
        assert [(one["member_id"], one["pinned"]) for one in rows(at)] == [("m-01", True)]

        tab_to(page, "Members and days", "tab")
        for key in ("ArrowRight", "ArrowRight", "Enter"):
            page.keyboard.press(key)
        tab_to_cell(page, "Open demand", "ArrowDown", "End", "Enter")
        expect(page.get_by_text("Nobody who has the skills has an hour more.").first).to_be_visible()
        expect(page.get_by_role("heading", name="Why")).to_be_visible()

        press(page, "Publish")
        expect(page.get_by_role("table", name="Hours that change")).to_be_visible()
        found += violations(page)
        press(page, "Publish")
        expect(page.get_by_text("Published:").first).to_be_visible(timeout=SOLVED_MS)
        published = {one["member_id"] for one in rows(at)}
        expect(page.get_by_text("What stands").first).to_be_visible()
        tab_to(page, "Open demand", "tab")
        for key in ("Home", "Enter"):
            page.keyboard.press(key)
        tab_to_cell(page, GRID, "End", "ArrowLeft", "ArrowLeft", "ArrowLeft", "M")
        expect(page.get_by_text("Reassign Night scenes of Member 00").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        press(page, "Take the publication back")
        expect(page.get_by_role("dialog").get_by_text("which get the hours of before").first).to_be_visible()
        found += violations(page)
        asked = {one["member_id"] for one in rows(at)}
        taken_back = page.get_by_text(f"The publication of {WEEK} was taken back.").first
        press(page, "Take it back")
        expect(taken_back).to_be_visible(timeout=SOLVED_MS)
        press(page, "Undo")
        expect(page.get_by_text(f"The publication of {WEEK} stands again.").first).to_be_visible(timeout=SOLVED_MS)
        again = {one["member_id"] for one in rows(at)}
        press(page, "Undo")
        expect(taken_back).to_be_visible(timeout=SOLVED_MS)

        assert asked == again == published
        assert len(published) > 20
        assert {one["member_id"] for one in rows(at)} == {"m-01"}
        assert found == []


def solved(at: Place, **scenario: Any) -> str:
    """The id of a plan that the engine has made."""
    wish = {"seconds": 0, **({"scenario": scenario} if scenario else {})}
    plan = at.call("POST", f"/api/capacity/{WEEK}/plans", wish)["plan_id"]
    deadline = monotonic() + SOLVED_MS / 1000
    while at.item(f"/api/capacity/{WEEK}/plans/{plan}")["status"] != "draft":
        assert monotonic() < deadline, "the engine does not answer"
        sleep(0.3)
    return plan


def stands_as_planned(at: Place, plan: str, same: str, other: str) -> int:
    """What a plan gives two members stands already, but that one's Monday lies on Saturday; answers its hours."""
    monday, saturday = (Week.parse(WEEK).days[number].isoformat() for number in (0, 5))
    found = at.item(f"/api/capacity/{WEEK}/plans/{plan}/result")["assignments"]
    for one in found:
        if one["member_id"] in {same, other}:
            hours = one["by_day"]
            if one["member_id"] == other:
                hours[saturday] = hours.pop(monday)
            row = {name: one[name] for name in ("member_id", "project_id")}
            at.call("POST", "/api/allocations", {**row, "week": WEEK, "hours": hours})
    return int(float(next(one["by_day"][saturday] for one in found if one["member_id"] == other)))


def test_who_publishes_second_is_shown_what_stands_now_and_then_moves_hours_by_hand(
    browser: Browser, at: Place
) -> None:
    """Two leads with a plan each; then one plan beside the other, and a piece dragged to somebody else."""
    plans = {"base": solved(at), "without 05": solved(at, name="without 05", leave=["m-05"])}
    moved = stands_as_planned(at, plans["base"], "m-08", "m-07")
    address = f"/capacity?week={WEEK}&plan="
    with (
        signed_in(browser, at, Role.LEAD, address + plans["base"], name="publishes-first") as first,
        signed_in(browser, at, Role.ADMIN, address + plans["without 05"], name="publishes-second") as second,
    ):
        for page in (first, second):
            page.get_by_role("button", name="Publish", exact=True).click()
            expect(page.get_by_role("table", name="Hours that change")).to_be_visible()
        changes = second.get_by_role("table", name="Hours that change").get_by_role("row")
        alone = changes.count()
        previewed = first.get_by_role("table", name="Hours that change").get_by_role("row")
        expect(previewed.filter(has_text="Member 08")).to_have_count(0)
        expect(previewed.filter(has_text="Member 07")).to_contain_text(f"Mon 0 → {moved}")
        expect(previewed.filter(has_text="Member 07")).to_contain_text(f"Sat {moved} → 0")
        publish(first)
        expect(first.get_by_text("Published:").first).to_be_visible(timeout=SOLVED_MS)
        second.get_by_role("dialog").get_by_label("publish it although").check()
        publish(second)
        expect(second.get_by_text("Not published").first).to_be_visible(timeout=SOLVED_MS)
        expect(changes).not_to_have_count(alone)
        found = [*violations(second)]
        publish(second)
        expect(second.get_by_text("Published:").first).to_be_visible(timeout=SOLVED_MS)
        standing = {one["member_id"] for one in rows(at)}

        second.goto(f"{at.origin}{address}{plans['without 05']}&tab=plans")
        second.get_by_role("button", name=re.compile("^Compare with base")).first.click()
        for again in range(2):
            expect(second.get_by_role("table", name="Difference of two plans")).to_contain_text("Member 05")
            if not again:
                second.reload()
        second.goto(f"{at.origin}/capacity?week={WEEK}&tab=open")  # as an alert leads there
        expect(second.get_by_role("button", name="Candidates for night")).to_be_visible()
        second.goto(f"{at.origin}/capacity?week={WEEK}")
        cell(second, 6, 2).locator(".plan-piece").drag_to(cell(second, 5, 4))
        expect(second.get_by_text("h of City boxes go from Member 06 to Member 05.").first).to_be_visible()
        found += violations(second)
        (row,) = (one for one in rows(at) if (one["member_id"], one["project_id"]) == ("m-06", "boxes"))
        less = {"hours": {**dict.fromkeys(row["hours"]), Week.parse(WEEK).monday.isoformat(): 2}}
        at.call("PATCH", f"/api/allocations/{row['key']}", less, **{"If-Match": "*"})
        read_anew_behind_the_dialog(second)
        now = second.get_by_text("2 h of City boxes go from Member 06 to Member 05.", exact=True)
        expect(now.first).to_be_visible()
        choose_twice_the_first_answers_last(second, "Member 04", "Member 05")
        expect(second.get_by_text("h of City boxes go from Member 06 to Member 05.").first).to_be_visible()
        second.get_by_role("dialog").get_by_role("button", name="Reassign", exact=True).click()
        expect(second.get_by_text("City boxes moved to Member 05.").first).to_be_visible()
        moved = {one["member_id"] for one in rows(at)}
        second.get_by_role("button", name="Undo", exact=True).first.click()
        expect(second.get_by_text("Undone.").first).to_be_visible()

        assert "m-05" not in standing
        assert moved == standing - {"m-06"} | {"m-05"}
        assert {one["member_id"] for one in rows(at)} == standing
        assert found == []


def choose_twice_the_first_answers_last(page: Page, first: str, second: str) -> None:
    """Two members in the dialog of a reassignment, of whom the first one's rehearsal is held back."""
    calls, held = "**/api/allocations/reassign", list[Route]()
    page.route(calls, lambda route: route.continue_() if held else held.append(route))
    for name, until in ((first, page.expect_request), (second, page.expect_response)):
        page.get_by_role("dialog").get_by_label("To", exact=False).click()
        with until(calls):
            page.get_by_role("option", name=name).click()
    expect(page.get_by_text(f"to {second}.").first).to_be_visible()
    with page.expect_response(calls):
        held[0].continue_()


def publish(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()


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
            cell(page, 0, 1).focus()
            cell(page, 3, 3).hover()
            page.mouse.wheel(0, 5_000)
            expect(cell(page, 39, 1)).to_be_in_viewport()
            expect(cell(page, 0, 1)).to_be_focused()
            page.keyboard.press("ArrowDown")
            expect(cell(page, 1, 1)).to_be_focused()
            found = [*violations(page)]
            page.emulate_media(media="print")
            expect(page.locator("[data-cell$=' 0']")).to_have_count(40)  # those out of sight, too
            expect(page.get_by_role("button", name="Member 39")).to_be_visible()
            expect(page.get_by_role("navigation", name="Screens")).to_have_count(0)
            expect(page.locator("body.awsui-dark-mode")).to_have_count(0)
            page.screenshot(path=screenshots / f"screen-capacity-paper-{scheme}.png", full_page=True)
            page.emulate_media(media="screen")
            search = page.get_by_label("Find members, teams and projects")
            search.press_sequentially("Member 0")
            expect(search).to_have_value("Member 0")
            expect(page.get_by_text("10 of 40 members").first).to_be_visible()
            page.get_by_role("button", name="Export").click()
            with page.expect_download() as got:
                page.get_by_role("menuitem", name="What stands of the 10 members found as CSV").click()
            assert got.value.suggested_filename.startswith("allocations-")
            written = re.findall(r"\bm-\d\d\b", Path(got.value.path()).read_text("utf-8-sig"))
            assert set(written) == {one["member_id"] for one in rows(at) if one["member_id"] < "m-10"}
            page.get_by_role("tab", name="Utilisation").click()
            expect(page.get_by_text("Hours by day").first).to_be_visible()
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


def test_a_candidate_for_open_demand_is_pinned_by_keyboard(browser: Browser, at: Place) -> None:
    """Somebody who is kept off the project, and whom it needs."""
    off = {"hours": {Week.parse(WEEK).monday.isoformat(): 0}, "pinned": True}
    standing = [one for one in rows(at) if (one["member_id"], one["project_id"]) == ("m-02", "night")]
    if standing:
        at.call("PATCH", f"/api/allocations/{standing[0]['key']}", off, **{"If-Match": "*"})
    else:
        at.call("POST", "/api/allocations", {"member_id": "m-02", "week": WEEK, "project_id": "night", **off})

    address = f"/capacity?week={WEEK}&plan={solved(at)}&tab=open"
    with signed_in(browser, at, Role.LEAD, address, name="capacity-candidate") as page:
        expect(page.get_by_role("button", name="Candidates for night")).to_be_visible()
        tab_to_cell(page, "Open demand", "ArrowDown", "End", "Enter")
        expect(page.get_by_role("button", name="Pin hours of Member 02")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Pin hours of Member 02")).to_be_visible()
        (row,) = (one for one in rows(at) if (one["member_id"], one["project_id"]) == ("m-02", "night"))
        off["hours"] = {Week.parse(WEEK).monday.isoformat(): 3}
        at.call("PATCH", f"/api/allocations/{row['key']}", off, **{"If-Match": "*"})
        read_anew_behind_the_dialog(page)
        press(page, "Pin")
        expect(page.get_by_text("Not pinned").first).to_be_visible()
        expect(page.get_by_role("dialog").get_by_text("Now 3", exact=True)).to_be_visible()
        press(page, "Pin")
        expect(page.get_by_text("Pinned hours of Member 02.").first).to_be_visible()
        what_a_plan_knows_as_pinned_is_unpinned_and_pinned_again(page)
        what_stands_on_a_project_is_shown_and_replaced_by_exactly_what_is_pinned(page, at)

    pinned = next(one for one in rows(at) if (one["member_id"], one["project_id"]) == ("m-02", "night"))
    assert (pinned["pinned"], sum(float(one) for one in pinned["hours"].values()) > 0) == (True, True)


def what_a_plan_knows_as_pinned_is_unpinned_and_pinned_again(page: Page) -> None:
    page.get_by_role("tab", name="Members and days").click()
    cell(page, 1, 1).focus()
    for words, pins in (("Unpinned hours of Member 01.", 0), ("Pinned hours of Member 01.", 1)):
        page.keyboard.press("p")
        expect(page.get_by_text(words, exact=True).first).to_be_visible()
        expect(cell(page, 1, 1).get_by_label("pinned")).to_have_count(pins)


def what_stands_on_a_project_is_shown_and_replaced_by_exactly_what_is_pinned(page: Page, at: Place) -> None:
    def of_night() -> dict[str, str]:
        (row,) = (one for one in rows(at) if (one["member_id"], one["project_id"]) == ("m-01", "night"))
        return row["hours"]

    monday, tuesday = (day.isoformat() for day in Week.parse(WEEK).days[:2])
    before = of_night()
    hours = f"{float(before[monday]):g}"
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pin hours on a project").click()
    dialog = page.get_by_role("dialog")
    for project, value, told in (("City boxes", "", False), ("Night scenes", hours, True)):
        dialog.get_by_label("Project").click()
        page.get_by_role("option", name=project).click()
        expect(dialog.get_by_label(re.compile("^Mon "))).to_have_value(value)
        expect(dialog.get_by_text(f"Now {hours}", exact=True).first).to_be_visible(visible=told)
    dialog.get_by_label(re.compile("^Tue ")).fill("")
    dialog.get_by_role("button", name="Pin", exact=True).click()
    expect(dialog).to_have_count(0)
    assert of_night() == {day: given for day, given in before.items() if day != tuesday}


def read_anew_behind_the_dialog(page: Page) -> None:
    """As where somebody comes back to a window after a minute."""
    page.evaluate(LATER, 60_000)
    with page.expect_response("**/api/allocations?*") as answered:
        page.evaluate("() => window.dispatchEvent(new Event('visibilitychange'))")
    answered.value.finished()


def two_alike(at: Place) -> str:
    """A week of two projects whose names begin with the same words, too long for a cell."""
    week = Week.parse(WEEK) + 1
    for member, name in (("m-00", "gates"), ("m-01", "roofs")):
        project = {"project_id": name, "name": f"Autumn project {name}", "category": "c", "demand_hours": 1}
        at.call("POST", "/api/projects", project)
        row = {"member_id": member, "week": week.label, "project_id": name}
        at.call("POST", "/api/allocations", row | {"hours": {week.monday.isoformat(): 4}})
    return week.label


def test_an_annotator_has_no_capacity_and_the_past_is_read_only(browser: Browser, at: Place) -> None:
    week = two_alike(at)
    with signed_in(browser, at, Role.ANNOTATOR, name="capacity-annotator") as page:
        expect(page.get_by_role("navigation", name="Screens").get_by_role("link", name="Capacity")).to_have_count(
            0
        )
    past = f"/capacity?week={week}&as_of={clock.now():%Y-%m-%dT%H:%M:%SZ}"
    with signed_in(browser, at, Role.LEAD, past, name="capacity-as-of") as page:
        expect(page.get_by_text("As known on").first).to_be_visible()
        expect(page.get_by_role("grid")).to_be_visible()
        expect(page.get_by_role("button", name="Run the engine")).to_have_count(0)
        page.get_by_role("button", name="Back to now").click()
        expect(page.get_by_text("Left out of names: “Autumn project”.")).to_be_visible()
        for member, name in enumerate(("gates", "roofs")):
            piece = cell(page, member, 1).locator(".plan-piece")
            expect(piece).to_have_attribute("title", f"Autumn project {name} ({name})")
            expect(piece.locator(".plan-project")).to_have_text(f"Autumn project …{name}")
