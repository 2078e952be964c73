"""The branches of a schema that data choose among by a text, such as `"action": "created"`.

Belongs here: finding them at the top of a schema, and which one data name. Does not belong here: judging
(validating.py). That no branch fits tells a producer nothing; what the named one refuses does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from prism_core.events.schemas import Schema, draft_of, target

_DEFINITIONS: Final = ("$defs", "definitions")


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch as a schema of its own, with the texts that it asks for by name."""

    tags: Mapping[str, tuple[str, ...]]
    schema: Schema


def branches_of(root: Schema) -> tuple[Branch, ...]:
    """All of them; none unless each has a tag and can stand without the others."""
    definitions = {word: root[word] for word in _DEFINITIONS if word in root}
    kept = tuple(f"#/{word}/" for word in definitions)
    if "$ref" in root or not all(one.startswith(kept) for one in _references(root)):
        return ()
    found = [(_tags(root, one), one) for one in _alternatives(root, root)]
    if not all(tags for tags, _ in found):
        return ()
    return tuple(Branch(tags, {"$schema": draft_of(root), **one, **definitions}) for tags, one in found)


def named(branches: Sequence[Branch], data: Mapping[str, Any]) -> int | None:
    """The number of the one branch whose texts the data have; None when there are none or several."""
    found = [
        number
        for number, branch in enumerate(branches)
        if all(data.get(name) in values for name, values in branch.tags.items())
    ]
    return found[0] if len(found) == 1 else None


def unknown_tag(branches: Sequence[Branch], data: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    """A name that every branch asks for and whose text in the data none has, with the texts that they have."""
    common = set[str].intersection(*({*branch.tags} for branch in branches))
    for name in sorted(common):
        values = {value for branch in branches for value in branch.tags[name]}
        if not isinstance(data.get(name), str) or data[name] not in values:
            return name, sorted(values)
    return None


def _alternatives(root: Schema, schema: Schema) -> list[Schema]:
    """The branches themselves, whether they stand there or are referred to; what is no object becomes {}."""
    found: list[Schema] = []
    for one in cast("list[Any]", schema.get("oneOf") or schema.get("anyOf") or []):
        branch = cast("Schema", one) if isinstance(one, dict) else {}
        known = target(root, branch["$ref"]) if "$ref" in branch else branch
        found.append(cast("Schema", known) if isinstance(known, dict) else {})
    return found


def _tags(root: Schema, schema: Schema, *, within: bool = True) -> dict[str, tuple[str, ...]]:
    """The texts by name that a schema, or each of its own branches, asks for; schemas may lie in circles."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in cast("Schema", schema.get("properties", {})).items():
        if isinstance(value, dict) and name in schema.get("required", ()):
            one = cast("Schema", value)
            values = [one["const"]] if "const" in one else one.get("enum", [])
            if values and all(isinstance(text, str) for text in values):
                found[name] = tuple(values)
    if not found and within and (inner := [_tags(root, one, within=False) for one in _alternatives(root, schema)]):
        for name in set[str].intersection(*({*one} for one in inner)):
            found[name] = tuple(value for one in inner for value in one[name])
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        known = cast("Schema", schema)
        if isinstance(known.get("$ref"), str):
            yield known["$ref"]
        for inner in known.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in cast("list[Any]", schema):
            yield from _references(inner)
