"""What counts as one incident of the platform's own runs.

Belongs here: the identity of an incident, when it goes on and when it is over. Pure. Does not belong here: reading
runs (prism_sensors) and keeping incidents (prism_resources/incidents.py).
An hourly run that fails all night is one incident: the same steps fail with the same words, figures aside. It is
over when the same steps have succeeded for every week that failed.
"""

import hashlib
import re
from collections.abc import Iterable

from msgspec import Struct, structs

_FIGURES = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-W\d{2}|0x[0-9a-f]+|\d+(?:[.,:-]\d+)*")
_SHOWN = 4_000


class Incident(Struct, frozen=True):
    """Steps that fail for a reason, and the weeks for which nobody has seen them succeed since.

    `weeks` are labels; an unpartitioned run has the one week `-`. `told` is None until the mail has gone.
    """

    fingerprint: str
    steps: tuple[str, ...]
    error: str
    weeks: tuple[str, ...]
    run_id: str
    opened_at: str
    claimed_at: str
    told: str | None = None
    runs: int = 1

    def joined(self, weeks: Iterable[str]) -> "Incident":
        """The same incident in one more run."""
        return structs.replace(self, weeks=tuple(sorted({*self.weeks, *weeks})), runs=self.runs + 1)

    def after_success(self, steps: Iterable[str], weeks: Iterable[str]) -> "Incident | None":
        """What is left of it once a run has succeeded; None when it is over."""
        if not set(self.steps) <= set(steps):
            return self
        left = set(self.weeks) - set(weeks)
        return structs.replace(self, weeks=tuple(sorted(left))) if left else None


def fingerprint(steps: Iterable[str], error: str) -> str:
    """One name for the same steps failing for the same reason; figures, weeks and ids do not count."""
    words = _FIGURES.sub("#", error.strip().partition("\n")[0])
    return hashlib.blake2b("\n".join([*sorted(steps), words]).encode(), digest_size=10).hexdigest()


def opened(steps: Iterable[str], error: str, weeks: Iterable[str], run_id: str, now: str) -> Incident:
    """An incident that is seen for the first time."""
    steps = tuple(sorted(set(steps)))
    return Incident(
        fingerprint=fingerprint(steps, error),
        steps=steps,
        error=error.strip()[:_SHOWN],
        weeks=tuple(sorted(set(weeks))),
        run_id=run_id,
        opened_at=now,
        claimed_at=now,
    )


def subject_of(incident: Incident) -> str:
    """The subject of the mail."""
    return f"PRISM: {', '.join(incident.steps)} failed ({span_of(incident.weeks)})"


def text_of(incident: Incident, run_url: str | None) -> str:
    """The mail: what failed, for which weeks, what it said, and where to look."""
    where = run_url or f"run {incident.run_id} in Dagster"
    return (
        f"{', '.join(incident.steps)} failed for {span_of(incident.weeks)}.\n\n"
        f"{incident.error}\n\n"
        f"Look at {where}. What to do is in docs/runbook.md.\n\n"
        "This mail goes once an incident: while the same steps fail for the same reason you get no other. The "
        "incident is over when they have succeeded for these weeks.\n"
        f"Incident {incident.fingerprint}, first seen {incident.opened_at}.\n"
    )


def span_of(weeks: Iterable[str]) -> str:
    """`2018-W33`, `2018-W33 to 2018-W36 (3 weeks)`, or `no week`."""
    named = sorted(week for week in weeks if week != "-")
    if not named:
        return "no week"
    return named[0] if len(named) == 1 else f"{named[0]} to {named[-1]} ({len(named)} weeks)"
