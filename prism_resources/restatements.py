"""The log of restatements in the lake: what was published before, written before it is replaced.

Belongs here: reading a published partition, writing and reading the entries beside it, and which of them really
took place. Does not belong here: what differs and why (prism_core/restatements.py), and when to write.
An entry is `lake/_restatements/<table>/week=W/<old generation>-<new generation>-<new content>.json`.
"""

import gzip
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from prism_core.calendar import Week
from prism_core.evidence import Cause, Evidence
from prism_core.failures import PermanentFailure
from prism_core.lake import LakeTable, restatements_prefix
from prism_core.restatements import Difference
from prism_resources.lake import Lake, Manifest, UnreadableManifest
from prism_resources.lake_files import CONTENT_HASH, GENERATION, hash_of_lines, rows_of_lines

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class State:
    """One content of a partition."""

    generation: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Published:
    """A partition as people read it, and what it was computed from.

    `lost`: people have read rows that are in no object any more.
    """

    state: State
    arrow: pa.Table | None
    evidence: Evidence
    written_at: str
    lost: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.lost and (self.arrow is None or not self.arrow.num_rows)

    def rows(self) -> list[dict[str, Any]]:
        """The rows as Python values: made when somebody compares them."""
        return [] if self.arrow is None else self.arrow.to_pylist()


@dataclass(frozen=True, slots=True)
class Entry:
    """One replacement of a published partition. `evidence` is that of the new content."""

    table: str
    week: Week
    old: State
    new: State
    restated_at: str
    reason: str | None
    rows: tuple[Difference, ...]
    changed: Mapping[str, Mapping[str, int]]
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def key(self) -> str:
        prefix = restatements_prefix(self.table, self.week)
        # Two runs at once may want the same generation: the one that comes second leaves the other's entry alone.
        return f"{prefix}{self.old.generation:06d}-{self.new.generation:06d}-{self.new.content_hash[:8]}.json"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The entries that led to what is published, oldest first, and those of runs that never got there."""

    entries: tuple[Entry, ...]
    abandoned: tuple[str, ...]


class RestatementLog:
    """The entries of one lake."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def published(self, table: LakeTable, week: Week) -> Published | None:
        """What readers of the lake see now, None when the week was never written.

        The Parquet object is what counts; the manifest is written after it and may be one content behind, or
        damaged. Then the evidence is that of the entry which led here. The rows of an object that is gone or cut
        off are those of the JSON Lines, when these are what the manifest says; else they are lost.
        """
        manifest = self._manifest(table, week)
        said, arrow = self._parquet(table, week)
        if said is None:
            if manifest is None:
                return None
            said = State(manifest.generation, manifest.content_hash)
            arrow = self._lines(table, week, manifest) if arrow is None else arrow
        if manifest is not None and said == State(manifest.generation, manifest.content_hash):
            evidence, lost = Evidence.from_plain(manifest.evidence), arrow is None and manifest.rows > 0
            return Published(said, arrow, evidence, manifest.written_at, lost)
        led_here = [entry for entry in self.entries(table.name, week) if entry.new == said]
        evidence = led_here[-1].evidence if led_here else Evidence()
        written_at = manifest.written_at if manifest is not None else ""
        return Published(said, arrow, evidence, led_here[-1].restated_at if led_here else written_at)

    def _parquet(self, table: LakeTable, week: Week) -> tuple[State | None, pa.Table | None]:
        """Which content the object says it is, and its rows; nothing when there is none that can be read."""
        body = self._lake.get(table.partition(week).parquet)
        if body is None:
            return None, None
        try:
            arrow = pq.read_table(io.BytesIO(body))
        except (pa.ArrowInvalid, OSError):
            return None, None
        said = arrow.schema.metadata or {}
        if GENERATION not in said:
            return None, arrow
        return State(int(said[GENERATION]), said.get(CONTENT_HASH, b"").decode()), arrow

    def _lines(self, table: LakeTable, week: Week, manifest: Manifest) -> pa.Table | None:
        """The rows of the JSON Lines, None unless they are the content of the manifest."""
        try:
            lines = gzip.decompress(self._lake.get(table.partition(week).jsonl) or b"")
        except (OSError, EOFError, zlib.error):
            return None
        return rows_of_lines(table, lines) if hash_of_lines(table, lines) == manifest.content_hash else None

    def _manifest(self, table: LakeTable, week: Week) -> Manifest | None:
        try:
            return self._lake.manifest(table.partition(week))
        except UnreadableManifest:  # the partition says itself what it is, and the next write repairs the manifest
            return None

    def write(self, entry: Entry) -> None:
        """Put an entry, before the content that it announces. Repeating it changes nothing."""
        self._lake.put(entry.key, _encode(entry), content_type=JSON)

    def highest(self, table: LakeTable, week: Week) -> int:
        """The highest generation that an entry leads to, 0 without any."""
        return max((entry.new.generation for entry in self.entries(table.name, week)), default=0)

    def entries(self, table: str, week: Week) -> list[Entry]:
        """Every entry of a week of a table, by key. Raises PermanentFailure for one that cannot be read."""
        found: list[Entry] = []
        for key in self._lake.keys(restatements_prefix(table, week)):
            body = self._lake.get(key)
            if body is not None:
                found.append(_decode(key, body))
        return found

    def recorded(self, table: LakeTable, week: Week) -> Recorded:
        """The entries that really took place: back from what is published, each one to the content before it."""
        entries = self.entries(table.name, week)
        if not entries:
            return Recorded((), ())
        now = self.published(table, week)
        by_new = {entry.new: entry for entry in entries}
        chain: list[Entry] = []
        state = None if now is None else now.state
        while state is not None and state in by_new:
            entry = by_new.pop(state)
            chain.append(entry)
            state = entry.old
        taken = {entry.key for entry in chain}
        return Recorded(tuple(reversed(chain)), tuple(entry.key for entry in entries if entry.key not in taken))


def _encode(entry: Entry) -> bytes:
    return json.dumps(
        {
            "table": entry.table,
            "week": entry.week.label,
            "old": {"generation": entry.old.generation, "content_hash": entry.old.content_hash},
            "new": {"generation": entry.new.generation, "content_hash": entry.new.content_hash},
            "restated_at": entry.restated_at,
            "reason": entry.reason,
            "changed": {part: dict(counts) for part, counts in entry.changed.items()},
            "rows": [_row(one) for one in entry.rows],
            "evidence": entry.evidence.plain(),
        },
        separators=(",", ":"),
    ).encode()


def _row(one: Difference) -> dict[str, Any]:
    return {
        "keys": dict(one.keys),
        "measure": one.measure,
        "old": one.old,
        "new": one.new,
        "causes": [cause.value for cause in one.causes],
    }


def _decode(key: str, body: bytes) -> Entry:
    try:
        values = json.loads(body)
        return Entry(
            values["table"],
            Week.parse(values["week"]),
            State(**values["old"]),
            State(**values["new"]),
            values["restated_at"],
            values["reason"],
            tuple(_differences(values["rows"])),
            values["changed"],
            Evidence.from_plain(values["evidence"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentFailure(
            f"{key} is no entry of the restatement log ({error!r}): put its earlier version back, or delete it "
            "and materialise `restatements` of that week again"
        ) from error


def _differences(rows: Sequence[Mapping[str, Any]]) -> list[Difference]:
    return [
        Difference(row["keys"], row["measure"], row["old"], row["new"], tuple(map(Cause, row["causes"])))
        for row in rows
    ]
