"""Backups that break, and runs that are killed. Why real: only a real kill leaves what a kill leaves.

A soak kills more often: SOAK_KILLS=50.
"""

import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.backups import BACKED_UP, BackupManifest, chosen_tables, manifest_key, set_name
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.settings import Settings
from prism_core.tables import MEMBERS, PROJECTS, TABLES
from prism_resources.aws import client
from prism_resources.backup.catalog import base_among, listed, newest_among, read_manifest, verify
from prism_resources.backup.restoring import Restore, source_of
from prism_resources.backup.sets import creation, read_record, write_record
from prism_resources.backup.taking import take_backup
from tests.integration.backup_world import HOUR, MONDAY, RETENTION_DAYS, WEDNESDAY, World, member, project
from tests.integration.fresh import platform_of_this_file
from tests.integration.proxies import Proxy
from tests.integration.warm import Script

platform = platform_of_this_file()

KILLS = int(os.environ.get("SOAK_KILLS", "5"))
PROJECTS_MADE = 60
# Of the lines that a restore says of its tables, about sixty, so many at most until each kill: together, the
# kills fall between the first table and the last. A table takes three or more.
LINES_A_KILL = max(6, 120 // KILLS)
# Small parts: a kill falls between some of them.
CHILD = """
import sys
from datetime import datetime
from prism_core.backups import chosen_tables
from prism_core.settings import load_settings
from prism_resources.aws import client
from prism_resources.backup.catalog import listed
from prism_resources.backup.restoring import Restore, source_of
from prism_resources.backup.taking import take_backup
from prism_resources.lake import Lake

deed, now, at = sys.argv[1], *map(datetime.fromisoformat, sys.argv[2:])
settings = load_settings()
dynamodb, lake = client(settings, "dynamodb"), Lake(settings)

def told(*words):
    print(*words, flush=True)

told("ready")
if deed == "backup":
    take_backup(dynamodb, settings, lake, clock=lambda: at, part_bytes=2_000, progress=told)
else:
    source = source_of(listed(lake, now=now, retention_days=35), at, now=now)
    Restore(dynamodb, settings, lake, clock=lambda: now, progress=told).run(source, at, chosen_tables(()))
told("done")
"""


@pytest.fixture
def world(platform: Platform) -> World:
    world = World(platform)
    world.put(MEMBERS, member("M-1", "Ana"), MONDAY)
    for number in range(PROJECTS_MADE):
        world.put(PROJECTS, project(f"P-{number}", "8"), MONDAY)
    world.publish(MONDAY, "M-1")
    return world


class Child:
    """A backup or a restore in a process of its own, to be killed."""

    def __init__(self, world: World, deed: str, at: Any) -> None:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PRISM_")}
        settings = world.settings
        variables |= {
            "PRISM_HOME": str(settings.home),
            "PRISM_NAME_PREFIX": settings.name_prefix,
            "PRISM_AWS_ENDPOINT_URL": str(settings.aws_endpoint_url),
        }
        self.process = Script(CHILD, deed, WEDNESDAY.isoformat(), at.isoformat(), environment=variables)

    def kill_after(self, lines: int, seconds: float) -> bool:
        """Whether it died before its end. What a restore reads first, in many lines, counts as none."""
        said = ""
        while lines > 0 and "done" not in said and (said := self.process.stdout.readline()):
            lines -= not said.startswith("reading")
        time.sleep(seconds)
        self.process.kill()
        return "done" not in said + self.process.communicate()

    def finish(self) -> None:
        said = self.process.communicate()
        assert self.process.wait() == 0, said


@pytest.mark.slow
def test_a_backup_that_is_killed_does_not_count_and_the_next_one_is_whole(world: World) -> None:
    chance, died = random.Random(6), 0
    before = world.all_items()

    for _ in range(KILLS):
        died += Child(world, "backup", MONDAY + HOUR).kill_after(chance.randint(1, 20), chance.uniform(0, 0.02))
    left = listed(world.lake, now=WEDNESDAY, retention_days=RETENTION_DAYS)
    Child(world, "backup", MONDAY + 2 * HOUR).finish()

    newest = max(world.backups(), key=lambda one: one.ended)
    whole = [one.manifest for one in left if one.manifest is not None]  # killed behind the manifest, or at its end
    assert [verify(world.lake, one) for one in whole] == [newest.items] * len(whole)
    assert {one.problem for one in left if one.manifest is None} == {"it is running, or was killed before its end"}
    assert len(newest.tables["projects"].parts) > 1
    assert verify(world.lake, newest) == newest.items
    assert world.all_restored(world.restore(MONDAY + 3 * HOUR)) == before
    sys.stdout.write(f"{died} of {KILLS} backups were killed, {len(whole)} of them were whole already\n")


@pytest.mark.slow
def test_a_restore_that_is_killed_goes_on_and_never_touches_the_real_tables(world: World) -> None:
    world.backup(MONDAY + HOUR, part_bytes=2_000)
    before = world.all_items()
    at, chance, died = MONDAY + 2 * HOUR, random.Random(7), 0
    name = set_name(world.settings.name_prefix, at)
    noted: list[int] = []

    for _ in range(KILLS):
        died += Child(world, "restore", at).kill_after(chance.randint(0, LINES_A_KILL), chance.uniform(0, 0.05))
        record = read_record(world.lake, name)
        noted.append(0 if record is None else len(record.tables))
        assert record is None or record.finished is None or len(record.tables) == len(BACKED_UP)
    Child(world, "restore", at).finish()

    done = read_record(world.lake, name)
    assert done is not None
    assert done.finished is not None
    assert noted == sorted(noted)
    assert world.all_restored(done) == before == world.all_items()
    sys.stdout.write(f"{died} of {KILLS} restores were killed; tables done after each: {noted}\n")


@pytest.mark.parametrize("noted", [("members", "projects"), ("members",)])
def test_a_restore_that_was_killed_behind_its_last_table_is_finished_by_repeating_it(
    world: World, noted: tuple[str, ...]
) -> None:
    """The record holds every table that was asked for, and does not count yet."""
    world.backup(MONDAY + HOUR)
    at = MONDAY + 2 * HOUR
    done = world.restore(at, *noted)
    write_record(world.lake, done.model_copy(update={"finished": None}))

    again = world.restore(at, "members")

    assert again.finished is not None
    assert again.tables == done.tables
    assert read_record(world.lake, done.name) == again


def spoil(world: World, key: str, change: Callable[[bytes], bytes]) -> None:
    body = world.lake.get(key)
    assert body is not None
    world.lake.put(key, change(body), content_type="application/octet-stream")


def resealed(body: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(body), **fields}).encode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda body: body[: len(body) // 2], "it is cut off or no JSON"),
        (lambda _: b"", "it is cut off or no JSON"),
        (lambda _: b"[]", "it is no JSON object"),
        (lambda body: body.replace(b'"items": 60', b'"items": 61'), "it does not have the hash that it names"),
        (lambda body: resealed(body, format=2), "has the format 2; this version of PRISM reads 1 only"),
    ],
)
def test_a_damaged_manifest_is_said_and_another_backup_can_be_named(
    world: World, change: Callable[[bytes], bytes], says: str
) -> None:
    older = world.backup(MONDAY + HOUR)
    made = world.backup(MONDAY + 2 * HOUR)
    spoil(world, manifest_key(made.backup_id), change)

    with pytest.raises(PermanentFailure, match=says) as refused:
        world.restore(MONDAY + 3 * HOUR, "members")
    done = world.restore(MONDAY + 3 * HOUR, "members", backups=[read_manifest(world.lake, older.backup_id)])

    assert made.backup_id in str(refused.value)
    assert world.names(done) == {"M-1": "Ana"}


