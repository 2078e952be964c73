"""Worker-activity files into the lake.

Belongs here: from paths to landed records, counting every line as loaded, duplicate or rejected.
Does not belong here: the form of a file (prism_core worker_activity/files.py) and what is printed (infra/cli).
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedReader
from pathlib import Path

from prism_core.calendar import Week, WeekRange
from prism_core.settings import ActivitySource
from prism_core.worker_activity.files import Accepted, Rejected, excerpt_of, read_records
from prism_core.worker_activity.record import encode_landed
from prism_resources.worker_activity.intake import Intake, Outcome
from prism_resources.worker_activity.landing import Landing

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
        self._weeks, self._received = weeks, received
        self._intake = Intake[int](landing, ActivitySource.FILES)
        self._seen_files: dict[bytes, str] = {}

    def load(self, path: Path, reject: Reject, progress: Progress) -> FileCounts:
        """Load one file. Never raises for its content: every line that is not loaded goes to `reject`, also
        those of a week that is fed from the log.

        Raises TransientFailure when AWS does not answer; what had landed by then stays, and loading again
        finds it as duplicates.
        """
        name = readable_name(path)
        counts = FileCounts(name)

        def refuse(line: int, reason: str, excerpt: str = "") -> None:
            counts.rejected += 1
            reject(Rejected(name, line, reason, excerpt))

        def refuse_after_all(week: Week, line: int, reason: str) -> None:
            counts.loaded -= 1
            counts.weeks.discard(week)
            refuse(line, reason)

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
                    continue
                week = outcome.checked.week
                verdict, reason = self._intake.judge(week, outcome.id)
                if verdict is Outcome.REFUSED:
                    refuse(outcome.line, reason, excerpt_of(outcome.record))
                    continue
                counts.weeks.add(week)
                if verdict is Outcome.DUPLICATE:
                    counts.duplicate += 1
                    continue
                counts.loaded += 1
                landed = encode_landed(outcome.id, self._received, outcome.record)
                self._intake.keep(week, outcome.line, landed, refuse_after_all)
        self._intake.finish(refuse_after_all)
        return counts

    def _records(self, stream: BufferedReader, name: str, progress: Progress) -> Iterator[Accepted | Rejected]:
        position = 0
        for outcome in read_records(stream, name, self._weeks):
            yield outcome
            # A pipe, such as `<(zcat file)`, has no position to show.
            now_at = stream.tell() if stream.seekable() else position
            if now_at != position:
                progress(now_at - position)
                position = now_at

    def _same_content(self, stream: BufferedReader, name: str) -> str | None:
        """The file of this call with the same content. A pipe is read once, so it is not compared: its records
        are duplicates all the same. Neither is what a disk cannot read to the end."""
        if not stream.seekable():
            return None
        try:
            digest = hashlib.file_digest(stream, "blake2b").digest()
        except OSError:
            return None
        finally:
            stream.seek(0)
        return None if (first := self._seen_files.setdefault(digest, name)) is name else first


def readable_name(path: Path) -> str:
    """The path as text that can be written anywhere: bytes that are no UTF-8 as `\\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
