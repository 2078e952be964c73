"""The sensors over changes: which tables each one watches, how often, and what it asks for.

Belongs here: one Watch a domain. Does not belong here: how a change is followed (rules.py).
A tick reads four short partitions a table. The intervals are how long a person waits for a figure to follow: one
minute for who did what, five for quality, a quarter of an hour for snapshots, which people edit all day.
"""

from collections.abc import Iterator

import dagster as dg

from prism_core.tables import (
    ALLOCATIONS,
    AVAILABILITY,
    CORRECTIONS,
    MEMBERS,
    PROJECTS,
    QUALITY,
    REQUESTS,
    WORKERS,
)
from prism_sensors import rules
from prism_sensors.changes import Watch, change_sensor
from prism_sensors.known import KnownAssets
from prism_sensors.recategorised import recategorised

WATCHES = (
    Watch(
        name="resolved_work",
        seconds=60,
        description=(
            "A worker is resolved or somebody else's, a labelling job is mapped, work is corrected: throughput of "
            "exactly the weeks that hold such records, what is computed from it, and corrections of their week."
        ),
        rules=(
            (WORKERS, rules.worker_resolved),
            (PROJECTS, rules.jobs_mapped),
            (CORRECTIONS, rules.corrected),
        ),
        assets=("throughput", "corrections"),
        most=1_000,  # each is looked up in the tables, some 15 ms, and a tick has a minute
    ),
    Watch(
        name="changed_quality",
        seconds=300,
        description=(
            "Reviews come in or are corrected, somebody says whose their worker or labelling job is, or another "
            "taxonomy counts: reviews of their week, and the scores whose window holds it or whose categories "
            "differ."
        ),
        rules=(
            (QUALITY, rules.reviewed),
            (CORRECTIONS, rules.reviews_corrected),
            (WORKERS, rules.reviewer_resolved),
            (PROJECTS, rules.reviewed_job_mapped),
            (PROJECTS, rules.retargeted),
        ),
        assets=("quality_reviews", "quality_scores"),
        steady=recategorised,
    ),
    Watch(
        name="changed_plans",
        seconds=900,
        description=(
            "Allocations, days off, members, projects and requests change: the snapshots of the weeks that see "
            "the change, and utilisation where it follows. A week that has not begun is asked for once it has."
        ),
        rules=(
            (ALLOCATIONS, rules.allocated),
            (AVAILABILITY, rules.absent),
            (MEMBERS, rules.registered),
            (PROJECTS, rules.registered),
            (REQUESTS, rules.registered),
        ),
        assets=(*rules.SNAPSHOTS, "utilisation"),
        steady=rules.week_began,
    ),
)


def change_sensors(known: KnownAssets) -> Iterator[dg.SensorDefinition]:
    """Those whose assets exist."""
    return (sensor for watch in WATCHES if (sensor := change_sensor(watch, known)) is not None)
