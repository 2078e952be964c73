"""How long a mail that is refused is tried."""

from datetime import UTC, datetime, timedelta

import pytest

from prism_core.calendar import Week
from prism_core.mail_attempts import MOST_ATTEMPTS, Outcome, is_due, is_given_up, is_open, worth_until
from prism_core.models.reports import Delivery, DeliveryStatus, Edition, EditionStatus, ReportKind

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTES, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)


def edition(report: ReportKind, status: EditionStatus = EditionStatus.PREPARED) -> Edition:
    return Edition(
        edition_id=f"{report}-2026-W01-1",
        report=report,
        week=Week.parse("2026-W01"),
        title="A report",
        content="editions/one.json",
        content_hash="0" * 32,
        created=NOON,
        status=status,
    )


def refused(attempts: int, at: datetime) -> Delivery:
    return Delivery(
        edition_id="campaign-2026-W01-1",
        recipient_id="ada",
        status=DeliveryStatus.FAILED,
        claimed=at,
        settled=at,
        attempts=attempts,
    )


def tried(report: ReportKind, every: timedelta, at_once: int) -> list[datetime]:
    """When a mail is handed over that is refused each time, by runs with so many attempts."""
    delivery, times, until = refused(1, NOON), [NOON], worth_until(edition(report))
    for look in range(2_000):  # the first look is that of the run which was refused
        now = NOON + look * every
        for _ in range(at_once):
            if is_due(delivery, until, now):
                delivery = refused(delivery.attempts + 1, now)
                times.append(now)
    assert is_given_up(delivery, until)
    return times


@pytest.mark.parametrize("every", [MINUTES, HOUR])
@pytest.mark.parametrize("at_once", [1, 4])
def test_attempts_at_a_report_outlast_three_days_and_end(every: timedelta, at_once: int) -> None:
    times = tried(ReportKind.CAMPAIGN, every, at_once)

    assert len(times) == MOST_ATTEMPTS
    assert times[-1] - NOON > timedelta(days=3)


@pytest.mark.parametrize(
    ("report", "every", "last"),
    [
        pytest.param(ReportKind.ALERTS_DAILY, DAY, DAY, id="a daily digest by the run of the next one"),
        pytest.param(ReportKind.ALERTS_WEEKLY, DAY, 4 * DAY, id="a weekly one by daily runs for some days"),
        pytest.param(ReportKind.EVENTS, HOUR, 24 * HOUR, id="what began to fail by hourly runs for a day"),
        pytest.param(ReportKind.CAMPAIGN, 10 * DAY, 10 * DAY, id="once more after all stood still"),
    ],
)
def test_no_mail_is_tried_beyond_the_time_in_which_it_is_worth_reading(
    report: ReportKind, every: timedelta, last: timedelta
) -> None:
    assert tried(report, every, 4)[-1] - NOON == last


def test_an_outage_of_an_hour_is_over_within_the_next_look() -> None:
    times = tried(ReportKind.CAMPAIGN, HOUR, 4)

    assert times[4:8] == [NOON + timedelta(hours=n) for n in (1, 2, 3, 4)]


def test_what_a_person_settles_anew_is_due_at_once_however_late() -> None:
    late, until = NOON + timedelta(days=30), worth_until(edition(ReportKind.ALERTS_DAILY))

    assert is_due(refused(0, late), until, late)
    assert not is_open(refused(MOST_ATTEMPTS, NOON), until)


def test_a_mail_is_given_up_of_an_edition_alone_that_is_to_be_sent() -> None:
    late = refused(5, NOON + DAY)
    stands = {one: Outcome(edition(ReportKind.ALERTS_DAILY, one), (late,)) for one in EditionStatus}

    assert {one: len(outcome.given_up) for one, outcome in stands.items()} == {
        EditionStatus.PREPARED: 1,
        EditionStatus.SENT: 0,
        EditionStatus.WITHDRAWN: 0,
    }
