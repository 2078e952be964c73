"""Corrections: work counts for somebody else, every task exactly once, and equal to a computation from records."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.corrections import (
    Reassignment,
    Subject,
    corrected_reviews,
    corrected_weeks,
    effect_text,
    members_behind,
    of_effect_text,
)
from prism_core.failures import BadUsage
from prism_core.models.disputes import Correction, FactTable
from prism_core.models.work import QualityReview, ThroughputDay, ThroughputWeek
from prism_core.worker_activity.throughput import ThroughputRow, WeekThroughput, week_throughput
from tests.unit.worker_activity_samples import landed_line

WEEK = Week.parse("2018-W33")
MONDAY, TUESDAY = WEEK.days[:2]
NOW = datetime(2018, 8, 20, tzinfo=UTC)
PEOPLE, PROJECTS = ("ann", "bob", "worker:pool#x"), ("birds", "cars", "job:orphan")


def correction(correction_id: str = "C-1", at: datetime = NOW, **fields: Any) -> Correction:
    base = {"week": WEEK, "correction_id": correction_id, "reason": "r", "created": at, "created_by": "lead"}
    return Correction.model_validate(base | fields)


def week_row(member: str, project: str = "birds", **days: ThroughputDay) -> ThroughputWeek:
    return ThroughputWeek(
        project_id=project,
        week=WEEK,
        member_id=member,
        days=tuple(sorted(days.values(), key=lambda entry: entry.day)),
        worker_resolved=not member.startswith("worker:"),
        project_resolved=not project.startswith("job:"),
    )


def did(day: date, tasks: int, seconds: int = 60, **more: Any) -> ThroughputDay:
    return ThroughputDay(day=day, tasks_submitted=tasks, wall_seconds=tasks * seconds, **more)


def tasks_of(rows: Iterable[ThroughputWeek]) -> dict[tuple[str, str], int]:
    return {(row.member_id, row.project_id): row.tasks_submitted for row in rows}


def test_the_work_of_a_day_moves_and_the_other_days_stay() -> None:
    rows = [week_row("ann", a=did(MONDAY, 5), b=did(TUESDAY, 3))]

    after = corrected_weeks(rows, [correction(from_member="ann", to_member="bob", days=(TUESDAY,))])

    assert tasks_of(after.rows) == {("ann", "birds"): 5, ("bob", "birds"): 3}
    assert (after.tasks, after.idle) == ({"C-1": 3}, ())


def test_two_people_who_swapped_accounts_are_swapped_back_by_one_call() -> None:
    rows = [week_row("ann", a=did(MONDAY, 5)), week_row("bob", a=did(MONDAY, 3))]
    there = correction("C-1", from_member="ann", to_member="bob")
    back = correction("C-2", from_member="bob", to_member="ann")

    after = corrected_weeks(rows, [there, back])

    assert tasks_of(after.rows) == {("ann", "birds"): 3, ("bob", "birds"): 5}


def test_a_later_correction_sees_what_an_earlier_one_left() -> None:
    rows = [week_row("ann", a=did(MONDAY, 5))]
    first = correction("C-2", from_member="ann", to_member="bob")
    second = correction("C-1", NOW + timedelta(hours=1), from_member="bob", to_member="cleo")

    after = corrected_weeks(rows, [second, first])

    assert tasks_of(after.rows) == {("cleo", "birds"): 5}
    assert after.tasks == {"C-1": 5, "C-2": 5}


def test_the_most_specific_correction_of_one_call_wins() -> None:
    rows = [week_row("ann", "birds", a=did(MONDAY, 5)), week_row("ann", "cars", a=did(MONDAY, 3))]
    everything = correction("C-1", from_member="ann", to_member="bob")
    birds = correction("C-2", from_member="ann", from_project="birds", to_member="cleo")

    after = corrected_weeks(rows, [everything, birds])

    assert tasks_of(after.rows) == {("cleo", "birds"): 5, ("bob", "cars"): 3}


def test_a_correction_that_finds_nothing_is_named() -> None:
    after = corrected_weeks([week_row("ann", a=did(MONDAY, 5))], [correction(from_member="cleo", to_member="bob")])

    assert (after.tasks, after.idle) == ({}, ("C-1",))


def test_work_that_joins_other_work_adds_up_and_has_no_median_of_its_own() -> None:
    rows = [
        week_row("ann", a=did(MONDAY, 1, 10, median_handle_seconds=10, active_seconds=7)),
        week_row("bob", a=did(MONDAY, 2, 60, median_handle_seconds=60)),
    ]

    (row,) = corrected_weeks(rows, [correction(from_member="ann", to_member="bob")]).rows

    (day,) = row.days
    assert (day.tasks_submitted, day.wall_seconds, day.active_seconds) == (3, 130, 7)
    assert day.median_handle_seconds is None
    assert (str(day.mean_handle_seconds), str(day.tasks_per_hour)) == ("43.3333", "83.0769")


def test_work_of_an_unresolved_worker_is_resolved_once_it_is_given_to_a_member() -> None:
    subject = Subject("job:orphan", "worker:x", project_resolved=False, worker_resolved=False)

    moved = Reassignment([correction(from_member="worker:x", to_member="bob")]).apply(subject, MONDAY)

    assert moved.subject == Subject("job:orphan", "bob", project_resolved=False, worker_resolved=True)


def test_corrections_of_two_weeks_are_refused() -> None:
    other = correction("C-2", from_member="ann", to_member="bob").model_copy(update={"week": WEEK + 1})

    with pytest.raises(BadUsage, match="week by week, not to 2018-W33, 2018-W34"):
        Reassignment([correction(from_member="ann", to_member="bob"), other])


REVIEW = QualityReview(
    member_id="ann",
    week=WEEK,
    project_id="birds",
    review_id="Q-1",
    category="raw-1",
    reviewed=10,
    correct=9,
    reviewer="lead",
    reviewed_at=NOW,
)


def test_a_review_moves_with_all_its_pieces_and_only_the_one_that_is_named() -> None:
    reviews = (REVIEW, REVIEW.model_copy(update={"review_id": "Q-2", "correct": 4}))
    moving = correction(table="quality", from_member="ann", to_member="bob", review_id="Q-2")

    after = corrected_reviews(reviews, [moving, correction("C-2", from_member="ann", to_member="cleo")])

    assert [(one.review.review_id, one.review.member_id, one.review.correct, one.by) for one in after] == [
        ("Q-1", "ann", 9, ()),
        ("Q-2", "bob", 4, (moving.correction_id,)),
    ]


def test_what_a_correction_does_survives_its_short_form_without_its_words() -> None:
    moving = correction(table="quality", from_member="ann", to_member="bob", review_id="Q-2")

    again = of_effect_text(effect_text(moving))

    assert effect_text(again) == effect_text(moving)
    assert "reason" not in effect_text(moving)
    assert corrected_reviews([REVIEW], [again]) == corrected_reviews([REVIEW], [moving])


# --- properties ---


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def many_corrections(draw: st.DrawFn) -> list[Correction]:
    found: list[Correction] = []
    for number in range(draw(st.integers(0, 5))):
        fields = {
            "from_member": draw(optional(st.sampled_from(PEOPLE))),
            "from_project": draw(optional(st.sampled_from(PROJECTS))),
            "to_member": draw(optional(st.sampled_from(["ann", "bob", "cleo"]))),
            "to_project": draw(optional(st.sampled_from(["birds", "cars", "dogs"]))),
            "days": tuple(sorted(draw(st.sets(st.sampled_from(WEEK.days), max_size=2)))),
        }
        try:
            found.append(correction(f"C-{number}", NOW + timedelta(hours=draw(st.integers(0, 2))), **fields))
        except ValueError:  # nothing named, or nothing changed
            continue
    return found


def _line(sub: str, job: str, second: int, seconds: int, event: str) -> bytes:
    stamp = datetime(2018, 8, 13, tzinfo=UTC) + timedelta(seconds=second)
    form = "%a %b %d %H:%M:%S UTC %Y"
    times: dict[str, Any] = {f"task_{name}_time": "" for name in ("submitted", "returned", "declined")}
    times[f"task_{event.lower()}_time"] = f"{stamp:{form}}"
    return landed_line(
        f"{sub} {job} {second} {seconds} {event}",
        **times,
        cognito_sub_id=sub,
        labeling_job_arn=f"arn:x:labeling-job/{job}",
        task_accepted_time=f"{stamp - timedelta(seconds=seconds):{form}}",
        event_type=f"Tasks{event}",
        event_timestamp=str(int(stamp.timestamp())),
    )


lines = st.lists(
    st.builds(
        _line,
        sub=st.sampled_from(["ann", "bob", "x"]),
        job=st.sampled_from(["birds", "cars", "orphan"]),
        second=st.integers(600, 7 * 86_400 - 1),
        seconds=st.integers(0, 600),
        event=st.sampled_from(["Submitted", "Submitted", "Returned", "Declined"]),
    ),
    max_size=25,
)


def _week(chunks: list[bytes], corrections: list[Correction]) -> WeekThroughput:
    return week_throughput(
        WEEK,
        chunks,
        lambda key, _: None if key.endswith("#x") else key.rpartition("#")[2],
        lambda job, _: None if job == "orphan" else job,
        corrections=Reassignment(corrections),
    )


def _per_day(rows: Iterable[ThroughputRow]) -> Counter[date]:
    tasks = Counter[date]()
    for row in rows:
        tasks[row.day] += row.tasks
    return tasks


@settings(deadline=None)
@given(chunks=lines, corrections=many_corrections())
def test_every_task_of_every_day_counts_exactly_once_whatever_is_corrected(
    chunks: list[bytes], corrections: list[Correction]
) -> None:
    plain, corrected = _week(chunks, []), _week(chunks, corrections)

    assert corrected.conserved
    assert corrected.counts.invalid_lines == 0
    assert _per_day(corrected.rows) == _per_day(plain.rows)
    assert sum(row.wall_seconds for row in corrected.rows) == sum(row.wall_seconds for row in plain.rows)
    assert set(corrected.counts.by_correction) == {one.correction_id for one in corrections}


def _items(result: WeekThroughput) -> list[ThroughputWeek]:
    of: dict[tuple[str, str], list[ThroughputRow]] = {}
    for row in result.rows:
        of.setdefault((row.project_id, row.member_id), []).append(row)
    return [
        week_row(
            member,
            project,
            **{
                str(row.day): ThroughputDay.model_validate(
                    {n: getattr(row, n) for n in ThroughputDay.model_fields if getattr(row, n) is not None}
                )
                for row in rows
            },
        )
        for (project, member), rows in of.items()
    ]


@settings(deadline=None)
@given(chunks=lines, corrections=many_corrections())
def test_the_preview_says_what_the_recomputation_will_find(
    chunks: list[bytes], corrections: list[Correction]
) -> None:
    preview = corrected_weeks(_items(_week(chunks, [])), corrections)
    computed = _week(chunks, corrections)

    def shown(rows: Iterable[ThroughputWeek]) -> dict[Any, Any]:
        counted = ("tasks_submitted", "tasks_returned", "tasks_declined", "wall_seconds")
        return {
            (row.project_id, row.member_id, day.day): tuple(getattr(day, name) for name in counted)
            for row in rows
            for day in row.days
        }

    assert shown(preview.rows) == shown(_items(computed))
    assert preview.tasks == {key: moved for key, moved in computed.counts.by_correction.items() if moved}


@given(corrections=many_corrections(), member=st.sampled_from(["ann", "bob", "cleo"]))
def test_the_reviews_that_count_for_a_member_are_found_without_reading_everybodys(
    corrections: list[Correction], member: str
) -> None:
    these = [one.model_copy(update={"table": FactTable.QUALITY, "days": ()}) for one in corrections]
    places = [(who, project) for who in (*PEOPLE, "cleo") for project in PROJECTS]
    everybodys = [
        REVIEW.model_copy(update={"member_id": who, "project_id": project, "review_id": f"Q-{number}"})
        for number, (who, project) in enumerate(places)
    ]

    behind = members_behind(member, these, FactTable.QUALITY)

    def of_member(reviews: list[QualityReview]) -> list[QualityReview]:
        return [one.review for one in corrected_reviews(reviews, these) if one.review.member_id == member]

    read = [one for one in everybodys if behind is None or one.member_id in behind]
    assert of_member(read) == of_member(everybodys)
