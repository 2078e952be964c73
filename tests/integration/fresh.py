"""A platform that a test file has for itself.

Belongs here: for files that count what a whole table or lake holds, which the platform of the session, shared by
every file of a process, cannot promise. Does not belong here: what such a file puts in.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import deploy
from infra.local.platform import Platform, attached
from infra.local.serving import outside
from prism_core import clock
from prism_core.calendar import Week

TODAY = Week.parse("2018-W40")


# `make soak-iam`: every platform of the suite lets its functions do what their roles may, and nothing else.
RIGHTS = {"PRISM_ENFORCE_RIGHTS": "true"} if os.environ.get("ENFORCE_RIGHTS") else {}


def worker_port(offset: int = 0) -> int:
    """Ten ports a platform, and a hundred of its own for every test process: several may run at once."""
    return 21_000 + os.getpid() % 110 * 100 + offset * 10


@contextmanager
def own_variables() -> Iterator[pytest.MonkeyPatch]:
    """Without the variables of another platform, which are there again afterwards: a platform sets its own."""
    before = {name: value for name, value in os.environ.items() if name.startswith("PRISM_")}
    with pytest.MonkeyPatch.context() as patch:
        for name in before:
            patch.delenv(name)
        for name, value in RIGHTS.items():
            patch.setenv(name, value)
        yield patch
    for name in [name for name in os.environ if name.startswith("PRISM_")]:
        del os.environ[name]
    os.environ.update(before)


def lay_deployed(home: Path, port: int, week: Week) -> None:
    """A home on which nothing was done but the deployment.

    That takes three times as long as a start of what is deployed: the first file of a process does it, the others
    get a copy. They have the same ports, which the stacks embed.
    """
    kept = home.parent / f"deployed-{port}-{week}"
    if not kept.exists():
        with pytest.MonkeyPatch.context() as patch:
            made = kept.with_suffix(".partial")
            patch.setenv("PRISM_HOME", str(made))
            with attached(print, port=port) as running:
                deploy(running.settings, week, print)
        made.rename(kept)
    shutil.copytree(kept, home, dirs_exist_ok=True)


@contextmanager
def fresh_platform(
    home: Path, port: int, now: str | None = None, *, laid: bool = False, rights: bool = bool(RIGHTS)
) -> Iterator[Platform]:
    """An emulator of its own, with the templates deployed and the first week 2018-W33.

    With `now` its clock stands there, that of its functions too. `laid` where others are made on the same port.
    With `rights` its functions may do what their roles may.
    """
    with own_variables() as patch:
        patch.setenv("PRISM_HOME", str(home))
        patch.setenv("PRISM_FIRST_WEEK", "2018-W33")
        patch.setenv("DAGSTER_HOME", str(home / "dagster"))
        if now is not None:
            patch.setenv("PRISM_NOW", now)
        patch.setenv("PRISM_ENFORCE_RIGHTS", str(rights).lower())
        if laid:
            lay_deployed(home, port, TODAY)
        with attached(print, port=port) as running:
            if not laid:
                deploy(running.settings, TODAY, print)
            running.hold()  # nobody starts it again: saving what was written costs as much CPU as writing it
            yield running
    shutil.rmtree(home, ignore_errors=True)


def platform_of_this_file(now: str | None = None, *, rights: bool = bool(RIGHTS)) -> Any:
    """`platform = platform_of_this_file()` in a test file hides the platform of the session."""

    @pytest.fixture(scope="module", name="platform")
    def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
        home = tmp_path_factory.mktemp("own-home")
        with fresh_platform(home, worker_port(7), now, laid=now is None, rights=rights) as running:
            yield running

    return own


def forget_connections() -> None:
    """What the API of this process keeps of a platform: the next file may have another one."""
    if "prism_api.api.backend" not in sys.modules:
        return
    from prism_api.api import backend, planning  # noqa: PLC0415 - most files do without them

    for kept in (backend.settings, backend.person_keys, backend.history, backend.throughput, backend.cursor_key):
        kept.cache_clear()
    planning.store.cache_clear()
    backend._STORES.clear()
    backend._taxonomy.clear()


@contextmanager
def served(home: Path) -> Iterator[None]:
    """Commands on this home attach, as to a `prism up`, instead of starting and stopping an emulator each."""
    with own_variables() as patch:
        patch.setenv("PRISM_HOME", str(home))
        with attached(print, serving=True, beside=outside) as running:
            running.announce()
            yield


@contextmanager
def commands_at(home: Path, now: str | None = None, **variables: str) -> Iterator[Platform]:
    """The same, but one that `prism` commands attach to, as to a `prism up`; its first week is the default."""
    with own_variables() as patch:
        if now is None:
            lay_deployed(home, worker_port(7), clock.this_week())
        else:
            patch.setenv("PRISM_NOW", now)
        for name, value in {"PRISM_HOME": str(home), **variables}.items():
            patch.setenv(name, value)
        with attached(print, port=worker_port(7), serving=True) as running:
            if now is not None:
                deploy(running.settings, clock.this_week(), print)
            running.announce()
            yield running


def commands_of_this_file(now: str | None = None) -> Any:
    """Such a platform as the fixture `platform` of a test file."""

    @pytest.fixture(scope="module", name="platform")
    def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
        with commands_at(tmp_path_factory.mktemp("served-home"), now) as running:
            yield running

    return own
