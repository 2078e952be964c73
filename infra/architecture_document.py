"""docs/architecture.md, whose diagrams are drawn from the code.

Belongs here: imports between packages, stacks and what they hand on, the graph of assets, each as Mermaid, and
the command that writes them: `python -m infra.architecture_document`. A test fails when the page says anything
else. Does not belong here: why it is so (docs/adr).
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from infra import declared

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENT: Final = ROOT / "docs" / "architecture.md"
TEMPLATES: Final = ROOT / "infra" / "templates"
PACKAGES: Final = ("prism_core", "prism_resources", "prism_assets", "prism_sensors", "prism_api", "infra")
# What a reader of a diagram looks for, in the order in which a node tells it.
SHOWN: Final = {
    "AWS::DynamoDB::Table": "tables",
    "AWS::S3::Bucket": "buckets",
    "AWS::Lambda::Function": "functions",
    "AWS::SQS::Queue": "queues",
    "AWS::StepFunctions::StateMachine": "state machines",
    "AWS::Glue::Table": "Glue tables",
    "AWS::ApiGatewayV2::Api": "HTTP API",
    "AWS::Cognito::UserPool": "user pool",
    "AWS::CloudFront::Distribution": "CDN",
    "AWS::SES::EmailIdentity": "sender",
    "AWS::ECS::Service": "ECS services",
    "AWS::RDS::DBInstance": "Postgres",
    "AWS::KMS::Key": "key",
    "AWS::CloudWatch::Alarm": "alarms",
    "AWS::WAFv2::WebACL": "WAF",
    "AWS::CloudFormation::Stack": "nested stacks",
    "AWS::QuickSight::DataSet": "data sets",
}
_OPERATIONAL: Final = "dynamodb"

_HEAD = """\
# Architecture

The diagrams of this page are drawn from the code by `python -m infra.architecture_document`; a test compares.
Why it is so stands in the [decisions](adr/0001-embedded-aws.md), what lies where in [data](data.md), how large it
may become in [scale](scale.md).

One code path runs in two places: on AWS, and on one machine over an embedded AWS. The same templates are deployed
to both; where services are is configuration.

## A week, from work to report

1. The labelling tool writes worker activity; one asset lands it as it is, another computes throughput.
2. People plan, correct and decide in the screens; a write is one transaction with its entry in the change log.
3. Assets judge, plan, export and report; each replaces its week whole, and checks say whether to believe it.
4. Producers send events; each is stored, failed with its reasons, or a duplicate, and hours balance.

## Who imports whom

An arrow is an import; a test enforces the direction. Only the composition root of `prism_assets` knows schedules.
"""
_STACKS = """\
## Stacks

An arrow hands on what a stack made: its label is the output that the other takes as a parameter.
"""
_ASSETS = """\
## Assets

Groups are domains. Tables of DynamoDB that assets read are one node; the copies of tables that the export writes
to the lake and nobody else reads are another.
"""


def document() -> str:
    """The whole text."""
    parts = ((_HEAD, layers()), (_STACKS, stacks()), (_ASSETS, assets()))
    return "\n".join(f"{text}\n{_mermaid(lines)}" for text, lines in parts)


def _mermaid(lines: Iterable[str]) -> str:
    body = "\n".join(f"  {line}" for line in lines)
    return f"```mermaid\ngraph LR\n{body}\n```\n"


def layers() -> Iterator[str]:
    """An arrow from who imports to whom."""
    for package in PACKAGES:
        found: set[str] = set()
        for file in (ROOT / package).rglob("*.py"):
            found |= _imported(ast.parse(file.read_text(encoding="utf-8")))
        yield from (f"{package} --> {other}" for other in PACKAGES if other in found and other != package)


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def read_templates() -> dict[str, dict[str, Any]]:
    """Every template by its name, short forms of functions as plain values."""
    return {
        file.stem: declared.read(file.read_text(encoding="utf-8")) for file in sorted(TEMPLATES.glob("*.yaml"))
    }


def stacks() -> Iterator[str]:
    """A node a template with what is in it, and what one hands on to another."""
    found = read_templates()
    for name, template in found.items():
        counts = Counter(one["Type"] for one in template["Resources"].values())
        held = ", ".join(f"{counts[kind]} {word}" for kind, word in SHOWN.items() if kind in counts)
        yield f'{_node(name)}["<b>{name}</b><br/>{held}"]'
    for taker, template in found.items():
        for giver, other in found.items():
            handed = sorted(set(template.get("Parameters", {})) & set(other.get("Outputs", {})))
            if handed and giver != taker:
                yield f'{_node(giver)} -- "{", ".join(handed)}" --> {_node(taker)}'


def assets() -> Iterator[str]:
    """Groups with their assets, and what reads what."""
    from prism_assets.definitions import build_definitions
    from prism_core.settings import Settings

    graph = build_definitions(Settings()).resolve_asset_graph()
    nodes = {key: graph.get(key) for key in graph.get_all_asset_keys()}
    # An export of one table is the same as that of another.
    copies = {
        key
        for key, node in nodes.items()
        if {one.path[0] for one in node.parent_keys} == {_OPERATIONAL} and len(node.parent_keys) == 1
        and not node.child_keys - {one for one in nodes if one.path[0] == _OPERATIONAL}
    }  # fmt: skip

    def name(key: Any) -> str:
        return (
            "tables" if key.path[0] == _OPERATIONAL else "copies" if key in copies else _node("_".join(key.path))
        )

    yield 'tables[("tables of DynamoDB")]'
    yield 'copies["copies of tables in the lake"]'
    groups = sorted({node.group_name for key, node in nodes.items() if name(key) not in ("tables", "copies")})
    for group in groups:
        yield f"subgraph group_{group} [{group}]"
        members = sorted("_".join(key.path) for key, node in nodes.items() if node.group_name == group)
        yield from (f'  {_node(one)}["{one}"]' for one in members if _is_own(one, name, nodes))
        yield "end"
    arrows = {(name(parent), name(key)) for key, node in nodes.items() for parent in node.parent_keys}
    yield from (f"{one} --> {other}" for one, other in sorted(arrows) if one != other)


def _is_own(text: str, name: Any, nodes: Any) -> bool:
    return any("_".join(key.path) == text and name(key) not in ("tables", "copies") for key in nodes)


def _node(text: str) -> str:
    """An id that Mermaid takes: `end` and hyphens are none."""
    return "n_" + re.sub(r"\W", "_", text)


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
