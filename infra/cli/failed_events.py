"""`prism events failed` and `prism events replay`: accepted events that were not stored, and sending them again.

Belongs here: the commands, their filter and how they print. Does not belong here: the rows and what is sent as
what (prism_resources/events).
"""

import getpass
import json
import time
import uuid
from collections import Counter
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.table import Table

from infra.cli.console import count_of, count_progress, err, fail, out, plain, say
from infra.cli.history import read_instant
from infra.local.platform import attached
from prism_core.events.failed import FailedEvent, FailedFilter, FailedStatus, Failure
from prism_core.events.outcomes import Outcome
from prism_core.events.versions import SchemaVersion
from prism_core.failures import BadUsage

if TYPE_CHECKING:
    from prism_core.settings import Settings
    from prism_resources.events.replaying import Replayed, Replaying

failed_app = typer.Typer(help="Accepted events that were not stored.", no_args_is_help=True)

Type = Annotated[str | None, typer.Option("--type", help="of this type")]
Producer = Annotated[str | None, typer.Option("--producer", help="of this producer")]
Why = Annotated[Failure | None, typer.Option("--failure", help="failed by this")]
Of = Annotated[str | None, typer.Option("--version", help="judged by this version of the schema, such as 1-0-0")]
Since = Annotated[str | None, typer.Option("--since", help="accepted from this instant on, 2026-01-05T07:00:00Z")]
Until = Annotated[str | None, typer.Option("--until", help="accepted before this instant")]
Path = Annotated[str | None, typer.Option("--path", help="a field that is wrong, /commits/*/id")]
Status = Annotated[FailedStatus | None, typer.Option("--status", help="what became of it; any without")]
Json = Annotated[bool, typer.Option("--json", help="one JSON value")]
_POLL_SECONDS = 0.2
_WAIT_SECONDS = 60.0


@failed_app.command("list")
def failed_list(
    kind: Type = None,
    producer: Producer = None,
    failure: Why = None,
    version: Of = None,
    since: Since = None,
    until: Until = None,
    path: Path = None,
    status: Status = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="so many at most")] = 50,
    payload: Annotated[
        bool, typer.Option("--payload", help="with the event itself; together with --json")
    ] = False,
    as_json: Json = False,
) -> None:
    """List failed events, each with what is wrong and where."""
    from prism_resources.events.failed_store import FailedStore

    wanted = _filter(kind, producer, failure, version, since, until, path)
    with attached(say) as platform:
        store = FailedStore(platform.settings)
        found = list(islice(store.find(wanted, status), limit))
        if payload:
            found = [store.get(one.failed_id) or one for one in found]
    if as_json:
        typer.echo(json.dumps([_document(one) for one in found]))
        return
    shown = Table("accepted", "producer", "type", "version", "failure", "status", "what is wrong", "id")
    for one in found:
        cells = (
            f"{one.accepted_at:%Y-%m-%d %H:%M:%S} UTC",
            one.producer,
            one.type,
            one.version or "",
            one.failure,
        )
        shown.add_row(*(plain(cell) for cell in (*cells, one.status, _wrong(one), one.failed_id)))
    out.print(shown)
    say(f"{count_of(len(found), 'failed event', 'failed events')}; --limit says how many at most")


@failed_app.command("count")
def failed_count(
    kind: Type = None,
    producer: Producer = None,
    failure: Why = None,
    version: Of = None,
    since: Since = None,
    until: Until = None,
    path: Path = None,
    status: Status = None,
    as_json: Json = False,
) -> None:
    """Count failed events by producer, type, failure and status."""
    from prism_resources.events.failed_store import FailedStore

    wanted = _filter(kind, producer, failure, version, since, until, path)
    with attached(say) as platform:
        counts = FailedStore(platform.settings).counts(wanted, status)
    names = ("producer", "type", "failure", "status")
    if as_json:
        typer.echo(
            json.dumps([dict(zip(names, key, strict=True)) | {"events": n} for key, n in sorted(counts.items())])
        )
        return
    shown = Table(*names, "events", title="failed events")
    for key, number in sorted(counts.items()):
        shown.add_row(*(plain(cell) for cell in key), f"{number:,}")
    out.print(shown)


@failed_app.command("give-up")
def failed_give_up(
    kind: Type = None,
    producer: Producer = None,
    failure: Why = None,
    version: Of = None,
    since: Since = None,
    until: Until = None,
    path: Path = None,
    every: Annotated[bool, typer.Option("--all", help="needed where nothing narrows what is closed")] = False,
    as_json: Json = False,
) -> None:
    """Close open failed events that nobody is going to mend, for good. They are kept, and not sent again."""
    from prism_resources.events.failed_store import FailedStore

    wanted = _filter(kind, producer, failure, version, since, until, path)
    if wanted == FailedFilter() and not every:
        raise BadUsage("this would give up every failed event that is open; narrow it, or repeat it with --all")
    with attached(say) as platform:
        closed = FailedStore(platform.settings).give_up(wanted)
        platform.flush()
    if as_json:
        typer.echo(json.dumps({"given_up": closed}))
        return
    out.print(plain(f"{count_of(closed, 'failed event is', 'failed events are')} given up"))


