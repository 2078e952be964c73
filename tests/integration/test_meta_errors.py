"""Every row of Meta's table of errors. Why real: status, headers and envelope come over a socket."""

import json
from typing import Any

import pytest

from infra.local.standins.faults import Fault, How, meta_error
from prism_core.calendar import Week
from prism_core.failures import TransientFailure
from prism_resources.meta_ads.errors import ERRORS
from prism_resources.meta_ads.insights import ACCOUNT, ACCOUNT_FIELDS
from prism_resources.meta_ads.source import meta_calls
from prism_resources.wire.calls import (
    BACK_OFF_SECONDS,
    UNTOLD_WAIT_SECONDS,
    Answer,
    Do,
    Refused,
    TooMuch,
    keep_nothing,
)
from tests.integration.outside import TOKENS, Outside, outside, served_fixture
from tests.integration.test_meta_insights import INSIGHTS, OF_ADS, assert_is_w31

__all__ = ("outside", "served_fixture")

W31 = Week.parse("2023-W31")
RETRIED = [*[(code, None) for code in (1, 2, 104, 960)], (100, 33), (100, 99), (99, None)]
WAITED = [(code, None) for code in (4, 17, 32, 341, 613, *range(80000, 80007), 80008, 80009, 80014)]
STOPPED = [(102, None), (190, None), (190, 463), (3, None), (200, None), (10, None), (100, 2446289)]


def shown(error: tuple[int, int | None]) -> str:
    return "-".join(str(part) for part in error if part is not None)


def ask(outside: Outside, **more: Any) -> Answer:
    """One question that goes through the loop of attempts."""
    with meta_calls(outside.settings, outside.patience(**more), keep_nothing) as calls:
        return calls.get(ACCOUNT, f"/v25.0/act_{outside.world.account_id}", {"fields": ACCOUNT_FIELDS})


def fail(outside: Outside, error: tuple[int, int | None], *, times: int = 1, **more: Any) -> None:
    fault = {"status": 400, "times": times, "body": meta_error(error[0], error[1])} | more
    outside.world.faults.add(Fault("act_", **fault))


@pytest.mark.parametrize("error", RETRIED, ids=shown)
def test_what_passes_is_tried_again_with_back_off(outside: Outside, error: tuple[int, int | None]) -> None:
    fail(outside, error, times=2)

    assert ask(outside).json["currency"] == "EUR"
    assert outside.waits == list(BACK_OFF_SECONDS[:2])


def test_what_says_that_it_passes_is_tried_again_whatever_its_code(outside: Outside) -> None:
    fail(outside, (2601, 1815107), body=meta_error(2601, 1815107, is_transient=True))

    assert ask(outside).status == 200
    assert outside.waits == [BACK_OFF_SECONDS[0]]


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize(
    "body",
    [pytest.param("<html>down</html>", id="html"), pytest.param(meta_error(12345), id="unknown-code")],
)
def test_a_service_that_is_down_is_tried_again(outside: Outside, status: int, body: Any) -> None:
    fail(outside, (1, None), status=status, body=body)

    assert ask(outside).status == 200
    assert outside.waits == [BACK_OFF_SECONDS[0]]


@pytest.mark.parametrize("body", ["<html>proxy</html>", [1], None], ids=["html", "list", "null"])
def test_an_answer_that_is_no_object_is_tried_again(outside: Outside, body: Any) -> None:
    fail(outside, (1, None), status=200, body=body)

    assert ask(outside).status == 200
    assert outside.waits == [BACK_OFF_SECONDS[0]]


@pytest.mark.parametrize("error", RETRIED[:1], ids=shown)
def test_what_does_not_pass_after_five_attempts_is_left_for_later(
    outside: Outside, error: tuple[int, int | None]
) -> None:
    fail(outside, error, times=1000)

    with pytest.raises(TransientFailure, match=r"for the moment \(code 1: .*\); 5 attempts; try again later"):
        ask(outside)
    assert outside.waits == list(BACK_OFF_SECONDS)


@pytest.mark.parametrize("error", WAITED, ids=shown)
def test_a_limit_is_waited_out_as_long_as_the_header_says(outside: Outside, error: tuple[int, int | None]) -> None:
    usage = {"1": [{"type": "ads_insights", "call_count": 100, "estimated_time_to_regain_access": 3}]}
    fail(outside, error, headers={"X-Business-Use-Case-Usage": json.dumps(usage)})

    assert ask(outside).status == 200
    assert outside.waits == [180.0]


