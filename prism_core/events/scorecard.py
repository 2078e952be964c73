"""How well producers keep to what they promised.

Belongs here: a producer's figures over a time, the fields that fail, and which of these began to fail. Does not
belong here: reading events, and the mail to an owner.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from prism_core.events.conservation import Receipt
from prism_core.events.failed import FailedEvent, Failure, field_of
from prism_core.events.outcomes import Outcome

# One odd event is no news; so many of a field are.
FEWEST_EVENTS: Final = 3
# What fails so many times as often as it did is news once more.
SURGE: Final = 10
# What a producer does wrong without any field of its data; an undeliverable event is our fault.
ENVELOPE: Final = "(envelope)"
OF_ENVELOPES: Final = frozenset({Failure.UNKNOWN_TYPE, Failure.UNKNOWN_VERSION, Failure.CONFLICT})


@dataclass(frozen=True, order=True, slots=True)
class FailingField:
    """A field of a type that breaks a rule; the root of the data is the empty field. Of an event that no schema
    refused the rule is why it failed: `unknown_type`, `unknown_version` or `conflict`, by the field `ENVELOPE`."""

    producer: str
    type: str
    field: str
    rule: str


@dataclass(frozen=True, slots=True)
class Score:
    """A producer's events over a time, and how many events failed by each field."""

    producer: str
    accepted: int
    stored: int
    failed: int
    duplicate: int
    fields: Mapping[FailingField, int]

    @property
    def failed_share(self) -> float:
        """Of 0 to 1; duplicates are neither good nor bad."""
        judged = self.stored + self.failed
        return self.failed / judged if judged else 0.0


def scores(receipts: Iterable[Receipt], failed: Iterable[FailedEvent]) -> tuple[Score, ...]:
    """The score of each producer, the worst first. What is sent again counts once, as it ended first."""
    outcomes: dict[str, Counter[Outcome | None]] = {}
    for one in {one.receipt: one for one in receipts}.values():
        if one.counts and one.replay_of is None:
            outcomes.setdefault(one.producer, Counter())[one.outcome] += 1
    fields: dict[str, Counter[FailingField]] = {}
    for event in {event.failed_id: event for event in failed}.values():
        fields.setdefault(event.producer, Counter()).update(fields_of(event))
    found = [_score(one, outcomes.get(one, Counter()), fields.get(one, Counter())) for one in {*outcomes, *fields}]
    return tuple(sorted(found, key=lambda one: (-one.failed_share, one.producer)))


def fields_of(event: FailedEvent) -> frozenset[FailingField]:
    """The fields by which an event failed, each once however many of its elements are wrong."""
    if event.failure in OF_ENVELOPES:
        return frozenset({FailingField(event.producer, event.type, ENVELOPE, event.failure.value)})
    return frozenset(
        FailingField(event.producer, event.type, field_of(one.path), one.rule) for one in event.problems
    )


def began_to_fail(before: Iterable[Score], now: Iterable[Score]) -> dict[str, tuple[FailingField, ...]]:
    """By producer, what fails in three events or more now, and before in fewer, or in a tenth of them at most:
    what its owner is told."""
    known = Counter[FailingField]()
    for one in before:
        known.update(one.fields)
    found: dict[str, tuple[FailingField, ...]] = {}
    for one in sorted(now, key=lambda score: score.producer):
        new = sorted(f for f, number in one.fields.items() if _is_new(number, known[f]))
        if new:
            found[one.producer] = tuple(new)
    return found


def _is_new(number: int, before: int) -> bool:
    return number >= FEWEST_EVENTS and (before < FEWEST_EVENTS or number >= before * SURGE)


def _score(producer: str, outcomes: Counter[Outcome | None], fields: Counter[FailingField]) -> Score:
    return Score(
        producer,
        accepted=sum(outcomes.values()),
        stored=outcomes[Outcome.STORED],
        failed=outcomes[Outcome.FAILED] + outcomes[Outcome.CONFLICT],
        duplicate=outcomes[Outcome.DUPLICATE],
        fields=dict(sorted(fields.items())),
    )
