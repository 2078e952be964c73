"""A platform of a benchmark's own: the embedded AWS with the stacks deployed, in a folder that goes afterwards.

Belongs here: starting it, and members and projects to list. Does not belong here: what is measured on it. The
platform of a person who runs `make bench` is never touched.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from infra.deploy import deploy
from infra.local.home import is_free
from infra.local.platform import Platform, attached
from prism_core import clock
from prism_core.models.people import Member
from prism_core.models.projects import Project
from prism_core.settings import Settings
from prism_core.tables import MEMBERS, PROJECTS
from prism_resources.aws import client
from prism_resources.tables.bulk import batch_write, put_request
from prism_resources.tables.codec import encode

# Ten ports a platform; tests take theirs from 21000 on.
FIRST_PORT, LAST_PORT = 19_000, 20_900


@contextmanager
def own_platform(home: Path) -> Iterator[Platform]:
    """A running platform, which PRISM_HOME and PRISM_AWS_ENDPOINT_URL name for the processes that are started."""
    before = {name: value for name, value in os.environ.items() if name.startswith(("PRISM_", "DAGSTER_"))}
    for name in before:
        del os.environ[name]
    os.environ["PRISM_HOME"] = str(home)
    try:
        with attached(_say, port=free_port()) as platform:
            deploy(platform.settings, clock.this_week(), _say)
            os.environ.update(platform.environment())
            yield platform
    finally:
        for name in [name for name in os.environ if name.startswith(("PRISM_", "DAGSTER_"))]:
            del os.environ[name]
        os.environ.update(before)
        shutil.rmtree(home, ignore_errors=True)


def put_members(settings: Settings, number: int) -> list[str]:
    """So many members as real ones look; their ids."""
    members = [
        Member.model_validate(
            {
                "member_id": f"m-{one:04d}",
                "name": f"Member {one} of a Benchmark",
                "email": f"member.{one}@benchmark.example",
                "skills": [{"name": "lidar", "level": 1 + one % 5}, {"name": "text", "level": 1 + one % 3}],
                "hours": {"mon": 8, "tue": 8, "wed": 8, "thu": 8, "fri": "6.50"},
                "time_zone": "Europe/Madrid",
                "team": f"team-{one % 7}",
                "location": "ES-MD",
                "cognito_sub": f"sub-of-{one}",
            }
        )
        for one in range(number)
    ]
    requests = (put_request(encode(MEMBERS, member)) for member in members)
    batch_write(client(settings, "dynamodb"), settings.table_name(MEMBERS.name), requests)
    return [member.member_id for member in members]


def put_projects(settings: Settings, names: Iterable[str]) -> None:
    """Projects that allocations can name."""
    projects = [Project(project_id=name, name=name, category="c", demand_hours=Decimal(40)) for name in names]
    requests = (put_request(encode(PROJECTS, project)) for project in projects)
    batch_write(client(settings, "dynamodb"), settings.table_name(PROJECTS.name), requests)


def free_port() -> int:
    """The first of ten in a row."""
    start = FIRST_PORT + os.getpid() % 190 * 10
    for base in (*range(start, LAST_PORT, 10), *range(FIRST_PORT, start, 10)):
        if all(is_free(base + number) for number in range(10)):
            return base
    sys.exit("no ten free ports in a row for a platform")


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
