"""What a project refuses: demand by skill that is no part of its demand."""

import pytest
from pydantic import ValidationError

from prism_core.models.projects import Project

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
