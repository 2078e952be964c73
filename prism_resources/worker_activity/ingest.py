"""Worker-activity files into the lake.

Belongs here: from paths to landed records, counting every line as loaded, duplicate or rejected.
Does not belong here: the form of a file (prism_core worker_activity/files.py) and what is printed (infra/cli).
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedReader
from pathlib import Path

from prism_core.calendar import Week, WeekRange
from prism_core.settings import ActivitySource
from prism_core.worker_activity.files import Accepted, Rejected, read_records
from prism_core.worker_activity.record import encode_landed
from prism_resources.worker_activity.landing import Landing

# Records a raw object: about 2 MB compressed. Bounds memory, and what a killed ingest has to repeat.
BATCH_RECORDS = 50_000
Reject = Callable[[Rejected], None]
Progress = Callable[[int], None]


@dataclass(slots=True)
class FileCounts:
    """What became of the lines of one file: read = loaded + duplicate + rejected."""

    file: str
    loaded: int = 0
    duplicate: int = 0
    rejected: int = 0
    weeks: set[Week] = field(default_factory=set)

    @property
    def read(self) -> int:
        return self.loaded + self.duplicate + self.rejected


class FileIngest:
    """Loads files one after the other; knows what the lake holds and what it has put there itself."""

    def __init__(self, landing: Landing, weeks: WeekRange, received: datetime) -> None:
        self._landing, self._weeks, self._received = landing, weeks, received
        self._known: dict[Week, set[str]] = {}
        self._pending: dict[Week, list[bytes]] = {}
        self._seen_files: dict[bytes, str] = {}

    def load(self, path: Path, reject: Reject, progress: Progress) -> FileCounts:
        """Load one file. Never raises for its content: every line that is not loaded goes to `reject`.

        Raises PermanentFailure when one of its weeks is fed from the log, TransientFailure when AWS does
        not answer; what had landed by then stays, and loading again finds it as duplicates.
        """
        name, counts = str(path), FileCounts(str(path))

        def refuse(line: int, reason: str, excerpt: str = "") -> None:
            counts.rejected += 1
            reject(Rejected(name, line, reason, excerpt))

        try:
            stream = path.open("rb")
        except OSError as error:
            refuse(0, f"the file cannot be read: {error.strerror}")
            return counts
        with stream:
            same = self._same_content(stream, name)
            if same is not None:
                refuse(0, f"the file has the same content as {same}, which this call has loaded")
                return counts
            for outcome in self._records(stream, name, progress):
                if isinstance(outcome, Rejected):
                    refuse(outcome.line, outcome.reason, outcome.excerpt)
                elif self._is_new(outcome):
                    counts.loaded += 1
                    counts.weeks.add(outcome.checked.week)
                    self._keep(outcome)
                else:
                    counts.duplicate += 1
                    counts.weeks.add(outcome.checked.week)
        self._land_all()
        return counts

    def _records(self, stream: BufferedReader, name: str, progress: Progress) -> Iterator[Accepted | Rejected]:
        position = 0
        for outcome in read_records(stream, name, self._weeks):
            yield outcome
            now_at = stream.tell()
            if now_at != position:
                progress(now_at - position)
                position = now_at

    def _same_content(self, stream: BufferedReader, name: str) -> str | None:
        digest = hashlib.file_digest(stream, "blake2b").digest()
        stream.seek(0)
        return None if (first := self._seen_files.setdefault(digest, name)) is name else first

    def _is_new(self, record: Accepted) -> bool:
        week = record.checked.week
        if week not in self._known:
            self._landing.claim(week, ActivitySource.FILES)
            self._known[week] = self._landing.ids(week)
        known = self._known[week]
        if record.id in known:
            return False
        known.add(record.id)
        return True

    def _keep(self, record: Accepted) -> None:
        week = record.checked.week
        lines = self._pending.setdefault(week, [])
        lines.append(encode_landed(record.id, self._received, record.record))
        if len(lines) >= BATCH_RECORDS:
            self._landing.land(week, ActivitySource.FILES, lines)
            lines.clear()

    def _land_all(self) -> None:
        for week, lines in self._pending.items():
            if lines:
                self._landing.land(week, ActivitySource.FILES, lines)
        self._pending.clear()
