"""`prism events send`: events of files through the deployed API, and what became of each.

Belongs here: the command, posting, waiting for verdicts. Does not belong here: reading files (event_files.py),
what is a valid event (prism_core/events) and what the API answers (prism_api/events).
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from infra.cli.console import count_of, err, fail, out, plain, say, step_progress
from infra.cli.event_files import values
from infra.local.platform import Platform, attached
from prism_core import clock
from prism_core.events.rejections import EventRejected
from prism_core.failures import BadUsage, PermanentFailure, PrismFailure, TransientFailure

if TYPE_CHECKING:
    import httpx

    from prism_core.events.ledger import HourRecord

# Of a request: what the API takes of bytes, less what stands around the events.
_BATCH_EVENTS, _BATCH_BYTES = 100, 900_000
_MOST_SHOWN = 100
_TRIES, _SECONDS = 5, 30.0
_POLL_SECONDS = 0.1
_READERS = 8
REFUSED, _IN_FLIGHT = "refused", "in flight"


@dataclass(slots=True)
class Row:
    """An event of a file and what became of it."""

    where: str
    value: Any
    verdict: str = ""
    reason: str = ""
    receipt: str = ""
    accepted_at: datetime | None = None

    def document(self) -> dict[str, Any]:
        event = self.value if isinstance(self.value, dict) else {}
        return {
            "event": self.where,
            "id": event.get("id"),
            "type": event.get("type"),
            "verdict": self.verdict,
            "reason": self.reason,
            "receipt": self.receipt or None,
        }


def send(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="CloudEvents as JSON: one, a list, or one a line")
    ],
    kind: Annotated[
        str | None, typer.Option("--type", help="the files hold plain data: of this type, known by their content")
    ] = None,
    source: Annotated[
        str, typer.Option("--source", help="with --type: where plain data are from")
    ] = "/prism/send",
    wait: Annotated[float, typer.Option("--wait", min=0, max=600, help="seconds to wait for verdicts")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Send events as the producer of this platform; prints each verdict, and that no accepted event is lost.

    Exit code 1 when one was refused, failed, or has no verdict yet.
    """
    rows = [row for path in paths for row in _rows(path, kind, source)]
    if not rows:
        raise BadUsage("there are no events in these files")
    with attached(say) as platform:
        if fresh := [row for row in rows if not row.verdict]:
            _post(platform, fresh)
        _await_verdicts(platform, rows, wait)
        balances = _balances(platform, rows)
        platform.flush()
    counts = Counter(row.verdict for row in rows)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "events": [row.document() for row in rows],
                    "verdicts": dict(sorted(counts.items())),
                    "types": _by_type(rows),
                    "conservation": [_balance(one) for one in balances],
                }
            )
        )
    else:
        _print(rows, counts, balances)
    if wrong := [sentence for one in balances if not one.only_waits for sentence in one.wrong]:
        raise fail("; ".join(wrong))
    bad = len(rows) - counts["stored"] - counts["duplicate"]
    if bad:
        raise fail(f"{count_of(bad, 'event is', 'events are')} not stored")


