"""One deployment at a time, and which version made the last one.

Belongs here: two parameters of Systems Manager, which are there before any stack is: who deploys at this moment,
and what was deployed. CloudFormation itself lets nobody change a stack twice at once, but two deployments could
still take turns. Does not belong here: the deployment (deploy.py).
"""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.deploy_failures import DeployRunning, NewerDeployment
from prism_core import clock
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code

OURS: Final = version("prism-platform")
# Longer than a stack takes; a deployment renews its own with every stack.
HOLDS: Final = timedelta(minutes=75)


def lock_name(settings: Settings) -> str:
    return f"/{settings.name_prefix}/deploying"


def record_name(settings: Settings) -> str:
    return f"/{settings.name_prefix}/deployed"


@contextmanager
def only_deployment(settings: Settings) -> Iterator[Callable[[], None]]:
    """Nobody else deploys during the block; gives what renews that. Raises DeployRunning when somebody does.

    What a killed deployment left holds for an hour and a quarter, but not on the machine that it was killed on.
    One that lasted longer than that may find that another one has begun, and leaves the claim of that one.
    """
    ssm, name = client(settings, "ssm"), lock_name(settings)
    with calling(f"parameter {name}", "write"):
        if not _taken(ssm, name):
            held = _read(ssm, name)
            if held is not None and not _is_over(held):
                raise DeployRunning(
                    f"{held['by']} deploys here since {held['since']}; wait for its end. If it was killed, deploy "
                    f"again after {held['until']}, or delete the parameter {name}"
                )
            ssm.delete_parameter(Name=name)
            if not _taken(ssm, name):
                raise DeployRunning("somebody else has just begun to deploy here; wait for its end")
    try:
        yield lambda: ssm.put_parameter(Name=name, Value=_claim(), Type="String", Overwrite=True)
    finally:
        with calling(f"parameter {name}", "delete"):
            held = _read(ssm, name)
            if held is not None and (held["host"], held["process"]) == (socket.gethostname(), os.getpid()):
                ssm.delete_parameter(Name=name)


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


def _taken(ssm: Any, name: str) -> bool:
    try:
        ssm.put_parameter(Name=name, Value=_claim(), Type="String", Overwrite=False)
    except ClientError as error:
        if error_code(error) != "ParameterAlreadyExists":
            raise
        return False
    return True


def _claim() -> str:
    now = clock.now()
    return json.dumps(
        {
            "by": f"process {os.getpid()} of {socket.gethostname()}",
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": now.isoformat(timespec="seconds"),
            "until": (now + HOLDS).isoformat(timespec="seconds"),
        }
    )


def _read(ssm: Any, name: str) -> dict[str, Any] | None:
    try:
        return json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error_code(error) != "ParameterNotFound":
            raise
        return None


def _is_over(held: dict[str, Any]) -> bool:
    if clock.now() > datetime.fromisoformat(held["until"]):
        return True
    return held["host"] == socket.gethostname() and not _lives(int(held["process"]))


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
