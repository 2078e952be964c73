"""The cases that every rule ships with, and whether it answers them.

Belongs here: one line a rule, and the comparison. Does not belong here: the cases (cases/).
`prism alerts --backtest` prints them before anything else: a rule that fails one is not to be trusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from prism_core.alerts.cases import (
    capacity_risk,
    late_request,
    ooto_conflict,
    quality_degradation,
    shrinkage_risk,
    sla_breach,
    unresolved_worker,
)
from prism_core.alerts.cases.case import About, Case
from prism_core.alerts.judging import RULES
from prism_core.models.alerts import AlertRule
from prism_core.models.work import Severity

CASES: Final[Mapping[AlertRule, tuple[Case, ...]]] = MappingProxyType(
    {
        AlertRule.OOTO_CONFLICT: ooto_conflict.CASES,
        AlertRule.QUALITY_DEGRADATION: quality_degradation.CASES,
        AlertRule.SHRINKAGE_RISK: shrinkage_risk.CASES,
        AlertRule.UNRESOLVED_WORKER: unresolved_worker.CASES,
        AlertRule.LATE_REQUEST: late_request.CASES,
        AlertRule.CAPACITY_RISK: capacity_risk.CASES,
        AlertRule.SLA_BREACH: sla_breach.CASES,
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule found in a case, by subject and scope."""

    case: Case
    found: Mapping[About, Severity]

    @property
    def right(self) -> bool:
        return dict(self.found) == dict(self.case.expected)


def outcomes(rule: AlertRule) -> list[Outcome]:
    """The rule's answer to each of its cases, in order."""
    return [Outcome(case, found_in(rule, case)) for case in CASES[rule]]


def found_in(rule: AlertRule, case: Case) -> dict[About, Severity]:
    """What the rule finds in the snapshot of a case."""
    return {(one.subject, one.scope): one.severity for one in RULES[rule](case.snapshot).findings}
