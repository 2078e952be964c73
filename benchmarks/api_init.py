"""The start of the API's function in a fresh process, to its first answer: PRISM beside FastAPI + Mangum.

Belongs here: the contenders, the promises, and the circumstances of a function: the libraries of its package, with
byte-code. Does not belong here: what a contender does (peers/starts.py) and how it is run (harness.py).
"Five routes" has made all that FastAPI has made by then; a call of ours makes what it needs.
"""

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.function_folder import copy_libraries
from benchmarks.harness import ROOT, Target, compare

SHARE_OF_FASTAPI = 0.65
MS_OVER_EMPTY = 220.0
PEERS = ("fastapi", "mangum")
FASTAPI, EMPTY = "fastapi + mangum", "empty handler"
CONTENDERS = {
    "prism": "benchmarks.peers.starts:prism",
    "prism, five routes": "benchmarks.peers.starts:prism_five_routes",
    FASTAPI: "benchmarks.peers.starts:fastapi",
    EMPTY: "benchmarks.peers.starts:empty",
}
WITH_CLIENT = {
    "prism": "benchmarks.peers.starts:prism_dynamodb",
    FASTAPI: "benchmarks.peers.starts:fastapi_dynamodb",
    "powertools + boto3, no code of ours": "benchmarks.peers.starts:powertools_boto3",
    "the same, no collector": "benchmarks.peers.starts:powertools_boto3_without_pauses",
    "empty + boto3 client": "benchmarks.peers.starts:boto3_dynamodb",
    EMPTY: "benchmarks.peers.starts:empty",
}


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/api_init*.json")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        libraries = Path(folder) / "libraries"
        copied = copy_libraries(libraries, PEERS)
        given: dict[str, Any] = {
            "repeats": options.repeats,
            "save": options.save,
            "probe": "benchmarks.first_answer",
            "unit": "ms",
            "environment": _environment(Path(folder)),
            "rehearse": options.repeats > 1,
            "flags": ("-S",),
        }
        first = {"measured": "import to the first answer of GET /api/meta", "libraries": copied}
        client = {"measured": "the same, and the DynamoDB client", "libraries": copied}
        return [
            compare("api_init", CONTENDERS, Path(folder), facts=first, targets=_beside_fastapi, **given),
            compare("api_init_dynamodb", WITH_CLIENT, Path(folder), facts=client, targets=_over_empty, **given),
        ]


def _environment(folder: Path) -> dict[str, str | None]:
    """A function of AWS: its settings and none of ours, credentials, its libraries alone, byte-code."""
    ours: dict[str, str | None] = {name: None for name in os.environ if name.startswith(("PRISM_", "AWS_"))}
    return ours | {
        "PRISM_HOME": str(folder / "home"),
        "PRISM_ENVIRONMENT": "aws",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "PYTHONPATH": os.pathsep.join((str(folder / "libraries"), str(ROOT))),
        "PYTHONPYCACHEPREFIX": str(folder / "byte-code"),
        "PYTHONDONTWRITEBYTECODE": None,
    }


def _beside_fastapi(result: Mapping[str, Any]) -> list[Target]:
    share = _seconds(result, "prism") / _seconds(result, FASTAPI)
    return [Target(f"share of {FASTAPI}", SHARE_OF_FASTAPI, round(share, 2))]


def _over_empty(result: Mapping[str, Any]) -> list[Target]:
    over = (_seconds(result, "prism") - _seconds(result, EMPTY)) * 1000
    return [Target("ms more than an empty handler, DynamoDB client included", MS_OVER_EMPTY, round(over, 1))]


def _seconds(result: Mapping[str, Any], contender: str) -> float:
    return result["contenders"][contender]["seconds"]


if __name__ == "__main__":
    main()