def _by_type(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """How many events of each type were accepted, and what became of them; of no type, those that have none."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        document = row.document()
        kind = document["type"] if isinstance(document["type"], str) else ""
        found.setdefault(kind, Counter())[row.verdict] += 1
    return [
        {
            "type": kind,
            "accepted": verdicts.total() - verdicts[REFUSED],
            "stored": verdicts["stored"],
            "failed": verdicts["failed"] + verdicts["conflict"],
            "duplicate": verdicts["duplicate"],
            "in_flight": verdicts[_IN_FLIGHT],
            "refused": verdicts[REFUSED],
        }
        for kind, verdicts in sorted(found.items())
    ]


def _rows(path: Path, kind: str | None, source: str) -> Iterator[Row]:
    """The events of a file, in their order."""
    for number, value in enumerate(values(path), start=1):
        where = f"{path.name}:{number}"
        if isinstance(value, EventRejected):  # it would take its batch along
            yield Row(where, None, REFUSED, str(value))
        else:
            yield Row(where, value if kind is None else _event(value, kind, source))


def _event(value: Any, kind: str, source: str) -> dict[str, Any]:
    from prism_core.events.strict_json import canonical

    digest = blake2b(canonical(value), digest_size=16).hexdigest()
    return {"specversion": "1.0", "id": digest, "source": source, "type": kind, "data": value}


def _post(platform: Platform, rows: Sequence[Row]) -> None:
    import httpx

    from infra.addresses import api_url
    from infra.users import Users

    api, token = api_url(platform.settings), Users(platform.settings).producer_token()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents-batch+json"}
    with (
        httpx.Client(headers=headers, timeout=_SECONDS) as http,
        step_progress(f"sending {count_of(len(rows), 'event', 'events')}", len(rows)) as progress,
    ):
        post(http, f"{api}/api/events", rows, lambda sent: progress.advance(progress.task_ids[0], sent))


def post(http: "httpx.Client", url: str, rows: Sequence[Row], sent: Callable[[int], None]) -> None:
    """Post all events, and note which were taken under which receipt.

    Raises PrismFailure when nothing was taken at all; where some were, the others say why they have no receipt.
    """
    in_hand = list[Row]()
    try:
        for in_hand in _batches(rows):
            left = in_hand
            for tried in range(_TRIES):
                time.sleep(_pause(tried))
                left = _take(left, _answer(http, url, _body(left)))
                if not left:
                    break
            sent(len(in_hand))
    except PrismFailure as failure:
        if not any(row.receipt for row in rows):
            raise
        for row in (row for row in rows if not row.verdict):
            row.verdict, row.reason = REFUSED, str(failure) if row in in_hand else f"not sent: {failure}"


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    batch, size = list[Row](), 0
    for row in rows:
        length = len(_text(row))
        if batch and (len(batch) == _BATCH_EVENTS or size + length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length + 1
    if batch:
        yield batch


def _text(row: Row) -> bytes:
    return json.dumps(row.value, ensure_ascii=False).encode()


def _body(batch: Sequence[Row]) -> bytes:
    return b"[" + b",".join(map(_text, batch)) + b"]"


def _answer(http: "httpx.Client", url: str, body: bytes) -> dict[str, Any]:
    """The answer to a batch: with rows, or a problem of all of it. One that asks to wait is asked again, and so is
    one without an answer: what it did take is a duplicate then."""
    import httpx

    said, wait, lost = "", 0.0, False
    for tried in range(1, _TRIES + 1):
        time.sleep(wait)
        try:
            answer = http.post(url, content=body)
        except httpx.HTTPError as error:
            said, wait, lost = str(error), _pause(tried), True
            continue
        status = answer.status_code
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise PermanentFailure(f"the API takes no events of this producer: {answer.text:.300}")
        if status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS:
            try:
                found = answer.json()
            except ValueError:
                found = None
            if not isinstance(found, dict):
                raise PermanentFailure(f"the API answered {status}: {answer.text:.300}")
            # What stands before the API, as its gateway, says a message and no title.
            return {"title": found.get("message") or f"the API answered {status}"} | found
        said, wait = f"it answered {status}", min(float(answer.headers.get("retry-after", _pause(tried))), 10.0)
        # A function may end after the queue has the events and before its answer.
        lost = lost or status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    what = "may have taken these without an answer" if lost else "took nothing"
    raise TransientFailure(f"{url} {what}, {_TRIES} times in a row: {said}; send the files again later")


def _pause(tried: int) -> float:
    """Seconds to wait after so many tries that came to nothing."""
    return 2.0**tried / 8 if tried else 0.0


def _take(batch: Sequence[Row], answer: dict[str, Any]) -> list[Row]:
    """Note what was said of each; answers those that the queue did not take, which may be sent again."""
    told = {int(one["row"]): one for one in answer.get("rows", ())}
    later = list[Row]()
    for number, row in enumerate(batch):
        one = told.get(number, answer)
        if "receipt" in one:
            row.receipt, row.accepted_at = one["receipt"], datetime.fromisoformat(one["accepted_at"])
            row.verdict = _IN_FLIGHT
        else:
            path = f"{one['path']}: " if one.get("path") else ""
            row.verdict, row.reason = REFUSED, f"{path}{one.get('detail', one.get('title', ''))}"
            if one.get("status") == HTTPStatus.SERVICE_UNAVAILABLE:
                later.append(row)
    return later


def _await_verdicts(platform: Platform, rows: Sequence[Row], seconds: float) -> None:
    from prism_resources.events.failed_store import FailedStore
    from prism_resources.events.receipts import Receipts

    receipts, failed = Receipts(platform.settings), FailedStore(platform.settings)
    deadline = time.monotonic() + seconds

    def look(row: Row) -> None:
        assert row.accepted_at is not None  # noqa: S101 - it has a receipt
        found = receipts.get(row.receipt, row.accepted_at)
        if found is not None and found.outcome is not None and found.outcome.is_final:
            row.verdict = found.outcome.value
            row.reason = _why(failed, row.receipt) if row.verdict in {"failed", "conflict"} else ""

    with (
        ThreadPoolExecutor(_READERS) as pool,
        err.status(f"waiting for {count_of(len(rows), 'verdict', 'verdicts')}"),
    ):
        while waiting := [row for row in rows if row.verdict == _IN_FLIGHT]:
            list(pool.map(look, waiting))
            if time.monotonic() > deadline:
                return
            if any(row.verdict == _IN_FLIGHT for row in waiting):
                time.sleep(_POLL_SECONDS)


def _why(failed: Any, receipt: str) -> str:
    from prism_core.events.failed import failed_id

    found = failed.get(failed_id(receipt))
    if found is None:
        return ""
    if not found.problems:
        return str(found.failure.value).replace("_", " ")
    more = f" (and {len(found.problems) - 1} more)" if len(found.problems) > 1 else ""
    return f"{found.problems[0].path or '/'}: {found.problems[0].reason}{more}"


def _balances(platform: Platform, rows: Sequence[Row]) -> list["HourRecord"]:
    """Of the hours in which these events were accepted: their receipts beside what the stores hold."""
    from prism_core.events.rollups import Grain
    from prism_resources.events.balancing import Balancing

    hours = sorted({Grain.HOUR.start_of(row.accepted_at) for row in rows if row.accepted_at is not None})
    balancing = Balancing(platform.settings)
    return [balancing.of_hour(hour, clock.now()) for hour in hours]


def _balance(one: "HourRecord") -> dict[str, Any]:
    names = ("accepted", "stored", "failed", "duplicate", "in_flight", "overdue", "in_doubt")
    told = {"hour": one.hour.isoformat(), "running": _runs(one), "holds": one.holds, "wrong": list(one.wrong)}
    return told | {name: getattr(one, name) for name in names}


def _runs(one: "HourRecord") -> bool:
    """Whether more may come: the proof is that of the hourly run when the hour has ended."""
    from prism_core.events.ledger import HOUR

    return one.counted_at < one.hour + HOUR


def _print(rows: Sequence[Row], counts: Counter[str], balances: Sequence["HourRecord"]) -> None:
    shown = Table("event", "id", "type", "verdict", "why", title="events")
    told = (
        rows if len(rows) <= _MOST_SHOWN else [row for row in rows if row.verdict not in {"stored", "duplicate"}]
    )
    for row in told[:_MOST_SHOWN]:
        document = row.document()
        cells = (row.where, document["id"] or "", document["type"] or "", row.verdict, f"{row.reason:.160}")
        shown.add_row(*(plain(cell) for cell in cells))
    out.print(shown)
    if len(told) > _MOST_SHOWN:
        say(f"{len(told) - _MOST_SHOWN:,} more; --json has all of them")
    out.print(plain(", ".join(f"{number:,} {verdict}" for verdict, number in sorted(counts.items()))))
    names = ("accepted", "stored", "failed", "duplicate", "in_flight", "refused")
    kinds = Table("type", *(name.replace("_", " ") for name in names), title="by type")
    for one in _by_type(rows):
        kinds.add_row(plain(one["type"]), *(f"{one[name]:,}" for name in names))
    out.print(kinds)
    names = ("accepted", "stored", "failed", "duplicate", "in flight", "in doubt", "beside the stores")
    table = Table("hour (UTC)", *names, title="conservation")
    for one in balances:
        figures = (one.accepted, one.stored, one.failed, one.duplicate, one.in_flight, one.in_doubt)
        said = "; ".join(one.wrong) or ("holds so far" if _runs(one) else "holds")
        table.add_row(f"{one.hour:%Y-%m-%d %H}:00", *(f"{figure:,}" for figure in figures), said)
    out.print(table)
