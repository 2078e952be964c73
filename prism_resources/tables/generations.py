"""Replacing one week of facts so that a kill leaves the old week or the new one, and reading it meanwhile.

Belongs here: the generations of a table that is recomputed as a whole (throughput, campaign metrics), and its
control items. Does not belong here: what a row says, and items that people edit (store.py).
Order of a replacement: reserve a generation, write its rows, flip the control item, delete older rows.
A reserved number is never used twice, so two writers never touch one another's rows.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from botocore.exceptions import ClientError

from prism_core.calendar import Week
from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.models.base import Model, instant_text
from prism_core.settings import Settings
from prism_core.tables import CONTROL_PARTITION, Key, KeyCondition, TableSpec
from prism_resources.failures import calling, error_code
from prism_resources.tables.bulk import backoff_seconds, batch_write, delete_request, put_request
from prism_resources.tables.codec import Attribute, decode, decode_value, encode, encode_key
from prism_resources.tables.reader import TableReader

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

READ_ATTEMPTS = 8
MAX_GENERATION = 999_999
_WEEK_PATH = "by_week"
_CONDITION_FAILED = "ConditionalCheckFailedException"


R = TypeVar("R", bound=Model)


@dataclass(frozen=True, slots=True)
class Control:
    """Which generation of a week counts. `reserved` is the highest number handed out, `swept` the last
    generation after whose flip the older rows were deleted."""

    week: Week
    generation: int
    content_hash: str
    rows: int
    first_published_at: datetime
    published_at: datetime
    reserved: int
    swept: int


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a replacement did. `unchanged`: the content was there already, and no row was written."""

    week: Week
    generation: int
    rows: int
    deleted: int
    unchanged: bool
    content_hash: str


class Overtaken(TransientFailure):
    """Another run published the week while this one was reading or writing: its rows stay, ours are removed."""


