"""Files of ads into the archive, as if Meta had answered them.

Belongs here: from paths to complete readings, counting every row as loaded, duplicate or rejected. Does not belong
here: the form of a file (prism_core/campaign/insights.py), reading a week back (source.py), what is printed.
A week is fed from files or from Meta, never from both. What files say of a week is added up: a later row of the
same ad and day counts in the place of an earlier one. Rows that could not be read are part of a week until a file
over the same days, or more, is loaded without them.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, Final

from prism_core.calendar import Week, WeekRange
from prism_core.campaign.insights import LEAD, Account, AdDay, RefusedRow, csv_rows
from prism_core.failures import BadUsage
from prism_core.worker_activity.files import Rejected
from prism_resources.archive import META, Archive
from prism_resources.lake import Lake
from prism_resources.meta_ads.insights import ACCOUNT, PAGE, PAGE_ROWS
from prism_resources.meta_ads.source import FILES, LEFT_OUT, WHAT, AdAccount, ArchivedAds, ended_days, source_of
from prism_resources.wire.exchanges import Exchange
from prism_resources.worker_activity.ingest import FileCounts, Progress, Reject, readable_name

_GZIP: Final = b"\x1f\x8b"

Ad = tuple[date, str]
Span = tuple[date, date]


@dataclass(slots=True)
class _Known:
    """What is known of a week. `ended`: the days that may be loaded, none where Meta was read.

    `left_out`: how many rows of it could not be read, by the first and last day of the file that they stood in.
    """

    ended: frozenset[date]
    rows: dict[Ad, AdDay] = field(default_factory=dict[Ad, AdDay])
    days: set[date] = field(default_factory=set[date])
    left_out: dict[Span, int] = field(default_factory=dict[Span, int])
    changed: bool = False


class AdsIngest:
    """Loads files one after the other; `finish` makes what is new count."""

    def __init__(self, lake: Lake, weeks: WeekRange, account: AdAccount, now: datetime) -> None:
        """`account` is whose ads the files are of: they name none."""
        self._lake, self._weeks, self._account, self._now = lake, weeks, account, now
        self._known: dict[Week, _Known] = {}

    def load(self, path: Path, reject: Reject, progress: Progress) -> FileCounts:
        """Read one file. Never raises for its content: every row that is not taken goes to `reject`.

        The days from its first to its last row count as read: one without a row had no delivery.
        """
        name = readable_name(path)
        counts = FileCounts(name)

        def refuse(line: int, reason: str, excerpt: str = "") -> None:
            counts.rejected += 1
            reject(Rejected(name, line, reason, excerpt))

        taken, unread = list[date](), list[date | None]()
        try:
            for line, row in self._rows(path):
                if isinstance(row, RefusedRow):
                    unread.append(row.day)
                    refuse(line, f"{row.field}: {row.reason}", row.found)
                elif why := self._refusal(row):
                    refuse(line, why, f"{row.day}, ad {row.ad_id}")
                else:
                    taken.append(row.day)
                    self._take(row, counts)
        except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
            unread.append(None)
            refuse(0, f"the file cannot be read further: {error}")
        except BadUsage as error:
            refuse(0, str(error))
        if taken:
            self._cover(min(taken), max(taken))
        self._leave_out(taken, unread)
        progress(path.stat().st_size if path.is_file() else 0)
        return counts

    def finish(self) -> list[Week]:
        """Put a reading of each week that is another one now into the archive; answers these weeks.

        What it did before it was killed counts, and loading the same files again does the rest.
        """
        changed = sorted(week for week, known in self._known.items() if known.changed)
        for week in changed:
            self._write(week, self._known[week])
            self._known[week].changed = False
        return changed

    def _rows(self, path: Path) -> Iterator[tuple[int, AdDay | RefusedRow]]:
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            with TextIOWrapper(gzip.open(raw) if packed else raw, encoding="utf-8-sig", newline="") as lines:
                yield from csv_rows(lines, Account(self._account.account_id, self._account.currency))

    def _refusal(self, row: AdDay) -> str | None:
        week = Week.of(row.day)
        if week not in self._weeks:
            return f"{week} is outside {self._weeks}"
        known = self._of(week)
        if not known.ended:
            return f"{week} was read from Meta, or has not begun; a week is never fed from both"
        return None if row.day in known.ended else f"{row.day} is not over in {self._account.zone.key}"

    def _take(self, row: AdDay, counts: FileCounts) -> None:
        week = Week.of(row.day)
        known, place = self._of(week), (row.day, row.ad_id)
        if known.rows.get(place) == row:
            counts.duplicate += 1
            return
        known.rows[place], known.changed = row, True
        counts.loaded += 1
        counts.weeks.add(week)

    def _cover(self, first: date, last: date) -> None:
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
            known = self._of(Week.of(day)) if Week.of(day) in self._weeks else None
            if known is not None and day in known.ended and day not in known.days:
                known.days.add(day)
                known.changed = True

    def _leave_out(self, taken: Sequence[date], unread: Sequence[date | None]) -> None:
        """Note rows that could not be read in their week; one without a day in every week that the file is of.

        Nobody knows where it belongs, and none of these weeks may be told as whole.
        """
        days = [*taken, *(day for day in unread if day is not None)]
        if not days:
            return
        span = min(days), max(days)
        for week in WeekRange(Week.of(span[0]), Week.of(span[1])):
            known = self._of(week) if week in self._weeks else None
            if known is None or not known.ended:
                continue
            left = {one: n for one, n in known.left_out.items() if not (span[0] <= one[0] and one[1] <= span[1])}
            if count := sum(day is None or day in week.days for day in unread):
                left[span] = count
            known.changed = known.changed or left != known.left_out
            known.left_out = left

    def _of(self, week: Week) -> _Known:
        if week not in self._known:
            self._known[week] = self._read(week)
        return self._known[week]

    def _read(self, week: Week) -> _Known:
        ended = frozenset(ended_days(week, self._account.zone, self._now))
        source = source_of(self._lake, week)
        if source != FILES:
            return _Known(ended if source is None else frozenset())
        found = ArchivedAds(self._lake).week(week)
        # The files named no account: what was loaded under another one is of this one now.
        rows = (
            replace(row, account_id=self._account.account_id, currency=self._account.currency)
            for row in found.rows
        )
        other = replace(found.account, name=self._account.name) != self._account
        by_place = {(row.day, row.ad_id): row for row in rows}
        return _Known(ended, by_place, set(found.days), dict(found.left_out), other)

    def _write(self, week: Week, known: _Known) -> None:
        account = self._account
        described = {
            "account_id": account.account_id,
            "name": account.name,
            "currency": account.currency,
            "timezone_name": account.zone.key,
        }
        with Archive(self._lake, META).begin(week, WHAT, self._now) as writing:
            writing.keep(self._exchange(ACCOUNT, described))
            rows = (_answered(known.rows[place]) for place in sorted(known.rows))
            for page in _pages(rows):
                writing.keep(self._exchange(PAGE, {"data": page}))
            days = [day.isoformat() for day in sorted(known.days)]
            left = [
                [first.isoformat(), last.isoformat(), n] for (first, last), n in sorted(known.left_out.items())
            ]
            said = {"account_id": account.account_id, "days": days, "source": FILES}
            writing.complete(said | ({LEFT_OUT: left} if left else {}))

    def _exchange(self, step: str, body: Mapping[str, Any]) -> Exchange:
        return Exchange(step, "FILE", "", {}, self._now.isoformat(), 200, {}, json.dumps(body).encode())


def _pages(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    left = iter(rows)
    while page := list(islice(left, PAGE_ROWS)):
        yield page


def _answered(one: AdDay) -> dict[str, Any]:
    """A row as Meta would have answered it: numbers are texts, what is nought may be absent."""
    row: dict[str, Any] = {
        "account_id": one.account_id,
        "account_currency": one.currency,
        "campaign_id": one.campaign_id,
        "campaign_name": one.campaign_name,
        "adset_id": one.adset_id,
        "adset_name": one.adset_name,
        "ad_id": one.ad_id,
        "ad_name": one.ad_name,
        "date_start": one.day.isoformat(),
        "date_stop": one.day.isoformat(),
        "impressions": str(one.impressions),
        "clicks": str(one.clicks),
        "spend": str(one.spend),
    }
    return row | ({"actions": [{"action_type": LEAD, "value": str(one.leads)}]} if one.leads else {})
