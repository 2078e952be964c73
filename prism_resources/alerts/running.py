"""A judgement of now, into the ledger.

Belongs here: the order of its parts, for everybody who starts one. Does not belong here: any part.
"""

from datetime import datetime

from prism_core.alerts.judging import judge
from prism_core.calendar import Week
from prism_core.settings import Settings
from prism_resources.alerts.digests import AlertDigests
from prism_resources.alerts.ledger import AlertLedger, Kept
from prism_resources.alerts.tables import SnapshotTables
from prism_resources.lake import Lake


def judged_now(settings: Settings, lake: Lake, now: datetime) -> list[Kept]:
    """Judge the running week by all rules, and bring the stored alerts to it; one answer a rule."""
    AlertDigests(settings).catch_up(now)
    snapshot = SnapshotTables(settings, lake).read(Week.of(now), now)
    return AlertLedger(settings).keep(judge(snapshot), now)
