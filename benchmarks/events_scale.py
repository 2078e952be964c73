"""The event pipeline at 100, 10,000 and 100,000 events a second: delays, quotas and cost.

Belongs here: the model (a queue whose servers take batches), its simulation, and the tables that docs/scale.md
quotes. Does not belong here: what AWS allows and asks (aws_prices.py). Nothing here is measured on AWS: times of
service are assumptions, named below. The same seed prints the same figures.
"""

import argparse
import heapq
import math
import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.aws_prices import PRICES, QUOTAS
from prism_core.models.events import EVENT_SHARDS, RECEIPT_SHARDS

RATES: Final = (100, 10_000, 100_000)
SECONDS_A_MONTH: Final = 30 * 86_400
HOURS_A_MONTH: Final = 720
EVENT_BYTES: Final = 1_000
OBJECTIVE_MS: Final = 500
# Servers are kept at most this busy, so that a peak of half as much again passes.
BUSY_AT_MOST: Final = 0.65
SEED: Final = 7
# Write units of a receipt: put 1, and 2 for its settling, which is a transaction.
_OF_RECEIPT: Final = 3


@dataclass(frozen=True, slots=True)
class Way:
    """How events get from acceptance to the store, in ms of warm functions.

    A batch of n takes `fixed + each * n`, spread as a lognormal of the variation `spread`; it is stored after the
    share `stored_at` of that. `before` passes between acceptance and the queue's first offer.
    """

    name: str
    batch: int
    fixed: float
    each: float
    spread: float
    stored_at: float
    before: float

    def mean_ms(self, size: float) -> float:
        return self.fixed + self.each * size


# 4 states that invoke a function (20 ms each), the start of the execution (20 ms), the dispatcher (10 ms).
QUEUE: Final = Way("SQS and Express", 10, 110, 2, 0.4, 0.75, 35)
# One function: writes of 25 keys at once, one object in S3. A consumer of its own is pushed to within 70 ms.
STREAM: Final = Way("Kinesis and batches", 500, 60, 0.4, 0.4, 0.9, 95)


@dataclass(frozen=True, slots=True)
class Delays:
    """ms from acceptance to the store, how long events waited in the queue, and events a batch."""

    p50: float
    p95: float
    p99: float
    wait_p95: float
    batch: float
    wait_mean: float


