"""Requests, time off and disputes: who may take which step, and what the refusal says."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core import availability, disputes, requests
from prism_core.availability import Standing, check_hours, day_hours, may_become, move, public_holidays
from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.disputes import Correction, Dispute, DisputeStatus
from prism_core.models.people import Availability, AvailabilityStatus, Member
from prism_core.models.projects import Request, RequestStatus
from prism_core.models.work import ThroughputDay
from prism_core.requests import decide, lateness
from prism_core.transitions import NotAllowed

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
W01 = Week.parse("2026-W01")
THURSDAY = date(2026, 1, 8)


def request(status: RequestStatus = RequestStatus.SUBMITTED, **fields: Any) -> Request:
    base = {"request_id": "R-1", "due_date": "2026-01-05", "hours": "8", "requester": "x", "reason": ""}
    return Request.model_validate(base | {"created": NOW, "status": status} | fields)


def time_off(status: AvailabilityStatus = AvailabilityStatus.REQUESTED, **fields: Any) -> Availability:
    return Availability.model_validate(
        {"member_id": "ann", "date": THURSDAY, "hours_off": "4", "status": status} | fields
    )


def dispute(**fields: Any) -> Dispute:
    figure = {"table": "throughput", "week": W01, "member_id": "ann", "field": "tasks_submitted", "shown": "3"}
    opened = {"dispute_id": "D-1", "reason": "I did five", "opened": NOW, "opened_by": "ann"}
    return Dispute.model_validate(figure | opened | fields)


ANN = Member.model_validate(
    {
        "member_id": "ann",
        "name": "Ann",
        "email": "a@example.org",
        "time_zone": "Europe/Madrid",
        "location": "ES-MD",
        "hours": {"thu": "6", "tue": "4"},
    }
)


# --- requests ---


def test_a_request_is_triaged_approved_and_fulfilled_and_says_when() -> None:
    triaged = decide(request(), RequestStatus.TRIAGED, actor="lead", now=NOW)
    approved = decide(triaged, RequestStatus.APPROVED, actor="lead", now=NOW + timedelta(hours=1))
    done = decide(approved, RequestStatus.FULFILLED, actor="lead", now=NOW + timedelta(hours=2))

    assert done.status is RequestStatus.FULFILLED
    assert (done.triaged, done.decided, done.decided_by) == (NOW, NOW + timedelta(hours=1), "lead")
    assert done.fulfilled == NOW + timedelta(hours=2)


def test_a_step_that_is_not_open_names_those_that_are() -> None:
    with pytest.raises(NotAllowed, match="cannot become fulfilled; from there it can become triaged") as refused:
        decide(request(), RequestStatus.FULFILLED, actor="lead", now=NOW)
    with pytest.raises(NotAllowed, match="that is final"):
        decide(request(RequestStatus.DECLINED), RequestStatus.APPROVED, actor="lead", now=NOW)

    assert refused.value.allowed == ("triaged",)


def test_a_request_is_never_declined_without_a_reason() -> None:
    with pytest.raises(BadUsage, match="without a reason"):
        decide(request(RequestStatus.TRIAGED), RequestStatus.DECLINED, actor="lead", now=NOW, decision="  ")


@pytest.mark.parametrize(
    ("instant", "days"),
    [
        ("2026-01-05T23:59:59Z", 0),
        ("2026-01-06T00:00:00Z", 1),
        ("2026-01-06T23:59:59Z", 1),
        ("2026-01-08T12:00:00Z", 3),
    ],
)
def test_a_request_has_until_the_end_of_its_due_date(instant: str, days: int) -> None:
    assert lateness(request(), datetime.fromisoformat(instant)).days == days


def test_a_request_that_was_fulfilled_in_time_stays_in_time_and_a_declined_one_is_never_late() -> None:
    later = NOW + timedelta(days=30)

    assert not lateness(request(RequestStatus.FULFILLED, fulfilled=NOW), later).late
    assert lateness(request(RequestStatus.FULFILLED, fulfilled=NOW + timedelta(days=2)), later).days == 2
    assert not lateness(request(RequestStatus.DECLINED), later).late
    assert lateness(request(RequestStatus.TRIAGED), later).waiting_for is RequestStatus.APPROVED


# --- time off ---


def test_a_member_asks_and_cancels_and_a_lead_decides() -> None:
    asked = time_off()

    approved = move(asked, AvailabilityStatus.APPROVED, standing=Standing.LEAD, actor="lead", now=NOW)
    cancelled = move(approved, AvailabilityStatus.CANCELLED, standing=Standing.MEMBER, actor="ann", now=NOW)

    assert (approved.decided, approved.decided_by) == (NOW, "lead")
    assert cancelled.status is AvailabilityStatus.CANCELLED


def test_nobody_approves_their_own_time_off_and_the_refusal_says_what_they_can_do() -> None:
    with pytest.raises(
        NotAllowed, match="a member cannot make it approved: they can make it cancelled"
    ) as refused:
        move(time_off(), AvailabilityStatus.APPROVED, standing=Standing.MEMBER, actor="ann", now=NOW)

    assert refused.value.allowed == ("cancelled",)


def test_a_member_cannot_cancel_time_off_that_has_begun() -> None:
    entry = time_off(AvailabilityStatus.APPROVED)

    assert may_become(entry, Standing.MEMBER, THURSDAY) == ()
    assert may_become(entry, Standing.LEAD, THURSDAY) == (AvailabilityStatus.CANCELLED,)


def test_declining_time_off_needs_an_answer_and_asking_again_clears_it() -> None:
    with pytest.raises(BadUsage, match="without a word"):
        move(time_off(), AvailabilityStatus.DECLINED, standing=Standing.LEAD, actor="lead", now=NOW)
    declined = move(
        time_off(), AvailabilityStatus.DECLINED, standing=Standing.LEAD, actor="lead", now=NOW, answer="audit week"
    )

    again = move(declined, AvailabilityStatus.REQUESTED, standing=Standing.MEMBER, actor="ann", now=NOW)

    assert (declined.answer, again.answer, again.decided) == ("audit week", None, None)


@given(st.sampled_from(AvailabilityStatus), st.sampled_from(AvailabilityStatus), st.sampled_from(Standing))
def test_what_may_be_done_is_what_is_done_without_a_refusal(
    status: AvailabilityStatus, to: AvailabilityStatus, standing: Standing
) -> None:
    entry = time_off(status)
    try:
        move(entry, to, standing=standing, actor="x", now=NOW, answer="because")
        done = True
    except NotAllowed:
        done = False

    assert done is (to in may_become(entry, standing, NOW.date()))


@pytest.mark.parametrize(
    ("day", "hours", "says"),
    [
        (THURSDAY, "6.01", "6.01 hours off on Thursday 2026-01-08 exceed the 6.00"),
        (THURSDAY, "0", "takes no hours"),
        (date(2026, 1, 9), "1", "does not work on Friday"),
    ],
)
def test_hours_off_are_held_against_the_contract(day: date, hours: str, says: str) -> None:
    with pytest.raises(BadUsage, match=says):
        check_hours(time_off(date=day, hours_off=hours), ANN)


def test_the_hours_of_a_day_are_those_of_the_contract_minus_approved_time_off_and_holidays() -> None:
    epiphany, friday = date(2026, 1, 6), date(2026, 1, 9)
    entries = [
        time_off(AvailabilityStatus.APPROVED),
        time_off(AvailabilityStatus.REQUESTED, date=date(2026, 1, 15)),
        time_off(AvailabilityStatus.APPROVED, member_id="bob", date=date(2026, 1, 15)),
    ]

    found = day_hours(ANN, [epiphany, THURSDAY, friday, date(2026, 1, 15)], entries)

    assert [str(day.available) for day in found] == ["0.00", "2.00", "0.00", "6.00"]
    assert [day.holiday for day in found] == ["Epiphany", None, None, None]


def test_public_holidays_follow_country_and_subdivision() -> None:
    assert public_holidays("ES-MD", 2026)[date(2026, 5, 2)] == "Madrid Day"
    assert date(2026, 5, 2) not in public_holidays("ES", 2026)
    with pytest.raises(BadUsage, match="no public holidays are known for 'XX'"):
        public_holidays("XX", 2026)


def test_a_member_without_a_location_has_no_public_holidays() -> None:
    nowhere = ANN.model_copy(update={"location": None})

    (day,) = day_hours(nowhere, [date(2026, 1, 6)], ())

    assert (day.holiday, day.available) == (None, Decimal("4.00"))


# --- disputes ---


def test_a_dispute_of_throughput_is_answered_by_a_correction_of_its_week() -> None:
    base = {"correction_id": "C-1", "from_member": "bob", "to_member": "ann", "reason": "r", "created_by": "lead"}
    right = Correction.model_validate(base | {"week": W01, "created": NOW})
    other = right.model_copy(update={"week": W01 + 1})

    answered = disputes.correct(dispute(), right, actor="lead", now=NOW)

    assert (answered.status, answered.correction_id) == (DisputeStatus.CORRECTED, "C-1")
    assert Dispute.from_plain(answered.plain()) == answered
    with pytest.raises(BadUsage, match=r"is of throughput 2026-W02, not of throughput 2026-W01"):
        disputes.correct(dispute(), other, actor="lead", now=NOW)
    with pytest.raises(BadUsage, match="by a correction only"):
        disputes.correct(dispute(), None, actor="lead", now=NOW)


def test_a_dispute_is_declined_with_a_reason_and_by_somebody_else() -> None:
    declined = disputes.decline(dispute(), actor="lead", now=NOW, answer="the tool shows three")

    assert declined.answer == "the tool shows three"
    assert Dispute.from_plain(declined.plain()) == declined
    with pytest.raises(BadUsage, match="without a reason"):
        disputes.decline(dispute(), actor="lead", now=NOW, answer="")
    with pytest.raises(NotAllowed, match="who cannot answer it"):
        disputes.decline(dispute(), actor="ann", now=NOW, answer="no")


def test_only_its_member_withdraws_a_dispute_and_only_an_open_one() -> None:
    withdrawn = disputes.withdraw(dispute(), actor="ann")

    assert withdrawn.status is DisputeStatus.WITHDRAWN
    with pytest.raises(NotAllowed, match="can be withdrawn by ann only"):
        disputes.withdraw(dispute(), actor="bob")
    with pytest.raises(NotAllowed, match="that is final"):
        disputes.withdraw(withdrawn, actor="ann")


def test_only_a_figure_that_is_shown_can_be_disputed() -> None:
    disputes.check_figure(dispute())
    with pytest.raises(BadUsage, match="shows no figure 'salary'; valid ones are tasks_submitted"):
        disputes.check_figure(dispute(field="salary"))
    with pytest.raises(BadUsage, match="name the review"):
        disputes.check_figure(dispute(table="quality", field="correct", day=W01.monday))


def test_every_figure_of_throughput_exists_on_its_days() -> None:
    shown = disputes.FIGURES[dispute().table]

    assert set(shown) == set(ThroughputDay.model_fields) - {"day"}


@pytest.mark.parametrize("flow", [requests.FLOW, availability.FLOW, disputes.FLOW], ids=lambda flow: flow.noun)
def test_every_status_of_a_flow_has_its_steps_and_none_leads_to_itself(flow: Any) -> None:
    kind: Any = type(next(iter(flow.steps)))

    assert set(flow.steps) == set(kind)
    assert [one for one, following in flow.steps.items() if one in following] == []
