"""`prism backup` and `prism restore`.

Belongs here: the two commands and how they print. Does not belong here: what a backup is (prism_core/backups.py),
taking and restoring one (prism_resources/backup).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from infra.cli.console import count_of, fail, out, plain, say, step_progress
from infra.cli.history import read_instant
from infra.local.platform import Platform, attached
from prism_core import clock
from prism_core.failures import BadUsage

if TYPE_CHECKING:
    from prism_core.backups import BackupManifest, RestoredSet
    from prism_resources.backup.catalog import Listed

_MEGABYTE = 1_000_000


def backup(
    listing: Annotated[bool, typer.Option("--list", help="print the backups that there are")] = False,
    verify: Annotated[str, typer.Option(help="read every part of a backup back: its id, or `newest`")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="what was done or found as JSON")] = False,
) -> None:
    """Back up every operational table to the lake bucket."""
    if listing and verify:
        raise BadUsage("--list and --verify at once; name one")
    with attached(say) as platform:
        if listing:
            _print_list(_listed(platform), as_json=as_json)
        elif verify:
            _verify(platform, verify, as_json=as_json)
        else:
            manifest = _take(platform)
            platform.flush()
            _print_manifest(manifest, "made", as_json=as_json)


def restore(
    at: Annotated[str, typer.Option("--at", help="an instant with its zone: 2026-01-05T07:00:00Z")] = "",
    tables: Annotated[str, typer.Option(help="members,projects; all when left out")] = "",
    backup_id: Annotated[str, typer.Option("--backup", help="start from this backup")] = "",
    without_live_log: Annotated[
        bool,
        typer.Option("--without-live-log", help="take the changes from the newest backup, if the log is lost"),
    ] = False,
    listing: Annotated[bool, typer.Option("--list", help="print the restored sets that there are")] = False,
    drop: Annotated[str, typer.Option(help="delete a restored set")] = "",
    person_keys: Annotated[
        str, typer.Option("--person-keys", help="put lost keys of people back from this copy of their table")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="what was done or found as JSON")] = False,
) -> None:
    """Restore tables as of an instant into a set of tables beside the real ones, and verify them."""
    if sum(map(bool, (at, listing, drop, person_keys))) != 1:
        raise BadUsage("name one of --at INSTANT, --list, --drop SET and --person-keys TABLE")
    if not at and (tables or backup_id or without_live_log):
        raise BadUsage("--tables, --backup and --without-live-log belong to --at")
    if listing:
        with attached(say) as platform:
            _print_sets(platform, as_json=as_json)
    elif drop:
        with attached(say) as platform:
            _drop(platform, drop, as_json=as_json)
    elif person_keys:
        with attached(say) as platform:
            _put_back(platform, person_keys, as_json=as_json)
    else:
        _restore(at, tables, backup_id, live_log=not without_live_log, as_json=as_json)


def _take(platform: Platform) -> "BackupManifest":
    from prism_core.backups import BACKED_UP
    from prism_resources.aws import client
    from prism_resources.backup.taking import take_backup
    from prism_resources.lake import Lake

    settings = platform.settings
    with _steps("reading tables") as told:
        done: dict[str, int] = {}

        def progress(table: str, items: int) -> None:
            done[table] = items
            told(f"{table}: {items:,} items", len(done), len(BACKED_UP))

        return take_backup(
            client(settings, "dynamodb"), settings, Lake(settings), clock=clock.now, progress=progress
        )


def _listed(platform: Platform) -> list["Listed"]:
    from prism_resources.backup.catalog import listed
    from prism_resources.lake import Lake

    settings = platform.settings
    return listed(Lake(settings), now=clock.now(), retention_days=settings.backup_retention_days)


def _verify(platform: Platform, wanted: str, *, as_json: bool) -> None:
    from prism_resources.backup.catalog import newest_among, read_manifest, verify
    from prism_resources.lake import Lake

    lake = Lake(platform.settings)
    if wanted == "newest":
        newest = newest_among(_listed(platform))
        if newest is None:
            raise fail("there is no backup; `prism backup` makes one")
        manifest = newest
    else:
        manifest = read_manifest(lake, wanted)
    with _steps("reading parts") as told:
        verify(lake, manifest, told)
    _print_manifest(manifest, "whole", as_json=as_json)


def _restore(at: str, tables: str, backup_id: str, *, live_log: bool, as_json: bool) -> None:
    from prism_core.backups import checked_backup_id, chosen_tables
    from prism_resources.aws import client
    from prism_resources.backup.catalog import Listed, read_manifest
    from prism_resources.backup.restoring import Restore, source_of
    from prism_resources.lake import Lake

    # Wrong words fail before anything is started.
    instant, specs = read_instant(at), chosen_tables(tables.split(","))
    if backup_id:
        checked_backup_id(backup_id)
    with attached(say) as platform:
        settings, lake = platform.settings, Lake(platform.settings)
        named = [Listed(backup_id, read_manifest(lake, backup_id))] if backup_id else None
        backups = _listed(platform) if named is None else named
        source = source_of(backups, instant, now=clock.now(), live_log=live_log)
        say(f"from backup {source.base.backup_id}, {_age(source.base, instant)}")
        with _steps("restoring") as told:
            done = Restore(client(settings, "dynamodb"), settings, lake, clock=clock.now, progress=told).run(
                source, instant, specs
            )
        platform.flush()
    _print_set(done, as_json=as_json)


def _drop(platform: Platform, name: str, *, as_json: bool) -> None:
    from prism_resources.aws import client
    from prism_resources.backup.sets import drop_set
    from prism_resources.lake import Lake

    settings = platform.settings
    dropped = drop_set(client(settings, "dynamodb"), settings, Lake(settings), name)
    platform.flush()
    if as_json:
        typer.echo(json.dumps({"dropped": name, "tables": dropped}))
        return
    say(f"{name} is gone: {count_of(dropped, 'table', 'tables')}")


def _put_back(platform: Platform, copy: str, *, as_json: bool) -> None:
    from prism_resources.aws import client
    from prism_resources.backup.keys import put_back

    settings = platform.settings
    found = put_back(client(settings, "dynamodb"), settings, copy)
    platform.flush()
    if as_json:
        typer.echo(json.dumps({"back": len(found.back), "stood": len(found.stood), "other": found.other}))
        return
    say(f"{count_of(len(found.back), 'key is', 'keys are')} back, {len(found.stood)} stood there")
    if found.other:
        said = "were given another key since, which stays: what was sealed before does not open"
        say(f"{said}: {', '.join(found.other)}")


@contextmanager
def _steps(label: str) -> Iterator[Any]:
    with step_progress(label, 1) as progress:
        task = progress.task_ids[0]

        def told(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        yield told


def _age(base: "BackupManifest", instant: Any) -> str:
    before = base.ended <= instant
    between = instant - base.began if before else base.began - instant
    return f"{between} {'before' if before else 'after'} the instant"


def _print_list(backups: list["Listed"], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {"backup_id": one.backup_id, "problem": one.problem}
            | ({} if one.manifest is None else _facts(one.manifest))
            for one in backups
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("backup", "began", "items", "MB", "counts")
    for one in backups:
        facts = (
            ("", "", "", plain(f"no: {one.problem}"))
            if one.manifest is None
            else (
                f"{one.manifest.began:%Y-%m-%d %H:%M:%SZ}",
                f"{one.manifest.items:,}",
                f"{one.manifest.size / _MEGABYTE:,.1f}",
                "yes",
            )
        )
        table.add_row(one.backup_id, *facts)
    out.print(table)


def _facts(manifest: "BackupManifest") -> dict[str, Any]:
    plain_fields = manifest.plain()
    counts = {name: one.items for name, one in manifest.tables.items()}
    times = {name: plain_fields[name] for name in ("began", "log_began", "ended")}
    return {"backup_id": manifest.backup_id, **times, "items": manifest.items, "size": manifest.size} | {
        "tables": counts
    }


def _print_manifest(manifest: "BackupManifest", word: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_facts(manifest)))
        return
    table = Table("table", "items", "parts", "bytes", title=plain(f"backup {manifest.backup_id}"))
    for name, one in manifest.tables.items():
        size = sum(part.size for part in one.parts)
        table.add_row(name, f"{one.items:,}", str(len(one.parts)), f"{size:,}")
    out.print(table)
    seconds = (manifest.ended - manifest.began).total_seconds()
    say(f"backup {manifest.backup_id} is {word}: {manifest.items:,} items, read in {seconds:.1f} s")


def _print_set(done: "RestoredSet", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(done.plain()))
        return
    table = Table("table", "items", "as of", "moved", "absent", "blanked", title=plain(done.name))
    for name, one in done.tables.items():
        counts = (f"{number:,}" for number in (one.moved, one.absent, one.blanked))
        table.add_row(name, f"{one.items:,}", one.as_of.isoformat(), *counts)
    out.print(table)
    gone = sum(one.absent + one.blanked for one in done.tables.values())
    if gone:
        say(f"{count_of(gone, 'item is', 'items are')} without the personal values of somebody forgotten since")
    say(f"restored and verified: the tables {done.name}-…; names stand there in the clear: drop them after use")


def _print_sets(platform: Platform, *, as_json: bool) -> None:
    from prism_resources.backup.sets import restored_sets
    from prism_resources.lake import Lake

    found: list[RestoredSet] = restored_sets(Lake(platform.settings))
    if as_json:
        typer.echo(json.dumps([one.plain() for one in found], indent=2))
        return
    table = Table("set", "as of", "from backup", "tables", "items", "counts")
    for one in found:
        items = sum(restored.items for restored in one.tables.values())
        counts = "yes" if one.finished else "no: it was not finished; repeat the command"
        cells = (one.at.isoformat(), one.backup_id, str(len(one.tables)), f"{items:,}", counts)
        table.add_row(one.name, *cells)
    out.print(table)
