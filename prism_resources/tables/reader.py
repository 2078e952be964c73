"""Reading a table by its spec.

Belongs here: one item by key, and queries by the named ways of prism_core/tables.py, as pages with a cursor
or as an iterator. Does not belong here: writes (store.py) and scans (bulk.py; only the export needs one).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from prism_core.failures import BadUsage, PermanentFailure
from prism_core.models.base import Model
from prism_core.settings import Settings
from prism_core.tables import AFTER_ALL, Key, KeyCondition, TableSpec
from prism_resources.failures import calling
from prism_resources.tables.codec import Attribute, decode, decode_key, encode_key

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

M = TypeVar("M", bound=Model)
N = TypeVar("N", bound=Model)
T = TypeVar("T")
# What is made of a stored item that cannot be read.
Unreadable = Callable[[Attribute, PermanentFailure], None]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and where to go on; `next` is None behind the last page."""

    items: list[T]
    next: Key | None


class TableReader(Generic[M]):
    """Typed reads of one table."""

    def __init__(self, client: "DynamoDBClient", settings: Settings, spec: TableSpec, model: type[M]) -> None:
        if not issubclass(spec.model, model):
            raise BadUsage(f"{spec.name} holds {spec.model.__name__}, not {model.__name__}")
        self.client, self.settings, self.spec, self.model = client, settings, spec, model
        self.table = settings.table_name(spec.name)

    def get(self, *, consistent: bool = True, **parts: object) -> M | None:
        """One item by the fields that name it: `get(member_id=…, week=…, project_id=…)`."""
        key = self.spec.key(parts)
        if self.spec.published:
            condition = self.spec.condition(self.spec.home, parts)
            found = self._as_published(condition, lambda: self._one(key, consistent=consistent))
            return decode(self.spec, self.model, found[0]) if found else None
        raw = self.read(key, consistent=consistent)
        return None if raw is None else decode(self.spec, self.model, raw)

    def read(self, key: Key, *, consistent: bool = True, only: Sequence[str] = ()) -> Attribute | None:
        """The attributes of one item as they are stored, and as the change log knows them; `only` some, such
        as `state` or `publication.images`, where they are named."""
        part: Any = _projection(only) if only else {}
        with calling(self.table, "read"):
            answer = self.client.get_item(
                TableName=self.table, Key=encode_key(key), ConsistentRead=consistent, **part
            )
        return answer.get("Item")

    def query(
        self,
        path: str,
        *,
        first: object = None,
        last: object = None,
        consistent: bool = False,
        backwards: bool = False,
        limit: int | None = None,
        **parts: object,
    ) -> Iterator[M]:
        """Every item of a named way, page by page: `query("by_project", project_id="P-12", first=week)`.

        `parts` name the partition and, from the left, parts of the sort key; `first` to `last` is a range
        over the part after those. At most `limit` items. Raises BadUsage for a way that does not exist.
        """
        return self.query_as(
            self.model,
            path,
            first=first,
            last=last,
            consistent=consistent,
            backwards=backwards,
            limit=limit,
            **parts,
        )

    def query_as(
        self,
        model: type[N],
        path: str,
        *,
        first: object = None,
        last: object = None,
        consistent: bool = False,
        backwards: bool = False,
        limit: int | None = None,
        **parts: object,
    ) -> Iterator[N]:
        """The same through an index that carries only part of an item: `query_as(BugSummary, "by_status", …)`."""
        condition = self.spec.condition(path, parts, first=first, last=last)
        self._check_model(model, condition)
        if self.spec.published:
            rows = self._as_published(condition, lambda: list(self.raw(condition, consistent=consistent)))
            raws = iter((rows[::-1] if backwards else rows)[:limit])
        else:
            raws = self.raw(condition, consistent=consistent, backwards=backwards, limit=limit)
        return (decode(self.spec, model, raw) for raw in raws)

    def page(
        self,
        path: str,
        *,
        limit: int,
        start: Key | None = None,
        first: object = None,
        last: object = None,
        consistent: bool = False,
        backwards: bool = False,
        **parts: object,
    ) -> Page[M]:
        """One page of at most `limit` items, from the cursor of the page before.

        While a plan of its week is being published it may have more, and each page is as published then.
        """
        return self.page_as(
            self.model,
            path,
            limit=limit,
            start=start,
            first=first,
            last=last,
            consistent=consistent,
            backwards=backwards,
            **parts,
        )

    def page_as(
        self,
        model: type[N],
        path: str,
        *,
        limit: int,
        start: Key | None = None,
        first: object = None,
        last: object = None,
        consistent: bool = False,
        backwards: bool = False,
        **parts: object,
    ) -> Page[N]:
        """The same through an index that carries only part of an item."""
        condition = self.spec.condition(path, parts, first=first, last=last)
        self._check_model(model, condition)
        self._check_cursor(condition, start)
        request = self._request(condition, consistent=consistent, backwards=backwards, limit=limit, start=start)
        if self.spec.published:
            found, following = self._page_as_published(condition, request)
            rows = found[::-1] if backwards else found
        else:
            answer = self._ask(request)
            rows, following = answer["Items"], answer.get("LastEvaluatedKey")
        items = [decode(self.spec, model, raw) for raw in rows]
        return Page(items, decode_key(following) if following else None)

    def raw_page(
        self, condition: KeyCondition, *, limit: int, start: Key | None, backwards: bool
    ) -> Page[Attribute]:
        """One page of stored attributes, of a table that is not replaced by generation."""
        self._check_cursor(condition, start)
        answer = self._ask(
            self._request(condition, consistent=False, backwards=backwards, limit=limit, start=start)
        )
        following = answer.get("LastEvaluatedKey")
        return Page(answer["Items"], decode_key(following) if following else None)

    def readable(self, raws: Iterable[Attribute], unreadable: Unreadable) -> Iterator[M]:
        """The items of stored attributes, where one that nobody can read must not hide the others."""
        for raw in raws:
            try:
                item = decode(self.spec, self.model, raw)
            except PermanentFailure as failure:
                unreadable(raw, failure)
                continue
            yield item

    def raw(
        self,
        condition: KeyCondition,
        *,
        consistent: bool = False,
        backwards: bool = False,
        limit: int | None = None,
        only: Sequence[str] = (),
    ) -> Iterator[Attribute]:
        """The stored attributes of a condition, page by page, as the change log knows them; `only` some."""
        request = self._request(condition, consistent=consistent, backwards=backwards, limit=limit, start=None)
        if only:
            part = _projection(only)
            part["ExpressionAttributeNames"] |= request["ExpressionAttributeNames"]
            request |= part
        left = limit
        while True:
            answer = self._ask(request)
            items = answer["Items"] if left is None else answer["Items"][:left]
            yield from items
            if left is not None:
                left -= len(items)
                request["Limit"] = left
            if "LastEvaluatedKey" not in answer or left == 0:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _one(self, key: Key, *, consistent: bool) -> list[Attribute]:
        raw = self.read(key, consistent=consistent)
        return [] if raw is None else [raw]

    def _as_published(self, condition: KeyCondition, read: Callable[[], list[Attribute]]) -> list[Attribute]:
        from prism_resources.tables.publications import Publications  # noqa: PLC0415 - it reads pointers through this

        return Publications(self.client, self.settings).settled(self.spec, condition, read)

    def _page_as_published(self, condition: KeyCondition, request: dict[str, Any]) -> tuple[list[Attribute], Any]:
        """Rows, forwards, and where the page ends; of rows that are not written yet those that lie on it."""
        answer: Any = None

        def read() -> list[Attribute]:
            nonlocal answer
            answer = self._ask(request)
            return list(answer["Items"])

        rows = self._as_published(condition, read)
        following = answer.get("LastEvaluatedKey")
        name = condition.path.sort.name if condition.path.sort is not None else ""
        start, end = (
            None if key is None else key[name]["S"] for key in (request.get("ExclusiveStartKey"), following)
        )
        if request["ScanIndexForward"]:
            low, high = start or "", end or AFTER_ALL
            return [raw for raw in rows if low < raw[name]["S"] <= high], following
        low, high = end or "", start or AFTER_ALL
        return [raw for raw in rows if low <= raw[name]["S"] < high], following

    def _check_model(self, model: type[Model], condition: KeyCondition) -> None:
        carried = condition.path.model
        if carried is not None and not issubclass(carried, model):
            raise BadUsage(
                f"{self.spec.name} {condition.path.name} carries {carried.__name__} only, since writing one back "
                f"would lose the rest; use query_as({carried.__name__}, …)"
            )

    def _check_cursor(self, condition: KeyCondition, start: Key | None) -> None:
        """A cursor comes back from a browser: it must lie in the partition that is asked for."""
        if start is None:
            return
        way = condition.path
        names = {a.name for a in (*self.spec.key_attributes, way.partition, way.sort) if a is not None}
        if start.keys() != names or start[way.partition.name] != condition.partition:
            raise BadUsage(
                f"the cursor does not belong to this list of {self.spec.name}; start from the first page"
            )

    def _ask(self, request: dict[str, Any]) -> Any:
        with calling(self.table, "query"):
            return self.client.query(**request)

    def _request(
        self,
        condition: KeyCondition,
        *,
        consistent: bool,
        backwards: bool,
        limit: int | None,
        start: Key | None,
    ) -> dict[str, Any]:
        way = condition.path
        if consistent and way.index is not None:
            raise BadUsage(f"{self.spec.name} {way.name} is an index, which is never read consistently")
        if limit is not None and limit < 1:
            raise BadUsage(f"limit is at least 1, not {limit}")
        request = query_of(self.table, condition, consistent=consistent) | {"ScanIndexForward": not backwards}
        request |= {"Limit": limit} if limit is not None else {}
        request |= {"ExclusiveStartKey": encode_key(start)} if start is not None else {}
        return request


