"""Forgetting people who are no members. Why real: what is left of somebody is decided by all that was stored."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.failures import BadUsage
from prism_core.models.base import is_mailbox
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Request
from prism_core.models.reports import Recipient
from prism_core.privacy import FORGOTTEN, is_forgotten, person_of
from prism_core.settings import Settings
from prism_core.tables import AVAILABILITY, MEMBERS, RECIPIENTS, REQUESTS, TableSpec
from prism_resources.aws import client
from prism_resources.forgetting import forget, forget_member, recipient, requester, touched_of_member
from prism_resources.privacy import PersonKeys
from prism_resources.tables.history import TableHistory
from prism_resources.tables.store import TableStore
from tests.integration.api_client import Api, every_page

NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)
NAME, EMAIL = "Cleo Unmistakable", "cleo@unmistakable.example"


def by(reason: str = "asked for it", now: datetime = NOW) -> dict[str, Any]:
    return {"actor": "M-lead", "reason": reason, "request_id": uuid.uuid4().hex, "now": now}


def unique(letter: str) -> str:
    return f"{letter}-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def settings(platform: Platform) -> Settings:
    return platform.settings


class Stored:
    """A table, and what its log tells of an item."""

    def __init__(self, settings: Settings, spec: TableSpec) -> None:
        self.dynamodb = client(settings, "dynamodb")
        self.settings, self.spec = settings, spec
        self.store: TableStore[Any] = TableStore(self.dynamodb, settings, spec, spec.model)

    def told(self, name: str, *fields: str) -> list[Any]:
        """All values of personal fields that the log holds of an item, opened with the keys that are left."""
        history = TableHistory(self.dynamodb, self.settings, keys=PersonKeys(self.dynamodb, self.settings))
        changes = history.of_item(self.spec, f"{self.spec.name}/{name}")
        return [value for one in changes for field in fields for value in one.changes.get(field, {}).values()]

    def has_key(self, name: str) -> bool:
        person = person_of(self.spec, {self.spec.partition.name: name})
        return PersonKeys(self.dynamodb, self.settings).find(person, fresh=True) is not None


def asked(name: str) -> Request:
    return Request(
        request_id=name, due_date=date(2026, 2, 2), hours=Decimal(5), requester=NAME, reason="more", created=NOW
    )


def addressed(name: str, member_id: str | None = None) -> Recipient:
    return Recipient(recipient_id=name, name=NAME, email=EMAIL, member_id=member_id, time_zone="UTC")


def test_lists_of_before_are_read_by_everybody_when_somebody_in_them_is_forgotten(settings: Settings) -> None:
    name, team = unique("M"), unique("t")
    members, away = Stored(settings, MEMBERS), Stored(settings, AVAILABILITY)
    then = datetime.now(UTC)
    person = Member(member_id=name, name=NAME, email=EMAIL, time_zone="UTC", team=team)
    day_off = Availability(member_id=name, date=then.date(), hours_off=Decimal(4), reason="private")
    members.store.create(person, **by(now=then))
    away.store.create(day_off, **by(now=then))
    forget_member(members.dynamodb, settings, name, **by(now=then + timedelta(seconds=1)))
    admin = Api()

    (listed,) = every_page(admin, "/api/members", as_of=then.isoformat(), team=team)
    item = admin("GET", f"/api/members/{name}", as_of=then.isoformat())
    days = every_page(admin, "/api/availability", as_of=then.isoformat(), member_id=name)

    assert (item.status, item.body) == (200, listed)
    assert (listed["name"], is_mailbox(listed["email"]), listed["email"] == EMAIL) == (FORGOTTEN, True, False)
    assert [(one["hours_off"], one["reason"]) for one in days] == [("4.00", FORGOTTEN)]
    assert admin("GET", "/api/availability", as_of=then.isoformat()).status == 200


def test_who_asked_for_capacity_is_forgotten_and_what_was_asked_for_stays(settings: Settings) -> None:
    requests, name = Stored(settings, REQUESTS), unique("r")
    first = requests.store.create(asked(name), **by())
    requests.store.update(first.model_copy(update={"hours": Decimal(6)}), expected_version=1, **by())

    done = forget(requests.dynamodb, settings, requester(name), **by())

    assert (done.deleted, done.blanked, done.key) == (0, 1, True)
    left: Any = requests.store.get(request_id=name)
    assert (left.requester, left.hours, left.reason) == (FORGOTTEN, Decimal("6.00"), "more")
    told = requests.told(name, "requester")
    assert len(told) == 3
    assert all(map(is_forgotten, told))
    assert not requests.has_key(name)
    with pytest.raises(BadUsage, match="nothing is left to forget"):
        forget(requests.dynamodb, settings, requester(name), **by())


def test_a_recipient_is_forgotten(settings: Settings) -> None:
    recipients, name = Stored(settings, RECIPIENTS), unique("x")
    recipients.store.create(addressed(name), **by())

    done = forget(recipients.dynamodb, settings, recipient(name), **by())

    assert (done.deleted, done.key, recipients.store.get(recipient_id=name)) == (1, True, None)
    assert all(map(is_forgotten, recipients.told(name, "name", "email")))


def test_a_member_is_forgotten_as_a_recipient_too(settings: Settings) -> None:
    recipients, members = Stored(settings, RECIPIENTS), Stored(settings, MEMBERS)
    name, member_id = unique("x"), unique("M")
    members.store.create(Member(member_id=member_id, name=NAME, email=EMAIL, time_zone="UTC"), **by())
    recipients.store.create(addressed(name, member_id), **by())
    recipients.store.create(addressed(unique("x"), unique("M")), **by())

    done = forget_member(members.dynamodb, settings, member_id, **by())

    assert (done.deleted, done.key) == (2, True)
    assert (recipients.store.get(recipient_id=name), recipients.has_key(name)) == (None, False)
    assert all(map(is_forgotten, recipients.told(name, "name", "email")))


def test_a_member_is_forgotten_as_a_recipient_whose_row_is_gone_too(settings: Settings) -> None:
    recipients, members = Stored(settings, RECIPIENTS), Stored(settings, MEMBERS)
    name, other, member_id = unique("x"), unique("x"), unique("M")
    members.store.create(Member(member_id=member_id, name=NAME, email=EMAIL, time_zone="UTC"), **by())
    # Deleted through the API, or by a run that was killed before it deleted the key.
    for row in (addressed(name, member_id), addressed(other, unique("M"))):
        recipients.store.delete(recipients.store.create(row, **by()), expected_version=1, **by())

    done = forget_member(members.dynamodb, settings, member_id, **by())

    assert (done.deleted, done.key) == (1, True)
    assert all(map(is_forgotten, recipients.told(name, "name", "email")))
    assert set(recipients.told(other, "name")) == {NAME}
    with pytest.raises(BadUsage, match="nothing is left to forget"):
        touched_of_member(members.dynamodb, settings, member_id)


def test_who_is_left_as_the_key_of_a_recipient_alone_is_still_to_be_forgotten(settings: Settings) -> None:
    recipients, name, member_id = Stored(settings, RECIPIENTS), unique("x"), unique("M")
    first = recipients.store.create(addressed(name, member_id), **by())
    recipients.store.delete(first, expected_version=1, **by())

    assert touched_of_member(recipients.dynamodb, settings, member_id) == []
    done = forget_member(recipients.dynamodb, settings, member_id, **by())

    assert (done.deleted, done.key, recipients.has_key(name)) == (0, True, False)


@pytest.mark.parametrize("reason", [f"{NAME} asked", f"mail of {EMAIL.upper()}"])
def test_a_reason_that_names_somebody_is_refused_before_anything_is_done(settings: Settings, reason: str) -> None:
    requests, recipients = Stored(settings, REQUESTS), Stored(settings, RECIPIENTS)
    name, member_id = unique("r"), unique("M")
    requests.store.create(asked(name), **by())
    recipients.store.create(addressed(name, member_id), **by())
    Stored(settings, MEMBERS).store.create(
        Member(member_id=member_id, name=NAME, email=EMAIL, time_zone="UTC"), **by()
    )

    with pytest.raises(BadUsage, match="names the person"):
        forget_member(requests.dynamodb, settings, member_id, **by(reason))
    with pytest.raises(BadUsage, match="names the person"):
        forget(requests.dynamodb, settings, recipient(name), **by(reason))
    if NAME in reason:
        with pytest.raises(BadUsage, match="names the person"):
            forget(requests.dynamodb, settings, requester(name), **by(reason))

    left: list[Any] = [requests.store.get(request_id=name), recipients.store.get(recipient_id=name)]
    assert [left[0].requester, left[1].name] == [NAME, NAME]
