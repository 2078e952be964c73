"""Events through the embedded AWS: from acceptance to the settled receipt, and the highest rate without loss.

Belongs here: the platform, the figures and the shares of stages. Does not belong here: producers
(event_producers.py). There is no peer: it is the embedded AWS that is loaded, and AWS itself is another matter
(docs/scale.md). Delays are those of each event's own stamps, stages those that the functions log of themselves.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.events_payloads import TASK, TASK_SCHEMA
from benchmarks.harness import ROOT, Target, circumstances, keep, print_targets
from benchmarks.own_platform import own_platform
from infra.addresses import api_url
from infra.local.platform import Platform
from infra.users import Users
from prism_core.events.conservation import Receipt
from prism_core.events.enrichment import Kind
from prism_core.events.objectives import P95_MS, nearest_rank
from prism_core.events.outcomes import Outcome
from prism_core.events.rollups import Grain
from prism_core.events.versions import SchemaVersion
from prism_core.models.events import EnrichmentRule
from prism_resources.aws import client
from prism_resources.events.balancing import Balancing
from prism_resources.events.lookup_store import LookupStore
from prism_resources.events.receipts import Receipts
from prism_resources.events.schema_store import SchemaStore

RATE, SECONDS, WARM_SECONDS = 20.0, 300.0, 10.0
# Of the search for the highest rate: how long one is tried, in posts of so many events, and how long its events
# may take to come to their end afterwards.
TRY_SECONDS, TRY_BATCH, DRAIN_SECONDS = 20.0, 10, 5.0
_PATIENCE_SECONDS = 120.0
_HOUR, _LOG_WINDOW = timedelta(hours=1), timedelta(seconds=10)
_STEPS = ("validate", "enrich", "store")
RULES = (
    EnrichmentRule(kind=Kind.TEXT, path="/worker", into="member_id", lookup="workers"),
    EnrichmentRule(kind=Kind.TEXT, path="/job", into="project_id", lookup="jobs"),
    EnrichmentRule(kind=Kind.COUNTRY, path="/client/ip", into="country", lookup="geo"),
    EnrichmentRule(kind=Kind.AGENT, path="/client/agent", into="agent"),
    EnrichmentRule(kind=Kind.MONEY, path="/cost", into="cost_eur", lookup="rates", beside="/currency"),
)
LOOKUPS = {
    "workers": "text,value\n" + "".join(f"w-{n},M-{n:05d}\n" for n in range(79)),
    "jobs": "text,value\n" + "".join(f"job-{n},P-{n:05d}\n" for n in range(88)),
    "geo": "network,country\n" + "".join(f"{n}.0.0.0/8,DE\n" for n in range(1, 224)),
    "rates": "currency,EUR\nUSD,0.9\nJPY,0.00605\n",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What producers sent, and what became of it. `delays` are ms from acceptance to the settled receipt."""

    sent: int
    accepted: int
    stored: int
    in_flight: int
    delays: tuple[float, ...]
    drained_seconds: float
    errors: tuple[str, ...]

    @property
    def lost(self) -> int:
        """Receipts that were given out and ended in anything but a stored event."""
        return self.accepted - self.stored


