"""Accounts, roles and the member they are, in the deployed pool and through `prism`.

Why real: the pool decides what a password, an address and a role are, and the table whose account a member is.
"""

import json
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest

from infra.local.demo_users import (
    ANNOTATOR_MEMBER,
    TokenRole,
    demo_email,
    demo_token,
    link_demo_annotator,
    seed_demo_users,
)
from infra.local.platform import Platform
from infra.users import ACTOR, User, Users, link_member, member_to_link
from prism_api.api.calls import Role
from prism_core.failures import BadUsage
from prism_core.models.changes import Change
from prism_core.models.people import Member
from prism_core.tables import CHANGELOG, MEMBERS
from prism_resources.aws import client
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore
from tests.integration.deployed import PASSWORD, Deployed
from tests.integration.fresh import commands_at
from tests.integration.helpers import PRISM, prism

NOW = datetime(2018, 8, 20, 12, tzinfo=UTC)


@pytest.fixture
def users(platform: Platform) -> Users:
    return Users(platform.settings)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home that is served, with the accounts that a start without a sample makes."""
    with commands_at(tmp_path_factory.mktemp("users")) as running:
        seed_demo_users(running)
        yield running.home.root


def address() -> str:
    return f"{uuid.uuid4().hex}@test.example"


def stored_member(platform: Platform, member_id: str | None = None) -> Member:
    """A new member in the table."""
    members = TableStore(client(platform.settings, "dynamodb"), platform.settings, MEMBERS, Member)
    new = Member(
        version=1,
        member_id=member_id or f"M-{uuid.uuid4().hex[:8]}",
        name="Test",
        email="t@test.example",
        time_zone="UTC",
    )
    return members.create(new, actor="test", reason="", request_id=uuid.uuid4().hex, now=NOW)


def claims(token: str) -> dict[str, object]:
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize("role", Role)
def test_an_account_has_its_role_in_its_tokens_and_is_found_in_any_case(users: Users, role: Role) -> None:
    email = address()

    made = users.add(email.upper(), role, password=PASSWORD)

    said = claims(users.token(email.upper(), PASSWORD))
    assert users.find(email.title()) == made
    assert (made.email, made.roles) == (email, (role.value,))
    assert (said["sub"], said["cognito:groups"], said["token_use"]) == (made.sub, [role.value], "access")


def test_an_address_has_one_account(users: Users) -> None:
    email = address()
    users.add(email, Role.LEAD, password=PASSWORD)

    with pytest.raises(BadUsage, match="already, as lead"):
        users.add(email.upper(), Role.ADMIN, password=PASSWORD)


@pytest.mark.parametrize("weak", ["Short-1", "no-upper-case-1", "NO-LOWER-CASE-1", "No-digit-at-all"])
def test_a_weak_password_leaves_no_account(users: Users, weak: str) -> None:
    email = address()

    with pytest.raises(BadUsage, match=r"(?i)password"):
        users.add(email, Role.LEAD, password=weak)

    assert users.find(email) is None


def test_a_link_to_a_member_is_a_change_that_names_no_address(platform: Platform, users: Users) -> None:
    member, user = stored_member(platform), users.add(address(), Role.ANNOTATOR, password=PASSWORD)

    link_member(platform.settings, member, user, actor=ACTOR, request_id=uuid.uuid4().hex, now=NOW)

    linked = member_to_link(platform.settings, member.member_id)
    log = TableReader(client(platform.settings, "dynamodb"), platform.settings, CHANGELOG, Change)
    *_, last = log.query("by_item", item_key=f"members/{member.member_id}")
    assert linked.cognito_sub == user.sub
    assert (last.actor, list(last.changes)) == (ACTOR, ["cognito_sub"])
    assert user.email not in last.model_dump_json()


def test_an_account_is_one_member(platform: Platform, users: Users) -> None:
    first, second = stored_member(platform), stored_member(platform)
    user = users.add(address(), Role.ANNOTATOR, password=PASSWORD)
    link_member(platform.settings, first, user, actor=ACTOR, request_id=uuid.uuid4().hex, now=NOW)

    with pytest.raises(BadUsage, match=first.member_id):
        link_member(platform.settings, second, user, actor=ACTOR, request_id=uuid.uuid4().hex, now=NOW)


def test_the_accounts_of_a_member_are_all_that_it_had_but_those_of_others_and_those_linked_by_mistake(
    platform: Platform, users: Users
) -> None:
    first, second = stored_member(platform), stored_member(platform)
    passed_on, kept = (users.add(address(), Role.ANNOTATOR, password=PASSWORD) for _ in range(2))
    by_mistake = users.add(address(), Role.LEAD, password=PASSWORD)
    members = TableStore(client(platform.settings, "dynamodb"), platform.settings, MEMBERS, Member)

    def linked(member: Member, user: User) -> Member:
        given = member.model_copy(update={"cognito_sub": user.sub})
        by: dict[str, Any] = {"actor": ACTOR, "reason": "", "request_id": uuid.uuid4().hex}
        return members.update(given, expected_version=member.version, now=NOW, **by)

    first = linked(linked(linked(first, passed_on), by_mistake), kept)
    linked(second, passed_on)
    while_there = users.of_member(first.member_id)
    members.delete(
        first, expected_version=first.version, actor=ACTOR, reason="", request_id=uuid.uuid4().hex, now=NOW
    )

    assert while_there == users.of_member(first.member_id) == [kept]
    assert users.of_member(second.member_id) == [passed_on]


def test_a_linked_annotator_sees_the_own_member_and_nobody_else(platform: Platform, users: Users) -> None:
    member, _ = stored_member(platform), stored_member(platform)
    user = users.add(address(), Role.ANNOTATOR, password=PASSWORD)
    link_member(platform.settings, member, user, actor=ACTOR, request_id=uuid.uuid4().hex, now=NOW)

    answer = Deployed(platform).get("/api/members", users.token(user.email, PASSWORD))

    assert [item["member_id"] for item in answer.json()["items"]] == [member.member_id]


def test_every_role_has_a_synthetic_account_and_seeding_again_changes_nothing(platform: Platform) -> None:
    seed_demo_users(platform)
    before = [Users(platform.settings).find(demo_email(role)) for role in Role]
    seed_demo_users(platform)

    assert [Users(platform.settings).find(demo_email(role)) for role in Role] == before
    assert [user.roles for user in before if user is not None] == [(role.value,) for role in Role]
    assert all(demo_email(role).endswith(".example") for role in Role)
    password = platform.home.root / "demo-password"
    assert password.stat().st_mode & 0o077 == 0


def test_the_synthetic_annotator_is_the_first_member_of_a_sample_if_there_is_one(platform: Platform) -> None:
    seed_demo_users(platform)

    without = link_demo_annotator(platform)
    stored_member(platform, ANNOTATOR_MEMBER)
    twice = link_demo_annotator(platform), link_demo_annotator(platform)

    annotator = Users(platform.settings).find(demo_email(Role.ANNOTATOR))
    member = member_to_link(platform.settings, ANNOTATOR_MEMBER)
    assert (without, twice) == (False, (True, True))
    assert annotator is not None
    assert (member.cognito_sub, member.version) == (annotator.sub, 2)


def test_a_producer_has_the_scope_of_events_and_no_role(platform: Platform) -> None:
    token = demo_token(platform, TokenRole.PRODUCER)

    said = claims(token)
    assert (said["scope"], said["token_use"], "cognito:groups" in said) == ("prism/events", "access", False)
    assert Deployed(platform).get(token=token).status_code == 403


# The commands, in processes of their own.


@pytest.mark.parametrize("role", TokenRole)
def test_prism_token_prints_the_token_alone(up: Path, role: TokenRole) -> None:
    answer = prism(up, "token", role.value)

    said = claims(answer.stdout.strip())
    groups = None if role is TokenRole.PRODUCER else [role.value]
    assert (answer.returncode, answer.stdout.count("\n")) == (0, 1)
    assert (said["token_use"], said.get("cognito:groups")) == ("access", groups)


def test_prism_user_add_reads_a_password_and_says_who_it_made(up: Path) -> None:
    email = address()
    done = subprocess.run(
        [PRISM, "user", "add", email, "--role", "analyst", "--password-stdin", "--json"],
        input=f"{PASSWORD}\nnot read\n", env=_environment(up),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert {name: facts[name] for name in ("email", "role", "member")} == {
        "email": email, "role": "analyst", "member": None,
    }  # fmt: skip
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["user", "add", "no address", "--role", "lead"], "no e-mail address"),
        (["user", "add", "a@test.example", "--role", "annotator", "--member", "M-none"], "no member 'M-none'"),
        (["user", "add", "demo-lead@prism.example", "--role", "admin"], "already, as lead"),
        (["user", "add", "a@test.example", "--role", "lead", "--password-stdin"], "nothing came"),
        (["user", "add", "a@test.example", "--role", "owner"], "owner"),
        (["token", "owner"], "owner"),
    ],
)
def test_words_that_are_wrong_end_with_2(up: Path, arguments: list[str], says: str) -> None:
    done = prism(up, *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert says in " ".join(done.stderr.split())


def test_a_token_before_the_first_start_ends_with_1_and_says_what_to_do(tmp_path: Path) -> None:
    answer = prism(tmp_path / "home", "token", "lead")

    assert (answer.returncode, answer.stdout) == (1, "")
    assert "prism up" in answer.stderr


def test_a_token_on_aws_is_refused(up: Path) -> None:
    answer = prism(up, "token", "lead", PRISM_ENVIRONMENT="aws")

    assert (answer.returncode, answer.stdout) == (2, "")


def _environment(home: Path) -> dict[str, str]:
    return {"PRISM_HOME": str(home), "PRISM_FIRST_WEEK": "2018-W33", "COLUMNS": "200", "PATH": "/usr/bin:/bin"}
