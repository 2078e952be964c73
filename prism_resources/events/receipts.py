"""Receipts: what was accepted, known independently of what became of it.

Belongs here: the rows of receipts, written before the queue has their messages and settled once. Does not belong
here: what the rows add up to (prism_core/events/conservation.py).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import ClientError

from prism_core.events.conservation import Receipt
from prism_core.events.messages import Accepted
from prism_core.events.outcomes import Outcome
from prism_core.failures import TransientFailure
from prism_core.models.base import instant_text
from prism_core.models.events import RECEIPT_SHARDS, ReceiptItem, hour_of, shard_of
from prism_core.settings import Settings
from prism_core.tables import RECEIPTS
from prism_resources.aws import client
from prism_resources.events.reading import read_many
from prism_resources.failures import THROTTLED, calling, error_code
from prism_resources.tables.bulk import backoff_seconds, batch_write, put_request
from prism_resources.tables.codec import Item, decode_value, encode, encode_value
from prism_resources.tables.raw import Page, RawTables
from prism_resources.tables.reader import TableReader, query_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ATTEMPTS: Final = 6
# Of one call: a producer waits, and who waits longer than the function may is told nothing at all.
CALL_ATTEMPTS: Final = 3
_TRANSACTION: Final = 100
_READERS: Final = 8
_OPEN: Final = "attribute_exists(receipt) AND attribute_not_exists(outcome)"


class _Text(msgspec.Struct, frozen=True, gc=False):
    S: str


class _At(msgspec.Struct, frozen=True, gc=False):
    S: datetime


class _Ended(msgspec.Struct, frozen=True, gc=False):
    S: Outcome


class _Truth(msgspec.Struct, frozen=True, gc=False):
    BOOL: bool


class _Row(msgspec.Struct, frozen=True, gc=False):
    """What receipts need of a row, as the service writes it."""

    receipt: _Text
    producer: _Text
    accepted_at: _At
    outcome: _Ended | None = None
    settled_at: _At | None = None
    refused: _Truth | None = None
    doubtful: _Truth | None = None
    undeliverable: _Truth | None = None
    replay_of: _Text | None = None


_PAGES: Final = msgspec.json.Decoder(Page[_Row])


class Receipts:
    """The table of receipts."""

    def __init__(self, settings: Settings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._dynamodb: DynamoDBClient = client(settings, "dynamodb", attempts=CALL_ATTEMPTS)
        self._reader = TableReader(self._dynamodb, settings, RECEIPTS, ReceiptItem)

    @cached_property
    def _raw(self) -> RawTables:
        return RawTables(self._settings)

    def accept(self, accepted: Sequence[Accepted]) -> None:
        """Write the rows of events that are about to be sent. Raises TransientFailure; nothing is sent then.

        The receipt of a replay is not new: where it was settled meanwhile its row stays as it is.
        """
        rows = [encode(RECEIPTS, self._row(one)) for one in accepted if one.replay_of is None]
        self._accept_again([one for one in accepted if one.replay_of is not None])
        if not rows:
            return
        if len(rows) == 1:
            with calling(RECEIPTS.name, "write"):
                self._dynamodb.put_item(TableName=self._reader.table, Item=rows[0])
        else:
            batch_write(self._dynamodb, self._reader.table, map(put_request, rows), workers=_READERS)

    def _accept_again(self, accepted: Sequence[Accepted]) -> None:
        actions: list[Any] = [
            {
                "Put": {
                    "TableName": self._reader.table,
                    "Item": encode(RECEIPTS, self._row(one)),
                    "ConditionExpression": "attribute_not_exists(outcome)",
                }
            }
            for one in {one.receipt: one for one in accepted}.values()
        ]
        for start in range(0, len(actions), _TRANSACTION):
            self._transact(actions[start : start + _TRANSACTION])

    def refuse(self, accepted: Sequence[Accepted]) -> None:
        """Mark those that the queue did not take: no receipt was given out, and they do not count as accepted."""
        self._update(accepted, "SET refused = :true", [_encoded({":true": True})] * len(accepted))

    def doubt(self, accepted: Sequence[Accepted]) -> None:
        """Mark those of which nobody knows whether the queue has them: no receipt was given out. One that comes
        through is settled as any other, and counted from then on."""
        self._update(accepted, "SET doubtful = :true", [_encoded({":true": True})] * len(accepted))

    def settle(
        self, ended: Sequence[tuple[Accepted, Outcome]], at: datetime, *, undeliverable: bool = False
    ) -> None:
        """Write the final outcomes; the first one of a receipt stays. Raises TransientFailure; some are written.

        `undeliverable`: they failed by our fault, out of the dead queue.
        """
        values = [_encoded({":outcome": outcome, ":at": at, ":ours": undeliverable}) for _, outcome in ended]
        told = "SET outcome = :outcome, settled_at = :at, undeliverable = :ours REMOVE refused, doubtful"
        self._update([one for one, _ in ended], told, values)

    def outcomes(self, accepted: Sequence[Accepted]) -> dict[str, Outcome]:
        """The outcomes of those that are settled, by receipt. Raises TransientFailure."""
        table = self._reader.table
        keys = {table: list({one.receipt: key_of(one) for one in accepted}.values())}
        fields = {table: ("receipt", "outcome")}
        return {
            decode_value(row["receipt"]): Outcome(decode_value(row["outcome"]))
            for _, row in read_many(self._dynamodb, keys, fields, sleep=self._sleep)
            if "outcome" in row
        }

    def get(self, receipt: str, accepted_at: datetime) -> ReceiptItem | None:
        """One by its id and the instant of acceptance."""
        hour, shard = hour_of(accepted_at), shard_of(receipt, RECEIPT_SHARDS)
        found = self._reader.query("by_hour", hour=hour, shard=shard, receipt=receipt, consistent=True)
        return next(found, None)

    def of_hour(self, hour: datetime) -> Iterator[Receipt]:
        """Every receipt of an hour of acceptance (UTC), once."""
        return chain.from_iterable(self.pages_of_hour(hour))

    def pages_of_hour(self, hour: datetime, since: datetime | None = None) -> Iterator[list[Receipt]]:
        """The same by pages, read consistently from its sixteen partitions; the service sends none of those
        that were accepted before `since`.

        A busy hour has hundreds of thousands, and who asks waits: they come as bytes, without items between.
        """
        label = hour_of(hour)
        requests = [self._query(label, shard, since) for shard in range(RECEIPT_SHARDS)]
        for page in self._raw.pages("Query", requests, _PAGES, threads=_READERS):
            yield [_receipt(row) for row in page]

    def _query(self, hour: str, shard: int, since: datetime | None) -> dict[str, Any]:
        """Of one partition. All attributes come: the embedded DynamoDB is slower where some are left out."""
        request = query_of(self._reader.table, RECEIPTS.condition("by_hour", {"hour": hour, "shard": shard}))
        if since is not None:
            request["ExpressionAttributeNames"] |= {"#accepted_at": "accepted_at"}
            request["FilterExpression"] = "#accepted_at >= :since"
            request["ExpressionAttributeValues"] |= {":since": {"S": instant_text(since)}}
        return request

    def _row(self, one: Accepted) -> ReceiptItem:
        kept = timedelta(days=self._settings.events_keep_days)
        return ReceiptItem(
            receipt=one.receipt,
            producer=one.producer,
            type=one.event.type,
            event_key=one.event.key,
            accepted_at=one.accepted_at,
            replay_of=one.replay_of,
            expires_at=int((one.accepted_at + kept).timestamp()),
        )

    def _update(self, accepted: Sequence[Accepted], told: str, values: Sequence[Item]) -> None:
        """The same change of open receipts; those that are settled, or twice in the list, are left alone."""
        once = {one.receipt: number for number, one in reversed(list(enumerate(accepted)))}
        actions: list[Any] = [
            {
                "Update": {
                    "TableName": self._reader.table,
                    "Key": key_of(accepted[number]),
                    "UpdateExpression": told,
                    "ConditionExpression": _OPEN,
                    "ExpressionAttributeValues": values[number],
                }
            }
            for number in sorted(once.values())
        ]
        for start in range(0, len(actions), _TRANSACTION):
            self._transact(actions[start : start + _TRANSACTION])

    def _transact(self, actions: list[Any]) -> None:
        for tried in range(ATTEMPTS):
            if tried:
                self._sleep(backoff_seconds(tried - 1))
            with calling(RECEIPTS.name, "settle"):
                try:
                    self._dynamodb.transact_write_items(TransactItems=actions)
                except ClientError as error:
                    code = error_code(error)
                    if code == "TransactionCanceledException":
                        actions = [one for one, open_ in zip(actions, _open(error), strict=True) if open_]
                    elif code not in THROTTLED:
                        raise
                else:
                    return
            if not actions:
                return
        raise TransientFailure(f"{self._reader.table}: {len(actions)} receipts were not settled; try again")


def _encoded(values: Mapping[str, object]) -> Item:
    """Values of an expression."""
    return {name: encode_value(value) for name, value in values.items()}


def key_of(one: Accepted) -> Item:
    """The key of its row."""
    shard = shard_of(one.receipt, RECEIPT_SHARDS)
    return {"hour_shard": {"S": f"{hour_of(one.accepted_at)}#{shard}"}, "receipt": {"S": one.receipt}}


def _open(error: ClientError) -> Iterable[bool]:
    """For each action whether it is to be tried again; those whose condition failed are settled already."""
    reasons: list[Any] = list(error.response.get("CancellationReasons", []))
    return [reason.get("Code", "None") != "ConditionalCheckFailed" for reason in reasons]


def _receipt(row: _Row) -> Receipt:
    return Receipt(
        receipt=row.receipt.S,
        producer=row.producer.S,
        accepted_at=row.accepted_at.S,
        outcome=None if row.outcome is None else row.outcome.S,
        settled_at=None if row.settled_at is None else row.settled_at.S,
        refused=row.refused is not None and row.refused.BOOL,
        doubtful=row.doubtful is not None and row.doubtful.BOOL,
        undeliverable=row.undeliverable is not None and row.undeliverable.BOOL,
        replay_of=None if row.replay_of is None else row.replay_of.S,
    )
