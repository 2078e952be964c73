"""Quality reviews as CSV files, read row by row.

Belongs here: names of columns, what makes a row a review or rejects it, the identity of a review. Does not belong
here: whether it is stored already, who a worker is, and writing (prism_resources/quality_ingest.py).
A row names the member, or a worker of the labelling tool; the project, or a labelling job.
"""

import csv
import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from gzip import BadGzipFile, GzipFile
from io import BufferedReader, TextIOWrapper
from typing import Final

from prism_core.calendar import Week, WeekRange
from prism_core.failures import BadUsage
from prism_core.models.work import Severity
from prism_core.worker_activity.files import Rejected, excerpt_of

# By our name of a column, what files call it; the first one that is there counts.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "member_id": ("member_id", "member"),
    "worker": ("cognito_sub_id", "cognito_sub", "sub", "worker_id", "worker"),
    "project_id": ("project_id", "project"),
    "job": ("job", "labeling_job", "labelling_job"),
    "week": ("week",),
    "review_id": ("review_id",),
    "category": ("category",),
    "reviewed": ("reviewed", "judgments", "judgements"),
    "correct": ("correct",),
    "accuracy": ("accuracy",),
    "severity": ("severity",),
    "reviewer": ("reviewer",),
    "reviewed_at": ("reviewed_at",),
    "notes": ("notes",),
}
# Any of each must be there.
_NEEDED: Final = (("member_id", "worker"), ("project_id", "job"), ("week", "reviewed_at"), ("reviewed",),
                  ("correct", "accuracy"))  # fmt: skip
