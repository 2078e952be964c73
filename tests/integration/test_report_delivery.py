"""Reports in the mailbox of their readers: each at the own hour, once, and corrected when a figure is another one.

Why real: who came first is decided by conditional writes, and what was mailed by what arrived.
"""

from datetime import UTC, datetime, timedelta

import pytest

from prism_core.calendar import Week
from prism_core.models.reports import DeliveryStatus
from prism_core.reports.late import Late, Lateness
from prism_resources.mailing import Mailing, Settled, edition_id_of
from prism_resources.reports.delivery import ReportDelivery
from tests.integration.report_readers import (
    CAMPAIGN,
    MONDAY,
    OPERATIONS,
    W35,
    Readers,
    readers,
    reworded,
    with_leads,
)

__all__ = ("readers",)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST = "Campaign report 2023-W35: not read whole"
SECOND = "Campaign report 2023-W35, edition 2: not read whole"
MADRID, TOKYO, NEW_YORK = "Europe/Madrid", "Asia/Tokyo", "America/New_York"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_each_reader_gets_it_at_seven_by_the_own_clock_and_once(readers: Readers) -> None:
    readers.join("madrid", zone=MADRID)
    readers.join("tokyo", zone=TOKYO)
    readers.join("newyork", zone=NEW_YORK)
    readers.shelve(with_leads(376), at=at("2023-09-03T20:00"))
    instants = ("2023-09-03T21:59", "2023-09-03T22:00", "2023-09-04T04:59", "2023-09-04T05:00", "2023-09-04T11:00")

    came: dict[str, list[str]] = {}
    for instant in (*instants, "2023-09-05T12:00"):
        readers.deliver(at(instant))
        came[instant] = [name for name, _ in readers.got()]

    assert list(came.values()) == [
        [],
        ["tokyo"],
        ["tokyo"],
        ["tokyo", "madrid"],
        ["tokyo", "madrid", "newyork"],
        ["tokyo", "madrid", "newyork"],
    ]


def test_the_hour_is_a_setting(readers: Readers) -> None:
    readers.join("ada")
    readers.shelve(with_leads(376))
    readers.settings = readers.settings.model_copy(update={"report_hour": "09:30"})

    assert (readers.due(MONDAY + 2.4 * HOUR), readers.due(MONDAY + 2.5 * HOUR)) == ([], [("ada",)])


def test_nothing_is_due_without_a_report_or_without_readers(readers: Readers) -> None:
    readers.shelve(with_leads(376))
    of_nobody = readers.due(MONDAY)
    readers.join("ada", report="ops")
    readers.join("paused", status="paused")

    assert (of_nobody, readers.due(MONDAY), readers.deliver()) == ([], [], {})


def test_a_report_that_is_late_is_told_once_and_comes_as_the_first_edition(readers: Readers) -> None:
    readers.join("ada")
    readers.join("newyork", zone=NEW_YORK)
    late, refused = Late(W35, Lateness.ADS_UNREAD), Late(W35, Lateness.ADS_REFUSED)
    of_nobody = readers.deliver(MONDAY - HOUR, late=late)
    told = [readers.deliver(MONDAY + hours * HOUR, late=late) for hours in (0, 1)]
    another_week = readers.deliver(MONDAY + HOUR, late=Late(W35 + -1, Lateness.STOPPED))
    another_reason = readers.deliver(MONDAY + 2 * HOUR, late=refused)

    readers.shelve(with_leads(376), at=MONDAY + 2 * HOUR)
    came = readers.deliver(MONDAY + 3 * HOUR, late=late)
    readers.deliver(MONDAY + 7 * HOUR)
    readers.shelve(with_leads(381), at=MONDAY + 8 * HOUR)
    readers.deliver(MONDAY + 8 * HOUR)

    assert (of_nobody, another_week, another_reason) == ({}, {}, {})
    assert (told, came) == ([{"ada": "sent"}, {}], {"ada": "sent"})
    notice = "Campaign report 2023-W35 is late: the ads are not read yet"
    assert [subject for name, subject in readers.got() if name == "ada"] == [notice, FIRST, SECOND]
    assert [subject for name, subject in readers.got() if name == "newyork"] == [FIRST, SECOND]
    assert "tried again by itself" in readers.texts()[0]


