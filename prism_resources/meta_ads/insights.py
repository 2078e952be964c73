"""Walking through what Meta says of one account: the account, its totals by day, and every ad by day.

Belongs here: parameters, paging, halving what is too much, and jobs in the background. Does not belong here:
attempts and errors (wire/, errors.py), what a row means (prism_core/campaign/insights.py), archive and weeks
(source.py).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from prism_core.failures import PermanentFailure, TransientFailure
from prism_resources.wire.calls import Answer, Calls, Do, TooMuch, object_of
from prism_resources.wire.patience import Patience, Progress, Tell

ACCOUNT, CONTROL, CONTROL_AGAIN, PAGE, JOB = "account", "control", "control_again", "page", "job"
ACCOUNT_FIELDS: Final = "id,account_id,name,currency,timezone_name,account_status"
FIELDS: Final = (
    *("account_id", "account_currency", "campaign_id", "campaign_name", "adset_id", "adset_name"),
    *("ad_id", "ad_name", "objective", "impressions", "clicks", "inline_link_clicks", "spend", "actions"),
)
# All there are: unless it is asked for them, the ad level leaves out ads that were deleted, and what they cost.
STATUSES: Final = (
    *("ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "PENDING_REVIEW", "DISAPPROVED", "PREAPPROVED", "IN_PROCESS"),
    *("PENDING_BILLING_INFO", "CAMPAIGN_PAUSED", "ADSET_PAUSED", "WITH_ISSUES"),
)
PAGE_ROWS, LEAST_PAGE_ROWS = 500, 25
JOBS_AT_MOST: Final = 3
_POLL_SECONDS, _MOST_POLL_SECONDS, _MOST_JOB_SECONDS = 5.0, 60.0, 1800.0
_OVER: Final = frozenset({"Failed", "Skipped"})


@dataclass(frozen=True, slots=True)
class Days:
    """First and last day, both included, of the account's time zone."""

    since: date
    until: date

    def halves(self) -> "tuple[Days, Days]":
        middle = self.since + (self.until - self.since) // 2
        return Days(self.since, middle), Days(middle + timedelta(days=1), self.until)

    def __str__(self) -> str:
        return f"{self.since}..{self.until}"


class JobLost(TransientFailure):
    """Jobs in the background ended without a result, one after the other."""


