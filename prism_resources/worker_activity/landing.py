"""Raw worker activity in the lake: immutable objects, a week at a time.

Belongs here: landing new records, reading back what has landed, and the claim that keeps one week from
being fed by files and by the log at once.
Does not belong here: what is new (intake.py), reading files (ingest.py) or the log (log.py), and counting.
"""

import hashlib
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec
from isal import igzip

from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_core.lake import WORKER_ACTIVITY, raw_prefix, raw_root
from prism_core.settings import ActivitySource
from prism_core.worker_activity.files import Rejected
from prism_resources.lake import Lake

_CLAIM = "_source"
_SUFFIX = ".jsonl.gz"
_WEEK = re.compile(r"week=(\d{4}-W\d{2})/")
_log = logging.getLogger(__name__)


class OtherSource(PermanentFailure):
    """A week is fed from the other source already: the same task has another identity there, so it would count
    twice."""

    def __init__(self, week: Week, holder: str, source: ActivitySource) -> None:
        super().__init__(
            f"{week} is fed from {holder} already and cannot be fed from {source.value} as well; "
            f"finish the week from {holder}, or start it over with "
            f"`prism ingest worker-activity --start-over {week}`"
        )


class _Identified(msgspec.Struct, gc=False):
    """The only field of a landed line that duplicate detection reads."""

    id: str


_decode_id = msgspec.json.Decoder(_Identified).decode


class Landing:
    """The raw objects of one kind of input, by week."""

    def __init__(self, lake: Lake, kind: str = WORKER_ACTIVITY) -> None:
        self._lake, self._kind = lake, kind

    def claim(self, week: Week, source: ActivitySource) -> None:
        """Bind a week to its source. Raises OtherSource when it is fed from the other one already."""
        key = raw_prefix(self._kind, week) + _CLAIM
        if self._lake.put_new(key, source.value.encode(), content_type="text/plain"):
            return
        holder = (self._lake.get(key) or b"").decode()
        if holder != source.value:
            raise OtherSource(week, holder, source)

    def source(self, week: Week) -> str | None:
        """Which source feeds the week, None when nothing has landed."""
        claimed = self._lake.get(raw_prefix(self._kind, week) + _CLAIM)
        return claimed.decode() if claimed is not None else None

    def land(self, week: Week, source: ActivitySource, lines: Iterable[bytes]) -> str:
        """Put landed lines (prism_core record.encode_landed) as one immutable object; returns its key.

        The key is the hash of the content, and the content says when it was received: putting the same
        lines again overwrites an object with itself.
        """
        body = b"".join(lines)
        name = hashlib.blake2b(body, digest_size=16).hexdigest()
        key = f"{raw_prefix(self._kind, week)}{source.value}/{name}{_SUFFIX}"
        self._lake.put(key, igzip.compress(body, mtime=0), content_type="application/gzip")
        return key

    def keys(self, week: Week) -> list[str]:
        """The landed objects of a week, in order of their key."""
        return [key for key in self._lake.keys(raw_prefix(self._kind, week)) if key.endswith(_SUFFIX)]

    def by_week(self) -> dict[Week, list[str]]:
        """The landed objects of every week that has some, in order of their key: one listing of all."""
        root, found = raw_root(self._kind), defaultdict[Week, list[str]](list)
        for key in self._lake.keys(root):
            below = _WEEK.match(key, len(root))
            if below is not None and key.endswith(_SUFFIX):
                found[Week.parse(below[1])].append(key)
        return dict(found)

    def contents(self, week: Week) -> Iterator[bytes]:
        """Every landed object of a week, decompressed, one at a time."""
        return (self.content(key) for key in self.keys(week))

    def content(self, key: str) -> bytes:
        """One landed object, decompressed."""
        body = self._lake.get(key)
        if body is None:
            raise PermanentFailure(f"s3://{self._lake.bucket}/{key} vanished while it was read")
        return igzip.decompress(body)

    def ids(self, week: Week) -> set[str]:
        """The ids of all records that have landed in a week."""
        return self.ids_of(self.keys(week))

    def ids_of(self, keys: Iterable[str]) -> set[str]:
        """The ids in some landed objects. A line without one is the engine's to report."""
        found: set[str] = set()
        for key in keys:
            for line in self.content(key).splitlines():
                try:
                    found.add(_decode_id(line).id)
                except msgspec.DecodeError:
                    _log.warning("a landed line of %s is unreadable: %r", key, line[:80])
        return found


def rejects_prefix(kind: str, week: Week) -> str:
    """Where records of a live source that were refused are kept; they do not expire with the raw input."""
    return f"rejects/{kind}/week={week}/"


def keep_rejects(lake: Lake, kind: str, week: Week, rejected: Iterable[Rejected]) -> str:
    """Keep refused records with place and reason; returns the key. The same ones again overwrite themselves."""
    body = b"".join(msgspec.json.encode(item) + b"\n" for item in rejected)
    key = f"{rejects_prefix(kind, week)}{hashlib.blake2b(body, digest_size=16).hexdigest()}.jsonl"
    lake.put(key, body, content_type="application/x-ndjson")
    return key
