"""What services outside have answered, word for word, before anything was made of it.

Belongs here: keeping the answers of one reading in order, saying that it is whole, and reading it back. Does not
belong here: asking (connectors) and what an answer means.
A reading is a folder `raw/meta/week=2026-W01/insights/READING/` of one object an answer, and `complete.json`
when there is no more. Each is put on condition that there is none: nothing is replaced. The bucket drops them
after 90 days.
"""

import gzip
import hashlib
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec

from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_core.lake import RAW_EXPIRY_DAYS, raw_prefix
from prism_resources.ahead import read_ahead
from prism_resources.lake import Lake
from prism_resources.wire.exchanges import Exchange

A = TypeVar("A")

META, HUBSPOT, CLAUDE = "meta", "hubspot", "claude"
_COMPLETE: Final = "complete.json"
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"
_LEVEL: Final = 1  # a page is packed while the next one is waited for; what it saves is gone in 90 days


class _Head(msgspec.Struct):
    """All of an exchange but its body, which stands behind it as it came."""

    step: str
    method: str
    path: str
    asked: dict[str, Any]
    at: str
    status: int
    headers: dict[str, str]


class _Complete(msgspec.Struct):
    """`digest`: SHA-256 over all objects in order; `facts`: what the reading was of, in the reader's words."""

    read_at: datetime
    parts: int
    digest: str
    facts: dict[str, Any]


class Broken(PermanentFailure):
    """A reading that says it is whole, and is not: an object of it is gone or another."""


class Archive:
    """The answers of one service."""

    def __init__(self, lake: Lake, source: str) -> None:
        """`source`: META, HUBSPOT or CLAUDE."""
        self._lake, self._source = lake, source

    def begin(self, week: Week, what: str, now: datetime) -> "Writing":
        """A new reading of a week; one that is never completed is nobody's."""
        # The machine's time beside ours, which may be fixed: of two readings at one instant one was the later.
        name = f"{now.strftime(_STAMP)}-{time.time_ns():020d}-{secrets.token_hex(4)}"
        return Writing(self._lake, f"{self._prefix(week, what)}{name}/", now)

    def readings(self, week: Week, what: str) -> "list[Reading]":
        """The complete readings of a week that the bucket still has, oldest first."""
        found = [key for key in self._lake.keys(self._prefix(week, what)) if key.endswith(f"/{_COMPLETE}")]
        return sorted((self._reading(key) for key in found), key=lambda reading: (reading.read_at, reading.prefix))

    def newest(self, week: Week, what: str, at: datetime | None = None) -> "Reading":
        """The last complete reading of a week, or the last one up to `at`.

        Raises PermanentFailure when there is none.
        """
        known = [one for one in self.readings(week, what) if at is None or one.read_at <= at]
        if not known:
            until = "" if at is None else f" up to {at.isoformat()}"
            raise PermanentFailure(
                f"the archive has no complete reading of {self._source} {what} of {week}{until}; answers are kept "
                f"{RAW_EXPIRY_DAYS} days, and a reading that was cut off does not count: read the week again"
            )
        return known[-1]

    def _reading(self, key: str) -> "Reading":
        said = msgspec.json.decode(self._lake.get(key) or b"{}", type=_Complete)
        prefix = key.removesuffix(_COMPLETE)
        return Reading(self._lake, prefix, said.read_at, said.facts, said.parts, said.digest)

    def _prefix(self, week: Week, what: str) -> str:
        return f"{raw_prefix(self._source, week)}{what}/"


class Writing:
    """A reading while it is made; a context manager. For one thread.

    An answer is put while the next one is asked for: a bucket takes as long for it as a service for a small page.
    """

    def __init__(self, lake: Lake, prefix: str, read_at: datetime) -> None:
        self.prefix = prefix
        self._lake, self._read_at = lake, read_at
        self._parts, self._digest = 0, hashlib.sha256()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="archive")
        self._on_its_way: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def keep(self, exchange: Exchange) -> None:
        """Put one answer behind the others, which are in the bucket when this returns. Raises as `settle`."""
        self.settle()
        self._parts += 1
        self._on_its_way = self._pool.submit(self._put_exchange, _part(self._parts), exchange)

    def settle(self) -> None:
        """Every answer is in the bucket when this returns. Raises Broken, and what a put raises."""
        if self._on_its_way is not None:
            self._on_its_way.result()
            self._on_its_way = None

    def settled(self, answers: Iterable[A]) -> Iterator[A]:
        """The same, each once it is in the bucket: what is made of an answer is made of one that is kept."""
        before: list[A] = []
        for answer in answers:  # asking for it has waited until the one before was kept
            yield from before
            before = [answer]
        self.settle()
        yield from before

    def complete(self, facts: Mapping[str, Any]) -> None:
        """Say that there is no more; only now the reading counts."""
        self.settle()
        said = _Complete(self._read_at, self._parts, self._digest.hexdigest(), dict(facts))
        self._put(_COMPLETE, msgspec.json.encode(said), "application/json")

    def _put_exchange(self, name: str, exchange: Exchange) -> None:
        body = _packed(exchange)
        self._digest.update(body)
        self._put(name, body, "application/gzip")

    def _put(self, name: str, body: bytes, content_type: str) -> None:
        key = f"{self.prefix}{name}"
        # botocore sends a put again whose answer was lost: then it is there, and the same.
        if not self._lake.put_new(key, body, content_type=content_type) and self._lake.get(key) != body:
            raise Broken(f"s3://{self._lake.bucket}/{key} is there already and is another; the archive keeps it")


@dataclass(frozen=True, slots=True)
class Reading:
    """A complete reading. `facts` are those that it was completed with."""

    lake: Lake
    prefix: str
    read_at: datetime
    facts: Mapping[str, Any]
    parts: int
    digest: str

    def exchanges(self) -> Iterator[Exchange]:
        """Every answer in the order in which it came. Raises Broken, at the latest behind the last one."""
        digest = hashlib.sha256()
        keys = [f"{self.prefix}{_part(number)}" for number in range(1, self.parts + 1)]
        for key, body in zip(keys, read_ahead(self.lake.get, keys), strict=True):
            if body is None:
                raise Broken(f"s3://{self.lake.bucket}/{key} is gone; read the week again")
            digest.update(body)
            yield _unpacked(key, body)
        if digest.hexdigest() != self.digest:
            raise Broken(
                f"s3://{self.lake.bucket}/{self.prefix} was altered after it was read; read the week again"
            )


def _part(number: int) -> str:
    return f"{number:06d}.gz"


def _packed(exchange: Exchange) -> bytes:
    head = _Head(
        exchange.step,
        exchange.method,
        exchange.path,
        dict(exchange.asked),
        exchange.at,
        exchange.status,
        dict(exchange.headers),
    )
    return gzip.compress(msgspec.json.encode(head) + b"\n" + exchange.body, _LEVEL, mtime=0)


def _unpacked(key: str, body: bytes) -> Exchange:
    try:
        head, _, answered = gzip.decompress(body).partition(b"\n")
        said = msgspec.json.decode(head, type=_Head)
    except (OSError, EOFError, msgspec.MsgspecError) as error:
        raise Broken(f"{key} cannot be read ({error}); read the week again") from error
    return Exchange(said.step, said.method, said.path, said.asked, said.at, said.status, said.headers, answered)
