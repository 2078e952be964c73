"""What a request would ask of its weeks, before anybody approves it."""

from datetime import UTC, date, datetime
from decimal import Decimal

from prism_core.calendar import Week
from prism_core.capacity.describing import Items
from prism_core.capacity.preview import MOST_WEEKS, preview
from prism_core.models.people import Availability, Member
from prism_core.models.projects import RequestStatus
from tests.unit.test_capacity_demand import project, request

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)  # of 2026-W47
HOURS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "8.00")


def member(name: str, level: int) -> Member:
    fields = {"member_id": name, "name": name, "email": f"{name}@example.com", "time_zone": "UTC", "hours": HOURS}
    return Member.model_validate(fields | {"skills": [{"name": "lidar", "level": level}]})


def items_of(week: Week) -> Items:
    """Two members, one of them good enough for the request and away on a Monday; a project of 30 hours a week."""
    off = Availability.model_validate(
        {"member_id": "able", "date": "2026-11-30", "hours_off": "8.00", "created": NOW, "status": "approved"}
    )
    away = [off] if off.date in week.days else []
    other = request(request_id="r-2", hours="6.00", due_date="2026-12-04")
    return Items([member("able", 3), member("learns", 1)], [project()], [other], away)


def asked(**fields: object) -> list[tuple[str, str, str, str, str]]:
    wanted = request(status="triaged", decided=None, skills=[{"name": "lidar", "level": 2}], **fields)
    return [
        (str(one.week), str(one.hours), str(one.others), str(one.available), str(one.able))
        for one in preview(wanted, NOW, items_of)
    ]


def test_a_request_that_waits_is_told_by_week_as_if_it_were_approved_now() -> None:
    assert asked(hours="10.00", due_date=date(2026, 12, 10)) == [
        ("2026-W48", "3.33", "33.00", "80.00", "40.00"),
        ("2026-W49", "3.33", "33.00", "72.00", "32.00"),
        ("2026-W50", "3.34", "30.00", "80.00", "40.00"),
    ]


def test_its_own_hours_are_not_among_those_of_the_others_once_it_is_approved() -> None:
    other = request(request_id="r-2", hours="6.00", due_date="2026-12-04")

    found = preview(other, NOW, items_of)

    assert [(str(one.week), one.hours, one.others) for one in found] == [
        ("2026-W48", Decimal("3.00"), Decimal("30.00")),
        ("2026-W49", Decimal("3.00"), Decimal("30.00")),
    ]


def test_what_is_overdue_or_decided_otherwise_asks_for_nothing_and_years_are_looked_at_for_a_quarter() -> None:
    assert asked(due_date=date(2026, 11, 2)) == []
    assert preview(request(status=RequestStatus.DECLINED, due_date="2199-12-31"), NOW, items_of) == ()
    assert len(asked(due_date=date(2199, 12, 10), hours="1000000.00")) == MOST_WEEKS
