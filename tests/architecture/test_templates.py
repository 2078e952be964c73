"""The templates: clean for cfn-lint, closed to the public, and in agreement with the code that knows the lake.

Keys and indexes of the tables are compared in tests/unit/test_tables_spec.py.
"""

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode

from infra import declared
from infra.catalog import written
from infra.deploy import ON_AWS, STACKS
from infra.orphans import _KINDS
from prism_api.api.calls import Role
from prism_api.events.kept import BODIES
from prism_core.backups import BACKUPS
from prism_core.event_tables import EVENT_TABLES
from prism_core.events.failed import FAILED_KEPT
from prism_core.lake import (
    AUDIT_EXPIRY_DAYS,
    AUDIT_EXPORTS,
    EXPORTS,
    JOBS,
    PASSING_EXPIRY_DAYS,
    PLANS,
    PUBLICATIONS,
    RAW_EXPIRY_DAYS,
    UPLOADS,
    WISHES,
    LakeTable,
    parquet_prefix,
)
from prism_core.lake_tables import LAKE_TABLES
from prism_core.lake_views import LAKE_VIEWS, LakeView
from prism_core.media.keys import MEDIA_TYPES, ORIGINALS
from prism_core.privacy import PERSON_KEYS
from prism_core.settings import NOT_SETTINGS, PREFIX, Settings
from prism_core.tables import TABLES
from prism_resources.events.dead import UNREADABLE
from prism_resources.events.failed_store import PAYLOADS
from prism_resources.events.large import LARGE, LARGE_EXPIRY_DAYS
from tests.architecture.sources import ROOT, run

TEMPLATES = sorted((ROOT / "infra" / "templates").glob("*.yaml"))
# CloudFormation takes no more in one call.
TEMPLATE_BYTES = 51_200
TABLE = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${NamePrefix}-"
TRACES = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
READS = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
# What the API only reads, or only adds to; every other table of TABLES it writes.
ONLY_READ = {
    "throughput", "editions", "deliveries", "restatements", "failed_events", "event_rollups", "receipts",
}  # fmt: skip
ONLY_ADDED_TO = {"changelog", PERSON_KEYS.name}
NOT_OF_THE_API = {"campaign_metrics", *(spec.name for spec in EVENT_TABLES)} - ONLY_READ
# Where a right may end in a star: the indexes of a table, the objects below a prefix.
MANIFESTS = "lake/_manifests/throughput/"
OF_EVENTS = "events/failed|events/hours"
PREFIXES = (
    "index|audit/exports|originals|editions|uploads|exports|jobs|plans|plans/wishes|plans/publications"
    f"|{OF_EVENTS}"
)
BELOW = rf"/({PREFIXES}|{MANIFESTS.rstrip('/')})/\*"
SIGNED_ROUTE, OPEN_ROUTE = "POST /hooks/{producer}", "GET /public/{proxy+}"
EVENTS_BELOW = r"/(hooks|events/(large|lookups|schemas|bodies|failed)|raw/events)/\*"
HOLDS_DATA = (
    "AWS::SQS::Queue",
    "AWS::S3::Bucket",
    "AWS::DynamoDB::Table",
    "AWS::Cognito::UserPool",
    "AWS::KMS::Key",
)
# CloudFormation refuses a rule of a bucket's life that has none of these; cfn-lint does not know.
ENDS = {
    "AbortIncompleteMultipartUpload", "ExpirationDate", "ExpirationInDays", "NoncurrentVersionExpiration",
    "NoncurrentVersionExpirationInDays", "NoncurrentVersionTransition", "NoncurrentVersionTransitions",
    "Transition", "Transitions",
}  # fmt: skip
BLOCKS = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}


@cache
def decoded(name: str) -> dict[str, Any]:
    """A template, tags in their long form (`Fn::Sub`)."""
    template, problems = decode(str(ROOT / "infra" / "templates" / f"{name}.yaml"))
    assert template is not None, problems
    return template


