"""The operations report of a week, put on the shelf from which it is mailed.

Belongs here: the asset `operations_report`, what it reads, and its checks. Does not belong here: its figures and
sentences (prism_core/operations, prism_core/reports/operations.py), and sending it (mails.py).
Made when it is due: what moves after that is told by a correction when somebody makes it again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import dagster as dg

from prism_assets.checking import over_weeks
from prism_assets.operational import reads
from prism_assets.partitions import weeks_of
from prism_assets.reports.mails import GROUP
from prism_assets.reports.weeks import weeks_to_report
from prism_assets.resources import PrismResource
from prism_assets.restatements.running import publishing
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import OWNERS
from prism_core import clock
from prism_core.calendar import Week
from prism_core.charts import as_markdown
from prism_core.failures import PermanentFailure
from prism_core.lake import LakeTable
from prism_core.lake_tables import QUALITY_SCORES, THROUGHPUT, UTILISATION
from prism_core.models.alerts import Alert
from prism_core.models.projects import Project, ProjectStatus
from prism_core.models.reports import ReportKind
from prism_core.operations.figures import READ_WEEKS, ops_figures
from prism_core.operations.weeks import OpsWeek, ops_week
from prism_core.reports import palette, pictures
from prism_core.reports.content import Chart
from prism_core.reports.operations import operations_report as report_of_week
from prism_core.tables import PROJECTS
from prism_resources.alerts.ledger import AlertLedger
from prism_resources.reports.rendering import render
from prism_resources.reports.shelf import Kept, Shelf
from prism_resources.worker_activity.log import read_until

REPORT = "operations_report"


def operations_assets(
    weekly: dg.WeeklyPartitionsDefinition, freshness: dg.FreshnessPolicy
) -> list[dg.AssetsDefinition]:
    """`operations_report`."""
    window = dg.TimeWindowPartitionMapping(start_offset=1 - READ_WEEKS)
    figures = [
        dg.AssetDep(table.name, partition_mapping=window) for table in (THROUGHPUT, QUALITY_SCORES, UTILISATION)
    ]

    @dg.asset(
        name=REPORT,
        pool=REPORT,
        deps=[*figures, *reads(PROJECTS)],
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"python", "s3"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=freshness,
        description=(
            "The operations report of the week, on the shelf from which it is mailed: tasks, accuracy, hours and "
            "alerts beside four weeks, by project, in sentences by code. What says the same as the newest one of "
            "its week is that one. Of a week that has ended; of another one there is none."
        ),
    )
    def operations_report(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent(), publishing(context) as run:
            weeks = weeks_of(context)
            programme, reported = Programme.read(prism, weeks), weeks_to_report(context, weeks)
            for week in weeks:
                if week not in reported:
                    run.published(week, {"week": week.label, "left_as_it_was": "not reported on by this run"})
                    continue
                kept = programme.report(week)
                run.published(week, _metadata(kept))
                context.log.info("the report of %s is %s", week, kept.key)

    return [operations_report]


def operations_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """That the report of a week says what its rows do."""

    @dg.asset_check(
        asset=REPORT,
        name="figures_recounted",
        blocking=True,
        partitions_def=weekly,
        retry_policy=RETRIES,
        description="Tasks and hours of the report are the sums of the throughput in the lake, counted anew.",
    )
    def figures_recounted(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
        reported = weeks_to_report(context, weeks_of(context))
        return over_weeks(context, lambda week: (True, {}) if week not in reported else _recounted(prism, week))

    return [figures_recounted]


@dataclass
class Programme:
    """What reports of some weeks are made of, each week read once."""

    prism: PrismResource
    alerts: list[Alert]
    names: Mapping[str, str]
    targets: Mapping[str, Decimal]
    weeks: dict[Week, OpsWeek | None] = field(default_factory=dict[Week, "OpsWeek | None"])

    @classmethod
    def read(cls, prism: PrismResource, weeks: Iterable[Week]) -> "Programme":
        settings, now = prism.settings(), clock.now()
        ledger, first = AlertLedger(settings), min(weeks).window(READ_WEEKS).first
        projects = prism.settled(PROJECTS, Project).of_statuses(*ProjectStatus)
        return cls(
            prism,
            [*ledger.open(), *ledger.over(now, now - first.start)],
            {one.project_id: one.name for one in projects},
            {one.project_id: one.quality_target for one in projects if one.quality_target is not None},
        )

    def report(self, week: Week) -> Kept:
        """Make the report of a week and put it on its shelf. Raises PermanentFailure where nothing was counted."""
        found = {one: had for one in week.window(READ_WEEKS) if (had := self._week(one)) is not None}
        if week not in found:
            raise PermanentFailure(
                f"throughput of {week} was not computed; `prism materialize throughput --weeks {week}` does"
            )
        settings = self.prism.settings()
        content = report_of_week(ops_figures(week, found, self.names, self.targets), synthetic=settings.synthetic)
        if refused := content.refused():
            said = "; ".join(f"{one.offence}: {one.found}" for one in refused)
            raise PermanentFailure(f"the report of {week} says what its figures do not ({said}); it is not mailed")
        return Shelf(settings).put(ReportKind.OPERATIONS, content, now=clock.now())

    def _week(self, week: Week) -> OpsWeek | None:
        """None where throughput was never computed."""
        if week not in self.weeks:
            throughput = self._rows(THROUGHPUT, week)
            quality, utilisation = self._rows(QUALITY_SCORES, week), self._rows(UTILISATION, week)
            until = read_until(self.prism.lake(), week)
            self.weeks[week] = (
                None
                if throughput is None
                else ops_week(week, throughput, quality, utilisation, self.alerts, until)
            )
        return self.weeks[week]

    def _rows(self, table: LakeTable, week: Week) -> list[dict[str, Any]] | None:
        return published_rows(self.prism, table, week)


def published_rows(prism: PrismResource, table: LakeTable, week: Week) -> list[dict[str, Any]] | None:
    """The rows of a week; None when it was never computed. A week without a row may have no file."""
    found = prism.lake().read_partition(table, week)
    if found is not None:
        return found.to_pylist()
    return None if prism.lake().manifest(table.partition(week)) is None else []


def _recounted(prism: PrismResource, week: Week) -> tuple[bool, dict[str, Any]]:
    kept = Shelf(prism.settings()).newest(ReportKind.OPERATIONS, week)
    if kept is None:
        return False, {"report": "none"}
    rows = published_rows(prism, THROUGHPUT, week) or []
    tasks = sum(row["tasks_submitted"] for row in rows)
    hours = round(Decimal(sum(row["wall_seconds"] for row in rows)) / 3600, 4)
    label = week.label.lower()
    said = {name: kept.content.scope.facts[f"week.{label}.{name}"].value for name in ("tasks", "hours")}
    holds = said["tasks"] == tasks and abs(said["hours"] - hours) <= Decimal("0.0001")
    return holds, {"tasks": tasks, "hours": float(hours), "told": {name: str(one) for name, one in said.items()}}


def _metadata(kept: Kept) -> dict[str, object]:
    content, mail = kept.content, render(kept.content)
    charts = [one for one in content.sections if isinstance(one, Chart)]
    drawn = [as_markdown(one.title, pictures.draw(one, content, palette.LIGHT).svg) for one in charts]
    return {
        "week": kept.week.label,
        "subject": mail.subject,
        "kept_in": kept.key,
        "content_hash": kept.content_hash,
        "made_at": kept.made_at.isoformat(),
        "html_bytes": len(mail.html),
        "synthetic": content.synthetic,
        "missing": dg.MetadataValue.json([content.text(one.prose) for one in content.missing]),
        "preview": dg.MetadataValue.md("\n\n".join((f"```\n{mail.text}```", *drawn))),
    }
