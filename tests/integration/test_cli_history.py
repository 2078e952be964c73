"""`prism as-of` and `prism forget` from outside. Why real: these are commands that a person types."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.platform import Platform, attached
from infra.users import Users, link_member, member_to_link
from prism_api.api.calls import Role
from prism_core.models.people import Availability, Member
from prism_core.models.projects import Project
from prism_core.tables import AVAILABILITY, MEMBERS, PROJECTS
from prism_resources.aws import client
from prism_resources.tables.store import TableStore
from tests.integration.fresh import TODAY, lay_deployed, own_variables, worker_port
from tests.integration.helpers import prism

# The far past of a command that runs today: two changes a week apart.
FIRST, SECOND = datetime(2026, 1, 5, 7, tzinfo=UTC), datetime(2026, 1, 12, 7, tzinfo=UTC)
# What a terminal library takes for markup.
MARKUP = "work [/x] y [draft] z"


def member(member_id: str, name: str) -> Member:
    return Member.model_validate(
        {
            "member_id": member_id,
            "name": name,
            "email": f"{name}@example.org",
            "time_zone": "UTC",
            "hours": {"mon": "8"},
        }
    )


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with two members; one was renamed a week later, when the other was deleted."""
    folder = tmp_path_factory.mktemp("cli-history")
    with own_variables() as patch:
        patch.setenv("PRISM_HOME", str(folder))
        patch.setenv("PRISM_FIRST_WEEK", "2018-W33")
        lay_deployed(folder, worker_port(7), TODAY)
        with attached(print, port=worker_port(7), serving=True) as platform:
            dynamodb = client(platform.settings, "dynamodb")
            members = TableStore(dynamodb, platform.settings, MEMBERS, Member)
            by: dict[str, Any] = {"actor": "lead-1", "reason": "", "request_id": "r"}
            ana = members.create(member("M-1", "Ana"), now=FIRST, **by)
            bea = members.create(member("M-2", "Bea"), now=FIRST, **by)
            members.update(ana.model_copy(update={"name": "Anna"}), expected_version=1, now=SECOND, **by)
            members.delete(bea, expected_version=1, now=SECOND, **by)
            absences = TableStore(dynamodb, platform.settings, AVAILABILITY, Availability)
            off = {"member_id": "M-1", "date": "2026-01-05", "hours_off": "8", "reason": "arthroscopy"}
            absences.create(Availability.model_validate(off), now=FIRST, **by)
            projects = TableStore(dynamodb, platform.settings, PROJECTS, Project)
            labels = {"project_id": "P-1", "name": MARKUP, "category": "text", "demand_hours": "8"}
            projects.create(Project.model_validate(labels), now=FIRST - timedelta(days=14), **by)
            platform.flush()
            platform.announce()
            yield platform


@pytest.fixture(scope="module")
def home(serving: Platform) -> Path:
    return serving.home.root


def as_of(home: Path, at: datetime, *arguments: str) -> Any:
    answer = prism(home, "as-of", "members", "--at", at.isoformat(), "--json", *arguments)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_a_table_is_printed_as_it_was(home: Path) -> None:
    assert as_of(home, FIRST - timedelta(seconds=1)) == []
    assert [(row["member_id"], row["name"], row["version"]) for row in as_of(home, FIRST)] == [
        ("M-1", "Ana", 1),
        ("M-2", "Bea", 1),
    ]
    assert [row["name"] for row in as_of(home, SECOND)] == ["Anna"]


def test_one_item_is_printed_as_it_was(home: Path) -> None:
    assert as_of(home, FIRST, "--key", "M-2")[0]["email"] == "Bea@example.org"

    gone = prism(home, "as-of", "members", "--at", SECOND.isoformat(), "--key", "M-2")

    assert gone.returncode == 1
    assert "members M-2 did not exist" in gone.stderr


def test_brackets_of_a_name_are_printed_as_they_stand(home: Path) -> None:
    answer = prism(home, "as-of", "projects", "--at", FIRST.isoformat())

    assert answer.returncode == 0, answer.stderr
    assert MARKUP in answer.stdout


