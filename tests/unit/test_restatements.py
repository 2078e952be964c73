"""Differences of published figures and their causes."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.evidence import (
    CORRECTIONS,
    RESOLUTION,
    TAXONOMY,
    Baseline,
    Cause,
    Evidence,
    Part,
    changed,
    days_of,
    days_text,
)
from prism_core.failures import PermanentFailure
from prism_core.restatements import (
    SUBJECT_BYTES,
    Difference,
    Figures,
    Move,
    by_stages,
    differences,
    is_published,
    with_causes,
)

WEEK = Week.parse("2026-W01")
FIGURES = Figures(keys=("member", "day"), measures=("tasks", "seconds"), main="tasks", totals=("seconds",))
names = st.text("abc#|;= é", max_size=6)
identities = st.tuples(names, names)
parts = st.dictionaries(identities, names, max_size=4).map(lambda items: Part(("kind", "name"), items))
rows = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from("123")),
    st.tuples(st.integers(0, 50), st.none() | st.integers(0, 50)),
).map(
    lambda found: [
        {"member": member, "day": day, "tasks": tasks, "seconds": seconds}
        for (member, day), (tasks, seconds) in found.items()
    ]
)


def row(member: str, day: str, tasks: int, seconds: int | None = None) -> dict[str, Any]:
    return {"member": member, "day": day, "tasks": tasks, "seconds": seconds}


def told(found: list[Difference]) -> dict[tuple[str, str], tuple[Cause, ...]]:
    return {(one.subject, one.measure): one.causes for one in found}


@given(rows, rows)
def test_the_differences_lead_from_the_old_rows_to_the_new_ones(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    state = {(r["member"], r["day"], m): r[m] for r in old for m in FIGURES.measures if r[m] is not None}

    for one in differences(FIGURES, old, new):
        if one.keys:
            place = (one.keys["member"], one.keys["day"], one.measure)
            assert state.pop(place, None) == one.old
            if one.new is not None:
                state[place] = one.new

    assert state == {(r["member"], r["day"], m): r[m] for r in new for m in FIGURES.measures if r[m] is not None}


def test_equal_rows_in_another_order_differ_in_nothing() -> None:
    one, other = row("a", "1", 3, 40), row("b", "1", 2)

    assert differences(FIGURES, [one, other], [other, one]) == []


def test_a_total_that_moves_is_a_difference_of_the_week_and_one_that_stays_is_none() -> None:
    found = differences(FIGURES, [row("a", "1", 3, 40), row("b", "1", 2, 10)], [row("a", "1", 5, 60)])

    assert [(one.measure, one.old, one.new) for one in found if one.subject == "*"] == [("seconds", 50, 60)]


def test_two_rows_of_one_key_are_refused_by_name() -> None:
    with pytest.raises(PermanentFailure, match="two rows of one week have member a, day 1"):
        differences(FIGURES, [row("a", "1", 1), row("a", "1", 2)], [])


@given(st.dictionaries(names, parts, max_size=3), st.booleans(), st.none() | st.integers(0, 9))
def test_evidence_survives_its_json_form(found: dict[str, Part], complete: bool, total: int | None) -> None:  # noqa: FBT001
    evidence = Evidence(found, complete, None if total is None else Baseline("tasks", float(total)))

    assert Evidence.from_plain(evidence.plain()) == evidence
    assert changed(evidence, evidence) == []


@pytest.mark.parametrize("damaged", [{"parts": {"a": {}}}, {"parts": []}, {"baseline": {}}, {"parts": {"a": 1}}])
def test_damaged_evidence_is_said_to_be(damaged: dict[str, Any]) -> None:
    with pytest.raises(PermanentFailure, match="damaged"):
        Evidence.from_plain(damaged)


@given(st.dictionaries(st.integers(0, 6), st.sampled_from(["", "M-1", "M=2", "p:3"])))
def test_answers_by_day_survive_their_short_form(answers: dict[int, str]) -> None:
    assert days_of(days_text(answers)) == answers


def test_each_kind_of_input_has_its_cause() -> None:
    def evidence(records: str, resolved: str, correction: str, taxonomy: str) -> Evidence:
        return Evidence(
            {
                "records": Part(("id",), {("a",): "1", (records,): "1"}),
                "edited": Part(("id",), {("a",): records}),
                RESOLUTION: Part(("kind", "name"), {("worker", "w"): days_text({0: resolved})}),
                CORRECTIONS: Part(("id",), {(correction,): ""}),
                TAXONOMY: Part(("raw", "category"), {("r", taxonomy): ""}),
            }
        )

    found = changed(evidence("a", "", "c1", "t1"), evidence("b", "M-1", "c1", "t2"))

    assert {(one.part, one.cause) for one in found} == {
        ("records", Cause.LATE_RECORD),
        ("edited", Cause.EDITED_SOURCE),
        (RESOLUTION, Cause.RESOLVED_WORKER),
        (TAXONOMY, Cause.TAXONOMY),
    }


def test_a_raw_category_that_comes_with_a_record_is_no_change_of_the_taxonomy() -> None:
    def evidence(**categories: str) -> Evidence:
        return Evidence({TAXONOMY: Part(("raw", "category"), dict.fromkeys(categories.items(), ""))})

    assert changed(evidence(a="Cars"), evidence(a="Cars", b="Vans")) == []
    assert changed(evidence(a="Cars", b="Vans"), evidence(a="Cars")) == []
    assert [one.keys for one in changed(evidence(a="Cars"), evidence(a="Vehicles", b="Vans"))] == [
        {"raw": "a", "category": "Cars"},
        {"raw": "a", "category": "Vehicles"},
    ]


def test_a_correction_that_finds_other_records_is_the_same_correction() -> None:
    def evidence(text: str, *places: str) -> Evidence:
        items = {("c1", place): text for place in ("", *places)}
        return Evidence({CORRECTIONS: Part(("correction_id", "member"), items)})

    nothing = Evidence({CORRECTIONS: Part(("correction_id", "member"), {})})

    assert changed(evidence("ann to bob"), evidence("ann to bob", "ann", "bob")) == []
    assert changed(evidence("ann to bob", "ann", "bob"), evidence("ann to bob", "ann")) == []
    assert len(changed(nothing, evidence("ann to bob", "ann", "bob"))) == 3
    edited = changed(evidence("ann to bob", "ann", "bob"), evidence("ann to cat", "ann", "cat"))
    assert {one.keys["member"] for one in edited} == {"", "ann", "bob", "cat"}


def test_a_worker_who_was_not_there_before_was_not_resolved_since() -> None:
    def evidence(**answers: dict[int, str]) -> Evidence:
        items = {("worker", name): days_text(days) for name, days in answers.items()}
        return Evidence({RESOLUTION: Part(("kind", "name"), items)})

    old = evidence(known={0: "M-1"})

    assert changed(old, evidence(known={0: "M-1", 4: "M-2"}, late={0: ""})) == []
    assert len(changed(old, evidence(known={0: "M-2"}))) == 1


def test_an_answer_that_is_not_by_day_is_compared_as_it_stands() -> None:
    def evidence(answer: str) -> Evidence:
        return Evidence({RESOLUTION: Part(("member", "project"), {("worker:w", "job:j"): answer})})

    assert changed(evidence("worker:w|job:j"), evidence("worker:w|job:j")) == []
    assert [one.cause for one in changed(evidence("worker:w|job:j"), evidence("M-1|P-1"))] == [
        Cause.RESOLVED_WORKER
    ]


def test_a_cause_counts_for_the_rows_that_its_input_touches_and_for_the_totals() -> None:
    old = Evidence({"reviews": Part(("member", "id"), {("a", "r1"): "1", ("b", "r2"): "1"})})
    new = Evidence(
        {
            "reviews": Part(("member", "id"), {("a", "r1"): "2", ("b", "r2"): "1", ("c", "r3"): "1"}),
        }
    )
    found = differences(FIGURES, [row("a", "1", 1), row("b", "1", 1)], [row("a", "1", 2), row("c", "1", 1)])

    causes = told(with_causes(found, changed(old, new)))

    assert causes["a | 1", "tasks"] == (Cause.EDITED_SOURCE,)
    assert causes["c | 1", "tasks"] == (Cause.LATE_RECORD,)
    assert causes["*", "tasks"] == (Cause.LATE_RECORD, Cause.EDITED_SOURCE)
    # Nothing of b changed: what moved it can only be something wider, so nothing is ruled out.
    assert causes["b | 1", "tasks"] == (Cause.LATE_RECORD, Cause.EDITED_SOURCE)


def test_what_touched_a_row_below_has_the_same_cause_above() -> None:
    old = Evidence({"throughput": Part(("content",), {("content",): "x"}, "throughput")})
    new = Evidence({"throughput": Part(("content",), {("content",): "y"}, "throughput")})
    below = [
        Difference({"project": "p", "member": "a", "day": "1"}, "wall", 1, 2, (Cause.CORRECTION,)),
        Difference({"project": "p", "member": "b", "day": "1"}, "wall", 1, 2, (Cause.LATE_RECORD,)),
    ]
    found = differences(FIGURES, [row("a", "1", 1), row("b", "1", 1)], [row("a", "1", 2), row("b", "1", 2)])

    causes = told(with_causes(found, changed(old, new), {"throughput": below}))

    assert (causes["a | 1", "tasks"], causes["b | 1", "tasks"]) == ((Cause.CORRECTION,), (Cause.LATE_RECORD,))


def test_without_any_changed_input_the_cause_is_unknown() -> None:
    found = with_causes(differences(FIGURES, [row("a", "1", 1)], [row("a", "1", 2)]), [])

    assert {one.causes for one in found} == {(Cause.UNKNOWN,)}


def test_stages_say_which_change_moved_which_row_the_strongest_first() -> None:
    old = [row("a", "1", 10), row("b", "1", 5)]
    late = [row("a", "1", 11), row("b", "1", 5), row("w", "1", 7)]
    resolved = [row("a", "1", 18), row("b", "1", 5)]

    found = differences(FIGURES, old, resolved)
    causes = told(by_stages(FIGURES, found, old, [(Cause.LATE_RECORD, late), (Cause.RESOLVED_WORKER, resolved)]))

    assert causes == {
        ("a | 1", "tasks"): (Cause.RESOLVED_WORKER, Cause.LATE_RECORD),
        ("*", "tasks"): (Cause.LATE_RECORD,),
    }


def test_a_week_is_published_from_its_end_and_the_grace_on() -> None:
    grace = timedelta(hours=6)

    assert not is_published(WEEK, WEEK.end + timedelta(hours=5, minutes=59), grace)
    assert is_published(WEEK, WEEK.end + grace, grace)


@pytest.mark.parametrize(
    ("published", "new", "beyond"), [(100, 120, False), (100, 120.1, True), (100, 79, True), (0, 5, False)]
)
def test_a_move_is_judged_by_its_share_of_what_was_published(
    published: float, new: float, *, beyond: bool
) -> None:
    assert Move("tasks", published, new).beyond(0.2) is beyond


def test_a_subject_that_no_key_could_hold_is_cut_and_stays_its_own() -> None:
    one, other = (Difference({"member": "é" * 600 + end, "day": "1"}, "tasks", 1, 2) for end in "ab")

    assert len(one.subject.encode()) <= SUBJECT_BYTES
    assert one.subject != other.subject
