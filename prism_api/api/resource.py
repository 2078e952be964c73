"""What the API has to know about a kind of item to serve it.

Belongs here: the description of a resource, and the request and answer models that follow from its model.
Does not belong here: reading (lists.py), writing (writes.py) and registering routes (crud.py).
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from pydantic import ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from prism_api.api.calls import Call
from prism_api.api.opaque import decode_key, encode_key
from prism_api.api.problems import Problem, not_found
from prism_api.api.visibility import Visible
from prism_core.history.changes import ULID_RANDOM_BYTES, ulid
from prism_core.models.base import Model, Versioned, text_of
from prism_core.models.changes import Change
from prism_core.tables import TableSpec

M = TypeVar("M", bound=Model)
MAX_KEY_BYTES = 2_048  # of DynamoDB

Partitions = Callable[[Call], Mapping[str, tuple[str, ...]]]
# A field of the answer that is computed when an item is read: its type, and its value.
Derived = tuple[Any, Callable[[Any], Any]]
Owner = Callable[[Any], str | None]
# Fills what the server decides, given the fields that the caller sent.
Completion = Callable[[Call, dict[str, Any]], dict[str, Any]]
# Refuses a change that the model alone cannot judge: raises Problem. `before` is None for a new item.
Judge = Callable[[Call, Any, Any], None]


@dataclass(frozen=True, slots=True)
class Resource(Generic[M]):
    """One kind of item. `ways` are access paths of its table, the most selective first.

    `filters` are fields that a list can be filtered by, with the type of a value; `search` are the fields that `q`
    looks into; `everything` gives the partitions of a list without a selective filter; `owner` names the member a
    row belongs to. `server` are fields that the caller cannot set, `filled` those that `complete` adds when they
    are absent, `generated` is the first letter of ids that the server makes. `judge` says what a caller may
    change, `rule` what nobody may, an admin included; `rehearse` is told of each row that a dry run would write.
    `row` is what a list carries if that is less (then without what is derived), `answer` the same for one item;
    `hidden` says which rows a caller must not see, `secret` which fields,
    `never_in_history` which ones nobody reads there. `opaque` is a single key that no path segment could hold,
    `derived` what is added to an answer, `together` whether two changes of a request are one and are taken back as
    one. Who sees one team reads an item as `narrow` leaves it, no history of `names_others`, and nothing of a
    resource `of_everybody`. `kept` are fields that a PUT of this caller leaves alone when it leaves them out,
    `claim` takes what only one item may have just before a write, `mine` is the field that may name the caller
    by any of their names; without `past` nobody reads how an item was.
    """

    path: str
    spec: TableSpec
    model: type[M]
    noun: str
    example: Mapping[str, Any]
    ways: tuple[str, ...]
    everything: Partitions
    filters: Mapping[str, Any]
    sorts: tuple[str, ...]
    search: tuple[str, ...] = ()
    owner: Owner | None = None
    server: tuple[str, ...] = ()
    complete: Completion = lambda _, fields: fields
    judge: Judge = lambda _call, _before, _after: None
    rule: Judge = lambda _call, _before, _after: None
    rehearse: Judge = lambda _call, _before, _after: None
    row: type[Model] | None = None
    answer: type[Model] | None = None
    hidden: Callable[[Call, Any], bool] = lambda _call, _item: False
    secret: Callable[[Call, Any], frozenset[str]] = lambda _call, _item: frozenset()
    opaque: bool = False
    generated: str | None = None
    filled: tuple[str, ...] = ()
    past: bool = True
    derived: Mapping[str, Derived] = field(default_factory=dict[str, Derived])
    never_in_history: tuple[str, ...] = ()
    together: Callable[[Change, Change], bool] | None = None
    narrow: Callable[[Call, Any], Any] = lambda _call, item: item
    names_others: tuple[str, ...] = ()
    of_everybody: bool = False
    kept: Callable[[Call], frozenset[str]] = lambda _call: frozenset()
    claim: Judge = lambda _call, _before, _after: None
    mine: str | None = None

    @property
    def composite(self) -> bool:
        """Whether a key is written as opaque text: several parts, or characters that no path segment holds."""
        return self.opaque or len(self.spec.key_parts) > 1

    def key_text(self, item: Model) -> str:
        """The key of an item as one path segment."""
        parts = {part: text_of(getattr(item, part)) for part in self.spec.key_parts}
        return encode_key(parts) if self.composite else parts[self.spec.key_parts[0]]

    def key_parts(self, text: str) -> dict[str, Any]:
        """The parts of a key from a path segment. Raises Problem 404 when it names nothing."""
        names = self.spec.key_parts
        if self.composite:
            return decode_key(text, names)
        if len(text.encode()) > MAX_KEY_BYTES:
            raise not_found(f"{self.noun} {text[:50]}…")
        return {names[0]: text}

    @property
    def generated_part(self) -> str:
        """The part of the key that the server makes: the last one."""
        return self.spec.key_parts[-1]

    def seen_by(self, call: Call, seen: Visible, item: Any) -> bool:
        """Whether this caller may see the item at all."""
        return not self.hidden(call, item) and (self.owner is None or seen.sees(self.owner(item)))

    def refuse_part(self, seen: Visible) -> None:
        """Raises Problem 403 for who sees one team, where a resource tells of everybody at once."""
        if self.of_everybody and seen.members is not None:
            words = f"A {self.noun} is about all teams; who sees one team reads none."
            raise Problem(HTTPStatus.FORBIDDEN, words)

    def new_id(self, call: Call, fields: Mapping[str, Any], row: int | None = None) -> dict[str, Any]:
        """The generated key of a new item; nothing where the caller names it. A repeated call makes it again."""
        if self.generated is None:
            return {}
        seed = json.dumps([call.request_id, row, dict(fields)], sort_keys=True, default=str)
        made = ulid(call.now, hashlib.sha256(seed.encode()).digest()[:ULID_RANDOM_BYTES]).lower()
        return {self.generated_part: f"{self.generated}-{made}"}

    @property
    def row_model(self) -> type[Model]:
        return self.row or self.model


def answer_model(resource: Resource[Any], model: type[Model]) -> type[Model]:
    """The item as it is answered: all its fields, and its key as a path segment."""
    key: Any = (str, Field(description="names the item in URLs"))
    name = f"{model.__name__}Answer"
    added = {} if model is resource.row and model is not resource.answer else resource.derived
    derived: dict[str, Any] = {field_name: (kind, ...) for field_name, (kind, _) in added.items()}
    return create_model(name, __base__=model, __module__=__name__, key=key, **derived)


def page_model(resource: Resource[Any], answer: type[Model]) -> type[Model]:
    """A page of a list."""
    rows: Any = list[answer]  # type: ignore[valid-type]
    following: Any = (
        str | None,
        Field(default=None, description="cursor of the next page; null at the end"),
    )
    return create_model(
        f"{answer.__name__.removesuffix('Answer')}Page",
        __base__=Model,
        __module__=__name__,
        items=(rows, ...),
        next=following,
    )


def create_fields(resource: Resource[Any]) -> type[Model]:
    """What a POST sends: every field but the version and what the server decides."""
    made = {resource.generated_part} if resource.generated else set[str]()
    return _fields(resource, "Create", leave_out={"version", *resource.server, *made}, optional=False)


def replace_fields(resource: Resource[Any]) -> type[Model]:
    """What a PUT sends: every field but the key, the version and what the server decides."""
    return _fields(resource, "Replace", leave_out=_fixed(resource), optional=False)


def patch_fields(resource: Resource[Any]) -> type[Model]:
    """What a PATCH sends: some fields; null removes an optional one (RFC 7396)."""
    return _fields(resource, "Patch", leave_out=_fixed(resource), optional=True)


def taken_on_create(resource: Resource[Any]) -> frozenset[str]:
    """The names that a POST, or a row that creates, may set."""
    made = {resource.generated_part} if resource.generated else set[str]()
    return frozenset(set(resource.model.model_fields) - {"version", *resource.server, *made})


def taken_on_change(resource: Resource[Any]) -> frozenset[str]:
    """The names that a PUT, a PATCH, or a row that updates, may set."""
    return frozenset(set(resource.model.model_fields) - _fixed(resource))


def _fixed(resource: Resource[Any]) -> set[str]:
    return {"version", *resource.server, *resource.spec.key_parts}


def _fields(resource: Resource[Any], kind: str, *, leave_out: set[str], optional: bool) -> type[Model]:
    fields: dict[str, Any] = {}
    for name, info in resource.model.model_fields.items():
        if name not in leave_out:
            left_out = optional or (name in resource.filled and kind == "Create")
            fields[name] = (_annotation(info, optional=left_out), _default(info, optional=left_out))
    example = {name: value for name, value in resource.example.items() if name in fields}
    if optional:
        example = dict(list(example.items())[-1:])
    made = create_model(f"{resource.model.__name__}{kind}", __base__=Model, __module__=__name__, **fields)
    made.model_config = ConfigDict(**{**Model.model_config, "json_schema_extra": {"examples": [example]}})
    return made


def _annotation(info: FieldInfo, *, optional: bool) -> Any:
    kind: Any = info.annotation
    if optional and get_origin(kind) is dict:  # null takes one entry out
        name, value = get_args(kind)
        kind = dict[name, value | None]
    kept: Any = Annotated[(kind, *info.metadata)] if info.metadata else kind
    return kept | None if optional else kept


def _default(info: FieldInfo, *, optional: bool) -> Any:
    if optional:
        return Field(default=None, description=info.description)
    if info.is_required():
        return Field(description=info.description)
    if info.default_factory is not None:
        return Field(default_factory=info.default_factory, description=info.description)
    return Field(default=info.default, description=info.description)


def is_versioned(resource: Resource[Any]) -> bool:
    """Whether items carry a version and can be edited."""
    return issubclass(resource.model, Versioned)
