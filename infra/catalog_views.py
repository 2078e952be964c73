"""The Glue views of the catalog, written from the views of the lake.

Belongs here: what catalog-views.yaml says. Does not belong here: the SQL (prism_core/lake_views.py), the tables of
the catalog and the command that writes them all (catalog.py).
Source of the form: Athena keeps a view as `/* Presto View: <base64 of JSON> */` in ViewOriginalText, with types
of Trino in the JSON and those of Hive in the columns.
"""

import json
from collections.abc import Mapping

from prism_core.lake import Column, ColumnType
from prism_core.lake_views import LAKE_VIEWS, LakeView

# Of Trino, where Hive has another name.
_TRINO_TYPES: Mapping[ColumnType, str] = {"string": "varchar", "timestamp": "timestamp(3)"}
_HEAD = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: >-
  PRISM catalog: ready-made views over the tables of the lake, for dashboards. Written by `python -m infra.catalog`
  from prism_core/lake_views.py; a test compares.

Parameters:
  DatabaseName:
    Type: String
    Default: prism_lake
    Description: The Glue database; Glue takes no hyphens.

Resources:
"""
_VIEW = """\
  {logical}View:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref DatabaseName
      TableInput:
        Name: {name}
        Description: {meaning}
        TableType: VIRTUAL_VIEW
        Parameters: {{presto_view: "true", comment: Presto View}}
        ViewExpandedText: /* Presto View */
        ViewOriginalText: !Join
          - ""
          - - "/* Presto View: "
            - Fn::Base64: !Sub {definition}
            - " */"
        StorageDescriptor:
          SerdeInfo: {{}}
          Columns:
{columns}
"""


def catalog_views() -> str:
    """All views, in the database of the first stack."""
    return _HEAD + "\n".join(map(_view, LAKE_VIEWS.values()))


def _view(view: LakeView) -> str:
    columns = "\n".join(
        f"            - {{Name: {column.name}, Type: {column.type}, Comment: {_quoted(column.meaning)}}}"
        for column in view.columns
    )
    return _VIEW.format(
        logical="".join(word.capitalize() for word in view.name.split("_")),
        name=view.name,
        meaning=_quoted(view.meaning),
        definition=_quoted(_definition(view)),
        columns=columns,
    )


def _definition(view: LakeView) -> str:
    """What Athena reads; CloudFormation puts the database in, and encodes it."""
    return json.dumps(
        {
            "originalSql": view.sql,
            "catalog": "awsdatacatalog",
            "schema": "${DatabaseName}",
            "columns": [{"name": column.name, "type": _trino_type(column)} for column in view.columns],
        }
    )


def _trino_type(column: Column) -> str:
    return _TRINO_TYPES.get(column.type, column.type)


def _quoted(text: str) -> str:
    """A double-quoted YAML scalar is a JSON string."""
    return json.dumps(text, ensure_ascii=False)
