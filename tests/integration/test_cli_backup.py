"""`prism backup`, `prism restore` and the asset `backups`. Why real: these are commands that a person types."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.platform import attached
from prism_core.tables import MEMBERS
from prism_resources.aws import client
from prism_resources.tables.store import TableStore
from tests.integration.backup_world import member
from tests.integration.fresh import TODAY, lay_deployed, own_variables, worker_port
from tests.integration.helpers import prism

FIRST = datetime(2026, 1, 5, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with one member, who was renamed an hour later; it is served, so that commands attach to it."""
    folder = tmp_path_factory.mktemp("cli-backup")
    with own_variables() as patch:
        patch.setenv("PRISM_HOME", str(folder))
        patch.setenv("PRISM_FIRST_WEEK", "2018-W33")
        lay_deployed(folder, worker_port(7), TODAY)
        with attached(print, port=worker_port(7), serving=True) as platform:
            store = TableStore(client(platform.settings, "dynamodb"), platform.settings, MEMBERS, MEMBERS.model)
            by: dict[str, Any] = {"actor": "lead-1", "reason": "", "request_id": "r"}
            store.create(member("M-1", "Ana"), now=FIRST, **by)
            renamed = member("M-1", "Anna")
            store.update(renamed, expected_version=1, now=FIRST + timedelta(hours=1), **by)
            platform.announce()
            yield folder


def answered(home: Path, *arguments: str) -> Any:
    answer = prism(home, *arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.mark.slow
def test_a_backup_is_made_listed_verified_restored_and_its_set_dropped(home: Path) -> None:
    made = answered(home, "backup")
    (found,) = answered(home, "backup", "--list")
    whole = answered(home, "backup", "--verify", "newest")
    done = answered(home, "restore", "--at", FIRST.isoformat(), "--tables", "members,changelog")
    sets = answered(home, "restore", "--list")
    with_words = prism(home, "restore", "--at", FIRST.isoformat(), "--tables", "members")
    forgotten = prism(home, "forget", "M-1", "--reason", "asked", "--yes")
    dropped = answered(home, "restore", "--drop", done["name"])

    assert (found["backup_id"], whole["backup_id"], found["problem"]) == (made["backup_id"], made["backup_id"], "")
    assert (made["tables"]["members"], made["tables"]["changelog"], whole["items"]) == (1, 2, made["items"])
    assert {name: (one["items"], one["moved"]) for name, one in done["tables"].items()} == {
        "members": (1, 1), "changelog": (1, 0),
    }  # fmt: skip
    assert [one["name"] for one in sets] == [done["name"]] == ["prism-restored-20260105t070000z"]
    assert "restored and verified" in with_words.stderr
    assert f"rows of before stand in restored sets: {done['name']}; drop each" in " ".join(
        forgotten.stderr.split()
    )
    assert dropped == {"dropped": done["name"], "tables": 2}
    assert answered(home, "restore", "--list") == []


@pytest.mark.slow
def test_the_asset_makes_a_backup_alone_and_in_a_range_of_weeks_with_others(home: Path) -> None:
    before = len(answered(home, "backup", "--list"))

    alone = answered(home, "materialize", "backups", "--weeks", "2018-W33")
    both = answered(home, "materialize", 'key:"backups" or key:"worker_activity"', "--weeks", "2018-W33..2018-W35")

    assert {one["check"]: one["passed"] for one in alone["checks"]} == {
        "backup_readable": True, "no_table_shrank": True,
    }  # fmt: skip
    assert (alone["success"], both["success"], both["errors"]) == (True, True, [])
    assert len(answered(home, "backup", "--list")) == before + 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("backup", "--list", "--verify", "newest"), "--list and --verify at once"),
        (("backup", "--verify", "../x"), "is no backup, such as"),
        (("restore",), "name one of --at INSTANT, --list, --drop SET and --person-keys TABLE"),
        (("restore", "--list", "--tables", "members"), "belong to --at"),
        (("restore", "--at", "2026-01-05T07:00:00"), "no time zone"),
        (("restore", "--at", "2999-01-05T07:00:00Z", "--tables", "members"), "lies in the future"),
        (("restore", "--at", "2026-01-05T07:00:00Z", "--tables", "nothing"), "there is no table 'nothing'"),
        (("restore", "--at", "2026-01-05T07:00:00Z", "--backup", "yesterday"), "is no backup, such as"),
        (("restore", "--drop", "prism"), "'prism' is no restored set; sets are"),
    ],
)
def test_wrong_words_end_with_two_and_say_what_is_wrong(home: Path, arguments: tuple[str, ...], says: str) -> None:
    if "2999-01-05T07:00:00Z" in arguments:
        answered(home, "backup")

    answer = prism(home, *arguments)

    assert answer.returncode == 2
    assert says in " ".join(answer.stderr.split())
    assert answer.stdout == ""
