"""The Quality screen in a browser over a running platform.

Why real: what a clipboard holds, which rows of a sheet stay and what a chart says is known when a browser does it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from prism_api.api.calls import Role
from tests.browser.screens import Place, asked_of, asked_one_way, place, sign_in, signed_in, violations

WEEK = "2026-W40"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("screens")) as found:
        entries = [{"raw": "birds-2d", "category": "Birds in the air"}]
        version = {"taxonomy_id": "t1", "title": "One", "effective": "2026-01-05", "entries": entries}
        found.call("POST", "/api/taxonomy", version | {"status": "published"})
        for name in ("ada", "bo", "cy"):
            fields = {"member_id": name, "name": f"{name.title()} Example", "email": f"{name}@example.com"}
            found.call("POST", "/api/members", {**fields, "time_zone": "UTC"})
        project = {"project_id": "birds", "name": "Birds", "category": "birds-2d", "demand_hours": 40}
        found.call("POST", "/api/projects", project | {"quality_target": "0.95"})
        for number in range(5):
            for name, correct in (("ada", 40 + 2 * number), ("bo", 30)):
                fields = {"member_id": name, "project_id": "birds", "week": f"2026-W{35 + number}"}
                fields |= {"category": "birds-2d", "severity": "medium"}
                found.call("POST", "/api/quality", {**fields, "reviewed": 50, "correct": correct})
        yield found


def paste(page: Page, text: str, cell: str = "Member of row 1") -> None:
    page.get_by_label(cell, exact=True).evaluate(
        """(input, text) => {
            const data = new DataTransfer();
            data.setData('text/plain', text);
            const event = { clipboardData: data, bubbles: true, cancelable: true };
            input.dispatchEvent(new ClipboardEvent('paste', event));
        }""",
        text,
    )


def sign_out_and_in(page: Page, at: Place, role: Role) -> None:
    page.get_by_role("button", name=re.compile("demo-")).click()
    page.get_by_role("menuitem", name="Sign out").click()
    sign_in(page, at, role)
    page.goto(f"{at.origin}/quality?tab=entry&week={WEEK}")


def reviews(at: Place, week: str = WEEK) -> list[dict[str, object]]:
    found = at.item(f"/api/quality?week={week}&limit=200")["items"]
    return sorted(found, key=lambda one: (str(one["member_id"]), str(one["notes"])))


def test_a_lead_pastes_a_sheet_bad_rows_stay_with_their_reason_and_good_ones_are_written(
    browser: Browser, at: Place
) -> None:
    sheet = "\r\n".join(
        (
            "Member\tProject\tCategory\tReviewed\tCorrect\tSeverity\tNotes",
            "Ada Example\tBirds\tbirds-2d\t50,0\t47\tLow\t=1+1",
            'bo\tbirds\tnobody-mapped-it\t20\t20\t\t"<b>two\tcells</b> 🙂"',
            'nobody\tbirds\tbirds-2d\t10\t9\t\t"left open',
            'cy\tbirds\tbirds-2d\t10\t12\t\t"שבת" twice',
        )
    )

    with signed_in(browser, at, Role.LEAD, f"/quality?tab=entry&week={WEEK}", name="quality-entry") as page:
        expect(page.get_by_text("0 rows, 0 do not fit").first).to_be_visible()
        paste(page, "x\t" * 550_000)
        expect(page.get_by_text("thousand characters; a paste takes").first).to_be_visible()
        paste(page, sheet)
        expect(page.get_by_text("no member is called nobody").first).to_be_visible()
        expect(page.get_by_text("correct 12 exceeds reviewed 10").first).to_be_visible()
        expect(page.get_by_role("cell", name="unmapped")).to_be_visible()
        expect(page.get_by_role("cell", name="Birds in the air").first).to_be_visible()
        page.goto(f"{at.origin}/quality?tab=entry&week=2026-W41")  # as a tab of last week is opened again
        expect(page.get_by_text(f"These rows were typed for {WEEK}").first).to_be_visible()
        expect(page.get_by_role("button", name="Write 2 reviews")).to_be_disabled()
        found = list(violations(page))
        page.get_by_role("button", name=f"Back to {WEEK}", exact=True).click()
        expect(page.get_by_text("correct 12 exceeds reviewed 10").first).to_be_visible()
        page.get_by_role("button", name="Clear").click()
        expect(page.get_by_text("0 rows, 0 do not fit").first).to_be_visible()
        page.get_by_role("button", name="Undo", exact=True).click()
        sign_out_and_in(page, at, Role.ADMIN)
        expect(page.get_by_text("0 rows, 0 do not fit").first).to_be_visible()
        sign_out_and_in(page, at, Role.LEAD)
        page.get_by_role("button", name="Write 2 reviews").click()
        expect(page.get_by_text("2 reviews written, 2 stay in the sheet.").first).to_be_visible()
        page.get_by_label("Correct of row 2", exact=True).fill("8")
        page.get_by_label("Correct of row 2", exact=True).press("Enter")
        expect(page.get_by_label("Correct of row 3", exact=True)).to_be_focused()
        page.get_by_role("button", name="Write 1 review").click()
        expect(page.get_by_text("1 review written, 1 stay in the sheet.").first).to_be_visible()

    assert found == []
    assert [(one["member_id"], one["reviewed"], one["correct"], one["notes"]) for one in reviews(at)] == [
        ("ada", 50, 47, "=1+1"),
        ("bo", 20, 20, "<b>two\tcells</b> 🙂"),
        ("cy", 10, 8, '"שבת" twice'),
    ]


def test_no_row_of_a_sheet_is_lost_by_a_paste_another_week_or_the_call_that_writes_it(
    browser: Browser, at: Place
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    with signed_in(browser, at, Role.LEAD, f"/quality?tab=entry&week={WEEK}", name="quality-kept") as page:
        page.get_by_label("Member of row 1", exact=True).fill("ada")
        paste(page, "bo\tbirds\ncy\tbirds", "Member of row 2")
        paste(page, "ada\tbirds\nbo\tbirds", "Member of row 4")
        for row, name in enumerate(("ada", "bo", "cy", "ada", "bo"), start=1):
            expect(page.get_by_label(f"Member of row {row}", exact=True)).to_have_value(name)
        page.get_by_role("button", name="Clear").click()
        page.get_by_role("button", name="Week: on to 2026-W41").click()
        expect(page).to_have_url(re.compile("week=2026-W41"))
        page.get_by_label("Member of row 1", exact=True).fill("ada")
        paste(page, "\n".join(f"ada\tbirds\tbirds-2d\t99\t{number}" for number in range(60)))
        page.route("**/api/quality/bulk", hold)
        with page.expect_request("**/api/quality/bulk"):
            page.get_by_role("button", name="Write 60 reviews").click()
        expect(page.get_by_label("Correct of row 2", exact=True)).not_to_be_editable()
        page.get_by_label("Notes of row 61", exact=True).fill("typed meanwhile")
        held.pop().continue_()
        expect(page.get_by_text("60 reviews written.").first).to_be_visible()
        expect(page.get_by_label("Notes of row 1", exact=True)).to_have_value("typed meanwhile")
        page.unroute("**/api/quality/bulk")
        written = reviews(at, "2026-W41")
        page.get_by_role("button", name="Undo", exact=True).first.click()
        expect(page.get_by_text("60 changes undone.").first).to_be_visible()

    assert sorted(int(str(one["correct"])) for one in written) == [*range(60)]
    assert reviews(at, "2026-W41") == []


def test_a_sheet_that_is_left_while_it_is_written_is_written_once(browser: Browser, at: Place) -> None:
    """By a page that is loaded anew after its answer was lost, by a repeat that is refused before the API looks
    whether it has it, by another tab, and by a look at the scores meanwhile."""
    held: list[Route] = []

    def answer_lost(route: Route) -> None:
        route.fetch()
        route.abort()

    def forbid(route: Route) -> None:
        route.fulfill(status=403, content_type="application/problem+json", body='{"title": "No lead any more"}')

    def hold(route: Route) -> None:
        held.append(route)

    with signed_in(browser, at, Role.LEAD, "/quality?tab=entry&week=2026-W42", name="quality-left") as page:
        paste(page, "ada\tbirds\tbirds-2d\t9\t1\nbo\tbirds\tbirds-2d\t9\t2")
        page.route("**/api/quality/bulk", answer_lost)
        page.get_by_role("button", name="Write 2 reviews").click()
        expect(page.get_by_text("The platform does not answer.").first).to_be_visible()
        page.unroute("**/api/quality/bulk")
        page.reload()
        expect(page.get_by_text("sent, and no answer yet").first).to_be_visible()
        expect(page.get_by_label("Correct of row 1", exact=True)).not_to_be_editable()
        page.route("**/api/quality/bulk", forbid)
        page.get_by_role("button", name="Write 2 reviews").click()
        expect(page.get_by_text("No lead any more").first).to_be_visible()
        expect(page.get_by_text("sent, and no answer yet").first).to_be_visible()
        page.unroute("**/api/quality/bulk")
        with page.context.expect_page() as opened:
            page.evaluate("window.open(window.location.href)")  # with the session of this tab
        other = opened.value
        expect(other.get_by_label("Member of row 1", exact=True)).to_have_value("ada")
        page.get_by_role("button", name="Write 2 reviews").click()
        expect(page.get_by_text("2 reviews written.").first).to_be_visible()
        expect(other.get_by_text("0 rows, 0 do not fit").first).to_be_visible()
        other.close()
        paste(page, "cy\tbirds\tbirds-2d\t9\t3")
        page.route("**/api/quality/bulk", hold)
        with page.expect_request("**/api/quality/bulk"):
            page.get_by_role("button", name="Write 1 review").click()
        page.get_by_role("tab", name="Scores").click()
        expect(page.get_by_role("heading", name="Trend")).to_be_visible()
        held.pop().continue_()
        expect(page.get_by_text("1 review written.").first).to_be_visible()
        page.goto(f"{at.origin}/quality?tab=entry&week=2026-W42")
        expect(page.get_by_text("0 rows, 0 do not fit").first).to_be_visible()

    assert [one["correct"] for one in reviews(at, "2026-W42")] == [1, 2, 3]


def test_an_analyst_reads_scores_of_a_member_and_a_link_shows_the_same(browser: Browser, at: Place) -> None:
    with signed_in(browser, at, Role.ANALYST, "/quality?week=2026-W39", name="quality-scores") as page:
        expect(page.get_by_role("tab", name="Enter reviews")).to_have_count(0)
        expect(page.get_by_role("row", name=re.compile("Bo Example.*60.0 %.*below"))).to_be_visible()
        filters = page.get_by_label("Filter scores")
        filters.fill("Member id = ada")
        filters.press("Enter")
        ada = page.get_by_role("row", name=re.compile("Ada Example.*48 of 50.*96.0 %.*↑ 4.0 points"))
        expect(ada).to_be_visible()
        expect(page.get_by_role("row", name=re.compile("Bo Example"))).to_have_count(0)
        page.get_by_role("button", name="Preferences").click()
        page.get_by_role("dialog").get_by_label("Raw ids", exact=True).uncheck(force=True)
        page.get_by_role("button", name="Use", exact=True).click()
        expect(page.get_by_role("columnheader", name="Raw ids")).to_have_count(0)
        asked = asked_of(page)
        page.reload()
        expect(ada).to_be_visible()
        expect(page.get_by_role("row", name=re.compile("Bo Example"))).to_have_count(0)
        expect(page.get_by_role("columnheader", name="Raw ids")).to_have_count(0)
        page.get_by_role("checkbox", name=re.compile("^Select .* of ada on birds")).check()
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as got:
            page.get_by_role("menuitem", name="Selected rows (1) as CSV").click()

        page.goto(f"{page.url}&as_of={datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}")
        expect(page.get_by_text("Figures of now, not of").first).to_be_visible()
        page.get_by_role("main").get_by_role("link", name="Reviews", exact=True).click()
        expect(page.get_by_text("As known on").first).to_be_visible()

        assert got.value.suggested_filename.startswith("quality_scores-")
        assert [line.split(",")[1] for line in got.value.path().read_text("utf-8-sig").splitlines()[1:]] == ["ada"]
        assert asked_one_way(asked, "/api/quality-scores", "/api/quality-trend", "/api/members", "/api/projects")


def test_a_lead_answers_a_dispute_with_a_reason(browser: Browser, at: Place) -> None:
    at.call("POST", "/api/disputes", {
        "table": "quality", "week": "2026-W39", "member_id": "bo", "project_id": "birds", "field": "correct",
        "shown": "30", "expected": "40", "reason": "ten were right",
    })  # fmt: skip

    with signed_in(browser, at, Role.LEAD, "/quality?tab=disputes&status=open", name="quality-dispute") as page:
        page.get_by_role("link", name="Bo Example").click()
        page.get_by_role("button", name="The figure is right").click()
        page.get_by_role("dialog").get_by_label("Answer to the member").fill("seen twice")
        page.get_by_role("button", name="Preview").click()
        page.get_by_role("button", name="Write 1 dispute").click()
        expect(page.get_by_text("1 written, 0 failed.").first).to_be_visible()
        expect(page.get_by_text("The figure is right: 1 dispute written.").first).to_be_visible()
        expect(page.get_by_text("Undo", exact=True)).to_have_count(0)
        found = violations(page)

    assert found == []
    answered = at.item("/api/disputes?member_id=bo")["items"][0]
    assert (answered["status"], answered["answer"]) == ("declined", "seen twice")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_scores_corrections_and_reviews_are_accessible(
    browser: Browser, at: Place, scheme: str, screenshots: Path
) -> None:
    with signed_in(
        browser, at, Role.LEAD, "/quality?week=2026-W39", scheme=scheme, name=f"quality-{scheme}"
    ) as page:
        expect(page.get_by_role("row", name=re.compile("Ada Example"))).to_be_visible()
        expect(page.get_by_role("application", name="Share of correct pieces by week")).to_be_visible()
        page.screenshot(path=screenshots / f"screen-quality-{scheme}.png")
        found = list(violations(page))
        page.get_by_role("tab", name="Reviews", exact=True).click()
        expect(page.get_by_role("heading", name=re.compile("^Reviews"))).to_be_visible()
        found += violations(page)
        page.get_by_role("tab", name="Corrections").click()
        page.get_by_role("button", name="Add correction").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        found += violations(page)

    assert found == []
