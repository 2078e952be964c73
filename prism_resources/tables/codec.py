"""Models as DynamoDB attribute values, and back.

Belongs here: the two directions, the key attributes that are derived from a model, the size of an item.
Does not belong here: any call. Numbers are Decimal or int, never float; sets are avoided, since an empty one
does not exist there; a top-level field of no value is left out, so that indexes stay sparse.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from prism_core.failures import BadUsage, PermanentFailure
from prism_core.models.base import STORED, Model, text_of
from prism_core.tables import TableSpec

M = TypeVar("M", bound=Model)
Attribute = Mapping[str, Any]
Item = dict[str, Attribute]

# The request that wrote the item last: it tells a writer whose answer got lost that it had won.
LAST_WRITE = "last_write"
ITEM_MAX_BYTES = 400 * 1024

_WHOLE = re.compile(r"-?\d+")


def encode(spec: TableSpec, item: Model, *, called: str | None = None, beside: Item | None = None) -> Item:
    """All attributes of an item, with those that key the table and its indexes.

    `beside` are attributes that are none of the model's. Raises BadUsage, about the item as it is `called`, when
    it is larger than an item may be: whoever wrote it can shorten it.
    """
    fields = {name: value for name, value in item.model_dump().items() if value is not None}
    encoded = {name: encode_value(value) for name, value in (fields | spec.derived_of(item)).items()}
    encoded |= beside or {}
    size = item_bytes(encoded)
    if size > ITEM_MAX_BYTES:
        what = called or spec.item_key(spec.key_of(item))
        raise BadUsage(f"{what} takes {size:,} bytes; an item holds at most {ITEM_MAX_BYTES:,}: shorten it")
    return encoded


def decode(spec: TableSpec, model: type[M], attributes: Attribute) -> M:
    """The model of a stored item. Raises PermanentFailure that names the item when it does not fit."""
    known = model.model_fields
    besides = spec.all_attributes.keys() | {LAST_WRITE}
    values = {
        name: decode_value(value) for name, value in attributes.items() if name in known or name not in besides
    }
    try:
        return model.model_validate(values, context=STORED)
    except ValidationError as error:
        key = "/".join(str(decode_value(attributes.get(a.name, {"S": "?"}))) for a in spec.key_attributes)
        raise PermanentFailure(
            f"the stored item {spec.name}/{key} is not a valid {model.__name__}: {error}"
        ) from error


def encode_key(key: Mapping[str, str]) -> Item:
    """A key or a cursor: every attribute is a string."""
    return {name: {"S": value} for name, value in key.items()}


def decode_key(attributes: Attribute) -> dict[str, str]:
    """The inverse of `encode_key`."""
    return {name: value["S"] for name, value in attributes.items()}


def encode_value(value: object) -> Attribute:
    """One Python value. Raises TypeError for a float and for anything that has no form there."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": str(value)}
        case int():
            return {"N": str(value)}
        case Decimal():
            return {"N": _number(value)}
        case datetime() | date():
            return {"S": text_of(value)}
        case list() | tuple():
            return {"L": [encode_value(element) for element in value]}
        case dict():
            return {"M": {text_of(name): encode_value(element) for name, element in value.items()}}
        case _:
            raise TypeError(f"{value!r} cannot be stored; numbers are Decimal or int")


def _number(value: Decimal) -> str:
    """As the service keeps it, without zeros at the end: a write that is sent again is the same write, also where
    the embedded AWS compares it with what it has made of the first."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decode_value(attribute: Attribute) -> Any:
    """One attribute value: a whole number as int, any other as Decimal."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL" | "B":
            return value
        case "N":
            return int(value) if _WHOLE.fullmatch(value) else Decimal(value)
        case "NULL":
            return None
        case "L":
            return [decode_value(element) for element in value]
        case "M":
            return {name: decode_value(element) for name, element in value.items()}
        case _:
            raise PermanentFailure(
                f"PRISM stores no attribute of type {kind}; the item was written by something else"
            )


def item_bytes(item: Attribute) -> int:
    """The size of an item by DynamoDB's rules, rounded up: names and texts as UTF-8, 21 bytes a number."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(attribute: Attribute) -> int:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return len(value.encode())
        case "B":
            return len(value)
        case "N":
            return 21
        case "L":
            return 3 + sum(1 + _value_bytes(element) for element in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(element) for name, element in value.items())
        case _:
            return 1
