"""Versions of the taxonomy: what raw category ids are called today.

Belongs here: a version with its entries. Does not belong here: which version counts and mapping a row
(prism_core/taxonomy.py). Raw ids stay in the rows; nothing is migrated when a version changes.
"""

from collections import defaultdict
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from prism_core.models.base import Choice, Day, Id, Many, Model, Name, Text, Versioned

RawCategory = Annotated[str, Field(min_length=1, max_length=128)]
# An entry takes 70 to 120 bytes, an item holds 400 kB, and a change stands in the log with the entries before and
# after it. A programme has a few hundred entries.
ENTRIES_MAX = 1_500


class TaxonomyStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class TaxonomyEntry(Model):
    """A raw id stands for today's category in records from `valid_from` until before `valid_to`.

    Without them: since ever, until further notice. A raw id that got a second meaning has two entries.
    """

    raw: RawCategory
    category: Name
    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.valid_from is not None and self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"the entry of {self.raw!r} from {self.valid_from} must not end on {self.valid_to}")
        return self


class TaxonomyVersion(Versioned):
    """A whole mapping, in force for readers from the day `effective` once it is published."""

    taxonomy_id: Id
    title: Name
    status: Choice[TaxonomyStatus] = TaxonomyStatus.DRAFT
    effective: Day
    entries: Annotated[Many[TaxonomyEntry], Field(max_length=ENTRIES_MAX)] = ()
    notes: Text = ""

    @model_validator(mode="after")
    def _one_category_a_day(self) -> Self:
        of_raw: defaultdict[str, list[TaxonomyEntry]] = defaultdict(list)
        for entry in self.entries:
            of_raw[entry.raw].append(entry)
        for raw, entries in of_raw.items():
            for earlier, later in pairwise(sorted(entries, key=lambda entry: entry.valid_from or date.min)):
                if (earlier.valid_to or date.max) > (later.valid_from or date.min):
                    raise ValueError(f"the entries of {raw!r} overlap on {later.valid_from or earlier.valid_from}")
        return self
