"""Settings that are objects: from the text of a variable, or from the file.

Belongs here: reading them, with errors that name each entry. Does not belong here: the settings (settings.py).
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel, ValidationError

_M = TypeVar("_M", bound=BaseModel)


def read_object(model: type[_M], noun: str, example: str) -> Callable[[object], object]:
    """Reads a JSON object as text, or as the file holds it: its shares are decimals, whatever JSON makes of them.

    What it reads raises ValueError that names each entry that is wrong or that there is not.
    """

    def read(value: object) -> object:
        if isinstance(value, model):
            return value
        text = value if isinstance(value, str) else json.dumps(value, default=str)  # decimals of a dumped one
        try:
            given = json.loads(text, parse_float=Decimal, parse_constant=Decimal)
        except ValueError as error:
            raise ValueError(f"is no JSON object such as {example}: {error}") from error
        try:
            return model.model_validate(given)
        except ValidationError as error:
            known = ", ".join(model.model_fields)
            said = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
            raise ValueError(f"{'; '.join(said)}; {noun} are {known}") from error

    return read


def read_services(value: object) -> object:
    """Reads a JSON object as text. Raises ValueError."""
    example = '{"rates": {"url": "https://rates.example.com/v1/{text}"}}'
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"is no JSON object such as {example}: {error}") from error
