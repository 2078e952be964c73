"""Everything that is wrong with a week to plan is named, with what to do, and nothing is dropped in silence."""

from collections.abc import Iterator, ValuesView
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from prism_core.capacity.checking import BadProblem, check
from prism_core.capacity.problem import Exclusion, Level, Pin, PlanProblem, PlanProject, Weights
from prism_core.capacity.remarks import worth_knowing
from prism_core.capacity.solve import solve
from tests.unit.capacity_weeks import MON, SUN, TUE, WED, WEEK, line, member

SOUND = PlanProblem(
    WEEK,
    [member("ana", 8, 8, off={WED: Decimal(8)}, skills={"video": 2}), member("ben", 8, 8)],
    [PlanProject("maps"), PlanProject("roads")],
    [line("maps", 10), line("roads", 6, skills={"video": 1})],
)
NAN, MINUS = Decimal("NaN"), Decimal(-1)


def pinned(*pins: Pin) -> PlanProblem:
    return replace(SOUND, pins=pins)


BAD = {
    "a weight that is no number": (
        replace(SOUND, weights=Weights(continuity=NAN)),
        "weight continuity: NaN is no number; give points per hour from 0 to 10000",
    ),
    "a negative weight": (replace(SOUND, weights=Weights(fairness=MINUS)), "weight fairness: -1 is negative"),
    "an infinite weight": (
        replace(SOUND, weights=Weights(overtime=Decimal("Infinity"))),
        "weight overtime: Infinity is no number",
    ),
    "a priority without a value": (
        replace(SOUND, weights=Weights(priority=(Decimal(1),))),
        "weight priority: has 1 values; give one for each priority from 1 to 5",
    ),
    "a weight of a priority that is no number": (
        replace(SOUND, weights=Weights(priority=(Decimal(1), NAN, Decimal(1), Decimal(1), Decimal(1)))),
        "weight priority[2]: NaN is no number",
    ),
    "a weight that is a float": (
        replace(SOUND, weights=Weights(quality=float("nan"))),  # type: ignore[arg-type]
        "weight quality: nan is no Decimal; give points per hour from 0 to 10000",
    ),
    "negative demand": (replace(SOUND, lines=[line("maps", -3)]), "demand line D-maps: demand: -3 is negative"),
    "no demand": (replace(SOUND, lines=[line("maps", 0)]), "demand line D-maps: asks for no hours"),
    "demand that is no number": (replace(SOUND, lines=[line("maps", "NaN")]), "demand line D-maps: demand: NaN"),
    "demand of an unknown project": (
        replace(SOUND, lines=[line("seas", 3)]),
        "demand line D-seas: is for project seas, which is not in the problem",
    ),
    "demand that ended": (
        replace(SOUND, lines=[line("maps", 3, until=MON - timedelta(days=1))]),
        "demand line D-maps: ended on 2026-11-22, before 2026-W48; leave the day out if it is still wanted",
    ),
    "a line that ends inside a week without days": (
        replace(SOUND, lines=[line("maps", 3, until=MON)], level=Level.WEEK),
        "demand line D-maps: ends on 2026-11-23, inside the week: days matter; choose level auto or day",
    ),
    "a line given twice": (
        replace(SOUND, lines=[line("maps", 1), line("maps", 2)]),
        "demand line D-maps: is in the problem 2 times; give it once",
    ),
    "negative hours of a member": (
        replace(SOUND, members=[member("ana", -8)]),
        "member ana: 2026-11-23: -8 is negative; a day has 0 to 24 hours",
    ),
    "a day of 25 hours": (replace(SOUND, members=[member("ana", 25)]), "member ana: 2026-11-23: 25 is above 24"),
    "hours of three places": (
        replace(SOUND, members=[replace(member("ana", 8), hours={MON: Decimal("0.125")})]),
        "member ana: 2026-11-23: 0.125 has more than two places",
    ),
    "hours of another week": (
        replace(SOUND, members=[replace(member("ana", 8), hours={SUN + timedelta(days=1): Decimal(8)})]),
        "member ana: 2026-11-30 lies outside 2026-W48 (2026-11-23 to 2026-11-29)",
    ),
    "negative overtime": (
        replace(SOUND, members=[member("ana", 8, overtime_hours=MINUS)]),
        "member ana: overtime: -1 is negative",
    ),
    "overtime of more than a day": (
        replace(SOUND, overtime_hours_a_day=Decimal(25)),
        "overtime a day: 25 is above 24; give hours from 0 to 24",
    ),
    "no projects at all": (
        replace(SOUND, members=[member("ana", 8, max_projects=0)]),
        "member ana: may have 0 projects; give at least 1",
    ),
    "a member given twice": (
        replace(SOUND, members=[member("ana", 8), member("ana", 4)]),
        "member ana: is in the problem 2 times",
    ),
    "a priority that does not exist": (
        replace(SOUND, projects=[PlanProject("maps", 6), PlanProject("roads")]),
        "project maps: priority 6 does not exist; give 1 (most urgent) to 5",
    ),
    "fewer people allowed than needed": (
        replace(SOUND, projects=[PlanProject("maps", min_people=3, max_people=2), PlanProject("roads")]),
        "project maps: allows 2 people and needs 3; raise the one or lower the other",
    ),
    "a quality target above everything": (
        replace(SOUND, projects=[PlanProject("maps", quality_target=Decimal("95")), PlanProject("roads")]),
        "project maps: quality target: 95 is above 1; give a share from 0 to 1",
    ),
    "a negative block": (
        replace(SOUND, projects=[PlanProject("maps", min_block_hours=MINUS), PlanProject("roads")]),
        "project maps: shortest block: -1 is negative",
    ),
    "a score that is no number": (
        replace(SOUND, quality={("ana", "maps"): NAN}),
        "member ana: quality on maps: NaN is no number; give a share from 0 to 1",
    ),
    "negative hours of last week": (
        replace(SOUND, previous={("ana", "maps"): MINUS}),
        "member ana: last week's hours on maps: -1 is negative",
    ),
    "a move budget that is no number": (
        replace(SOUND, move_budget_hours=NAN),
        "move budget: NaN is no number; give hours, or none for the fewest moves",
    ),
    "an exclusion of nobody": (
        replace(SOUND, exclusions=[Exclusion("eve", "maps")]),
        "exclusion eve from maps: member eve not in the problem; remove it or add who it names",
    ),
    "a pin of nobody on nothing": (
        pinned(Pin("eve", "seas", Decimal(2))),
        "pin eve on seas: member eve and project seas not in the problem",
    ),
    "a pin of no hours": (
        pinned(Pin("ana", "maps", Decimal(0))),
        "pin ana on maps: pins no hours; exclude the member from the project instead",
    ),
    "a pin of negative hours": (pinned(Pin("ana", "maps", MINUS)), "pin ana on maps: -1 is negative"),
    "a pin given twice": (
        pinned(Pin("ana", "maps", Decimal(2)), Pin("ana", "maps", Decimal(3))),
        "pin ana on maps: is given 2 times; give one with all its hours",
    ),
    "a pin against an exclusion": (
        replace(pinned(Pin("ana", "maps", Decimal(2))), exclusions=[Exclusion("ana", "maps")]),
        "pin ana on maps: the same member is excluded from the project; take one of the two away",
    ),
    "a pin on time off": (
        pinned(Pin("ana", "maps", Decimal(2), {WED: Decimal(2)})),
        "pin ana on maps: 2 hours on Wednesday 2026-11-25, when ana has 8 hours off; move or remove them",
    ),
    "a pin on a day off": (
        pinned(Pin("ana", "maps", Decimal(2), {SUN: Decimal(2)})),
        "pin ana on maps: 2 hours on Sunday 2026-11-29, when ana has a day off",
    ),
    "days of a pin that are not its hours": (
        pinned(Pin("ana", "maps", Decimal(5), {MON: Decimal(2), TUE: Decimal(2)})),
        "pin ana on maps: its days have 4.00 hours, the pin has 5; make them agree",
    ),
    "a pin beyond a day": (
        pinned(Pin("ana", "maps", Decimal(9), {MON: Decimal(9)})),
        "pins of ana: 9 hours on Monday 2026-11-23, when they have 8; pin fewer",
    ),
    "two pins beyond the hours of the week": (
        pinned(Pin("ana", "maps", Decimal(10)), Pin("ana", "roads", Decimal(8))),
        "pins of ana: 18.00 hours (10 on maps, 8 on roads) exceed the 16.00 that they have this week; pin fewer",
    ),
    "pins of more projects than a member may have": (
        replace(
            pinned(Pin("ana", "maps", Decimal(2)), Pin("ana", "roads", Decimal(2))),
            members=[member("ana", 8, 8, max_projects=1)],
        ),
        "pins of ana: 2 projects, at most 1 allowed; pin fewer",
    ),
    "pins of more people than a project may have": (
        replace(
            pinned(Pin("ana", "maps", Decimal(2)), Pin("ben", "maps", Decimal(2))),
            projects=[PlanProject("maps", max_people=1), PlanProject("roads")],
        ),
        "pins on maps: 2 people, at most 1 allowed; pin fewer",
    ),
}
TOLD = {
    "a skill that nobody has": (
        replace(SOUND, lines=[line("maps", 3, skills={"welsh": 1})]),
        "demand line D-maps: nobody has welsh; its 3 hours stay open but for pins",
    ),
    "a level that nobody has": (
        replace(SOUND, lines=[line("maps", 3, skills={"video": 3})]),
        "demand line D-maps: nobody has video at level 3; its 3 hours stay open but for pins",
    ),
    "a pin beyond the demand": (
        replace(pinned(Pin("ana", "maps", Decimal(4))), lines=[line("maps", 3)]),
        "pins on maps: 1.00 hours beyond the demand of 3.00; they earn nothing",
    ),
    "a pin on a project without demand": (
        replace(pinned(Pin("ana", "maps", Decimal(4))), lines=[]),
        "pins on maps: 4.00 hours beyond the demand of 0.00; they earn nothing",
    ),
    "a pin after the days of the demand": (
        replace(pinned(Pin("ana", "maps", Decimal(3), {TUE: Decimal(3)})), lines=[line("maps", 3, until=MON)]),
        "pins on maps: 3.00 hours beyond the demand of 3.00 or the days on which it ends; they earn nothing",
    ),
    "a project that wants more people than there are": (
        replace(
            SOUND,
            projects=[PlanProject("maps"), PlanProject("roads", min_people=2)],
            members=[*SOUND.members, member("cem", skills={"video": 3})],
        ),
        "project roads: wants 2 people at once, 1 can work on it; its 6.00 hours stay open",
    ),
    "nobody at all": (replace(SOUND, members=[]), "the week: has no members; all demand stays open"),
    "a pin without the skills": (
        pinned(Pin("ben", "roads", Decimal(4))),
        "pin ben on roads: they lack the skills of every line; the hours count all the same",
    ),
    "a pin below the block": (
        replace(
            pinned(Pin("ana", "maps", Decimal(1), {MON: Decimal(1)})),
            projects=[PlanProject("maps", min_block_hours=Decimal(2)), PlanProject("roads")],
        ),
        "pin ana on maps: a day has fewer hours than the shortest block of 2; it is kept all the same",
    ),
}


