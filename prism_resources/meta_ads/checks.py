"""Whether the next reading of Meta will work, looked at before it is needed.

Belongs here: the token (whether it is valid, for how long, what it may), the account, and the mode of the app.
Does not belong here: readings (source.py) and who is told.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from prism_core.calendar import Week
from prism_core.campaign.account_days import bounds
from prism_core.failures import PermanentFailure, PrismFailure
from prism_core.reports.hours import instant_of, on_monday
from prism_core.settings import Settings
from prism_resources.credentials import meta_credentials
from prism_resources.meta_ads.errors import judge
from prism_resources.meta_ads.insights import ACCOUNT, ACCOUNT_FIELDS, Days, Insights
from prism_resources.meta_ads.source import account_id, meta_calls
from prism_resources.meta_ads.throttling import access_tier, used_percent
from prism_resources.wire.calls import Calls, keep_nothing, object_of
from prism_resources.wire.findings import Finding, Level
from prism_resources.wire.patience import Patience, tell_nobody

TOKEN, SCOPES, THE_ACCOUNT, MODE = "meta token", "meta permissions", "meta account", "meta app"
INSIGHTS: Final = "meta insights"
HOUR: Final = "meta hour"
# Any of them reads insights.
READING_SCOPES: Final = frozenset({"ads_read", "ads_management"})
# Two Mondays: who is on holiday this week reads it the next one.
_SOON: Final = timedelta(days=14)
_ACTIVE: Final = 1
_MONDAYS: Final = 53
_RENEW: Final = "make a new one of the system user in Business Settings and put it into the secret"


def check_meta(settings: Settings, now: datetime, patience: Patience | None = None) -> list[Finding]:
    """Every finding about Meta; raises nothing."""
    patient = patience or Patience(most_seconds=60)
    return [*_token(settings, now, patient), *_account(settings, now, patient)]


def _token(settings: Settings, now: datetime, patience: Patience) -> Iterator[Finding]:
    try:
        found = meta_credentials(settings)
        app_token = f"{found.app_id}|{found.app_secret}"
        secrets = (found.access_token, found.app_secret)
        url = str(settings.meta_api_url).rstrip("/")
        with Calls("Meta", url, token=app_token, secrets=secrets, judge=judge, patience=patience) as calls:
            asked = {"input_token": found.access_token, "access_token": app_token}
            answer = calls.get("token", f"/{settings.meta_api_version}/debug_token", asked)
    except PrismFailure as error:
        yield Finding(TOKEN, Level.FAILED, str(error))
        return
    token = object_of(object_of(answer.json).get("data"))
    yield _validity(token, found.app_id, now)
    granted = {str(one) for one in token.get("scopes") or ()}
    if READING_SCOPES & granted:
        yield Finding(SCOPES, Level.OK, f"the token may read ads ({', '.join(sorted(READING_SCOPES & granted))})")
    else:
        has = f"it has {', '.join(sorted(granted))}" if granted else "it has none"
        yield Finding(SCOPES, Level.FAILED, f"the token lacks ads_read ({has}); make one with that permission")


def _validity(token: Mapping[str, Any], app_id: str, now: datetime) -> Finding:
    if token.get("is_valid") is not True:
        why = str(object_of(token.get("error")).get("message") or "Meta does not say why")
        return Finding(TOKEN, Level.FAILED, f"the token is not valid ({why}); {_RENEW}")
    if str(token.get("app_id")) != app_id:
        return Finding(
            TOKEN,
            Level.FAILED,
            f"the token is of app {token.get('app_id')}, the secret names app {app_id}; put both of one app there",
        )
    ends = [end for end in (_instant(token.get(name)) for name in ("expires_at", "data_access_expires_at")) if end]
    if not ends:
        return Finding(TOKEN, Level.OK, "the token does not expire")
    end = min(ends)
    if end <= now:
        return Finding(TOKEN, Level.FAILED, f"the token ended on {end.date()}; {_RENEW}")
    level = Level.WARNING if end - now < _SOON else Level.OK
    return Finding(TOKEN, level, f"the token ends on {end.date()}" + (f"; {_RENEW}" if level != Level.OK else ""))


def _account(settings: Settings, now: datetime, patience: Patience) -> Iterator[Finding]:
    try:
        with meta_calls(settings, patience, keep_nothing) as calls:
            path = f"/{settings.meta_api_version}/act_{account_id(settings)}"
            answer = calls.get(ACCOUNT, path, {"fields": ACCOUNT_FIELDS})
            yield _insights(calls, settings, patience, now)
    except PrismFailure as error:
        yield Finding(THE_ACCOUNT, Level.FAILED, str(error))
        return
    account = object_of(answer.json)
    shown = f"account {account.get('account_id')} in {account.get('currency')}, {account.get('timezone_name')}"
    if account.get("account_status") == _ACTIVE:
        yield Finding(THE_ACCOUNT, Level.OK, shown)
    else:
        status = account.get("account_status")
        yield Finding(THE_ACCOUNT, Level.WARNING, f"{shown} is not active (status {status}): it may stop spending")
    yield from read_too_early(settings, str(account.get("timezone_name")), now)
    tier, used = access_tier(answer.headers), used_percent(answer.headers)
    if tier == "development_access":
        yield Finding(
            MODE,
            Level.WARNING,
            "the app has development access, whose limits of calls are low; ask for advanced access of ads_read, "
            "which wants 1,500 calls in 15 days",
        )
    elif tier is not None:
        yield Finding(MODE, Level.OK, f"the app has {tier}; {used:.0f} % of its limits are used")


def _insights(calls: Calls, settings: Settings, patience: Patience, now: datetime) -> Finding:
    """A day of the account as Monday asks for it: a token may read the account and not its insights."""
    day = (now - timedelta(days=2)).date()
    try:
        walk = Insights(calls, settings.meta_api_version, account_id(settings), patience, tell_nobody)
        found = sum(len(answer.json["data"]) for answer in walk.control(Days(day, day)))
    except PrismFailure as error:
        return Finding(INSIGHTS, Level.FAILED, str(error))
    had = "had delivery" if found else "had no delivery"
    return Finding(INSIGHTS, Level.OK, f"insights are answered: the account {had} on {day}")


def read_too_early(settings: Settings, account_zone: str, now: datetime) -> Iterator[Finding]:
    """Whether some Monday of a year ads are read before the account's Sunday is over: that day is in no figure."""
    at = on_monday(settings.campaign_figures_cron)
    try:
        theirs, ours = ZoneInfo(account_zone), ZoneInfo(settings.report_time_zone)
    except (KeyError, ValueError, OSError):  # told by whoever reads a week of it
        return
    if at is None:
        return
    minute, hour = at.minute, at.hour
    this = Week.of(now.astimezone(ours).date())
    needed: list[int] = []
    for week in (this + ahead for ahead in range(_MONDAYS)):
        ended, monday = bounds(week, theirs)[1], week.sunday + timedelta(days=1)
        hours = (one for one in range(24) if instant_of(monday, time(one, minute), ours) >= ended)
        needed.append(next(hours, 23))
    if hour < max(needed):
        said = (
            f"ads are read on Monday at {hour:02}:{minute:02} of {ours.key}, when it is still Sunday in "
            f"{theirs.key}: "
            f'that day would be in no report; set PRISM_CAMPAIGN_FIGURES_CRON to "{minute} {max(needed)} * * 1"'
        )
        yield Finding(HOUR, Level.FAILED, said)


def _instant(found: object) -> datetime | None:
    """Epoch seconds; nought means never."""
    if not isinstance(found, int) or found <= 0:
        return None
    try:
        return datetime.fromtimestamp(found, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise PermanentFailure(f"Meta names an end of the token that is no instant: {found}") from error
