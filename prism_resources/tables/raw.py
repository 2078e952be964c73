"""Reading tables as the service sends them: pages of raw bytes, many at once.

Belongs here: signed Scan and Query calls whose bodies botocore does not parse (its parser is over half of what
a scan costs a client), segments in parallel, bounded retries. Does not belong here: what is in an item
(export/decode.py); reads by a named way (reader.py).
A page is decoded by the caller's msgspec decoder in the thread that fetched it.
"""

import queue
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.settings import Settings
from prism_resources.aws import CONNECT_SECONDS, MAX_POOL_CONNECTIONS, client, credentials
from prism_resources.failures import THROTTLED, failure_of, failure_of_code
from prism_resources.tables.bulk import backoff_seconds

MAX_ATTEMPTS = 8
# A segment a part of this size: a small table in many segments only makes more calls of fewer items.
SEGMENT_BYTES = 64 * 1024 * 1024
MAX_SEGMENTS = 16
_TARGET = "DynamoDB_20120810."
_BAD_CHECKSUM = "the answer does not fit its checksum"

T = TypeVar("T")
Request = Mapping[str, Any]
Ended = Callable[[int, int], None]


class Between(NamedTuple):
    """The items whose attribute, a text, lies between two others, both included, or that do not have it."""

    attribute: str
    low: str
    high: str


class Page(msgspec.Struct, Generic[T]):
    """One answer of a Scan or Query; `Page[msgspec.Raw]` leaves its items as bytes."""

    Items: list[T] = []
    # Empty behind the last page. Not `| None`: of such a union msgspec takes null alone.
    LastEvaluatedKey: msgspec.Raw = msgspec.Raw(b"")


class _Error(msgspec.Struct):
    type_: str = msgspec.field(default="", name="__type")
    message: str = ""
    Message: str = ""


