"""The operations report says what a week came to, in figures of its rows, and nothing that they do not."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.facts.lexicon import Direction
from prism_core.models.alerts import Alert, AlertRule, AlertStatus
from prism_core.models.work import Severity
from prism_core.operations.figures import READ_WEEKS, OpsFigures, ops_figures
from prism_core.operations.weeks import OpsWeek, ops_week
from prism_core.reports import wording
from prism_core.reports.content import Chart, ReportContent, Table
from prism_core.reports.editions import changed, next_edition
from prism_core.reports.grounding import ungrounded
from prism_core.reports.operations import operations_report
from prism_core.reports.plain_text import plain_text
from prism_core.reports.reading import report_of
from prism_resources.reports.rendering import render

WEEK = Week.parse("2026-W10")
NAMES = {"P-1": "Road signs", "P-2": "Faces 2.0"}


def done(project: str = "P-1", member: str = "m-1", tasks: int = 100, seconds: int = 36_000, **of: Any) -> Any:
    row = {"project_id": project, "member_id": member, "tasks_submitted": tasks, "wall_seconds": seconds}
    return row | {"worker_resolved": True, "project_resolved": True, "day": WEEK.days[0]} | of


def reviewed(project: str = "P-1", pieces: int = 200, correct: int = 190) -> Any:
    return {"project_id": project, "reviewed": pieces, "correct": correct}


def hours(available: float = 38.0, allocated: float = 20.0, worked: float = 18.0) -> Any:
    return {"available_hours": available, "allocated_hours": allocated, "worked_hours": worked}


def alert(rule: AlertRule, seen: datetime, *, resolved: datetime | None = None, **of: Any) -> Alert:
    status = AlertStatus.OPEN if resolved is None else AlertStatus.RESOLVED
    return Alert(
        fingerprint=f"{list(AlertRule).index(rule):08x}{int(seen.timestamp()):024x}",
        rule=rule,
        severity=Severity.HIGH,
        title="An alert",
        subject="requests/r-1",
        week=Week.of(seen),
        first_seen=seen,
        last_seen=seen,
        resolved=resolved,
        status=status,
        **of,
    )


def plain_week(week: Week = WEEK, **of: Any) -> OpsWeek:
    rows = {"throughput": [done()], "quality": [reviewed()], "utilisation": [hours()], "alerts": []} | of
    until = of.get("read_until")
    return ops_week(week, rows["throughput"], rows["quality"], rows["utilisation"], rows["alerts"], until)


def figures(weeks: Mapping[Week, OpsWeek], **targets: str) -> OpsFigures:
    found = {name.replace("_", "-"): Decimal(target) for name, target in targets.items()}
    return ops_figures(WEEK, weeks, NAMES, found)


def steady(last: OpsWeek | None = None) -> dict[Week, OpsWeek]:
    """Twelve weeks alike, of which the last one may differ."""
    weeks = {one: plain_week(one) for one in WEEK.window(READ_WEEKS)}
    return weeks if last is None else weeks | {WEEK: last}


def text(content: ReportContent) -> str:
    return plain_text(content).replace("\n  ", " ")


def test_sums_are_those_of_the_rows() -> None:
    rows = [
        done(tasks=70),
        done("P-2", "m-2", 30, 7_200),
        done("job:x", "worker:y", 5, 60, worker_resolved=False, project_resolved=False),
        done("P-2", "m-3", 0, 0),
    ]
    found = plain_week(throughput=rows, quality=[reviewed(), reviewed("P-2", 10, 5)])

    content = operations_report(figures({WEEK: found}))

    said = text(content)
    assert "Tasks that were done in 2026-W10: 105; members: 2. The accuracy was 92.9 %." in said
    assert "* Road signs: Tasks 70; Hours 10.0 h; Tasks an hour 7.00; Reviewed 200; Accuracy 95.0 %" in said
    assert "* Faces 2.0: Tasks 30; Hours 2.0 h; Tasks an hour 15.00; Reviewed 10; Accuracy 50.0 %" in said
    assert "as nobody has resolved them: 5." in said
    assert [wording.card(content, one).figure for one in content.cards] == ["105", "92.9", "90.0", "0"]
    assert not content.refused()


def test_a_first_week_is_not_judged_and_a_steady_one_asks_for_nothing() -> None:
    first, later = (
        operations_report(figures({WEEK: plain_week()})),
        operations_report(figures(steady(), P_1="0.9")),
    )

    assert "This week cannot be judged" in text(first)
    assert "Nothing asks for action." in text(later)
    assert [card.direction for card in later.cards] == [Direction.FLAT, Direction.FLAT, Direction.FLAT, None]
    assert not first.refused()
    assert not later.refused()


def test_a_fall_that_cannot_be_chance_is_an_alert_in_the_subject() -> None:
    weeks = {one: plain_week(one, throughput=[done(tasks=1_000)]) for one in WEEK.window(READ_WEEKS)}
    fallen = plain_week(throughput=[done(tasks=100)], quality=[reviewed(correct=120)])

    content = operations_report(figures(weeks | {WEEK: fallen}))

    assert wording.subject(content) == "Operations report 2026-W10: ALERT on tasks, accuracy"
    assert "Alert: tasks fell against the mean of the last four weeks: -90.0 %." in text(content)
    assert not content.refused()


def test_a_large_fall_of_one_week_is_told_and_not_called_stable() -> None:
    content = operations_report(figures(steady(plain_week(throughput=[done(tasks=50)]))))

    said = text(content)
    assert (
        "Tasks fell this week against the mean of the last four weeks: -50.0 %; one week alone is no trend."
        in said
    )
    assert "Nothing asks for action." not in said
    assert not content.refused()


def test_a_week_whose_activity_was_read_in_part_says_until_when_and_is_compared_with_nothing() -> None:
    half = plain_week(throughput=[done(tasks=40)], read_until=datetime(2026, 3, 5, 12, 30, tzinfo=UTC))

    content = operations_report(figures(steady(half)))

    said = " ".join(text(content).split())
    assert "This week is not whole: activity was read until 2026-03-05 12:30 UTC." in said
    assert "tasks and hours after that are in no figure." in said
    assert [wording.card(content, one).indicator for one in content.cards][:3:2] == ["", ""]
    assert "fell" not in said
    assert not content.refused()
    assert ungrounded(content, plain_text(content)) == ()


def test_a_week_that_was_read_in_part_is_in_no_mean() -> None:
    until = (WEEK + -1).start + timedelta(days=2)
    weeks = steady() | {WEEK + -1: plain_week(WEEK + -1, throughput=[done(tasks=1)], read_until=until)}

    content = operations_report(figures(weeks))

    assert "Tasks: stable." in text(content)


@pytest.mark.parametrize("late", [0, 5], ids=["at its end", "later"])
def test_a_week_that_was_read_past_its_end_says_its_end(late: int) -> None:
    whole = plain_week(read_until=WEEK.end + timedelta(hours=late))

    said = text(operations_report(figures(steady(whole))))

    assert "Activity was read until 2026-03-09 00:00 UTC." in said
    assert "not whole" not in said


def test_a_comparison_says_with_how_many_weeks_it_is() -> None:
    weeks = {
        one: found for one, found in steady(plain_week(throughput=[done(tasks=50)])).items() if WEEK - one != 2
    }

    content = operations_report(figures(weeks))

    assert wording.card(content, content.cards[0]).note == "-50.0\xa0% against three weeks"
    assert "those of the last four weeks that are known: -50.0 %" in " ".join(text(content).split())
    assert not content.refused()


def test_of_files_the_newest_day_is_said() -> None:
    assert f"the newest of this week is of {WEEK.days[0]}." in text(operations_report(figures(steady())))


def test_what_was_not_computed_is_said_and_not_taken_for_nothing() -> None:
    content = operations_report(figures(steady(plain_week(quality=None, utilisation=None))))

    said = text(content)
    assert "Quality of this week was not computed." in said
    assert "Hours of this week were not computed." in said
    assert [wording.card(content, one).figure for one in content.cards][1:3] == ["not known", "not known"]
    assert not content.refused()


@pytest.mark.parametrize(
    ("correct", "told"),
    [pytest.param(170, True, id="surely below"), pytest.param(189, False, id="perhaps by chance")],
)
def test_a_target_is_missed_when_chance_does_not_explain_it(correct: int, *, told: bool) -> None:
    found = figures(steady(plain_week(quality=[reviewed(correct=correct)])), P_1="0.95")

    said = text(operations_report(found))

    assert ("Accuracy of Road signs: 85.0 %, with a target of 95.0 %; chance does not explain it." in said) is told
    assert ("Every project with a target and reviewed pieces reached it" in said) is not told


def test_a_missed_target_and_open_urgent_alerts_decide_the_headline() -> None:
    monday = datetime(2026, 3, 2, 6, tzinfo=UTC)
    open_ones = [alert(AlertRule.SLA_BREACH, monday + timedelta(hours=at)) for at in range(40)]
    mended = alert(AlertRule.SLA_BREACH, monday - timedelta(days=3), resolved=monday)
    weeks = {one: plain_week(one, quality=[reviewed(correct=150)]) for one in WEEK.window(READ_WEEKS)}
    here = plain_week(quality=[reviewed(correct=150)], alerts=[*open_ones, mended])

    content = operations_report(figures(weeks | {WEEK: here}, P_1="0.95"))

    said = [content.text(one.prose) for one in content.headline]
    assert "Projects that missed their quality target: 1." in said
    assert "Open alerts that are high or critical: 40." in said
    assert not any("asks for action" in one for one in said)
    assert not content.refused()


@pytest.mark.parametrize(
    ("quality", "targets", "why"),
    [
        pytest.param([reviewed()], {}, "No project of this week has a quality target.", id="no target"),
        pytest.param(
            [], {"P_1": "0.9"}, "Of the projects with a quality target nothing was reviewed.", id="unread"
        ),
        pytest.param(None, {"P_1": "0.9"}, "Quality of this week was not computed.", id="not computed"),
    ],
)
def test_without_targets_or_reviews_none_is_called_reached(
    quality: Any, targets: dict[str, str], why: str
) -> None:
    content = operations_report(figures(steady(plain_week(quality=quality)), **targets))

    assert why in [one.prose for one in content.headline]
    assert "Nothing else asks for action." in text(content)
    assert "reached it" not in text(content)
    assert not content.refused()


def test_alerts_are_counted_in_the_week_of_their_first_finding_and_as_they_stood_at_its_end() -> None:
    late, sla = AlertRule.LATE_REQUEST, AlertRule.SLA_BREACH
    monday = datetime(2026, 3, 2, 6, tzinfo=UTC)
    alerts = [
        alert(late, monday),
        alert(late, monday - timedelta(days=30)),
        alert(late, monday - timedelta(days=20), resolved=monday + timedelta(days=1)),
        alert(sla, monday + timedelta(hours=1), resolved=monday + timedelta(days=8)),
        alert(sla, monday + timedelta(days=9)),
    ]

    content = operations_report(figures(steady(plain_week(alerts=alerts))))

    table = next(one for one in content.sections if isinstance(one, Table) and one.title == "Alerts")
    rows = [tuple(content.text(cell) for cell in row) for row in (*table.rows, table.total)]
    assert rows == [("Late request", "1", "2"), ("Sla breach", "1", "1"), ("All rules", "2", "3")]


def test_charts_show_the_four_weeks_before_with_gaps_where_nothing_was_computed() -> None:
    weeks = steady()
    del weeks[WEEK + -2]

    content = operations_report(figures(weeks))

    charts = [one for one in content.sections if isinstance(one, Chart)]
    assert [chart.labels for chart in charts] == [tuple(one.label for one in WEEK.window(5))] * 2
    assert [one is None for one in charts[0].series[0].facts] == [False, False, True, False, False]


def test_it_is_kept_rendered_and_corrected_like_every_report() -> None:
    before = operations_report(figures(steady()))
    after = operations_report(figures(steady(plain_week(throughput=[done(tasks=103)]))))
    kept = report_of(before.document())

    second = next_edition(kept, report_of(after.document()))

    assert (kept.content_hash(), render(kept)) == (before.content_hash(), render(before))
    assert changed(kept, report_of(before.document())) == ()
    assert second is not None
    assert "Tasks, 2026-W10: 100 before, now 103." in text(second)
    assert "Tasks of Road signs, 2026-W10: 100 before, now 103." in text(second)


def test_a_long_list_of_projects_fits_the_mail() -> None:
    rows = [done(f"P-{at}", f"m-{at}", 10_000 + at, 3_600_000) for at in range(200)]
    content = operations_report(figures(steady(plain_week(throughput=rows))))

    mail = render(content)

    assert len(mail.html) < 102_000
    assert "the attached list has every project." in " ".join(text(content).split())
    assert len(mail.attached[0].csv.splitlines()) == 201
    assert not content.refused()


_counts = st.integers(0, 10_000)
_hours = st.integers(0, 5_000).map(lambda hundredths: hundredths / 100)  # as tables have them
_odd = ("P-1", "P-2", "job:Ünï côde/1", "project with 12 words", "{{fact:x}}", "x" * 300)
_projects = st.sampled_from([*_odd, *(f"p{at}" for at in range(30))])


@given(
    st.lists(
        st.tuples(
            st.lists(st.builds(done, _projects, st.just("m-1"), _counts, _counts, worker_resolved=st.booleans())),
            st.none() | st.lists(st.builds(lambda p, n: reviewed(p, n, n // 2), _projects, _counts)),
            st.none() | st.lists(st.builds(hours, _hours, _hours, _hours)),
        ),
        min_size=1,
        max_size=READ_WEEKS,
    )
)
def test_whatever_the_rows_are_every_sentence_passes_the_gate_and_the_report_is_kept(weeks: Any) -> None:
    numbered = ((WEEK + -at, rows) for at, rows in enumerate(weeks))
    found = {week: ops_week(week, rows[0], rows[1], rows[2], []) for week, rows in numbered}

    content = operations_report(ops_figures(WEEK, found, NAMES, {"P-1": Decimal("0.9")}))

    assert content.refused() == ()
    assert report_of(content.document()).content_hash() == content.content_hash()
