"""Runs that fail, and the mail about them: once an incident.

Belongs here: what failed in the runs that ended since the last tick, and for which weeks. Does not belong here:
what one incident is (prism_core/incidents.py), its mark (prism_resources/incidents.py) and SES
(prism_resources/mail.py).
A sensor of our own rather than Dagster's run-failure sensor: that one moves on when the mail could not be sent,
and knows nothing of successes, which end an incident.
"""

import dagster as dg

from prism_assets.resources import PrismResource
from prism_core import clock
from prism_core.failures import PermanentFailure, PrismFailure
from prism_core.incidents import Incident, opened, subject_of, text_of
from prism_core.models.base import instant_text
from prism_resources.incidents import Incidents
from prism_resources.mail import Mailer
from prism_sensors.ended import ended_since
from prism_sensors.run_events import RunEvents

SECONDS = 30
WILL_RETRY = "dagster/will_retry"


@dg.sensor(
    name="failed_runs",
    minimum_interval_seconds=SECONDS,
    description=(
        "A run failed and is not retried: mail to the owners, once an incident, and again when a week joins it or "
        "after a day. It is over when the same steps have succeeded for the same weeks."
    ),
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def failed_runs(context: dg.SensorEvaluationContext, prism: PrismResource) -> dg.SensorResult:
    ended, incidents = ended_since(context.instance, context.cursor), Incidents(prism.lake())
    told, waiting = list[str](), dict[str, tuple[str, Incident]]()
    at = ""  # the run that is followed; those before it are not followed again, since their order counts

    def tell_waiting() -> None:
        nonlocal at
        for run_id, incident in waiting.values():
            at = run_id
            if incidents.failed(incident, clock.now(), lambda one: _tell(prism, one)):
                told.append(subject_of(incident))
        waiting.clear()

    try:
        for run in ended.runs:
            events = RunEvents(context.instance, run)
            if events.done:
                tell_waiting()  # in order: what failed first and succeeded then is over
                at = run.run_id
                incidents.done(events.done)
            if run.status is dg.DagsterRunStatus.FAILURE and run.tags.get(WILL_RETRY) != "true":
                incident = _incident(events)
                first, known = waiting.get(incident.fingerprint, (run.run_id, None))
                waiting[incident.fingerprint] = first, incident if known is None else known.joined(incident)
        tell_waiting()
    except PrismFailure as error:
        if at in {"", ended.runs[0].run_id}:
            raise
        told.append(f"run {at} waits for the next tick: {error}")
        return dg.SensorResult(cursor=ended.cursor(before=at), skip_reason="; ".join(told))
    return dg.SensorResult(cursor=ended.cursor(), skip_reason="; ".join(told) or "no run failed in a new way")


def _incident(events: RunEvents) -> Incident:
    """What failed, each step with the weeks that it did not get done.

    A run whose process died has no failed step: then it is all that it was to materialise and had not.
    """
    said = list(events.failed.values()) or [events.ended_with]
    steps = list(events.failed) or events.planned or [events.run.job_name]
    done = events.done
    named = events.failed_weeks
    left = {step: named.get(step) or set(events.weeks) - done.get(step, set()) for step in steps}
    left = {step: weeks for step, weeks in left.items() if weeks} or {step: set(events.weeks) for step in steps}
    error = "\n".join(dict.fromkeys(filter(None, said))) or "the run ended without saying why"
    now = instant_text(clock.now())
    skipped = [name for name in events.left_out if name not in left]
    return opened(left, error, events.run.run_id, now, skipped=skipped)


def _tell(prism: PrismResource, incident: Incident) -> None:
    settings = prism.settings()
    recipients = settings.operations
    if not recipients:
        raise PermanentFailure(f"{subject_of(incident)}, and nobody is told: set PRISM_OPERATIONS_EMAIL")
    url = (
        None if settings.dagster_url is None else f"{str(settings.dagster_url).rstrip('/')}/runs/{incident.run_id}"
    )
    headers = [("X-Prism-Incident", incident.fingerprint)]
    Mailer(settings).send(recipients, subject_of(incident), text_of(incident, url), headers=headers)
