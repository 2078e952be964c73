"""A week of leads, from HubSpot or from what HubSpot has answered before.

Belongs here: the one way to ask for a week, and its two implementations. Does not belong here: walking
(contacts.py), contacts (prism_core/campaign/leads.py), and which campaign a lead is of.
A week is that of the ad account. What could name a person is taken out of an answer before it is archived.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from prism_core import clock
from prism_core.calendar import Week
from prism_core.campaign.account_days import bounds
from prism_core.campaign.contact_pages import without_people
from prism_core.campaign.leads import AdIds, LeadsRead, read_contacts
from prism_core.failures import PermanentFailure
from prism_core.settings import Settings
from prism_resources.archive import HUBSPOT, Archive, Reading
from prism_resources.credentials import hubspot_credentials
from prism_resources.hubspot.contacts import PAGE, PAUSE_SECONDS, contacts, total_of
from prism_resources.hubspot.errors import judge
from prism_resources.lake import Lake
from prism_resources.wire.calls import Answer, Calls, Keep, answer_of
from prism_resources.wire.patience import Patience, Tell, tell_nobody

WHAT: Final = "contacts"
# What a reading is from: the customer system that was asked, the platform's own stand-in of it, or files.
FROM_HUBSPOT, STAND_IN, FILES = "hubspot", "stand_in", "files"
# Of a reading of files: rows that could not be read, by the first and last week of their file.
LEFT_OUT: Final = "left_out"


@dataclass(frozen=True, slots=True)
class LeadsWeek:
    """The contacts that were created from `start` until before `end`, in UTC.

    `expected` is how many HubSpot said there are, before the walk or behind it, whichever were fewer (contacts are
    merged while they are read); None where it did not say so. `left_out`: rows of files that could not be read.
    `reading` is where the answers lie, from `source`.
    """

    week: Week
    start: datetime
    end: datetime
    read_at: datetime
    found: LeadsRead
    expected: int | None
    reading: str
    source: str
    left_out: int = 0


class LeadsSource(Protocol):
    """Where weeks of leads come from."""

    def week(self, week: Week, zone: ZoneInfo) -> LeadsWeek:
        """`zone` is that of the ad account. Raises PermanentFailure and TransientFailure."""
        ...


class LiveLeads:
    """Asks HubSpot, and archives every answer before it is read."""

    def __init__(
        self, settings: Settings, lake: Lake, *, patience: Patience | None = None, tell: Tell = tell_nobody
    ) -> None:
        self._settings, self._archive = settings, Archive(lake, HUBSPOT)
        self._patience, self._tell = patience or Patience(), tell

    def week(self, week: Week, zone: ZoneInfo) -> LeadsWeek:
        """Raises PermanentFailure, TransientFailure, Cancelled."""
        now, (start, end) = clock.now(), bounds(week, zone)
        where = ad_ids(self._settings)
        named = {"campaign": where.campaign, "adset": where.adset, "ad": where.ad}
        source = STAND_IN if self._settings.is_stand_in(self._settings.hubspot_api_url) else FROM_HUBSPOT
        with (
            self._archive.begin(week, WHAT, now) as writing,
            hubspot_calls(self._settings, self._patience, writing.keep) as calls,
        ):
            answers = contacts(calls, start, end, where, self._tell)
            found, expected = _together(writing.settled(answers), where)
            span = {"start": start.isoformat(), "end": end.isoformat()}
            writing.complete({**span, "properties": named, "source": source})
        return LeadsWeek(week, start, end, now, found, expected, writing.prefix, source)


class ArchivedLeads:
    """Weeks as they were read, without a call to HubSpot."""

    def __init__(self, lake: Lake, *, at: datetime | None = None) -> None:
        """`at`: as they were known then; by default the newest complete reading counts."""
        self._archive, self._at = Archive(lake, HUBSPOT), at

    def has(self, week: Week) -> bool:
        """Whether there is a complete reading of the week."""
        return any(self._at is None or one.read_at <= self._at for one in self._archive.readings(week, WHAT))

    def week(self, week: Week, zone: ZoneInfo) -> LeadsWeek:
        """Raises PermanentFailure when the archive has no complete reading of the week in that time zone."""
        reading = self._archive.newest(week, WHAT, self._at)
        start, end = (datetime.fromisoformat(str(reading.facts.get(name))) for name in ("start", "end"))
        if (start, end) != bounds(week, zone):
            raise PermanentFailure(
                f"the archived contacts of {week} are from {start.isoformat()} to {end.isoformat()}, which is "
                f"not the week of {zone.key}; read the week again"
            )
        named: Any = reading.facts.get("properties")
        found, expected = _together(_archived(reading), AdIds(**named))
        left = sum(count for _, _, count in left_out_of(reading))
        return LeadsWeek(
            week, start, end, reading.read_at, found, expected, reading.prefix, _source(reading), left
        )


def source_of(lake: Lake, week: Week) -> str | None:
    """What the newest complete reading of a week is from; None when there is none."""
    readings = Archive(lake, HUBSPOT).readings(week, WHAT)
    return _source(readings[-1]) if readings else None


def left_out_of(reading: Reading) -> list[tuple[str, str, int]]:
    """First and last week of a file, and how many of its rows could not be read."""
    said: Any = reading.facts.get(LEFT_OUT, ())
    return [(str(first), str(last), int(count)) for first, last, count in said]


def _source(reading: Reading) -> str:
    return str(reading.facts.get("source", FROM_HUBSPOT))


def ad_ids(settings: Settings) -> AdIds:
    """Where contacts carry the ids of Meta."""
    return AdIds(settings.hubspot_campaign_property, settings.hubspot_adset_property, settings.hubspot_ad_property)


def hubspot_calls(settings: Settings, patience: Patience, keep: Keep) -> Calls:
    """A connection to HubSpot with the token of now."""
    where = ad_ids(settings)
    return Calls(
        "HubSpot",
        str(settings.hubspot_api_url).rstrip("/"),
        token=hubspot_credentials(settings).access_token,
        judge=judge,
        patience=patience,
        keep=keep,
        cut=lambda body: without_people(body, where),
        pause=lambda _: PAUSE_SECONDS,
    )


def _archived(reading: Reading) -> Iterator[tuple[str, Answer]]:
    for exchange in reading.exchanges():
        answer = answer_of(exchange)
        if judge(answer) is None:
            yield exchange.step, answer


def _together(answers: Iterable[tuple[str, Answer]], where: AdIds) -> tuple[LeadsRead, int | None]:
    totals: dict[str, int] = {}

    def found() -> Iterator[object]:
        for step, answer in answers:
            total = total_of(answer)
            if total is not None:
                totals.setdefault(step, total)  # a later page counts what is left
            if step == PAGE:
                yield from answer.json["results"]

    read = read_contacts(found(), where)
    return read, min(totals.values(), default=None)
