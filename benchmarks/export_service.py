"""A DynamoDB and an S3 on the wire with a table of any size: its items are made as they are asked for.

Belongs here: the answers that an export needs, as the services send them. Does not belong here: what is measured
with them (export_memory.py). The embedded AWS would take gigabytes for a million items, and minutes to be loaded.
"""

import argparse
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from benchmarks.export_items import items_of
from prism_core.calendar import Week
from prism_core.models.base import instant_text

PAGE_ITEMS = 2_000  # about 1 MB, where a page ends
# Projects changed in the second of these weeks; the last one is running.
WEEKS = tuple(Week.parse(f"2026-W{number}") for number in (10, 11, 12))
SHARDS = 4
_EMPTY = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
# Items come in the order of their hash; this jumps through them all, since no size divides by it.
_STRIDE = 7_919


class Items:
    """So many items, of which so many have changed once."""

    def __init__(self, items: int, changes: int) -> None:
        self.items, self._every = items, max(1, items // max(changes, 1))
        self._changes = changes
        self._made = {name: _template(name) for name in ("projects", "allocations", "quality", "changelog")}

    def bytes_of(self, table: str) -> int:
        # Without the names of types; the service counts less than it sends.
        return 2**30 if table == "changelog" else len(self._made[table]) * self.items // 2

    def page(self, table: str, number: int) -> bytes:
        places = range(number * PAGE_ITEMS, min((number + 1) * PAGE_ITEMS, self.items))
        return b",".join(self._item(table, place * _STRIDE % self.items) for place in places)

    def pages(self) -> int:
        return -(-self.items // PAGE_ITEMS)

    def changes(self, shard: int) -> Iterator[bytes]:
        """The changes of a shard, a page after the other."""
        numbers = [one * self._every for one in range(self._changes) if one % SHARDS == shard]
        for start in range(0, len(numbers), PAGE_ITEMS):
            yield b",".join(self._change(one) for one in numbers[start : start + PAGE_ITEMS])

    def _item(self, table: str, one: int) -> bytes:
        if table == "projects":
            version = b'2"' if self._changes and one % self._every == 0 else b'1"'
            return self._made[table].replace(b"P-000000", b"P-%06d" % one).replace(b'VERSION"', version)
        week = WEEKS[one % len(WEEKS)].label.encode()
        numbered = self._made[table].replace(b"R-0000000", b"R-%07d" % one).replace(b"P-000000", b"P-%06d" % one)
        return numbered.replace(WEEKS[0].label.encode(), week)

    def _change(self, one: int) -> bytes:
        at = instant_text(WEEKS[1].start.replace(hour=one // 3_600 % 24, minute=one // 60 % 60)).encode()
        made = self._made["changelog"].replace(b"P-000000", b"P-%06d" % one).replace(b"INSTANT", at)
        return made.replace(b"ULID", b"%026d" % one)


def _template(table: str) -> bytes:
    (item,) = items_of(table, 1, WEEKS[0])
    plain: dict[str, Any] = {name: dict(value) for name, value in item.items()}
    if table == "projects":
        plain["version"] = {"N": "VERSION"}
    if table == "changelog":
        plain |= {"instant": {"S": "INSTANT"}, "ulid": {"S": "ULID"}}
    return json.dumps(plain).encode()


class Service(BaseHTTPRequestHandler):
    """What is put is counted and let go."""

    protocol_version = "HTTP/1.1"
    items: ClassVar[Items]

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        asked = json.loads(self._body())
        table = asked["TableName"].removeprefix("prism-")
        if operation == "DescribeTable":
            self._answer(json.dumps({"Table": {"TableSizeBytes": self.items.bytes_of(table)}}).encode())
        elif operation == "Scan":
            self._answer(self._scanned(table, asked))
        else:
            self._answer(self._queried(asked))

    def do_GET(self) -> None:
        self._answer(_EMPTY, "application/xml")

    def do_PUT(self) -> None:
        body = self._body()
        self.send_response(200)
        self.send_header("ETag", f'"{len(body):032x}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """A line a call would be a hundred megabytes."""

    def _scanned(self, table: str, asked: dict[str, Any]) -> bytes:
        page = int(asked.get("ExclusiveStartKey", {"page": {"N": asked.get("Segment", 0)}})["page"]["N"])
        following = page + asked.get("TotalSegments", 1)
        return _page(self.items.page(table, page), following if following < self.items.pages() else None)

    def _queried(self, asked: dict[str, Any]) -> bytes:
        table, week, shard = asked["ExpressionAttributeValues"][":p"]["S"].split("#")
        page = int(asked.get("ExclusiveStartKey", {"page": {"N": 0}})["page"]["N"])
        changed = (table, week) == ("projects", WEEKS[1].label)
        found = list(self.items.changes(int(shard))) if changed else []
        return _page(found[page] if found else b"", page + 1 if page + 1 < len(found) else None)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, body: bytes, content_type: str = "application/x-amz-json-1.0") -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _page(items: bytes, following: int | None) -> bytes:
    last = b"" if following is None else b',"LastEvaluatedKey":{"page":{"N":"%d"}}' % following
    return b'{"Items":[' + items + b"]" + last + b"}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("items", type=int)
    parser.add_argument("changes", type=int)
    options = parser.parse_args()
    Service.items = Items(options.items, options.changes)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    print(server.server_port, flush=True)
    server.serve_forever()
