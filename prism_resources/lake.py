"""The S3 lake: objects, and partitions that are replaced whole.

Belongs here: put, get and list; writing one week of a table in both formats with its manifest, and not at all when
nothing changed. Does not belong here: SQL (query/), encodings (lake_files.py), what a table holds (prism_core).
The Parquet object is what publishes a week, and says itself which content and generation it is. JSON Lines are
written before it, the manifest after it: whatever a kill leaves, the next writer of the week sets right.
Each of them replaces only the object that its writer has seen: of two writers at once, one is told so.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from prism_core.calendar import Week
from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.lake import LakePartition, LakeTable, manifests_prefix, parquet_prefix
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code
from prism_resources.lake_files import (
    ARROW_TYPES,
    CONTENT_HASH,
    GENERATION,
    Content,
    arrow_rows,
    arrow_schema,
    content_of,
    parquet_bytes,
)

__all__ = (
    "ARROW_TYPES",
    "Lake",
    "Manifest",
    "PartitionWrite",
    "Stored",
    "Superseded",
    "UnreadableManifest",
    "arrow_schema",
    "hash_of_rows",
)

_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
# The object is another, is being written by somebody else, or is gone.
_LOST = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "NoSuchKey"})
PARQUET_TYPE, LINES_TYPE, JSON_TYPE = "application/vnd.apache.parquet", "application/gzip", "application/json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a partition holds: its rows, the hash of their content, when it was last written, and from what.

    `inputs` are the keys of the raw objects that it was computed from: these expire, the partition does not.
    `evidence` is what else it was computed from, as prism_core/evidence.py writes it.
    `columns` are those that the files have, `parts` the entity tags of the two objects by format.
    """

    table: str
    week: str
    rows: int
    content_hash: str
    generation: int
    written_at: str
    counts: dict[str, int] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    evidence: dict[str, Any] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RestsOn:
    """What a manifest says of where the rows come from; see there."""

    counts: dict[str, int] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    evidence: dict[str, Any] = field(default_factory=dict)


class UnreadableManifest(PermanentFailure):
    """A manifest that is cut off or altered. The partition itself is not touched by that."""


class Superseded(TransientFailure):
    """Another run has written the week meanwhile; what this one has read may be older."""


