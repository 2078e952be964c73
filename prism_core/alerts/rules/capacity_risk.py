"""Demand that the people of a skill cannot serve.

Belongs here: weeks ahead whose demand exceeds all hours that people with a skill have, and those of all people.
Does not belong here: the plan, which also knows limits of people and blocks; what is said here holds for any plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from prism_core.alerts.findings import EvidenceRow, Finding, Judgement, hours_text, judgement, share_text
from prism_core.alerts.snapshot import NO_HOURS, AlertSnapshot, Skills
from prism_core.alerts.supply import Supply
from prism_core.calendar import Week
from prism_core.capacity.problem import DemandLine
from prism_core.models.alerts import AlertRule
from prism_core.models.work import Severity

RULE = AlertRule.CAPACITY_RISK
_FAR_SHORT: Final = Decimal("0.20")
_LINES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class _Shortage:
    """A skill at a level (none: everybody), the lines that need it, and the hours that there are for them."""

    skills: Skills
    lines: tuple[DemandLine, ...]
    supply: Decimal

    @property
    def demand(self) -> Decimal:
        return sum((line.hours for line in self.lines), NO_HOURS)

    @property
    def short(self) -> Decimal:
        return self.demand - self.supply


def judge(snapshot: AlertSnapshot) -> Judgement:
    """A finding for each week ahead and skill (at the level that lacks most), and one for all people together.

    High where more than a fifth of the demand lacks. Abstains where no week ahead was read.
    """
    weeks = [
        week
        for week in snapshot.plans
        if week > snapshot.week and week in snapshot.demand and week in snapshot.time_off
    ]
    if not weeks:
        return Judgement(RULE, abstained=f"no demand with its time off was read for a week after {snapshot.week}")
    supply = Supply(snapshot)
    return judgement(RULE, (one for week in weeks for one in _of_week(snapshot, supply, week)), weeks=weeks)


def _of_week(snapshot: AlertSnapshot, supply: Supply, week: Week) -> Iterator[Finding]:
    lines = snapshot.demand[week]
    levels = {(name, level) for line in lines for name, level in line.skills.items()}
    yield from _told(snapshot, supply, week, _Shortage({}, lines, supply.hours({}, week.days)))
    for name in sorted({name for name, _ in levels}):
        at_levels = [
            _Shortage(
                {name: level},
                tuple(line for line in lines if line.skills.get(name, 0) >= level),
                supply.hours({name: level}, week.days),
            )
            for known, level in sorted(levels)
            if known == name
        ]
        yield from _told(snapshot, supply, week, max(at_levels, key=lambda one: one.short))


def _told(snapshot: AlertSnapshot, supply: Supply, week: Week, shortage: _Shortage) -> Iterator[Finding]:
    limit = max(
        snapshot.thresholds.capacity_short_hours, shortage.demand * snapshot.thresholds.capacity_short_share
    )
    if shortage.short <= limit:
        return
    name, level = next(iter(shortage.skills.items()), (None, 0))
    subject = "capacity" if name is None else f"capacity/{name}"
    share = shortage.short / shortage.demand
    figures = {
        "demand": hours_text(shortage.demand),
        "supply": hours_text(shortage.supply),
        "short": f"{hours_text(shortage.short)}, {share_text(share)}",
        "people": f"{supply.people(shortage.skills)}",
    }
    if name is not None:
        figures["level"] = f"{level} and above"
    lines = sorted(shortage.lines, key=lambda line: (-line.hours, line.line_id))
    largest, others = lines[:_LINES_SHOWN], lines[_LINES_SHOWN:]
    rows = [
        EvidenceRow(f"projects/{line.project_id}", {"demand": hours_text(line.hours), "asked by": line.source})
        for line in largest
    ]
    if others:
        rest = hours_text(sum((line.hours for line in others), NO_HOURS))
        rows.append(EvidenceRow("more", {"lines left out": f"{len(others)}", "demand": rest}))
    whose = "" if name is None else f" with {name} at level {level} and above"
    yield Finding(
        RULE,
        subject,
        week,
        Severity.HIGH if share > _FAR_SHORT else Severity.MEDIUM,
        f"{week} lacks {hours_text(shortage.short)} of people{whose}: {hours_text(shortage.demand)} are asked for",
        (EvidenceRow(subject, figures), *rows),
        scope=week.label,
        projects=tuple(sorted({line.project_id for line in shortage.lines})),
    )
