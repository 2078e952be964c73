"""Folders that a killed process leaves are gone at the next start; those in use stay. The kill is a real one."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prism_resources.scratch import PREFIX, Scratch, remove_left_behind

_HOLD = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from prism_resources.scratch import Scratch
scratch = Scratch("held")
(scratch.path / "rows").write_text("many")
print(scratch.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def held(process: "subprocess.Popen[str]") -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def test_a_folder_goes_with_its_use(folder: Path) -> None:
    with Scratch("export") as scratch:
        (scratch.path / "rows").write_text("many")
        assert scratch.path.name.startswith(f"{PREFIX}export-")
    scratch.close()

    assert list(folder.iterdir()) == []


def test_a_folder_in_use_stays_and_that_of_a_killed_process_goes_at_the_next_start(
    folder: Path, holder: "subprocess.Popen[str]"
) -> None:
    left = held(holder)
    remove_left_behind()
    assert (left / "rows").read_text() == "many"
    holder.kill()
    holder.wait()

    with Scratch("export") as scratch:
        assert list(folder.iterdir()) == [scratch.path]


def test_what_others_keep_beside_it_stays(folder: Path) -> None:
    other = folder / "prism-package-1"
    other.mkdir()
    (folder / f"{PREFIX}file").write_text("no folder")

    remove_left_behind()

    assert len(list(folder.iterdir())) == 2


def test_folders_that_are_made_at_once_are_each_of_one_user(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: Scratch(f"s{number}"), range(200)))

    assert all(scratch.path.is_dir() for scratch in made)
    for scratch in made:
        scratch.close()
    assert list(folder.iterdir()) == []
