"""The canonical text of a value for a column of the lake: equal values are equal texts, wherever they were read.

Belongs here: a stored attribute, and a plain value of the change log, as the text that DuckDB casts to the
column's type. Does not belong here: what is done with the texts (intervals.py).
A row of now holds 8 hours as the number 8, the log as the text "8.00": in a nested value both become 8.
"""

import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Protocol, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel

from prism_core.failures import BadUsage
from prism_core.lake import Column
from prism_core.models.base import text_of
from prism_core.tables import TableSpec
from prism_resources.tables.codec import Attribute, decode_value

# The field did not exist; a text that begins like it is escaped by doubling its first character.
ABSENT: Final = "\x00"

VERSION: Final = "version"
RECORDED_LATE: Final = "recorded_late"

_encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


class FieldText(Protocol):
    """The texts of a field of the log, and the column they stand in."""

    name: str
    field: str

    def of_attribute(self, attribute: Attribute | None) -> str | None:
        """Of an attribute as DynamoDB stores it, such as {"S": "active"}; None when it is absent."""
        ...


class ColumnText:
    """The texts of one column, from the field of the table's model that it is of."""

    def __init__(self, spec: TableSpec, column: Column) -> None:
        field = spec.model.model_fields.get(column.of_field)
        if field is None:
            raise BadUsage(f"{spec.name} has no field {column.of_field!r}, so its history has no such column")
        self.name, self.field, self._annotation = column.name, column.of_field, field.annotation
        self._is_text = column.type == "string"

    def of_attribute(self, attribute: Attribute | None) -> str | None:
        """Of an attribute as DynamoDB stores it, such as {"S": "active"}; None when it is absent."""
        if attribute is None:
            return None
        text = attribute.get("S")
        if text is not None:
            return escaped(text) if self._is_text else text
        return attribute.get("N") or self.of_plain(decode_value(attribute))

    def of_plain(self, value: Any) -> str | None:
        """Of a plain value of a state or a change, or of a value of the model; None when it is absent."""
        if value is None:
            return None
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | Decimal):
            return str(value)
        if isinstance(value, dict | list | tuple):
            return _encode(_canonical(self._annotation, value)).decode()
        text = text_of(value)
        return escaped(text) if self._is_text else text


def carried(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns whose texts are carried: a state answers its version, and whether it is late, by itself."""
    return tuple(column for column in columns if column.name not in {VERSION, RECORDED_LATE})


def escaped(text: str) -> str:
    """A text as no reader takes for ABSENT."""
    return ABSENT + text if text.startswith(ABSENT) else text


def _canonical(annotation: Any, value: Any) -> Any:
    """The value with its numbers as numbers, wherever the annotation says that there is one."""
    annotation = _bare(annotation)
    if annotation is Decimal:
        return _number(value)
    if isinstance(value, Mapping):
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            kinds = {field.serialization_alias or name: field for name, field in annotation.model_fields.items()}
            return {n: _canonical(kinds[n].annotation if n in kinds else Any, v) for n, v in value.items()}
        of_value = (*get_args(annotation), Any, Any)[1]
        return {text_of(name): _canonical(of_value, element) for name, element in value.items()}
    if isinstance(value, list | tuple):
        of_element = (*get_args(annotation), Any)[0]
        return [_canonical(of_element, element) for element in value]
    return text_of(value) if isinstance(value, date | datetime) else value


def _bare(annotation: Any) -> Any:
    """Without what pydantic hangs onto a type, and without `| None`."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in {Union, types.UnionType}:
        (inner, *others) = [one for one in get_args(annotation) if one is not types.NoneType]
        return Any if others else _bare(inner)
    return annotation


def _number(value: Any) -> Any:
    """8.00, "8.00" and 8 are 8; anything that is no number, such as nothing, stays as it is."""
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else number.normalize()
    return value
