"""Whether what was deployed works, seen from outside: every function, the doors of the API, tables and lake.

Belongs here: calls that change nothing, the same in both places. Does not belong here: whether figures are right
(asset checks) and services outside (`prism doctor`). A person is made for the length of one check and removed.
"""

import json
import secrets
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

from infra.declared import resources
from infra.deploy import STACKS, outputs, template
from infra.users import Users
from prism_api.api.calls import WARM_EVENT, Role
from prism_core import clock
from prism_core.failures import PermanentFailure
from prism_core.settings import Environment, Settings
from prism_resources.aws import client
from prism_resources.failures import calling
from prism_resources.preflight import CHECKS, preflight
from prism_resources.wire.findings import Level

_SECONDS: Final = 35
_READY_SECONDS: Final = 120
_NO_MESSAGES: Final = {"Records": []}
# What a function answers when it has nothing to do: it was loaded, and its modules and variables are right.
_NOTHING_TO_DO: Final[dict[str, tuple[dict[str, Any], Callable[[Any], bool]]]] = {
    "api": ({WARM_EVENT: True}, lambda said: said["warm"] is True),
    "events-dispatcher": (_NO_MESSAGES, lambda said: said == {"batchItemFailures": []}),
    "images": (_NO_MESSAGES, lambda said: said == {"batchItemFailures": []}),
    "events-step": ({"step": "validate", "pack": {}}, lambda said: said["valid"] == 0),
    "planner": (
        {"do": "candidates", "plan_id": "smoke-test", "line": "none"},
        lambda said: said["status"] in {404, 409, 422},
    ),
}
Told = Callable[[str], None]


class SmokeFailed(PermanentFailure):
    """What was deployed does not work; the message says which part, and what it answered."""


def api_url(settings: Settings) -> str:
    """Where the HTTP API answers."""
    if settings.environment is Environment.AWS:
        # The way through the firewall: the functions answer nobody else.
        return outputs(settings, "web")["ScreensUrl"]
    api = outputs(settings, "api")["ApiId"]
    return f"{str(settings.aws_endpoint_url).rstrip('/')}/_aws/execute-api/{api}/$default"


def smoke_test(settings: Settings, told: Told = lambda _: None) -> list[str]:
    """What was seen to work, a sentence each. Raises SmokeFailed with the first thing that does not."""
    seen: list[str] = []
    for check in (_data, _functions, _idle, _doors):
        for sentence in check(settings):
            told(sentence)
            seen.append(sentence)
    return seen


def _data(settings: Settings) -> Iterator[str]:
    for finding in preflight(settings, clock.now(), checks={name: CHECKS[name] for name in ("tables", "lake")}):
        if finding.level is Level.FAILED:
            raise SmokeFailed(f"{finding.subject}: {finding.sentence}")
        yield finding.sentence


def function_names(settings: Settings) -> list[str]:
    """The functions of all templates by their full names."""
    return [
        resource["Properties"]["FunctionName"].replace("${NamePrefix}", settings.name_prefix)
        for concern in STACKS
        for resource in resources(template(concern)).values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]


def _functions(settings: Settings) -> Iterator[str]:
    functions = client(settings, "lambda")
    names = function_names(settings)
    for name in names:
        found = _settled(functions, name)
        with calling(f"function {name}", "look at"):
            fed = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        if found["State"] != "Active" or found["LastUpdateStatus"] != "Successful":
            reason = found.get("StateReason") or found.get("LastUpdateStatusReason") or "no reason given"
            raise SmokeFailed(f"function {name} is {found['State']}, {found['LastUpdateStatus']}: {reason}")
        for one in fed:
            if one["State"] not in {"Enabled", "Enabling", "Creating", "Updating"}:
                raise SmokeFailed(f"function {name} is not fed from {one['EventSourceArn']}: {one['State']}")
    yield f"{len(names)} functions are ready"


def _settled(functions: Any, name: str) -> dict[str, Any]:
    """A function once Lambda has taken its new code in, which goes on after the stack is done."""
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        with calling(f"function {name}", "look at"):
            found = {"State": "Active", "LastUpdateStatus": "Successful"} | functions.get_function_configuration(
                FunctionName=name
            )
        moving = found["State"] == "Pending" or found["LastUpdateStatus"] == "InProgress"
        if not moving or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def _idle(settings: Settings) -> Iterator[str]:
    functions = client(settings, "lambda")
    for short, (event, is_right) in _NOTHING_TO_DO.items():
        name = f"{settings.name_prefix}-{short}"
        with calling(f"function {name}", "call"):
            answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
            said = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer or not isinstance(said, dict) or not is_right(said):
            raise SmokeFailed(f"function {name} answers {json.dumps(said)[:500]}; see its log /aws/lambda/{name}")
        yield f"{short} answers"


def _doors(settings: Settings) -> Iterator[str]:
    url = api_url(settings)
    _ask(f"{url}/api/projects", 401)
    yield "the API refuses who has no token"
    _ask(f"{url}/hooks/smoke-test", 401, body=b"{}")
    yield "the hooks refuse what is not signed"
    _ask(f"{url}/public/articles", 200)
    yield "the public reads articles"
    users = Users(settings)
    # `.example` belongs to nobody (RFC 2606), and the beginning satisfies every rule of the pool.
    password = f"Smoke-1-{secrets.token_urlsafe(18)}"
    account = users.add(f"smoke-{uuid.uuid4().hex}@prism.example", Role.ANALYST, password=password)
    try:
        _ask(f"{url}/api/projects", 200, token=users.token(account.email, password))
    finally:
        users.remove(account)
    yield "the API answers who has one"


def _ask(url: str, wanted: int, *, token: str | None = None, body: bytes | None = None) -> None:
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - the address is ours
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            status, said = answer.status, answer.read(500)
    except urllib.error.HTTPError as error:
        status, said = error.code, error.read(500)
    except OSError as error:
        raise SmokeFailed(f"{url} does not answer: {error}") from error
    if status != wanted:
        raise SmokeFailed(f"{url} answers {status} instead of {wanted}: {said.decode(errors='replace')}")