class Generations(Generic[R]):
    """The weeks of one table: replace one, read any."""

    def __init__(
        self,
        client: "DynamoDBClient",
        settings: Settings,
        spec: TableSpec,
        model: type[R],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not spec.by_generation or spec.sort is None:
            raise BadUsage(f"{spec.name} is not replaced by generation")
        self._reader = TableReader(client, settings, spec, model)
        self.client, self.spec, self.model, self.table = client, spec, model, self._reader.table
        self._sort, self._sleep = spec.sort.name, sleep

    # -- writing -----------------------------------------------------------------------------------------

    def replace(
        self, week: Week, rows: Iterable[R], *, now: datetime, known: Mapping[Week, Control] | None = None
    ) -> Replacement:
        """Make `rows` the content of the week; an unchanged content writes nothing.

        `known` are the control items as they were before that was read from which the rows were computed: a week
        that was published since is not replaced. Without them it is replaced as it is now.
        Raises PermanentFailure for a row of another week or a repeated one, Overtaken when another
        writer published first.
        """
        rows = list(rows)
        self._check(week, rows)
        digest = content_hash(self.spec, rows)
        read = self.control(week)
        if known is not None and _generation(read) != _generation(known.get(week)):
            raise self._overtaken(week)
        if read is not None and read.content_hash == digest:
            deleted = 0 if read.swept == read.generation else self.sweep(week, read.generation)
            return Replacement(week, read.generation, read.rows, deleted, unchanged=True, content_hash=digest)
        generation = self.reserve(week)
        self.write(rows, generation)
        if not self.flip(week, generation, read, digest, len(rows), now):
            self.discard(rows, generation)
            raise self._overtaken(week)
        deleted = self.sweep(week, generation)
        return Replacement(week, generation, len(rows), deleted, unchanged=False, content_hash=digest)

    def reserve(self, week: Week) -> int:
        """A generation number that nobody had or will have. The gaps that killed runs leave mean nothing."""
        with calling(self.table, "reserve"):
            answer = self.client.update_item(
                TableName=self.table,
                Key=encode_key(self._control_key(week)),
                UpdateExpression="ADD #reserved :one",
                ExpressionAttributeNames={"#reserved": "reserved"},
                ExpressionAttributeValues={":one": {"N": "1"}},
                ReturnValues="UPDATED_NEW",
            )
        number = int(decode_value(answer.get("Attributes", {})["reserved"]))
        if number > MAX_GENERATION:
            raise PermanentFailure(f"{self.table} {week} has used up its {MAX_GENERATION:,} generations")
        return number

    def write(self, rows: Iterable[R], generation: int) -> int:
        """Write rows under a reserved generation; no reader sees them before the flip."""
        requests = (put_request(encode(self.spec, _stamped(row, generation))) for row in rows)
        return batch_write(self.client, self.table, requests, sleep=self._sleep)

    def flip(
        self, week: Week, generation: int, read: Control | None, digest: str, rows: int, now: datetime
    ) -> bool:
        """Publish a generation if the one that was read still counts. False when another came first."""
        names = {"generation", "content_hash", "rows", "published_at", "first_published_at"}
        values: dict[str, Any] = {
            ":generation": {"N": str(generation)},
            ":content_hash": {"S": digest},
            ":rows": {"N": str(rows)},
            ":now": {"S": instant_text(now)},
        }
        if read is not None:
            values[":read"] = {"N": str(read.generation)}
        with calling(self.table, "publish"):
            try:
                self.client.update_item(
                    TableName=self.table,
                    Key=encode_key(self._control_key(week)),
                    UpdateExpression=(
                        "SET #generation = :generation, #content_hash = :content_hash, #rows = :rows, "
                        "#published_at = :now, #first_published_at = if_not_exists(#first_published_at, :now)"
                    ),
                    ConditionExpression=(
                        "#generation = :read" if read is not None else "attribute_not_exists(#generation)"
                    ),
                    ExpressionAttributeNames={f"#{name}": name for name in names},
                    ExpressionAttributeValues=values,
                )
            except ClientError as error:
                if error_code(error) != _CONDITION_FAILED:
                    raise
            else:
                return True
        # The client repeats a call whose answer was lost: then it was our own flip that came first.
        current = self.control(week)
        return current is not None and current.generation == generation

    def sweep(self, week: Week, generation: int) -> int:
        """Delete the rows of every generation before the published one; answers how many.

        Older ones are finished, lost or dead: their writers cannot flip any more. A newer one may be at work.
        """
        older = (
            delete_request(encode_key({a.name: raw[a.name]["S"] for a in self.spec.key_attributes}))
            for raw in self._week_rows(week)
            if decode_value(raw["generation"]) < generation
        )
        deleted = batch_write(self.client, self.table, older, sleep=self._sleep)
        with calling(self.table, "sweep"):
            try:
                self.client.update_item(
                    TableName=self.table,
                    Key=encode_key(self._control_key(week)),
                    UpdateExpression="SET #swept = :generation",
                    ConditionExpression="#generation = :generation",
                    ExpressionAttributeNames={"#swept": "swept", "#generation": "generation"},
                    ExpressionAttributeValues={":generation": {"N": str(generation)}},
                )
            except ClientError as error:
                if error_code(error) != _CONDITION_FAILED:  # else a newer one sweeps after itself
                    raise
        return deleted

    def discard(self, rows: Iterable[R], generation: int) -> None:
        """Delete our own rows of a generation that lost, by key: an index may not know them yet."""
        requests = (delete_request(encode_key(self.spec.key_of(_stamped(row, generation)))) for row in rows)
        batch_write(self.client, self.table, requests, sleep=self._sleep)

    def _overtaken(self, week: Week) -> Overtaken:
        return Overtaken(
            f"{self.table} {week}: another run published while this one was reading or writing; its rows were "
            "kept, repeat this run to compare"
        )

    def _check(self, week: Week, rows: Sequence[R]) -> None:
        seen: set[str] = set()
        for row in rows:
            name = self.spec.item_key(self.spec.key_of(_stamped(row, 0)))
            if _week_of(row) != week:
                raise PermanentFailure(f"{name} is not of {week}, the week that is replaced")
            if name in seen:
                raise PermanentFailure(f"{name} occurs twice; a week has one row a subject")
            seen.add(name)

    # -- reading -----------------------------------------------------------------------------------------

    def control(self, week: Week) -> Control | None:
        """The control item of a week, read consistently; None before its first publication."""
        raw = self._reader.read(self._control_key(week))
        return None if raw is None else _control(raw, self._sort)

    def controls(self, first: Week, last: Week) -> dict[Week, Control]:
        """The control items of the published weeks from `first` to `last`, both included."""
        condition = KeyCondition(
            self.spec.path(self.spec.home), CONTROL_PARTITION, low=first.label, high=last.label
        )
        found = (_control(raw, self._sort) for raw in self._reader.raw(condition, consistent=True))
        return {control.week: control for control in found if control is not None}

    def week(self, week: Week) -> Iterator[R]:
        """The rows of a week, of one generation, all of them.

        The index may lag behind the flip by a moment, so the rows are counted against the control item.
        Raises TransientFailure when the week stays in motion.
        """
        return self._decoded(self._rows_of(week))

    def _rows_of(self, week: Week) -> list[Attribute]:
        def complete(rows: list[Attribute], controls: dict[Week, Control]) -> bool:
            control = controls.get(week)
            return len(rows) == (control.rows if control else 0)

        condition = self.spec.condition(_WEEK_PATH, {"week": week})
        return self._settled(condition, week, week, consistent=False, complete=complete)

    def stored(self) -> Iterator[tuple[Attribute, Sequence[Attribute]]]:
        """Every week as it is stored: its control item, and its rows of the generation that counts.

        For a backup: rows of other generations are nobody's. Raises TransientFailure when a week stays in motion.
        """
        labels = [raw[self._sort]["S"] for raw in self._reader.raw(self._all_controls(), consistent=True)]
        for week in map(Week.parse, labels):
            for _ in range(READ_ATTEMPTS):
                control = self._reader.read(self._control_key(week))
                rows = self._rows_of(week)
                if control is not None and control == self._reader.read(self._control_key(week)):
                    yield control, rows
                    break
            else:
                raise TransientFailure(f"{self.table} {week} is being replaced; read it again in a moment")

    def _all_controls(self) -> KeyCondition:
        return KeyCondition(self.spec.path(self.spec.home), CONTROL_PARTITION)

    def project(self, project_id: str, first: Week, last: Week) -> Iterator[R]:
        """The rows of a project from `first` to `last`, read consistently."""
        condition = self.spec.condition("by_project", {"project_id": project_id}, first=first, last=last)
        return self._decoded(self._settled(condition, first, last, consistent=True))

    def member(self, member_id: str, first: Week, last: Week) -> Iterator[R]:
        """The rows of a member from `first` to `last`. Through an index: a week that was published this very
        moment may miss rows; nothing older can."""
        condition = self.spec.condition("by_member", {"member_id": member_id}, first=first, last=last)
        return self._decoded(self._settled(condition, first, last, consistent=False))

    def _settled(
        self,
        condition: KeyCondition,
        first: Week,
        last: Week,
        *,
        consistent: bool,
        complete: Callable[[list[Attribute], dict[Week, Control]], bool] = lambda _rows, _controls: True,
    ) -> list[Attribute]:
        """Rows between two equal readings of the control items: of one generation a week, none missing.

        The rows of a published generation are deleted only after the next flip. If the control items say
        the same before and after, no row that counts can have gone in between.
        """
        before = self.controls(first, last)
        for attempt in range(READ_ATTEMPTS):
            if attempt:
                self._sleep(backoff_seconds(attempt - 1))
            controls = before
            rows = [
                raw for raw in self._reader.raw(condition, consistent=consistent) if self._counts(raw, controls)
            ]
            before = self.controls(first, last)
            same = {w: c.generation for w, c in controls.items()} == {w: c.generation for w, c in before.items()}
            if same and complete(rows, controls):
                return rows
        raise TransientFailure(f"{self.table} {first} to {last} is being replaced; read it again in a moment")

    def _decoded(self, rows: list[Attribute]) -> Iterator[R]:
        """One by one as they are taken: many live models slow the collector down."""
        return (decode(self.spec, self.model, raw) for raw in rows)

    def _counts(self, raw: Attribute, controls: dict[Week, Control]) -> bool:
        control = controls.get(Week.parse(raw["week"]["S"]))
        return control is not None and decode_value(raw["generation"]) == control.generation

    def _week_rows(self, week: Week) -> Iterator[Attribute]:
        return self._reader.raw(self.spec.condition(_WEEK_PATH, {"week": week}))

    def _control_key(self, week: Week) -> Key:
        return {self.spec.partition.name: CONTROL_PARTITION, self._sort: week.label}


def content_hash(spec: TableSpec, rows: Iterable[Model]) -> str:
    """The same for the same rows in any order and of any generation."""
    lines = sorted(
        json.dumps({n: v for n, v in row.plain().items() if n != "generation"}, sort_keys=True) for row in rows
    )
    digest = hashlib.sha256(spec.name.encode())
    for line in lines:
        digest.update(b"\n" + line.encode())
    return digest.hexdigest()


def _stamped(row: R, generation: int) -> R:
    return row.model_copy(update={"generation": generation})


def _generation(control: Control | None) -> int | None:
    return None if control is None else control.generation


def _week_of(row: Model) -> Week:
    week = getattr(row, "week", None)
    if not isinstance(week, Week):
        raise BadUsage(f"{type(row).__name__} has no week to be replaced by")
    return week


def _control(raw: Attribute, sort: str) -> Control | None:
    """A control item; None while a first generation is only reserved."""
    if "generation" not in raw:
        return None
    values = {name: decode_value(value) for name, value in raw.items()}
    return Control(
        week=Week.parse(values[sort]),
        generation=values["generation"],
        content_hash=values["content_hash"],
        rows=values["rows"],
        first_published_at=datetime.fromisoformat(values["first_published_at"]),
        published_at=datetime.fromisoformat(values["published_at"]),
        reserved=values["reserved"],
        swept=values.get("swept", 0),
    )
