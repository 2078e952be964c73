"""Imports point in one direction, the leaf does no I/O, and an import does nothing but import."""

import json
from pathlib import Path

import pytest

from tests.architecture.layers import HOUSE, MAY_IMPORT, NEVER_IN_A_LAMBDA, breaches
from tests.architecture.sources import PRISM, ROOT, Module, modules, run_fresh

_IMPORT_ALL = """
import importlib, json, os, sys

OURS = ("prism_", "infra", "benchmarks")
REACHES_OUT = {"socket.__new__", "socket.bind", "socket.connect", "socket.getaddrinfo", "subprocess.Popen"}
read = set()

def refuse(event, args):
    if event in REACHES_OUT:
        raise RuntimeError(f"{event} while a module is imported")

class Watched(type(os.environ)):
    def __getitem__(self, key):
        frame = sys._getframe(1)
        while frame.f_globals["__name__"] in ("os", "collections.abc", "_collections_abc"):
            frame = frame.f_back
        if frame.f_globals["__name__"].startswith(OURS) or key.startswith("PRISM_"):
            read.add(f"{frame.f_globals['__name__']} reads {key}")
        return super().__getitem__(key)

os.environ.__class__ = Watched
sys.addaudithook(refuse)
del os.environ["PRISM_HOME"]
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps({"read": sorted(read), "loaded": sorted({name.split(".")[0] for name in sys.modules})}))
"""


def imported(home: Path, names: list[str]) -> dict[str, list[str]]:
    """Which environment variables our modules read while these are imported, and what was loaded."""
    done = run_fresh(_IMPORT_ALL, home, *names)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("module", modules(*MAY_IMPORT), ids=lambda module: module.name)
def test_a_module_keeps_the_rules_of_its_layer(module: Module) -> None:
    assert breaches(module.text, module.name, is_package=module.is_package) == []


def test_every_folder_with_python_in_it_has_a_layer() -> None:
    folders = {file.parts[0] for path in ROOT.glob("[!.]*/**/*.py") for file in [path.relative_to(ROOT)]}

    assert folders - {"node_modules", "web", "docs"} == set(HOUSE)


CAUGHT = [
    # Against the direction.
    ("prism_core.a", "import prism_resources", "imports prism_resources"),
    ("prism_core.a", "def f():\n    from prism_assets.partitions import weekly", "line 2: prism_core.a imports"),
    (
        "prism_core.a",
        "if TYPE_CHECKING:\n    from prism_sensors import schedules",
        "imports prism_sensors.schedules",
    ),
    ("prism_core.a", "importlib.import_module('prism_resources.aws')", "imports prism_resources.aws"),
    ("prism_core.a", "importlib.import_module(name)", "imports a module whose name is computed"),
    ("prism_core.a.b", "from ...prism_resources import aws", "imports prism_resources.aws"),
    ("prism_resources.a", "from prism_assets.resources import PrismResource", "imports prism_assets.resources"),
    ("prism_resources.a", "import infra.deploy", "imports infra.deploy"),
    ("prism_assets.a", "from prism_sensors.schedules import schedules", "imports prism_sensors.schedules"),
    ("prism_assets.a", "from tests.unit import x", "imports tests.unit.x"),
    ("prism_sensors.a", "from infra.local.home import Home", "imports infra.local.home"),
    ("prism_sensors.a", "import benchmarks.harness", "imports benchmarks.harness"),
    ("infra.a", "from benchmarks import harness", "imports benchmarks.harness"),
    # The API.
    ("prism_api.a", "import prism_assets", "imports prism_assets"),
    ("prism_api.a", "import prism_resources", "imports prism_resources"),
    ("prism_api.a", "from prism_resources.lake import Lake", "imports prism_resources.lake.Lake"),
    ("prism_api.a", "from prism_resources import lake, aws", "imports prism_resources.lake"),
    ("prism_api.a", "import pyarrow.parquet as pq", "too heavy for a Lambda"),
    ("prism_api.a", "def f():\n    import pandas as pd", "too heavy for a Lambda"),
    # The leaf.
    ("prism_core.a", "import boto3", "no pure computing library"),
    ("prism_core.a", "import dagster as dg", "no pure computing library"),
    ("prism_core.a", "import pandas", "no pure computing library"),
    ("prism_core.a", "import socket", "prism_core does no I/O"),
    ("prism_core.a", "from urllib.request import urlopen", "prism_core does no I/O"),
    ("prism_core.a", "from http import client", "prism_core does no I/O"),
    ("prism_core.a", "import subprocess", "prism_core does no I/O"),
    ("prism_core.a", "from pyarrow import fs", "prism_core does no I/O"),
    ("prism_core.a", "def f(p):\n    return open(p).read()", "calls open"),
    ("prism_core.a", "def f(p):\n    return p.read_text()", "calls p.read_text"),
    ("prism_core.a", "import gzip\ndef f(p):\n    return gzip.open(p)", "calls gzip.open"),
    ("prism_core.a", "from os import remove\ndef f(p):\n    remove(p)", "uses os.remove"),
    ("prism_core.a", "def f():\n    print('x')", "calls print"),
    # The environment, and what happens at import.
    (
        "prism_resources.a",
        "import os\ndef f():\n    return os.environ.get('X')",
        "only the settings and the clock",
    ),
    (
        "prism_core.a",
        "from os import environ as e\ndef f():\n    return e['X']",
        "only the settings and the clock",
    ),
    ("prism_core.settings", "import os\nX = os.environ['X']", "reads the environment at import"),
    ("infra.a", "import os\nclass C:\n    x = os.getenv('X')", "reads the environment at import"),
    ("infra.a", "import os\ndef f(x=os.getenv('X')): ...", "reads the environment at import"),
    ("prism_resources.a", "import boto3\nS3 = boto3.client('s3')", "calls boto3.client at import"),
    ("prism_resources.a", "from boto3 import client as c\nX = [c(n) for n in N]", "calls boto3.client at import"),
    ("prism_resources.a", "from prism_resources.aws import client\nX = client(s, 's3')", "aws.client at import"),
    ("infra.a", "import socket\nif True:\n    S = socket.socket()", "calls socket.socket at import"),
    ("infra.a", "import subprocess\nX = subprocess.run(['git'])", "calls subprocess.run at import"),
    ("prism_assets.a", "from prism_core.settings import load_settings\nS = load_settings()", "belongs to a run"),
    ("prism_assets.a", "from prism_core import clock\nNOW = clock.now()", "belongs to a run"),
]
ALLOWED = [
    (
        "prism_core.a",
        "import re, json, zlib\nimport numpy as np\nfrom pydantic import Field\nimport pyarrow.json as pj",
    ),
    ("prism_core.a", "from urllib.parse import quote\nimport os\nN = os.cpu_count()"),
    ("prism_core.a.b", "from ..calendar import Week\nfrom prism_core import clock"),
    ("prism_core.clock", "import os\ndef now():\n    return os.environ.get('PRISM_NOW')"),
    ("prism_resources.a", "import boto3\ndef f():\n    return boto3.client('s3')"),
    ("prism_resources.a", "import socket\nFAMILY = socket.AF_INET\nf = lambda: socket.socket()"),
    ("prism_assets.definitions", "from prism_sensors.schedules import schedules"),
    ("prism_sensors.a", "from prism_assets.partitions import weekly\nfrom prism_core.calendar import Week"),
    (
        "prism_api.a",
        "from prism_resources.tables.store import TableStore\nfrom prism_resources import aws, failures",
    ),
    ("infra.a", "import dagster\nimport prism_api.routes\nfrom prism_assets.definitions import build_definitions"),
    ("infra.a", "import os\nif __name__ == '__main__':\n    X = os.environ['X']"),
]


