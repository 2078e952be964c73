"""The composition root: everything Dagster loads.

Belongs here: merging the domains, the one resource, and what holds for all assets. The only module here that
imports prism_sensors. Does not belong here: an asset.
Definitions are built when Dagster asks for them, not at import: they depend on the settings.
"""

import dagster as dg

from prism_assets.alerts.backtests import backtest_assets, backtest_checks
from prism_assets.alerts.digests import digest_assets, digest_checks
from prism_assets.alerts.judgements import judgement_assets, judgement_checks
from prism_assets.allocation.assets import allocation_assets
from prism_assets.allocation.checks import allocation_checks
from prism_assets.campaign.assets import campaign_assets
from prism_assets.campaign.figure_checks import figure_checks
from prism_assets.campaign.input_checks import input_checks
from prism_assets.campaign.report_checks import report_checks
from prism_assets.events.checks import event_checks
from prism_assets.events.hourly import hourly_assets
from prism_assets.events.weekly import weekly_assets, weekly_checks
from prism_assets.lake.assets import lake_assets
from prism_assets.lake.backups import backup_assets, backup_checks
from prism_assets.lake.checks import lake_checks
from prism_assets.media.assets import media_assets, media_checks
from prism_assets.operational import operational_tables
from prism_assets.partitions import weekly
from prism_assets.planning.assets import planning_assets
from prism_assets.planning.checks import planning_checks
from prism_assets.planning.notices import notice_assets, notice_checks
from prism_assets.quality.assets import quality_assets
from prism_assets.quality.checks import quality_checks
from prism_assets.reports.mails import mail_assets, mail_checks
from prism_assets.reports.operations import REPORT, operations_assets, operations_checks
from prism_assets.reports.returned import returned_assets, returned_checks
from prism_assets.resources import PrismResource
from prism_assets.restatements.assets import restatement_assets
from prism_assets.restatements.checks import restatement_checks
from prism_assets.throughput.assets import FRESHNESS, throughput_assets
from prism_assets.throughput.checks import throughput_checks
from prism_assets.throughput.unresolved import unresolved_assets, unresolved_checks
from prism_core.settings import Settings, load_settings
from prism_sensors.known import KnownAssets
from prism_sensors.schedules import schedules


def build_definitions(settings: Settings) -> dg.Definitions:
    """All assets, checks, jobs and schedules for these settings."""
    weeks = weekly(settings)
    domains = dg.Definitions(
        assets=[
            *operational_tables(),
            *throughput_assets(weeks),
            *unresolved_assets(weeks),
            *quality_assets(weeks),
            *allocation_assets(weeks),
            *campaign_assets(weeks, settings),
            *lake_assets(weeks),
            *backup_assets(),
            *hourly_assets(),
            *media_assets(),
            *weekly_assets(weeks),
            *restatement_assets(weeks),
            *planning_assets(weeks),
            *notice_assets(),
            *judgement_assets(),
            *digest_assets(),
            *backtest_assets(),
            *operations_assets(weeks, FRESHNESS),
            *mail_assets(["campaign_report", REPORT]),
            *returned_assets(),
        ],
        asset_checks=[
            *throughput_checks(weeks),
            *unresolved_checks(weeks),
            *quality_checks(weeks),
            *allocation_checks(weeks),
            *input_checks(weeks),
            *figure_checks(weeks),
            *report_checks(weeks),
            *lake_checks(weeks),
            *backup_checks(),
            *event_checks(),
            *media_checks(),
            *weekly_checks(weeks),
            *restatement_checks(weeks),
            *planning_checks(weeks),
            *notice_checks(),
            *judgement_checks(),
            *digest_checks(),
            *backtest_checks(),
            *operations_checks(weeks),
            *mail_checks(),
            *returned_checks(),
        ],
        resources={"prism": PrismResource()},
        # A process a step costs an import of Dagster each (measured: a backfill of four weeks with its checks took
        # 60 s that way); our steps are short and a run is isolated by its own process already.
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(domains, schedules(settings, KnownAssets.of(domains, weeks)))


@dg.definitions
def definitions() -> dg.Definitions:
    """What `workspace.yaml` loads."""
    return build_definitions(load_settings())
