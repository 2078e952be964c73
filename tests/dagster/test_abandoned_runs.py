"""Runs whose process was killed give their place back. Why real: a process has to die."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus

from infra.local.runs import PROCESS_TAG, LocalRunLauncher, end_abandoned, is_alive, this_process
from infra.local.serving import DAGSTER_YAML

_NAMES_ITSELF = "from infra.local.runs import this_process; print(this_process(), flush=True); input()"


@dg.job
def working() -> None: ...


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text(DAGSTER_YAML)
    with dg.DagsterInstance.from_config(str(tmp_path)) as found:
        yield found


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process and its name."""
    child = subprocess.Popen(
        [sys.executable, "-c", _NAMES_ITSELF], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    yield child, child.stdout.readline().strip()
    child.kill()
    child.wait()


def at_work(instance: dg.DagsterInstance, **tags: str) -> dg.DagsterRun:
    return instance.create_run_for_job(working, status=dg.DagsterRunStatus.STARTED, tags=tags)


def test_a_process_is_known_by_its_name_until_it_is_killed(other: tuple[subprocess.Popen[str], str]) -> None:
    child, name = other

    alive = is_alive(name)
    child.kill()
    child.wait()

    assert (alive, is_alive(name), is_alive(this_process())) == (True, False, True)
    assert not is_alive(f"{this_process()}0")  # its number, another start


def test_the_monitoring_of_a_serving_platform_sees_that_the_process_of_a_run_is_gone(
    instance: dg.DagsterInstance, other: tuple[subprocess.Popen[str], str]
) -> None:
    child, name = other
    run = at_work(instance, **{PROCESS_TAG: name})
    launcher = instance.run_launcher

    before = launcher.check_run_worker_health(run).status
    child.kill()
    child.wait()

    assert isinstance(launcher, LocalRunLauncher)
    assert launcher.supports_check_run_worker_health
    assert (before, launcher.check_run_worker_health(run).status) == (WorkerStatus.RUNNING, WorkerStatus.FAILED)
    assert launcher.check_run_worker_health(at_work(instance)).status is WorkerStatus.RUNNING


def test_a_start_ends_what_a_killed_platform_left_and_nothing_that_lives_or_waits(
    instance: dg.DagsterInstance, other: tuple[subprocess.Popen[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="dagster")  # of this test alone: others share the process
    left, living = at_work(instance), at_work(instance, **{PROCESS_TAG: other[1]})
    waiting = instance.create_run_for_job(working, status=dg.DagsterRunStatus.NOT_STARTED)

    ended = end_abandoned(instance)

    states = [instance.get_run_by_id(run.run_id) for run in (left, living, waiting)]
    assert ended == 1
    assert [None if run is None else run.status for run in states] == [
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.NOT_STARTED,
    ]
