"""Reports that are made and not yet mailed: for each week one after the other, the newest is what is so now.

Belongs here: where these objects lie, and putting and reading them. Does not belong here: making a report
(assets), what changed between two (prism_core/reports/editions.py), and who gets one (delivery.py).
An object is put on condition that there is none with its number: whole or not at all, and nothing is replaced.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from prism_core.calendar import Week
from prism_core.failures import PermanentFailure, PrismFailure, TransientFailure
from prism_core.lake import REPORTS
from prism_core.models.reports import ReportKind
from prism_core.reports.content import ReportContent
from prism_core.reports.missing import kept_below
from prism_core.reports.reading import report_of
from prism_core.settings import Settings
from prism_resources.lake import Lake

_NAME: Final = re.compile(r"week=(\d{4}-W\d{2})/(\d{4})\.json", re.ASCII)
_MOST: Final = 9_999
_ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True)
class Kept:
    """A report as it lies on the shelf. `content` has no indicators: it can be rendered, and not judged again."""

    report: ReportKind
    week: Week
    content: ReportContent
    content_hash: str
    made_at: datetime
    key: str


class Shelf:
    """The reports of a platform. Everything may be repeated, by several processes at once."""

    def __init__(self, settings: Settings) -> None:
        self._lake = Lake(settings)

    def put(self, kind: ReportKind, content: ReportContent, *, now: datetime) -> Kept:
        """Make a report the newest of its week; what says the same as the newest is that one, and is not written.

        Raises PermanentFailure for what would be read back as another report.
        """
        content_hash = content.content_hash()
        if report_of(content.document()).content_hash() != content_hash:
            raise PermanentFailure(f"the {kind} report of {content.week} cannot be kept as it is; this is a fault")
        said = {"content_hash": content_hash, "made_at": now.isoformat(), "document": content.document()}
        body = json.dumps(said, ensure_ascii=False, sort_keys=True).encode()
        for _ in range(_ATTEMPTS):
            number = self._last(kind, content.week)
            stands = self._kept(kind, content.week, number) if number else None
            if stands is not None and stands.content_hash == content_hash:
                return stands
            if number == _MOST:
                raise PermanentFailure(f"the {kind} report of {content.week} was made {_MOST:,} times; see why")
            key = _key(kind, content.week, number + 1)
            if self._lake.put_new(key, body, content_type="application/json"):
                return self._kept(kind, content.week, number + 1)
        raise TransientFailure(f"others make the {kind} report of {content.week} all the time; try again")

    def newest(self, kind: ReportKind, week: Week) -> Kept | None:
        """What is so now; None where no report of the week was made. Raises PermanentFailure for a damaged one."""
        number = self._last(kind, week)
        return self._kept(kind, week, number) if number else None

    def has(self, kind: ReportKind, week: Week) -> bool:
        """Whether a report of the week was made, damaged or not."""
        return self._last(kind, week) > 0

    def weeks(self, kind: ReportKind) -> list[Week]:
        """The weeks of which there is a report, oldest first."""
        found = (_NAME.search(key) for key in self._lake.keys(f"{REPORTS}{kind}/"))
        return sorted({Week.parse(one[1]) for one in found if one})

    def _last(self, kind: ReportKind, week: Week) -> int:
        """The number of the newest; 0 where there is none."""
        found = (_NAME.search(key) for key in self._lake.keys(kept_below(kind, week)))
        return max((int(one[2]) for one in found if one), default=0)

    def _kept(self, kind: ReportKind, week: Week, number: int) -> Kept:
        key = _key(kind, week, number)
        body = self._lake.get(key)
        try:
            said: dict[str, Any] = json.loads(body or b"")
            content, made_at = report_of(said["document"]), datetime.fromisoformat(said["made_at"])
            content_hash = said["content_hash"]
        except (ValueError, LookupError, TypeError, PrismFailure) as error:
            raise _damaged(key, type(error).__name__) from error
        if content.content_hash() != content_hash or content.week != week:
            raise _damaged(key, "it says something else")
        return Kept(kind, week, content, content_hash, made_at, key)


def _key(kind: ReportKind, week: Week, number: int) -> str:
    return f"{kept_below(kind, week)}{number:04d}.json"


def _damaged(key: str, why: str) -> PermanentFailure:
    return PermanentFailure(f"{key} is not the report that was put there ({why}); put the object back")
