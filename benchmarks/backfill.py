"""A backfill of all weekly assets: one run over a range of weeks beside a run a week.

Belongs here: the platform with its synthetic sample, the two ways, and what each of them published. Both begin
with nothing published, in turn, in the process that loaded the definitions: starting processes and the waits of
Dagster's daemon are in neither. These are measured apart, by a backfill as the Dagster UI launches it where
a platform serves; the campaign and its report are in that alone: they ask services outside.
Does not belong here: whether a backfill is right (tests/integration).
"""

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from benchmarks.harness import Target, circumstances, keep, peak_rss_mib, print_targets
from benchmarks.own_platform import free_port, own_platform
from benchmarks.served import serving
from infra.local.platform import Platform
from infra.local.sample.load import load_sample
from infra.local.serving import DAGSTER_YAML
from prism_assets.campaign.inputs import GROUP as CAMPAIGN
from prism_assets.definitions import build_definitions
from prism_assets.partitions import weekly
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.settings import load_settings
from prism_core.tables import THROUGHPUT
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.tables.bulk import batch_write, delete_request, scan_pages
from prism_sensors.asking import RANGE_END, RANGE_START
from prism_sensors.known import KnownAssets

PROMISED_SHARE = 0.3
RANGE, SINGLE = "one run", "a run a week"


class Backfill:
    """The weekly assets of a platform, materialised in runs of this process."""

    def __init__(self, instance: dg.DagsterInstance, only: Collection[str]) -> None:
        settings = load_settings()
        definitions = build_definitions(settings)
        known = KnownAssets.of(definitions, weekly(settings))
        graph = definitions.resolve_asset_graph()
        asking = dg.AssetSelection.groups(CAMPAIGN).downstream().resolve(graph)
        named = (name for name in known.names() if known.is_weekly(name) and (not only or name in only))
        wanted = map(dg.AssetKey, named)
        self._keys = [key for key in wanted if key not in asking]
        self._job = definitions.resolve_implicit_global_asset_job_def()
        self._instance = instance
        self.assets = len(self._keys)

    def run(self, weeks: WeekRange) -> None:
        """One run. Exits when it fails, for a failed one measures nothing."""
        result = self._job.execute_in_process(
            instance=self._instance,
            asset_selection=self._keys,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            tags={RANGE_START: weeks.first.key, RANGE_END: weeks.last.key},
        )
        if not result.success:
            sys.exit(f"the run over {weeks} failed: see {self._instance.root_directory}")


def forget_published(platform: Platform) -> None:
    """As on a platform whose weeks were never materialised."""
    settings, lake = platform.settings, Lake(platform.settings)
    for key in list(lake.keys("lake/")):
        lake.delete(key)
    dynamodb, table = client(settings, "dynamodb"), settings.table_name(THROUGHPUT.name)
    names = [attribute.name for attribute in THROUGHPUT.key_attributes]
    items = (item for page in scan_pages(dynamodb, table, 4) for item in page)
    batch_write(dynamodb, table, [delete_request({name: item[name] for name in names}) for item in items])


def published(platform: Platform, weeks: WeekRange) -> str:
    """One name for the content of every partition of the weeks."""
    lake, found = Lake(platform.settings), list[str]()
    for key in lake.keys("lake/_manifests/"):
        manifest = json.loads(lake.get(key) or b"{}")
        if Week.parse(manifest["week"]) in weeks:
            found.append(f"{manifest['table']} {manifest['week']} {manifest['rows']} {manifest['content_hash']}")
    return hashlib.blake2b("\n".join(sorted(found)).encode(), digest_size=16).hexdigest()


def measured(backfill: Backfill, ranges: Iterable[WeekRange]) -> dict[str, float]:
    started, cpu = time.perf_counter(), time.process_time()
    for weeks in ranges:
        backfill.run(weeks)
    return {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu}


