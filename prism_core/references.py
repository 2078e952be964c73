"""What an item names must exist: members and projects, judged alike for a call, a bulk row and a workbook.

Belongs here: which fields name what, and which of them a write names anew. Does not belong here: looking up
whether they exist (prism_api, prism_resources). Who was named before may be gone since: only new names are judged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from prism_core.models.workers import JOB_PREFIX

REFERENCES: Final[Mapping[str, str]] = {
    "member_id": "members",
    "project_id": "projects",
    "to_member": "members",
    "to_project": "projects",
}
_PERIODS: Final = "periods"  # whose work a worker's counts as
# Figures of a labelling job that no project claims can be disputed, too.
_MAY_BE_A_JOB: Final = frozenset({("disputes", "project_id")})


@dataclass(frozen=True, slots=True)
class Reference:
    """A field that names an item of another table."""

    field: str
    table: str
    key: str

    @property
    def missing(self) -> str:
        """What is wrong when there is none."""
        return f"there is no {self.table.removesuffix('s')} {self.key!r}"


def newly_named(
    table: str, before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]
) -> Iterable[Reference]:
    """The members and projects that a write of a table names and the stored item does not, by field."""
    for member in sorted(_of_periods(after) - _of_periods(before)):
        yield Reference(_PERIODS, "members", member)
    for field, named in REFERENCES.items():
        value = after.get(field)
        if named == table or not isinstance(value, str) or before.get(field) == value:
            continue
        if (table, field) in _MAY_BE_A_JOB and value.startswith(JOB_PREFIX):
            continue
        yield Reference(field, named, value)


def _of_periods(state: Mapping[str, JsonValue]) -> set[str]:
    periods = state.get(_PERIODS)
    members = [one.get("member") for one in periods if isinstance(one, dict)] if isinstance(periods, list) else []
    return {member for member in members if isinstance(member, str)}
