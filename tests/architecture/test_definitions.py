"""What must hold of every asset, whoever adds it; and Dagster loads the whole location afresh."""

import os
import re
import sys
from pathlib import Path

import dagster as dg
import pytest

from prism_assets.definitions import build_definitions
from prism_assets.partitions import weekly
from prism_core.lake_tables import EXPORTED
from prism_core.settings import ActivitySource, Settings, load_settings
from prism_core.tables import TABLES
from tests.architecture.sources import run, run_fresh

# Known and pinned: single-run backfills and partitioned checks are beta in this version.
pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]
GROUPS = {
    "throughput", "quality", "allocation", "campaign", "planning", "alerts", "lake", "reports", "events", "media",
}  # fmt: skip
# A backup, a judgement, a digest, a notice and a mail are of their moment; a backtest compares many weeks; events
# are counted by hours.
OF_NO_WEEK = {
    "backups", "allocation_notices", "alert_ledger", "alert_digest", "alert_week_digest", "alert_backtest",
    "report_mails",
    "returned_mail",
    "image_reconciliation", "image_model_drift",
    "event_dead_letters", "event_rollups", "event_scorecard",
}  # fmt: skip
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# An asset is a thing, not a deed.
VERBS = {
    "aggregate", "build", "calculate", "compute", "create", "do", "export", "extract", "fetch", "generate", "get",
    "ingest", "load", "make", "process", "read", "refresh", "run", "send", "sync", "transform", "update", "write",
}  # fmt: skip
CADENCES = ("hourly", "daily", "weekly")
_LOADS_WITHOUT_NETWORK = """
import sys

def refuse(event, args):
    if event in {"socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo"}:
        raise RuntimeError(f"{event} while definitions load")

sys.addaudithook(refuse)
from prism_assets.definitions import definitions
definitions()
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PRISM_")]:
            patch.delenv(name)
        patch.setenv("PRISM_HOME", str(tmp_path_factory.mktemp("no-home")))
        return load_settings()


@pytest.fixture(scope="module")
def definitions(settings: Settings) -> dg.Definitions:
    return build_definitions(settings)


@pytest.fixture(scope="module")
def specs(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    found = declared(definitions)
    assert found
    return found


def declared(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    """The specs of the assets that somebody wrote. `resolve_all_asset_specs` adds one for every unknown name."""
    assets = [asset for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition)]
    assert len(assets) + len(external(definitions)) == len(list(definitions.assets or ()))
    return [spec for asset in assets for spec in asset.specs]


def external(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    """What Dagster shows, and does not materialise."""
    return [spec for spec in definitions.assets or () if isinstance(spec, dg.AssetSpec)]


def unsound(specs: list[dg.AssetSpec], partitions: dg.PartitionsDefinition) -> list[str]:
    """What an asset lacks that a person needs in the Dagster UI, and names that break the grammar."""
    problems: list[str] = []
    for spec in specs:
        key = spec.key.to_user_string()
        lacks = {
            "owners": not spec.owners,
            "a description": not spec.description,
            "kinds": not spec.kinds,
            f"a group of {sorted(GROUPS)}": spec.group_name not in GROUPS,
            "the one weekly partitions definition": spec.partitions_def
            != (None if key in OF_NO_WEEK else partitions),
            "a snake_case noun for a name": len(spec.key.path) != 1
            or not NAME.fullmatch(key)
            or key.split("_")[0] in VERBS,
        }
        problems += [f"{key} lacks {what}" for what, lacking in lacks.items() if lacking]
    return problems


def unknown_names(definitions: dg.Definitions) -> list[str]:
    """Dagster takes an unknown name for an asset of somebody else's; here it can only be a typing mistake."""
    specs = declared(definitions)
    known = {spec.key for spec in (*specs, *external(definitions))}
    needed = [(spec.key.to_user_string(), dep.asset_key) for spec in specs for dep in spec.deps]
    needed += [(check.name, check.asset_key) for check in definitions.resolve_asset_graph().asset_check_keys]
    return [f"{who} names {key.to_user_string()}, which is no asset" for who, key in needed if key not in known]


def test_every_asset_has_an_owner_a_description_kinds_a_group_and_the_weekly_partitions(
    specs: list[dg.AssetSpec], settings: Settings
) -> None:
    assert unsound(specs, weekly(settings)) == []


def test_every_dependency_and_every_check_names_an_asset_of_this_location(definitions: dg.Definitions) -> None:
    assert unknown_names(definitions) == []


