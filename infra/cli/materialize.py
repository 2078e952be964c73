"""`prism materialize`: assets by week, from the command line, seen in the Dagster UI.

Belongs here: turning words into a Dagster selection and one run over a range, and its summary.
Does not belong here: the assets (prism_assets).
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from infra.cli.console import count_of, err, fail, out, plain, say
from infra.local.platform import Platform, attached
from prism_core import clock
from prism_core.calendar import WeekRange
from prism_core.failures import BadUsage
from prism_core.settings import Environment

if TYPE_CHECKING:
    import dagster as dg


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What one asset check said."""

    asset: str
    check: str
    passed: bool
    severity: str
    description: str

    @property
    def broken(self) -> bool:
        """Whether it says that figures are wrong, not only that a person should look."""
        return not self.passed and self.severity == "ERROR"


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """One run over a range of weeks."""

    run_id: str
    success: bool
    assets: list[str]
    weeks: str
    checks: list[CheckOutcome]
    errors: list[str]
    # Published figures that are other ones now, by week, as `restatements` has them.
    restated: dict[str, int] = field(default_factory=dict[str, int])


def materialize(
    selection: Annotated[str, typer.Argument(help="Dagster selection: throughput, group:throughput, +throughput")],
    weeks: Annotated[
        str | None, typer.Option(help="2018-W33, or a range 2018-W33..2018-W36; all when left out")
    ] = None,
    anew: Annotated[
        str | None,
        typer.Option(help="compute these weeks from what is there, although raw input has expired; says why"),
    ] = None,
    because: Annotated[
        str | None,
        typer.Option(
            help="publish these weeks although a total moves far or a check of ads blocks them; says why"
        ),
    ] = None,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="only say which published figures would change; write nothing")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of a table")] = False,
) -> None:
    """Materialise assets for some weeks in one run, with their checks."""
    named = None if weeks is None else WeekRange.parse(weeks)  # bad weeks fail before anything is started
    if anew is not None and (named is None or not anew.strip()):
        raise BadUsage('--anew gives up figures that cannot be had again: name --weeks, and say why: --anew "…"')
    if because is not None and (named is None or not because.strip()):
        raise BadUsage('--because replaces what people have read: name --weeks, and say why: --because "…"')
    if because is not None and rehearse:
        raise BadUsage("--rehearse publishes nothing; leave out --because, or --rehearse")
    from infra.local.serving import outside

    with attached(say, beside=outside) as platform:
        wanted = named or WeekRange(platform.settings.first_week, clock.this_week())
        if rehearse:
            _rehearse(platform, selection, wanted, anew=anew, as_json=as_json)
            return
        outcome = run_range(platform, selection, wanted, anew=anew, because=because)
        outcome = _booked(platform, outcome, wanted)
        platform.flush()
    if as_json:
        typer.echo(json.dumps(asdict(outcome)))
    else:
        _print(outcome)
    if not outcome.success:
        raise fail(f"run {outcome.run_id}: {'; '.join(outcome.errors) or 'see the Dagster UI'}")
    broken = [f"{check.asset} {check.check}" for check in outcome.checks if check.broken]
    if broken:
        raise fail(f"run {outcome.run_id} wrote its weeks, but these checks fail: {', '.join(broken)}")


def _rehearse(platform: Platform, selection: str, weeks: WeekRange, *, anew: str | None, as_json: bool) -> None:
    with err.status("loading the assets"):
        quiet_about_beta()
        from infra.cli.rehearse import rehearse
        from prism_assets.definitions import build_definitions
        from prism_assets.restatements.gate import Intent

        keys = _selected(build_definitions(platform.settings), selection)
        _require_partitions(platform, weeks)
    rehearse(sorted(key.to_user_string() for key in keys), weeks, Intent(anew=anew), as_json=as_json)


def _booked(platform: Platform, outcome: RunOutcome, weeks: WeekRange) -> RunOutcome:
    """Restatements that this run made, or one that was killed, are recorded at once, in one run."""
    from prism_assets.resources import PrismResource
    from prism_assets.restatements.book import figures_in_log, unbooked

    prism = PrismResource()
    missing = unbooked(prism, weeks)
    if not missing:
        return outcome
    between = WeekRange(missing[0], missing[-1])
    say(f"recording the restatements of {between}")
    booking = run_range(platform, "restatements", between)
    if not booking.success:
        return replace(outcome, success=False, errors=[*outcome.errors, *booking.errors])
    return replace(outcome, restated={week.label: figures_in_log(prism, week) for week in missing})


