"""What must hold of a week's quality scores.

Belongs here: asset checks that compare what was published with what was read for it, and with what is stored now.
Does not belong here: checks of the reviews' own snapshot (the export's), and repairing anything.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from prism_assets.checking import counts_of, over_weeks, rows_of, volume
from prism_assets.known import Known, known_names
from prism_assets.quality.computing import counted
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES
from prism_core.calendar import Week
from prism_core.lake_tables import QUALITY_SCORES
from prism_core.models.work import QualityReview
from prism_core.quality_scores import WINDOW_WEEKS
from prism_core.tables import QUALITY

_SUMS = ("reviews", "reviewed", "correct")
MOST_NAMED = 20


def quality_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """The checks of quality_scores; the conservation of pieces blocks what is built on it."""

    @dg.asset_check(
        asset="quality_scores",
        name="pieces_conserved",
        blocking=True,
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Reviews, reviewed and correct pieces in the lake are those of the reviews that were read.",
    )
    def pieces_conserved(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _conservation(prism, week))

    @dg.asset_check(
        asset="quality_scores",
        name="reviews_as_read",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="The week's stored reviews are still those that the scores were computed from.",
    )
    def reviews_as_read(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _as_read(prism, week), severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(
        asset="quality_scores",
        name="scores_in_range",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description=(
            "Shares and scores lie within 0 and 1, a share within its interval, the window has one to four weeks, "
            "and there is a trend from two weeks on."
        ),
    )
    def scores_in_range(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(context, lambda week: _ranges(prism, week))

    @dg.asset_check(
        asset="quality_scores",
        name="reviewed_subjects_known",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Every member and every project that was reviewed is in its register.",
    )
    def reviewed_subjects_known(
        context: dg.AssetCheckExecutionContext, prism: PrismResource
    ) -> dg.AssetCheckResult:
        known = known_names(prism)
        return over_weeks(context, lambda week: _known(prism, week, known), severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(
        asset="quality_scores",
        name="unmapped_share",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="The share of pieces whose raw category the taxonomy does not name is at most the setting.",
    )
    def unmapped_share(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        limit = prism.settings().unmapped_share_warning
        return over_weeks(context, lambda week: _unmapped(prism, week, limit), severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(
        asset="quality_scores",
        name="volume_in_band",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="As many pieces were reviewed as in the four weeks before, give or take the setting's share.",
    )
    def volume_in_band(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        return over_weeks(
            context,
            lambda week: volume(prism, QUALITY_SCORES, week, "reviewed"),
            severity=dg.AssetCheckSeverity.WARN,
        )

    return [
        pieces_conserved,
        reviews_as_read,
        scores_in_range,
        reviewed_subjects_known,
        unmapped_share,
        volume_in_band,
    ]


def _conservation(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    """Compared is with what the asset read: the table goes on being written while a run checks."""
    read, rows = counts_of(prism, QUALITY_SCORES, week), rows_of(prism, QUALITY_SCORES, week)
    published = {name: sum(row[name] for row in rows) for name in _SUMS}
    return _sums(read) == published, {"read": _sums(read), "published": published}


def _as_read(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    stored = counted(list(prism.reader(QUALITY, QualityReview).query("by_week", week=week)))
    read = _sums(counts_of(prism, QUALITY_SCORES, week))
    return stored == read, {"stored": stored, "read": read}


def _sums(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in _SUMS}


def _ranges(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    rows = rows_of(prism, QUALITY_SCORES, week)
    bad = [row for row in rows if not _sound(row)]
    named = [f"{row['member_id']} {row['project_id']} {row['category']}" for row in bad[:MOST_NAMED]]
    return not bad, {"rows": len(rows), "out_of_range": len(bad), "which": named}


def _sound(row: dict[str, Any]) -> bool:
    share = row["share"]
    return (
        0 <= row["correct"] <= row["reviewed"]
        and share is not None
        and 0 <= row["low"] <= share <= row["high"] <= 1
        and 0 <= row["score"] <= 1
        and 1 <= row["weeks_in_window"] <= WINDOW_WEEKS
        and (row["trend"] is None) is (row["weeks_in_window"] == 1)
    )


def _known(prism: PrismResource, week: Week, known: Known) -> tuple[bool, dict[str, Any]]:
    rows = rows_of(prism, QUALITY_SCORES, week)
    members = sorted({row["member_id"] for row in rows} - known.members)
    projects = sorted({row["project_id"] for row in rows} - known.projects)
    facts: dict[str, Any] = {
        "unknown_members": len(members),
        "unknown_projects": len(projects),
        "which": [*members, *projects][:MOST_NAMED],
    }
    return not members and not projects, facts


def _unmapped(prism: PrismResource, week: Week, limit: float) -> tuple[bool, dict[str, Any]]:
    rows = rows_of(prism, QUALITY_SCORES, week)
    pieces = sum(row["reviewed"] for row in rows)
    unmapped = sum(row["reviewed"] for row in rows if not row["mapped"])
    share = unmapped / pieces if pieces else 0.0
    categories = sorted({row["category"] for row in rows if not row["mapped"]})
    return share <= limit, {"share": round(share, 4), "limit": limit, "categories": categories[:MOST_NAMED]}
