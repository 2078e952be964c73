"""`dagster dev` with our guarded web server in the place of Dagster's: `python -m infra.local.dagster_dev …`.

Belongs here: that exchange, and ending the runs that a killed platform left. `dagster dev` has no option for the
first, and a proxy before the web server would leave the web server's own port open to every page (DNS rebinding),
so the command that it starts is exchanged. Does not belong here: the guard (dagster_web.py) and runs (runs.py).
"""

import sys
from typing import Any

from dagster import DagsterInstance
from dagster._cli import cli, dev

from infra.local.runs import end_abandoned

THEIRS, OURS = "dagster_webserver", "infra.local.dagster_web"
_STARTS = "open_ipc_subprocess"  # a Dagster without it fails to start here, instead of starting without the guard


def main() -> None:
    start = getattr(dev, _STARTS)

    def start_ours(command: list[str], **options: Any) -> Any:
        return start([OURS if part == THEIRS else part for part in command], **options)

    setattr(dev, _STARTS, start_ours)
    # Only one platform serves a home: what seems to be at work was killed with the one before.
    with DagsterInstance.get() as instance:
        end_abandoned(instance)
    cli(["dev", *sys.argv[1:]])


if __name__ == "__main__":
    main()
