"""Incidents that are open, and the mark that makes their mail go once.

Belongs here: keeping one small object an incident in the lake bucket, below `operations/incidents/`.
Does not belong here: what an incident is (prism_core/incidents.py). One process writes them: the sensor's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec
from msgspec import structs

from prism_core.failures import PermanentFailure
from prism_core.incidents import Incident
from prism_core.models.base import instant_text
from prism_resources.lake import JSON_TYPE, Lake

PREFIX = "operations/incidents/"


class Incidents:
    """The open ones, by fingerprint."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def open(self) -> Iterator[Incident]:
        return (found for key in self._lake.keys(PREFIX) if (found := self._read(key)) is not None)

    def failed(self, incident: Incident, now: datetime, tell: Callable[[Incident], object]) -> bool:
        """A run failed: tell when that is news; answers whether it was told now.

        Kept as untold before, and as told afterwards: where `tell` raises, or a kill comes in between, the same
        run is told when it is followed again. So a mail may go twice, but none is lost, and none goes while the
        bucket cannot be written.
        """
        found = self._read(_key(incident.fingerprint))
        joined = incident if found is None else found.joined(incident)
        if found is not None and not found.is_told_again(incident, now):
            if joined is not found:
                self._write(joined)
            return False
        untold = structs.replace(joined, told=None)
        self._write(untold)
        tell(untold)
        self._write(structs.replace(untold, told=instant_text(now)))
        return True

    def done(self, weeks_by_step: Mapping[str, Iterable[str]]) -> list[Incident]:
        """Steps succeeded for some weeks; answers the incidents that are over by it."""
        over = list[Incident]()
        for incident in list(self.open()):
            left = incident.after(weeks_by_step)
            if left is None:
                self._lake.delete(_key(incident.fingerprint))
                over.append(incident)
            elif left is not incident:
                self._write(left)
        return over

    def _write(self, incident: Incident) -> None:
        self._lake.put(_key(incident.fingerprint), msgspec.json.encode(incident), content_type=JSON_TYPE)

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
