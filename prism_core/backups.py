"""What a backup is, and the record of a restored set.

Belongs here: where a backup lies, its manifest, which backup a restore starts from, the digest of an item.
Does not belong here: reading and writing either (prism_resources/backup), and moving an item through its changes
(prism_core/history/rebuild.py).
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

import msgspec
from pydantic import Field, ValidationError

from prism_core.clock import LONGEST_WRITE, SKEW
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.models.base import Count, Instant, Many, Model, instant_text
from prism_core.tables import TABLES, TableSpec, table

BACKUPS: Final = "backups/"
RESTORES: Final = "restores/"
FORMAT: Final = 1
BACKED_UP: Final[Mapping[str, TableSpec]] = {n: spec for n, spec in TABLES.items() if not spec.passing}

_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_ID_SECONDS = len("20260105T070000Z")
_SHA256 = r"^[0-9a-f]{64}$"
_Digest = Annotated[str, Field(pattern=_SHA256)]
_DIGEST_SPACE = 1 << 256


class BackupPart(Model):
    """One object: `items` lines of JSON under zstd. `size` (bytes) and `sha256` are those of the stored object."""

    key: Annotated[str, Field(min_length=1, max_length=1_024)]
    items: Count
    size: Count
    sha256: _Digest


class TableBackup(Model):
    """A table in a backup."""

    items: Count
    parts: Many[BackupPart]


class BackupManifest(Model):
    """What a backup holds; written last, so that one that was killed has none.

    Tables are read one after another from `began` on, the change log last, from `log_began` on: so every change of
    what was read stands in the log of the same backup.
    """

    format: Literal[1] = FORMAT
    backup_id: Annotated[str, Field(pattern=rf"^{_ID.pattern}$")]
    name_prefix: Annotated[str, Field(min_length=1, max_length=200)]
    began: Instant
    log_began: Instant
    ended: Instant
    tables: dict[str, TableBackup]

    @property
    def items(self) -> int:
        return sum(one.items for one in self.tables.values())

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for one in self.tables.values() for part in one.parts)

    @property
    def whole_until(self) -> datetime:
        """Up to here the backup alone gives every state: its log holds every change until then."""
        return self.log_began - SKEW

    def encoded(self) -> bytes:
        """As it is stored: its fields, and the hash of these, so that damage is noticed."""
        fields = self.plain()
        return _pretty({**fields, "sha256": _sha256(fields)})

    @classmethod
    def decoded(cls, body: bytes, key: str) -> Self:
        """The inverse. Raises PermanentFailure that names the object and what is wrong with it."""
        try:
            fields: Any = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise _damaged(key, f"it is cut off or no JSON ({error})") from error
        if not isinstance(fields, dict):
            raise _damaged(key, "it is no JSON object")
        found: dict[str, Any] = fields  # pyright: ignore[reportUnknownVariableType]
        said = found.pop("sha256", None)
        if found.get("format") != FORMAT:
            raise PermanentFailure(
                f"{key} has the format {found.get('format')!r}; this version of PRISM reads {FORMAT} only"
            )
        if said != _sha256(found):
            raise _damaged(key, "it does not have the hash that it names")
        try:
            return cls.from_plain(found)
        except ValidationError as error:
            raise _damaged(key, str(error)) from error


class RestoredTable(Model):
    """A table of a restored set, verified. `moved` items were changed by the log to be as of the instant, `absent`
    is how many of a forgotten person could not be brought back, `blanked` how many lost personal values only."""

    items: Count
    digest: _Digest
    as_of: Instant
    moved: Count = 0
    absent: Count = 0
    blanked: Count = 0


class RestoredSet(Model):
    """A set of tables side by side with the real ones. It counts once `finished` says when; `tables` are done."""

    name: Annotated[str, Field(min_length=3, max_length=200)]
    at: Instant
    backup_id: str
    changes_from: Literal["log", "backup"]
    began: Instant
    finished: Instant | None = None
    tables: dict[str, RestoredTable] = Field(default_factory=dict[str, RestoredTable])

    def encoded(self) -> bytes:
        return _pretty(self.plain())

    @classmethod
    def decoded(cls, body: bytes, key: str) -> Self:
        """Raises PermanentFailure that names the object."""
        try:
            return cls.from_plain(msgspec.json.decode(body))
        except (msgspec.DecodeError, ValidationError) as error:
            raise PermanentFailure(
                f"the record {key} of a restored set is damaged: {error}; delete it and its tables, restore again"
            ) from error


class Digest:
    """The digest of a set of items: equal for the same items in any order, and of any form of a number.

    A sum of hashes: an item more, less, twice, or with another value gives another one.
    """

    def __init__(self) -> None:
        self.items, self._sum = 0, 0

    def add(self, item: Mapping[str, Any]) -> None:
        """An item as the service knows it: `{"hours": {"N": "8"}, …}`."""
        hashed = hashlib.sha256(_sorted_json({name: _one_form(value) for name, value in item.items()}))
        self._sum = (self._sum + int.from_bytes(hashed.digest())) % _DIGEST_SPACE
        self.items += 1

    @property
    def text(self) -> str:
        return f"{self._sum:064x}"


def backup_prefix(backup_id: str) -> str:
    return f"{BACKUPS}{backup_id}/"


def part_key(backup_id: str, table_name: str, number: int) -> str:
    return f"{backup_prefix(backup_id)}{table_name}/part-{number:05d}.jsonl.zst"


def manifest_key(backup_id: str) -> str:
    return f"{backup_prefix(backup_id)}manifest.json"


def new_backup_id(now: datetime, randomness: bytes) -> str:
    """Ids sort by time; under a fixed clock the random part (3 bytes) tells two apart."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{randomness.hex()}"


