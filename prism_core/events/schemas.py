"""A JSON Schema as the registry takes it.

Belongs here: the drafts that are known, references that stay within their document, and what is wrong with a
schema before anybody compiles it. Does not belong here: judging data (validating.py).
"""

from collections.abc import Iterator
from typing import Any, Final, cast

from prism_core.events.rejections import pointer
from prism_core.failures import PermanentFailure

Schema = dict[str, Any]

DRAFT_7: Final = "http://json-schema.org/draft-07/schema"
DRAFT_2020: Final = "https://json-schema.org/draft/2020-12/schema"
MAX_SCHEMA_BYTES: Final = 300_000
_ELSEWHERE: Final = ("$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$recursiveAnchor", "$anchor")
# Values below these words are data, not schemas.
_DATA: Final = frozenset({"const", "enum", "default", "examples"})


def draft_of(schema: Schema) -> str:
    """The draft that a schema names, 2020-12 when it names none (without the `#` at the end)."""
    return str(schema.get("$schema", DRAFT_2020)).removesuffix("#")


def check_schema(schema: object) -> Schema:
    """The schema of an event's data. Raises PermanentFailure with the place of what the registry does not take."""
    if not isinstance(schema, dict):
        raise PermanentFailure("a schema is a JSON object")
    found = cast("Schema", schema)
    if draft_of(found) not in {DRAFT_7, DRAFT_2020}:
        raise PermanentFailure(f"$schema {draft_of(found):.100} is not known; use {DRAFT_2020} or {DRAFT_7}#")
    problem = next(_problems(found, found, ()), None)
    if problem is not None:
        raise PermanentFailure(f"the schema is not taken: {problem}")
    return found


def target(root: Schema, reference: str) -> Any:
    """What a reference within the document (`#/definitions/user`) names. Raises PermanentFailure."""
    if reference == "#":
        return root
    if not reference.startswith("#/"):
        raise PermanentFailure(f"{reference!r:.100} leads out of the schema; copy what it names into $defs")
    found: Any = root
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = cast("Schema", found)[name]
        elif isinstance(found, list) and name.isdigit() and int(name) < len(cast("list[Any]", found)):
            found = cast("list[Any]", found)[int(name)]
        else:
            raise PermanentFailure(f"{reference!r:.100} names nothing in the schema")
    return found


def _problems(schema: Any, root: Schema, path: tuple[str | int, ...]) -> Iterator[str]:
    if isinstance(schema, list):
        for number, inner in enumerate(cast("list[Any]", schema)):
            yield from _problems(inner, root, (*path, number))
    if not isinstance(schema, dict):
        return
    for word, value in cast("Schema", schema).items():
        here = (*path, word)
        if word == "$ref" and isinstance(value, str):
            try:
                target(root, value)
            except PermanentFailure as error:
                yield f"{pointer(*here)}: {error}"
        elif (word in _ELSEWHERE or (word in {"$id", "id"} and path)) and isinstance(value, str):
            yield f"{pointer(*here)}: {word} is not taken; refer to parts as #/$defs/name"
        elif word not in _DATA:
            yield from _problems(value, root, here)
