"""How the platform fares: one answer for a page, a monitor, and whoever is woken.

Belongs here: `GET /api/status`. Does not belong here: any figure of its own. Each is the one that its screen,
check or alarm looks at, so that the page and the alarm never disagree.
"""

from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from prism_api.api import backend, documents, objects
from prism_api.api.answers import respond
from prism_api.api.calls import current
from prism_api.api.configured import settings
from prism_api.api.routes.event_answers import EventObjectives
from prism_api.api.routes.events import measured
from prism_core.calendar import Week
from prism_core.models.alerts import Alert, AlertStatus
from prism_core.models.base import Choice, Count, Instant, Model
from prism_core.models.reports import Edition, EditionStatus, ReportKind
from prism_core.models.work import Severity
from prism_core.reports.missing import REPORTS, kept_below, overdue
from prism_core.tables import ALERTS, EDITIONS
from prism_core.version import VERSION
from prism_resources.recipients import Recipients

# A week is published by the hourly run after it has ended; whoever waits a day longer should hear of it.
LATE_AFTER: Final = timedelta(days=1)
router = APIGatewayHttpRouter()


class WeeksStatus(Model):
    """Freshness of throughput, which all else follows. `late`: `due` has ended for a day and is not there."""

    published: Week | None
    published_at: Instant | None
    due: Week
    late: bool


class ReportStatus(Model):
    """The newest edition of a report."""

    report: Choice[ReportKind]
    edition_id: str
    week: Week
    status: Choice[EditionStatus]
    created: Instant
    sent: Instant | None


class MissingReport(Model):
    """A report that somebody is subscribed to, due there since two hours, that nobody has made."""

    report: Choice[ReportKind]
    week: Week


class AlertsStatus(Model):
    """Alerts that nobody has settled, by severity; those that are silenced are not counted."""

    severity: Choice[Severity]
    open: Count
    acknowledged: Count


class Status(Model):
    """`holds`: no week is late, no report is missing, and every promise of the event pipeline holds."""

    version: str
    at: Instant
    holds: bool
    weeks: WeeksStatus
    events: EventObjectives
    reports: list[ReportStatus]
    missing: list[MissingReport]
    alerts: list[AlertsStatus]


@router.get("/api/status", **documents.operation("How the platform fares", "status", Status, reads=True))
def status() -> Response[Status]:
    """Weeks, events, reports and alerts, as they are now."""
    now = current().now
    weeks, events, missing = _weeks(now), measured(now), _missing(now)
    return respond(
        Status(
            version=VERSION,
            at=now,
            holds=not weeks.late and not missing and all(one.holds for one in events.windows),
            weeks=weeks,
            events=events,
            reports=[one for one in map(_report, ReportKind) if one is not None],
            missing=missing,
            alerts=_alerts(),
        )
    )


def _weeks(now: datetime) -> WeeksStatus:
    due = Week.of(now) + -1
    controls = backend.throughput().controls(max(settings().first_week, due + -8), Week.of(now))
    newest = max(controls, default=None)
    ended = (due + 1).start
    return WeeksStatus(
        published=newest,
        published_at=None if newest is None else controls[newest].published_at,
        due=due,
        late=due >= settings().first_week and due not in controls and now > ended + LATE_AFTER,
    )


def _report(kind: ReportKind) -> ReportStatus | None:
    editions = backend.reader(EDITIONS, Edition).query("by_report", report=kind, backwards=True)
    newest = next(iter(editions), None)
    if newest is None:
        return None
    return ReportStatus(
        report=newest.report,
        edition_id=newest.edition_id,
        week=newest.week,
        status=newest.status,
        created=newest.created,
        sent=newest.sent,
    )


def _missing(now: datetime) -> list[MissingReport]:
    told, recipients = settings(), Recipients(settings())
    return [
        MissingReport(report=report, week=week)
        for report in REPORTS
        for zones in [[one.time_zone for one in recipients.subscribed(report)]]
        for week in overdue(now, zones, told.report_at, told.first_week)
        if not objects.any_below(kept_below(report, week))
    ]


def _alerts() -> list[AlertsStatus]:
    reader = backend.reader(ALERTS, Alert)
    found = {
        one: list(reader.query("by_status", status=one)) for one in (AlertStatus.OPEN, AlertStatus.ACKNOWLEDGED)
    }
    return [
        AlertsStatus(
            severity=severity,
            open=sum(one.severity is severity for one in found[AlertStatus.OPEN]),
            acknowledged=sum(one.severity is severity for one in found[AlertStatus.ACKNOWLEDGED]),
        )
        for severity in Severity
    ]