class Flow:
    """A platform whose events are measured."""

    def __init__(self, platform: Platform) -> None:
        self.settings = platform.settings
        self._receipts = Receipts(platform.settings)
        self._url = f"{api_url(platform.settings)}/api/events"
        now = datetime.now(UTC)
        for name, text in LOOKUPS.items():
            LookupStore(self.settings).add(name, text.encode(), by="benchmark", now=now)
        schema = json.dumps(TASK_SCHEMA).encode()
        about = {"value_at": "/seconds", "label_at": "/answer"}
        version = SchemaVersion.parse("1-0-0")
        SchemaStore(self.settings).add(TASK, version, schema, by="benchmark", now=now, rules=RULES, about=about)

    def send(self, rate: float, seconds: float, batch: int = 1, patience: float = _PATIENCE_SECONDS) -> Sent:
        """Send at a rate and wait for the outcomes, `patience` seconds at most."""
        given = {
            "url": self._url,
            "token": Users(self.settings).producer_token(),
            "rate": rate,
            "seconds": seconds,
            "batch": batch,
        }
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.event_producers"],
            cwd=ROOT,
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"the producers failed:\n{done.stderr}")
        said = json.loads(done.stdout)
        receipts = {receipt: datetime.fromisoformat(at) for receipt, at in said["receipts"]}
        ended = time.monotonic()
        found = self._await(receipts, ended + patience)
        settled = [one for one in found if one.outcome is not None and one.settled_at is not None]
        last = max((one.settled_at.timestamp() for one in settled if one.settled_at), default=0.0)
        finished = max((at.timestamp() for at in receipts.values()), default=0.0)
        return Sent(
            sent=said["sent"],
            accepted=len(receipts),
            stored=sum(one.outcome is Outcome.STORED for one in settled),
            in_flight=len(receipts) - len(settled),
            delays=tuple(_milliseconds(one.accepted_at, one.settled_at) for one in settled if one.settled_at),
            drained_seconds=round(last - finished, 2),
            errors=tuple(said["errors"]),
        )

    def _await(self, receipts: Mapping[str, datetime], deadline: float) -> list[Receipt]:
        """The receipts, when each has an outcome or the time is up."""
        hours = sorted({Grain.HOUR.start_of(at) for at in receipts.values()})
        while True:
            found = [one for hour in hours for one in self._receipts.of_hour(hour) if one.receipt in receipts]
            if all(one.outcome is not None for one in found) or time.monotonic() > deadline:
                return found
            time.sleep(1)

    def stages(self, since: datetime, until: datetime) -> dict[str, float]:
        """Mean ms of an event in each stage, by what the functions logged of themselves."""
        sums, events = defaultdict[str, float](float), defaultdict[str, int](int)

        def add(stage: str, milliseconds: float, number: int) -> None:
            sums[stage] += milliseconds * number
            events[stage] += number

        for line in self._lines("ingest", since, until):
            add("accept", line["milliseconds"], 1)
        for line in self._lines("dispatcher", since, until):
            add("queue", line["waited_milliseconds"], line["messages"])
        for line in self._lines("step", since, until):
            if line["step"] in _STEPS:
                add(line["step"], line["milliseconds"], line["events"])
        return {stage: sums[stage] / events[stage] for stage in ("accept", "queue", *_STEPS) if events[stage]}

    def _lines(self, function: str, since: datetime, until: datetime) -> Iterable[dict[str, Any]]:
        group = f"/aws/lambda/{self.settings.name_prefix}-events-{function}"
        logs, start = client(self.settings, "logs"), since
        while start < until:  # a page has 10,000 lines at most, and the embedded AWS gives no token for the next
            end = min(until, start + _LOG_WINDOW)
            first, last = (int(at.timestamp() * 1000) for at in (start, end))
            page = logs.filter_log_events(logGroupName=group, startTime=first, endTime=last - 1)
            for event in page["events"]:
                if event.get("message", "").startswith("{"):
                    yield json.loads(event.get("message", ""))
            start = end

    def wrong(self, since: datetime) -> list[str]:
        """What the balance of the hours since then says to be wrong."""
        hour, now, found = Grain.HOUR.start_of(since), datetime.now(UTC), list[str]()
        while hour <= now:
            found += Balancing(self.settings).of_hour(hour, now).wrong
            hour += _HOUR
        return found


def main(argv: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rate", type=float, default=RATE, help="events a second")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--warm-seconds", type=float, default=WARM_SECONDS)
    parser.add_argument("--try-seconds", type=float, default=TRY_SECONDS, help="of each rate of the search")
    parser.add_argument("--most", type=float, default=1_280, help="the highest rate that is tried")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/events_flow.json")
    options = parser.parse_args(argv)
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, own_platform(Path(folder) / "home") as platform:
        began, flow = datetime.now(UTC), Flow(platform)
        cold = flow.send(1, 1)
        _say(f"cold: {cold.delays[0]:,.0f} ms" if cold.delays else "the first event did not come to its end")
        flow.send(options.rate, options.warm_seconds)
        _say(f"warm after {options.warm_seconds:g} s; {options.rate:g} events/s for {options.seconds:g} s")
        since = datetime.now(UTC)
        steady = flow.send(options.rate, options.seconds)
        stages = flow.stages(since, datetime.now(UTC))
        _say(f"steady: {_told(steady)}")
        tried = _search(flow, options.rate, options.most, options.try_seconds)
        wrong = flow.wrong(began)
    result = {
        "benchmark": "events_flow",
        **circumstances(load_before),
        "rate": options.rate,
        "seconds": options.seconds,
        "events": steady.accepted,
        "cold_ms": round(cold.delays[0]) if cold.delays else None,
        "p50_ms": _rank(steady, 0.5),
        "p95_ms": _rank(steady, 0.95),
        "p99_ms": _rank(steady, 0.99),
        "stages": _shares(stages, steady.delays),
        "tried": tried,
        "highest_rate": max((one["rate"] for one in tried if one["held"]), default=0),
        "wrong": wrong,
        "errors": len(steady.errors),
    }
    promised = _promises(result, [cold, steady])
    result["targets"] = [
        {"promise": one.promise, "limit": one.limit, "measured": one.measured, "met": one.met} for one in promised
    ]
    _print(result, steady.errors)
    print_targets(promised)
    if options.save:
        keep("events_flow", result)
    return result


