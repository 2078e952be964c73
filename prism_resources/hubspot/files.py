"""Files of leads into the archive, as if HubSpot had answered them.

Belongs here: from paths to complete readings, counting every row as loaded, duplicate or rejected. Does not belong
here: what a contact means (prism_core/campaign/leads.py), reading a week back (source.py), what is printed.
A week is fed from files or from HubSpot, never from both. Of a row only ids, the instant of creation and words of
closed lists are read: columns with names, addresses or numbers of people are passed over.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from prism_core.calendar import Week, WeekRange
from prism_core.campaign.account_days import bounds, week_of
from prism_core.campaign.leads import AdIds, CrmLead, RefusedLead, created_of, crm_lead
from prism_core.failures import BadUsage
from prism_core.worker_activity.files import Rejected
from prism_resources.archive import HUBSPOT, Archive
from prism_resources.hubspot.contacts import PAGE, PAGE_ROWS
from prism_resources.hubspot.source import FILES, LEFT_OUT, WHAT, ArchivedLeads, left_out_of, source_of
from prism_resources.lake import Lake
from prism_resources.wire.exchanges import Exchange
from prism_resources.worker_activity.ingest import FileCounts, Progress, Reject, readable_name

REQUIRED: Final = ("id", "created")
_GZIP: Final = b"\x1f\x8b"

Span = tuple[Week, Week]


@dataclass(slots=True)
class _Known:
    """What is known of a week; `why_not`: why it takes no file. `left_out`: rows that could not be read, by the
    first and last week of the file that they stood in."""

    leads: dict[str, CrmLead] = field(default_factory=dict[str, CrmLead])
    left_out: dict[Span, int] = field(default_factory=dict[Span, int])
    why_not: str | None = None
    changed: bool = False


class LeadsIngest:
    """Loads files one after the other; `finish` makes what is new count."""

    def __init__(self, lake: Lake, weeks: WeekRange, zone: ZoneInfo, where: AdIds, now: datetime) -> None:
        """`zone` is that of the ad account, whose weeks these are."""
        self._lake, self._weeks, self._zone, self._where, self._now = lake, weeks, zone, where, now
        self._known: dict[Week, _Known] = {}

    def load(self, path: Path, reject: Reject, progress: Progress) -> FileCounts:
        """Read one file. Never raises for its content: every row that is not taken goes to `reject`, unquoted."""
        name = readable_name(path)
        counts = FileCounts(name)

        def refuse(line: int, reason: str) -> None:
            counts.rejected += 1
            reject(Rejected(name, line, reason, ""))

        taken, unread = list[Week](), list[Week | None]()
        try:
            for line, row in _rows(path):
                try:
                    lead = crm_lead(self._contact_of(row), self._where)
                except RefusedLead as why:
                    unread.append(self._week_if_any(row))
                    refuse(line, str(why))
                    continue
                if why_not := self._refusal(lead):
                    refuse(line, why_not)
                    continue
                taken.append(week_of(lead.created, self._zone))
                self._take(lead, counts)
        except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
            unread.append(None)
            refuse(0, f"the file cannot be read further: {error}")
        except BadUsage as error:
            refuse(0, str(error))
        self._leave_out(taken, unread)
        progress(path.stat().st_size if path.is_file() else 0)
        return counts

    def finish(self) -> list[Week]:
        """Put a reading of each week that is another one now into the archive; answers these weeks."""
        changed = sorted(week for week, known in self._known.items() if known.changed)
        for week in changed:
            self._write(week, self._known[week])
            self._known[week].changed = False
        return changed

    def _contact_of(self, row: Mapping[str, str]) -> dict[str, Any]:
        """The row as HubSpot would answer it."""
        where = self._where
        names = {
            "campaign_id": where.campaign,
            "adset_id": where.adset,
            "ad_id": where.ad,
            "created": "createdate",
        }
        names |= {"source": "hs_analytics_source", "lifecycle": "lifecyclestage", "status": "hs_lead_status"}
        return {"id": row.get("id"), "properties": {to: row.get(name) or None for name, to in names.items()}}

    def _week_if_any(self, row: Mapping[str, str]) -> Week | None:
        try:
            return week_of(created_of(row.get("created")), self._zone)
        except RefusedLead:
            return None

    def _refusal(self, lead: CrmLead) -> str | None:
        week = week_of(lead.created, self._zone)
        if week not in self._weeks:
            return f"{week} is outside {self._weeks}"
        return "it was created in the future" if lead.created > self._now else self._of(week).why_not

    def _take(self, lead: CrmLead, counts: FileCounts) -> None:
        week = week_of(lead.created, self._zone)
        known = self._of(week)
        if known.leads.get(lead.lead_id) == lead:
            counts.duplicate += 1
            return
        known.leads[lead.lead_id], known.changed = lead, True
        counts.loaded += 1
        counts.weeks.add(week)

    def _leave_out(self, taken: Sequence[Week], unread: Sequence[Week | None]) -> None:
        """Note rows that could not be read in their week; one without an instant in every week of the file."""
        weeks = [*taken, *(week for week in unread if week is not None)]
        if not weeks:
            return
        span = min(weeks), max(weeks)
        for week in WeekRange(*span):
            known = self._of(week) if week in self._weeks else None
            if known is None or known.why_not:
                continue
            left = {one: n for one, n in known.left_out.items() if not (span[0] <= one[0] and one[1] <= span[1])}
            if count := sum(one is None or one == week for one in unread):
                left[span] = count
            known.changed = known.changed or left != known.left_out
            known.left_out = left

    def _of(self, week: Week) -> _Known:
        if week not in self._known:
            self._known[week] = self._read(week)
        return self._known[week]

    def _read(self, week: Week) -> _Known:
        source = source_of(self._lake, week)
        if source is None:
            return _Known()
        if source != FILES:
            return _Known(why_not=f"{week} was read from HubSpot; a week is never fed from both")
        reading = Archive(self._lake, HUBSPOT).newest(week, WHAT)
        start, end = (datetime.fromisoformat(str(reading.facts.get(name))) for name in ("start", "end"))
        if (start, end) != bounds(week, self._zone):
            return _Known(why_not=f"{week} was loaded with another time zone than {self._zone.key}")
        found = ArchivedLeads(self._lake).week(week, self._zone).found.leads
        spans = {(Week.parse(first), Week.parse(last)): n for first, last, n in left_out_of(reading)}
        return _Known({one.lead_id: one for one in found}, spans)

    def _write(self, week: Week, known: _Known) -> None:
        where, (start, end) = self._where, bounds(week, self._zone)
        leads = sorted(known.leads.values(), key=lambda one: (one.created, one.lead_id))
        with Archive(self._lake, HUBSPOT).begin(week, WHAT, self._now) as writing:
            for first in range(0, max(len(leads), 1), PAGE_ROWS):
                page = [self._answered(one) for one in leads[first : first + PAGE_ROWS]]
                body = json.dumps({"total": len(leads) - first, "results": page}).encode()
                writing.keep(Exchange(PAGE, "FILE", "", {}, self._now.isoformat(), 200, {}, body))
            named = {"campaign": where.campaign, "adset": where.adset, "ad": where.ad}
            span = {"start": start.isoformat(), "end": end.isoformat()}
            left = [[first.label, last.label, n] for (first, last), n in sorted(known.left_out.items())]
            writing.complete({**span, "properties": named, "source": FILES, LEFT_OUT: left})

    def _answered(self, lead: CrmLead) -> dict[str, Any]:
        row = {
            "id": lead.lead_id,
            "created": lead.created.isoformat(),
            "campaign_id": lead.campaign_id or "",
            "adset_id": lead.adset_id or "",
            "ad_id": lead.ad_id or "",
            "source": lead.source,
            "lifecycle": lead.lifecycle,
            "status": lead.status,
        }
        return self._contact_of(row)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row by the number of its line. Raises BadUsage for a file without the columns that it needs."""
    with path.open("rb") as raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        with TextIOWrapper(gzip.open(raw) if packed else raw, encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            if missing := [one for one in REQUIRED if one not in (reader.fieldnames or ())]:
                raise BadUsage(f"the file lacks the columns {', '.join(missing)}; it needs {', '.join(REQUIRED)}")
            for row in reader:
                yield reader.line_num, {name: value for name, value in row.items() if isinstance(value, str)}
