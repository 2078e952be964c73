"""Processes that begin with everything imported: forks of one, for each test process, that has done it.

To import the command, Dagster and the definitions takes up to five seconds of a core, most of what commands cost.
A fork has an environment, handles, memory and an end of its own, as a process has that starts from nothing. But
all forks of a test process order sets alike, and what is registered for the end of an interpreter does not run.
One thread starts and awaits them: `multiprocessing` reads the end of each child once, whoever asks.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from infra.local.emulator.process import REPOSITORY

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        __name__,
        "infra.local.serving",
        *(f"infra.cli.{path.stem}" for path in (REPOSITORY / "infra" / "cli").glob("*.py")),
        "prism_assets.definitions",
        "prism_resources.query.duckdb",
        "prism_resources.query.files",
        "prism_resources.reports.rendering",
    ]
)


def process(target: Callable[..., object], *arguments: Any) -> ForkServerProcess:
    """A function of a module, to be started in a process with the environment of now."""
    return _process(os.environ, target, *arguments)


class Script:
    """Python code in a process, with pipes as `subprocess.Popen` has them; its errors are among ours."""

    def __init__(self, code: str, *arguments: str, environment: Mapping[str, str] = os.environ) -> None:
        from_it, its_out = CONTEXT.Pipe(duplex=False)
        its_in, to_it = CONTEXT.Pipe(duplex=False)
        self._process = _process(environment, _script, its_in, its_out, code, arguments)
        self._process.start()
        self.stdout = os.fdopen(os.dup(from_it.fileno()), encoding="utf-8")
        self.stdin = os.fdopen(os.dup(to_it.fileno()), "w", encoding="utf-8")
        for end in (from_it, its_out, its_in, to_it):
            end.close()

    def communicate(self) -> str:
        """All that it has still to say, when it has ended."""
        self.stdin.close()
        with self.stdout:
            said = self.stdout.read()
        self.wait()
        return said

    def wait(self, seconds: float = 240) -> int:
        """The code with which it has ended; minus the signal that it died of."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("a script", seconds)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()


def prism(
    arguments: Sequence[str], environment: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as `subprocess.run` answers it."""
    with tempfile.TemporaryDirectory(prefix="prism-said-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        running = _process(environment, _prism, list(arguments), out, err)
        running.start()
        try:
            running.join(seconds)
        finally:
            late = running.exitcode is None  # or this test is given up
            if late:
                running.kill()
                running.join()
        if late:
            raise subprocess.TimeoutExpired(["prism", *arguments], seconds)
        said = out.read_text(), err.read_text()
    return subprocess.CompletedProcess(["prism", *arguments], running.exitcode or 0, *said)


def _process(environment: Mapping[str, str], target: Callable[..., object], *arguments: Any) -> ForkServerProcess:
    _serve()
    told = (dict(environment), Path.cwd(), target, arguments)
    # What a failed test leaves ends with its process, which would wait for it for ever.
    return CONTEXT.Process(target=_carry_out, args=told, daemon=True)


@cache
def _serve() -> None:
    """Start what forks: where the tests can be imported, with the width that a console reads when it is made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        patch.chdir(REPOSITORY)
        forkserver.ensure_running()


def _carry_out(
    environment: dict[str, str], folder: Path, target: Callable[..., object], arguments: Sequence[Any]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    target(*arguments)


def _script(its_in: Connection, its_out: Connection, code: str, arguments: Sequence[str]) -> None:
    os.dup2(its_in.fileno(), 0)
    os.dup2(its_out.fileno(), 1)
    its_in.close()
    its_out.close()
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.argv = ["-c", *arguments]
    exec(code, {"__name__": "__main__"})  # noqa: S102 - as `python -c` does it


def _prism(arguments: list[str], out: Path, err: Path) -> None:
    from infra.cli.app import main  # noqa: PLC0415 - who only starts processes does without it

    for path, handle in ((out, 1), (err, 2)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), handle)
    sys.argv = ["prism", *arguments]
    main()
