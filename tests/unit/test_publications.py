"""What a publication replaces, what readers see meanwhile, and what an undo takes back."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.models.work import Allocation, AllocationSource
from prism_core.publications import (
    Days,
    Pair,
    PublishedRows,
    Replacement,
    changes_of,
    left_alone,
    overlaid,
    pair_of,
    read_rows,
    replaced_by,
    rows_text,
    taken_back,
)

WEEK = Week.parse("2026-W48")
MONDAY, TUESDAY = WEEK.days[:2]
pairs = st.tuples(st.sampled_from(["m-1", "m-2", "m-3"]), st.sampled_from(["p-1", "p-2"]))
# Of two projects a day, so that none has more than 24.
hours = st.integers(1, 48).map(lambda quarters: Decimal(quarters) / 4)
days = st.dictionaries(st.sampled_from(WEEK.days), hours, min_size=1, max_size=3)
plans = st.dictionaries(pairs, days, max_size=6)


def row(member: str, project: str, **fields: Any) -> Allocation:
    base = {"member_id": member, "project_id": project, "week": WEEK, "hours": {MONDAY: Decimal(4)}}
    return Allocation.model_validate(base | fields)


@st.composite
def weeks_of_rows(draw: st.DrawFn) -> list[Allocation]:
    found = draw(st.dictionaries(pairs, days, max_size=6))
    return [
        row(*pair, hours=hours, version=draw(st.integers(1, 9)), pinned=draw(st.booleans()))
        for pair, hours in found.items()
    ]


def seen(rows: Iterable[Allocation], replacements: list[Replacement]) -> dict[Pair, Allocation]:
    found, new = overlaid(rows, replacements)
    return found | {one.pair: one.after for one in new if one.after is not None}


def folded(rows: list[Allocation], replacements: list[Replacement], some: set[int]) -> list[Allocation]:
    """The rows when those replacements were written."""
    found = {pair_of(one): one for one in rows}
    for number in some & set(range(len(replacements))):
        one = replacements[number]
        if one.after is None:
            del found[one.pair]
        else:
            found[one.pair] = one.after
    return list(found.values())


def worked(rows: Mapping[Pair, Allocation]) -> dict[Pair, Days]:
    return {pair: one.hours for pair, one in rows.items()}


@given(weeks_of_rows(), plans)
def test_a_publication_makes_of_a_week_the_plan_and_the_pins(
    rows: list[Allocation], plan: dict[Pair, Days]
) -> None:
    pinned = {pair_of(one): one for one in rows if one.pinned}

    after = seen(rows, replaced_by(WEEK, "plan-1", plan, rows))

    assert worked(after) == plan | worked(pinned)
    assert {pair: one for pair, one in after.items() if one.pinned} == pinned
    assert all(
        (one.source, one.plan_id) == (AllocationSource.PLAN, "plan-1") for one in after.values() if not one.pinned
    )


@given(weeks_of_rows(), plans, st.sets(st.integers(0, 9)))
def test_however_many_rows_are_written_readers_see_the_same(
    rows: list[Allocation], plan: dict[Pair, Days], some: set[int]
) -> None:
    replacements = replaced_by(WEEK, "plan-1", plan, rows)

    # A row of before that is gone was deleted by the publication, and is not a new one.
    assert seen(folded(rows, replacements, some), replacements) == seen(rows, replacements)


@given(weeks_of_rows(), plans)
def test_an_undo_leads_back_and_the_undo_of_it_forth(rows: list[Allocation], plan: dict[Pair, Days]) -> None:
    replacements = replaced_by(WEEK, "plan-1", plan, rows)
    after = list(seen(rows, replacements).values())
    back = taken_back(replacements, after)
    before = seen(after, list(back.replacements))

    assert back.edited == ()
    assert {pair: one.model_copy(update={"version": 1}) for pair, one in before.items()} == {
        pair_of(one): one.model_copy(update={"version": 1}) for one in rows
    }
    forth = taken_back(back.replacements, before.values())
    assert worked(seen(before.values(), list(forth.replacements))) == worked({pair_of(one): one for one in after})


@given(weeks_of_rows(), plans)
def test_the_rows_of_a_publication_are_read_as_they_were_written(
    rows: list[Allocation], plan: dict[Pair, Days]
) -> None:
    replacements = replaced_by(WEEK, "plan-1", plan, rows)

    kept = PublishedRows(tuple(replacements), (("m-9", "p-9"),))
    text = rows_text(WEEK, kept)

    assert read_rows(text) == kept
    assert rows_text(WEEK, PublishedRows(kept.replacements[::-1], kept.left)) == text


def test_a_row_that_somebody_wrote_since_reads_as_it_is_and_is_named() -> None:
    rows = [row("m-1", "p-1"), row("m-2", "p-1")]
    replacements = replaced_by(WEEK, "plan-1", {("m-1", "p-1"): {MONDAY: Decimal(8)}}, rows)
    mine = row("m-1", "p-1", hours={TUESDAY: Decimal(2)}, version=2)

    found = seen([mine, rows[1]], replacements)

    assert found == {("m-1", "p-1"): mine}
    assert left_alone(replacements, [mine], "plan-1") == [("m-1", "p-1")]
    beside = row("m-3", "p-9")
    assert left_alone(replacements, [beside], "plan-1") == [("m-1", "p-1"), ("m-3", "p-9")]
    assert left_alone(replacements, [row("m-3", "p-9", pinned=True)], None) == [("m-1", "p-1")]


def test_a_row_whose_days_have_passed_keeps_its_history_unless_its_hours_change() -> None:
    typed, planned = row("m-1", "p-1"), row("m-2", "p-1", source="plan", plan_id="plan-0")
    ahead = row("m-3", "p-1", hours={MONDAY: Decimal(4), TUESDAY: Decimal(4)})
    rows = [typed, planned, ahead]
    plan = {pair_of(one): {MONDAY: Decimal(4)} for one in rows}

    replacements = replaced_by(WEEK, "plan-1", plan, rows, TUESDAY)

    assert [one.pair for one in replacements] == [("m-3", "p-1")]
    assert left_alone(replacements, seen(rows, replacements).values(), "plan-1", TUESDAY) == []
    assert len(replaced_by(WEEK, "plan-1", plan, rows, MONDAY)) == 3


def test_an_undo_names_what_was_changed_or_pinned_since_and_leaves_it() -> None:
    rows = [row("m-1", "p-1"), row("m-2", "p-1")]
    plan = {("m-1", "p-1"): {MONDAY: Decimal(8)}, ("m-3", "p-1"): {MONDAY: Decimal(8)}}
    replacements = replaced_by(WEEK, "plan-1", plan, rows)
    after = seen(rows, replacements)
    pinned = after["m-3", "p-1"].model_copy(update={"pinned": True, "version": 2})

    back = taken_back(replacements, [after["m-1", "p-1"], pinned])

    assert back.edited == (("m-3", "p-1"),)
    assert {one.pair: None if one.after is None else one.after.hours for one in back.replacements} == {
        ("m-1", "p-1"): rows[0].hours,
        ("m-2", "p-1"): rows[1].hours,
    }


def test_an_undo_leaves_days_that_have_passed_as_they_are() -> None:
    both = {MONDAY: Decimal(4), TUESDAY: Decimal(4)}
    rows = [row("m-1", "p-1", hours=both), row("m-2", "p-1"), row("m-3", "p-1", hours=both)]
    plan = {
        ("m-1", "p-1"): {MONDAY: Decimal(8), TUESDAY: Decimal(8)},
        ("m-2", "p-1"): {MONDAY: Decimal(8)},
        ("m-4", "p-1"): {MONDAY: Decimal(8), TUESDAY: Decimal(8)},
    }
    after = seen(rows, replaced_by(WEEK, "plan-1", plan, rows))

    back = taken_back(replaced_by(WEEK, "plan-1", plan, rows), after.values(), TUESDAY)
    found = seen(after.values(), list(back.replacements))

    assert worked(found) == {
        ("m-1", "p-1"): {MONDAY: Decimal(8), TUESDAY: Decimal(4)},
        ("m-2", "p-1"): {MONDAY: Decimal(8)},
        ("m-3", "p-1"): {TUESDAY: Decimal(4)},
        ("m-4", "p-1"): {MONDAY: Decimal(8)},
    }
    assert back.edited == ()
    assert found["m-2", "p-1"] == after["m-2", "p-1"]
    assert found["m-4", "p-1"].plan_id == "plan-1"
    forth = taken_back(back.replacements, found.values(), TUESDAY)
    assert worked(seen(found.values(), list(forth.replacements))) == worked(after)


def test_an_undo_leaves_no_row_without_hours() -> None:
    idle = row("m-1", "p-1", hours={MONDAY: Decimal(0)})
    ended = row("m-2", "p-1", hours={MONDAY: Decimal(4), TUESDAY: Decimal(0)})

    back = taken_back([Replacement(None, idle), Replacement(ended, None)], [idle], TUESDAY)

    assert back.replacements == (Replacement(idle, None),)


def test_changes_are_told_by_hours_not_by_who_put_them_there() -> None:
    rows = [row("m-1", "p-1"), row("m-2", "p-1")]

    changes = changes_of(replaced_by(WEEK, "plan-1", {("m-1", "p-1"): {MONDAY: Decimal(4)}}, rows))

    assert [(one.member_id, one.hours, one.after) for one in changes] == [("m-2", Decimal(-4), {})]


def test_an_undo_leaves_a_row_that_would_make_a_day_longer_than_a_day() -> None:
    before = row("m-1", "p-1", hours={MONDAY: Decimal(20)})
    since = row("m-1", "p-2", hours={MONDAY: Decimal(20)})

    back = taken_back([Replacement(before, None)], [since])

    assert (back.replacements, back.edited) == ((), (("m-1", "p-1"),))


def test_what_a_publication_leaves_alone_is_none_of_its_changes() -> None:
    plan = {("m-1", "p-1"): {MONDAY: Decimal(8)}, ("m-2", "p-1"): {MONDAY: Decimal(8)}}
    rows = PublishedRows(tuple(replaced_by(WEEK, "plan-1", plan, [])), (("m-3", "p-1"),))

    found = rows.leaving([("m-1", "p-1"), ("m-4", "p-1")])

    assert [one.member_id for one in changes_of(found.replacements)] == ["m-2"]
    assert found.left == (("m-3", "p-1"), ("m-1", "p-1"), ("m-4", "p-1"))
