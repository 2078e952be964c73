"""A week of ads, from Meta or from what Meta has answered before.

Belongs here: the one way to ask for a week, its two implementations, and putting answers together to a week.
Does not belong here: walking (insights.py), rows (prism_core/campaign/insights.py) and what is made of a week.
Both ways read the same answers through the same code: a week from the archive is the week that was read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from prism_core import clock
from prism_core.calendar import Week
from prism_core.campaign.account_days import day_of
from prism_core.campaign.insights import Account, AdDay, RefusedRow, Rejected, leads_of, read_insights
from prism_core.failures import PermanentFailure
from prism_core.settings import Settings
from prism_resources.archive import META, Archive, Reading
from prism_resources.credentials import meta_credentials
from prism_resources.lake import Lake
from prism_resources.meta_ads.errors import judge
from prism_resources.meta_ads.insights import ACCOUNT, CONTROL, CONTROL_AGAIN, PAGE, Days, Insights
from prism_resources.meta_ads.throttling import pause
from prism_resources.wire.calls import Answer, Calls, Keep, answer_of, object_of
from prism_resources.wire.patience import Patience, Tell, tell_nobody

WHAT: Final = "insights"
# Of a reading of files: rows that could not be read, by the first and last day of their file.
LEFT_OUT: Final = "left_out"
# What a reading is from: the account that was asked, the platform's own stand-in of it, or files that a person
# loaded (files.py). Noted with each reading: settings of another day would say it of what they never read.
FROM_META, STAND_IN, FILES = "meta", "stand_in", "files"


@dataclass(frozen=True, slots=True)
class AdAccount:
    """The account as Meta described it. `zone` is what its days and weeks are of."""

    account_id: str
    name: str
    currency: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class AdsWeek:
    """One week of one account.

    `days` were read: those that had ended when it was read, or those of a file. `control` is the account's own
    spend by day (none where nothing was delivered), None where nobody told it, as in a file; what the rows lack of
    it is `unaccounted`. `lead_control` are its leads, None also where an older reading has not asked for them.
    `repeated` rows came twice; `left_out` could not be read from files (files.py). `reading` is where the answers
    lie, from `source`.
    """

    week: Week
    account: AdAccount
    read_at: datetime
    days: tuple[date, ...]
    rows: tuple[AdDay, ...]
    repeated: int
    rejected: tuple[Rejected, ...]
    control: Mapping[date, Decimal] | None
    reading: str
    source: str
    lead_control: Mapping[date, int] | None = None
    left_out: Mapping[tuple[date, date], int] = field(default_factory=dict[tuple[date, date], int])

    @property
    def unaccounted(self) -> Decimal | None:
        """How much of the account's spend is in no row; less than nought: rows say more than the account."""
        if self.control is None:
            return None
        return sum(self.control.values(), Decimal(0)) - sum((row.spend for row in self.rows), Decimal(0))

    @property
    def uncounted(self) -> int | None:
        """How many of the account's leads are in no row; None where nobody told them."""
        if self.lead_control is None:
            return None
        return sum(self.lead_control.values()) - sum(row.leads for row in self.rows)


class AdsSource(Protocol):
    """Where weeks of ads come from."""

    def week(self, week: Week) -> AdsWeek:
        """Raises PermanentFailure (a person must act, or nothing is archived) and TransientFailure."""
        ...


