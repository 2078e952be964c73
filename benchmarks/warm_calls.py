"""A probe: a contender that is loaded and warm, call after call.

Belongs here: the clock around the calls; the figure is the median of rounds, per call.
Does not belong here: what a call is. A contender's function makes it: `call()` answers, and `tell(answer)` is what
must be the same for all.
"""

import importlib
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import peak_rss_mib

ROUNDS = 10


def measure(target: str, input_path: str) -> dict[str, Any]:
    """The input is JSON: {"calls": N, …}."""
    given = json.loads(Path(input_path).read_text(encoding="utf-8"))
    module, _, function = target.partition(":")
    call, tell = getattr(importlib.import_module(module), function)(given)
    answer = tell(call())
    calls = max(1, given["calls"] // ROUNDS)
    rounds: list[float] = []
    started_cpu = time.process_time()
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(calls):
            call()
        rounds.append((time.perf_counter() - started) / calls)
    cpu_seconds = (time.process_time() - started_cpu) / (ROUNDS * calls)
    return {
        "seconds": statistics.median(rounds),
        "cpu_seconds": cpu_seconds,
        "peak_rss_mib": peak_rss_mib(),
        "answer": answer,
    }


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:])))
