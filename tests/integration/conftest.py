"""Why real: the emulator is the only AWS the tests know; a fake in the process would agree with our mistakes."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.deploy import deploy
from infra.local.platform import Platform, attached
from prism_core.calendar import Week


def worker_port(offset: int = 0) -> int:
    """Ten ports a platform, and a hundred of its own for every test process: several may run at once."""
    return 21_000 + os.getpid() % 110 * 100 + offset * 10


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One emulator a test process, with the templates deployed and the first week 2018-W33."""
    home = tmp_path_factory.mktemp("prism-home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PRISM_")]:
            patch.delenv(name)
        patch.setenv("PRISM_HOME", str(home))
        patch.setenv("PRISM_FIRST_WEEK", "2018-W33")
        patch.setenv("DAGSTER_HOME", str(home / "dagster"))
        with attached(print, port=worker_port()) as running:
            deploy(running.settings, Week.parse("2018-W40"), print)
            yield running
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PRISM_HOME for a test that starts its own platform."""
    for name in [name for name in os.environ if name.startswith("PRISM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PRISM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
