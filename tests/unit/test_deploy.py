"""Which weeks Athena may look for."""

import pytest

from infra.deploy import WEEKS_PER_PARAMETER, projected_weeks
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure

PARAMETER_LIMIT = 4_096  # characters, the CloudFormation quota


@pytest.mark.parametrize("today", ["2026-W01", "2026-W30", "2026-W53"])
def test_the_weeks_reach_from_the_first_to_the_end_of_next_year_all_year_long(today: str) -> None:
    weeks = projected_weeks(Week.parse("2025-W01"), Week.parse(today))

    assert (weeks[0], weeks[-1], len(weeks)) == ("2025-W01", "2027-W52", 52 + 53 + 52)


def test_a_year_of_53_weeks_is_listed_whole() -> None:
    assert "2020-W53" in projected_weeks(Week.parse("2020-W01"), Week.parse("2020-W10"))


def test_a_full_parameter_is_within_the_limit_of_the_service() -> None:
    weeks = projected_weeks(Week.parse("2018-W33"), Week.parse("2033-W01"))

    assert len(weeks) > WEEKS_PER_PARAMETER
    assert len(",".join(weeks[:WEEKS_PER_PARAMETER])) <= PARAMETER_LIMIT


def test_weeks_that_do_not_fit_the_template_are_said_and_never_cut_off() -> None:
    first = Week.parse("2026-W01")

    assert len(projected_weeks(Week.parse("2010-W45"), first)) <= 2 * WEEKS_PER_PARAMETER
    with pytest.raises(PermanentFailure, match="set a later PRISM_FIRST_WEEK"):
        projected_weeks(Week.parse("2010-W01"), first)
