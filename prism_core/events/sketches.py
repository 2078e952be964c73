"""Percentiles and most frequent values that can be merged.

Belongs here: two summaries of bounded size whose merge is a summary of all, with a stated error. Does not belong
here: what is summarised and by which window (rollups.py).
Sources: DDSketch (Masson, Rim, Lee, 2019) for percentiles, mergeable Misra-Gries summaries (Agarwal et al., 2012).
"""

import math
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

RELATIVE_ERROR: Final = 0.01
MOST_VALUES: Final = 100
_GAMMA: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA: Final = math.log(_GAMMA)
# Below it a value counts as nothing, so that the buckets of doubles stay below 2,000.
_LEAST: Final = 1e-6
_MOST: Final = 1e12


class Percentiles(msgspec.Struct, frozen=True, omit_defaults=True):
    """Values in buckets that grow by 2 %, those `below` zero by their size: a quantile is at most 1 % off. Merged
    parts are the whole."""

    zeros: int = 0
    buckets: dict[int, int] = {}
    below: dict[int, int] = {}

    @classmethod
    def of(cls, values: Iterable[float]) -> "Percentiles":
        """Raises ValueError for one that is no number. What is further than 10^12 from zero is 10^12 from it."""
        zeros, buckets, below = 0, dict[int, int](), dict[int, int]()
        for value in values:
            if math.isnan(value):
                raise ValueError(f"{value} is no value")
            size = abs(value)
            if size < _LEAST:
                zeros += 1
                continue
            side, bucket = buckets if value > 0 else below, math.ceil(math.log(min(size, _MOST)) / _LOG_GAMMA)
            side[bucket] = side.get(bucket, 0) + 1
        return cls(zeros, dict(sorted(buckets.items())), dict(sorted(below.items())))

    @property
    def count(self) -> int:
        return self.zeros + sum(self.buckets.values()) + sum(self.below.values())

    def merged(self, other: "Percentiles") -> "Percentiles":
        """The sketch of both."""
        return Percentiles(
            self.zeros + other.zeros, _sums(self.buckets, other.buckets), _sums(self.below, other.below)
        )

    def quantile(self, share: float) -> float | None:
        """The value at the nearest rank of a share of 0 to 1, within 1 %; None of nothing."""
        rank = max(1, math.ceil(share * self.count))
        if not self.count:
            return None
        seen = 0
        for value, number in self._ascending():
            seen += number
            if rank <= seen:
                return value
        raise AssertionError("a rank is at most the count")

    def _ascending(self) -> Iterator[tuple[float, int]]:
        yield from ((-_middle(bucket), self.below[bucket]) for bucket in sorted(self.below, reverse=True))
        yield 0.0, self.zeros
        yield from ((_middle(bucket), self.buckets[bucket]) for bucket in sorted(self.buckets))


def _middle(bucket: int) -> float:
    return 2 * _GAMMA**bucket / (_GAMMA + 1)


def _sums(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}


class TopValues(msgspec.Struct, frozen=True, omit_defaults=True):
    """The most frequent of many values. A count is at most `missed` too low and never too high."""

    counts: dict[str, int] = {}
    missed: int = 0

    @classmethod
    def of(cls, values: Iterable[str]) -> "TopValues":
        counts: dict[str, int] = {}
        for value in values:
            counts[value] = counts.get(value, 0) + 1
        return _cut(counts, 0)

    def merged(self, other: "TopValues") -> "TopValues":
        """The summary of both; `missed` is at most a hundredth of all values, however they were merged."""
        names = {*self.counts, *other.counts}
        sums = {name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in names}
        return _cut(sums, self.missed + other.missed)

    def top(self, number: int) -> list[tuple[str, int]]:
        """The most frequent, the first by its text among equals."""
        return sorted(self.counts.items(), key=lambda one: (-one[1], one[0]))[:number]


def _cut(counts: dict[str, int], missed: int) -> TopValues:
    ordered = sorted(counts.values(), reverse=True)
    taken = ordered[MOST_VALUES] if len(ordered) > MOST_VALUES else 0
    kept = {name: number - taken for name, number in sorted(counts.items()) if number > taken}
    return TopValues(kept, missed + taken)
