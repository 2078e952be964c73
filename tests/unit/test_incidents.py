"""What counts as one incident."""

from datetime import datetime, timedelta

import pytest
from msgspec import structs

from prism_core.incidents import Incident, fingerprint, opened, span_of, subject_of, text_of

OPENED = "2026-01-05T07:00:00.000000Z"


def an_incident(*weeks: str, run_id: str = "run-1") -> Incident:
    return opened({"throughput": weeks}, "refused\nmore", run_id, OPENED)


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


def test_it_is_over_when_each_step_has_succeeded_in_every_week_that_it_failed_for() -> None:
    incident = an_incident("2018-W33").joined(an_incident("2018-W35", run_id="run-2"))

    half = incident.after({"throughput": ["2018-W33", "2018-W34"], "utilisation": ["2018-W35"]})

    assert (incident.weeks, incident.runs, incident.run_id) == (("2018-W33", "2018-W35"), 2, "run-2")
    assert half is not None
    assert half.weeks == ("2018-W35",)
    assert half.after({"throughput": ["2018-W35"]}) is None
    assert half.after({"utilisation": ["2018-W35"]}) is half


def test_steps_that_succeed_one_after_the_other_end_it() -> None:
    both = opened({"a": ["2018-W33"], "b": ["2018-W33", "2018-W34"]}, "refused", "run-1", OPENED)

    half = both.after({"a": ["2018-W33"], "b": ["2018-W33"]})

    assert half is not None
    assert half.left == {"b": ("2018-W34",)}
    assert half.after({"b": ["2018-W34"]}) is None


def test_a_run_that_it_has_already_changes_nothing() -> None:
    incident = an_incident("2018-W33")

    assert incident.joined(an_incident("2018-W33")) is incident


@pytest.mark.parametrize(
    ("told", "hours", "weeks", "again"),
    [
        (True, 23, ["2018-W33"], False),
        (True, 1, ["2018-W33", "2018-W34"], True),
        (True, 25, ["2018-W33"], True),
        (False, 0, ["2018-W33"], True),
    ],
)
def test_it_is_told_again_when_a_week_joins_after_a_day_and_while_nobody_was_told(
    told: bool,  # noqa: FBT001
    hours: int,
    weeks: list[str],
    again: bool,  # noqa: FBT001
) -> None:
    incident = structs.replace(an_incident("2018-W33"), told=OPENED if told else None)

    now = datetime.fromisoformat(OPENED) + timedelta(hours=hours)

    assert incident.is_told_again(an_incident(*weeks, run_id="run-2"), now) is again


def test_the_mail_says_what_failed_for_which_weeks_what_it_said_and_where_to_look() -> None:
    incident = an_incident("2018-W33", "2018-W34")

    text = text_of(incident, "http://127.0.0.1:7071/runs/run-1")

    assert subject_of(incident) == "PRISM: throughput failed (2018-W33 to 2018-W34 (2 weeks))"
    assert "refused\nmore" in text
    assert "http://127.0.0.1:7071/runs/run-1" in text
    assert "run run-1 in Dagster" in text_of(incident, None)
    assert "Left out" not in text


def test_the_mail_names_what_was_left_out_and_its_subject_stays_short() -> None:
    steps = {f"asset_{number}": ["2018-W33"] for number in range(1, 8)}

    incident = opened(steps, "its process is gone", "run-1", OPENED, skipped=["utilisation", "restatements"])

    assert subject_of(incident) == "PRISM: asset_1, asset_2, asset_3 and 4 more failed (2018-W33)"
    assert "Left out because of it: restatements, utilisation." in text_of(incident, None)


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
