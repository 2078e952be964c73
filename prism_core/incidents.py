"""What counts as one incident of the platform's own runs.

Belongs here: the identity of an incident, when it is told again and when it is over. Pure. Does not belong here:
reading runs (prism_sensors) and keeping incidents (prism_resources/incidents.py).
An hourly run that fails all night is one incident: the same steps fail with the same words, figures aside. It is
over when each of them has succeeded for every week that failed. Until then a week that joins it is told, and after
a day it is told again: an incident that cannot end must not swallow what comes later.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, structs

# Whoever was told of an incident that goes on is told again after this.
AGAIN = timedelta(days=1)
_FIGURES = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-W\d{2}|0x[0-9a-f]+|\d+(?:[.,:-]\d+)*")
_SHOWN = 4_000
_NAMED = 3


class Incident(Struct, frozen=True):
    """Steps that fail for a reason, and the weeks of each for which nobody has seen it succeed since.

    Weeks are labels; an unpartitioned run has the one week `-`. `told` is None until the mail has gone. `skipped`
    are assets that were left out because of it.
    """

    fingerprint: str
    left: Mapping[str, tuple[str, ...]]
    error: str
    run_id: str
    opened_at: str
    told: str | None = None
    runs: int = 1
    skipped: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(sorted(self.left))

    @property
    def weeks(self) -> tuple[str, ...]:
        return tuple(sorted({week for weeks in self.left.values() for week in weeks}))

    def joined(self, later: "Incident") -> "Incident":
        """The same incident in one more run; a run that it has already changes nothing."""
        left = {
            step: _together(self.left.get(step, ()), later.left.get(step, ()))
            for step in {*self.left, *later.left}
        }
        if later.run_id == self.run_id and left == self.left:
            return self
        return structs.replace(
            self,
            left=left,
            run_id=later.run_id,
            error=later.error,
            skipped=_together(self.skipped, later.skipped),
            runs=self.runs + (later.run_id != self.run_id),
        )

    def is_told_again(self, later: "Incident", now: datetime) -> bool:
        """Whether one more run of it is news: nobody was told yet, a week joins, or it was told long ago."""
        if self.told is None or set(later.weeks) - set(self.weeks):
            return True
        return now - datetime.fromisoformat(self.told) > AGAIN

    def after(self, done: Mapping[str, Iterable[str]]) -> "Incident | None":
        """What is left of it once steps have succeeded for some weeks; None when it is over."""
        left = {
            step: tuple(w for w in weeks if w not in set(done.get(step, ()))) for step, weeks in self.left.items()
        }
        if left == self.left:
            return self
        left = {step: weeks for step, weeks in left.items() if weeks}
        return structs.replace(self, left=left) if left else None


def fingerprint(steps: Iterable[str], error: str) -> str:
    """One name for the same steps failing for the same reason; figures, weeks and ids do not count."""
    words = _FIGURES.sub("#", error.strip().partition("\n")[0])
    return hashlib.blake2b("\n".join([*sorted(steps), words]).encode(), digest_size=10).hexdigest()


def opened(
    left: Mapping[str, Iterable[str]], error: str, run_id: str, now: str, *, skipped: Iterable[str] = ()
) -> Incident:
    """An incident that is seen for the first time: each failed step with the weeks that it failed for."""
    return Incident(
        fingerprint=fingerprint(left, error),
        left={step: tuple(sorted(set(weeks))) for step, weeks in sorted(left.items())},
        error=error.strip()[:_SHOWN],
        run_id=run_id,
        opened_at=now,
        skipped=tuple(sorted(skipped)),
    )


def subject_of(incident: Incident) -> str:
    """The subject of the mail."""
    return f"PRISM: {_names(incident.steps)} failed ({span_of(incident.weeks)})"


def text_of(incident: Incident, run_url: str | None) -> str:
    """The mail: what failed, for which weeks, what it said, what was left out, and where to look."""
    where = run_url or f"run {incident.run_id} in Dagster"
    skipped = f"Left out because of it: {', '.join(incident.skipped)}.\n\n" if incident.skipped else ""
    return (
        f"{', '.join(incident.steps)} failed for {span_of(incident.weeks)}.\n\n"
        f"{incident.error}\n\n"
        f"{skipped}"
        f"Look at {where}. What to do is in docs/runbook.md.\n\n"
        "This mail goes once an incident: while the same steps fail for the same reason you get another one only "
        "when a week joins, or after a day. The incident is over when they have succeeded for these weeks.\n"
        f"Incident {incident.fingerprint}, first seen {incident.opened_at}.\n"
    )


def span_of(weeks: Iterable[str]) -> str:
    """`2018-W33`, `2018-W33 to 2018-W36 (3 weeks)`, or `no week`."""
    named = sorted(week for week in weeks if week != "-")
    if not named:
        return "no week"
    return named[0] if len(named) == 1 else f"{named[0]} to {named[-1]} ({len(named)} weeks)"


def _names(steps: Sequence[str]) -> str:
    if len(steps) <= _NAMED + 1:
        return ", ".join(steps)
    return f"{', '.join(steps[:_NAMED])} and {len(steps) - _NAMED} more"


def _together(some: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*some, *others}))