@pytest.mark.parametrize(("module", "source", "words"), CAUGHT)
def test_a_breach_is_caught(module: str, source: str, words: str) -> None:
    assert words in "; ".join(breaches(source, module))


@pytest.mark.parametrize(("module", "source"), ALLOWED)
def test_what_is_allowed_is_let_through(module: str, source: str) -> None:
    assert breaches(source, module) == []


def test_importing_any_module_opens_no_socket_starts_no_process_and_reads_no_setting(tmp_path: Path) -> None:
    names = [module.name for module in modules(*PRISM, "benchmarks")]

    assert imported(tmp_path, names)["read"] == []


def test_the_whole_core_loads_without_aws_dagster_or_pandas(tmp_path: Path) -> None:
    loaded = imported(tmp_path, [module.name for module in modules("prism_core")])["loaded"]

    assert set(loaded) & {"boto3", "botocore", "dagster", "pandas", "duckdb", "prism_resources", "infra"} == set()


def test_a_week_to_plan_is_described_checked_and_judged_without_a_solver(tmp_path: Path) -> None:
    parts = ("problem", "plan", "checking", "scoring", "verifying")

    loaded = imported(tmp_path, [f"prism_core.capacity.{part}" for part in parts])["loaded"]

    assert set(loaded) & {"numpy", "ortools", "highspy"} == set()


def test_what_the_api_may_import_brings_nothing_heavy_with_it(tmp_path: Path) -> None:
    allowed = tuple(name for name in MAY_IMPORT["prism_api"] if name != "prism_core")
    names = [
        module.name
        for module in modules("prism_api", "prism_resources")
        if module.name.startswith(("prism_api", *allowed))
    ]

    loaded = imported(tmp_path, names)["loaded"]

    assert len(names) > 5
    assert set(loaded) & {*NEVER_IN_A_LAMBDA, "prism_assets", "prism_sensors", "infra"} == set()


def test_the_routes_do_without_the_solvers_which_the_planner_alone_has(tmp_path: Path) -> None:
    names = [module.name for module in modules("prism_api") if ".planner" not in module.name]

    assert set(imported(tmp_path, names)["loaded"]) & {"numpy", "ortools", "highspy"} == set()


def test_the_definitions_load_without_what_one_step_alone_needs(tmp_path: Path) -> None:
    loaded = imported(tmp_path, ["prism_assets.definitions"])["loaded"]

    assert set(loaded) & {"anthropic", "pandas", "sqlglot", "openpyxl", "ministack", "infra"} == set()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import socket; socket.socket()", "socket.__new__ while a module is imported"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen while a module is imported"),
    ],
)
def test_an_import_that_reaches_out_is_caught_at_run_time(tmp_path: Path, source: str, words: str) -> None:
    (tmp_path / "reaching.py").write_text(source)

    done = run_fresh(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{_IMPORT_ALL}", tmp_path, "reaching")

    assert done.returncode != 0
    assert words in done.stderr


def test_a_read_of_the_environment_is_seen_at_run_time(tmp_path: Path) -> None:
    (tmp_path / "infra_reading.py").write_text("import os; X = os.environ.get('HOME'), os.getenv('PRISM_NOW')")

    done = run_fresh(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{_IMPORT_ALL}", tmp_path, "infra_reading"
    )

    assert "infra_reading reads HOME" in done.stdout
    assert "infra_reading reads PRISM_NOW" in done.stdout
