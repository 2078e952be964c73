"""`prism report render`: files for a person, an answer for machines, and what it refuses.

Why real: the command in a process of its own, without a platform, as somebody uses it who was sent a file.
"""

import json
from pathlib import Path

from tests.integration.helpers import prism
from tests.unit.report_mails import real_week


def test_a_kept_report_is_written_as_the_mail_that_it_becomes(tmp_path: Path) -> None:
    content, folder = tmp_path / "content.json", tmp_path / "mail"
    content.write_text(json.dumps(real_week(31).document()))

    said = prism(tmp_path / "home", "report", "render", str(content), "--out", str(folder), "--json")

    found = json.loads(said.stdout)
    assert found["subject"] == "Campaign report 2023-W31: not read whole"
    assert sorted(Path(one).name for one in found["files"]) == sorted(one.name for one in folder.iterdir())
    assert found["html_bytes"] < 102_000
    assert "11,173.28" in (folder / "report.html").read_text()
    assert "Spend 11,173.28 EUR" in (folder / "report.txt").read_text()
    assert not (tmp_path / "home").exists()


def test_what_is_no_report_is_refused_with_what_is_wrong(tmp_path: Path) -> None:
    for body, words in (("[", "is not JSON"), ("[]", "not the content of a report"), (None, "cannot be read")):
        file = tmp_path / "file.json"
        file.unlink(missing_ok=True)
        if body is not None:
            file.write_text(body)

        said = prism(tmp_path / "home", "report", "render", str(file), "--out", str(tmp_path / "out"))

        assert said.returncode == 2
        assert words in " ".join(said.stderr.split())
        assert not (tmp_path / "out").exists()


def test_a_lying_model_is_evaluated_without_a_platform(tmp_path: Path) -> None:
    said = prism(tmp_path / "home", "report", "evaluate", "--runs", "4", "--model", "swapped", "--json")

    found = json.loads(said.stdout)
    assert (found["model"], found["weeks"], found["planted"], found["ungrounded"]) == ("swapped", 4, 2, 0)
    assert found["repaired"] + sum(found["fallbacks"].values()) == 4
    assert (found["missed"], found["false_alarms"]) == (0, 0)
    assert {one["planted"] for one in found["reports"]} > {"noise"}
    assert not (tmp_path / "home").exists()


def test_a_model_that_there_is_not_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    said = prism(tmp_path / "home", "report", "evaluate", "--model", "truthful")

    assert said.returncode == 2
    assert "altered_digits" in said.stderr
