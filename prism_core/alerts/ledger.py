"""What becomes of findings: the stored alerts after each judgement, and what people make of them.

Belongs here: pure transitions of one alert, and of all alerts of a rule. Does not belong here: storing them, and
what is told of them (telling.py).
Resolved is only what was judged and not found: a rule that could not judge leaves its alerts as they are, and an
alert whose week went by is over, not mended.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from prism_core.alerts.findings import EvidenceRow, Finding, Judgement, rank
from prism_core.alerts.telling import CONFIRMED
from prism_core.failures import BadUsage
from prism_core.models.alerts import EVIDENCE_MAX, Alert, AlertRule, AlertStatus, Ending, Evidence, Verdict
from prism_core.quality import Accuracy, accuracy
from prism_core.transitions import NotAllowed

_TITLE_MAX: Final = 200
_NO_SILENCE: Final[Mapping[str, Any]] = {"silenced_until": None, "silence_reason": None, "silenced_by": None}
_NOT_TAKEN_UP: Final[Mapping[str, Any]] = {
    "acknowledged": None,
    "acknowledged_by": None,
    "acknowledged_severity": None,
}


def update(known: Iterable[Alert], judgement: Judgement, now: datetime) -> list[Alert]:
    """The rule's alerts that are new, or other than they were, after a judgement at `now`.

    `known` are its alerts that are not resolved, and those with a fingerprint of the findings. The same judgement
    once more at the same instant changes nothing.
    """
    stored = {alert.fingerprint: alert for alert in known if alert.rule is judgement.rule}
    after = {one.fingerprint: observed(stored.get(one.fingerprint), one, now) for one in judgement.findings}
    after |= {key: absent(alert, judgement, now) for key, alert in stored.items() if key not in after}
    return [alert for key, alert in after.items() if alert is not stored.get(key) and alert != stored.get(key)]


def observed(alert: Alert | None, finding: Finding, now: datetime) -> Alert:
    """The alert of a finding: a new one, the same once more, or one that is back.

    Back before its end was told, it never went, unless that is long ago: those who heard of it may read no more.
    One that is worse than when it was taken up is open again; a silence holds until its end, whatever is found.
    """
    seen = _seen(finding)
    if alert is None:
        return Alert(
            fingerprint=finding.fingerprint, rule=finding.rule, **seen, first_seen=now, last_seen=now, opened=now
        )
    changes = seen | {"last_seen": max(now, alert.last_seen)}
    silent = alert.silenced_until is not None and alert.silenced_until > now
    long_gone = alert.resolved is not None and now - alert.resolved > CONFIRMED and not silent
    ended = alert.resolved_told is not None or alert.ending is Ending.OVER or alert.told is None or long_gone
    again = alert.status is AlertStatus.RESOLVED and ended
    if again:
        heard = alert.told_to if alert.told is not None and alert.told >= now else ()  # told this time already
        changes |= {"opened": now, "episodes": alert.episodes + 1, "told_to": heard}
    if alert.status is AlertStatus.RESOLVED:
        changes |= {"resolved": None, "resolved_told": None, "ending": None}
    if silent:
        return alert.model_copy(update=changes | {"status": AlertStatus.SILENCED})
    worse = rank(finding.severity) > rank(alert.acknowledged_severity or alert.severity)
    if again or worse or alert.acknowledged is None or alert.status is AlertStatus.SILENCED:
        changes |= {"status": AlertStatus.OPEN, **_NOT_TAKEN_UP}
        if worse and alert.acknowledged_severity is not None and alert.told is not None:
            changes |= {"told_severity": alert.acknowledged_severity}  # worse than people know it, so it is told
    else:
        changes |= {"status": AlertStatus.ACKNOWLEDGED}
    return alert.model_copy(update=changes)


def absent(alert: Alert, judgement: Judgement, now: datetime) -> Alert:
    """An alert that a judgement did not find: mended, over, or as it was where nothing can be said of it."""
    nothing_said = judgement.abstained is not None or alert.fingerprint in judgement.undecided
    if nothing_said or alert.status is AlertStatus.RESOLVED:
        return alert
    ending = Ending.MENDED
    of_no_project = judgement.projects is not None and alert.project_id not in judgement.projects
    if of_no_project or alert.member_id in judgement.gone:
        ending = Ending.OVER
    elif judgement.mended is not None and alert.fingerprint not in judgement.mended:
        return alert
    elif judgement.weeks is not None and alert.week not in judgement.weeks:
        if not judgement.weeks or alert.week > min(judgement.weeks):
            return alert
        ending = Ending.OVER
    return alert.model_copy(update={"status": AlertStatus.RESOLVED, "resolved": now, "ending": ending})


def acknowledged(alert: Alert, actor: str, now: datetime) -> Alert:
    """Somebody takes it up; its silence ends. Raises NotAllowed once it is resolved."""
    _require_open(alert)
    if alert.status is AlertStatus.ACKNOWLEDGED:
        return alert
    taken_up = {"acknowledged": now, "acknowledged_by": actor, "acknowledged_severity": alert.severity}
    return alert.model_copy(update={**_NO_SILENCE, **taken_up, "status": AlertStatus.ACKNOWLEDGED})


def silenced(alert: Alert, until: datetime, reason: str, actor: str, now: datetime) -> Alert:
    """Nothing is told of it before `until`. Raises NotAllowed once it is resolved, BadUsage for an end that has
    passed or no reason."""
    _require_open(alert)
    if until <= now:
        raise BadUsage(f"the silence of {alert.fingerprint} would end {until:%Y-%m-%d %H:%M} UTC, in the past")
    if not reason.strip():
        raise BadUsage(f"{alert.fingerprint} is silenced without a reason, which others will ask for")
    said = {"silenced_until": until, "silence_reason": reason, "silenced_by": actor}
    return alert.model_copy(update={"status": AlertStatus.SILENCED, **said})


def unsilenced(alert: Alert, now: datetime) -> Alert:
    """Its silence ends now; what it kept back is told. Raises NotAllowed when it is not silenced."""
    _require_open(alert)
    if alert.status is not AlertStatus.SILENCED:
        raise NotAllowed(f"alert {alert.fingerprint} is {alert.status}, not silenced", ())
    return alert.model_copy(update={"status": AlertStatus.OPEN, "silenced_until": now})


def judged(alert: Alert, verdict: Verdict, actor: str, note: str | None = None) -> Alert:
    """Somebody says whether it was worth its interruption; also once it is resolved."""
    return alert.model_copy(update={"verdict": verdict, "verdict_by": actor, "verdict_note": note})


def precision(alerts: Iterable[Alert]) -> dict[AlertRule, Accuracy]:
    """Of the alerts of each rule that people judged, the share that was useful, with its interval."""
    counts: dict[AlertRule, tuple[int, int]] = {}
    for alert in alerts:
        if alert.verdict is not None:
            useful, all_of_them = counts.get(alert.rule, (0, 0))
            counts[alert.rule] = useful + (alert.verdict is Verdict.USEFUL), all_of_them + 1
    return {rule: accuracy(*counts[rule]) for rule in AlertRule if rule in counts}


def _seen(finding: Finding) -> dict[str, Any]:
    """What an alert says of the present, as the finding has it."""
    title = finding.title if len(finding.title) <= _TITLE_MAX else f"{finding.title[: _TITLE_MAX - 1]}…"
    return {
        "severity": finding.severity,
        "title": title,
        "subject": finding.subject,
        "member_id": finding.member_id,
        "project_id": finding.project_id,
        "projects": finding.projects,
        "week": finding.week,
        "evidence": _evidence(finding.evidence),
    }


def _evidence(rows: tuple[EvidenceRow, ...]) -> tuple[Evidence, ...]:
    """As much as an item may hold; the last row says how much more there was."""
    shown = rows if len(rows) <= EVIDENCE_MAX else rows[: EVIDENCE_MAX - 1]
    found = [Evidence(item=row.item, figures=dict(row.figures)) for row in shown]
    if len(shown) < len(rows):
        found.append(Evidence(item="more", figures={"rows left out": str(len(rows) - len(shown))}))
    return tuple(found)


def _require_open(alert: Alert) -> None:
    if alert.status is AlertStatus.RESOLVED:
        raise NotAllowed(f"alert {alert.fingerprint} is over since {alert.resolved:%Y-%m-%d %H:%M} UTC", ())
