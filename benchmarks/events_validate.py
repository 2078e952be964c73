"""Validating and enriching events on one core: prism_core/events beside validators of Python.

Belongs here: the contenders, and the comparison of every verdict with the reference validator's (jsonschema). Does
not belong here: the events (events_payloads.py) and how contenders are run (harness.py, prepared.py).
Ours is what the states do of an event: decode, judge, enrich. What ingest does before (names that occur twice,
depth, numbers), and what storing a failed event does after (why it failed), are measured on top of it. The others
decode and judge.
"""

import argparse
import hashlib
import json
import pickle
import sys
import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastjsonschema
import jsonschema.validators
import jsonschema_rs
import msgspec
import orjson

from benchmarks.events_payloads import TASK, Cases, fetched, spoiled, tasks, webhooks
from benchmarks.harness import Target, compare
from prism_api.events.agents import agent_family
from prism_core.events.enrichment import Enricher, Kind, Rule
from prism_core.events.lookups import Prefixes, Rates, Texts
from prism_core.events.strict_json import read
from prism_core.events.validating import CompiledSchema

ROUNDS, EVENTS = 20, 2_000
TIMES_JSONSCHEMA, TIMES_ALONE = 25, 2
STRICT = "prism, read strictly"
REFERENCE, ALONE, REASONS = "jsonschema", "jsonschema-rs + orjson", "jsonschema-rs + orjson, with reasons"
CONTENDERS = {
    "prism": "benchmarks.events_validate:Prism",
    "prism, without enrichment": "benchmarks.events_validate:PrismValidating",
    STRICT: "benchmarks.events_validate:PrismStrict",
    "prism, read strictly, with reasons": "benchmarks.events_validate:PrismWithReasons",
    REFERENCE: "benchmarks.events_validate:Reference",
    "fastjsonschema": "benchmarks.events_validate:Fast",
    ALONE: "benchmarks.events_validate:Alone",
    REASONS: "benchmarks.events_validate:AloneWithReasons",
    "orjson, decoding alone": "benchmarks.events_validate:Decoding",
}
_WEBHOOK_RULES = (
    Rule(Kind.TEXT, "/sender/login", "member_id", "workers"),
    Rule(Kind.TEXT, "/repository/full_name", "project_id", "jobs"),
)
_TASK_RULES = (
    Rule(Kind.TEXT, "/worker", "member_id", "workers"),
    Rule(Kind.TEXT, "/job", "project_id", "jobs"),
    Rule(Kind.COUNTRY, "/client/ip", "country", "geo"),
    Rule(Kind.AGENT, "/client/agent", "agent"),
    Rule(Kind.MONEY, "/cost", "cost_eur", "rates", "/currency"),
)
LOOKUPS = {
    "workers": Texts(1, {"Codertocat": "M-00001", **{f"w-{n}": f"M-{n:05d}" for n in range(79)}}),
    "jobs": Texts(1, {"Codertocat/Hello-World": "P-00001", **{f"job-{n}": f"P-{n:05d}" for n in range(88)}}),
    "geo": Prefixes.of(1, [(f"{n}.0.0.0/8", "DE") for n in range(1, 224)]),
    "rates": Rates(1, "EUR", {"USD": Decimal("0.9"), "JPY": Decimal("0.00605")}),
}


class _Contender:
    """`rounds` times over all events; a contender that would take minutes goes through them once."""

    rounds: int | None = None

    def __init__(self, path: Path) -> None:
        self.prepare(pickle.loads((path / "cases.pickle").read_bytes()))  # noqa: S301 - our own file
        if self.rounds is None:
            self.verdicts()  # as a container that is warm

    def prepare(self, cases: Cases) -> None:
        self.cases = cases
        self.share = (self.rounds or cases.rounds) / cases.rounds
        self.judges = {kind: self.compiled(schema) for kind, schema in cases.schemas.items()}

    def compiled(self, schema: dict[str, Any]) -> Any:
        return schema

    def fits(self, kind: str, body: bytes) -> bool:
        raise NotImplementedError

    def verdicts(self) -> list[bool]:
        return [self.fits(kind, body) for kind, body in self.cases.rows]

    def __call__(self) -> str | None:
        found: list[bool] = []
        for _ in range(self.rounds or self.cases.rounds):
            found = self.verdicts()
        return hashlib.sha256(bytes(found)).hexdigest()


class Prism(_Contender):
    read = staticmethod(msgspec.json.Decoder().decode)

    def prepare(self, cases: Cases) -> None:
        super().prepare(cases)
        webhooks, own = Enricher(_WEBHOOK_RULES, agent_family), Enricher(_TASK_RULES, agent_family)
        self.enrichers = {kind: own if kind == TASK else webhooks for kind in cases.schemas}

    def compiled(self, schema: dict[str, Any]) -> CompiledSchema:
        return CompiledSchema(schema)

    def fits(self, kind: str, body: bytes) -> bool:
        data = self.read(body)
        if not self.judges[kind].fits(data):
            return False
        self.enrichers[kind](data, LOOKUPS)
        return True


class PrismStrict(Prism):
    read = staticmethod(read)


class PrismValidating(Prism):
    def fits(self, kind: str, body: bytes) -> bool:
        return self.judges[kind].fits(self.read(body))


