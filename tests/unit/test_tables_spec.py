"""The specs of the tables, and that the template says the same."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from prism_core.calendar import Week
from prism_core.event_tables import EVENT_TABLES
from prism_core.failures import BadUsage
from prism_core.models.base import instant_text
from prism_core.models.bugs import BugSummary
from prism_core.models.workers import Worker
from prism_core.tables import (
    AFTER_ALL,
    ALLOCATIONS,
    AVAILABILITY,
    BUGS,
    CHANGELOG,
    MEMBERS,
    QUALITY,
    RECIPIENTS,
    REQUESTS,
    TABLES,
    THROUGHPUT,
    WORKERS,
    IndexSpec,
    TableSpec,
    table,
)

TEMPLATE = Path(__file__).parents[2] / "infra" / "templates" / "data.yaml"
W01, W04 = Week.parse("2026-W01"), Week.parse("2026-W04")


class _Tags(yaml.SafeLoader):
    """Reads CloudFormation's short tags as what they hold."""


def _construct(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Tags.add_multi_constructor("!", _construct)


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return yaml.load(TEMPLATE.read_text(), Loader=_Tags)["Resources"]  # noqa: S506 - our own file, a safe loader


@pytest.fixture(scope="module")
def tables(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::DynamoDB::Table"]
    return {properties["TableName"].removeprefix("${NamePrefix}-"): properties for properties in found}


def _schema(*names: str | None) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    return [{"AttributeName": n, "KeyType": k} for n, k in zip(names, kinds, strict=True) if n is not None]


def _projection(fields: tuple[str, ...] | None) -> dict[str, Any]:
    if fields is None:
        return {"ProjectionType": "ALL"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(fields)}


def test_the_template_creates_every_operational_table(tables: dict[str, Any]) -> None:
    assert set(TABLES) <= set(tables)


@pytest.mark.parametrize("spec", TABLES.values(), ids=lambda spec: spec.name)
def test_the_template_keys_a_table_and_its_indexes_as_the_spec_does(
    spec: TableSpec, tables: dict[str, dict[str, Any]]
) -> None:
    properties = tables[spec.name]

    assert properties["KeySchema"] == _schema(spec.partition.name, spec.sort.name if spec.sort else None)
    assert {a["AttributeName"]: a["AttributeType"] for a in properties["AttributeDefinitions"]} == dict.fromkeys(
        spec.all_attributes, "S"
    )
    assert {i["IndexName"]: i for i in properties.get("GlobalSecondaryIndexes", [])} == {
        index.name: {
            "IndexName": index.name,
            "KeySchema": _schema(index.partition.name, index.sort.name if index.sort else None),
            "Projection": _projection(index.fields),
        }
        for index in spec.indexes
    }


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_on_demand_and_can_be_restored_to_a_point_in_time(
    name: str, tables: dict[str, dict[str, Any]]
) -> None:
    assert tables[name]["BillingMode"] == "PAY_PER_REQUEST"
    assert tables[name]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_lake_is_versioned_private_and_forgets_raw_inputs_after_ninety_days(resources: dict[str, Any]) -> None:
    bucket = resources["LakeBucket"]["Properties"]
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert (rules["raw-expires"]["Prefix"], rules["raw-expires"]["ExpirationInDays"]) == ("raw/", 90)
    assert resources["LakeBucketTlsOnly"]["Condition"] == "IsAws"


def test_only_raw_inputs_what_the_api_passes_on_and_backups_expire(resources: dict[str, Any]) -> None:
    rules = resources["LakeBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]

    expiring = [rule for rule in rules if any("Expiration" in name or "Expired" in name for name in rule)]

    # Nothing that a figure or a decision rests on: raw inputs after 90 days, files on their way and answers of SQL
    # after seven, data of large and failed events after the rows that name them, backups, of which there are newer
    # ones, and records of who was given an export.
    assert {rule["Prefix"] for rule in expiring} == {
        "raw/", "uploads/", "exports/", "jobs/", "athena/", "backups/", "audit/",
        "events/large/", "events/bodies/", "events/failed/", "events/unreadable/",
    }  # fmt: skip


def test_there_are_the_ten_tables_of_the_design_and_those_of_later_capabilities() -> None:
    assert list(TABLES) == [
        "members", "projects", "allocations", "requests", "throughput",
        "quality", "availability", "workers", "bugs", "changelog",
        "taxonomy", "corrections", "disputes", "saved_views", "recipients", "alerts", "plans",
        "published_plans", "editions", "deliveries", "idempotency", "jobs", "restatements",
        "campaign_metrics", "events", "failed_events", "schemas", "lookups", "receipts", "event_rollups",
        "articles", "images",
    ]  # fmt: skip


def test_everything_that_people_change_is_logged_and_only_facts_and_bookkeeping_are_not() -> None:
    assert {name for name, spec in TABLES.items() if not spec.logged} == {
        "throughput", "changelog", "idempotency", "jobs", "restatements", "campaign_metrics",
        *(spec.name for spec in EVENT_TABLES),
    }  # fmt: skip


@pytest.mark.parametrize("spec", TABLES.values(), ids=lambda spec: spec.name)
def test_the_service_deletes_expired_items_of_the_table_that_says_so(
    spec: TableSpec, tables: dict[str, dict[str, Any]]
) -> None:
    wanted = {"AttributeName": spec.expires, "Enabled": True} if spec.expires else None

    assert tables[spec.name].get("TimeToLiveSpecification") == wanted
    assert spec.expires is None or spec.model.model_fields[spec.expires].annotation is int


@pytest.mark.parametrize("name", TABLES)
def test_no_table_can_be_deleted_by_accident_on_aws(name: str, tables: dict[str, dict[str, Any]]) -> None:
    assert tables[name]["DeletionProtectionEnabled"] == ["IsAws", True, False]


@pytest.mark.parametrize("spec", TABLES.values(), ids=lambda spec: spec.name)
def test_every_part_of_a_key_is_a_field_or_a_property_of_the_model(spec: TableSpec) -> None:
    for attribute in spec.all_attributes.values():
        for part in attribute.parts:
            assert part in spec.model.model_fields or isinstance(getattr(spec.model, part), property)


@pytest.mark.parametrize("spec", TABLES.values(), ids=lambda spec: spec.name)
def test_a_derived_attribute_never_hides_a_field(spec: TableSpec) -> None:
    derived = {attribute.name for attribute in spec.all_attributes.values() if attribute.derived}

    assert not derived & set(spec.model.model_fields)


def test_a_key_is_composed_of_the_fields_that_name_the_item() -> None:
    parts = {"project_id": "P-12", "week": W01, "member_id": "M-001", "generation": 3}

    assert THROUGHPUT.key(parts) == {"project_id": "P-12", "week_member_generation": "2026-W01#M-001@000003"}
    assert THROUGHPUT.item_key(THROUGHPUT.key(parts)) == "throughput/P-12/2026-W01#M-001@000003"


@pytest.mark.parametrize("parts", [{}, {"member_id": "M"}, {"member_id": "M", "week": W01, "other": 1}])
def test_a_key_with_a_missing_or_unknown_part_is_refused(parts: dict[str, object]) -> None:
    with pytest.raises(BadUsage, match="an item of allocations is named by member_id, week, project_id"):
        ALLOCATIONS.key(parts)


def test_a_prefix_ends_with_its_separator_so_that_a_longer_id_does_not_match() -> None:
    condition = QUALITY.condition("by_member", {"member_id": "M-1", "week": W01, "project_id": "P-1"})

    assert condition.prefix == "2026-W01#P-1#"


def test_all_parts_of_a_sort_key_ask_for_one_value() -> None:
    condition = ALLOCATIONS.condition("by_week", {"week": W01, "project_id": "P-1", "member_id": "M-1"})

    assert (condition.partition, condition.equal) == ("2026-W01", "P-1#M-1")


def test_a_range_of_weeks_holds_everything_of_its_last_week() -> None:
    condition = ALLOCATIONS.condition("by_member", {"member_id": "M-1"}, first=W01, last=W04)

    assert condition.low == "2026-W01"
    assert condition.high == f"2026-W04#{AFTER_ALL}"
    assert "2026-W01" < "2026-W01#P" < "2026-W04#zzz" < f"2026-W04#{AFTER_ALL}" < "2026-W05#"


def test_a_range_of_dates_is_exact_at_both_ends() -> None:
    day = date(2026, 1, 5)

    condition = AVAILABILITY.condition("by_member", {"member_id": "M-1"}, first=day, last=day)

    assert (condition.low, condition.high) == ("2026-01-05", "2026-01-05")


def test_an_open_range_within_a_prefix_stays_within_it() -> None:
    condition = THROUGHPUT.condition("by_project", {"project_id": "P", "week": W01}, first="M-5")

    assert condition.low == "2026-W01#M-5"
    assert condition.high == f"2026-W01#{AFTER_ALL}"


@pytest.mark.parametrize(
    ("path", "parts", "bounds"),
    [
        ("by_nothing", {}, {}),
        ("by_project", {}, {}),
        ("by_project", {"project_id": "P", "member_id": "M"}, {}),
        ("by_project", {"project_id": "P", "colour": "red"}, {}),
        ("by_project", {"project_id": "P", "week": None}, {}),
        ("by_project", {"project_id": "P", "week": W01, "member_id": "M"}, {"first": W01}),
    ],
)
def test_a_query_that_would_need_a_scan_is_refused(
    path: str, parts: dict[str, Any], bounds: dict[str, Any]
) -> None:
    with pytest.raises(BadUsage):
        ALLOCATIONS.condition(path, parts, **bounds)


@pytest.mark.parametrize("index", BUGS.indexes, ids=lambda index: index.name)
def test_an_index_of_bugs_carries_everything_but_the_screenshot(index: IndexSpec) -> None:
    assert index.sort is not None
    carried = {*(index.fields or ()), "bug_id", index.partition.name, index.sort.name}

    assert carried == set(BugSummary.model_fields)
    assert len(index.fields or ()) <= 20  # the service's limit of one index


def test_instants_in_a_key_sort_as_instants() -> None:
    worker = {"worker_key": "w-1", "worker_id": "w-1"}
    whole = Worker.model_validate({**worker, "last_seen": "2026-01-05T07:00:00Z"})
    later = Worker.model_validate({**worker, "last_seen": "2026-01-05T09:00:00.5+02:00"})

    assert instant_text(whole.last_seen) < instant_text(later.last_seen)
    assert WORKERS.path("by_status").sort is not None


def test_the_change_log_is_split_by_table_week_and_shard() -> None:
    condition = CHANGELOG.condition("by_week", {"table": "members", "week": W01, "shard": 3})

    assert condition.partition == "members#2026-W01#3"


def test_an_unknown_table_is_refused_with_the_list_of_valid_ones() -> None:
    with pytest.raises(BadUsage, match=re.escape("valid ones are members, projects")):
        table("member")


def test_names_and_reasons_are_marked_as_personal() -> None:
    assert MEMBERS.personal == ("name", "email")
    assert AVAILABILITY.personal == ("reason",)
    assert RECIPIENTS.personal == ("name", "email")
    assert REQUESTS.personal == ("requester",)


@pytest.mark.parametrize("spec", TABLES.values(), ids=lambda spec: spec.name)
def test_personal_fields_exist_and_key_nothing(spec: TableSpec) -> None:
    assert set(spec.personal) <= set(spec.model.model_fields)
    assert not {part for attribute in spec.all_attributes.values() for part in attribute.parts} & set(
        spec.personal
    )
