"""Looking at every credential and service on Fridays, while there is somebody to mend them before Monday.

Belongs here: the job, its schedule, and failing when something is not well: the mail is that of failed runs. Does
not belong here: what is looked at (prism_resources/preflight.py).
"""

import dagster as dg

from prism_assets.resources import PrismResource
from prism_assets.retries import NO_RUN_RETRY, failures_by_intent
from prism_core import clock
from prism_core.failures import PermanentFailure
from prism_core.settings import Settings
from prism_resources.preflight import preflight
from prism_resources.wire.findings import Finding, Level


@dg.op(name="preflight_checks", description="Every check of `prism doctor`.")
def looked_at(context: dg.OpExecutionContext, prism: PrismResource) -> None:
    """Fails with what is not well. Not tried again: what passes within minutes is no finding on Monday."""
    found = preflight(prism.settings(), clock.now())
    for one in found:
        context.log.info("%s: %s: %s", one.level.value, one.subject, one.sentence)
    if said := not_well(found):
        with failures_by_intent():
            raise PermanentFailure(said)


def not_well(found: list[Finding]) -> str:
    """What the mail says; nothing when all is well. Its first line is what makes it another incident."""
    bad = [one for one in found if one.level is not Level.OK]
    if not bad:
        return ""
    subjects = ", ".join(dict.fromkeys(one.subject for one in bad))
    return "\n".join(
        [f"not well: {subjects}", *(f"{one.level.value}: {one.subject}: {one.sentence}" for one in bad)]
    )


@dg.job(
    name="preflight",
    description="Whether everything outside will answer when it is needed, as `prism doctor` says it.",
    tags=NO_RUN_RETRY,
)
def preflight_job() -> None:
    """One step."""
    looked_at()


def preflight_weekly(settings: Settings) -> dg.Definitions:
    """On Fridays, by the setting."""

    @dg.schedule(
        name="preflight_weekly",
        job=preflight_job,
        cron_schedule=settings.preflight_cron,
        execution_timezone="UTC",
        description="Looks at tokens, permissions, mail, secrets and tables; what is not well is mailed.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"preflight@{context.scheduled_execution_time:%Y-%m-%dT%H:%M}")

    return dg.Definitions(jobs=[preflight_job], schedules=[tick])
