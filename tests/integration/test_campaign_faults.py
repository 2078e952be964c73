"""What comes of each fault of Meta, HubSpot and their data: over the assets, and over the connectors where a fault
costs minutes of waiting. The table of all is printed at the end (`pytest -s`).

Why real: a fault passes the wire, the archive, DynamoDB, the lake and the checks before anybody reads of it.
"""

import random
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from infra.local.standins.ads import DrawnAds
from infra.local.standins.author import honest_author
from infra.local.standins.faults import NAMED, Fault, hubspot_error, meta_error
from infra.local.standins.liars import Lie, lying
from infra.local.standins.people import People
from prism_assets.campaign.published import attribution
from prism_assets.resources import PrismResource
from prism_core.calendar import Week, WeekRange
from prism_core.campaign.account_days import bounds
from prism_core.failures import PrismFailure
from prism_core.lake_campaign import CAMPAIGN, CAMPAIGN_METRICS
from prism_core.models.reports import ReportKind
from prism_core.reports.content import Fallback
from prism_resources.reports.shelf import Shelf
from prism_sensors.campaign import FIGURES, REPORT
from tests.integration.asset_runs import failed_checks, lake_rows, run_assets, week_metadata
from tests.integration.fresh import platform_of_this_file
from tests.integration.outside import Outside, move, outside, served_fixture
from tests.integration.spoilt_weeks import (
    SEARCH,
    Renamed,
    Restated,
    add,
    both,
    in_dollars_from_thursday_without_clicks,
    put,
    served_contacts,
    served_rows,
    spoil_six,
    tells,
    twice_and_one_without_an_id,
    twice_as_numbers,
    without_ids,
)
from tests.integration.test_claude import told
from tests.integration.test_meta_errors import RETRIED, STOPPED, WAITED
from tests.integration.test_meta_insights import INSIGHTS, OF_ADS, SPEND, W31, assert_is_w31
from tests.integration.test_meta_insights import LEADS as COUNTED

__all__ = ("outside", "served_fixture")

platform = platform_of_this_file()

METRICS = ("meta_insights", "campaign_metrics")
LEADS = ("meta_insights", "hubspot_leads", "lead_attribution")
EVERY = ("meta_insights", "hubspot_leads", "campaign_metrics", "lead_attribution")
REPORTED: Final = ReportKind.CAMPAIGN
RIGHT: Final = "the figures of the file"
MATCHED: Final = "552 matched, 161 of Meta alone, 18 not_from_ads, 95 no_ids"


# --- the table


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[list[tuple[str, str]]]:
    """Each fault and its outcome; printed when the file is done."""
    lines: list[tuple[str, str]] = []
    yield lines
    width = max((len(fault) for fault, _ in lines), default=0)
    terminal: Any = request.config.pluginmanager.getplugin("terminalreporter")
    for fault, outcome in [("", ""), *lines] if terminal else []:
        terminal.write_line(f"{fault:{width}}  {outcome}")


# --- over the connectors: what would be waited for is written down instead


def _week_of_ads(outside: Outside, **more: Any) -> str:
    """In words: whether the week came to its figures, what was waited, or why there is none."""
    try:
        found = outside.ads(**more).week(W31)
    except PrismFailure as why:
        return f"no week, {type(why).__name__}: {_short(str(why))}"
    assert_is_w31(found)
    return f"{RIGHT}, after {sum(outside.waits):.0f} s"


