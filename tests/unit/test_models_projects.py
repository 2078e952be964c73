"""What a project and a request refuse: demand by skill that is no part of it, days that nobody plans for."""

import pytest
from pydantic import ValidationError

from prism_core.models.projects import Project, Request

FIELDS = {"project_id": "p-1", "name": "Lidar", "category": "raw-lidar", "demand_hours": "10.00"}


def test_demand_by_skill_is_a_part_of_the_demand() -> None:
    project = Project.model_validate(
        FIELDS | {"demand_by_skill": [{"name": "german", "level": 3, "hours": "10.00"}]}
    )
    assert project.demand_by_skill[0].level == 3


@pytest.mark.parametrize(
    ("by_skill", "says"),
    [
        ([{"name": "german", "level": 3, "hours": "10.01"}], "asks for 10.01 h, more than demand_hours 10.00"),
        ([{"name": "german", "level": level, "hours": "1.00"} for level in (1, 2)], "each skill once"),
    ],
    ids=["more-than-there-is", "twice"],
)
def test_a_demand_by_skill_that_makes_no_sense_is_refused(by_skill: list[dict[str, object]], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Project.model_validate(FIELDS | {"demand_by_skill": by_skill})


def test_no_work_is_due_in_a_year_whose_weeks_nobody_plans_and_what_is_stored_stays_readable() -> None:
    asked = {
        "request_id": "r-1", "hours": "1.00", "requester": "Ada", "reason": "more",
        "created": "2026-01-05T07:00:00Z",
    }  # fmt: skip
    for day in ("2200-01-01", "9999-12-31"):
        with pytest.raises(ValidationError, match="no day that anybody plans for"):
            Request.model_validate(asked | {"due_date": day})
        with pytest.raises(ValidationError, match="the last one is 2199-12-31"):
            Project.model_validate(FIELDS | {"sla_date": day})
        assert Request.from_plain({**asked, "due_date": day}).due_date.isoformat() == day
    assert Request.model_validate(asked | {"due_date": "2199-12-31"}).hours == 1
