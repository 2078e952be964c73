"""Weeks that were published anew. Why real: Dagster's event log says what a run published and what it left out."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from prism_assets.checking import over_weeks
from prism_assets.computed import GENERATION
from prism_assets.resources import PrismResource
from prism_assets.restatements.gate import Refused
from prism_assets.restatements.running import publishing
from prism_core.calendar import Week
from prism_core.failures import TransientFailure
from prism_sensors.known import KnownAssets
from prism_sensors.restated import restated_sensor
from tests.integration.fresh import platform_of_this_file
from tests.integration.ticks import Tick, names_of, weeks_of

platform = platform_of_this_file()

pytestmark = [pytest.mark.usefixtures("platform"), pytest.mark.filterwarnings("ignore::dagster.BetaWarning")]
FIRST, SECOND, THIRD, FOURTH = (Week.parse(f"2018-W{number}") for number in (33, 34, 35, 36))
WEEKLY = dg.WeeklyPartitionsDefinition(start_date=FIRST.key, day_offset=1, end_offset=1, timezone="UTC")
GENERATIONS = Counter[tuple[str, Week]]()


def asset(name: str, *deps: str) -> dg.AssetsDefinition:
    """Every run changes its content, but for the asset that the tag `unchanged` names.

    The tags `refused`, `broken` and `lost` are the week of `figures`, or of the asset in `fails`, that is refused,
    that ends the run, and that ends it once it is published.
    """

    @dg.asset(
        name=name,
        deps=list(deps),
        partitions_def=WEEKLY,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def of_weeks(context: dg.AssetExecutionContext) -> None:
        tags = context.run.tags if name == context.run.tags.get("fails", "figures") else {}
        with publishing(context) as run:
            for week in map(Week.parse, context.partition_keys):
                with run.refusals(week):
                    if tags.get("refused") == week.label:
                        raise Refused(f"{week} moves too far")
                    if tags.get("broken") == week.label:
                        raise TransientFailure(f"{week} is throttled")
                    GENERATIONS[name, week] += context.run.tags.get("unchanged") != name
                    if tags.get("lost") == week.label:
                        raise TransientFailure(f"{week} is published, and nobody hears of it")
                    run.published(week, {GENERATION: GENERATIONS[name, week]})

    return of_weeks


@dg.asset_check(asset="figures", blocking=True, partitions_def=WEEKLY)
def conserved(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    return over_weeks(context, lambda week: (context.run.tags.get("wrong") != week.label, {}))


# `scores` reads `figures`, `shown` reads `scores`; `kept` reads `figures`, too.
DEFINITIONS = dg.Definitions(
    assets=[asset("figures"), asset("scores", "figures"), asset("shown", "scores"), asset("kept", "figures")],
    asset_checks=[conserved],
)
ALL = ("figures", "scores", "shown", "kept")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """On disk, as at home: there every run has a log of its own, beside that of all assets."""
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"telemetry": {"enabled": False}}) as found:
        yield found


class Sensor:
    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance, self._cursor = instance, None
        self.tick()

    def tick(self) -> Tick:
        sensor = restated_sensor(KnownAssets.of(DEFINITIONS, WEEKLY))
        assert sensor is not None
        with dg.build_sensor_context(
            instance=self._instance,
            cursor=self._cursor,
            repository_def=dg.Definitions.merge(
                DEFINITIONS, dg.Definitions(sensors=[sensor])
            ).get_repository_def(),
            resources={"prism": PrismResource()},
        ) as context:
            found = sensor.evaluate_tick(context)
        self._cursor = found.cursor
        return Tick(list(found.run_requests or []), found.cursor, found.skip_message)


def run(instance: dg.DagsterInstance, first: Week, last: Week, *assets: str, **tags: str) -> bool:
    """One run over the weeks; answers whether it succeeded."""
    ranged = {
        "dagster/asset_partition_range_start": first.key,
        "dagster/asset_partition_range_end": last.key,
    }
    job = DEFINITIONS.resolve_implicit_global_asset_job_def()
    selection = [dg.AssetKey(name) for name in assets]
    return job.execute_in_process(
        instance=instance, asset_selection=selection, tags=ranged | tags, raise_on_error=False
    ).success


def materialise(instance: dg.DagsterInstance, first: Week, last: Week, *assets: str, **tags: str) -> None:
    assert run(instance, first, last, *assets, **tags)


def test_what_reads_a_week_that_was_materialised_alone_is_asked_for_in_that_week_alone_and_once(
    instance: dg.DagsterInstance,
) -> None:
    sensor = Sensor(instance)
    materialise(instance, SECOND, SECOND, "figures")

    first, second = sensor.tick(), sensor.tick()

    assert first.asked == [("2018-W34", ["kept", "scores", "shown"])]
    assert second.requests == []


def test_a_run_that_had_all_of_it_asks_for_nothing(instance: dg.DagsterInstance) -> None:
    sensor = Sensor(instance)
    materialise(instance, FIRST, THIRD, *ALL)

    assert sensor.tick().requests == []


def test_a_week_whose_content_did_not_change_asks_for_nothing(instance: dg.DagsterInstance) -> None:
    materialise(instance, FIRST, FIRST, "figures")
    sensor = Sensor(instance)
    materialise(instance, FIRST, FIRST, "figures", unchanged="figures")

    assert sensor.tick().requests == []


def test_neighbouring_weeks_are_one_run(instance: dg.DagsterInstance) -> None:
    sensor = Sensor(instance)
    materialise(instance, FIRST, SECOND, "figures", "scores", "kept")

    (request,) = sensor.tick().requests

    assert (str(weeks_of(request)), names_of(request)) == ("2018-W33..2018-W34", ["shown"])


@pytest.mark.parametrize(
    ("tag", "asked"),
    [
        (
            "refused",
            [("2018-W33", ["kept", "scores", "shown"]), ("2018-W35..2018-W36", ["kept", "scores", "shown"])],
        ),
        ("broken", [("2018-W33", ["kept", "scores", "shown"])]),
    ],
)
def test_weeks_that_a_failed_run_published_are_asked_for_downstream_and_the_repeated_run_leaves_nothing(
    instance: dg.DagsterInstance, tag: str, asked: list[tuple[str, list[str]]]
) -> None:
    sensor = Sensor(instance)
    succeeded = run(instance, FIRST, FOURTH, *ALL, **{tag: SECOND.label})

    after_failure, later = sensor.tick(), sensor.tick()
    repeated = run(instance, FIRST, FOURTH, *ALL)

    assert (succeeded, repeated) == (False, True)
    assert (after_failure.asked, later.asked) == (asked, [])
    assert sensor.tick().asked == []


def test_a_repeated_run_that_leaves_something_out_is_asked_for_exactly_that(instance: dg.DagsterInstance) -> None:
    materialise(instance, FIRST, THIRD, *ALL)
    sensor = Sensor(instance)
    run(instance, FIRST, THIRD, *ALL, broken=FIRST.label)
    sensor.tick()

    succeeded = run(instance, FIRST, THIRD, *ALL, broken=SECOND.label, fails="scores")

    assert succeeded is False
    # `scores` failed of itself: that is mailed. What it published is passed on.
    assert sensor.tick().asked == [("2018-W33", ["shown"])]


def test_what_a_run_wrote_before_it_was_killed_is_passed_on_by_the_run_that_finds_it_written(
    instance: dg.DagsterInstance,
) -> None:
    materialise(instance, FIRST, FIRST, *ALL)
    sensor = Sensor(instance)
    run(instance, FIRST, FIRST, *ALL, lost=FIRST.label)
    killed = sensor.tick()
    materialise(instance, FIRST, FIRST, "figures", unchanged="figures")

    assert killed.asked == []
    assert sensor.tick().asked == [("2018-W33", ["kept", "scores", "shown"])]


def test_a_week_that_a_blocking_check_found_wrong_is_not_passed_on_and_the_others_are(
    instance: dg.DagsterInstance,
) -> None:
    sensor = Sensor(instance)

    assert run(instance, FIRST, THIRD, *ALL, wrong=SECOND.label) is False
    assert sensor.tick().asked == [
        ("2018-W33", ["kept", "scores", "shown"]),
        ("2018-W35", ["kept", "scores", "shown"]),
    ]


def test_what_was_materialised_before_the_first_tick_is_no_news(instance: dg.DagsterInstance) -> None:
    materialise(instance, FIRST, FIRST, "figures")
    sensor = Sensor(instance)

    assert sensor.tick().requests == []


def test_the_sensor_watches_the_assets_that_others_read() -> None:
    known = KnownAssets.of(DEFINITIONS, WEEKLY)

    assert known.with_downstream("figures") == ["figures", "kept", "scores", "shown"]
    assert restated_sensor(KnownAssets([dg.AssetSpec("alone", partitions_def=WEEKLY)], WEEKLY)) is None
