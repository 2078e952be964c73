"""Disputes: which figures can be disputed, and how one ends.

Belongs here: the fields of each table, and open → corrected, declined or withdrawn. Does not belong here:
what a correction does to the figures (corrections.py).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from prism_core.failures import BadUsage
from prism_core.models.disputes import Correction, Dispute, DisputeStatus, FactTable
from prism_core.transitions import Flow, NotAllowed

FLOW: Final = Flow(
    "dispute",
    {
        DisputeStatus.OPEN: (DisputeStatus.CORRECTED, DisputeStatus.DECLINED, DisputeStatus.WITHDRAWN),
        DisputeStatus.CORRECTED: (),
        DisputeStatus.DECLINED: (),
        DisputeStatus.WITHDRAWN: (),
    },
)
# What a screen shows of each table. `accuracy` is correct ÷ reviewed.
FIGURES: Final[Mapping[FactTable, tuple[str, ...]]] = {
    FactTable.THROUGHPUT: (
        "tasks_submitted", "tasks_returned", "tasks_declined", "tasks_accepted", "tasks_other", "wall_seconds",
        "active_seconds", "median_handle_seconds", "mean_handle_seconds", "tasks_per_hour",
    ),
    FactTable.QUALITY: ("reviewed", "correct", "accuracy", "severity", "category"),
}  # fmt: skip


def check_figure(dispute: Dispute) -> None:
    """Raises BadUsage when the table has no such figure, or a day is named where a figure has none."""
    figures = FIGURES[dispute.table]
    if dispute.field not in figures:
        raise BadUsage(f"{dispute.table} shows no figure {dispute.field!r}; valid ones are {', '.join(figures)}")
    if dispute.table is FactTable.QUALITY and dispute.day is not None:
        raise BadUsage("a quality review is of a week; name the review instead of a day")


def decline(dispute: Dispute, *, actor: str, now: datetime, answer: str) -> Dispute:
    """Answered with a reason. Raises NotAllowed unless it is open and somebody else's, BadUsage without one."""
    _check(dispute, DisputeStatus.DECLINED, actor)
    if not answer.strip():
        raise BadUsage(f"dispute {dispute.dispute_id} is declined without a reason, which its member reads")
    return _answered(dispute, DisputeStatus.DECLINED, actor, now, answer, None)


def correct(
    dispute: Dispute, correction: Correction | None, *, actor: str, now: datetime, answer: str = ""
) -> Dispute:
    """Answered by a correction of its week; without one, by an edit of the disputed quality review.

    Raises NotAllowed unless it is open and somebody else's, BadUsage when the correction is of another week.
    """
    _check(dispute, DisputeStatus.CORRECTED, actor)
    if correction is None and dispute.table is FactTable.THROUGHPUT:
        raise BadUsage("a figure of throughput is computed: it changes by a correction only; name one")
    if correction is not None and (correction.week, correction.table) != (dispute.week, dispute.table):
        raise BadUsage(
            f"the correction is of {correction.table} {correction.week}, not of {dispute.table} {dispute.week}"
        )
    chosen = None if correction is None else correction.correction_id
    return _answered(dispute, DisputeStatus.CORRECTED, actor, now, answer, chosen)


def withdraw(dispute: Dispute, *, actor: str) -> Dispute:
    """Taken back by who opened it. Raises NotAllowed for anybody else, and for one that is no longer open."""
    FLOW.check(dispute.dispute_id, dispute.status, DisputeStatus.WITHDRAWN)
    if actor not in {dispute.opened_by, dispute.member_id}:
        raise NotAllowed(f"dispute {dispute.dispute_id} can be withdrawn by {dispute.member_id} only", ())
    return dispute.model_copy(update={"status": DisputeStatus.WITHDRAWN})


def _check(dispute: Dispute, to: DisputeStatus, actor: str) -> None:
    FLOW.check(dispute.dispute_id, dispute.status, to)
    if actor == dispute.member_id:
        raise NotAllowed(
            f"dispute {dispute.dispute_id} is about the figures of {actor}, who cannot answer it",
            (DisputeStatus.WITHDRAWN,),
        )


def _answered(
    dispute: Dispute, to: DisputeStatus, actor: str, now: datetime, answer: str, correction_id: str | None
) -> Dispute:
    return dispute.model_copy(
        update={
            "status": to,
            "decided": now,
            "decided_by": actor,
            "answer": answer or None,
            "correction_id": correction_id,
        }
    )
