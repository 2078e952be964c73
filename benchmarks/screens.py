"""The screens in Chromium over a running `prism up`: first loads, sorting, filtering, paging, 500 people.

Belongs here: the platform, what is done and when it is done, the promises. Does not belong here: what a screen
shows (web/). There is no peer: what a person waits for is promised in milliseconds, and measured from their action
to the frame that shows its effect.
"""

import argparse
import gzip
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.harness import Target, circumstances, keep, print_targets
from benchmarks.own_platform import free_port
from benchmarks.screens_rows import ACTIONS, REPAINTED
from infra.local.demo_users import demo_email, demo_password
from infra.local.emulator.environment import LOOPBACK
from infra.local.home import Home
from infra.local.screens import BUILT
from prism_api.api.calls import Role
from prism_core import clock
from prism_core.calendar import Week

SCREENS: Final = (
    "team", "capacity", "requests", "throughput", "quality", "bugs", "dashboard",
    "alerts", "reports", "events", "status", "imports",
)  # fmt: skip
FIRST_LOAD_MS, INTERACTION_MS = 1_500, 200
SCREEN_KB, CAPACITY_KB = 450, 700
GRID_MEMBERS, KEYS = 500, 120
READY_SECONDS, START_SECONDS = 90.0, 400
ARGUMENTS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
# Something is drawn, and nothing says that it is on its way.
DRAWN: Final = """() => {
  const main = document.querySelector('main');
  return !!main?.querySelector('h1, h2, [role=grid]') && !/\\bLoading\\b/.test(main.innerText)
      && !main.querySelector('[class*=awsui_rotator]');
}"""
TOKENS: Final = "() => JSON.stringify(Object.entries(sessionStorage))"
# Frames while the grid is scrolled by its whole height, as a wheel does: the times between them in milliseconds.
SCROLL: Final = """async () => {
  const grid = document.querySelector('.plan-grid'), gaps = [];
  let last = performance.now();
  for (let at = 0; at < grid.scrollHeight; at += 240) {
    grid.scrollTop = at;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}"""


@dataclass(frozen=True, slots=True)
class Served:
    """A platform whose screens are open."""

    origin: str
    home: Home


@dataclass(slots=True)
class Calls:
    """The calls of a page to the API that are not answered yet, and the scripts that it has read."""

    open: int = 0
    scripts: set[str] = field(default_factory=set[str])

    def watch(self, page: Page) -> None:
        def ended(request: Any) -> None:
            self.open -= "/api/" in request.url
            if request.url.endswith(".js"):
                self.scripts.add(Path(urlsplit(request.url).path).name)

        page.on("request", lambda request: setattr(self, "open", self.open + ("/api/" in request.url)))
        page.on("requestfinished", ended)
        page.on("requestfailed", ended)


def main(argv: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--weeks", type=int, default=4, help="of the sample; 0 is none")
    parser.add_argument("--screens", nargs="+", choices=SCREENS, default=SCREENS)
    parser.add_argument("--grid", type=int, default=GRID_MEMBERS, help="members of the grid")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/screens.json")
    options = parser.parse_args(argv)
    if not (BUILT / "index.html").is_file():
        sys.exit("the screens are not built; `make screens` does that")
    load_before = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory() as folder,
        prism_up(Path(folder) / "home", options.weeks) as served,
        chromium() as browser,
    ):
        tokens = signed_in(browser, served, Role.ADMIN)
        own = signed_in(browser, served, Role.ANNOTATOR)
        week = (clock.this_week() + 6).label
        if not options.weeks:
            _fill(browser, served, tokens, week, options.grid)
        loads = {
            name: _loads(browser, served, own if name == "dashboard" else tokens, name, options.repeats)
            for name in options.screens
        }
        acts = _interactions(browser, served, tokens, options.repeats) if "team" in options.screens else {}
        if options.weeks:
            _fill(browser, served, tokens, week, options.grid)
        grid = _grid(browser, served, tokens, week)
    result = {
        "benchmark": "screens",
        **circumstances(load_before),
        "repeats": options.repeats,
        "first_load": loads,
        "interactions": acts,
        "grid": grid,
    }
    promised = _promised(result)
    result["targets"] = [
        {"promise": one.promise, "limit": one.limit, "measured": one.measured, "met": one.met} for one in promised
    ]
    _print(result)
    print_targets(promised)
    if options.save:
        keep("screens", result)
    return result


