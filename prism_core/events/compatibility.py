"""Whether a new version of a schema takes everything that the one before took.

Belongs here: comparing two schemas (draft-07 or 2020-12) keyword by keyword. Does not belong here: numbers of
versions (versions.py) and judging data (validating.py).
On the safe side: what cannot be shown to be taken is told. A name that was free before, under which anything was
taken, and is described now breaks nobody who does not use it: that is told as `REHEARSE`, for the rehearsal over
archived days to judge. What `additionalProperties` or `patternProperties` said of a name was a promise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, cast

from prism_core.events.rejections import pointer
from prism_core.events.schemas import DRAFT_7, Schema, draft_of, target
from prism_core.events.strict_json import canonical


class Weight(StrEnum):
    """How much a difference weighs: `breaking` is refused under a compatible version."""

    BREAKING = "breaking"
    REHEARSE = "rehearse"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that was taken and may not be any more; `path` is a JSON pointer into the new schema."""

    path: str
    reason: str
    weight: Weight = Weight.BREAKING


_AT_LEAST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_AT_MOST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
# Words (and those that count with the first alone) of which equality, or absence now, is all that can be shown.
_OPAQUE: Final = (
    ("pattern",), ("not",), ("contains", "minContains", "maxContains"), ("propertyNames",), ("dependencies",),
    ("dependentRequired",), ("dependentSchemas",), ("if", "then", "else"),
)  # fmt: skip
_NOT_ASSERTED: Final = ("format", "contentEncoding", "contentMediaType")
_PATH = tuple[str | int, ...]


def differences(old: Schema, new: Schema) -> tuple[Difference, ...]:
    """What valid data of `old` might be refused by `new` for; nothing: `new` takes all that `old` took.

    Both must compile (validating.py).
    """
    if draft_of(old) != draft_of(new):
        return (Difference("/$schema", "another draft reads the same words differently"),)
    found = _Comparison(old, new).compare(old, new, ())
    return tuple(dict.fromkeys(found))


def breaking(found: Sequence[Difference]) -> tuple[Difference, ...]:
    """Those that refuse a compatible version."""
    return tuple(one for one in found if one.weight is Weight.BREAKING)


