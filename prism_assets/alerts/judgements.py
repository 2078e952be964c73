"""What the rules say now, kept as alerts.

Belongs here: the asset `alert_ledger`, what it shows of itself, its checks, its metrics. Does not belong here: the
rules and transitions (prism_core/alerts) and telling anybody (digests.py).
No partitions: a judgement is of the moment it is made in, and the ledger goes on from what it holds.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from prism_assets.known import known_names
from prism_assets.operational import reads
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core import clock
from prism_core.alerts.findings import rank
from prism_core.availability import holidays_on
from prism_core.calendar import Week
from prism_core.charts import as_markdown, grouped_bar_chart
from prism_core.failures import PrismFailure
from prism_core.models.alerts import Alert, AlertRule, AlertStatus
from prism_core.models.people import Member, MemberStatus
from prism_core.settings import Settings
from prism_core.tables import ALLOCATIONS, AVAILABILITY, MEMBERS, PROJECTS, REQUESTS, WORKERS
from prism_resources.alerts.ledger import AlertLedger, Kept
from prism_resources.alerts.running import judged_now
from prism_resources.metrics import Metric, put_metrics

GROUP = "alerts"
OWNERS = ["team:data-engineering"]
# Coordinators plan their day with it: by eight, from a judgement of the same morning.
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=30), warn_window=timedelta(hours=25))
MOST_ROWS = 100
WEEKS_SHOWN = 8
JUDGED, SENT = "rules_judged", "metrics_sent"
_CHECKED = {
    JUDGED: "Every rule could judge: no week was missing, no figure absent.",
    SENT: "CloudWatch took the number of alerts of each rule.",
}


def judgement_assets() -> list[dg.AssetsDefinition]:
    """`alert_ledger`."""

    @dg.asset(
        name="alert_ledger",
        pool="alert_ledger",
        deps=[
            *reads(MEMBERS, PROJECTS, REQUESTS, WORKERS, ALLOCATIONS, AVAILABILITY),
            "throughput",
            "quality_scores",
            "projects",
        ],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"dynamodb", "python"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS,
        description=(
            "What the seven rules say of the running week, those ahead and the ended ones, kept as alerts in the "
            "table `alerts`: found again, mended, over, back. What people said of an alert stands. Nobody is told "
            "here; the number of open alerts of each rule goes to CloudWatch."
        ),
        check_specs=[
            dg.AssetCheckSpec(name, asset="alert_ledger", description=description)
            for name, description in _CHECKED.items()
        ],
    )
    def alert_ledger(context: dg.AssetExecutionContext, prism: PrismResource) -> dg.MaterializeResult:
        with failures_by_intent():
            now, settings = clock.now(), prism.settings()
            kept = judged_now(settings, prism.lake(), now)
            over = AlertLedger(settings).over(now, timedelta(weeks=WEEKS_SHOWN))
        for one in kept:
            context.log.info("%s: %d new, %d open, %d over", one.rule, len(one.new), len(one.open), len(one.over))
        return dg.MaterializeResult(
            metadata=_metadata(kept, over, now), check_results=[_judged(kept), _sent(settings, kept)]
        )

    return [alert_ledger]


def judgement_checks() -> list[dg.AssetChecksDefinition]:
    """What must hold of the stored alerts."""

    @dg.asset_check(
        asset="alert_ledger",
        name="subjects_known",
        retry_policy=RETRIES,
        description="Every open alert is about a member and a project that the registers know.",
    )
    def subjects_known(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            names, alerts = known_names(prism), AlertLedger(prism.settings()).open()
        unknown = [
            one.fingerprint
            for one in alerts
            if (one.member_id is not None and one.member_id not in names.members)
            or (one.project_id is not None and _is_unknown(one.project_id, names.projects))
        ]
        return dg.AssetCheckResult(
            passed=not unknown,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(alerts)} open alerts, {len(unknown)} of them about nobody",
            metadata={"unknown": dg.MetadataValue.json(unknown)},
        )

    @dg.asset_check(
        asset="alert_ledger",
        name="locations_known",
        retry_policy=RETRIES,
        description="The public holidays of every active member's location are known.",
    )
    def locations_known(prism: PrismResource) -> dg.AssetCheckResult:
        with failures_by_intent():
            members = prism.reader(MEMBERS, Member).query("by_status", status=MemberStatus.ACTIVE)
            places = {one.member_id: one.location for one in members if one.location is not None}
        today = clock.now().date()
        unknown = {member: place for member, place in places.items() if holidays_on(place, [today]) is None}
        return dg.AssetCheckResult(
            passed=not unknown,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(places)} active members with a location, {len(unknown)} of them unknown",
            metadata={"unknown": dg.MetadataValue.json(unknown)},
        )

    return [subjects_known, locations_known]


def _is_unknown(project_id: str, known: Iterable[str]) -> bool:
    """A job that is of no project stands for one, by its own name."""
    return ":" not in project_id and project_id not in known


def _judged(kept: Sequence[Kept]) -> dg.AssetCheckResult:
    silent = {one.rule.value: one.abstained for one in kept if one.abstained is not None}
    return dg.AssetCheckResult(
        check_name=JUDGED,
        passed=not silent,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{', '.join(silent)} could not judge" if silent else f"{len(kept)} rules judged",
        metadata={"not_judged": dg.MetadataValue.json(silent)},
    )


def _sent(settings: Settings, kept: Sequence[Kept]) -> dg.AssetCheckResult:
    """A figure that nobody took is no reason to keep alerts from being told: it is a warning."""
    said = "CloudWatch took them"
    try:
        put_metrics(settings, metrics_of(kept))
    except PrismFailure as error:
        said = str(error)
        return dg.AssetCheckResult(
            check_name=SENT, passed=False, severity=dg.AssetCheckSeverity.WARN, description=said
        )
    return dg.AssetCheckResult(check_name=SENT, passed=True, description=said)


def metrics_of(kept: Iterable[Kept]) -> list[Metric]:
    """For each rule how many alerts are open, and how many this judgement opened."""
    return [
        Metric(name, value, {"Rule": one.rule.value})
        for one in kept
        for name, value in (("OpenAlerts", len(one.open)), ("NewAlerts", len(one.new)))
    ]


def _metadata(kept: Sequence[Kept], over: Sequence[Alert], now: datetime) -> dict[str, Any]:
    opened = sorted(
        (alert for one in kept for alert in one.open), key=lambda one: (-rank(one.severity), one.title)
    )
    facts: dict[str, Any] = {
        "week": Week.of(now).label,
        "dagster/row_count": len(opened),
        "new": sum(len(one.new) for one in kept),
        "over": sum(len(one.over) for one in kept),
        "rules": dg.MetadataValue.table([_of_rule(one) for one in kept]),
        "alerts": dg.MetadataValue.table(_rows(kept, opened), schema=_ROWS),
    }
    picture = open_by_week([*opened, *over], Week.of(now))
    if picture is not None:
        facts["open_by_week"] = dg.MetadataValue.md(picture)
    return facts


_ROWS = dg.TableSchema(
    columns=[dg.TableColumn(name) for name in ("state", "severity", "rule", "what", "about", "since", "evidence")]
)


def _of_rule(one: Kept) -> dg.TableRecord:
    taken_up = Counter(alert.status for alert in one.open)
    return dg.TableRecord(
        {
            "rule": one.rule.value,
            "new": len(one.new),
            "open": taken_up[AlertStatus.OPEN],
            "acknowledged": taken_up[AlertStatus.ACKNOWLEDGED],
            "silenced": taken_up[AlertStatus.SILENCED],
            "over": len(one.over),
            "not judged": one.abstained or "",
        }
    )


def _rows(kept: Sequence[Kept], opened: Sequence[Alert]) -> list[dg.TableRecord]:
    """The worst open ones, and what this judgement ended."""
    new = {alert.fingerprint for one in kept for alert in one.new}
    ended = [alert for one in kept for alert in one.over]
    return [
        dg.TableRecord(
            {
                "state": "new" if alert.fingerprint in new else alert.status.value,
                "severity": alert.severity.value,
                "rule": alert.rule.value,
                "what": alert.title,
                "about": alert.subject,
                "since": f"{alert.opened or alert.first_seen:%Y-%m-%d}",
                "evidence": "; ".join(f"{row.item} {dict(row.figures)}" for row in alert.evidence[:3]),
            }
        )
        for alert in (*opened[:MOST_ROWS], *ended[:MOST_ROWS])
    ]


def open_by_week(alerts: Sequence[Alert], last: Week) -> str | None:
    """For each of the last weeks how many alerts of a rule were open at its end; of the running one, now.

    By the last time that each was open: earlier ones are in the change log.
    """
    rules = [rule for rule in AlertRule if any(alert.rule is rule for alert in alerts)]
    if not rules:
        return None
    groups = [
        (week.label, [float(sum(_was_open(one, rule, week) for one in alerts)) for rule in rules])
        for week in last.window(WEEKS_SHOWN)
    ]
    title = "Open alerts at the end of each week"
    return as_markdown(title, grouped_bar_chart(title, [rule.value for rule in rules], groups))


def _was_open(alert: Alert, rule: AlertRule, week: Week) -> bool:
    over = alert.resolved is not None and alert.resolved < week.end
    return alert.rule is rule and (alert.opened or alert.first_seen) < week.end and not over
