"""Routes are made when they are called: each root serves exactly its own operations, and none is left out."""

import subprocess
import sys
from typing import Any

import pytest

from prism_api.api.apps import app_of
from prism_api.api.matrix import OPERATIONS
from prism_api.api.routes.everything import RESOURCES, SECTIONS, root_of

ROOTS = sorted({root_of(operation.path) for operation in OPERATIONS})
START = """
import sys
from prism_api.api.handler import handler
from tests.unit.api_events import event
assert handler(event("GET", "/api/meta"), None)["statusCode"] == 200
heavy = {"boto3", "botocore.session", "prism_core.tables", "openpyxl", "cryptography", "msgspec", "holidays"}
print(*sorted(heavy & sys.modules.keys()))
"""


@pytest.mark.parametrize("root", ROOTS)
def test_a_root_serves_its_operations_and_no_others(root: str) -> None:
    schema: Any = app_of(root).get_openapi_schema(title="t", version="1")
    paths = schema.model_dump(by_alias=True, exclude_none=True)["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}

    assert {name for name in served if root_of(name.partition(" ")[2]) == root} == {
        operation.name for operation in OPERATIONS if root_of(operation.path) == root
    }


def test_every_section_is_reached_by_an_operation() -> None:
    assert {root for section in SECTIONS for root in section.roots} == set(ROOTS)


def test_a_resource_is_found_by_the_name_of_its_table() -> None:
    assert {table: resource.spec.name for table, resource in RESOURCES.items()} == {t: t for t in RESOURCES}
    assert "changelog" not in RESOURCES


def test_a_call_that_reads_no_table_imports_nothing_that_reads_one() -> None:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == ""