@dataclass(frozen=True, slots=True)
class PartitionWrite:
    """The outcome of a replacement: `written` is False when the content was there already.

    `notes` say what was found wrong with the partition and set right.
    """

    manifest: Manifest
    written: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as the bucket lists it."""

    key: str
    tag: str
    size: int


@dataclass(frozen=True, slots=True)
class _Standing:
    """What lies in the lake for a week: the content that is published, and what is wrong beside it."""

    manifest: Manifest | None
    content_hash: str | None
    generation: int
    lines: bool
    notes: tuple[str, ...]


class Lake:
    """One bucket. Thread-safe, as botocore clients are."""

    def __init__(self, settings: Settings) -> None:
        self.bucket = settings.lake_bucket
        self._s3 = client(settings, "s3")

    def put(self, key: str, body: bytes, *, content_type: str, content_encoding: str | None = None) -> str:
        """Write one object whole; answers its entity tag."""
        extra: dict[str, Any] = {"ContentEncoding": content_encoding} if content_encoding else {}
        with calling(f"s3://{self.bucket}/{key}", "write"):
            answer = self._s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type, **extra)
        return answer.get("ETag", "").strip('"')

    def put_new(self, key: str, body: bytes, *, content_type: str) -> bool:
        """Write one object unless it exists; False when somebody else was first."""
        return self.put_over(key, body, None, content_type=content_type) is not None

    def put_over(self, key: str, body: bytes, stands: str | None, *, content_type: str) -> str | None:
        """Write one object if the tag of what stands there is `stands` still (None: nothing does).

        Answers the new tag, None when somebody else was first.
        """
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if stands is None else {"IfMatch": f'"{stands}"'}
        with calling(f"s3://{self.bucket}/{key}", "write"):
            try:
                answer = self._s3.put_object(
                    Bucket=self.bucket, Key=key, Body=body, ContentType=content_type, **condition
                )
            except ClientError as error:
                if error_code(error) in _LOST:
                    return None
                raise
        return answer.get("ETag", "").strip('"')

    def get(self, key: str) -> bytes | None:
        """The object's bytes, None when there is none."""
        with calling(f"s3://{self.bucket}/{key}", "read"):
            try:
                return self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            except ClientError as error:
                if error_code(error) in _MISSING:
                    return None
                raise

    def delete(self, key: str) -> None:
        """Delete one object; none is fine. The bucket keeps its old version for a day."""
        with calling(f"s3://{self.bucket}/{key}", "delete"):
            self._s3.delete_object(Bucket=self.bucket, Key=key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below `prefix`, in order."""
        return (found.key for found in self.stored(prefix))

    def stored(self, prefix: str) -> Iterator[Stored]:
        """Every object below `prefix`, in order of its key."""
        with calling(f"s3://{self.bucket}/{prefix}", "listing"):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for item in page.get("Contents", ()):
                    yield Stored(item.get("Key", ""), item.get("ETag", "").strip('"'), item.get("Size", 0))

    def listed(self, table: LakeTable, weeks: Sequence[Week]) -> dict[str, Stored]:
        """The objects of a table by key, by a listing a format: of one week its own, of several those of all.

        A writer lists before it reads what it computes from: see `known` of write_partition.
        """
        formats = (parquet_prefix(table.name), f"lake/jsonl/{table.name}/", manifests_prefix(table.name))
        narrow = [f"week={week}" for week in weeks] if len(weeks) == 1 else [""]
        prefixes = [prefix + week for prefix in formats for week in narrow]
        return {found.key: found for prefix in prefixes for found in self.stored(prefix)}

    def manifest(self, partition: LakePartition) -> Manifest | None:
        """None when there is none. Raises UnreadableManifest when it is cut off or altered."""
        body = self.get(partition.manifest)
        if body is None:
            return None
        try:
            return msgspec.json.decode(body, type=Manifest)
        except msgspec.MsgspecError as error:
            raise UnreadableManifest(
                f"the manifest s3://{self.bucket}/{partition.manifest} cannot be read ({error}); the partition "
                f"itself is not affected: {_writes(partition.table)} writes it anew"
            ) from error

    def replace_partition(
        self,
        table: LakeTable,
        week: Week,
        rows: Sequence[dict[str, Any]],
        *,
        generation: int,
        now: datetime,
        counts: Mapping[str, int] | None = None,
    ) -> PartitionWrite:
        """Make `rows` the whole content of one week; the counts are for the manifest."""
        content, rests_on = content_of(table, [arrow_rows(table, rows)]), RestsOn(dict(counts or {}))
        return self.write_partition(table, week, content, generation=generation, now=now, rests_on=rests_on)

    def write_partition(
        self,
        table: LakeTable,
        week: Week,
        content: Content,
        *,
        now: datetime,
        generation: int | None = None,
        rests_on: RestsOn | None = None,
        known: Mapping[str, Stored] | None = None,
        sparse: bool = False,
    ) -> PartitionWrite:
        """Make `content` that of one week, in both formats. Equal content leaves the objects alone.

        Without a `generation` it gets the one behind the standing one. `known` are the objects of the table, when
        they were listed already: before the rows were read, since a week that was written between the two is not
        replaced. `sparse`: a week that never had a row gets a manifest and no empty files.

        Raises Superseded when another run has written the week since its objects were listed.
        """
        partition = table.partition(week)
        known = self.listed(table, [week]) if known is None else known
        stands = self._standing(partition, known)
        same = stands.content_hash == content.content_hash and generation in {None, stands.generation}
        bare = sparse and not content.rows and not known.keys() & {partition.parquet, partition.jsonl}
        rests_on, before = rests_on or RestsOn(), stands.manifest
        if same and stands.lines and before is not None and not stands.notes:
            if rests_on == RestsOn(before.counts, before.inputs, before.evidence):
                return PartitionWrite(before, written=False)
            parts = before.parts
        else:
            parts = {}
        if generation is None:
            generation = stands.generation if same else stands.generation + 1
        if not parts and not bare:
            parts = self._put_parts(table, partition, content, generation, known, stands if same else None)
        after = Manifest(
            table=table.name,
            week=week.label,
            rows=content.rows,
            content_hash=content.content_hash,
            generation=generation,
            written_at=now.isoformat(),
            counts=rests_on.counts,
            inputs=rests_on.inputs,
            evidence=rests_on.evidence,
            columns=[column.name for column in table.columns],
            parts=parts,
        )
        self._replace(partition.manifest, msgspec.json.encode(after), known, JSON_TYPE)
        return PartitionWrite(after, written=True, notes=stands.notes + _gained(before, after))

    def _put_parts(
        self,
        table: LakeTable,
        partition: LakePartition,
        content: Content,
        generation: int,
        known: Mapping[str, Stored],
        stands: _Standing | None,
    ) -> dict[str, str]:
        """Write the objects that do not stand already; answers the tags of both."""
        lines, parquet = known.get(partition.jsonl), known.get(partition.parquet)
        if stands is not None and stands.lines and lines is not None:
            lines_tag = lines.tag
        else:
            lines_tag = self._replace(partition.jsonl, content.lines, known, LINES_TYPE)
        if stands is not None and parquet is not None:
            parquet_tag = parquet.tag
        else:
            body = parquet_bytes(table, content, generation)
            parquet_tag = self._replace(partition.parquet, body, known, PARQUET_TYPE)
        return {"parquet": parquet_tag, "jsonl": lines_tag}

    def _replace(self, key: str, body: bytes, known: Mapping[str, Stored], content_type: str) -> str:
        """Write one object over the one that was listed; answers the new tag."""
        listed = known.get(key)
        tag = self.put_over(key, body, None if listed is None else listed.tag, content_type=content_type)
        if tag is None:
            raise Superseded(
                f"another run has written s3://{self.bucket}/{key} meanwhile; start this one again when that one "
                "has ended, so that the week holds what was read last"
            )
        return tag

    def _standing(self, partition: LakePartition, known: Mapping[str, Stored]) -> _Standing:
        """What is published, by the manifest if it fits the objects, else by what the Parquet object says."""
        notes: list[str] = []
        manifest: Manifest | None = None
        if partition.manifest in known:
            try:
                manifest = self.manifest(partition)
            except UnreadableManifest as error:
                notes.append(str(error))
        parquet, lines = known.get(partition.parquet), known.get(partition.jsonl)
        said = manifest.parts if manifest else {}
        last = manifest.generation if manifest else 0
        # A sparse week without a row: nothing lies beside its manifest. What does was put there by a run that was
        # ended before its own manifest.
        bare = manifest is not None and not manifest.rows and not said
        if parquet is None:
            if manifest is not None and bare and lines is None:
                return _Standing(manifest, manifest.content_hash, last, lines=True, notes=tuple(notes))
            if bare:
                notes.append(_unsaid(partition.jsonl))
            elif manifest is not None:
                notes.append(_gone(partition.parquet, manifest))
            return _Standing(manifest, None, last, lines=False, notes=tuple(notes))
        lines_fit = lines is not None and said.get("jsonl", lines.tag) == lines.tag
        if manifest is not None and not bare and said.get("parquet", parquet.tag) == parquet.tag:
            if lines is None:
                notes.append(_gone(partition.jsonl, manifest))
            return _Standing(manifest, manifest.content_hash, last, lines_fit, tuple(notes))
        content_hash, generation = self._of_parquet(partition)
        if content_hash is None:
            notes.append(f"{partition.parquet} does not say what it is, or is cut off")
        elif manifest is not None or not notes:
            notes.append(_unsaid(partition.parquet))
        return _Standing(manifest, content_hash, max(last, generation), lines=False, notes=tuple(notes))

    def _of_parquet(self, partition: LakePartition) -> tuple[str | None, int]:
        """Content hash and generation as the Parquet object says them; nothing when it cannot be read."""
        body = self.get(partition.parquet)
        try:
            said = pq.read_schema(io.BytesIO(body or b"")).metadata or {}
        except (pa.ArrowInvalid, OSError):
            return None, 0
        return said.get(CONTENT_HASH, b"").decode() or None, int(said.get(GENERATION, b"0"))

    def read_partition(self, table: LakeTable, week: Week, only: Sequence[str] | None = None) -> pa.Table | None:
        """One week as Arrow, None when it was never written; `only`: these columns."""
        body = self.get(table.partition(week).parquet)
        if body is None:
            return None
        return pq.read_table(io.BytesIO(body), columns=None if only is None else list(only))


def hash_of_rows(table: LakeTable, rows: Sequence[Mapping[str, Any]]) -> str:
    """What tells one content of a partition from another; the manifest of these rows would say the same."""
    return content_of(table, [arrow_rows(table, rows)]).content_hash


def _gone(key: str, manifest: Manifest) -> str:
    return f"{key} is missing, although its manifest counts {manifest.rows:,} rows"


def _unsaid(key: str) -> str:
    return f"{key} is newer than its manifest: a run was ended in between"


def _writes(table: str) -> str:
    return f"`prism export --tables {table}`, or the asset that computes it,"


def _gained(before: Manifest | None, after: Manifest) -> tuple[str, ...]:
    """What changed in the columns since the partition was written; nothing is known of one without a list."""
    if before is None or not before.columns or before.columns == after.columns:
        return ()
    gained = [name for name in after.columns if name not in before.columns]
    lost = [name for name in before.columns if name not in after.columns]
    words = [f"gained {', '.join(gained)}"] if gained else []
    words += [f"lost {', '.join(lost)}"] if lost else []
    return (f"{after.table} {after.week} {' and '.join(words) or 'has its columns in another order'}",)
