"""What a template declares, read as text: its tables with their keys, and everything that holds data; parts of it.

Belongs here: comparing that with what is deployed, before CloudFormation is asked: it would make an empty table
with the new key and keep the full one where nobody looks. Does not belong here: the change itself (stacks.py).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import yaml

from infra.deploy_failures import DataLeftBehind, KeysChanged
from prism_core.settings import Settings

TABLE: Final = "AWS::DynamoDB::Table"
# The property that names each kind for good; a key of KMS has none but its place in the template.
HOLDS_DATA: Final[Mapping[str, str | None]] = {
    TABLE: "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Cognito::UserPool": "UserPoolName",
    "AWS::KMS::Key": None,
    "AWS::RDS::DBInstance": None,
}
SHARDS: Final = "ChangelogShards"  # the parameter with the partitions of the change log
WHERE: Final = "docs/deploy.md#a-key-that-must-change"
# CloudFormation takes what exists into a stack only when it stays after the stack, and under a name that no
# function makes. From the policy to the name, line by line within one resource.
_NAMED: Final = re.compile(
    r"^(    DeletionPolicy: Retain\w*\n(?:(?:    .*)?\n)*?"
    r'      (?:TableName|BucketName|RepositoryName|LogGroupName): )!Sub "([^"]+)"',
    re.MULTILINE,
)
_VARIABLE: Final = re.compile(r"\$\{([\w:]+)\}")
_SECTION: Final = re.compile(r"^(\w+):", re.MULTILINE)
_BLOCK: Final = re.compile(r"^  (\w+):.*\n(?:(?:    .*)?\n)*", re.MULTILINE)
Keys = tuple[tuple[str, str, str], ...]  # attribute, its type, HASH or RANGE


class _Loader(yaml.CSafeLoader):
    """Short forms of functions (`!Sub`) as the values that they are given."""


def _value_of(loader: yaml.Loader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _value_of)


class _Calls(yaml.CSafeLoader):
    """Short forms of functions as one name and what it is given."""


_Calls.add_multi_constructor("!", lambda loader, tag, node: {tag: _value_of(loader, tag, node)})


def read(body: str) -> dict[str, Any]:
    """A template as plain values."""
    # A pure and safe loader: nothing but values comes out of it.
    return yaml.load(body, Loader=_Loader)  # noqa: S506


def resources(body: str) -> dict[str, dict[str, Any]]:
    """The resources of a template by their logical id."""
    return read(body).get("Resources", {})


def with_names(settings: Settings, body: str) -> str:
    """A template with the names of what stays after its stack written out, as they are in this place."""
    return _NAMED.sub(lambda found: f'{found[1]}"{name_of(settings, found[2])}"', body)


def name_of(settings: Settings, text: str) -> str:
    """A name that a template composes of prefix, account and region."""
    known = {
        "NamePrefix": settings.name_prefix, "AWS::AccountId": settings.account_id, "AWS::Region": settings.region,
    }  # fmt: skip
    return _VARIABLE.sub(lambda found: known[found[1]], text)


def holds(body: str, condition: str, values: Mapping[str, str]) -> bool:
    """Whether a condition of a template is true with these parameters, and the defaults of the others."""
    # A pure and safe loader, as above.
    whole = yaml.load(body, Loader=_Calls)  # noqa: S506
    told = {name: str(one.get("Default", "")) for name, one in whole.get("Parameters", {}).items()} | dict(values)

    def of(said: Any) -> Any:
        match said:
            case {"Ref": name}:
                return told[name]
            case {"Condition": name}:
                return of(whole["Conditions"][name])
            case {"Not": [one]}:
                return not of(one)
            case {"And": several}:
                return all(of(one) for one in several)
            case {"Or": several}:
                return any(of(one) for one in several)
            case {"Equals": [one, other]}:
                return of(one) == of(other)
            case _:
                return said

    return bool(of(whole["Conditions"][condition]))


def named_by(body: str, logical: str) -> set[str]:
    """The other resources of a template that this one cannot be made without."""
    section = body[body.index("\nResources:\n") :]
    blocks = {block[1]: block[0] for block in _BLOCK.finditer(section)}
    return {
        one
        for one in blocks.keys() - {logical}
        if re.search(rf"(?:!Ref |!GetAtt |DependsOn: |\$\{{){one}\b", blocks[logical])
    }


def part_of(body: str, wanted: Collection[str]) -> str:
    """The template of these resources alone, with the parameters and conditions that they need."""
    pieces = _SECTION.split(body)[1:]
    sections = {
        name: {block[1]: block[0] for block in _BLOCK.finditer(text)}
        for name, text in zip(pieces[::2], pieces[1::2], strict=True)
        if name in ("Parameters", "Conditions", "Resources")
    }
    kept = {(name, one) for name in sections for one in sections[name] if name == "Resources" and one in wanted}
    while True:
        text = "".join(sections[section][one] for section, one in sorted(kept))
        named = {
            (section, one)
            for section in ("Parameters", "Conditions")
            for one in sections.get(section, ())
            if re.search(rf"\b{one}\b", text)
        }
        if named <= kept:
            break
        kept |= named
    return "".join(
        f"{section}:\n" + "".join(block for one, block in blocks.items() if (section, one) in kept)
        for section, blocks in sections.items()
        if any((section, one) in kept for one in blocks)
    )


def refuse_other_keys(settings: Settings, body: str, deployed: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises KeysChanged, naming every table and index of the template that is deployed with other keys.

    `deployed` are descriptions of tables by their physical name.
    """
    problems = [
        problem
        for resource in resources(body).values()
        if resource["Type"] == TABLE
        for name in [name_of(settings, resource["Properties"]["TableName"])]
        if name in deployed
        for problem in _other_keys(name, resource["Properties"], deployed[name])
    ]
    if problems:
        raise KeysChanged(
            f"{'; '.join(problems)}. A key cannot change in place, and nothing was changed. Declare a table or an "
            "index with the new key under a new name beside it, deploy, copy the rows, move readers and writers "
            f"over, and take the old one out in a later version: {WHERE}"
        )


