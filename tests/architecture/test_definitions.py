"""What must hold of every asset, whoever adds it; and Dagster itself loads the whole location in a fresh process."""

import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

with warnings.catch_warnings():  # single-run backfills and freshness policies are beta in this version
    warnings.simplefilter("ignore")
    import dagster as dg

    from prism_assets.definitions import build_definitions
    from prism_assets.partitions import weekly
    from prism_core.settings import ActivitySource, Settings, load_settings
    from tests.architecture.sources import ROOT, run_fresh

GROUPS = {
    "throughput", "quality", "allocation", "campaign", "planning", "alerts", "lake", "reports", "events", "media",
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
        for name in _prism_variables():
            patch.delenv(name)
        patch.setenv("PRISM_HOME", str(tmp_path_factory.mktemp("no-home")))
        return load_settings()


@pytest.fixture(scope="module")
def definitions(settings: Settings) -> dg.Definitions:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_definitions(settings)


@pytest.fixture(scope="module")
def specs(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    found = list(definitions.resolve_all_asset_specs())
    assert found
    return found


def _prism_variables() -> list[str]:
    import os

    return [name for name in os.environ if name.startswith("PRISM_")]


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
            "the one weekly partitions definition": spec.partitions_def != partitions,
            "a snake_case noun for a name": len(spec.key.path) != 1
            or not NAME.fullmatch(key)
            or key.split("_")[0] in VERBS,
        }
        problems += [f"{key} lacks {what}" for what, lacking in lacks.items() if lacking]
    return problems


def unknown_dependencies(specs: list[dg.AssetSpec]) -> list[str]:
    """Dagster takes an unknown name for an asset of somebody else's; here it can only be a typing mistake."""
    known = {spec.key for spec in specs}
    return [
        f"{s.key.to_user_string()} needs {d.asset_key}" for s in specs for d in s.deps if d.asset_key not in known
    ]


def test_every_asset_has_an_owner_a_description_kinds_a_group_and_the_weekly_partitions(
    specs: list[dg.AssetSpec], settings: Settings
) -> None:
    assert unsound(specs, weekly(settings)) == []


def test_every_dependency_is_an_asset_of_this_location(specs: list[dg.AssetSpec]) -> None:
    assert unknown_dependencies(specs) == []


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dg.Definitions.validate_loadable(
            build_definitions(settings.model_copy(update={"worker_activity_source": source}))
        )


def test_dagster_loads_the_location_of_the_workspace_in_a_fresh_process(tmp_path: Path) -> None:
    (tmp_path / "dagster").mkdir()
    command = [str(Path(sys.executable).with_name("dagster")), "definitions", "validate", "-w", "workspace.yaml"]
    script = (
        "import os, subprocess, sys; "
        f"sys.exit(subprocess.run({command!r}, env=os.environ | {{'DAGSTER_HOME': {str(tmp_path / 'dagster')!r}}}).returncode)"
    )

    done: subprocess.CompletedProcess[str] = run_fresh(script, tmp_path / "home")

    assert done.returncode == 0, done.stdout + done.stderr


def test_loading_the_definitions_needs_no_network(tmp_path: Path) -> None:
    done = run_fresh(_LOADS_WITHOUT_NETWORK, tmp_path / "home")

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
    specs = [dg.AssetSpec("throughput", deps=["worker_activty"])]

    assert unknown_dependencies(specs) == ["throughput needs AssetKey(['worker_activty'])"]
