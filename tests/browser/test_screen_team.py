"""The Team screen, and with it what all screens share, in a browser over a running platform.

Why real: whether an edit is lost, a policy is broken or a page can be read is known when a browser does it.
"""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from prism_api.api.calls import Role
from prism_core import clock
from prism_core.models.views import SavedView, Screen, Visibility
from prism_core.models.workers import Worker
from prism_core.tables import SAVED_VIEWS, WORKERS
from prism_resources.aws import client
from prism_resources.tables.store import TableStore
from tests.browser.screens import Place, give_password, place, signed_in, violations

MEMBERS = ("ada", "bo", "cy", "dee", "fay", "gil")
DAYS = ("mon", "tue", "wed", "thu", "fri")
TEAMS = ("boxes", "lidar", "boxes", "lidar", "still", "still")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("screens")) as found:
        for number, name in enumerate(MEMBERS):
            fields = {
                "member_id": name, "name": f"{name.title()} Example", "email": f"{name}@example.com",
                "team": TEAMS[number], "time_zone": "Europe/Madrid", "location": "ES",
                "skills": [{"name": "lidar", "level": 3}], "hours": dict.fromkeys(DAYS, 8),
            }  # fmt: skip
            found.call("POST", "/api/members", fields)
        yield found


TOKEN_RAN_OUT = """() => {
    const name = Object.keys(sessionStorage).find((one) => one.startsWith('oidc.user:'));
    sessionStorage.setItem(name, JSON.stringify({...JSON.parse(sessionStorage.getItem(name)), expires_at: 1}));
}"""


def row(page: Page, name: str) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name))


def choose(page: Page, menu: str | re.Pattern[str], *items: str) -> None:
    page.get_by_role("button", name=menu).click()
    for item in items:
        page.get_by_role("menuitem", name=item).first.click()


def without_an_end(route: Route) -> None:
    """As a list that has always one page more; not that of one's own."""
    if "owner=" in route.request.url:
        return route.continue_()
    page = route.fetch(url=re.sub("&cursor=[^&]*", "", route.request.url)).json()
    page["items"] = [{**one, "key": f"{one['key']}-{number}"} for one in page["items"] for number in range(200)]
    return route.fulfill(json={**page, "next": "more"})


def set_input(page: Page, label: str, value: str) -> None:
    page.get_by_role("dialog").get_by_label(label).fill(value)


def member(at: Place, name: str) -> Any:
    return at.item(f"/api/members/{name}")


# Every screen, with what shows that it has read what it shows.
SCREENS = {
    "Team": "Members", "Capacity": "Capacity", "Requests": "Requests that wait", "Throughput": "Throughput",
    "Quality": "Scores", "Bug Tracker": "Bugs", "My Dashboard": "You are no member",
    "Alerts": "Alerts that stand", "Reports": "Reports", "Events": "Promises", "Status": "Newest editions",
    "Import": "Import a workbook",
}  # fmt: skip
OWN = ("Bug Tracker", "My Dashboard")
READ = tuple(screen for screen in SCREENS if screen != "Import")


@pytest.mark.parametrize(
    ("role", "screens", "writes"),
    [(Role.ADMIN, SCREENS, 1), (Role.LEAD, SCREENS, 1), (Role.ANALYST, READ, 0), (Role.ANNOTATOR, OWN, 0)],
)
def test_everybody_signs_in_and_every_screen_of_their_role_works_and_no_other_is_offered(
    browser: Browser, at: Place, role: Role, screens: Collection[str], writes: int
) -> None:
    refused: list[str] = []
    with signed_in(browser, at, role, name=f"role-{role}") as page:
        page.on("response", lambda one: refused.append(one.url) if one.status >= 400 else None)
        links = page.get_by_role("navigation", name="Screens").get_by_role("link")
        expect(links.filter(has_text=re.compile("|".join(SCREENS)))).to_have_text(list(screens))
        for screen in screens:
            links.filter(has_text=re.compile(f"^{screen}$")).click()
            expect(page.get_by_text(SCREENS[screen], exact=True).first).to_be_visible()
            expect(page.get_by_text(re.compile("^Loading"))).to_have_count(0)
            if screen == "Team":
                expect(page.get_by_role("link", name="Ada Example")).to_be_visible()
                expect(page.get_by_role("button", name="Add member")).to_have_count(writes)
                expect(page.get_by_role("button", name="Change", exact=True)).to_have_count(writes)
        if "Team" not in screens:
            page.goto(f"{at.origin}/team")
            expect(page.get_by_text("Team is not for your role").first).to_be_visible()

    # Nobody of these accounts is a member: asking for their own figures is answered so.
    assert [url for url in refused if not url.endswith("/api/me")] == []


