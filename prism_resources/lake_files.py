"""A week of a table as files: the same rows as Parquet and as JSON Lines.

Belongs here: Arrow schemas, both encodings, the hash of a content. Does not belong here: where files lie and when
they are written (lake.py).
Rows come and are encoded a slice at a time: a partition of a million rows takes the memory of its files.
"""

import hashlib
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from isal import isal_zlib
from pyarrow.lib import StringBuilder

from prism_core.failures import PermanentFailure
from prism_core.lake import Column, ColumnType, LakeTable

ZSTD_LEVEL = 3
# Rows that are encoded at once, and rows of a group in Parquet. Four times as many took 80 MB more, and as long.
SLICE_ROWS = 8_192
GROUP_ROWS = 65_536
GENERATION: Final = b"prism.generation"
CONTENT_HASH: Final = b"prism.content_hash"
ARROW_TYPES: Final[Mapping[ColumnType, pa.DataType]] = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
_PYTHON_TYPES: Final[Mapping[ColumnType, type]] = {
    "string": str,
    "bigint": int,
    "double": float,
    "boolean": bool,
    "date": date,
    "timestamp": datetime,
}
_GZIP = 31  # zlib's word for a gzip header, without a time in it: equal rows are equal bytes
_BEFORE_TIME = len("2026-01-05")
_encode = msgspec.json.Encoder(decimal_format="number").encode


# Rows that have a table's columns, in order: tables of any size, which can be gone through as often as wanted.
Slices = Iterable[pa.Table]


@dataclass(frozen=True, slots=True)
class Content:
    """The rows of a partition, encoded as JSON Lines (gzip), their number and hash. Parquet follows: it says which
    generation it is."""

    slices: Slices
    rows: int
    content_hash: str
    lines: bytes


def arrow_schema(table: LakeTable) -> pa.Schema:
    """The Arrow schema of a table, column comments included."""
    return pa.schema(
        [pa.field(c.name, ARROW_TYPES[c.type], metadata={"comment": c.meaning}) for c in table.columns],
        metadata={"comment": table.meaning},
    )


def no_rows(table: LakeTable) -> pa.Table:
    """The table without a row; `empty_table` would import pandas."""
    return pa.Table.from_batches([], arrow_schema(table))


