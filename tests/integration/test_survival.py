"""What survives a kill of the embedded AWS, and what a start makes of what a kill left behind.

Why real: the promise is about processes that die between two system calls. So real ones are killed, stopped in
the middle and starved of disk, and what they leave on disk is what the next start gets.
"""

import json
import multiprocessing
import os
import random
import re
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy import STACKS, deploy, stack_name
from infra.local.emulator.recovery import mend_torn_objects
from infra.local.emulator.server import QUIET_SECONDS
from infra.local.emulator.snapshots import Pace
from prism_core.calendar import Week
from prism_core.failures import TransientFailure
from prism_core.settings import Settings, load_settings
from tests.integration.emulators import ACCOUNT, OwnEmulator, await_true
from tests.integration.fresh import worker_port
from tests.integration.helpers import descendants

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
def writing(emulator: OwnEmulator, first: int) -> Iterator[list[int]]:
    """Write numbers in order, one table after the other; yields those that were answered."""
    answered: list[int] = []
    enough = threading.Event()

    def write() -> None:
        number = first
        while not enough.is_set():
            try:
                emulator.put(number)
            except (BotoCoreError, ClientError, AssertionError):  # it was killed or stopped
                return
            answered.append(number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield answered
    finally:
        enough.set()
        writer.join()


def newest(emulator: OwnEmulator) -> str:
    """The name of the newest whole snapshot."""
    return [name for name in emulator.snapshots() if name.isdigit()][-1]


def saved_numbers(emulator: OwnEmulator) -> int:
    """How many the newest snapshot holds."""
    with suppress(FileNotFoundError):  # a newer one has just taken its place
        text = (emulator.home.snapshots / newest(emulator) / "state" / "dynamodb.json").read_text()
        return len(re.findall(r'"number": \{"N"', text))
    return 0


def test_table_writes_are_saved_by_themselves_and_survive_a_kill(emulator: OwnEmulator) -> None:
    for number in range(100):
        emulator.put(number)

    await_true(lambda: saved_numbers(emulator) == 100)
    emulator.kill()

    assert emulator.start().numbers() == list(range(100))


def test_a_snapshot_comes_after_the_quiet_time_or_as_long_as_the_last_one_took() -> None:
    """The two seconds that are promised of a small state, without those of a busy machine."""
    pace = Pace(QUIET_SECONDS)

    pace.finished(time.monotonic())
    soon = pace.delay()
    pace.finished(time.monotonic() - 100)
    late = pace.delay()

    assert QUIET_SECONDS <= 0.5
    assert soon <= 0.5
    assert 1 < late <= 101


@pytest.mark.parametrize("snapshots", [0, 1, 3])
def test_a_kill_among_writes_leaves_the_first_of_them_in_order_across_tables(
    emulator: OwnEmulator, snapshots: int
) -> None:
    counts: list[int] = []
    with writing(emulator, 0) as answered:
        for _ in range(snapshots):
            counts.append(len(answered))
            before = newest(emulator)
            await_true(lambda known=before: newest(emulator) != known)
        time.sleep(0.1)
        emulator.kill()

    survived = emulator.start().numbers()

    # The last snapshot began after the one before was there, if there was one.
    promised = counts[-2] if snapshots > 1 else 0
    assert survived == list(range(len(survived)))
    assert promised <= len(survived) <= len(answered) + 1


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
    pid = emulator.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (65_536, before[1]))
    yield
    with suppress(ProcessLookupError):  # it was killed meanwhile
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def snapshots_folder_gone(emulator: OwnEmulator) -> Iterator[None]:
    """What a disk that is not mounted looks like."""
    aside = emulator.home.snapshots.with_name("aside")
    emulator.home.snapshots.rename(aside)
    emulator.home.snapshots.touch()
    yield
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
        emulator.kill()

    assert emulator.start().numbers() == [0]


def test_a_stop_that_cannot_save_says_so_and_leaves_the_snapshot_before_it(emulator: OwnEmulator) -> None:
    emulator.put(0, LARGE)
    emulator.flush()

    with disk_full(emulator):
        emulator.put(1)
        with pytest.raises(TransientFailure, match="did not save its last state"):
            emulator.stop()

    assert emulator.start().numbers() == [0]


