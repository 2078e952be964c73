"""Four weeks of ads from the stand-in of Meta into the archive and rows, beside a walk through the same pages.

Belongs here: the service in a process of its own, our contenders, and what is promised. Does not belong here: the
walk (peers/pages.py) and how contenders are run (harness.py).
The service takes `--page-ms` for each page, as one that is elsewhere does. Archived to the embedded AWS.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, Target, compare
from benchmarks.own_platform import own_platform
from infra.local.standins.serving import put_credentials
from infra.local.standins.world import ACCOUNT_ID, Tokens
from prism_core.calendar import Week
from prism_core.settings import load_settings
from prism_resources.lake import Lake
from prism_resources.meta_ads.source import LiveAds

CAMPAIGNS, ADS = 200, 2_000
WEEKS = tuple(Week.parse("2025-W01") + number for number in range(4))
TOKENS = Tokens("token-of-a-benchmark", "app-secret-of-a-benchmark", "none", "none")
NOW = "2025-06-02T07:00:00+00:00"
CONTENDERS = {
    "prism": "benchmarks.connectors:weeks",
    "prism, one week": "benchmarks.connectors:first_week",
    "pages alone": "benchmarks.peers.pages:weeks",
}
SHARE_AT_MOST, GROWTH_AT_MOST = 0.2, 1.1


def main(argv: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--ads", type=int, default=ADS)
    parser.add_argument("--page-ms", type=int, default=250, help="what the service takes for a page")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/connectors.json")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, own_platform(Path(folder) / "home") as platform:
        put_credentials(platform.settings, TOKENS)
        with _service(options.ads, options.page_ms) as port:
            url = f"http://127.0.0.1:{port}/meta"
            return compare(
                "connectors",
                CONTENDERS,
                Path(folder),
                repeats=options.repeats,
                save=options.save,
                facts={"ads": options.ads, "weeks": len(WEEKS), "page_ms": options.page_ms},
                environment={"PRISM_META_API_URL": url, "PRISM_META_ACCOUNT_ID": ACCOUNT_ID, "PRISM_NOW": NOW},
                rehearse=options.repeats > 1,  # the stand-in draws its figures once
                targets=_promise,
            )


def _promise(result: Mapping[str, Any]) -> Sequence[Target]:
    found = result["contenders"]
    ours, alone = found["prism"]["seconds"], found["pages alone"]["seconds"]
    growth = found["prism"]["peak_rss_mib"] / found["prism, one week"]["peak_rss_mib"]
    return [
        Target("share of a walk that the client takes", SHARE_AT_MOST, round((ours - alone) / ours, 3)),
        Target("times the memory for four times the weeks", GROWTH_AT_MOST, round(growth, 2)),
    ]


def weeks(_: Path) -> str:
    """Each week read whole, and let go: its rows and their spend."""
    return _read(WEEKS)


def first_week(_: Path) -> None:
    """One of them."""
    _read(WEEKS[:1])


def _read(wanted: Sequence[Week]) -> str:
    settings = load_settings()
    source = LiveAds(settings, Lake(settings))
    read = [_sums(source, week) for week in wanted]
    return f"{sum(rows for rows, _ in read)} rows, {sum((spend for _, spend in read), Decimal(0))}"


def _sums(source: LiveAds, week: Week) -> tuple[int, Decimal]:
    found = source.week(week)
    return len(found.rows), sum((row.spend for row in found.rows), Decimal(0))


@contextmanager
def _service(ads: int, page_ms: int) -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.connectors_service", str(ads), str(page_ms)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603
        try:
            if child.stdout is None:
                sys.exit("the service was started without its pipes")
            yield int(json.loads(child.stdout.readline())["port"])
        finally:
            child.kill()


if __name__ == "__main__":
    main()
