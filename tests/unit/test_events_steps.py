"""A pack goes on without the one event of it that cannot be made into what is kept."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from prism_api.events import steps
from prism_api.events.kept import Entry
from prism_api.events.steps import made_alone
from prism_core.events.envelope import Envelope
from prism_core.events.messages import Accepted, encode
from prism_core.events.outcomes import Outcome, Settled
from prism_core.events.packing import encode_pack
from prism_core.failures import PermanentFailure, TransientFailure

NOW = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)


def entry(receipt: str) -> Entry:
    event = Envelope(id=receipt, source="/tests", type="t", data={})
    return Entry(Accepted(receipt, "tool", NOW, event, event.fingerprint), "1-0-0")


def test_an_event_whose_data_are_gone_is_tried_again_alone() -> None:
    def make(one: Entry) -> str:
        if one.accepted.receipt == "lost":
            raise PermanentFailure("s3://lake/events/large/lost is gone")
        return one.accepted.receipt

    left: list[Settled] = []
    made = made_alone([entry("a"), entry("lost"), entry("b")], make, left)

    assert made == ["a", "b"]
    assert left == [Settled("", "lost", Outcome.RETRY, "s3://lake/events/large/lost is gone")]


@pytest.mark.parametrize("step", ["validate", "enrich", "store"])
def test_a_state_writes_nothing_for_an_execution_that_was_given_up(step: str) -> None:
    given_up = datetime.now(UTC) - timedelta(seconds=1)
    pack = json.loads(encode_pack([encode(entry("R" * 26).accepted)], given_up))

    with pytest.raises(TransientFailure, match="given up"):
        steps.handler({"step": step, "pack": pack}, None)

    assert steps.handler({"step": "aggregate", "pack": {"until": pack["until"]}}, None)["until"] == pack["until"]
