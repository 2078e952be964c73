"""The rules by name, and judging a snapshot by them.

Belongs here: one line a rule. Does not belong here: what a rule says (rules/) and what becomes of it (ledger.py).
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from prism_core.alerts.findings import Judgement
from prism_core.alerts.rules import (
    capacity_risk,
    late_request,
    ooto_conflict,
    quality_degradation,
    shrinkage_risk,
    sla_breach,
    unresolved_worker,
)
from prism_core.alerts.snapshot import AlertSnapshot
from prism_core.models.alerts import AlertRule

RULES: Final[Mapping[AlertRule, Callable[[AlertSnapshot], Judgement]]] = MappingProxyType(
    {
        AlertRule.OOTO_CONFLICT: ooto_conflict.judge,
        AlertRule.QUALITY_DEGRADATION: quality_degradation.judge,
        AlertRule.SHRINKAGE_RISK: shrinkage_risk.judge,
        AlertRule.UNRESOLVED_WORKER: unresolved_worker.judge,
        AlertRule.LATE_REQUEST: late_request.judge,
        AlertRule.CAPACITY_RISK: capacity_risk.judge,
        AlertRule.SLA_BREACH: sla_breach.judge,
    }
)


def judge(snapshot: AlertSnapshot, rules: Iterable[AlertRule] = tuple(AlertRule)) -> list[Judgement]:
    """What each of the rules says of a snapshot, in their order. The same snapshot gives the same answer."""
    return [RULES[rule](snapshot) for rule in rules]
