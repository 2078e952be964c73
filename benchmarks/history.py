"""A table of projects as it stood at the end of each of 520 weeks: by sets, beside replaying its changes.

Belongs here: the input (a synthetic register that is edited for years) and the contenders, which give the same
rows for the same weeks. Does not belong here: how they are run (harness.py, prepared.py).
Every contender begins with the changes in memory in its own form: ours as the Arrow batches that the reader of the
log yields (texts, yet to be typed), a replay as tuples with typed values, which spares it the parsing.
"""

import argparse
import pickle
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.harness import Target, compare
from prism_core.calendar import Week
from prism_core.history.changes import ulid
from prism_core.history.snapshots import ends_of
from prism_core.lake_tables import LAKE_TABLES
from prism_core.tables import PROJECTS
from prism_resources.history.intervals import StateIntervals
from prism_resources.history.text import ABSENT, ColumnText, carried
from prism_resources.lake import ARROW_TYPES

FIRST = Week.parse("2016-W01")
PREPARED = "benchmarks.prepared"
COLUMNS = carried(LAKE_TABLES["projects"].columns)
NAMES = [column.name for column in COLUMNS]
SCHEMA = pa.schema([("version", pa.int64()), *((column.name, ARROW_TYPES[column.type]) for column in COLUMNS)])
CHANGES_AN_ITEM = 22  # a million changes of 45,000 items: about 23 million rows in 520 weeks
DELETED = 0.005
BATCH_CHANGES = 10_000
SAMPLED = 26  # weeks whose content every contender tells, and all that a replay per week can afford

STATES = {"prism": "benchmarks.history:BySets", "replay per week": "benchmarks.history:ReplayPerWeek"}
WRITTEN = {"prism": "benchmarks.history:BySetsWritten", "one-pass dictionary": "benchmarks.history:OnePassWritten"}


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--changes", type=int, default=1_000_000)
    parser.add_argument("--weeks", type=int, default=520)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/history*.json")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        facts = generate(path, options.changes, options.weeks)
        scaled = {"replay_per_week": f"measured on {facts['sampled_weeks']} of {options.weeks} weeks, scaled"}

        def run(name: str, contenders: Mapping[str, str], peer: str, limit: float, **more: str) -> dict[str, Any]:
            return compare(
                name,
                contenders,
                path,
                repeats=options.repeats,
                save=options.save,
                facts=facts | more,
                probe=PREPARED,
                targets=_at_most(peer, limit),
            )

        return [
            run("history", STATES, "replay per week", 0.01, **scaled),
            run("history_written", WRITTEN, "one-pass dictionary", 1),
        ]


def _at_most(peer: str, limit: float) -> Any:
    def targets(result: Mapping[str, Any]) -> Sequence[Target]:
        ours, theirs = result["contenders"]["prism"]["seconds"], result["contenders"][peer]["seconds"]
        return [Target(f"share of a {peer}", limit, round(ours / max(theirs, 1e-9), 4))]

    return targets


# --- the input ---------------------------------------------------------------------------------------------


