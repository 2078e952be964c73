"""What a rule says: findings with their evidence, and what it could not judge.

Belongs here: the types that every rule answers with, and the identity of a finding.
Does not belong here: the stored alert (prism_core/models/alerts.py) and what becomes of it (ledger.py).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from prism_core.calendar import Week
from prism_core.models.alerts import AlertRule
from prism_core.models.work import Severity

_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A row that a finding rests on: its item key, and the figures that mattered, each with its unit."""

    item: str
    figures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """Rule, subject and evidence. `scope` is what of the subject it is about, where that may be several: a day, a
    week, a due date. `week` is the one in which it is looked for."""

    rule: AlertRule
    subject: str
    week: Week
    severity: Severity
    title: str
    evidence: tuple[EvidenceRow, ...]
    scope: str = ""
    member_id: str | None = None
    project_id: str | None = None
    projects: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Its identity, 32 hexadecimal digits: neither the figures nor the instant are part of it."""
        return fingerprint(self.rule, self.subject, self.scope)


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that one rule says of one snapshot.

    `weeks` are those that it looked at, where its findings are of a week that comes and goes; None where they
    stand until they are mended. `undecided` are fingerprints of which nothing can be said from these data, and
    `abstained` says why nothing at all can: what was found before then stays as it is. `mended` are fingerprints
    of which it is proven; where they are given, all others stay as they are. `projects` are those that are
    judged: an alert of another one is over, and so is one of a member who is `gone`.
    """

    rule: AlertRule
    findings: tuple[Finding, ...] = ()
    weeks: frozenset[Week] | None = None
    undecided: frozenset[str] = field(default_factory=frozenset[str])
    abstained: str | None = None
    mended: frozenset[str] | None = None
    projects: frozenset[str] | None = None
    gone: frozenset[str] = field(default_factory=frozenset[str])


def fingerprint(rule: AlertRule, subject: str, scope: str) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of `rule|subject|scope`."""
    return hashlib.sha256(f"{rule}|{subject}|{scope}".encode()).hexdigest()[:32]


def judgement(
    rule: AlertRule,
    findings: Iterable[Finding],
    *,
    weeks: Iterable[Week] | None = None,
    undecided: Iterable[str] = (),
    mended: Iterable[str] | None = None,
    projects: Iterable[str] | None = None,
    gone: Iterable[str] = (),
) -> Judgement:
    """The findings in a fixed order: the most severe first, then by subject and scope."""
    ordered = sorted(findings, key=lambda one: (-_RANKS[one.severity], one.subject, one.scope))
    return Judgement(
        rule,
        tuple(ordered),
        weeks=None if weeks is None else frozenset(weeks),
        undecided=frozenset(undecided),
        mended=None if mended is None else frozenset(mended),
        projects=None if projects is None else frozenset(projects),
        gone=frozenset(gone),
    )


def rank(severity: Severity) -> int:
    """0 for the least severe."""
    return _RANKS[severity]


def hours_text(hours: Decimal) -> str:
    """`6.00 h`."""
    return f"{hours:.2f} h"


def share_text(share: Decimal) -> str:
    """`93.5 %`."""
    return f"{share * 100:.1f} %"
