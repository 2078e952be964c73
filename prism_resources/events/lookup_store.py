"""Lookups: tables of versions that are written once.

Belongs here: adding a version, which one is current, and reading its table. Does not belong here: answering from a
table (prism_core/events/lookups.py) and which event is enriched from which.
"""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Final

from botocore.exceptions import ClientError

from prism_core.events.lookup_files import MAX_LOOKUP_BYTES, entries_of, read_lookup
from prism_core.events.lookups import Lookup, Prefixes, Rates
from prism_core.failures import PermanentFailure, StaleVersion
from prism_core.models.events import LookupForm, LookupItem, RegistryStatus
from prism_core.settings import Settings
from prism_core.tables import LOOKUPS
from prism_resources.aws import client
from prism_resources.events import objects
from prism_resources.failures import calling, error_code
from prism_resources.tables.codec import encode
from prism_resources.tables.reader import TableReader

PREFIX: Final = "events/lookups/"
CSV: Final = "text/csv"


class LostLookup(PermanentFailure):
    """The table of a version is gone from S3, or is another than was added."""


class LookupStore:
    """The table of lookups and their objects."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dynamodb = client(settings, "dynamodb")
        self._reader = TableReader(self._dynamodb, settings, LOOKUPS, LookupItem)

    def current(self, name: str) -> LookupItem | None:
        """The newest version."""
        found = self._reader.query("by_name", name=name, consistent=True, backwards=True, limit=1)
        return next(found, None)

    def version(self, name: str, version: int) -> LookupItem | None:
        return self._reader.get(name=name, version=version)

    def all(self) -> Iterator[LookupItem]:
        """Every version that is in use, by name and version."""
        return self._reader.query("by_status", status=RegistryStatus.ACTIVE)

    def table(self, item: LookupItem) -> Lookup:
        """The table of a version. Raises LostLookup."""
        text = objects.get(self._settings, item.body)
        if sha256(text).hexdigest() != item.sha256:
            raise LostLookup(f"{item.body} is not what was added as {item.name} {item.version}")
        return read_lookup(item.version, text)

    def add(self, name: str, text: bytes, *, by: str, now: datetime) -> LookupItem:
        """Add the next version, which is current from now on. The same content as the current one is that one, its
        object written again: so one that was lost comes back.

        Raises PermanentFailure for a file that is no table, or one of another form than before, StaleVersion when
        somebody else has added a version meanwhile.
        """
        if len(text) > MAX_LOOKUP_BYTES:
            raise PermanentFailure(f"a lookup has at most {MAX_LOOKUP_BYTES:,} bytes, this one has {len(text):,}")
        before, digest = self.current(name), sha256(text).hexdigest()
        if before is not None and before.sha256 == digest:
            objects.put(self._settings, before.body, text, CSV)
            return before
        version = 1 if before is None else before.version + 1
        table = read_lookup(version, text)
        form = _form(table)
        if before is not None and before.form is not form:
            raise PermanentFailure(f"{name} has {before.form} and stays so; add the {form} under another name")
        item = LookupItem(
            name=name,
            version=version,
            form=form,
            body=f"{PREFIX}{name}/{version:06d}-{digest[:16]}.csv",
            sha256=digest,
            entries=entries_of(table),
            base=table.base if isinstance(table, Rates) else None,
            added_at=now,
            added_by=by,
        )
        objects.put(self._settings, item.body, text, CSV)
        self._write(item)
        return item

    def _write(self, item: LookupItem) -> None:
        with calling(LOOKUPS.name, "write"):
            try:
                self._dynamodb.put_item(
                    TableName=self._reader.table,
                    Item=encode(LOOKUPS, item),
                    ConditionExpression="attribute_not_exists(#key)",
                    ExpressionAttributeNames={"#key": LOOKUPS.partition.name},
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                raise StaleVersion(LOOKUPS.name, f"{item.name} {item.version}", 0, item.version) from error


def _form(table: Lookup) -> LookupForm:
    if isinstance(table, Prefixes):
        return LookupForm.PREFIXES
    return LookupForm.RATES if isinstance(table, Rates) else LookupForm.TEXTS
