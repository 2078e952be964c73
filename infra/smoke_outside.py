"""What the smoke test asks of the parts that AWS adds, and of the whole way of an event.

Belongs here: the way around CloudFront, the page through it, Dagster's services, SQL, an event from the door to
its table. A step that the place lacks says so. Does not belong here: functions, tables and doors (smoke.py).
"""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from infra.addresses import api_url
from infra.deploy import outputs, stack_of
from infra.smoke_asking import SmokeFailed, ask, asked
from infra.users import Users
from prism_core import clock
from prism_core.events.outcomes import Outcome
from prism_core.events.versions import SchemaVersion
from prism_core.settings import Environment, Settings
from prism_core.version import VERSION
from prism_resources.aws import client
from prism_resources.events.receipts import Receipts
from prism_resources.events.schema_store import SchemaStore
from prism_resources.failures import calling
from prism_resources.lake import Lake
from prism_resources.query.engine import query_engine

# What every deployment sends, for good: when which version came here.
DEPLOYED: Final = "prism.deployed"
_VERSION: Final = SchemaVersion.parse("1-0-0")
_SCHEMA: Final = {
    "type": "object",
    "required": ["version"],
    "properties": {"version": {"type": "string"}},
}
_SERVICES: Final = ("code", "web", "daemon")
_STEADY_SECONDS: Final = 300
_STORED_SECONDS: Final = 90


def around(settings: Settings) -> Iterator[str]:
    """The API's own address answers nobody."""
    if settings.environment is Environment.LOCAL:
        yield "skipped: there is no CloudFront here that somebody could go around"
        return
    host = f"{outputs(settings, 'api')['ApiId']}.execute-api.{settings.region}.amazonaws.com"
    # No token is asked for here, so that the answer is that of the function.
    ask(f"https://{host}/public/articles", 403)
    yield "the API's own address refuses who has not come through CloudFront"


def page(settings: Settings) -> Iterator[str]:
    """The screens through CloudFront, once they are uploaded."""
    if settings.environment is Environment.LOCAL:
        yield "skipped: the front door of `prism up` serves the screens here"
        return
    url = api_url(settings)
    if b"<div id=" not in ask(f"{url}/", 200):
        raise SmokeFailed(f"{url}/ answers something else than the page of the screens")
    if b"client_id" not in ask(f"{url}/config.json", 200):
        raise SmokeFailed(f"{url}/config.json does not say who signs people in")
    yield f"{url} answers with the page of the screens"


def services(settings: Settings) -> Iterator[str]:
    """Dagster's services run what was deployed."""
    if settings.environment is Environment.LOCAL:
        yield "skipped: `prism up` runs Dagster here, and no service does"
        return
    if stack_of(settings, "dagster").before() is None or outputs(settings, "dagster")["DagsterRuns"] == "no":
        yield "skipped: Dagster has no service yet; it gets them with DagsterImage"
        return
    yield await_steady(settings, _STEADY_SECONDS)


def await_steady(settings: Settings, seconds: float) -> str:
    """Wait until every service runs as many tasks as it should, all of the newest definition.

    Raises SmokeFailed with what ECS says of the first that does not.
    """
    cluster = f"{settings.name_prefix}-dagster"
    names, ecs = [f"{cluster}-{one}" for one in _SERVICES], client(settings, "ecs")
    deadline = time.monotonic() + seconds
    while True:
        with calling(f"services of {cluster}", "look at"):
            found = ecs.describe_services(cluster=cluster, services=names)["services"]
        there = {one["serviceName"]: one for one in found if one.get("status") == "ACTIVE"}
        moving = [name for name in names if name not in there or not _is_steady(there[name])]
        if not moving:
            return f"{len(names)} services of Dagster are steady"
        if time.monotonic() > deadline:
            one: Any = there.get(moving[0])
            raise SmokeFailed(f"service {moving[0]} is not steady after {seconds:.0f} s: {_said(one)}")
        time.sleep(min(5.0, seconds / 10))


def _is_steady(one: Any) -> bool:
    return one["runningCount"] == one["desiredCount"] > 0 and len(one.get("deployments", ())) <= 1


def _said(one: Any) -> str:
    if one is None:
        return "there is none; look at the stack dagster"
    events = one.get("events") or [{}]
    return (
        f"{one['runningCount']} of {one['desiredCount']} tasks run; {events[0].get('message', 'ECS says no more')}"
    )


def sql(settings: Settings) -> Iterator[str]:
    """A question to the engine of the place over one week, which reads little or nothing."""
    week = settings.first_week.label
    answer = query_engine(settings, Lake(settings)).query(
        f"SELECT count(*) AS found FROM members WHERE week = '{week}'"  # noqa: S608 - a week is a label
    )
    where = f" in the workgroup {settings.workgroup}" if settings.environment is Environment.AWS else ""
    yield f"SQL is answered by {answer.engine}{where}"


def event(settings: Settings) -> Iterator[str]:
    """An event of this deployment goes the whole way: taken, queued, judged, stored."""
    store = SchemaStore(settings)
    if not store.versions(DEPLOYED):
        store.add(
            DEPLOYED,
            _VERSION,
            json.dumps(_SCHEMA).encode(),
            by="prism deploy",
            now=clock.now(),
            about={"note": "which version was deployed; the smoke test sends one"},
        )
    body = {
        "specversion": "1.0",
        "id": uuid.uuid4().hex,
        "source": "/prism/deploy",
        "type": DEPLOYED,
        "data": {"version": VERSION},
    }
    status, said = asked(
        f"{api_url(settings)}/api/events",
        token=Users(settings).producer_token(),
        body=json.dumps(body).encode(),
        media="application/cloudevents+json",
    )
    rows = json.loads(said).get("rows", []) if status == 202 else []
    if not rows or "receipt" not in rows[0]:
        raise SmokeFailed(f"an event is not taken: {status}: {said.decode(errors='replace')}")
    outcome = _settled(settings, rows[0]["receipt"], datetime.fromisoformat(rows[0]["accepted_at"]))
    if outcome is not Outcome.STORED:
        raise SmokeFailed(
            f"the event {rows[0]['receipt']} was taken and is {outcome or 'nowhere'} after {_STORED_SECONDS} s; "
            "see `prism events failed`, and the logs of the functions events-dispatcher and events-step"
        )
    yield "an event was taken and is stored"


def _settled(settings: Settings, receipt: str, accepted_at: datetime) -> Outcome | None:
    receipts, deadline = Receipts(settings), time.monotonic() + _STORED_SECONDS
    while time.monotonic() < deadline:
        found = receipts.get(receipt, accepted_at)
        if found is not None and found.outcome is not None and found.outcome.is_final:
            return found.outcome
        time.sleep(0.2)
    return None
