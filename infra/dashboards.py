"""infra/quicksight/dashboards.yaml: data sets and a dashboard of QuickSight over the views of the lake.

Belongs here: what that template says, and the command that writes it: `python -m infra.dashboards`. A test fails
when the file says anything else. Does not belong here: the views (prism_core/lake_views.py). It is no stack of
every deployment: QuickSight asks for a subscription and a person who owns the dashboard.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prism_core.lake import Column
from prism_core.lake_views import LAKE_VIEWS, LakeView

TEMPLATE: Final = Path(__file__).parent / "quicksight" / "dashboards.yaml"
TYPES: Final = {
    "string": "STRING",
    "date": "DATETIME",
    "bigint": "INTEGER",
    "double": "DECIMAL",
    "boolean": "BOOLEAN",
}
_ACTIONS: Final = {
    "DataSet": (
        "quicksight:DescribeDataSet",
        "quicksight:DescribeDataSetPermissions",
        "quicksight:PassDataSet",
        "quicksight:DescribeIngestion",
        "quicksight:ListIngestions",
        "quicksight:UpdateDataSet",
        "quicksight:DeleteDataSet",
        "quicksight:CreateIngestion",
        "quicksight:CancelIngestion",
        "quicksight:UpdateDataSetPermissions",
    ),
    "Dashboard": (
        "quicksight:DescribeDashboard",
        "quicksight:ListDashboardVersions",
        "quicksight:UpdateDashboardPermissions",
        "quicksight:QueryDashboard",
        "quicksight:UpdateDashboard",
        "quicksight:DeleteDashboard",
        "quicksight:DescribeDashboardPermissions",
        "quicksight:UpdateDashboardPublishedVersion",
    ),
    "DataSource": (
        "quicksight:DescribeDataSource",
        "quicksight:DescribeDataSourcePermissions",
        "quicksight:PassDataSource",
        "quicksight:UpdateDataSource",
        "quicksight:DeleteDataSource",
        "quicksight:UpdateDataSourcePermissions",
    ),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is shown of a view: one line a `by`, its `figures` by week, summed or averaged."""

    view: str
    title: str
    figures: tuple[str, ...]
    by: str | None
    average: bool = False


SHEETS: Final = (
    Sheet("weekly_delivery", "Delivery", ("tasks_submitted",), "project_id"),
    Sheet("weekly_delivery", "Hours", ("demand_hours", "allocated_hours", "worked_hours"), None),
    Sheet("utilisation_by_week", "Utilisation", ("utilisation",), "member_id", average=True),
    Sheet("quality_trend", "Quality", ("share",), "project_id", average=True),
    Sheet("capacity_gap", "Capacity", ("gap_hours",), "project_id"),
    Sheet("event_volume", "Events", ("events",), "type"),
)


def template() -> dict[str, Any]:
    """The whole template."""
    resources: dict[str, Any] = {"Source": _source()}
    for view in LAKE_VIEWS.values():
        resources[_logical(view.name)] = _data_set(view)
    resources["Dashboard"] = _dashboard()
    for one in resources.values():
        one["Condition"] = "IsAws"
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": (
            "PRISM dashboards: QuickSight data sets over the views of the lake, and a dashboard. Written by "
            "`python -m infra.dashboards` from prism_core/lake_views.py; a test compares."
        ),
        "Parameters": {
            "Environment": {"Type": "String", "AllowedValues": ["local", "aws"], "Default": "aws"},
            "NamePrefix": {
                "Type": "String",
                "AllowedPattern": "^[a-z][a-z0-9-]{1,23}[a-z0-9]$",
                "Default": "prism",
                "Description": "First part of every name; the one of the other stacks.",
            },
            "DatabaseName": {"Type": "String", "Default": "prism_lake", "Description": "The Glue database."},
            "WorkGroup": {
                "Type": "String",
                "Default": "prism",
                "Description": "The workgroup of Athena; that of the installation is named as its prefix.",
            },
            "OwnerArn": {"Type": "String", "Description": "The user or group of QuickSight that owns all of it."},
        },
        "Conditions": {"IsAws": {"Fn::Equals": [{"Ref": "Environment"}, "aws"]}},
        "Resources": resources,
    }


def written() -> str:
    """JSON is YAML; one indent less than CloudFormation's limit of a template needs."""
    return json.dumps(template(), indent=1, ensure_ascii=False) + "\n"


