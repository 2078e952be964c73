"""Side by side: named contenders over the same input, interleaved in one run.

Belongs here: fresh processes, repeats, wall and CPU time, peak memory, equal results, the table.
Does not belong here: what is measured; each benchmark names its contenders as `module:function`.
The first contender is ours; ratios are the others' median over ours, so more than 1 means that ours is faster.
A contender takes the path of the input and returns a text that must be the same for all; None is not compared.
Another way of measuring is another probe: a module that runs one contender and prints what `_measure` answers.
"""

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PROBE = "benchmarks.harness"
_PLACES = {"s": 3, "ms": 6}  # of seconds, in the results
_FACTOR = {"s": 1, "ms": 1000}


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that was promised: at most `limit`."""

    promise: str
    limit: float
    measured: float

    @property
    def met(self) -> bool:
        return self.measured <= self.limit


Targets = Callable[[Mapping[str, Any]], Sequence[Target]]


def compare(
    name: str,
    contenders: Mapping[str, str],
    input_path: Path,
    *,
    repeats: int,
    save: bool,
    facts: Mapping[str, Any],
    probe: str = PROBE,
    unit: str = "s",
    environment: Mapping[str, str | None] | None = None,
    rehearse: bool = False,
    flags: Sequence[str] = (),
    targets: Targets = lambda _: (),
) -> dict[str, Any]:
    """Run, print the table, and return (and save) the figures. Exits when two contenders disagree.

    `environment` changes variables of the processes, None takes one away. `rehearse` runs every contender once
    before, unmeasured, so that its byte-code is there. `flags` are Python's. `targets` follow from the result.
    """
    load_before = os.getloadavg()[0]
    runs: dict[str, list[dict[str, Any]]] = {contender: [] for contender in contenders}
    variables = _variables(environment or {})
    for target in contenders.values() if rehearse else ():
        _run_alone((*flags, "-m", probe, target, str(input_path)), variables)
    for repeat in range(1, repeats + 1):
        for contender, target in contenders.items():
            figures = _run_alone((*flags, "-m", probe, target, str(input_path)), variables)
            runs[contender].append(figures)
            shown = f"{figures['seconds'] * _FACTOR[unit]:.2f} {unit}"
            _progress(f"{name} {repeat}/{repeats} {contender}: {shown}")
    _require_equal(name, runs)
    result = {
        "benchmark": name,
        **circumstances(load_before),
        "repeats": repeats,
        **facts,
        "contenders": {contender: _summary(measured, _PLACES[unit]) for contender, measured in runs.items()},
    }
    result["cpu_ratios"] = _ratios(result["contenders"], "cpu_seconds")
    result["ratios"] = _ratios(result["contenders"], "seconds")
    promised = targets(result)
    if promised:
        result["targets"] = [asdict(target) | {"met": target.met} for target in promised]
    _print_table(result, unit)
    print_targets(promised)
    if save:
        keep(name, result)
    return result


def keep(name: str, result: Mapping[str, Any]) -> None:
    """Write the figures where they are committed."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def print_targets(promised: Sequence[Target]) -> None:
    """A line a promise. A miss is said, and fails nothing: the machine may have been busy."""
    for target in promised:
        verdict = "met" if target.met else "MISSED"
        print(f"{target.promise}: {target.measured:g}, promised at most {target.limit:g}: {verdict}")


def circumstances(load_before: float) -> dict[str, Any]:
    """When and where. Other work on the cores costs a contender with threads most, so the load is told."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "load_average_before": round(load_before, 2),
    }


def _variables(changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**os.environ, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _run_alone(arguments: Sequence[str], variables: Mapping[str, str]) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stderr}")
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
        "peak_rss_mib": peak_rss_mib(),
        "answer": answer,
    }


def peak_rss_mib() -> float:
    """VmHWM of Linux rather than ru_maxrss: the latter is inherited from the parent across exec."""
    status = Path("/proc/self/status")
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _require_equal(name: str, runs: Mapping[str, list[dict[str, Any]]]) -> None:
    answers = {contender: {run["answer"] for run in measured} for contender, measured in runs.items()}
    if len(set().union(*answers.values()) - {None}) > 1:
        sys.exit(f"{name}: the contenders disagree: {answers}")


def _summary(measured: list[dict[str, Any]], places: int) -> dict[str, Any]:
    return {
        "seconds": round(statistics.median(run["seconds"] for run in measured), places),
        "cpu_seconds": round(statistics.median(run["cpu_seconds"] for run in measured), places),
        "all_seconds": [round(run["seconds"], places) for run in measured],
        "peak_rss_mib": round(max(run["peak_rss_mib"] for run in measured)),
    }


def _ratios(summaries: Mapping[str, dict[str, Any]], figure: str) -> dict[str, float]:
    ours = next(iter(summaries.values()))[figure]
    return {contender: round(summary[figure] / ours, 2) for contender, summary in summaries.items()}


def _print_table(result: Mapping[str, Any], unit: str) -> None:
    width = max(len(contender) for contender in result["contenders"])
    median, cpu = f"median {unit}", f"CPU {unit}"
    print(f"{'':<{width}}  {median:>9}  {cpu:>8}  peak MiB  CPU ratio  ratio")
    for contender, summary in result["contenders"].items():
        ratio, cpu_ratio = result["ratios"][contender], result["cpu_ratios"][contender]
        seconds, busy = (summary[figure] * _FACTOR[unit] for figure in ("seconds", "cpu_seconds"))
        times = f"{seconds:>9.2f}  {busy:>8.2f}"
        print(f"{contender:<{width}}  {times}  {summary['peak_rss_mib']:>8}  {cpu_ratio:>9.2f}  {ratio:>5.2f}")


def _progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="measure one contender in this process")
    parser.add_argument("target")
    parser.add_argument("input_path")
    arguments = parser.parse_args()
    print(json.dumps(_measure(arguments.target, arguments.input_path)))
