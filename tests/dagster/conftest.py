"""What Dagster keeps for a process, kept for a test instead."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_instance_of_another_test() -> Iterator[None]:
    """An instance that is entered twice (a `with`, and a context of a tick inside of it) leaves its state storage
    behind when it ends, and the next test that loads definitions asks an instance that is gone."""
    if "dagster" not in sys.modules:
        yield
        return
    from dagster._core.storage.defs_state.base import set_defs_state_storage  # noqa: PLC0415 - it takes a second

    with set_defs_state_storage(None):
        yield
