"""Whether the figures of a week can still change: its raw records expire, what was published from them stays.

Belongs here: comparing what the published throughput of a week was computed from with what is still there, as the
asset does (prism_assets/throughput). Does not belong here: computing, and what a correction moves.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from prism_api.api import backend, objects
from prism_api.api.calls import Call
from prism_api.api.problems import Problem
from prism_core.calendar import Week
from prism_core.lake import RAW_EXPIRY_DAYS, WORKER_ACTIVITY, WORKER_RESPONSE, LakePartition, raw_prefix
from prism_core.models.disputes import Correction, FactTable
from prism_core.tables import THROUGHPUT
from prism_resources.failures import calling

_STANDING = "weeks that stand"


@dataclass(frozen=True, slots=True)
class Standing:
    """A week whose figures stand as they were published: some of the raw objects behind them are gone."""

    week: Week
    gone: int
    inputs: int
    published: datetime

    @property
    def why(self) -> str:
        return (
            f"throughput of {self.week} stands as it was published: {self.gone} of the {self.inputs} raw files "
            f"that it was computed from have expired after {RAW_EXPIRY_DAYS} days, so it cannot be computed "
            f"again; ingest the records of {self.week} again, then repeat this"
        )


def refuse_without_effect(call: Call, before: Correction | None, after: Correction | None) -> None:
    """Raises Problem 409 for a correction of throughput, made or taken back, that would change no figure."""
    for correction in (before, after):
        if correction is not None and correction.table is FactTable.THROUGHPUT:
            standing = of_week(call, correction.week)
            if standing is not None:
                raise Problem(HTTPStatus.CONFLICT, f"The correction would have no effect: {standing.why}.")


def refuse_not_counted(call: Call, correction: Correction) -> None:
    """Raises Problem 409 for a correction that came too late to reach the figures of its week."""
    if correction.table is FactTable.THROUGHPUT:
        standing = of_week(call, correction.week)
        if standing is not None and correction.created > standing.published:
            name = correction.correction_id
            raise Problem(HTTPStatus.CONFLICT, f"The correction {name} has had no effect: {standing.why}.")


def of_week(call: Call, week: Week) -> Standing | None:
    """None when everything is there that the week was computed from, or it was not computed yet."""
    known: dict[Week, Standing | None] = call.found.setdefault(_STANDING, {})
    if week not in known:
        known[week] = _look(week)
    return known[week]


def _look(week: Week) -> Standing | None:
    body = objects.get(LakePartition(THROUGHPUT.name, week).manifest)
    if body is None:
        return None
    manifest = json.loads(body)
    inputs = set(manifest["inputs"])
    gone = inputs - set(_raw_keys(week)) if inputs else inputs
    published = datetime.fromisoformat(manifest["written_at"])
    return Standing(week, len(gone), len(inputs), published) if gone else None


def _raw_keys(week: Week) -> Iterator[str]:
    bucket = backend.settings().lake_bucket
    for source in (WORKER_ACTIVITY, WORKER_RESPONSE):
        prefix = raw_prefix(source, week)
        with calling(f"s3://{bucket}/{prefix}", "listing"):
            for page in backend.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                yield from (item["Key"] for item in page.get("Contents", ()))
