"""A week that was materialised alone. Why real: Dagster's event log says what a run wrote and what it left out."""

from collections.abc import Iterator

import dagster as dg
import pytest

from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_sensors.known import KnownAssets
from prism_sensors.restated import restated_sensor
from tests.integration.fresh import platform_of_this_file
from tests.integration.ticks import Tick, names_of, weeks_of

platform = platform_of_this_file()

pytestmark = pytest.mark.usefixtures("platform")
FIRST, SECOND, THIRD = (Week.parse(f"2018-W{number}") for number in (33, 34, 35))
WEEKLY = dg.WeeklyPartitionsDefinition(start_date=FIRST.key, day_offset=1, end_offset=1, timezone="UTC")


def asset(name: str, *deps: str) -> dg.AssetsDefinition:
    @dg.asset(name=name, deps=list(deps), partitions_def=WEEKLY, backfill_policy=dg.BackfillPolicy.single_run())
    def of_weeks(context: dg.AssetExecutionContext) -> None:
        for key in context.partition_keys:
            written = context.run.tags.get("unchanged") != name
            context.add_asset_metadata({"written": written}, partition_key=key)

    return of_weeks


# `scores` reads `figures`, `shown` reads `scores`.
DEFINITIONS = dg.Definitions(assets=[asset("figures"), asset("scores", "figures"), asset("shown", "scores")])


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


class Sensor:
    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance, self._cursor = instance, None
        self.tick()

    def tick(self) -> Tick:
        sensor = restated_sensor(KnownAssets.of(DEFINITIONS, WEEKLY))
        assert sensor is not None
        context = dg.build_sensor_context(
            instance=self._instance,
            cursor=self._cursor,
            repository_def=dg.Definitions.merge(
                DEFINITIONS, dg.Definitions(sensors=[sensor])
            ).get_repository_def(),
            resources={"prism": PrismResource()},
        )
        found = sensor.evaluate_tick(context)
        self._cursor = found.cursor
        return Tick(list(found.run_requests or []), found.cursor, found.skip_message)


def materialise(instance: dg.DagsterInstance, first: Week, last: Week, *assets: str, unchanged: str = "") -> None:
    tags = {
        "dagster/asset_partition_range_start": first.key,
        "dagster/asset_partition_range_end": last.key,
        "unchanged": unchanged,
    }
    job = DEFINITIONS.resolve_implicit_global_asset_job_def()
    selection = [dg.AssetKey(name) for name in assets]
    assert job.execute_in_process(instance=instance, asset_selection=selection, tags=tags).success


def test_what_reads_a_week_that_was_materialised_alone_is_asked_for_in_that_week_alone_and_once(
    instance: dg.DagsterInstance,
) -> None:
    sensor = Sensor(instance)
    materialise(instance, SECOND, SECOND, "figures")

    first, second = sensor.tick(), sensor.tick()

    assert first.asked == [("2018-W34", ["scores", "shown"])]
    assert second.requests == []


def test_a_run_that_had_all_of_it_asks_for_nothing(instance: dg.DagsterInstance) -> None:
    sensor = Sensor(instance)
    materialise(instance, FIRST, THIRD, "figures", "scores", "shown")

    assert sensor.tick().requests == []


def test_a_week_whose_content_did_not_change_asks_for_nothing(instance: dg.DagsterInstance) -> None:
    sensor = Sensor(instance)
    materialise(instance, FIRST, FIRST, "figures", unchanged="figures")

    assert sensor.tick().requests == []


def test_neighbouring_weeks_are_one_run(instance: dg.DagsterInstance) -> None:
    sensor = Sensor(instance)
    materialise(instance, FIRST, SECOND, "figures", "scores")

    (request,) = sensor.tick().requests

    assert (str(weeks_of(request)), names_of(request)) == ("2018-W33..2018-W34", ["shown"])


def test_what_was_materialised_before_the_first_tick_is_no_news(instance: dg.DagsterInstance) -> None:
    materialise(instance, FIRST, FIRST, "figures")
    sensor = Sensor(instance)

    assert sensor.tick().requests == []


def test_the_sensor_watches_the_assets_that_others_read() -> None:
    known = KnownAssets.of(DEFINITIONS, WEEKLY)

    assert known.with_downstream("figures") == ["figures", "scores", "shown"]
    assert restated_sensor(KnownAssets([dg.AssetSpec("alone", partitions_def=WEEKLY)], WEEKLY)) is None
