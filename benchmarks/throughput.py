"""Throughput rows from a million landed activity records: PRISM beside pandas.

Belongs here: the input (real records, shifted into one week and spread over more workers and jobs) and the
contenders, which do the same work from the same file to equal rows: every check, ids once, workers and jobs
resolved, active time joined, medians. Does not belong here: how contenders are run (harness.py).
"""

import argparse
import gzip
import json
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, compare

SAMPLE = ROOT / "tests" / "data" / "worker_activity"
WEEK = "2018-W36"
MONDAY = date(2018, 9, 3)
RECEIVED = "2018-09-10T06:00:00+00:00"
INGESTED_MS = 1_536_559_201_234
FORMS = ("files", "log")
COHORTS = 10  # the 200 real workers become 2,000, the five jobs 50: about the reference scale times 25
UNRESOLVED_WORKERS = 0.02
MERGED_WORKERS = 0.05
ACTIVE_SHARE = 0.2
DUPLICATE_SHARE = 0.01
INVALID_LINES = 3  # landed lines were checked before, so they are rare
OUTCOMES = (("TasksSubmitted", 0.9), ("TasksReturned", 0.05), ("TasksDeclined", 0.03), ("TasksAccepted", 0.02))
TIME_FORM = "%a %b %d %H:%M:%S UTC %Y"
READ_BYTES = 1024 * 1024

CONTENDERS = {
    "prism": "benchmarks.throughput:with_prism",
    "pandas (json a line)": "benchmarks.throughput:with_pandas",
    "pandas (arrow reader)": "benchmarks.throughput:with_pandas_arrow",
}


def main(argv: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--form", choices=FORMS, action="append", help="where the records came from; both by default"
    )
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/throughput*.json")
    options = parser.parse_args(argv)
    return {form: _compare(form, options) for form in options.form or FORMS}


def _compare(form: str, options: argparse.Namespace) -> dict[str, Any]:
    name = "throughput" if form == "files" else f"throughput-{form}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "landed.jsonl"
        generate(path, options.records, form=form)
        facts = {"form": form, "records": options.records, "input_mib": round(path.stat().st_size / 1024 / 1024)}
        return compare(name, CONTENDERS, path, repeats=options.repeats, save=options.save, facts=facts)


# --- the input ---------------------------------------------------------------------------------------------


def generate(path: Path, records: int, *, form: str = "files") -> None:
    """Landed lines at `path` and, beside it, the registers and active times as JSON. Always the same.

    A record that came from the log has the time of its arrival there behind it.
    """
    rng = random.Random(2018)
    behind = f',"ingested":{INGESTED_MS}' if form == "log" else ""
    real = list(_real_records())
    lookups: dict[str, Any] = {"members": {}, "projects": {}, "active": []}
    with path.open("wb") as landed:
        for number in range(records):
            record = _derived(real[number % len(real)], rng)
            line = _landed_line(f"{rng.getrandbits(180):056d}", record, behind)
            landed.write(line)
            if rng.random() < DUPLICATE_SHARE:
                landed.write(line)
            _register(record, lookups, rng)
            if number % 100_000 == 99_999:
                print(f"generated {number + 1:,} of {records:,}", file=sys.stderr, flush=True)
        landed.write(b'{"id":"cut of' + b"\n")
        for field, value in (("task_submitted_time", ""), ("event_timestamp", "1600000000"))[: INVALID_LINES - 1]:
            broken = {**_derived(real[0], rng), "event_type": "TasksSubmitted", field: value}
            landed.write(_landed_line(f"broken-{field}", broken, behind))
    _lookups_path(path).write_text(json.dumps(lookups), encoding="utf-8")


def _real_records() -> Iterator[dict[str, str]]:
    for path in sorted(SAMPLE.glob("*.jsonl.gz")):
        with gzip.open(path, "rb") as lines:
            yield from map(json.loads, lines)


def _derived(real: dict[str, str], rng: random.Random) -> dict[str, str]:
    """The record of a like worker on a like task: as long, at another moment, perhaps another outcome."""
    accepted = datetime.strptime(real["task_accepted_time"], TIME_FORM).replace(tzinfo=UTC)
    submitted = datetime.strptime(real["task_submitted_time"], TIME_FORM).replace(tzinfo=UTC)
    event_s = int(real["event_timestamp"])
    monday_s = int(datetime(MONDAY.year, MONDAY.month, MONDAY.day, tzinfo=UTC).timestamp())
    shift = timedelta(seconds=monday_s + rng.randrange(7 * 86_400) - event_s)
    cohort = rng.randrange(COHORTS)
    outcome = rng.choices([name for name, _ in OUTCOMES], [share for _, share in OUTCOMES])[0]
    times: dict[str, str] = dict.fromkeys(("task_submitted_time", "task_returned_time", "task_declined_time"), "")
    if outcome != "TasksAccepted":
        times[f"task_{outcome.removeprefix('Tasks').lower()}_time"] = f"{submitted + shift:{TIME_FORM}}"
    return {
        **real,
        **times,
        "task_accepted_time": f"{accepted + shift:{TIME_FORM}}",
        "cognito_sub_id": f"{cohort:02d}{real['cognito_sub_id'][2:]}",
        "labeling_job_arn": f"{real['labeling_job_arn']}-{cohort}",
        "event_type": outcome,
        "event_timestamp": str(event_s + int(shift.total_seconds())),
    }


