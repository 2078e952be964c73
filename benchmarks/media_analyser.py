"""The stand-in of Rekognition alone in a process, as `prism up` has it beside the embedded AWS.

Belongs here: starting it. Does not belong here: what is measured with it (media.py). Without a process of its own
it would share an interpreter with who uploads and waits, and its CPU time could not be told.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.harness import ROOT
from infra.local.home import Home
from infra.local.serving import standins
from infra.local.standins.serving import home_world
from prism_core.settings import prism_home


@contextmanager
def analyser(port: int) -> Iterator[int]:
    """The stand-ins of PRISM_HOME on a port; answers the id of their process."""
    command = [sys.executable, "-m", "benchmarks.media_analyser", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603
        try:
            if child.stdout is None or not child.stdout.readline():
                sys.exit("the analyser did not start")
            yield child.pid
        finally:
            child.kill()


def main(port: int) -> None:
    with standins(home_world(Home(prism_home())), port, "none"):
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
