"""How real crowd workers work, in two small tables.

Belongs here: the distributions of handle time and hour of day that the synthetic sample is drawn from, and how
they are derived. Does not belong here: any drawing.
Source: 4,816 real judgments of 2018-W33 to W36 in tests/data/worker_activity (CrowdTruth-core, Apache-2.0);
a test derives both tables again from those files.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

QUANTILES = 200
_FILE = "profile.json"


@dataclass(frozen=True, slots=True)
class Profile:
    """`handle_seconds`: quantiles 0, 1/200 … 1 of submitted minus accepted. `hour_counts`: submits by UTC hour."""

    handle_seconds: tuple[int, ...]
    hour_counts: tuple[int, ...]


def derive_profile(handle_seconds: Iterable[int], hours: Iterable[int]) -> Profile:
    """The two tables from real tasks."""
    ordered = sorted(handle_seconds)
    quantiles = [ordered[min(len(ordered) - 1, i * len(ordered) // QUANTILES)] for i in range(QUANTILES)]
    counts = [0] * 24
    for hour in hours:
        counts[hour] += 1
    return Profile((*quantiles, ordered[-1]), tuple(counts))


@lru_cache(maxsize=1)
def real_profile() -> Profile:
    """The committed tables."""
    values = json.loads(resources.files("infra.local.sample").joinpath(_FILE).read_text())
    return Profile(tuple(values["handle_seconds"]), tuple(values["hour_counts"]))
