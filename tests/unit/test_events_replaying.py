"""What a replay asks about while it waits for outcomes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from infra.cli import failed_events
from prism_core.events.envelope import Envelope
from prism_core.events.messages import Accepted
from prism_core.events.outcomes import Outcome
from prism_resources.events.replaying import Replayed, Replaying


class OneByOne(Replaying):
    """Of those that are asked for the first one has ended each time."""

    def __init__(self) -> None:
        self.asked = list[int]()

    def settle(self, sent: Sequence[Accepted]) -> Mapping[str, Outcome]:
        self.asked.append(len(sent))
        return {sent[0].receipt: Outcome.STORED}


def test_outcomes_are_asked_for_until_they_are_known_and_not_again(monkeypatch: pytest.MonkeyPatch) -> None:
    event, now = Envelope(id="1", source="/s", type="t"), datetime(2026, 1, 5, tzinfo=UTC)
    sent = [Accepted(f"r{number}", "tool", now, event, event.fingerprint) for number in range(3)]
    monkeypatch.setattr(failed_events, "_POLL_SECONDS", 0)
    replaying = OneByOne()

    counts = failed_events._settled(replaying, Replayed("run", sent))

    assert (replaying.asked, counts) == ([3, 2, 1], {Outcome.STORED: 3})