def replay(
    kind: Type = None,
    producer: Producer = None,
    failure: Why = None,
    version: Of = None,
    since: Since = None,
    until: Until = None,
    path: Path = None,
    to: Annotated[
        str | None, typer.Option("--to", help="judge by this version; else by the newest of the event's model")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="needed where nothing narrows what is sent")] = False,
    as_json: Json = False,
) -> None:
    """Send failed events again. An event is sent once for a version, however often and by whom this is run.

    Exit code 1 when one failed again, or is not settled after a minute.
    """
    from prism_resources.events.replaying import Replaying

    wanted = _filter(kind, producer, failure, version, since, until, path)
    if wanted == FailedFilter() and not every:
        raise BadUsage("this would send every failed event again; narrow it, or repeat it with --all")
    target = None if to is None else SchemaVersion.parse(to)
    run = f"{getpass.getuser()}-{uuid.uuid4().hex[:12]}"
    with attached(say) as platform:
        before = _statuses(platform.settings, wanted)
        replaying = Replaying(platform.settings)
        with count_progress("failed events looked at") as told:
            looked = [0]

            def heard(number: int) -> None:
                looked[0] += number
                told(looked[0])

            done = replaying.replay(wanted, run=run, version=target, told=heard, held_up=_Waits())
        outcomes = _settled(replaying, done)
        after = _statuses(platform.settings, wanted)
        platform.flush()
    document = _outcome(done, outcomes, before, after)
    if as_json:
        typer.echo(json.dumps(document))
    else:
        _print_replay(document)
    again = document["failed"] + document["in_flight"] + document["unsent"]
    if again:
        raise fail(f"{count_of(again, 'event is', 'events are')} not stored; `prism events failed list` says why")


def _settled(replaying: "Replaying", done: "Replayed") -> Counter[Outcome]:
    """How many ended how, once all have or a minute is over."""
    deadline, counts, left = time.monotonic() + _WAIT_SECONDS, Counter[Outcome](), done.sent
    with err.status(f"waiting for {count_of(len(left), 'event', 'events')}"):
        while left:
            asked = time.monotonic()
            ended = replaying.settle(left)
            counts.update(ended.values())
            left = [one for one in left if one.receipt not in ended]
            if time.monotonic() > deadline:
                break
            if left:
                time.sleep(max(_POLL_SECONDS, time.monotonic() - asked))
    return counts


class _Waits:
    """Says once that producers go first."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self, waiting: int) -> None:
        if not self._said:
            say(f"{waiting:,} events wait in the queue: this goes on when there is room beside those of producers")
        self._said = True


def _outcome(
    done: "Replayed", outcomes: Counter[Outcome], before: dict[str, int], after: dict[str, int]
) -> dict[str, Any]:
    failed = outcomes[Outcome.FAILED] + outcomes[Outcome.CONFLICT]
    return {
        "run": done.run,
        "matched": done.matched,
        "sent": len(done.sent),
        "stored": outcomes[Outcome.STORED],
        "failed": failed,
        "in_flight": len(done.sent) - outcomes.total(),
        "duplicate": done.duplicate + outcomes[Outcome.DUPLICATE],
        "unchanged": done.unchanged,
        "closed": done.closed,
        "unsent": done.unsent,
        "gone": done.gone,
        "before": before,
        "after": after,
    }


def _print_replay(document: dict[str, Any]) -> None:
    shown = Table("status", "before", "after", title="failed events that the filter takes")
    for status in FailedStatus:
        shown.add_row(status, f"{document['before'][status]:,}", f"{document['after'][status]:,}")
    out.print(shown)
    words = ("sent", "stored", "failed", "in_flight", "duplicate", "unchanged", "closed", "unsent", "gone")
    said = ", ".join(f"{document[word]:,} {word.replace('_', ' ')}" for word in words)
    out.print(plain(f"run {document['run']}: {said}"))
    if document["unchanged"]:
        say(
            "unchanged: the version that they would be judged by is the one that they failed by, or there is "
            "none; add one, or close them with `prism events failed give-up`"
        )
    if document["unsent"]:
        say("unsent: the queue did not take them, or had no room beside producers for ten minutes; run this again")
    if document["gone"]:
        say("gone: a failed event is kept for 180 days, and theirs have expired; its producer may post it again")


def _statuses(settings: "Settings", wanted: FailedFilter) -> dict[str, int]:
    from prism_resources.events.failed_store import FailedStore

    counts = dict.fromkeys((status.value for status in FailedStatus), 0)
    for event in FailedStore(settings).find(wanted):
        counts[event.status.value] += 1
    return counts


def _filter(
    kind: str | None,
    producer: str | None,
    failure: Failure | None,
    version: str | None,
    since: str | None,
    until: str | None,
    path: str | None,
) -> FailedFilter:
    return FailedFilter(
        type=kind,
        producer=producer,
        failure=failure,
        version=None if version is None else str(SchemaVersion.parse(version)),
        since=_instant(since),
        until=_instant(until),
        path=path,
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else read_instant(text)


def _document(event: FailedEvent) -> dict[str, Any]:
    return json.loads(msgspec.json.encode(event))


def _wrong(event: FailedEvent) -> str:
    if not event.problems:
        return ""
    first = event.problems[0]
    more = f" (and {len(event.problems) - 1} more)" if len(event.problems) > 1 else ""
    return f"{first.path or '/'}: {first.reason:.120}{more}"
