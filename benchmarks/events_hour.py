"""A question about a busy hour of events: its receipts read and added up, beside reading them as items.

Belongs here: a table of its own on the embedded AWS, filled with the receipts of one hour, and both ways, one
after the other in each repeat. Does not belong here: what the balance says (prism_core/events). What is held
against the promise (a question is answered within two seconds) is the CPU time of who asks: the embedded DynamoDB
is another process, slower than the one of AWS by much; what a person waits for it is printed beside.
"""

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness import Target, circumstances, keep, print_targets
from benchmarks.own_platform import own_platform
from prism_core.events.conservation import Receipt
from prism_core.events.objectives import QUERY_SECONDS
from prism_core.events.outcomes import Outcome
from prism_core.events.rollups import Grain
from prism_core.events.tally import Tally
from prism_core.history.changes import ULID_RANDOM_BYTES, ulid
from prism_core.models.events import RECEIPT_SHARDS, ReceiptItem, hour_of
from prism_core.settings import Settings
from prism_core.tables import RECEIPTS
from prism_resources.aws import client
from prism_resources.events.receipts import Receipts
from prism_resources.events.tallying import tally_of
from prism_resources.tables.bulk import batch_write, put_request
from prism_resources.tables.codec import encode
from prism_resources.tables.reader import TableReader

# Twenty events a second, the rate that is promised, are 72,000 an hour.
RECEIPTS_OF_HOUR, REPEATS = 72_000, 5
PRISM, PEER = "prism", "items of pydantic"


def main(argv: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--receipts", type=int, default=RECEIPTS_OF_HOUR)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/events_hour.json")
    options = parser.parse_args(argv)
    load_before = os.getloadavg()[0]
    now = Grain.HOUR.start_of(datetime.now(UTC)) + timedelta(minutes=59)
    with tempfile.TemporaryDirectory() as folder, own_platform(Path(folder) / "home") as platform:
        settings = platform.settings
        items = map(put_request, (encode(RECEIPTS, one) for one in _rows(now, options.receipts)))
        batch_write(client(settings, "dynamodb"), settings.table_name(RECEIPTS.name), items, workers=8)
        receipts, hour = Receipts(settings), Grain.HOUR.start_of(now)
        ways = {PRISM: lambda: tally_of(receipts, hour, now), PEER: lambda: _as_items(settings, hour, now)}
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        waited: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.repeats):
            for name, way in ways.items():
                own, whole = _timed(way, options.receipts)
                seconds[name].append(own)
                waited[name].append(whole)
    medians = {name: round(median(found), 3) for name, found in seconds.items()}
    result = {
        "benchmark": "events_hour",
        **circumstances(load_before),
        "receipts": options.receipts,
        "cpu_seconds": medians,
        "seconds_with_the_embedded_aws": {name: round(median(found), 3) for name, found in waited.items()},
        "ratio": round(medians[PEER] / medians[PRISM], 1),
    }
    target = Target("own CPU seconds of a question about an hour", QUERY_SECONDS, medians[PRISM])
    result["targets"] = [
        {"promise": target.promise, "limit": target.limit, "measured": target.measured, "met": target.met}
    ]
    for name, found in medians.items():
        print(f"{name:<20} {found:>8.3f} s of CPU, {median(waited[name]):>8.3f} s with the embedded AWS")
    print(f"{PEER} took {result['ratio']:g} times as much")
    print_targets([target])
    if options.save:
        keep("events_hour", result)
    return result


def _rows(now: datetime, number: int) -> Iterator[ReceiptItem]:
    hour = Grain.HOUR.start_of(now)
    for one in range(number):
        at = hour + timedelta(seconds=3_500 * one / number)
        yield ReceiptItem(
            receipt=ulid(at, secrets.token_bytes(ULID_RANDOM_BYTES)),
            producer=f"tool-{one % 7}",
            type="com.example.labelled",
            event_key=secrets.token_hex(16),
            accepted_at=at,
            outcome=Outcome.STORED,
            settled_at=at + timedelta(milliseconds=150),
            expires_at=int(at.timestamp()) + 35 * 86_400,
        )


def _timed(added_up: Callable[[], Tally], wanted: int) -> tuple[float, float]:
    """Until the hour is added up, as the API answers it: seconds of CPU of this process, and on the clock."""
    began, own = time.perf_counter(), time.process_time()
    found = added_up().balance
    took = time.process_time() - own, time.perf_counter() - began
    if found.accepted != wanted:
        sys.exit(f"{found.accepted:,} receipts were read of {wanted:,}")
    return took


def _as_items(settings: Settings, hour: datetime, now: datetime) -> Tally:
    """Each row a checked item, as the other tables are read."""
    reader = TableReader(client(settings, "dynamodb"), settings, RECEIPTS, ReceiptItem)

    def read(shard: int) -> list[ReceiptItem]:
        return list(reader.query("by_hour", hour=hour_of(hour), shard=shard, consistent=True))

    with ThreadPoolExecutor(8) as pool:
        rows = [one for found in pool.map(read, range(RECEIPT_SHARDS)) for one in found]
    tally = Tally(hour, now)
    tally.add(
        [
            Receipt(one.receipt, one.producer, one.accepted_at, one.outcome, one.settled_at, one.refused)
            for one in rows
        ]
    )
    return tally


if __name__ == "__main__":
    main()
