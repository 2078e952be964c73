"""The S3 lake: objects, and partitions that are replaced whole.

Belongs here: put, get and list; writing one week of a table as Parquet and JSON Lines from the same rows,
with its manifest, and not at all when nothing changed.
Does not belong here: SQL (query/) and what a table holds (prism_core/lake.py).
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError
from isal import igzip

from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_core.lake import ColumnType, LakePartition, LakeTable
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code

ZSTD_LEVEL = 3
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a partition holds: its rows, the hash of their content, when it was last written, and from what.

    `inputs` are the keys of the raw objects that it was computed from: these expire, the partition does not.
    `evidence` is what else it was computed from, as prism_core/evidence.py writes it.
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


@dataclass(frozen=True, slots=True)
class PartitionWrite:
    """The outcome of a replacement: `written` is False when the content was there already."""

    manifest: Manifest
    written: bool


class Lake:
    """One bucket. Thread-safe, as botocore clients are."""

    def __init__(self, settings: Settings) -> None:
        self.bucket = settings.lake_bucket
        self._s3 = client(settings, "s3")

    def put(self, key: str, body: bytes, *, content_type: str, content_encoding: str | None = None) -> None:
        """Write one object whole."""
        extra: dict[str, Any] = {"ContentEncoding": content_encoding} if content_encoding else {}
        with calling(f"s3://{self.bucket}/{key}", "write"):
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type, **extra)

    def put_new(self, key: str, body: bytes, *, content_type: str) -> bool:
        """Write one object unless it exists; False when somebody else was first."""
        with calling(f"s3://{self.bucket}/{key}", "write"):
            try:
                self._s3.put_object(
                    Bucket=self.bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*"
                )
            except ClientError as error:
                if error_code(error) in {"PreconditionFailed", "412", "ConditionalRequestConflict"}:
                    return False
                raise
        return True

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
        with calling(f"s3://{self.bucket}/{prefix}", "listing"):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for item in page.get("Contents", ()):
                    yield item.get("Key", "")

    def manifest(self, partition: LakePartition) -> Manifest | None:
        body = self.get(partition.manifest)
        return None if body is None else Manifest(**json.loads(body))

    def replace_partition(
        self,
        table: LakeTable,
        week: Week,
        rows: Sequence[dict[str, Any]],
        *,
        generation: int,
        now: datetime,
        counts: Mapping[str, int] | None = None,
        inputs: Sequence[str] = (),
        evidence: Mapping[str, Any] | None = None,
    ) -> PartitionWrite:
        """Make `rows` the whole content of one week, in both formats; `counts` are evidence for the manifest.

        Equal rows leave the objects alone. The manifest is written last: a kill before it leaves objects
        that the next run of the same week overwrites.
        """
        partition = table.partition(week)
        lines = json_lines(rows)
        content_hash = hash_of(lines)
        before = self.manifest(partition)
        same_rows = before is not None and (before.content_hash, before.generation) == (content_hash, generation)
        rests_on = (dict(counts or {}), sorted(inputs), dict(evidence or {}))
        if before is not None and same_rows and (before.counts, before.inputs, before.evidence) == rests_on:
            return PartitionWrite(before, written=False)
        if not same_rows:
            parquet = parquet_bytes(table, rows)
            self.put(partition.parquet, parquet, content_type="application/vnd.apache.parquet")
            self.put(partition.jsonl, igzip.compress(lines, mtime=0), content_type="application/gzip")
        after = Manifest(table.name, week.label, len(rows), content_hash, generation, now.isoformat(), *rests_on)
        self.put(partition.manifest, json.dumps(asdict(after)).encode(), content_type="application/json")
        return PartitionWrite(after, written=True)

    def read_partition(self, table: LakeTable, week: Week) -> pa.Table | None:
        """One week as Arrow, None when it was never written."""
        body = self.get(table.partition(week).parquet)
        return None if body is None else pq.read_table(io.BytesIO(body))


def hash_of(lines: bytes) -> str:
    """What tells one content of a partition from another: of its JSON Lines."""
    return hashlib.blake2b(lines, digest_size=16).hexdigest()


def arrow_schema(table: LakeTable) -> pa.Schema:
    """The Arrow schema of a table, column comments included."""
    return pa.schema(
        [pa.field(c.name, ARROW_TYPES[c.type], metadata={"comment": c.meaning}) for c in table.columns],
        metadata={"comment": table.meaning},
    )


def parquet_bytes(table: LakeTable, rows: Sequence[dict[str, Any]]) -> bytes:
    """Rows as one Parquet file (zstd). Raises PermanentFailure when a row does not fit the table."""
    try:
        arrow = pa.Table.from_pylist(list(rows), schema=arrow_schema(table))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise PermanentFailure(f"rows do not fit lake table {table.name}: {error}") from error
    sink = io.BytesIO()
    pq.write_table(arrow, sink, compression="zstd", compression_level=ZSTD_LEVEL)
    return sink.getvalue()


def json_lines(rows: Sequence[dict[str, Any]]) -> bytes:
    """Rows as JSON Lines, keys in the order of the rows; decimals as numbers, dates as ISO text."""
    return b"".join(_encode_row(row) + b"\n" for row in rows)


_encode_row = msgspec.json.Encoder(decimal_format="number").encode
