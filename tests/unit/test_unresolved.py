"""Names that belong to nobody: what they did in a week, and who they may be by four weeks of evidence."""

from decimal import Decimal

import pytest

from prism_core.failures import BadUsage
from prism_core.models.work import ThroughputDay, ThroughputWeek
from prism_core.suggestions import Colleague, Seen, suggest_members
from prism_core.unresolved import NOT_QUEUED, UnresolvedRow, WeekEvidence, week_unresolved
from tests.unit.test_corrections import WEEK
from tests.unit.test_suggestions import member, project
from tests.unit.test_utilisation import allocation

MEMBERS = [member("ann"), member("bob"), member("cleo")]
PROJECTS = [project("birds", "Birds", "birds-*"), project("cars", "Cars", "cars-*")]


def did(who: str, what: str, *tasks: int, at: int = 0) -> ThroughputWeek:
    week = WEEK + at
    days = tuple(ThroughputDay(day=week.days[n], tasks_submitted=count) for n, count in enumerate(tasks))
    return ThroughputWeek(
        project_id=what, week=week, member_id=who, days=days, worker_resolved=False, project_resolved=False
    )


def rows(*throughput: ThroughputWeek, plans: tuple[str, ...] = (), queued: dict[str, str] | None = None,
         ) -> list[UnresolvedRow]:  # fmt: skip
    allocations = [allocation(who, d0="6") for who in plans]
    window = {
        week: WeekEvidence.of([one for one in throughput if one.week == week], allocations if week == WEEK else ())
        for week in WEEK.window(4)
    }
    return week_unresolved(WEEK, window, MEMBERS, PROJECTS, queued or {})


def test_a_worker_and_a_job_are_named_with_their_tasks_days_status_and_the_likeliest_candidate() -> None:
    found = rows(did("worker:p#1", "birds", 0, 30, 5), did("ann", "job:cars-new", 7), plans=("bob",),
                 queued={"p#1": "ignored"})  # fmt: skip

    worker, job = found
    assert (worker.subject, worker.kind, worker.tasks_submitted) == ("worker:p#1", "worker", 35)
    assert (worker.first_day, worker.last_day) == (WEEK.days[0], WEEK.days[2])
    assert (worker.status, worker.suggestion, worker.suggestion_score) == ("ignored", "bob", Decimal("1.0000"))
    assert (job.subject, job.kind, job.tasks_submitted, job.status) == ("job:cars-new", "job", 7, NOT_QUEUED)
    assert job.suggestion == "cars"


def test_work_of_a_stranger_on_an_unmapped_job_is_named_under_both() -> None:
    found = rows(did("worker:p#1", "job:x", 4))

    assert {(row.subject, row.tasks_submitted, row.suggestion) for row in found} == {
        ("worker:p#1", 4, None),
        ("job:x", 4, None),
    }


def test_who_worked_only_in_an_earlier_week_has_no_row_but_is_evidence() -> None:
    found = rows(did("worker:p#1", "birds", 10, at=-2), did("worker:p#2", "cars", 1), plans=("ann",))

    assert [row.subject for row in found] == ["worker:p#2"]
    earlier = rows(did("worker:p#1", "birds", 10, at=-2), did("worker:p#1", "cars", 1), plans=("ann",))
    assert earlier[0].suggestion == "ann"


def test_asking_only_who_was_planned_on_the_projects_loses_no_suggestion() -> None:
    seen = Seen({"birds": 10}, {WEEK.monday: 10})
    everybody = [Colleague(one, {"birds": Decimal(3)} if one.member_id == "cleo" else {}) for one in MEMBERS]

    (best,) = suggest_members(seen, everybody)
    (row,) = rows(did("worker:p#1", "birds", 10), plans=("cleo",))

    assert (row.suggestion, row.suggestion_score) == (best.candidate, best.score)


def test_a_window_without_its_week_is_refused() -> None:
    with pytest.raises(BadUsage, match="the window of"):
        week_unresolved(WEEK, {WEEK + -1: WeekEvidence()}, (), (), {})
