"""Everything that runs by itself, for the composition root.

Belongs here: gathering schedules and sensors for the assets that there are. Does not belong here: any of them.
"""

import dagster as dg

from prism_core.settings import Settings
from prism_sensors.alerts import alerts_daily, alerts_weekly
from prism_sensors.campaign import campaign_figures_weekly
from prism_sensors.events import events_hourly
from prism_sensors.exports import backup_daily, lake_export_weekly
from prism_sensors.ingest import worker_activity_hourly
from prism_sensors.known import KnownAssets
from prism_sensors.landed import landed_activity
from prism_sensors.media import media_schedules
from prism_sensors.preflight import preflight_weekly
from prism_sensors.proposals import capacity_plan_weekly
from prism_sensors.published import published_plans
from prism_sensors.reports import operations_report_weekly, report_delivery
from prism_sensors.restated import restated_sensor
from prism_sensors.returned import returned_sensor
from prism_sensors.run_incidents import failed_runs
from prism_sensors.watches import change_sensors


def schedules(settings: Settings, known: KnownAssets) -> dg.Definitions:
    """Jobs, schedules and sensors over the assets of the location."""
    parts = [
        worker_activity_hourly(settings, known),
        lake_export_weekly(settings, known),
        backup_daily(settings, known),
        events_hourly(settings, known),
        media_schedules(settings, known),
        capacity_plan_weekly(settings, known),
        alerts_daily(settings, known),
        alerts_weekly(settings, known),
        campaign_figures_weekly(settings, known),
        operations_report_weekly(settings, known),
        preflight_weekly(settings),
    ]
    found = (published_plans(known), report_delivery(known), returned_sensor(known), restated_sensor(known))
    others = [one for one in found if one is not None]
    sensors = [
        landed_activity(settings, known),
        *change_sensors(known),
        *others,
        failed_runs,
    ]
    return dg.Definitions.merge(*(part for part in parts if part is not None), dg.Definitions(sensors=sensors))
