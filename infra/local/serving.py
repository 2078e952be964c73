"""What `prism up` serves beside the emulator: Dagster, the front door, mail, and stand-ins of services outside.

Belongs here: starting and stopping them, on loopback. Does not belong here: the emulator (emulator/) and
what is printed (infra/cli/up.py).
"""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from infra.instance import instance_yaml
from infra.local.emulator.environment import LOOPBACK
from infra.local.emulator.process import REPOSITORY, open_log
from infra.local.home import Home, Ports, is_free
from infra.local.mail.mailbox import mailbox_app
from infra.local.mail.sink import start_sink
from infra.local.platform import Platform
from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.settings import Environment

if TYPE_CHECKING:
    from infra.local.standins.world import World

DAGSTER_YAML = instance_yaml(Environment.LOCAL)
DAGSTER_START_SECONDS = 240
DAGSTER_STOP_SECONDS = 30


def _workspace() -> Path:
    """Which code Dagster loads: at the root of a checkout, beside this module in an installed wheel."""
    checkout = REPOSITORY / "workspace.yaml"
    return checkout if checkout.exists() else Path(__file__).with_name("workspace.yaml")


@contextmanager
def mail(home: Home, ports: Ports) -> Iterator[None]:
    """Keep what is sent to the SMTP port, and show it on the mailbox page."""

    async def run(ready: threading.Event, stopping: asyncio.Event) -> None:
        # Bound here: the server would report a taken port only after everybody believes that it serves.
        listener = socket.create_server((LOOPBACK, ports.mailbox))
        sink = await start_sink(home.mail, LOOPBACK, ports.smtp)
        try:
            await _serve(mailbox_app(home.mail, _smtp(ports)), listener, ready, stopping)
        finally:
            await sink.stop()

    with _beside("mail", f"mail cannot be served on ports of {ports.base}", run):
        yield


@contextmanager
def outside(home: Home, ports: Ports) -> Iterator[None]:
    """All that assets reach beside AWS: mail, and the stand-ins of services outside."""
    from infra.local.standins.serving import home_world

    with mail(home, ports), standins(home_world(home), ports.standins, home.token()):
        yield


@contextmanager
def standins(world: "World", port: int, token: str) -> Iterator[int]:
    """Stand in for Meta, HubSpot, Claude and Rekognition on a port of loopback, any free one for 0; gives the
    port."""
    from infra.local.standins.app import standins_app

    bound: list[int] = []

    async def run(ready: threading.Event, stopping: asyncio.Event) -> None:
        listener = socket.create_server((LOOPBACK, port))
        bound.append(listener.getsockname()[1])
        await _serve(standins_app(world, bound[0], token), listener, ready, stopping)

    with _beside("stand-ins", f"the stand-ins cannot be served on port {port}", run):
        yield bound[0]


@contextmanager
def outside_before_all(home: Home, ports: Ports) -> Iterator[None]:
    """`outside`, once every port of a platform that serves is free: a taken one is said before anything starts."""
    require_free(home, ports)
    with outside(home, ports):
        yield


def require_free(home: Home, ports: Ports) -> None:
    """Raises PermanentFailure that names a taken port, what it is for, and what to do.

    A Dagster and an emulator whose `prism up` was killed need a moment to end, so those two ports are waited for.
    """
    slow = {"Dagster": ports.dagster, "the embedded AWS": ports.emulator}
    mail_ports = {"the mailbox": ports.mailbox, "the SMTP sink": ports.smtp}
    served = {"the screens": ports.screens, **mail_ports, "the stand-ins": ports.standins, **slow}
    deadline = time.monotonic() + DAGSTER_STOP_SECONDS
    while taken := [(what, port) for what, port in served.items() if not is_free(port)]:
        for what, port in taken:
            if what not in slow or time.monotonic() > deadline:
                raise PermanentFailure(
                    f"port {port}, where {what} of {home.root} is to be served, is taken by another program; "
                    "stop it (`ss -ltnp`, or `lsof -iTCP -sTCP:LISTEN`, shows it), or use another PRISM_HOME"
                )
        time.sleep(0.2)


