"""`dagster dev` with our guarded web server in the place of Dagster's: `python -m infra.local.dagster_dev …`.

Belongs here: that exchange alone. `dagster dev` has no option for it, and a proxy before the web server would
leave the web server's own port open to every page (DNS rebinding), so the command that it starts is exchanged.
"""

import sys
from typing import Any

from dagster._cli import cli, dev

THEIRS, OURS = "dagster_webserver", "infra.local.dagster_web"
_STARTS = "open_ipc_subprocess"  # a Dagster without it fails to start here, instead of starting without the guard


def main() -> None:
    start = getattr(dev, _STARTS)

    def start_ours(command: list[str], **options: Any) -> Any:
        return start([OURS if part == THEIRS else part for part in command], **options)

    setattr(dev, _STARTS, start_ours)
    cli(["dev", *sys.argv[1:]])


if __name__ == "__main__":
    main()
