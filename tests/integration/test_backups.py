"""Backups and what is restored from them. Why real: it is the services that keep, order and answer the items."""

import random
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from infra.local.platform import Platform
from prism_core.backups import BACKED_UP, set_name
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.models.projects import Request
from prism_core.privacy import PERSON_KEYS, is_sealed
from prism_core.tables import AVAILABILITY, CHANGELOG, MEMBERS, PROJECTS, REQUESTS, TABLES, THROUGHPUT, TableSpec
from prism_resources import forgetting
from prism_resources.backup.catalog import verify
from prism_resources.backup.keys import put_back
from prism_resources.backup.parts import items_of
from prism_resources.backup.restoring import source_of
from prism_resources.backup.sets import creation, drop_set, read_record, restored_sets
from prism_resources.forgetting import forget_member
from prism_resources.privacy import PersonKeys
from prism_resources.tables.codec import decode_value
from tests.integration.backup_world import HOUR, MONDAY, WEDNESDAY, Items, World, member, project, time_off
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file()

RANDOM_STEPS = 60


@pytest.fixture
def world(platform: Platform) -> World:
    return World(platform)


def filled(world: World) -> None:
    world.put(MEMBERS, member("M-1", "Ana", hours={"mon": "7.50"}), MONDAY)
    world.put(MEMBERS, member("M-2", "Bea"), MONDAY)
    world.put(PROJECTS, project("P-1", "40.50"), MONDAY)
    world.put(AVAILABILITY, time_off("M-1", "arthroscopy"), MONDAY)
    world.publish(MONDAY, "M-1", "M-2")


def test_every_table_comes_back_as_it_was_with_its_history(world: World) -> None:
    filled(world)
    before = world.all_items()
    made = world.backup(MONDAY + HOUR)

    done = world.restore(MONDAY + 2 * HOUR)

    assert set(made.tables) == set(BACKED_UP)
    assert verify(world.lake, made) == made.items == sum(map(len, before.values()))
    assert world.all_restored(done) == before
    assert done.finished is not None
    assert {name: one.items for name, one in done.tables.items()} == {n: len(one) for n, one in before.items()}


def test_the_state_between_two_backups_is_the_backup_before_it_and_the_changes_since(world: World) -> None:
    filled(world)
    world.backup(MONDAY + HOUR)
    world.put(MEMBERS, member("M-1", "Anna"), MONDAY + 2 * HOUR, version=1)
    world.delete(MEMBERS, member("M-2", "Bea"), MONDAY + 2 * HOUR)
    world.put(MEMBERS, member("M-3", "Cid"), MONDAY + 2 * HOUR)
    then = world.all_items()
    world.put(MEMBERS, member("M-3", "Sid"), MONDAY + 4 * HOUR, version=1)
    world.publish(MONDAY + 4 * HOUR, "M-1", tasks=9)
    later = world.backup(MONDAY + 5 * HOUR)

    done = world.restore(MONDAY + 3 * HOUR)

    assert done.backup_id != later.backup_id
    assert world.all_restored(done) == then | {"throughput": world.all_restored(done)["throughput"]}
    assert done.tables["members"].moved == 3
    assert (done.tables["members"].as_of, done.tables["throughput"].as_of) == (
        MONDAY + 3 * HOUR,
        MONDAY + HOUR,
    )


def test_an_instant_before_every_backup_is_reached_backwards(world: World) -> None:
    filled(world)
    then = world.all_items()
    world.put(MEMBERS, member("M-1", "Anna"), MONDAY + 2 * HOUR, version=1)
    world.delete(PROJECTS, project("P-1", "40.50"), MONDAY + 2 * HOUR)
    world.put(MEMBERS, member("M-3", "Cid"), MONDAY + 2 * HOUR)
    world.backup(MONDAY + 3 * HOUR)

    done = world.restore(MONDAY + HOUR)
    nothing = world.restore(MONDAY - HOUR, "members", "projects", "changelog")

    assert without_last_write(world.all_restored(done)) == without_last_write(then)
    assert {name: one.items for name, one in nothing.tables.items()} == dict.fromkeys(nothing.tables, 0)


