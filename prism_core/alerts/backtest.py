"""What a rule would have told, had it been on.

Belongs here: replaying snapshots through the ledger, the episodes that come of it, and measuring them against what
people said. Does not belong here: cases that were planted (planted.py), reading stored weeks, printing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prism_core.alerts.findings import rank, share_text
from prism_core.alerts.judging import RULES
from prism_core.alerts.ledger import update
from prism_core.alerts.snapshot import AlertSnapshot
from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.alerts import Alert, AlertRule, AlertStatus, Ending, Verdict
from prism_core.models.work import Severity
from prism_core.quality import Accuracy, accuracy

# A name that is resolved is taken out of the weeks of before as well: the lake names only those that still wait.
REWRITTEN: Final = frozenset({AlertRule.UNRESOLVED_WORKER})
REWRITTEN_WHY: Final = "names that were resolved since are in no week of the lake any more"


@dataclass(slots=True)
class Episode:
    """One time that an alert would have been open. `severity` is the worst; `closed` is None while it goes on."""

    fingerprint: str
    subject: str
    title: str
    week: Week
    severity: Severity
    opened: datetime
    closed: datetime | None = None
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """An instant at which the rule could not judge, and why."""

    as_of: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Backtest:
    """The episodes of a rule in the order in which they began, over so many snapshots."""

    rule: AlertRule
    snapshots: int
    episodes: tuple[Episode, ...]
    abstained: tuple[Silent, ...]

    @property
    def fingerprints(self) -> frozenset[str]:
        return frozenset(episode.fingerprint for episode in self.episodes)


def backtest(rule: AlertRule, snapshots: Iterable[AlertSnapshot]) -> Backtest:
    """What the rule would have told at the instants of the snapshots, which come in order: each is used once.

    Raises BadUsage for a snapshot that is older than the one before.
    """
    known: dict[str, Alert] = {}
    running: dict[str, Episode] = {}
    episodes: list[Episode] = []
    silent: list[Silent] = []
    before: datetime | None = None
    count = 0
    for snapshot in snapshots:
        count += 1
        if before is not None and snapshot.as_of < before:
            raise BadUsage(f"the snapshot as of {snapshot.as_of} comes after the one as of {before}")
        before = snapshot.as_of
        judgement = RULES[rule](snapshot)
        if judgement.abstained is not None:
            silent.append(Silent(snapshot.as_of, judgement.abstained))
        found = {finding.fingerprint for finding in judgement.findings}
        concerned = [known[key] for key in known if key in running or key in found]
        for alert in update(concerned, judgement, snapshot.as_of):
            known[alert.fingerprint] = alert
            if alert.status is AlertStatus.RESOLVED:
                episode = running.pop(alert.fingerprint)
                episode.closed, episode.ending = alert.resolved, alert.ending
            elif alert.fingerprint not in running:
                running[alert.fingerprint] = episode = _episode(alert, snapshot.as_of)
                episodes.append(episode)
            else:
                _goes_on(running[alert.fingerprint], alert)
    return Backtest(rule, count, tuple(episodes), tuple(silent))


def by_feedback(result: Backtest, verdicts: Mapping[str, Verdict]) -> Accuracy | None:
    """Of the alerts that people judged when they were told, the share that was useful.

    None for a rule whose useful alerts rewrite the past, so that a backtest finds the others alone.
    """
    if result.rule in REWRITTEN:
        return None
    said = [verdicts[key] for key in result.fingerprints if key in verdicts]
    return accuracy(sum(verdict is Verdict.USEFUL for verdict in said), len(said))


def of_all(share: Accuracy) -> str:
    """`98.5 % (65 of 66)`; of nothing, that."""
    counted = f"{share.correct} of {share.reviewed}"
    return counted if share.share is None else f"{share_text(share.share)} ({counted})"


def _episode(alert: Alert, as_of: datetime) -> Episode:
    return Episode(alert.fingerprint, alert.subject, alert.title, alert.week, alert.severity, as_of)


def _goes_on(episode: Episode, alert: Alert) -> None:
    if rank(alert.severity) > rank(episode.severity):
        episode.severity, episode.title = alert.severity, alert.title