@pytest.mark.parametrize(
    ("header", "value", "seconds"),
    [
        ("X-Ad-Account-Usage", '{"acc_id_util_pct": 100, "reset_time_duration": 42}', 42.0),
        ("Retry-After", "7", 7.0),
        ("X-App-Usage", '{"call_count": 100}', UNTOLD_WAIT_SECONDS[0]),
        ("X-Business-Use-Case-Usage", "no json", UNTOLD_WAIT_SECONDS[0]),
    ],
)
def test_whichever_header_says_how_long_is_obeyed(
    outside: Outside, header: str, value: str, seconds: float
) -> None:
    fail(outside, (80000, None), headers={header: value})

    assert ask(outside).status == 200
    assert outside.waits == [seconds]


def test_a_wait_that_is_longer_than_patience_is_a_failure_that_says_when(outside: Outside) -> None:
    usage = {"1": [{"estimated_time_to_regain_access": 90}]}
    fail(outside, (80000, None), headers={"X-Business-Use-Case-Usage": json.dumps(usage)})

    with pytest.raises(TransientFailure, match=r"limits the calls .*; try again in 90 minutes"):
        ask(outside)
    assert outside.waits == []


def test_a_limit_that_does_not_end_is_left_for_later(outside: Outside) -> None:
    fail(outside, (17, None), times=1000)

    with pytest.raises(TransientFailure, match="it said so 8 times; try again later"):
        ask(outside)
    assert outside.waits == list(UNTOLD_WAIT_SECONDS)


@pytest.mark.parametrize("error", STOPPED, ids=shown)
def test_what_a_person_must_mend_stops_at_once_with_a_sentence(
    outside: Outside, error: tuple[int, int | None]
) -> None:
    fail(outside, error, times=1000, body=meta_error(*error, message=f"Bad token {TOKENS.meta} given"))

    with pytest.raises(Refused) as refused:
        ask(outside)

    said = str(refused.value)
    assert outside.waits == []
    assert any(word in said for word in ("make a new token", "give the token ads_read", "ask for advanced access"))
    assert f"code {error[0]}" in said
    assert TOKENS.meta not in said


@pytest.mark.parametrize(
    ("error", "message", "do"),
    [
        ((100, 1487534), "Too many rows", Do.SPLIT),
        ((1, None), "Please reduce the amount of data you're asking for, then retry", Do.SMALLER_PAGES),
    ],
    ids=["split", "smaller-pages"],
)
def test_too_much_is_asked_for_in_parts_and_never_waited_for(
    outside: Outside, error: tuple[int, int | None], message: str, do: Do
) -> None:
    fail(outside, error, body=meta_error(*error, message=message))

    with pytest.raises(TooMuch) as too_much:
        ask(outside)
    assert (too_much.value.do, outside.waits) == (do, [])


@pytest.mark.parametrize(("status", "body"), [(404, "nothing here"), (302, "gone"), (400, meta_error(100))])
def test_what_nobody_has_heard_of_stops_and_shows_its_words(outside: Outside, status: int, body: Any) -> None:
    fail(outside, (1, None), status=status, body=body, times=1000)

    with pytest.raises(Refused):
        ask(outside)
    assert outside.waits == []


def test_every_row_of_the_table_has_its_test_here() -> None:
    codes = {code for row in ERRORS if row.do in {Do.RETRY, Do.WAIT} for code in row.codes}
    subcodes = {code for row in ERRORS for code in row.subcodes}

    assert codes == {code for code, _ in (*RETRIED, *WAITED)} - {100}
    assert subcodes == {33, 99, 1487534, 2446289}


@pytest.mark.parametrize(
    ("header", "value", "pause"),
    [
        ("X-Business-Use-Case-Usage", '{"1": [{"call_count": 96, "total_time": 3}]}', [60.0]),
        ("X-App-Usage", '{"call_count": 3, "total_cputime": 86}', [15.0]),
        ("x-fb-ads-insights-throttle", '{"app_id_util_pct": 10, "acc_id_util_pct": 75.5}', [3.0]),
        ("X-Ad-Account-Usage", '{"acc_id_util_pct": 74}', []),
        ("X-App-Usage", '["what"]', []),
    ],
)
def test_who_comes_close_to_a_limit_slows_down(
    outside: Outside, header: str, value: str, pause: list[float]
) -> None:
    outside.world.faults.add(Fault("act_", How.HEADERS, headers={header: value}))

    assert ask(outside).status == 200
    assert outside.waits == pause


def test_a_week_that_meets_one_of_each_kind_comes_to_its_figures(outside: Outside) -> None:
    outside.world.page_rows = 30
    faults = [
        Fault(INSIGHTS, status=400, body=meta_error(80000), skip=OF_ADS),
        Fault(INSIGHTS, status=503, body="<html/>", skip=OF_ADS + 1),
        Fault(INSIGHTS, How.CUT, skip=OF_ADS + 1),
        Fault(INSIGHTS, How.REPEAT, skip=OF_ADS + 2),
    ]
    outside.world.faults.add(*faults)

    found = outside.ads().week(W31)

    assert_is_w31(found)
    assert sum(one["met"] for one in outside.world.faults.shown()) == len(faults)
