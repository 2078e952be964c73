"""How close to its limits Meta says we are.

Belongs here: reading the four headers, how long to wait when calls are refused, and how long to pause before
that. Does not belong here: waiting (wire/).
Source: X-Business-Use-Case-Usage {id: [{call_count, total_cputime, total_time in percent,
estimated_time_to_regain_access in minutes}]}, X-App-Usage, X-Ad-Account-Usage {acc_id_util_pct,
reset_time_duration in seconds}, x-fb-ads-insights-throttle {app_id_util_pct, acc_id_util_pct}.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from prism_resources.wire.calls import Answer, object_of

HEADERS: Final = (
    "x-business-use-case-usage",
    "x-app-usage",
    "x-ad-account-usage",
    "x-fb-ads-insights-throttle",
)
_PERCENT: Final = frozenset({"call_count", "total_cputime", "total_time", "acc_id_util_pct", "app_id_util_pct"})
# From how many percent on a walk pauses after each answer, and for how many seconds.
PAUSES: Final = ((95.0, 60.0), (85.0, 15.0), (75.0, 3.0))
# No header asks for longer; what does is a fault of the header.
_MOST_SECONDS: Final = 24 * 3600.0


def used_percent(headers: Mapping[str, str]) -> float:
    """The largest share of any limit that is used up, 0 where nothing is said."""
    return max((_number(one.get(name)) for one in _usages(headers) for name in _PERCENT), default=0.0)


def regain_seconds(headers: Mapping[str, str]) -> float | None:
    """How long until calls are taken again, None when no header says it."""
    found: list[float] = []
    for usage in _usages(headers):
        for name, unit in (("estimated_time_to_regain_access", 60.0), ("reset_time_duration", 1.0)):
            if (value := _number(usage.get(name))) > 0:
                found.append(value * unit)
    retry_after = headers.get("retry-after", "")
    if retry_after.isdecimal():
        found.append(float(retry_after))
    return min(max(found), _MOST_SECONDS) if found else None


def pause(answer: Answer) -> float:
    """Seconds to wait after an answer, so that the limit is not reached."""
    used = used_percent(answer.headers)
    return next((seconds for percent, seconds in PAUSES if used >= percent), 0.0)


def access_tier(headers: Mapping[str, str]) -> str | None:
    """`standard_access`, or `development_access` with its far lower limits; None when no header says it."""
    tiers = (usage.get("ads_api_access_tier") for usage in _usages(headers))
    return next((tier for tier in tiers if isinstance(tier, str)), None)


def _usages(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Every object of figures in the four headers; a header that is no JSON says nothing."""
    for name in HEADERS:
        try:
            found = json.loads(headers.get(name, "null"))
        except ValueError:
            continue
        yield object_of(found)
        for below in object_of(found).values():
            yield from (object_of(one) for one in below) if isinstance(below, list) else ()


def _number(found: object) -> float:
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else 0.0