def test_a_lead_adds_a_member_edits_them_reads_the_history_and_takes_the_edit_back(
    browser: Browser, at: Place
) -> None:
    with signed_in(browser, at, Role.LEAD, "/team", name="team-job") as page:
        page.get_by_role("button", name="Add member").click()
        for label, value in (("Id", "eve"), ("Name", "Eve <b>Bold</b> 🙂 مرحبا"), ("E-mail", "eve@example.com")):
            set_input(page, label, value)
        set_input(page, "Time zone", "Mars/Olympus")
        set_input(page, "Mon", "abc")
        expect(page.get_by_role("dialog").get_by_text(re.compile(r"^\S a week$"))).to_be_visible()
        page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("dialog").get_by_text("Mars/Olympus").last).to_be_visible()
        expect(page.get_by_role("dialog").get_by_label("Mon")).to_have_value("abc")
        set_input(page, "Time zone", "Europe/Lisbon")
        set_input(page, "Mon", "7,5")
        page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("link", name="Eve <b>").click()

        page.get_by_role("button", name="Edit", exact=True).click()
        set_input(page, "Team", "video")
        set_input(page, "Mon", "")
        set_input(page, "Tue", "6")
        set_input(page, "Reason of the change", "moves to vidéo")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("moves to vidéo").first).to_be_visible()
        after = member(at, "eve")
        expect(page.get_by_text("saved.").first).to_be_visible()  # the message above that of the addition
        page.get_by_role("button", name="Undo", exact=True).first.click()
        expect(page.get_by_text("Undone.").first).to_be_visible()

        assert (after["team"], after["hours"], after["name"]) == (
            "video",
            {"tue": "6.00"},
            "Eve <b>Bold</b> 🙂 مرحبا",
        )
        assert (member(at, "eve")["team"], member(at, "eve")["hours"]) == (None, {"mon": "7.50"})


def test_of_two_people_who_edit_a_member_the_second_compares_and_nothing_is_lost(
    browser: Browser, at: Place
) -> None:
    with (
        signed_in(browser, at, Role.LEAD, "/team?item=ada", name="first") as first,
        signed_in(browser, at, Role.ADMIN, "/team?item=ada", name="second") as second,
    ):
        for page in (first, second):
            page.get_by_role("button", name="Edit", exact=True).click()
        set_input(first, "Team", "of-the-first")
        set_input(second, "Team", "of-the-second")
        set_input(second, "Location", "FR")
        first.get_by_role("button", name="Save", exact=True).click()
        expect(first.get_by_role("dialog")).to_have_count(0)
        second.get_by_role("button", name="Save", exact=True).click()
        expect(second.get_by_text("was changed by somebody else").first).to_be_visible()
        found = violations(second)
        second.get_by_role("radiogroup", name="Keep for Team").get_by_label("What is there now").check()
        second.get_by_role("button", name="Save as chosen").click()
        expect(second.get_by_role("dialog")).to_have_count(0)

        assert found == []
        assert (member(at, "ada")["team"], member(at, "ada")["location"]) == ("of-the-first", "FR")


