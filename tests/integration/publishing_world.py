"""A week with rows by people and two plans of it, and processes that publish them and die.

Belongs here: what the tests of publishing share. Does not belong here: what is asserted.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from multiprocessing.context import ForkServerProcess
from typing import Any, Final

from prism_core.calendar import Week
from prism_core.models.people import Member
from prism_core.models.projects import Project
from prism_core.models.work import Allocation
from prism_core.publications import Days, Pair, pair_of
from prism_core.settings import Settings
from prism_core.tables import ALLOCATIONS, MEMBERS, PROJECTS, TableSpec
from prism_resources.aws import client
from prism_resources.plans.publishing import Overtaken, Publisher
from prism_resources.tables.store import TableStore, Write
from tests.integration import warm

MEMBERS_OF_PLAN: Final = tuple(f"m-{number:02}" for number in range(40))
PROJECTS_OF_PLAN: Final = ("p-1", "p-2", "p-3", "p-4")
NOW: Final = datetime(2026, 1, 5, 7, tzinfo=UTC)
WHO: Final = {"actor": "lead-1", "reason": "test", "now": NOW}
Planned = dict[Pair, Days]


def store(settings: Settings, spec: TableSpec = ALLOCATIONS) -> Any:
    """The store of a table. A test knows what is there, so nothing it reads is ever None to the type checker."""
    return TableStore(client(settings, "dynamodb"), settings, spec, spec.model)


def people(settings: Settings) -> None:
    """The members and projects of every week."""
    for number, member in enumerate(MEMBERS_OF_PLAN):
        values = {"member_id": member, "name": f"Ana {number}", "email": "a@example.org", "time_zone": "UTC"}
        store(settings, MEMBERS).create(Member.model_validate(values), request_id=member, **WHO)
    for project in PROJECTS_OF_PLAN:
        values = {"project_id": project, "name": project, "category": "raw", "demand_hours": "10"}
        store(settings, PROJECTS).create(Project.model_validate(values), request_id=project, **WHO)


def row(week: Week, member: str, project: str, **fields: Any) -> Allocation:
    base = {"member_id": member, "project_id": project, "week": week, "hours": {week.monday: Decimal(4)}}
    return Allocation.model_validate(base | fields)


def rows_of_people(settings: Settings, week: Week) -> dict[Pair, Days]:
    """A hundred rows by people, some pinned; answers their hours."""
    rows = [
        row(week, member, project, pinned=number % 9 == 0)
        for number, member in enumerate(MEMBERS_OF_PLAN)
        for project in (PROJECTS_OF_PLAN[:3] if number % 2 else PROJECTS_OF_PLAN[:2])
    ]
    table = store(settings)
    for start in range(0, len(rows), 50):
        writes = [Write(one, 0, unused=True) for one in rows[start : start + 50]]
        table.transact(writes, request_id=f"{week}-{start}", **WHO)
    return {pair_of(one): one.hours for one in rows}


def plan(week: Week, hours: int, first: int = 1) -> Planned:
    """A plan that adds, changes and takes away rows: everybody on two projects from the first on."""
    return {
        (member, project): {week.days[1]: Decimal(hours), week.days[2]: Decimal(1)}
        for member in MEMBERS_OF_PLAN
        for project in PROJECTS_OF_PLAN[first : first + 2]
    }


def published(planned: Mapping[Pair, Days], week: Week, before: Mapping[Pair, Days]) -> dict[Pair, Days]:
    """What is there when a plan is published over the rows of people: the pins stay."""
    pins = {pair: hours for pair, hours in before.items() if MEMBERS_OF_PLAN.index(pair[0]) % 9 == 0}
    return {**planned, **pins}


def hours_of(settings: Settings, week: Week) -> dict[Pair, Days]:
    """The week, as its readers see it."""
    return {pair_of(one): one.hours for one in store(settings).query("by_week", week=week)}


# -- processes that die ----------------------------------------------------------------------------------


def start(target: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    process = warm.process(target, *arguments)
    process.start()
    return process


def publishing(settings_text: str, week: str, plan_id: str, hours: int, expected: int, die_at: int = 0) -> None:
    """Publish in a process of its own, which is killed at its n-th call or answer of a service."""
    settings = Settings.model_validate_json(settings_text)
    calls = dying(settings, die_at)
    wanted = Week.parse(week)
    try:
        done = Publisher(settings).publish(
            wanted, plan_id, plan(wanted, hours), actor="lead-1", reason="soon", expected=expected
        )
    except Overtaken as overtaken:
        said: dict[str, Any] = {"overtaken": str(overtaken), "changes": len(overtaken.changes)}
    else:
        said = {"publication": done.pointer.publication, "changes": len(done.changes)}
    sys.stdout.write(json.dumps(said | {"plan": plan_id, "calls": calls()}) + "\n")
    sys.stdout.flush()


def undoing(settings_text: str, week: str, expected: int, die_at: int) -> None:
    """Take a publication back in a process of its own, which is killed at its n-th call or answer."""
    settings = Settings.model_validate_json(settings_text)
    dying(settings, die_at)
    Publisher(settings).undo(Week.parse(week), actor="lead-1", expected=expected)


def dying(settings: Settings, die_at: int) -> Callable[[], int]:
    """Kill this process at its n-th call or answer of a service (0: never); answers how many there were."""
    seen = 0

    def count(**_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    for service in ("dynamodb", "s3"):
        events = client(settings, service).meta.events
        events.register("before-send", count)
        events.register("response-received", count)
    return lambda: seen
