"""Sealed values: who can open them, what they give away, and what they are bound to."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from prism_core.failures import BadUsage, PermanentFailure
from prism_core.models.changes import Changes
from prism_core.models.people import Member
from prism_core.privacy import (
    DataKey,
    is_forgotten,
    is_sealed,
    key_id_of,
    open_changes,
    open_state,
    open_value,
    person_of,
    person_of_item_key,
    seal_changes,
    seal_state,
    seal_value,
    unsealed_fields,
)
from prism_core.tables import ALLOCATIONS, AVAILABILITY, MEMBERS, TABLES, TableSpec

ANA, BEA = DataKey("M-1", bytes(32)), DataKey("M-2", bytes(range(32)))
NAME: Changes = {"name": {"before": "Ana", "after": "Bea"}, "status": {"before": "active", "after": "inactive"}}
texts = st.text(max_size=60)


@given(texts, texts)
def test_a_sealed_value_opens_to_what_it_was(value: str, occasion: str) -> None:
    sealed = seal_value(ANA, "members", "name", value, occasion)

    assert is_sealed(sealed)
    assert key_id_of(sealed) == ANA.key_id
    assert open_value(ANA, "members", "name", sealed) == value


def test_a_sealed_value_does_not_show_the_value_its_length_or_that_another_is_equal() -> None:
    ana = seal_value(ANA, "members", "name", "Ana García", "1")
    again = seal_value(ANA, "members", "name", "Ana García", "2")
    other = seal_value(BEA, "members", "name", "Ana García", "1")
    longer = seal_value(ANA, "members", "name", "Ana García Molina", "1")

    assert "Ana" not in json.dumps(ana)
    assert len({json.dumps(value) for value in (ana, again, other, longer)}) == 4
    assert len({len(json.dumps(value)) for value in (ana, again, other, longer)}) == 1


def test_the_same_write_seals_to_the_same_bytes() -> None:
    assert seal_changes(ANA, MEMBERS, NAME, "members/M-1\n2\nr-1") == seal_changes(
        ANA, MEMBERS, NAME, "members/M-1\n2\nr-1"
    )
    assert seal_state(ANA, MEMBERS, {"name": "Ana"}) == seal_state(ANA, MEMBERS, {"name": "Ana"})


@pytest.mark.parametrize(
    ("key", "table", "name"),
    [
        (ANA, "members", "email"),
        (ANA, "availability", "name"),
        (DataKey("M-3", ANA.secret), "members", "name"),
    ],
)
def test_a_sealed_value_that_is_moved_does_not_open(key: DataKey, table: str, name: str) -> None:
    sealed = seal_value(ANA, "members", "name", "Ana")

    with pytest.raises(PermanentFailure, match="was changed or belongs to another field"):
        open_value(key, table, name, sealed)


@pytest.mark.parametrize("position", [0, 12, -1])
def test_a_sealed_value_that_was_tampered_with_does_not_open(position: int) -> None:
    sealed = bytearray(ANA.seal(b"text", b"bound", ""))
    sealed[position] ^= 1

    with pytest.raises(PermanentFailure, match="a sealed value of M-1 was changed"):
        ANA.unseal(bytes(sealed), b"bound")


@pytest.mark.parametrize(
    ("body", "words"), [("v1:x:?", "no base64"), ("v2:x:AAAA", "cannot read"), ("v1:x:", "cannot read")]
)
def test_a_damaged_envelope_is_said_clearly(body: str, words: str) -> None:
    with pytest.raises(PermanentFailure, match=words):
        open_value(ANA, "members", "name", {"sealed": body})


@pytest.mark.parametrize("key", [None, BEA, DataKey("M-1", bytes([1]) * 32)])
def test_without_its_key_a_value_is_forgotten(key: DataKey | None) -> None:
    sealed = seal_value(ANA, "members", "name", "Ana")

    assert is_forgotten(open_value(key, "members", "name", sealed))


def test_personal_fields_alone_are_sealed_on_both_sides_and_opened_again() -> None:
    sealed = seal_changes(ANA, MEMBERS, NAME, "x")

    assert sealed["status"] == NAME["status"]
    assert unsealed_fields(MEMBERS, sealed) == ()
    assert unsealed_fields(MEMBERS, NAME) == ("name",)
    assert open_changes(ANA, MEMBERS, sealed) == NAME


def test_a_change_from_one_value_to_the_same_under_another_name_looks_like_any() -> None:
    changes: Changes = {"name": {"before": "Ana", "after": "Ana"}}

    sealed = seal_changes(ANA, MEMBERS, changes, "x")["name"]

    assert sealed.get("before") != sealed.get("after")


def test_what_stood_in_the_clear_before_is_read_as_it_is() -> None:
    assert open_changes(None, MEMBERS, NAME) == NAME


@pytest.mark.parametrize("value", [{"sealed": "x"}, {"sealed": 1}, "v1:a:b", None, 3])
def test_a_field_that_is_not_personal_is_never_opened(value: JsonValue) -> None:
    changes: Changes = {"skills": {"after": value}}

    assert open_changes(ANA, MEMBERS, changes) == changes
    assert open_state(ANA, MEMBERS, {"skills": value}) == {"skills": value}


def test_the_person_of_an_item_is_the_first_part_of_its_key() -> None:
    recipients = TableSpec(
        "recipients", MEMBERS.partition.__class__("recipient_id", "{recipient_id}"), lambda: Member
    )

    assert person_of(MEMBERS, {"member_id": "M-1"}) == "M-1"
    assert person_of_item_key(AVAILABILITY, "availability/M-1/2026-01-05") == "M-1"
    assert person_of(recipients, {"recipient_id": "M-1"}) == "recipient_id=M-1"


def test_an_item_of_another_table_and_a_key_that_names_no_person_are_refused() -> None:
    composed = TableSpec("x", MEMBERS.partition.__class__("both", "{a}#{b}"), lambda: Member, personal=("name",))

    with pytest.raises(PermanentFailure, match="allocations/M-1 is no item of members"):
        person_of_item_key(MEMBERS, "allocations/M-1")
    with pytest.raises(BadUsage, match="must name their person alone"):
        person_of(composed, {"both": "a#b"})


def test_a_key_does_not_show_itself() -> None:
    assert "secret" not in repr(ANA)
    assert ANA.key_id not in ANA.secret.hex()


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(PermanentFailure, match="32 bytes, not 16"):
        DataKey("M-1", bytes(16))


def test_every_table_with_personal_fields_names_its_person_and_has_these_fields() -> None:
    for spec in TABLES.values():
        if spec.personal:
            assert not spec.partition.derived
            assert set(spec.personal) <= set(spec.model.model_fields)
    assert ALLOCATIONS.personal == ()


def test_a_row_is_sealed_and_opened_with_its_other_fields_as_they_are() -> None:
    row: dict[str, Any] = {"name": "Ana", "email": "ana@example.org", "time_zone": "Europe/Madrid"}

    sealed = seal_state(ANA, MEMBERS, row)

    assert sealed["time_zone"] == "Europe/Madrid"
    assert is_sealed(sealed["name"])
    assert open_state(ANA, MEMBERS, sealed) == row
