"""Personal values outside the tables they belong to: sealed with a key of their person.

Belongs here: which values are personal and whose, the envelope, sealing and opening with a key at hand.
Does not belong here: where keys come from and how a person is forgotten (prism_resources/privacy.py).
An envelope is {"sealed": "v1:<key id>:<base64>"}; one whose key is gone reads {"forgotten": true}.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from prism_core.failures import BadUsage, PermanentFailure
from prism_core.models.base import Instant, Model
from prism_core.models.changes import Changes, FieldChange
from prism_core.tables import ITEM_KEY_SEPARATOR, Key, KeyAttribute, TableSpec

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

State = Mapping[str, JsonValue]

KEY_BYTES = 32
NONCE_BYTES = 12
# Sealed texts are filled up to a multiple: their length must not tell one reason from another.
PADDING_BYTES = 32
# Stand where a value was forgotten and a text is needed; at this address nobody can be.
FORGOTTEN: Final = "(forgotten)"
_FORGOTTEN_TEXTS: Final = {"email": "forgotten@example.invalid"}
_SEALED, _FORGOTTEN, _VERSION = "sealed", "forgotten", "v1"
_MEMBER = "member_id"


class PersonKey(Model):
    """The data key of a person, wrapped by KMS. `key_id` tells it from a later key of the same person."""

    person: str
    key_id: str
    wrapped: str
    created: Instant


# No operational table: it is neither logged nor exported nor backed up, else nobody could be forgotten.
PERSON_KEYS: Final = TableSpec(
    "person_keys", KeyAttribute("person", "{person}"), lambda: PersonKey, home="by_person"
)


@dataclass(frozen=True, slots=True)
class DataKey:
    """An unwrapped data key of a person. Its id is computed from it, so a wrong key is noticed."""

    person: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise PermanentFailure(f"a data key has {KEY_BYTES} bytes, not {len(self.secret)}")

    @property
    def key_id(self) -> str:
        return self._derived("id").hex()[:16]

    def _derived(self, use: str) -> bytes:
        return hmac.digest(self.secret, f"prism {_VERSION} {use}".encode(), "sha256")

    def seal(self, text: bytes, bound: bytes, occasion: str) -> bytes:
        """AES-256-GCM. The nonce is computed from what is sealed and when: a repeated write is the same bytes,
        two different texts never share a nonce, and equal texts of two occasions do not look equal."""
        seed = b"\n".join((bound, json.dumps(occasion).encode(), text))
        nonce = hmac.digest(self._derived("nonce"), seed, "sha256")[:NONCE_BYTES]
        return nonce + _cipher(self._derived("seal")).encrypt(nonce, text, bound)

    def unseal(self, sealed: bytes, bound: bytes) -> bytes:
        """Raises PermanentFailure when the value was tampered with or moved from somewhere else."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        try:
            return _cipher(self._derived("seal")).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
        except (InvalidTag, ValueError) as error:
            raise PermanentFailure(
                f"a sealed value of {self.person} was changed or belongs to another field: {bound.decode()}"
            ) from error


def _cipher(key: bytes) -> "AESGCM":
    # 15 ms at import, which a function that seals nothing must not pay at its cold start.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key)


def person_of(spec: TableSpec, key: Key) -> str:
    """Whose the personal values of an item are: the first part of its key, a member unless it says otherwise."""
    attribute = spec.partition
    if attribute.derived:
        raise BadUsage(f"{spec.name} has personal fields, so its partition key must name their person alone")
    value = key[attribute.name]
    return value if attribute.name == _MEMBER else f"{attribute.name}={value}"


def holds_members(spec: TableSpec) -> bool:
    """Whether the table holds personal values of members."""
    return bool(spec.personal) and spec.partition.name == _MEMBER


def person_of_item_key(spec: TableSpec, item_key: str) -> str:
    """The same from the key as the change log writes it: `availability/M-1/2026-01-05`."""
    table, separator, rest = item_key.partition(ITEM_KEY_SEPARATOR)
    if table != spec.name or not separator:
        raise PermanentFailure(f"{item_key} is no item of {spec.name}")
    return person_of(spec, {spec.partition.name: rest.partition(ITEM_KEY_SEPARATOR)[0]})


