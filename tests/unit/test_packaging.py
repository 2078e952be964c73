"""The zip of a function: the same content gives the same bytes, and only what the API imports is in it."""

import gzip
import io
import json
import os
import re
import zipfile
from pathlib import Path

import pytest

from infra.packaging.archive import archive_of
from infra.packaging.libraries import AWS_SERVICES, strip
from infra.packaging.sources import PACKAGES, REPOSITORY, own_files
from prism_core.failures import PermanentFailure

# What the reading of credentials needs beside the services that PRISM names.
OF_BOTOCORE_ITSELF = {"sso", "sso-oidc", "sts"}
# Called by assets, by infra and by commands; no function does.
NOT_OF_A_FUNCTION = {"athena", "cloudformation", "cloudwatch", "logs", "ses", "sesv2"}


def write(folder: Path, **files: str) -> list[tuple[str, Path]]:
    for name, text in files.items():
        (folder / name).write_text(text)
    return [(name, folder / name) for name in files]


def test_the_same_content_gives_the_same_bytes_whatever_the_order_and_the_times(tmp_path: Path) -> None:
    files = write(tmp_path, b="two", a="one")
    first = archive_of(files)
    os.utime(tmp_path / "a", (1, 10**9))
    (tmp_path / "b").chmod(0o700)

    second = archive_of(reversed(files))

    assert (first.body, first.key) == (second.body, second.key)
    assert (first.unpacked_bytes, first.files) == (6, 2)


def test_another_content_gives_another_key(tmp_path: Path) -> None:
    assert archive_of(write(tmp_path, a="one")).key != archive_of(write(tmp_path, a="two")).key


def test_entries_are_readable_by_whoever_lambda_runs_functions_as(tmp_path: Path) -> None:
    files = write(tmp_path, a="one")
    (tmp_path / "a").chmod(0o600)

    with zipfile.ZipFile(io.BytesIO(archive_of(files).body)) as archive:
        assert [entry.external_attr >> 16 for entry in archive.infolist()] == [0o100644]


def test_our_own_part_is_the_api_and_the_layers_below_it() -> None:
    names = [name for name, _ in own_files()]

    assert {name.partition("/")[0] for name in names} == set(PACKAGES)
    assert "prism_api/api/handler.py" in names
    assert all(name.endswith(".py") for name in names)


def test_every_service_that_a_function_calls_is_described_in_it() -> None:
    """`client(settings, "…")` in the modules of a function; botocore cannot call what it has no description of."""
    called = {
        service
        for package in PACKAGES
        for path in (REPOSITORY / package).rglob("*.py")
        for service in re.findall(r'\bclient\([\w.()]*settings[\w.()]*, "([a-z0-9-]+)"[,)]', path.read_text())
    }

    assert called
    assert called - NOT_OF_A_FUNCTION == AWS_SERVICES - OF_BOTOCORE_ITSELF


def test_stripping_takes_tests_stubs_and_services_that_are_not_called(tmp_path: Path) -> None:
    kept = [
        "botocore/data/dynamodb/service.json", "lib/core.py", "lib/core.so",
        "lib-1.dist-info/METADATA", "lib-1.dist-info/licenses/LICENSE", "zoneinfo/Europe/Madrid",
    ]  # fmt: skip
    gone = [
        "botocore/data/ec2/service.json", "lib/tests/test_core.py", "lib/core.pyi", "lib/py.typed", "bin/tool",
        "lib-1.dist-info/RECORD", "lib/__pycache__/core.cpython-311.pyc", "boto3/examples/a.rst",
    ]  # fmt: skip
    for name in kept + gone:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    strip(tmp_path)

    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(kept)


def test_a_library_that_is_not_what_it_was_is_not_shortened(tmp_path: Path) -> None:
    library = tmp_path / "aws_lambda_powertools"
    (library / "event_handler").mkdir(parents=True)
    (library / "__init__.py").touch()
    (library / "event_handler" / "__init__.py").write_text("from .http import Resolver")

    with pytest.raises(PermanentFailure, match=r"event_handler/__init__.py no longer has 'BedrockAgentResolver'"):
        strip(tmp_path)


def test_what_botocore_reads_at_a_start_holds_what_is_called_and_no_documentation(tmp_path: Path) -> None:
    data = tmp_path / "botocore" / "data"
    model = data / "kms" / "2014-11-01"
    model.mkdir(parents=True)
    services = {"kms": {"endpoints": {}}, "ec2": {"endpoints": {}}}
    partitions = {"partitions": [{"partition": "aws", "services": services}], "version": 3}
    (data / "endpoints.json").write_text(json.dumps(partitions))
    (model / "examples-1.json").write_text("{}")
    shape = {"type": "structure", "documentation": "<p>long", "members": {"documentation": {"shape": "Text"}}}
    with gzip.open(model / "service-2.json.gz", "wt") as packed:
        json.dump({"shapes": {"Note": shape}, "documentation": "<p>longer"}, packed)

    strip(tmp_path)

    assert sorted(path.name for path in model.iterdir()) == ["service-2.json"]
    assert json.loads((model / "service-2.json").read_text()) == {
        "shapes": {"Note": {"type": "structure", "members": {"documentation": {"shape": "Text"}}}}
    }
    (partition,) = json.loads((data / "endpoints.json").read_text())["partitions"]
    assert partition["services"] == {"kms": {"endpoints": {}}}
