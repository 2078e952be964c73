"""Worker-response documents: where the active clock comes from.

Belongs here: landing the documents of Ground Truth by week, and reading a week's back.
Does not belong here: what a document says (prism_core worker_activity/responses.py).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from prism_core.calendar import Week, WeekRange
from prism_core.lake import WORKER_RESPONSE
from prism_core.settings import ActivitySource
from prism_core.worker_activity.files import Rejected
from prism_core.worker_activity.responses import (
    ActiveClock,
    RejectedAnswer,
    read_active_clock,
    read_worker_response,
)
from prism_resources.lake import Lake
from prism_resources.worker_activity.ingest import FileCounts, Progress, Reject
from prism_resources.worker_activity.landing import Landing

BATCH_DOCUMENTS = 5_000


class _Landed(msgspec.Struct):
    name: str
    document: msgspec.Raw


@dataclass(slots=True)
class ResponseIngest:
    """Loads documents; equal sets of documents land as equal objects, so loading them again changes nothing."""

    landing: Landing
    weeks: WeekRange
    _pending: dict[Week, dict[str, bytes]] = field(default_factory=dict)

    @classmethod
    def into(cls, lake: Lake, weeks: WeekRange) -> "ResponseIngest":
        return cls(Landing(lake, WORKER_RESPONSE), weeks)

    def load(self, path: Path, reject: Reject, progress: Progress) -> FileCounts:
        """One document. Its unusable answers go to `reject`; counts are answers, not files."""
        counts = FileCounts(str(path))
        try:
            content = path.read_bytes()
        except OSError as error:
            counts.rejected += 1
            reject(Rejected(counts.file, 0, f"the file cannot be read: {error.strerror}", ""))
            return counts
        progress(len(content))
        for answer in read_worker_response(counts.file, content):
            if isinstance(answer, RejectedAnswer):
                counts.rejected += 1
                reject(Rejected(counts.file, answer.answer, answer.reason, answer.excerpt))
                continue
            week = Week.of(datetime.fromtimestamp(answer.submitted_s, UTC))
            if week not in self.weeks:
                counts.rejected += 1
                reject(Rejected(counts.file, 0, f"an answer of {week} lies outside {self.weeks}", ""))
                continue
            counts.loaded += 1
            counts.weeks.add(week)
            self._pending.setdefault(week, {})[str(path)] = content
        return counts

    def finish(self) -> None:
        """Land what was loaded, in the order of the names."""
        for week, documents in self._pending.items():
            for part in _parts(sorted(documents.items())):
                self.landing.land(week, ActivitySource.FILES, part)
        self._pending.clear()


def read_week_clock(lake: Lake, week: Week) -> ActiveClock:
    """The active clock of a week from its landed documents."""
    return read_active_clock(_documents(Landing(lake, WORKER_RESPONSE), week))


def _documents(landing: Landing, week: Week) -> Iterator[tuple[str, bytes]]:
    decode = msgspec.json.Decoder(_Landed).decode
    for content in landing.contents(week):
        for line in content.splitlines():
            landed = decode(line)
            yield landed.name, bytes(landed.document)


def _parts(documents: list[tuple[str, bytes]]) -> Iterator[Iterable[bytes]]:
    for start in range(0, len(documents), BATCH_DOCUMENTS):
        yield [_line(name, content) for name, content in documents[start : start + BATCH_DOCUMENTS]]


def _line(name: str, content: bytes) -> bytes:
    # Raw line breaks stand between tokens only in valid JSON; a landed document is one line.
    flat = content.replace(b"\n", b" ").replace(b"\r", b" ")
    return msgspec.json.encode(_Landed(name, msgspec.Raw(flat))) + b"\n"