def generate(folder: Path, changes: int, weeks: int) -> dict[str, Any]:
    """The rows of now and the log, as Arrow for us and as tuples for a replay. Always the same."""
    rng = random.Random(2016)
    texts = {column.name: ColumnText(PROJECTS, column) for column in COLUMNS}
    items: dict[str, dict[str, Any]] = {}
    versions: dict[str, int] = {}
    log: list[tuple[Any, ...]] = []
    before: list[dict[str, Any]] = []
    keys = [f"P-{number:06d}" for number in range(max(changes // CHANGES_AN_ITEM, 1))]
    step = timedelta(weeks=weeks) / changes
    for number in range(changes):
        instant = FIRST.start + step * number
        key = rng.choice(keys)
        state = items.get(key)
        versions[key] = versions.get(key, 0) + 1
        if state is None:
            items[key] = after = _project(key, rng)
            log.append((key, "create", versions[key], instant, after))
            before.append(dict.fromkeys(NAMES, ABSENT))
        elif rng.random() < DELETED:
            log.append((key, "delete", versions[key], instant, {}))
            before.append({name: _text(texts[name], value) for name, value in items.pop(key).items()})
        else:
            after = _edit(rng)
            log.append((key, "update", versions[key], instant, after))
            before.append({name: _text(texts[name], state.get(name)) for name in after})
            items[key] = state | after
        if number % 200_000 == 199_999:
            print(f"generated {number + 1:,} of {changes:,}", file=sys.stderr, flush=True)
    _write_arrow(folder, items, versions, texts, log, before)
    ends = ends_of((FIRST + number for number in range(weeks)), FIRST.start + timedelta(weeks=weeks))
    sampled = list(ends)[:: max(weeks // SAMPLED, 1)]
    for name, value in {"log": log, "weeks": (ends, sampled)}.items():
        with (folder / f"{name}.pickle").open("wb") as file:
            pickle.dump(value, file)
    return {"changes": changes, "weeks": weeks, "items": len(keys), "sampled_weeks": len(sampled)}


def _project(key: str, rng: random.Random) -> dict[str, Any]:
    jobs = f'[{{"job":"labels-{rng.randrange(200)}*","valid_from":"2016-01-04","valid_to":null}}]'
    return {
        "project_id": key,
        "name": f"project {rng.randrange(10_000)}",
        "category": f"category-{rng.randrange(40)}",
        "min_people": rng.randrange(4),
        "min_block_hours": 0.5,
        "labeling_jobs": jobs,
        **{name: value for _ in range(4) for name, value in _edit(rng).items()},
        "status": "planned",
        "priority": 3,
        "demand_hours": rng.randrange(4_000) / 4,
    }


def _edit(rng: random.Random) -> dict[str, Any]:
    """One or two fields, as a screen changes them."""
    made: dict[str, Any] = {}
    for _ in range(rng.randrange(1, 3)):
        match rng.randrange(6):
            case 0:
                made["status"] = rng.choice(("planned", "active", "paused", "closed"))
            case 1:
                made["priority"] = rng.randrange(1, 6)
            case 2 | 3:
                made["demand_hours"] = rng.randrange(4_000) / 4
            case 4:
                made["sla_date"] = (FIRST + rng.randrange(520)).monday
            case _:
                made["skills"] = f'[{{"level":{rng.randrange(1, 6)},"name":"video"}}]'
    return made


def _text(text: ColumnText, value: Any) -> str | None:
    if value is None:
        return ABSENT
    return repr(value) if isinstance(value, float) else text.of_plain(value)


def _write_arrow(
    folder: Path,
    items: Mapping[str, Mapping[str, Any]],
    versions: Mapping[str, int],
    texts: Mapping[str, ColumnText],
    log: Sequence[tuple[Any, ...]],
    before: Sequence[Mapping[str, Any]],
) -> None:
    rows: dict[str, Any] = {"item_key": list(items), "version": [versions[key] for key in items]}
    for name in NAMES:
        values = [item.get(name) for item in items.values()]
        rows[name] = pa.array([None if v is None else _text(texts[name], v) for v in values], pa.string())
    pq.write_table(pa.table(rows), folder / "rows.parquet")
    randomness = random.Random(1)
    changes: dict[str, Any] = {
        "item_key": [one[0] for one in log],
        "version": pa.array([one[2] for one in log], pa.int64()),
        "instant": pa.array([one[3] for one in log], pa.timestamp("us", "UTC")),
        "ulid": [ulid(one[3], randomness.randbytes(10)) for one in log],
        "operation": [one[1] for one in log],
    }
    for name in NAMES:
        changes[name] = pa.array([one.get(name) for one in before], pa.string())
    pq.write_table(pa.table(changes), folder / "changes.parquet")


# --- the contenders ----------------------------------------------------------------------------------------


def _told(label: str, table: pa.Table) -> str:
    """What a week holds: rows, versions, hours."""
    hours = pc.sum(table.column("demand_hours")).as_py() or 0
    return f"{label} {table.num_rows} {pc.sum(table.column('version')).as_py() or 0} {hours:.2f}"


class _Inputs:
    share = 1.0

    def __init__(self, path: Path) -> None:
        pa.array([0])  # imports pandas, where it is installed: not timed, as no other import is
        self.ends, self.sampled = _unpickled(path / "weeks.pickle")
        self.sink = path / "written.parquet"

    def write(self, table: pa.Table) -> None:
        pq.write_table(table, self.sink, compression="zstd", compression_level=3)


def _unpickled(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301 - written by this module


class BySets(_Inputs):
    """Ours: validity intervals, then one Arrow table a week."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows = pq.read_table(path / "rows.parquet")
        self.changes = pq.read_table(path / "changes.parquet").to_batches(max_chunksize=BATCH_CHANGES)

    def __call__(self) -> str:
        told = [_told(label, table) for label, table in self.snapshots() if label in self.sampled]
        return "\n".join(told)

    def snapshots(self) -> Iterator[tuple[str, pa.Table]]:
        with StateIntervals(COLUMNS) as intervals:
            intervals.add_rows(self.rows)
            for batch in self.changes:
                intervals.add_changes(batch)
            yield from intervals.at(self.ends)


class BySetsWritten(BySets):
    """The same, each week written as Parquet."""

    def __call__(self) -> str:
        told: list[str] = []
        for label, table in self.snapshots():
            self.write(table.select(SCHEMA.names))
            if label in self.sampled:
                told.append(_told(label, table))
        return "\n".join(told)


class ReplayPerWeek(_Inputs):
    """What a user would write first: every week from the beginning. All of them would take minutes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.log = _unpickled(path / "log.pickle")
        self.share = len(self.sampled) / len(self.ends)

    def __call__(self) -> str:
        return "\n".join(_told(label, as_table(self.replay(self.ends[label]))) for label in self.sampled)

    def replay(self, end: datetime) -> dict[str, dict[str, Any]]:
        states: dict[str, dict[str, Any]] = {}
        for key, operation, version, instant, after in self.log:
            if instant > end:
                break
            play(states, key, operation, version, after)
        return states


class OnePassWritten(_Inputs):
    """A dictionary that goes through the log once and is written at the end of each week."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.log = _unpickled(path / "log.pickle")

    def __call__(self) -> str:
        told: list[str] = []
        states: dict[str, dict[str, Any]] = {}
        changes = iter(self.log)
        change = next(changes, None)
        for label, end in self.ends.items():
            while change is not None and change[3] <= end:
                key, operation, version, _, after = change
                play(states, key, operation, version, after)
                change = next(changes, None)
            table = as_table(states)
            self.write(table)
            if label in self.sampled:
                told.append(_told(label, table))
        return "\n".join(told)


def play(states: dict[str, dict[str, Any]], key: str, operation: str, version: int, after: dict[str, Any]) -> None:
    if operation == "create":
        states[key] = after | {"version": version}
    elif operation == "delete":
        del states[key]
    else:
        states[key] |= after
        states[key]["version"] = version


def as_table(states: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    rows = [states[key] for key in sorted(states)]
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in SCHEMA]
    return pa.table(columns, schema=SCHEMA)


if __name__ == "__main__":
    main()
