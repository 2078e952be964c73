"""Warm calls of the API: what a call costs beside FastAPI + Mangum, and a list beside the raw query under it.

Belongs here: the contenders, the promises, the items. Does not belong here: what a contender does (peers/).
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.harness import Target, compare
from benchmarks.own_platform import own_platform, put_members

OVERHEAD_MS = 1.0
TIMES_A_QUERY = 2.0
META = {
    "prism": "benchmarks.peers.calls:prism_meta",
    "fastapi + mangum": "benchmarks.peers.calls:fastapi_meta",
}
QUERY = "raw boto3 query"
LIST = {
    "prism": "benchmarks.peers.calls:prism_list",
    "fastapi + mangum": "benchmarks.peers.calls:fastapi_list",
    QUERY: "benchmarks.peers.calls:raw_query",
}


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--calls", type=int, default=2_000, help="of GET /api/meta; a tenth of them of the list")
    parser.add_argument("--items", type=int, default=100, help="of the list")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/api_warm*.json")
    options = parser.parse_args(argv)
    given: dict[str, Any] = {
        "repeats": options.repeats,
        "save": options.save,
        "probe": "benchmarks.warm_calls",
        "unit": "ms",
    }
    with tempfile.TemporaryDirectory() as folder, own_platform(Path(folder) / "home") as platform:
        put_members(platform.settings, options.items)
        meta = _input(Path(folder) / "meta.json", {"calls": options.calls})
        listed = _input(Path(folder) / "list.json", {"calls": options.calls // 10, "items": options.items})
        facts = {"measured": "GET /api/meta, which reads no table", "calls": options.calls}
        many = {"measured": f"GET /api/members?limit={options.items}", "calls": options.calls // 10}
        return [
            compare("api_warm", META, meta, facts=facts, targets=_overhead, **given),
            compare("api_warm_list", LIST, listed, facts=many, targets=_beside_query, **given),
        ]


def _input(path: Path, given: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(given), encoding="utf-8")
    return path


def _overhead(result: Mapping[str, Any]) -> list[Target]:
    measured = result["contenders"]["prism"]["seconds"] * 1000
    return [Target("ms a call that reads no table", OVERHEAD_MS, round(measured, 3))]


def _beside_query(result: Mapping[str, Any]) -> list[Target]:
    ours, query = (result["contenders"][name]["seconds"] for name in ("prism", QUERY))
    return [Target("times a raw query of the same items", TIMES_A_QUERY, round(ours / query, 2))]


if __name__ == "__main__":
    main()
