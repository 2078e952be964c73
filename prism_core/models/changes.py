"""An entry of the change log.

Belongs here: who changed which fields of which item, when and why. Does not belong here: comparing two
states, applying and reverting (prism_core/history/changes.py).
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, JsonValue

from prism_core.calendar import Week
from prism_core.models.base import Choice, Count, Instant, Model, Text

# Ends the request id of a change that takes another one back.
UNDO: Final = ".undo"
# A side that is missing means that the field did not exist then.
FieldChange = dict[Literal["before", "after"], JsonValue]
Changes = dict[str, FieldChange]


class Operation(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


def _refuse_floats(changes: Changes) -> Changes:
    pending: list[JsonValue] = [value for change in changes.values() for value in change.values()]
    while pending:
        value = pending.pop()
        if isinstance(value, float):
            raise ValueError(f"{value!r}: a change holds decimals as text, never as floats")  # noqa: TRY004
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
    return changes


class Change(Model):
    """One write of one item: the fields that changed, before and after, as plain JSON values.

    `week` and `shard` place it in the log; `version` is the item's version after the write (a deletion
    counts as one).
    """

    table: Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,40}$")]
    week: Week
    shard: Count
    instant: Instant
    ulid: Annotated[str, Field(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    item_key: Annotated[str, Field(min_length=3, max_length=1_024)]
    operation: Choice[Operation]
    version: Annotated[int, Field(ge=1)]
    changes: Annotated[Changes, AfterValidator(_refuse_floats)]
    actor: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Text = ""
    request_id: Annotated[str, Field(min_length=1, max_length=200)]
