"""The tokens of the services outside, in Secrets Manager.

Belongs here: which secret holds what, reading it when a connection is made, and putting it there. Does
not belong here: any setting, and any use of a token. Read anew each time: a token that was replaced serves at
once.
"""

import json
from dataclasses import dataclass, field
from typing import Final

from botocore.exceptions import ClientError

from prism_core.failures import BadUsage, PermanentFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code

_MISSING: Final = frozenset({"ResourceNotFoundException"})
# A role that is given secrets by their ARN, whose end AWS makes up, is told this of one that is not there.
DENIED: Final = "AccessDeniedException"
# What each service's secret holds.
FORMS: Final = {
    "meta": ("access_token", "app_id", "app_secret"),
    "hubspot": ("access_token",),
    "claude": ("api_key",),
}


@dataclass(frozen=True, slots=True)
class MetaCredentials:
    """A token of a system user with `ads_read`, and the app that it belongs to, which may check it."""

    access_token: str = field(repr=False)
    app_id: str
    app_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HubSpotCredentials:
    """The token of a private app with `crm.objects.contacts.read`."""

    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClaudeCredentials:
    """An API key of Anthropic."""

    api_key: str = field(repr=False)


def secret_name(settings: Settings, service: str) -> str:
    """What the secret of `meta`, `hubspot` or `claude` is called: `prism-meta`."""
    return f"{settings.name_prefix}-{service}"


def meta_credentials(settings: Settings) -> MetaCredentials:
    """Raises PermanentFailure that says what is missing and how to put it there."""
    return MetaCredentials(**_read(settings, "meta"))


def hubspot_credentials(settings: Settings) -> HubSpotCredentials:
    """Raises as `meta_credentials`."""
    return HubSpotCredentials(**_read(settings, "hubspot"))


def claude_credentials(settings: Settings) -> ClaudeCredentials:
    """Raises as `meta_credentials`."""
    return ClaudeCredentials(**_read(settings, "claude"))


def put_credentials(settings: Settings, service: str, text: str) -> bool:
    """Keep the credentials of a service, JSON of its form; True when there were none before.

    Raises BadUsage, which never repeats a value, when the text is not of that form.
    """
    names, secret = FORMS[service], secret_name(settings, service)
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or {*found} != {*names} or not all(_is_text(found[name]) for name in names):
        raise BadUsage(f"the credentials of {service} are one JSON object with the texts {', '.join(names)}")
    manager = client(settings, "secretsmanager")
    with calling(f"secret {secret}", "write"):
        try:
            manager.put_secret_value(SecretId=secret, SecretString=json.dumps(found))
        except ClientError as error:
            if error_code(error) not in _MISSING:
                raise
            manager.create_secret(Name=secret, SecretString=json.dumps(found))
            return True
    return False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _read(settings: Settings, service: str) -> dict[str, str]:
    names, secret = FORMS[service], secret_name(settings, service)
    form = json.dumps(dict.fromkeys(names, "…"), ensure_ascii=False)
    how = f"`prism secret put {service} FILE` makes one of a file with {form}"
    try:
        with calling(f"secret {secret}", "read"):
            try:
                text = str(client(settings, "secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
            except ClientError as error:
                if error_code(error) in _MISSING:
                    raise PermanentFailure(f"there is no secret {secret}; {how}") from error
                if error_code(error) == DENIED:
                    said = f"there is no secret {secret} that this role may read; {how}"
                    raise PermanentFailure(said) from error
                raise
    except KeyError as error:
        raise PermanentFailure(f"the secret {secret} holds bytes, not text; {how}") from error
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    values = found if isinstance(found, dict) else {}
    # What stands there is not repeated: it may be the token itself.
    missing = [name for name in names if not _is_text(values.get(name))]
    if missing:
        raise PermanentFailure(f"the secret {secret} lacks {', '.join(missing)}; it is JSON of the form {form}")
    return {name: str(values[name]).strip() for name in names}