def test_a_notice_that_was_refused_is_not_sent_behind_its_report(readers: Readers) -> None:
    readers.join("ada")
    late, good = Late(W35, Lateness.BEING_MADE), readers.settings
    readers.settings = good.model_copy(update={"mail_sender": "x@nobody.example"})
    refused = readers.deliver(MONDAY, late=late)
    readers.settings = good
    readers.shelve(with_leads(376), at=MONDAY)

    came = [readers.deliver(MONDAY + hours * HOUR, late=late) for hours in (1, 2)]

    assert (refused, came) == ({"ada": "failed"}, [{"ada": "sent"}, {}])
    assert readers.got() == [("ada", FIRST)]


def test_other_words_over_the_same_figures_go_to_nobody(readers: Readers) -> None:
    readers.join("ada")
    readers.shelve(with_leads(376))
    readers.deliver()

    readers.shelve(reworded(with_leads(376), "A calm week."), at=MONDAY + HOUR)

    assert (readers.due(MONDAY + HOUR), readers.deliver(MONDAY + HOUR), len(readers.got())) == ([], {}, 1)


def test_a_figure_that_changed_is_told_to_each_in_a_second_edition_by_day(readers: Readers) -> None:
    readers.join("ada", "bob")
    readers.shelve(with_leads(376))
    readers.deliver()
    readers.shelve(with_leads(381), at=MONDAY + 14 * HOUR)

    at_night = readers.deliver(MONDAY + 14 * HOUR)
    in_the_morning = readers.deliver(MONDAY + DAY)
    again = readers.deliver(MONDAY + DAY + HOUR)

    assert (at_night, in_the_morning, again) == ({}, {"ada": "sent", "bob": "sent"}, {})
    assert readers.got() == [("ada", FIRST), ("bob", FIRST), ("ada", SECOND), ("bob", SECOND)]
    assert "* Leads, 2023-W35: 376 before, now 381." in readers.texts()[2]


def test_what_changed_before_anybody_got_it_is_no_correction(readers: Readers) -> None:
    readers.join("newyork", zone=NEW_YORK)
    readers.shelve(with_leads(376))
    readers.deliver()

    readers.shelve(with_leads(381), at=MONDAY + HOUR)
    readers.deliver(MONDAY + 6 * HOUR)

    assert readers.got() == [("newyork", FIRST)]


def test_an_edition_that_was_refused_for_everybody_is_taken_back_when_its_figures_change(readers: Readers) -> None:
    readers.join("ada")
    readers.shelve(with_leads(376))
    good, readers.settings = (
        readers.settings,
        readers.settings.model_copy(update={"mail_sender": "x@nobody.example"}),
    )
    refused = readers.deliver()
    readers.settings = good
    readers.shelve(with_leads(381), at=MONDAY + HOUR)

    sent = readers.deliver(MONDAY + HOUR)

    assert (refused, sent) == ({"ada": "failed"}, {"ada": "sent"})
    assert readers.got() == [("ada", FIRST)]
    assert "before, now" not in readers.texts()[0]


def test_who_joins_later_gets_the_newest_edition_of_the_week(readers: Readers) -> None:
    readers.join("ada")
    readers.shelve(with_leads(376))
    readers.deliver()
    readers.shelve(with_leads(381), at=MONDAY + HOUR)
    readers.deliver(MONDAY + HOUR)

    readers.join("late")
    outcome = readers.deliver(MONDAY + 3 * DAY)

    assert outcome == {"ada": "sent", "late": "sent"}
    assert readers.got()[2:] == [("late", SECOND)]


def test_of_weeks_that_have_passed_nothing_is_mailed_and_the_next_report_is(readers: Readers) -> None:
    readers.join("ada")
    readers.shelve(with_leads(700, 34))
    readers.deliver(MONDAY - 7 * DAY)
    readers.shelve(with_leads(376))

    readers.deliver(MONDAY)
    readers.shelve(with_leads(741, 34), at=MONDAY + HOUR)
    later = readers.deliver(MONDAY + HOUR)

    assert later == {}
    assert [subject for _, subject in readers.got()] == ["Campaign report 2023-W34", FIRST]