def _landed_line(identity: str, record: dict[str, str], behind: str) -> bytes:
    return f'{{"id":"{identity}","received":"{RECEIVED}","record":{json.dumps(record)}{behind}}}\n'.encode()


def _register(record: dict[str, str], lookups: dict[str, Any], rng: random.Random) -> None:
    worker = f"{record['cognito_user_pool_id']}#{record['cognito_sub_id']}"
    if worker not in lookups["members"]:
        member = f"member-{len(lookups['members']):05d}"
        if rng.random() < MERGED_WORKERS and lookups["members"]:
            member = next(reversed(lookups["members"].values())) or member
        lookups["members"][worker] = None if rng.random() < UNRESOLVED_WORKERS else member
    job = record["labeling_job_arn"].rpartition("/")[2]
    lookups["projects"].setdefault(job, None if job.endswith("-9") else f"project-{job[:-2]}")
    if record["task_submitted_time"] and rng.random() < ACTIVE_SHARE:
        accepted, submitted = (
            int(datetime.strptime(record[field], TIME_FORM).replace(tzinfo=UTC).timestamp())
            for field in ("task_accepted_time", "task_submitted_time")
        )
        milliseconds = (submitted - accepted) * 900
        lookups["active"].append((record["cognito_sub_id"], accepted, submitted, milliseconds))


def _lookups_path(path: Path) -> Path:
    return path.with_suffix(".lookups.json")


def _lookups(path: Path) -> dict[str, Any]:
    return json.loads(_lookups_path(path).read_text(encoding="utf-8"))


def _answer(rows: list[tuple[Any, ...]], counts: tuple[int, ...]) -> str:
    """A digest of all rows and of (records, duplicates, invalid lines)."""
    digest = blake2b(repr(counts).encode(), digest_size=16)
    for row in rows:
        digest.update(repr(row).encode())
    return f"{len(rows)} rows {counts} {digest.hexdigest()}"


# --- the contenders; each imports only its own libraries, so that its memory is its own ---


def with_prism(path: Path) -> str:
    import msgspec  # noqa: PLC0415

    from prism_core.calendar import Week  # noqa: PLC0415
    from prism_core.worker_activity.throughput import week_throughput  # noqa: PLC0415

    lookups = _lookups(path)
    active = {(sub, accepted, submitted): ms for sub, accepted, submitted, ms in lookups["active"]}
    with path.open("rb") as landed:
        result = week_throughput(
            Week.parse(WEEK),
            iter(lambda: landed.read(READ_BYTES), b""),
            lambda worker, _: lookups["members"].get(worker),
            lambda job, _: lookups["projects"].get(job),
            active,
        )
    counts = result.counts
    rows = [msgspec.structs.astuple(row) for row in result.rows]
    return _answer(rows, (counts.records, counts.duplicates, counts.invalid_lines))


FIELDS = (
    "worker_id",
    "cognito_user_pool_id",
    "cognito_sub_id",
    "task_accepted_time",
    "task_submitted_time",
    "task_returned_time",
    "task_declined_time",
    "labeling_job_arn",
    "event_type",
    "event_timestamp",
)


def with_pandas(path: Path) -> str:
    """One json.loads a line, because a line that is not JSON must be counted and must not end the run."""
    import pandas as pd  # noqa: PLC0415

    table: list[tuple[Any, ...]] = []
    invalid = 0
    with path.open("rb") as lines:
        for line in lines:
            try:
                landed = json.loads(line)
                record = landed["record"]
            except (ValueError, KeyError):
                invalid += 1
                continue
            table.append((landed["id"], landed["received"], *map(record.get, FIELDS)))
    frame = pd.DataFrame(table, columns=["id", "received", *FIELDS], dtype="str")
    del table
    return _pandas_rows(frame, invalid, _lookups(path))


def with_pandas_arrow(path: Path) -> str:
    """The fastest reader that pandas has. It cannot step over a line that is not JSON, so such lines are removed
    beforehand by a cheap look at their ends, which is less than what the others check."""
    import io  # noqa: PLC0415

    import pandas as pd  # noqa: PLC0415

    whole = re.compile(rb'^\{"id":.*\}$', re.MULTILINE)
    content = path.read_bytes()
    lines = content.count(b"\n")
    good = b"\n".join(whole.findall(content)) + b"\n"
    del content
    invalid = lines - good.count(b"\n")
    frame = pd.read_json(io.BytesIO(good), lines=True, engine="pyarrow", dtype_backend="pyarrow")
    del good
    record = frame["record"].struct.explode().reindex(columns=list(FIELDS))
    flat = frame[["id", "received"]].join(record).astype("str")
    del frame, record
    return _pandas_rows(flat, invalid, _lookups(path))