def test_a_damaged_backup_stops_only_what_would_have_started_from_it(world: World) -> None:
    spoil(world, manifest_key(world.backup(MONDAY + HOUR).backup_id), lambda _: b"")
    older = world.backup(MONDAY + 2 * HOUR)
    world.put(MEMBERS, member("M-1", "Anna"), MONDAY + 3 * HOUR, version=1)
    broken = world.backup(MONDAY + 4 * HOUR)
    spoil(world, manifest_key(broken.backup_id), lambda _: b"")
    world.lake.put("backups/notes/manifest.json", b"{}", content_type="application/json")

    before = world.restore(MONDAY + 2.5 * HOUR, "members")
    with pytest.raises(PermanentFailure, match=f"backup {broken.backup_id} cannot be used"):
        world.restore(MONDAY + 5 * HOUR, "members")
    with pytest.raises(PermanentFailure, match=f"backup {broken.backup_id} cannot be used"):
        world.restore(MONDAY + 2.5 * HOUR, "members", live_log=False)
    made = world.backup(MONDAY + 6 * HOUR)
    after = world.restore(MONDAY + 7 * HOUR, "members")

    assert (before.backup_id, world.names(before)) == (older.backup_id, {"M-1": "Ana"})
    assert (after.backup_id, world.names(after)) == (made.backup_id, {"M-1": "Anna"})
    assert newest_among(world.listed()) == made


def flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


@pytest.mark.parametrize(
    ("change", "says"),
    [(lambda body: body[:-1], "bytes instead of"), (flipped, "not the one that was written")],
)
def test_a_damaged_part_is_said_and_nothing_of_its_table_counts(
    world: World, change: Callable[[bytes], bytes], says: str
) -> None:
    made = world.backup(MONDAY + HOUR, part_bytes=2_000)
    broken = made.tables["projects"].parts[1].key
    spoil(world, broken, change)

    with pytest.raises(PermanentFailure, match=says):
        verify(world.lake, made)
    with pytest.raises(PermanentFailure, match=says) as refused:
        world.restore(MONDAY + 2 * HOUR, "members", "projects")

    record = read_record(world.lake, set_name(world.settings.name_prefix, MONDAY + 2 * HOUR))
    assert broken in str(refused.value)
    assert record is not None
    assert (record.finished, set(record.tables)) == (None, {"members"})


def test_a_missing_part_is_said_in_the_list_and_by_a_restore(world: World) -> None:
    made = world.backup(MONDAY + HOUR)
    gone = made.tables["members"].parts[0].key
    world.lake.delete(gone)

    (one,) = listed(world.lake, now=WEDNESDAY, retention_days=RETENTION_DAYS)

    assert (one.damaged, one.problem) == (True, f"1 of its parts are missing, such as {gone}")
    with pytest.raises(PermanentFailure, match="1 of its parts are missing"):
        base_among([one], MONDAY + 2 * HOUR)
    with pytest.raises(PermanentFailure, match="it is missing: it has expired, or somebody deleted it"):
        world.restore(MONDAY + 2 * HOUR, "members", backups=[made])


def test_a_backup_that_expires_does_not_count(world: World) -> None:
    world.backup(MONDAY)
    old = MONDAY + 24 * HOUR * RETENTION_DAYS

    (one,) = listed(world.lake, now=old, retention_days=RETENTION_DAYS)

    assert (one.manifest, one.damaged) == (None, False)
    assert one.problem == "it is older than 35 days: its parts expire"


def test_a_table_that_the_backup_does_not_know_is_said_before_anything_is_made(world: World) -> None:
    made = world.backup(MONDAY + HOUR)
    older = made.model_copy(update={"tables": {n: one for n, one in made.tables.items() if n != "bugs"}})

    with pytest.raises(PermanentFailure, match="holds no table bugs: it is older than the table"):
        world.restore(MONDAY + 2 * HOUR, backups=[older])

    assert read_record(world.lake, set_name(world.settings.name_prefix, MONDAY + 2 * HOUR)) is None


def test_a_table_that_was_never_deployed_ends_the_backup_with_its_name(world: World) -> None:
    """An installation that is older than the table; a backup without it would look whole."""
    dynamodb, name = client(world.settings, "dynamodb"), world.settings.table_name("saved_views")
    dynamodb.delete_table(TableName=name)
    try:
        with pytest.raises(PermanentFailure, match=r"-saved_views: ResourceNotFound.*deploy the stacks"):
            world.backup(MONDAY + HOUR)
    finally:
        dynamodb.create_table(**creation(TABLES["saved_views"], name))

    (left,) = listed(world.lake, now=WEDNESDAY, retention_days=RETENTION_DAYS)
    assert left.problem == "it is running, or was killed before its end"