# Accuracies of files are rounded at three places or more.
_ROUNDING: Final = Decimal("0.0005")
_GZIP_MAGIC: Final = b"\x1f\x8b"
_SURROGATE = re.compile("[\ud800-\udfff]")
# What identifies a review that has no id: of whom, for what, when, by whom. Not what was found.
_IDENTITY: Final = ("member_id", "worker", "project_id", "job", "category", "reviewer", "reviewed_at")


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A row that can be a review: of a member or a worker of the tool, for a project or a job of it."""

    line: int
    review_id: str
    week: Week
    member_id: str | None
    worker: str | None
    project_id: str | None
    job: str | None
    category: str | None
    reviewed: int
    correct: int
    severity: Severity | None
    reviewer: str | None
    reviewed_at: datetime | None
    notes: str
    excerpt: str


class _Refused(Exception):
    """Why a row is no review."""


def read_reviews(stream: BufferedReader, name: str, weeks: WeekRange) -> Iterator[ReviewRow | Rejected]:
    """Every row of a CSV file, plain or gzip, as a review or rejected, in order; blank lines are skipped.

    A file without the columns that are needed is rejected as a whole, one that cannot be read to its end from
    there on. A week outside `weeks` rejects its row.
    """
    reader = csv.reader(_text(stream), strict=True)
    header: dict[str, int] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Rejected(name, line, f"the line is not CSV: {error}", "")
            continue
        except (EOFError, BadGzipFile, zlib.error, OSError) as error:
            yield Rejected(name, line, f"the file cannot be read further: {error}; the lines before were read", "")
            return
        if cells is None:
            break
        if not any(cell.strip() for cell in cells):
            continue
        excerpt = excerpt_of(",".join(cells).encode("utf-8", "surrogateescape"))
        try:
            if header is None:
                header = _header(cells)
            else:
                yield _row(line, cells, header, weeks, excerpt)
        except _Refused as refused:
            yield Rejected(name, line, str(refused), excerpt)
            if header is None:
                return
    if header is None:
        yield Rejected(name, 0, "empty file", "")


def _text(stream: BufferedReader) -> TextIOWrapper:
    zipped = stream.peek(len(_GZIP_MAGIC))[: len(_GZIP_MAGIC)] == _GZIP_MAGIC
    # A byte that is no UTF-8 rejects its own row, not the file.
    return TextIOWrapper(
        GzipFile(fileobj=stream) if zipped else stream,
        encoding="utf-8-sig",
        errors="surrogateescape",
        newline="",
    )


def _header(cells: list[str]) -> dict[str, int]:
    names = [cell.strip().lower().replace(" ", "_") for cell in cells]
    found = {
        ours: names.index(theirs[0])
        for ours, known in COLUMNS.items()
        if (theirs := [name for name in known if name in names])
    }
    missing = [" or ".join(_called(one) for one in choice) for choice in _NEEDED if not found.keys() & set(choice)]
    if missing:
        raise _Refused(f"the first line names the columns; it has none for {'; '.join(missing)}")
    return found


def _called(column: str) -> str:
    return "/".join(COLUMNS[column])


def _row(line: int, cells: list[str], header: Mapping[str, int], weeks: WeekRange, excerpt: str) -> ReviewRow:
    if any(_SURROGATE.search(cell) for cell in cells):
        raise _Refused("the line is not UTF-8")
    given = {name: cells[at].strip() for name, at in header.items() if at < len(cells) and cells[at].strip()}
    at = _instant(given["reviewed_at"]) if "reviewed_at" in given else None
    week = _week(given, at, weeks)
    if "member_id" not in given and "worker" not in given:
        raise _Refused("the row names no member and no worker")
    if "project_id" not in given and "job" not in given:
        raise _Refused("the row names no project and no labelling job")
    reviewed = _count(given, "reviewed")
    if reviewed < 1:
        raise _Refused("reviewed must be at least 1")
    correct = _count(given, "correct") if "correct" in given else _of_accuracy(given, reviewed)
    if correct > reviewed:
        raise _Refused(f"correct {correct} exceeds reviewed {reviewed}")
    return ReviewRow(
        line,
        given.get("review_id") or _identity(week, given),
        week,
        given.get("member_id"),
        given.get("worker"),
        given.get("project_id"),
        given.get("job"),
        given.get("category"),
        reviewed,
        correct,
        _severity(given.get("severity")),
        given.get("reviewer"),
        at,
        given.get("notes", ""),
        excerpt,
    )


def _week(given: Mapping[str, str], at: datetime | None, weeks: WeekRange) -> Week:
    try:
        week = Week.parse(given["week"]) if "week" in given else Week.of(at) if at is not None else None
    except BadUsage as error:
        raise _Refused(str(error)) from error
    if week is None:
        raise _Refused("the row has neither a week nor a reviewed_at")
    if not weeks.first <= week <= weeks.last:
        raise _Refused(f"{week} lies outside {weeks}")
    return week


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise _Refused(f"reviewed_at {text!r} is not an instant such as 2026-01-05T07:00:00Z") from error
    if at.tzinfo is None:
        raise _Refused(f"reviewed_at {text!r} has no time zone; add Z or +00:00")
    return at


def _count(given: Mapping[str, str], name: str) -> int:
    text = given.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise _Refused(f"{name} is {text!r}, not a whole number" if text else f"the row has no {name}")
    return int(text)


def _of_accuracy(given: Mapping[str, str], reviewed: int) -> int:
    text = given.get("accuracy", "")
    try:
        share = Decimal(text)
    except InvalidOperation as error:
        raise _Refused(f"accuracy is {text!r}, not a share of 0 to 1" if text else "the row has no correct and no "
                       "accuracy") from error  # fmt: skip
    if not share.is_finite() or not 0 <= share <= 1:
        raise _Refused(f"accuracy is {text}, not a share of 0 to 1")
    pieces = share * reviewed
    correct = int(pieces.to_integral_value())
    if abs(pieces - correct) > reviewed * _ROUNDING:
        raise _Refused(f"accuracy {text} of {reviewed} is {pieces.normalize()}, not a whole number of pieces")
    return correct


def _severity(text: str | None) -> Severity | None:
    try:
        return None if text is None else Severity(text.lower())
    except ValueError as error:
        raise _Refused(f"severity is {text!r}; valid are {', '.join(Severity)}") from error


def _identity(week: Week, given: Mapping[str, str]) -> str:
    """The same for the same work, whatever was found of it: another figure for it is no second review."""
    parts = [week.label, *(given.get(name, "") for name in _IDENTITY)]
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10).hexdigest()
    return f"csv-{digest}"
