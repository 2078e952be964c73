"""Raw category ids as today's categories.

Belongs here: which version counts, mapping a raw id on a day, and the rehearsal of another version.
Does not belong here: storing versions. Raw ids are never rewritten; what no entry names is shown as unmapped.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from prism_core.models.taxonomy import TaxonomyEntry, TaxonomyStatus, TaxonomyVersion

UNMAPPED_PREFIX = "unmapped:"


@dataclass(frozen=True, slots=True)
class Mapped:
    """A raw id and today's category; None when no entry names it on that day."""

    raw: str
    category: str | None

    @property
    def label(self) -> str:
        """What a screen shows: an unmapped one is never dropped."""
        return self.category if self.category is not None else f"{UNMAPPED_PREFIX}{self.raw}"


class Taxonomy:
    """One version, ready to map. Without a version every id is unmapped."""

    def __init__(self, version: TaxonomyVersion | None) -> None:
        self.version = version
        self._entries: defaultdict[str, list[TaxonomyEntry]] = defaultdict(list)
        for entry in version.entries if version is not None else ():
            self._entries[entry.raw].append(entry)

    def map(self, raw: str, day: date) -> Mapped:
        """The category of a record of `day`: an entry holds from its first day until before its last."""
        for entry in self._entries.get(raw, ()):
            if (entry.valid_from or date.min) <= day and (entry.valid_to is None or day < entry.valid_to):
                return Mapped(raw, entry.category)
        return Mapped(raw, None)


def in_force(versions: Iterable[TaxonomyVersion], day: date) -> TaxonomyVersion | None:
    """The published version that took effect last, up to `day`. Of two of one day, the one with the later id."""
    ready = [v for v in versions if v.status is TaxonomyStatus.PUBLISHED and v.effective <= day]
    return max(ready, key=lambda version: (version.effective, version.taxonomy_id), default=None)


@dataclass(frozen=True, slots=True)
class Categorised:
    """A row that carries a raw id: its item key, the id, and the day that decides."""

    item: str
    raw: str
    day: date


@dataclass(frozen=True, slots=True)
class Moved:
    """A row whose category differs between two versions."""

    row: Categorised
    before: Mapped
    after: Mapped


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would change: the rows, and the raw ids that would have no category, with their number of rows."""

    rows: int
    moved: tuple[Moved, ...]
    unmapped: Mapping[str, int]

    @property
    def by_pair(self) -> dict[tuple[str, str], int]:
        """Number of rows by label before and after, the largest first."""
        counts = Counter((one.before.label, one.after.label) for one in self.moved)
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def rehearse(
    rows: Iterable[Categorised], before: TaxonomyVersion | None, after: TaxonomyVersion | None
) -> Rehearsal:
    """Read every row through both versions; nothing is written."""
    old, new = Taxonomy(before), Taxonomy(after)
    number, moved, unmapped = 0, list[Moved](), Counter[str]()
    for row in rows:
        number += 1
        was, becomes = old.map(row.raw, row.day), new.map(row.raw, row.day)
        if was != becomes:
            moved.append(Moved(row, was, becomes))
        if becomes.category is None:
            unmapped[row.raw] += 1
    return Rehearsal(number, tuple(moved), dict(sorted(unmapped.items())))
