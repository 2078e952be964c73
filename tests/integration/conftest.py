"""Why real: the emulator is the only AWS the tests know; a fake in the process would agree with our mistakes."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.platform import Platform
from prism_core.models.base import Versioned
from prism_core.tables import TableSpec
from prism_resources.aws import client
from prism_resources.tables.store import TableStore
from tests.dagster.conftest import no_instance_of_another_test
from tests.integration.fresh import forget_connections, fresh_platform, worker_port
from tests.integration.moving_clock import Clock, Write

if TYPE_CHECKING:
    import dagster as dg

__all__ = ("no_instance_of_another_test",)  # a fixture of every test here, too


_OF_SESSION: list[Platform] = []


@pytest.fixture(scope="module", autouse=True)
def _no_connection_of_another_file() -> Iterator[None]:
    forget_connections()
    for running in _OF_SESSION:
        running.hold()  # a hold ends after minutes
    yield
    forget_connections()


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One emulator a test process, with the templates deployed and the first week 2018-W33."""
    with fresh_platform(tmp_path_factory.mktemp("prism-home"), worker_port()) as running:
        _OF_SESSION.append(running)
        yield running
        _OF_SESSION.clear()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PRISM_HOME for a test that starts its own platform."""
    for name in [name for name in os.environ if name.startswith("PRISM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PRISM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def clock(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A fixed clock that the test moves."""
    del platform  # its variables come first
    return Clock(monkeypatch)


@pytest.fixture
def instance() -> "Iterator[dg.DagsterInstance]":
    """A Dagster instance in memory."""
    import dagster as dg  # noqa: PLC0415 - most modules do without it

    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def write(platform: Platform, clock: Clock) -> Write:
    """Create, replace or delete an item at the time it is, which moves on by some seconds."""

    def written(spec: TableSpec, item: Versioned, *, deleted: bool = False) -> Versioned:
        store = TableStore(client(platform.settings, "dynamodb"), platform.settings, spec, type(item))
        author: dict[str, Any] = {"actor": "test", "reason": "", "now": clock.now}
        raw = store.read(spec.key_of(item))
        version = 0 if raw is None else int(raw["version"]["N"])
        author["request_id"] = f"sensors-{spec.item_key(spec.key_of(item))}-{version}-{deleted}"
        clock.forward(0.1)
        if deleted:
            store.delete(item, expected_version=version, **author)
            return item
        current = item.model_copy(update={"version": max(version, 1)})
        return store.put(current, expected_version=version, **author)

    return written
