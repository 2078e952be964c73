"""The package that AWS runs, built twice.

Why real: the size, and whether every import of the API finds its library, are properties of the wheels. Needs uv,
and its cache or the network.
"""

import io
import json
import platform as machine
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore.loaders import Loader

from infra.packaging.function import API, EVENTS, MEDIA, PLANNER, Package, package_function
from infra.packaging.libraries import AWS_SERVICES, PYTHON, Arch, find_python, strip
from tests.integration.helpers import prism

pytestmark = pytest.mark.slow

HEAVY = {
    "dagster",
    "dagster_aws",
    "pandas",
    "pyarrow",
    "duckdb",
    "numpy",
    "ministack",
    "starlette",
    "httpx",
    "pip",
}
# Run by a Python of the function's version that sees nothing but the package.
IMPORTED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import prism_api.api.handler, boto3, os
os.environ.update(PRISM_ENVIRONMENT="aws", PRISM_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1")
for service in sys.argv[2].split(","):
    boto3.client(service)
from prism_api.api.apps import app_of
from prism_api.api import jobs
app_of(None)
answer = prism_api.api.handler.handler({"version": "2.0", "rawPath": "/api/projects", "rawQueryString": "",
    "headers": {}, "requestContext": {"http": {"method": "GET", "path": "/api/projects"}, "requestId": "r"}}, None)
roots = sorted({name.partition(".")[0] for name in sys.modules})
outside = sorted(name for name, module in sys.modules.items()
    if (file := getattr(module, "__file__", None)) and "site-packages" in file)
facts = {"roots": roots, "outside": outside, "status": answer["statusCode"]}
sys.stdout.write(json.dumps(facts | {"file": prism_api.api.handler.__cached__}))
"""


# A small week, solved with what the package has.
SOLVED = """
import json, sys
sys.path.insert(0, sys.argv[1])
from datetime import date
from decimal import Decimal
import prism_api.planner.handler
from prism_core.calendar import Week
from prism_core.capacity.explain import explain
from prism_core.capacity.problem import DemandLine, PlanMember, PlanProblem, PlanProject
from prism_core.capacity.solve import solve
from prism_resources import planning
week = Week.parse("2026-W48")
members = [PlanMember(f"M{n}", {week.monday: Decimal(8)}, max_projects=1) for n in range(3)]
projects = [PlanProject(f"P{n}", max_people=1) for n in range(3)]
lines = [DemandLine(one.project_id, one.project_id, Decimal(9)) for one in projects]
problem = PlanProblem(week, members, projects, lines)
plan = solve(problem, polish_seconds=1)
explain(problem, plan)
roots = sorted({name.partition(".")[0] for name in sys.modules})
outside = sorted(name for name, module in sys.modules.items()
    if (file := getattr(module, "__file__", None)) and "site-packages" in file)
sys.stdout.write(json.dumps({"roots": roots, "outside": outside, "hours": str(plan.assigned_hours)}))
"""

OF_MEDIA = """
import io, json, os, sys, types
sys.path.insert(0, sys.argv[1])
os.environ.update(PRISM_ENVIRONMENT="aws", PRISM_REGION="us-east-1", PRISM_ACCOUNT_ID="000000000000",
    PRISM_FIRST_WEEK="2026-W01", AWS_DEFAULT_REGION="us-east-1", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")
import prism_api.images.copies, prism_api.images.handler as images, prism_api.public.handler as public
from PIL import Image
from prism_core.media.rendering import rendered
from prism_core.settings import load_settings
from prism_resources.media.analysing import Analysing
from prism_resources.media.pictures import open_picture
target = io.BytesIO()
Image.new("RGB", (320, 200), "navy").save(target, "PNG")
picture = open_picture(target.getvalue(), "x.png")
picture.for_analysis()
analysing = Analysing(load_settings())
analysing._images, analysing._analyser
record = {"messageId": "m-1", "receiptHandle": "h", "body": "no event of S3"}
images._delay = lambda delays: None
context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: 30_000)
left = images.handler({"Records": [record]}, context)["batchItemFailures"]
asked = {"requestId": "r", "http": {"method": "GET"}}
answer = public.handler({"rawPath": "/public/nothing", "requestContext": asked, "headers": {}}, context)
outside = sorted(name for name, module in sys.modules.items()
    if (file := getattr(module, "__file__", None)) and "site-packages" in file)
sys.stdout.write(json.dumps({"outside": outside, "left": [one["itemIdentifier"] for one in left],
    "status": answer["statusCode"], "html": rendered("**a**", {}, lambda image, file: "").strip(),
    "copies": [one[0] for one in picture.copies()]}))
"""

OF_EVENTS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import prism_api.events.dispatcher, prism_api.events.ingest, prism_api.events.steps
from prism_api.events.agents import agent_family
from prism_core.events.validating import CompiledSchema
from prism_core.settings import Settings
from prism_resources.events.outside import Outside
judge = CompiledSchema({"type": "object", "required": ["a"]})
fits = [judge.fits({"a": 1}), judge.fits({})]
family = agent_family("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
outside = sorted(name for name, module in sys.modules.items()
    if (file := getattr(module, "__file__", None)) and "site-packages" in file)
sys.stdout.write(json.dumps({"outside": outside, "family": family, "fits": fits}))
"""


@pytest.fixture(scope="module", params=Arch, ids=lambda arch: arch.value)
def package(request: pytest.FixtureRequest) -> Package:
    return package_function(API, request.param)


def names_of(package: Package) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(package.archive.body)) as archive:
        return set(archive.namelist())