class Insights:
    """One account. Every method answers what came, in order, as it came."""

    def __init__(self, calls: Calls, version: str, account_id: str, patience: Patience, tell: Tell) -> None:
        """`account_id` without `act_`."""
        self._calls, self._version, self._patience, self._tell = calls, version, patience, tell
        self._account = f"/{version}/act_{account_id}"
        self._limit, self._rows = PAGE_ROWS, 0

    def account(self) -> Answer:
        """Name, currency and time zone."""
        return self._calls.get(ACCOUNT, self._account, {"fields": ACCOUNT_FIELDS})

    def control(self, days: Days, *, again: bool = False) -> Iterator[Answer]:
        """Spend and leads of the whole account by day: what the ads must come to. `again`: behind their walk."""
        fields = {
            "level": "account",
            "fields": "account_id,account_currency,spend,actions",
            "use_unified_attribution_setting": "true",
        }
        step = CONTROL_AGAIN if again else CONTROL
        yield from self._walk(step, f"{self._account}/insights", fields | _of(days), days)

    def ads(self, days: Days, *, in_background: bool = False) -> Iterator[Answer]:
        """Every ad by day. What is too much is asked for in smaller pages, then by fewer days, then as a job.

        `in_background` begins with the job. A row may come twice: what was begun too large is begun again.
        """
        asked = {
            "level": "ad",
            "fields": ",".join(FIELDS),
            "filtering": json.dumps([{"field": "ad.effective_status", "operator": "IN", "value": STATUSES}]),
            "use_unified_attribution_setting": "true",
        }
        try:
            if in_background:
                yield from self._job(asked | _of(days), days)
            else:
                yield from self._walk(PAGE, f"{self._account}/insights", asked | _of(days), days)
        except (TooMuch, JobLost) as why:
            if days.since < days.until:
                for half in days.halves():
                    yield from self.ads(half, in_background=in_background)
            elif in_background:
                raise TransientFailure(f"insights of {days.since}: {why}") from why
            else:
                yield from self.ads(days, in_background=True)

    def _walk(self, step: str, path: str, asked: Mapping[str, str], days: Days) -> Iterator[Answer]:
        after: str | None = None
        behind = set[str]()
        while True:
            cursor = {} if after is None else {"after": after}
            try:
                answer = self._calls.get(step, path, {**asked, "limit": self._limit, **cursor})
            except TooMuch as why:
                if why.do is not Do.SMALLER_PAGES or self._limit <= LEAST_PAGE_ROWS:
                    raise
                self._limit = max(self._limit // 2, LEAST_PAGE_ROWS)
                continue
            if not isinstance(answer.json.get("data"), list):
                raise TransientFailure(f"insights of {days}: Meta answered a page without data; try again later")
            yield answer
            if step == PAGE:
                self._rows += len(answer.json["data"])
                self._tell(Progress(f"insights of {days}", self._rows))
            after = _next(answer.json)
            if after is None:
                return
            if after in behind:
                raise TransientFailure(f"insights of {days}: Meta's pages lead in a circle; try again later")
            behind.add(after)

    def _job(self, asked: Mapping[str, str], days: Days) -> Iterator[Answer]:
        for _ in range(JOBS_AT_MOST):
            begun = self._calls.post(JOB, f"{self._account}/insights", asked)
            run = str(object_of(begun.json).get("report_run_id") or "")
            if not run.isdecimal():
                raise TransientFailure(f"insights of {days}: Meta named no job; try again later")
            ended = self._wait_for(run, days)
            if ended == "Completed":
                yield from self._walk(PAGE, f"/{self._version}/{run}/insights", {}, days)
                return
        raise JobLost(f"Meta ended {JOBS_AT_MOST} jobs without a result, the last one as {ended}")

    def _wait_for(self, run: str, days: Days) -> str:
        """How a job ended: `Completed`, `Failed` or `Skipped`. At 100 percent it may still be running."""
        waited, step = 0.0, _POLL_SECONDS
        while True:
            fields = {"fields": "id,async_status,async_percent_completion"}
            found = self._calls.get(JOB, f"/{self._version}/{run}", fields).json
            status = str(found.get("async_status", "")).removeprefix("Job ")
            percent = found.get("async_percent_completion")
            share = percent / 100 if isinstance(percent, int) else None
            self._tell(Progress(f"job of {days}: {status or 'no status'}", self._rows, share))
            if status == "Completed" or status in _OVER:
                return status
            if waited >= _MOST_JOB_SECONDS:
                raise TransientFailure(
                    f"insights of {days}: Meta's job was {status or 'without a status'} for {waited / 60:.0f} "
                    "minutes; try again later"
                )
            self._patience.wait(step, f"Meta's job for insights of {days} is not done")
            waited, step = waited + step, min(step * 1.5, _MOST_POLL_SECONDS)


def _of(days: Days) -> dict[str, str]:
    span = json.dumps({"since": days.since.isoformat(), "until": days.until.isoformat()})
    return {"time_range": span, "time_increment": "1"}


def _next(page: Mapping[str, Any]) -> str | None:
    """The cursor of the next page. The last page has a cursor, too, but no address of a next one.

    Only the cursor is used: the address carries the token, and could name another host.
    """
    paging = object_of(page.get("paging"))
    following = paging.get("next")
    if not isinstance(following, str):
        return None
    after = object_of(paging.get("cursors")).get("after")
    if isinstance(after, str) and after:
        return after
    named = parse_qs(urlsplit(following).query).get("after", [""])[-1]
    if not named:
        raise PermanentFailure("Meta names a next page without a cursor; this is a fault in PRISM, report it")
    return named
