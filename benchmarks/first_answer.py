"""A probe: one contender in a process that has loaded nothing else, imports included.

Belongs here: the clock around a start. Does not belong here: anything imported before the clock stops that a
contender would have to import itself.
"""

import sys
import time


def measure(target: str, input_path: str) -> dict[str, object]:
    started, started_cpu = time.perf_counter(), time.process_time()
    module, _, function = target.partition(":")
    answered = getattr(__import__(module, fromlist=[function]), function)(input_path)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - started_cpu

    import json  # noqa: PLC0415

    from benchmarks.harness import peak_rss_mib  # noqa: PLC0415

    answer = None
    if answered is not None:
        answer = json.dumps([answered["statusCode"], json.loads(answered["body"])], sort_keys=True)
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_rss_mib": peak_rss_mib(), "answer": answer}


if __name__ == "__main__":
    figures = measure(*sys.argv[1:])
    import json

    print(json.dumps(figures))
