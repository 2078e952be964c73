"""The seven alert rules as an analyst writes them with pandas: one frame a table, merged and grouped week by week.

Belongs here: the peer of benchmarks/alerts.py. Does not belong here: evidence and titles, so that its
figure is a lower bound. It finds what the rules of prism_core/alerts find, in floats.
"""

import pickle
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.alerts import digest
from prism_core.alerts.snapshot import HISTORY_WEEKS
from prism_core.calendar import Week

Z, Z2 = 1.959964, 1.959964**2
T_90: Final = {1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015, 6: 1.943}
EPSILON = 1e-9


class Merges:
    """Frames by table in memory, and the rows of each week by label."""

    share = 1.0

    def __init__(self, path: Path) -> None:
        given = pickle.loads((path / "programme.pickle").read_bytes())  # noqa: S301 - written by the benchmark
        self.judged = [Week.parse(label) for label in given["judged"]]
        self.contracts = pd.DataFrame(
            [(key, day, contract[day] / 4) for key, contract, _ in given["members"] for day in range(7)],
            columns=["member", "weekday", "contracted"],
        )
        self.skills = pd.DataFrame(
            [(key, name, level) for key, _, skills in given["members"] for name, level in skills.items()],
            columns=["member", "skill", "level"],
        )
        self.projects = pd.DataFrame(
            [
                (key, float(demand), float(target), sla, *skill)
                for key, demand, target, sla, skill in given["projects"]
            ],
            columns=["project", "demand", "target", "sla", "skill", "level"],
        )
        self.requests = pd.DataFrame(
            [
                (key, status, due, float(hours), *next(iter(skills.items())), project, Week.of(decided).monday)
                for key, status, due, hours, skills, project, decided in given["requests"]
            ],
            columns=["request", "status", "due", "hours", "skill", "level", "project", "decided"],
        )
        self.workers = pd.DataFrame(given["workers"], columns=["key", "status"])
        self.time_off = _weeks(given["time_off"], ["week", "member", "day", "off", "status"], quarters="off")
        self.planned = _weeks(given["planned"], ["week", "member", "project", "day", "hours"], quarters="hours")
        self.worked = _weeks(given["worked"], ["week", "project", "member", "day", "tasks", "seconds"])
        self.reviewed = _weeks(given["reviewed"], ["week", "member", "project", "reviewed", "correct"])
        self.off: dict[Week, pd.DataFrame] = {}
        self.away: dict[Week, pd.DataFrame] = {}
        self.able: dict[tuple[tuple[Any, Any], ...], tuple[Any, list[float]]] = {}

    def __call__(self) -> str:
        return digest(f"{week}|{line}" for week in self.judged for line in self.of_week(week))

    def of_week(self, week: Week) -> Iterator[str]:
        ended = week + -1
        work = pd.concat([self.worked[one.label].assign(week=one - ended) for one in ended.window(HISTORY_WEEKS)])
        work["hours"] = work["seconds"] / 3600
        yield from self.ooto(week)
        yield from self.quality(ended)
        yield from self.shrinkage(ended, work[work["week"] == 0])
        yield from self.unresolved(work)
        yield from self.late(week, work)
        yield from self.capacity(week)
        yield from self.sla(week, ended, work)

    def off_of(self, week: Week) -> pd.DataFrame:
        if week not in self.off:
            self.off[week] = self._off_of(week)
        return self.off[week]

    def _off_of(self, week: Week) -> pd.DataFrame:
        off = self.time_off.get(week.label)
        if off is None:
            return pd.DataFrame(columns=["member", "day", "off", "status", "contracted", "left"])
        off = off[off["status"].isin(["approved", "requested"]) & (off["off"] > 0)].copy()
        off["weekday"] = [day.weekday() for day in off["day"]]
        off = off.merge(self.contracts, on=["member", "weekday"], how="left").fillna({"contracted": 0.0})
        off["left"] = (off["contracted"] - off["off"]).clip(lower=0)
        return off

    def collisions(self, week: Week) -> pd.DataFrame:
        """Planned hours by member and day with hours off, and how many of them collide."""
        total = self.planned[week.label].groupby(["member", "day"], as_index=False)["hours"].sum()
        found = total.merge(self.off_of(week), on=["member", "day"])
        found["collision"] = (found["hours"] - found["left"]).clip(lower=0)
        return found

    def ooto(self, week: Week) -> Iterator[str]:
        for number in range(3):
            found = self.collisions(week + number)
            for row in found[found["collision"] > EPSILON].itertuples():
                yield f"ooto_conflict|availability/{row.member}/{row.day}|{row.day}"

    def quality(self, ended: Week) -> Iterator[str]:
        reviews = pd.concat([self.reviewed[one.label].assign(week=one - ended) for one in ended.window(4)])
        reviews = reviews.merge(self.projects[["project", "target"]], on="project")
        for keys in (["project"], ["member", "project"]):
            weekly = reviews.groupby([*keys, "week"], as_index=False).agg(
                reviewed=("reviewed", "sum"), correct=("correct", "sum"), target=("target", "first")
            )
            yield from self._falling(weekly, keys)

    def _falling(self, weekly: pd.DataFrame, keys: list[str]) -> Iterator[str]:
        last = weekly[weekly["week"] == 0].copy()
        n, share = last["reviewed"], last["correct"] / last["reviewed"]
        reach = Z / (1 + Z2 / n) * np.sqrt(share * (1 - share) / n + Z2 / (4 * n * n))
        last["high"] = np.where(share == 1, 1.0, ((share + Z2 / (2 * n)) / (1 + Z2 / n) + reach).round(4))
        suspects = last[(last["high"] < last["target"] - EPSILON) & (n >= 50)][keys]
        rows = weekly.merge(suspects, on=keys)
        rows["pw"] = rows["reviewed"] * rows["week"]
        sums = rows.groupby(keys).agg(
            weeks=("week", "size"), pieces=("reviewed", "sum"), correct_sum=("correct", "sum"), pw=("pw", "sum")
        )
        rows = rows.merge(sums.drop(columns="weeks").reset_index(), on=keys, suffixes=("", "_all"))
        rows["level"] = rows["correct_sum"] / rows["pieces"]
        rows["at"] = rows["week"] - rows["pw_all"] / rows["pieces"]
        rows["run"] = rows["reviewed"] * rows["at"] ** 2
        rows["rise"] = rows["at"] * (rows["correct"] - rows["reviewed"] * rows["level"])
        per = rows.groupby(keys).agg(run=("run", "sum"), rise=("rise", "sum"), level=("level", "first"))
        per["slope"] = per["rise"] / per["run"]
        rows = rows.merge(per[["slope"]].reset_index(), on=keys)
        line = rows["reviewed"] * (rows["level"] + rows["slope"] * rows["at"])
        rows["spread"] = (rows["correct"] - line) ** 2 / rows["reviewed"]
        per["spread"] = rows.groupby(keys)["spread"].sum()
        noise, weeks = per["level"] * (1 - per["level"]), sums["weeks"]
        enough = (weeks >= 3) & (noise > 0) & (per["run"] > 0)
        per, noise, weeks = per[enough], noise[enough], weeks[enough]
        widened = np.maximum(1, per["spread"] / noise / (weeks - 2))
        z = per["slope"] / np.sqrt(noise * widened / per["run"])
        for key in per.index[z <= -1.645]:
            member, project = (None, key) if len(keys) == 1 else key
            about = f"projects/{project}|" if member is None else f"members/{member}|{project}"
            yield f"quality_degradation|{about}"

    def shrinkage(self, ended: Week, work: pd.DataFrame) -> Iterator[str]:
        planned = self.planned[ended.label]
        days = set(work.loc[work["hours"] > 0, "day"])
        people = planned[~planned["day"].isin(days)].groupby("day")["member"].nunique()
        blank = set(people.index[people >= 3])
        planned = planned[~planned["day"].isin(blank)]
        excused = self.collisions(ended)
        excused = excused.loc[excused["status"] == "approved", ["member", "day", "hours", "collision"]]
        rows = planned.merge(excused, on=["member", "day"], how="left", suffixes=("", "_day"))
        kept = 1 - (rows["collision"] / rows["hours_day"]).fillna(0)
        rows["expected"] = rows["hours"] * kept
        expected = rows.groupby("member")["expected"].sum()
        worked = work[~work["day"].isin(blank)].groupby("member")["hours"].sum()
        open_rows = work[work["member"].str.startswith("worker:")]
        open_hours = open_rows.groupby("project")["hours"].sum().rename("open")
        mine = rows[["member", "project"]].drop_duplicates().merge(open_hours, left_on="project", right_index=True)
        perhaps = mine.groupby("member")["open"].sum()
        excess = expected * 0.7 - worked.reindex(expected.index, fill_value=0.0)
        certain = excess - perhaps.reindex(expected.index, fill_value=0.0)
        for member in expected.index[(expected >= 8 - EPSILON) & (excess > EPSILON) & (certain > EPSILON)]:
            yield f"shrinkage_risk|members/{member}|{ended}"

    def unresolved(self, work: pd.DataFrame) -> Iterator[str]:
        rows = work[work["member"].str.startswith("worker:") & (work["tasks"] > 0)]
        keys = pd.DataFrame({"key": rows["member"].str.removeprefix("worker:").unique()})
        found = keys.merge(self.workers, on="key", how="left")
        for key in found.loc[found["status"].isna() | (found["status"] == "unresolved"), "key"]:
            yield f"unresolved_worker|workers/{key}|"

    def late(self, week: Week, work: pd.DataFrame) -> Iterator[str]:
        today = week.monday
        waiting = self.requests[self.requests["status"].isin(["submitted", "triaged", "approved"])]
        overdue = waiting["due"] < today
        for row in waiting[overdue].itertuples():
            yield f"late_request|requests/{row.request}|{row.due}"
        rows: Any = waiting[~overdue].itertuples()
        for row in rows:
            left = row.hours
            if (row.due - today).days > 92:
                continue
            if row.status == "approved":
                if not -HISTORY_WEEKS <= Week.of(row.decided) - week <= 0:
                    continue  # the weeks since then were not all read
                left -= work.loc[(work["project"] == row.project) & (work["day"] >= row.decided), "hours"].sum()
            days = [today + timedelta(days=n) for n in range((row.due - today).days + 1)]
            if left > self.supply({row.skill: row.level}, days, week) + EPSILON:
                yield f"late_request|requests/{row.request}|{row.due}"

    def supply(self, skills: dict[Any, Any], days: list[Any], week: Week) -> float:
        members, by_weekday = self.eligible(tuple(skills.items()))
        total = float(sum(by_weekday[day.weekday()] for day in days))
        off = self.approved(week)
        off = off[off["day"].isin(days) & off["member"].isin(members)]
        return total - float((off["contracted"] - off["left"]).sum())

    def eligible(self, needs: tuple[tuple[Any, Any], ...]) -> tuple[Any, list[float]]:
        """Who has the skills, and their hours by weekday: the same all year, so computed once."""
        if needs not in self.able:
            rows = self.contracts
            for skill, level in needs:
                able = self.skills[(self.skills["skill"] == skill) & (self.skills["level"] >= level)]
                rows = rows[rows["member"].isin(able["member"])]
            hours = rows.groupby("weekday")["contracted"].sum().reindex(range(7), fill_value=0.0)
            self.able[needs] = set(rows["member"]), hours.tolist()
        return self.able[needs]

    def approved(self, week: Week) -> pd.DataFrame:
        """Approved time off of a week and the two after it."""
        if week not in self.away:
            off = pd.concat([self.off_of(week + number) for number in range(3)])
            self.away[week] = off[off["status"] == "approved"]
        return self.away[week]

    def capacity(self, week: Week) -> Iterator[str]:
        for ahead in (week + 1, week + 2):
            days = list(ahead.days)
            demand = self.projects["demand"].sum()
            if demand - self.supply({}, days, ahead) > max(8, 0.05 * demand) + EPSILON:
                yield f"capacity_risk|capacity|{ahead}"
            for skill, lines in self.projects.groupby("skill"):
                short = [
                    (need - self.supply({skill: level}, days, ahead), need)
                    for level in sorted(lines["level"].unique())
                    for need in [lines.loc[lines["level"] >= level, "demand"].sum()]
                ]
                most, need = max(short, key=lambda pair: pair[0])
                if most > max(8, 0.05 * need) + EPSILON:
                    yield f"capacity_risk|capacity/{skill}|{ahead}"

    def sla(self, week: Week, ended: Week, work: pd.DataFrame) -> Iterator[str]:
        weekly = work.pivot_table(index="project", columns="week", values="hours", aggfunc="sum", fill_value=0.0)
        span = list(range(1 - HISTORY_WEEKS, 1))
        table = weekly.reindex(index=self.projects["project"], columns=span, fill_value=0.0).to_numpy() / 0.8
        n = len(span)
        middle, level = (n - 1) / 2, table.mean(axis=1)
        at = np.arange(n) - middle
        run = (at**2).sum()
        slope = (table * at).sum(axis=1) / run
        squares = ((table - level[:, None] - slope[:, None] * at) ** 2).sum(axis=1)
        reach = T_90[n - 2] * np.sqrt(squares / (n - 2) * (1 / n + (n - middle) ** 2 / run))
        best = np.maximum(0, level + slope * (n - middle) + reach)
        start = ended.sunday + timedelta(days=1)
        mondays = [(ended + number).monday for number in span]
        for (name, demand, _, sla, *_), served, pace in zip(
            self.projects.itertuples(index=False), table.sum(axis=1), best, strict=True
        ):
            asked = demand * sum(monday <= sla for monday in mondays)
            left = max(0.0, asked - served) + demand * max(0, (sla - start).days + 1) / 7
            if left < 1:
                continue
            days = np.ceil(round(left / pace * 7, 6)) if pace > 0 else 3_650
            late = days >= 3_650 or start + timedelta(days=max(0, int(days) - 1)) > sla
            if week.monday > sla or late:
                yield f"sla_breach|projects/{name}|{sla}"


def _weeks(rows: list[Any], columns: list[str], quarters: str | None = None) -> dict[str, pd.DataFrame]:
    frame = pd.DataFrame(rows, columns=columns)
    if quarters is not None:
        frame[quarters] = frame[quarters] / 4
    return {str(label): part.drop(columns="week") for label, part in frame.groupby("week")}
