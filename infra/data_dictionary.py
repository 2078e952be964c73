"""docs/data-dictionary.md, written from the models of the operational tables.

Belongs here: what that document says, and the command that writes it: `python -m infra.data_dictionary`. A test
fails when the file says anything else. Does not belong here: tables of the lake (lake_documents.py), what a table
is for (docs/data.md).
"""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prism_core.models.base import Model
from prism_core.table_spec import KeyAttribute, TableSpec
from prism_core.tables import TABLES

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "data-dictionary.md"

_HEAD = """\
# Data dictionary

Every field of every operational table, as the models check it: anything else is refused, by the API, by files, and
by the store. Written by `python -m infra.data_dictionary` from `prism_core/tables.py` and
`prism_core/models/`; a test compares. What the tables are for: [data](data.md). The lake: [tables and
views](lake-views.md).

A field in **bold** is part of the key. *personal* ones stand in the clear in their own table alone
([privacy](data.md#privacy)). *needed* ones have no default. Decimals are exact; instants are UTC.
"""
_WORDS = {"string": "text", "integer": "whole number", "boolean": "yes or no", "number": "decimal"}
_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


def document() -> str:
    """The whole text."""
    parts = [_table(spec) for _, spec in sorted(TABLES.items())]
    return f"{_HEAD}\n## Tables\n\n{''.join(parts)}".rstrip() + "\n"


def _table(spec: TableSpec) -> str:
    schema = spec.model.model_json_schema(mode="validation")
    inner = {name: one for name, one in schema.get("$defs", {}).items() if "properties" in one}
    text = f"### {spec.name}\n\n{_said(spec.model)}\n\nKey: {_key(spec)}.\n\n{_fields(spec, schema, schema)}\n"
    for name, one in sorted(inner.items()):
        text += f"\n`{name}`{_meaning_of(one)}\n\n{_rows(one, schema, {})}\n"
    return text + "\n"


def _key(spec: TableSpec) -> str:
    parts = [_attribute(one) for one in (spec.partition, spec.sort) if one is not None]
    return ", then ".join(parts)


def _attribute(one: KeyAttribute) -> str:
    return f"`{one.name}`" if not one.derived else f"`{one.name}` (made of {_composed(one)})"


def _composed(one: KeyAttribute) -> str:
    return ", ".join(f"`{name}`" for name in one.parts) or "nothing: all in one"


def _fields(spec: TableSpec, schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    marks = dict.fromkeys(spec.personal, "*personal*")
    keys = set(spec.key_parts)
    return _rows(schema, root, marks, keys)


def _rows(
    schema: Mapping[str, Any], root: Mapping[str, Any], marks: Mapping[str, str], keys: set[str] | None = None
) -> str:
    lines = ["| field | type | | meaning |", "|---|---|---|---|"]
    needed = set(schema.get("required", ()))
    for name, one in schema["properties"].items():
        shown = f"**`{name}`**" if name in (keys or ()) else f"`{name}`"
        has_default = "default" in one
        word = marks.get(name, "") or ("needed" if name in needed and not has_default else "")
        lines.append(f"| {shown} | {_cell(_type(one, root))} | {word} | {_cell(_bounds(one))} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _type(one: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """In a person's words: `text`, `list of Skill`, `active, inactive`."""
    if "$ref" in one:
        name = one["$ref"].rsplit("/", 1)[-1]
        target = root["$defs"][name]
        return ", ".join(f"`{value}`" for value in target["enum"]) if "enum" in target else f"`{name}`"
    if "anyOf" in one:
        choices = one["anyOf"]
        if {"number", "string"} <= {
            choice.get("type") for choice in choices
        }:  # a decimal may be written as a text
            choices = [choice for choice in choices if choice.get("type") != "string"]
        kinds = [_type(choice, root) for choice in choices]
        return " or ".join(dict.fromkeys("nothing" if kind == "null" else kind for kind in kinds))
    if "const" in one:
        return f"`{one['const']}`"
    if one.get("type") == "array":
        return f"list of {_type(one.get('items', {}), root)}"
    if one.get("type") == "object":
        values = one.get("additionalProperties")
        return f"map to {_type(values, root)}" if isinstance(values, Mapping) else "map"
    format_ = {"date": "day", "date-time": "instant", "binary": "bytes"}.get(one.get("format", ""))
    kind = str(one.get("type", "any"))
    return format_ or _WORDS.get(kind, kind)


def _bounds(one: Mapping[str, Any]) -> str:
    said = [str(one["description"]).rstrip(".")] if "description" in one else []
    for part in (one, *one.get("anyOf", ())):
        said += [text.format(part[name]) for name, text in _BOUNDS.items() if name in part]
    if one.get("default") not in (None, "", [], {}):
        said.append(f"`{one['default']}` unless it says otherwise")
    return "; ".join(dict.fromkeys(said))


def _said(model: type[Model]) -> str:
    """The first paragraph of a model's charter."""
    return " ".join((inspect.getdoc(model) or "").split("\n\n", maxsplit=1)[0].split())


def _meaning_of(schema: Mapping[str, Any]) -> str:
    text = " ".join(str(schema.get("description", "")).split("\n\n", maxsplit=1)[0].split())
    return f": {text}" if text else ""


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
