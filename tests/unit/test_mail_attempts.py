"""How long a mail that is refused is tried."""

from datetime import UTC, datetime, timedelta

from prism_core.mail_attempts import MOST_ATTEMPTS, is_due, is_open
from prism_core.models.reports import Delivery, DeliveryStatus

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def refused(attempts: int, at: datetime) -> Delivery:
    return Delivery(
        edition_id="campaign-2026-W01-1",
        recipient_id="ada",
        status=DeliveryStatus.FAILED,
        claimed=at,
        settled=at,
        attempts=attempts,
    )


def tried(every: timedelta, at_once: int) -> list[datetime]:
    """When a mail is handed over that is refused each time, by runs with so many attempts."""
    delivery, times = refused(1, NOON), [NOON]
    for look in range(2_000):  # the first look is that of the run which was refused
        now = NOON + look * every
        for _ in range(at_once):
            if is_due(delivery, now):
                delivery = refused(delivery.attempts + 1, now)
                times.append(now)
    assert not is_open(delivery)
    return times


def test_whatever_runs_do_attempts_outlast_three_days_and_end() -> None:
    for every in (timedelta(minutes=5), timedelta(hours=1)):
        for at_once in (1, 4):
            times = tried(every, at_once)

            assert len(times) == MOST_ATTEMPTS
            assert times[-1] - NOON > timedelta(days=3)


def test_an_outage_of_an_hour_is_over_within_the_next_look() -> None:
    times = tried(timedelta(hours=1), 4)

    assert times[4:8] == [NOON + timedelta(hours=n) for n in (1, 2, 3, 4)]


def test_what_a_person_settles_anew_is_due_at_once() -> None:
    assert is_due(refused(0, NOON), NOON)
    assert not is_due(refused(MOST_ATTEMPTS, NOON), NOON + timedelta(days=30))
