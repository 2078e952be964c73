"""What the commands answer to odd wishes. Why real: a traceback, or an option nobody read, shows only here."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.deploy import ON_AWS, STACKS
from infra.local.home import Home, Ports
from infra.local.serving import require_free
from prism_core.failures import PermanentFailure
from prism_core.settings import LOCAL_SENDER
from prism_resources.aws import LOCAL_KEY
from tests.integration.fresh import served, worker_port
from tests.integration.helpers import PRISM, prism, record, seconds, write_lines

AT = seconds("2018-08-14T10:00:00+00:00")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("answers") / "home"
    assert prism(made, "up", "--once", "--no-sample", "--port", str(worker_port(6))).returncode == 0
    with served(made):
        yield made


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("up", "--sample", "4", "--no-sample"), "name one"),
        (("up", "--port", "80"), "Invalid value for '--port'"),
        (("up", "--port", "65530"), "Invalid value for '--port'"),
        (("materialize", "throughput", "--weeks", ""), "'' is not a week"),
        (("materialize", "throughput", "--anew", "lost"), "name --weeks"),
        (("materialize", "throughput", "--weeks", "2018-W33", "--anew", " "), "say why"),
        (("materialize", "(("), "Invalid selection string"),
        (("export", "--weeks", "2018-W32"), "2018-W32 lies before 2018-W33, the first week of the settings"),
        (("export", "--weeks", "2999-W01"), "2999-W01 is to come"),
        (("export", "--tables", "nothing"), "the lake has no table 'nothing'; valid ones are"),
        (("export", "--tables", "throughput"), "computed by an asset of the same name"),
        (("query", "SELECT " + "(" * 20_000), "nested too deeply"),
        (("ingest", "worker-activity", "--start-over", "2018-W33"), "name files to load"),
        (("ingest", "worker-activity", "--start-over", "2018-W33", "/nowhere.jsonl"), "nothing was dropped"),
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_meant_is_bad_usage(home: Path, arguments: tuple[str, ...], says: str) -> None:
    answer = prism(home, *arguments)

    assert answer.returncode == 2, answer.stderr
    assert says in " ".join(answer.stderr.split())
    assert "Traceback" not in answer.stderr


def test_a_first_week_after_the_running_one_decides_nothing(tmp_path: Path) -> None:
    new = tmp_path / "home"
    arguments = ("up", "--once", "--no-sample", "--port", str(worker_port(7)))

    refused = prism(new, *arguments, first_week="2026-W30", PRISM_NOW="2026-07-12T10:00:00Z")
    taken = prism(new, *arguments, first_week="2026-W28", PRISM_NOW="2026-07-12T10:00:00Z")

    assert (refused.returncode, taken.returncode) == (2, 0), taken.stderr
    assert "lies after the running week, 2026-W28" in refused.stderr


def test_a_clock_in_the_future_has_its_own_running_week(home: Path) -> None:
    ahead = {"PRISM_NOW": f"{datetime.now(UTC).year + 1}-07-01T10:00:00Z"}
    week = datetime.fromisoformat(ahead["PRISM_NOW"]).strftime("%G-W%V")

    answer = prism(home, "materialize", "throughput", "--weeks", week, "--json", **ahead)

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["weeks"] == week


def test_a_sample_that_comes_too_late_is_said_and_json_stands_alone(home: Path) -> None:
    answer = prism(home, "up", "--once", "--sample", "3", "--json")

    assert answer.returncode == 0
    assert "count on the first start only" in " ".join(answer.stderr.split())
    assert json.loads(answer.stdout)["synthetic"] is False


def test_a_pipe_of_the_shell_and_impossible_names_need_no_traceback(home: Path, tmp_path: Path) -> None:
    good = write_lines(tmp_path / "good.jsonl.gz", [record(AT), record(AT + 1)], zipped=True)
    odd = os.fsencode(tmp_path) + b"/caf\xe9[red].jsonl"
    write_lines(Path(os.fsdecode(odd)), [b"broken"])
    environment = os.environ | {"PRISM_HOME": str(home), "PRISM_FIRST_WEEK": "2018-W33", "COLUMNS": "200"}
    script = '"$0" ingest worker-activity <(zcat "$1") "$2" "$3"'
    shell = ["bash", "-c", script, PRISM, str(good), odd, str(tmp_path / ("n" * 300))]

    answer = subprocess.run(shell, env=environment, capture_output=True, timeout=120, check=False)

    assert answer.returncode == 1, answer.stderr
    assert b"Traceback" not in answer.stderr
    assert b"caf\\xe9[red].jsonl" in answer.stdout
    (rejects,) = sorted((home / "rejects").glob("worker-activity-*.jsonl"))[-1:]
    rows = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert ["File name too long" in row["reason"] for row in rows] == [False, True]


def test_brackets_of_the_data_are_no_markup(home: Path) -> None:
    answer = prism(home, "query", "SELECT '[red]x[/red]' AS \"[bold]a\", '[/]' AS b")

    assert answer.returncode == 0, answer.stderr
    assert all(text in answer.stdout for text in ("[red]x[/red]", "[bold]a", "[/]"))


def test_a_week_that_was_started_over_is_computed_anew(home: Path, tmp_path: Path) -> None:
    at = seconds("2018-08-21T10:00:00+00:00")
    one = write_lines(tmp_path / "one.jsonl", [record(at), record(at + 1)])
    two = write_lines(tmp_path / "two.jsonl", [record(at + 2)])
    prism(home, "ingest", "worker-activity", str(one))
    prism(home, "materialize", "throughput", "--weeks", "2018-W34")

    again = prism(home, "ingest", "worker-activity", "--start-over", "2018-W34", str(two), "--json")
    kept = prism(home, "materialize", "throughput", "--weeks", "2018-W34")
    anew = prism(home, "materialize", "throughput", "--weeks", "2018-W34", "--anew", "a wrong export")

    assert json.loads(again.stdout)["total"]["loaded"] == 1
    assert "dropped 2 objects" in again.stderr
    assert kept.returncode == 1
    assert "records_conserved" in kept.stderr
    assert anew.returncode == 0, anew.stderr
    answer = prism(
        home, "query", "SELECT sum(tasks_submitted) AS n FROM throughput WHERE week = '2018-W34'", "--json"
    )
    assert json.loads(answer.stdout) == [{"n": 1}]


def as_on_aws(home: Path) -> dict[str, str]:
    """The variables of somebody who operates AWS, whose calls are answered by the embedded one of `home`."""
    return {
        "PRISM_ENVIRONMENT": "aws",
        "PRISM_REGION": "us-east-1",
        "PRISM_ACCOUNT_ID": "000000000000",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{Home(home).ports().emulator}",
        "AWS_ACCESS_KEY_ID": LOCAL_KEY,
        "AWS_SECRET_ACCESS_KEY": LOCAL_KEY,
        "PRISM_MAIL_SENDER": LOCAL_SENDER,  # which is deployed
    }


@pytest.mark.parametrize(
    ("arguments", "asset"),
    [
        (("materialize", "throughput", "--weeks", "2018-W33..2018-W34", "--because", "late file"), "throughput"),
        (("report", "ops", "2018-W33"), "key:operations_report"),
    ],
)
def test_on_aws_a_run_is_asked_for_in_dagster_and_none_is_recorded_here(
    home: Path, tmp_path: Path, arguments: tuple[str, ...], asset: str
) -> None:
    desk = tmp_path / "desk"  # who operates AWS has a home, too, and Dagster of AWS does not read it

    answer = prism(desk, *arguments, **as_on_aws(home))

    said = " ".join(answer.stderr.split())
    assert answer.returncode == 2, answer.stderr
    assert "a run is started in Dagster, which keeps it; nothing was started here. In its page" in said
    assert f"select {asset}, Materialize, the partitions 2018-08-13" in said
    assert ("prism/because = late file" in said) is ("--because" in arguments)
    assert list((desk / "dagster").rglob("*.db")) == []


def test_on_aws_a_command_is_refused_whose_shards_weeks_or_sender_are_not_those_that_are_deployed(
    home: Path, tmp_path: Path
) -> None:
    others = {"PRISM_CHANGELOG_SHARDS": "3", "PRISM_FIRST_WEEK": "2018-W34", "PRISM_MAIL_SENDER": ""}

    since = ("--since", "2018-08-20T00:00:00Z")
    answer = prism(tmp_path / "desk", "changes", "members", *since, **as_on_aws(home) | others)

    said = " ".join(answer.stderr.split())
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "PRISM_CHANGELOG_SHARDS is 3 here and 4 there; PRISM_FIRST_WEEK is 2018-W34 here and 2018-W33" in said
    assert f"PRISM_MAIL_SENDER is nothing here and {LOCAL_SENDER} there" in said


def test_on_aws_the_status_is_that_of_the_stacks(home: Path, tmp_path: Path) -> None:
    told = prism(tmp_path / "desk", "status", **as_on_aws(home))
    facts = json.loads(prism(tmp_path / "desk", "status", "--json", **as_on_aws(home)).stdout)
    elsewhere = prism(tmp_path / "desk", "status", **as_on_aws(home) | {"PRISM_ACCOUNT_ID": "1" * 12})

    assert told.returncode == 0, told.stderr
    assert [words in told.stdout for words in ("prism-data", "CREATE_COMPLETE", "not deployed")] == [True] * 3
    assert {facts["stacks"][one] for one in STACKS} == {"CREATE_COMPLETE"}
    assert {facts["stacks"][one] for one in ON_AWS} == {"not deployed"}  # the embedded one has none of these
    assert facts["running"] is False
    assert facts["addresses"]["tokens of producers"].endswith(".amazoncognito.com/oauth2/token")
    assert elsewhere.returncode == 1
    assert "PRISM_ACCOUNT_ID is 111111111111" in " ".join(elsewhere.stderr.split())


@pytest.mark.parametrize(("offset", "what"), [(0, "the screens"), (2, "the mailbox"), (4, "the SMTP sink")])
def test_a_taken_port_is_named_with_what_it_is_for_before_anything_starts(
    tmp_path: Path, offset: int, what: str
) -> None:
    home, ports = Home(tmp_path), Ports(worker_port(9))
    require_free(home, ports)

    with (
        socket.create_server(("127.0.0.1", ports.base + offset)),
        pytest.raises(PermanentFailure, match=f"port {ports.base + offset}, where {what} of .* is taken"),
    ):
        require_free(home, ports)
