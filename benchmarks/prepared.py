"""A probe that makes its contender ready before it measures: what is compared begins with the input in memory.

Belongs here: the probe. Does not belong here: contenders. One is a class that takes the path of the input; calling
the object is what is timed. `share` is the part of the work that it does (1 but for what would take hours): its
time is divided by it.
"""

import argparse
import gc
import importlib
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import peak_rss_mib


def measure(target: str, input_path: str) -> dict[str, Any]:
    module, _, name = target.partition(":")
    work = getattr(importlib.import_module(module), name)(Path(input_path))
    gc.collect()
    started, started_cpu = time.perf_counter(), time.process_time()
    answer = work()
    return {
        "seconds": (time.perf_counter() - started) / work.share,
        "cpu_seconds": (time.process_time() - started_cpu) / work.share,
        "peak_rss_mib": peak_rss_mib(),
        "answer": answer,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="measure one contender in this process")
    parser.add_argument("target")
    parser.add_argument("input_path")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.target, arguments.input_path)))
