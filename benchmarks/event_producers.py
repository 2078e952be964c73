"""Producers that post events of 1 kB at a steady rate, in a process of their own.

Belongs here: when each post is due and what its answer said. None is left out for being late, and none waits
for another. Does not belong here: the platform (own_platform.py) and the figures (events_flow.py).
"""

import json
import random
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from benchmarks.events_payloads import TASK, task

ANSWER_SECONDS = 60.0
PRODUCERS = 16
BATCH = "application/cloudevents-batch+json"


def run(url: str, token: str, rate: float, seconds: float, batch: int) -> dict[str, Any]:
    """`rate` events a second in posts of `batch`. Answers receipts with their instants, and errors."""
    rng = random.Random(3)
    number = max(1, round(rate * seconds / batch))
    bodies = [json.dumps([_event(rng) for _ in range(batch)]) for _ in range(number)]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH}
    limits = httpx.Limits(max_connections=PRODUCERS, max_keepalive_connections=PRODUCERS)
    with (
        httpx.Client(headers=headers, timeout=ANSWER_SECONDS, limits=limits) as http,
        ThreadPoolExecutor(PRODUCERS) as pool,
    ):
        started = time.monotonic()

        def post(turn: int) -> tuple[list[tuple[str, str]], str]:
            time.sleep(max(0.0, started + turn * batch / rate - time.monotonic()))
            try:
                answer = http.post(url, content=bodies[turn])
            except httpx.HTTPError as error:
                return [], repr(error)
            rows = answer.json().get("rows", ()) if answer.status_code < 500 else ()
            taken = [(one["receipt"], one["accepted_at"]) for one in rows if "receipt" in one]
            return taken, "" if len(taken) == batch else f"{answer.status_code} {answer.text[:200]}"

        done = list(pool.map(post, range(number)))
        took = time.monotonic() - started
    return {
        "sent": number * batch,
        "seconds": took,
        "receipts": [one for taken, _ in done for one in taken],
        "errors": [error for _, error in done if error],
    }


def _event(rng: random.Random) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": uuid.uuid4().hex,
        "source": "/benchmarks",
        "type": TASK,
        "data": task(rng),
    }


if __name__ == "__main__":
    json.dump(run(**json.load(sys.stdin)), sys.stdout)
