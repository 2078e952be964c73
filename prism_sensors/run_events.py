"""What one run did and left undone, by week, as the event log says it.

Belongs here: reading the events of a run. Does not belong here: which runs (ended.py), and what to make of them.
"""

from collections import defaultdict
from functools import cached_property
from typing import Any

import dagster as dg
from dagster import AssetCheckEvaluation
from dagster import DagsterEventType as Kind

from prism_assets.checking import FAILED_WEEKS
from prism_core.calendar import Week, WeekRange
from prism_core.failures import BadUsage
from prism_sensors.asking import RANGE_END, RANGE_START

PARTITION = "dagster/partition"
# What a run without partitions is about.
NO_WEEK = "-"
_TOLD = {
    Kind.ASSET_MATERIALIZATION,
    Kind.ASSET_MATERIALIZATION_PLANNED,
    Kind.ASSET_CHECK_EVALUATION,
    Kind.STEP_SUCCESS,
    Kind.STEP_FAILURE,
    Kind.RUN_FAILURE,
}


class RunEvents:
    """The events of one run. Weeks are labels; a partition that is no week is named as it is."""

    def __init__(self, instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
        self.run = run
        self._events: defaultdict[Kind, list[dg.DagsterEvent]] = defaultdict(list)
        for entry in instance.all_logs(run.run_id, of_type=_TOLD):
            if entry.dagster_event is not None:
                self._events[entry.dagster_event.event_type].append(entry.dagster_event)

    @property
    def weeks(self) -> list[str]:
        """What the run was about; NO_WEEK for one without partitions."""
        tags = self.run.tags
        first, last = (tags.get(name) or tags.get(PARTITION) for name in (RANGE_START, RANGE_END))
        if first is None or last is None:
            return [NO_WEEK]
        try:
            return [week.label for week in WeekRange(Week.parse(first), Week.parse(last))]
        except BadUsage:
            return [first]

    @cached_property
    def planned(self) -> list[str]:
        """The assets that it was to materialise."""
        planned = (event.asset_key for event in self._events[Kind.ASSET_MATERIALIZATION_PLANNED])
        return sorted({key.to_user_string() for key in planned if key is not None})

    @cached_property
    def materialised(self) -> dict[str, dict[str, dict[str, Any]]]:
        """By asset the weeks that it materialised, with the metadata of each."""
        found: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        for event in self._events[Kind.ASSET_MATERIALIZATION]:
            said = event.step_materialization_data.materialization
            metadata = {name: value.value for name, value in said.metadata.items()}
            found[said.asset_key.to_user_string()][_label(said.partition)] = metadata
        return dict(found)

    @cached_property
    def failed(self) -> dict[str, str]:
        """What each failed step said."""
        found: dict[str, str] = {}
        for event in self._events[Kind.STEP_FAILURE]:
            error = event.step_failure_data.error
            cause = None if error is None else error.cause or error
            found[event.step_key or ""] = (cause.message if cause is not None else event.message or "").strip()
        return found

    @property
    def failed_weeks(self) -> dict[str, set[str]]:
        """The weeks that a failed step named itself; no others of the run failed with it."""
        found: dict[str, set[str]] = {}
        for event in self._events[Kind.STEP_FAILURE]:
            said = event.step_failure_data.user_failure_data
            named = None if said is None else said.metadata.get(FAILED_WEEKS)
            if isinstance(named, dg.JsonMetadataValue) and isinstance(named.data, list):
                found[event.step_key or ""] = set(map(str, named.data))
        return found

    @property
    def given_up(self) -> set[str]:
        """The steps that failed for a person to mend: tried again, they would fail again."""
        failures = self._events[Kind.STEP_FAILURE]
        return {one.step_key or "" for one in failures if one.step_failure_data.user_failure_data is not None}

    @property
    def left_out(self) -> list[str]:
        """The assets that it never came to: Dagster has no event of a step behind one that failed."""
        return [name for name in self.planned if name not in self.failed and name not in self.materialised]

    @property
    def ended_with(self) -> str:
        """What the run itself said when it failed."""
        return "\n".join(event.message or "" for event in self._events[Kind.RUN_FAILURE]).strip()

    @cached_property
    def done(self) -> dict[str, set[str]]:
        """The weeks for which each step did its work: also those that a failed step published before it failed."""
        found = {name: set(weeks) for name, weeks in self.materialised.items()}
        for event in self._events[Kind.STEP_SUCCESS]:
            found.setdefault(event.step_key or "", set()).update(self.weeks)
        for event in self._events[Kind.ASSET_CHECK_EVALUATION]:  # a blocking one that fails does so for some weeks
            weeks = set(self.weeks) - self._failing(event.asset_check_evaluation_data)
            found.setdefault(event.step_key or "", set()).update(weeks)
        if self.run.status is dg.DagsterRunStatus.SUCCESS:
            found.setdefault(self.run.job_name, set()).update(self.weeks)
        return found

    @cached_property
    def blocked(self) -> dict[str, set[str]]:
        """The weeks of each asset that a blocking check found wrong: nothing may be built on them."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for event in self._events[Kind.ASSET_CHECK_EVALUATION]:
            said = event.asset_check_evaluation_data
            if said.passed or not said.blocking or said.severity is not dg.AssetCheckSeverity.ERROR:
                continue
            found[said.asset_key.to_user_string()] |= self._failing(said)
        return found

    def _failing(self, said: AssetCheckEvaluation) -> set[str]:
        """The weeks for which a check does not hold: all of the run where it does not say which."""
        named = said.metadata.get(FAILED_WEEKS)
        if isinstance(named, dg.JsonMetadataValue) and isinstance(named.data, list):
            return set(map(str, named.data))
        return set() if said.passed else set(self.weeks)


def _label(partition: str | None) -> str:
    if partition is None:
        return NO_WEEK
    try:
        return Week.parse(partition).label
    except BadUsage:
        return partition