@contextmanager
def prism_up(home: Path, weeks: int) -> Iterator[Served]:
    """`prism up` in a folder of its own: its main job first, then what it serves."""
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PRISM_", "DAGSTER_"))
    }
    environment["PRISM_HOME"] = str(home)
    command = [str(Path(sys.executable).parent / "prism"), "up"]
    sample = ["--sample", str(weeks)] if weeks else ["--no-sample"]
    with (home.parent / "up.log").open("wb") as log:
        first = [*command, "--once", *sample, "--port", str(port)]
        subprocess.run(first, env=environment, stdout=log, stderr=log, check=True, timeout=START_SECONDS)  # noqa: S603 - our own
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - our own
        try:
            origin = f"http://{LOOPBACK}:{port}"
            _wait(origin, running)
            yield Served(origin, Home(home))
        finally:
            running.terminate()
            running.wait(timeout=120)


def _wait(origin: str, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and running.poll() is None:
        try:
            if httpx.get(f"{origin}/config.json", trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    sys.exit("`prism up` does not serve the screens")


@contextmanager
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        sys.exit("there is no chromium here; Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield running
        running.close()


def signed_in(browser: Browser, at: Served, role: Role) -> str:
    """The storage of a tab that somebody has signed in with, as a script that another tab begins with."""
    page = browser.new_context().new_page()
    page.goto(at.origin)
    page.get_by_label("Username").fill(demo_email(role))
    page.get_by_label("Password").fill(demo_password(at.home))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Screens").wait_for()
    kept = page.evaluate(TOKENS)
    page.context.close()
    return f"for (const [name, value] of {kept}) sessionStorage.setItem(name, value);"


@contextmanager
def tab(browser: Browser, tokens: str, **look: Any) -> Iterator[tuple[Page, Calls]]:
    """A tab of a browser that has nothing of before but the session."""
    context: BrowserContext = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", **look
    )
    context.add_init_script(tokens)
    page, calls = context.new_page(), Calls()
    calls.watch(page)
    yield page, calls
    context.close()


def ready(page: Page, calls: Calls) -> None:
    """Until everything is drawn and nothing is on its way."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        page.wait_for_function(DRAWN, timeout=READY_SECONDS * 1_000)
        if calls.open == 0 and page.evaluate(DRAWN):
            return
    raise TimeoutError(f"{page.url} was not drawn in {READY_SECONDS:g} s")


def _loads(browser: Browser, at: Served, tokens: str, name: str, repeats: int) -> dict[str, Any]:
    """A first load is one with an empty cache; the one before the first of them warms the platform."""
    times: list[float] = []
    scripts: set[str] = set()
    for _ in range(repeats + 1):
        with tab(browser, tokens) as (page, calls):
            began = time.monotonic()
            page.goto(f"{at.origin}/{name}", wait_until="commit")
            ready(page, calls)
            times.append(1_000 * (time.monotonic() - began))
            scripts = calls.scripts
    return {
        "cold_ms": round(times[0]),
        "ms": round(statistics.median(times[1:])),
        "all_ms": [round(one) for one in times[1:]],
        "script_kb": round(sum(_packed(one) for one in scripts) / 1_000, 1),
    }


def _packed(name: str) -> int:
    """Bytes of a script as they travel."""
    return len(gzip.compress((BUILT / "assets" / name).read_bytes(), 9))


def _interactions(browser: Browser, at: Served, tokens: str, repeats: int) -> dict[str, Any]:
    """From the action to the frame with the rows that the server answered; each on a tab of its own.

    Rows are asked for ahead where a pointer rests on a header or comes near the pages: pressed at once, the answer
    comes after the press, and pressed after a rest it was there. Both are measured, and `asked` counts the presses
    that the list was asked for after.
    """

    found: dict[str, Any] = {}
    for kind, act in ACTIONS.items():
        timed: list[dict[str, Any]] = []
        for _ in range(repeats):
            with tab(browser, tokens) as (page, calls):
                page.goto(f"{at.origin}/team")
                ready(page, calls)
                page.evaluate(REPAINTED)
                act(page)
                timed.append(page.evaluate("() => window.repainted"))
        times = [one["ms"] for one in timed]
        found[kind] = {
            "ms": round(statistics.median(times)),
            "all_ms": [round(one) for one in times],
            "asked": sum(one["asked"] for one in timed),
        }
    return found


def _grid(browser: Browser, at: Served, tokens: str, week: str) -> dict[str, Any]:
    """The week of everybody: scrolled from end to end, then walked down by keys as fast as they can be pressed."""
    with tab(browser, tokens) as (page, calls):
        page.goto(f"{at.origin}/capacity?week={week}")
        ready(page, calls)
        rows = int(page.locator(".plan-grid").get_attribute("aria-rowcount") or 0) - 1
        gaps: Sequence[float] = page.evaluate(SCROLL)
        page.locator(".plan-grid").evaluate("(one) => { one.scrollTop = 0; }")
        page.locator('[data-cell="0 0"]').focus()
        keys = min(KEYS, rows - 1)
        began = time.monotonic()
        for _ in range(keys):
            page.keyboard.press("ArrowDown")
        a_key = 1_000 * (time.monotonic() - began) / keys
        # A row that was out of sight takes the focus once it is drawn.
        place = page.evaluate(
            """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
                 done(document.activeElement?.getAttribute('data-cell') ?? '0 0'))))"""
        )
    return {
        "members": rows,
        "frames": len(gaps),
        "frame_p50_ms": round(statistics.median(gaps), 1),
        "frame_max_ms": round(max(gaps), 1),
        "keys": keys,
        "dropped_keys": keys - int(place.split()[0]),
        "key_ms": round(a_key, 1),
    }


def _fill(browser: Browser, at: Served, tokens: str, week: str, members: int) -> None:
    """Members and their hours of the week, by the API with the token of a tab."""
    with tab(browser, tokens) as (page, _):
        page.goto(at.origin)
        token = page.evaluate(
            "() => JSON.parse(Object.entries(sessionStorage)"
            ".find(([name]) => name.startsWith('oidc.user:'))[1]).access_token"
        )
    names = [f"grid-{number:03}" for number in range(members)]
    hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), 8)
    people = [
        {
            "member_id": name,
            "name": f"Grid {name}",
            "email": f"{name}@bench.example",
            "time_zone": "UTC",
            "hours": hours,
        }
        for name in names
    ]
    work = [{"member_id": name, "week": week, "project_id": "grid", "hours": _week_hours(week)} for name in names]
    project = {"project_id": "grid", "name": "Grid", "category": "c", "demand_hours": 40}
    with httpx.Client(base_url=at.origin, trust_env=False, timeout=120) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        client.post("/api/projects", json=project).raise_for_status()
        for path, items in (("/api/members/bulk", people), ("/api/allocations/bulk", work)):
            for start in range(0, members, 200):
                rows = [{"operation": "create", "fields": one} for one in items[start : start + 200]]
                answer = client.post(path, json={"rows": rows}).raise_for_status().json()
                bad = [row for row in answer["rows"] if row["status"] >= httpx.codes.BAD_REQUEST]
                if bad:
                    sys.exit(f"{path} refused {bad[0]}")


def _week_hours(week: str) -> dict[str, int]:
    return {day.isoformat(): 6 for day in Week.parse(week).days[:5]}


def _promised(result: Mapping[str, Any]) -> list[Target]:
    loads, grid = result["first_load"], result["grid"]
    found = [Target(f"ms a first load of {name}", FIRST_LOAD_MS, one["ms"]) for name, one in loads.items()]
    for name, one in loads.items():
        found.append(
            Target(f"kB of scripts, {name}", CAPACITY_KB if name == "capacity" else SCREEN_KB, one["script_kb"])
        )
    found += [Target(f"ms to {kind}", INTERACTION_MS, one["ms"]) for kind, one in result["interactions"].items()]
    found.append(Target(f"keys that a grid of {grid['members']} members dropped", 0, grid["dropped_keys"]))
    return found


def _print(result: Mapping[str, Any]) -> None:
    print(f"{'':<12} first load ms    cold    scripts kB")
    for name, one in result["first_load"].items():
        print(f"{name:<12} {one['ms']:>13} {one['cold_ms']:>7} {one['script_kb']:>13}")
    for kind, one in result["interactions"].items():
        print(f"{kind:<12} {one['ms']:>13}   {one['asked']} of {len(one['all_ms'])} asked after the press")
    if grid := result["grid"]:
        frames = f"a frame takes {grid['frame_p50_ms']:g} ms, {grid['frame_max_ms']:g} at most"
        print(
            f"grid of {grid['members']} members: {frames}; {grid['dropped_keys']} of {grid['keys']} keys dropped"
        )


if __name__ == "__main__":
    main()