def arrow_rows(table: LakeTable, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as Arrow. Raises PermanentFailure when one does not fit the table."""
    try:
        return pa.Table.from_pylist(list(rows), schema=arrow_schema(table))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise PermanentFailure(f"rows do not fit lake table {table.name}: {error}") from error


def content_of(table: LakeTable, slices: Slices) -> Content:
    """Encode rows that have the table's columns, in the order they come."""
    digest = _digest_of(table)
    packer = isal_zlib.compressobj(wbits=_GZIP)
    packed = bytearray()
    rows = 0
    for part in _in_slices_of(SLICE_ROWS, slices):
        lines = json_lines(table, part)
        digest.update(lines)
        packed += packer.compress(lines)
        rows += part.num_rows
    packed += packer.flush()
    return Content(slices, rows, digest.hexdigest(), bytes(packed))


def hash_of_lines(table: LakeTable, lines: bytes) -> str:
    """The hash of a content by its JSON Lines alone, unpacked: what a partition is checked with."""
    digest = _digest_of(table)
    digest.update(lines)
    return digest.hexdigest()


def rows_of_lines(table: LakeTable, lines: bytes) -> pa.Table:
    """The rows of JSON Lines of the table as it is today, unpacked: the way back from `json_lines`."""
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    rows = [
        {column.name: _value_of(column, row[column.name]) for column in table.columns}
        for row in map(decoder.decode, lines.splitlines())
    ]
    return arrow_rows(table, rows)


def _value_of(column: Column, raw: msgspec.Raw) -> object:
    text = bytes(raw)
    if text == b"null":
        return None
    if column.json:
        return text.decode()
    wanted = _PYTHON_TYPES[column.type]
    # The decoder reads -0 as a whole number, which has no sign: the content would be another one.
    return float(text) if wanted is float else msgspec.json.decode(text, type=wanted)


def _digest_of(table: LakeTable) -> "hashlib.blake2b":
    """The hash before the first row. A column that is gained or changes its type is another content."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update("\n".join(f"{column.name} {column.type}" for column in table.columns).encode())
    return digest


def parquet_bytes(table: LakeTable, content: Content, generation: int) -> bytes:
    """One Parquet file (zstd) that says itself which content and generation it is."""
    schema = arrow_schema(table)
    said = {GENERATION: str(generation).encode(), CONTENT_HASH: content.content_hash.encode()}
    sink = io.BytesIO()
    with pq.ParquetWriter(
        sink,
        schema.with_metadata({**(schema.metadata or {}), **said}),
        compression="zstd",
        compression_level=ZSTD_LEVEL,
    ) as writer:
        for part in _in_slices_of(GROUP_ROWS, content.slices):
            writer.write_table(part.replace_schema_metadata(schema.metadata))
    return sink.getvalue()


def json_lines(table: LakeTable, rows: pa.Table) -> bytes:
    """JSON Lines of a slice: numbers as numbers, dates and instants as ISO text, nothing as null.

    Joined by Arrow's kernels: 3 µs a row of twelve columns, where a dictionary a row takes 8.
    """
    pieces: list[Any] = []
    before = "{"
    for column in table.columns:
        values, opening, closing = _values(rows.column(column.name).combine_chunks(), is_json=column.json)
        pieces += [text_scalar(f'{before}"{column.name}":{opening}'), values]
        before = f"{closing},"
    ends = [text_scalar(f"{before[:-1]}}}\n"), text_scalar("")]
    return _bytes_of(pc.binary_join_element_wise(*pieces, *ends))


def _in_slices_of(rows: int, slices: Slices) -> Iterator[pa.Table]:
    """The same rows, so many at a time however they come: equal rows are equal files."""
    waiting: list[pa.Table] = []
    number = 0
    for part in slices:
        start = 0
        while number + part.num_rows - start >= rows:
            taken = rows - number
            yield pa.concat_tables([*waiting, part.slice(start, taken)])
            start, waiting, number = start + taken, [], 0
        if start < part.num_rows:
            waiting.append(part.slice(start))
            number += part.num_rows - start
    if waiting:
        yield pa.concat_tables(waiting)


def text_array(values: Sequence[str | None]) -> Any:
    """Texts as an Arrow array. `pa.array` takes 0.03 µs a text, but imports pandas at its first call: half a
    second and 50 MB, which an export does not get back. Plain ASCII is laid out here in 0.06 µs, the rest takes
    0.12."""
    if "pandas" in sys.modules:
        return pa.array(values, pa.string())
    try:
        data = "".join(values).encode("ascii")  # type: ignore[arg-type] # a None ends it, which is what is asked
    except (TypeError, UnicodeEncodeError):
        builder = StringBuilder()
        builder.append_values(values)
        return builder.finish()
    places: Any = np.zeros(len(values) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, values), np.int32, len(values)), out=places[1:])  # type: ignore[arg-type]
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(places), pa.py_buffer(data))


@lru_cache(maxsize=4096)
def text_scalar(value: str) -> Any:
    """One text; `pa.scalar` would import pandas, too."""
    return text_array((value,))[0]


def _values(array: Any, *, is_json: bool) -> tuple[Any, str, str]:
    """Each value of a column as JSON text, and what stands before and behind every one of them."""
    kind = array.type
    opening = closing = ""
    if pa.types.is_string(kind):
        if is_json:
            texts = array
        elif _needs_escape(array):
            texts = text_array([None if v is None else _encode(v).decode() for v in array.to_pylist()])
        else:
            texts, opening, closing = array, '"', '"'
    elif pa.types.is_timestamp(kind):
        # `strftime` would take 1.1 µs a value, this 0.05.
        spaced = array.cast(pa.timestamp("us")).cast(pa.string()).cast(pa.binary())
        texts = pc.binary_replace_slice(spaced, _BEFORE_TIME, _BEFORE_TIME + 1, b"T").cast(pa.string())
        opening, closing = '"', 'Z"'
    elif pa.types.is_date(kind):
        texts, opening, closing = array.cast(pa.string()), '"', '"'
    else:
        if pa.types.is_floating(kind) and not pc.all(pc.is_finite(array)).as_py():
            array = pc.if_else(pc.is_finite(array), array, pa.nulls(1, kind)[0])
        texts = array.cast(pa.string())
    if not texts.null_count:
        return texts, opening, closing
    if opening:
        texts = pc.binary_join_element_wise(text_scalar(opening), texts, text_scalar(closing), text_scalar(""))
    return pc.fill_null(texts, text_scalar("null")), "", ""


def _needs_escape(array: Any) -> bool:
    octets = np.frombuffer(_data_of(array), np.uint8)
    return bool(((octets < 0x20) | (octets == 0x22) | (octets == 0x5C)).any())


def _bytes_of(texts: Any) -> bytes:
    """The texts of an array without nulls, one behind the other: they lie in its buffer like that already."""
    array: Any = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return _data_of(array).to_pybytes()


def _data_of(texts: Any) -> Any:
    """Where the texts of an array lie: those of a slice are a part of it."""
    _, places, data = texts.buffers()
    if not len(texts) or data is None:
        return pa.py_buffer(b"")
    offsets = np.frombuffer(places, np.int32)
    first, end = offsets[texts.offset], offsets[texts.offset + len(texts)]
    return data.slice(first, end - first)
