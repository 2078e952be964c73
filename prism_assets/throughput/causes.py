"""Why a published figure of throughput is another one now, row by row.

Belongs here: what a week is computed from, as evidence, and taking a difference apart by computing the week with
one change after the other. Does not belong here: computing a week (prism_core), judging a difference (the gate).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from prism_core.calendar import Week
from prism_core.corrections import effect_text, of_effect_text
from prism_core.evidence import CORRECTIONS, RESOLUTION, Cause, Changed, Evidence, Part, days_of, days_text
from prism_core.models.disputes import Correction
from prism_core.restatements import Difference, Figures, by_stages, with_cause
from prism_resources.restatements import Published

RECORDS = "records"
FIGURES = Figures(
    keys=("project_id", "member_id", "day"),
    measures=(
        "tasks_submitted",
        "tasks_returned",
        "tasks_declined",
        "tasks_accepted",
        "tasks_other",
        "wall_seconds",
        "active_seconds",
    ),
    main="tasks_submitted",
    totals=("wall_seconds",),
)
_WORKER, _JOB = "worker", "job"

Rows = Sequence[dict[str, Any]]


class LookUps(Protocol):
    """Whose worker and which project's job, on a day."""

    def member(self, worker_key: str, day: date) -> str | None: ...

    def project(self, job: str, day: date) -> str | None: ...


@dataclass
class Noted:
    """Look-ups that remember what they answered for a week: that is what its figures rest on."""

    look_ups: LookUps
    week: Week
    _seen: dict[tuple[str, str], dict[int, str]] = field(default_factory=dict[tuple[str, str], dict[int, str]])

    def member(self, worker_key: str, day: date) -> str | None:
        return self._note(_WORKER, worker_key, day, self.look_ups.member(worker_key, day))

    def project(self, job: str, day: date) -> str | None:
        return self._note(_JOB, job, day, self.look_ups.project(job, day))

    def _note(self, kind: str, name: str, day: date, answer: str | None) -> str | None:
        self._seen.setdefault((kind, name), {})[(day - self.week.monday).days] = answer or ""
        return answer

    def part(self) -> Part:
        return Part(("kind", "name"), {key: days_text(days) for key, days in self._seen.items()})


@dataclass(frozen=True, slots=True)
class Remembered:
    """Look-ups as they answered before; what nobody had asked then is answered as now."""

    look_ups: LookUps
    week: Week
    part: Part

    def member(self, worker_key: str, day: date) -> str | None:
        known = self._known(_WORKER, worker_key, day)
        return self.look_ups.member(worker_key, day) if known is None else known or None

    def project(self, job: str, day: date) -> str | None:
        known = self._known(_JOB, job, day)
        return self.look_ups.project(job, day) if known is None else known or None

    def _known(self, kind: str, name: str, day: date) -> str | None:
        return days_of(self.part.items.get((kind, name), "")).get((day - self.week.monday).days)


def answered_otherwise(before: Part, look_ups: LookUps, week: Week) -> bool:
    """Whether the registers answer otherwise by now for a day that figures of the week rest on."""
    ask = {_WORKER: look_ups.member, _JOB: look_ups.project}
    return any(
        (ask[kind](name, week.days[day]) or "") != answer
        for (kind, name), text in before.items.items()
        for day, answer in days_of(text).items()
    )


def evidence_of(inputs: Iterable[str], noted: Noted, corrections: Iterable[Correction]) -> Evidence:
    """What a week was computed from: raw objects, answers of the registers, corrections."""
    return Evidence(
        {
            RECORDS: Part(("object",), {(key,): "" for key in inputs}),
            RESOLUTION: noted.part(),
            CORRECTIONS: Part(("correction_id",), {(one.correction_id,): effect_text(one) for one in corrections}),
        }
    )


@dataclass(frozen=True, slots=True)
class Recompute:
    """The differences of one week, taken apart. `compute` gives its rows with other look-ups and corrections."""

    week: Week
    look_ups: LookUps
    new: Rows
    compute: Callable[[LookUps, Sequence[Correction]], Rows]

    def __call__(self, published: Published, found: list[Difference], inputs: list[Changed]) -> list[Difference]:
        """One kind of input that changed is the cause of everything; several are put in one after the other."""
        changed = {one.part for one in inputs}
        if len(changed) < 2:
            return with_cause(found, inputs[0].cause if inputs else Cause.UNKNOWN)
        parts = published.evidence.parts
        before = Remembered(self.look_ups, self.week, parts[RESOLUTION])
        corrections = [of_effect_text(text) for text in parts[CORRECTIONS].items.values()]
        stages: list[tuple[Cause, Rows]] = []
        if RECORDS in changed:
            stages.append((Cause.LATE_RECORD, self.compute(before, corrections)))
        if {RESOLUTION, CORRECTIONS} <= changed:
            stages.append((Cause.RESOLVED_WORKER, self.compute(self.look_ups, corrections)))
        last = Cause.CORRECTION if CORRECTIONS in changed else Cause.RESOLVED_WORKER
        return by_stages(FIGURES, found, published.rows(), [*stages, (last, self.new)])
