"""The stored alerts: what judgements and digests make of them.

Belongs here: reading and writing the table `alerts`, each write on the version that was read. Does not belong
here: the transitions (prism_core/alerts/ledger.py), snapshots, and mail (digests.py).
People write alerts, too, and an index lags: a write that lost reads the alert again and goes on from there.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prism_core.alerts.findings import Finding, Judgement
from prism_core.alerts.ledger import absent, observed
from prism_core.alerts.telling import Mark, told, untold
from prism_core.failures import StaleVersion, TransientFailure
from prism_core.history.changes import ULID_RANDOM_BYTES, ulid
from prism_core.models.alerts import Alert, AlertRule, AlertStatus
from prism_core.settings import Settings
from prism_core.tables import ALERTS
from prism_resources.aws import client
from prism_resources.tables.store import TableStore

ACTOR: Final = "alerts"
# How far back an alert that is over is looked for, to be told of.
OVER: Final = timedelta(days=60)
_OPEN: Final = (AlertStatus.OPEN, AlertStatus.ACKNOWLEDGED, AlertStatus.SILENCED)
_ATTEMPTS, _WRITERS = 6, 8
# What becomes of an alert as it stands; the same, or None, when nothing does.
_Step = Callable[[Alert | None], Alert | None]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a judgement of one rule made of its stored alerts.

    `new` were opened by it, `over` resolved; `open` is how many are open now, taken up and silenced ones too.
    """

    rule: AlertRule
    new: tuple[Alert, ...]
    over: tuple[Alert, ...]
    open: tuple[Alert, ...]
    abstained: str | None


class AlertLedger:
    """The alerts of a platform."""

    def __init__(self, settings: Settings) -> None:
        self._store = TableStore(client(settings, "dynamodb"), settings, ALERTS, Alert)

    def open(self) -> list[Alert]:
        """Every alert that is not resolved, as the index has it."""
        return [alert for status in _OPEN for alert in self._store.query("by_status", status=status)]

    def over(self, now: datetime, since: timedelta = OVER) -> list[Alert]:
        """The resolved ones that were seen within that time."""
        return list(self._store.query("by_status", status=AlertStatus.RESOLVED, first=now - since))

    def get(self, fingerprint: str) -> Alert | None:
        return self._store.get(fingerprint=fingerprint)

    def keep(self, judgements: Iterable[Judgement], now: datetime) -> list[Kept]:
        """Bring the stored alerts to what was judged as of `now`. Repeating it changes nothing more.

        An alert that a later judgement has seen is left alone. Raises TransientFailure when one stays in conflict.
        """
        known: dict[AlertRule, dict[str, Alert]] = {rule: {} for rule in AlertRule}
        for alert in self.open():
            known[alert.rule][alert.fingerprint] = alert
        with ThreadPoolExecutor(_WRITERS) as pool:
            return [self._keep(pool, one, known[one.rule], now) for one in judgements]

    def mark(self, marks: Mapping[str, Mark], at: datetime) -> None:
        """Say of alerts, by fingerprint, that the digest that was stored `at` tells them. Safe to repeat."""
        self._each(marks, lambda alert, mark: told(alert, mark, at), "told by a digest", at)

    def unmark(self, marks: Mapping[str, Mark], at: datetime, now: datetime) -> None:
        """Take back at `now` what `mark` said of the digest that was stored `at`. Safe to repeat."""
        self._each(marks, lambda alert, mark: untold(alert, mark, at), "its digest was withdrawn", now)

    def _each(
        self, marks: Mapping[str, Mark], step: Callable[[Alert, Mark], Alert], reason: str, now: datetime
    ) -> None:
        def written(fingerprint: str) -> None:
            def of_one(alert: Alert | None) -> Alert | None:
                return None if alert is None else step(alert, marks[fingerprint])

            self._write(fingerprint, None, of_one, reason, now)

        with ThreadPoolExecutor(_WRITERS) as pool:
            for _ in pool.map(written, marks):
                pass

    def _keep(
        self, pool: ThreadPoolExecutor, judgement: Judgement, known: Mapping[str, Alert], now: datetime
    ) -> Kept:
        found = {one.fingerprint: one for one in judgement.findings}

        def judged(fingerprint: str) -> Alert | None:
            def step(alert: Alert | None) -> Alert | None:
                return _after(alert, found.get(fingerprint), judgement, now)

            return self._write(fingerprint, known.get(fingerprint), step, f"{judgement.rule} was judged", now)

        after = [one for one in pool.map(judged, sorted(found.keys() | known.keys())) if one is not None]
        return Kept(
            judgement.rule,
            tuple(one for one in after if one.opened == now and one.status is not AlertStatus.RESOLVED),
            tuple(one for one in after if one.resolved == now),
            tuple(one for one in after if one.status is not AlertStatus.RESOLVED),
            judgement.abstained,
        )

    def _write(
        self, fingerprint: str, known: Alert | None, step: _Step, reason: str, now: datetime
    ) -> Alert | None:
        """Take an alert one step on; answers it as it stands then. One that is not known is read."""
        alert = known or self.get(fingerprint)
        for _ in range(_ATTEMPTS):
            after = step(alert)
            if after is None or after == alert:
                return alert
            try:
                return self._store.put(
                    after,
                    expected_version=0 if alert is None else alert.version,
                    actor=ACTOR,
                    reason=reason,
                    request_id=ulid(now, secrets.token_bytes(ULID_RANDOM_BYTES)),
                    now=now,
                )
            except StaleVersion:
                alert = self.get(fingerprint)
        raise TransientFailure(f"alert {fingerprint} is written by others all the time; try again")


def _after(alert: Alert | None, finding: Finding | None, judgement: Judgement, now: datetime) -> Alert | None:
    """What a judgement makes of one alert; a later one, which has seen it, knows better."""
    if alert is not None and alert.last_seen > now:
        return alert
    if finding is not None:
        return observed(alert, finding, now)
    return None if alert is None else absent(alert, judgement, now)
