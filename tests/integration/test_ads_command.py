"""`prism ingest ads`: a file of real ads to figures that SQL answers, and what it refuses.

Why real: the commands in processes of their own, one after the other, as a person types them.
"""

import json
from decimal import Decimal
from pathlib import Path

from infra.cli.ads import NO_CURRENCY
from infra.local.platform import Platform
from tests.integration.fresh import commands_of_this_file
from tests.integration.helpers import prism
from tests.integration.outside import ADS_FILE

platform = commands_of_this_file()
FIRST = "2023-W31"
FIGURES = {"916": ("27.40", 7), "936": ("514.89", 98), "1178": ("11173.28", 608)}
SQL = "SELECT campaign_id, spend, leads, currency FROM campaign_metrics WHERE week = '2023-W31'"


def test_a_file_becomes_figures_that_sql_answers_and_loading_it_again_changes_nothing(platform: Platform) -> None:
    home = platform.home.root

    first = prism(home, "ingest", "ads", str(ADS_FILE), "--currency", "EUR", "--json", first_week=FIRST)
    again = prism(home, "ingest", "ads", str(ADS_FILE), "--currency", "EUR", "--json", first_week=FIRST)
    done = prism(
        home, "materialize", "group:campaign", "--weeks", "2023-W31..2023-W35", "--json", first_week=FIRST
    )
    answered = prism(home, "query", SQL, "--format", "json", first_week=FIRST)

    total = json.loads(first.stdout)["total"]
    assert (total["read"], total["loaded"], total["rejected"]) == (1143, 1143, 0), first.stderr
    assert json.loads(again.stdout)["total"] == total | {"loaded": 0, "duplicate": 1143}
    assert done.returncode == 0, done.stdout + done.stderr
    found = {row["campaign_id"]: row for row in json.loads(answered.stdout)}
    assert {name: (Decimal(str(row["spend"])), row["leads"]) for name, row in found.items()} == {
        name: (Decimal(spend), leads) for name, (spend, leads) in FIGURES.items()
    }
    assert {row["currency"] for row in found.values()} == {"EUR"}


def test_what_a_file_does_not_say_is_told_to_be_assumed(platform: Platform, tmp_path: Path) -> None:
    lines = ADS_FILE.read_text().splitlines()
    short = tmp_path / "short.csv"
    short.write_text("\n".join([lines[0], lines[1].replace("2023-08-01", "2024-08-05")]))

    said = prism(platform.home.root, "ingest", "ads", str(short), first_week=FIRST)

    words = " ".join((said.stdout + said.stderr).split())
    assert said.returncode == 0, words
    assert f"amounts are told as {NO_CURRENCY}" in words
    assert "prism materialize group:campaign --weeks 2024-W32`" in words


def test_rows_that_are_wrong_are_in_the_rejects_file_and_options_that_are_wrong_are_refused(
    platform: Platform, tmp_path: Path
) -> None:
    lines = ADS_FILE.read_text().splitlines()
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("\n".join([lines[0], lines[1].replace("78.92", "many")]))

    said = prism(platform.home.root, "ingest", "ads", str(wrong), "--json", first_week=FIRST)

    assert said.returncode == 1
    rejects = Path(json.loads(said.stdout)["rejects_file"])
    (row,) = map(json.loads, rejects.read_text().splitlines())
    assert (row["line"], row["reason"]) == (2, "spend: number")
    for option, value in (("--currency", "euro"), ("--account", "act_1"), ("--time-zone", "Mars/Olympus")):
        refused = prism(platform.home.root, "ingest", "ads", str(wrong), option, value, first_week=FIRST)
        assert refused.returncode == 2
        assert value in refused.stderr