def without_last_write(tables: dict[str, Items]) -> dict[str, list[dict[str, Any]]]:
    """Who wrote a row last is not in the log of an item that the changes since have not touched before."""
    return {
        name: [{a: value for a, value in item.items() if a != "last_write"} for _, item in sorted(items.items())]
        for name, items in tables.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_was_written_while_tables_were_read_every_instant_comes_back(world: World, seed: int) -> None:
    play = Play(world, random.Random(seed))
    for step in range(RANDOM_STEPS):
        play.write()
        if step % 20 == 10:
            world.backup(play.at, progress=lambda *_: play.maybe_write())  # the tables change while they are read
    instants = sorted(play.recorded)
    chosen = [instants[0], *play.random.sample(instants[1:-1], 4), instants[-1]]

    found = {at: world.restore(at, *play.specs) for at in chosen}

    for at, done in found.items():
        assert without_last_write(world.all_restored(done)) == without_last_write(play.recorded[at]), at


class Play:
    """Random writes, and what stood in the tables after each."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world, self.random, self.at = world, chance, MONDAY
        self.specs = (MEMBERS.name, PROJECTS.name, AVAILABILITY.name, CHANGELOG.name)
        self.recorded: dict[datetime, dict[str, Items]] = {}
        self._there: dict[tuple[str, str], Any] = {}

    def maybe_write(self) -> None:
        if self.random.random() < 0.1:
            self.write()

    def write(self) -> None:
        # Also within the minute by which clocks may differ, so that a change may lie on either side of a backup.
        self.at += timedelta(seconds=self.random.choice([1, 20, 600]))
        name, number = self.random.choice("abc"), self.random.randint(1, 4)
        spec, item = self.random.choice(
            [
                (MEMBERS, member(f"M-{number}", name, team=self.random.choice(["red", None]))),
                (PROJECTS, project(f"P-{number}", str(self.random.randint(1, 9)))),
                (AVAILABILITY, time_off(f"M-{number}", self.random.choice(["", "ill", "zoo"]))),
            ]
        )
        key = (spec.name, f"{number}")
        stored = self._there.get(key)
        if stored is not None and self.random.random() < 0.3:
            self.world.delete(spec, stored, self.at)
            del self._there[key]
        else:
            self._there[key] = self.world.put(spec, item, self.at, version=stored.version if stored else 0)
        self.recorded[self.at] = {name: self.world.items(TABLES[name]) for name in self.specs}


def test_personal_values_stand_in_a_backup_sealed_and_in_no_other_way(world: World) -> None:
    filled(world)
    made = world.backup(MONDAY + HOUR)

    people = list(items_of(world.lake, made, "members"))
    kept = b"".join(
        msgspec.json.encode(item) for table in made.tables for item in items_of(world.lake, made, table)
    )

    assert sorted(item["member_id"]["S"] for item in people) == ["M-1", "M-2"]
    assert all(is_sealed(decode_value(item["name"])) and is_sealed(decode_value(item["email"])) for item in people)
    assert [word for word in (b"Ana", b"Bea", b"example.org", b"arthroscopy") if word in kept] == []
    assert b"M-1" in kept
    assert PERSON_KEYS.name not in made.tables


def forget(world: World, member_id: str) -> None:
    forget_member(
        world.dynamodb, world.settings, member_id,
        actor="lead-1", reason="asked", request_id="forget", now=MONDAY + 2 * HOUR,
    )  # fmt: skip


def test_who_was_forgotten_since_stays_forgotten_and_what_they_did_is_there(world: World) -> None:
    filled(world)
    world.put(AVAILABILITY, time_off("M-2", "moving house"), MONDAY)
    world.backup(MONDAY + HOUR)
    forget(world, "M-1")

    done = world.restore(MONDAY + HOUR)
    back = world.restore(MONDAY + timedelta(minutes=1), "members", "availability")  # against the changes

    for one in (done, back):
        reasons = {
            item["member_id"]["S"]: item["reason"]["S"] for item in world.restored(one, AVAILABILITY).values()
        }
        assert world.names(one) == {"M-2": "Bea"}
        assert reasons == {"M-1": "", "M-2": "moving house"}
        assert (one.tables["members"].absent, one.tables["availability"].blanked) == (1, 1)
    assert len(world.restored(done, THROUGHPUT)) == 3  # two rows and the control item


def test_a_request_whose_requester_was_forgotten_since_comes_back_without_them(world: World) -> None:
    asked = {
        "request_id": "R-1", "due_date": "2026-02-02", "hours": "8", "requester": "Dora", "reason": "launch",
        "created": MONDAY.isoformat(),
    }  # fmt: skip
    filled(world)
    world.put(REQUESTS, Request.model_validate(asked), MONDAY)
    world.backup(MONDAY + HOUR)
    by: dict[str, Any] = {"actor": "lead-1", "reason": "asked", "request_id": "f", "now": MONDAY + 2 * HOUR}
    forgetting.forget(world.dynamodb, world.settings, forgetting.requester("R-1"), **by)
    again = world.backup(MONDAY + 3 * HOUR)

    before, after = world.restore(MONDAY + HOUR, "requests"), world.restore(MONDAY + 4 * HOUR, "requests")

    for done in (before, after):
        assert [one["requester"]["S"] for one in world.restored(done, REQUESTS).values()] == ["(forgotten)"]
    assert (before.tables["requests"].blanked, after.tables["requests"].blanked) == (1, 0)
    assert PersonKeys(world.dynamodb, world.settings).find("request_id=R-1") is None
    assert b"sealed" not in b"".join(map(msgspec.json.encode, items_of(world.lake, again, "requests")))


def test_a_backup_makes_no_key_for_somebody_who_is_forgotten(world: World) -> None:
    filled(world)
    stale = PersonKeys(world.dynamodb, world.settings)

    def forget_meanwhile(table: str, items: int) -> None:
        if table == "availability" and not items:
            forget(world, "M-1")

    made = world.backup(MONDAY + HOUR, keys=stale, progress=forget_meanwhile)
    again = world.backup(MONDAY + 3 * HOUR)

    assert PersonKeys(world.dynamodb, world.settings).find("M-1") is None
    assert made.tables["members"].items == 2
    assert again.tables["members"].items == 1


def test_without_any_key_nothing_is_taken_for_forgotten_until_keys_are_put_back_from_a_copy(world: World) -> None:
    filled(world)
    world.backup(MONDAY + HOUR)
    copy = f"{world.settings.name_prefix}-copy"
    world.dynamodb.create_table(**creation(PERSON_KEYS, copy))
    for row in world.items(PERSON_KEYS).values():
        world.dynamodb.put_item(TableName=copy, Item=row)
    for person in ("M-1", "M-2"):
        PersonKeys(world.dynamodb, world.settings).forget(person)

    with pytest.raises(PermanentFailure, match="person_keys is empty, so no personal value of the backup can be"):
        world.restore(MONDAY + 2 * HOUR, "members")
    PersonKeys(world.dynamodb, world.settings).obtain("M-2", MONDAY + HOUR)  # somebody wrote too early
    found, again = (put_back(world.dynamodb, world.settings, copy) for _ in range(2))

    assert (found.back, found.stood, found.other) == (["M-1"], [], ["M-2"])
    assert (again.back, again.stood, again.other) == ([], ["M-1"], ["M-2"])
    assert world.names(world.restore(MONDAY + 2 * HOUR, "members")) == {"M-1": "Ana"}
    with pytest.raises(BadUsage, match="is the table of keys itself"):
        put_back(world.dynamodb, world.settings, world.settings.table_name(PERSON_KEYS.name))


def test_a_week_that_is_replaced_while_it_is_read_is_whole_in_the_backup(world: World) -> None:
    filled(world)
    world.publish(MONDAY, "M-1", "M-2", "M-3", tasks=5)
    made = world.backup(MONDAY + HOUR)

    rows = [item for item in items_of(world.lake, made, THROUGHPUT.name) if "content_hash" not in item]

    assert {(row["member_id"]["S"], row["generation"]["N"]) for row in rows} == {
        ("M-1", "2"), ("M-2", "2"), ("M-3", "2"),
    }  # fmt: skip


def test_when_the_change_log_is_lost_the_newest_backup_gives_every_state_up_to_its_end(world: World) -> None:
    filled(world)
    world.put(MEMBERS, member("M-3", "Cid"), MONDAY + HOUR)
    world.backup(MONDAY + 2 * HOUR)
    world.put(MEMBERS, member("M-3", "Sid"), MONDAY + 3 * HOUR, version=1)
    world.backup(MONDAY + 4 * HOUR)
    world.dynamodb.delete_table(TableName=world.settings.table_name(CHANGELOG.name))

    with pytest.raises(PermanentFailure, match="changelog"):
        world.restore(MONDAY + 3 * HOUR, "members")
    drop_set(world.dynamodb, world.settings, world.lake, set_name(world.settings.name_prefix, MONDAY + 3 * HOUR))
    with pytest.raises(PermanentFailure, match="nothing is known after 2026-01-05T10:59:00"):
        world.restore(MONDAY + 4 * HOUR, live_log=False)

    first = world.restore(MONDAY + timedelta(minutes=90), live_log=False)
    second = world.restore(MONDAY + 3 * HOUR, live_log=False)

    assert (world.names(first)["M-3"], world.names(second)["M-3"]) == ("Cid", "Sid")
    assert len(world.restored(second, CHANGELOG)) == len(world.restored(first, CHANGELOG)) + 1
    assert second.changes_from == "backup"


def test_a_part_of_the_tables_may_be_named_and_the_rest_follows_into_the_same_set(world: World) -> None:
    filled(world)
    world.backup(MONDAY + HOUR)

    some = world.restore(MONDAY + 2 * HOUR, "members", "projects")
    more = world.restore(MONDAY + 2 * HOUR, "members", "availability")

    assert set(some.tables) == {"members", "projects"}
    assert set(more.tables) == {"members", "projects", "availability"}
    assert some.name == more.name == f"{world.settings.name_prefix}-restored-20260105t090000z"
    assert restored_sets(world.lake) == [more]


def test_a_set_is_dropped_with_its_record_and_nothing_else_can_be(world: World) -> None:
    filled(world)
    world.backup(MONDAY + HOUR)
    done = world.restore(MONDAY + 2 * HOUR, "members")

    with pytest.raises(BadUsage, match="no restored set; sets are"):
        drop_set(world.dynamodb, world.settings, world.lake, world.settings.name_prefix)
    dropped = drop_set(world.dynamodb, world.settings, world.lake, done.name)

    assert (dropped, read_record(world.lake, done.name)) == (1, None)
    assert [one for one in world.dynamodb.list_tables()["TableNames"] if one.startswith(done.name)] == []
    assert len(world.items(MEMBERS)) == 2


def test_the_future_and_a_restore_without_a_backup_are_refused(world: World) -> None:
    with pytest.raises(PermanentFailure, match="there is no backup to restore from"):
        world.restore(MONDAY)
    made = world.backup(MONDAY)

    with pytest.raises(BadUsage, match="lies in the future"):
        source_of(world.listed([made]), WEDNESDAY + HOUR, now=WEDNESDAY)


def test_indexes_of_a_restored_table_answer_as_those_of_the_real_one(world: World) -> None:
    filled(world)
    world.backup(MONDAY + HOUR)
    done = world.restore(MONDAY + 2 * HOUR)

    for spec in BACKED_UP.values():
        assert _described(world, f"{done.name}-{spec.name}", spec) == _described(
            world, world.settings.table_name(spec.name), spec
        )


def _described(world: World, table: str, spec: TableSpec) -> tuple[Any, ...]:
    found: Any = world.dynamodb.describe_table(TableName=table)["Table"]
    indexes = sorted(
        (one["IndexName"], str(one["KeySchema"]), one["Projection"]["ProjectionType"])
        for one in found.get("GlobalSecondaryIndexes", [])
    )
    assert len(indexes) == len(spec.indexes)
    return str(found["KeySchema"]), indexes, found["BillingModeSummary"]["BillingMode"]
