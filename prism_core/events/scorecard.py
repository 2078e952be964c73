"""How well producers keep to what they promised.

Belongs here: a producer's figures over a time, the fields that fail, and which of these began to fail. Does not
belong here: reading events, and the mail to an owner.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from prism_core.events.failed import FailedEvent, FailedStatus, Failure, field_of
from prism_core.events.tally import ProducerHour

# One odd event is no news; so many of a field are.
FEWEST_EVENTS: Final = 3
# What fails so many times as often as it did is news once more.
SURGE: Final = 10
_NONE: Final = ProducerHour(0, 0, 0, 0)
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


def scores(producers: Mapping[str, ProducerHour], failed: Iterable[FailedEvent]) -> tuple[Score, ...]:
    """The score of each producer, the worst first, by its events and those that failed, each of them once."""
    fields = failing_by_producer(failed)
    names = {*producers, *fields}
    found = [_score(one, producers.get(one, _NONE), fields.get(one, Counter())) for one in names]
    return tuple(sorted(found, key=lambda one: (-one.failed_share, one.producer)))


def failing_by_producer(failed: Iterable[FailedEvent]) -> dict[str, Counter[FailingField]]:
    """How many events of each producer failed by each field."""
    found: dict[str, Counter[FailingField]] = {}
    for field, number in failing(failed).items():
        found.setdefault(field.producer, Counter())[field] = number
    return found


def fields_of(event: FailedEvent) -> frozenset[FailingField]:
    """The fields by which an event failed, each once however many of its elements are wrong. None of one that we
    sent again: its producer failed when it failed first."""
    if event.status is FailedStatus.REPEATED:
        return frozenset()
    if event.failure in OF_ENVELOPES:
        return frozenset({FailingField(event.producer, event.type, ENVELOPE, event.failure.value)})
    return frozenset(
        FailingField(event.producer, event.type, field_of(one.path), one.rule) for one in event.problems
    )


def failing(failed: Iterable[FailedEvent]) -> Counter[FailingField]:
    """How many events failed by each field."""
    found: Counter[FailingField] = Counter()
    for event in failed:
        found.update(fields_of(event))
    return found


def began_to_fail(
    before: Mapping[FailingField, int], lately: Mapping[FailingField, int]
) -> dict[str, dict[FailingField, int]]:
    """By producer, what is news of what fails lately, and how often it failed.

    What nobody was told of before is counted with it: two events a day are news on the second day.
    """
    found: dict[str, dict[FailingField, int]] = {}
    for field, number in sorted(lately.items()):
        known = before.get(field, 0)
        failed = number if known >= FEWEST_EVENTS else known + number
        if is_news(failed, known):
            found.setdefault(field.producer, {})[field] = failed
    return found


def is_news(number: int, known: int) -> bool:
    """Whether an owner is told of a field that fails so often, and was known to fail so often: in three events or
    more, of which fewer were known, or a tenth of them at most."""
    return number >= FEWEST_EVENTS and (known < FEWEST_EVENTS or number >= known * SURGE)


def _score(name: str, events: ProducerHour, fields: Counter[FailingField]) -> Score:
    return Score(
        name,
        accepted=events.accepted,
        stored=events.stored,
        failed=events.failed,
        duplicate=events.duplicate,
        fields=dict(sorted(fields.items())),
    )