def test_a_bulk_edit_is_previewed_tells_each_row_and_keeps_those_that_failed_selected(
    browser: Browser, at: Place
) -> None:
    with signed_in(browser, at, Role.LEAD, "/team", name="bulk") as page:
        for name in ("Bo Example", "Cy Example"):
            row(page, name).get_by_role("checkbox").check()
        at.call("PATCH", "/api/members/cy", {"name": "Cy Changed"}, **{"If-Match": "*"})
        choose(page, "Change 2", "Set the team")
        set_input(page, "Team", "night")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("1 would be written, 1 would fail.").first).to_be_visible()
        page.get_by_role("button", name="Back").press("Escape")
        expect(row(page, "Cy Changed").get_by_role("checkbox")).to_be_checked()  # as it is by now
        choose(page, "Change 2", "Set the team")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("2 would be written, 0 would fail.").first).to_be_visible()
        page.get_by_role("button", name="Back").press("Escape")
        at.call("PATCH", "/api/members/cy", {"name": "Cy Changed again"}, **{"If-Match": "*"})
        choose(page, "Change 2", "Set the team")
        expect(page.get_by_role("dialog").get_by_label("Team")).to_have_value("night")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("1 would be written, 1 would fail.").first).to_be_visible()
        before = member(at, "bo")["team"]
        page.get_by_role("button", name="Write 1 member").click()
        expect(page.get_by_text("1 written, 1 failed.").first).to_be_visible()
        found = violations(page)
        page.get_by_role("button", name="Close", exact=True).click()

        expect(row(page, "Cy Changed again").get_by_role("checkbox")).to_be_checked()
        expect(row(page, "Bo Example").get_by_role("checkbox")).not_to_be_checked()
        assert found == []
        assert (before, member(at, "bo")["team"], member(at, "cy")["team"]) == ("lidar", "night", "boxes")


def test_a_link_shows_what_its_sender_saw_and_a_saved_view_brings_it_back(browser: Browser, at: Place) -> None:
    shared_by(at, "bo")
    with signed_in(browser, at, Role.LEAD, "/team", name="address") as page:
        filters = page.get_by_label("Filter members")
        filters.fill("Team = still")
        filters.press("Enter")
        expect(page.get_by_text("Team = still").first).to_be_visible()
        page.get_by_role("columnheader", name="Name").get_by_role("button").first.press("Enter")
        expect(page).to_have_url(re.compile(r"team=still&sort=-name"))
        expect(page.get_by_role("link", name="Example")).to_have_text(["Gil Example", "Fay Example"])
        choose(page, "Views", "Save this view")
        set_input(page, "Name", "Still, last first")
        page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        link = page.url
        page.reload()
        expect(page.get_by_text("Team = still").first).to_be_visible()
        page.goto(f"{at.origin}/team")
        page.get_by_role("button", name="Views").click()
        expect(page.get_by_role("menuitem", name="Of the night shift").first).to_contain_text("by Bo Example")
        page.get_by_role("menuitem", name="Still, last first").first.click()

        expect(page).to_have_url(link)
        page.get_by_role("button", name="Views").click()
        expect(page.get_by_role("menuitem", name="Delete “Of the night shift”")).to_have_count(0)  # not theirs
        page.get_by_role("menuitem", name="Delete “Still, last first”").click()
        expect(page.get_by_text("The view “Still, last first” was deleted.").first).to_be_visible()
        page.get_by_role("button", name="Undo", exact=True).click()
        expect(page.get_by_text("The view “Still, last first” is there again.").first).to_be_visible()
        page.get_by_role("button", name="Views").click()
        page.get_by_role("menuitem", name="Still, last first").first.click()
        expect(page).to_have_url(link)
        page.route("**/api/saved-views*", without_an_end)
        page.reload()
        expect(page.get_by_text("There are more than 800 saved views.").first).to_be_visible()


def shared_by(at: Place, member_id: str) -> None:
    """A view of a member: the demo users are none."""
    now = datetime.now(UTC)
    view = SavedView(
        view_id="v-1", owner=member_id, screen=Screen.TEAM, name="Of the night shift",
        visibility=Visibility.SHARED, state={"team": ("night",)}, created=now,
    )  # fmt: skip
    author: dict[str, Any] = {"actor": "test", "reason": "", "request_id": "view-1", "now": now}
    settings = at.platform.settings
    store = TableStore(client(settings, "dynamodb"), settings, SAVED_VIEWS, SavedView)
    store.put(view, expected_version=0, **author)


