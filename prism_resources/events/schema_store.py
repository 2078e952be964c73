"""The registry of schemas: versions that are written once.

Belongs here: adding a version when it may be added, and reading versions and schemas. Does not belong here: what
makes a change a breaking one (prism_core/events/compatibility.py) and compiled schemas (prism_api/events).
The schema lies in S3 under its content's hash, and the row has the hash: what is read is what was added.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from botocore.exceptions import ClientError

from prism_core.events.compatibility import Difference, breaking, differences
from prism_core.events.schemas import MAX_SCHEMA_BYTES, Schema, check_schema
from prism_core.events.strict_json import read
from prism_core.events.versions import SchemaVersion, Step, place_of
from prism_core.failures import PermanentFailure, StaleVersion
from prism_core.models.events import EnrichmentRule, RegistryStatus, SchemaItem
from prism_core.settings import Settings
from prism_core.tables import SCHEMAS
from prism_resources.aws import client
from prism_resources.events import objects
from prism_resources.failures import calling, error_code
from prism_resources.tables.codec import encode, encode_key
from prism_resources.tables.reader import TableReader

PREFIX: Final = "events/schemas/"
_TAKEN_OVER: Final = ("rules", "value_at", "label_at", "owner")


class LostSchema(PermanentFailure):
    """The schema of a version is gone from S3, or is another than was added."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A schema that may be a version: `over` is the version that it was compared with, None for a new model.

    `differences` are what data that `over` took might be refused for.
    """

    over: SchemaVersion | None
    differences: tuple[Difference, ...]
    schema: Schema

    @property
    def breaking(self) -> tuple[Difference, ...]:
        return breaking(self.differences)


class SchemaStore:
    """The table of schemas and their objects."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dynamodb = client(settings, "dynamodb")
        self._reader = TableReader(self._dynamodb, settings, SCHEMAS, SchemaItem)

    def versions(self, kind: str) -> list[SchemaItem]:
        """The versions of a type, the oldest first, read consistently."""
        return list(self._reader.query("by_type", type=kind, consistent=True))

    def version(self, kind: str, version: SchemaVersion) -> SchemaItem | None:
        return self._reader.get(type=kind, version_key=version.key)

    def all(self) -> Iterator[SchemaItem]:
        """Every version that is in use, by type and version."""
        return self._reader.query("by_status", status=RegistryStatus.ACTIVE)

    def schema(self, item: SchemaItem) -> Schema:
        """The schema of a version. Raises LostSchema."""
        text = objects.get(self._settings, item.body)
        if sha256(text).hexdigest() != item.sha256:
            raise LostSchema(f"{item.body} is not what was added as {item.type} {item.version}")
        return check_schema(read(text))

    def judge(self, kind: str, version: SchemaVersion, text: bytes) -> Judged:
        """What a schema would be as a version; nothing is written.

        Raises PermanentFailure for a schema that is not taken or a version that has no place.
        """
        return self._judged(version, text, self.versions(kind))

    def add(
        self,
        kind: str,
        version: SchemaVersion,
        text: bytes,
        *,
        by: str,
        now: datetime,
        rules: Sequence[EnrichmentRule] | None = None,
        about: Mapping[str, Any] | None = None,
        bare: bool = False,
    ) -> SchemaItem:
        """Add a version. `about` are value_at, label_at, owner and note.

        What is not given, but for the note, it takes over from the version that it follows, unless it is `bare`: a
        version that forgot a rule would keep whole the addresses which that rule cuts, and tell no owner anything.

        Raises as `judge`, PermanentFailure for a breaking change under a version of the same model, StaleVersion
        when somebody else has added a version meanwhile.
        """
        items = self.versions(kind)
        judged = self._judged(version, text, items)
        if judged.breaking:
            said = "; ".join(f"{one.path or '/'}: {one.reason}" for one in judged.breaking)
            raise PermanentFailure(
                f"{kind} {version} would break producers that keep to {judged.over}: {said}; a breaking change is "
                f"version {version.after(Step.MODEL)}"
            )
        digest = sha256(text).hexdigest()
        before = None if bare else _before(judged.over, items)
        more: dict[str, Any] = {} if before is None else {name: getattr(before, name) for name in _TAKEN_OVER}
        more |= dict(about or {}) | ({} if rules is None else {"rules": tuple(rules)})
        item = SchemaItem(
            type=kind,
            version=str(version),
            body=f"{PREFIX}{kind}/{version}-{digest[:16]}.json",
            sha256=digest,
            added_at=now,
            added_by=by,
            **more,
        )
        objects.put(self._settings, item.body, text, objects.JSON)
        self._write(item, version, judged.over)
        return item

    def _judged(self, version: SchemaVersion, text: bytes, items: Sequence[SchemaItem]) -> Judged:
        from prism_core.events.validating import CompiledSchema  # noqa: PLC0415 - who only reads does without

        if len(text) > MAX_SCHEMA_BYTES:
            raise PermanentFailure(f"a schema has at most {MAX_SCHEMA_BYTES:,} bytes, this one has {len(text):,}")
        known = {SchemaVersion.parse(item.version): item for item in items}
        over = place_of(version, known.keys())
        schema = check_schema(read(text))
        CompiledSchema(schema)
        if over is None:
            return Judged(None, (), schema)
        return Judged(over, differences(self.schema(known[over]), schema), schema)

    def _write(self, item: SchemaItem, version: SchemaVersion, over: SchemaVersion | None) -> None:
        """The row, unless it is there, and while nothing else follows the same version: only two could."""
        table = self._reader.table
        free: dict[str, Any] = {
            "TableName": table,
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": SCHEMAS.partition.name},
        }
        actions: list[Any] = [{"Put": free | {"Item": encode(SCHEMAS, item)}}]
        if over is not None:
            other = next(one for one in (over.after(Step.REVISION), over.after(Step.ADDITION)) if one != version)
            key = encode_key(SCHEMAS.key({"type": item.type, "version_key": other.key}))
            actions.append({"ConditionCheck": free | {"Key": key}})
        with calling(SCHEMAS.name, "write"):
            try:
                self._dynamodb.transact_write_items(TransactItems=actions)
            except ClientError as error:
                if error_code(error) != "TransactionCanceledException":
                    raise
                raise StaleVersion(SCHEMAS.name, f"{item.type} {version}", 0, 1) from error


def _before(over: SchemaVersion | None, items: Sequence[SchemaItem]) -> SchemaItem | None:
    """The version that one follows: that of its model which it was compared with, or the newest of all."""
    followed = items if over is None else [one for one in items if one.version == str(over)]
    return followed[-1] if followed else None
