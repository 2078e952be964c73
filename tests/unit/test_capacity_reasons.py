"""Every reason for open hours and idle members by an example, with the change that would help and its words."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from prism_core.capacity.explain import Explainer, explain
from prism_core.capacity.explanation import ChangeKind, Constraint, Switch, UnmetWhy
from prism_core.capacity.problem import Exclusion, Pin, PlanMember, PlanProblem, PlanProject, Weights
from prism_core.capacity.solve import solve
from prism_core.capacity.wording import Names, candidate, sentences, unmet
from prism_core.failures import BadUsage, PermanentFailure
from tests.unit.capacity_weeks import MON, TUE, WEEK, line, member

FULL = (8, 8, 8, 8, 8)


def open_line(problem: PlanProblem, line_id: str = "D-P") -> UnmetWhy:
    return Explainer(problem, solve(problem)).line(line_id)


def test_a_skill_that_nobody_has_names_who_would_best_learn_it() -> None:
    people = [member("busy", 8, skills={"a": 1}), member("idle", 8, skills={"a": 1})]
    lines = [line("P", 4, skills={"b": 2}), line("Q", 8, skills={"a": 1})]
    problem = PlanProblem(WEEK, people, [PlanProject("P"), PlanProject("Q", 1)], lines)

    why = open_line(problem)

    assert why.constraint is Constraint.NO_SKILL
    assert why.change is not None
    assert (why.change.kind, why.change.skills) == (ChangeKind.SKILL, {"b": 2})


def test_without_hours_left_an_hour_of_overtime_is_worth_what_it_earns_less_its_price() -> None:
    problem = PlanProblem(WEEK, [member("A", *FULL)], [PlanProject("P", 1)], [line("P", 50)])

    why = open_line(problem)

    assert why.constraint is Constraint.NO_HOURS
    assert why.change is not None
    assert (why.change.kind, why.change.member_id, why.change.gain) == (ChangeKind.OVERTIME, "A", 100 - 36)
    more = replace(problem, members=[member("A", *FULL, overtime_hours=Decimal(2))])
    assert solve(more).objective - solve(problem).objective == 2 * why.change.gain


def test_where_no_day_may_have_more_overtime_an_hour_by_contract_is_named() -> None:
    one = member("A", 8, 8, overtime_hours=Decimal(2))
    problem = PlanProblem(WEEK, [one], [PlanProject("P", 1)], [line("P", 50)], overtime_hours_a_day=Decimal(1))

    why = open_line(problem)

    assert why.change is not None
    assert (why.constraint, why.change.kind) == (Constraint.NO_HOURS, ChangeKind.HOURS)


def test_where_overtime_does_not_pay_an_hour_by_contract_is_named() -> None:
    why = open_line(PlanProblem(WEEK, [member("A", *FULL)], [PlanProject("P", 5)], [line("P", 50)]))

    assert why.constraint is Constraint.NO_HOURS
    assert why.change is not None
    assert (why.change.kind, why.change.gain) == (ChangeKind.HOURS, 20 - 6)


def test_time_off_that_would_cover_the_hours_is_named_with_its_day() -> None:
    away = PlanMember("A", {MON: Decimal(8)}, off={TUE: Decimal(8)})
    problem = PlanProblem(WEEK, [away], [PlanProject("P")], [line("P", 12)])

    why = open_line(problem)

    assert why.constraint is Constraint.TIME_OFF
    assert why.change is not None
    assert (why.change.kind, why.change.day) == (ChangeKind.TIME_OFF, TUE)
    worked = replace(away, hours={MON: Decimal(8), TUE: Decimal(1)}, off={TUE: Decimal(7)})
    assert solve(replace(problem, members=[worked])).objective - solve(problem).objective >= why.change.gain


def test_a_member_off_all_week_is_away_and_their_time_off_binds() -> None:
    away = PlanMember("A", {}, off={MON: Decimal(8)})
    problem = PlanProblem(WEEK, [away], [PlanProject("P")], [line("P", 4)])

    explanation = explain(problem, solve(problem))

    assert explanation.unmet[0].constraint is Constraint.TIME_OFF
    assert (explanation.members[0].idle_why, explanation.members[0].next_hour) == (None, None)


def test_the_limit_of_people_binds_when_others_are_idle() -> None:
    problem = PlanProblem(
        WEEK,
        [member("A", 8, skills={"a": 3}), member("B", 8, skills={"a": 1})],
        [PlanProject("P", max_people=1)],
        [line("P", 12, skills={"a": 1})],
    )

    explanation = explain(problem, solve(problem))

    why = explanation.unmet[0]
    assert why.constraint is Constraint.PEOPLE_LIMIT
    assert why.change is not None
    assert (why.change.kind, why.change.member_id) == (ChangeKind.PERSON, "B")
    assert {one.member_id: one.idle_why for one in explanation.members}["B"] is Constraint.PEOPLE_LIMIT
    assert explanation.relative_to == (Constraint.PEOPLE_LIMIT,)


def test_a_project_that_wants_several_people_names_who_could_do_it_alone() -> None:
    people = [member("A", 8, skills={"a": 1}), member("B", 8)]
    problem = PlanProblem(WEEK, people, [PlanProject("P", min_people=2)], [line("P", 4, skills={"a": 1})])

    explanation = explain(problem, solve(problem))

    why = explanation.unmet[0]
    assert why.constraint is Constraint.FEW_PEOPLE
    assert why.change is not None
    assert (why.change.kind, why.change.member_id) == (ChangeKind.ALONE, "A")
    assert "asks for one person at once, and A is it" in unmet(why, Names())
    assert {one.member_id: one.idle_why for one in explanation.members}["A"] is Constraint.FEW_PEOPLE
    alone = replace(problem, projects=[PlanProject("P")])
    gained = solve(alone).objective - solve(problem).objective
    assert gained >= why.change.gain * why.change.hours


def test_a_project_that_wants_several_people_names_nobody_who_has_no_room_for_it() -> None:
    projects = [PlanProject("P", 3, min_people=2), PlanProject("Q", 1)]
    people = [member("A", 8, skills={"a": 1}, max_projects=1), member("B", 8)]
    lines = [line("P", 4, skills={"a": 1}), line("Q", 7, skills={"a": 1})]

    why = open_line(PlanProblem(WEEK, people, projects, lines))

    assert (why.constraint, why.change) == (Constraint.FEW_PEOPLE, None)


def test_without_members_it_is_they_who_are_missing_and_no_skill() -> None:
    why = open_line(PlanProblem(WEEK, [], [PlanProject("P")], [line("P", 4, skills={"a": 1})]))

    assert (why.constraint, why.change) == (Constraint.NOBODY, None)
    assert "the week has no members" in unmet(why, Names())


def test_the_limit_of_projects_binds_when_the_member_has_hours() -> None:
    problem = PlanProblem(
        WEEK,
        [member("A", 8, max_projects=1)],
        [PlanProject("P"), PlanProject("Q", 1)],
        [line("P", 2), line("Q", 3)],
    )

    why = open_line(problem)

    assert why.constraint is Constraint.PROJECT_LIMIT
    assert why.change is not None
    assert why.change.kind is ChangeKind.PROJECT


def test_a_block_that_no_day_can_hold_binds() -> None:
    problem = PlanProblem(
        WEEK, [member("A", 2, 2)], [PlanProject("P", min_block_hours=Decimal(3))], [line("P", 4)]
    )

    assert open_line(problem).constraint is Constraint.BLOCK


def test_a_limit_does_not_bind_where_those_it_keeps_out_have_better_work() -> None:
    projects = [PlanProject("P", 5, min_block_hours=Decimal(2)), PlanProject("Q", 1)]
    problem = PlanProblem(WEEK, [member("A", 8)], projects, [line("P", 4), line("Q", 8)])

    explanation = explain(problem, solve(problem))

    why = explanation.unmet[0]
    assert (why.line_id, why.constraint, why.change) == ("D-P", Constraint.NO_HOURS, None)
    assert "everybody who could has no hours left or better work" in unmet(why, Names())


def test_an_exclusion_binds_and_lifting_it_is_worth_the_hours() -> None:
    problem = PlanProblem(
        WEEK, [member("A", 8)], [PlanProject("P")], [line("P", 4)], exclusions=[Exclusion("A", "P")]
    )

    explanation = explain(problem, solve(problem))

    why = explanation.unmet[0]
    assert why.constraint is Constraint.EXCLUDED
    assert why.change is not None
    assert why.change.kind is ChangeKind.EXCLUSION
    assert explanation.members[0].idle_why is Constraint.EXCLUDED
    gained = solve(replace(problem, exclusions=[])).objective - solve(problem).objective
    assert gained >= why.change.gain * min(why.change.hours, Decimal(1))


def test_a_pin_elsewhere_binds_when_its_hours_are_worth_more_here() -> None:
    pin = Pin("A", "Q", Decimal(8), {MON: Decimal(8)})
    projects = [PlanProject("P", 1), PlanProject("Q", 5)]
    problem = PlanProblem(WEEK, [member("A", 8)], projects, [line("P", 4), line("Q", 8)], pins=[pin])

    why = open_line(problem)

    assert why.constraint is Constraint.PIN
    assert why.change is not None
    assert (why.change.kind, why.change.project_id, why.change.gain) == (ChangeKind.UNPIN, "Q", 80)
    less = replace(pin, hours=Decimal(7), by_day={MON: Decimal(7)})
    assert solve(replace(problem, pins=[less])).objective - solve(problem).objective >= why.change.gain


def test_a_pin_here_binds_when_the_member_has_hours_left() -> None:
    pin = Pin("A", "P", Decimal(2), {MON: Decimal(2)})
    problem = PlanProblem(WEEK, [member("A", 8)], [PlanProject("P", 1)], [line("P", 4)], pins=[pin])

    why = open_line(problem)

    assert why.constraint is Constraint.PIN
    assert why.change is not None
    assert why.change.kind is ChangeKind.PIN


def test_work_that_costs_more_than_it_earns_is_not_worth_it() -> None:
    problem = PlanProblem(
        WEEK,
        [member("A", 8)],
        [PlanProject("P", 5, quality_target=Decimal("0.95"))],
        [line("P", 4)],
        quality={("A", "P"): Decimal("0.5")},
    )

    explanation = explain(problem, solve(problem))

    assert (explanation.unmet[0].constraint, explanation.unmet[0].change) == (Constraint.NOT_WORTH, None)
    assert explanation.members[0].idle_why is Constraint.NOT_WORTH


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param([line("P", 4, skills={"b": 1})], Constraint.NO_SKILL, id="no skill"),
        pytest.param([line("P", 2)], Constraint.NO_DEMAND, id="demand met"),
        pytest.param([], Constraint.NO_DEMAND, id="no demand"),
    ],
)
def test_an_idle_member_has_a_reason(lines: list, reason: Constraint) -> None:
    problem = PlanProblem(WEEK, [member("A", 8)], [PlanProject("P")], lines)

    assert Explainer(problem, solve(problem)).member("A").idle_why is reason


def test_the_next_best_member_and_the_cost_of_switching_are_those_of_the_next_plan() -> None:
    people = [member("A", 8, skills={"a": 4}), member("B", 8, skills={"a": 2})]
    problem = PlanProblem(WEEK, people, [PlanProject("P")], [line("P", 2, skills={"a": 1})])

    why = Explainer(problem, solve(problem)).assignment("A", "P")

    assert why.switch == Switch("B", Decimal(2), Decimal(2))


def test_an_hour_that_nobody_else_can_work_stays_open() -> None:
    problem = PlanProblem(WEEK, [member("A", 8)], [PlanProject("P", 1)], [line("P", 2)])

    why = Explainer(problem, solve(problem)).assignment("A", "P")

    assert why.switch == Switch(None, Decimal(100), Decimal(2))


def test_candidates_are_ranked_and_those_kept_out_come_last_with_the_reason() -> None:
    people = [member(name, 8, skills={"a": level}) for name, level in (("A", 4), ("B", 2), ("C", 3), ("D", 5))]
    problem = PlanProblem(
        WEEK, people, [PlanProject("P")], [line("P", 2, skills={"a": 1})], exclusions=[Exclusion("D", "P")]
    )
    explainer = Explainer(problem, solve(problem))

    ranked = explainer.candidates("D-P")

    assert [(one.member_id, one.gain, one.kept_out) for one in ranked] == [
        ("C", -1, None),
        ("B", -2, None),
        ("D", 1, Constraint.EXCLUDED),
    ]
    assert [candidate(one, Names({"C": "Cem", "D": "Dan"})) for one in ranked[::2]] == [
        "An hour more of Cem would cost 1 point (for up to 2 hours).",
        "An hour more of Dan would gain 1 point (for up to 2 hours), but they are excluded from the project.",
    ]
    with pytest.raises(BadUsage, match="no demand line X"):
        explainer.candidates("X")


def test_pinned_and_published_hours_are_held() -> None:
    pins = [Pin("A", "P", Decimal(2))]
    pinned = PlanProblem(WEEK, [member("A", 8)], [PlanProject("P")], [line("P", 2)], pins=pins)
    published = replace(pinned, pins=(), published={("A", "P"): Decimal(2)})

    held = [Explainer(one, solve(one)).assignment("A", "P").held for one in (pinned, published)]

    assert held == [Constraint.PIN, Constraint.PUBLISHED]


def test_an_empty_week_has_nothing_to_explain() -> None:
    problem = PlanProblem(WEEK, [], [], [])

    explanation = explain(problem, solve(problem))

    assert (explanation.assignments, explanation.unmet, explanation.members) == ((), (), ())


def test_what_the_plan_does_not_have_is_not_explained() -> None:
    problem = PlanProblem(WEEK, [member("A", 8)], [PlanProject("P")], [line("P", 2)])
    explainer = Explainer(problem, solve(problem))

    with pytest.raises(BadUsage, match="B has no hours on P"):
        explainer.assignment("B", "P")
    with pytest.raises(BadUsage, match="no open hours"):
        explainer.line("D-P")
    with pytest.raises(BadUsage, match="no member B"):
        explainer.member("B")


def test_a_plan_of_a_week_that_has_changed_is_refused() -> None:
    problem = PlanProblem(WEEK, [member("A", 8), member("B", 8)], [PlanProject("P")], [line("P", 2)])
    plan = solve(problem)

    for changed in (
        replace(problem, members=[member("B", 8)]),
        replace(problem, members=[member("A", 0, 8), member("B", 0, 8)]),
        replace(problem, lines=[line("P", 3)]),
        replace(problem, weights=Weights(priority=(Decimal(9),) * 5)),
        replace(problem, lines=[line("P", 2, skills={"b": 1})]),
    ):
        with pytest.raises(PermanentFailure, match="plan it again"):
            explain(changed, plan)


def test_every_sentence_has_units_for_its_figures() -> None:
    problem = PlanProblem(
        WEEK,
        [member("A", 8, skills={"a": 2}), member("B", 8, skills={"a": 3}, overtime_hours=Decimal(1)), member("C")],
        [PlanProject("P", 1, sla_date=WEEK.sunday + timedelta(days=3))],
        [line("P", 20, skills={"a": 1})],
    )
    names = Names({"A": "Ann", "B": "Ben", "C": "Cem"}, {"P": "Maps"})

    told = list(sentences(explain(problem, solve(problem)), names))

    ann, ben, still, load, more_load, away = told
    assert ann == (
        "Ann works 8 hours on Maps, which earns 800 points for priority, 80 points for SLA date and 8 points for "
        "level; an hour less costs 105 points, and stays open (for up to 2 hours)."
    )
    assert ben == (
        "Ben works 9 hours on Maps, which earns 900 points for priority, 90 points for SLA date and 18 points for "
        "level; an hour less costs 76 points, and stays open (for up to 1 hour)."
    )
    assert still == (
        "3 hours of D-P on Maps stay open: everybody who could has no hours left or better work; an hour more is "
        "worth at least 76 points here if Ben may work an hour more of overtime (for up to 3 hours)."
    )
    assert load == "Ann works all 8 hours; an hour more of theirs would earn at least 105 points."
    assert more_load == (
        "Ben works all 8 hours and 1 hour of overtime; an hour more of theirs would earn at least 106 points."
    )
    assert away == "Cem has no hours this week."


def test_descriptions_answers_and_words_need_no_solver() -> None:
    modules = ("problem", "plan", "explanation", "wording", "compare", "scenario")
    imports = "; ".join(f"import prism_core.capacity.{name}" for name in modules)
    heavy = "print(sorted({'numpy', 'ortools', 'highspy'} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {imports}; {heavy}"], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
