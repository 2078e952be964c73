"""The Glue tables of the catalog, written from the tables of the lake.

Belongs here: what catalog.yaml and catalog-records.yaml say, and the command that writes all templates of the
catalog: `python -m infra.catalog`. A test fails when the files say anything else. Does not belong here: the tables
(prism_core/lake_tables.py), the views (catalog_views.py) and deploying (deploy.py).
Two stacks, because CloudFormation takes 51,200 bytes a template in one call.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from infra.catalog_views import catalog_views
from prism_core.lake import LakeTable, parquet_prefix
from prism_core.lake_campaign import CAMPAIGN
from prism_core.lake_computed import COMPUTED
from prism_core.lake_tables import LAKE_TABLES

TEMPLATES = Path(__file__).parent / "templates"
# What dashboards are built on; all others are in the second stack.
DASHBOARD_TABLES = ("quality", "throughput", "allocations", "requests", "members", "projects")

_HEAD = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: >-
  PRISM catalog: Glue tables over the Parquet files of the lake, so that Athena answers SQL. Written by
  `python -m infra.catalog` from prism_core/lake_tables.py; a test compares. Partition projection replaces crawlers
  (ADR 0004).

Parameters:
{parameters}  DatabaseName:
    Type: String
    Default: prism_lake
    Description: The Glue database; Glue takes no hyphens.
  LakeBucket:
    Type: String
    Description: The bucket of the data stack.
  ProjectedWeeks:
    Type: String
    Description: ISO weeks that may have a partition, by comma; set by the deploy command once a year.
  ProjectedWeeksMore:
    Type: String
    Default: ""
    Description: More of them, because a parameter holds 4,096 characters.

Conditions:
{conditions}  HasMoreWeeks: !Not [!Equals [!Ref ProjectedWeeksMore, ""]]

Resources:
"""
# The engine is in the first stack: SQL needs no Dagster.
_ENGINE_PARAMETERS = """\
  Environment:
    Type: String
    AllowedValues: [local, aws]
    Default: local
    Description: Where the stack lives. The embedded AWS needs no workgroup, DuckDB answers SQL there.
  NamePrefix:
    Type: String
    AllowedPattern: "^[a-z][a-z0-9-]{1,23}[a-z0-9]$"
    ConstraintDescription: 3 to 25 of a-z, 0-9 and -; buckets carry account and region behind it, and S3 takes 63.
    Default: prism
    Description: First part of every resource name.
"""
_ENGINE_CONDITIONS = """\
  IsAws: !Equals [!Ref Environment, aws]
"""
_ENGINE = """\
  # What a query answers is kept for a week (data.yaml). A mistake ends at half a dollar.
  Queries:
    Type: AWS::Athena::WorkGroup
    Condition: IsAws
    Properties:
      Name: !Ref NamePrefix
      Description: SQL of PRISM over the lake.
      RecursiveDeleteOption: true
      WorkGroupConfiguration:
        EnforceWorkGroupConfiguration: true
        PublishCloudWatchMetricsEnabled: true
        BytesScannedCutoffPerQuery: 100000000000
        EngineVersion: {SelectedEngineVersion: Athena engine version 3}
        ResultConfiguration:
          OutputLocation: !Sub "s3://${LakeBucket}/athena/"
          EncryptionConfiguration: {EncryptionOption: SSE_S3}

"""
_DATABASE = """\
  LakeDatabase:
    Type: AWS::Glue::Database
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseInput:
        Name: !Ref DatabaseName
        Description: The PRISM lake, one table a kind of record, partitioned by ISO week.

"""
_TABLE = """\
  {logical}Table:
    Type: AWS::Glue::Table
{depends}    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref DatabaseName
      TableInput:
        Name: {name}
        Description: {meaning}
        TableType: EXTERNAL_TABLE
        Parameters:
          classification: parquet
          EXTERNAL: "TRUE"
          projection.enabled: "true"
          projection.week.type: enum
          projection.week.values: !If
            - HasMoreWeeks
            - !Join [",", [!Ref ProjectedWeeks, !Ref ProjectedWeeksMore]]
            - !Ref ProjectedWeeks
          storage.location.template: !Join ["", ["s3://", !Ref LakeBucket, "/{prefix}week=${{week}}/"]]
        PartitionKeys:
          - {{Name: week, Type: string, Comment: "ISO week such as 2026-W01"}}
        StorageDescriptor:
          Location: !Sub "s3://${{LakeBucket}}/{prefix}"
          InputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat
          OutputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat
          SerdeInfo:
            SerializationLibrary: org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe
          Columns:
{columns}
"""
_DEPENDS = "    DependsOn: LakeDatabase\n"


def catalog() -> str:
    """What answers SQL, the database, the tables that dashboards are built on, and those that assets compute."""
    first = [table for table in LAKE_TABLES.values() if _in_first_stack(table)]
    head = _HEAD.format(parameters=_ENGINE_PARAMETERS, conditions=_ENGINE_CONDITIONS)
    return head + _ENGINE + _DATABASE + _tables(first, _DEPENDS)


def catalog_records() -> str:
    """All other tables, in the database of the first stack."""
    head = _HEAD.format(parameters="", conditions="")
    return head + _tables([table for table in LAKE_TABLES.values() if not _in_first_stack(table)], "")


def written() -> dict[Path, str]:
    """The templates and what they must say."""
    return {
        TEMPLATES / "catalog.yaml": catalog(),
        TEMPLATES / "catalog-records.yaml": catalog_records(),
        TEMPLATES / "catalog-views.yaml": catalog_views(),
    }


def _in_first_stack(table: LakeTable) -> bool:
    return table in (*COMPUTED, *CAMPAIGN) or table.name in DASHBOARD_TABLES


def _tables(tables: Sequence[LakeTable], depends: str) -> str:
    return "\n".join(_table(table, depends) for table in tables)


def _table(table: LakeTable, depends: str) -> str:
    columns = "\n".join(
        f"            - {{Name: {column.name}, Type: {column.type}, Comment: {_quoted(column.meaning)}}}"
        for column in table.columns
    )
    return _TABLE.format(
        logical="".join(word.capitalize() for word in table.name.split("_")),
        depends=depends,
        name=table.name,
        meaning=_quoted(table.meaning),
        prefix=parquet_prefix(table.name),
        columns=columns,
    )


def _quoted(text: str) -> str:
    """A double-quoted YAML scalar is a JSON string."""
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
