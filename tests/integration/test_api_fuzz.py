"""schemathesis against the API, with ids that exist. Why real: what it finds is what nobody thought of."""

import gzip
import os
import re
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local.platform import Platform
from prism_api.api import backend
from prism_api.api.matrix import find
from prism_api.api.openapi import FILE
from prism_api.api.resource import is_versioned
from prism_api.api.routes.everything import RESOURCES
from prism_core.calendar import Week
from prism_core.capacity.describing import Items
from prism_core.capacity.kept import kept_text
from prism_core.capacity.proposing import propose
from prism_core.capacity.weighting import WeightsChange
from prism_core.capacity.wish import PlanWish
from prism_core.failures import StaleVersion
from tests.integration.api_client import Api, known
from tests.integration.api_server import serving

HERE = Path(__file__).parent
TOOL = str(Path(sys.executable).parent / "schemathesis")
# `make soak` sets more, and draws anew; a run for everybody is short, and refuses no commit by a draw.
SECONDS = int(os.environ.get("FUZZ_SECONDS", "10"))
DRAWN = () if "FUZZ_SECONDS" in os.environ else ("--seed", "1", "--generation-deterministic")
ROLES = {
    "admin": ("[admin]", "fuzz-admin"),
    "lead": ("[lead]", "fuzz-lead"),
    "analyst": ("[analyst]", "fuzz-analyst"),
    "annotator": ("[annotator]", "fuzz-annotator"),
}


@pytest.fixture(scope="module")
def seeded(platform: Platform) -> Platform:
    """Every example of the document exists, so that keys in it lead somewhere.

    What nobody creates by the API (plans, editions, alerts, workers) is stored as its engine stores it.
    """
    known(["m-021"])  # of the example of a correction
    for resource in RESOURCES.values():  # members and projects come first
        if find("POST", resource.path).operation is not None:
            made = Api()("POST", resource.path, {**resource.example})
            assert made.status in {201, 409}, (resource.path, made.body)
        elif resource.example and is_versioned(resource):
            item = resource.model.from_plain({**resource.example})
            store = backend.store(resource.spec, resource.model)
            with suppress(StaleVersion):  # another test of this platform was here
                store.create(item, actor="test", reason="", request_id="fuzz", now=datetime.now(UTC))
            key = resource.key_text(item)
            assert Api()("GET", f"{resource.path}/{key}").status == 200, resource.path
    settings = backend.settings()
    empty = kept_text(propose(Week.parse("2026-W02"), Items(), PlanWish(), WeightsChange()))
    key = str(RESOURCES["plans"].example["body"])
    backend.s3().put_object(Bucket=settings.lake_bucket, Key=key, Body=gzip.compress(empty))
    Api()("PATCH", "/api/members/m-017", {"cognito_sub": "fuzz-annotator"}, match="*")
    return platform


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_no_request_finds_a_server_error_or_an_undocumented_answer(
    seeded: Platform, role: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert seeded.owned
    with serving(*ROLES[role]) as url:
        command = [
            TOOL, "--config-file", str(HERE / "schemathesis.toml"), "run", str(FILE), "--url", url,
            "--header", "Authorization: Bearer of-a-test", "--checks", "all", "--max-time", str(SECONDS),
            "--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color", "--warnings", "off",
            "--request-timeout", "60", *DRAWN,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    failed = re.findall(r"\[500\]", done.stdout)
    tracebacks = "\n".join(record.exc_text or "" for record in caplog.records)[-4000:]
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{tracebacks}"
    assert failed == []
