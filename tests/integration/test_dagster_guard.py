"""Who may talk to Dagster. Why real: it is another program's server, and our guard must really stand before it."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.emulator.process import REPOSITORY
from infra.local.serving import DAGSTER_YAML
from tests.integration.fresh import worker_port

VERSION = json.dumps({"query": "{version}"})
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "graphql-ws",
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Dagster as `prism up` starts it, without the rest."""
    home, port = tmp_path_factory.mktemp("dagster"), worker_port(9) + 5
    (home / "dagster.yaml").write_text(DAGSTER_YAML)
    environment = os.environ | {"DAGSTER_HOME": str(home), "PRISM_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    run = [sys.executable, "-m", "infra.local.tether", sys.executable, "-m", "infra.local.dagster_dev"]
    options = ["-w", str(REPOSITORY / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    with (Path(home) / "log").open("wb") as log:
        child = subprocess.Popen(
            run + options, env=environment, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 240
        while _status(port) != 200:
            assert child.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.3)
        yield port
    finally:
        assert child.stdin is not None
        child.stdin.close()
        child.wait(240)


def _status(port: int) -> int:
    try:
        return ask(port, "GET", "/server_info")[0]
    except OSError:
        return 0


def ask(port: int, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} | headers)
        answer = connection.getresponse()
        return answer.status, b"" if answer.status == 101 else answer.read()
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_this_machine_and_the_pages_of_dagster_are_answered(port: int, name: str) -> None:
    own = {"Host": f"{name}:{port}", "Origin": f"http://{name}:{port}"}

    assert ask(port, "GET", "/", Host=own["Host"])[0] == 200
    status, answer = ask(port, "POST", "/graphql", VERSION, **own)
    assert (status, "version" in json.loads(answer)["data"]) == (200, True)
    assert ask(port, "GET", "/graphql", **own, **UPGRADE)[0] == 101


@pytest.mark.slow
def test_a_name_that_was_rebound_to_this_machine_is_refused(port: int) -> None:
    rebound = {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}

    assert ask(port, "GET", "/", Host=rebound["Host"])[0] == 403
    assert ask(port, "POST", "/graphql", VERSION, **rebound)[0] == 403
    assert ask(port, "GET", "/graphql", **rebound, **UPGRADE)[0] == 403


@pytest.mark.slow
def test_another_page_can_neither_ask_nor_listen(port: int) -> None:
    other = {"Origin": "http://evil.example"}

    assert ask(port, "POST", "/graphql", VERSION, **other)[0] == 403
    assert ask(port, "GET", "/graphql", **other, **UPGRADE)[0] == 403
    picture = ask(port, "GET", "/graphql?query=%7Bversion%7D", **{"Sec-Fetch-Site": "cross-site"})
    assert picture[0] == 403
    assert ask(port, "GET", "/graphql?query=%7Bversion%7D", **{"Sec-Fetch-Site": "same-origin"})[0] == 200
