"""Versions of a schema: `1-0-0`.

Belongs here: reading and ordering versions, which follow which, and what may be added to a registry whose versions
never change. Does not belong here: what makes a change a breaking one (compatibility.py).
Source of the form: SchemaVer, MODEL-REVISION-ADDITION. A new model may break a producer, the other two may not.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from prism_core.failures import BadUsage, PermanentFailure

_VERSION: Final = re.compile(r"([1-9]\d{0,5})-(0|[1-9]\d{0,5})-(0|[1-9]\d{0,5})", re.ASCII)
_AT_END_OF_URI: Final = re.compile(r"(?:.*/)?(\d+-\d+-\d+)(?:\.json)?", re.ASCII)


class Step(StrEnum):
    """How a version follows another one."""

    MODEL = "model"
    REVISION = "revision"
    ADDITION = "addition"


@dataclass(frozen=True, order=True, slots=True)
class SchemaVersion:
    """Ordered as numbers: 1-0-10 comes after 1-0-9."""

    model: int
    revision: int
    addition: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises BadUsage for anything but `1-0-0` (no leading zeros, the model from 1)."""
        found = _VERSION.fullmatch(text)
        if found is None:
            raise BadUsage(f"{text[:60]!r} is not a version of a schema; write it as 1-0-0")
        return cls(int(found[1]), int(found[2]), int(found[3]))

    @classmethod
    def of_uri(cls, uri: str) -> Self | None:
        """The version at the end of a `dataschema` (`https://…/1-0-0`, `…/1-0-0.json`), or None."""
        found = _AT_END_OF_URI.fullmatch(uri)
        return cls.parse(found[1]) if found and _VERSION.fullmatch(found[1]) else None

    @property
    def key(self) -> str:
        """Text that sorts as the version does."""
        return f"{self.model:06d}-{self.revision:06d}-{self.addition:06d}"

    def __str__(self) -> str:
        return f"{self.model}-{self.revision}-{self.addition}"

    def after(self, step: Step) -> "SchemaVersion":
        """The next version by a step."""
        if step is Step.MODEL:
            return SchemaVersion(self.model + 1, 0, 0)
        if step is Step.REVISION:
            return SchemaVersion(self.model, self.revision + 1, 0)
        return SchemaVersion(self.model, self.revision, self.addition + 1)

    def step_from(self, older: "SchemaVersion") -> Step | None:
        """The step by which this one directly follows `older`; None when it does not."""
        return next((step for step in Step if older.after(step) == self), None)


def place_of(new: SchemaVersion, known: Collection[SchemaVersion]) -> SchemaVersion | None:
    """The version that a new one must be compatible with: the newest of its model; None for a first of a model.

    Raises PermanentFailure when it exists already (versions are immutable) or follows none of those that do.
    """
    if new in known:
        raise PermanentFailure(
            f"version {new} is there already and never changes; what differs gets a new version, "
            f"such as {max(known).after(Step.ADDITION)}"
        )
    before = max((one for one in known if one.model == new.model), default=None)
    if before is None:
        expected = SchemaVersion(max((one.model for one in known), default=0) + 1, 0, 0)
        if new != expected:
            raise PermanentFailure(f"the first version of a model is {expected}, not {new}")
        return None
    if new.step_from(before) not in {Step.REVISION, Step.ADDITION}:
        choices = f"{before.after(Step.ADDITION)} or {before.after(Step.REVISION)}"
        raise PermanentFailure(f"{new} does not follow {before}; the next ones of its model are {choices}")
    return before
