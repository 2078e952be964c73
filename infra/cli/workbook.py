"""`prism ingest workbook`: a spreadsheet into the tables, and the answer as a marked spreadsheet.

Belongs here: files, the summary, where the marked workbook goes. Does not belong here: what a row means
(prism_core/workbooks) and how it is written (prism_resources/tables/imports.py).
"""

import json
import uuid
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from infra.cli.console import EXIT_FAILED, err, out, say, step_progress
from infra.local.platform import Platform, attached
from prism_core import clock
from prism_core.failures import BadUsage
from prism_core.workbooks.mapping import default_mapping, load_mapping
from prism_core.workbooks.marking import mark
from prism_core.workbooks.plan import ImportPlan, Outcome, RowPlan
from prism_core.workbooks.reading import Workbook, read_workbook
from prism_core.workbooks.telling import row_facts, sheet_facts, worth_telling
from prism_resources.aws import client
from prism_resources.tables.imports import Author, carry_out, plan_of

SHOWN_LINES = 20


def workbook(
    file: Annotated[Path, typer.Argument(help="an Excel workbook (.xlsx or .xlsm)")],
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", help="TOML: names of sheets and columns, formats; extends the default"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would happen, and write nothing")] = False,
    target: Annotated[
        Path | None, typer.Option("--out", help="where the marked workbook goes, instead of the rejects folder")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="the reason that the change log keeps")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of a table")] = False,
) -> None:
    """Load a workbook into the tables, row by row. Loading it again changes nothing.

    Exit code 1 when a row or a sheet was refused; the rest is loaded, and the marked workbook says why.
    """
    known = default_mapping() if mapping is None else load_mapping(_text(mapping), str(mapping))
    data = _bytes(file)
    if target is not None and (not target.absolute().parent.is_dir() or target.resolve() == file.resolve()):
        raise BadUsage(f"{target}: the marked workbook goes into a folder that exists, and not over the original")
    with err.status("reading the workbook"):
        book = read_workbook(data, known)
    with attached(say) as platform:
        plan = _load(platform, file.name, book, reason, dry_run=dry_run)
        marked = None
        if target is not None or not plan.clean:
            marked = target or _in_rejects(platform, file)
            marked.write_bytes(mark(data, plan))
        platform.flush()
    if as_json:
        typer.echo(json.dumps(_facts(file, plan, marked, dry_run=dry_run), ensure_ascii=False))
    else:
        _print(plan, dry_run=dry_run)
    if not plan.clean:
        counts = plan.counts
        bad = counts[Outcome.CONFLICT] + counts[Outcome.REJECTED]
        sheets = f" and {len(plan.refused_sheets)} sheets" if plan.refused_sheets else ""
        err.print(f"[bold red]failed:[/bold red] {bad} rows{sheets} refused; see {escape(str(marked))}")
        raise typer.Exit(EXIT_FAILED)


def _load(platform: Platform, name: str, book: Workbook, reason: str, *, dry_run: bool) -> ImportPlan:
    dynamodb = client(platform.settings, "dynamodb")
    with err.status("comparing with the tables"):
        plan = plan_of(dynamodb, platform.settings, book, now=clock.now())
    if dry_run or not plan.writes:
        return plan
    author = Author(f"workbook:{name}"[:200], reason or f"import of {name}", f"workbook-{uuid.uuid4().hex}")
    bar = step_progress(f"writing {len(plan.writes):,} items", len(plan.writes))
    with bar if len(plan.writes) > SHOWN_LINES else nullcontext() as progress:

        def advance() -> None:
            if progress is not None:
                progress.advance(progress.task_ids[0])

        return carry_out(dynamodb, platform.settings, plan, author, written=advance)


def _in_rejects(platform: Platform, file: Path) -> Path:
    # Wall time, not the settable clock: two loads under one PRISM_NOW must not share a file.
    return platform.home.rejects / f"workbook-{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{file.name}"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadUsage(f"{path} cannot be read: {error.strerror}") from error


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode()
    except UnicodeDecodeError as error:
        raise BadUsage(f"{path} is not UTF-8: {error}") from error


def _facts(file: Path, plan: ImportPlan, marked: Path | None, *, dry_run: bool) -> dict[str, Any]:
    told = worth_telling(plan)
    return {
        "file": str(file),
        "dry_run": dry_run,
        "sheets": sheet_facts(plan),
        "total": plan.counts,
        "rows": [row_facts(row) for row in told],
        "marked_workbook": None if marked is None else str(marked),
    }


def _print(plan: ImportPlan, *, dry_run: bool) -> None:
    columns = ("read", *(outcome.value for outcome in Outcome))
    table = Table("sheet", "table", *columns, title="dry run: nothing was written" if dry_run else None)
    for row in sheet_facts(plan):
        table.add_row(escape(row["sheet"]), row["table"] or "-", *(f"{row[name]:,}" for name in columns))
    table.add_section()
    table.add_row("total", "", *(f"{plan.counts[name]:,}" for name in columns))
    out.print(table)
    for sheet in plan.sheets:
        if text := sheet.problem or sheet.note:
            err.print(f"{escape(sheet.name)}: {escape(text)}")
    lines = [line for row in plan.rows for line in _lines(row, dry_run=dry_run)]
    for line in lines[:SHOWN_LINES]:
        err.print(escape(line))
    if len(lines) > SHOWN_LINES:
        err.print(f"and {len(lines) - SHOWN_LINES:,} more; --json has them all")


def _lines(row: RowPlan, *, dry_run: bool) -> list[str]:
    place = f"{row.sheet}, row {row.row}"
    lines = [f"{place}: {row.outcome.value}: {problem.text}" for problem in row.problems]
    lines += [f"{place}: {note}" for note in row.notes]
    if dry_run and row.outcome is Outcome.CHANGED:
        lines += [f"{place}: {c.cell or c.column} from {c.before!r} to {c.after!r}" for c in row.changes]
    return lines
