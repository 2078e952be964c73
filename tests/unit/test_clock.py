"""The one clock, and the variable that stops it."""

from datetime import UTC, datetime

import pytest

from prism_core import clock
from prism_core.failures import BadUsage


@pytest.mark.parametrize(
    "text", ["2026-01-05T07:00:00Z", "2026-01-05T08:00:00+01:00", "2026-01-04T23:00:00-08:00"]
)
def test_a_fixed_instant_is_the_time_in_utc_whatever_zone_it_was_written_in(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("PRISM_NOW", text)

    assert clock.now() == datetime(2026, 1, 5, 7, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    assert clock.this_week().label == "2026-W02"


@pytest.mark.parametrize("unset", [None, ""])
def test_without_the_variable_the_time_passes(monkeypatch: pytest.MonkeyPatch, unset: str | None) -> None:
    if unset is not None:
        monkeypatch.setenv("PRISM_NOW", unset)

    before, found, after = datetime.now(UTC), clock.now(), datetime.now(UTC)

    assert before <= found <= after


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-01-05T07:00:00", "has no time zone; add +00:00 or Z"),
        ("2026-01-05", "has no time zone"),
        ("monday", "PRISM_NOW='monday' is not an instant; write 2026-01-05T07:00:00+00:00"),
        ("1767596400", "is not an instant"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(monkeypatch: pytest.MonkeyPatch, text: str, words: str) -> None:
    monkeypatch.setenv("PRISM_NOW", text)

    with pytest.raises(BadUsage) as refused:
        clock.now()

    assert words in str(refused.value)