def test_csv_holds_the_same_items_with_nested_values_as_json(home: Path) -> None:
    answer = prism(home, "as-of", "members", "--at", "2026-01-05T08:00:00+01:00", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(answer.stdout)))
    assert [(row["name"], row["hours"]) for row in rows] == [
        ("Ana", '{"mon": "8.00"}'),
        ("Bea", '{"mon": "8.00"}'),
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("as-of", "nothing", "--at", "2026-01-05T07:00:00Z"), "there is no table 'nothing'"),
        (("as-of", "throughput", "--at", "2026-01-05T07:00:00Z"), "kept generations of the lake"),
        (("as-of", "members", "--at", "2026-01-05T07:00:00"), "no time zone"),
        (("as-of", "members", "--at", "yesterday"), "is not an instant"),
        (("as-of", "members", "--at", "2999-01-05T07:00:00Z"), "lies in the future"),
        (
            ("as-of", "allocations", "--at", "2026-01-05T07:00:00Z", "--key", "M-1"),
            "a key is written allocations/",
        ),
        (("as-of", "members", "--at", "1970-01-01T00:00:00Z"), "nothing is known of before 2000-01-01"),
        (("as-of", "members", "--at", "0001-01-01T00:00:00Z"), "nothing is known of before 2000-01-01"),
        (("as-of", "members"), "Missing option"),
        (("changes", "nothing", "--since", "2026-W02"), "there is no table 'nothing'"),
        (("changes", "throughput", "--since", "2026-W02"), "throughput has no changes"),
        (("changes", "--since", "2026-W60"), "2026 has weeks W01 to W53"),
        (("changes", "--since", "2026-01-05"), "no time zone"),
        (("changes", "--since", "2999-W01"), "lies in the future"),
        (("changes", "--since", "2026-W03", "--until", "2026-W02"), "lies before --since"),
        (("changes", "--since", "2026-W02", "--net", "--by", "lead-1"), "leave out --by"),
        (("forget", "M-1", "--reason", "asked"), "repeat it with --yes"),
        (("forget", "M-1", "--reason", " ", "--yes"), "--reason is empty"),
        (("forget", "M-1", "--reason", "Anna asked", "--yes"), "names the person"),
        (("forget", "--reason", "asked", "--yes"), "one of them only"),
        (("forget", "M-1", "--request", "r-1", "--reason", "asked", "--yes"), "one of them only"),
        (("forget", "--recipient", "x-9", "--reason", "asked", "--yes"), "no recipient 'x-9'"),
        (("forget", "--request", "r-9", "--reason", "asked", "--yes"), "no request 'r-9'"),
        (("forget", "M-9", "--reason", "asked", "--yes"), "no member 'M-9'"),
        (("forget-member", "M-1"), "--reason is missing"),
        (("forget-member", "M-1", "--reason", "asked"), "M-1 was not typed"),
        (("forget-member", "M-1", "--reason", "Anna asked", "--yes"), "names the person"),
        (("forget-member", "M-9", "--dry-run"), "no member 'M-9'"),
    ],
)
def test_wrong_words_end_with_two_and_say_what_is_wrong(home: Path, arguments: tuple[str, ...], says: str) -> None:
    answer = prism(home, *arguments)

    assert answer.returncode == 2
    assert says in " ".join(answer.stderr.split())
    assert answer.stdout == "" or "forgetting M-1" in answer.stdout  # shown before the question