def run_range(
    platform: Platform,
    selection: str,
    weeks: WeekRange,
    *,
    anew: str | None = None,
    because: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> RunOutcome:
    """One Dagster run over `weeks`, recorded in the platform's instance.

    `anew` is why expired input is no matter, `because` why published totals may move far, `tags` what else the run
    is told. Raises BadUsage for a selection that names nothing, for weeks without a partition, and on AWS, where
    Dagster keeps its runs itself.
    """
    if platform.settings.environment is Environment.AWS:
        raise BadUsage(_in_dagster(selection, weeks, anew=anew, because=because))
    prepare_dagster_home(platform)
    with err.status("loading the assets") as status:
        quiet_about_beta()
        import dagster as dg

        from infra.local.runs import PROCESS_TAG, this_process
        from prism_assets.definitions import build_definitions
        from prism_assets.restatements.gate import ANEW_TAG, BECAUSE_TAG

        definitions = build_definitions(platform.settings)
        keys = _selected(definitions, selection)
        _require_partitions(platform, weeks)
        job = definitions.resolve_implicit_global_asset_job_def()
        handler = _StatusHandler(status)
        logging.getLogger("dagster").addHandler(handler)
        try:
            with dg.DagsterInstance.from_config(str(platform.home.dagster)) as instance:
                result = job.execute_in_process(
                    instance=instance,
                    asset_selection=sorted(keys),
                    raise_on_error=False,
                    run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                    tags={
                        "dagster/asset_partition_range_start": weeks.first.key,
                        "dagster/asset_partition_range_end": weeks.last.key,
                        PROCESS_TAG: this_process(),
                        **({} if anew is None else {ANEW_TAG: anew}),
                        **({} if because is None else {BECAUSE_TAG: because}),
                        **(tags or {}),
                    },
                )
        finally:
            logging.getLogger("dagster").removeHandler(handler)
    return _outcome(result, sorted(key.to_user_string() for key in keys), weeks)


def _in_dagster(selection: str, weeks: WeekRange, *, anew: str | None, because: str | None) -> str:
    """Where a run on AWS is asked for: Dagster there would not know of one of this process, whose checks nobody
    would see, and which would end no incident that was mailed."""
    from prism_assets.restatements.gate import ANEW_TAG, BECAUSE_TAG

    reasons = {ANEW_TAG: anew, BECAUSE_TAG: because}
    tags = "".join(f", with the tag {name} = {why}" for name, why in reasons.items() if why is not None)
    return (
        "on AWS a run is started in Dagster, which keeps it; nothing was started here. In its page (how to open "
        f"it: docs/deploy.md, Dagster on AWS) select {selection}, Materialize, the partitions {weeks.first.key} "
        f"to {weeks.last.key}{tags}"
    )


def quiet_about_beta() -> None:
    """Known and pinned: single-run backfills and partitioned checks are beta in this version."""
    import warnings

    import dagster as dg

    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)


def _selected(definitions: "dg.Definitions", selection: str) -> "set[dg.AssetKey]":
    """The assets that a selection names. Raises BadUsage when it names none."""
    import dagster as dg

    graph = definitions.resolve_asset_graph()
    try:
        keys = dg.AssetSelection.from_string(selection).resolve(graph)
    except (dg.DagsterError, ValueError) as error:
        raise BadUsage(f"selection {selection!r}: {error}") from error
    keys = {key for key in keys if graph.get(key).is_materializable}
    if not keys:
        known = ", ".join(sorted(key.to_user_string() for key in graph.materializable_asset_keys))
        raise BadUsage(f"selection {selection!r} names no asset; assets are: {known}")
    return keys


def prepare_dagster_home(platform: Platform) -> None:
    """Write the instance's dagster.yaml; no usage data leaves the machine."""
    from infra.local.serving import DAGSTER_YAML

    path = platform.home.dagster / "dagster.yaml"
    if not path.exists() or path.read_text() != DAGSTER_YAML:
        path.write_text(DAGSTER_YAML)


def _require_partitions(platform: Platform, weeks: WeekRange) -> None:
    first, last = platform.settings.first_week, clock.this_week()
    if weeks.first < first or weeks.last > last:
        raise BadUsage(
            f"weeks {weeks} reach outside {first}..{last}, the first week of the settings to the running one"
        )


def _outcome(result: object, assets: list[str], weeks: WeekRange) -> RunOutcome:
    import dagster as dg

    assert isinstance(result, dg.ExecuteInProcessResult)  # noqa: S101 - narrows the type, imported late
    checks = [
        CheckOutcome(
            evaluation.asset_key.to_user_string(),
            evaluation.check_name,
            evaluation.passed,
            evaluation.severity.value,
            evaluation.description or "",
        )
        for evaluation in result.get_asset_check_evaluations()
    ]
    errors: list[str] = []
    for event in result.all_events:
        failure = event.event_specific_data if event.is_step_failure else None
        error = getattr(failure, "error", None)
        if error is not None:
            cause = error.cause or error
            errors.append(f"{event.step_key}: {cause.message.strip()}")
    return RunOutcome(result.run_id, result.success, assets, str(weeks), checks, errors)


def _print(outcome: RunOutcome) -> None:
    table = Table(
        "asset", "check", "result", "says", title=plain(f"{', '.join(outcome.assets)} · {outcome.weeks}")
    )
    for check in outcome.checks:
        word = "[green]✓ passed[/green]" if check.passed else f"[red]✗ {check.severity.lower()}[/red]"
        table.add_row(check.asset, check.check, word, plain(check.description))
    out.print(table)
    for week, figures in outcome.restated.items():
        restated = count_of(figures, "restated figure", "restated figures")
        say(f"{week}: {restated}, recorded in the table restatements, with old value, new value and cause")
    say(f"run {outcome.run_id} {'succeeded' if outcome.success else 'failed'}")


class _StatusHandler(logging.Handler):
    """Shows the last line that an asset logged beside the spinner."""

    def __init__(self, status: object) -> None:
        super().__init__(logging.INFO)
        self._status = status

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", None)
        message = (meta or {}).get("orig_message") if isinstance(meta, dict) else None
        if message:
            self._status.update(str(message)[:100])  # type: ignore[attr-defined]
