"""Runs that fail, and the mail about them: once an incident.

Belongs here: reading which runs ended since the last tick, and what failed in them. Does not belong here: what one
incident is (prism_core/incidents.py), its mark (prism_resources/incidents.py) and SES (prism_resources/mail.py).
A sensor of our own rather than Dagster's run-failure sensor: that one moves on when the mail could not be sent,
and knows nothing of successes, which end an incident.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterEventType

from prism_assets.resources import PrismResource
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.incidents import Incident, opened, subject_of, text_of
from prism_core.models.base import instant_text
from prism_resources.incidents import Incidents
from prism_resources.mail import Mailer
from prism_sensors.asking import RANGE_END, RANGE_START

SECONDS = 30
MOST_A_TICK = 200
# Two runs may end within one instant of the storage; these are read again and known by their ids.
OVERLAP = timedelta(seconds=10)
PARTITION, WILL_RETRY = "dagster/partition", "dagster/will_retry"
_ENDED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]
NO_WEEK = "-"


@dg.sensor(
    name="failed_runs",
    minimum_interval_seconds=SECONDS,
    description=(
        "A run failed and is not retried: mail to the owners, once an incident. It is over when the same "
        "steps have succeeded for the same weeks."
    ),
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def failed_runs(context: dg.SensorEvaluationContext, prism: PrismResource) -> dg.SensorResult:
    fresh, (since, known) = not context.cursor, _read_cursor(context.cursor)
    wanted = dg.RunsFilter(statuses=_ENDED, updated_after=since - OVERLAP)
    records = context.instance.get_run_records(
        wanted, limit=MOST_A_TICK, order_by="update_timestamp", ascending=True
    )
    incidents, told = Incidents(prism.lake()), list[str]()
    ended: dict[str, datetime] = {}
    for record in records:
        run, ended[record.dagster_run.run_id] = record.dagster_run, record.update_timestamp
        if fresh or run.run_id in known:  # what ended before the first tick is no news
            continue
        if run.status is dg.DagsterRunStatus.SUCCESS:
            incidents.succeeded(_steps(context.instance, run, DagsterEventType.STEP_SUCCESS), _weeks(run))
        elif run.tags.get(WILL_RETRY) != "true":
            incident = _incident(context.instance, run)
            if incidents.failed(incident, clock.now(), lambda one: _tell(prism, one)):
                told.append(subject_of(incident))
    last = max([since, *(_aware(at) for at in ended.values())])
    seen = [run_id for run_id, at in ended.items() if _aware(at) > last - OVERLAP]
    return dg.SensorResult(
        cursor=json.dumps({"since": last.isoformat(), "seen": seen}),
        skip_reason="; ".join(told) if told else "no run failed in a new way",
    )


def _incident(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Incident:
    """What failed in a run, by its steps; a run whose process died has no failed step."""
    failures = instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_FAILURE)
    steps, said = list[str](), list[str]()
    for entry in failures:
        event = entry.dagster_event
        if event is not None and event.step_key is not None:
            steps.append(event.step_key)
            error = event.step_failure_data.error
            cause = None if error is None else error.cause or error
            said.append((cause.message if cause is not None else entry.user_message or "").strip())
    if not steps:
        ends = instance.all_logs(run.run_id, of_type=DagsterEventType.RUN_FAILURE)
        said = [(entry.dagster_event.message if entry.dagster_event else None) or "" for entry in ends]
        steps = [run.job_name]
    error = "\n".join(dict.fromkeys(filter(None, said))) or "the run ended without saying why"
    return opened(steps, error, _weeks(run), run.run_id, instant_text(clock.now()))


def _steps(instance: dg.DagsterInstance, run: dg.DagsterRun, kind: DagsterEventType) -> set[str]:
    found = instance.all_logs(run.run_id, of_type=kind)
    return {run.job_name} | {
        e.dagster_event.step_key for e in found if e.dagster_event and e.dagster_event.step_key
    }


def _weeks(run: dg.DagsterRun) -> Sequence[str]:
    first = run.tags.get(RANGE_START) or run.tags.get(PARTITION)
    last = run.tags.get(RANGE_END) or run.tags.get(PARTITION)
    if first is None or last is None:
        return [NO_WEEK]
    try:
        return [week.label for week in WeekRange(Week.parse(first), Week.parse(last))]
    except BadUsage:  # a partition that is no week
        return [first]


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


def _read_cursor(text: str | None) -> tuple[datetime, Iterable[str]]:
    """Up to when runs were read; the first tick begins with what ends from then on."""
    if not text:
        return datetime.now(UTC), ()
    try:
        values = json.loads(text)
        return datetime.fromisoformat(values["since"]), set(values["seen"])
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentFailure(f"the cursor {text[:80]!r} is damaged; reset it in Dagster") from error


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
