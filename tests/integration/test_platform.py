"""A serving platform from outside. Why real: sockets, locks, file modes and signals are the subject."""

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.served import Served
from infra.local.emulator.process import REPOSITORY
from prism_core.calendar import WeekRange
from tests.integration.emulators import await_true
from tests.integration.fresh import worker_port
from tests.integration.helpers import PRISM, REAL_FILES, descendants, prism

TOKEN_FREE = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
LISTEN = "0A"
LOOPBACK_V4, LOOPBACK_V6 = "0100007F", "00000000000000000000000001000000"


class Serving:
    """A `prism up` in a process of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.home, self.log, self.port = folder / "home", folder / "up.log", port

    def start(self) -> "Serving":
        environment = TOKEN_FREE | {"PRISM_HOME": str(self.home), "PRISM_FIRST_WEEK": "2018-W33"}
        command = [PRISM, "up", "--no-sample", "--port", str(self.port)]
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(
                command, env=environment, cwd=REPOSITORY, stdout=log, stderr=log, start_new_session=True
            )
        await_true(self._is_up, 240, every=0.2)
        return self

    def _is_up(self) -> bool:
        assert self.child.poll() is None, self.log.read_text()
        return b"PRISM is up" in self.log.read_bytes()

    def end(self) -> None:
        for pid in descendants(self.child.pid):
            with contextlib.suppress(ProcessLookupError):  # a snapshot's process comes and goes
                os.kill(pid, signal.SIGKILL)
        self.child.wait(120)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    made = Serving(tmp_path_factory.mktemp("serving"), worker_port(8)).start()
    yield made
    if made.child.poll() is None:
        made.end()


def command_of(pid: int) -> bytes:
    """Nothing for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def listeners(pids: list[int]) -> set[tuple[str, int]]:
    """The listening TCP sockets of processes: hexadecimal address and port, as the kernel shows them."""
    inodes = set[str]()
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                found = re.fullmatch(r"socket:\[(\d+)\]", str(handle.readlink()))
            except FileNotFoundError:
                continue
            if found:
                inodes.add(found[1])
    sockets = set[tuple[str, int]]()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN and fields[9] in inodes:
                address, _, port = fields[1].partition(":")
                sockets.add((address, int(port, 16)))
    return sockets


@pytest.mark.slow
def test_no_socket_listens_on_anything_but_loopback(serving: Serving) -> None:
    found = listeners(descendants(serving.child.pid))

    assert {serving.port + offset for offset in range(5)} <= {port for _, port in found}
    assert {address for address, _ in found} <= {LOOPBACK_V4, LOOPBACK_V6}


@pytest.mark.slow
def test_nothing_below_the_home_can_be_read_by_others(serving: Serving) -> None:
    modes = dict[Path, int]()
    below = [Path(at, name) for at, folders, files in os.walk(serving.home) for name in folders + files]
    for path in [serving.home, *below]:
        with contextlib.suppress(FileNotFoundError):  # the platform runs: a file of its work may be gone by now
            modes[path] = path.lstat().st_mode

    open_to_others = [path for path, mode in modes.items() if not stat.S_ISLNK(mode) and mode & 0o077]

    folders_closed = {path for path, mode in modes.items() if stat.S_ISDIR(mode) and not mode & 0o077}
    assert serving.home in folders_closed
    assert [path for path in open_to_others if not any(up in folders_closed for up in path.parents)] == []


@pytest.mark.slow
def test_the_environment_of_the_user_does_not_reach_the_emulator(serving: Serving) -> None:
    emulator, *_ = [  # the others are its snapshots: copies of itself that come and go
        pid for pid in descendants(serving.child.pid) if b"infra.local.emulator.server" in command_of(pid)
    ]

    names = {
        line.partition(b"=")[0].decode() for line in Path(f"/proc/{emulator}/environ").read_bytes().split(b"\0")
    }

    assert not {name for name in names if name.startswith("PRISM_")}
    assert "TMPDIR" in names
    assert serving.home.joinpath("token").read_text().strip() not in str(
        Path(f"/proc/{emulator}/environ").read_bytes()
    )


@pytest.mark.slow
def test_status_tells_where_everything_is(serving: Serving) -> None:
    facts = json.loads(prism(serving.home, "status", "--json").stdout)

    assert (facts["running"], facts["ready"], facts["home"]) == (True, True, str(serving.home))
    assert set(facts["addresses"]) == {"screens", "api", "dagster", "mailbox", "embedded AWS", "stand-ins"}


