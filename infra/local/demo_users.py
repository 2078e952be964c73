"""One synthetic account a role, so that a new platform can be signed in to and asked at once.

Belongs here: who they are, seeding them, tokens for them. A local platform only: on AWS nobody has an account
that nobody asked for. Does not belong here: accounts of people (infra/users.py).
"""

import secrets
from enum import StrEnum

from infra.local.home import Home
from infra.local.platform import Platform
from infra.users import User, Users, link_member, member_to_link
from prism_api.api.calls import Role
from prism_core import clock
from prism_core.failures import BadUsage, PermanentFailure

ACTOR = "sample"
# The first member of the sample (infra/local/sample/people.py) is the one who signs in as an annotator.
ANNOTATOR_MEMBER = "syn-m-001"


class TokenRole(StrEnum):
    """Whom a token can be for."""

    ADMIN = "admin"
    LEAD = "lead"
    ANALYST = "analyst"
    ANNOTATOR = "annotator"
    PRODUCER = "producer"


def demo_email(role: Role) -> str:
    # `.example` belongs to nobody (RFC 2606).
    return f"demo-{role.value}@prism.example"


def demo_password(home: Home) -> str:
    """The password of all of them; drawn once, private to the owner of the home."""
    # Its beginning satisfies every rule of the pool.
    return home.secret("demo-password", lambda: f"Demo-1-{secrets.token_urlsafe(12)}")


def seed_demo_users(platform: Platform) -> None:
    """Make those that are missing."""
    users, password = Users(platform.settings), demo_password(platform.home)
    for role in Role:
        if users.find(demo_email(role)) is None:
            users.add(demo_email(role), role, password=password, name=f"Synthetic {role.value}")


def link_demo_annotator(platform: Platform) -> bool:
    """Make the annotator the first member of the sample. False where there is no sample."""
    try:
        member = member_to_link(platform.settings, ANNOTATOR_MEMBER)
    except BadUsage:
        return False
    user = _user(Users(platform.settings), Role.ANNOTATOR)
    if member.cognito_sub != user.sub:
        link_member(platform.settings, member, user, actor=ACTOR, request_id="demo-annotator", now=clock.now())
    return True


def demo_token(platform: Platform, role: TokenRole) -> str:
    """An access token of an hour. Raises PermanentFailure before the first `prism up`."""
    users = Users(platform.settings)
    if role is TokenRole.PRODUCER:
        if platform.emulator is None:
            raise BadUsage("tokens are given by a local platform only")
        return users.producer_token()
    account = _user(users, Role(role.value))
    return users.token(account.email, demo_password(platform.home))


def _user(users: Users, role: Role) -> User:
    found = users.find(demo_email(role))
    if found is None:
        raise PermanentFailure(f"{demo_email(role)} has no account here; `prism up` makes it")
    return found