def _failing(code: int, subcode: int | None, *, times: int = 1, message: str = "") -> Fault:
    return Fault(INSIGHTS, status=400, body=meta_error(code, subcode, message=message), skip=OF_ADS, times=times)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        *[
            pytest.param(_failing(code, sub), f"{RIGHT}, after 2 s", id=f"again-{code}-{sub}")
            for code, sub in RETRIED
        ],
        *[
            pytest.param(_failing(code, sub), f"{RIGHT}, after 30 s", id=f"wait-{code}-{sub}")
            for code, sub in WAITED
        ],
        *[
            pytest.param(_failing(code, sub, times=99), "no week, Refused: ", id=f"stop-{code}-{sub}")
            for code, sub in STOPPED
        ],
        pytest.param(_failing(100, 1487534), f"{RIGHT}, after 0 s", id="split-100-1487534"),
        pytest.param(
            _failing(1, None, message="Please reduce the amount of data"),
            f"{RIGHT}, after 0 s",
            id="smaller-pages",
        ),
        pytest.param(_failing(1, None, times=99), "no week, TransientFailure: ", id="again-for-ever"),
        pytest.param(_failing(80000, None, times=99), "no week, TransientFailure: ", id="throttled-for-ever"),
        pytest.param(NAMED["meta-down"], "no week, TransientFailure: ", id="down"),
    ],
)
def test_an_error_of_the_table_ends_in_the_right_week_or_in_none(
    outside: Outside, table: list[tuple[str, str]], fault: Fault, expected: str, request: pytest.FixtureRequest
) -> None:
    outside.world.faults.add(fault)

    found = _week_of_ads(outside)

    table.append((f"Meta: {request.node.callspec.id}", found))
    assert found.startswith(expected)


