"""The screens as a folder for S3 behind CloudFront: the app as it is, and files beside it that say where it is."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from infra.packaging.npm import NODE
from infra.packaging.screens import FUNCTION, headers, main

TEMPLATES = Path(__file__).parents[2] / "infra" / "templates"
WHERE = [
    "--region", "eu-west-1", "--pool", "eu-west-1_AbC", "--client", "c1", "--domain", "prism-1",
    "--lake", "the-lake",
]  # fmt: skip


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "built"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>PRISM</title>")
    (folder / "assets" / "index-3f2a.js").write_text("1")
    monkeypatch.setattr("infra.packaging.screens.BUILT", folder)
    return folder


def test_the_app_is_what_was_built_and_what_differs_lies_beside_it(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    assert main([str(out), *WHERE, "--link", "Dagster=https://dagster.example.com"]) == 0

    told = json.loads((out / "site" / "config.json").read_text())
    added = json.loads((out / "headers.json").read_text())
    assert {path.name for path in built.rglob("*.*")} <= {path.name for path in (out / "site").rglob("*.*")}
    assert told["client_id"] == "c1"
    assert told["metadata_url"].startswith("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC/")
    assert told["links"] == {"Dagster": "https://dagster.example.com"}
    assert "script-src 'self'" in added["Content-Security-Policy"]
    for called in ("prism-1.auth.eu-west-1.amazoncognito.com", "the-lake.s3.eu-west-1.amazonaws.com"):
        assert f" https://{called}" in added["Content-Security-Policy"]
    assert "Cache-Control" not in added
    hashed, page = capsys.readouterr().out.splitlines()
    assert ("immutable" in hashed, "no-cache" in page) == (True, True)


@pytest.mark.usefixtures("built")
def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("kept")

    assert main([str(tmp_path / "out"), *WHERE]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_the_distribution_of_the_templates_says_the_same_policy() -> None:
    (said,) = re.findall(r'ContentSecurityPolicy: !Sub "(.+)"', (TEMPLATES / "web.yaml").read_text())
    lake = "${NamePrefix}-lake-${AWS::AccountId}-${AWS::Region}"

    assert said == headers("${AWS::Region}", "${UsersDomainName}", lake)["Content-Security-Policy"]


def test_an_address_of_the_app_is_answered_by_its_page_and_a_file_by_itself() -> None:
    asked = ["/", "/team", "/auth/callback", "/assets/index-3f2a.js", "/config.json"]
    program = f"{FUNCTION}\nconsole.log(JSON.stringify({asked}.map((uri) => handler({{request: {{uri}}}}).uri)))"

    done = subprocess.run([NODE / "bin" / "node", "-e", program], capture_output=True, check=True)

    assert json.loads(done.stdout) == ["/index.html"] * 3 + asked[3:]