def test_a_sound_week_has_no_findings() -> None:
    assert check(SOUND) == []


@pytest.mark.parametrize(("problem", "words"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_named_and_no_plan_is_made(problem: PlanProblem, words: str) -> None:
    with pytest.raises(BadProblem) as raised:
        solve(problem)

    assert any(words in str(finding) for finding in raised.value.findings)
    assert all(finding.is_error for finding in raised.value.findings)


@pytest.mark.parametrize(("problem", "words"), TOLD.values(), ids=TOLD)
def test_what_is_worth_knowing_is_told_beside_the_plan(problem: PlanProblem, words: str) -> None:
    assert words in solve(problem).notes


def test_a_pin_that_meets_lines_on_their_days_is_within_the_demand() -> None:
    early = Pin("ana", "maps", Decimal(6), {MON: Decimal(2), TUE: Decimal(4)})
    lines = [line("maps", 2, "first", until=MON), line("maps", 3), line("maps", 1, "last", until=TUE)]

    assert check(replace(pinned(early), lines=lines)) == []


def test_every_mistake_is_told_at_once() -> None:
    problem = replace(
        SOUND,
        weights=Weights(quality=NAN),
        lines=[line("maps", -3)],
        pins=[Pin("eve", "maps", Decimal(2))],
    )

    assert [finding.subject for finding in check(problem)] == [
        "weight quality",
        "demand line D-maps",
        "pin eve on maps",
    ]


def test_overtime_makes_room_for_a_pin() -> None:
    pin = Pin("ana", "maps", Decimal(9), {MON: Decimal(9)})
    problem = replace(
        pinned(pin), members=[member("ana", 8, 8, overtime_hours=Decimal(1))], lines=[line("maps", 9)]
    )

    assert check(problem) == []


class Read:
    """How often a part of a problem was read."""

    def __init__(self) -> None:
        self.times = 0


class CountedPins(tuple[Pin, ...]):
    """Pins that count how often one of them is read."""

    read: Read

    def __iter__(self) -> Iterator[Pin]:
        for pin in super().__iter__():
            self.read.times += 1
            yield pin


class CountedHours(dict[date, Decimal]):
    """Hours of a member that count how often they are read."""

    read: Read

    def values(self) -> ValuesView[Decimal]:
        self.read.times += 1
        return super().values()


def many(size: int) -> tuple[PlanProblem, Read]:
    """As many members as projects: half of them wait for two people, half have a pin beyond their demand."""
    read = Read()
    members = [member(f"m{number}", 8) for number in range(size)]
    for number, one in enumerate(members):
        hours = CountedHours(one.hours)
        hours.read = read
        members[number] = replace(one, hours=hours, skills={"video": 1 + number % 2})
    projects = [PlanProject(f"p{number}", min_people=number % 2 * 2) for number in range(size)]
    pins = CountedPins(Pin(f"m{number}", f"p{number}", Decimal(2)) for number in range(0, size, 2))
    pins.read = read
    lines = [line(one.project_id, 1, skills={"video": 1}) for one in projects]
    return PlanProblem(WEEK, members, projects, lines, pins), read


def test_what_is_worth_knowing_costs_no_more_per_project_when_there_are_more() -> None:
    costs: dict[int, int] = {}
    for size in (20, 200):
        problem, read = many(size)
        assert len(worth_knowing(problem)) == size / 2
        costs[size] = read.times

    assert costs[200] <= 10 * costs[20]
