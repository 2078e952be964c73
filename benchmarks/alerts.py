"""The seven alert rules over a year of the programme: prism_core/alerts beside the same rules as pandas merges.

Belongs here: the input (a synthetic programme of any multiple of the reference scale) and our contender. Does not
belong here: the peer (peers/alerts_pandas.py) and how contenders are run (harness.py, prepared.py).
Both begin with the rows of each week in memory in their own form and end with the same findings, week by week.
"""

import argparse
import hashlib
import pickle
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.harness import Target, compare, keep
from prism_core.alerts.judging import judge
from prism_core.alerts.snapshot import (
    HISTORY_WEEKS,
    AlertSnapshot,
    MemberState,
    Planned,
    ProjectState,
    RequestState,
    Reviewed,
    TimeOff,
    Worked,
    WorkerState,
    WorkWeek,
)
from prism_core.calendar import Week
from prism_core.capacity.problem import DemandLine
from prism_core.models.people import AvailabilityStatus
from prism_core.models.projects import ProjectStatus, RequestStatus
from prism_core.models.workers import WorkerStatus

MEMBERS, PROJECTS, REQUESTS = 79, 88, 15
WEEKS = 52
FIRST = Week.parse("2025-W01")
# The trend looks back, and the plan ahead, from the first and the last week that are judged.
BEFORE, AFTER = HISTORY_WEEKS + 1, 2
SKILLS = ("image-boxes", "image-masks", "text-spans", "video-events", "audio-transcripts", "ranking")
SECONDS_AT_MOST = 5.0
PREPARED = "benchmarks.prepared"
CONTENDERS = {"prism": "benchmarks.alerts:Rules", "pandas merges": "benchmarks.peers.alerts_pandas:Merges"}


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument(
        "--scales", type=int, nargs="+", default=[1, 10], help="multiples of 79 members, 88 projects"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/alerts*.json")
    options = parser.parse_args(argv)
    results: list[dict[str, Any]] = []
    for scale in options.scales:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            facts = generate(path / "programme.pickle", scale, options.weeks)
            name = "alerts" if scale == 1 else f"alerts_{scale}"
            results.append(
                compare(
                    name,
                    CONTENDERS,
                    path,
                    repeats=options.repeats,
                    save=options.save and scale == 1,
                    facts=facts,
                    probe=PREPARED,
                    targets=_promise if (scale, options.weeks) == (1, WEEKS) else lambda _: (),
                )
            )
    _growth(results, save=options.save)
    return results


def _promise(result: Mapping[str, Any]) -> Sequence[Target]:
    seconds = result["contenders"]["prism"]["seconds"]
    return [Target("s all seven rules over 52 weeks of the reference scale", SECONDS_AT_MOST, seconds)]


def _growth(results: Sequence[dict[str, Any]], *, save: bool) -> None:
    """How the CPU time grows with the rows, which is to be linear; other work on the cores does not count."""
    for one in results[1:]:
        rows = one["rows"] / results[0]["rows"]
        cpu = {
            name: round(figures["cpu_seconds"] / results[0]["contenders"][name]["cpu_seconds"], 2)
            for name, figures in one["contenders"].items()
        }
        print(f"{rows:.1f} times the rows cost " + ", ".join(f"{name} {times}" for name, times in cpu.items()))
        one["growth"] = {"rows": round(rows, 2), "cpu_seconds": cpu}
        if save:
            keep(one["benchmark"], one)


# --- the input ---------------------------------------------------------------------------------------------


def generate(path: Path, scale: int, weeks: int) -> dict[str, Any]:
    """The programme as plain rows, always the same for the same scale."""
    rng = random.Random(2025)
    span = [FIRST + number for number in range(-BEFORE, weeks + AFTER)]
    members = [_member(rng, number) for number in range(MEMBERS * scale)]
    projects = [_project(rng, number, weeks) for number in range(PROJECTS * scale)]
    programme: dict[str, Any] = {
        "judged": [(FIRST + number).label for number in range(weeks)],
        "members": members,
        "projects": projects,
        "requests": [_request(rng, number, projects, weeks) for number in range(REQUESTS * scale)],
        "workers": [(f"w-{number}", rng.choice(("unresolved", "ignored"))) for number in range(3 * scale)],
        "time_off": [],
        "planned": [],
        "worked": [],
        "reviewed": [],
    }
    home = {member[0]: rng.sample([p[0] for p in projects], rng.choice((1, 2, 2, 3))) for member in members}
    for week in span:
        for member in members:
            _week_of(rng, programme, week, member, home[member[0]], scale)
    path.write_bytes(pickle.dumps(programme))
    rows = sum(len(programme[kind]) for kind in ("time_off", "planned", "worked", "reviewed"))
    return {"members": len(members), "projects": len(projects), "weeks": weeks, "rows": rows}


def _member(rng: random.Random, number: int) -> tuple[str, tuple[int, ...], dict[str, int]]:
    """Id, contracted quarter hours by weekday, skills."""
    day_off, quarters = rng.randrange(5), rng.choice((12, 20, 24, 32))
    contract = tuple(quarters if day < 5 and day != day_off else 0 for day in range(7))
    skills = {name: rng.randint(1, 5) for name in rng.sample(SKILLS, rng.randint(2, 4))}
    return f"M-{number:05d}", contract, skills


def _project(rng: random.Random, number: int, weeks: int) -> tuple[str, int, str, date, tuple[str, int]]:
    """Id, demand hours, target, SLA date, needed skill."""
    sla = (FIRST + rng.randint(weeks // 2, weeks + 26)).sunday
    return (
        f"P-{number:05d}",
        rng.randint(8, 40),
        rng.choice(("0.90", "0.95")),
        sla,
        (rng.choice(SKILLS), rng.randint(1, 3)),
    )


def _request(
    rng: random.Random, number: int, projects: Sequence[tuple[Any, ...]], weeks: int
) -> tuple[str, str, date, int, dict[str, int], str, date]:
    """Id, status, due date, hours, skills, project, day of the decision."""
    due = FIRST.monday + timedelta(days=rng.randrange(weeks * 7))
    skill = {rng.choice(SKILLS): rng.randint(1, 5)}
    decided = due - timedelta(days=rng.randint(1, 20))
    status = rng.choice([status.value for status in RequestStatus])
    return f"R-{number:05d}", status, due, rng.choice((5, 40, 4_000)), skill, rng.choice(projects)[0], decided


def _week_of(
    rng: random.Random,
    programme: dict[str, Any],
    week: Week,
    member: tuple[str, tuple[int, ...], dict[str, int]],
    projects: Sequence[str],
    scale: int,
) -> None:
    name, contract, _ = member
    slack = rng.choice((0.3, 0.9, 1.0, 1.0, 1.0))
    for day in week.days:
        quarters = contract[day.weekday()]
        if not quarters:
            continue
        if rng.random() < 0.03:
            status = rng.choice(("approved", "approved", "requested", "declined"))
            programme["time_off"].append((week.label, name, day, rng.choice((quarters, quarters // 2)), status))
            if rng.random() < 0.7:
                continue
        for project in projects:
            share = max(1, quarters // len(projects))
            programme["planned"].append((week.label, name, project, day, share))
            seconds = int(share * 900 * slack * rng.uniform(0.7, 1.0))
            who = f"worker:w-{rng.randrange(4 * scale)}" if rng.random() < 0.01 else name
            programme["worked"].append((week.label, project, who, day, max(1, seconds // 60), seconds))
    for project in projects:
        reviewed = rng.randint(20, 160)
        wrong = min(reviewed, int(reviewed * rng.uniform(0.0, 0.08 + week.monday.month / 80)))
        programme["reviewed"].append((week.label, name, project, reviewed, reviewed - wrong))


# --- ours --------------------------------------------------------------------------------------------------


class Rules:
    """Index every week once, and judge each from its window."""

    share = 1.0

    def __init__(self, path: Path) -> None:
        given = pickle.loads((path / "programme.pickle").read_bytes())  # noqa: S301 - written by this module
        self.judged = [Week.parse(label) for label in given["judged"]]
        self.members = {
            key: MemberState(key, tuple(Decimal(q) / 4 for q in contract), skills)
            for key, contract, skills in given["members"]
        }
        self.asked = {key: Decimal(demand) for key, demand, *_ in given["projects"]}
        self.projects = given["projects"]
        self.requests = tuple(
            RequestState(key, RequestStatus(status), due, Decimal(hours), skills, project, Week.of(decided).start)
            for key, status, due, hours, skills, project, decided in given["requests"]
        )
        self.workers = {key: WorkerState(key, WorkerStatus(status)) for key, status in given["workers"]}
        self.time_off = _by_week(
            (label, TimeOff(member, day, Decimal(quarters) / 4, AvailabilityStatus(status)))
            for label, member, day, quarters, status in given["time_off"]
        )
        self.worked = _by_week((label, Worked(*row)) for label, *row in given["worked"])
        self.reviewed = _by_week((label, Reviewed(*row)) for label, *row in given["reviewed"])
        hours: defaultdict[tuple[str, str, str], dict[date, Decimal]] = defaultdict(dict)
        for label, member, project, day, quarters in given["planned"]:
            hours[label, member, project][day] = Decimal(quarters) / 4
        self.planned = _by_week(
            (label, Planned(member, Week.parse(label), project, days))
            for (label, member, project), days in hours.items()
        )
        self.demand = tuple(
            DemandLine(key, key, Decimal(demand), {skill: level})
            for key, demand, _, _, (skill, level) in given["projects"]
        )

    def __call__(self) -> str:
        work = {week: WorkWeek.of(rows) for week, rows in self.worked.items()}
        return digest(
            f"{week}|{finding.rule}|{finding.subject}|{finding.scope}"
            for week in self.judged
            for judgement in judge(self.snapshot(week, work))
            for finding in judgement.findings
        )

    def snapshot(self, week: Week, work: Mapping[Week, WorkWeek]) -> AlertSnapshot:
        """The week on its Monday morning."""
        ended = week + -1
        past, ahead = ended.window(HISTORY_WEEKS), [week, week + 1, week + 2]
        projects = {
            key: ProjectState(
                key,
                ProjectStatus.ACTIVE,
                Decimal(demand),
                Decimal(target),
                sla,
                dict.fromkeys(past, self.asked[key]),
            )
            for key, demand, target, sla, _ in self.projects
        }
        return AlertSnapshot(
            as_of=week.start + timedelta(hours=7),
            week=week,
            ended=ended,
            members=self.members,
            projects=projects,
            requests=self.requests,
            workers=self.workers,
            time_off={one: self.time_off.get(one, ()) for one in (ended, *ahead)},
            planned={one: self.planned.get(one, ()) for one in (ended, *ahead)},
            demand=dict.fromkeys(ahead, self.demand),
            work={one: work[one] for one in past} | {week: WorkWeek.of(())},
            quality={one: self.reviewed.get(one, ()) for one in past},
        )


def digest(findings: Iterable[str]) -> str:
    """How many there are of each rule, and a hash of all of them."""
    lines = sorted(findings)
    counts: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        counts[line.split("|")[1]] += 1
    whole = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    return f"{dict(sorted(counts.items()))} {whole}"


def _by_week(rows: Iterable[tuple[str, Any]]) -> dict[Week, tuple[Any, ...]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for label, row in rows:
        found[label].append(row)
    return {Week.parse(label): tuple(of_week) for label, of_week in found.items()}


if __name__ == "__main__":
    main()
