"""Eight clients on the running platform, through its front door, for a minute: errors, p50 and p95.

Belongs here: the platform, the clients' process, the figures. Does not belong here: what a client does
(load_clients.py). There is no peer: it is the embedded AWS that is loaded, and AWS itself is another matter.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, Target, circumstances, keep, print_targets
from benchmarks.load_clients import PROJECTS
from benchmarks.own_platform import own_platform, put_members, put_projects
from infra.local.demo_users import demo_email, demo_password, seed_demo_users
from infra.local.emulator.environment import LOOPBACK
from infra.local.serving import front_door
from infra.users import Users
from prism_api.api.calls import Role

CLIENTS = 8
MEMBERS = 100
WARM_SECONDS = 10
ERRORS_SHOWN = 5


def main(argv: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/api_load.json")
    options = parser.parse_args(argv)
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, own_platform(Path(folder) / "home") as platform:
        members = put_members(platform.settings, MEMBERS)
        put_projects(platform.settings, PROJECTS)
        seed_demo_users(platform)
        token = Users(platform.settings).token(demo_email(Role.LEAD), demo_password(platform.home))
        with front_door(platform):
            given = {
                "origin": f"http://{LOOPBACK}:{platform.ports.screens}",
                "token": token,
                "members": members[: options.clients],
                "seconds": options.seconds,
                "warm_seconds": min(WARM_SECONDS, options.seconds),
            }
            measured = _clients(given)
    result = {"benchmark": "api_load", **circumstances(load_before), **_figures(measured, options.clients)}
    _print(result, measured["errors"])
    if options.save:
        keep("api_load", result)
    return result


def _clients(given: dict[str, Any]) -> dict[str, Any]:
    """In a process of their own: the front door runs in this one."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load_clients"],
        cwd=ROOT,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"the clients failed:\n{done.stderr}")
    return json.loads(done.stdout)


def _figures(measured: dict[str, Any], clients: int) -> dict[str, Any]:
    kinds: dict[str, list[float]] = {}
    for kind, milliseconds in measured["calls"]:
        kinds.setdefault(kind, []).append(milliseconds)
    every = [milliseconds for _, milliseconds in measured["calls"]]
    target = Target("errors", 0, len(measured["errors"]))
    return {
        "clients": clients,
        "seconds": round(measured["seconds"], 1),
        "requests": len(every),
        "requests_a_second": round(len(every) / measured["seconds"], 1),
        "errors": len(measured["errors"]),
        "all": _quantiles(every),
        "by_kind": {kind: _quantiles(values) for kind, values in sorted(kinds.items())},
        "targets": [{"promise": target.promise, "limit": 0, "measured": target.measured, "met": target.met}],
    }


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=20, method="inclusive") if len(values) > 1 else [*values] * 19
    return {"calls": len(values), "p50_ms": round(statistics.median(values), 1), "p95_ms": round(cuts[18], 1)}


def _print(result: dict[str, Any], errors: Sequence[str]) -> None:
    print(f"{'':<10} calls    p50 ms    p95 ms")
    for kind, figures in {**result["by_kind"], "all": result["all"]}.items():
        print(f"{kind:<10} {figures['calls']:>5}  {figures['p50_ms']:>8.1f}  {figures['p95_ms']:>8.1f}")
    print(f"{result['clients']} clients, {result['seconds']} s, {result['requests_a_second']} requests a second")
    print_targets([Target("errors", 0, result["errors"])])
    for error in errors[:ERRORS_SHOWN]:
        print(f"  {error}")


if __name__ == "__main__":
    main()