def compare(
    platform: Platform, folder: Path, weeks: WeekRange, repeats: int, only: Collection[str]
) -> dict[str, Any]:
    """Both ways in turn. Exits when they publish different weeks."""
    (folder / "dagster.yaml").write_text(DAGSTER_YAML)
    runs: dict[str, list[dict[str, float]]] = {RANGE: [], SINGLE: []}
    answers: set[str] = set()
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        backfill = Backfill(instance, only)
        # Imports and first connections are in neither; and the names that nobody has resolved are queued once.
        backfill.run(weeks)
        ways: dict[str, Iterable[WeekRange]] = {RANGE: [weeks], SINGLE: [WeekRange(one, one) for one in weeks]}
        for repeat in range(1, repeats + 1):
            for name, ranges in ways.items():
                forget_published(platform)
                runs[name].append(measured(backfill, ranges))
                answers.add(published(platform, weeks))
                say(f"backfill {repeat}/{repeats} {name}: {runs[name][-1]['seconds']:.1f} s")
    if len(answers) > 1:
        sys.exit("the two ways published different weeks")
    return {"assets": backfill.assets, "runs": runs}


def through_daemon(folder: Path, weeks: int) -> dict[str, float]:
    """One backfill from the Dagster UI: the run itself, and what passes before it, after it and in starting it."""
    say(f"serving a platform with a sample of {weeks} weeks")
    patience = 200 + weeks * 20.0
    with serving(folder, free_port(), "--sample", str(weeks), within=patience) as served:
        first = Week.parse(json.loads((served.home / "settings.json").read_text())["first_week"])
        weekly_assets = [name for name, asset in served.assets().items() if asset.weekly]
        backfill = served.backfill(weekly_assets, WeekRange(first, first + (weeks - 1)), within=patience)
    if backfill.status != "COMPLETED_SUCCESS":
        sys.exit(f"the backfill through the daemon ended as {backfill.status}: {backfill.error}")
    waits = backfill.seconds - backfill.run_seconds
    return {"seconds": backfill.seconds, "run_seconds": backfill.run_seconds, "waits_seconds": waits}


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--repeats", type=int, default=1, help="a year of single runs takes a quarter of an hour")
    parser.add_argument(
        "--assets", nargs="+", default=(), help="only these weekly assets, in the runs of this process"
    )
    parser.add_argument("--without-daemon", action="store_true", help="leave out the backfill from the Dagster UI")
    parser.add_argument("--save", action="store_true")
    wanted = parser.parse_args(arguments)
    load_before = os.getloadavg()[0]
    now = clock.now()
    weeks = Week.of(now).window(wanted.weeks)
    with tempfile.TemporaryDirectory() as folder, own_platform(Path(folder) / "home") as platform:
        say(f"loading a sample of {wanted.weeks} weeks")
        load_sample(platform, wanted.weeks, now)
        (Path(folder) / "dagster").mkdir()
        found = compare(platform, Path(folder) / "dagster", weeks, wanted.repeats, wanted.assets)
    daemon = dict[str, float]()
    if not wanted.without_daemon:
        with tempfile.TemporaryDirectory() as folder:
            daemon = through_daemon(Path(folder), wanted.weeks)
    medians = {name: statistics.median(one["seconds"] for one in runs) for name, runs in found["runs"].items()}
    share = medians[RANGE] / medians[SINGLE]
    result = {
        "benchmark": "backfill",
        **circumstances(load_before),
        "weeks": wanted.weeks,
        "assets": found["assets"],
        "repeats": wanted.repeats,
        "peak_rss_mib": round(peak_rss_mib()),
        "contenders": {
            name: {
                "seconds": round(medians[name], 1),
                "cpu_seconds": round(statistics.median(one["cpu_seconds"] for one in runs), 1),
                "all_seconds": [round(one["seconds"], 1) for one in runs],
            }
            for name, runs in found["runs"].items()
        },
        "share": round(share, 3),
        "through_daemon": {name: round(value, 1) for name, value in daemon.items()},
    }
    promised = [Target(f"share of {wanted.weeks} single runs", PROMISED_SHARE, round(share, 3))]
    for name, one in result["contenders"].items():
        print(f"{name:<12}  {one['seconds']:>8.1f} s  {one['cpu_seconds']:>8.1f} s of CPU here")
    if daemon:
        print(
            f"from the Dagster UI: {daemon['run_seconds']:.1f} s the run itself, "
            f"{daemon['waits_seconds']:.1f} s the daemon's waits"
        )
    print_targets(promised)
    if wanted.save:
        keep("backfill", result)
    return result


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