def test_what_earlier_reports_have_told_is_known_to_the_next_one(readers: Readers) -> None:
    readers.join("ada")
    readers.shelve(with_leads(700, 34))
    readers.deliver(MONDAY - 7 * DAY)
    readers.shelve(with_leads(705, 34), at=MONDAY - 6 * DAY)
    readers.deliver(MONDAY - 6 * DAY)
    readers.shelve(with_leads(999, 34), at=MONDAY - 1 * DAY)  # on the shelf, and told to nobody

    told = ReportDelivery(readers.settings).told(CAMPAIGN, W35)

    assert told["week.2023-w34.leads"].text == "705"
    assert not [fact_id for fact_id in told if fact_id.startswith("was.")]
    assert ReportDelivery(readers.settings).told(OPERATIONS, W35) == {}
    assert ReportDelivery(readers.settings).told(CAMPAIGN, Week.parse("2023-W34")) == {}


def test_an_edition_that_a_person_has_withdrawn_goes_to_nobody_until_its_figures_change(readers: Readers) -> None:
    readers.join("ada")
    readers.shelve(with_leads(376))
    readers.deliver()
    readers.join("late")
    Mailing(readers.settings).withdraw(edition_id_of(CAMPAIGN, W35, 1), actor="a person", now=MONDAY)

    after = readers.deliver(MONDAY + HOUR)
    readers.shelve(with_leads(381), at=MONDAY + 2 * HOUR)
    readers.deliver(MONDAY + 2 * HOUR)

    assert after == {}
    assert readers.got() == [("ada", FIRST), ("ada", SECOND), ("late", SECOND)]


def test_a_delivery_that_a_person_drops_is_not_sent_and_one_to_be_sent_again_is(readers: Readers) -> None:
    readers.join("ada", "bob")
    readers.shelve(with_leads(376))
    mailing, edition_id = Mailing(readers.settings), edition_id_of(CAMPAIGN, W35, 1)
    good, readers.settings = (
        readers.settings,
        readers.settings.model_copy(update={"mail_sender": "x@nobody.example"}),
    )
    readers.deliver()
    mailing.settle(edition_id, "ada", Settled.DROPPED, actor="a person", now=MONDAY)
    mailing.settle(edition_id, "bob", Settled.AGAIN, actor="a person", now=MONDAY)
    readers.settings = good

    after = readers.deliver(MONDAY + HOUR)

    assert after == {"ada": "skipped", "bob": "sent"}
    assert readers.got() == [("bob", FIRST)]


def test_at_once_waits_for_no_hour_and_is_of_the_week_that_has_ended(readers: Readers) -> None:
    readers.join("ada")
    readers.shelve(with_leads(376))

    waiting, sent = readers.deliver(MONDAY - 4 * HOUR), readers.deliver(MONDAY - 4 * HOUR, at_once=True)

    assert (waiting, sent) == ({}, {"ada": "sent"})


def test_a_report_of_each_kind_goes_to_its_own_readers(readers: Readers) -> None:
    readers.join("ada")
    readers.join("olga", report="ops")
    readers.shelve(with_leads(376))
    readers.shelve(reworded(with_leads(12), "All is well."), report=OPERATIONS)

    readers.deliver()

    statuses = Mailing(readers.settings).deliveries(edition_id_of(OPERATIONS, W35, 1))
    assert [(one.recipient_id, one.status) for one in statuses] == [("olga", DeliveryStatus.SENT)]
    assert sorted(name for name, _ in readers.got()) == ["ada", "olga"]


@pytest.mark.parametrize("week", ["2023-W34", "2023-W36"])
def test_a_report_of_another_week_than_the_one_that_is_due_is_left_alone(readers: Readers, week: str) -> None:
    readers.join("ada")
    readers.shelve(with_leads(700, 34))

    assert readers.due(MONDAY + 7 * DAY * (Week.parse(week) - Week.parse("2023-W34") + 1)) == []