@contextmanager
def front_door(platform: Platform) -> Iterator[None]:
    """The one origin of screens, API, sign-in and mailbox, once the stacks are deployed."""
    from infra.deploy import outputs
    from infra.local.frontdoor import Behind, front_door_app
    from infra.local.screens import Screens

    ports, api = platform.ports, outputs(platform.settings, "api")
    links = {"Dagster": f"http://{LOOPBACK}:{ports.dagster}"}
    emulator = f"http://{LOOPBACK}:{ports.emulator}"
    beside = {**links, "Mailbox": f"http://{LOOPBACK}:{ports.screens}/mailbox/"}
    screens = Screens(api["ScreensClientId"], beside, uploads=emulator)
    behind = Behind(
        emulator=emulator,
        api_id=api["ApiId"],
        pool_id=api["UserPoolId"],
        mailbox=mailbox_app(platform.home.mail, _smtp(ports)),
        screens=screens if screens.are_built else None,
        links=links,
    )

    async def run(ready: threading.Event, stopping: asyncio.Event) -> None:
        listener = socket.create_server((LOOPBACK, ports.screens))
        await _serve(front_door_app(ports.screens, behind), listener, ready, stopping)

    with _beside("front door", f"the front door cannot be served on port {ports.screens}", run):
        yield


def _smtp(ports: Ports) -> str:
    return f"{LOOPBACK}:{ports.smtp}"


async def _serve(app: ASGIApp, listener: socket.socket, ready: threading.Event, stopping: asyncio.Event) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = 1
    config.include_server_header = False
    config.loglevel = "WARNING"
    ready.set()
    await serve(app, config, shutdown_trigger=stopping.wait)  # type: ignore[arg-type]


@contextmanager
def _beside(
    name: str, failing: str, run: Callable[[threading.Event, asyncio.Event], Coroutine[None, None, None]]
) -> Iterator[None]:
    """Serve in a thread for the length of the block. Raises PermanentFailure when it cannot be started."""
    loop, stopping, failures = asyncio.new_event_loop(), asyncio.Event(), list[BaseException]()
    ready = threading.Event()

    def work() -> None:
        try:
            loop.run_until_complete(run(ready, stopping))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            failures.append(error)
            ready.set()

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    ready.wait()
    if failures:
        raise PermanentFailure(f"{failing}: {failures[0]}")
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)


@contextmanager
def dagster(platform: Platform, waiting: Callable[[], None]) -> Iterator[subprocess.Popen[bytes]]:
    """Dagster's web server and daemon, until the block ends or this process is gone."""
    log = platform.home.logs / "dagster.log"
    _await_port(platform.ports.dagster, waiting)
    command = [
        sys.executable, "-m", "infra.local.tether",
        sys.executable, "-m", "infra.local.dagster_dev", "-w", str(_workspace()),
        "-h", LOOPBACK, "-p", str(platform.ports.dagster),
    ]  # fmt: skip
    url = f"http://{LOOPBACK}:{platform.ports.dagster}"
    environment = os.environ | platform.environment() | {"PYTHONPATH": str(REPOSITORY), "PRISM_DAGSTER_URL": url}
    with open_log(log) as output:
        child = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=REPOSITORY,
            start_new_session=True,
        )
    try:
        _await_dagster(platform, child, log, waiting)
        yield child
    finally:
        if child.stdin is not None:
            child.stdin.close()
        try:
            child.wait(DAGSTER_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _await_port(port: int, waiting: Callable[[], None]) -> None:
    """A Dagster whose `prism up` was killed needs a moment to end."""
    deadline = time.monotonic() + DAGSTER_STOP_SECONDS
    while not is_free(port):
        if time.monotonic() > deadline:
            raise PermanentFailure(f"port {port}, where Dagster is to be served, is taken; stop the other program")
        waiting()
        time.sleep(0.2)


def _await_dagster(
    platform: Platform, child: "subprocess.Popen[bytes]", log: Path, waiting: Callable[[], None]
) -> None:
    deadline = time.monotonic() + DAGSTER_START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise PermanentFailure(f"Dagster ended while it started; see {log}")
        try:
            url = f"http://{LOOPBACK}:{platform.ports.dagster}/server_info"
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            waiting()
            time.sleep(0.3)
    raise TransientFailure(f"Dagster did not answer in {DAGSTER_START_SECONDS} s; see {log}")
