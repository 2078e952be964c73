"""A browser without a network, and the place where its pictures are kept.

Belongs here: Chromium and its fonts. Does not belong here: what is looked at.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from prism_resources.reports.rendering import FONTS

# Pictures of the last run, for a person to look at.
SCREENSHOTS = Path(__file__).parents[2] / ".screenshots"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
# Arial is what the mails ask for; a machine without it has a font of the same widths.
FONT_RULES = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{folder}</dir>
<match target="pattern"><test name="family"><string>Arial</string></test>
<edit name="family" mode="assign" binding="strong"><string>Liberation Sans</string></edit></match></fontconfig>"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium. CI installs it; elsewhere its tests are left out where there is none.

    A module's: the driver keeps an event loop running in this thread, so that no later test of the process
    could start one of its own.
    """
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no chromium: .ci/run installs it")
        pytest.skip("there is no chromium here; Debian: apt-get install chromium")
    rules = tmp_path_factory.mktemp("fonts") / "fonts.conf"
    rules.write_text(FONT_RULES.format(folder=FONTS[0].parent))
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=found,
            args=list(ARGUMENTS),
            env={**os.environ, "FONTCONFIG_FILE": str(rules)},
            timeout=120_000,
        )
        yield running
        running.close()
    assert asyncio._get_running_loop() is None, "the driver left its event loop behind"


@pytest.fixture(scope="session")
def screenshots() -> Path:
    SCREENSHOTS.mkdir(exist_ok=True)
    return SCREENSHOTS