@pytest.mark.slow
def test_the_api_answers_a_token_at_the_address_that_status_tells(serving: Serving) -> None:
    address = json.loads(prism(serving.home, "status", "--json").stdout)["addresses"]["api"]
    token = prism(serving.home, "token", "lead").stdout.strip()

    answer = httpx.get(f"{address}/projects", headers={"Authorization": f"Bearer {token}"}, timeout=60)

    assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})


@pytest.mark.slow
def test_a_second_up_leaves_the_platform_alone_and_gives_its_summary_as_json_alone(serving: Serving) -> None:
    again = prism(serving.home, "up", "--json")

    assert again.returncode == 0
    assert json.loads(again.stdout)["home"] == str(serving.home)
    assert "is running already" in again.stderr
    assert "PRISM is up" in again.stderr
    assert serving.child.poll() is None


@pytest.mark.slow
def test_a_reset_of_a_serving_platform_is_refused(serving: Serving) -> None:
    answer = prism(serving.home, "reset", "--yes")

    assert answer.returncode == 1
    assert "is in use" in answer.stderr
    assert serving.home.joinpath("token").exists()


@pytest.mark.slow
def test_a_backfill_over_the_range_turns_its_partitions_and_checks_green_in_one_run(serving: Serving) -> None:
    """As the Dagster UI asks for it: daemon, run launcher and storage decide what turns green."""
    served, weeks = Served(serving.home, serving.port), WeekRange.parse("2018-W33..2018-W36")
    assert prism(serving.home, "ingest", "worker-activity", *map(str, REAL_FILES)).returncode == 0

    backfill = served.backfill(["worker_activity", "throughput"], weeks)

    throughput = served.assets()["throughput"]
    assert (backfill.status, len(backfill.runs)) == ("COMPLETED_SUCCESS", 1)
    assert throughput.ranges == [{"startKey": weeks.first.key, "endKey": weeks.last.key, "status": "MATERIALIZED"}]
    assert throughput.verdicts == {
        "records_conserved": True,
        "no_negative_figures": True,
        "late_records": True,
        "raw_input_complete": True,
        "lake_follows_table": True,
        "partition_whole": True,
        "unresolved_share": False,  # the warning is right: nobody has resolved these workers
    }


@pytest.mark.slow
def test_a_killed_up_takes_its_children_along_and_the_next_one_starts(serving: Serving) -> None:
    children = descendants(serving.child.pid)[1:]
    os.kill(serving.child.pid, signal.SIGKILL)
    serving.child.wait(120)

    await_true(lambda: not any(_lives(pid) for pid in children), 120, every=0.1)
    assert json.loads(prism(serving.home, "status", "--json").stdout)["running"] is False

    serving.start()
    assert prism(serving.home, "down").returncode == 0
    assert serving.child.wait(120) == 0
    assert "no platform is running" in prism(serving.home, "down").stderr


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_two_commands_at_once_wait_for_each_other_and_both_succeed_and_the_port_of_a_home_stays(
    tmp_path: Path,
) -> None:
    home, port = tmp_path / "home", str(worker_port(2))
    environment = TOKEN_FREE | {"PRISM_HOME": str(home), "PRISM_FIRST_WEEK": "2018-W33", "COLUMNS": "200"}
    command = [PRISM, "up", "--once", "--no-sample", "--port", port]

    def started() -> "subprocess.Popen[str]":
        return subprocess.Popen(command, env=environment, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)

    both = [started(), started()]
    said = [child.communicate(timeout=240)[1] for child in both]

    assert [child.returncode for child in both] == [0, 0], said
    assert sum("waiting for it to end" in text for text in said) == 1

    other = prism(home, "up", "--once", "--port", str(worker_port(3)))

    assert other.returncode in {1, 2}
    assert port in other.stderr


def test_a_home_is_emptied_only_on_request_and_only_if_it_is_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("dear diary")

    assert prism(home, "reset").returncode == 2
    foreign = prism(home, "reset", "--yes")

    assert foreign.returncode == 2
    assert "does not look like a PRISM_HOME" in foreign.stderr
    assert (home / "letter.txt").exists()
    (home / "ports.json").write_text("{}")
    assert prism(home, "reset", "--yes").returncode == 0
    assert not home.exists()


@pytest.mark.parametrize("command", [("status",), ("down",), ("reset", "--yes"), ("query", "SELECT 1")])
def test_a_misspelt_variable_is_refused_by_every_command(tmp_path: Path, command: tuple[str, ...]) -> None:
    answer = prism(tmp_path / "home", *command, PRISM_HOEM="x")

    assert answer.returncode == 2
    assert "PRISM_HOEM" in answer.stderr
    assert not (tmp_path / "home").exists()