class RawTables:
    """Calls to DynamoDB that answer bytes. Safe in threads, and shared by them."""

    def __init__(self, settings: Settings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings, self._sleep = settings, sleep
        meta = client(settings, "dynamodb").meta
        self._url, self._region = meta.endpoint_url, meta.region_name
        self._http = URLLib3Session(
            proxies=get_environ_proxies(self._url),
            timeout=(CONNECT_SECONDS, settings.call_seconds),  # type: ignore[arg-type] # a pair, as botocore itself gives it
            max_pool_connections=MAX_POOL_CONNECTIONS,
        )
        self._credentials = credentials(settings)
        self.retries = 0  # over all threads; told to a person, so a lost count is no harm

    def scan(
        self,
        table: str,
        decoder: "msgspec.json.Decoder[Page[T]]",
        *,
        segments: int | None = None,
        fields: Sequence[str] = (),
        between: Between | None = None,
    ) -> Iterator[list[T]]:
        """Every item of a table once, page by page as the segments deliver them, in no order. Consistent: an item
        that was written before the scan began is there.

        `table` is its physical name; `segments` follows from its size unless given; `fields` are the attributes
        wanted, all when empty; `between` leaves out items whose attribute has a value outside of it, in the
        service. Raises TransientFailure when the service stays throttled or unreachable, PermanentFailure when a
        page is not what the decoder expects.
        """
        total = segments or segments_of(self.bytes_of(table))
        common = {"TableName": table, "ConsistentRead": True, **_selection(fields, between)}
        parts = [{"Segment": number, "TotalSegments": total} if total > 1 else {} for number in range(total)]
        requests = [{**common, **part} for part in parts]
        return self.pages("Scan", requests, decoder)

    def first_page(
        self, table: str, decoder: "msgspec.json.Decoder[Page[T]]", fields: Sequence[str] = ()
    ) -> tuple[list[T], bool]:
        """The items of a consistent scan's first page (1 MB), and whether there are more. Raises as `scan`."""
        request = {"TableName": table, "ConsistentRead": True, **_selection(fields, None)}
        page = _decoded(decoder, self.call("Scan", request, table), table)
        return page.Items, bool(bytes(page.LastEvaluatedKey))

    def pages(
        self,
        operation: str,
        requests: Sequence[Request],
        decoder: "msgspec.json.Decoder[Page[T]]",
        *,
        threads: int = MAX_SEGMENTS,
        ended: Ended = lambda _done, _all: None,
    ) -> Iterator[list[T]]:
        """All pages of several Scans or Queries, read at the same time; at most two pages a thread are held.

        `ended` is told how many of the requests are at their end, and of how many.
        """
        if len(requests) == 1:
            yield from self._one_after_another(operation, requests[0], decoder)
            ended(1, 1)
        elif requests:
            yield from self._at_once(operation, requests, decoder, min(threads, len(requests)), ended)

    def bytes_of(self, table: str) -> int:
        """The size of a table as the service tells it; it may be six hours old."""
        body = self.call("DescribeTable", {"TableName": table}, table)
        return int(msgspec.json.decode(body)["Table"].get("TableSizeBytes", 0))

    def call(self, operation: str, request: Request, table: str) -> bytes:
        """The body of one answer. Throttling, 5xx and lost connections are tried again, with back-off."""
        body = msgspec.json.encode(request)
        problem = ""
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                self.retries += 1
                self._sleep(backoff_seconds(attempt - 1))
            try:
                status, content, checksum = self._send(operation, body)
            except BotoCoreError as error:
                failure = failure_of(error, table, operation)
                if not isinstance(failure, TransientFailure):
                    raise failure from error
                problem = str(error)
                continue
            if status == 200 and (checksum is None or int(checksum) == zlib.crc32(content)):
                return content
            code, message = ("", _BAD_CHECKSUM) if status == 200 else _error_of(content)
            if status != 200 and status < 500 and code not in THROTTLED:
                raise failure_of_code(code, message, table, operation)
            problem = f"{code or status} {message}".strip()
        raise TransientFailure(
            f"{operation} of {table}: {problem}, {MAX_ATTEMPTS} times in a row; the table is throttled or the "
            "service is not well: start it again later, nothing is lost"
        )

    def _send(self, operation: str, body: bytes) -> tuple[int, bytes, str | None]:
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": _TARGET + operation,
            # DynamoDB answers plain bytes then, which its checksum is of.
            "Accept-Encoding": "identity",
        }
        request = AWSRequest(method="POST", url=self._url, data=body, headers=headers)
        SigV4Auth(self._credentials.get_frozen_credentials(), "dynamodb", self._region).add_auth(request)
        answer = self._http.send(request.prepare())
        return answer.status_code, answer.content, answer.headers.get("x-amz-crc32")

    def _one_after_another(
        self, operation: str, request: Request, decoder: "msgspec.json.Decoder[Page[T]]"
    ) -> Iterator[list[T]]:
        table = str(request["TableName"])
        start: dict[str, Any] = {}
        while True:
            page = _decoded(decoder, self.call(operation, {**request, **start}, table), table)
            if page.Items:
                yield page.Items
            if not bytes(page.LastEvaluatedKey):
                return
            start = {"ExclusiveStartKey": page.LastEvaluatedKey}

    def _at_once(
        self,
        operation: str,
        requests: Sequence[Request],
        decoder: "msgspec.json.Decoder[Page[T]]",
        threads: int,
        ended: Ended,
    ) -> Iterator[list[T]]:
        pages: queue.Queue[list[T] | int] = queue.Queue(maxsize=threads)
        stop = threading.Event()

        def hand_over(page: list[T] | int) -> bool:
            while not stop.is_set():
                try:
                    pages.put(page, timeout=0.1)
                except queue.Full:
                    continue
                return True
            return False

        def read(number: int) -> None:
            try:
                for page in self._one_after_another(operation, requests[number], decoder):
                    if not hand_over(page):
                        return
            finally:
                hand_over(number)  # this one has ended, well or not

        with ThreadPoolExecutor(max_workers=threads) as pool:
            futures = [pool.submit(read, number) for number in range(len(requests))]
            try:
                done = 0
                while done < len(requests):
                    page = pages.get()
                    if isinstance(page, int):
                        futures[page].result()
                        done += 1
                        ended(done, len(requests))
                    else:
                        yield page
            finally:
                stop.set()
                for future in futures:
                    future.cancel()


def segments_of(size: int) -> int:
    """In how many segments to scan a table of so many bytes."""
    return max(1, min(MAX_SEGMENTS, -(-size // SEGMENT_BYTES)))


def _selection(fields: Sequence[str], between: Between | None) -> dict[str, Any]:
    """Which attributes of which items come over the network."""
    names = {f"#{number}": field for number, field in enumerate(fields)}
    request: dict[str, Any] = {"ProjectionExpression": ",".join(names)} if names else {}
    if between is not None:
        names["#between"] = between.attribute
        request["FilterExpression"] = "attribute_not_exists(#between) OR #between BETWEEN :low AND :high"
        request["ExpressionAttributeValues"] = {":low": {"S": between.low}, ":high": {"S": between.high}}
    return request | ({"ExpressionAttributeNames": names} if names else {})


def _decoded(decoder: "msgspec.json.Decoder[Page[T]]", body: bytes, table: str) -> Page[T]:
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise PermanentFailure(f"a page of {table} is not as expected: {error}; {_ADVICE}") from error


_ADVICE = (
    "an item was written past the store or by another version of PRISM: update PRISM, or look at the item "
    "(its place in the page is in the path above)"
)


def _error_of(content: bytes) -> tuple[str, str]:
    """Code and message of an error body; a gateway in between may answer something else."""
    try:
        error = msgspec.json.decode(content, type=_Error)
    except msgspec.MsgspecError:
        return "", content[:200].decode(errors="replace")
    return error.type_.rpartition("#")[2], error.message or error.Message