def test_a_set_is_not_made_of_two_backups(world: World) -> None:
    first = world.backup(MONDAY + HOUR)
    world.restore(MONDAY + 3 * HOUR, "members")
    second = world.backup(MONDAY + 2 * HOUR)

    with pytest.raises(BadUsage, match=f"was begun from backup {first.backup_id}.*{second.backup_id}"):
        world.restore(MONDAY + 3 * HOUR, "projects")


@pytest.mark.parametrize(("live_log", "says"), [(True, "command without"), (False, "command with")])
def test_a_set_is_not_made_of_changes_from_two_logs(world: World, *, live_log: bool, says: str) -> None:
    world.backup(MONDAY + 4 * HOUR)
    done = world.restore(MONDAY + 3 * HOUR, "members", live_log=live_log)

    with pytest.raises(BadUsage, match=f"repeat the {says} --without-live-log, or drop the set"):
        world.restore(MONDAY + 3 * HOUR, "projects", live_log=not live_log)
    whole = world.restore(MONDAY + 3 * HOUR, "projects", live_log=live_log)

    assert read_record(world.lake, done.name) == whole
    assert (set(whole.tables), whole.changes_from) == ({"members", "projects"}, done.changes_from)


def test_a_change_that_is_missing_from_the_log_is_a_gap_not_another_state(world: World) -> None:
    world.backup(MONDAY + HOUR)
    world.put(MEMBERS, member("M-1", "Anna"), MONDAY + 2 * HOUR, version=1)
    world.put(MEMBERS, member("M-1", "Anna", team="red"), MONDAY + 3 * HOUR, version=2)
    log = world.items(TABLES["changelog"])
    lost = next(one for one in log.values() if "name" in one["changes"]["M"] and one["version"]["N"] == "2")
    key = {name: lost[name] for name in ("table_week_shard", "instant_ulid")}
    world.dynamodb.delete_item(TableName=world.settings.table_name("changelog"), Key=key)

    with pytest.raises(PermanentFailure, match="members/M-1 has a gap at version 3"):
        world.restore(MONDAY + 4 * HOUR, "members")


def test_somebody_else_who_writes_to_the_new_table_is_noticed(world: World) -> None:
    world.backup(MONDAY + HOUR)
    at = MONDAY + 2 * HOUR
    source = source_of(world.listed(), at, now=WEDNESDAY)
    name = set_name(world.settings.name_prefix, at)

    def write_beside(what: str, done: int, total: int) -> None:
        if what == "projects" and not done:
            item = {"project_id": {"S": "P-9999"}}
            world.dynamodb.put_item(TableName=f"{name}-projects", Item=item)

    restore = Restore(world.dynamodb, world.settings, world.lake, clock=lambda: WEDNESDAY, progress=write_beside)

    with pytest.raises(PermanentFailure, match="is not what was restored: 61 items of 60"):
        restore.run(source, at, chosen_tables(["projects"]))
    assert world.all_restored(world.restore(at, "projects")) == {"projects": world.items(PROJECTS)}


def test_a_throttled_table_is_read_and_written_whole(world: World) -> None:
    """Every third call is refused, and of every batch one item is left."""
    refused = {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": ""}

    def interfere(proxy: Proxy, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if proxy.calls % 3 == 0 and operation in {"Scan", "Query", "BatchWriteItem"}:
            return 400, refused
        if operation == "BatchWriteItem":
            ((table, requests),) = body["RequestItems"].items()
            status, answer = proxy.forward(operation, {"RequestItems": {table: requests[:-1] or requests}})
            left = {table: requests[-1:]} if len(requests) > 1 else {}
            return status, answer | {"UnprocessedItems": left}
        return None

    before = world.all_items()
    with Proxy(str(world.settings.aws_endpoint_url)) as proxy:
        proxy.interfere = interfere
        throttled = Settings.model_validate(world.settings.model_dump() | {"aws_endpoint_url": proxy.url})
        dynamodb = client(throttled, "dynamodb")
        made: BackupManifest = take_backup(dynamodb, throttled, world.lake, clock=lambda: MONDAY + HOUR)
        restore = Restore(dynamodb, throttled, world.lake, clock=lambda: WEDNESDAY)
        source = source_of(world.listed([made]), MONDAY + 2 * HOUR, now=WEDNESDAY)
        done = restore.run(source, MONDAY + 2 * HOUR, chosen_tables(()))

    assert world.all_restored(done) == before
