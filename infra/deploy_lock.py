"""One deployment at a time, and which version made the last one.

Belongs here: two parameters of Systems Manager, which are there before any stack is: who deploys at this moment,
and what was deployed. CloudFormation itself lets nobody change a stack twice at once, but two deployments could
still take turns. Does not belong here: the deployment (deploy.py).
"""

import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.deploy_failures import DeployRunning, NewerDeployment
from prism_core import clock
from prism_core.settings import Environment, Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code

OURS: Final = version("prism-platform")
# Longer than a stack takes; a deployment renews its own with every stack.
HOLDS: Final = timedelta(minutes=75)
_RELEASED: Final = datetime.fromtimestamp(0, UTC)
_QUICKER: Final = "somebody else has just begun to deploy here; wait for its end"


def lock_name(settings: Settings) -> str:
    return f"/{settings.name_prefix}/deploying"


def record_name(settings: Settings) -> str:
    return f"/{settings.name_prefix}/deployed"


@contextmanager
def only_deployment(settings: Settings) -> Iterator[Callable[[], None]]:
    """Nobody else deploys during the block; gives what renews that. Raises DeployRunning when somebody does.

    What a killed deployment left holds for an hour and a quarter; on a local platform, whose deployments are all
    of this machine, no longer than its process. One that lasted longer than that may find that another one has
    begun: renewing raises DeployRunning then.
    """
    claim = _Claim(settings)
    claim.take()
    try:
        yield claim.renew
    finally:
        claim.release()


def refuse_older_client(settings: Settings) -> None:
    """Raises NewerDeployment when a newer version than this one deployed here."""
    with calling(f"parameter {record_name(settings)}", "read"):
        deployed = _read(client(settings, "ssm"), record_name(settings))
    if deployed is not None and _numbers(deployed["version"]) > _numbers(OURS):
        raise NewerDeployment(
            f"version {deployed['version']} deployed here at {deployed['at']}, and this is {OURS}; use that "
            "version or a newer one. Nothing was changed. See docs/deploy.md#back-to-an-older-version"
        )


def note_deployed(settings: Settings) -> None:
    """This version is what is deployed."""
    name = record_name(settings)
    value = json.dumps({"version": OURS, "at": clock.now().isoformat(timespec="seconds")})
    with calling(f"parameter {name}", "write"):
        client(settings, "ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def _read(ssm: Any, name: str) -> dict[str, Any] | None:
    try:
        return json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error_code(error) != "ParameterNotFound":
            raise
        return None


class _Claim:
    """Who deploys at this moment. Each write of a parameter answers a version of its own, by which one of two
    that find the same claim over knows that it came first. The parameter is never deleted: versions would begin
    anew."""

    def __init__(self, settings: Settings) -> None:
        self._ssm, self._name = client(settings, "ssm"), lock_name(settings)
        self._is_local = settings.environment is Environment.LOCAL
        self._token, self._until = secrets.token_hex(16), clock.now()

    def take(self) -> None:
        """Raises DeployRunning when somebody has it, or is quicker."""
        with calling(f"parameter {self._name}", "write"):
            held, version = self._held()
            if not version:
                try:
                    self._write(overwrite=False)
                except ClientError as error:
                    if error_code(error) != "ParameterAlreadyExists":
                        raise
                    raise DeployRunning(_QUICKER) from error
            elif not self._is_over(held):
                raise DeployRunning(
                    f"{held['by']} deploys here since {held['since']}; wait for its end. If it was killed, deploy "
                    f"again after {held['until']}, or delete the parameter {self._name}"
                )
            elif not self._take_over(version):
                raise DeployRunning(_QUICKER)

    def renew(self) -> None:
        """Raises DeployRunning when it was over, and somebody took it."""
        with calling(f"parameter {self._name}", "write"):
            if clock.now() <= self._until:  # nobody could take it
                self._write()
                return
            held, version = self._held()
            if held.get("token") != self._token or not self._take_over(version):
                raise DeployRunning(
                    "this deployment took longer than it may, and another one has begun; wait for its end and "
                    "look at what is deployed (`prism status`)"
                )

    def release(self) -> None:
        """After its end it is over anyway, and may be another's."""
        with calling(f"parameter {self._name}", "write"):
            if clock.now() <= self._until:
                self._write(_RELEASED)

    def _take_over(self, version: int) -> bool:
        """Whether ours is the write that followed on a version. Else the last word of who came first is put back,
        not what others have written who came late, too."""
        before = self._until
        written = self._write()
        if written == version + 1:
            return True
        self._until = before
        since = [self._ssm.get_parameter(Name=f"{self._name}:{one}") for one in range(version + 1, written)]
        claims = [json.loads(one["Parameter"]["Value"]) for one in since]
        theirs = [one for one in claims if one.get("token") == claims[0].get("token")]
        self._ssm.put_parameter(Name=self._name, Value=json.dumps(theirs[-1]), Type="String", Overwrite=True)
        return False

    def _write(self, until: datetime | None = None, *, overwrite: bool = True) -> int:
        now = clock.now()
        self._until = until or now + HOLDS
        claim = {
            "token": self._token,
            "by": f"process {os.getpid()} of {socket.gethostname()}",
            "process": os.getpid(),
            "since": now.isoformat(timespec="seconds"),
            "until": self._until.isoformat(timespec="seconds"),
        }
        value = json.dumps(claim)
        answer = self._ssm.put_parameter(Name=self._name, Value=value, Type="String", Overwrite=overwrite)
        return int(answer["Version"])

    def _held(self) -> tuple[dict[str, Any], int]:
        """What stands there, and its version; 0 when nothing does."""
        try:
            found = self._ssm.get_parameter(Name=self._name)["Parameter"]
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise
            return {}, 0
        return json.loads(found["Value"]), int(found["Version"])

    def _is_over(self, held: dict[str, Any]) -> bool:
        over = clock.now() > datetime.fromisoformat(held["until"])
        return over or (self._is_local and not _lives(int(held["process"])))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True


def _numbers(text: str) -> tuple[int, ...]:
    """`0.10.2` as numbers; what follows them (`.dev1`) does not count."""
    found: list[int] = []
    for part in text.split("."):
        if not part.isdigit():
            break
        found.append(int(part))
    return tuple(found)
