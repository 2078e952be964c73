"""The people who may sign in: accounts of the Cognito pool, their roles, and which member they are.

Belongs here: adding an account, its role and its link to a member, signing in for a token. The same in both
places. Does not belong here: what a role may do (prism_api/api/matrix.py) and the demonstration accounts
(infra/local/demo_users.py).
"""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from infra.addresses import token_url
from infra.deploy import outputs
from prism_api.api.calls import Role
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.models.changes import Change, Operation
from prism_core.models.people import Member
from prism_core.settings import Settings
from prism_core.tables import CHANGELOG, MEMBERS
from prism_resources.aws import client
from prism_resources.failures import calling, error_code
from prism_resources.tables.claims import ACCOUNTS, claimed
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore

ACTOR = "prism user add"
TOKEN_SECONDS = 30


@dataclass(frozen=True, slots=True)
class User:
    """An account. `sub` is what a token names it by, for good."""

    sub: str
    email: str
    roles: tuple[str, ...]


class Users:
    """The pool of one deployment. Raises PermanentFailure when the api stack is not there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made = outputs(settings, "api")
        self._cognito = client(settings, "cognito-idp")
        self._pool = self._made["UserPoolId"]

    def find(self, email: str) -> User | None:
        """The account of an address, in whatever case it is written."""
        name = email.lower()
        with calling(f"user {name}", "look for"):
            try:
                found = self._cognito.admin_get_user(UserPoolId=self._pool, Username=name)
                groups = self._cognito.admin_list_groups_for_user(UserPoolId=self._pool, Username=name)["Groups"]
            except ClientError as error:
                if error_code(error) == "UserNotFoundException":
                    return None
                raise
        return User(_sub(found["UserAttributes"]), name, tuple(sorted(group["GroupName"] for group in groups)))

    def of_subject(self, sub: str) -> User | None:
        """The account that tokens name by `sub`."""
        with calling(f"the account {sub}", "look for"):
            found = self._cognito.list_users(UserPoolId=self._pool, Filter=f'sub = "{sub}"', Limit=1)["Users"]
        return self.find(_attribute(found[0]["Attributes"], "email")) if found else None

    def of_member(self, member_id: str) -> list[User]:
        """The accounts of a member, also of one whose row is deleted, by the change log, less those of others now.

        One that was linked before the last one goes only where it is an annotator's: another one was linked by
        mistake, and is somebody's who is no member.
        """
        dynamodb, members = client(self._settings, "dynamodb"), _members(self._settings)
        log = TableReader(dynamodb, self._settings, CHANGELOG, Change)
        row = members.get(member_id=member_id)
        last, subs = None if row is None else row.cognito_sub, set[str]()
        for change in log.query("by_item", item_key=MEMBERS.item_key({"member_id": member_id})):
            if linked := change.changes.get("cognito_sub"):
                subs |= {str(sub) for sub in linked.values() if sub}
                if row is None:
                    last = linked.get("before" if change.operation is Operation.DELETE else "after")
        found: list[User] = []
        for sub in sorted(subs | ({str(last)} if last else set())):
            if any(one.member_id != member_id for one in members.query("by_subject", cognito_sub=sub)):
                continue
            user = self.of_subject(sub)
            if user is not None and (sub == last or user.roles == (Role.ANNOTATOR,)):
                found.append(user)
        return found

    def add(self, email: str, role: Role, *, password: str | None = None, name: str | None = None) -> User:
        """Make an account. Without a password Cognito mails one that must be changed at the first sign-in.

        Raises BadUsage when there is an account of this address, or the password is too weak.
        """
        known, username = self.find(email), email.lower()
        if known is not None:
            raise BadUsage(f"{username} has an account already, as {', '.join(known.roles) or 'nobody'}")
        attributes = [{"Name": "email", "Value": username}, {"Name": "email_verified", "Value": "true"}]
        if name is not None:
            attributes.append({"Name": "name", "Value": name})
        delivery: dict[str, Any] = (
            {"DesiredDeliveryMediums": ["EMAIL"]} if password is None else {"MessageAction": "SUPPRESS"}
        )
        with calling(f"user {username}", "add"):
            made = self._cognito.admin_create_user(
                UserPoolId=self._pool, Username=username, UserAttributes=attributes, **delivery
            )
        user = User(_sub(made["User"]["Attributes"]), username, (role.value,))
        try:
            if password is not None:
                self.set_password(username, password)
            with calling(f"user {username}", "give a role"):
                self._cognito.admin_add_user_to_group(
                    UserPoolId=self._pool, Username=username, GroupName=role.value
                )
        except BaseException:
            # An account without its role, or with a password that nobody chose, is of no use.
            self.remove(user)
            raise
        return user

    def remove(self, user: User) -> None:
        """Take an account away again."""
        with calling(f"user {user.email}", "remove"):
            self._cognito.admin_delete_user(UserPoolId=self._pool, Username=user.email)

    def set_password(self, email: str, password: str) -> None:
        """Raises BadUsage with Cognito's reason when the password is too weak."""
        with calling(f"user {email}", "set the password"):
            try:
                self._cognito.admin_set_user_password(
                    UserPoolId=self._pool, Username=email.lower(), Password=password, Permanent=True
                )
            except ClientError as error:
                if error_code(error) == "InvalidPasswordException":
                    raise BadUsage(str(error.response.get("Error", {}).get("Message"))) from error
                raise

    def token(self, email: str, password: str) -> str:
        """An access token. Raises PermanentFailure when something else than the password is asked for."""
        with calling(f"user {email}", "sign in"):
            answer = self._cognito.admin_initiate_auth(
                UserPoolId=self._pool,
                ClientId=self._made["CliClientId"],
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": email.lower(), "PASSWORD": password},
            )
        if "AuthenticationResult" not in answer:
            raise PermanentFailure(
                f"{email} must answer {answer.get('ChallengeName')} first; sign in at the screens"
            )
        return answer["AuthenticationResult"]["AccessToken"]

    def producer_token(self) -> str:
        """An access token of the app client that sends events."""
        address = token_url(self._settings)
        client_id = self._made["ProducerClientId"]
        with calling("the app client of producers", "read"):
            described = self._cognito.describe_user_pool_client(UserPoolId=self._pool, ClientId=client_id)
        secret = described["UserPoolClient"]["ClientSecret"]
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "scope": "prism/events"}).encode()
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        request = urllib.request.Request(  # noqa: S310 - the address is ours
            address, data=form, headers={"Authorization": f"Basic {basic}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TOKEN_SECONDS) as answer:  # noqa: S310
                return json.load(answer)["access_token"]
        except urllib.error.HTTPError as error:
            raise PermanentFailure(f"{address} gives producers no token: {error.read().decode()}") from error


def member_to_link(settings: Settings, member_id: str) -> Member:
    """A member who can be given an account. Raises BadUsage when there is none of this id."""
    member = _members(settings).get(member_id=member_id)
    if member is None:
        raise BadUsage(f"there is no member {member_id!r}")
    return member


def link_member(
    settings: Settings, member: Member, user: User, *, actor: str, request_id: str, now: datetime
) -> None:
    """Say in the member who signs in for it. No address goes into the change's reason: it is kept for ever."""
    members = _members(settings)
    others = [
        one for one in members.query("by_subject", cognito_sub=user.sub) if one.member_id != member.member_id
    ]
    if others:
        raise BadUsage(f"{user.email} is member {others[0].member_id} already")
    if not claimed(members.client, settings, ACCOUNTS, user.sub, member.member_id, request_id):
        raise BadUsage(f"{user.email} is being given to another member at this moment; look again in a minute")
    linked = member.model_copy(update={"cognito_sub": user.sub})
    members.update(
        linked,
        expected_version=member.version,
        actor=actor,
        reason="linked to an account",
        request_id=request_id,
        now=now,
    )


def _members(settings: Settings) -> TableStore[Member]:
    return TableStore(client(settings, "dynamodb"), settings, MEMBERS, Member)


def _sub(attributes: list[dict[str, str]]) -> str:
    return _attribute(attributes, "sub")


def _attribute(attributes: list[dict[str, str]], name: str) -> str:
    return next(one["Value"] for one in attributes if one["Name"] == name)
