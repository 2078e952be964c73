"""Every command of the runbooks, as it is written there.

Why real: at night nobody finds out whether a page still holds. The commands are read from the pages, and run
against a served platform with what its page speaks of: weeks, events, tokens, backups.
"""

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.app import application
from infra.local.platform import Platform, attached
from infra.local.serving import outside
from infra.local.standins.serving import home_tokens, put_credentials
from prism_core import clock
from prism_core.calendar import Week
from prism_core.lake_tables import lake_table
from prism_core.models.people import Member
from prism_core.privacy import PERSON_KEYS
from prism_core.tables import MEMBERS
from prism_resources.aws import client
from prism_resources.backup.sets import creation
from prism_resources.lake import Lake
from prism_resources.tables.bulk import scan_pages
from prism_resources.tables.store import TableStore
from tests.integration.fresh import lay_deployed, own_variables, worker_port
from tests.integration.helpers import REAL_FILES
from tests.integration.outside import ADS_FILE

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# A command that says what is wrong ends with 1 by design; its page says so beside it.
MAY_END_WITH_ONE = "ends with 1 when"
RAISED = -1
WEEK = "2018-W34"
COPY = "recovered-keys"
TYPE = "com.example.labelled"
SCHEMA = {"type": "object", "properties": {"seconds": {"type": "number"}}, "required": ["seconds"]}
CORRECTED = {**SCHEMA, "properties": {"seconds": {"type": ["number", "string"]}}}


def commands(page: Path) -> list[str]:
    """The lines of the shell blocks of a page."""
    blocks = [body for kind, body in FENCE.findall(page.read_text(encoding="utf-8")) if kind == "sh"]
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A served platform, mail and services outside included, that begins in 2018."""
    with own_variables() as patch:
        home = tmp_path_factory.mktemp("runbooks")
        lay_deployed(home, worker_port(7), clock.this_week())
        patch.setenv("PRISM_HOME", str(home))
        patch.setenv("PRISM_FIRST_WEEK", "2018-W33")
        patch.setenv("COLUMNS", "200")
        with attached(print, port=worker_port(7), serving=True, beside=outside) as running:
            put_credentials(running.settings, home_tokens(running.home))
            running.announce()
            yield running


@pytest.fixture(scope="module")
def folder(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the commands are typed: the files that pages speak of lie there."""
    here, before = tmp_path_factory.mktemp("typed"), Path.cwd()
    tokens = home_tokens(platform.home)
    written = {
        "labelled.json": SCHEMA,
        "corrected.json": CORRECTED,
        "meta.json": {"access_token": tokens.meta, "app_id": "1", "app_secret": tokens.app_secret},
        "hubspot.json": {"access_token": tokens.hubspot},
        "claude.json": {"api_key": tokens.claude},
    }
    for name, value in written.items():
        (here / name).write_text(json.dumps(value))
    (here / "ads.csv").write_bytes(ADS_FILE.read_bytes())
    (here / "activity.jsonl").write_bytes(REAL_FILES[0].read_bytes())
    os.chdir(here)
    yield here
    os.chdir(before)


def run(line: str) -> tuple[int, str]:
    """A command in this process: each of its own would take three seconds more."""
    program, *arguments = shlex.split(line, comments=True)
    assert program == "prism", f"{line}: a runbook's commands are those of prism"
    done = CliRunner().invoke(application(), arguments)
    unexpected = not isinstance(done.exception, SystemExit | None)  # wrong words are one, too
    return RAISED if unexpected else done.exit_code, f"{done.output}\n{done.exception!r}"


def _nothing(platform: Platform) -> None:
    del platform


def _a_member(platform: Platform) -> None:
    store = TableStore(client(platform.settings, "dynamodb"), platform.settings, MEMBERS, Member)
    ana = Member(member_id="M-1", name="Ana", email="ana@example.org", time_zone="UTC")
    if store.get(member_id="M-1") is None:
        store.create(ana, actor="test", reason="", request_id="ana", now=clock.now() - timedelta(minutes=2))


def _keys_recovered_beside(platform: Platform) -> None:
    _a_member(platform)
    dynamodb = client(platform.settings, "dynamodb")
    dynamodb.create_table(**creation(PERSON_KEYS, COPY))
    for page in scan_pages(dynamodb, platform.settings.table_name(PERSON_KEYS.name), 1):
        for row in page:
            dynamodb.put_item(TableName=COPY, Item=row)


def _weeks(platform: Platform) -> None:
    del platform
    if not Path("loaded").exists():
        assert run(f"prism ingest worker-activity {' '.join(map(str, REAL_FILES))}")[0] == 0
        Path("loaded").touch()


def _published(platform: Platform) -> None:
    _weeks(platform)
    if Lake(platform.settings).manifest(lake_table("throughput").partition(Week.parse(WEEK))) is None:
        assert run(f"prism materialize throughput --weeks {WEEK}")[0] == 0


def _failed_events(platform: Platform) -> None:
    del platform
    run(f"prism events schema add {TYPE} 1-0-0 labelled.json")  # the second page finds it there
    number = len(list(Path().glob("sent-*.json")))
    sent = [
        {
            "specversion": "1.0",
            "id": f"{number}-{value}",
            "source": "/tool",
            "type": TYPE,
            "data": {"seconds": value},
        }
        for value in (1, "ten")
    ]
    Path(f"sent-{number}.json").write_text(json.dumps(sent))
    run(f"prism events send sent-{number}.json")


def _a_producer_that_signs(platform: Platform) -> None:
    del platform
    assert run("prism events producer add shop")[0] == 0


PREPARED: dict[str, Callable[[Platform], None]] = {
    "failed-week": _weeks,
    "backfill": _weeks,
    "restore": _keys_recovered_beside,
    "replay": _failed_events,
    "schema-mistake": _failed_events,
    "ses-sandbox": _published,
    "token-rotation": _a_producer_that_signs,
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_runbook_does_what_the_page_says(page: Path, platform: Platform, folder: Path) -> None:
    del folder
    PREPARED.get(page.stem, _nothing)(platform)
    instant = f"{clock.now() - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    words = {"FIRST": "2018-W33", "WEEK": WEEK, "INSTANT": instant, "TYPE": TYPE, "NAME": "shop", "COPY": COPY}
    failed: list[str] = []

    for line in commands(page):
        if re.search(r"\bSET\b", line):
            words["SET"] = json.loads(CliRunner().invoke(application(), ["restore", "--list", "--json"]).stdout)[
                0
            ]["name"]
        typed = re.sub(r"\b[A-Z]{3,}\b", lambda found: words.get(found[0], found[0]), line)
        code, told = run(typed)
        if code not in ((0, 1) if MAY_END_WITH_ONE in line else (0,)):
            failed.append(f"{typed}: {code}\n{told}")

    assert not failed, "\n".join(failed)


def test_every_page_has_commands_a_row_in_the_list_and_says_whom_to_tell() -> None:
    listed = (RUNBOOKS / "README.md").read_text(encoding="utf-8")

    assert [page.stem for page in PAGES if f"[{page.stem}]({page.name})" not in listed] == []
    assert [page.stem for page in PAGES if not commands(page)] == []
    assert [page.stem for page in PAGES if "\nWhom to tell: " not in page.read_text(encoding="utf-8")] == []
    kinds = {kind for page in PAGES for kind, _ in FENCE.findall(page.read_text(encoding="utf-8"))}
    assert kinds == {"sh"}, "what is not run is no command: write it as prose"
