"""Every figure of a mail is one of its facts, read as a reader reads it; and sentences of the lake read back."""

import dataclasses

import pytest

from prism_core.failures import PermanentFailure
from prism_core.reports import plain_words
from prism_core.reports.analysis_rows import analysis_of, analysis_rows
from prism_core.reports.content import Fallback, Provenance, Writer
from prism_core.reports.grounding import ungrounded
from prism_core.reports.plain_text import plain_text
from prism_core.reports.reading import report_of
from tests.unit.report_mails import BY_CODE, CONTENTS
from tests.unit.test_report_answers import fallen

BY_MODEL = Provenance(Writer.MODEL, model="claude-5-5")


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in CONTENTS if name != "huge"])
def test_no_mail_has_a_figure_that_is_not_one_of_its_facts(name: str) -> None:
    made = CONTENTS[name]()
    content = report_of(dataclasses.replace(made, edition=2).document())

    assert ungrounded(content, plain_text(content)) == ()


@pytest.mark.parametrize(
    ("true", "false"),
    [
        pytest.param("11,173.28", "11,173.29", id="a digit"),
        pytest.param("11,173.28", "11173.28", id="its form"),
        pytest.param("2023-W31", "2023-W20", id="a week"),
        pytest.param("AUGUST", "AUGUST 77", id="one more"),
    ],
)
def test_a_figure_that_was_altered_on_its_way_is_found(true: str, false: str) -> None:
    content = CONTENTS["real-w31"]()
    text = plain_text(content).replace(true, false, 1)

    assert ungrounded(content, text) != ()


@pytest.mark.parametrize("by", [pytest.param(BY_CODE, id="code"), pytest.param(BY_MODEL, id="model")])
def test_sentences_read_back_from_the_lake_as_they_were_written(by: Provenance) -> None:
    found = fallen()
    words = plain_words.words(found)

    rows = list(analysis_rows(words, found.scope, by, "campaign-1"))

    assert analysis_of(reversed(rows)) == (words, by)
    assert {row["prompt"] for row in rows} == {"campaign-1" if by is BY_MODEL else None}
    assert rows[0]["said"].startswith("Spend in 2023-W35 was 1,000.00\xa0EUR")


def test_sentences_of_two_writers_are_told_and_not_mixed() -> None:
    found = fallen()
    words = plain_words.words(found)
    other = Provenance(Writer.CODE, Fallback.REFUSAL)
    rows = [row for by in (BY_CODE, other) for row in analysis_rows(words, found.scope, by, "x")]

    with pytest.raises(PermanentFailure, match="2 writers"):
        analysis_of(rows)
