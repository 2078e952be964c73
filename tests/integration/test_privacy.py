"""Personal values outside their tables: sealed, and lost with their person's key.

Why real: what must not be found is searched in the raw bytes that the services keep, and keys are made, unwrapped
and deleted by the services' own rules.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.models.changes import Change
from prism_core.models.people import Availability, Member, MemberStatus
from prism_core.privacy import PERSON_KEYS, PersonKey, is_forgotten, is_sealed
from prism_core.settings import Settings
from prism_core.tables import AVAILABILITY, CHANGELOG, MEMBERS
from prism_resources.aws import client
from prism_resources.forgetting import forget_member
from prism_resources.privacy import PersonKeys
from prism_resources.tables.history import TableHistory
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore
from tests.integration.emulators import OwnEmulator
from tests.integration.fresh import worker_port
from tests.integration.proxies import Proxy

NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)
NAME, EMAIL, REASON = "Zoë Quetzalcóatl", "zoe.quetzal@example.org", "arthroscopy in Zaragoza"


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def by(request_id: str = "", reason: str = "test") -> dict[str, Any]:
    return {"actor": "lead-1", "reason": reason, "request_id": request_id or unique("r"), "now": NOW}


def zoe(member_id: str, **fields: Any) -> Member:
    return Member.model_validate(
        {"member_id": member_id, "name": NAME, "email": EMAIL, "time_zone": "Europe/Madrid"} | fields
    )


def time_off(member_id: str, day: str = "2026-01-05") -> Availability:
    return Availability.model_validate(
        {"member_id": member_id, "date": day, "hours_off": "8", "reason": REASON, "code": "sick"}
    )


@pytest.fixture(scope="module")
def settings(platform: Platform) -> Settings:
    return platform.settings


@pytest.fixture(scope="module")
def members(settings: Settings) -> TableStore[Member]:
    return TableStore(client(settings, "dynamodb"), settings, MEMBERS, Member)


@pytest.fixture(scope="module")
def absences(settings: Settings) -> TableStore[Availability]:
    return TableStore(client(settings, "dynamodb"), settings, AVAILABILITY, Availability)


@pytest.fixture(scope="module")
def log(settings: Settings) -> TableReader[Change]:
    return TableReader(client(settings, "dynamodb"), settings, CHANGELOG, Change)


@pytest.fixture
def keys(settings: Settings) -> PersonKeys:
    return PersonKeys(client(settings, "dynamodb"), settings)


@pytest.fixture
def history(settings: Settings) -> TableHistory:
    return TableHistory(client(settings, "dynamodb"), settings)


@pytest.fixture
def proxy(settings: Settings) -> Iterator[Proxy]:
    with Proxy(str(settings.aws_endpoint_url)) as proxy:
        yield proxy


def through(proxy: Proxy, settings: Settings) -> Settings:
    return Settings.model_validate(settings.model_dump() | {"aws_endpoint_url": proxy.url})


def forms(text: str) -> set[bytes]:
    """Ways in which a text may hide in a file."""
    plain = {text, text.lower(), text.upper(), text.replace(" ", ""), *text.split()}
    found: set[bytes] = set()
    for one in plain:
        found |= {one.encode(), one.encode("utf-16-le"), one.encode("utf-16-be"), json.dumps(one)[1:-1].encode()}
        found |= {one.encode().hex().encode()}
        for shift in range(3):  # base64 of a text in the middle of another, its first and last letters left out
            coded = base64.b64encode(b"x" * shift + one.encode())
            found.add(coded[4:-4] if len(coded) > 20 else coded)
    return {form for form in found if len(form) >= 8}  # a shorter one may stand in a cipher by chance


def raw_log(settings: Settings) -> bytes:
    """Every attribute of every item of the change log, as the service answers it."""
    pages = client(settings, "dynamodb").get_paginator("scan").paginate(TableName=settings.table_name("changelog"))
    items = [item for page in pages for item in page["Items"]]
    return json.dumps(items, ensure_ascii=False).encode() + json.dumps(items).encode()


def test_no_personal_value_is_found_in_the_change_log_or_the_lake_in_any_form(
    platform: Platform, settings: Settings, members: TableStore[Member], absences: TableStore[Availability]
) -> None:
    member_id = unique("M")
    first = members.create(zoe(member_id), **by())
    second = members.update(
        first.model_copy(update={"name": NAME.upper(), "cognito_sub": "sub"}), expected_version=1, **by()
    )
    absence = absences.create(time_off(member_id), **by())
    absences.update(absence.model_copy(update={"reason": REASON.upper()}), expected_version=1, **by())
    members.delete(second, expected_version=2, **by())
    platform.flush()

    files = [path for path in settings.local_lake_path.rglob("*") if path.is_file()]
    kept = raw_log(settings) + b"".join(path.read_bytes() for path in files)

    assert member_id.encode() in kept
    assert [form for text in (NAME, EMAIL, REASON) for form in forms(text) if form in kept] == []


def test_the_search_would_find_what_it_looks_for() -> None:
    hidden = [NAME.encode(), base64.b64encode(f"..{EMAIL}..".encode()), json.dumps(NAME).encode(), REASON.encode()]

    assert all(any(form in one for text in (NAME, EMAIL, REASON) for form in forms(text)) for one in hidden)


def test_a_reader_with_the_key_sees_the_changes_of_a_member(
    members: TableStore[Member], log: TableReader[Change], history: TableHistory
) -> None:
    first = members.create(zoe(unique("M")), **by())
    members.update(first.model_copy(update={"name": "Zoë"}), expected_version=1, **by())
    item_key = f"members/{first.member_id}"

    (stored, _) = log.query("by_item", item_key=item_key, backwards=True)
    (read, _) = history.of_item(MEMBERS, item_key)

    assert is_sealed(stored.changes["name"]["before"])
    assert read.changes == {"name": {"before": NAME, "after": "Zoë"}}


def test_a_store_that_would_write_in_the_clear_writes_nothing(settings: Settings) -> None:
    class Careless(PersonKeys):
        def seal(self, spec: Any, key: Any, changes: Any, **_: Any) -> Any:
            return changes

    careless = Careless(client(settings, "dynamodb"), settings)
    store = TableStore(client(settings, "dynamodb"), settings, MEMBERS, Member, keys=careless)
    member = zoe(unique("M"))

    with pytest.raises(PermanentFailure, match="email, name would stand in the change log in the clear"):
        store.create(member, **by())

    assert store.get(member_id=member.member_id) is None


def test_a_write_is_refused_while_keys_cannot_be_had(settings: Settings) -> None:
    dead = Settings.model_validate(settings.model_dump() | {"aws_endpoint_url": "http://127.0.0.1:9"})
    keys = PersonKeys(client(settings, "dynamodb"), settings, kms=client(dead, "kms"))
    store = TableStore(client(settings, "dynamodb"), settings, MEMBERS, Member, keys=keys)
    member = zoe(unique("M"))

    with pytest.raises(TransientFailure, match="make a data key"):
        store.create(member, **by())

    assert store.get(member_id=member.member_id) is None


# -- keys -----------------------------------------------------------------------------------------------


def test_sixteen_writers_who_meet_a_person_at_once_end_with_one_key(settings: Settings) -> None:
    for _ in range(5):
        person, gate = unique("M"), threading.Barrier(16)

        def obtain(_: int, person: str = person, gate: threading.Barrier = gate) -> str:
            keys = PersonKeys(client(settings, "dynamodb"), settings)
            gate.wait()
            return keys.obtain(person, NOW).key_id

        with ThreadPoolExecutor(16) as pool:
            found = set(pool.map(obtain, range(16)))

        row = TableReader(client(settings, "dynamodb"), settings, PERSON_KEYS, PersonKey).get(person=person)
        assert row is not None
        assert found == {row.key_id}


def test_keys_in_memory_are_bounded_and_die_after_a_minute(settings: Settings) -> None:
    clock = [0.0]
    keys = PersonKeys(client(settings, "dynamodb"), settings, capacity=3, clock=lambda: clock[0])
    people = [unique("M") for _ in range(5)]
    for person in people:
        keys.obtain(person, NOW)

    assert list(keys._cached) == people[2:]
    other = PersonKeys(client(settings, "dynamodb"), settings)
    other.forget(people[4])
    assert keys.find(people[4]) is not None
    clock[0] = 60.1
    assert keys.find(people[4]) is None


def test_a_wrapped_key_opens_for_its_own_person_alone(settings: Settings, keys: PersonKeys) -> None:
    dynamodb = client(settings, "dynamodb")
    ana, bea = unique("M"), unique("M")
    keys.obtain(ana, NOW)
    table = settings.table_name("person_keys")
    row = dynamodb.get_item(TableName=table, Key={"person": {"S": ana}}).get("Item", {})
    dynamodb.put_item(TableName=table, Item=row | {"person": {"S": bea}})

    with pytest.raises(PermanentFailure, match=f"unwrap the data key of {bea}.*InvalidCiphertext"):
        keys.find(bea)


def test_the_key_that_wraps_is_rotated_every_year(settings: Settings) -> None:
    kms = client(settings, "kms")
    key_id = kms.describe_key(KeyId=f"alias/{settings.name_prefix}-personal-data")["KeyMetadata"]["KeyId"]

    assert kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"] is True


def test_wrapped_keys_open_after_a_kill_of_the_embedded_aws(tmp_path: Path) -> None:
    own = OwnEmulator(tmp_path, worker_port(4)).start()
    try:
        key_id = own.client("kms").create_key()["KeyMetadata"]["KeyId"]
        made = own.client("kms").generate_data_key(KeyId=key_id, KeySpec="AES_256")
        own.flush()
        own.kill()

        opened = own.start().client("kms").decrypt(KeyId=key_id, CiphertextBlob=made["CiphertextBlob"])
    finally:
        own.end()

    assert opened["Plaintext"] == made["Plaintext"]


_CREATE = """
import sys
from datetime import UTC, datetime
from prism_core.models.people import Member
from prism_core.settings import Settings
from prism_core.tables import MEMBERS
from prism_resources.aws import client
from prism_resources.tables.store import TableStore
settings = Settings.model_validate_json(sys.argv[1])
member = Member.model_validate_json(sys.argv[2], strict=False)
store = TableStore(client(settings, "dynamodb"), settings, MEMBERS, Member)
store.create(member, actor="a", reason="", request_id="r", now=datetime(2026, 1, 5, tzinfo=UTC))
"""


def test_a_kill_between_the_key_and_the_item_leaves_a_key_that_the_next_write_uses(
    proxy: Proxy, settings: Settings, members: TableStore[Member], keys: PersonKeys, history: TableHistory
) -> None:
    member = zoe(unique("M"))
    writer: list[subprocess.Popen[bytes]] = []

    def kill(_: Proxy, operation: str, __: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if operation != "TransactWriteItems":
            return None
        os.kill(writer[0].pid, signal.SIGKILL)
        return 500, {"__type": "InternalServerError", "message": "gone"}

    proxy.interfere = kill
    arguments = [through(proxy, settings).model_dump_json(), member.model_dump_json()]
    writer.append(subprocess.Popen([sys.executable, "-c", _CREATE, *arguments], stderr=subprocess.DEVNULL))
    assert writer[0].wait(240) == -signal.SIGKILL

    made = keys.find(member.member_id)
    assert made is not None
    assert members.get(member_id=member.member_id) is None
    stored = members.create(member, **by())
    found = keys.find(member.member_id, fresh=True)
    assert found is not None
    assert found.key_id == made.key_id
    (change,) = history.of_item(MEMBERS, f"members/{stored.member_id}")
    assert change.changes["name"] == {"after": NAME}


def test_a_row_sealed_for_the_lake_is_the_same_bytes_each_time_and_opens_again(keys: PersonKeys) -> None:
    member = zoe(unique("M"))
    key, row = MEMBERS.key_of(member), member.plain()

    sealed = keys.seal_row(MEMBERS, key, row, now=NOW)

    assert sealed == keys.seal_row(MEMBERS, key, row, now=NOW)
    assert not any(form in json.dumps(sealed).encode() for text in (NAME, EMAIL) for form in forms(text))
    assert keys.unseal_row(MEMBERS, key, sealed) == row


# -- forgetting -----------------------------------------------------------------------------------------


def personal(changes: list[Change], *names: str) -> list[Any]:
    return [value for one in changes for name in names for value in one.changes.get(name, {}).values()]


def test_after_forgetting_nothing_can_be_unsealed_and_the_rest_of_the_history_stands(
    settings: Settings, members: TableStore[Member], absences: TableStore[Availability], history: TableHistory
) -> None:
    member_id = unique("M")
    first = members.create(zoe(member_id), **by())
    members.update(
        first.model_copy(update={"status": MemberStatus.INACTIVE, "name": "Zoë"}), expected_version=1, **by()
    )
    absences.create(time_off(member_id), **by())
    lake_row = members.keys.seal_row(MEMBERS, {"member_id": member_id}, first.plain(), now=NOW)

    done = forget_member(client(settings, "dynamodb"), settings, member_id, **by(reason="asked for it"))

    assert (done.deleted, done.blanked, done.key) == (1, 1, True)
    assert members.get(member_id=member_id) is None
    kept = absences.get(member_id=member_id, date="2026-01-05")
    assert kept is not None
    assert (kept.reason, str(kept.hours_off)) == ("", "8.00")
    changes = list(history.of_item(MEMBERS, f"members/{member_id}"))
    values = personal(changes, "name", "email")
    values += personal(list(history.of_item(AVAILABILITY, f"availability/{member_id}/2026-01-05")), "reason")
    assert len(values) == 9
    assert all(map(is_forgotten, values))
    assert changes[1].changes["status"] == {"before": "active", "after": "inactive"}
    assert changes[0].reason == "asked for it"
    fresh = PersonKeys(client(settings, "dynamodb"), settings)
    assert is_forgotten(fresh.unseal_row(MEMBERS, {"member_id": member_id}, lake_row)["name"])
    past = history.item_at(AVAILABILITY, {"member_id": member_id, "date": "2026-01-05"}, NOW)
    assert past is not None
    assert past["hours_off"] == "8.00"


def test_who_comes_back_gets_a_new_key_and_the_old_history_stays_forgotten(
    settings: Settings, members: TableStore[Member], history: TableHistory
) -> None:
    member_id = unique("M")
    members.create(zoe(member_id), **by())
    forget_member(client(settings, "dynamodb"), settings, member_id, **by())
    store = TableStore(client(settings, "dynamodb"), settings, MEMBERS, Member)

    back = store.create(zoe(member_id, name="Zoë again"), **by())

    changes = list(history.of_item(MEMBERS, f"members/{member_id}", oldest_first=True))
    assert back.version == 3
    assert changes[2].changes["name"] == {"after": "Zoë again"}
    assert all(map(is_forgotten, personal(changes[:2], "name")))
    state = history.item_at(MEMBERS, {"member_id": member_id}, NOW)
    assert state == back.plain()


def test_forgetting_that_was_killed_half_way_is_finished_by_the_next(
    settings: Settings, members: TableStore[Member], keys: PersonKeys
) -> None:
    first = members.create(zoe(unique("M")), **by())
    members.delete(first, expected_version=1, **by())  # the row is gone, the key is not

    done = forget_member(client(settings, "dynamodb"), settings, first.member_id, **by())

    assert (done.deleted, done.key) == (0, True)
    assert keys.find(first.member_id) is None
    with pytest.raises(BadUsage, match="nothing is left to forget"):
        forget_member(client(settings, "dynamodb"), settings, first.member_id, **by())


def test_a_reason_that_names_the_person_is_refused_before_anything_is_deleted(
    settings: Settings, members: TableStore[Member]
) -> None:
    first = members.create(zoe(unique("M")), **by())

    with pytest.raises(BadUsage, match="the reason names the person"):
        forget_member(
            client(settings, "dynamodb"), settings, first.member_id, **by(reason=f"{EMAIL.upper()} asked")
        )

    assert members.get(member_id=first.member_id) == first
