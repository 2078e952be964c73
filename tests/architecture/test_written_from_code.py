"""Pages and templates that are written from the code say what the code says."""

import re
import shutil
import sys
import tomllib
from pathlib import Path

import hcl2
import pytest

from benchmarks.aws_month import SCALES, SCANS, athena_seconds, dashboards
from infra import architecture_document, data_dictionary, terraform_module, third_party
from infra.architecture_document import read_templates
from infra.dashboards import SHEETS, TEMPLATE, written
from infra.deploy import STACKS
from prism_core.lake_views import LAKE_VIEWS
from prism_core.tables import TABLES
from tests.architecture.sources import ROOT, run

DOCS = ROOT / "docs"


def test_the_data_dictionary_is_that_of_the_models() -> None:
    told = data_dictionary.DOCUMENT.read_text(encoding="utf-8")

    assert told == data_dictionary.document(), "run `python -m infra.data_dictionary`"
    assert [name for name in TABLES if f"\n### {name}\n" not in told] == []


def test_personal_fields_are_marked_in_the_data_dictionary() -> None:
    told = data_dictionary.DOCUMENT.read_text(encoding="utf-8")

    for name, spec in TABLES.items():
        section = told.split(f"\n### {name}\n")[1].split("\n### ")[0]
        assert section.count("*personal*") == len(spec.personal), name


def test_the_diagrams_of_the_architecture_are_those_of_the_code() -> None:
    told = architecture_document.DOCUMENT.read_text(encoding="utf-8")

    assert told == architecture_document.document(), "run `python -m infra.architecture_document`"


def test_third_party_notices_name_every_package_that_runs_here_and_none_that_is_not_locked() -> None:
    """Other systems install other packages of the lock; the page is written on Linux with Python 3.11."""
    told = third_party.DOCUMENT.read_text(encoding="utf-8")
    locked = {one["name"] for one in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]}
    python, _, web = told.partition("## The screens")
    named = [line.split(" | ")[0].removeprefix("| ") for line in python.splitlines() if line.startswith("| ")][1:]

    here = [f"| {' | '.join(one)} |" for one in third_party.python_packages()]
    assert [line for line in here if line not in python] == [], "run `python -m infra.third_party`"
    assert [name for name in named if name not in locked] == []
    assert [one for one in third_party.web_packages() if f"| {' | '.join(one)} |" not in web] == []


def test_the_dashboards_are_those_of_the_views_and_clean_for_cfn_lint(tmp_path: Path) -> None:
    assert TEMPLATE.read_text(encoding="utf-8") == written(), "run `python -m infra.dashboards`"
    assert {sheet.view for sheet in SHEETS} == set(LAKE_VIEWS)

    done = run([str(Path(sys.executable).with_name("cfn-lint")), str(TEMPLATE)], tmp_path)

    assert (done.returncode, done.stdout) == (0, "")


def test_the_terraform_module_is_that_of_the_templates_and_can_be_read() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in terraform_module.MODULE.glob("*.tf")}
    assert texts == terraform_module.files(), "run `python -m infra.terraform_module`"

    module = hcl2.loads("\n".join(texts.values()))

    stacks = [name.strip('"') for block in module["resource"] for one in block.values() for name in one]
    assert stacks == [concern.replace("-", "_") for concern in STACKS]
    declared = {name.strip('"') for one in module["variable"] for name in one}
    used = set(re.findall(r"\bvar\.(\w+)", texts["main.tf"]))
    assert used == declared
    templates = read_templates()
    for concern in STACKS:
        asked = set(templates[concern].get("Parameters", {})) - terraform_module.LOCAL_ONLY
        block = texts["main.tf"].split(f'"{concern.replace("-", "_")}" {{')[1].split("  parameters = {")[1]
        given = re.findall(r"^    (\w+) +=", block.split("\n  }")[0], re.MULTILINE)
        assert set(given) == asked, concern


@pytest.mark.skipif(
    shutil.which("terraform") is None, reason="terraform is not installed here; python-hcl2 has read it"
)
def test_the_terraform_module_is_formatted(tmp_path: Path) -> None:
    done = run(["terraform", "fmt", "-check", "-diff", str(terraform_module.MODULE)], tmp_path)

    assert (done.returncode, done.stdout) == (0, "")


def test_how_long_a_sheet_takes_is_quoted_and_within_two_seconds_at_the_reference_scale() -> None:
    assert dashboards() in (DOCS / "dashboards.md").read_text(encoding="utf-8")
    assert {scan.view for scan in SCANS} == set(LAKE_VIEWS)
    assert max(athena_seconds(scan, SCALES[0]) for scan in SCANS) < 2


@pytest.mark.parametrize("folder", ["docs", "docs/runbooks"])
def test_every_page_is_in_the_index_of_its_folder(folder: str) -> None:
    index = (ROOT / folder / "README.md").read_text(encoding="utf-8")

    pages = [path.name for path in (ROOT / folder).glob("*.md") if path.name != "README.md"]
    assert [name for name in pages if f"]({name})" not in index] == []