def changes(home: Path, *arguments: str) -> Any:
    answer = prism(home, "changes", *arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_what_changed_since_a_week_and_by_whom_is_listed_newest_first_over_all_tables(home: Path) -> None:
    everything = changes(home, "--since", "2026-W02", "--until", "2026-W03")
    late = changes(home, "members", "--since", SECOND.isoformat())

    assert {(one["item_key"], one["operation"]) for one in everything[:2]} == {
        ("members/M-1", "update"),
        ("members/M-2", "delete"),
    }
    assert {one["item_key"] for one in everything[2:]} == {
        "members/M-1",
        "members/M-2",
        "availability/M-1/2026-01-05",
    }
    renamed = next(one for one in late if one["operation"] == "update")
    assert (renamed["actor"], renamed["instant"]) == ("lead-1", "2026-01-12T07:00:00.000000Z")
    assert renamed["changes"] == {"name": {"before": "Ana", "after": "Anna"}}
    assert len(late) == 2
    assert changes(home, "members", "--since", "2026-W02", "--by", "nobody") == []


def test_the_net_difference_has_one_row_an_item(home: Path) -> None:
    whole = changes(home, "members", "--since", "2026-W02", "--net")
    second = changes(home, "members", "--since", "2026-W03", "--net")

    assert [(one["item_key"], one["operation"], one["writes"]) for one in whole] == [("members/M-1", "create", 2)]
    assert whole[0]["changes"]["name"] == {"after": "Anna"}
    assert [(one["item_key"], one["operation"]) for one in second] == [
        ("members/M-1", "update"),
        ("members/M-2", "delete"),
    ]


def test_csv_and_table_have_a_row_a_field(home: Path) -> None:
    answer = prism(home, "changes", "members", "--since", "2026-W03", "--format", "csv")
    shown = prism(home, "changes", "members", "--since", "2026-W03")

    rows = list(csv.DictReader(io.StringIO(answer.stdout)))
    (renamed,) = [row for row in rows if row["operation"] == "update"]
    assert (renamed["field"], renamed["before"], renamed["after"], renamed["actor"]) == (
        "name",
        "Ana",
        "Anna",
        "lead-1",
    )
    assert {row["after"] for row in rows if row["operation"] == "delete"} == {""}
    assert "Anna" in shown.stdout
    assert "2 items" in shown.stderr


def test_who_is_forgotten_is_shown_first_and_then_forgotten_in_the_past_too_and_in_every_file_of_the_home(
    home: Path, serving: Platform
) -> None:
    users, emails = Users(serving.settings), ("anna@example.org", "first@example.org", "cara@example.org")
    anew, first, cara = (users.add(one, Role.ANNOTATOR, password="Signs-in-1-here") for one in emails)
    members = TableStore(client(serving.settings, "dynamodb"), serving.settings, MEMBERS, Member)
    by: dict[str, Any] = {"actor": "t", "reason": "", "request_id": "t", "now": SECOND}
    members.create(member("M-3", "Cara"), **by)
    by["request_id"] = "t3"
    for number, (name, account) in enumerate((("M-1", first), ("M-1", anew), ("M-3", cara))):
        of = member_to_link(serving.settings, name)
        link_member(serving.settings, of, account, actor="t", request_id=f"t{number}", now=SECOND)
    gone = member_to_link(serving.settings, "M-3")
    members.delete(gone, expected_version=gone.version, **by)

    shown = prism(home, "forget-member", "M-1", "--dry-run", "--json")

    assert json.loads(shown.stdout) == {
        "member_id": "M-1",
        "items": [
            {"item": "members/M-1", "becomes": "deleted", "log_entries": 2},
            {"item": "availability/M-1/2026-01-05", "becomes": "blanked", "log_entries": 1},
        ],
        "account": True,
        "restored_sets": [],
    }
    assert as_of(home, SECOND, "--key", "M-1")[0]["name"] == "Anna"

    done = prism(home, "forget-member", "M-1", "--reason", "asked for it", "--yes", "--json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {"member_id": "M-1", "deleted": 1, "blanked": 1, "key": True, "account": True}
    # Whose row was deleted before can sign in for as long as they have an account.
    assert json.loads(prism(home, "forget-member", "M-3", "--reason", "too", "--yes", "--json").stdout) == {
        "member_id": "M-3", "deleted": 0, "blanked": 0, "key": True, "account": True,
    }  # fmt: skip
    assert [email for email in emails if users.find(email) is not None] == []
    (last, *_) = changes(home, "members", "--since", "2026-W04")
    assert (last["item_key"], last["operation"], last["reason"]) == ("members/M-1", "delete", "asked for it")
    then = {row["member_id"]: row for row in as_of(home, SECOND)}
    assert (then["M-1"]["name"], then["M-1"]["email"]) == ("forgotten", "forgotten")
    assert then["M-1"]["hours"] == {"mon": "8.00"}
    assert as_of(home, FIRST, "--key", "M-2")[0]["name"] == "Bea"
    serving.flush()
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"M-1" in kept
    words = (b"Anna", b"Ana@example.org", b"arthroscopy", b"Cara", *(email.encode() for email in emails))
    assert [word for word in words if word in kept] == []
