"""An export end to end on a platform of its own: ten tables, in both formats, beside boto3's resource and json.

Belongs here: loading the tables, the contenders, that a second export writes nothing and ten times the items cost
about ten times. Does not belong here: the client alone (export_client.py).
The embedded AWS is one process beside the contender, on the same cores: its share is in every figure.
The peer writes one JSON Lines object a table; ours writes Parquet, JSON Lines (gzip) and a manifest.
"""

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.export_items import MAKERS, items_of
from benchmarks.harness import Target, compare, keep, print_targets
from benchmarks.own_platform import own_platform
from prism_core import clock
from prism_core.lake_tables import lake_tables
from prism_core.settings import Settings, load_settings
from prism_resources.aws import client
from prism_resources.tables.bulk import batch_write, put_request

PREPARED = "benchmarks.prepared"
PEER = "boto3 resource + json"
CONTENDERS = {
    "prism": "benchmarks.export_emulator:Ours",
    PEER: "benchmarks.export_emulator:Peer",
    "prism, nothing changed": "benchmarks.export_emulator:Again",
}
SIZES = (10_000, 100_000)


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, nargs="+", default=list(SIZES), help="items over ten tables")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/export_emulator*.json")
    options = parser.parse_args(argv)
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, own_platform(Path(folder) / "home") as platform:
        loaded = 0
        for items in sorted(options.items):
            load(platform.settings, loaded // len(MAKERS), items // len(MAKERS))
            loaded = items
            results.append(_compared(items, Path(folder), options))
    if len(results) > 1:
        _of_sizes(results, save=options.save)
    return results


def _compared(items: int, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    return compare(
        f"export_emulator_{items}",
        CONTENDERS,
        folder,
        repeats=options.repeats,
        save=options.save,
        facts={"items": items, "tables": len(MAKERS)},
        probe=PREPARED,
        targets=_half,
    )


def _half(result: Mapping[str, Any]) -> Sequence[Target]:
    ours, theirs = (result["contenders"][name]["seconds"] for name in ("prism", PEER))
    promise = f"share of the seconds of {PEER} ({ours:.2f} s beside {theirs:.2f} s)"
    return [Target(promise, 0.5, round(ours / max(theirs, 1e-9), 3))]


def _of_sizes(results: Sequence[Mapping[str, Any]], *, save: bool) -> None:
    small, large = results[0], results[-1]
    ours = [result["contenders"]["prism"]["seconds"] for result in (small, large)]
    times = large["items"] / small["items"]
    grown = Target(
        f"times the seconds for {times:g} times the items", 1.2 * times, round(ours[1] / max(ours[0], 1e-9), 2)
    )
    print_targets([grown])
    if save:
        keep("export_emulator_growth", {"benchmark": "export_emulator_growth", "targets": [asdict(grown)]})


def load(settings: Settings, done: int, each: int) -> None:
    """Bring every table to so many items; `done` are there."""
    week = clock.this_week()
    for table in MAKERS:
        items = (item for one, item in enumerate(items_of(table, each, week)) if one >= done)
        batch_write(client(settings, "dynamodb"), settings.table_name(table), map(put_request, items))
        print(f"{table}: {each:,} items", file=sys.stderr, flush=True)


# --- the contenders ----------------------------------------------------------------------------------------


def settled(settings: Settings) -> None:
    """The embedded AWS has saved what came before: it saves in a process of its own, a second or two on one of the
    two cores, and what one contender or its preparation left would be measured in the next.
    """
    from infra.local.emulator.process import EmulatorAddress  # noqa: PLC0415
    from infra.local.home import Home  # noqa: PLC0415

    port = urlsplit(str(settings.aws_endpoint_url)).port or 0
    EmulatorAddress(port, Home(settings.home).token()).administer("flush")


class Ours:
    share = 1

    def __init__(self, _: Path) -> None:
        from prism_resources.export.engine import Export  # noqa: PLC0415
        from prism_resources.lake import Lake  # noqa: PLC0415

        settings = load_settings()
        self._lake, self._week, self._tables = Lake(settings), clock.this_week(), lake_tables(MAKERS)
        self._empty()
        self._export = Export(settings, self._lake, now=clock.now())
        settled(settings)

    def _empty(self) -> None:
        for key in list(self._lake.keys("lake/")):
            self._lake.delete(key)

    def __call__(self) -> str:
        from prism_core.calendar import WeekRange  # noqa: PLC0415

        outcomes = self._export.run(self._tables, WeekRange(self._week, self._week))
        self._check(sum(outcome.written for outcome in outcomes))
        return f"{sum(outcome.rows for outcome in outcomes)} rows"

    def _check(self, written: int) -> None:
        assert written == len(self._tables), written  # noqa: S101 - a benchmark of nothing says nothing


class Again(Ours):
    """The same export once more."""

    def _empty(self) -> None:
        """What the others left: ours."""
        from prism_core.calendar import WeekRange  # noqa: PLC0415
        from prism_resources.export.engine import Export  # noqa: PLC0415

        first = Export(load_settings(), self._lake, now=clock.now())
        first.run(self._tables, WeekRange(self._week, self._week))

    def _check(self, written: int) -> None:
        assert written == 0, written  # noqa: S101


class Peer:
    """What a user would write."""

    share = 1

    def __init__(self, _: Path) -> None:
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        settings = load_settings()
        place: dict[str, Any] = {
            "region_name": settings.region,
            "endpoint_url": str(settings.aws_endpoint_url),
            "aws_access_key_id": "benchmark",
            "aws_secret_access_key": "benchmark",
        }
        dynamodb = boto3.resource("dynamodb", **place)
        self._tables = {name: dynamodb.Table(settings.table_name(name)) for name in MAKERS}
        self._s3 = boto3.client("s3", **place, config=Config(s3={"addressing_style": "path"}))
        self._bucket = settings.lake_bucket
        settled(settings)

    def __call__(self) -> str:
        rows = 0
        for name, table in self._tables.items():
            file, request = io.StringIO(), {}
            while True:
                answer = table.scan(**request)
                for item in answer["Items"]:
                    file.write(json.dumps(item, default=str) + "\n")
                    rows += 1
                if "LastEvaluatedKey" not in answer:
                    break
                request = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
            self._s3.put_object(Bucket=self._bucket, Key=f"peer/{name}.jsonl", Body=file.getvalue().encode())
        return f"{rows} rows"


if __name__ == "__main__":
    main()
