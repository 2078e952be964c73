"""Whether what was deployed works, seen from outside: every function, the doors of the API, tables and lake.

Belongs here: its steps, and those that are the same in both places. Does not belong here: what AWS adds
(smoke_outside.py), whether figures are right (asset checks) and services outside (`prism doctor`). A person is
made for the length of one step and removed; one event of the deployment stays.
"""

import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from infra.addresses import api_url
from infra.declared import resources
from infra.deploy import STACKS, outputs, template
from infra.smoke_asking import SmokeFailed, ask
from infra.smoke_outside import around, event, page, services, sql
from infra.users import Users
from prism_api.api.calls import WARM_EVENT, Role
from prism_core import clock
from prism_core.failures import PrismFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling
from prism_resources.preflight import CHECKS, preflight
from prism_resources.wire.findings import Level

_READY_SECONDS: Final = 120
_NO_MESSAGES: Final = {"Records": []}
_NO_IMAGE: Final = {"article_id": "none", "image_id": "none", "object_version": "none"}
# What a function answers when it has nothing to do: it was loaded, and its modules and variables are right.
_NOTHING_TO_DO: Final[dict[str, tuple[dict[str, Any], Callable[[Any], bool]]]] = {
    "api": ({WARM_EVENT: True}, lambda said: said["warm"] is True),
    "events-dispatcher": (_NO_MESSAGES, lambda said: said == {"batchItemFailures": []}),
    "images": (_NO_MESSAGES, lambda said: said == {"batchItemFailures": []}),
    "copies": (_NO_IMAGE, lambda said: "not the upload" in said["refused"]),
    "events-step": ({"step": "validate", "pack": {}}, lambda said: said["valid"] == 0),
    "planner": (
        {"do": "candidates", "plan_id": "smoke-test", "line": "none"},
        lambda said: said["status"] in {404, 409, 422},
    ),
}
Told = Callable[[str], None]
Step = Callable[[Settings], Iterator[str]]


def smoke_test(settings: Settings, told: Told = lambda _: None) -> list[str]:
    """What was seen to work, a sentence each behind the name of its step; what the place lacks is said, too.

    Raises SmokeFailed with the first thing that does not work.
    """
    return run_steps(STEPS, settings, told)


def page_test(settings: Settings, told: Told = lambda _: None) -> list[str]:
    """The same of the screens, once they are uploaded."""
    return run_steps({"screens": page}, settings, told)


def run_steps(steps: Mapping[str, Step], settings: Settings, told: Told) -> list[str]:
    seen: list[str] = []
    for name, step in steps.items():
        try:
            for sentence in step(settings):
                told(f"{name}: {sentence}")
                seen.append(f"{name}: {sentence}")
        except PrismFailure as failure:
            raise SmokeFailed(f"smoke test, {name}: {failure}") from failure
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
    for short, (given, is_right) in _NOTHING_TO_DO.items():
        name = f"{settings.name_prefix}-{short}"
        with calling(f"function {name}", "call"):
            answer = functions.invoke(FunctionName=name, Payload=json.dumps(given).encode())
            said = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer or not isinstance(said, dict) or not is_right(said):
            raise SmokeFailed(f"function {name} answers {json.dumps(said)[:500]}; see its log /aws/lambda/{name}")
        yield f"{short} answers"


def _doors(settings: Settings) -> Iterator[str]:
    url = api_url(settings)
    ask(f"{url}/api/projects", 401)
    yield "the API refuses who has no token"
    ask(f"{url}/hooks/smoke-test", 401, body=b"{}")
    yield "the hooks refuse what is not signed"
    ask(f"{url}/public/articles", 200)
    yield "the public reads articles"
    if _asks_everybody_twice(settings):
        yield "skipped: a call of a person, since Mfa is ON and a made-up one has no second factor"
        return
    users = Users(settings)
    # `.example` belongs to nobody (RFC 2606), and the beginning satisfies every rule of the pool.
    password = f"Smoke-1-{secrets.token_urlsafe(18)}"
    account = users.add(f"smoke-{uuid.uuid4().hex}@prism.example", Role.ANALYST, password=password)
    try:
        ask(f"{url}/api/projects", 200, token=users.token(account.email, password))
    finally:
        users.remove(account)
    yield "the API answers who has one"


def _asks_everybody_twice(settings: Settings) -> bool:
    pool = outputs(settings, "api")["UserPoolId"]
    with calling("the user pool", "look at"):
        found = client(settings, "cognito-idp").describe_user_pool(UserPoolId=pool)["UserPool"]
    return found.get("MfaConfiguration") == "ON"


STEPS: Final[Mapping[str, Step]] = {
    "data": _data,
    "functions": _functions,
    "idle calls": _idle,
    "doors": _doors,
    "way around": around,
    "events": event,
    "sql": sql,
    "dagster": services,
}
