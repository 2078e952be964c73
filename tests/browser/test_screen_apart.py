"""Alerts, the archive of reports, events and import, in a browser over a running platform.

Why real: whether a mail keeps its looks without its styles passing the policy, and whether a workbook comes back
marked, is decided by browser, policy and API together.
"""

import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from prism_api.api.calls import Role
from prism_core.alerts.ledger import acknowledged
from prism_core.calendar import Week
from prism_core.events.envelope import Envelope
from prism_core.events.failed import Failure
from prism_core.events.messages import Accepted
from prism_core.events.outcomes import Outcome
from prism_core.events.versions import SchemaVersion
from prism_core.models.alerts import Alert, AlertRule, Evidence
from prism_core.models.reports import ReportKind
from prism_core.models.work import Severity
from prism_core.settings import Settings
from prism_core.tables import ALERTS
from prism_resources.aws import client
from prism_resources.events.balancing import Balancing
from prism_resources.events.event_store import EventStore
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.ledger import Ledger
from prism_resources.events.receipts import Receipts
from prism_resources.events.schema_store import SchemaStore
from prism_resources.letters import Letter
from prism_resources.mailing import Mailing
from prism_resources.messages import Attached
from prism_resources.reports.rendering import render
from prism_resources.tables.store import TableStore
from tests.browser.screens import BACK, LATER, Place, place, signed_in, violations
from tests.integration.event_rows import failed, stored
from tests.unit.report_mails import CONTENTS

NOW = datetime.now(UTC)
WEEK = Week.of(NOW)
HOUR = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
TYPE = "com.example.labelled"
HOURS = {"planned": "6.00 h", "off": "8.00 h"}
# A later answer is there, and nothing is left to draw.
ANSWERS_ARE_DRAWN = """() => fetch('/config.json').then((one) => one.text())
    .then(() => new Promise((go) => requestIdleCallback(() => go())))"""
