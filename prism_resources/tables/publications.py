"""What is published of a week, and reading its rows while they are still being written.

Belongs here: the pointers of weeks, the rows that a publication names, and laying them over what a read found.
Does not belong here: publishing (prism_resources/plans/publishing.py) and writing the rows (folding.py).
A reader asks for the pointers after it has read the rows. One that is folding names what is new: rows at their old
version read as the publication has them. A pointer that settled within RECENT may have settled while the rows were
read, so they are read once more, between two equal readings of the pointers.
"""

import gzip
import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from prism_core.calendar import Week
from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.lake import PUBLICATIONS
from prism_core.models.published import PublicationState, PublishedPlan
from prism_core.models.work import Allocation
from prism_core.publications import PublishedRows, Replacement, overlaid, read_rows, rows_text
from prism_core.settings import Settings
from prism_core.tables import AFTER_ALL, PUBLISHED_PLANS, KeyCondition, TableSpec
from prism_resources.aws import client
from prism_resources.failures import calling, error_code
from prism_resources.tables.codec import Attribute, decode, encode
from prism_resources.tables.reader import TableReader

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

# No read of rows takes so long; the clocks of writer and reader may differ by some of it.
RECENT: Final = timedelta(seconds=90)
READ_ATTEMPTS: Final = 6
_LABEL: Final = len("2026-W01")

Rows = list[Attribute]
Read = Callable[[], Rows]


class Publications:
    """The pointers of weeks, read consistently."""

    def __init__(self, dynamodb: "DynamoDBClient", settings: Settings) -> None:
        self._settings = settings
        self._pointers = TableReader(dynamodb, settings, PUBLISHED_PLANS, PublishedPlan)

    def of_week(self, week: Week) -> PublishedPlan | None:
        """The pointer of a week; None where nothing was ever published."""
        return self._pointers.get(week=week)

    def between(self, first: str | None = None, last: str | None = None) -> list[PublishedPlan]:
        """The pointers of the weeks from label to label, both included."""
        return list(self._pointers.query(PUBLISHED_PLANS.home, first=first, last=last, consistent=True))

    def unfinished(self, first: str | None = None, last: str | None = None) -> list[PublishedPlan]:
        """Those whose rows are still being written, or whose writer was killed."""
        return [one for one in self.between(first, last) if one.state is PublicationState.FOLDING]

    def put(self, week: Week, publication: int, rows: PublishedRows) -> str:
        """Keep the rows of a publication; answers their key, which is made of their content."""
        text = rows_text(week, rows)
        digest = hashlib.sha256(text).hexdigest()[:16]
        key = f"{PUBLICATIONS}week={week}/{publication:06d}-{digest}.json.gz"
        with calling(f"s3://{self._settings.lake_bucket}/{key}", "write"):
            client(self._settings, "s3").put_object(
                Bucket=self._settings.lake_bucket,
                Key=key,
                Body=gzip.compress(text, mtime=0),
                ContentType="application/gzip",
            )
        return key

    def rows_of(self, pointer: PublishedPlan) -> PublishedRows:
        """The rows before and after a publication; once it is settled, without those that it left alone."""
        place = f"s3://{self._settings.lake_bucket}/{pointer.body}"
        with calling(place, "read"):
            try:
                answer = client(self._settings, "s3").get_object(
                    Bucket=self._settings.lake_bucket, Key=pointer.body
                )
                body = answer["Body"].read()
            except ClientError as error:
                if error_code(error) not in {"NoSuchKey", "404"}:
                    raise
                raise PermanentFailure(
                    f"{place} is gone, and with it the rows that publication {pointer.publication} of "
                    f"{pointer.week} replaced; put the object's earlier version back"
                ) from error
        return read_rows(gzip.decompress(body))

    def settled(self, spec: TableSpec, condition: KeyCondition, read: Read) -> Rows:
        """What `read` finds of a condition, as it is published: of every week the old rows or the new ones.

        In the order of the condition's way. Raises TransientFailure when a week stays in motion.
        """
        first, last = _weeks_of(condition)
        rows, pointers = read(), self.between(first, last)
        for _ in range(READ_ATTEMPTS):
            if not any(map(_in_motion, pointers)):
                return rows
            before, rows = pointers, read()
            pointers = self.between(first, last)
            if [one.version for one in before] == [one.version for one in pointers]:
                return self._overlaid(spec, condition, rows, pointers)
        raise TransientFailure(f"{spec.name} are being published; read them again in a moment")

    def _overlaid(
        self, spec: TableSpec, condition: KeyCondition, rows: Rows, pointers: Iterable[PublishedPlan]
    ) -> Rows:
        for pointer in pointers:
            if pointer.state is PublicationState.FOLDING:
                rows = _of_publication(spec, condition, rows, pointer.week, self.rows_of(pointer).replacements)
        sort = condition.path.sort
        return rows if sort is None else sorted(rows, key=lambda raw: raw[sort.name]["S"])


def _of_publication(
    spec: TableSpec, condition: KeyCondition, rows: Rows, week: Week, replacements: Iterable[Replacement]
) -> Rows:
    mine = [raw for raw in rows if raw["week"]["S"] == week.label]
    stored = {(raw["member_id"]["S"], raw["project_id"]["S"]): raw for raw in mine}
    seen, new = overlaid((decode(spec, Allocation, raw) for raw in mine), replacements)
    found = [raw for raw in rows if raw["week"]["S"] != week.label]
    for pair, row in seen.items():
        found.append(stored[pair] if stored[pair]["version"]["N"] == str(row.version) else encode(spec, row))
    fresh = (encode(spec, one.after) for one in new if one.after is not None)
    return [*found, *(raw for raw in fresh if _meets(condition, raw))]


def _in_motion(pointer: PublishedPlan) -> bool:
    if pointer.state is PublicationState.FOLDING or pointer.settled is None:
        return True
    return pointer.settled > datetime.now(UTC) - RECENT


def _weeks_of(condition: KeyCondition) -> tuple[str | None, str | None]:
    """Of which weeks its rows are: the week is the partition, or leads the sort key."""
    if condition.path.partition.template == "{week}":
        return condition.partition, condition.partition
    exact = condition.equal or condition.prefix
    first, last = exact or condition.low, exact or condition.high
    return first and first[:_LABEL], last and last[:_LABEL]


def _meets(condition: KeyCondition, raw: Attribute) -> bool:
    """Whether a query of this condition finds the item."""
    way = condition.path
    if raw[way.partition.name]["S"] != condition.partition:
        return False
    at = "" if way.sort is None else raw[way.sort.name]["S"]
    if condition.equal is not None:
        return at == condition.equal
    if condition.prefix is not None:
        return at.startswith(condition.prefix)
    return (condition.low or "") <= at <= (condition.high or AFTER_ALL)