def _search(flow: Flow, rate: float, most: float, seconds: float) -> list[dict[str, Any]]:
    """Twice as many until a rate is not held, then the middle twice."""
    tried: list[dict[str, Any]] = []
    held, missed = rate, None
    for _ in range(12):
        now = held * 2 if missed is None else (held + missed) / 2
        if now > most or (missed is not None and len(tried) >= 2 and missed - held < held / 4):
            break
        since = datetime.now(UTC)
        found = flow.send(now, seconds, TRY_BATCH)
        ok = not found.errors and not found.lost and found.drained_seconds <= DRAIN_SECONDS
        tried.append(
            {
                "rate": now,
                "held": ok,
                "p95_ms": _rank(found, 0.95),
                "accepted": found.accepted,
                "stored": found.stored,
                "drained_seconds": found.drained_seconds,
                "refused_posts": len(found.errors),
                "stages": _shares(flow.stages(since, datetime.now(UTC)), found.delays),
            }
        )
        _say(f"{now:g} events/s: {_told(found)}, {'held' if ok else 'not held'}")
        held, missed = (now, missed) if ok else (held, now)
    return tried


def _milliseconds(since: datetime, until: datetime) -> float:
    return (until - since) / timedelta(milliseconds=1)


def _rank(sent: Sent, share: float) -> float | None:
    found = nearest_rank(sent.delays, share)
    return None if found is None else round(found, 1)


def _shares(stages: Mapping[str, float], delays: Sequence[float]) -> dict[str, dict[str, float]]:
    """Mean ms of each stage and its share of the mean delay; `machine` is what lies between the functions."""
    mean = sum(delays) / len(delays) if delays else 0.0
    whole = {**stages, "machine": max(0.0, mean - sum(stages.values()))}
    return {
        name: {"ms": round(ms, 1), "share": round(ms / mean, 3) if mean else 0.0} for name, ms in whole.items()
    }


def _promises(result: Mapping[str, Any], sent: Sequence[Sent]) -> list[Target]:
    return [
        Target("p95 from accepted to stored, ms", P95_MS, result["p95_ms"] or float("inf")),
        Target("accepted events that are not stored", 0, sum(one.lost for one in sent)),
        Target("sentences of the balance", 0, len(result["wrong"])),
    ]


def _told(sent: Sent) -> str:
    delays = f"p50 {_rank(sent, 0.5)} ms, p95 {_rank(sent, 0.95)} ms"
    return f"{delays}, {sent.stored:,} of {sent.sent:,} stored, drained in {sent.drained_seconds:g} s"


def _print(result: Mapping[str, Any], errors: Sequence[str]) -> None:
    _print_stages(f"{result['rate']:g} events/s", result["stages"])
    for one in result["tried"]:
        if one["rate"] == result["highest_rate"]:
            _print_stages(f"{one['rate']:g} events/s", one["stages"])
    print(f"cold {result['cold_ms']} ms; then {result['rate']:g} events/s for {result['seconds']:g} s:")
    print(f"p50 {result['p50_ms']} ms, p95 {result['p95_ms']} ms, p99 {result['p99_ms']} ms")
    print(f"highest rate held without a loss: {result['highest_rate']:g} events/s")
    for error in [*errors[:5], *result["wrong"]]:
        print(f"  {error}")


def _print_stages(title: str, stages: Mapping[str, Mapping[str, float]]) -> None:
    print(f"{title:<14} mean ms  share")
    for name, one in stages.items():
        print(f"{name:<14} {one['ms']:>7.1f}  {one['share']:.0%}")


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
