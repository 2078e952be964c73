"""What the templates declare of that which AWS charges for: sizes, numbers and how long things are kept.

Belongs here: reading them, so that the cost model changes with the templates and never quotes what was. Does not
belong here: prices (aws_prices.py), load and formulas (aws_month.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.architecture_document import read_templates
from prism_core.lake import RAW_EXPIRY_DAYS
from prism_core.settings import Settings

# Lambda's and Fargate's gigabyte.
_MB_A_GB: Final = 1024
_UNITS_A_CPU: Final = 1024
# Tokens of Meta, HubSpot and Claude, which a person puts there.
_SECRETS_OF_SERVICES: Final = 3
# What Container Insights counts of each; from memory of CloudWatch's price page, check before you rely on it.
_FIGURES_A_CLUSTER, _FIGURES_A_TASK, _FIGURES_A_SERVICE = 8, 6, 11


@dataclass(frozen=True, slots=True)
class Declared:
    """Gigabytes of memory, virtual CPUs, numbers of things, and days."""

    function_gb: Mapping[str, float]
    services: int
    services_cpus: float
    services_gb: float
    run_cpus: float
    run_gb: float
    database: str
    database_gb: int
    secrets: int
    keys: int
    machine_clients: int
    container_figures: int
    alarms: int
    dashboards: int
    firewall_rules: int
    log_days: int
    raw_days: int
    events_days: int


def declared(templates: Mapping[str, Any] | None = None) -> Declared:
    """Of the templates as they are, or of others. Raises KeyError when one lacks what is charged for."""
    templates = templates or read_templates()
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for template in templates.values():
        for one in template["Resources"].values():
            kinds.setdefault(one["Type"].removeprefix("AWS::"), []).append(one.get("Properties", {}))
    dagster = templates["dagster"]
    tasks = [
        (
            one["Properties"]["DesiredCount"],
            dagster["Resources"][one["Properties"]["TaskDefinition"]]["Properties"],
        )
        for one in dagster["Resources"].values()
        if one["Type"] == "AWS::ECS::Service"
    ]
    (database,) = kinds["RDS::DBInstance"]
    (firewall,) = kinds["WAFv2::WebACL"]
    asked = dagster["Parameters"]
    return Declared(
        function_gb={
            one["FunctionName"].removeprefix("${NamePrefix}-"): one["MemorySize"] / _MB_A_GB
            for one in kinds["Lambda::Function"]
        },
        services=sum(count for count, _ in tasks),
        services_cpus=sum(count * task["Cpu"] / _UNITS_A_CPU for count, task in tasks),
        services_gb=sum(count * task["Memory"] / _MB_A_GB for count, task in tasks),
        run_cpus=asked["RunCpu"]["Default"] / _UNITS_A_CPU,
        run_gb=asked["RunMemory"]["Default"] / _MB_A_GB,
        database=database["DBInstanceClass"],
        database_gb=int(database["AllocatedStorage"]),
        secrets=len(kinds["SecretsManager::Secret"]) + _SECRETS_OF_SERVICES,
        keys=len(kinds["KMS::Key"]),
        machine_clients=sum(
            "client_credentials" in one.get("AllowedOAuthFlows", []) for one in kinds["Cognito::UserPoolClient"]
        ),
        container_figures=sum(
            _FIGURES_A_CLUSTER
            + _FIGURES_A_TASK * len(kinds["ECS::TaskDefinition"])
            + _FIGURES_A_SERVICE * len(tasks)
            for cluster in kinds["ECS::Cluster"]
            if {"Name": "containerInsights", "Value": "enabled"} in cluster.get("ClusterSettings", [])
        ),
        alarms=len(kinds["CloudWatch::Alarm"]),
        dashboards=len(kinds["CloudWatch::Dashboard"]),
        firewall_rules=len(firewall["Rules"]),
        log_days=asked["LogRetentionDays"]["Default"],
        raw_days=RAW_EXPIRY_DAYS,
        events_days=Settings.model_fields["events_keep_days"].default,
    )
