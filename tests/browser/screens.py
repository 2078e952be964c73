"""The screens in a browser, signed in as somebody, watched for what must not happen.

Belongs here: the platform behind them, signing in, and what fails every test: errors of the console, of the page
and of its policy, and what axe finds. Does not belong here: what a screen does (test_screen_*.py).
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect

from infra.local.demo_users import TokenRole, demo_email, demo_password, demo_token, seed_demo_users
from infra.local.platform import Platform
from infra.local.screens import BUILT
from infra.local.serving import front_door
from prism_api.api.calls import Role
from tests.integration.fresh import fresh_platform, worker_port

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
WINDOW = ViewportSize(width=1440, height=900)
PATIENCE_MS = 60_000
# The browser's own words about an answer that the screen tells of in a message, and about the recorder of a test,
# which asks to run in the frame of a mail as everywhere.
_ANSWERED = re.compile(
    r"Failed to load resource: (the server responded with a status of 4\d\d|"
    r"net::ERR_(INTERNET_DISCONNECTED|FAILED))"
    r"|Blocked script execution in 'about:(blank|srcdoc)' because the document's frame is sandboxed"
)
expect.set_options(timeout=PATIENCE_MS)
# A page that is left open: it believes that it is so many milliseconds later, until `BACK`.
LATER = """(later) => {
    const Now = window.DateOfNow ??= Date;
    window.Date = class extends Now {
        constructor(...given) { super(...(given.length > 0 ? given : [Now.now() + later])); }
        static now() { return Now.now() + later; }
    };
}"""
BACK = "() => { window.Date = window.DateOfNow; }"
# No rule reads style sheets; for one on its way axe would write a style, which the policy refuses.
_AXE = "{resultTypes: ['violations'], preload: false}"
# A message that fades in has half of its contrast; what turns while it waits never ends.
_STILL = """() => Promise.allSettled(document.getAnimations()
    .filter(one => one.effect?.getComputedTiming().endTime !== Infinity).map(one => one.finished))"""


@dataclass(frozen=True)
class Place:
    """A platform whose front door is open."""

    platform: Platform
    tokens: dict[TokenRole, str] = field(default_factory=dict[TokenRole, str])

    @cached_property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.platform.ports.screens}"

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The API as an admin, for what a test needs to be there. Fails on a refusal."""
        if TokenRole.ADMIN not in self.tokens:
            self.tokens[TokenRole.ADMIN] = demo_token(self.platform, TokenRole.ADMIN)
        sent = {"Authorization": f"Bearer {self.tokens[TokenRole.ADMIN]}", **headers}
        answer = httpx.request(method, f"{self.origin}{path}", json=body, headers=sent, timeout=60)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    def item(self, path: str) -> Any:
        return self.call("GET", path)


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """A fresh platform with the demo users, without a sample."""
    if not (BUILT / "index.html").is_file():
        pytest.fail("the screens are not built; `make screens` does that")
    with fresh_platform(folder, worker_port(7), laid=True) as running:
        seed_demo_users(running)
        with front_door(running):
            yield Place(running)


@contextmanager
def signed_in(
    browser: Browser, at: Place, role: Role, path: str = "/", *, scheme: Any = "light", name: str = "screen"
) -> Iterator[Page]:
    """A page of this role at an address. What console, page or policy say against it fails the test."""
    context = browser.new_context(
        viewport=WINDOW, color_scheme=scheme, timezone_id="Europe/Madrid", locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    context.tracing.start(snapshots=True)  # pictures of every step cost half of the time
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: _listen(message, said))
    page.on("pageerror", lambda error: said.append(f"page: {error}"))
    kept = Path(__file__).parents[2] / ".screenshots"
    try:
        page.goto(f"{at.origin}{path}")
        sign_in(page, at, role)
        yield page
        if said:
            pytest.fail(f"the browser said {said}")
        context.tracing.stop()
    except BaseException:
        kept.mkdir(exist_ok=True)
        page.screenshot(path=kept / f"failed-{name}.png")
        context.tracing.stop(path=kept / f"failed-{name}.zip")
        raise
    finally:
        context.close()


def sign_in(page: Page, at: Place, role: Role) -> None:
    """Through the pool's own page, to which the screens have sent the browser."""
    give_password(page, at, role)
    page.get_by_role("navigation", name="Screens").wait_for()


def asked_of(page: Page) -> list[str]:
    """What the page asks the API for from now on, as it comes."""
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/api/" in one.url else None)
    return asked


def asked_one_way(asked: list[str], *paths: str) -> bool:
    """Whether each list was asked for in one way only: what is asked before a screen is drawn is what it shows."""
    return all(len({url for url in asked if f"{path}?" in url}) == 1 for path in paths)


def give_password(page: Page, at: Place, role: Role) -> None:
    page.get_by_label("Username").fill(demo_email(role))
    page.get_by_label("Password").fill(demo_password(at.platform.home))
    page.get_by_role("button", name="Sign in").click()


def _listen(message: ConsoleMessage, said: list[str]) -> None:
    if message.type == "error" and not _ANSWERED.match(message.text):
        said.append(f"console: {message.text}")


def violations(page: Page, only: str | None = None) -> Sequence[str]:
    """What axe finds on the page, each with its first element."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())  # not a script tag: the policy forbids those
    page.evaluate(_STILL)
    found = page.evaluate(f"(only) => axe.run(only ?? document, {_AXE})", only)
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {json.dumps(one['nodes'][0]['html'])[:300]}"
        f" {one['nodes'][0]['failureSummary'][:300]}"
        for one in found["violations"]
    ]
