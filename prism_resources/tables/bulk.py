"""Many items at once: batched writes, and a scan in parallel segments.

Belongs here: chunks, back-off with jitter, threads with bounded memory. Does not belong here: versions and
change entries. What is written here has neither, so it is for facts, whose weeks are replaced as a whole,
and for restoring a backup.
"""

import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from prism_core.failures import TransientFailure
from prism_resources.failures import THROTTLED, calling, error_code
from prism_resources.tables.codec import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

BATCH_ITEMS = 25  # the service's limit of one BatchWriteItem
MAX_ATTEMPTS = 8
BACKOFF_BASE_SECONDS = 0.05
BACKOFF_CAP_SECONDS = 3.0
WRITE_WORKERS = 4
SCAN_THREADS = 16  # half of the client's connection pool

WriteRequest = dict[str, Any]
Sleep = Callable[[float], None]


def put_request(item: Item) -> WriteRequest:
    """One item to write."""
    return {"PutRequest": {"Item": item}}


def delete_request(key: Item) -> WriteRequest:
    """One key to delete."""
    return {"DeleteRequest": {"Key": key}}


def backoff_seconds(attempt: int, jitter: Callable[[], float] = random.random) -> float:
    """Full jitter: anything up to a bound that doubles with each attempt (0 is the first)."""
    return min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2**attempt) * jitter()


def batch_write(
    client: "DynamoDBClient",
    table: str,
    requests: Iterable[WriteRequest],
    *,
    workers: int = WRITE_WORKERS,
    sleep: Sleep = time.sleep,
) -> int:
    """Write any number of requests, 25 a call; answers how many. A key may occur once.

    Raises TransientFailure with the table and the number of unwritten items when the service stays
    throttled; the items before them are written, so that repeating the whole call is safe.
    """
    written = 0
    unwritten = 0
    running: deque[Future[tuple[int, int]]] = deque()
    chunks = _chunks(requests)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for chunk in chunks:
            running.append(pool.submit(_write_chunk, client, table, chunk, sleep))
            if len(running) >= 2 * workers:  # the rest of the iterable stays unread: memory is bounded
                done, left = running.popleft().result()
                written, unwritten = written + done, unwritten + left
            if unwritten:
                break
        for future in running:
            done, left = future.result()
            written, unwritten = written + done, unwritten + left
    unwritten += sum(len(chunk) for chunk in chunks) if unwritten else 0
    if unwritten:
        raise TransientFailure(
            f"{table}: {unwritten} of {written + unwritten} items were not written after {MAX_ATTEMPTS} attempts; "
            "the table is throttled, repeat the run later"
        )
    return written


def _chunks(requests: Iterable[WriteRequest]) -> Iterator[list[WriteRequest]]:
    remaining = iter(requests)
    while chunk := list(islice(remaining, BATCH_ITEMS)):
        yield chunk


def _write_chunk(client: "DynamoDBClient", table: str, chunk: list[WriteRequest], sleep: Sleep) -> tuple[int, int]:
    """Written and unwritten items of one chunk."""
    pending: list[Any] = chunk
    for attempt in range(MAX_ATTEMPTS):
        if attempt:
            sleep(backoff_seconds(attempt - 1))
        with calling(table, "batch write"):
            try:
                answer = client.batch_write_item(RequestItems={table: pending})
            except ClientError as error:
                if error_code(error) in THROTTLED:
                    continue
                raise
        pending = answer.get("UnprocessedItems", {}).get(table, [])
        if not pending:
            return len(chunk), 0
    return len(chunk) - len(pending), len(pending)


def scan_pages(
    client: "DynamoDBClient", table: str, segments: int, *, page_size: int | None = None, consistent: bool = False
) -> Iterator[list[Item]]:
    """Every item once, page by page as the segments deliver them, in no order.

    At most twice `segments` pages are held. Closing the generator stops the threads. Raises what the first
    failing segment raised.
    """
    pages: queue.Queue[list[Item] | int] = queue.Queue(maxsize=segments)
    stop = threading.Event()

    def hand_over(page: list[Item] | int) -> bool:
        while not stop.is_set():
            try:
                pages.put(page, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def scan(segment: int) -> None:
        request: dict[str, Any] = {"TableName": table, "Segment": segment, "TotalSegments": segments}
        request |= {"ConsistentRead": True} if consistent else {}
        request |= {"Limit": page_size} if page_size else {}
        try:
            while not stop.is_set():
                with calling(table, "scan"):
                    answer = client.scan(**request)
                if answer["Items"] and not hand_over([dict(item) for item in answer["Items"]]):
                    return
                if "LastEvaluatedKey" not in answer:
                    return
                request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        finally:
            hand_over(segment)  # this segment has ended, well or not

    with ThreadPoolExecutor(max_workers=min(segments, SCAN_THREADS)) as pool:
        futures = [pool.submit(scan, segment) for segment in range(segments)]
        try:
            ended = 0
            while ended < segments:
                page = pages.get()
                if isinstance(page, int):
                    futures[page].result()
                    ended += 1
                else:
                    yield page
        finally:
            stop.set()
