"""The documents tell the truth: every command and option, every link, folder, decision and change."""

import re
from pathlib import Path

import pytest
import typer

from infra.cli.app import application
from infra.lake_documents import DOCUMENT, document
from infra.local.standins.liars import Lie
from prism_core.settings import Settings
from tests.architecture.documents import (
    broken_links,
    changelog_problems,
    commands,
    decision_problems,
    folders_of_layout,
    undocumented,
)
from tests.architecture.sources import ROOT, tracked

CLI = ROOT / "docs" / "cli.md"
DECISIONS = ROOT / "docs" / "adr"
KNOWN = {"prism query": ["--format", "--json"], "prism ingest ads": ["--log"]}
SOUND = """# Commands
## `prism query`
`--format` csv, or `--json`.
```
# not a heading
prism query --format csv
```
## prism ingest
### prism ingest ads
- `--log` reads the log; `--help` explains
"""


def test_every_command_and_option_is_described_and_nothing_else_is() -> None:
    assert list(undocumented(commands(typer.main.get_command(application())), CLI.read_text())) == []


def test_every_command_of_the_readme_exists_with_its_options() -> None:
    known = commands(typer.main.get_command(application()))
    blocks = (ROOT / "README.md").read_text().split("```")[1::2]
    shown = [line.split() for block in blocks for line in block.splitlines() if line.startswith("prism ")]
    found = [
        (words, next((" ".join(words[:n]) for n in (3, 2) if " ".join(words[:n]) in known), "")) for words in shown
    ]

    assert shown
    assert [words for words, command in found if not command] == []
    assert [
        (command, word)
        for words, command in found
        for word in words
        if word.startswith("--") and word not in known[command]
    ] == []


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", *(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]
)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    assert list(broken_links(ROOT / name, ROOT)) == []


def test_the_layout_of_the_readme_names_folders_that_exist() -> None:
    named = folders_of_layout((ROOT / "README.md").read_text())

    assert named
    assert [folder for folder in named if not (ROOT / folder).is_dir()] == []


def test_the_changelog_keeps_to_keep_a_changelog() -> None:
    assert list(changelog_problems((ROOT / "CHANGELOG.md").read_text())) == []


def test_decisions_are_numbered_without_gaps_and_have_context_decision_and_consequences() -> None:
    files = {path.name: path.read_text() for path in DECISIONS.iterdir() if path.name != "README.md"}

    assert files
    assert list(decision_problems(files)) == []


def test_a_decision_that_is_referred_to_exists() -> None:
    numbers = {path.name[:4] for path in DECISIONS.glob("*.md")}
    referred = {
        (name, number) for name, text in tracked().items() for number in re.findall(r"\bADR (\d{4})\b", text)
    }

    assert sorted(f"{name}: ADR {number}" for name, number in referred if number not in numbers) == []


def test_a_sound_description_of_commands_is_let_through() -> None:
    assert list(undocumented(KNOWN, SOUND)) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("## `prism query`", "## Queries", "`prism query` has no section"),
        ("`--json`", "`--jsonl`", "`prism query`: --json is not mentioned"),
        ("`--log`", "`--log`, `--lag`", "`prism ingest ads`: there is no --lag"),
        ("## prism ingest\n", "## prism ingests\n", "`prism ingests` is no command"),
    ],
)
def test_a_gap_in_the_description_of_commands_is_caught(old: str, new: str, problem: str) -> None:
    assert problem in list(undocumented(KNOWN, SOUND.replace(old, new)))


def test_options_of_a_sub_command_are_found() -> None:
    known = commands(typer.main.get_command(application()))

    assert known["prism ingest worker-activity"] == ["--json", "--log", "--start-over"]
    assert "prism ingest" not in known


def test_a_link_to_a_missing_file_or_heading_is_caught(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# Over `here`, now\n")
    good = (
        "[x](b.md#over-here-now) [y](https://a.example) ![z](/b.md) [w](#a) `[v](no.md)`\n```\n[u](no.md)\n```\n"
    )
    (tmp_path / "a.md").write_text(
        f'# A\n{good}[1](none.md) [2](b.md#there)\n\n[ref]: gone.md\n<img src="no.png">\n'
    )

    assert list(broken_links(tmp_path / "a.md", tmp_path)) == [
        "a.md: none.md does not exist",
        "a.md: b.md#there: there is no such heading",
        "a.md: gone.md does not exist",
        "a.md: no.png does not exist",
    ]


def test_a_layout_is_read_from_a_table_and_from_a_block() -> None:
    table = (
        "| folder | holds |\n|---|---|\n| `prism_core/` | rules |\n| `docs/adr/`, `web/` | x |\n| none | `y/` |\n"
    )
    block = "```\nprism_core/        leaf: all\ninfra/\nMakefile  x\n```\n"

    assert folders_of_layout(table) == ["prism_core/", "docs/adr/", "web/"]
    assert folders_of_layout(block) == ["prism_core/", "infra/"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# Changes\n## [Unreleased]\n", "does not begin with"),
        ("# Changelog\n## [1.0.0] - 2026-01-01\n", "first section is not"),
        ("# Changelog\n## [Unreleased]\n## 1.0.0\n", "`## 1.0.0` is no"),
        ("# Changelog\n## [Unreleased]\n### New\n", "`### New` is none of"),
        ("# Changelog\n## [Unreleased]\n## [1.0.0] - 2026-01-01\n## [1.1.0] - 2026-02-01\n", "newest version"),
    ],
)
def test_a_changelog_in_another_form_is_caught(text: str, problem: str) -> None:
    assert problem in "; ".join(changelog_problems(text))


def test_a_gap_in_the_decisions_and_a_missing_part_are_caught() -> None:
    whole = "# T\n## Context\nx\n## Decision\nx\n## Consequences\nx\n"

    assert list(decision_problems({"0001-a-b.md": whole, "0002-c.md": whole})) == []
    assert list(decision_problems({"0001-a.md": whole, "0003-b.md": "# T\n## Context\n", "notes.md": whole})) == [
        "notes.md is not named 0001-like-this.md",
        "the numbers [1, 3] are not 1 to 2",
        "0003-b.md has ['Context'] instead of ['Context', 'Decision', 'Consequences']",
    ]


def test_the_tables_and_views_for_dashboards_are_described_as_they_are() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `python -m infra.lake_documents`"


def test_every_setting_is_described_with_its_variable() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()

    assert [name for name in Settings.model_fields if f"| `{name}` | `PRISM_{name.upper()}` |" not in text] == []


def test_as_many_lies_are_told_of_as_there_are() -> None:
    assert f"The stand-in lies in {len(Lie)} ways" in (ROOT / "docs" / "campaign.md").read_text(encoding="utf-8")
