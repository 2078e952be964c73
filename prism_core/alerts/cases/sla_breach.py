"""Cases of the rule about work that will not be done by its SLA date.

Belongs here: snapshots of up to eight weeks of one project. Does not belong here: the rule (rules/sla_breach.py).
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from prism_core.alerts.cases.case import ENDED, Case, projects, snapshot, work, worked
from prism_core.alerts.snapshot import AlertSnapshot, ProjectState
from prism_core.alerts.thresholds import ProjectLimits
from prism_core.models.projects import ProjectStatus
from prism_core.models.work import Severity


def _of(
    hours: Sequence[str],
    sla: date | None,
    demand: str = "40.00",
    status: str = "active",
    limits: ProjectLimits | None = None,
) -> AlertSnapshot:
    """A project whose weeks, the last ended one last, had these hours on tasks, and asked for `demand` each."""
    weeks = [ENDED + (number - len(hours) + 1) for number in range(len(hours))]
    project = ProjectState(
        "P-1",
        ProjectStatus(status),
        Decimal(demand),
        sla_date=sla,
        asked=dict.fromkeys(weeks, Decimal(demand)),
        limits=limits,
    )
    rows = [worked("M-1", "P-1", week.monday, done) for week, done in zip(weeks, hours, strict=True)]
    return snapshot(projects=projects(project), work=work(*rows))


def _about(day: date) -> tuple[str, str]:
    return "projects/P-1", day.isoformat()


_SOON: Final = date(2026, 12, 20)
_LATER: Final = date(2027, 2, 28)
_PASSED: Final = date(2026, 11, 15)
# 32 hours on tasks serve 40 hours of demand.
_ENOUGH: Final = ("33.00", "34.00", "32.00", "33.00", "34.00")

CASES: Final = (
    Case(
        "half of the demand served, four weeks before the date",
        _of(("16.00", "15.00", "17.00", "16.00"), _SOON),
        {_about(_SOON): Severity.HIGH},
    ),
    Case(
        "half of the demand served, months before the date",
        _of(("16.00", "15.00", "17.00", "16.00"), _LATER),
        {_about(_LATER): Severity.MEDIUM},
    ),
    Case("no work at all", _of(("0.00", "0.00", "0.00"), _SOON), {_about(_SOON): Severity.HIGH}),
    Case(
        "the date has passed with work open",
        _of(("20.00", "20.00", "20.00", "20.00"), _PASSED),
        {_about(_PASSED): Severity.CRITICAL},
    ),
    Case("the demand is served", _of(_ENOUGH, _SOON)),
    Case(
        "a backlog that the pace of late makes up for", _of(("24.00", "30.00", "36.00", "42.00", "48.00"), _SOON)
    ),
    Case("weeks so different that the range holds the date", _of(("10.00", "50.00", "12.00", "48.00"), _SOON)),
    Case("two weeks are no trend", _of(("10.00", "10.00"), _SOON)),
    Case("a project without an SLA date", _of(("10.00",) * 4, None)),
    Case("a project that is paused", _of(("10.00",) * 4, _SOON, status="paused")),
    Case("the date has passed with everything done", _of(_ENOUGH, _PASSED)),
    Case(
        "a project that lets weeks pass",
        _of(("28.00", "28.00", "28.00", "28.00"), _SOON, limits=ProjectLimits(sla_slack_days=28)),
    ),
    Case(
        "a project whose hours on tasks are fewer",
        _of(
            ("20.00", "20.00", "20.00", "20.00"), _SOON, limits=ProjectLimits(sla_productive_share=Decimal("0.50"))
        ),
    ),
)