@pytest.mark.parametrize("end", ["Job Failed", "Job Skipped"])
@pytest.mark.parametrize(
    ("times", "expected"), [(1, f"{RIGHT}, after "), (3, f"{RIGHT}, after "), (99, "no week, TransientFailure: ")]
)
def test_jobs_that_end_badly_end_in_the_right_week_or_in_none(
    outside: Outside, table: list[tuple[str, str]], end: str, times: int, expected: str
) -> None:
    outside.world.jobs.extend([(end,)] * times)

    found = _week_of_ads(outside, in_background=True)

    table.append((f"Meta: {end}, {times} times", found))
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        *[(status, "", "665 leads, after 2 s") for status in (408, 423, 477, 500, 503)],
        (429, hubspot_error("RATE_LIMITS", "", policyName="SECONDLY"), "665 leads, after 1 s"),
        (429, hubspot_error("RATE_LIMITS", "", policyName="TEN_SECONDLY_ROLLING"), "665 leads, after 10 s"),
        (429, hubspot_error("RATE_LIMITS", "", policyName="DAILY"), "no week, TransientFailure: "),
        (401, hubspot_error("EXPIRED_AUTHENTICATION", ""), "no week, Refused: "),
        (403, hubspot_error("MISSING_SCOPES", ""), "no week, Refused: "),
    ],
    ids=["408", "423", "477", "500", "503", "second", "ten-seconds", "day", "token", "permission"],
)
def test_an_error_of_hubspot_ends_in_the_right_week_or_in_none(
    outside: Outside, table: list[tuple[str, str]], status: int, body: object, expected: str,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    outside.world.faults.add(Fault(SEARCH, status=status, body=body))

    try:
        leads = outside.leads().week(W31, outside.world.zone).found.leads
        found = f"{len(leads)} leads, after {outside.waits[0]:.0f} s"
    except PrismFailure as why:
        found = f"no week, {type(why).__name__}: {_short(str(why))}"

    table.append((f"HubSpot: {request.node.callspec.id}", found))
    assert found.startswith(expected)


# --- over the assets


@dataclass(frozen=True, slots=True)
class Case:
    """A fault: how it comes, the assets that it is shown on, and what must come of it."""

    arrange: Callable[[Outside], object]
    expected: str
    assets: tuple[str, ...] = METRICS


CASES: Final[Mapping[str, Case]] = {
    # What passes.
    "Meta is throttled, and down for a moment": Case(
        add(
            replace(NAMED["meta-throttled"], skip=OF_ADS),
            Fault(INSIGHTS, status=503, body="<html/>", skip=OF_ADS),
        ),
        RIGHT,
    ),
    # What a person must mend.
    "the token of Meta has expired": Case(
        add(NAMED["meta-token-expired"]),
        "meta_insights stops: Meta does not take the access token; as before: campaign_metrics, hubspot_leads, "
        "lead_attribution, meta_insights",
        EVERY,
    ),
    "the token of HubSpot has expired, and Meta counts other leads": Case(
        both(tells(Restated()), add(NAMED["hubspot-token-expired"])),
        "hubspot_leads stops: HubSpot does not take the access token; as before: hubspot_leads, lead_attribution; "
        "916: 27.40 EUR 7 leads, 936: 514.89 EUR 98 leads, 1178: 11173.29 EUR 610 leads; "
        "spend 11715.57 EUR is 11715.58 EUR now, leads 713 is 715 now",
        EVERY,
    ),
    # What Meta answers.
    "no data at all": Case(
        add(Fault(INSIGHTS, body={"data": []}, times=2)),
        "meta_insights_no_week_emptied stops: 1 blocking asset check failed with ERROR severity; "
        "as before: campaign_metrics, hubspot_leads, lead_attribution; told by no_week_emptied",
    ),
    "no data, though the account has spent": Case(
        add(Fault(INSIGHTS, body={"data": []}, skip=OF_ADS)),
        "meta_insights_no_page_lost stops: 1 blocking asset check failed with ERROR severity; "
        "as before: campaign_metrics, hubspot_leads, lead_attribution, meta_insights; "
        "told by leads_accounted, no_page_lost, spend_accounted",
        (*FIGURES, *REPORT),
    ),
    "campaigns renamed on Thursday, deleted since, in another currency": Case(
        both(tells(Renamed()), put(currency="USD")),
        "916: 27.40 USD 7 leads, 936: 514.89 USD 98 leads, 1178: 11173.28 USD 608 leads; "
        "called New 916, New 936, New 1178; spend 11715.57 EUR is 11715.57 USD now",
    ),
    "another currency from Thursday, clicks and actions absent": Case(
        served_rows(in_dollars_from_thursday_without_clicks),
        "916: spend not known, 0 leads, 936: spend not known, 0 leads, 1178: spend not known, 0 leads; "
        "spend 11715.57 EUR is not known now, leads 713 is 0 now; told by leads_accounted, one_account",
    ),
    "the account's time zone is another one": Case(
        lambda outside: move(outside, "America/New_York"), MATCHED, LEADS
    ),
    "every row comes twice, and numbers are numbers": Case(served_rows(twice_as_numbers), RIGHT),
    "wrong numbers, an ad without id, a day that is none, leads without their total": Case(
        served_rows(spoil_six),
        "916: 27.40 EUR 7 leads, 936: 514.89 EUR 98 leads, 1178: 10843.70 EUR 590 leads; "
        "spend 11715.57 EUR is 11385.99 EUR now, leads 713 is 695 now; "
        "refused rows: 1 day, 1 id, 1 leads_in_parts, 3 number; "
        "546 matched, 149 of Meta alone, 18 not_from_ads, 95 no_ids, 6 counted_leads_used_up; "
        "the report: Spend in 2023-W31 was 11,385.99 EUR; it brought 695 leads. The cost per lead was 16.38 EUR. "
        "This week was not read whole and cannot be judged; what is missing is listed. "
        "Rows of ads that were refused and are in none of the figures: 6. "
        "Spend of the account that is in no row of ads: 329.58 EUR. "
        "Leads of the account that are in no row of ads: 18. This week is compared with nothing.; "
        "told by every_row_taken, leads_accounted, spend_accounted",
        (*FIGURES, *REPORT),
    ),
    # What HubSpot answers.
    "every lead comes twice, and one is no contact": Case(
        served_contacts(twice_and_one_without_an_id), f"{MATCHED}; told by every_contact_taken", LEADS
    ),
    "leads without ids": Case(
        served_contacts(without_ids),
        "0 matched, 713 of Meta alone, 18 not_from_ads, 647 no_ids; told by match_rate",
        LEADS,
    ),
    "leads of other ads": Case(
        lambda outside: setattr(outside.world, "people", People(DrawnAds(), outside.world.zone)),
        "0 matched, 713 of Meta alone, 21 not_from_ads, 16 no_ids, 107 unknown_ids; told by match_rate",
        LEADS,
    ),
}


@pytest.fixture(scope="module")
def kept() -> Iterator[dg.DagsterInstance]:
    """One instance for all faults."""
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def asked(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> Outside:
    """Whom the assets ask."""
    for name in ("meta_api_url", "hubspot_api_url", "meta_account_id"):
        monkeypatch.setenv(f"PRISM_{name.upper()}", str(getattr(outside.settings, name)))
    monkeypatch.setenv("PRISM_MODEL_PROVIDER", "none")
    return outside


@pytest.mark.parametrize("fault", CASES)
def test_a_fault_ends_in_right_figures_or_says_what_is_missing(
    asked: Outside, kept: dg.DagsterInstance, table: list[tuple[str, str]], fault: str
) -> None:
    case = CASES[fault]
    if None in _contents().values():
        _run(kept, *EVERY)
    elif "campaign_metrics" in case.assets and _sums() != RIGHT:  # what the fault before has left
        _run(kept, *METRICS)
    before = _contents()
    case.arrange(asked)

    done = _run(kept, *case.assets)

    found = "; ".join([*_refusals(done, before), *_in_words(kept, done), *_told(done)])
    table.append((fault, found))
    assert found == case.expected


def test_a_model_that_is_slow_is_left_for_code(outside: Outside, table: list[tuple[str, str]]) -> None:
    left = threading.Event()

    def slow(said: Mapping[str, Any]) -> str:
        left.wait(60)
        return honest_author(said)

    outside.world.author = slow

    try:
        found = told(outside, model_timeout_seconds=0.2)
    finally:
        left.set()

    table.append(("the model is slow", f"the report: {found.written.provenance.label}"))
    assert found.written.provenance.fallback is Fallback.UNREACHABLE


@pytest.mark.parametrize(
    ("fault", "arrange", "why"),
    [
        pytest.param("the model is down", add(NAMED["claude-down"]), Fallback.UNREACHABLE, id="down"),
        pytest.param(
            "the model lies, and lies again when it is told of it",
            lambda outside: lying(outside.world, Lie.ALTERED_DIGITS, random.Random(1), repairs=False),
            Fallback.REJECTED,
            id="lying",
        ),
    ],
)
def test_a_fault_of_the_model_ends_in_a_report_by_code_that_says_why(
    asked: Outside,
    kept: dg.DagsterInstance,
    table: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    arrange: Callable[[Outside], object],
    why: Fallback,
) -> None:
    if None in _contents().values():
        _run(kept, *EVERY)
    monkeypatch.setenv("PRISM_MODEL_PROVIDER", "anthropic")
    monkeypatch.setenv("PRISM_CLAUDE_API_URL", str(asked.settings.claude_api_url))
    arrange(asked)

    done = _run(kept, *REPORT)

    report = Shelf(PrismResource().settings()).newest(REPORTED, W31)
    assert report is not None
    table.append((fault, f"the report: {report.content.provenance.label}"))
    assert (done.success, report.content.provenance.fallback) == (True, why)
    assert report.content.refused() == ()


@pytest.mark.parametrize(
    ("change", "zone"),
    [("2023-W12", "Europe/Madrid"), ("2023-W43", "Europe/Madrid"), ("2023-W35", "America/Santiago")],
    ids=["spring", "autumn", "at midnight"],
)
def test_where_clocks_change_every_contact_is_in_one_week(
    outside: Outside, table: list[tuple[str, str]], change: str, zone: str
) -> None:
    outside.world.ads = DrawnAds()
    move(outside, zone)
    week = Week.parse(change)
    weeks = [week, week + 1]

    found = [{one.lead_id for one in outside.leads().week(each, ZoneInfo(zone)).found.leads} for each in weeks]

    start, end = bounds(weeks[0], ZoneInfo(zone))[0], bounds(weeks[1], ZoneInfo(zone))[1]
    every = {one["id"] for one in outside.world.people.between(start, end)}
    hours = (bounds(week, ZoneInfo(zone))[1] - start) / timedelta(hours=1)
    said = f"{hours:.0f} hours, each of {len(every)} contacts in one week"
    table.append((f"clocks change in {zone}, {change}", said))
    assert found[0] | found[1] == every
    assert not found[0] & found[1]


def _run(kept: dg.DagsterInstance, *assets: str) -> dg.ExecuteInProcessResult:
    return run_assets(kept, WeekRange(W31, W31), *assets)


def _contents() -> dict[str, str | None]:
    """By table, which content is published."""
    lake = PrismResource().lake()
    found = {one.name: lake.manifest(one.partition(W31)) for one in CAMPAIGN if one.name in EVERY}
    return {name: None if manifest is None else manifest.content_hash for name, manifest in found.items()}


def _refusals(done: dg.ExecuteInProcessResult, before: Mapping[str, str | None]) -> Iterator[str]:
    """Why assets failed, and which of them stand as they were."""
    for event in done.all_events:
        if event.is_step_failure and (error := event.step_failure_data.error) is not None:
            yield f"{event.step_key} stops: {_short((error.cause or error).message)}"
    if not done.success:
        same = sorted(name for name, content in _contents().items() if content == before[name])
        yield f"as before: {', '.join(same)}"


def _in_words(kept: dg.DagsterInstance, done: dg.ExecuteInProcessResult) -> Iterator[str]:
    """What the run has published."""
    ran = {one.asset_key.to_user_string() for one in done.get_asset_materialization_events() if one.asset_key}
    if "campaign_metrics" in ran:
        yield _sums()
        names = {row["campaign_id"]: row["campaign_name"] for row in lake_rows(CAMPAIGN_METRICS, W31)}
        if other := [name for campaign, name in names.items() if name != f"Campaign {campaign}"]:
            yield f"called {', '.join(other)}"
        if moved := week_metadata(kept, "campaign_metrics", W31)["restated"]:
            yield ", ".join(moved)
        if refused := week_metadata(kept, "meta_insights", W31)["rejected_by_reason"]:
            yield "refused rows: " + ", ".join(f"{count} {reason}" for reason, count in refused.items())
    if "lead_attribution" in ran and (found := attribution(PrismResource(), W31)) is not None:
        alone = ", ".join(f"{count} {outcome}" for outcome, count in found.crm_only.items())
        yield f"{found.matched} matched, {found.meta_only} of Meta alone, {alone}"
    if "campaign_report" in ran and (kept_report := Shelf(PrismResource().settings()).newest(REPORTED, W31)):
        content = kept_report.content
        said = (*content.headline, *content.missing)
        yield f"the report: {' '.join(content.text(one.prose) for one in said)}".replace("\xa0", " ")


def _sums() -> str:
    """Spend and leads by campaign, beside the file."""
    rows = lake_rows(CAMPAIGN_METRICS, W31)
    sums = {row["campaign_id"]: (row["spend"], row["leads"], row["currency"]) for row in rows}
    if sums == {name: (float(SPEND[name]), COUNTED[name], "EUR") for name in SPEND}:
        return RIGHT
    return ", ".join(f"{name}: {_spent(row)} {row[1]} leads" for name, row in sums.items()) or "no campaigns"


def _spent(row: tuple[float | None, int, str | None]) -> str:
    return "spend not known," if row[0] is None else f"{row[0]:.2f} {row[2]}"


def _told(done: dg.ExecuteInProcessResult) -> Iterator[str]:
    """The checks that tell a person."""
    if told := sorted(failed_checks(done)):
        yield f"told by {', '.join(told)}"


def _short(words: str) -> str:
    """The first clause, without the class of the error."""
    return re.split(r"[;:(]", re.sub(r"^[\w.]+: ", "", " ".join(words.split())))[0].strip()
