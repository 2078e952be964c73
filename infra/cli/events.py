"""`prism events schema` and `prism events lookup`: what events are judged by and enriched from.

Belongs here: these commands and how they print. Does not belong here: the registry (prism_resources/events) and
what breaks a producer (prism_core/events/compatibility.py).
"""

import getpass
import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from infra.cli.console import count_of, count_progress, fail, out, plain, say
from infra.cli.failed_events import failed_app, replay
from infra.cli.hook_producers import producer_app
from infra.cli.send_events import send
from infra.local.platform import attached
from prism_core import clock
from prism_core.failures import BadUsage, PermanentFailure

if TYPE_CHECKING:
    from prism_core.events.compatibility import Difference
    from prism_core.events.enrichment import Rule
    from prism_core.events.rehearsing import Rehearsed
    from prism_core.models.events import LookupItem, SchemaItem
    from prism_core.settings import Settings

events_app = typer.Typer(help="Events: schemas, lookups, producers, what failed, sending.", no_args_is_help=True)
schema_app = typer.Typer(help="Schemas by type and version.", no_args_is_help=True)
lookup_app = typer.Typer(help="Lookups that events are enriched from.", no_args_is_help=True)
events_app.add_typer(schema_app, name="schema")
events_app.add_typer(lookup_app, name="lookup")
events_app.add_typer(failed_app, name="failed")
events_app.add_typer(producer_app, name="producer")
events_app.command()(replay)
events_app.command()(send)

_ID = r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}"
_MOST_DAYS = 90
Kind = Annotated[str, typer.Argument(metavar="TYPE", help="the type of the events, such as com.example.made")]
Version = Annotated[str, typer.Argument(help="such as 1-0-0; what breaks nobody has the same first number")]
SchemaFile = Annotated[Path, typer.Argument(metavar="FILE", help="a JSON Schema, draft-07 or 2020-12")]
Json = Annotated[bool, typer.Option("--json", help="one JSON value")]


