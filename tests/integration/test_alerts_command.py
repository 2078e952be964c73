"""`prism alerts` on a platform with a few items: what the rules say now, and what one would have told before."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Project, Request
from prism_core.models.reports import Recipient, ReportKind
from prism_core.models.work import Allocation
from prism_core.tables import ALLOCATIONS, AVAILABILITY, MEMBERS, PROJECTS, RECIPIENTS, REQUESTS, TableSpec
from prism_resources.alerts.digests import WEEKLY
from prism_resources.aws import client
from prism_resources.letters import Letter
from prism_resources.mailing import Mailing
from prism_resources.tables.bulk import batch_write, put_request
from prism_resources.tables.codec import encode
from prism_resources.tables.store import TableStore
from tests.integration.fresh import commands_of_this_file
from tests.integration.helpers import prism
from tests.integration.test_emulator_contract_mail import received, sink

platform = commands_of_this_file()
NOW = "2026-11-24T12:00:00Z"  # a Tuesday of 2026-W48
MEMBER = {
    "member_id": "m-1",
    "name": "Synthetic Member",
    "email": "m-1@example.com",
    "hours": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "8.00"),
    "time_zone": "UTC",
}
PROJECT = {"project_id": "p-1", "name": "Synthetic lidar", "category": "raw-lidar", "demand_hours": "10.00"}
REQUEST = {
    "request_id": "r-1",
    "status": "triaged",
    "due_date": "2026-11-11",
    "hours": "6.00",
    "requester": "Synthetic Requester",
    "reason": "more",
    "created": "2026-11-02T08:00:00Z",
    "project_id": "p-1",
}
OFF = {"member_id": "m-1", "date": "2026-11-26", "hours_off": "8.00", "status": "approved"}
CHANGES = ReportKind.ALLOCATION_CHANGES
PLANNED = {
    "member_id": "m-1",
    "week": "2026-W48",
    "project_id": "p-1",
    "hours": {"2026-11-23": "4.00", "2026-11-26": "4.00"},
}
ITEMS: list[tuple[TableSpec, Any]] = [
    (MEMBERS, Member.model_validate(MEMBER)),
    (PROJECTS, Project.model_validate(PROJECT)),
    (AVAILABILITY, Availability.model_validate(OFF)),
    (ALLOCATIONS, Allocation.model_validate(PLANNED)),
]


@pytest.fixture(scope="module", autouse=True)
def items(platform: Platform) -> None:
    for spec, item in ITEMS:
        table = platform.settings.table_name(spec.name)
        batch_write(client(platform.settings, "dynamodb"), table, [put_request(encode(spec, item))])
    requests = TableStore(client(platform.settings, "dynamodb"), platform.settings, REQUESTS, Request)
    request = Request.model_validate(REQUEST)
    # With its change, so that past weeks know it, too.
    requests.create(request, actor="lead-1", reason="test", request_id="test-1", now=request.created)


def run(platform: Platform, *words: str, now: str = NOW) -> Any:
    first = platform.settings.first_week.label
    return prism(platform.settings.home, *words, first_week=first, PRISM_NOW=now)


def test_the_day_off_that_is_planned_and_the_request_that_is_overdue_are_told(platform: Platform) -> None:
    answer = run(platform, "alerts", "--json")

    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    subjects = {one["rule"]: [finding["subject"] for finding in one["findings"]] for one in found["rules"]}
    assert found["week"] == "2026-W48"
    assert (len(subjects["ooto_conflict"]), subjects["late_request"]) == (1, ["requests/r-1"])

    told = run(platform, "alerts")
    assert told.returncode == 0, told.stderr
    assert "ooto_conflict" in told.stdout


def test_a_backtest_over_weeks_of_the_lake_says_when_a_request_became_late(platform: Platform) -> None:
    missing = run(platform, "alerts", "--backtest", "late_request", "--weeks", "2026-W45..2026-W46")
    assert missing.returncode == 2
    assert "2026-W45" in missing.stderr
    exported = run(platform, "export", "--weeks", "2026-W45..2026-W47")
    assert exported.returncode == 0, exported.stderr

    answer = run(platform, "alerts", "--backtest", "late_request", "--weeks", "2026-W45..2026-W47", "--json")

    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert [(one["subject"], one["opened"], one["closed"]) for one in found["episodes"]] == [
        ("requests/r-1", "2026-11-16T06:00:00+00:00", None)
    ]
    assert (found["cases"]["all"], found["cases"]["wrong"]) == (13, [])
    assert found["feedback"] == {"judged": 0, "useful": 0}
    planted = found["planted"]
    assert (planted["synthetic_weeks"], planted["false"], planted["missed"]) == (200, 0, 0)
    assert planted["right"] > 200
    shown = run(platform, "alerts", "--backtest", "late_request", "--weeks", "2026-W45..2026-W47")
    said = f"({planted['right']} of {planted['right']})"
    expected = f"planted cases, 200 synthetic weeks: precision 100.0 % {said}, recall 100.0 % {said}"
    assert expected in " ".join(shown.stdout.split())


def test_a_week_that_has_just_ended_is_not_due_and_it_is_said_from_when_on(platform: Platform) -> None:
    monday = "2026-11-02T02:30:00Z"  # the export of 2026-W44 runs at 04:30

    missing = run(platform, "alerts", "2026-W44", now=monday)
    exported = run(platform, "export", "--weeks", "2026-W44", now=monday)
    early = run(platform, "alerts", "2026-W44", "--json", now=monday)
    later = run(platform, "alerts", "2026-W44", "--json", now="2026-11-02T06:00:00Z")

    assert missing.returncode == 2
    told = " ".join(missing.stderr.split())
    assert "the lake has no projects of 2026-W44; due at Monday 06:00 UTC; before that, `prism export" in told
    assert exported.returncode == early.returncode == later.returncode == 0
    assert "not due yet: the figures of 2026-W44 are complete at Monday 06:00 UTC" in early.stderr
    assert "not due" not in later.stderr
    assert json.loads(early.stdout) == json.loads(later.stdout)


def test_what_is_kept_is_told_once_by_the_command(platform: Platform, tmp_path: Path) -> None:
    wanted = {"recipient_id": "ada", "name": "Ada", "email": "ada@example.com", "time_zone": "UTC"}
    ada = Recipient.model_validate(wanted | {"subscriptions": [{"report": "alerts_daily"}]})
    table = platform.settings.table_name(RECIPIENTS.name)
    batch_write(client(platform.settings, "dynamodb"), table, [put_request(encode(RECIPIENTS, ada))])

    kept = run(platform, "alerts", "--store", "--json")
    with sink(platform, tmp_path):
        first, second = (run(platform, "alerts", "--send", "--json") for _ in range(2))
        mails = [(to, message["Subject"]) for to, message in received(tmp_path)]
    shown = run(platform, "alerts", "--send")

    assert kept.returncode == 0, kept.stderr
    counts, told, again = (json.loads(one.stdout) for one in (kept, first, second))
    assert counts["rules"]["late_request"] == {"new": 1, "open": 1, "over": 0}
    assert (counts["edition"], told["edition"], again["edition"]) == (None, "alerts_daily-2026-W48-1", None)
    assert [one["status"] for one in told["deliveries"]] == ["sent"]
    assert mails == [(("ada@example.com",), "PRISM alerts: 2 new")]
    assert "nothing is new" in shown.stdout
    past = run(platform, "alerts", "2026-W47", "--store")
    assert (past.returncode, "kept as of now" in past.stderr) == (2, True)


def test_an_edition_that_is_not_to_be_sent_is_withdrawn_once(platform: Platform) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    letter = Letter(("nobody",), "Alerts", "lost")
    edition = Mailing(platform.settings).prepare(WEEKLY, Week.of(now), "Alerts", [letter], now=now)

    first, again, unknown = (
        run(platform, "deliveries", *words, "--withdraw")
        for words in ([edition.edition_id], [edition.edition_id], ["alerts_weekly-2026-W48-99"])
    )

    assert (first.returncode, again.returncode, unknown.returncode) == (0, 2, 2), first.stderr
    assert "it is withdrawn" in again.stderr
    assert "there is no such edition" in unknown.stderr
    assert Mailing(platform.settings).open(Week.of(now), WEEKLY) == []


def test_a_refused_mail_about_a_week_to_come_is_sent_again_when_a_person_says_so(
    platform: Platform, tmp_path: Path
) -> None:
    week, now = Week.parse("2026-W50"), datetime(2026, 11, 24, 12, tzinfo=UTC)
    letter = Letter(("m-1",), "Your hours", "changed")
    edition = Mailing(platform.settings).prepare(CHANGES, week, "Changed", [letter], now=now)
    unverified = platform.settings.model_copy(update={"mail_sender": "nobody@example.com"})
    refused = Mailing(unverified).deliver(edition, now=now)

    with sink(platform, tmp_path):
        answer = run(platform, "deliveries", edition.edition_id, "m-1", "--settle", "again", "--json")
        mails = received(tmp_path)

    assert [one.status.value for one in refused.deliveries] == ["failed"]
    assert [one["status"] for one in json.loads(answer.stdout)["deliveries"]] == ["sent"]
    assert [message["Subject"] for _, message in mails] == ["Your hours"]


def test_a_backtest_needs_its_weeks_and_weeks_that_have_ended(platform: Platform) -> None:
    for words, says in (
        (("--backtest", "late_request"), "belong together"),
        (("--backtest", "late_request", "--weeks", "2026-W47..2026-W48"), "has not ended"),
        (("2026-W47", "--backtest", "late_request", "--weeks", "2026-W46..2026-W46"), "not of one week more"),
    ):
        refused = run(platform, "alerts", *words)
        assert refused.returncode == 2
        assert says in refused.stderr
