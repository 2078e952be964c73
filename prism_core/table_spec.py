"""What a table is: keys composed of fields, indexes, and the conditions of a query.

Belongs here: the types that a table's spec is made of, and turning field values into keys and conditions.
Does not belong here: the tables of PRISM (tables.py) and anything that talks to a database.
Every key attribute is a string; composed ones are formats over fields, such as `{week}#{project_id}`.
A spec imports the model of its items when somebody needs it: a function that reads one table at its first call
does not wait for the models of thirty (docs/adr/0014).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from string import Formatter

from prism_core.failures import BadUsage
from prism_core.models.base import Model, Versioned, text_of

# Partition of the control items of a table that is replaced by generation: no id may start with `~`.
CONTROL_PARTITION = "~control"
ITEM_KEY_SEPARATOR = "/"
# Sorts after every character of a key, so that it ends a range.
AFTER_ALL = "\U0010ffff"

Key = dict[str, str]


@dataclass(frozen=True, slots=True)
class KeyAttribute:
    """A key attribute and the format of its text over fields of the item."""

    name: str
    template: str

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(name for _, name, _, _ in Formatter().parse(self.template) if name)

    @property
    def derived(self) -> bool:
        """Not a field of the item: stored beside the fields, dropped when the item is read."""
        return self.template != f"{{{self.name}}}"

    def text(self, values: Mapping[str, object]) -> str | None:
        """The attribute's text; None when a part is absent, which keeps the item out of the index."""
        if any(values.get(part) is None for part in self.parts):
            return None
        return "".join(self._piece(literal, name, form, values) for literal, name, form in self._pieces())

    def prefix(self, values: Mapping[str, object]) -> tuple[str, str]:
        """The text up to the first absent part, and the literal that follows that part."""
        done = ""
        pieces = self._pieces()
        for index, (literal, name, form) in enumerate(pieces):
            if name and values.get(name) is None:
                following = pieces[index + 1][0] if index + 1 < len(pieces) else ""
                return done + literal, following
            done += self._piece(literal, name, form, values)
        return done, ""

    def _pieces(self) -> list[tuple[str, str, str]]:
        return [(literal, name or "", form or "") for literal, name, form, _ in Formatter().parse(self.template)]

    @staticmethod
    def _piece(literal: str, name: str, form: str, values: Mapping[str, object]) -> str:
        if not name:
            return literal
        value = values[name]
        return literal + (format(value, form) if form else text_of(value))


Imported = Callable[[], type[Model]]


@cache
def _model(imported: Imported) -> type[Model]:
    return imported()


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """A global secondary index. `part` answers a smaller model, where it carries not all fields of an item;
    `beside` is the key of its table then, which every index carries."""

    name: str
    partition: KeyAttribute
    sort: KeyAttribute | None = None
    part: Imported | None = None
    beside: str | None = None

    @property
    def fields(self) -> tuple[str, ...] | None:
        """What it carries beside the keys, sorted; None for all fields."""
        if self.part is None:
            return None
        keys = (self.beside, self.partition.name, None if self.sort is None else self.sort.name)
        return tuple(sorted(name for name in _model(self.part).model_fields if name not in keys))


