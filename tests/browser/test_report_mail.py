"""The mail of a report, as a browser shows it: nothing sticks out, everything can be read, in light and in dark.

Why real: whether a table fits a telephone and whether a style reaches an element is known when it is laid out.
What each looked like lies in .screenshots afterwards.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from prism_resources.reports.files import write_mail
from prism_resources.reports.rendering import render
from tests.unit.report_mails import CONTENTS

NOW = datetime(2023, 9, 4, 5, tzinfo=UTC)
WIDTHS = (600, 375)
# Two of the real weeks are enough to look at.
NAMES = [name for name in CONTENTS if name not in {"real-w32", "real-w33", "real-w35", "model"}]
LEAST_CONTRAST = 4.5
# What sticks out, what cannot be read, which pictures are not there, and which are seen.
LOOK = """() => {
  const parts = colour => colour.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [x, y, z] = [r, g, b].map(v => linear(v / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const found = parts(getComputedStyle(one).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const texts = [], out = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const words = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!words || !element.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (box.right > innerWidth + 1 || box.left < 0) out.push(words.slice(0, 40));
    const cell = element.closest('td, th').getBoundingClientRect();
    if (box.right > cell.right + 1 || box.left < cell.left - 1) out.push('of its cell: ' + words.slice(0, 40));
    const [a, b] = [light(parts(getComputedStyle(element).color)), light(behind(element))];
    const size = parseFloat(getComputedStyle(element).fontSize);
    texts.push({words: words.slice(0, 40), size, contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)});
  }
  const images = [...document.images];
  const seen = images.filter(one => one.checkVisibility());
  return {
    wide: document.documentElement.scrollWidth, out, texts,
    broken: images.filter(one => !one.naturalWidth).map(one => one.src),
    seen: seen.map(one => one.src.split('/').pop()),
    stretched: seen.filter(one => Math.abs(one.width / one.height - one.naturalWidth / one.naturalHeight) > 0.03)
      .map(one => one.src),
    page: behind(document.body),
  };
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every content as files."""
    root = tmp_path_factory.mktemp("mails")
    for name in NAMES:
        write_mail(
            render(CONTENTS[name](), closing="You get this because you lead a department."), root / name, now=NOW
        )
    return root


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=WIDTHS, ids=str)
def page(browser: Browser, request: pytest.FixtureRequest, scheme: Any) -> Iterator[Page]:
    shown = browser.new_page(
        viewport={"width": request.param, "height": 900},
        color_scheme=scheme,
        offline=True,
    )
    yield shown
    shown.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_fits_its_window_and_every_word_of_it_can_be_read(
    page: Page, scheme: str, name: str, folder: Path, screenshots: Path
) -> None:
    page.goto((folder / name / "report.html").as_uri())

    found = page.evaluate(LOOK)

    width = page.viewport_size["width"] if page.viewport_size else 0
    page.screenshot(path=screenshots / f"report-{name}-{scheme}-{width}.png", full_page=True)
    assert found["wide"] <= width
    assert found["out"] == []
    assert [one for one in found["texts"] if one["contrast"] < LEAST_CONTRAST] == []
    assert [one for one in found["texts"] if one["size"] < 11] == []
    assert (found["broken"], found["stretched"]) == ([], [])
    assert {one.rsplit("-", 1)[1] for one in found["seen"]} <= {f"{scheme}.png"}
    assert (sum(found["page"][:3]) < 150) is (scheme == "dark")
    assert found["texts"]


def test_what_outlook_marks_as_dark_is_dark(browser: Browser, folder: Path) -> None:
    """It sets these attributes on what it has changed, and says nothing to media queries."""
    page = browser.new_page(offline=True, color_scheme="light")
    page.goto((folder / "alert" / "report.html").as_uri())

    page.evaluate("for (const name of ['data-ogsc', 'data-ogsb']) document.documentElement.setAttribute(name, '')")
    found = page.evaluate(LOOK)

    page.close()
    assert [one for one in found["texts"] if one["contrast"] < LEAST_CONTRAST] == []
    assert {one.rsplit("-", 1)[1] for one in found["seen"]} == {"dark.png"}
