"""Publishing a plan of a week, and taking that back.

Belongs here: what is checked before, the rows that it replaces, and the one write of the pointer that publishes.
Does not belong here: which rows those are (prism_core/publications.py), writing them (tables/folding.py), stored
plans (storing.py).
A call that was killed before the pointer was written has done nothing; behind it, whoever publishes, edits the
week or calls `finish` writes the rest.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from prism_core import clock
from prism_core.calendar import Week
from prism_core.capacity.describing import describe
from prism_core.capacity.problem import PlanProblem
from prism_core.capacity.running import check_publishable, replaced_on
from prism_core.capacity.verifying import asked_too_much
from prism_core.day_hours import overfilling
from prism_core.failures import BadUsage, PermanentFailure, StaleVersion
from prism_core.models.people import MemberStatus
from prism_core.models.projects import ProjectStatus
from prism_core.models.published import PublishedPlan
from prism_core.models.work import Allocation
from prism_core.publications import (
    Days,
    HoursChange,
    Pair,
    PublishedRows,
    Replacement,
    changes_of,
    hours_changes,
    hours_of,
    taken_back,
)
from prism_core.settings import Settings
from prism_core.tables import ALLOCATIONS, MEMBERS, PROJECTS, PUBLISHED_PLANS
from prism_resources.aws import client
from prism_resources.planning import items_of_week
from prism_resources.plans.bodies import read_body
from prism_resources.plans.storing import PlanStore
from prism_resources.tables.folding import finish
from prism_resources.tables.imports import batch_get
from prism_resources.tables.publications import Publications
from prism_resources.tables.store import TableStore

_NAMED: Final = 20


class Overtaken(PermanentFailure):
    """Somebody else published the week, or took a publication back, since it was looked at.

    `pointer` is what is published now (None: nothing), `changes` are the hours that the refused plan would change.
    """

    def __init__(
        self, week: Week, expected: int, pointer: PublishedPlan | None, changes: Sequence[HoursChange]
    ) -> None:
        self.week, self.expected, self.pointer, self.changes = week, expected, pointer, tuple(changes)
        stands = "nothing is published"
        if pointer is not None:
            what = f"plan {pointer.plan_id}" if pointer.plan_id else "no plan"
            stands = f"publication {pointer.publication} stands, {what} by {pointer.published_by}"
        differ = f"; {len(self.changes)} allocations differ from the plan" if self.changes else ""
        now = 0 if pointer is None else pointer.publication
        super().__init__(
            f"{week} was at publication {expected} when it was looked at, and {stands}{differ}: look at it, and "
            f"go over publication {now} if it still should be"
        )


class OutdatedPlan(PermanentFailure):
    """The plan cannot stand any more: `findings` say why, one each."""

    def __init__(self, plan_id: str, findings: Sequence[str]) -> None:
        self.plan_id, self.findings = plan_id, tuple(findings)
        more = f"; and {len(findings) - _NAMED} more" if len(findings) > _NAMED else ""
        super().__init__(
            f"plan {plan_id} is out of date: {'; '.join(findings[:_NAMED])}{more}; plan the week again"
        )


@dataclass(frozen=True, slots=True)
class Published:
    """A publication that is settled: its pointer, the hours that it changed, and rows that it left as they are.

    `edited` are those that somebody wrote meanwhile, or before an undo: their hours are none of its changes.
    """

    pointer: PublishedPlan
    changes: tuple[HoursChange, ...]
    edited: tuple[Pair, ...] = ()


class Publisher:
    """Publishes plans of weeks. Several may at once: of two of a week, one is told that it was overtaken."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._dynamodb = settings, client(settings, "dynamodb")
        self._publications = Publications(self._dynamodb, settings)
        self._pointers = TableStore(self._dynamodb, settings, PUBLISHED_PLANS, PublishedPlan)
        self._allocations = TableStore(self._dynamodb, settings, ALLOCATIONS, Allocation)

    def pointer(self, week: Week) -> PublishedPlan | None:
        """What is published of a week; None where nothing ever was."""
        return self._publications.of_week(week)

    def finish(self, week: Week) -> PublishedPlan | None:
        """Write what a kill left unwritten of the week's publication; answers its pointer."""
        pointer = self.pointer(week)
        return None if pointer is None else finish(self._dynamodb, self._settings, pointer)

    def publish(
        self,
        week: Week,
        plan_id: str,
        planned: Mapping[Pair, Days],
        *,
        actor: str,
        reason: str = "",
        expected: int,
        problem: PlanProblem | None = None,
    ) -> Published:
        """Make `planned`, hours by day of members on projects, the allocations of a week, next to pinned ones.

        Days that have passed keep their hours. `expected` is the publication that was looked at, 0 for none. With
        `problem`, the week as it is now, nobody is asked for more than they have. The same call again, after a
        kill or a lost answer, goes on where it was. Raises Overtaken, OutdatedPlan, BadUsage for a week that has
        ended, or TransientFailure when the rows stay busy.
        """
        stands = self.finish(week)
        if stands is not None and _is_own(stands, plan_id, actor, expected):
            return self._published(stands)
        today = clock.now().date()
        check_publishable(week, today)
        current = self._rows(week)
        planned, replacements = replaced_on(today, week, plan_id, planned, current)
        if _publication(stands) != expected:
            raise Overtaken(week, expected, stands, _against(planned, current))
        asked = [] if problem is None else asked_too_much(problem, planned)
        self._check(plan_id, replacements, current, today, asked)
        pointer = self._pointer(stands, week, PublishedRows(self._versioned(replacements))).model_copy(
            update={
                "plan_id": plan_id,
                "replaced": None if stands is None else stands.plan_id,
                "published_by": actor,
                "reason": reason,
            }
        )
        written = self._write(pointer, stands)
        if written is None:
            stands = self.finish(week)
            raise Overtaken(week, expected, stands, _against(planned, self._rows(week)))
        return self._published(finish(self._dynamodb, self._settings, written))

    def publish_plan(
        self,
        plan_id: str,
        *,
        actor: str,
        reason: str = "",
        expected: int | None = None,
        what_if: bool = False,
    ) -> Published:
        """The same with a stored plan, in place of the publication that it was made over unless told otherwise.

        Raises BadUsage for one that is not there, not solved or discarded, and without `what_if` for one whose
        scenario supposes other people or demand than there are.
        """
        plan = PlanStore(self._settings).load(plan_id)
        if plan is None or not plan.is_solved:
            stands = "there is no such plan" if plan is None else f"it is {plan.status}"
            raise BadUsage(f"plan {plan_id} cannot be published: {stands}")
        kept = read_body(self._settings, plan)
        if kept.scenario is not None and kept.scenario.supposes and not what_if:
            supposed = ", ".join(kept.scenario.supposes)
            raise BadUsage(
                f"plan {plan_id} is a what-if, {kept.scenario.name!r}: it supposes what is not so ({supposed}); "
                "change the week itself and plan it again, or say that the what-if is meant (--what-if, or "
                "what_if=true)"
            )
        planned = {one.pair: one.by_day for one in kept.plan.assignments}
        problem = describe(plan.week, items_of_week(self._settings, plan.week)).problem
        return self.publish(
            plan.week,
            plan_id,
            planned,
            actor=actor,
            reason=reason,
            expected=plan.over if expected is None else expected,
            problem=problem,
        )

    def undo(self, week: Week, *, actor: str, reason: str = "", expected: int) -> Published:
        """Take the last publication of a week back, as a publication of its own: undone again, it stands again.

        Rows that somebody changed since, or pinned, stay as they are, and are named; days that have passed keep
        their hours. Raises as `publish`, and BadUsage where nothing was published.
        """
        stands = self.finish(week)
        if stands is None:
            raise BadUsage(f"no plan of {week} was published, so none can be taken back")
        if stands.publication == expected + 1 and stands.undoes == expected and stands.published_by == actor:
            return self._published(stands)
        today = clock.now().date()
        check_publishable(week, today)
        if stands.publication != expected:
            raise Overtaken(week, expected, stands, ())
        taken = taken_back(self._publications.rows_of(stands).replacements, self._rows(week), today)
        rows = PublishedRows(self._versioned(taken.replacements), taken.edited)
        pointer = self._pointer(stands, week, rows).model_copy(
            update={
                "plan_id": stands.replaced,
                "replaced": stands.plan_id,
                "undoes": stands.publication,
                "published_by": actor,
                "reason": reason,
            }
        )
        written = self._write(pointer, stands)
        if written is None:
            raise Overtaken(week, expected, self.finish(week), ())
        return self._published(finish(self._dynamodb, self._settings, written))

    def _rows(self, week: Week) -> list[Allocation]:
        return list(self._allocations.query("by_week", week=week))

    def _check(
        self,
        plan_id: str,
        replacements: Iterable[Replacement],
        current: Iterable[Allocation],
        today: date,
        findings: list[str],
    ) -> None:
        """Raises OutdatedPlan for findings, what was archived since, and days of more than 24 hours.

        Of who was archived days that have passed may stay.
        """
        writes = [(one.before, one.after) for one in replacements if one.after is not None]
        ahead = [after for _, after in writes if any(day >= today for day in after.hours)]
        members = {after.member_id for after in ahead}
        projects = {after.project_id for after in ahead}
        active = {
            raw["member_id"]["S"]
            for raw in batch_get(
                self._dynamodb,
                self._settings,
                MEMBERS,
                [MEMBERS.key({"member_id": one}) for one in sorted(members)],
            )
            if raw["status"]["S"] == MemberStatus.ACTIVE
        }
        running = {
            raw["project_id"]["S"]
            for raw in batch_get(
                self._dynamodb,
                self._settings,
                PROJECTS,
                [PROJECTS.key({"project_id": one}) for one in sorted(projects)],
            )
            if raw["status"]["S"] == ProjectStatus.ACTIVE
        }
        pinned = [one for one in current if one.pinned]
        findings = [*findings, *(f"member {one} is not active" for one in sorted(members - active))]
        findings += [f"project {one} is not active" for one in sorted(projects - running)]
        findings += [day.message for _, day in sorted(overfilling(pinned, writes).items())]
        if findings:
            raise OutdatedPlan(plan_id, findings)

    def _versioned(self, replacements: Iterable[Replacement]) -> tuple[Replacement, ...]:
        """New rows at the version that they will be written with: readers see it before."""
        found: list[Replacement] = []
        for one in replacements:
            if one.before is None and one.after is not None:
                version = self._allocations.first_version(one.after)
                found.append(Replacement(None, one.after.model_copy(update={"version": version})))
            else:
                found.append(one)
        return tuple(found)

    def _pointer(self, stands: PublishedPlan | None, week: Week, rows: PublishedRows) -> PublishedPlan:
        """A pointer to rows that lie in S3."""
        publication = _publication(stands) + 1
        return PublishedPlan(
            version=1 if stands is None else stands.version,
            week=week,
            publication=publication,
            body=self._publications.put(week, publication, rows),
            changed=len(rows.replacements),
            edited=len(rows.left),
            published=clock.now(),
            published_by="-",
        )

    def _write(self, pointer: PublishedPlan, stands: PublishedPlan | None) -> PublishedPlan | None:
        """Publish: the instant at which readers see the new rows. None when somebody else was first."""
        try:
            return self._pointers.put(
                pointer,
                expected_version=0 if stands is None else stands.version,
                actor=pointer.published_by,
                reason=pointer.reason,
                request_id=f"{pointer.request_id}-{uuid.uuid4().hex}",
                now=pointer.published,
            )
        except StaleVersion:
            return None

    def _published(self, pointer: PublishedPlan) -> Published:
        return publication_of(self._publications, pointer)


def publication_of(publications: Publications, pointer: PublishedPlan) -> Published:
    """What a pointer published, from the rows that it names."""
    rows = publications.rows_of(pointer)
    return Published(pointer, tuple(changes_of(rows.replacements)), rows.left)


def _publication(pointer: PublishedPlan | None) -> int:
    return 0 if pointer is None else pointer.publication


def _is_own(pointer: PublishedPlan, plan_id: str, actor: str, expected: int) -> bool:
    """Whether this very call has published before, and its answer was lost."""
    ours = pointer.plan_id == plan_id and pointer.published_by == actor and pointer.undoes is None
    return ours and pointer.publication == expected + 1


def _against(planned: Mapping[Pair, Days], current: Iterable[Allocation]) -> list[HoursChange]:
    """What the refused plan would change in what is published now."""
    rows = list(current)
    pinned = hours_of(one for one in rows if one.pinned)
    return hours_changes(hours_of(rows), {**planned, **pinned})