def test_a_list_whose_rows_are_on_their_way_shows_those_of_before_and_takes_the_next_wish(
    browser: Browser, at: Place
) -> None:
    asked: list[str] = []
    with signed_in(browser, at, Role.LEAD, "/team", name="on-their-way") as page:
        expect(page.get_by_role("link", name="Gil Example")).to_be_visible()

        def never_the_first(route: Route) -> None:
            if "team=still" in route.request.url:
                route.continue_()

        page.route("**/api/members?*", never_the_first)
        page.on("request", lambda one: asked.append(one.url))
        page.get_by_role("columnheader", name="Name").get_by_role("button").first.press("Enter")
        busy = page.locator("[aria-busy=true]")
        expect(busy.get_by_role("link", name="Gil Example")).to_be_visible()
        filters = page.get_by_label("Filter members")
        filters.fill("Team = still")
        filters.press("Enter")

        expect(page.get_by_text("Team = still").first).to_be_visible()
        expect(page).to_have_url(re.compile(r"team=still"))
        expect(busy).to_have_count(0)
        expect(page.get_by_role("link", name="Example")).to_have_text(["Gil Example", "Fay Example"])
    wishes = [one for one in asked if "/api/members?" in one]
    assert [("team=still" in one, "sort=-name" in one) for one in wishes[:2]] == [(False, True), (True, True)]


def test_rows_are_asked_for_where_a_pointer_rests_and_shown_only_once_it_presses(
    browser: Browser, at: Place
) -> None:
    def names(page: Page) -> list[str]:
        return [one for one in page.locator("tbody th").all_inner_texts() if one]

    with signed_in(browser, at, Role.LEAD, "/team", name="ahead") as page:
        page.evaluate("() => localStorage.setItem('prism.table.team.members', JSON.stringify({ pageSize: 3 }))")
        page.reload()
        expect(page.locator("tbody th")).to_have_count(3)
        first = names(page)
        with page.expect_response(lambda one: "cursor=" in one.url) as answered:
            page.get_by_role("button", name="Next page").hover()
        answered.value.finished()
        still = names(page)
        page.get_by_role("button", name="Next page").click()
        expect(page.locator("tbody th").first).not_to_have_text(first[0])
        then = names(page)

    assert still == first
    assert set(then).isdisjoint(first)


def test_a_list_as_it_was_known_says_so_and_cannot_be_edited(browser: Browser, at: Place) -> None:
    instant = datetime.now(UTC)
    at.call("PATCH", "/api/members/dee", {"name": "Dee Renamed"}, **{"If-Match": "*"})

    with signed_in(browser, at, Role.LEAD, f"/team?as_of={instant:%Y-%m-%dT%H:%M:%S.%fZ}", name="as-of") as page:
        expect(page.get_by_role("link", name="Dee Example")).to_be_visible()
        expect(
            page.get_by_text(re.compile(r"As known on \d{4}-\d\d-\d\d \d\d:\d\d \(Europe/Madrid\)"))
        ).to_be_visible()
        expect(page.get_by_role("button", name="Add member")).to_have_count(0)
        found = [*violations(page)]
        page.get_by_role("button", name="Back to now").click()

        expect(page.get_by_role("link", name="Dee Renamed")).to_be_visible()
        page.get_by_role("button", name="As of").click()
        found += violations(page)
        page.get_by_role("dialog").get_by_role("button", name="Show").click()
        expect(page.get_by_text("As known on").first).to_be_visible()
        assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_part_of_the_screen_can_be_read_by_everybody(
    browser: Browser, at: Place, scheme: str, screenshots: Path
) -> None:
    with signed_in(browser, at, Role.LEAD, "/team?item=gil", scheme=scheme, name=f"parts-{scheme}") as page:
        expect(page.get_by_text("create", exact=True).first).to_be_visible()
        found = {"Member": violations(page)}
        for part in ("Time off", "Calendar", "Load", "Workers"):
            page.get_by_role("tab", name=part).click()
            expect(page.get_by_text(re.compile("^Loading"))).to_have_count(0)
            found[part] = violations(page)
            page.screenshot(path=screenshots / f"screen-team-{part}-{scheme}.png")

        assert {part: words for part, words in found.items() if words} == {}


