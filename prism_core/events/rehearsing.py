"""What a schema would refuse of events that were stored once.

Belongs here: judging archived events by a candidate. Does not belong here: reading the archive.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from prism_core.events.failed import field_of
from prism_core.events.validating import CompiledSchema


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a candidate would refuse: events by producer, and by producer, field and rule."""

    judged: int
    failing: Mapping[str, int]
    fields: Mapping[tuple[str, str, str], int]


def rehearsed(
    candidate: CompiledSchema,
    archived: Iterable[tuple[str, Any]],
    told: Callable[[int], object] = lambda _: None,
) -> Rehearsed:
    """Judge archived events, by producer and data, all of which were stored once. `told` hears how many so far."""
    judged, failing, fields = 0, Counter[str](), Counter[tuple[str, str, str]]()
    for producer, data in archived:
        judged += 1
        told(judged)
        if found := candidate.problems(data):
            failing[producer] += 1
            fields.update({(producer, field_of(one.path), one.rule) for one in found})
    return Rehearsed(judged, dict(sorted(failing.items())), dict(sorted(fields.items())))
