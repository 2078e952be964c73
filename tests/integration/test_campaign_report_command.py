"""`prism report campaign`: a file of real ads to the mail that is sent of them, made again from the archive alone.

Why real: the commands in processes of their own, one after the other, as a person types them.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.local.platform import Platform
from tests.integration.fresh import commands_of_this_file
from tests.integration.helpers import prism, prism_from_nothing
from tests.integration.outside import ADS_FILE

platform = commands_of_this_file()
FIRST = "2023-W31"
FILES = {
    "report.html", "report.txt", "report.eml",
    "leads-light.png", "leads-dark.png", "spend-light.png", "spend-dark.png",
}  # fmt: skip


COMPUTING = ("report", "campaign", "2023-W32", "--json")


@dataclass(frozen=True)
class Computed:
    folder: Path
    said: dict[str, Any]


@pytest.fixture(scope="module")
def home(platform: Platform) -> Path:
    """With the real ads, as a person loads them."""
    said = prism(platform.home.root, "ingest", "ads", str(ADS_FILE), "--currency", "EUR", first_week=FIRST)
    assert said.returncode == 0, said.stderr
    return platform.home.root


def recounted(week: str) -> dict[str, tuple[Decimal, int]]:
    """Spend and leads by campaign, from the lines of the file itself."""
    found: defaultdict[str, tuple[Decimal, int]] = defaultdict(lambda: (Decimal(0), 0))
    for line in csv.DictReader(ADS_FILE.read_text().splitlines()):
        iso = date.fromisoformat(line["date"]).isocalendar()
        if f"{iso.year}-W{iso.week:02}" == week:
            spend, leads = found[line["campaign_id"]]
            found[line["campaign_id"]] = (spend + Decimal(line["spend"]), leads + int(line["leads"]))
    return dict(found)


def bodies(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


@pytest.mark.parametrize("week", [pytest.param("2023-W31", id="first"), pytest.param("2023-W35", id="last")])
def test_real_ads_become_files_whose_figures_are_the_sums_of_the_file(
    home: Path, tmp_path: Path, week: str
) -> None:
    done = prism(home, "report", "campaign", week, "--out", str(tmp_path / "out"), first_week=FIRST)

    assert done.returncode == 0, done.stdout + done.stderr
    found = bodies(tmp_path / "out")
    assert set(found) == {*FILES, f"where-leads-came-from-{week}.csv"}
    assert all(body.startswith(b"\x89PNG") for name, body in found.items() if name.endswith(".png"))
    text = " ".join(found["report.txt"].decode().split())
    counted = recounted(week)
    assert len(counted) == 3
    for campaign, (spend, leads) in counted.items():
        assert f"* {campaign}: Spend {spend:,.2f} EUR; " in text
        assert f"Leads {leads:,}; " in text
        assert f"{spend:,.2f}".encode() in found["report.html"]
    if week == FIRST:
        assert counted == {
            "916": (Decimal("27.40"), 7), "936": (Decimal("514.89"), 98), "1178": (Decimal("11173.28"), 608),
        }  # fmt: skip
    total = sum((spend for spend, _ in counted.values()), Decimal(0))
    assert f"* All campaigns: Spend {total:,.2f} EUR;" in text
    assert "SYNTHETIC" not in text.upper()
    assert "Sentences and figures by code: no model is set up." in text


@pytest.fixture(scope="module")
def computed(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Computed:
    """W32, as a command has computed it."""
    folder = tmp_path_factory.mktemp("computed") / "out"
    said = prism(home, *COMPUTING, "--out", str(folder), first_week=FIRST)
    assert said.returncode == 0, said.stderr
    return Computed(folder, json.loads(said.stdout))


def test_a_replay_writes_the_same_bytes(home: Path, computed: Computed, tmp_path: Path) -> None:
    # With an order of sets of its own: no byte may hang on it.
    again = ("--replay", "--out", str(tmp_path / "again"))
    replayed = prism_from_nothing(home, *COMPUTING, *again, first_week=FIRST)

    assert replayed.returncode == 0, replayed.stderr
    assert bodies(tmp_path / "again") == bodies(computed.folder)
    said = computed.said
    assert said["content_hash"] == json.loads(replayed.stdout)["content_hash"]
    assert (said["synthetic"], said["html_bytes"] < 102_000) == (False, True)
    written = {Path(one).name for one in said["files"]}
    (listed,) = written - FILES
    assert re.fullmatch(r"where-leads-came-from-\d{4}-W\d\d\.csv", listed)


def test_a_computed_week_is_told_by_a_model_that_lies_and_nothing_false_would_be_delivered(
    home: Path, computed: Computed
) -> None:
    week = COMPUTING[2]
    said = prism(home, "report", "evaluate", "--weeks", week, "--model", "swapped", "--json", first_week=FIRST)

    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    (report,) = found["reports"]
    assert (found["ungrounded"], report["week"], report["planted"]) == (0, week, None)
    assert report["fallback"] or report["repaired"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["2023-W40"], 1, "there are no ads of 2023-W40", id="no ads"),
        pytest.param(["2023-W40", "--replay"], 1, "the archive has no ads of 2023-W40", id="no archive"),
        pytest.param(["2023-W10"], 2, "weeks from 2023-W31 (first_week", id="before the first"),
        pytest.param(["2099-W01"], 2, "the last one that has ended", id="not ended"),
        pytest.param(["soon"], 2, "soon", id="no week"),
    ],
)
def test_a_week_without_a_report_ends_with_what_to_do(
    home: Path, tmp_path: Path, arguments: Sequence[str], code: int, words: str
) -> None:
    said = prism(home, "report", "campaign", *arguments, "--out", str(tmp_path / "out"), first_week=FIRST)

    assert said.returncode == code
    assert words in " ".join(said.stderr.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["--weeks", "2023-W40..2023-W41"], 1, "the ads of 2023-W40 were not read", id="no ads"),
        pytest.param(["--weeks", "soon"], 2, "soon", id="no weeks"),
        pytest.param(["--model", "live"], 1, "there is no secret prism-claude", id="no key"),
    ],
)
def test_what_cannot_be_told_ends_with_what_to_do(
    home: Path, arguments: Sequence[str], code: int, words: str
) -> None:
    said = prism(home, "report", "evaluate", *arguments, first_week=FIRST)

    assert said.returncode == code
    assert words in " ".join(said.stderr.split())