def test_what_is_asked_for_in_the_calendar_leads_to_its_approval(browser: Browser, at: Place) -> None:
    gone = {"member_id": "hal", "name": "Hal Gone", "email": "hal@example.com", "hours": {"mon": 8}}
    at.call("POST", "/api/members", gone | {"time_zone": "UTC"})
    day = clock.this_week().monday.isoformat()
    asked = [{"member_id": name, "date": day, "hours_off": 8, "code": "vacation"} for name in ("hal", "gil")]
    *_, key = [at.call("POST", "/api/availability", one)["key"] for one in asked]
    at.call("PATCH", "/api/members/hal", {"status": "inactive"}, **{"If-Match": "*"})

    with signed_in(browser, at, Role.LEAD, "/team?tab=calendar", name="calendar") as page:
        expect(page.get_by_text("(1 here)").first).to_be_visible()
        expect(page).to_have_url(re.compile(r"tab=calendar&week=\d{4}-W\d\d$"))  # as somebody else is to see it
        page.get_by_role("link", name="8? hours off are asked for").click()
        page.get_by_role("button", name="Approve").click()
        page.get_by_role("button", name="Preview").click()
        page.get_by_role("button", name="Write 1 entry").click()
        expect(page.get_by_text("1 written, 0 failed.").first).to_be_visible()
        expect(page.get_by_text("Approve: 1 entry written.").first).to_be_visible()
        expect(page.get_by_text("Undo", exact=True)).to_have_count(0)

        assert at.item(f"/api/availability/{key}")["status"] == "approved"
        page.goto(f"{at.origin}/team?tab=time-off&status=approved")
        link = page.get_by_role("row").filter(has_text="Gil Example").get_by_role("link").get_attribute("href")
        assert link == f"?tab=time-off&status=approved&item={quote(key, safe='')}"
        page.goto(f"{at.origin}/team{link}")  # what a colleague gets, or another tab
        expect(page.get_by_text("Status = approved").first).to_be_visible()
        expect(page.get_by_role("heading", name="gil on")).to_be_visible()
        page.get_by_role("row").filter(has_text="Gil Example").get_by_role("checkbox").check()
        page.get_by_role("button", name="Export").click()
        expect(
            page.get_by_role("menuitem", name="All rows from last week to eleven weeks ahead as CSV")
        ).to_be_visible()
        page.keyboard.press("Escape")
        choose(page, "Change 1", "Delete")
        page.get_by_role("button", name="Preview").click()
        page.get_by_role("button", name="Write 1 entry").click()
        page.get_by_role("button", name="Close", exact=True).last.click()
        expect(page.get_by_role("heading", name="gil on")).to_have_count(0)
        expect(page).to_have_url(f"{at.origin}/team?tab=time-off&status=approved")


def test_a_worker_is_named_by_a_suggestion_and_a_name_can_be_taken_back(browser: Browser, at: Place) -> None:
    seen = datetime.now(UTC)
    worker = Worker(
        worker_key="pool-1#sub-1", pool="pool-1", sub="sub-1", first_seen=seen - timedelta(days=3), last_seen=seen
    )
    author: dict[str, Any] = {"actor": "test", "reason": "", "request_id": "worker-1", "now": seen}
    settings = at.platform.settings
    TableStore(client(settings, "dynamodb"), settings, WORKERS, Worker).put(worker, expected_version=0, **author)

    with signed_in(browser, at, Role.LEAD, "/team?tab=workers&status=unresolved", name="worker") as page:
        page.get_by_role("link", name="pool-1#sub-1").click()
        page.get_by_role("button", name="Say who it is").click()
        page.get_by_role("dialog").get_by_role("button", name="Member").click()
        page.get_by_role("option", name="Gil Example").click()
        page.get_by_role("button", name="Preview").click()
        page.get_by_role("button", name="Write 1 worker").click()
        expect(page.get_by_text("1 written, 0 failed.").first).to_be_visible()
        resolved = at.item("/api/workers?status=resolved")["items"]
        page.get_by_role("button", name="Close", exact=True).click()

        assert [[period["member"] for period in one["periods"]] for one in resolved] == [["gil"]]
        expect(page.get_by_text("Nobody waits for a name").first).to_be_visible()


