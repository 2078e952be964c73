"""Weeks and assets as run requests.

Belongs here: gathering what was touched into as few runs as possible without a week too many, and their run keys.
Does not belong here: what is touched. Dagster starts no second run for a run key that it knows, so what a key
names as its cause is asked for once, whatever became of the run.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import dagster as dg

from prism_core.calendar import Week, WeekRange
from prism_sensors.known import keys

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
CAUSE_TAG = "prism/cause"
_SHOWN = 200


class Asked:
    """Collects assets by week, each with its causes."""

    def __init__(self) -> None:
        self._causes: defaultdict[tuple[Week, str], set[str]] = defaultdict(set)

    def add(self, weeks: Iterable[Week], assets: Iterable[str], cause: str) -> None:
        assets = list(assets)
        for week in weeks:
            for asset in assets:
                self._causes[week, asset].add(cause)

    def __bool__(self) -> bool:
        return bool(self._causes)

    def requests(self, within: WeekRange, *, tags: Mapping[str, str]) -> Iterator[dg.RunRequest]:
        """One request for neighbouring weeks that need the same assets; none for weeks outside `within`."""
        assets_of: defaultdict[Week, set[str]] = defaultdict(set)
        for week, asset in self._causes:
            if week in within:
                assets_of[week].add(asset)
        for weeks, assets in _ranges(assets_of):
            causes = {cause for week in weeks for asset in assets for cause in self._causes.get((week, asset), ())}
            yield request(weeks, assets, causes, tags=tags)


def request(
    weeks: WeekRange, assets: Iterable[str], causes: Iterable[str], *, tags: Mapping[str, str]
) -> dg.RunRequest:
    """One run over the weeks, named after what caused it."""
    assets, causes = sorted(assets), sorted(causes)
    digest = hashlib.blake2b("\n".join([*assets, "", *causes]).encode(), digest_size=8).hexdigest()
    return dg.RunRequest(
        run_key=f"{weeks}+{digest}",
        asset_selection=keys(assets),
        tags={
            RANGE_START: weeks.first.key,
            RANGE_END: weeks.last.key,
            CAUSE_TAG: ", ".join(causes)[:_SHOWN],
            **tags,
        },
    )


def _ranges(assets_of: Mapping[Week, set[str]]) -> Iterator[tuple[WeekRange, set[str]]]:
    first: Week | None = None
    last: Week | None = None
    for week in sorted(assets_of):
        if first is not None and last is not None and (week - last != 1 or assets_of[week] != assets_of[first]):
            yield WeekRange(first, last), assets_of[first]
            first = None
        first, last = first or week, week
    if first is not None and last is not None:
        yield WeekRange(first, last), assets_of[first]
