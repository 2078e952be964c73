"""What ended executions leave behind is forgotten, and nothing that somebody may still ask for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.emulator.executions import forget

NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)


def execution(seconds: float, **changes: Any) -> dict[str, Any]:
    ended = (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return {"sync": True, "status": "SUCCEEDED", "stopDate": ended} | changes


@pytest.mark.parametrize(
    ("one", "forgotten"),
    [
        pytest.param(execution(-1), True, id="ended before"),
        pytest.param(execution(-1, status="FAILED"), True, id="failed before"),
        pytest.param(execution(1), False, id="ended since"),
        pytest.param(execution(-1, sync=False), False, id="not synchronous"),
        pytest.param(execution(-1, status="RUNNING", stopDate=None), False, id="runs"),
        pytest.param(execution(-1, status="RUNNING"), False, id="runs again"),
    ],
)
def test_a_synchronous_execution_is_forgotten_some_time_after_its_end(
    one: dict[str, Any], *, forgotten: bool
) -> None:
    executions = {"a": one, "b": execution(5)}

    assert forget(executions, NOW.timestamp()) == forgotten
    assert set(executions) == ({"b"} if forgotten else {"a", "b"})