def test_a_folder_in_the_place_of_the_next_snapshot_is_no_obstacle_and_no_snapshot(emulator: OwnEmulator) -> None:
    following = int(emulator.snapshots()[-1]) + 1
    (emulator.home.snapshots / f"{following:08d}" / "something").mkdir(parents=True)

    emulator.put(0)
    emulator.flush()
    emulator.kill()

    assert emulator.start().numbers() == [0]


def writing_child(emulator: OwnEmulator) -> tuple[int, int]:
    """Stop an emulator, and the process that writes a snapshot of it: a busy machine sees only some of them.

    Returns the process, and the first number that the snapshot before does not hold.
    """
    for number in range(102, 200):
        emulator.flush()
        before = newest(emulator)
        emulator.put(number, LARGE)
        child = caught(emulator, before)
        if child is not None:
            return child, number
        os.kill(emulator.process.pid, signal.SIGCONT)
    raise AssertionError("every snapshot was over before it was seen")


def caught(emulator: OwnEmulator, before: str) -> int | None:
    """The process that writes the snapshot after this one; None when it was too fast."""
    parent = emulator.process.pid
    await_true(lambda: is_writing(emulator) or newest(emulator) != before, every=0.001)
    os.kill(parent, signal.SIGSTOP)
    await_true(lambda: state_of(parent) == "T")
    _, *children = descendants(parent)
    if not children or newest(emulator) != before:
        return None
    os.kill(children[0], signal.SIGSTOP)
    await_true(lambda: state_of(children[0]) in "TZX")
    return children[0] if state_of(children[0]) == "T" else None


def is_writing(emulator: OwnEmulator) -> bool:
    with suppress(FileNotFoundError):  # published meanwhile
        return any(emulator.home.snapshots.glob("*.partial/state/*.json*"))
    return False