@dataclass(frozen=True, slots=True)
class AccessPath:
    """A named way to read: the table itself (`index` None, may be consistent) or one index (never is)."""

    name: str
    index: str | None
    partition: KeyAttribute
    sort: KeyAttribute | None
    part: Imported | None = None

    @property
    def model(self) -> type[Model] | None:
        """What it reads; None for the whole item."""
        return None if self.part is None else _model(self.part)


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """What a query asks for: one partition, and of its sort keys `equal`, a `prefix`, or `low` to `high`."""

    path: AccessPath
    partition: str
    equal: str | None = None
    prefix: str | None = None
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table. `item` answers the model of its items; `home` its own access path; `personal` are
    fields that leave it only encrypted.

    `expires` is the field of epoch seconds after which the service deletes an item. The rows of a week
    of a `published` table are replaced at once by the week's pointer (published_plans), and written after it.
    Rows of a `passing` table come at the rate of events and leave by `expires`: no backup holds them.
    """

    name: str
    partition: KeyAttribute
    item: Imported
    sort: KeyAttribute | None = None
    indexes: tuple[IndexSpec, ...] = ()
    home: str = "by_id"
    personal: tuple[str, ...] = ()
    by_generation: bool = False
    expires: str | None = None
    published: bool = False
    passing: bool = False
    paths: Mapping[str, AccessPath] = field(init=False)

    def __post_init__(self) -> None:
        own = AccessPath(self.home, None, self.partition, self.sort)
        others = [AccessPath(i.name, i.name, i.partition, i.sort, i.part) for i in self.indexes]
        object.__setattr__(self, "paths", {path.name: path for path in (own, *others)})

    @property
    def model(self) -> type[Model]:
        """The model of an item."""
        return _model(self.item)

    @property
    def logged(self) -> bool:
        """Whether every write of an item has a change entry in the same transaction."""
        return issubclass(self.model, Versioned)

    @property
    def key_attributes(self) -> tuple[KeyAttribute, ...]:
        """Partition and sort attribute of the table."""
        return (self.partition,) if self.sort is None else (self.partition, self.sort)

    @property
    def all_attributes(self) -> dict[str, KeyAttribute]:
        """Every attribute that the table or an index is keyed by."""
        found = {attribute.name: attribute for attribute in self.key_attributes}
        for index in self.indexes:
            found |= {a.name: a for a in (index.partition, index.sort) if a is not None}
        return found

    @property
    def key_parts(self) -> tuple[str, ...]:
        """The fields that identify an item, in order."""
        return tuple(part for attribute in self.key_attributes for part in attribute.parts)

    def path(self, name: str) -> AccessPath:
        """Raises BadUsage with the list of valid names."""
        if name not in self.paths:
            raise BadUsage(f"{self.name} cannot be read {name!r}; valid ways are {', '.join(sorted(self.paths))}")
        return self.paths[name]

    def key(self, parts: Mapping[str, object]) -> Key:
        """The primary key from the fields that identify an item. Raises BadUsage when one is missing."""
        key = {attribute.name: attribute.text(parts) for attribute in self.key_attributes}
        unknown = sorted(set(parts) - set(self.key_parts))
        if unknown or None in key.values():
            raise BadUsage(f"an item of {self.name} is named by {', '.join(self.key_parts)}, not {sorted(parts)}")
        return {name: text for name, text in key.items() if text is not None}

    def key_of(self, item: Model) -> Key:
        """The primary key of an item."""
        return self.key({part: getattr(item, part) for part in self.key_parts})

    def derived_of(self, item: Model) -> dict[str, str]:
        """The derived key attributes of an item; one with an absent part is left out (a sparse index)."""
        found: dict[str, str] = {}
        for attribute in self.all_attributes.values():
            if attribute.derived or attribute.name not in type(item).model_fields:
                text = attribute.text({part: getattr(item, part) for part in attribute.parts})
                if text is not None:
                    found[attribute.name] = text
        return found

    def item_key(self, key: Key) -> str:
        """The key as one text, the way the change log and messages write it: `allocations/M-1/2026-W01#P-12`."""
        return ITEM_KEY_SEPARATOR.join((self.name, *(key[attribute.name] for attribute in self.key_attributes)))

    def condition(
        self, path: str, parts: Mapping[str, object], *, first: object = None, last: object = None
    ) -> KeyCondition:
        """Turn `by_project, project_id=P-12, week=…` into the condition of a query.

        All parts of the partition are needed; parts of the sort key from its left narrow it, and `first` to
        `last`, both included, is a range over the part after those. Raises BadUsage.
        """
        way = self.path(path)
        partition = way.partition.text(parts)
        sort_parts = way.sort.parts if way.sort else ()
        if partition is None:
            raise BadUsage(f"{self.name} {path} needs {', '.join(way.partition.parts)}")
        given = [part in parts for part in sort_parts]
        unknown = sorted(set(parts) - set(way.partition.parts) - set(sort_parts))
        nothing = any(value is None for value in parts.values())
        if nothing or unknown or given != sorted(given, reverse=True):
            allowed = ", then ".join((", ".join(way.partition.parts), *sort_parts))
            raise BadUsage(f"{self.name} {path} takes {allowed} from the left, not {', '.join(parts)}")
        ranged = first is not None or last is not None
        if ranged and (way.sort is None or all(given)):
            raise BadUsage(f"{self.name} {path} has nothing left to range over")
        if way.sort is None:
            return KeyCondition(way, partition)
        if sort_parts and all(given):
            return KeyCondition(way, partition, equal=way.sort.text(parts))
        prefix, following = way.sort.prefix(parts)
        if not ranged:
            return KeyCondition(way, partition, prefix=prefix or None)
        low = prefix + text_of(first) if first is not None else prefix
        # A range ends behind everything that starts with `last`: its own separator, then anything.
        end = following + AFTER_ALL if following else ""
        high = prefix + text_of(last) + end if last is not None else (prefix + AFTER_ALL if prefix else "")
        return KeyCondition(way, partition, low=low or None, high=high or None)
