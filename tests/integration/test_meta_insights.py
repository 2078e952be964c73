"""Weeks of ads from Meta. Why real: paging, jobs, broken lines and a kill happen on sockets and in processes."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import pytest
from pydantic import AnyHttpUrl

from infra.local.platform import Platform
from infra.local.standins.ads import DrawnAds, Plan, between
from infra.local.standins.faults import Fault, How, meta_error
from prism_core.calendar import Week
from prism_core.campaign.insights import AdDay
from prism_core.failures import PermanentFailure, TransientFailure
from prism_resources.archive import META, Archive
from prism_resources.meta_ads.insights import LEAST_PAGE_ROWS, PAGE_ROWS
from prism_resources.meta_ads.source import WHAT, AdsWeek, ArchivedAds
from prism_resources.wire.exchanges import Exchange
from prism_resources.wire.patience import Cancelled, Progress
from tests.integration.helpers import REPOSITORY
from tests.integration.outside import FILE_ADS, Outside, move, outside, served_fixture

__all__ = ("outside", "served_fixture")

W31, W32 = Week.parse("2023-W31"), Week.parse("2023-W32")
SPEND = {"916": Decimal("27.40"), "936": Decimal("514.89"), "1178": Decimal("11173.28")}
LEADS = {"916": 7, "936": 98, "1178": 608}
INSIGHTS = r"GET /meta/v25\.0/act_\d+/insights"
# The first question for insights is the one of the account's totals.
OF_ADS = 1


def spend(rows: Iterable[AdDay]) -> dict[str, Decimal]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row.campaign_id] += row.spend  # type: ignore[assignment]
    return dict(found)  # type: ignore[arg-type]


def leads(rows: Iterable[AdDay]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row.campaign_id] += row.leads
    return dict(found)


def exchanges(outside: Outside, week: Week = W31) -> list[Exchange]:
    """What the newest complete reading has archived."""
    return list(Archive(outside.lake, META).newest(week, WHAT).exchanges())


def limits(outside: Outside) -> list[int]:
    return [one.asked["limit"] for one in exchanges(outside) if one.step == "page"]


def assert_is_w31(found: AdsWeek) -> None:
    assert (spend(found.rows), leads(found.rows)) == (SPEND, LEADS)
    assert found.unaccounted == 0


def test_a_week_comes_to_the_figures_of_the_file(outside: Outside) -> None:
    found = outside.ads().week(W31)

    assert_is_w31(found)
    assert (found.account.currency, found.account.zone.key) == ("EUR", "Europe/Athens")
    assert (found.repeated, found.rejected, outside.waits) == (0, (), [])
    assert found.days == tuple(date(2023, 7, 31 + n) if n < 1 else date(2023, 8, n) for n in range(7))


def test_many_pages_come_to_the_same_as_one_and_each_row_once(outside: Outside) -> None:
    one = outside.ads().week(W32)
    outside.world.page_rows = 30
    told: list[Progress] = []

    many = outside.ads(tell=told.append).week(W32)

    assert many.rows == one.rows
    assert len(told) > 5
    assert told[-1].rows == len(one.rows)


def test_an_account_without_data_is_an_empty_week_and_no_error(outside: Outside) -> None:
    found = outside.ads().week(Week.parse("2023-W40"))

    assert (found.rows, found.rejected, dict(found.control or {}), found.unaccounted) == ((), (), {}, 0)
    assert len(found.days) == 7


def test_rows_that_come_twice_count_once_and_are_told(outside: Outside) -> None:
    outside.world.faults.add(Fault(INSIGHTS, How.REPEAT, skip=OF_ADS))

    found = outside.ads().week(W31)

    assert_is_w31(found)
    assert found.repeated == len(found.rows)


def test_ads_that_were_deleted_since_are_part_of_the_week(outside: Outside) -> None:
    outside.world.ads = DrawnAds([Plan("Synthetic", "OUTCOME_LEADS", 40, 10.0, 0.01, 0.05, 0.7)])
    shown = list(between(outside.world.ads, W31.monday, W31.sunday))

    found = outside.ads().week(W31)

    assert any(one.deleted for one in shown)
    assert len(found.rows) == len(shown)
    assert found.unaccounted == 0


def test_rows_that_a_page_lacks_are_found_by_the_account_s_own_total(outside: Outside) -> None:
    outside.world.faults.add(Fault(INSIGHTS, body={"data": []}, skip=OF_ADS))

    found = outside.ads().week(W31)

    assert found.unaccounted == sum(SPEND.values())


def test_what_meta_counts_while_its_pages_are_read_is_no_difference(outside: Outside) -> None:
    whole = outside.ads().week(W31)
    assert whole.control is not None
    assert whole.lead_control is not None
    told_first = [
        {
            "date_start": day.isoformat(),
            "spend": str(spent - (day == W31.monday)),
            "actions": [{"action_type": "lead", "value": str(whole.lead_control[day] - (day == W31.sunday))}],
        }
        for day, spent in whole.control.items()
    ]
    outside.world.faults.add(Fault(INSIGHTS, body={"data": told_first}))

    found = outside.ads().week(W31)

    assert (found.unaccounted, found.uncounted) == (0, 0)
    assert (found.control, found.lead_control) == (whole.control, whole.lead_control)
    assert ArchivedAds(outside.lake).week(W31).control == found.control
    assert [one.step for one in exchanges(outside)].count("control_again") == 1


def test_leads_that_are_counted_later_restate_a_closed_week_and_the_archive_has_both(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2023-08-07T06:00:00+00:00")
    first = outside.ads().week(W31)
    monkeypatch.setenv("PRISM_NOW", "2023-08-14T06:00:00+00:00")
    second = outside.ads().week(W31)
    monkeypatch.setenv("PRISM_NOW", "2023-09-04T06:00:00+00:00")
    last = outside.ads().week(W31)

    counted = [sum(leads(one.rows).values()) for one in (first, second, last)]
    assert counted[0] < counted[1] < counted[2] == sum(LEADS.values())
    assert spend(first.rows) == spend(last.rows) == SPEND
    assert ArchivedAds(outside.lake, at=first.read_at).week(W31) == first
    assert ArchivedAds(outside.lake, at=second.read_at).week(W31) == second


@pytest.mark.parametrize(
    ("zone", "days"), [("America/Los_Angeles", 6), ("Europe/Athens", 7), ("Pacific/Auckland", 7)]
)
def test_a_day_counts_once_it_is_over_in_the_account_s_time_zone(
    outside: Outside, monkeypatch: pytest.MonkeyPatch, zone: str, days: int
) -> None:
    move(outside, zone)
    monkeypatch.setenv("PRISM_NOW", "2023-08-07T05:00:00+00:00")  # Monday 07:00 in Berlin

    found = outside.ads().week(W31)

    assert len(found.days) == days
    assert {row.day for row in found.rows} <= set(found.days)


def test_a_week_of_which_no_day_is_over_is_not_asked_for(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2023-07-31T12:00:00+00:00")

    found = outside.ads().week(W31)

    assert (found.days, found.rows) == ((), ())
    reading = Archive(outside.lake, META).newest(W31, WHAT, at=found.read_at)
    assert [one.step for one in reading.exchanges()] == ["account"]


def test_a_time_zone_that_nobody_knows_is_a_failure_that_says_so(outside: Outside) -> None:
    account = {"id": "act_1", "account_id": "1", "name": "x", "currency": "EUR", "timezone_name": "Mars/Olympus"}
    outside.world.faults.add(Fault("act_", body=account))

    with pytest.raises(PermanentFailure, match="time zone is 'Mars/Olympus'"):
        outside.ads().week(W31)


# --- too much at once


def test_pages_are_halved_until_meta_takes_them(outside: Outside) -> None:
    reduce = meta_error(1, message="Please reduce the amount of data you're asking for, then retry your request")
    outside.world.faults.add(Fault(INSIGHTS, status=500, body=reduce, skip=OF_ADS, times=2))

    found = outside.ads().week(W31)

    assert_is_w31(found)
    assert limits(outside) == [PAGE_ROWS, PAGE_ROWS // 2, PAGE_ROWS // 4, *limits(outside)[3:]]
    assert outside.waits == []


def test_a_range_that_is_too_large_is_halved_to_days(outside: Outside) -> None:
    outside.world.most_rows = 60

    found = outside.ads().week(W31)

    assert_is_w31(found)
    spans = [json.loads(one.asked["time_range"]) for one in exchanges(outside) if one.step == "page"]
    assert spans[0] == {"since": "2023-07-31", "until": "2023-08-06"}
    assert len(spans) > 3


def test_a_day_that_is_too_large_is_made_in_the_background(outside: Outside) -> None:
    outside.world.most_rows = 8  # the account's totals have a row a day

    found = outside.ads().week(W31)

    assert_is_w31(found)
    begun = [json.loads(one.asked["time_range"]) for one in exchanges(outside) if one.method == "POST"]
    assert len(begun) >= 5
    assert all(span["since"] == span["until"] for span in begun)


def test_pages_that_cannot_be_small_enough_end_in_the_background(outside: Outside) -> None:
    reduce = meta_error(1, message="Please reduce the amount of data you're asking for, then retry your request")
    outside.world.faults.add(Fault(INSIGHTS + "$", status=500, body=reduce, skip=OF_ADS, times=10_000))

    found = outside.ads().week(W31)

    assert_is_w31(found)
    asked = [one.asked["limit"] for one in exchanges(outside) if one.step == "page" and one.status == 500]
    assert (asked[0], min(asked)) == (PAGE_ROWS, LEAST_PAGE_ROWS)


# --- jobs


def test_a_job_is_waited_for_also_at_a_hundred_percent(outside: Outside) -> None:
    told: list[Progress] = []
    outside.world.page_rows = 40

    found = outside.ads(in_background=True, tell=told.append).week(W31)

    assert_is_w31(found)
    states = [one.what for one in told if one.what.startswith("job")]
    assert [state.rpartition(": ")[2] for state in states] == ["Not Started", "Started", "Running", "Completed"]
    assert [one.share for one in told[:4]] == [0, 0.05, 1.0, 1.0]
    assert outside.waits == [5.0, 7.5, 11.25]


@pytest.mark.parametrize("end", ["Job Failed", "Job Skipped"])
def test_a_job_that_ends_without_a_result_is_begun_again(outside: Outside, end: str) -> None:
    outside.world.jobs.extend([("Job Running", end), ("Job Completed",)])

    found = outside.ads(in_background=True).week(W31)

    assert_is_w31(found)


def test_jobs_that_fail_three_times_are_tried_for_fewer_days_and_then_given_up(outside: Outside) -> None:
    outside.world.jobs.extend([("Job Failed",)] * 200)

    with pytest.raises(TransientFailure, match="ended 3 jobs without a result, the last one as Failed"):
        outside.ads(in_background=True).week(W31)

    begun = 200 - len(outside.world.jobs)
    assert begun == 3 * 4  # seven days, four, two, one


def test_a_job_that_fails_for_a_week_is_done_by_halves(outside: Outside) -> None:
    outside.world.jobs.extend([("Job Failed",)] * 3)

    assert_is_w31(outside.ads(in_background=True).week(W31))


def test_a_job_that_never_ends_is_left_after_half_an_hour(outside: Outside) -> None:
    outside.world.jobs.append(("Job Running",))

    with pytest.raises(TransientFailure, match=r"Meta's job was Running for 3\d minutes; try again later"):
        outside.ads(in_background=True).week(W31)

    assert max(outside.waits) == 60.0


def test_a_state_that_nobody_has_heard_of_is_waited_out(outside: Outside) -> None:
    outside.world.jobs.append(("Job Pondering", "Job Completed"))

    assert_is_w31(outside.ads(in_background=True).week(W31))


# --- lines that break, and who ends a walk


def test_a_line_that_breaks_in_the_middle_of_a_page_is_dialled_again(outside: Outside) -> None:
    outside.world.page_rows = 50
    outside.world.faults.add(Fault(INSIGHTS, How.CUT, skip=OF_ADS + 1))

    found = outside.ads().week(W31)

    assert_is_w31(found)
    assert outside.waits == [2.0]


def test_a_service_that_is_not_there_is_tried_five_times(outside: Outside) -> None:
    gone = outside.settings.model_copy(update={"meta_api_url": AnyHttpUrl("http://127.0.0.1:9/meta")})
    outside.settings, kept = gone, outside.settings
    try:
        with pytest.raises(TransientFailure, match=r"could not be reached .*5 attempts; try again later"):
            outside.ads().week(W31)
    finally:
        outside.settings = kept

    assert outside.waits == [2.0, 8.0, 30.0, 60.0]


def test_pages_that_lead_in_a_circle_end(outside: Outside) -> None:
    page = {"data": [], "paging": {"cursors": {"after": "x"}, "next": "http://elsewhere.example/?after=x"}}
    outside.world.faults.add(Fault(INSIGHTS, body=page, skip=OF_ADS, times=50))

    with pytest.raises(TransientFailure, match="lead in a circle"):
        outside.ads().week(W31)


def test_the_next_page_is_asked_of_meta_whatever_address_an_answer_names(outside: Outside) -> None:
    page = {"data": [], "paging": {"next": "http://127.0.0.1:9/other?after=cm93IDA%3D&access_token=x"}}
    outside.world.faults.add(Fault(INSIGHTS, body=page, skip=OF_ADS))

    assert_is_w31(outside.ads().week(W31))


def test_a_walk_that_is_cancelled_ends_at_the_next_page_and_counts_as_not_read(outside: Outside) -> None:
    outside.world.page_rows = 20
    cancelled, before = threading.Event(), Archive(outside.lake, META).readings(W31, WHAT)
    told: list[Progress] = []

    def tell(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 2:
            cancelled.set()

    with pytest.raises(Cancelled):
        outside.ads(patience=outside.patience(cancelled), tell=tell).week(W31)

    assert len(told) == 2
    assert Archive(outside.lake, META).readings(W31, WHAT) == before


def test_a_cancelled_wait_ends_at_once(outside: Outside) -> None:
    from prism_resources.wire.patience import Patience  # noqa: PLC0415 - the one that really waits

    cancelled = threading.Event()
    outside.world.faults.add(
        Fault(INSIGHTS, status=400, body=meta_error(4), headers={"retry-after": "600"}, times=9)
    )
    threading.Timer(0.2, cancelled.set).start()

    with pytest.raises(Cancelled):
        outside.ads(patience=Patience(cancelled=cancelled)).week(W31)


KILLED = """
import sys
from prism_core.calendar import Week
from prism_core.settings import load_settings
from prism_resources.lake import Lake
from prism_resources.meta_ads.source import LiveAds

