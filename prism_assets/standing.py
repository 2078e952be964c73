"""Registers as they stood at the ends of weeks.

Belongs here: the items of now and one pass over their changes since, for all weeks of a run. Does not belong here:
undoing changes (prism_core/history) and snapshots of a whole table in the lake (the export).
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pydantic import JsonValue

from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.clock import SKEW
from prism_core.history.changes import State, state_of
from prism_core.history.snapshots import ends_of, states_at
from prism_core.models.base import Versioned
from prism_core.models.changes import Change
from prism_core.tables import TableSpec
from prism_resources.aws import client
from prism_resources.tables.history import TableHistory, key_of_item_key

V = TypeVar("V", bound=Versioned)
# Names and addresses: no figure needs them, and those of a person who was forgotten are gone.
WITHHELD = "withheld@example.invalid"


@dataclass(frozen=True, slots=True)
class Standing(Generic[V]):
    """The items of a register by id: as they are now, and as they stood at the end of each week.

    Personal fields of an earlier state are withheld.
    """

    now: Mapping[str, V]
    weeks: Mapping[Week, Mapping[str, V]]

    def of(self, week: Week, needed: Iterable[str] = ()) -> dict[str, V]:
        """The items at the end of a week; of those in `needed` that were recorded only later, as they are now."""
        late = {key: self.now[key] for key in needed if key in self.now}
        return late | dict(self.weeks[week])


def standing(
    prism: PrismResource,
    spec: TableSpec,
    model: type[V],
    statuses: Iterable[str],
    weeks: Iterable[Week],
    now: datetime,
) -> Standing[V]:
    """Read a register by its status index, and its changes since the end of the first week, once.

    Raises TransientFailure when an item changes while it is read.
    """
    asked = sorted(weeks)
    reader, settings = prism.reader(spec, model), prism.settings()
    history = TableHistory(client(settings, "dynamodb"), settings)
    personal = frozenset(spec.personal)
    items = {spec.item_key(spec.key_of(one)): one for s in statuses for one in reader.query("by_status", status=s)}
    horizon = max(now, datetime.now(UTC)) + SKEW
    ends = ends_of(asked, now)
    sealed = history.between(spec, min(ends.values()) - SKEW, horizon, opened=False) if asked else ()
    changes = [_without(personal, change) for change in sealed]
    # The index may lag behind the log, which is read consistently.
    for item_key in {change.item_key for change in changes} - items.keys():
        parts: dict[str, Any] = dict(key_of_item_key(spec, item_key))
        found = reader.get(**parts)
        if found is not None:
            items[item_key] = found
    rows: dict[str, State] = {
        key: {name: value for name, value in state_of(item).items() if name not in personal}
        | {"version": item.version}
        for key, item in items.items()
    }
    known = {(key, item.version): item for key, item in items.items()}

    def model_of(item_key: str, state: dict[str, JsonValue]) -> V:
        place = (item_key, int(str(state["version"])))
        if place not in known:
            known[place] = model.from_plain(state | dict.fromkeys(spec.personal, WITHHELD))
        return known[place]

    found = states_at(rows, changes, ends)
    weekly = {
        week: {_id(spec, key): model_of(key, state) for key, state in found[week.label].items()} for week in asked
    }
    return Standing({_id(spec, key): item for key, item in items.items()}, weekly)


def _without(personal: Set[str], change: Change) -> Change:
    """A change of the fields that figures come from; opening the others would cost a look-up a person."""
    kept = {name: one for name, one in change.changes.items() if name not in personal}
    return change.model_copy(update={"changes": kept})


def _id(spec: TableSpec, item_key: str) -> str:
    return key_of_item_key(spec, item_key)[spec.partition.name]