def simulate(way: Way, rate: float, servers: int, events: int, seed: int = SEED) -> Delays:
    """M/G/c in batches: events come by a Poisson process; a free server takes what waits, at most a batch.

    The first tenth is not counted: the queue begins empty.
    """
    rng = random.Random(seed)
    spread = math.sqrt(math.log(1 + way.spread**2))
    free = [0.0] * servers
    waiting: deque[float] = deque()
    delays: list[float] = []
    waits: list[float] = []
    served = batches = 0
    coming = _arrivals(rng, rate, events)
    ahead = next(coming)
    while served < events:
        start = max(heapq.heappop(free), waiting[0] if waiting else ahead)
        while ahead <= start:
            waiting.append(ahead)
            ahead = next(coming)
        size = min(way.batch, len(waiting))
        time = way.mean_ms(size) * math.exp(rng.gauss(-(spread**2) / 2, spread))
        for _ in range(size):
            came = waiting.popleft()
            waits.append(start - came)
            delays.append(way.before + start - came + time * way.stored_at)
        served, batches = served + size, batches + 1
        heapq.heappush(free, start + time)
    counted, waited = sorted(delays[len(delays) // 10 :]), sorted(waits[len(waits) // 10 :])
    p50, p95, p99 = (_rank(counted, share) for share in (0.5, 0.95, 0.99))
    return Delays(p50, p95, p99, _rank(waited, 0.95), served / batches, sum(waited) / len(waited))


def _arrivals(rng: random.Random, rate: float, events: int) -> Iterator[float]:
    """Instants in ms; after the last one nothing comes."""
    at = 0.0
    for _ in range(events):
        at += rng.expovariate(rate) * 1_000
        yield at
    while True:
        yield math.inf


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(1, math.ceil(share * len(ordered))) - 1]


def servers_for(way: Way, rate: float) -> int:
    """So many that full batches keep them BUSY_AT_MOST busy, and at least the five that a mapping begins with."""
    return max(5, math.ceil(rate / way.batch * way.mean_ms(way.batch) / 1_000 / BUSY_AT_MOST))


def shards_for(rate: float) -> int:
    """Of Kinesis, 70 % full at most: by records and by bytes."""
    by_records = rate / QUOTAS["shard_records"].value
    by_bytes = rate * EVENT_BYTES / QUOTAS["shard_bytes"].value
    return math.ceil(max(by_records, by_bytes) / 0.7)


def hottest_shard(rate: float, shards: int, seed: int = SEED) -> float:
    """Events/s of the fullest shard when keys are hashes: an equal share, and what chance adds within a second."""
    rng = random.Random(seed)
    mean = rate / shards
    return max(rng.gauss(mean, math.sqrt(mean)) for _ in range(shards))


# --- tables ------------------------------------------------------------------------------------------------------


def tables(events: int = 60_000) -> str:
    """All that is printed, and quoted by docs/scale.md."""
    found = {rate: simulate(QUEUE, rate, servers_for(QUEUE, rate), max(events, rate * 3)) for rate in RATES}
    batches = {rate: one.batch for rate, one in found.items()}
    return "\n\n".join((_delays(found, events), _crowded(events), _needs(), _keys(), _costs(batches), _figures()))


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" + "---:|" * (len(head) - 1)]
    cells = ([f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows)
    lines.extend("| " + " | ".join(row) + " |" for row in cells)
    return "\n".join(lines)


_HEAD: Final = ("events/s", "servers", "load", "batch", "p50 ms", "p95 ms", "p99 ms", "wait p95 ms", "< 500 ms")


def _row(name: str, way: Way, rate: float, servers: int, found: Delays) -> list[object]:
    """`load`: the share of the servers that full batches would keep busy."""
    load = rate / way.batch * way.mean_ms(way.batch) / 1_000 / servers
    figures = (found.p50, found.p95, found.p99, found.wait_p95)
    verdict = "yes" if found.p95 < OBJECTIVE_MS else "no"
    return [name, servers, f"{load:.2f}", f"{found.batch:.1f}", *(round(one) for one in figures), verdict]


def _delays(queued: Mapping[int, Delays], events: int) -> str:
    rows = [
        _row(f"{rate:,}, {QUEUE.name}", QUEUE, rate, servers_for(QUEUE, rate), found)
        for rate, found in queued.items()
    ]
    for rate in RATES[1:]:
        shards, parallel = shards_for(rate), 2
        fullest = hottest_shard(rate, shards)
        found = simulate(STREAM, fullest, parallel, events)
        rows.append(_row(f"{rate:,}, {STREAM.name}, fullest of {shards} shards", STREAM, fullest, parallel, found))
    return _table(_HEAD, rows)


def _crowded(events: int) -> str:
    """How the delay grows when servers are too few: the same 10,000 events a second."""
    full = RATES[1] / QUEUE.batch * QUEUE.mean_ms(QUEUE.batch) / 1_000
    sizes = [math.ceil(full / load) for load in (0.5, 0.65, 0.8, 0.9, 0.95, 1.05)]
    return _table(
        _HEAD,
        (
            _row(f"{RATES[1]:,}", QUEUE, RATES[1], servers, simulate(QUEUE, RATES[1], servers, events * 2))
            for servers in sizes
        ),
    )


def _needs() -> str:
    """Of each quota what a rate takes, and the rate that takes all of it. One event a request."""
    taken = {
        "api_requests": lambda rate: rate,
        "sqs_mapping": lambda rate: servers_for(QUEUE, rate),
        "sqs_in_flight": lambda rate: rate * (QUEUE.before + QUEUE.mean_ms(QUEUE.batch)) / 1_000,
        "express_sync": lambda rate: servers_for(QUEUE, rate),
        # The dispatcher, the step that it waits for, and ingest of 25 ms a request.
        "lambda_at_once": lambda rate: 2 * servers_for(QUEUE, rate) + rate * 0.025,
        # An object a pack.
        "s3_puts": lambda rate: rate / QUEUE.batch,
    }
    rows: list[list[object]] = []
    for name, take in taken.items():
        has = QUOTAS[name].value
        end = int(has / take(1_000_000) * 1_000_000)
        needs = (math.ceil(take(rate)) for rate in RATES)
        rows.append([QUOTAS[name].unit.partition(",")[0], *needs, int(has), end])
    return _table(("quota", *(f"at {rate:,}/s" for rate in RATES), "default", "used up at events/s"), rows)


def _keys() -> str:
    """Shards of a partition key, at half of what a partition takes: traffic of types and hours is never even."""
    half = QUOTAS["partition_writes"].value / 2
    writes = {
        "receipts, hour#shard: put, and settled in a transaction": (_OF_RECEIPT, RECEIPT_SHARDS),
        "index of events, type#hour#shard: all of one type": (1, EVENT_SHARDS),
    }
    rows: list[list[object]] = [
        [name, *(math.ceil(rate * each / half) for rate in RATES), built, int(built * half / each)]
        for name, (each, built) in writes.items()
    ]
    rows.append(["Kinesis, key of the event", *(shards_for(rate) for rate in RATES), "", ""])
    head = (f"at {rate:,}/s" for rate in RATES)
    return _table(("shards needed", *head, "built", "enough up to events/s"), rows)


def _costs(batches: Mapping[int, float]) -> str:
    """With batches as large as the simulation found them: free servers wait for nothing."""
    columns = {f"{rate:,}, SQS": (rate, _of_queue(rate, batches[rate], provisioned=False)) for rate in RATES}
    columns[f"{RATES[1]:,}, SQS, provisioned"] = (
        RATES[1],
        _of_queue(RATES[1], batches[RATES[1]], provisioned=True),
    )
    columns |= {f"{rate:,}, Kinesis": (rate, _of_stream(rate)) for rate in RATES[1:]}
    items = dict.fromkeys(item for _, costs in columns.values() for item in costs)
    rows: list[list[object]] = [
        [item, *(round(costs[item]) if item in costs else "" for _, costs in columns.values())] for item in items
    ]
    totals = [(rate, sum(costs.values())) for rate, costs in columns.values()]
    rows.append(["**a month**", *(round(total) for _, total in totals)])
    rows.append(["a million events", *(f"{total / rate / SECONDS_A_MONTH * 1e6:.2f}" for rate, total in totals)])
    return _table(("dollars", *columns), rows)


def _figures() -> str:
    rows = [
        (one.unit, f"{one.value:,.12f}".rstrip("0").rstrip("."), one.source, one.read_from)
        for one in (*QUOTAS.values(), *PRICES.values())
    ]
    return _table(("quota, or dollars for", "figure", "read in", "a page of"), rows)


def _of_queue(rate: int, batch: float, *, provisioned: bool) -> dict[str, float]:
    """One event a request at 100/s, 10 at 10,000/s, 50 at 100,000/s."""
    events = rate * SECONDS_A_MONTH
    requests = events / _in_request(rate)
    batches = events / batch
    seconds = batches * QUEUE.mean_ms(batch) / 1_000
    # The event in a transaction 2 x 2 units of 1 KB, its index 1; of a pack and minute a row and its index.
    writes = events * (_OF_RECEIPT + 5) + batches * 2
    return {
        "API Gateway": requests * _price("api_request"),
        "Lambda, ingest": _lambda(requests, 0.025, 0.5),
        # Sent in tens at most, received and deleted as batches.
        "SQS": (events / min(10, _in_request(rate)) + 2 * batches) * _price("sqs_request"),
        "Lambda, dispatcher and steps": _lambda(batches * 5, 0, 0)
        + seconds * (0.25 + 0.5) * _price("lambda_gb_s"),
        "Step Functions": batches * _price("express_request") + seconds * 0.0625 * _price("express_gb_s"),
        "DynamoDB, writes": _writes(writes, provisioned=provisioned),
        "S3": batches * _price("s3_put") + events * EVENT_BYTES / 5 / 1e9 * _price("s3_gb"),
    }


def _of_stream(rate: int) -> dict[str, float]:
    """A key of an event in DynamoDB (provisioned), bodies in S3 alone, a receipt a request."""
    events = rate * SECONDS_A_MONTH
    requests = events / _in_request(rate)
    shards, size = shards_for(rate), 100
    batches = events / size
    hours = shards * HOURS_A_MONTH
    return {
        "API Gateway": requests * _price("api_request"),
        "Lambda, ingest": _lambda(requests, 0.025, 0.5),
        "Kinesis": hours * (_price("shard_hour") + _price("fan_out_hour")) + events * _price("kinesis_put")
        + events * EVENT_BYTES / 1e9 * _price("fan_out_gb"),
        "Lambda, batches": _lambda(batches, STREAM.mean_ms(size) / 1_000, 1.0),
        "DynamoDB, writes": _writes(events + 2 * requests, provisioned=True),
        "S3": batches / 5 * _price("s3_put") + events * EVENT_BYTES / 5 / 1e9 * _price("s3_gb"),
    }  # fmt: skip


def _in_request(rate: int) -> int:
    return {RATES[0]: 1, RATES[1]: 10, RATES[2]: 50}[rate]


def _lambda(calls: float, seconds: float, gb: float) -> float:
    return calls * (_price("lambda_request") + seconds * gb * _price("lambda_gb_s"))


def _writes(units: float, *, provisioned: bool) -> float:
    """On demand, or provisioned and 70 % used."""
    if not provisioned:
        return units * _price("write_unit")
    return units / SECONDS_A_MONTH / 0.7 * HOURS_A_MONTH * _price("write_hour")


def _price(name: str) -> float:
    return PRICES[name].value


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.parse_args()
    print(tables())
