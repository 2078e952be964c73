"""The Graph API of Meta as far as PRISM asks it, on loopback.

Belongs here: the account, insights at two levels, jobs, the check of a token, in Meta's form. Does not belong
here: figures (ads.py), faults (faults.py) and who may call at all (app.py).
Numbers are texts, metrics that are nought are left out, the address of a next page carries the caller's token.
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.standins.ads import AdFigures, between
from infra.local.standins.faults import meta_error
from infra.local.standins.world import APP_ID, JOB_STATES, World
from prism_core import clock

_DEFAULT_ROWS: Final = 25
_KNOWN_FIELDS: Final = frozenset(
    {
        *(
            "account_id",
            "account_name",
            "account_currency",
            "campaign_id",
            "campaign_name",
            "adset_id",
            "adset_name",
        ),
        *("ad_id", "ad_name", "objective", "impressions", "clicks", "inline_link_clicks", "spend", "actions"),
    }
)
_PERCENT: Final = {"Job Not Started": 0, "Job Started": 5, "Job Completed": 100}


class _Wrong(Exception):
    """A question that Meta would not answer; with the status and body that it gets instead."""

    def __init__(self, body: Mapping[str, Any], status: int = 400) -> None:
        self.body, self.status = body, status
        super().__init__(status)


@dataclass(slots=True)
class _Job:
    rows: Sequence[Mapping[str, Any]]
    states: tuple[str, ...]
    asked: int = 0

    def state(self) -> str:
        """Each question moves it on by one."""
        found = self.states[min(self.asked, len(self.states) - 1)]
        self.asked += 1
        return found


class Meta:
    """One ad account, and the jobs that were begun on it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._jobs: dict[str, _Job] = {}
        self._last: tuple[tuple[object, ...], Sequence[Mapping[str, Any]]] | None = None

    def routes(self) -> list[Route]:
        return [
            Route("/{version}/debug_token", self._answering(self._token)),
            Route("/{version}/act_{account}", self._answering(self._account)),
            Route("/{version}/act_{account}/insights", self._answering(self._insights)),
            Route("/{version}/act_{account}/insights", self._answering(self._begin), methods=["POST"]),
            Route("/{version}/{run}/insights", self._answering(self._result)),
            Route("/{version}/{run}", self._answering(self._state)),
        ]

    def _answering(self, answer: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            given: dict[str, str] = dict(request.query_params)
            if request.method == "POST":
                given |= dict(parse_qsl((await request.body()).decode()))
            await asyncio.sleep(self._world.page_seconds)
            try:
                self._admit(request, given)
                body, status = answer(request, given), 200
            except _Wrong as wrong:
                body, status = wrong.body, wrong.status
            return JSONResponse(body, status, headers=self._headers(request))

        return endpoint

    def _admit(self, request: Request, given: Mapping[str, str]) -> None:
        tokens = self._world.tokens
        sent = request.headers.get("authorization", "").removeprefix("Bearer ") or given.get("access_token", "")
        allowed = {f"{APP_ID}|{tokens.app_secret}"} if request.url.path.endswith("/debug_token") else {tokens.meta}
        if sent not in allowed:
            raise _Wrong(meta_error(190, message="Invalid OAuth access token - Cannot parse access token"), 401)
        account = request.path_params.get("account")
        if account is not None and account != self._world.account_id:
            words = f"Unsupported get request. Object with ID 'act_{account}' does not exist"
            raise _Wrong(meta_error(100, 33, message=words))

    def _headers(self, request: Request) -> dict[str, str]:
        tier = {"ads_api_access_tier": self._world.tier}
        usage = {"type": "ads_insights", "call_count": 1, "total_cputime": 1, "total_time": 1} | tier
        usage["estimated_time_to_regain_access"] = 0
        return {
            "facebook-api-version": request.path_params.get("version", ""),
            "x-fb-request-id": "AStandInRequest",
            "x-business-use-case-usage": json.dumps({self._world.account_id: [usage]}),
            "x-app-usage": '{"call_count":1,"total_cputime":1,"total_time":1}',
            "x-fb-ads-insights-throttle": json.dumps({"app_id_util_pct": 1.5, "acc_id_util_pct": 1.0} | tier),
            "set-cookie": "datr=never-kept; Path=/",
        }

    def _token(self, _: Request, given: Mapping[str, str]) -> Mapping[str, Any]:
        world = self._world
        if given.get("input_token") != world.tokens.meta:
            error = {"code": 190, "message": "The access token could not be decrypted"}
            return {"data": {"app_id": APP_ID, "is_valid": False, "scopes": [], "error": error}}
        ended = 0 < world.expires_at <= clock.now().timestamp()
        return {
            "data": {
                "app_id": APP_ID,
                "type": "SYSTEM_USER",
                "application": "Synthetic app",
                "data_access_expires_at": 0,
                "expires_at": world.expires_at,
                "is_valid": not ended,
                "scopes": list(world.scopes),
                **({"error": {"code": 190, "subcode": 463, "message": "Session has expired"}} if ended else {}),
            }
        }

    def _account(self, _: Request, given: Mapping[str, str]) -> Mapping[str, Any]:
        world = self._world
        known = {
            "account_id": world.account_id,
            "name": world.name,
            "currency": world.currency,
            "timezone_name": world.zone.key,
            "account_status": 1,
        }
        asked = set(given.get("fields", "").split(","))
        return {name: value for name, value in known.items() if name in asked} | {"id": f"act_{world.account_id}"}

    def _insights(self, request: Request, given: Mapping[str, str]) -> Mapping[str, Any]:
        rows = self._rows(given)
        if self._world.most_rows is not None and len(rows) > self._world.most_rows:
            raise _Wrong(meta_error(100, 1487534, message="Too many data rows in the result"))
        return self._page(request, given, rows)

    def _begin(self, _: Request, given: Mapping[str, str]) -> Mapping[str, Any]:
        run = str(6000000000000000 + len(self._jobs))
        states = self._world.jobs.popleft() if self._world.jobs else JOB_STATES
        self._jobs[run] = _Job(self._rows(given), states)
        return {"report_run_id": run}

    def _state(self, request: Request, _: Mapping[str, str]) -> Mapping[str, Any]:
        run = request.path_params["run"]
        state = self._job(run).state()
        # As Meta does: 100 percent while it is still running.
        return {"id": run, "async_status": state, "async_percent_completion": _PERCENT.get(state, 100)}

    def _result(self, request: Request, given: Mapping[str, str]) -> Mapping[str, Any]:
        job = self._job(request.path_params["run"])
        if job.states[min(max(job.asked - 1, 0), len(job.states) - 1)] != "Job Completed":
            raise _Wrong(meta_error(2601, 1815107, message="Error accessing adreport job.", is_transient=True))
        return self._page(request, given, job.rows)

    def _job(self, run: str) -> _Job:
        if run not in self._jobs:
            raise _Wrong(meta_error(100, 33, message=f"Object with ID '{run}' does not exist"))
        return self._jobs[run]

    def _page(
        self, request: Request, given: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        limit = min(int(given.get("limit", _DEFAULT_ROWS)), self._world.page_rows)
        first = _offset(given.get("after"))
        page = rows[first : first + limit]
        if not page:
            return {"data": []}
        cursors = {"before": _cursor(first), "after": _cursor(first + len(page))}
        paging: dict[str, Any] = {"cursors": cursors}
        if first + len(page) < len(rows):
            following = request.url.include_query_params(
                access_token=self._world.tokens.meta, limit=limit, after=cursors["after"]
            )
            paging["next"] = str(following)
        return {"data": page, "paging": paging}

    def _rows(self, given: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        """The rows of a question, which are the same for each of its pages."""
        parts = ("level", "fields", "filtering", "time_range", "time_increment")
        key = (self._world.today(), self._world.ads, self._world.currency, *(given.get(name) for name in parts))
        if self._last is None or self._last[0] != key:
            self._last = key, self._found(given)
        return self._last[1]

    def _found(self, given: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        fields = [name for name in given.get("fields", "impressions,spend").split(",") if name]
        if unknown := [name for name in fields if name not in _KNOWN_FIELDS]:
            raise _Wrong(meta_error(100, message=f"(#100) {unknown[0]} is not valid for fields param"))
        try:
            span = json.loads(given["time_range"])
            since, until = (date.fromisoformat(span[name]) for name in ("since", "until"))
        except (KeyError, ValueError, TypeError):
            raise _Wrong(meta_error(100, message="(#100) param time_range must be a valid range")) from None
        if given.get("time_increment") != "1":
            raise _Wrong(meta_error(100, message="The stand-in answers by day only: time_increment=1"))
        shown = [one for one in between(self._world.ads, since, until) if one.day <= self._world.today()]
        if given.get("level") == "account":
            days = groupby(shown, key=lambda one: one.day)
            rows = [self._of_account(day, list(found)) for day, found in days]
        else:
            with_deleted = "DELETED" in given.get("filtering", "")
            rows = [self._of_ad(one) for one in shown if with_deleted or not one.deleted]
        kept = {*fields, "date_start", "date_stop"}
        return [{name: value for name, value in row.items() if name in kept} for row in rows]

    def _of_account(self, day: date, found: Sequence[AdFigures]) -> dict[str, Any]:
        leads = sum(one.counted(self._world.today()) for one in found)
        row = self._shared(day) | {
            "impressions": str(sum(one.impressions for one in found)),
            "spend": str(sum((one.spend for one in found), Decimal(0))),
        }
        return row | ({"actions": [{"action_type": "lead", "value": str(leads)}]} if leads else {})

    def _of_ad(self, one: AdFigures) -> dict[str, Any]:
        row = self._shared(one.day) | {
            "campaign_id": one.campaign_id,
            "campaign_name": one.campaign,
            "adset_id": one.adset_id,
            "adset_name": one.adset,
            "ad_id": one.ad_id,
            "ad_name": one.ad,
            "impressions": str(one.impressions),
            "spend": str(one.spend),
        }
        counted = {"clicks": one.clicks, "inline_link_clicks": one.link_clicks}
        row |= {name: str(value) for name, value in counted.items() if value}
        if one.objective is not None:
            row["objective"] = one.objective
        leads = one.counted(self._world.today())
        actions = {
            "link_click": one.link_clicks,
            "landing_page_view": one.views or 0,
            "lead": leads,
            "onsite_conversion.lead_grouped": leads,
        }
        if any(actions.values()):
            row["actions"] = [{"action_type": name, "value": str(n)} for name, n in actions.items() if n]
        return row

    def _shared(self, day: date) -> dict[str, Any]:
        return {
            "account_id": self._world.account_id,
            "account_name": self._world.name,
            "account_currency": self._world.currency,
            "date_start": day.isoformat(),
            "date_stop": day.isoformat(),
        }


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(f"row {number}".encode()).decode()


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).removeprefix(b"row "))
    except (ValueError, binascii.Error):
        raise _Wrong(meta_error(100, message="(#100) Invalid cursor")) from None