def test_what_was_typed_outlives_a_platform_that_is_away_and_a_session_that_ends(
    browser: Browser, at: Place
) -> None:
    with signed_in(browser, at, Role.LEAD, "/team?item=fay", name="away") as page:
        page.get_by_role("button", name="Edit", exact=True).click()
        set_input(page, "Team", "typed")
        page.evaluate(TOKEN_RAN_OUT)  # as in a computer that wakes up without its network
        page.context.set_offline(True)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("The platform does not answer.").first).to_be_visible()
        expect(page.get_by_role("heading", name="Your session has ended")).to_have_count(0)
        page.context.set_offline(False)
        page.evaluate("sessionStorage.clear()")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()
        found = violations(page)
        with page.expect_popup() as beside:
            page.get_by_role("button", name="Sign in", exact=True).click()
        give_password(beside.value, at, Role.LEAD)
        expect(page.get_by_role("heading", name="Your session has ended")).to_have_count(0)
        expect(page.get_by_role("dialog").get_by_label("Team")).to_have_value("typed")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("dialog")).to_have_count(0)

        page.context.set_offline(True)
        page.get_by_role("tab", name="Time off").click()
        expect(page.get_by_text("The entries could not be read").first).to_be_visible()
        page.context.set_offline(False)
        days = page.get_by_role("link", name=re.compile(r"^\w{3} \d+ \w{3,4} \d{4}$"))
        read = page.get_by_text("No time off").or_(days)
        expect(read.first).to_be_visible()

        assert found == []
        assert member(at, "fay")["team"] == "typed"


def test_a_form_left_by_a_slip_comes_back_and_writes_over_nothing_that_others_changed(
    browser: Browser, at: Place
) -> None:
    with signed_in(browser, at, Role.LEAD, "/team?item=gil", name="slip") as page:
        page.get_by_role("button", name="Edit", exact=True).click()
        set_input(page, "Location", "FR")
        page.reload()
        page.get_by_role("button", name="Edit", exact=True).click()
        page.mouse.click(5, 450)
        page.get_by_role("dialog").get_by_label("Location").press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        at.call("PATCH", "/api/members/gil", {"team": "moved-meanwhile"}, **{"If-Match": "*"})
        page.reload()
        page.get_by_role("button", name="Edit", exact=True).click()
        expect(page.get_by_text("was changed by somebody else").first).to_be_visible()
        page.get_by_role("button", name="Save as chosen").press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_role("button", name="Edit", exact=True).click()
        page.get_by_role("button", name="Save as chosen").click()
        expect(page.get_by_role("dialog")).to_have_count(0)

        after = member(at, "gil")
        assert (after["team"], after["location"]) == ("moved-meanwhile", "FR")


def test_the_selected_rows_are_the_rows_of_the_file(browser: Browser, at: Place) -> None:
    with signed_in(browser, at, Role.LEAD, "/team", name="export") as page:
        row(page, "Gil Example").get_by_role("checkbox").check()
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as got:
            page.get_by_role("menuitem", name="Selected rows (1) as CSV").click()
        lines = Path(got.value.path()).read_text("utf-8-sig").splitlines()

        assert got.value.suggested_filename.startswith("members-")
        assert [("Gil Example" in line, line.count("example.com")) for line in lines] == [(False, 0), (True, 1)]


def test_an_address_that_leads_nowhere_says_so_and_the_rest_goes_on(browser: Browser, at: Place) -> None:
    with signed_in(browser, at, Role.ANALYST, "/no-such-screen?x=1", name="nowhere") as page:
        expect(page.get_by_text("There is nothing at this address").first).to_be_visible()
        page.get_by_role("link", name="Team").click()
        expect(page.get_by_role("link", name="Gil Example")).to_be_visible()
        page.goto(f"{at.origin}/team?tab=load&week=9999-W99&as_of=nonsense&q=gil")
        expect(page.get_by_text("Something in the address cannot be shown").first).to_be_visible()
        for _ in range(2):
            expect(page.get_by_role("row", name=re.compile("Gil Example"))).to_be_visible()
            expect(page.get_by_role("row", name=re.compile("Ada Example"))).to_have_count(0)
            page.reload()
        team = page.get_by_role("columnheader", name="Team").first
        search = page.get_by_role("searchbox", name="Find a member or a team")
        team.get_by_role("button").first.press("Enter")
        expect(page).to_have_url(re.compile("sort=team"))
        search.fill("ada")
        for step, name, order in (
            (None, "Ada", "ascending"), (page.go_back, "Gil", "none"), (page.go_forward, "Ada", "ascending"),
            (page.reload, "Ada", "ascending"),
        ):  # fmt: skip
            if step is not None:
                step()
            expect(page.locator("tbody th")).to_have_text([f"{name} Example"])
            expect(team).to_have_attribute("aria-sort", order)
            expect(search).to_have_value(name.lower())