@schema_app.command("add")
def schema_add(
    kind: Kind,
    version: Version,
    path: SchemaFile,
    rules: Annotated[Path | None, typer.Option("--rules", help="a JSON list: how events are enriched")] = None,
    value_at: Annotated[
        str | None, typer.Option("--value-at", help="JSON pointer of what roll-ups measure")
    ] = None,
    label_at: Annotated[str | None, typer.Option("--label-at", help="JSON pointer of the text they count")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="recipient who is told of fields that fail")] = None,
    note: Annotated[str, typer.Option("--note", help="why there is this version")] = "",
    bare: Annotated[
        bool, typer.Option("--bare", help="take nothing over from the version before it, such as its rules")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add a version, for good. A breaking change under the same model is refused, and so is a gap.

    Rules, value, label and owner that are not given are those of the version before it.
    """
    from prism_core.events.rule_files import is_pointer, read_rules
    from prism_core.models.events import EnrichmentRule
    from prism_resources.events.schema_store import SchemaStore

    wanted, text = _named(kind, version), _bytes(path)
    read = None if rules is None else read_rules(_bytes(rules))
    for option, pointer in (("--value-at", value_at), ("--label-at", label_at)):
        if pointer is not None and not is_pointer(pointer):
            raise BadUsage(f"{option} {pointer!r} is no JSON pointer into the data, such as /seconds")
    with attached(say) as platform:
        _refuse_unknown_lookups(platform.settings, read or ())
        about = {"value_at": value_at, "label_at": label_at, "owner": owner, "note": note}
        item = SchemaStore(platform.settings).add(
            kind,
            wanted,
            text,
            rules=None if read is None else [EnrichmentRule.model_validate(_builtins(rule)) for rule in read],
            about={name: value for name, value in about.items() if value is not None},
            by=f"cli:{getpass.getuser()}",
            now=clock.now(),
            bare=bare,
        )
        platform.flush()
    _say_taken_over(item, {"rules": read} | about)
    if as_json:
        typer.echo(json.dumps(item.plain()))
        return
    out.print(plain(f"{item.type} {item.version} is added, and is what events without a version are judged by"))


@schema_app.command("check")
def schema_check(kind: Kind, version: Version, path: SchemaFile, as_json: Json = False) -> None:
    """Say whether a schema may be added as this version, and what it changes. Nothing is written.

    Exit code 1 when it would be refused.
    """
    from prism_resources.events.schema_store import SchemaStore

    wanted, text = _named(kind, version), _bytes(path)
    with attached(say) as platform:
        judged = SchemaStore(platform.settings).judge(kind, wanted, text)
    breaks = [_difference(one) for one in judged.breaking]
    others = [_difference(one) for one in judged.differences if one not in judged.breaking]
    if as_json:
        over = None if judged.over is None else str(judged.over)
        typer.echo(json.dumps({"taken": not breaks, "over": over, "breaking": breaks, "rehearse": others}))
    else:
        compared = "a model of its own" if judged.over is None else f"compared with {judged.over}"
        out.print(plain(f"{kind} {version}, {compared}"))
        for word, found in (("breaks", breaks), ("rehearse", others)):
            for one in found:
                out.print(plain(f"  {word}: {one['path'] or '/'}: {one['reason']}"))
        if others:
            say("a name that was free is described now: `prism events schema rehearse` says who uses it otherwise")
    if breaks:
        raise fail(f"{version} would break producers that keep to {judged.over}; a breaking change is a new model")


@schema_app.command("list")
def schema_list(
    kind: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="one type; all of them without")] = None,
    as_json: Json = False,
) -> None:
    """The versions that there are."""
    from prism_resources.events.schema_store import SchemaStore

    with attached(say) as platform:
        store = SchemaStore(platform.settings)
        found = store.versions(kind) if kind is not None else list(store.all())
    if kind is not None and not found:
        raise fail(f"there is no schema of {kind}")
    if as_json:
        typer.echo(json.dumps([one.plain() for one in found]))
        return
    shown = Table("type", "version", "added", "by", "rules", "owner", "note", title="schemas")
    for one in found:
        rules = ", ".join(rule.into for rule in one.rules)
        cells = (
            one.type,
            one.version,
            f"{one.added_at:%Y-%m-%d %H:%M} UTC",
            one.added_by,
            rules,
            one.owner,
            one.note,
        )
        shown.add_row(*(plain(cell or "") for cell in cells))
    out.print(shown)


@schema_app.command("rehearse")
def schema_rehearse(
    kind: Kind,
    path: SchemaFile,
    days: Annotated[
        str | None, typer.Option("--days", help="2026-01-05, or a range 2026-01-05..2026-01-11")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge the archived events of some days by a schema: what would newly fail, by producer and field.

    The last seven days unless said otherwise. Exit code 1 when something would fail.
    """
    from prism_core.events.rehearsing import rehearsed
    from prism_core.events.strict_json import read
    from prism_core.events.validating import CompiledSchema
    from prism_resources.events import archive

    chosen = _days(days)
    candidate = CompiledSchema(read(_bytes(path)))
    with attached(say) as platform, count_progress(f"events of {kind} judged") as told:
        keys = (key for day in chosen for key in archive.keys_of_day(platform.settings, day))
        events = (one for one in archive.read(platform.settings, keys) if one.type == kind)
        found = rehearsed(candidate, ((one.producer, one.data) for one in events), told)
    if as_json:
        typer.echo(json.dumps(_rehearsal(found, chosen)))
    else:
        _print_rehearsal(kind, found, chosen)
    if found.failing:
        raise fail(f"{sum(found.failing.values()):,} of {found.judged:,} events would newly fail")


@lookup_app.command("add")
def lookup_add(
    name: Annotated[str, typer.Argument(help="what rules call it: geo, jobs, rates")],
    path: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: text,value - network,country - currency,EUR")],
    as_json: Json = False,
) -> None:
    """Add the next version of a lookup, which events are enriched from at once. The same file adds nothing."""
    import re

    from prism_resources.events.lookup_store import LookupStore

    if not re.fullmatch(_ID, name):
        raise BadUsage(f"{name!r} is no name of a lookup; use letters, digits and . _ : + -")
    text = _bytes(path)
    with attached(say) as platform:
        item = LookupStore(platform.settings).add(name, text, by=f"cli:{getpass.getuser()}", now=clock.now())
        platform.flush()
    if as_json:
        typer.echo(json.dumps(item.plain()))
        return
    out.print(
        plain(f"{item.name} is at version {item.version}: {item.form}, {count_of(item.entries, 'row', 'rows')}")
    )


@lookup_app.command("list")
def lookup_list(as_json: Json = False) -> None:
    """The versions of all lookups; the last one of a name is current."""
    from prism_resources.events.lookup_store import LookupStore

    with attached(say) as platform:
        found = list(LookupStore(platform.settings).all())
    if as_json:
        typer.echo(json.dumps([one.plain() for one in found]))
        return
    _print_lookups(found)


def _print_lookups(found: Iterable["LookupItem"]) -> None:
    shown = Table("name", "version", "form", "rows", "base", "added", "by", title="lookups")
    for one in found:
        added = f"{one.added_at:%Y-%m-%d %H:%M} UTC"
        cells = (one.name, str(one.version), one.form, f"{one.entries:,}", one.base or "", added, one.added_by)
        shown.add_row(*(plain(cell) for cell in cells))
    out.print(shown)


def _refuse_unknown_lookups(settings: "Settings", rules: Iterable["Rule"]) -> None:
    """A rule that asks for what there is not would add nothing, and nobody would see it."""
    from prism_core.events.enrichment import Kind as RuleKind
    from prism_resources.events.lookup_store import LookupStore

    store = LookupStore(settings)
    for rule in rules:
        if rule.lookup is None:
            continue
        if rule.kind is RuleKind.OUTSIDE:
            if rule.lookup not in settings.event_services:
                raise PermanentFailure(f"{rule.into}: the setting event_services names no {rule.lookup}")
        elif store.current(rule.lookup) is None:
            raise PermanentFailure(
                f"{rule.into}: there is no lookup {rule.lookup}; `prism events lookup add` it first"
            )


def _say_taken_over(item: "SchemaItem", given: Mapping[str, object]) -> None:
    found = {"rules": ", ".join(rule.into for rule in item.rules) or None}
    found |= {"value_at": item.value_at, "label_at": item.label_at, "owner": item.owner}
    if kept := [f"{name} ({value})" for name, value in found.items() if value is not None and given[name] is None]:
        say(f"as in the version before it: {', '.join(kept)}; an option changes one, --bare all of it")


def _named(kind: str, version: str) -> Any:
    import re

    from prism_core.events.versions import SchemaVersion

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,199}", kind):
        raise BadUsage(f"{kind!r} is no type; it has letters, digits and . _ : + - only, such as com.example.made")
    return SchemaVersion.parse(version)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadUsage(f"{path} cannot be read: {error.strerror}") from error


