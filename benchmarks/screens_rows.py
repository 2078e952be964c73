"""What is done to the rows of a list, and the time to the frame with other ones.

Belongs here: the actions on the Team screen, and how the page itself takes the time. Does not belong here: how
often it is done, and what is promised (screens.py).
"""

from collections.abc import Callable, Mapping
from typing import Final

from playwright.sync_api import Locator, Page

# From where a pointer arrives at a button to its press, for who knows where they go.
REST_MS = 300
# From the input to the frame with other rows: the task after that frame was drawn. Rows that only say that
# something is on its way are none. With it, whether the list was asked for after the input.
REPAINTED: Final = """() => {
  const body = document.querySelector('main tbody'), before = body.textContent;
  let began;
  const mark = (input) => { began = input.timeStamp; };
  for (const kind of ['pointerdown', 'keydown']) document.addEventListener(kind, mark, { capture: true });
  window.repainted = new Promise((done, failed) => {
    setTimeout(() => failed(new Error('no other rows in 60 s')), 60000);
    const seen = new MutationObserver(() => {
      if (began === undefined || body.textContent === before || /\\bLoading\\b/.test(body.textContent)) return;
      seen.disconnect();
      requestAnimationFrame(() => {
        const after = new MessageChannel();
        after.port1.onmessage = () => done({
          ms: performance.now() - began,
          asked: performance.getEntriesByType('resource').some(
            ({ name, startTime }) => name.includes('/api/members?') && startTime >= began),
        });
        after.port2.postMessage(0);
      });
    });
    seen.observe(body, { childList: true, subtree: true, characterData: true });
  });
}"""


def _header(page: Page) -> Locator:
    return page.get_by_role("columnheader", name="Name").get_by_role("button").first


def _next_page(page: Page) -> Locator:
    return page.get_by_role("button", name="Next page")


def _press_filter(page: Page) -> None:
    field = page.get_by_role("combobox", name="Filter members")
    field.fill("1")  # in the names of some of the members only
    field.press("Enter")


def _press_rested(button: Locator) -> None:
    """By the place: what a pointer meets there is the header that stays on top, a copy."""
    box, page = button.bounding_box(), button.page
    if box is None:
        raise RuntimeError(f"{button} is not drawn")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(REST_MS)
    page.mouse.down()
    page.mouse.up()


ACTIONS: Final[Mapping[str, Callable[[Page], None]]] = {
    "sort": lambda page: _header(page).press("Enter"),
    "sort, rested": lambda page: _press_rested(_header(page)),
    "page": lambda page: _next_page(page).click(),
    "page, rested": lambda page: _press_rested(_next_page(page)),
    "filter": _press_filter,
}