def test_every_operational_table_that_the_lake_holds_is_shown_and_feeds_an_asset(
    definitions: dg.Definitions, specs: list[dg.AssetSpec]
) -> None:
    shown = {spec.key: spec for spec in external(definitions)}
    fed = {dep.asset_key for spec in specs for dep in spec.deps}

    assert {key.path[-1] for key in shown} == set(EXPORTED) <= set(TABLES)
    assert [key for key in shown if key not in fed] == []
    assert [key for key, spec in shown.items() if not (spec.description and spec.kinds and spec.owners)] == []


def test_the_origin_of_each_computed_asset_is_shown(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()

    def origins(name: str) -> set[str]:
        return {key.path[-1] for key in graph.get(dg.AssetKey(name)).parent_keys if len(key.path) > 1}

    assert origins("quality_scores") == {"quality", "corrections", "taxonomy", "workers", "projects"}
    assert origins("utilisation") == {"allocations", "availability", "members"}
    assert origins("quality_reviews") == {"quality"}


def test_every_asset_has_a_check(definitions: dg.Definitions, specs: list[dg.AssetSpec]) -> None:
    checked = {check.asset_key for check in definitions.resolve_asset_graph().asset_check_keys}

    assert [spec.key.to_user_string() for spec in specs if spec.key not in checked] == []


def test_every_backfill_is_a_single_run(definitions: dg.Definitions) -> None:
    """Eight single-week runs took 176 s through the daemon, one run over the range 57 s."""
    graph = definitions.resolve_asset_graph()

    other = [
        key.to_user_string()
        for key in graph.materializable_asset_keys
        if graph.get(key).backfill_policy != dg.BackfillPolicy.single_run()
    ]

    assert other == []


def test_checks_are_described_and_named_in_snake_case(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    nodes = [graph.get_check_spec(key) for key in graph.asset_check_keys]

    assert [spec.name for spec in nodes if not spec.description or not NAME.fullmatch(spec.name)] == []


def test_every_job_and_schedule_is_described_and_its_name_says_what_and_how_often(
    definitions: dg.Definitions,
) -> None:
    schedules = list(definitions.schedules or ())
    jobs = list(definitions.jobs or ())

    assert [job.name for job in jobs if not job.description or not NAME.fullmatch(job.name)] == []
    assert [
        schedule.name
        for schedule in schedules
        if not (isinstance(schedule, dg.ScheduleDefinition) and schedule.description)
        or not NAME.fullmatch(schedule.name)
        or schedule.name.rpartition("_")[2] not in CADENCES
    ] == []


@pytest.mark.parametrize("source", ActivitySource)
def test_the_definitions_are_loadable_for_every_source_of_activity(
    settings: Settings, source: ActivitySource
) -> None:
    chosen = settings.model_copy(update={"worker_activity_source": source})

    dg.Definitions.validate_loadable(build_definitions(chosen))


def test_dagster_loads_the_location_of_the_workspace_in_a_fresh_process(tmp_path: Path) -> None:
    dagster = str(Path(sys.executable).with_name("dagster"))

    done = run([dagster, "definitions", "validate", "-w", "workspace.yaml"], tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr


def test_loading_the_definitions_needs_no_network(tmp_path: Path) -> None:
    done = run_fresh(_LOADS_WITHOUT_NETWORK, tmp_path)

    assert done.returncode == 0, done.stderr


def test_an_asset_that_lacks_something_is_caught(settings: Settings) -> None:
    problems = "; ".join(unsound([dg.AssetSpec("loadThings")], weekly(settings)))

    for what in ("owners", "a description", "kinds", "a group of", "the one weekly", "a snake_case noun"):
        assert f"loadThings lacks {what}" in problems


def test_another_start_of_the_partitions_is_caught(settings: Settings) -> None:
    other = dg.WeeklyPartitionsDefinition(start_date="2019-01-07", day_offset=1, end_offset=1, timezone="UTC")
    sound = dg.AssetSpec("thing", description="x", owners=["team:a"], kinds={"s3"}, group_name="lake")

    problems = unsound([sound.replace_attributes(partitions_def=other)], weekly(settings))

    assert problems == ["thing lacks the one weekly partitions definition"]


def test_a_dependency_on_an_asset_that_does_not_exist_is_caught() -> None:
    @dg.asset(deps=["worker_activty"])
    def throughput() -> None: ...

    problems = unknown_names(dg.Definitions(assets=[throughput]))

    assert problems == ["throughput names worker_activty, which is no asset"]


def test_a_check_of_an_asset_that_does_not_exist_is_caught() -> None:
    @dg.asset_check(asset="thruput")
    def is_sound() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    problems = unknown_names(dg.Definitions(asset_checks=[is_sound]))

    assert problems == ["is_sound names thruput, which is no asset"]
