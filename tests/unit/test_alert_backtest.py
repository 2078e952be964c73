"""A backtest tells what would have been open from when to when, and how much of it was right."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from prism_core.alerts.backtest import backtest, by_feedback
from prism_core.alerts.findings import fingerprint
from prism_core.alerts.snapshot import AlertSnapshot, MemberState, Planned, TimeOff
from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.alerts import AlertRule, Ending, Verdict
from prism_core.models.people import AvailabilityStatus
from prism_core.models.work import Severity
from prism_core.quality import accuracy

OOTO = AlertRule.OOTO_CONFLICT
WEEK = Week.parse("2026-W48")
THURSDAY = WEEK.days[3]
MORNING = datetime(2026, 11, 23, 7, tzinfo=UTC)
EIGHT = Decimal("8.00")
MEMBER = MemberState("M-1", (EIGHT,) * 5 + (Decimal("0.00"),) * 2)
FOUND = fingerprint(OOTO, f"availability/M-1/{THURSDAY}", THURSDAY.isoformat())


def morning(number: int, status: str | None, *, read: bool = True) -> AlertSnapshot:
    """The snapshot of a morning: M-1 is planned on Thursday, with time off of this status (None: without)."""
    as_of = MORNING + timedelta(days=number)
    week = Week.of(as_of)
    off = () if status is None else (TimeOff("M-1", THURSDAY, EIGHT, AvailabilityStatus(status)),)
    rows = (Planned("M-1", WEEK, "P-1", {THURSDAY: EIGHT}),)
    return AlertSnapshot(
        as_of=as_of,
        week=week,
        ended=week + -1,
        members={"M-1": MEMBER},
        time_off={one: off if one == WEEK else () for one in (WEEK, WEEK + 1)} if read else {},
        planned={one: rows if one == WEEK else () for one in (WEEK, WEEK + 1)},
    )


def test_an_episode_lasts_from_the_first_finding_until_it_is_mended() -> None:
    result = backtest(OOTO, [morning(0, None), morning(1, "requested"), morning(2, "approved"), morning(3, None)])

    (episode,) = result.episodes
    assert (episode.opened, episode.closed) == (MORNING + timedelta(days=1), MORNING + timedelta(days=3))
    assert (episode.closed, episode.ending) == (episode.opened + timedelta(days=2), Ending.MENDED)
    assert (episode.severity, episode.fingerprint, result.snapshots) == (Severity.HIGH, FOUND, 4)


def test_what_comes_back_is_another_episode_of_the_same_alert() -> None:
    result = backtest(OOTO, [morning(0, "approved"), morning(1, None), morning(2, "approved")])

    assert [episode.closed is None for episode in result.episodes] == [False, True]
    assert result.fingerprints == {FOUND}


def test_an_episode_whose_week_goes_by_ends_as_over() -> None:
    (episode,) = backtest(OOTO, [morning(0, "approved"), morning(7, "approved")]).episodes

    assert episode.ending is Ending.OVER


def test_an_instant_at_which_nothing_could_be_judged_is_told_and_ends_nothing() -> None:
    result = backtest(OOTO, [morning(0, "approved"), morning(1, "approved", read=False), morning(2, "approved")])

    assert [silent.as_of for silent in result.abstained] == [MORNING + timedelta(days=1)]
    assert [episode.closed for episode in result.episodes] == [None]


def test_snapshots_are_taken_one_by_one_and_in_order() -> None:
    taken: list[int] = []

    def mornings() -> Iterator[AlertSnapshot]:
        for number in (0, 1, 2):
            taken.append(number)
            yield morning(number, "approved")

    assert backtest(OOTO, mornings()).snapshots == len(taken)
    with pytest.raises(BadUsage, match="comes after"):
        backtest(OOTO, [morning(1, None), morning(0, None)])


def test_precision_is_measured_by_what_people_said_of_the_alerts() -> None:
    result = backtest(OOTO, [morning(0, "approved")])

    assert by_feedback(result, {FOUND: Verdict.USEFUL, "f" * 32: Verdict.NOT_USEFUL}) == accuracy(1, 1)
    assert by_feedback(result, {FOUND: Verdict.NOT_USEFUL}) == accuracy(0, 1)
    assert by_feedback(result, {}) == accuracy(0, 0)
    # What was useful is resolved, and no longer in the weeks of before.
    rewritten = replace(result, rule=AlertRule.UNRESOLVED_WORKER)
    assert by_feedback(rewritten, {FOUND: Verdict.USEFUL}) is None


def test_a_backtest_of_nothing_found_nothing() -> None:
    result = backtest(OOTO, [])

    assert (result.snapshots, result.episodes, result.abstained) == (0, (), ())
