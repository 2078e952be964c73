"""Producers that sign their deliveries: who they are and what they sign with.

Belongs here: reading a producer's secret, kept for five minutes, and what it must say. Does not belong here: the
signature itself (prism_core/events/signatures.py) and app clients, whose tokens API Gateway checks.
The secret `PREFIX/hooks/PRODUCER` is JSON: `{"secrets": ["whsec_…"], "scheme": "standard", "webhook": {…}}`, two
secrets while one replaces the other. Without `webhook` deliveries are CloudEvents.
"""

import base64
import binascii
import re
import time
from collections.abc import Callable
from typing import Final

import msgspec
from botocore.exceptions import ClientError

from prism_core.events.arrivals import Webhook
from prism_core.events.signatures import Scheme
from prism_core.failures import PermanentFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code

KEPT_SECONDS: Final = 300.0
# Somebody who tries names must not make us ask for each of them again and again, nor forget those that there are.
_MOST_UNKNOWN: Final = 1_000
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
# The second one while a deleted secret can be restored.
_GONE: Final = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
_STANDARD_PREFIX: Final = "whsec_"


class Hook(msgspec.Struct, frozen=True):
    """A producer of deliveries. `secrets` are texts, or base64 after `whsec_` as Standard Webhooks writes them."""

    secrets: tuple[str, ...]
    scheme: Scheme = Scheme.STANDARD
    webhook: Webhook | None = None

    @property
    def keys(self) -> tuple[bytes, ...]:
        return tuple(map(_key, self.secrets))


_decode: Final = msgspec.json.Decoder(Hook).decode


class Hooks:
    """The producers of a platform, each asked for once in five minutes."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        most_unknown: int = _MOST_UNKNOWN,
    ) -> None:
        self._settings, self._clock, self._most_unknown = settings, clock, most_unknown
        self._known: dict[str, tuple[float, Hook]] = {}
        self._unknown: dict[str, float] = {}  # when each was asked for, the oldest first

    def get(self, producer: str) -> Hook | None:
        """None for a producer that there is not. Raises PermanentFailure when its secret cannot be read as one."""
        if not NAME.fullmatch(producer):
            return None
        now = self._clock()
        if (known := self._known.get(producer)) is not None and now - known[0] <= KEPT_SECONDS:
            return known[1]
        if (asked := self._unknown.get(producer)) is not None and now - asked <= KEPT_SECONDS:
            return None
        hook = self._read(producer)
        self._unknown.pop(producer, None)
        if hook is not None:
            self._known[producer] = (now, hook)
            return hook
        self._known.pop(producer, None)
        while len(self._unknown) >= self._most_unknown:
            del self._unknown[next(iter(self._unknown))]
        self._unknown[producer] = now
        return None

    def _read(self, producer: str) -> Hook | None:
        name = _secret_of(self._settings, producer)
        with calling(f"secret {name}", "read"):
            try:
                text = client(self._settings, "secretsmanager").get_secret_value(SecretId=name)["SecretString"]
            except ClientError as error:
                # One that may not be read is a mistake of ours: 500, which senders repeat, and a line in the log.
                if error_code(error) in _GONE:
                    return None
                raise
        try:
            return _decode(text)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise PermanentFailure(f"the secret {name} does not describe a producer: {error}") from error


def keep_hook(settings: Settings, producer: str, hook: Hook) -> None:
    """Make a producer, or change it: functions know within five minutes."""
    name, text = _secret_of(settings, producer), msgspec.json.encode(hook).decode()
    with calling(f"secret {name}", "write"):
        try:
            client(settings, "secretsmanager").put_secret_value(SecretId=name, SecretString=text)
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            client(settings, "secretsmanager").create_secret(Name=name, SecretString=text)


def _secret_of(settings: Settings, producer: str) -> str:
    return f"{settings.name_prefix}/hooks/{producer}"


def _key(secret: str) -> bytes:
    if not secret.startswith(_STANDARD_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_STANDARD_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PermanentFailure("a secret after whsec_ is base64") from error