settings = load_settings()

def tell(progress):
    print(progress.rows, flush=True)
    sys.stdin.readline()

LiveAds(settings, Lake(settings), tell=tell).week(Week.parse("2023-W31"))
"""


def test_a_walk_that_is_killed_half_way_leaves_nothing_that_counts_and_is_read_anew(
    outside: Outside, platform: Platform
) -> None:
    outside.world.page_rows = 20
    archive = Archive(outside.lake, META)
    before = archive.readings(W31, WHAT)
    parts = len(list(outside.lake.keys(f"raw/meta/week={W31}/")))
    variables = {
        "PRISM_META_API_URL": str(outside.settings.meta_api_url),
        "PRISM_META_ACCOUNT_ID": str(outside.settings.meta_account_id),
    }
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        env={**os.environ, **platform.environment(), **variables},
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "20\n"
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "40\n"
        child.kill()

    assert archive.readings(W31, WHAT) == before
    kept = len(list(outside.lake.keys(f"raw/meta/week={W31}/"))) - parts
    assert kept in {3, 4}  # account, control, a page, and another that may have been on its way
    live = outside.ads().week(W31)
    assert_is_w31(live)
    assert ArchivedAds(outside.lake).week(W31) == live


def test_the_file_of_real_ads_has_the_rows_that_the_stand_in_tells(outside: Outside) -> None:
    weeks = [Week.parse(f"2023-W{number}") for number in range(31, 36)]

    found = [outside.ads().week(week) for week in weeks]

    assert sum(len(one.rows) for one in found) == sum(len(FILE_ADS.of(day)) for day in days_of(weeks))
    assert sum(sum(leads(one.rows).values()) for one in found) == 3264


def days_of(weeks: list[Week]) -> list[date]:
    return [date.fromordinal(week.monday.toordinal() + n) for week in weeks for n in range(7)]
