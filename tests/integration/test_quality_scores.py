"""Quality scores, materialised. Why real: what is conserved must be so between the reviews' table and the lake."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_assets.restatements.gate import BECAUSE_TAG
from prism_core.calendar import Week, WeekRange
from prism_core.lake_tables import QUALITY_SCORES
from prism_core.models.disputes import Correction
from prism_core.models.people import Member
from prism_core.models.projects import Project
from prism_core.models.taxonomy import TaxonomyVersion
from prism_core.models.work import QualityReview
from prism_core.settings import load_settings
from prism_core.tables import QUALITY
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.tables.reader import TableReader
from tests.integration.asset_runs import failed_checks, lake_rows, run_assets, run_checks, week_metadata, write
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file()

pytestmark = pytest.mark.usefixtures("platform")
WEEKS = WeekRange.parse("2026-W10..2026-W13")
LAST = WEEKS.last
AT = datetime(2026, 4, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def review(number: int, week: Week, **fields: Any) -> QualityReview:
    base = {
        "member_id": "qs-ann",
        "week": week,
        "project_id": "qs-birds",
        "review_id": f"qs-{number}",
        "category": "qs-old",
        "reviewed": 10,
        "correct": 9,
        "reviewer": "qs-lead",
        "reviewed_at": AT,
    }
    return QualityReview.model_validate(base | fields)


def member(member_id: str) -> Member:
    return Member(member_id=member_id, name="N", email="n@example.org", time_zone="UTC")


def project(project_id: str, target: str) -> Project:
    fields = {"project_id": project_id, "name": "P", "category": "c", "demand_hours": 1, "quality_target": target}
    return Project.model_validate(fields)


def taxonomy(number: int, effective: date, **entries: str) -> TaxonomyVersion:
    return TaxonomyVersion.model_validate(
        {
            "taxonomy_id": f"qs-t{number}",
            "title": "t",
            "status": "published",
            "effective": effective,
            "entries": [{"raw": f"qs-{raw}", "category": name} for raw, name in entries.items()],
        }
    )


@pytest.fixture(scope="module", autouse=True)
def registers(platform: Platform) -> None:
    assert platform.settings.first_week < WEEKS.first
    write("members", [member("qs-ann"), member("qs-bob")])
    write("projects", [project("qs-birds", "0.95")], now=AT)
    write("taxonomy", [taxonomy(1, date(2026, 1, 1), old="QS cars", new="QS vans")])


def versions() -> dict[str, int]:
    settings = load_settings()
    reader = TableReader(client(settings, "dynamodb"), settings, QUALITY, QualityReview)
    return {one.review_id: one.version for week in WEEKS for one in reader.query("by_week", week=week)}


def test_four_weeks_in_one_run_give_shares_intervals_scores_and_trends_that_hold(
    instance: dg.DagsterInstance,
) -> None:
    write("quality", [review(n, week, correct=6 + n) for n, week in enumerate(WEEKS)])

    result = run_assets(instance, WEEKS, "quality_scores")

    assert result.success
    assert failed_checks(result) == set()
    (row,) = lake_rows(QUALITY_SCORES, LAST)
    assert (row["share"], row["score"], row["trend"], row["weeks_in_window"]) == (0.9, 0.9, 0.1, 4)
    assert (row["category"], row["mapped"], row["target"]) == ("QS cars", True, 0.95)
    facts = week_metadata(instance, "quality_scores", LAST)
    assert (facts["reviewed"], facts["correct"], facts["share"], facts["taxonomy"]) == (10, 9, 0.9, "qs-t1")
    assert facts["correct_by_category"].startswith("![Correct pieces by category](data:image/svg+xml;base64,")


def test_the_same_reviews_again_write_nothing_and_a_share_that_moves_far_needs_a_reason_and_is_the_next_generation(
    instance: dg.DagsterInstance,
) -> None:
    week = WeekRange(LAST, LAST)
    run_assets(instance, week, "quality_scores")
    first = Lake(load_settings()).manifest(QUALITY_SCORES.partition(LAST))

    run_assets(instance, week, "quality_scores")
    again = Lake(load_settings()).manifest(QUALITY_SCORES.partition(LAST))
    write("quality", [review(20, LAST, member_id="qs-bob", correct=2)])
    refused = run_assets(instance, week, "quality_scores")
    run_assets(instance, week, "quality_scores", tags={BECAUSE_TAG: "a reviewer was away"})
    after = Lake(load_settings()).manifest(QUALITY_SCORES.partition(LAST))

    assert first is not None
    assert after is not None
    assert again == first
    assert not refused.success, "a share that is a third lower than the one people have read needs a reason"
    assert (after.generation, after.rows) == (first.generation + 1, 2)


def test_a_correction_moves_a_review_and_every_piece_still_counts_once(instance: dg.DagsterInstance) -> None:
    week = Week.parse("2026-W20")
    write("quality", [review(30, week), review(31, week, correct=2)])
    moving = Correction.model_validate(
        {
            "week": week,
            "correction_id": "qs-c1",
            "table": "quality",
            "from_member": "qs-ann",
            "to_member": "qs-bob",
            "review_id": "qs-31",
            "reason": "test",
            "created": AT,
            "created_by": "qs-lead",
        }
    )
    write("corrections", [moving])

    result = run_assets(instance, WeekRange(week, week), "quality_scores")

    assert result.success
    assert {(row["member_id"], row["correct"]) for row in lake_rows(QUALITY_SCORES, week)} == {
        ("qs-ann", 9),
        ("qs-bob", 2),
    }
    assert week_metadata(instance, "quality_scores", week)["moved"] == 1


def test_a_category_that_changes_in_mid_history_reports_old_and_new_data_together_and_migrates_no_record(
    instance: dg.DagsterInstance,
) -> None:
    """The raw ids stay in the reviews: only what they are called today differs."""
    before, after = Week.parse("2026-W30"), Week.parse("2026-W31")
    write("quality", [review(40, before, category="qs-old"), review(41, after, category="qs-new"),
                      review(42, after, category="qs-nobody")])  # fmt: skip
    weeks = WeekRange(before, after)
    run_assets(instance, weeks, "quality_scores")
    apart = {row["category"] for week in weeks for row in lake_rows(QUALITY_SCORES, week)}
    stored = versions()

    write("taxonomy", [taxonomy(2, date(2026, 9, 1), old="QS vehicles", new="QS vehicles")])
    result = run_assets(instance, weeks, "quality_scores")

    rows = {(week.label, row["category"]): row for week in weeks for row in lake_rows(QUALITY_SCORES, week)}
    assert apart == {"QS cars", "QS vans", "unmapped:qs-nobody"}
    assert set(rows) == {
        ("2026-W30", "QS vehicles"),
        ("2026-W31", "QS vehicles"),
        ("2026-W31", "unmapped:qs-nobody"),
    }
    assert rows["2026-W31", "QS vehicles"]["weeks_in_window"] == 2
    assert result.success
    assert failed_checks(result) == {"unmapped_share"}
    assert versions() == stored
    facts = week_metadata(instance, "quality_scores", after)
    assert facts["unmapped_categories"] == {"qs-nobody": 10}
    assert set(facts["restated_causes"]) == {"taxonomy"}


def test_a_week_without_reviews_is_empty_and_holds(instance: dg.DagsterInstance) -> None:
    week = Week.parse("2026-W40")

    result = run_assets(instance, WeekRange(week, week), "quality_scores")

    assert (result.success, failed_checks(result)) == (True, set())
    assert lake_rows(QUALITY_SCORES, week) == []


def test_pieces_that_the_lake_does_not_have_fail_the_check_that_blocks(instance: dg.DagsterInstance) -> None:
    week = Week.parse("2026-W45")
    write("quality", [review(50, week, reviewer="x", project_id="qs-nowhere")])
    lake = Lake(load_settings())

    first = run_assets(instance, WeekRange(week, week), "quality_scores")
    manifest = lake.manifest(QUALITY_SCORES.partition(week))
    assert manifest is not None
    lake.replace_partition(QUALITY_SCORES, week, [], generation=9, now=AT, counts=manifest.counts)
    judged = run_checks(instance, week, "quality_scores")

    assert failed_checks(first) == {"reviewed_subjects_known"}
    assert "pieces_conserved" in failed_checks(judged)


def test_a_review_that_comes_between_the_scores_and_their_checks_is_a_warning_and_blocks_nothing(
    instance: dg.DagsterInstance,
) -> None:
    week = Week.parse("2026-W42")
    write("quality", [review(60, week)])
    run_assets(instance, WeekRange(week, week), "quality_scores")

    write("quality", [review(61, week)])
    judged = run_checks(instance, week, "quality_scores")

    assert judged.success
    assert failed_checks(judged) == {"reviews_as_read"}
