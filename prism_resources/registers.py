"""Who is who: the registers that resolve workers and labelling jobs.

Belongs here: reading workers and projects into the two look-ups that throughput needs.
Does not belong here: the rules (prism_core/identity.py).
"""

from dataclasses import dataclass
from datetime import date

from prism_core.identity import JobResolver, resolve_member
from prism_core.models.projects import Project, ProjectStatus
from prism_core.models.workers import Worker, WorkerStatus
from prism_core.settings import Settings
from prism_core.tables import PROJECTS, WORKERS
from prism_resources.tables.settled import settled


@dataclass(frozen=True, slots=True)
class Registers:
    """Look-ups as of now; periods and validity dates answer for any day."""

    workers: dict[str, Worker]
    jobs: JobResolver

    def member(self, worker_key: str, day: date) -> str | None:
        """The member who was this worker on a day, None when nobody has said so."""
        worker = self.workers.get(worker_key)
        return None if worker is None else resolve_member(worker, day)

    def project(self, job: str, day: date) -> str | None:
        """The project of a labelling job on a day, None when none claims it or two do equally."""
        return self.jobs.resolve(job, day)


def read_registers(settings: Settings) -> Registers:
    """Read both registers by their status index, with what it may not know yet; no scan."""
    resolved = settled(settings, WORKERS, Worker).of_statuses(WorkerStatus.RESOLVED)
    projects = settled(settings, PROJECTS, Project).of_statuses(*ProjectStatus)
    return Registers({worker.worker_key: worker for worker in resolved}, JobResolver(projects))