def query_of(table: str, condition: KeyCondition, *, consistent: bool = True) -> dict[str, Any]:
    """The request of a query; through an index it is never consistent."""
    expression, names, values = _key_expression(condition)
    index = condition.path.index
    return {
        "TableName": table,
        "KeyConditionExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": encode_key(values),
        **({"IndexName": index} if index else {"ConsistentRead": consistent}),
    }


def _projection(only: Sequence[str]) -> dict[str, Any]:
    """The words that leave the other attributes out; any name may be a reserved one."""
    names = {f"#only_{part}": part for path in only for part in path.split(".")}
    paths = (".".join(f"#only_{part}" for part in path.split(".")) for path in only)
    return {"ProjectionExpression": ", ".join(paths), "ExpressionAttributeNames": names}


def _key_expression(condition: KeyCondition) -> tuple[str, Mapping[str, str], dict[str, str]]:
    """The words of a condition: expression, names and values."""
    names = {"#p": condition.path.partition.name}
    values = {":p": condition.partition}
    clause = ""
    if condition.equal is not None:
        clause, values[":s"] = "#s = :s", condition.equal
    elif condition.prefix is not None:
        clause, values[":s"] = "begins_with(#s, :s)", condition.prefix
    elif condition.low is not None and condition.high is not None:
        clause, values[":low"], values[":high"] = "#s BETWEEN :low AND :high", condition.low, condition.high
    elif condition.low is not None:
        clause, values[":low"] = "#s >= :low", condition.low
    elif condition.high is not None:
        clause, values[":high"] = "#s <= :high", condition.high
    if clause and condition.path.sort is not None:
        names["#s"] = condition.path.sort.name
        return f"#p = :p AND {clause}", names, values
    return "#p = :p", names, values