def forgotten() -> JsonValue:
    """What stands for a value that nobody can read any more."""
    return {_FORGOTTEN: True}


def is_forgotten(value: JsonValue) -> bool:
    return value == {_FORGOTTEN: True}


def readable(spec: TableSpec, state: State) -> dict[str, JsonValue]:
    """A state of the past as its model reads it: texts stand where personal values were forgotten."""
    return {
        name: _FORGOTTEN_TEXTS.get(name, FORGOTTEN) if name in spec.personal and is_forgotten(value) else value
        for name, value in state.items()
    }


def is_sealed(value: JsonValue) -> bool:
    return isinstance(value, dict) and value.keys() == {_SEALED} and isinstance(value[_SEALED], str)


def key_id_of(value: JsonValue) -> str:
    """The id of the key that an envelope was made with. Raises PermanentFailure for what is no envelope."""
    return _parts(value)[0]


def seal_value(key: DataKey, table: str, name: str, value: JsonValue, occasion: str = "") -> JsonValue:
    """The envelope of a value of a field of the key's person."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % PADDING_BYTES)  # JSON does not mind
    sealed = key.seal(text, _bound(table, key.person, name), occasion)
    return {_SEALED: f"{_VERSION}:{key.key_id}:{base64.b64encode(sealed).decode()}"}


def open_value(key: DataKey | None, table: str, name: str, value: JsonValue) -> JsonValue:
    """The value of an envelope; `forgotten()` when its key is gone. Anything else is answered as it is."""
    if not is_sealed(value):
        return value
    key_id, sealed = _parts(value)
    if key is None or key.key_id != key_id:
        return forgotten()
    return json.loads(key.unseal(sealed, _bound(table, key.person, name)))


def seal_changes(key: DataKey, spec: TableSpec, changes: Changes, occasion: str) -> Changes:
    """Both sides of every personal field sealed; `occasion` is the write, such as item, version and request."""

    def seal(name: str, change: FieldChange) -> FieldChange:
        return {
            side: seal_value(key, spec.name, name, value, f"{occasion}\n{side}") for side, value in change.items()
        }

    return {name: seal(name, change) if name in spec.personal else change for name, change in changes.items()}


def open_changes(key: DataKey | None, spec: TableSpec, changes: Changes) -> Changes:
    """The inverse; with the key gone, every personal value is `forgotten()`."""

    def opened(name: str, change: FieldChange) -> FieldChange:
        return {side: open_value(key, spec.name, name, value) for side, value in change.items()}

    return {name: opened(name, change) if name in spec.personal else change for name, change in changes.items()}


def seal_state(key: DataKey, spec: TableSpec, state: State) -> dict[str, JsonValue]:
    """A row that leaves its table (lake, backup). The same row is the same bytes, so that an export can tell."""
    return {
        name: seal_value(key, spec.name, name, value) if name in spec.personal else value
        for name, value in state.items()
    }


def open_state(key: DataKey | None, spec: TableSpec, state: State) -> dict[str, JsonValue]:
    """The inverse of `seal_state`."""
    return {
        name: open_value(key, spec.name, name, value) if name in spec.personal else value
        for name, value in state.items()
    }


def unsealed_fields(spec: TableSpec, changes: Changes) -> tuple[str, ...]:
    """Personal fields with a side in the clear: none may be written."""
    return tuple(
        name
        for name, change in changes.items()
        if name in spec.personal and not all(is_sealed(value) for value in change.values())
    )


def _bound(table: str, person: str, name: str) -> bytes:
    """A sealed value opens only as this field of this person in this table."""
    return json.dumps([_VERSION, table, person, name]).encode()


def _parts(value: JsonValue) -> tuple[str, bytes]:
    text = value[_SEALED] if isinstance(value, dict) and is_sealed(value) else None
    if not isinstance(text, str):
        raise PermanentFailure("the value is not sealed")
    version, _, rest = text.partition(":")
    key_id, _, body = rest.partition(":")
    try:
        sealed = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PermanentFailure("a sealed value is damaged: its body is no base64") from error
    if version != _VERSION or len(sealed) <= NONCE_BYTES:
        raise PermanentFailure(f"a sealed value has the form {version!r}, which this version of PRISM cannot read")
    return key_id, sealed