class LiveAds:
    """Asks Meta, and archives every answer before it is read."""

    def __init__(
        self,
        settings: Settings,
        lake: Lake,
        *,
        patience: Patience | None = None,
        tell: Tell = tell_nobody,
        in_background: bool = False,
    ) -> None:
        """`in_background` has Meta make every answer as a job, for accounts that are always too large."""
        self._settings, self._archive = settings, Archive(lake, META)
        self._patience, self._tell, self._in_background = patience or Patience(), tell, in_background

    def week(self, week: Week) -> AdsWeek:
        """Raises PermanentFailure, TransientFailure, Cancelled."""
        now = clock.now()
        account, source = account_id(self._settings), asked_of(self._settings)
        with (
            self._archive.begin(week, WHAT, now) as writing,
            meta_calls(self._settings, self._patience, writing.keep) as calls,
        ):
            insights = Insights(calls, self._settings.meta_api_version, account, self._patience, self._tell)
            answers = writing.settled(self._answers(week, now, insights))
            found = _together(_Read(week, now, writing.prefix, source, with_leads=True), answers)
            if found.unaccounted or found.uncounted:
                again = writing.settled(insights.control(Days(found.days[0], found.days[-1]), again=True))
                found = _beside(found, list(again))
            days = [day.isoformat() for day in found.days]
            writing.complete({"account_id": account, "days": days, "source": source, "lead_control": True})
        return found

    def _answers(self, week: Week, now: datetime, insights: Insights) -> Iterator[tuple[str, Answer]]:
        account = insights.account()
        yield ACCOUNT, account
        ended = ended_days(week, _account(account).zone, now)
        if not ended:
            return
        days = Days(ended[0], ended[-1])
        for answer in insights.control(days):
            yield CONTROL, answer
        for answer in insights.ads(days, in_background=self._in_background):
            yield PAGE, answer


class ArchivedAds:
    """Weeks as they were read, without a call to Meta."""

    def __init__(self, lake: Lake, *, at: datetime | None = None) -> None:
        """`at`: as they were known then; by default the newest complete reading counts."""
        self._archive, self._at = Archive(lake, META), at

    def week(self, week: Week) -> AdsWeek:
        """Raises PermanentFailure when the archive has no complete reading of the week."""
        return self.week_of(week, self._archive.newest(week, WHAT, self._at))

    def week_of(self, week: Week, reading: Reading) -> AdsWeek:
        """One reading of a week."""
        with_leads = bool(reading.facts.get("lead_control"))
        read = _Read(week, reading.read_at, reading.prefix, _source(reading), with_leads, _days(reading))
        return replace(_together(read, _archived(reading)), left_out=_left_out(reading))


def source_of(lake: Lake, week: Week) -> str | None:
    """What the newest complete reading of a week is from; None when there is none."""
    readings = Archive(lake, META).readings(week, WHAT)
    return _source(readings[-1]) if readings else None


def asked_of(settings: Settings) -> str:
    """Whom a reading of today asks, FROM_META or STAND_IN."""
    return STAND_IN if settings.is_stand_in(settings.meta_api_url) else FROM_META


def meta_calls(settings: Settings, patience: Patience, keep: Keep) -> Calls:
    """A connection to Meta with the token of now."""
    found = meta_credentials(settings)
    return Calls(
        "Meta",
        str(settings.meta_api_url).rstrip("/"),
        token=found.access_token,
        secrets=(found.app_secret,),
        judge=judge,
        patience=patience,
        keep=keep,
        pause=pause,
    )


def account_id(settings: Settings) -> str:
    """Raises PermanentFailure when nobody has said which account it is."""
    if settings.meta_account_id is None:
        raise PermanentFailure("nobody has said whose ads are reported on; set PRISM_META_ACCOUNT_ID")
    return settings.meta_account_id


def ended_days(week: Week, zone: ZoneInfo, now: datetime) -> tuple[date, ...]:
    """The days of a week that are over in the account's time zone: the figures of a running day are none."""
    today = day_of(now, zone)
    return tuple(day for day in (week.monday + timedelta(days=n) for n in range(7)) if day < today)


def _archived(reading: Reading) -> Iterator[tuple[str, Answer]]:
    """The answers that were one, as the walk that archived them has seen them."""
    for exchange in reading.exchanges():
        answer = answer_of(exchange)
        if judge(answer) is None:
            yield exchange.step, answer


def _source(reading: Reading) -> str:
    return str(reading.facts.get("source", FROM_META))


def _days(reading: Reading) -> tuple[date, ...]:
    """The days that a reading says it is of."""
    return tuple(date.fromisoformat(str(day)) for day in reading.facts.get("days", ()))


