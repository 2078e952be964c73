"""The wheel as somebody gets it: built, installed where nothing of this repository is, and started.

Why real: what a wheel lacks is seen only where the checkout is not.
"""

import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from infra.packaging.audit import Verdict, verdict
from infra.packaging.libraries import find_uv
from prism_core.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "infra" / "local" / "screens_built"
# `cloud` is for the image of Dagster on AWS, which installs the group.
NOT_HANDED_ON = {"dev", "web", "cloud"}


def uv(*arguments: str) -> str:
    done = subprocess.run([find_uv(), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--wheel", "--quiet", "--out-dir", str(folder))
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_has_the_version_the_licence_the_templates_and_the_built_screens(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    assert wheel.name == f"prism_platform-{VERSION}-py3-none-any.whl"
    assert f"prism_platform-{VERSION}.dist-info/licenses/LICENSE" in names
    assert "infra/local/workspace.yaml" in names
    assert [
        path.name for path in ROOT.glob("infra/templates/*.yaml") if f"infra/templates/{path.name}" not in names
    ] == []
    built = [path for path in SCREENS.rglob("*") if path.is_file()]
    assert [path for path in built if path.relative_to(ROOT).as_posix() not in names] == []
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "web/", "docs/"))]


@pytest.mark.skipif(not SCREENS.is_dir(), reason="`make wheel` builds the screens first; here nobody has")
def test_the_screens_are_in_the_wheel(wheel: Path) -> None:
    assert "infra/local/screens_built/index.html" in zipfile.ZipFile(wheel).namelist()


def test_an_installed_wheel_starts_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    """As `pipx install 'WHEEL[platform]'` does, with the versions of the lock."""
    python, wanted = tmp_path / "venv" / "bin" / "python", tmp_path / "requirements.txt"
    uv("venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv"))
    wanted.write_text(
        uv("export", "--frozen", "--no-default-groups", "--extra", "platform", "--no-emit-project", "--no-hashes")
    )
    uv("pip", "install", "--quiet", "--python", str(python), "--no-deps", "-r", str(wanted), str(wheel))

    def prism(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(python.with_name("prism")), *arguments]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PRISM_HOME": str(tmp_path / "home")}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
        )

    assert prism("--version").stdout == f"prism {VERSION}\n"
    shown = prism("--help")
    assert (shown.returncode, "materialize" in shown.stdout) == (0, True)


def test_what_is_handed_on_is_listed_with_its_versions_and_what_only_we_use_is_not(tmp_path: Path) -> None:
    """`make sbom`, but for the environment, which is not made anew under the feet of the other tests."""
    made = ["make", "-s", "-o", ".venv/.synced", "sbom", f"UV={find_uv()}", f"DIST={tmp_path}"]
    done = subprocess.run(made, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    documents = [json.loads((tmp_path / f"prism-{one}.cdx.json").read_text()) for one in ("python", "screens")]
    python, screens = ({part["name"]: part["version"] for part in one["components"]} for one in documents)

    assert [one["bomFormat"] for one in documents] == ["CycloneDX"] * 2
    lock = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    locked = {(one["name"], one.get("version")) for one in lock}
    assert sorted(python.items() - locked) == []
    assert {"boto3", "pydantic", "dagster"} <= set(python)
    assert "react" in screens
    assert not {"pytest", "ruff", "pyright"} & set(python)
    assert not {"typescript", "esbuild"} & set(screens)


def test_the_version_stands_in_one_place_and_the_screens_have_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert "version" not in project
    assert json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8"))["version"] == VERSION


def test_whoever_installs_the_wheel_gets_what_the_groups_have() -> None:
    written = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    groups = written["dependency-groups"]
    asked = {one for name, group in groups.items() if name not in NOT_HANDED_ON for one in group}
    assert set(written["project"]["optional-dependencies"]["platform"]) == asked


@pytest.mark.parametrize(
    ("code", "said", "found"),
    [
        (0, "no known vulnerabilities", Verdict.CLEAN),
        (1, "Found 1 known vulnerability in pillow", Verdict.HOLES),
        (2, "cause: error sending request for url (https://api.osv.dev/v1/querybatch)", Verdict.UNREACHABLE),
        (1, "npm error audit endpoint returned an error", Verdict.UNREACHABLE),
        (2, "error: the lockfile needs to be updated", Verdict.HOLES),
    ],
)
def test_an_audit_that_cannot_be_made_is_no_clean_one_and_no_hole(code: int, said: str, found: Verdict) -> None:
    assert verdict(code, said) is found
