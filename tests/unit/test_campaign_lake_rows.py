"""What goes into the lake comes back as it was: every figure, and money to its last digit."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.calendar import Week
from prism_core.campaign.attribution import attribute
from prism_core.campaign.insights import AdDay
from prism_core.campaign.lake_rows import (
    ad_of,
    ad_row,
    attribution_of,
    attribution_rows,
    lead_of,
    lead_row,
    metrics_item,
    metrics_of,
    metrics_row,
    money_double,
    money_of,
    trend_row,
)
from prism_core.campaign.leads import LIFECYCLES, OTHER, SOURCES, STATUSES, CrmLead
from prism_core.campaign.metrics import Metric, history_of
from prism_core.campaign.read_weeks import AdsRead, days_of
from prism_core.campaign.trends import all_time, comparable, trend
from prism_core.evidence import Evidence
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.lake import LakeTable
from prism_core.lake_campaign import (
    CAMPAIGN,
    CAMPAIGN_METRICS,
    CAMPAIGN_TRENDS,
    HUBSPOT_LEADS,
    LEAD_ATTRIBUTION,
    META_INSIGHTS,
)
from prism_core.tables import CAMPAIGN_METRICS as TABLE
from prism_resources.lake_files import arrow_rows, json_lines, rows_of_lines
from prism_resources.tables.codec import decode, encode
from tests.unit.campaign_weeks import MONDAY, ad, ad_days, of_weeks, real, week

ids = st.none() | st.integers(1, 60).map(str)
leads = st.builds(
    CrmLead,
    lead_id=st.integers(1, 10**9).map(str),
    created=st.datetimes(datetime(2023, 7, 31), datetime(2023, 8, 6)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
    campaign_id=st.sampled_from([None, "1", "22", "999"]),
    adset_id=st.sampled_from([None, "10", "220", "9990"]),
    ad_id=ids,
    source=st.sampled_from([*sorted(SOURCES), OTHER]),
    lifecycle=st.sampled_from([*sorted(LIFECYCLES), OTHER]),
    status=st.sampled_from([*sorted(STATUSES), OTHER]),
)
many_leads = st.lists(leads, max_size=12, unique_by=lambda one: one.lead_id)


def through(table: LakeTable, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """As Parquet and as JSON Lines hold them."""
    arrow = arrow_rows(table, rows)
    assert rows_of_lines(table, json_lines(table, arrow)).to_pylist() == arrow.to_pylist()
    return arrow.to_pylist()


@given(st.lists(ad_days, max_size=8))
def test_ads_come_back_as_they_went_in(rows: list[AdDay]) -> None:
    assert [ad_of(row) for row in through(META_INSIGHTS, [ad_row(one) for one in rows])] == rows


@given(many_leads)
def test_leads_come_back_as_they_went_in(found: list[CrmLead]) -> None:
    assert [lead_of(row) for row in through(HUBSPOT_LEADS, [lead_row(one) for one in found])] == found


@given(st.lists(ad_days, max_size=15))
def test_campaign_weeks_come_back_from_the_lake_and_their_items_from_the_table(rows: list[AdDay]) -> None:
    history = of_weeks(rows, 6)
    for one, campaigns in history.weeks.items():
        back = [metrics_of(one, row) for row in through(CAMPAIGN_METRICS, [metrics_row(row) for row in campaigns])]
        items = [metrics_item(row) for row in campaigns]

        assert tuple(back) == campaigns
        assert [decode(TABLE, type(item), encode(TABLE, item)) for item in items] == items
        assert [item.spend for item in items] == [row.sums.spend for row in campaigns]


@given(st.lists(ad_days, max_size=10), many_leads)
def test_attribution_comes_back_from_rows_whose_sums_are_its_figures(
    rows: list[AdDay], known: list[CrmLead]
) -> None:
    found = attribute(rows, known)

    written = through(LEAD_ATTRIBUTION, list(attribution_rows(found)))

    assert attribution_of(written) == found
    sums = {name: sum(row[name] for row in written) for name in ("meta_leads", "crm_leads", "matched")}  # type: ignore[misc]
    assert sums == {
        "meta_leads": sum(row.leads for row in rows),
        "crm_leads": len(known),
        "matched": found.matched,
    }


@given(st.decimals(0, 10**9, places=6))
def test_an_amount_of_up_to_a_thousand_million_with_six_places_is_exact(amount: Decimal) -> None:
    assert money_of(money_double(amount)) == amount


def test_an_amount_keeps_its_cents_and_one_that_the_lake_cannot_hold_is_refused() -> None:
    assert [str(money_of(money_double(Decimal(text)))) for text in ("27.40", "0", "100", "1.005", "0.000001")] == [
        "27.40", "0.00", "100.00", "1.005", "0.000001",
    ]  # fmt: skip
    with pytest.raises(PermanentFailure, match="more digits"):
        money_double(Decimal("123456789012.123456"))
    with pytest.raises(PermanentFailure, match="amount of money"):
        money_of(float("nan"))


def test_a_trend_is_written_with_its_sum_since_the_first_week() -> None:
    found = real()
    one = Week.parse("2023-W34")
    ever = all_time(found, one)

    rows = through(
        CAMPAIGN_TRENDS,
        [
            trend_row(metric, trend(one, comparable(found, metric, "EUR")), "EUR", ever, 4)
            for metric in (Metric.SPEND, Metric.CLICK_RATE)
        ],
    )

    assert [(row["metric"], row["currency"], row["weeks_in_window"]) for row in rows] == [
        ("spend", "EUR", 2),  # the first of the three weeks before it lacks a day
        ("click_rate", None, 2),
    ]
    assert rows[0]["value"] == 12879.85
    assert (rows[0]["all_time"], rows[1]["all_time"]) == (float(ever.spend or 0), None)


def test_weeks_that_were_added_up_are_the_history_that_they_were_added_up_to() -> None:
    found = real()
    days = {one: [day for day in one.days if day not in found.totals(one).missing] for one in found.weeks}

    assert history_of(found.weeks, days) == found


def test_a_week_in_between_that_nobody_has_read_is_missing_and_compared_with_nothing() -> None:
    rows = [ad(MONDAY + timedelta(weeks=n), leads=10) for n in range(4)]
    whole = of_weeks(rows, 4)
    days = {one: one.days for one in whole.weeks if one != week(1)} | {week(2): week(2).days[:3]}

    found = history_of({one: whole.weeks[one] for one in days}, days)

    assert [len(found.totals(week(n)).missing) for n in range(4)] == [0, 7, 4, 0]
    assert found.weeks[week(1)] == ()
    assert trend(week(3), comparable(found, Metric.LEADS, "EUR")).weeks_in_window == 1


def test_a_week_of_which_no_day_is_over_is_one_that_lacks_all_days() -> None:
    found = history_of({week(0): ()}, {})

    assert len(found.totals(week(0)).missing) == 7
    assert trend(week(0), comparable(found, Metric.LEADS, None)).value is None
    with pytest.raises(BadUsage, match="needs a week"):
        history_of({}, {})


@pytest.mark.parametrize(
    "control",
    [
        pytest.param(None, id="nobody told the total"),
        pytest.param({MONDAY: Decimal("27.40"), MONDAY + timedelta(days=1): Decimal(0)}, id="told by day"),
    ],
)
def test_what_a_week_was_read_from_comes_back_from_the_manifest(control: dict[date, Decimal] | None) -> None:
    days = (MONDAY, MONDAY + timedelta(days=1))
    read_at = datetime(2023, 8, 7, tzinfo=UTC)
    read = AdsRead("77", "EUR", ZoneInfo("Europe/Athens"), days, control, "raw/meta/x/", read_at, "meta")

    evidence = Evidence.from_plain(read.evidence().plain())

    assert AdsRead.of(evidence) == read
    assert days_of(evidence) == days


def test_evidence_of_no_reading_is_none_and_a_damaged_one_says_so() -> None:
    read = AdsRead("77", "EUR", ZoneInfo("UTC"), (), None, "raw/x/", datetime(2023, 8, 7, tzinfo=UTC), "files")
    parts = dict(read.evidence().parts)

    assert AdsRead.of(Evidence()) is None
    assert AdsRead.of(Evidence(parts)) == read
    with pytest.raises(PermanentFailure, match="is damaged"):
        AdsRead.of(Evidence({name: part for name, part in parts.items() if name != "account"}))


@pytest.mark.parametrize("table", CAMPAIGN, ids=lambda table: table.name)
def test_no_table_of_the_campaign_has_a_column_for_a_person(table: LakeTable) -> None:
    personal = ("email", "phone", "first", "last_name", "address", "url")

    assert [c.name for c in table.columns if any(word in c.name for word in personal)] == []
