"""What counts as one incident."""

import pytest

from prism_core.incidents import Incident, fingerprint, opened, span_of, subject_of, text_of


def an_incident(*weeks: str) -> Incident:
    return opened(["throughput"], "refused\nmore", weeks, "run-1", "2026-01-05T07:00:00.000000Z")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2018-W33: 7 records are refused", "2018-W40: 1,207 records are refused", True),
        ("run 99f65dd3-e80c-41ba-a4ae-93eade2fe5fd ended", "run 0a1b65dd-e80c-41ba-a4ae-93eade2fe5aa ended", True),
        ("refused\nfirst trace", "refused\nsecond trace", True),
        ("the bucket does not exist", "the bucket is full", False),
    ],
)
def test_figures_weeks_and_ids_do_not_make_another_incident(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert (fingerprint(["throughput"], one) == fingerprint(["throughput"], other)) is same


def test_other_steps_are_another_incident() -> None:
    assert fingerprint(["throughput"], "refused") != fingerprint(["utilisation"], "refused")
    assert fingerprint(["a", "b"], "refused") == fingerprint(["b", "a"], "refused")


def test_it_is_over_when_its_steps_have_succeeded_in_every_week_that_failed() -> None:
    incident = an_incident("2018-W33").joined(["2018-W35"])

    half = incident.after_success(["throughput", "utilisation"], ["2018-W33", "2018-W34"])

    assert (incident.weeks, incident.runs) == (("2018-W33", "2018-W35"), 2)
    assert half is not None
    assert half.weeks == ("2018-W35",)
    assert half.after_success(["throughput"], ["2018-W35"]) is None
    assert half.after_success(["utilisation"], ["2018-W35"]) is half


def test_the_mail_says_what_failed_for_which_weeks_what_it_said_and_where_to_look() -> None:
    incident = an_incident("2018-W33", "2018-W34")

    text = text_of(incident, "http://127.0.0.1:7071/runs/run-1")

    assert subject_of(incident) == "PRISM: throughput failed (2018-W33 to 2018-W34 (2 weeks))"
    assert "refused\nmore" in text
    assert "http://127.0.0.1:7071/runs/run-1" in text
    assert "run run-1 in Dagster" in text_of(incident, None)


@pytest.mark.parametrize(
    ("weeks", "shown"),
    [
        ([], "no week"),
        (["-"], "no week"),
        (["2018-W33"], "2018-W33"),
        (["2018-W36", "2018-W33"], "2018-W33 to 2018-W36 (2 weeks)"),
    ],
)
def test_weeks_are_told_as_a_span(weeks: list[str], shown: str) -> None:
    assert span_of(weeks) == shown