@dataclass(slots=True)
class _Comparison:
    old_root: Schema
    new_root: Schema
    open: set[tuple[bytes, bytes]] = field(default_factory=set[tuple[bytes, bytes]])

    def fits(self, old: Any, new: Any) -> bool:
        """Whether all of `old` is taken by `new`, tried on the side: what it sees proves nothing elsewhere."""
        return not list(_Comparison(self.old_root, self.new_root, set(self.open)).compare(old, new, ()))

    def compare(self, old: Any, new: Any, path: _PATH) -> Iterator[Difference]:
        if new is True or new == {} or old is False:
            return
        if new is False:
            yield Difference(pointer(*path), "nothing is taken here any more")
            return
        pair = (canonical(old), canonical(new))
        if pair in self.open or (pair[0] == pair[1] and not _has_reference(new)):
            return  # a pair met inside itself holds if the rest of it does
        self.open.add(pair)
        yield from self._resolved_pair(old, new, path)
        self.open.discard(pair)

    def _resolved_pair(self, old: Any, new: Any, path: _PATH) -> Iterator[Difference]:
        was, now = _resolved(old, self.old_root), _resolved(new, self.new_root)
        if isinstance(was, bool) or isinstance(now, bool):
            yield from self.compare({} if was is True else was, now, path) if was is not now else ()
            return
        for part in (_values, _types, _bounds, self._opaque, self._members, self._elements, self._branches):
            yield from part(was, now, path)

    def _opaque(self, old: Schema, new: Schema, path: _PATH) -> Iterator[Difference]:
        for words in _OPAQUE:
            if words[0] not in new:
                continue
            word, was, now = words[0], [old.get(one) for one in words], [new.get(one) for one in words]
            same = words[0] in old and canonical(was) == canonical(now)
            if not same or (_has_reference(now) and self.old_root != self.new_root):
                yield Difference(pointer(*path, word), f"{word} is another one, and may refuse what was taken")
        # What these two leave over depends on all their neighbours.
        for word in ("unevaluatedProperties", "unevaluatedItems"):
            if word in new:
                yield Difference(pointer(*path, word), f"what {word} refuses changes with everything beside it")

    def _members(self, old: Schema, new: Schema, path: _PATH) -> Iterator[Difference]:
        if _never(old, "object"):
            return
        for name in sorted(set(_names(new, "required")) - set(_names(old, "required"))):
            yield Difference(pointer(*path, "required"), f"{name} is required now")
        olds, news = _map(old, "properties"), _map(new, "properties")
        old_rest, new_rest = old.get("additionalProperties", True), new.get("additionalProperties", True)
        old_forms, new_forms = _map(old, "patternProperties"), _map(new, "patternProperties")
        for name in sorted({*olds, *news}):
            here = (*path, "properties", name)
            if name in olds:
                yield from self.compare(olds[name], news.get(name, new_rest), here)
            else:
                before = [old_forms[form] for form in old_forms if _has_form(name, form)] or [old_rest]
                for one in before:
                    found = self.compare(one, news[name], here)
                    yield from _newly_described(found) if _takes_all(one) else found
        for form in sorted({*old_forms, *new_forms}):
            here = (*path, "patternProperties", form)
            if form in old_forms and form in new_forms:
                yield from self.compare(old_forms[form], new_forms[form], here)
            elif form in old_forms:
                yield from self.compare(old_forms[form], new_rest, here)
            elif not _takes_all(new_forms[form]):
                yield Difference(pointer(*here), "names of this form are described now")
        yield from self.compare(old_rest, new_rest, (*path, "additionalProperties"))

    def _elements(self, old: Schema, new: Schema, path: _PATH) -> Iterator[Difference]:
        if _never(old, "array"):
            return
        draft = draft_of(self.new_root)
        (old_first, old_rest), (new_first, new_rest) = _items(old, draft), _items(new, draft)
        for number in range(max(len(old_first), len(new_first))):
            was = old_first[number] if number < len(old_first) else old_rest
            now = new_first[number] if number < len(new_first) else new_rest
            yield from self.compare(was, now, (*path, "items", number))
        yield from self.compare(old_rest, new_rest, (*path, "items"))
        if new.get("uniqueItems") is True and old.get("uniqueItems") is not True:
            yield Difference(pointer(*path, "uniqueItems"), "elements must differ now")

    def _branches(self, old: Schema, new: Schema, path: _PATH) -> Iterator[Difference]:
        own: list[Any] = [_without_branches(old), *_list(old, "allOf")]
        for number, part in enumerate(_list(new, "allOf")):
            if not any(self.fits(one, part) for one in own):
                yield Difference(pointer(*path, "allOf", number), "it asks for what was not asked for before")
        if "anyOf" in new:
            before = _list(old, "anyOf") or _list(old, "oneOf") or own
            yield from self._each_fits(before, _list(new, "anyOf"), (*path, "anyOf"))
        if "oneOf" in new:
            yield from self._one_of(old, _list(new, "oneOf"), (*path, "oneOf"))

    def _each_fits(self, before: Sequence[Any], now: Sequence[Any], path: _PATH) -> Iterator[Difference]:
        for one in before:
            if not any(self.fits(one, branch) for branch in now):
                yield Difference(pointer(*path), "a branch that was taken fits into none of these")

    def _one_of(self, old: Schema, now: Sequence[Any], path: _PATH) -> Iterator[Difference]:
        """Where branches overlap, two may take the same data, which oneOf refuses: only equal ones are shown."""
        before = _list(old, "oneOf")
        if len(before) != len(now) or any(
            not (self.fits(was, one) and _Comparison(self.new_root, self.old_root).fits(one, was))
            for was, one in zip(before, now, strict=True)
        ):
            yield Difference(pointer(*path), "other branches may both take what one took, which oneOf refuses")


def _resolved(schema: Any, root: Schema) -> Any:
    """The schema with its own reference followed; what stands beside one counts from 2019 on."""
    hops = 0
    while isinstance(schema, dict) and "$ref" in schema:
        asked = cast("Schema", schema)
        beside = {word: value for word, value in asked.items() if word != "$ref"}
        found = target(root, str(asked["$ref"]))
        hops += 1
        if draft_of(root) == DRAFT_7 or not beside.keys() - _NOTES:
            schema = found if hops < 50 else True
            continue
        return {**beside, "allOf": [*_list(beside, "allOf"), found]}
    return cast("Any", schema)


_NOTES: Final = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$schema",
     "$id", "definitions", "$defs", *_NOT_ASSERTED}
)  # fmt: skip


def _values(old: Schema, new: Schema, path: _PATH) -> Iterator[Difference]:
    """`enum` and `const`."""
    now = _choices(new)
    if now is None:
        return
    was = _choices(old)
    if was is None:
        yield Difference(pointer(*path, "enum"), "only certain values are taken now")
        return
    lost = [value for form, value in was.items() if form not in now]
    if lost:
        told = ", ".join(canonical(value).decode()[:40] for value in lost[:5])
        yield Difference(pointer(*path, "enum"), f"no longer taken: {told}")


