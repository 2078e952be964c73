"""Worker-response documents: where the active clock comes from.

Belongs here: landing the documents of Ground Truth by week, and reading a week's back.
Does not belong here: what a document says (prism_core worker_activity/responses.py).
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from prism_core.calendar import Week, WeekRange
from prism_core.lake import WORKER_RESPONSE
from prism_core.settings import ActivitySource
from prism_core.worker_activity.files import BYTE_ORDER_MARK, Rejected
from prism_core.worker_activity.responses import (
    ActiveClock,
    RejectedAnswer,
    read_active_clock,
    read_worker_response,
)
from prism_resources.lake import Lake
from prism_resources.worker_activity.ingest import FileCounts, Progress, Reject, readable_name
from prism_resources.worker_activity.landing import Landing

BATCH_DOCUMENTS = 5_000
BATCH_BYTES = 64 * 1024 * 1024  # of all weeks: an answer may hold a whole segmentation


class _Landed(msgspec.Struct):
    name: str
    document: msgspec.Raw


_decode_landed = msgspec.json.Decoder(_Landed).decode


@dataclass(slots=True)
class ResponseIngest:
    """Loads documents. One whose content lies in the lake already is a duplicate, whatever its name."""

    landing: Landing
    weeks: WeekRange
    _known: dict[Week, set[bytes]] = field(default_factory=dict)
    _pending: dict[Week, list[bytes]] = field(default_factory=dict)
    _waiting_bytes: int = 0

    @classmethod
    def into(cls, lake: Lake, weeks: WeekRange) -> "ResponseIngest":
        return cls(Landing(lake, WORKER_RESPONSE), weeks)

    def load(self, path: Path, reject: Reject, progress: Progress) -> FileCounts:
        """One document. Its unusable answers go to `reject`; counts are answers, not files."""
        counts = FileCounts(readable_name(path))
        try:
            content = path.read_bytes()
        except OSError as error:
            counts.rejected += 1
            reject(Rejected(counts.file, 0, f"the file cannot be read: {error.strerror}", ""))
            return counts
        progress(len(content))
        answers: Counter[Week] = Counter()
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
            answers[week] += 1
        document = _one_line(content)
        for week, number in answers.items():
            counts.weeks.add(week)
            if self._is_new(week, document):
                counts.loaded += number
                self._keep(week, counts.file, document)
            else:
                counts.duplicate += number
        return counts

    def finish(self) -> None:
        """Land what is waiting."""
        for week in self._pending:
            self._land(week)

    def _is_new(self, week: Week, document: bytes) -> bool:
        if week not in self._known:
            landed = _documents(self.landing, week)
            self._known[week] = {_digest(content) for _, content in landed}
        known, digest = self._known[week], _digest(document)
        if digest in known:
            return False
        known.add(digest)
        return True

    def _keep(self, week: Week, name: str, document: bytes) -> None:
        waiting = self._pending.setdefault(week, [])
        line = msgspec.json.encode(_Landed(name, msgspec.Raw(document))) + b"\n"
        waiting.append(line)
        self._waiting_bytes += len(line)
        if self._waiting_bytes >= BATCH_BYTES:
            self.finish()
        elif len(waiting) >= BATCH_DOCUMENTS:
            self._land(week)

    def _land(self, week: Week) -> None:
        if lines := self._pending[week]:
            self.landing.land(week, ActivitySource.FILES, lines)
            self._waiting_bytes -= sum(map(len, lines))
            lines.clear()


def read_week_clock(lake: Lake, week: Week) -> ActiveClock:
    """The active clock of a week from its landed documents. A landed line that is no document is one rejection."""
    return read_active_clock(_documents(Landing(lake, WORKER_RESPONSE), week))


def _documents(landing: Landing, week: Week) -> Iterator[tuple[str, bytes]]:
    for key in landing.keys(week):
        for number, line in enumerate(landing.content(key).splitlines(), start=1):
            try:
                landed = _decode_landed(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                # Not a worker response either, so whoever reads it as one says what is wrong, and where.
                yield f"{key} line {number}", line
            else:
                yield landed.name, bytes(landed.document)


def _one_line(content: bytes) -> bytes:
    """The document as it lands. Raw line breaks stand between tokens only in valid JSON; a byte-order mark stands
    before all of them, where a landed line has other things."""
    return content.removeprefix(BYTE_ORDER_MARK).replace(b"\n", b" ").replace(b"\r", b" ").strip(b" \t")


def _digest(document: bytes) -> bytes:
    return hashlib.blake2b(document, digest_size=16).digest()