def refuse_fewer_shards(settings: Settings, parameters: Iterable[Mapping[str, str]]) -> None:
    """Raises DataLeftBehind when the change log would be read in fewer partitions than it was written in.

    `parameters` are those of a stack that is deployed.
    """
    for one in parameters:
        if one["ParameterKey"] == SHARDS and settings.changelog_shards < int(one["ParameterValue"]):
            deployed = one["ParameterValue"]
            raise DataLeftBehind(
                f"changelog_shards is {settings.changelog_shards}, and {deployed} are deployed; nothing was "
                "changed. Changes in the others would not be read any more: set PRISM_CHANGELOG_SHARDS to "
                f"{deployed} or more"
            )


def refuse_to_lose(stack: str, deployed: str, body: str) -> None:
    """Raises DataLeftBehind when a deployed template has what holds data, and the new one has not."""
    if deployed == body:
        return
    lost = sorted(set(_holders(resources(deployed))) - set(_holders(resources(body))))
    if lost:
        named = ", ".join(f"{name} ({kind.rpartition(':')[2]})" for kind, name in lost)
        raise DataLeftBehind(
            f"stack {stack} holds {named}, which this version does not know; nothing was changed. Was a newer "
            "version deployed here? Then use that one. Was it taken out, or given another name, on purpose? Then "
            f"take it out of the stack first: {WHERE}"
        )


def _holders(found: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for logical, resource in found.items():
        if resource["Type"] in HOLDS_DATA:
            named = HOLDS_DATA[resource["Type"]]
            yield resource["Type"], str(resource["Properties"][named]) if named is not None else logical


def _other_keys(table: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    before, after = _keys(found, found["AttributeDefinitions"]), _keys(wanted, wanted["AttributeDefinitions"])
    if before != after:
        yield f"table {table} has the key {_text(before)}, and this version wants {_text(after)}"
    indexes = {one["IndexName"]: one for one in found.get("GlobalSecondaryIndexes", [])}
    for index in wanted.get("GlobalSecondaryIndexes", []):
        if index["IndexName"] not in indexes:
            continue
        before = _keys(indexes[index["IndexName"]], found["AttributeDefinitions"])
        after = _keys(index, wanted["AttributeDefinitions"])
        if before != after:
            yield (
                f"index {index['IndexName']} of table {table} has the key {_text(before)}, and this version wants "
                f"{_text(after)}"
            )


def _keys(described: Mapping[str, Any], attributes: Iterable[Mapping[str, str]]) -> Keys:
    types = {one["AttributeName"]: one["AttributeType"] for one in attributes}
    return tuple(
        (one["AttributeName"], types.get(one["AttributeName"], "?"), one["KeyType"])
        for one in sorted(described["KeySchema"], key=lambda one: one["KeyType"])
    )


def _text(keys: Keys) -> str:
    return " + ".join(f"{name} ({kind})" for name, kind, _ in keys)
