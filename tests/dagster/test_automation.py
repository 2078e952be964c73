"""What runs by itself, and what waits for what."""

from pathlib import Path

import dagster as dg
import pytest
import yaml

from infra.local.serving import DAGSTER_YAML
from prism_assets.definitions import build_definitions
from prism_core.calendar import Week, WeekRange
from prism_core.settings import Settings
from prism_sensors.asking import Asked
from prism_sensors.known import KnownAssets

WEEKLY = dg.WeeklyPartitionsDefinition(start_date="2025-01-06", day_offset=1, end_offset=1, timezone="UTC")
W1, W2, W3, W4 = (Week.parse(f"2025-W{number:02d}") for number in (2, 3, 4, 5))


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions(Settings())


def ranges(asked: Asked, first: Week = W1, last: Week = W4) -> list[tuple[str, list[str]]]:
    found = asked.requests(WeekRange(first, last), tags={})
    return [
        (str(one.run_key).partition("+")[0], [key.to_user_string() for key in one.asset_selection or ()])
        for one in found
    ]


def test_every_asset_waits_for_other_runs_that_write_the_same(definitions: dg.Definitions) -> None:
    assets = [asset for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition)]
    pools = {asset.key.to_user_string(): asset.op.pool for asset in assets}

    assert [name for name, pool in pools.items() if pool is None] == []
    assert {name: pools[name] for name in ("throughput", "quality_scores", "allocations")} == {
        "throughput": "throughput",
        "quality_scores": "quality_scores",
        "allocations": "export",
    }


def test_every_schedule_and_sensor_says_what_it_does_and_what_a_place_must_choose_is_off(
    definitions: dg.Definitions,
) -> None:
    sensors, schedules = list(definitions.sensors or ()), list(definitions.schedules or ())

    assert {one.name for one in sensors} >= {"resolved_work", "changed_quality", "changed_plans", "failed_runs"}
    assert [one.name for one in sensors if not one.description] == []
    assert {one.default_status for one in sensors} == {dg.DefaultSensorStatus.RUNNING}
    off = [one.name for one in schedules if one.default_status is dg.DefaultScheduleStatus.STOPPED]
    assert sorted(off) == ["image_drift_weekly", "worker_activity_hourly"]  # the first is paid for by the image


def test_the_hours_of_export_and_backup_come_from_the_settings() -> None:
    definitions = build_definitions(Settings(lake_export_cron="0 5 * * 1", backup_cron="0 1 * * *"))

    found = [one for one in definitions.schedules or () if isinstance(one, dg.ScheduleDefinition)]
    crons = {one.name: one.cron_schedule for one in found}
    assert crons["lake_export_weekly"] == "0 5 * * 1"
    assert crons["backup_daily"] == "0 1 * * *"


def test_the_weekly_export_leaves_out_what_is_fed_by_the_hour(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("lake_export")

    names = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert {"quality_scores", "utilisation", "unresolved_workers"} <= names
    assert names.isdisjoint({"worker_activity", "throughput", "backups"})


def test_neighbouring_weeks_that_need_the_same_are_one_run() -> None:
    asked = Asked()
    asked.add([W1, W2, W4], ["a"], "one")
    asked.add([W2], ["b"], "two")

    assert ranges(asked) == [("2025-W02", ["a"]), ("2025-W03", ["a", "b"]), ("2025-W05", ["a"])]


def test_weeks_that_cannot_be_materialised_are_not_asked_for() -> None:
    asked = Asked()
    asked.add([W1, W2, W3, W4], ["a"], "one")

    assert ranges(asked, W2, W3) == [("2025-W03..2025-W04", ["a"])]


def test_the_key_of_a_run_follows_from_its_weeks_assets_and_causes() -> None:
    def key(causes: list[str], assets: list[str]) -> str | None:
        asked = Asked()
        for cause in causes:
            asked.add([W1], assets, cause)
        (request,) = asked.requests(WeekRange(W1, W4), tags={})
        return request.run_key

    assert key(["one", "two"], ["a", "b"]) == key(["two", "one"], ["b", "a"])
    assert len({key(["one"], ["a"]), key(["two"], ["a"]), key(["one"], ["b"])}) == 3


def test_what_is_downstream_follows_through_and_leaves_out_what_is_not_weekly() -> None:
    specs = [
        dg.AssetSpec("a", partitions_def=WEEKLY),
        dg.AssetSpec("b", deps=["a"], partitions_def=WEEKLY),
        dg.AssetSpec("c", deps=["b"], partitions_def=WEEKLY),
        dg.AssetSpec("once", deps=["a"]),
    ]
    known = KnownAssets(specs, WEEKLY)

    assert known.with_downstream("a") == ["a", "b", "c"]
    assert known.with_downstream("nothing") == []
    assert known.children("a") == ["b"]


def test_the_instance_has_the_limits_that_its_file_says(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(DAGSTER_YAML)

    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        config = instance.get_concurrency_config()

        assert yaml.safe_load(DAGSTER_YAML)["telemetry"] == {"enabled": False}
        assert config.pool_config.default_pool_limit == 1
        assert config.pool_config.pool_granularity is not None
        assert config.pool_config.pool_granularity.value == "run"
        assert (instance.run_retries_enabled, instance.run_retries_max_retries) == (True, 2)
        assert not instance.run_retries_retry_on_asset_or_op_failure
        assert instance.run_monitoring_max_runtime_seconds == 14_400