def test_it_is_within_its_bound(package: Package, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(
            f"\nprism-api {package.arch.value}: {package.archive.unpacked_bytes:,} bytes unpacked in "
            f"{package.archive.files:,} files, zip {len(package.archive.body):,}\n"
        )

    assert package.archive.unpacked_bytes < API.max_unpacked_bytes


def test_it_holds_wheels_of_its_processor_and_nothing_heavy(package: Package) -> None:
    names = names_of(package)
    native = {name for name in names if name.endswith(".so")}
    machine_name = "aarch64" if package.arch is Arch.ARM64 else "x86_64"

    assert native
    assert [name for name in native if "linux" in name and machine_name not in name] == []
    assert [name for name in native if "cpython" in name and "cpython-313" not in name] == []
    assert {name.partition("/")[0] for name in names} & HEAVY == set()


def test_its_byte_code_is_of_lambda_s_python_and_beside_every_source(package: Package) -> None:
    names = names_of(package)
    compiled = {name for name in names if name.endswith(".pyc")}

    if find_python() is None:
        assert (package.byte_code, compiled) == (False, set())
        return
    sources = {name for name in names if name.endswith(".py")}
    assert package.byte_code
    assert {name.replace("/__pycache__/", "/").replace(".cpython-313.pyc", ".py") for name in compiled} >= {
        name for name in sources if "/" in name
    }


def test_it_imports_by_itself_and_answers_a_call(package: Package, tmp_path: Path) -> None:
    python = find_python()
    here = Arch.X86_64 if machine.machine() == "x86_64" else Arch.ARM64
    if python is None or package.arch is not here:
        pytest.skip(f"needs Python {PYTHON} and a processor of the kind {package.arch.value}")
    with zipfile.ZipFile(io.BytesIO(package.archive.body)) as archive:
        archive.extractall(tmp_path)

    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", IMPORTED, str(tmp_path), "dynamodb,kms,lambda,s3,secretsmanager,sts"],
        env={"AWS_EC2_METADATA_DISABLED": "true"}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert set(facts["roots"]) & HEAVY == set()
    assert (facts["status"], facts["outside"]) == (401, [])
    assert facts["file"].endswith(".cpython-313.pyc")


@pytest.fixture(scope="module")
def solver() -> Package:
    """The planner for the processor of this machine; a package takes 60 MB of wheels."""
    return package_function(PLANNER, Arch.X86_64 if machine.machine() == "x86_64" else Arch.ARM64)


def test_the_planner_has_the_solvers_without_pandas_and_routes_within_its_bound(
    solver: Package, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\nprism-planner: {solver.archive.unpacked_bytes:,} bytes unpacked\n")

    assert solver.archive.unpacked_bytes < PLANNER.max_unpacked_bytes
    assert {"ortools", "numpy", "highspy"} <= set(solver.parts)
    assert set(solver.parts) & {"pandas", "google", "absl", "aws_lambda_powertools", "pyarrow"} == set()


def test_the_planner_solves_a_week_with_what_its_package_has(solver: Package, tmp_path: Path) -> None:
    python = find_python()
    if python is None:
        pytest.skip(f"needs Python {PYTHON}")
    with zipfile.ZipFile(io.BytesIO(solver.archive.body)) as archive:
        archive.extractall(tmp_path)

    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", SOLVED, str(tmp_path)],
        env={"AWS_EC2_METADATA_DISABLED": "true"}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert (facts["hours"], facts["outside"]) == ("24.00", [])
    assert "pandas" not in facts["roots"]


@pytest.fixture(scope="module")
def of_events() -> Package:
    """The functions of events for the processor of this machine."""
    return package_function(EVENTS, Arch.X86_64 if machine.machine() == "x86_64" else Arch.ARM64)


def test_the_functions_of_events_stay_within_their_bound_and_import_with_what_they_have(
    of_events: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\nprism-events: {of_events.archive.unpacked_bytes:,} bytes unpacked\n")

    assert of_events.archive.unpacked_bytes < EVENTS.max_unpacked_bytes
    assert {"jsonschema_rs", "ua_parser", "msgspec"} <= set(of_events.parts)
    assert set(of_events.parts) & {"aws_lambda_powertools", "cryptography", "ortools", "numpy"} == set()
    python = find_python()
    if python is None:
        pytest.skip(f"needs Python {PYTHON}")
    with zipfile.ZipFile(io.BytesIO(of_events.archive.body)) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", OF_EVENTS, str(tmp_path)],
        env={"AWS_EC2_METADATA_DISABLED": "true"}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"outside": [], "family": "Firefox", "fits": [True, False]}


@pytest.mark.parametrize("arch", Arch)
def test_the_functions_of_media_open_pictures_and_render_articles_with_what_they_have(
    arch: Arch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = package_function(MEDIA, arch)
    with capsys.disabled():
        sys.stdout.write(f"\nprism-media {arch}: {package.archive.unpacked_bytes:,} bytes unpacked\n")

    assert package.archive.unpacked_bytes < MEDIA.max_unpacked_bytes
    assert {"PIL", "nh3", "msgspec", "botocore"} <= set(package.parts)
    lacking = {"aws_lambda_powertools", "cryptography", "cv2", "numpy", "nudenet", "onnxruntime", "ortools"}
    assert set(package.parts) & lacking == set()
    python = find_python()
    if python is None or (arch is Arch.X86_64) != (machine.machine() == "x86_64"):
        pytest.skip(f"built and bounded; to run it needs Python {PYTHON} and a processor of the kind {arch.value}")
    with zipfile.ZipFile(io.BytesIO(package.archive.body)) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", OF_MEDIA, str(tmp_path)],
        env={"AWS_EC2_METADATA_DISABLED": "true"}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert facts == {
        "outside": [], "left": ["m-1"], "status": 404, "html": "<p><strong>a</strong></p>",
        "copies": ["320.webp", "320.avif"],
    }  # fmt: skip


# Of the processor that functions are deployed for.
@pytest.mark.parametrize("package", [Arch.ARM64], indirect=True, ids=lambda arch: arch.value)
def test_the_command_writes_the_same_bytes_of_the_same_sources_and_says_how_large_they_are(
    package: Package, tmp_path: Path
) -> None:
    arch = package.arch.value
    answer = prism(tmp_path / "home", "package", "--arch", arch, "--out", str(tmp_path / "dist"), "--json")

    assert answer.returncode == 0, answer.stderr
    facts = json.loads(answer.stdout)
    body = (tmp_path / "dist" / f"prism-api-{arch}.zip").read_bytes()
    assert body == package.archive.body
    assert (facts["zip_bytes"], facts["unpacked_bytes_at_most"]) == (len(body), API.max_unpacked_bytes)
    assert sum(facts["parts"].values()) == facts["unpacked_bytes"] < API.max_unpacked_bytes


def test_clients_of_every_service_are_made_from_what_a_package_holds_of_botocore(tmp_path: Path) -> None:
    package = Path(botocore.__file__).parent
    for name in (
        *AWS_SERVICES,
        "endpoints.json",
        "partitions.json",
        "_retry.json",
        "sdk-default-configuration.json",
    ):
        source, target = package / "data" / name, tmp_path / "botocore" / "data" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    strip(tmp_path)
    data = str(tmp_path / "botocore" / "data")

    def urls(folder: str) -> dict[str, str]:
        session = botocore.session.get_session()
        loader = Loader(extra_search_paths=[folder], include_default_search_paths=False)
        session.register_component("data_loader", loader)
        given: Any = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        return {
            f"{service} {region}": session.create_client(service, region_name=region, **given).meta.endpoint_url
            for service in sorted(AWS_SERVICES)
            for region in ("us-east-1", "eu-south-2", "cn-north-1", "us-gov-west-1")
        }

    assert urls(data) == urls(str(package / "data"))
