"""What synchronous executions of state machines leave in the embedded AWS.

Belongs here: forgetting them some time after their end. Does not belong here: snapshots, which they would fill.
The embedded AWS keeps every execution with the input and output of each state for ever (19 kB of an event of 1 kB:
after 100,000 events every snapshot has 1.9 GB). AWS keeps none of an Express execution.
"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any, Final

# Who started one has its answer long before.
KEPT_SECONDS: Final = 60.0
EVERY_SECONDS: Final = 10.0


async def forget_ended() -> None:
    """Until cancelled."""
    from ministack.services import stepfunctions

    while True:
        await asyncio.sleep(EVERY_SECONDS)
        kept = stepfunctions._executions._data  # noqa: SLF001 - no call of it deletes one
        forget(kept, time.time() - KEPT_SECONDS)


def forget(executions: dict[Any, dict[str, Any]], before: float) -> int:
    """Drop the synchronous ones that ended before an instant (seconds of the epoch); answers how many."""
    ended = [key for key, one in list(executions.items()) if one.get("sync") and _ended(one) < before]
    for key in ended:
        executions.pop(key, None)
    return len(ended)


def _ended(execution: dict[str, Any]) -> float:
    said = execution.get("stopDate")
    if not said or execution.get("status") == "RUNNING":
        return float("inf")
    instant = datetime.fromisoformat(str(said))
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
