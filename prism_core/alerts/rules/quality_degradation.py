"""Quality below its target, and falling.

Belongs here: projects, and members on a project, whose last ended week is below the target for certain and whose
four weeks fall by more than chance. Does not belong here: scores weighted by severity (quality_scores.py).
Counts of pieces are judged, not shares: the interval of a share needs them.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from prism_core.alerts.findings import EvidenceRow, Finding, Judgement, fingerprint, judgement, share_text
from prism_core.alerts.snapshot import AlertSnapshot, is_open
from prism_core.calendar import Week
from prism_core.models.alerts import AlertRule
from prism_core.models.projects import ProjectStatus
from prism_core.models.work import Severity
from prism_core.quality import Accuracy, accuracy

RULE = AlertRule.QUALITY_DEGRADATION
WINDOW_WEEKS: Final = 4
_FEWEST_WEEKS: Final = 3
_FAR_BELOW: Final = Decimal("0.02")
_NOTHING: Final = Decimal(0)
_WORST_SHOWN: Final = 3

Counts = tuple[int, int]
# Whom and what: the member is None where a project is taken as a whole.
Unit = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known of a unit: pieces reviewed and correct by week, and the target."""

    unit: Unit
    target: Decimal
    by_week: Mapping[Week, Counts]

    @property
    def subject(self) -> str:
        member, project = self.unit
        return f"projects/{project}" if member is None else f"members/{member}"

    @property
    def scope(self) -> str:
        member, project = self.unit
        return "" if member is None else project


def judge(snapshot: AlertSnapshot) -> Judgement:
    """A finding where the upper end of the week's interval lies below the target, of enough pieces, and the trend
    of four weeks lies below zero by more than noise.

    Mended is what reaches its target with enough pieces; over is what was of somebody who is not active any more;
    all else stays as it is, also without any review.
    """
    if snapshot.ended not in snapshot.quality:
        return Judgement(RULE, abstained=f"the reviews of {snapshot.ended} were not read")
    findings: list[Finding] = []
    mended: list[str] = []
    for case in _cases(snapshot):
        correct, reviewed = case.by_week.get(snapshot.ended, (0, 0))
        limits = snapshot.limits(case.unit[1])
        found = accuracy(correct, reviewed)
        enough = reviewed >= limits.quality_min_reviewed and len(case.by_week) >= _FEWEST_WEEKS
        if enough and found.high < case.target and trend_z(case.by_week) <= -limits.quality_falling_z:
            findings.append(_finding(snapshot, case, found))
        elif reviewed >= limits.quality_min_reviewed and found.share is not None and found.share >= case.target:
            mended.append(fingerprint(RULE, case.subject, case.scope))
    return judgement(RULE, findings, mended=mended, projects=_targets(snapshot), gone=_gone(snapshot))


def trend_z(by_week: Mapping[Week, Counts]) -> Decimal:
    """How many standard errors the share's change a week lies from zero; 0 when nothing can be said.

    Source: the test for a linear trend in proportions (P. Armitage, Biometrics 11, 1955). The spread of the weeks
    around the line widens the error where it exceeds that of chance: reviewers and batches differ.
    """
    weeks = [(Decimal(week - min(by_week)), *counts) for week, counts in by_week.items() if counts[1]]
    pieces = sum(reviewed for _, _, reviewed in weeks)
    if len(weeks) < _FEWEST_WEEKS:
        return _NOTHING
    level = Decimal(sum(correct for _, correct, _ in weeks)) / pieces
    middle = sum((at * reviewed for at, _, reviewed in weeks), _NOTHING) / pieces
    run = sum((reviewed * (at - middle) ** 2 for at, _, reviewed in weeks), _NOTHING)
    noise = level * (1 - level)
    if not noise or not run:
        return _NOTHING
    slope = sum(((at - middle) * (correct - reviewed * level) for at, correct, reviewed in weeks), _NOTHING) / run
    spread = sum(
        (
            (correct - reviewed * (level + slope * (at - middle))) ** 2 / reviewed
            for at, correct, reviewed in weeks
        ),
        _NOTHING,
    )
    widened = max(Decimal(1), spread / noise / (len(weeks) - 2))
    return slope / (noise * widened / run).sqrt()


def _cases(snapshot: AlertSnapshot) -> list[_Case]:
    found: defaultdict[Unit, dict[Week, Counts]] = defaultdict(dict)
    gone = _gone(snapshot)
    for week in snapshot.ended.window(WINDOW_WEEKS):
        for row in snapshot.quality.get(week, ()):
            units: list[Unit] = [(None, row.project_id)]
            if not is_open(row.member_id) and row.member_id not in gone:
                units.append((row.member_id, row.project_id))
            for unit in units:
                correct, reviewed = found[unit].get(week, (0, 0))
                found[unit][week] = correct + row.correct, reviewed + row.reviewed
    targets = _targets(snapshot)
    return [
        _Case(unit, target, by_week)
        for unit, by_week in found.items()
        if (target := targets.get(unit[1])) is not None
    ]


def _gone(snapshot: AlertSnapshot) -> frozenset[str]:
    """Members who are not active any more: nobody can help them to do better."""
    return frozenset(key for key, member in snapshot.members.items() if not member.active)


def _targets(snapshot: AlertSnapshot) -> dict[str, Decimal]:
    """Of the projects that are judged: those that are active and have one."""
    return {
        key: project.quality_target
        for key, project in snapshot.projects.items()
        if project.status is ProjectStatus.ACTIVE and project.quality_target is not None
    }


def _finding(snapshot: AlertSnapshot, case: _Case, found: Accuracy) -> Finding:
    member, project = case.unit
    week = snapshot.ended
    rows = [
        EvidenceRow(
            f"quality_scores/{at}/{'' if member is None else f'{member}#'}{project}", _figures(accuracy(*counts))
        )
        for at, counts in sorted(case.by_week.items())
    ]
    if member is None:
        rows += _worst_members(snapshot, project)
    who = f"project {project}" if member is None else f"{member} on project {project}"
    share = found.share or _NOTHING
    return Finding(
        RULE,
        case.subject,
        week,
        Severity.HIGH if case.target - found.high > _FAR_BELOW else Severity.MEDIUM,
        f"quality of {who} is {share_text(share)} in {week}, below {share_text(case.target)} and falling",
        (EvidenceRow(f"projects/{project}", {"quality target": share_text(case.target)}), *rows),
        scope=case.scope,
        member_id=member,
        project_id=project,
    )


def _worst_members(snapshot: AlertSnapshot, project: str) -> list[EvidenceRow]:
    """Who made most of the errors of the week."""
    errors = defaultdict[str, list[int]](lambda: [0, 0])
    for row in snapshot.quality[snapshot.ended]:
        if row.project_id == project:
            errors[row.member_id][0] += row.reviewed - row.correct
            errors[row.member_id][1] += row.reviewed
    worst = sorted(errors.items(), key=lambda pair: (-pair[1][0], pair[0]))[:_WORST_SHOWN]
    return [
        EvidenceRow(f"members/{member}", {"errors in the week": f"{wrong} of {reviewed} pieces"})
        for member, (wrong, reviewed) in worst
        if wrong
    ]


def _figures(found: Accuracy) -> dict[str, str]:
    return {
        "reviewed": f"{found.reviewed} pieces",
        "correct": f"{found.correct} pieces",
        "accuracy": "none" if found.share is None else share_text(found.share),
        "interval of 95 %": f"{share_text(found.low)} to {share_text(found.high)}",
    }
