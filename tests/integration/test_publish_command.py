"""`prism plan --store`, `plans`, `publish` and `unpublish`, with the mails of those whose hours change."""

import json
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import pytest

from infra.local.platform import Platform
from prism_core.models.alerts import Plan, PlanStatus
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Project
from prism_core.models.reports import Recipient
from prism_core.models.work import Allocation
from prism_core.tables import ALLOCATIONS, AVAILABILITY, MEMBERS, PLANS, PROJECTS, RECIPIENTS
from prism_resources.aws import client
from prism_resources.tables.store import TableStore
from tests.integration.fresh import commands_of_this_file
from tests.integration.helpers import prism
from tests.integration.publishing_world import WHO
from tests.integration.test_emulator_contract_mail import received, sink

platform = commands_of_this_file()
WEEK = "2030-W10"
DAYS = ("mon", "tue", "wed", "thu", "fri")


@pytest.fixture
def mailbox(platform: Platform, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "mail"
    folder.mkdir()
    with sink(platform, folder):
        yield folder


def run(platform: Platform, *words: str) -> Any:
    return prism(platform.settings.home, *words, first_week=platform.settings.first_week.label)


def answer(platform: Platform, *words: str) -> Any:
    done = run(platform, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def body_of(mail: EmailMessage, kind: Literal["plain", "html"]) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def create(platform: Platform, spec: Any, values: dict[str, Any]) -> None:
    store = TableStore(client(platform.settings, "dynamodb"), platform.settings, spec, spec.model)
    store.create(spec.model.model_validate(values), request_id=spec.name, **WHO)


def stored_before(platform: Platform, plan_id: str, as_id: str) -> str:
    """A stored plan under another name, as somebody else made it from the same week."""
    store = TableStore(client(platform.settings, "dynamodb"), platform.settings, PLANS, Plan)
    plan = store.get(plan_id=plan_id)
    assert plan is not None
    said: dict[str, Any] = {"plan_id": as_id, "status": PlanStatus.DRAFT, "published": None, "published_by": None}
    store.create(plan.model_copy(update=said), request_id=as_id, **WHO)
    return as_id


def test_a_plan_is_stored_published_told_once_and_taken_back(platform: Platform, mailbox: Path) -> None:
    for number in (1, 2):
        member = {
            "member_id": f"m-{number}",
            "name": "A Person",
            "email": f"m-{number}@example.org",
            "time_zone": "UTC",
            "hours": dict.fromkeys(DAYS, "8.00"),
        }
        create(platform, MEMBERS, Member.model_validate(member).plain())
    project = {"project_id": "p-1", "name": "Synthetic <maps>", "category": "raw", "demand_hours": "60.00"}
    create(platform, PROJECTS, Project.model_validate(project).plain())
    # The second one has said which reports to get, and this is none of them.
    silent = {"recipient_id": "r-2", "name": "A Person", "email": "r-2@example.org", "member_id": "m-2"}
    create(platform, RECIPIENTS, Recipient.model_validate(silent | {"time_zone": "UTC"}).plain())
    old = {"member_id": "m-1", "week": WEEK, "project_id": "p-1", "hours": {"2030-03-04": "2.50"}}
    create(platform, ALLOCATIONS, Allocation.model_validate(old).plain())

    plan_id = answer(platform, "plan", WEEK, "--store")["plan_id"]
    assert answer(platform, "plan", WEEK, "--store")["plan_id"] == plan_id
    listed = answer(platform, "plans", WEEK)
    assert (listed["published"], [one["plan_id"] for one in listed["plans"]]) == (None, [plan_id])

    away = {
        "member_id": "m-1",
        "date": "2030-03-05",
        "hours_off": "8.00",
        "status": "approved",
        "reason": "vacation",
    }
    create(platform, AVAILABILITY, Availability.model_validate(away).plain())
    outdated = run(platform, "publish", plan_id)
    assert outdated.returncode == 1
    assert "m-1 has no hours on 2030-03-05" in " ".join(outdated.stderr.split())
    plan_id = answer(platform, "plan", WEEK, "--store")["plan_id"]

    done = answer(platform, "publish", plan_id, "--reason", "planned on Friday")

    assert (done["published"]["publication"], done["published"]["state"]) == (1, "settled")
    assert {one["member_id"] for one in done["changes"]} == {"m-1", "m-2"}
    assert done["mails"] == {"sent": 1}
    statuses = {one["plan_id"]: one["status"] for one in answer(platform, "plans", WEEK)["plans"]}
    assert statuses[plan_id] == "published"
    ((to, mail),) = received(mailbox)
    assert to == ("m-1@example.org",)
    text = body_of(mail, "plain")
    assert "Synthetic <maps>" in text
    assert "before: Mon 2.5" in text
    assert "allocation_changes" in text
    assert "Synthetic &lt;maps&gt;" in body_of(mail, "html")

    again = run(platform, "publish", plan_id)
    assert again.returncode == 0, again.stderr
    assert "publication 1 of 2030-W10: plan" in again.stdout
    assert len(received(mailbox)) == 1
    late = run(platform, "publish", plan_id, "--over", "7")
    assert late.returncode == 1
    assert "publication 1 stands" in late.stderr

    # A second one that was made before is told of the first, and may say that it goes over it.
    other = stored_before(platform, plan_id, "plan-other")
    second = run(platform, "publish", other)
    assert second.returncode == 1
    said = " ".join(second.stderr.split())
    assert "was at publication 0 when it was looked at, and publication 1 stands" in said
    assert f"prism publish {other} --over 1" in said
    assert answer(platform, "plans", WEEK)["published"]["plan_id"] == plan_id

    back = answer(platform, "unpublish", WEEK)
    assert (back["published"]["publication"], back["published"]["undoes"], back["mails"]) == (2, 1, {"sent": 1})
    said = run(platform, "plans", WEEK)
    assert "publication 2 of 2030-W10: no plan" in said.stdout
    assert "publication 1 taken back" in said.stdout
    assert plan_id in said.stdout  # whole, as the headers are, however narrow the terminal is
    assert all(header in said.stdout for header in ("status", "scenario", "planned", "open h", "made by"))
    assert answer(platform, "unpublish", WEEK)["published"]["publication"] == 2
    assert len(received(mailbox, 2)) == 2
    forth = answer(platform, "unpublish", WEEK, "--over", "2")
    assert (forth["published"]["publication"], forth["published"]["plan_id"]) == (3, plan_id)
    anew = answer(platform, "plan", WEEK, "--store")["plan_id"]
    made = {one["plan_id"]: one["over"] for one in answer(platform, "plans", WEEK)["plans"]}
    assert (made[plan_id], made[other], made[anew]) == (0, 0, 3)
    assert answer(platform, "publish", anew)["published"]["publication"] == 4
    assert answer(platform, "publish", other, "--over", "4")["published"]["publication"] == 5
    assert answer(platform, "publish", other)["published"]["publication"] == 5  # its own call again


def test_a_what_if_with_other_demand_is_published_only_where_that_is_meant(
    platform: Platform, mailbox: Path, tmp_path: Path
) -> None:
    week = "2030-W20"
    person = {"member_id": "m-9", "name": "A Person", "email": "m-9@example.org", "time_zone": "UTC"}
    hours = {"hours": dict.fromkeys(DAYS, "8.00")}
    create(platform, MEMBERS, Member.model_validate(person | hours).plain())
    project = {"project_id": "p-9", "name": "Synthetic rivers", "category": "raw", "demand_hours": "4.00"}
    create(platform, PROJECTS, Project.model_validate(project).plain())
    doubled, steered = tmp_path / "doubled.json", tmp_path / "steered.json"
    doubled.write_text(json.dumps({"name": "twice as much", "demand": [{"project_id": "p-9", "factor": 2}]}))
    steered.write_text(json.dumps({"name": "no pins", "no_pins": True}))
    supposed = answer(platform, "plan", week, "--store", "--scenario", str(doubled))["plan_id"]
    meant = answer(platform, "plan", week, "--store", "--scenario", str(steered))["plan_id"]

    refused = run(platform, "publish", supposed)
    done = answer(platform, "publish", supposed, "--what-if")
    other = answer(platform, "publish", meant, "--over", "1")

    assert refused.returncode == 2
    said = " ".join(refused.stderr.split())
    assert "is a what-if, 'twice as much': it supposes what is not so (demand)" in said
    assert "--what-if" in said
    assert (done["published"]["plan_id"], other["published"]["plan_id"]) == (supposed, meant)


def test_what_is_not_there_is_neither_published_nor_taken_back(platform: Platform) -> None:
    unknown = run(platform, "publish", "plan-9")
    assert unknown.returncode == 2
    assert "plan-9" in unknown.stderr
    nothing = run(platform, "unpublish", "2031-W01")
    assert nothing.returncode == 2
    assert "no plan of 2031-W01 was published" in run(platform, "plans", "2031-W01").stdout