LIST = b"rule\nlate\n"
HOSTILE = (
    "<p style='color:#123456' onclick='document.title=1'>A <b>mail</b> of somebody else</p>"
    "<script>document.title=2</script>"
    "<img src='https://example.com/spy.png' alt='a spy'><form action='/x'><button>Pay</button></form>"
    "<a href='javascript:document.title=3'>Read on</a>"
)


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Four alerts, three editions, two hours of events of which one does not balance, and a member."""
    with place(tmp_path_factory.mktemp("screens")) as found:
        fields = {
            "member_id": "ada", "name": "Ada Example", "email": "ada@example.com", "time_zone": "Europe/Madrid",
            "hours": {"mon": 8, "tue": 8}, "skills": [],
        }  # fmt: skip
        found.call("POST", "/api/members", fields)
        found.call(
            "POST",
            "/api/projects",
            {"project_id": "night", "name": "Night scenes", "category": "lidar", "demand_hours": 8},
        )
        settings = found.platform.settings
        _alerts(settings)
        _editions(settings)
        _events(settings)
        yield found


def _alerts(settings: Settings) -> None:
    store = TableStore(client(settings, "dynamodb"), settings, ALERTS, Alert)
    told = (
        (
            AlertRule.OOTO_CONFLICT,
            Severity.HIGH,
            "ada is planned for 6 hours on a day off",
            "availability/ada/2026-11-24",
        ),
        (AlertRule.CAPACITY_RISK, Severity.MEDIUM, "lidar from level 3: 38 hours too few", f"weeks/{WEEK}#lidar"),
        (
            AlertRule.UNRESOLVED_WORKER,
            Severity.LOW,
            "14 tasks of a worker that is nobody's",
            "workers/9f8e7d6c5b4a3928",
        ),
        (AlertRule.LATE_REQUEST, Severity.CRITICAL, "a request is 4 days late", "requests/r-17"),
    )
    for number, (rule, severity, title, subject) in enumerate(told):
        alert = Alert(
            fingerprint=f"{number:032x}", rule=rule, severity=severity, title=title, subject=subject,
            member_id="ada" if number == 0 else None, project_id="night" if number < 2 else None, week=WEEK,
            evidence=(Evidence(item=f"allocations/ada/{WEEK}#night", figures=HOURS),),
            first_seen=NOW - timedelta(days=2, hours=number), last_seen=NOW,
            told=NOW - timedelta(days=1), told_to=("lena",),
        )  # fmt: skip
        one = acknowledged(alert, "lena", NOW) if number == 2 else alert
        store.create(one, actor="rules", reason="seen", request_id="test", now=NOW)


def _editions(settings: Settings) -> None:
    mailing = Mailing(settings)
    for kind, name, weeks in ((ReportKind.CAMPAIGN, "real-w35", 1), (ReportKind.OPERATIONS, "operations", 2)):
        mail = render(CONTENTS[name](), closing="To stop it, answer this mail.")
        letter = Letter(None, mail.subject, mail.text, mail.html, mail.pictures, mail.attached)
        mailing.prepare(kind, WEEK + -weeks, mail.subject, [letter], now=NOW - timedelta(days=7 * weeks))
    letters = [
        Letter(
            ("ada",), "Alerts for Ada", "As text", HOSTILE, attached=(Attached("alerts.csv", b"rule\nlate\n"),)
        ),
        Letter(("bo", "cy"), "Alerts for Bo and Cy", "Only text"),
    ]
    mailing.prepare(ReportKind.ALERTS_DAILY, WEEK, "Alerts of today", letters, now=NOW)


def _events(settings: Settings) -> None:
    """In one hour everything came to an end, in the next a receipt says stored and the store does not know it."""
    receipts, numbers = Receipts(settings), iter(range(1, 100))
    SchemaStore(settings).add(TYPE, SchemaVersion(1, 0, 0), b"{}", by="test", now=HOUR)
    for hour, count, kept in ((HOUR, 40, 40), (HOUR + timedelta(hours=1), 12, 11)):
        sent = [_accepted(next(numbers), hour) for _ in range(count)]
        receipts.accept(sent)
        receipts.settle([(one, Outcome.STORED) for one in sent], hour + timedelta(milliseconds=350))
        at_hour = {"accepted_at": hour, "stored_at": hour + timedelta(seconds=1)}
        EventStore(settings).store(
            [stored(int(one.receipt), TYPE).model_copy(update=at_hour) for one in sent[:kept]]
        )
        Ledger(settings).write([Balancing(settings).of_hour(hour, hour + timedelta(hours=1))])
    times = {"accepted_at": HOUR, "failed_at": HOUR + timedelta(seconds=1)}
    FailedStore(settings).add(
        [
            *(failed(number, TYPE, producer="studio", **times) for number in range(3)),
            failed(9, "com.example.paid", failure=Failure.UNKNOWN_TYPE, problems=(), producer="shop", **times),
        ]
    )


def _accepted(number: int, at: datetime) -> Accepted:
    event = Envelope(id=f"e{number}", source=f"/{TYPE}", type=TYPE, data={"seconds": number})
    return Accepted(f"{number:026d}", "studio", at + timedelta(milliseconds=number), event, event.fingerprint)


def book(*rows: tuple[Any, ...], notes: Sequence[str] = ()) -> bytes:
    """Members, and beside them a sheet that nobody reads."""
    made = openpyxl.Workbook()
    page = made.worksheets[0]
    page.title = "Members"
    for row in (("Member id", "Name", "E-mail", "Time zone", "Mon"), *rows):
        page.append(row)
    for note in notes:
        (made["Notes"] if "Notes" in made.sheetnames else made.create_sheet("Notes")).append((note,))
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def _noise(seed: int) -> str:
    return Random(seed).randbytes(15_000).hex()


def choose(page: Page, data: bytes, name: str = "people.xlsx") -> None:
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": media, "buffer": data})


def alerts(at: Place) -> dict[str, Any]:
    return {one["rule"]: one for one in at.item("/api/alerts?limit=50")["items"]}


def local_day() -> date:
    """Where the browser is."""
    return datetime.now(ZoneInfo("Europe/Madrid")).date()


def test_a_lead_takes_an_alert_up_silences_another_with_a_reason_and_says_what_was_useful(
    browser: Browser, at: Place
) -> None:
    with signed_in(browser, at, Role.LEAD, "/alerts", name="alerts-job") as page:
        page.get_by_role("link", name="ada is planned for 6 hours on a day off").click()
        expect(page.get_by_role("table", name="The rows that the alert rests on")).to_contain_text("off: 8.00 h")
        page.get_by_role("button", name="Acknowledge", exact=True).click()
        expect(page.get_by_text("Taken up", exact=True).first).to_be_visible()
        path = f"/api/alerts/{alerts(at)['ooto_conflict']['key']}/verdict"
        at.call("POST", path, {"verdict": "not_useful"}, **{"If-Match": "*"})
        page.get_by_role("button", name="Useful", exact=True).click()
        expect(page.get_by_text("“Useful” was not done").first).to_be_visible()
        expect(page.get_by_role("button", name="Not useful", exact=True)).to_have_count(0)  # as it is by now
        page.get_by_role("button", name="Useful", exact=True).click()
        expect(page.get_by_role("button", name="Useful", exact=True)).to_have_count(0)
        page.get_by_role("link", name="lidar from level 3: 38 hours too few").click()
        days = {local_day()}
        page.evaluate(LATER, timedelta(days=1) / timedelta(milliseconds=1))  # a tab that was open over night
        page.get_by_role("button", name="Silence", exact=True).click()
        dialog = page.get_by_role("dialog")
        until = date.fromisoformat(dialog.get_by_label("Silent to the end of").input_value().replace("/", "-"))
        page.evaluate(BACK)
        days.add(local_day())
        assert until in {day + timedelta(days=8) for day in days}
        expect(dialog.get_by_role("button", name="Preview")).to_be_disabled()
        dialog.get_by_label("Why nothing is to be told").fill("Two people join on Monday 🙂")
        found = violations(page)
        dialog.get_by_role("button", name="Preview").click()
        dialog.get_by_role("button", name="Write 1 alert").click()
        dialog.get_by_role("button", name="Close", exact=True).click()
        expect(page.get_by_role("button", name="End the silence")).to_be_visible()
        expect(page.get_by_role("button", name="Undo", exact=True)).to_have_count(0)
        expect(page.get_by_role("button", name="Undo this change")).to_have_count(0)
        page.get_by_role("tab", name="Rules").click()
        expect(page.get_by_role("row", name="Planned on time off")).to_contain_text("100 %")

    kept = alerts(at)
    silenced = kept["capacity_risk"]
    assert found == []
    assert (kept["ooto_conflict"]["status"], kept["ooto_conflict"]["verdict"]) == ("acknowledged", "useful")
    assert (silenced["status"], silenced["silence_reason"]) == ("silenced", "Two people join on Monday 🙂")
    assert datetime.fromisoformat(silenced["silenced_until"]) > NOW + timedelta(days=6)


def test_the_drawer_shows_what_is_open_beside_any_screen_and_an_annotator_has_none(
    browser: Browser, at: Place
) -> None:
    with signed_in(browser, at, Role.LEAD, "/requests", name="alerts-drawer") as page:
        page.get_by_role("button", name="Alerts, some are open").click()
        rows = page.get_by_role("list", name="Open alerts, the worst first").get_by_role("listitem")
        expect(rows.first).to_contain_text("a request is 4 days late")
        found = violations(page)
        page.get_by_role("button", name="Acknowledge a request is 4 days late").click()
        expect(page.get_by_text("a request is 4 days late")).to_have_count(0)
        page.goto(f"{at.origin}/alerts?item={alerts(at)['unresolved_worker']['key']}")
        way = page.get_by_role("link", name="Look into it")
        expect(way).to_have_attribute("href", "/team?tab=workers&worker_key=9f8e7d6c5b4a3928")

    with signed_in(browser, at, Role.ANNOTATOR, name="apart-annotator") as page:
        screens = page.get_by_role("navigation", name="Screens")
        for name in ("Alerts", "Reports", "Events", "Status", "Import"):
            expect(screens.get_by_role("link", name=name)).to_have_count(0)
        expect(page.get_by_role("button", name="Alerts")).to_have_count(0)
    assert found == []
    assert alerts(at)["late_request"]["status"] == "acknowledged"


def test_an_edition_is_read_as_it_was_mailed_and_a_mail_can_do_nothing_to_its_reader(
    browser: Browser, at: Place
) -> None:
    asked: list[str] = []
    with signed_in(browser, at, Role.ANALYST, "/reports?report=campaign", name="reports-job") as page:
        page.on("request", lambda request: asked.append(request.url))
        page.get_by_role("link", name="Campaign report").click()
        inside = page.frame_locator("iframe.mail")
        expect(inside.locator(".sheet").first).to_have_css("max-width", "600px")
        picture = inside.locator("img:visible").first
        expect(picture).not_to_have_js_property("naturalWidth", 0)
        page.goto(f"{at.origin}/reports?report=alerts_daily")
        page.get_by_role("link", name="Alerts of today").click()
        expect(page.get_by_text("Letter 1 of 2, to 1 person").first).to_be_visible()
        hostile = page.frame_locator("iframe.mail")
        expect(hostile.get_by_text("A mail of somebody else")).to_have_css("color", "rgb(18, 52, 86)")
        hostile.get_by_text("A mail of somebody else").click()
        expect(hostile.get_by_role("button")).to_have_count(0)
        assert hostile.locator("script, form, [onclick], a[href], img[src]").count() == 0
        with page.expect_download() as saved:
            page.get_by_role("button", name="alerts.csv").click()
        page.get_by_role("button", name="Next letter").click()
        expect(page.get_by_text("Only text").first).to_be_visible()
        assert page.title() == "PRISM"
        assert saved.value.path().read_bytes() == LIST

    assert all(url.startswith((at.origin, "blob:", "data:")) for url in asked)


def no_day_after_today_can_be_chosen(page: Page) -> None:
    """The browser is east of Greenwich, where a day begins before that of UTC."""
    days = {datetime.now(UTC).date()}
    page.get_by_role("button", name="Choose date").click()
    enabled = page.get_by_role("dialog").locator("td[aria-disabled=false]").last.inner_text()
    page.keyboard.press("Escape")
    days.add(datetime.now(UTC).date())
    assert any(f"{day.day} {day:%B} {day.year}" in enabled for day in days), enabled


def test_an_analyst_sees_which_hour_does_not_balance_and_finds_what_failed(browser: Browser, at: Place) -> None:
    with signed_in(browser, at, Role.ANALYST, "/events?days=7", name="events-job") as page:
        hours = page.get_by_role("grid", name="Balance by hour")
        wrong = hours.get_by_role("row").filter(has_text="1 lost")
        expect(wrong).to_have_count(1)
        wrong.get_by_role("link").click()
        expect(
            page.get_by_text("12 receipts say stored, and the store holds 11: 1 are lost").first
        ).to_be_visible()
        page.reload()
        expect(page.get_by_role("table", name="Producers of the hour")).to_contain_text("studio")
        no_day_after_today_can_be_chosen(page)
        before = (HOUR + timedelta(hours=1)).date() - timedelta(days=1)
        last = page.get_by_role("textbox", name="Last day (UTC)")
        last.press("Control+a")
        last.press_sequentially(f"{before:%Y/%m/%d}")
        expect(page).to_have_url(re.compile(f"last={before}"))
        expect(wrong).to_have_count(0)
        page.goto(f"{at.origin}/events?days=7&last=2026-1")
        expect(page.get_by_text("“2026-1” is no day").first).to_be_visible()
        expect(wrong).to_have_count(1)
        day = page.get_by_role("table", name="Promises by window").get_by_role("row", name="Day")
        expect(day).to_contain_text("52")
        expect(day).to_contain_text("broken")
        page.get_by_role("tab", name="Failed events").click()
        expect(page.get_by_text("4 events", exact=True).first).to_be_visible()
        page.get_by_role("button", name=re.compile("com.example.paid of shop")).click()
        expect(page.get_by_role("grid", name="Failed events").get_by_role("link")).to_have_count(1)
        page.goto(f"{at.origin}/events?tab=failed&field=/seconds")
        page.get_by_role("link", name=TYPE).first.click()
        expect(page.get_by_label("The event as it was accepted")).to_contain_text('"seconds": "twelve"')
        expect(page.get_by_text(f"prism events replay --type {TYPE} --failure invalid").first).to_be_visible()


def test_a_workbook_is_checked_comes_back_marked_and_writes_its_good_rows_only_when_told(
    browser: Browser, at: Place
) -> None:
    good = ("bea", "Bea Example", "bea@example.com", "UTC", "7,5")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    with signed_in(browser, at, Role.LEAD, "/imports", name="imports-job") as page:
        choose(page, b"no workbook at all")
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_text("The workbook cannot be read").first).to_be_visible()
        page.route("**/api/imports", hold)
        choose(page, book(("eve", "Eve Example", "eve@example.com", "UTC", 8)), "another.xlsx")
        with page.expect_request("**/api/imports"):
            page.get_by_role("button", name="Check").click()
        choose(page, book(good, ("cy", "Cy Example", "=1+1", "UTC", 8)))
        with page.expect_response("**/api/imports") as answered:
            held.pop().continue_()
        answered.value.finished()
        page.unroute("**/api/imports")
        page.evaluate(ANSWERS_ARE_DRAWN)
        expect(page.get_by_role("button", name=re.compile("^Write"))).to_have_count(0)  # it was not checked
        page.get_by_role("button", name="Check").click()
        rows = page.get_by_role("grid", name="Rows of the workbook").get_by_role("row")
        expect(rows.filter(has_text="rejected")).to_contain_text("C3")
        assert at.item("/api/members?q=bea")["items"] == []
        found = violations(page)
        with page.expect_download() as saved:
            page.get_by_role("button", name="Marked workbook").click()
        page.get_by_role("button", name="Write 1 row").click()
        expect(page.get_by_text("people.xlsx: 1 of 2 rows written.").first).to_be_visible()

        large = book(
            ("dan", *good[1:2], "dan@example.com", "UTC", 8), notes=[_noise(number) for number in range(100)]
        )
        with page.expect_response(lambda one: one.request.method == "PUT") as put:
            choose(page, large, "with notes.xlsx")
            page.get_by_role("button", name="Check").click()
        page.get_by_role("button", name="Write 1 row").click()
        expect(page.get_by_text("with notes.xlsx: 1 of 1 rows written.").first).to_be_visible()

        marked = openpyxl.load_workbook(io.BytesIO(saved.value.path().read_bytes()))["Members"]
        assert found == []
        assert (put.value.ok, len(large) > 1_000_000) == (True, True)
        assert [one["key"] for one in at.item("/api/members?q=dan@")["items"]] == ["dan"]
        assert [marked.cell(row, marked.max_column).value is not None for row in (2, 3)] == [False, True]
        assert [one["hours"]["mon"] for one in at.item("/api/members?q=bea@")["items"]] == ["7.50"]


def test_a_load_that_goes_on_by_itself_is_followed_by_its_address(browser: Browser, at: Place) -> None:
    row: dict[str, Any] = {"operation": "update", "key": "ada", "version": 1, "fields": {"team": "night"}}
    wish = {"resource": "members", "rows": [row, {**row, "key": "nobody"}]}
    job = at.call("POST", "/api/jobs", wish)["job_id"]

    with signed_in(browser, at, Role.ADMIN, f"/imports?job={job}", name="imports-job-address") as page:
        expect(page.get_by_text("1 row written, 1 refused.").first).to_be_visible(timeout=60_000)
        expect(page.get_by_role("table", name="Rows that were refused")).to_contain_text("nobody")
        found = violations(page)

    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_screens_are_accessible_and_look_like_this(
    browser: Browser, at: Place, scheme: str, screenshots: Path
) -> None:
    def shot(page: Page, name: str) -> list[str]:
        page.screenshot(path=screenshots / f"screen-{name}-{scheme}.png")
        return list(violations(page))

    with signed_in(browser, at, Role.LEAD, "/alerts", scheme=scheme, name=f"apart-{scheme}") as page:
        page.get_by_role("link", name="14 tasks of a worker that is nobody's").click()
        expect(page.get_by_role("table", name="The rows that the alert rests on")).to_be_visible()
        found = shot(page, "alerts")
        page.goto(f"{at.origin}/reports")
        page.get_by_role("link", name="2023").first.click()
        expect(page.frame_locator("iframe.mail").locator("img:visible").first).to_be_visible()
        found += shot(page, "reports")
        page.goto(f"{at.origin}/events?days=7")
        page.get_by_role("grid", name="Balance by hour").get_by_role("row").filter(has_text="1 lost").wait_for()
        found += shot(page, "events")
        page.goto(f"{at.origin}/events?tab=failed")
        page.get_by_role("link", name=TYPE).first.click()
        page.get_by_label("The event as it was accepted").wait_for()
        found += shot(page, "events-failed")
        page.goto(f"{at.origin}/status")
        expect(page.get_by_role("table", name="Newest editions").get_by_text("Campaign")).to_be_visible()
        found += shot(page, "status")
        page.goto(f"{at.origin}/imports")
        choose(
            page,
            book(
                ("ada", "Ada New", "ada@example.com", "Europe/Madrid", 6), ("cy", "Cy Example", "=1+1", "UTC", 8)
            ),
        )
        page.get_by_role("button", name="Check").click()
        page.get_by_role("grid", name="Rows of the workbook").wait_for()
        found += shot(page, "imports")

    assert found == []