def checked_backup_id(text: str) -> str:
    """Raises BadUsage for what is no id of a backup: it becomes part of a key."""
    if not _ID.fullmatch(text):
        raise BadUsage(f"{text!r} is no backup, such as 20260105T070000Z-1a2b3c; see `prism backup --list`")
    return text


def began_of(backup_id: str) -> datetime:
    """When a backup began, to the second, as its id tells it. Raises BadUsage for what is no id."""
    try:
        return datetime.strptime(checked_backup_id(backup_id)[:_ID_SECONDS] + "+0000", "%Y%m%dT%H%M%SZ%z")
    except ValueError as error:
        raise BadUsage(f"{backup_id!r} is no backup: {error}") from error


def set_name(name_prefix: str, at: datetime) -> str:
    """The name of the set of an instant; its tables are `<name>-<table>`. One instant, one set: a restore that was
    killed goes on where it was."""
    at = at.astimezone(UTC)
    fraction = f"-{at.microsecond:06d}" if at.microsecond else ""
    return f"{name_prefix}-restored-{at:%Y%m%dt%H%M%S}{fraction}z"


def record_key(name: str) -> str:
    return f"{RESTORES}{name}.json"


def chosen_tables(names: Iterable[str]) -> tuple[TableSpec, ...]:
    """The tables of these names, all of a backup when none is given, the change log last. Raises BadUsage."""
    wanted = {name.strip() for name in names if name.strip()}
    for name in sorted(wanted):
        if table(name).passing:
            raise BadUsage(f"no backup holds {name}: its rows pass, and the lake keeps what they were about")
    found = [spec for name, spec in BACKED_UP.items() if not wanted or name in wanted]
    return tuple(sorted(found, key=lambda spec: spec.name == "changelog"))


def base_of(manifests: Sequence[BackupManifest], at: datetime) -> BackupManifest:
    """The backup to start from: the newest that had ended by then, else the oldest, and then changes are undone.

    Raises PermanentFailure when there is no backup at all.
    """
    if not manifests:
        raise PermanentFailure("there is no backup to restore from; `prism backup` makes one")
    before = [one for one in manifests if one.ended <= at]
    if before:
        return max(before, key=lambda one: (one.ended, one.backup_id))
    return min(manifests, key=lambda one: (one.began, one.backup_id))


def window_of(base: BackupManifest, at: datetime) -> tuple[datetime, datetime]:
    """The instants of all changes that lie between what the backup read and the state at an instant: also of those
    that appeared only after it had read."""
    return min(at, base.began) - LONGEST_WRITE, max(at, base.ended) + SKEW


def refuse_unknown(newest: BackupManifest, at: datetime) -> None:
    """Without the live change log, the log of the newest backup must reach to the instant."""
    if at > newest.whole_until:
        raise PermanentFailure(
            f"without the live change log nothing is known after {instant_text(newest.whole_until)}, up to which "
            f"backup {newest.backup_id} is complete; restore --at that instant or an earlier one"
        )


def _sha256(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(_sorted_json(fields)).hexdigest()


def _pretty(fields: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(_sorted_json(fields), indent=2) + b"\n"


def _damaged(key: str, why: str) -> PermanentFailure:
    return PermanentFailure(
        f"the manifest {key} is damaged: {why}. Its backup does not count; name another one with --backup, or "
        "delete the object to leave it out"
    )


def _one_form(attribute: Mapping[str, Any]) -> Any:
    """The service may answer 8.00 as 8: numbers are compared by value."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL" | "NULL":
            return attribute
        case "N":
            number = Decimal(value)
            return {kind: str(number.normalize()) if number else "0"}
        case "L":
            return {kind: [_one_form(one) for one in value]}
        case "M":
            return {kind: {name: _one_form(one) for name, one in value.items()}}
        case _:
            raise PermanentFailure(
                f"PRISM stores no attribute of type {kind}; the item was written by something else"
            )


_sorted_json = msgspec.json.Encoder(order="sorted").encode