def _source() -> dict[str, Any]:
    return {
        "Type": "AWS::QuickSight::DataSource",
        "Properties": {
            **_named("lake", "PRISM lake"),
            "Type": "ATHENA",
            "DataSourceParameters": {"AthenaParameters": {"WorkGroup": {"Ref": "WorkGroup"}}},
            "Permissions": _permissions("DataSource"),
        },
    }


def _data_set(view: LakeView) -> dict[str, Any]:
    columns = [{"Name": column.name, "Type": TYPES[column.type]} for column in view.columns]
    table = {
        "DataSourceArn": {"Fn::GetAtt": ["Source", "Arn"]},
        "Catalog": "AwsDataCatalog",
        "Schema": {"Ref": "DatabaseName"},
        "Name": view.name,
        "InputColumns": columns,
    }
    return {
        "Type": "AWS::QuickSight::DataSet",
        "Properties": {
            **_named(view.name.replace("_", "-"), view.name),
            # In memory: a sheet asks nothing of Athena, and a view is scanned once a refresh (docs/dashboards.md).
            "ImportMode": "SPICE",
            "PhysicalTableMap": {view.name.replace("_", "-"): {"RelationalTable": table}},
            "Permissions": _permissions("DataSet"),
        },
    }


def _dashboard() -> dict[str, Any]:
    views = dict.fromkeys(sheet.view for sheet in SHEETS)
    declared = [{"Identifier": view, "DataSetArn": {"Fn::GetAtt": [_logical(view), "Arn"]}} for view in views]
    return {
        "Type": "AWS::QuickSight::Dashboard",
        "Properties": {
            "AwsAccountId": {"Ref": "AWS::AccountId"},
            "DashboardId": {"Fn::Sub": "${NamePrefix}-operations"},
            "Name": "PRISM operations",
            "Permissions": _permissions("Dashboard"),
            "Definition": {
                "DataSetIdentifierDeclarations": declared,
                "Sheets": [_sheet(number, sheet) for number, sheet in enumerate(SHEETS)],
            },
        },
    }


def _sheet(number: int, sheet: Sheet) -> dict[str, Any]:
    columns = {column.name: column for column in LAKE_VIEWS[sheet.view].columns}
    wells: dict[str, Any] = {
        "Category": [_category(sheet, "week")],
        "Values": [_value(sheet, columns[name]) for name in sheet.figures],
    }
    if sheet.by is not None:
        wells["Colors"] = [_category(sheet, sheet.by)]
    visual = {
        "LineChartVisual": {
            "VisualId": f"lines-{number}",
            "Title": {"FormatText": {"PlainText": sheet.title}},
            "ChartConfiguration": {"FieldWells": {"LineChartAggregatedFieldWells": wells}},
        }
    }
    return {"SheetId": f"sheet-{number}", "Name": sheet.title, "Visuals": [visual]}


def _category(sheet: Sheet, column: str) -> dict[str, Any]:
    return {"CategoricalDimensionField": {"FieldId": f"{sheet.title}-{column}", "Column": _column(sheet, column)}}


def _value(sheet: Sheet, column: Column) -> dict[str, Any]:
    how = "AVERAGE" if sheet.average else "SUM"
    field = {
        "FieldId": f"{sheet.title}-{column.name}",
        "Column": _column(sheet, column.name),
        "AggregationFunction": {"SimpleNumericalAggregation": how},
    }
    return {"NumericalMeasureField": field}


def _column(sheet: Sheet, name: str) -> dict[str, str]:
    return {"DataSetIdentifier": sheet.view, "ColumnName": name}


def _named(suffix: str, title: str) -> dict[str, Any]:
    kind = "DataSourceId" if suffix == "lake" else "DataSetId"
    return {
        "AwsAccountId": {"Ref": "AWS::AccountId"},
        kind: {"Fn::Sub": f"${{NamePrefix}}-{suffix}"},
        "Name": title,
    }


def _permissions(kind: str) -> list[Mapping[str, Any]]:
    return [{"Principal": {"Ref": "OwnerArn"}, "Actions": list(_ACTIONS[kind])}]


def _logical(view: str) -> str:
    return "".join(part.capitalize() for part in view.split("_")) + "Data"


if __name__ == "__main__":
    TEMPLATE.parent.mkdir(exist_ok=True)
    TEMPLATE.write_text(written(), encoding="utf-8")
