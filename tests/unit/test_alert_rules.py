"""Where the rules compute: collisions, supply, trends and paces, against slower ways to the same figure."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.alerts.cases.case import AS_OF, ENDED, FULL_TIME, WEEK, members, projects, snapshot, work, worked
from prism_core.alerts.findings import Judgement, judgement
from prism_core.alerts.judging import RULES
from prism_core.alerts.ledger import update
from prism_core.alerts.rules import capacity_risk, quality_degradation, sla_breach
from prism_core.alerts.snapshot import (
    AlertSnapshot,
    MemberState,
    Planned,
    ProjectState,
    RequestState,
    Reviewed,
    TimeOff,
    WorkerState,
    WorkWeek,
    ended_by,
)
from prism_core.alerts.supply import Supply, has
from prism_core.alerts.telling import projects_of
from prism_core.alerts.thresholds import ProjectLimits, Thresholds
from prism_core.alerts.time_off import DayOff
from prism_core.calendar import Week
from prism_core.capacity.problem import DemandLine
from prism_core.failures import BadUsage
from prism_core.models.alerts import Alert, AlertRule, AlertStatus, Ending
from prism_core.models.people import AvailabilityStatus
from prism_core.models.projects import ProjectStatus, RequestStatus
from prism_core.models.work import Severity
from prism_core.models.workers import WorkerStatus

quarters = st.integers(0, 96).map(lambda number: Decimal(number) / 4)


# --- snapshots ---------------------------------------------------------------------------------------------


def test_a_week_has_ended_for_its_figures_some_hours_after_its_end() -> None:
    grace = timedelta(hours=6)

    assert ended_by(WEEK, WEEK.start + grace, grace) == ENDED
    assert ended_by(WEEK, WEEK.start + grace - timedelta(seconds=1), grace) == ENDED + -1
    assert ended_by(WEEK, WEEK.end + timedelta(weeks=5), grace) == WEEK


def test_a_snapshot_is_as_of_an_aware_instant_and_no_later_week_has_ended() -> None:
    with pytest.raises(BadUsage, match="no time zone"):
        AlertSnapshot(as_of=datetime(2026, 11, 23), week=WEEK, ended=ENDED)  # noqa: DTZ001
    with pytest.raises(BadUsage, match="cannot have ended"):
        AlertSnapshot(as_of=AS_OF, week=WEEK, ended=WEEK + 1)


def test_a_project_replaces_the_thresholds_that_it_names_and_no_others() -> None:
    own = ProjectLimits(shrinkage_limit=Decimal("0.50"))
    found = snapshot(projects=projects(ProjectState("P-1", limits=own), ProjectState("P-2")))

    assert found.limits("P-1") == Thresholds(shrinkage_limit=Decimal("0.50"))
    assert found.limits("P-2") == found.limits("unknown") == found.limits(None) == Thresholds()


def test_every_limit_of_a_project_is_a_threshold() -> None:
    assert set(ProjectLimits.model_fields) <= set(Thresholds.model_fields)


def test_the_work_of_a_week_is_added_up_by_project_member_and_name() -> None:
    day = ENDED.monday
    week = WorkWeek.of(
        [
            worked("M-1", "P-1", day, "2.00"),
            worked("M-1", "P-2", day, "1.00"),
            worked("worker:w", "P-1", day, "0.50", tasks=3),
            worked("worker:w", "job:new", day, "0.25", tasks=2),
            worked("M-1", "job:new", day, "0.25", tasks=1),
        ]
    )

    assert week.hours_by_project == {"P-1": Decimal("2.5"), "P-2": Decimal(1), "job:new": Decimal("0.5")}
    assert week.hours_by_day["M-1"] == {day: Decimal("3.25")}
    assert week.open_hours == {"P-1": Decimal("0.5"), "job:new": Decimal("0.25")}
    assert week.open_tasks == {"worker:w": {day: {"P-1": 3, "job:new": 2}}, "job:new": {day: {"job:new": 3}}}


# --- time off and supply -----------------------------------------------------------------------------------


@given(contracted=quarters, off=quarters, planned=quarters)
def test_a_collision_is_what_must_go_for_the_time_off_to_hold(
    contracted: Decimal, off: Decimal, planned: Decimal
) -> None:
    day = DayOff("M-1", WEEK.monday, contracted, off, None, None)

    collision = day.collision(planned)

    assert 0 <= collision <= planned
    assert day.collision(planned - collision) == 0
    assert collision == 0 or day.collision(planned - collision + Decimal("0.01")) > 0
    assert off < contracted or collision == planned


def test_overtime_is_no_part_of_a_partial_day_off() -> None:
    monday = ENDED.monday
    given = snapshot(
        members=members(MemberState("M-1", FULL_TIME)),
        planned={
            ENDED: (Planned("M-1", ENDED, "P-1", {monday: Decimal(12)}),),
            WEEK: (Planned("M-1", WEEK, "P-1", {WEEK.monday: Decimal(12)}),),
        },
        time_off={week: (TimeOff("M-1", week.monday, Decimal("2.00")),) for week in (ENDED, WEEK)},
        work=work(worked("M-1", "P-1", monday, "1.00")),
    )

    (conflict,) = RULES[AlertRule.OOTO_CONFLICT](given).findings
    (shrinkage,) = RULES[AlertRule.SHRINKAGE_RISK](given).findings

    assert conflict.title == f"M-1 is planned for 2.00 h of the time off on {WEEK.monday}"
    assert shrinkage.evidence[0].figures["excused"] == "2.00 h"


def test_a_day_off_that_has_passed_is_not_told_anew_and_not_called_mended() -> None:
    rule = RULES[AlertRule.OOTO_CONFLICT]
    monday = snapshot(
        members=members(MemberState("M-1", FULL_TIME)),
        planned={WEEK: (Planned("M-1", WEEK, "P-1", {WEEK.monday: Decimal(8)}),)},
        time_off={WEEK: (TimeOff("M-1", WEEK.monday, Decimal("8.00")),)},
    )
    alerts = update([], rule(monday), AS_OF)
    after = [rule(replace(monday, as_of=AS_OF + timedelta(days=days))) for days in (1, 2)]

    assert [len(one.findings) for one in after] == [1, 0]
    assert (len(alerts), _endings(alerts, after[1])) == (1, {None})


def test_supply_is_what_members_with_the_skills_have_left() -> None:
    people = members(
        MemberState("M-1", FULL_TIME, {"boxes": 3}),
        MemberState("M-2", (Decimal("4.00"),) * 7, {"boxes": 1, "audio": 2}),
        MemberState("M-3", FULL_TIME, {"boxes": 5}, active=False),
        MemberState("M-4", FULL_TIME, {"boxes": 2}, holidays={WEEK.days[0]: "a holiday"}),
    )
    off = (
        TimeOff("M-1", WEEK.days[0], Decimal("6.00")),
        TimeOff("M-1", WEEK.days[1], Decimal("6.00"), AvailabilityStatus.REQUESTED),
        TimeOff("M-2", WEEK.days[5], Decimal("9.00")),
    )
    supply = Supply(snapshot(members=people, time_off={WEEK: off}))

    assert supply.hours({}, WEEK.days[:1]) == Decimal("6.00")
    assert supply.hours({"boxes": 2}, WEEK.days[:2]) == Decimal("18.00")
    assert supply.hours({"boxes": 1, "audio": 2}, WEEK.days) == Decimal("24.00")
    assert supply.hours({"ranking": 1}, WEEK.days) == 0
    assert (supply.people({"boxes": 2}), supply.people({})) == (2, 3)
    assert has(people["M-2"], {"audio": 2})
    assert not has(people["M-2"], {"audio": 3})


def test_of_somebody_who_is_no_member_nothing_is_said() -> None:
    off = TimeOff("M-9", WEEK.monday, Decimal("4.00"))
    plan = Planned("M-9", WEEK, "P-1", {WEEK.monday: Decimal(4)})

    answer = RULES[AlertRule.OOTO_CONFLICT](snapshot(time_off={WEEK: (off,)}, planned={WEEK: (plan,)}))

    assert (answer.findings, answer.abstained) == ((), None)


# --- trends ------------------------------------------------------------------------------------------------


def test_the_trend_of_equal_weeks_is_that_of_a_textbook() -> None:
    """Four weeks of 100 pieces with 98, 95, 92 and 89 right: z = slope / sqrt(p (1 - p) / sum n (t - mean)^2)."""
    weeks = {ENDED + (number - 3): (98 - 3 * number, 100) for number in range(4)}

    z = quality_degradation.trend_z(weeks)

    share = np.array([0.98, 0.95, 0.92, 0.89])
    slope, level = np.polyfit(range(4), share, 1)[0], share.mean()
    assert float(z) == pytest.approx(slope / np.sqrt(level * (1 - level) / (100 * 5)))


@pytest.mark.parametrize(
    "weeks",
    [
        [],
        [(10, 10)],
        [(10, 10), (5, 10)],
        [(10, 10)] * 3,
        [(0, 9)] * 3,
    ],
    ids=["nothing", "one week", "two weeks", "all right", "all wrong"],
)
def test_weeks_without_a_spread_have_no_trend(weeks: list[tuple[int, int]]) -> None:
    assert quality_degradation.trend_z({ENDED + at: counts for at, counts in enumerate(weeks)}) == 0


def test_a_pace_is_the_line_of_least_squares_at_the_next_week() -> None:
    hours = [10.0, 14.0, 12.0, 18.0, 17.0]

    pace = sla_breach.pace_of(hours)

    slope, start = np.polyfit(range(5), hours, 1)
    errors = hours - (start + slope * np.arange(5))
    reach = 2.353 * np.sqrt((errors**2).sum() / 3 * (1 / 5 + (5 - 2) ** 2 / 10))
    assert pace.hours == pytest.approx(start + 5 * slope)
    assert (pace.low, pace.high) == pytest.approx((pace.hours - reach, pace.hours + reach))


@given(st.lists(st.floats(0, 500), min_size=3, max_size=8))
def test_a_pace_lies_in_its_range_and_never_below_nothing(hours: list[float]) -> None:
    pace = sla_breach.pace_of(hours)

    assert 0 <= pace.low <= pace.hours <= pace.high


# --- what cannot be said -----------------------------------------------------------------------------------


def _quality(*weeks: tuple[int, int]) -> AlertSnapshot:
    rows = {
        ENDED + (number - len(weeks) + 1): (Reviewed("M-1", "P-1", reviewed, correct),)
        for number, (reviewed, correct) in enumerate(weeks)
    }
    return snapshot(projects=projects(ProjectState("P-1", quality_target=Decimal("0.95"))), quality=rows)


FALLING = _quality((200, 196), (200, 190), (200, 182), (200, 170))


@pytest.mark.parametrize(
    ("later", "status"),
    [
        (_quality((200, 170), (200, 170), (200, 170), (200, 170)), AlertStatus.OPEN),
        (_quality((200, 170), (200, 170), (200, 170), (10, 10)), AlertStatus.OPEN),
        (_quality((200, 170), (200, 180), (200, 190), (200, 196)), AlertStatus.RESOLVED),
        (snapshot(), AlertStatus.OPEN),
    ],
    ids=["still below, no longer falling", "too few pieces", "above its target", "not read"],
)
def test_quality_is_mended_once_it_is_back_at_its_target(later: AlertSnapshot, status: AlertStatus) -> None:
    rule = RULES[AlertRule.QUALITY_DEGRADATION]
    known = update([], rule(FALLING), AS_OF)

    after = {alert.fingerprint: alert for alert in known} | {
        alert.fingerprint: alert for alert in update(known, rule(later), AS_OF + timedelta(days=7))
    }

    assert {alert.status for alert in after.values()} == {status}
    assert len(after) == 2


def _endings(alerts: list[Alert], later: Judgement) -> set[Ending | None]:
    """What becomes of alerts; None is open."""
    after = {one.fingerprint: one for one in (*alerts, *update(alerts, later, AS_OF + timedelta(days=7)))}
    assert len(after) == len(alerts)
    return {one.ending for one in after.values()}


def test_quality_without_reviews_stays_as_it_is_and_is_over_with_its_project() -> None:
    rule = RULES[AlertRule.QUALITY_DEGRADATION]
    alerts = update([], rule(FALLING), AS_OF)
    unread = dict.fromkeys(ENDED.window(4), ())
    closed = {key: replace(one, status=ProjectStatus.CLOSED) for key, one in FALLING.projects.items()}

    assert _endings(alerts, rule(replace(FALLING, quality=unread))) == {None}
    assert _endings(alerts, rule(replace(FALLING, quality=unread, projects=closed))) == {Ending.OVER}
    assert _endings(alerts, rule(replace(FALLING, projects=closed))) == {Ending.OVER}


def test_quality_of_somebody_who_has_left_is_over_and_that_of_the_project_goes_on() -> None:
    rule = RULES[AlertRule.QUALITY_DEGRADATION]
    alerts = update([], rule(FALLING), AS_OF)
    left = members(MemberState("M-1", FULL_TIME, active=False))
    unread = dict.fromkeys(ENDED.window(4), ())

    for later in (replace(FALLING, members=left), replace(FALLING, members=left, quality=unread)):
        after = {one.member_id: one.ending for one in update(alerts, rule(later), AS_OF + timedelta(days=7))}
        assert (after["M-1"], after.get(None)) == (Ending.OVER, None)


def test_an_sla_that_was_missed_is_not_mended_by_weeks_that_leave_the_window() -> None:
    rule, missed, forty = RULES[AlertRule.SLA_BREACH], ENDED.sunday, Decimal(40)
    weeks = [ENDED + number for number in range(-7, 9)]
    project = ProjectState("P-1", demand_hours=forty, sla_date=missed, asked=dict.fromkeys(weeks, forty))
    served = {week: "16.00" if week <= ENDED else "32.00" for week in weeks}
    done = work(*(worked("M-1", "P-1", week.monday, hours) for week, hours in served.items()))

    def judged(ended: Week, status: ProjectStatus = ProjectStatus.ACTIVE) -> Judgement:
        known = projects(replace(project, status=status))
        given = AlertSnapshot((ended + 1).start + timedelta(hours=7), ended + 1, ended, projects=known, work=done)
        return rule(given)

    alerts = update([], judged(ENDED), AS_OF)

    assert len(alerts) == 1
    assert [_endings(alerts, judged(ENDED + number)) for number in range(1, 9)] == [{None}] * 8
    assert _endings(alerts, judged(ENDED + 8, ProjectStatus.CLOSED)) == {Ending.OVER}


@pytest.mark.parametrize(
    ("later", "ending"),
    [
        (None, None),
        (WorkerState("w", WorkerStatus.UNRESOLVED, ENDED.start), None),
        (WorkerState("w", WorkerStatus.RESOLVED, ENDED.start, ((ENDED.days[2], None),)), None),
        (WorkerState("w", WorkerStatus.RESOLVED, ENDED.start, ((ENDED.monday, ENDED.days[1]),)), None),
        (WorkerState("w", WorkerStatus.RESOLVED, ENDED.start, ((ENDED.monday, None),)), Ending.MENDED),
        (WorkerState("w", WorkerStatus.IGNORED, ENDED.start), Ending.MENDED),
    ],
    ids=["not queued", "waits", "nobody's at first", "nobody's since", "somebody's", "ignored"],
)
def test_work_that_left_the_window_is_still_nobodys_unless_somebody_said_whose(
    later: WorkerState | None, ending: Ending | None
) -> None:
    rule = RULES[AlertRule.UNRESOLVED_WORKER]
    alerts = update([], rule(snapshot(work=work(worked("worker:w", "P-1", ENDED.monday, "1.00")))), AS_OF)
    read = {ENDED + number: WorkWeek.of(()) for number in range(2, 10)}
    workers = {} if later is None else {later.worker_key: later}
    given = AlertSnapshot((ENDED + 10).start, ENDED + 10, ENDED + 9, work=read, workers=workers)

    assert _endings(alerts, rule(given)) == {ending}


def test_a_worker_that_is_nobodys_is_about_the_projects_with_its_tasks() -> None:
    rows = [
        worked("worker:w", "P-1", ENDED.monday, "1.00", tasks=2),
        worked("worker:w", "P-2", ENDED.monday, "1.00", tasks=5),
        worked("worker:w", "job:new", ENDED.monday, "1.00", tasks=1),
        worked("M-1", "P-3", ENDED.monday, "1.00", tasks=1),
    ]

    found = RULES[AlertRule.UNRESOLVED_WORKER](snapshot(work=work(*rows)))

    (alert,) = [one for one in update([], found, AS_OF) if one.subject == "workers/w"]
    assert alert.title.startswith("worker w is nobody's: 8 tasks")
    assert [(row.item, row.figures) for row in alert.evidence[1:]] == [
        ("projects/P-2", {"tasks": "5 tasks"}),
        ("projects/P-1", {"tasks": "2 tasks"}),
    ]
    assert projects_of(alert) == {"P-1", "P-2"}


def test_an_alert_about_a_worker_who_waits_outlives_the_weeks_with_the_tasks() -> None:
    rule = RULES[AlertRule.UNRESOLVED_WORKER]
    waiting = {"w": WorkerState("w", WorkerStatus.UNRESOLVED)}
    (alert,) = update(
        [], rule(snapshot(work=work(worked("worker:w", "P-1", ENDED.monday, "1.00")), workers=waiting)), AS_OF
    )
    quiet = work(worked("M-1", "P-1", ENDED.monday, "1.00"))

    def after(workers: dict[str, WorkerState]) -> list[AlertStatus]:
        return [one.status for one in update([alert], rule(snapshot(work=quiet, workers=workers)), AS_OF)]

    assert after(waiting) == []
    assert after({"w": WorkerState("w", WorkerStatus.IGNORED)}) == [AlertStatus.RESOLVED]


def test_an_approved_request_is_not_called_impossible_when_its_weeks_were_not_read() -> None:
    request = RequestState("R-1", RequestStatus.APPROVED, WEEK.sunday, Decimal(500), decided=ENDED.start)
    answers = [
        RULES[AlertRule.LATE_REQUEST](snapshot(requests=(request,), work=given))
        for given in ({}, {WEEK: WorkWeek.of(())}, {ENDED: WorkWeek.of(()), WEEK: WorkWeek.of(())})
    ]

    assert [len(answer.findings) for answer in answers] == [0, 0, 1]


def test_a_week_that_is_looked_back_at_needs_no_work_of_the_next_one_to_call_a_request_impossible() -> None:
    request = RequestState("R-1", RequestStatus.APPROVED, WEEK.days[4], Decimal(500), decided=ENDED.start)
    as_of, read = ENDED.end + timedelta(hours=6), {ENDED: WorkWeek.of(())}

    answer = RULES[AlertRule.LATE_REQUEST](AlertSnapshot(as_of, ENDED, ENDED, requests=(request,), work=read))

    assert [(one.subject, one.severity) for one in answer.findings] == [("requests/R-1", Severity.HIGH)]
    assert not answer.undecided


def test_a_request_that_cannot_be_met_is_not_called_mended_while_its_lateness_is_let_pass() -> None:
    rule, due = RULES[AlertRule.LATE_REQUEST], WEEK.days[4]
    given = RequestState("R-1", RequestStatus.TRIAGED, due, Decimal(500), project_id="P-1")
    lenient = projects(ProjectState("P-1", limits=ProjectLimits(late_request_days=3)))

    def judged(day: date, request: RequestState = given) -> Judgement:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=AS_OF.tzinfo)
        return rule(snapshot(as_of=noon, requests=(request,), projects=lenient))

    alerts = update([], judged(due), AS_OF)
    found = [update(alerts, judged(due + timedelta(days=days)), AS_OF) for days in range(1, 5)]
    withdrawn = update(
        alerts, judged(due + timedelta(days=1), replace(given, status=RequestStatus.DECLINED)), AS_OF
    )

    assert [[one.status for one in after] for after in found] == [[], [], [], [AlertStatus.OPEN]]
    assert [one.status for one in withdrawn] == [AlertStatus.RESOLVED]


def test_shrinkage_says_nothing_of_a_week_in_which_nobody_worked() -> None:
    plan = Planned("M-1", ENDED, "P-1", dict.fromkeys(ENDED.days[:5], Decimal(8)))
    given = snapshot(planned={ENDED: (plan,)}, time_off={ENDED: ()}, work={ENDED: WorkWeek.of(())})

    assert RULES[AlertRule.SHRINKAGE_RISK](given).abstained == f"nobody worked in {ENDED}, so its work is missing"


def test_time_off_takes_of_a_days_projects_alike() -> None:
    monday: date = ENDED.monday
    plans = tuple(
        Planned("M-1", ENDED, project, dict.fromkeys(ENDED.days[:3], Decimal(hours)))
        for project, hours in (("P-1", 6), ("P-2", 2))
    )
    given = snapshot(
        members=members(MemberState("M-1", FULL_TIME)),
        planned={ENDED: plans},
        time_off={ENDED: (TimeOff("M-1", monday, Decimal("4.00")),)},
        work=work(worked("M-1", "P-1", ENDED.days[1], "1.00")),
    )

    (finding,) = RULES[AlertRule.SHRINKAGE_RISK](given).findings

    assert [row.figures for row in finding.evidence[1:]] == [{"expected": "15.00 h"}, {"expected": "5.00 h"}]
    assert finding.evidence[0].figures["excused"] == "4.00 h"


def test_a_week_by_week_identity_leaves_the_figures_out() -> None:
    given = snapshot(
        members=members(MemberState("M-1", FULL_TIME)),
        time_off={WEEK: (TimeOff("M-1", WEEK.monday, Decimal("8.00")),)},
        planned={WEEK: (Planned("M-1", WEEK, "P-1", {WEEK.monday: Decimal(8)}),)},
    )
    less = snapshot(
        members=given.members,
        time_off=given.time_off,
        planned={WEEK: (Planned("M-1", WEEK, "P-1", {WEEK.monday: Decimal(2)}),)},
    )

    def prints(answer: Judgement) -> list[str]:
        return [finding.fingerprint for finding in answer.findings]

    rule = RULES[AlertRule.OOTO_CONFLICT]
    assert prints(rule(given)) == prints(rule(less)) != []


def test_findings_stand_in_an_order_that_does_not_depend_on_how_they_were_found() -> None:
    given = FALLING
    findings = RULES[AlertRule.QUALITY_DEGRADATION](given).findings

    assert judgement(AlertRule.QUALITY_DEGRADATION, reversed(findings)).findings == findings


def test_a_shortage_says_how_many_lines_it_does_not_show() -> None:
    lines = tuple(DemandLine(f"D-{number}", f"P-{number}", Decimal(20 + number), {}) for number in range(7))
    week = WEEK + 1
    one = MemberState("M-1", FULL_TIME, {})

    (found,) = capacity_risk.judge(
        snapshot(members=members(one), demand={week: lines}, time_off={week: (), WEEK: ()})
    ).findings

    assert [row.item for row in found.evidence[1:6]] == [f"projects/P-{number}" for number in (6, 5, 4, 3, 2)]
    assert (found.evidence[6].item, dict(found.evidence[6].figures)) == (
        "more",
        {"lines left out": "2", "demand": "41.00 h"},
    )
    (alert,) = update([], judgement(AlertRule.CAPACITY_RISK, [found]), AS_OF)
    assert projects_of(alert) == {line.project_id for line in lines}
