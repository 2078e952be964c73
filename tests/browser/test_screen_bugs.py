"""The Bug Tracker in a browser over a running platform.

Why real: whether a picture fits is decided by the browser that draws it, and seen when one fetches it back.
"""

import base64
import re
import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from infra.local.demo_users import TokenRole
from prism_api.api.calls import Role
from prism_core.models.bugs import SCREENSHOT_MAX_CHARACTERS
from tests.browser.screens import Place, place, signed_in, violations

REPORTED = (
    ("The week picker jumps back", "medium", "screens", "new"),
    ("Tuesday counts twice <b>bold</b>", "critical", "figures", "confirmed"),
    ("=HYPERLINK(1) stands in the export", "low", "figures", "in_progress"),
    ("The digest comes at night", "high", "mail", "new"),
)


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("screens")) as found:
        for name in ("ada", "bo"):
            fields = {"member_id": name, "name": f"{name.title()} Example", "email": f"{name}@example.com"}
            found.call("POST", "/api/members", fields | {"time_zone": "UTC"})
        for title, severity, category, status in REPORTED:
            fields = {
                "title": title, "description": "As the title says.", "severity": severity, "status": status,
                "category": category, "page": "/throughput?week=2026-W02", "browser": "Firefox 150",
                "steps": "Open the week, filter by team.", "expected": "the same figures", "actual": "other ones",
            }  # fmt: skip
            found.call("POST", "/api/bugs", fields)
        yield found


def patches(side: int) -> bytes:
    """A PNG of patches of eight points by chance, stored as it is: three bytes a point."""
    chance = Random(7)
    lines = (b"".join(chance.randbytes(3) * 8 for _ in range(side // 8)) for _ in range(side // 8))
    rows = b"".join((b"\0" + line) * 8 for line in lines)
    width = height = side
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 0)),
        (b"IEND", b""),
    )
    sealed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(sealed)


def fill(page: Page, **values: str) -> None:
    for label, value in values.items():
        page.get_by_role("dialog").get_by_label(label, exact=True).fill(value)


def give(page: Page, way: str, content: bytes, name: str = "shot.png", media_type: str = "image/png") -> None:
    """A file pasted into the page or dropped on the form."""
    page.evaluate(
        """([way, text, name, type]) => {
            const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], name, { type }));
            const found = document.querySelector('[role=dialog] input[type=file]');
            const event = way === 'paste'
                ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
                : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
            (way === 'paste' ? document : found).dispatchEvent(event);
        }""",
        [way, base64.b64encode(content).decode(), name, media_type],
    )


def bugs(at: Place, title: str) -> list[Any]:
    return [one for one in at.item("/api/bugs?limit=200")["items"] if one["title"] == title]


def test_an_annotator_reports_a_bug_with_a_pasted_screenshot_and_sees_own_bugs_only(
    browser: Browser, at: Place
) -> None:
    with signed_in(browser, at, Role.ANNOTATOR, "/bugs", name="bugs-report") as page:
        expect(page.get_by_text("No bugs", exact=True).first).to_be_visible()
        page.get_by_role("button", name="Add bug").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_label("Assignee")).to_have_count(0)
        fill(page, Title="المسار 🙂 <i>slanted</i>", Category="screens", Description="x" * 20_000)
        give(page, "paste", page.screenshot())
        expect(dialog.get_by_alt_text("The screenshot as it will be sent")).to_be_visible()
        dialog.get_by_role("button", name="Add", exact=True).click()
        expect(dialog.get_by_text("Not saved").first).to_be_visible()  # a text of 10,000 characters is the longest
        found = violations(page)
        fill(page, Description="It flickers")
        dialog.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("link", name="المسار 🙂 <i>slanted</i>").click()
        shot = page.get_by_alt_text(re.compile("Screenshot of"))
        expect(shot).to_be_visible()
        expect(shot).not_to_have_js_property("naturalWidth", 0)
        drawn = shot.evaluate("(one) => one.naturalWidth")

        assert found == []
        assert drawn > 1_000
        expect(page.get_by_role("button", name="Edit", exact=True)).to_have_count(0)
        expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
        assert len(bugs(at, "المسار 🙂 <i>slanted</i>")) == 1


def test_a_picture_of_twenty_megabytes_is_shrunk_until_it_fits_and_what_is_none_is_refused_kindly(
    browser: Browser, at: Place, tmp_path: Path
) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(patches(2_640))

    with signed_in(browser, at, Role.ANALYST, "/bugs", name="bugs-large") as page:
        page.get_by_role("button", name="Add bug").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("or paste it").first).to_be_visible()
        give(page, "drop", b"PK\x03\x04 no picture", "notes.zip", "application/zip")
        expect(dialog.get_by_text("no picture that the browser can read").first).to_be_visible()
        fill(page, Title="A large one", Category="screens", Description="What was typed stays")
        dialog.locator("input[type=file]").set_input_files(large)
        expect(dialog.get_by_text(re.compile(r"\d+ kB, (JPEG|WEBP)")).first).to_be_visible(timeout=60_000)
        dialog.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("link", name="A large one").click()
        expect(page.get_by_alt_text("Screenshot of “A large one”")).to_be_visible()

    (kept,) = bugs(at, "A large one")
    shot = f"{at.origin}/api/bugs/{kept['key']}/screenshot"
    headers = {"Authorization": f"Bearer {at.tokens[TokenRole.ADMIN]}"}
    size = len(httpx.get(shot, headers=headers, timeout=60).content)
    assert large.stat().st_size > 20_000_000
    assert 1_000 < size <= SCREENSHOT_MAX_CHARACTERS * 3 // 4
    assert kept["description"] == "What was typed stays"


