"""What survives a kill of the embedded AWS, and what a start makes of what a kill left behind.

Why real: the promise is about processes that die between two system calls. So real ones are killed, stopped in
the middle and starved of disk, and what they leave on disk is what the next start gets.
"""

import random
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy import STACKS, deploy, stack_name
from infra.local.emulator.recovery import mend_torn_objects
from prism_core.calendar import Week
from prism_core.failures import PrismFailure, TransientFailure
from prism_core.settings import Settings, load_settings
from tests.integration.conftest import worker_port
from tests.integration.emulators import ACCOUNT, TABLES, OwnEmulator, await_true
from tests.integration.helpers import descendants

PROMISE_SECONDS = 2.0
LARGE = "x" * 100_000


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[OwnEmulator]:
    own = OwnEmulator(tmp_path, worker_port(2)).start()
    yield own
    own.end()


@pytest.fixture
def emulator(empty: OwnEmulator) -> OwnEmulator:
    """An emulator with the two tables, saved."""
    empty.create_tables()
    empty.flush()
    return empty


@contextmanager
def writing(emulator: OwnEmulator, first: int) -> Iterator[dict[int, float]]:
    """Write numbers in order, one table after the other; yields when each was answered."""
    answered: dict[int, float] = {}
    enough = threading.Event()

    def write() -> None:
        number = first
        while not enough.is_set():
            try:
                emulator.put(number)
            except (BotoCoreError, ClientError, AssertionError):  # it was killed or stopped
                return
            answered[number] = time.monotonic()
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield answered
    finally:
        enough.set()
        writer.join()


def test_table_writes_of_two_seconds_ago_survive_a_kill(emulator: OwnEmulator) -> None:
    for number in range(100):
        emulator.put(number)

    time.sleep(PROMISE_SECONDS)
    emulator.kill()

    assert emulator.start().numbers() == list(range(100))


@pytest.mark.parametrize("busy_seconds", [0.1, 0.9, 2.7])
def test_a_kill_among_writes_leaves_the_first_of_them_in_order_across_tables(
    emulator: OwnEmulator, busy_seconds: float
) -> None:
    with writing(emulator, 0) as answered:
        time.sleep(busy_seconds)
        emulator.kill()
        killed_at = time.monotonic()

    survived = emulator.start().numbers()

    promised = [number for number, at in answered.items() if at < killed_at - PROMISE_SECONDS]
    assert survived == list(range(len(survived)))
    assert len(promised) <= len(survived) <= len(answered) + 1


def test_what_was_flushed_survives_a_kill_in_the_next_moment(emulator: OwnEmulator) -> None:
    for number in range(3):
        emulator.put(number)
        emulator.flush()
        emulator.kill()
        assert emulator.start().numbers() == list(range(number + 1))


def test_a_clean_stop_loses_nothing_that_was_answered(emulator: OwnEmulator) -> None:
    with writing(emulator, 0) as answered:
        await_true(lambda: len(answered) > 20)
        emulator.stop()

    survived = emulator.start().numbers()

    assert survived == list(range(len(survived)))
    assert len(answered) <= len(survived) <= len(answered) + 1


def test_a_client_that_hangs_does_not_keep_the_last_writes_from_being_saved(emulator: OwnEmulator) -> None:
    queue = emulator.client("sqs").create_queue(QueueName="empty")["QueueUrl"]
    sqs = emulator.client("sqs")

    def poll() -> None:
        with pytest.raises((BotoCoreError, ClientError)):
            sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)

    hanging = threading.Thread(target=poll)
    hanging.start()
    emulator.put(1)
    emulator.stop()
    hanging.join()

    assert emulator.start().numbers() == [1]


@contextmanager
def disk_full(emulator: OwnEmulator) -> Iterator[None]:
    """No file of the emulator, or of a child of it, may grow past 64 KiB."""
    _, hard = resource.prlimit(emulator.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(emulator.process.pid, resource.RLIMIT_FSIZE, (65_536, hard))
    try:
        yield
    finally:
        resource.prlimit(emulator.process.pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def snapshots_folder_gone(emulator: OwnEmulator) -> Iterator[None]:
    """What a disk that is not mounted looks like."""
    aside = emulator.home.snapshots.with_name("aside")
    emulator.home.snapshots.rename(aside)
    emulator.home.snapshots.touch()
    try:
        yield
    finally:
        emulator.home.snapshots.unlink()
        aside.rename(emulator.home.snapshots)


OBSTACLES = pytest.mark.parametrize("obstacle", [disk_full, snapshots_folder_gone], ids=lambda one: one.__name__)


@OBSTACLES
def test_a_snapshot_that_fails_is_logged_and_tried_again(emulator: OwnEmulator, obstacle: Any) -> None:
    emulator.put(0, LARGE)
    emulator.flush()

    with obstacle(emulator):
        emulator.put(1)
        await_true(lambda: "state is not saved; trying again" in emulator.logged())
    saved = emulator.snapshots()
    await_true(lambda: emulator.snapshots() > saved and all(name.isdigit() for name in emulator.snapshots()))
    emulator.kill()

    assert emulator.start().numbers() == [0, 1]


@OBSTACLES
def test_a_snapshot_that_fails_leaves_the_one_before_it(emulator: OwnEmulator, obstacle: Any) -> None:
    emulator.put(0, LARGE)
    emulator.flush()

    with obstacle(emulator):
        emulator.put(1)
        with pytest.raises(TransientFailure, match="did not flush"):
            emulator.flush()
        emulator.kill_within(obstacle)

    assert emulator.start().numbers() == [0]


def test_a_stop_that_cannot_save_says_so_and_leaves_the_snapshot_before_it(emulator: OwnEmulator) -> None:
    emulator.put(0, LARGE)
    emulator.flush()

    with pytest.raises(TransientFailure, match="did not save its last state"), disk_full(emulator):
        emulator.put(1)
        emulator.stop()
