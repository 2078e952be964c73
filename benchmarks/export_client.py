"""What an export costs the client: pages of a scan to encoded partitions, beside boto3's resource and json.

Belongs here: the input (bodies of answers, as DynamoDB sends them) and the contenders, which read the same bytes.
Does not belong here: the network and the service (export_emulator.py).
Ours writes Parquet and JSON Lines (gzip) of four weeks; the peers write JSON Lines alone, and not compressed.
"""

import argparse
import json
import mmap
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.export_items import items_of
from benchmarks.harness import Target, compare
from prism_core.calendar import Week
from prism_core.lake_tables import QUALITY

WEEKS = [Week.parse(f"2026-W{number:02d}") for number in range(10, 14)]
PAGE_ITEMS = 2_000  # about 1 MB, where a page ends
TABLE = "prism-quality"
CONTENDERS = {
    "prism": "benchmarks.export_client:Ours",
    "boto3 resource + json": "benchmarks.export_client:Resource",
    "boto3 client + json": "benchmarks.export_client:Client",
}


def main(argv: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/export_client.json")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bodies"
        megabytes = generate(path, options.items)
        return compare(
            "export_client",
            CONTENDERS,
            path,
            repeats=options.repeats,
            save=options.save,
            probe="benchmarks.prepared",
            facts={"items": options.items, "body_megabytes": megabytes},
            targets=_ten_times,
        )


def _ten_times(result: Mapping[str, Any]) -> Sequence[Target]:
    ours, theirs = (result["contenders"][name]["cpu_seconds"] for name in ("prism", "boto3 resource + json"))
    micro = round(ours / result["items"] * 1e6, 2)
    share = round(ours / max(theirs, 1e-9), 4)
    return [Target(f"share of the CPU of boto3's resource and json ({micro} µs an item)", 0.1, share)]


def generate(path: Path, items: int) -> int:
    """Bodies one behind the other, each behind its length; answers their megabytes."""
    with path.open("wb") as file:
        for start in range(0, items, PAGE_ITEMS):
            number = min(PAGE_ITEMS, items - start)
            week = WEEKS[start // PAGE_ITEMS % len(WEEKS)]
            found = [_renumbered(item, start) for item in items_of("quality", number, week)]
            last = start + number >= items
            key = {} if last else {"LastEvaluatedKey": {"member_id": found[-1]["member_id"]}}
            body = json.dumps({"Count": number, "Items": found, **key, "ScannedCount": number}).encode()
            file.write(len(body).to_bytes(8) + body)
    return round(path.stat().st_size / 1e6)


def _renumbered(item: dict[str, Any], start: int) -> dict[str, Any]:
    """No two reviews have one key."""
    review = f"R-{start + int(item['review_id']['S'][2:]):09d}"
    sort = item["week_project_review"]["S"].rpartition("#")[0]
    return item | {"review_id": {"S": review}, "week_project_review": {"S": f"{sort}#{review}"}}


def bodies(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = 0
        while place < len(content):
            size = int.from_bytes(content[place : place + 8])
            yield content[place + 8 : place + 8 + size]
            content.madvise(mmap.MADV_DONTNEED)  # what was read is not the contender's memory
            place += 8 + size


# --- the contenders; each imports only its own libraries before it is timed, so that its memory is its own ---


class Ours:
    share = 1

    def __init__(self, path: Path) -> None:
        import pyarrow.compute as pc  # noqa: PLC0415

        from prism_resources.export.decode import ITEM_KEY, WEEK, RowDecoder  # noqa: PLC0415
        from prism_resources.export.spool import Spool  # noqa: PLC0415
        from prism_resources.export.typed import typed  # noqa: PLC0415
        from prism_resources.lake_files import content_of, parquet_bytes  # noqa: PLC0415

        self._path, self._decoder = path, RowDecoder(QUALITY)
        self._spool = Spool(ITEM_KEY, WEEK, [week.label for week in WEEKS])
        self._sum = pc.sum
        self._typed, self._content, self._parquet = typed, content_of, parquet_bytes

    def __call__(self) -> str:
        decoder, rows, correct = self._decoder, 0, 0
        with self._spool as spool:
            for body in bodies(self._path):
                spool.add(decoder.batch(decoder.pages.decode(body).Items))
            for week in WEEKS:
                content = self._content(QUALITY, self._typed(QUALITY, spool.rows(week.label)))
                parquet = self._parquet(QUALITY, content, 1)
                (self._path.parent / f"{week}.parquet").write_bytes(parquet)
                (self._path.parent / f"{week}.jsonl.gz").write_bytes(content.lines)
                rows += content.rows
                correct += sum(self._sum(part["correct"]).as_py() for part in content.slices)
        return f"{rows} rows, {correct} correct"


class Resource:
    """What a user would write: the resource's table, its items, json."""

    share = 1

    def __init__(self, path: Path) -> None:
        import boto3  # noqa: PLC0415

        dynamodb = boto3.resource("dynamodb", **_place())
        _answer_from(dynamodb.meta.client, path)
        self._path, self._scan = path, dynamodb.Table(TABLE).scan

    def __call__(self) -> str:
        return _written(self._scan, {}, self._path)


class Client:
    """The same with the client, and the deserializer called by hand."""

    share = 1

    def __init__(self, path: Path) -> None:
        import boto3  # noqa: PLC0415
        from boto3.dynamodb.types import TypeDeserializer  # noqa: PLC0415

        self._path, self._client, self._read = path, boto3.client("dynamodb", **_place()), TypeDeserializer()
        _answer_from(self._client, path)

    def __call__(self) -> str:
        return _written(self._page, {"TableName": TABLE}, self._path)

    def _page(self, **request: Any) -> dict[str, Any]:
        answer, read = self._client.scan(**request), self._read.deserialize
        return {**answer, "Items": [{n: read(v) for n, v in item.items()} for item in answer["Items"]]}


def _written(scan: Any, request: dict[str, Any], path: Path) -> str:
    rows, correct = 0, 0
    with (path.parent / "items.jsonl").open("w", encoding="utf-8") as file:
        while True:
            answer = scan(**request)
            for item in answer["Items"]:
                file.write(json.dumps(item, default=str) + "\n")
                rows += 1
                correct += int(item["correct"])
            if "LastEvaluatedKey" not in answer:
                return f"{rows} rows, {correct} correct"


def _place() -> dict[str, Any]:
    return {
        "region_name": "us-east-1",
        "endpoint_url": "http://127.0.0.1:1",
        "aws_access_key_id": "benchmark",
        "aws_secret_access_key": "benchmark",
    }


def _answer_from(client: Any, path: Path) -> None:
    """The bodies in the place of the network; signing, parsing and the rest are botocore's own."""
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415
    from botocore.compat import HTTPHeaders  # noqa: PLC0415

    waiting = bodies(path)

    class Raw:
        def __init__(self, body: bytes) -> None:
            self.body = body

        def stream(self, **_: Any) -> Iterator[bytes]:
            yield self.body

    def answer(request: Any, **_: Any) -> AWSResponse:
        headers = HTTPHeaders.from_dict({"Content-Type": "application/x-amz-json-1.0"})
        return AWSResponse(request.url, 200, headers, Raw(next(waiting)))

    client.meta.events.register("before-send.dynamodb.Scan", answer)


if __name__ == "__main__":
    main()
