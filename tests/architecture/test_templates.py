"""The templates: clean for cfn-lint, closed to the public, and in agreement with the code that knows the lake.

Keys and indexes of the tables are compared in tests/unit/test_tables_spec.py.
"""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode

from infra.deploy import STACKS
from prism_core.lake import LAKE_TABLES, RAW_EXPIRY_DAYS, LakeTable, parquet_prefix
from tests.architecture.sources import ROOT, run

TEMPLATES = sorted((ROOT / "infra" / "templates").glob("*.yaml"))
BLOCKS = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}


@cache
def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The resources of a type by their logical id, tags in their long form (`Fn::Sub`)."""
    found: dict[str, dict[str, Any]] = {}
    for path in TEMPLATES:
        template, problems = decode(str(path))
        assert template is not None, problems
        mine = {
            name: dict(resource) for name, resource in template["Resources"].items() if resource["Type"] == kind
        }
        assert not found.keys() & mine.keys()
        found |= mine
    return found


def glue_tables() -> dict[str, dict[str, Any]]:
    inputs = [resource["Properties"]["TableInput"] for resource in of_type("AWS::Glue::Table").values()]
    return {table["Name"]: table for table in inputs}


def text_of(value: Any) -> str:
    """A joined or substituted text, its references as `${Name}`."""
    if isinstance(value, str):
        return value
    if "Fn::Sub" in value:
        return value["Fn::Sub"]
    if "Ref" in value:
        return f"${{{value['Ref']}}}"
    separator, parts = value["Fn::Join"]
    return separator.join(map(text_of, parts))


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    done = run([str(Path(sys.executable).with_name("cfn-lint")), *map(str, TEMPLATES)], tmp_path)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_template_is_deployed() -> None:
    assert {path.stem for path in TEMPLATES} == set(STACKS)


def test_the_catalog_has_exactly_the_tables_of_the_lake() -> None:
    assert set(glue_tables()) == set(LAKE_TABLES)


@pytest.mark.parametrize("table", LAKE_TABLES.values(), ids=lambda table: table.name)
def test_a_glue_table_equals_the_lake_table_column_by_column(table: LakeTable) -> None:
    found = glue_tables()[table.name]
    columns = found["StorageDescriptor"]["Columns"]

    assert [(c["Name"], c["Type"], c["Comment"]) for c in columns] == [
        (column.name, column.type, column.meaning) for column in table.columns
    ]
    assert found["Description"] == table.meaning
    assert [(key["Name"], key["Type"]) for key in found["PartitionKeys"]] == [("week", "string")]


@pytest.mark.parametrize("table", LAKE_TABLES.values(), ids=lambda table: table.name)
def test_a_glue_table_looks_where_the_lake_writes_and_projects_its_weeks(table: LakeTable) -> None:
    found = glue_tables()[table.name]
    parameters = found["Parameters"]
    prefix = f"s3://${{LakeBucket}}/{parquet_prefix(table.name)}"

    assert text_of(found["StorageDescriptor"]["Location"]) == prefix
    assert text_of(parameters["storage.location.template"]) == f"{prefix}week=${{week}}/"
    assert (parameters["projection.enabled"], parameters["projection.week.type"]) == ("true", "enum")


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_every_bucket_blocks_public_access_is_encrypted_and_knows_no_acls(name: str) -> None:
    bucket = of_type("AWS::S3::Bucket")[name]["Properties"]
    encryption = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    ownership = bucket["OwnershipControls"]["Rules"]

    assert dict(bucket["PublicAccessBlockConfiguration"]) == dict.fromkeys(BLOCKS, True)
    assert encryption[0]["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}
    assert [rule["ObjectOwnership"] for rule in ownership] == ["BucketOwnerEnforced"]


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_every_bucket_refuses_plain_http_on_aws_and_only_there(name: str) -> None:
    policies = [p for p in of_type("AWS::S3::BucketPolicy").values() if p["Properties"]["Bucket"] == {"Ref": name}]
    denying = [
        statement
        for policy in policies
        if policy["Condition"] == "IsAws"
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and (statement["Principal"], statement["Action"]) == ("*", "s3:*")
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]

    assert len(denying) == 1
    assert denying[0]["Resource"] == [{"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}.Arn}}/*"}]
    assert [policy for policy in policies if policy.get("Condition") != "IsAws"] == []


def test_raw_inputs_expire_when_the_lake_says_so_and_nothing_else_does() -> None:
    rules = of_type("AWS::S3::Bucket")["LakeBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]

    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}

    assert expiring == {"raw/": RAW_EXPIRY_DAYS}


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in ("AWS::S3::Bucket", "AWS::DynamoDB::Table") for name in of_type(kind)],
)
def test_what_holds_data_outlives_its_stack(kind: str, name: str) -> None:
    resource = of_type(kind)[name]

    assert resource["DeletionPolicy"] in {"Retain", "RetainExceptOnCreate"}
    assert resource["UpdateReplacePolicy"] == "Retain"
