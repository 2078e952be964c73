"""`prism ingest`: real files in.

Belongs here: one command a kind of file, its summary, and the rejects file.
Does not belong here: what a line means (prism_core) and where it goes (prism_resources).
"""

import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from infra.cli.console import byte_progress, count_of, err, fail, out, plain, say
from infra.local.platform import Platform, attached
from prism_core import clock
from prism_core.calendar import WeekRange
from prism_core.failures import BadUsage
from prism_core.worker_activity.files import Rejected

if TYPE_CHECKING:
    from prism_resources.worker_activity.ingest import FileCounts
    from prism_resources.worker_activity.log import LogCounts

ingest_app = typer.Typer(help="Load real files (or the live log) into the lake.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="one JSON object instead of a table")]


@ingest_app.callback()
def _several_kinds() -> None:
    """Load real files (or the live log) into the lake."""


@dataclass(slots=True)
class RejectsFile:
    """One JSON line a rejected record: file, line, reason, excerpt. Made on the first rejection."""

    path: Path
    count: int = 0

    @classmethod
    def in_folder(cls, folder: Path, kind: str) -> "RejectsFile":
        # Wall time, not the settable clock: two loads under one PRISM_NOW must not share a file.
        return cls(folder / f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.jsonl")

    def add(self, rejected: Rejected) -> None:
        row = {
            "file": rejected.file, "line": rejected.line, "reason": rejected.reason, "excerpt": rejected.excerpt,
        }  # fmt: skip
        with self.path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.count += 1


@ingest_app.command("worker-activity")
def worker_activity(
    paths: Annotated[list[Path] | None, typer.Argument(help="JSON Lines files, plain or gzip")] = None,
    log: Annotated[bool, typer.Option("--log", help="read the CloudWatch log group instead of files")] = False,
    over: Annotated[
        str | None,
        typer.Option("--start-over", help="first drop what has landed of these weeks: 2018-W33, or a range"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Load Ground Truth worker activity. Loading the same records again changes nothing.

    Exit code 1 when any line was rejected; the rest is loaded and the rejects file says why.
    """
    if bool(paths) == log:
        raise BadUsage("name files to load, or --log to read the live log, and not both")
    dropped = None if over is None else WeekRange.parse(over)
    if dropped is not None:
        _require_readable(paths or [])
    with attached(say) as platform:
        rejects = RejectsFile.in_folder(platform.home.rejects, "worker-activity")
        if dropped is not None:
            _start_over(platform, dropped)
        if log:
            _summarise_log(read_live_log(platform, rejects), rejects, as_json=as_json)
        else:
            summarise_files(load_files(platform, paths or [], rejects), rejects, as_json=as_json)
        platform.flush()
    end_of(rejects)


def _require_readable(paths: list[Path]) -> None:
    """What is dropped must come back from somewhere, so a misspelt name ends the command before that."""
    from prism_resources.worker_activity.ingest import readable_name

    for path in paths:
        if not os.access(path, os.R_OK):
            raise BadUsage(f"{readable_name(path)} cannot be read; nothing was dropped")


def _start_over(platform: Platform, weeks: WeekRange) -> None:
    from prism_resources.lake import Lake
    from prism_resources.worker_activity.restart import start_over

    lake = Lake(platform.settings)
    for week in weeks:
        gone = start_over(lake, week)
        say(f"{week}: dropped {count_of(gone, 'object', 'objects')}")
    say(f'the figures stand until `prism materialize throughput --weeks {weeks} --anew "why"`')


def load_files(platform: Platform, paths: Iterable[Path], rejects: RejectsFile) -> "list[FileCounts]":
    """Load files in the order given, with a progress bar over their bytes."""
    from prism_resources.lake import Lake
    from prism_resources.worker_activity.ingest import FileIngest
    from prism_resources.worker_activity.landing import Landing

    files = list(paths)
    ingest = FileIngest(Landing(Lake(platform.settings)), loadable_weeks(platform), clock.now())
    with byte_progress(f"loading {count_of(len(files), 'file', 'files')}", bytes_of(files)) as progress:
        task = progress.task_ids[0]
        return [ingest.load(path, rejects.add, lambda size: progress.advance(task, size)) for path in files]


@ingest_app.command("worker-responses")
def worker_responses(
    paths: Annotated[list[Path], typer.Argument(help="worker-response JSON documents, or folders of them")],
    as_json: Json = False,
) -> None:
    """Load Ground Truth worker-response documents: where active seconds come from.

    They lie in the output bucket of a labelling job, below annotations/worker-response. Loading the same
    documents again changes nothing. Exit code 1 when an answer was rejected.
    """
    from prism_resources.lake import Lake
    from prism_resources.worker_activity.responses import ResponseIngest

    with attached(say) as platform:
        rejects = RejectsFile.in_folder(platform.home.rejects, "worker-responses")
        files = list(_documents(paths))
        ingest = ResponseIngest.into(Lake(platform.settings), loadable_weeks(platform))
        with byte_progress(
            f"loading {count_of(len(files), 'document', 'documents')}", bytes_of(files)
        ) as progress:
            task = progress.task_ids[0]
            counts = [ingest.load(f, rejects.add, lambda size: progress.advance(task, size)) for f in files]
        ingest.finish()
        summarise_files([_sum(counts)], rejects, as_json=as_json)
        platform.flush()
    end_of(rejects)


def _documents(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if stat.S_ISDIR(_mode(path)):
            yield from sorted(path.rglob("*.json"))
        else:
            yield path


def _mode(path: Path) -> int:
    """0 when there is no such file, or cannot be: loading it says what is wrong."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _sum(counts: "list[FileCounts]") -> "FileCounts":
    """One line for a folder of thousands of small documents."""
    from prism_resources.worker_activity.ingest import FileCounts

    total = FileCounts(count_of(len(counts), "document", "documents"))
    for item in counts:
        total.loaded += item.loaded
        total.duplicate += item.duplicate
        total.rejected += item.rejected
        total.weeks |= item.weeks
    return total


def bytes_of(files: list[Path]) -> int:
    return sum(path.stat().st_size for path in files if stat.S_ISREG(_mode(path)))


def end_of(rejects: RejectsFile) -> None:
    if rejects.count:
        raise fail(f"{rejects.count:,} rejected, the rest is loaded; see {rejects.path}")


def read_live_log(platform: Platform, rejects: RejectsFile) -> "LogCounts":
    """Catch up with the live log."""
    from prism_resources.lake import Lake
    from prism_resources.worker_activity.log import LogIngest

    with err.status("reading the log"):
        ingest = LogIngest(platform.settings, Lake(platform.settings), loadable_weeks(platform))
        return ingest.catch_up(clock.now(), rejects.add)


def loadable_weeks(platform: Platform) -> WeekRange:
    """The weeks a record may lie in: from the first week of the settings to the running one."""
    return WeekRange(platform.settings.first_week, max(clock.this_week(), platform.settings.first_week))


def summarise_files(counts: "list[FileCounts]", rejects: RejectsFile, *, as_json: bool) -> None:
    rows = [
        {
            "file": item.file,
            "read": item.read,
            "loaded": item.loaded,
            "duplicate": item.duplicate,
            "rejected": item.rejected,
            "weeks": [week.label for week in sorted(item.weeks)],
        }
        for item in counts
    ]
    total = {key: sum(row[key] for row in rows) for key in ("read", "loaded", "duplicate", "rejected")}
    if as_json:
        rejects_file = str(rejects.path) if rejects.count else None
        typer.echo(json.dumps({"files": rows, "total": total, "rejects_file": rejects_file}))
        return
    table = Table(
        "file",
        "read",
        "loaded",
        "duplicate",
        "rejected",
        "weeks",
    )
    for row in rows:
        weeks = row["weeks"]
        span = f"{weeks[0]} … {weeks[-1]}" if len(weeks) > 1 else "".join(weeks)
        cells = (plain(Path(row["file"]).name), *(f"{row[key]:,}" for key in total), span)
        table.add_row(*cells)
    table.add_section()
    table.add_row("total", *(f"{value:,}" for value in total.values()), "")
    out.print(table)


def _summarise_log(counts: "LogCounts", rejects: RejectsFile, *, as_json: bool) -> None:
    values = {
        "read": counts.read,
        "loaded": counts.loaded,
        "duplicate": counts.duplicate,
        "rejected": counts.rejected,
        "late": counts.late,
        "weeks": [week.label for week in sorted(counts.weeks)],
    }
    if as_json:
        typer.echo(json.dumps({"log": values, "rejects_file": str(rejects.path) if rejects.count else None}))
        return
    table = Table(*values, title="worker-activity log")
    table.add_row(*(" ".join(value) if isinstance(value, list) else f"{value:,}" for value in values.values()))
    out.print(table)
