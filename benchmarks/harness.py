"""Side by side: named contenders over the same input, interleaved in one run.

Belongs here: fresh processes, repeats, wall and CPU time, peak memory, equal results, the table.
Does not belong here: what is measured; each benchmark names its contenders as `module:function`.
The first contender is ours; ratios are the others' median over ours, so more than 1 means that ours is faster.
A contender takes the path of the input and returns a text that must be the same for all.
"""

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def compare(
    name: str,
    contenders: Mapping[str, str],
    input_path: Path,
    *,
    repeats: int,
    save: bool,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Run, print the table, and return (and save) the figures. Exits when two contenders disagree."""
    load_before = os.getloadavg()[0]
    runs: dict[str, list[dict[str, Any]]] = {contender: [] for contender in contenders}
    for repeat in range(1, repeats + 1):
        for contender, target in contenders.items():
            figures = _run_alone(target, input_path)
            runs[contender].append(figures)
            _progress(f"{name} {repeat}/{repeats} {contender}: {figures['seconds']:.2f} s")
    _require_equal(name, runs)
    result = {
        "benchmark": name,
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "load_average_before": round(
            load_before, 2
        ),  # other work on the cores costs a contender with threads most
        "repeats": repeats,
        **facts,
        "contenders": {contender: _summary(measured) for contender, measured in runs.items()},
    }
    result["cpu_ratios"] = _ratios(result["contenders"], "cpu_seconds")
    result["ratios"] = _ratios(result["contenders"], "seconds")
    _print_table(result)
    if save:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def _run_alone(target: str, input_path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.harness", target, str(input_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode != 0:
        sys.exit(f"{target} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def _measure(target: str, input_path: str) -> dict[str, Any]:
    """Time the function, imports excluded: they are the same for a run of a million as for one of ten."""
    module, _, function = target.partition(":")
    work = getattr(importlib.import_module(module), function)
    started, started_cpu = time.perf_counter(), time.process_time()
    answer = work(Path(input_path))
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - started_cpu,
        "peak_rss_mib": _peak_rss_mib(),
        "answer": answer,
    }


def _peak_rss_mib() -> float:
    """VmHWM of Linux rather than ru_maxrss: the latter is inherited from the parent across exec."""
    status = Path("/proc/self/status")
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _require_equal(name: str, runs: Mapping[str, list[dict[str, Any]]]) -> None:
    answers = {contender: {run["answer"] for run in measured} for contender, measured in runs.items()}
    if len(set().union(*answers.values())) != 1:
        sys.exit(f"{name}: the contenders disagree: {answers}")


def _summary(measured: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "seconds": round(statistics.median(run["seconds"] for run in measured), 3),
        "cpu_seconds": round(statistics.median(run["cpu_seconds"] for run in measured), 3),
        "all_seconds": [round(run["seconds"], 3) for run in measured],
        "peak_rss_mib": round(max(run["peak_rss_mib"] for run in measured)),
    }


def _ratios(summaries: Mapping[str, dict[str, Any]], figure: str) -> dict[str, float]:
    ours = next(iter(summaries.values()))[figure]
    return {contender: round(summary[figure] / ours, 2) for contender, summary in summaries.items()}


def _print_table(result: Mapping[str, Any]) -> None:
    width = max(len(contender) for contender in result["contenders"])
    print(f"{'':<{width}}  median s  CPU s  peak MiB  CPU ratio  ratio")
    for contender, summary in result["contenders"].items():
        ratio, cpu_ratio = result["ratios"][contender], result["cpu_ratios"][contender]
        times = f"{summary['seconds']:>8.2f}  {summary['cpu_seconds']:>5.2f}"
        print(f"{contender:<{width}}  {times}  {summary['peak_rss_mib']:>8}  {cpu_ratio:>9.2f}  {ratio:>5.2f}")


def _progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="measure one contender in this process")
    parser.add_argument("target")
    parser.add_argument("input_path")
    arguments = parser.parse_args()
    print(json.dumps(_measure(arguments.target, arguments.input_path)))