@cache
def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The resources of a type by their logical id."""
    found: dict[str, dict[str, Any]] = {}
    for path in TEMPLATES:
        resources = decoded(path.stem)["Resources"]
        mine = {name: dict(resource) for name, resource in resources.items() if resource["Type"] == kind}
        assert not found.keys() & mine.keys()
        found |= mine
    return found


def glue_tables(kind: str = "EXTERNAL_TABLE") -> dict[str, dict[str, Any]]:
    inputs = [resource["Properties"]["TableInput"] for resource in of_type("AWS::Glue::Table").values()]
    return {table["Name"]: table for table in inputs if table["TableType"] == kind}


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
    assert {path.stem for path in TEMPLATES} == {*STACKS, *ON_AWS}


@pytest.mark.parametrize("path", written(), ids=lambda path: path.stem)
def test_the_catalog_is_what_the_tables_of_the_lake_make_of_it(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == written()[path], "run `python -m infra.catalog`"


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


def test_the_catalog_has_exactly_the_views_of_the_lake() -> None:
    assert set(glue_tables("VIRTUAL_VIEW")) == set(LAKE_VIEWS)


@pytest.mark.parametrize("view", LAKE_VIEWS.values(), ids=lambda view: view.name)
def test_a_glue_view_holds_the_sql_and_the_columns_of_the_view_as_athena_reads_them(view: LakeView) -> None:
    found = glue_tables("VIRTUAL_VIEW")[view.name]
    separator, (before, encoded, after) = found["ViewOriginalText"]["Fn::Join"]
    definition = json.loads(encoded["Fn::Base64"]["Fn::Sub"])
    hive = {"varchar": "string"}

    assert (separator, before, after) == ("", "/* Presto View: ", " */")
    assert (definition["originalSql"], definition["schema"]) == (view.sql, "${DatabaseName}")
    assert [(c["name"], hive.get(c["type"], c["type"])) for c in definition["columns"]] == [
        (column.name, column.type) for column in view.columns
    ]
    assert [(c["Name"], c["Type"], c["Comment"]) for c in found["StorageDescriptor"]["Columns"]] == [
        (column.name, column.type, column.meaning) for column in view.columns
    ]


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


def test_raw_inputs_passing_files_and_backups_expire_when_they_should_and_nothing_else_does() -> None:
    rules = of_type("AWS::S3::Bucket")["LakeBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]

    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}

    passing = dict.fromkeys((UPLOADS, EXPORTS, JOBS), PASSING_EXPIRY_DAYS)
    kept = {BACKUPS: {"Ref": "BackupRetentionDays"}, LARGE: LARGE_EXPIRY_DAYS}
    # A week longer than the rows and lines that name them.
    kept |= {BODIES: RAW_EXPIRY_DAYS + 7, UNREADABLE: RAW_EXPIRY_DAYS + 7, PAYLOADS: FAILED_KEPT.days + 7}
    kept |= {"audit/": AUDIT_EXPIRY_DAYS, "athena/": PASSING_EXPIRY_DAYS}
    assert expiring == {"raw/": RAW_EXPIRY_DAYS} | passing | kept


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_every_rule_of_a_bucket_is_one_that_cloudformation_takes_and_no_two_are_over_one_prefix(name: str) -> None:
    rules = of_type("AWS::S3::Bucket")[name]["Properties"].get("LifecycleConfiguration", {"Rules": []})["Rules"]

    assert [rule["Id"] for rule in rules if not ENDS & {*rule}] == []
    for end in ENDS:  # S3 refuses two rules that end the same objects
        prefixes = [rule.get("Prefix", "") for rule in rules if end in rule]
        among = [one for at, one in enumerate(prefixes) if one.startswith((*prefixes[:at], *prefixes[at + 1 :]))]
        assert among == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in HOLDS_DATA for name in of_type(kind)],
)
def test_what_holds_data_outlives_its_stack(kind: str, name: str) -> None:
    resource = of_type(kind)[name]

    assert resource["DeletionPolicy"] in {"Retain", "RetainExceptOnCreate"}
    assert resource["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_what_outlives_its_stack_finds_its_way_into_the_next_one(path: Path) -> None:
    written_out = declared.resources(declared.with_names(Settings(account_id="111122223333"), path.read_text()))
    kept = {name: one for name, one in written_out.items() if one.get("DeletionPolicy", "").startswith("Retain")}

    lost = {
        name
        for name, one in kept.items()
        if one["Type"] not in _KINDS
        and not any(key.endswith("Name") and "$" not in value for key, value in one["Properties"].items())
    }
    assert lost == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_is_small_enough_to_be_sent_in_one_call(path: Path) -> None:
    assert len(path.read_bytes()) <= TEMPLATE_BYTES


def rights_of_the_api(role: str = "ApiRole") -> list[tuple[set[str], set[str]]]:
    """Actions and resources, statement by statement."""
    policies = of_type("AWS::IAM::Role")[role]["Properties"]["Policies"]
    return [
        (set(_listed(statement["Action"])), {json.dumps(one) for one in _listed(statement["Resource"])})
        for policy in policies
        for given in policy["PolicyDocument"]["Statement"]
        for statement in [given["Fn::If"][1] if "Fn::If" in given else given]
    ]


def rights_on(table: str) -> set[str]:
    """What the API may do to a table."""
    arn = json.dumps({"Fn::Sub": f"{TABLE}{table}"})
    return {action for actions, resources in rights_of_the_api() if arn in resources for action in actions}


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str | dict) else list(value)


@pytest.mark.parametrize("table", [*TABLES, PERSON_KEYS.name])
def test_the_api_may_do_to_a_table_what_it_does_and_no_more(table: str) -> None:
    rights = rights_on(table)

    assert ("dynamodb:GetItem" in rights) is (table not in NOT_OF_THE_API)
    assert not rights & {"dynamodb:Scan", "dynamodb:*"}
    if table in NOT_OF_THE_API:
        assert rights == set()
    elif table in ONLY_READ:
        assert rights <= READS
    elif table in ONLY_ADDED_TO:
        assert rights <= READS | {"dynamodb:PutItem"}
    else:
        assert rights >= READS | {"dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:PutItem"}


@pytest.mark.parametrize("table", TABLES)
def test_the_api_may_query_the_indexes_of_a_table_that_has_some(table: str) -> None:
    index = json.dumps({"Fn::Sub": f"{TABLE}{table}/index/*"})
    granted = [actions for actions, resources in rights_of_the_api() if index in resources]

    assert all("dynamodb:Query" in actions for actions in granted)
    assert bool(granted) == bool(TABLES[table].indexes and table not in NOT_OF_THE_API)


def test_no_right_of_the_api_is_a_wildcard() -> None:
    for actions, resources in rights_of_the_api():
        assert not [action for action in actions if "*" in action]
        assert actions == TRACES or not [one for one in resources if "*" in re.sub(BELOW, "", one)]


def test_the_api_reaches_objects_below_its_prefixes_and_calls_itself_and_what_solves_and_draws() -> None:
    objects = {
        json.loads(one)["Fn::Sub"].partition("${LakeBucket}/")[2]: actions
        for actions, resources in rights_of_the_api()
        for one in resources
        if ":s3:::${LakeBucket}" in one
    }
    called = [resources for actions, resources in rights_of_the_api() if "lambda:InvokeFunction" in actions]

    both = {"s3:GetObject", "s3:PutObject"}
    passing = {f"{prefix}*": both for prefix in (UPLOADS, EXPORTS, JOBS)} | {f"{AUDIT_EXPORTS}*": {"s3:PutObject"}}
    inputs = {"": {"s3:ListBucket"}, f"{MANIFESTS}*": {"s3:GetObject"}}
    plans = {f"{PLANS}*": {"s3:GetObject"}, f"{WISHES}*": {"s3:PutObject"}}
    plans[f"{PUBLICATIONS}*"] = {"s3:PutObject"}
    records = {f"{prefix}*": {"s3:GetObject"} for prefix in ("editions/", "events/failed/", "events/hours/")}
    assert objects == records | inputs | passing | plans
    names = {json.loads(one)["Fn::Sub"].rpartition(":")[2] for resources in called for one in resources}
    assert names == {"${NamePrefix}-api", "${NamePrefix}-copies", "${NamePrefix}-planner"}


def test_the_planner_reads_what_it_plans_from_and_writes_plans_and_what_they_publish() -> None:
    rights = rights_of_the_api("PlannerRole")
    tables = {
        json.loads(one)["Fn::Sub"].removeprefix(TABLE).removesuffix("/index/*"): actions
        for actions, resources in rights
        for one in resources
        if ":table/" in one
    }
    objects = [(actions, resources) for actions, resources in rights if any(":s3:::" in one for one in resources)]

    may = {"dynamodb:GetItem", "dynamodb:Query"}
    plans = may | {"dynamodb:PutItem"}
    rows = plans | {"dynamodb:ConditionCheckItem", "dynamodb:DeleteItem"}
    items = may | {"dynamodb:BatchGetItem"}
    assert tables == {
        **dict.fromkeys(("availability", "members", "projects", "quality", "requests"), items),
        **dict.fromkeys(("plans", "changelog"), plans),
        **dict.fromkeys(("allocations", "published_plans"), rows),
    }
    below = [json.loads(one)["Fn::Sub"].partition("}/")[2] for _, found in objects for one in found]
    assert sorted(below) == [f"{PLANS}*"]
    open_ones = [one for one in rights if [name for name in one[1] if "*" in re.sub(BELOW, "", name)]]
    assert [actions for actions, _ in open_ones] == [TRACES]


def test_the_api_writes_originals_and_reads_none() -> None:
    rights = [
        actions
        for actions, resources in rights_of_the_api()
        if any(":s3:::${NamePrefix}-or" in r for r in resources)
    ]

    assert rights == [{"s3:PutObject"}]


def test_what_analyses_an_upload_can_write_none_and_the_public_reads_articles_and_pictures_alone() -> None:
    public = rights_of_the_api("PublicRole")
    writing = {
        role: [
            json.loads(one)["Fn::Sub"]
            for actions, resources in rights_of_the_api(role)
            if "s3:PutObject" in actions
            for one in resources
        ]
        for role in ("ImagesRole", "CopiesRole")
    }

    # Neither the answers nor what the public is shown is written by the function of the other.
    assert writing == {
        "ImagesRole": ["${MediaBucket.Arn}/analyses/*"],
        "CopiesRole": ["${MediaBucket.Arn}/copies/*"],
    }
    assert {action for actions, _ in public for action in actions} == TRACES | {
        "logs:CreateLogStream", "logs:PutLogEvents", "dynamodb:GetItem", "dynamodb:Query", "s3:GetObject",
    }  # fmt: skip
    tables = {json.loads(one)["Fn::Sub"] for _, resources in public for one in resources if ":table/" in one}
    assert tables == {f"{TABLE}articles", f"{TABLE}articles/index/*", f"{TABLE}images"}


def test_every_alarm_tells_somebody_and_dead_uploads_have_one() -> None:
    alarms = {name: one["Properties"] for name, one in of_type("AWS::CloudWatch::Alarm").items()}

    assert [name for name, one in alarms.items() if not one.get("AlarmActions")] == []
    assert "images-dead" in json.dumps(alarms["UploadsDeadAlarm"]["Dimensions"])


def test_only_uploads_of_pictures_are_told_to_the_queue() -> None:
    told = of_type("AWS::S3::Bucket")["OriginalsBucket"]["Properties"]["NotificationConfiguration"]
    rules = [
        {rule["Name"]: rule["Value"] for rule in one["Filter"]["S3Key"]["Rules"]}
        for one in told["QueueConfigurations"]
    ]

    assert rules == [{"prefix": ORIGINALS, "suffix": f".{ending}"} for ending in MEDIA_TYPES]
    assert "NotificationConfiguration" not in of_type("AWS::S3::Bucket")["MediaBucket"]["Properties"]


@pytest.mark.parametrize("role", ["IngestRole", "DispatcherRole", "StepRole", "MachineRole"])
def test_no_right_over_events_is_a_wildcard_and_none_is_over_tables_of_people(role: str) -> None:
    own = {spec.name for spec in EVENT_TABLES}
    for actions, resources in rights_of_the_api(role):
        assert not [action for action in actions if "*" in action]
        # The rights to have a log delivered and to trace know no resources; test_policies.py says which those are.
        delivers = all(action.startswith(("logs:", "xray:")) for action in actions) and resources == {'"*"'}
        assert delivers or not [one for one in resources if "*" in re.sub(EVENTS_BELOW, "", one)]
        tables = {json.loads(one)["Fn::Sub"].removeprefix(TABLE) for one in resources if ":table/" in one}
        assert tables <= own


def test_the_states_of_events_are_tried_again_and_none_of_them_catches_a_class() -> None:
    machine = of_type("AWS::StepFunctions::StateMachine")["Machine"]["Properties"]
    states = json.loads(machine["DefinitionString"]["Fn::Sub"])["States"]
    tasks = [state for state in states.values() if state["Type"] == "Task"]

    assert {state["Parameters"]["step"] for state in tasks} == {"validate", "enrich", "store", "aggregate"}
    for state in tasks:
        assert state["TimeoutSeconds"] <= 10
        caught = {error for one in (*state["Retry"], *state["Catch"]) for error in one["ErrorEquals"]}
        assert caught == {"States.ALL"}


@pytest.mark.parametrize("function", of_type("AWS::Lambda::Function"))
def test_the_function_is_given_variables_that_the_settings_know(function: str) -> None:
    given = of_type("AWS::Lambda::Function")[function]["Properties"]["Environment"]["Variables"]
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | {f"{PREFIX}{n}" for n in NOT_SETTINGS}

    assert {name for name in given if name.startswith(PREFIX)} <= known


def test_every_route_asks_for_a_token_of_our_pool() -> None:
    authorizers = of_type("AWS::ApiGatewayV2::Authorizer")
    for name, route in of_type("AWS::ApiGatewayV2::Route").items():
        # Its function checks a signature, or can read nothing but what is public.
        if route["Properties"]["RouteKey"] in {SIGNED_ROUTE, OPEN_ROUTE}:
            assert route["Properties"]["AuthorizationType"] == "NONE"
            continue
        assert route["Properties"]["AuthorizationType"] == "JWT", name
        assert route["Properties"]["AuthorizerId"] in ({"Ref": "SignedIn"}, {"Ref": "AuthorizerId"}), name
    audience = authorizers["SignedIn"]["Properties"]["JwtConfiguration"]["Audience"]

    assert {one["Ref"] for one in audience} == set(of_type("AWS::Cognito::UserPoolClient"))


def test_no_app_client_takes_a_password_from_just_anybody() -> None:
    for name, app in of_type("AWS::Cognito::UserPoolClient").items():
        assert "ALLOW_USER_PASSWORD_AUTH" not in app["Properties"]["ExplicitAuthFlows"], name
        assert app["Properties"]["AccessTokenValidity"] == 60, name


def test_the_groups_of_the_pool_are_the_roles() -> None:
    groups = [group["Properties"]["GroupName"] for group in of_type("AWS::Cognito::UserPoolGroup").values()]

    assert sorted(groups) == sorted(role.value for role in Role)


@pytest.mark.parametrize("name", of_type("AWS::Logs::LogGroup"))
def test_every_log_group_ends_its_entries(name: str) -> None:
    assert "RetentionInDays" in of_type("AWS::Logs::LogGroup")[name]["Properties"]


def test_a_database_that_sends_its_log_finds_the_group_there_instead_of_making_one_for_ever() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    for database in of_type("AWS::RDS::DBInstance").values():
        told = database["Properties"]
        sent = {
            f"/aws/rds/instance/{told['DBInstanceIdentifier']['Fn::Sub']}/{kind}"
            for kind in told["EnableCloudwatchLogsExports"]
        }

        assert sent
        assert {groups[name]["Properties"]["LogGroupName"]["Fn::Sub"] for name in [database["DependsOn"]]} == sent
