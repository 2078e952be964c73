"""Incidents that are open, and the mark that makes their mail go once.

Belongs here: keeping one small object an incident in the lake bucket, below `operations/incidents/`.
Does not belong here: what an incident is (prism_core/incidents.py). One process writes them: the sensor's.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec import structs

from prism_core.failures import PermanentFailure
from prism_core.incidents import Incident
from prism_core.models.base import instant_text
from prism_resources.lake import Lake

PREFIX = "operations/incidents/"
# Whoever claimed an incident and has not told within this was killed in between.
CLAIM = timedelta(minutes=5)


class Incidents:
    """The open ones, by fingerprint."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def open(self) -> Iterator[Incident]:
        return (found for key in self._lake.keys(PREFIX) if (found := self._read(key)) is not None)

    def failed(self, incident: Incident, now: datetime, tell: Callable[[Incident], object]) -> bool:
        """A run failed: tell once, when the incident is new; answers whether it was told now.

        Claimed before it is told and marked afterwards: a kill in between tells again after CLAIM, so that
        no incident stays untold. What `tell` raises leaves it unclaimed.
        """
        key = _key(incident.fingerprint)
        if self._lake.put_new(key, msgspec.json.encode(incident), content_type="application/json"):
            self._tell(incident, now, tell)
            return True
        found = self._read(key)
        if found is None:  # it was over at this moment
            return self.failed(incident, now, tell)
        if found.run_id != incident.run_id or set(incident.weeks) - set(found.weeks):
            found = found.joined(incident.weeks)
            self._write(found)
        if found.told is None and now - datetime.fromisoformat(found.claimed_at) > CLAIM:
            self._tell(structs.replace(found, claimed_at=instant_text(now)), now, tell)
            return True
        return False

    def succeeded(self, steps: Iterable[str], weeks: Iterable[str]) -> list[Incident]:
        """A run succeeded; answers the incidents that are over by it."""
        steps, weeks, over = set(steps), set(weeks), list[Incident]()
        for incident in list(self.open()):
            left = incident.after_success(steps, weeks)
            if left is None:
                self._lake.delete(_key(incident.fingerprint))
                over.append(incident)
            elif left is not incident:
                self._write(left)
        return over

    def _tell(self, incident: Incident, now: datetime, tell: Callable[[Incident], object]) -> None:
        try:
            tell(incident)
        except BaseException:
            self._lake.delete(_key(incident.fingerprint))
            raise
        self._write(structs.replace(incident, told=instant_text(now)))

    def _write(self, incident: Incident) -> None:
        self._lake.put(_key(incident.fingerprint), msgspec.json.encode(incident), content_type="application/json")

    def _read(self, key: str) -> Incident | None:
        body = self._lake.get(key)
        if body is None:
            return None
        try:
            return msgspec.json.decode(body, type=Incident)
        except msgspec.DecodeError as error:
            raise PermanentFailure(
                f"{key} is no incident ({error}); delete it, and the next failure tells again"
            ) from error


def _key(fingerprint: str) -> str:
    return f"{PREFIX}{fingerprint}.json"