def _pandas_rows(frame: Any, invalid: int, lookups: dict[str, Any]) -> str:
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    outcomes = {
        "TasksSubmitted": "task_submitted_time",
        "TasksReturned": "task_returned_time",
        "TasksDeclined": "task_declined_time",
    }
    for field in ("task_accepted_time", *outcomes.values()):
        text = frame[field].mask(frame[field] == "")
        frame[field] = pd.to_datetime(text, format=TIME_FORM, utc=True, errors="coerce")
    frame["event_s"] = pd.to_numeric(frame["event_timestamp"], errors="coerce")
    frame["event_type"] = frame["event_type"].astype("category")
    frame["outcome"] = frame["task_accepted_time"]
    for event_type, field in outcomes.items():
        frame["outcome"] = frame["outcome"].mask(frame["event_type"] == event_type, frame[field])
    monday_s = pd.Timestamp(MONDAY).timestamp()
    known = frame["event_type"].isin([*outcomes, "TasksAccepted"])
    valid = (
        frame["event_s"].between(monday_s, monday_s + 7 * 86_400, inclusive="left")
        & (~known | (frame["outcome"].notna() & frame["task_accepted_time"].notna()))
        & (~known | (frame["outcome"] >= frame["task_accepted_time"]))
    )
    invalid += int((~valid).sum())
    frame = frame[valid]
    lines = len(frame)
    frame = frame.sort_values("received", kind="stable").drop_duplicates("id")
    duplicates = lines - len(frame)

    has_cognito = frame["cognito_user_pool_id"].notna() & frame["cognito_sub_id"].notna()
    cognito = frame["cognito_user_pool_id"] + "#" + frame["cognito_sub_id"]
    worker = cognito.where(has_cognito, frame["worker_id"]).astype("category")
    job = frame["labeling_job_arn"].astype("category")
    job = job.cat.rename_categories(lambda arn: arn.rsplit("/", 1)[-1])
    members, projects = lookups["members"], lookups["projects"]
    frame = frame.assign(
        member_id=worker.map(lambda key: members.get(key) or f"worker:{key}").astype("category"),
        project_id=job.map(lambda name: projects.get(name) or f"job:{name}").astype("category"),
        day=(frame["event_s"] // 86_400).astype("int64"),
    )
    keys = ["project_id", "member_id", "day"]
    tasks = frame.groupby([*keys, "event_type"], observed=True).size().unstack(fill_value=0)
    known_types = [*outcomes, "TasksAccepted"]
    other = tasks[[name for name in tasks.columns if name not in known_types]].sum(axis=1).astype("int64")
    tasks = tasks.astype("int64").reindex(columns=known_types, fill_value=0)

    submitted = frame[frame["event_type"] == "TasksSubmitted"].copy()
    for name, field in (("accepted_s", "task_accepted_time"), ("submitted_s", "task_submitted_time")):
        submitted[name] = submitted[field].dt.as_unit("s").astype("int64")
    submitted["wall"] = submitted["submitted_s"] - submitted["accepted_s"]
    active = pd.DataFrame(lookups["active"], columns=["cognito_sub_id", "accepted_s", "submitted_s", "active_ms"])
    active = active.drop_duplicates(["cognito_sub_id", "accepted_s", "submitted_s"])
    active["cognito_sub_id"] = active["cognito_sub_id"].astype(submitted["cognito_sub_id"].dtype)
    submitted = submitted.merge(active, how="left", on=["cognito_sub_id", "accepted_s", "submitted_s"])
    figures = submitted.groupby(keys, observed=True).agg(
        wall=("wall", "sum"),
        median=("wall", "median"),
        active_ms=("active_ms", "sum"),
        active=("active_ms", "count"),
    )
    table = tasks.assign(other=other).join(figures)
    table[["wall", "active_ms", "active"]] = table[["wall", "active_ms", "active"]].fillna(0).astype("int64")
    # category keys come out as objects that sort by category; the text is what rows are ordered by
    table = table.reset_index().astype({"project_id": "str", "member_id": "str"}).sort_values(keys)
    rows = [_pandas_row(*row) for row in table.replace({np.nan: None}).itertuples(index=False, name=None)]
    return _answer(rows, (len(frame), duplicates, invalid))


def _pandas_row(
    project_id: str,
    member_id: str,
    day: int,
    submitted: int,
    returned: int,
    declined: int,
    accepted: int,
    other: int,
    wall: int,
    median: float | None,
    active_ms: int,
    active: int,
) -> tuple[Any, ...]:
    return (
        project_id,
        member_id,
        date(1970, 1, 1) + timedelta(days=day),
        submitted,
        returned,
        declined,
        accepted,
        other,
        wall,
        (active_ms + 500) // 1000 if active else None,
        active,
        _two_places(int(median * 2), 2) if submitted and median is not None else None,
        _two_places(wall, submitted) if submitted else None,
        _two_places(submitted * 3600, wall) if wall else None,
        not member_id.startswith("worker:"),
        not project_id.startswith("job:"),
    )


def _two_places(numerator: int, denominator: int) -> Decimal:
    return Decimal((200 * numerator + denominator) // (2 * denominator)).scaleb(-2)


if __name__ == "__main__":
    main()