def _builtins(rule: "Rule") -> dict[str, Any]:
    import msgspec

    return {name: value for name, value in msgspec.to_builtins(rule).items() if value is not None}


def _difference(one: "Difference") -> dict[str, str]:
    return {"path": one.path, "reason": one.reason}


def _days(text: str | None) -> list[date]:
    """The days of an option, the last seven without it."""
    today = clock.now().date()
    first, _, last = (text or f"{today - timedelta(days=6)}..{today}").partition("..")
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError as error:
        raise BadUsage(
            f"--days {text!r} is no day, and no range of days such as 2026-01-05..2026-01-11"
        ) from error
    if not begin <= end < begin + timedelta(days=_MOST_DAYS):
        raise BadUsage(f"--days goes from a day to a later one, {_MOST_DAYS} at most: the archive holds no more")
    return [begin + timedelta(days=number) for number in range((end - begin).days + 1)]


def _rehearsal(found: "Rehearsed", chosen: list[date]) -> dict[str, Any]:
    fields = [
        {"producer": producer, "field": field, "rule": rule, "events": number}
        for (producer, field, rule), number in found.fields.items()
    ]
    days = {"first": chosen[0].isoformat(), "last": chosen[-1].isoformat()}
    return {"days": days, "judged": found.judged, "failing": found.failing, "fields": fields}


def _print_rehearsal(kind: str, found: "Rehearsed", chosen: list[date]) -> None:
    days = f"{chosen[0]}" if len(chosen) == 1 else f"{chosen[0]} to {chosen[-1]}"
    out.print(plain(f"{found.judged:,} events of {kind}, {days}"))
    if not found.judged:
        say("the archive has none; it holds 90 days")
    if not found.failing:
        return
    shown = Table("producer", "field", "rule", "events", title="would newly fail")
    for (producer, field, rule), number in found.fields.items():
        shown.add_row(plain(producer), plain(field or "/"), plain(rule), f"{number:,}")
    out.print(shown)