class PrismWithReasons(PrismStrict):
    """Everything that ingest and the states do of an event: also why one fails, which its record needs once."""

    def fits(self, kind: str, body: bytes) -> bool:
        data = self.read(body)
        if self.judges[kind].fits(data):
            self.enrichers[kind](data, LOOKUPS)
            return True
        return not self.judges[kind].problems(data)


class Reference(_Contender):
    rounds = 1

    def compiled(self, schema: dict[str, Any]) -> Any:
        return jsonschema.validators.validator_for(schema)(schema)

    def fits(self, kind: str, body: bytes) -> bool:
        return self.judges[kind].is_valid(json.loads(body))


class Fast(_Contender):
    """Its verdicts differ; they are counted, not required."""

    rounds = 1

    def compiled(self, schema: dict[str, Any]) -> Any:
        return fastjsonschema.compile(schema, use_formats=False)

    def fits(self, kind: str, body: bytes) -> bool:
        try:
            self.judges[kind](json.loads(body))
        except fastjsonschema.JsonSchemaException:
            return False
        return True

    def __call__(self) -> None:
        super().__call__()


class Alone(_Contender):
    def compiled(self, schema: dict[str, Any]) -> Any:
        return jsonschema_rs.validator_for(schema, validate_formats=False)

    def fits(self, kind: str, body: bytes) -> bool:
        return self.judges[kind].is_valid(orjson.loads(body))


class AloneWithReasons(Alone):
    def fits(self, kind: str, body: bytes) -> bool:
        data = orjson.loads(body)
        judge = self.judges[kind]
        return judge.is_valid(data) or not [(one.instance_path, one.message) for one in judge.iter_errors(data)]


class Decoding(_Contender):
    def fits(self, kind: str, body: bytes) -> bool:
        del kind
        orjson.loads(body)
        return True

    def __call__(self) -> None:
        super().__call__()


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--payloads", type=Path, help="a folder with index.json and schema.json; else npm's")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--events", type=int, default=EVENTS, help="events of 1 kB")
    parser.add_argument("--spoiled", type=int, default=2, help="spoiled copies an event, for the verdicts")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/events_*.json")
    options = parser.parse_args(argv)
    sent = webhooks(options.payloads or fetched(), options.rounds)
    sets = {
        "events_github": sent,
        "events_github_fitting": sent._replace(rows=_fitting(sent)),
        "events_1kb": tasks(options.events, max(1, options.rounds // 4)),
    }
    return [_measured(name, cases, options) for name, cases in sets.items()]


def _fitting(cases: Cases) -> list[tuple[str, bytes]]:
    """The events that nobody has to tell a reason of."""
    judges = {kind: CompiledSchema(schema) for kind, schema in cases.schemas.items()}
    return [(kind, body) for kind, body in cases.rows if not judges[kind].problems(json.loads(body))]


def _measured(name: str, cases: Cases, options: argparse.Namespace) -> dict[str, Any]:
    judged = cases._replace(rows=[*cases.rows, *spoiled(cases.rows, options.spoiled)])
    different = _different(judged)
    told = ", ".join(f"{who} {count}" for who, count in different.items())
    print(f"{name}: {len(judged.rows):,} verdicts, different from jsonschema's: {told}")
    if different["prism"] or different[STRICT]:
        sys.exit("a verdict of ours is not that of the reference")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "cases.pickle").write_bytes(pickle.dumps(cases))
        result = compare(
            name,
            CONTENDERS,
            Path(folder),
            repeats=options.repeats,
            save=options.save,
            probe="benchmarks.prepared",
            unit="ms",
            facts={
                "events": len(cases.rows) * cases.rounds,
                "mean_bytes": round(sum(len(body) for _, body in cases.rows) / len(cases.rows)),
                "verdicts": len(judged.rows),
                "different_verdicts": different,
            },
            targets=_promise,
        )
    for who, figures in result["contenders"].items():
        each = figures["cpu_seconds"] / result["events"]
        print(f"{who}: {each * 1e6:.1f} \N{MICRO SIGN}s an event, {1 / each:,.0f} a second on one core")
    return result


def _different(cases: Cases) -> dict[str, int]:
    """How many verdicts of each are not those of the reference."""
    makers = {
        "prism": PrismWithReasons,
        STRICT: PrismStrict,
        REFERENCE: Reference,
        "fastjsonschema": Fast,
        ALONE: Alone,
    }
    found: dict[str, list[bool]] = {}
    for who, maker in makers.items():
        contender = maker.__new__(maker)
        contender.prepare(cases)
        found[who] = contender.verdicts()
    expected = found.pop(REFERENCE)
    return {who: sum(a != b for a, b in zip(given, expected, strict=True)) for who, given in found.items()}


def _promise(result: Mapping[str, Any]) -> Sequence[Target]:
    """By CPU time: an event takes one core."""
    ratios = result["cpu_ratios"]
    return [
        Target("verdicts that are not jsonschema's", 0, result["different_verdicts"]["prism"]),
        Target("share of the CPU of jsonschema", 1 / TIMES_JSONSCHEMA, round(1 / ratios[REFERENCE], 4)),
        Target(
            "share of the CPU of jsonschema, read strictly",
            1 / TIMES_JSONSCHEMA,
            round(ratios[STRICT] / ratios[REFERENCE], 4),
        ),
        Target("times the CPU of jsonschema-rs and orjson alone", TIMES_ALONE, round(1 / ratios[ALONE], 2)),
    ]


if __name__ == "__main__":
    main()
