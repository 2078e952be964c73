"""The pictures of docs/images: every screen of a served platform with its sample, in light and in dark.

Belongs here: which screens, at which size, under which names. Does not belong here: what is measured (screens.py)
and what the pictures of tests show. Somebody looks at them before they are committed.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.screens import SCREENS, chromium, prism_up, ready, signed_in, tab
from infra.local.emulator.process import REPOSITORY
from prism_api.api.calls import Role

FOLDER: Final = REPOSITORY / "docs" / "images"
SCHEMES: Final = ("light", "dark")


def main(argv: list[str] | None = None) -> list[Path]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--weeks", type=int, default=8, help="of the sample")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(argv)
    made: list[Path] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        prism_up(Path(folder) / "home", options.weeks) as served,
        chromium() as browser,
    ):
        lead, own = (signed_in(browser, served, role) for role in (Role.ADMIN, Role.ANNOTATOR))
        for name in SCREENS:
            for scheme in SCHEMES:
                look: Any = {"color_scheme": scheme}
                with tab(browser, own if name == "dashboard" else lead, **look) as (page, calls):
                    page.goto(f"{served.origin}/{name}")
                    ready(page, calls)
                    made.append(options.folder / f"screen-{name}-{scheme}.png")
                    page.screenshot(path=made[-1])
                    print(made[-1].name, file=sys.stderr, flush=True)
    return made


if __name__ == "__main__":
    main()
