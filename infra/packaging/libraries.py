"""The libraries of a function: manylinux wheels for Lambda's Python, without what a function never opens.

Belongs here: which wheels (groups of uv.lock), what is taken out of them, and byte-code.
Does not belong here: our own modules (sources.py). A missing wheel fails; nothing is ever compiled here.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from infra.packaging.replaced import replace_modules
from infra.packaging.sources import REPOSITORY
from prism_core.failures import PermanentFailure

PYTHON = "3.13"
# A Lambda function on Python 3.13 runs on Amazon Linux 2023, whose glibc is 2.34.
GLIBC = "manylinux_2_28"
# The services that prism_api and what it imports make a client of; a test compares. `sts` and the two of the
# sign-in are what botocore itself needs to find credentials.
AWS_SERVICES = frozenset(
    {
        "dynamodb",
        "kms",
        "lambda",
        "rekognition",
        "s3",
        "secretsmanager",
        "sqs",
        "sso",
        "sso-oidc",
        "stepfunctions",
        "sts",
    }
)
# What the list of endpoints calls them; sign-in has names of its own there.
_ENDPOINTS = AWS_SERVICES | {"oidc", "portal.sso", "states"}
_UNUSED_FOLDERS = frozenset({"__pycache__", "tests", "examples", "bin", "include"})
_UNUSED_SUFFIXES = frozenset({".pyi", ".pyx", ".pxd", ".c", ".h", ".pyc", ".typed"})
# The flow solver imports nothing else of OR-Tools; the libraries beside it are linked to each other.
_KEPT_OF_ORTOOLS = frozenset({"__init__.py", ".libs", "graph"})
_KEPT_METADATA = frozenset({"METADATA", "entry_points.txt"})


class Arch(StrEnum):
    """A processor of Lambda, by its name there."""

    ARM64 = "arm64"
    X86_64 = "x86_64"

    @property
    def platform(self) -> str:
        machine = "aarch64" if self is Arch.ARM64 else "x86_64"
        return f"{machine}-{GLIBC}"


def install_libraries(target: Path, arch: Arch, groups: Sequence[str] = (), without: Sequence[str] = ()) -> None:
    """Unpack the wheels of the main group and of `groups` into a folder, without those of `without` and what only
    these need. Raises PermanentFailure with uv's own words."""
    uv, requirements = find_uv(), target.with_name(f"{target.name}.requirements.txt")
    export = [
        uv, "export", "--frozen", "--no-default-groups", "--no-emit-project", "--format", "requirements.txt",
        "--quiet", "--output-file", str(requirements),
        *(word for group in groups for word in ("--group", group)),
        *(word for package in without for word in ("--prune", package)),
    ]  # fmt: skip
    install = [
        uv, "pip", "install", "--target", str(target), "--requirement", str(requirements), "--quiet",
        "--python-platform", arch.platform, "--python-version", PYTHON, "--python", sys.executable,
        "--only-binary", ":all:", "--no-deps", "--require-hashes", "--link-mode", "copy",
        # Byte-code of this machine's Python is of no use there.
        "--no-compile-bytecode", "--no-config",
    ]  # fmt: skip
    for command in (export, install):
        _run(command)
    requirements.unlink()


def strip(folder: Path) -> None:
    """Delete what a function never opens: tests, stubs, solvers and AWS services that we do not call, and the
    documentation of those that we do. Licences stay."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and (path.name in _UNUSED_FOLDERS or _is_unused_part(path, folder)):
            shutil.rmtree(path)
        elif path.is_file() and (path.suffix in _UNUSED_SUFFIXES or _is_unused_metadata(path)):
            path.unlink()
    data = folder / "botocore" / "data"
    if data.is_dir():
        _shorten(data)
    replace_modules(folder)


def _shorten(data: Path) -> None:
    """What botocore reads at a start, without what nobody asks: it takes a third of the time to read.

    The list of endpoints names 300 services of which we call six; half of a model is documentation.
    """
    endpoints = data / "endpoints.json"
    if endpoints.exists():
        found = json.loads(endpoints.read_bytes())
        for partition in found["partitions"]:
            known = partition["services"]
            partition["services"] = {name: known[name] for name in known if name in _ENDPOINTS}
        endpoints.write_text(_compact(found))
    for model in sorted(data.glob("*/*/service-2.json.gz")):
        text = _compact(_undocumented(json.loads(gzip.decompress(model.read_bytes()))))
        model.with_suffix("").write_text(text)
        model.unlink()
    for examples in data.glob("*/*/examples-1.json*"):
        examples.unlink()


def _undocumented(value: Any) -> Any:
    """A model without its texts. A member of a shape may be called `documentation`, and is no text."""
    if isinstance(value, dict):
        parts = cast("dict[str, Any]", value).items()
        return {n: _undocumented(one) for n, one in parts if n != "documentation" or not isinstance(one, str)}
    if isinstance(value, list):
        return [_undocumented(one) for one in cast("list[Any]", value)]
    return value


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def byte_compile(folder: Path) -> bool:
    """Write byte-code that is never compared with its source. False when no Python of Lambda's version is here.

    It halves the start of a function; but byte-code of another version would be ignored and only take room.
    """
    python = find_python()
    if python is None:
        return False
    # One process and one seed: the order of a set is in the byte-code.
    compile_ = [
        python, "-X", "utf8", "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash",
        "-s", str(folder), "-p", "/var/task", str(folder),
    ]  # fmt: skip
    _run(compile_, PYTHONHASHSEED="0")
    return True


def files_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file, by its path in the zip."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def find_uv() -> str:
    """The uv that `make` installed, else the one of the system."""
    ours = REPOSITORY / ".tools" / "bin" / "uv"
    found = str(ours) if ours.exists() else shutil.which("uv")
    if found is None:
        raise PermanentFailure("uv builds the package, and there is none; `make up` installs it into .tools")
    return found


def find_python() -> str | None:
    """A Python of the version that Lambda runs, or None."""
    candidates = [sys.executable, shutil.which(f"python{PYTHON}")]
    candidates += sorted(map(str, Path.home().glob(f".pyenv/versions/{PYTHON}.*/bin/python{PYTHON}")))
    return next((one for one in candidates if one is not None and _version_of(one) == PYTHON), None)


def _version_of(python: str) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _is_unused_part(path: Path, folder: Path) -> bool:
    if path.parent == folder / "ortools":
        return path.name not in _KEPT_OF_ORTOOLS
    return path.parent == folder / "botocore" / "data" and path.name not in AWS_SERVICES


def _is_unused_metadata(path: Path) -> bool:
    return path.parent.suffix == ".dist-info" and path.name not in _KEPT_METADATA


def _run(command: list[str], **variables: str) -> None:
    # Not the user's own index and settings: the lock says where everything comes from.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    environment = kept | {"UV_PYTHON_DOWNLOADS": "never"} | variables
    done = subprocess.run(  # noqa: S603 - uv and Python, with our arguments
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise PermanentFailure(f"{Path(command[0]).name} {command[1]} failed: {done.stderr.strip()}")
