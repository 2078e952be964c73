"""The assets of the lake's tables, as Dagster runs them.

Why real: an asset is what it leaves in the bucket, and its checks read that.
"""

import gzip
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from infra.local.platform import Platform
from prism_assets.lake.assets import asset_name, lake_assets
from prism_assets.lake.checks import judge_partition, lake_checks
from prism_assets.partitions import weekly
from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.lake_tables import EXPORTED, MEMBERS, QUALITY
from prism_core.models.people import Member
from prism_core.models.work import QualityReview
from prism_core.tables import TABLES
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.tables.store import TableStore
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file()

pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]
W33, W34, W35 = (Week.parse(f"2018-W{number}") for number in (33, 34, 35))
WHO: dict[str, Any] = {"actor": "user:test", "reason": "as told", "request_id": "lake-assets-test"}
CHECKED = ("quality_reviews", "members")


@pytest.fixture(scope="module")
def programme(platform: Platform) -> Platform:
    def put(name: str, item: Any, week: Week) -> None:
        spec = TABLES[name]
        store: TableStore[Any] = TableStore(
            client(platform.settings, "dynamodb"), platform.settings, spec, spec.model
        )
        store.create(item, now=week.start, **WHO)

    put("members", Member(member_id="M-1", name="Ann", email="ann@a.example", time_zone="UTC"), W34)
    for number in range(3):
        review = QualityReview(
            member_id="M-1", week=W34, project_id="P-404", review_id=f"R-{number}", category="box", reviewed=10,
            correct=9, reviewer="lead-1", reviewed_at=W34.start,
        )  # fmt: skip
        put("quality", review, W34)
    return platform


@pytest.fixture(scope="module")
def run(programme: Platform) -> Iterator[dg.ExecuteInProcessResult]:
    """One run over three weeks of two tables, with their checks."""
    weeks = weekly(programme.settings)
    chosen = [one for one in lake_assets(weeks) if one.key.to_user_string() in CHECKED]
    checks = [
        one for one in lake_checks(weeks) if {key.asset_key for key in one.check_keys} <= {a.key for a in chosen}
    ]
    with dg.DagsterInstance.ephemeral() as instance:
        yield dg.materialize(
            [*chosen, *checks],
            instance=instance,
            resources={"prism": PrismResource()},
            tags={
                "dagster/asset_partition_range_start": W33.key,
                "dagster/asset_partition_range_end": W35.key,
            },
        )


def test_every_exported_table_is_an_asset_under_its_name(programme: Platform) -> None:
    names = {asset.key.to_user_string() for asset in lake_assets(weekly(programme.settings))}

    assert names == {asset_name(table) for table in EXPORTED.values()}
    assert {"quality_reviews", "members", "changelog"} <= names
    assert "quality" not in names


def test_one_run_writes_every_week(programme: Platform, run: dg.ExecuteInProcessResult) -> None:
    lake = Lake(programme.settings)
    assert run.success
    assert [lake.read_partition(MEMBERS, week) is not None for week in (W33, W34, W35)] == [False, True, True]
    reviews = lake.read_partition(QUALITY, W34)
    assert reviews is not None
    assert reviews.num_rows == 3
    assert len(run.asset_materializations_for_node("quality_reviews")) == 3


def test_checks_hold_and_a_project_that_nobody_knows_is_a_warning(run: dg.ExecuteInProcessResult) -> None:
    verdicts = {
        (one.asset_key.to_user_string(), one.check_name): (one.passed, one.severity.value)
        for one in run.get_asset_check_evaluations()
    }

    assert verdicts.pop(("quality_reviews", "reviews_known")) == (False, "WARN")
    assert {passed for passed, _ in verdicts.values()} == {True}
    assert ("members", "partition_whole") in verdicts
    assert ("quality_reviews", "reviews_conserved") in verdicts


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("part", "body", "says"),
    [
        ("parquet", None, "part-0.parquet is missing"),
        ("jsonl", None, "part-0.jsonl.gz is missing"),
        ("manifest", None, "2018-W34.json is missing"),
        ("manifest", b'{"table"', "cannot be read"),
        ("parquet", b"PAR1", "the Parquet object cannot be read"),
        ("jsonl", b"no gzip", "the JSON Lines object cannot be read"),
        ("jsonl", gzip.compress(b"{}\n{}\n{}\n"), "JSON Lines hold other rows than the manifest says"),
        ("jsonl", gzip.compress(b"{}\n"), "JSON Lines hold 1 rows, the manifest counts 3"),
    ],
    ids=[
        "no-parquet",
        "no-lines",
        "no-manifest",
        "cut-manifest",
        "no-footer",
        "no-gzip",
        "other-rows",
        "fewer-rows",
    ],
)
def test_a_partition_that_is_not_whole_is_told(
    programme: Platform, part: str, body: bytes | None, says: str
) -> None:
    lake, partition = Lake(programme.settings), QUALITY.partition(W34)
    key = getattr(partition, part)
    whole = lake.get(key)
    assert whole is not None
    if body is None:
        lake.delete(key)
    else:
        lake.put(key, body, content_type="application/octet-stream")

    passed, facts = judge_partition(lake, QUALITY, W34)
    lake.put(key, whole, content_type="application/octet-stream")

    assert not passed
    assert says in "; ".join(facts["wrong"])