def state_of(pid: int) -> str:
    """The letter of /proc, or X for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


@pytest.fixture
def large(emulator: OwnEmulator) -> OwnEmulator:
    """A saved state that takes a while to write, and one number in it."""
    for number in range(2, 102):
        emulator.put(number, LARGE)
    emulator.flush()
    return emulator


def test_a_snapshot_that_was_written_but_not_published_leaves_the_older_one_valid(large: OwnEmulator) -> None:
    child, first = writing_child(large)
    os.kill(child, signal.SIGCONT)  # it writes on, and its parent stands still
    await_true(lambda: state_of(child) in "ZX")
    unpublished = large.snapshots()
    large.kill()

    large.start()

    assert [name.endswith(".partial") for name in unpublished] == [False, True]
    assert large.numbers() == list(range(2, first))
    large.flush()
    assert [name.isdigit() for name in large.snapshots()] == [True]


def test_a_snapshot_process_that_outlives_its_emulator_disturbs_nothing(large: OwnEmulator) -> None:
    child, first = writing_child(large)
    large.kill()

    large.start().put(200)
    large.flush()
    os.kill(child, signal.SIGCONT)
    await_true(lambda: state_of(child) in "ZX")
    large.put(201)
    large.flush()
    large.kill()

    assert large.start().numbers() == [*range(2, first), 200, 201]


PLAIN, ODD = "lake/part-0.parquet", "a//b.tmp"  # the second is a key that no path can hold
LONGER = b"never answered, and longer"


@dataclass(frozen=True)
class Mended:
    """An emulator after the start that followed a kill among puts, and the answers to what was put before."""

    emulator: OwnEmulator
    answers: dict[str, Any]

    def read(self, bucket: str, key: str, **version: str) -> Any:
        return self.emulator.client("s3").get_object(Bucket=bucket, Key=key, **version)


def body_file(emulator: OwnEmulator, bucket: str, key: str) -> Path:
    sidecars = (emulator.home.s3 / ACCOUNT / bucket).rglob("*.meta.json")
    found = [path for path in sidecars if json.loads(path.read_text())["key"] == key]
    return found[0].with_name(found[0].name.removesuffix(".meta.json"))


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mended]:
    """Bodies are written, what describes them cannot be, and the emulator is killed: so a put is torn."""
    own = OwnEmulator(tmp_path_factory.mktemp("torn"), worker_port(6)).start()
    s3, answers = own.client("s3"), dict[str, Any]()

    def put(bucket: str, key: str, body: bytes) -> Any:
        return s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata={"made": "by-a-test"})

    for bucket in ("plain", "versioned", "named.tmp"):
        s3.create_bucket(Bucket=bucket)
    put("versioned", "older-than-versioning", b"first")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    for key in (PLAIN, ODD, "deleted", "copied"):
        answers[f"first {key}"] = put("versioned", key, b"first")
        answers[f"second {key}"] = put("versioned", key, b"second")
        put("plain", key, b"first")
    s3.delete_object(Bucket="versioned", Key="deleted")
    put("plain", "truncated", b"whole")
    put("named.tmp", "a.tmp/b.tmp", b"kept")
    own.flush()
    time.sleep(0.02)  # the times of files have the grain of a kernel tick

    torn = [("plain", PLAIN), ("plain", ODD), ("versioned", PLAIN), ("versioned", ODD), ("versioned", "deleted")]
    for bucket, key in [*torn, ("versioned", "older-than-versioning")]:
        path = body_file(own, bucket, key)
        in_the_way = path.with_name(f"{path.name}.meta.json.tmp")
        in_the_way.mkdir()
        put(bucket, key, LONGER)
        in_the_way.rmdir()
        assert path.read_bytes() == LONGER
    own.kill()
    os.truncate(body_file(own, "plain", "truncated"), 0)
    body_file(own, "plain", PLAIN).with_name("part-1.parquet.tmp").write_bytes(b"half")
    for bucket in ("plain", "versioned"):
        body_file(own, bucket, "copied").touch()
    yield Mended(own.start(), answers)
    own.end()


@pytest.mark.parametrize("key", [PLAIN, ODD])
def test_a_torn_put_over_a_version_returns_to_that_version(mended: Mended, key: str) -> None:
    read, second = mended.read("versioned", key), mended.answers[f"second {key}"]

    assert (read["Body"].read(), read["ETag"]) == (b"second", second["ETag"])
    assert (read["VersionId"], read["Metadata"]) == (second["VersionId"], {"made": "by-a-test"})
    first = mended.read("versioned", key, VersionId=mended.answers[f"first {key}"]["VersionId"])
    assert first["Body"].read() == b"first"


def test_a_torn_first_version_returns_to_the_object_from_before_versioning(mended: Mended) -> None:
    read = mended.read("versioned", "older-than-versioning")

    assert (read["Body"].read(), read["ETag"]) == (b"first", etag(b"first"))


@pytest.mark.parametrize("key", [PLAIN, ODD])
def test_a_torn_put_without_versions_gets_the_right_size_and_etag(mended: Mended, key: str) -> None:
    read = mended.read("plain", key)

    assert read["Body"].read() == LONGER
    assert (read["ContentLength"], read["ETag"]) == (len(LONGER), etag(LONGER))


def test_a_truncated_object_without_versions_gets_the_right_size_and_etag(mended: Mended) -> None:
    read = mended.read("plain", "truncated")

    assert (read["Body"].read(), read["ContentLength"], read["ETag"]) == (b"", 0, etag(b""))


def test_a_torn_put_over_a_deleted_object_leaves_it_deleted(mended: Mended) -> None:
    s3 = mended.emulator.client("s3")

    listed = [found["Key"] for found in s3.list_objects_v2(Bucket="versioned")["Contents"]]

    assert "deleted" not in listed
    second = mended.read("versioned", "deleted", VersionId=mended.answers["second deleted"]["VersionId"])
    assert second["Body"].read() == b"second"


@pytest.mark.parametrize("bucket", ["plain", "versioned"])
def test_a_copy_of_the_folder_that_lost_its_times_is_not_mended(mended: Mended, bucket: str) -> None:
    read = mended.read(bucket, "copied")

    assert read["Body"].read() == (b"first" if bucket == "plain" else b"second")
    assert read["Metadata"] == {"made": "by-a-test"}
    assert f"mended {bucket}/copied" not in mended.emulator.logged()


def test_half_written_files_are_removed_and_nothing_else(mended: Mended) -> None:
    left = [path for path in mended.emulator.home.s3.rglob("*.tmp") if path.is_file()]

    assert left == []
    assert mended.read("named.tmp", "a.tmp/b.tmp")["Body"].read() == b"kept"


def test_what_was_mended_once_is_whole(mended: Mended) -> None:
    assert mended.emulator.logged().count("its last put was not finished") == 6
    assert mend_torn_objects(mended.emulator.home.s3) == []


def etag(body: bytes) -> str:
    return f'"{md5(body, usedforsecurity=False).hexdigest()}"'


def test_a_bucket_that_was_not_saved_is_forgotten_unless_it_holds_something(empty: OwnEmulator) -> None:
    empty.address.administer("hold")
    s3 = empty.client("s3")
    for bucket in ("empty-one", "full-one"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="full-one", Key="key", Body=b"kept")
    empty.kill()

    s3 = empty.start().client("s3")

    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["full-one"]
    assert s3.get_object(Bucket="full-one", Key="key")["Body"].read() == b"kept"
    s3.create_bucket(Bucket="empty-one")


def test_what_was_written_before_a_hold_survives_a_kill_within_it(emulator: OwnEmulator) -> None:
    emulator.put(0)
    emulator.address.administer("hold")
    emulator.put(1)
    emulator.kill()

    assert emulator.start().numbers() == [0]


@pytest.mark.parametrize("ending", ["kill", "stop"])
def test_what_was_written_within_a_hold_is_dropped_whole_by_a_kill_and_by_a_stop(
    emulator: OwnEmulator, ending: str
) -> None:
    emulator.address.administer("hold")
    for number in range(4):
        emulator.put(number)
    time.sleep(1)  # time for a snapshot, if one were taken
    getattr(emulator, ending)()

    assert emulator.start().numbers() == []


def test_a_flush_ends_a_hold_and_keeps_all_of_it(emulator: OwnEmulator) -> None:
    emulator.address.administer("hold")
    for number in range(4):
        emulator.put(number)
    emulator.flush()
    emulator.put(4)
    emulator.stop()

    assert emulator.start().numbers() == list(range(5))


@pytest.fixture
def settings(empty: OwnEmulator, home: Path) -> Settings:
    return load_settings(home=home, aws_endpoint_url=empty.address.url)


def die_while_deploying(emulator: OwnEmulator, settings: Settings, week: Week, ending: str) -> float:
    """Deploy from a process of its own and end everything at some moment; returns after how many seconds."""
    delay = random.uniform(0, 1.2)
    emulator.address.administer("hold")
    deploying = multiprocessing.get_context("fork").Process(target=deploy, args=(settings, week, print))
    deploying.start()
    time.sleep(delay)
    getattr(emulator, ending)()
    deploying.kill()
    deploying.join()
    return delay


@pytest.mark.parametrize("ending", ["kill", "stop"], ids=["the-emulator-is-killed", "its-parent-is-killed"])
def test_a_first_deployment_that_dies_leaves_nothing_and_the_next_one_succeeds(
    empty: OwnEmulator, settings: Settings, ending: str
) -> None:
    week = Week.parse("2026-W01")

    for _ in range(2):
        delay = die_while_deploying(empty, settings, week, ending)
        empty.start()
        assert empty.client("cloudformation").list_stacks()["StackSummaries"] == [], f"after {delay} s"
        assert empty.client("dynamodb").list_tables()["TableNames"] == [], f"after {delay} s"
        assert empty.client("s3").list_buckets()["Buckets"] == [], f"after {delay} s"

    done = deploy(settings, week, print)
    assert [(one.stack, one.action) for one in done] == [(stack_name(settings, one), "created") for one in STACKS]


@pytest.mark.parametrize("ending", ["kill", "stop"], ids=["the-emulator-is-killed", "its-parent-is-killed"])
def test_an_update_that_dies_leaves_the_stacks_of_before_and_the_next_one_succeeds(
    empty: OwnEmulator, settings: Settings, ending: str
) -> None:
    deploy(settings, Week.parse("2026-W01"), print)
    empty.flush()
    before = stacks(empty)

    delay = die_while_deploying(empty, settings, Week.parse("2027-W01"), ending)
    empty.start()

    assert stacks(empty) == before, f"after {delay} s"

    actions = [one.action for one in deploy(settings, Week.parse("2027-W01"), print)]
    assert "updated" in actions
    assert {one.action for one in deploy(settings, Week.parse("2027-W01"), print)} == {"unchanged"}


def stacks(emulator: OwnEmulator) -> list[Any]:
    found = emulator.client("cloudformation").describe_stacks()["Stacks"]
    return [(stack["StackName"], stack["StackStatus"], stack["Parameters"]) for stack in found]