def _choices(schema: Schema) -> dict[bytes, Any] | None:
    """The values that are left, by their form; where both words stand, those that both allow."""
    allowed = [_list(schema, "enum")] if "enum" in schema else []
    allowed += [[schema["const"]]] if "const" in schema else []
    if not allowed:
        return None
    first, *others = [{_number_free(value): value for value in values} for values in allowed]
    return {form: value for form, value in first.items() if all(form in other for other in others)}


def _number_free(value: Any) -> bytes:
    """A form that is equal for 1 and 1.0, as JSON Schema holds them to be."""
    whole = isinstance(value, float) and value.is_integer()
    return canonical(int(value) if whole else value)


def _types(old: Schema, new: Schema, path: _PATH) -> Iterator[Difference]:
    now = _kinds(new)
    lost = _kinds(old) - now
    if "const" in old or "enum" in old:
        lost = lost & {_kind_of(value) for value in (_choices(old) or {}).values()}
    if lost:
        yield Difference(pointer(*path, "type"), f"no longer taken: {', '.join(sorted(lost))}")


_ALL_KINDS: Final = frozenset({"null", "boolean", "object", "array", "string", "integer", "fraction"})


def _kinds(schema: Schema) -> frozenset[str]:
    """The kinds of values, where a number is a whole one or a fraction."""
    said = schema.get("type")
    if said is None:
        return _ALL_KINDS
    names = {str(said)} if isinstance(said, str) else {str(one) for one in cast("list[object]", said)}
    return frozenset({"integer", "fraction"} if "number" in names else set()) | (names - {"number"})


def _kind_of(value: object) -> str:
    if isinstance(value, float):
        return "integer" if value.is_integer() else "fraction"
    kinds: dict[type, str] = {type(None): "null", bool: "boolean", dict: "object", list: "array", str: "string"}
    return kinds.get(type(value), "integer")


def _never(schema: Schema, kind: str) -> bool:
    return kind not in _kinds(schema)


def _bounds(old: Schema, new: Schema, path: _PATH) -> Iterator[Difference]:
    tighter: tuple[tuple[Sequence[str], Callable[[Any, Any], bool]], ...] = (
        (_AT_LEAST, lambda was, now: was < now),
        (_AT_MOST, lambda was, now: was > now),
    )
    for words, tightened in tighter:
        for word in words:
            if word in new and (word not in old or tightened(old[word], new[word])):
                yield Difference(
                    pointer(*path, word), f"{word} is {new[word]} now, and was {old.get(word, 'free')}"
                )
    if "multipleOf" in new:
        was, now = old.get("multipleOf"), Decimal(str(new["multipleOf"]))
        if was is None or Decimal(str(was)) % now != 0:
            yield Difference(pointer(*path, "multipleOf"), f"it is {now} now, and was {was or 'free'}")


def _newly_described(found: Iterator[Difference]) -> Iterator[Difference]:
    for one in found:
        yield Difference(one.path, f"the name was free before; {one.reason}", Weight.REHEARSE)


def _items(schema: Schema, draft: str) -> tuple[list[Any], Any]:
    """The schemas of the first elements, and that of the others, in the words of the draft."""
    first = schema.get("items", True)
    if draft != DRAFT_7:
        return _list(schema, "prefixItems"), first
    if isinstance(first, list):
        return cast("list[Any]", first), schema.get("additionalItems", True)
    return [], first


def _takes_all(schema: Any) -> bool:
    return schema is True or (isinstance(schema, dict) and not cast("Schema", schema).keys() - _NOTES)


def _has_form(name: str, form: str) -> bool:
    """Whether a name is one of those that a pattern describes, as the validator sees it."""
    from prism_core.events.validating import CompiledSchema  # noqa: PLC0415 - readers do without

    return not CompiledSchema({"patternProperties": {form: False}}).fits({name: None})


def _without_branches(schema: Schema) -> Schema:
    return {word: value for word, value in schema.items() if word not in {"allOf", "anyOf", "oneOf"}}


def _has_reference(value: Any) -> bool:
    return b'"$ref":' in canonical(value)


def _map(schema: Schema, word: str) -> Mapping[str, Any]:
    found = schema.get(word)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _list(schema: Schema, word: str) -> list[Any]:
    found = schema.get(word)
    return cast("list[Any]", found) if isinstance(found, list) else []


def _names(schema: Schema, word: str) -> list[str]:
    return [str(one) for one in _list(schema, word)]