def _left_out(reading: Reading) -> dict[tuple[date, date], int]:
    said: Any = reading.facts.get(LEFT_OUT, ())
    return {(date.fromisoformat(first), date.fromisoformat(last)): int(count) for first, last, count in said}


@dataclass(frozen=True, slots=True)
class _Read:
    """What is known of a reading beside its answers. `days` that were read; None: those that had ended."""

    week: Week
    at: datetime
    prefix: str
    source: str
    with_leads: bool
    days: tuple[date, ...] | None = None


def _together(read: _Read, answers: Iterable[tuple[str, Answer]]) -> AdsWeek:
    week, left = read.week, iter(answers)
    account = next((_account(answer) for step, answer in left if step == ACCOUNT), None)
    if account is None:
        raise PermanentFailure(f"the archived reading of {week} does not say whose it is; read the week again")
    control, leads = dict[date, Decimal](), dict[date, int]()
    asked, again = list[str](), list[Answer]()

    def rows() -> Iterator[object]:
        for step, answer in left:
            if step == PAGE:
                yield from answer.json["data"]
            elif step == CONTROL:
                asked.append(step)
                for day, spend, counted in map(_of_account, answer.json["data"]):
                    control[day], leads[day] = spend, counted
            elif step == CONTROL_AGAIN:
                again.append(answer)

    told = read.source != FILES  # a file has no such column, and lies in the archive in the same form
    found = read_insights(rows(), Account(account.account_id, account.currency), absent_is_nought=told)
    days = ended_days(week, account.zone, read.at) if read.days is None else read.days
    together = AdsWeek(
        week,
        account,
        read.at,
        days,
        found.rows,
        found.repeated,
        found.rejected,
        control if asked else None,
        read.prefix,
        read.source,
        leads if asked and read.with_leads else None,
    )
    return _beside(together, again)


def _beside(found: AdsWeek, again: Sequence[Answer]) -> AdsWeek:
    """With the account's totals of behind the walk, too: Meta counts on while pages are read.

    Rows of a day that lie between both are no difference; others are laid beside the nearer one. A day that the
    second answer does not have stays as the first one told it: an empty answer is no proof.
    """
    if not again or found.lead_control is None:
        return found
    spent, counted = dict[date, Decimal](), dict[date, int]()
    for row in found.rows:
        spent[row.day] = spent.get(row.day, Decimal(0)) + row.spend
        counted[row.day] = counted.get(row.day, 0) + row.leads
    control, leads = dict(found.control or {}), dict(found.lead_control)
    for answer in again:
        for day, spend, count in map(_of_account, answer.json["data"]):
            control[day] = sorted((control.get(day, Decimal(0)), spent.get(day, Decimal(0)), spend))[1]
            leads[day] = sorted((leads.get(day, 0), counted.get(day, 0), count))[1]
    return replace(found, control=control, lead_control=leads)


def _account(answer: Answer) -> AdAccount:
    found = object_of(answer.json)
    named = {name: str(found.get(name) or "") for name in ("account_id", "name", "currency", "timezone_name")}
    try:
        zone = ZoneInfo(named["timezone_name"])
    except (KeyError, ValueError, OSError) as error:
        raise PermanentFailure(
            f"Meta says that the account's time zone is {named['timezone_name']!r}, which nobody knows: its days "
            "cannot be told"
        ) from error
    if not named["account_id"] or not named["currency"]:
        raise PermanentFailure(
            "Meta does not say which account or currency it is; see whether the token may read it"
        )
    return AdAccount(named["account_id"], named["name"], named["currency"], zone)


def _of_account(row: Any) -> tuple[date, Decimal, int]:
    """Day, spend and leads of the whole account."""
    found = object_of(row)
    try:
        day, spend = date.fromisoformat(str(found.get("date_start"))), Decimal(str(found.get("spend", "0")))
        return day, spend, leads_of(found)
    except (ValueError, InvalidOperation, RefusedRow) as error:
        raise PermanentFailure(f"Meta's total of a day cannot be read: {str(row)[:100]}") from error