def test_a_lead_filters_takes_a_bug_through_its_states_and_reads_what_happened(
    browser: Browser, at: Place
) -> None:
    with signed_in(browser, at, Role.LEAD, "/bugs?severity=critical&severity=high", name="bugs-flow") as page:
        expect(page.get_by_role("link", name=re.compile("Tuesday|digest"))).to_have_count(2)
        expect(page.get_by_role("link", name="The week picker jumps back")).to_have_count(0)
        page.get_by_role("link", name="The digest comes at night").click()
        for step in ("Confirm", "Start work", "Resolve"):
            page.get_by_role("button", name=step, exact=True).click()
        expect(page.get_by_role("button", name="Reopen")).to_be_visible()
        resolved = bugs(at, "The digest comes at night")[0]
        page.reload()
        expect(page.get_by_role("listitem").get_by_text("in progress → resolved")).to_be_visible()
        created = datetime.fromisoformat(resolved["created"]).astimezone(ZoneInfo("Europe/Madrid"))
        first = page.get_by_role("listitem").filter(has_text="create").first
        expect(first).to_contain_text(f"created{created:%Y-%m-%d %H:%M} Europe/Madrid")
        expect(first).to_contain_text("an account that is no member")
        expect(page.get_by_role("listitem").get_by_text("you", exact=True)).to_have_count(3)
        expect(page.get_by_text("None was sent.").first).to_be_visible()
        found = violations(page)
        page.get_by_role("button", name="Undo this change").first.click()
        expect(page.get_by_text("Undone.").first).to_be_visible()

        assert found == []
        assert (resolved["status"], resolved["resolved"] is None) == ("resolved", False)
        after = bugs(at, "The digest comes at night")[0]
        assert (after["status"], after["resolved"]) == ("in_progress", None)


def test_a_lead_takes_the_screenshot_of_a_bug_away(browser: Browser, at: Place) -> None:
    pixels = base64.b64encode(patches(8)).decode()
    fields = {"title": "Names are seen on it", "description": "As it says.", "severity": "low", "category": "mail"}
    key = at.call("POST", "/api/bugs", {**fields, "screenshot": pixels})["key"]

    with signed_in(browser, at, Role.LEAD, f"/bugs?item={key}", name="bugs-no-shot") as page:
        page.get_by_role("button", name="Edit", exact=True).click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_alt_text("The screenshot that was sent")).to_be_visible()
        dialog.get_by_role("button", name="Remove the screenshot").click()
        expect(dialog.get_by_text("is removed when the bug is saved").first).to_be_visible()
        found = violations(page)
        dialog.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("None was sent.").first).to_be_visible()
        page.get_by_role("button", name="Edit", exact=True).click()
        dialog.get_by_label("Assignee").fill("ada")
        at.call("PATCH", f"/api/bugs/{key}", {"assignee": "bo"}, **{"If-Match": "*"})
        dialog.get_by_role("button", name="Save", exact=True).click()
        differs = page.get_by_role("table", name="What differs").get_by_role("row", name=re.compile("^Assignee"))
        expect(differs).to_contain_text("Bo Example")
        expect(differs).to_contain_text("Ada Example")
        dialog.get_by_role("button", name="Save as chosen").click()
        expect(dialog).to_have_count(0)

    assert found == []
    assert [(one["version"], one["assignee"]) for one in bugs(at, "Names are seen on it")] == [(4, "ada")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_list_and_its_form_are_accessible_and_look_like_this(
    browser: Browser, at: Place, scheme: str, screenshots: Path
) -> None:
    with signed_in(browser, at, Role.LEAD, "/bugs", scheme=scheme, name=f"bugs-{scheme}") as page:
        page.get_by_role("link", name=re.compile("Tuesday counts twice")).click()
        expect(page.get_by_text("None was sent.").first).to_be_visible()
        page.screenshot(path=screenshots / f"screen-bugs-{scheme}.png")
        found = list(violations(page))
        page.get_by_role("button", name="Add bug").click()
        # The code of the form comes after the list: a paste before it would find nobody who listens.
        expect(page.get_by_role("button", name="Choose a picture")).to_be_visible()
        give(page, "paste", page.screenshot())
        expect(page.get_by_alt_text("The screenshot as it will be sent")).to_be_visible()
        page.screenshot(path=screenshots / f"screen-bugs-form-{scheme}.png")
        found += violations(page)

        assert found == []
