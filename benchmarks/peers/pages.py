"""The same pages of insights, walked through and let go: what the service itself takes.

Belongs here: cursors alone. Does not belong here: rows, archive, errors.
"""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from benchmarks.connectors import TOKENS, WEEKS
from prism_core.settings import load_settings
from prism_resources.meta_ads.insights import FIELDS, PAGE_ROWS, STATUSES


def weeks(_: Path) -> None:
    """Every page of the weeks, one behind the other."""
    settings = load_settings()
    path = f"{settings.meta_api_url}/{settings.meta_api_version}/act_{settings.meta_account_id}/insights"
    with httpx.Client(headers={"Authorization": f"Bearer {TOKENS.meta}"}, timeout=60, trust_env=False) as client:
        for week in WEEKS:
            asked = {
                "level": "ad",
                "fields": ",".join(FIELDS),
                "filtering": json.dumps([{"field": "ad.effective_status", "operator": "IN", "value": STATUSES}]),
                "time_range": json.dumps({"since": str(week.monday), "until": str(week.sunday)}),
                "time_increment": "1",
                "limit": str(PAGE_ROWS),
            }
            while True:
                answer = client.get(path, params=asked).raise_for_status()
                # The end of the page, where the address of the next one stands: no row is read.
                tail = answer.content[-20_000:].decode(errors="replace").rpartition('"next"')[2]
                after = parse_qs(urlsplit(tail).query).get("after", [""])[0].rstrip('"}')
                if not after:
                    break
                asked["after"] = after
