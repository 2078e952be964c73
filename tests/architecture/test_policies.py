"""Who may do what, over all templates: no star, nothing public, and each integration with its permission or role.

The embedded AWS enforces the rights of functions (tests/integration/test_rights.py). It enforces neither those of
services nor most policies of resources: this is their proof.
"""

import json
import posixpath
import re
from collections.abc import Iterator
from typing import Any

import pytest

from prism_core.privacy import PERSON_KEYS
from prism_core.settings import Settings
from prism_core.tables import TABLES
from prism_resources.events.large import LARGE
from tests.architecture.test_templates import TABLE, decoded, of_type, text_of

ROLES = of_type("AWS::IAM::Role")
POLICIES = of_type("AWS::IAM::ManagedPolicy")
# AWS knows no resources for these; some of them are bound by a condition instead.
WITHOUT_RESOURCES = {
    "cloudwatch:PutMetricData",
    "ec2:DescribeNetworkInterfaces",
    "ecr:GetAuthorizationToken",
    "ecs:DescribeTaskDefinition",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    *(f"logs:{verb}LogDelivery" for verb in ("Create", "Delete", "Get", "Update")),
    "rekognition:DetectLabels",
    "rekognition:DetectModerationLabels",
    "rekognition:DetectText",
    "ses:GetAccount",
    *(f"xray:GetSampling{one}" for one in ("Rules", "Targets")),
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
    *(f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")),
}
# A star ends a name: objects below a prefix, an index, what Secrets Manager adds, a task, a stream of a log.
ENDS = re.compile(r"(/\*|-\?{6}|:\*)$")
ROOT = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
KEY_OF_THE_ACCOUNT = {"kms:*"}


def listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str | dict) else list(value)


def unfolded(statements: Any) -> Iterator[dict[str, Any]]:
    for one in listed(statements):
        yield one["Fn::If"][1] if "Fn::If" in one else one


def rights() -> list[tuple[str, dict[str, Any]]]:
    """Every statement of every role, with its owner."""
    inline = [
        (name, statement)
        for name, role in ROLES.items()
        for policy in role["Properties"].get("Policies", [])
        for statement in unfolded(policy["PolicyDocument"]["Statement"])
    ]
    return inline + [
        (name, statement)
        for name, policy in POLICIES.items()
        for statement in unfolded(policy["Properties"]["PolicyDocument"]["Statement"])
    ]


def of_resources() -> list[tuple[str, dict[str, Any]]]:
    """Every statement of a policy that a resource has itself."""
    kinds = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")
    return [
        (name, statement)
        for kind in kinds
        for name, policy in of_type(kind).items()
        for statement in unfolded(policy["Properties"]["PolicyDocument"]["Statement"])
    ]


def named(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def test_no_right_is_over_actions_by_a_star() -> None:
    assert [(who, a) for who, one in rights() for a in listed(one["Action"]) if "*" in a] == []
    assert [who for who, one in rights() if "NotAction" in one or "NotResource" in one] == []


def test_no_right_is_over_everything_but_where_aws_knows_no_resources() -> None:
    open_ones = [(who, one) for who, one in rights() if "*" in listed(one["Resource"])]

    assert open_ones
    assert [(who, set(listed(one["Action"])) - WITHOUT_RESOURCES) for who, one in open_ones if
            set(listed(one["Action"])) - WITHOUT_RESOURCES] == []  # fmt: skip


def test_a_star_in_a_resource_ends_it() -> None:
    texts = [
        (who, text)
        for who, one in rights()
        for resource in listed(one["Resource"])
        if resource != "*"
        for text in [resource if isinstance(resource, str) else str(next(iter(resource.values())))]
    ]

    assert [(who, text) for who, text in texts if re.search(r"[*?]", ENDS.sub("", text))] == []


def test_every_role_is_of_one_service_and_passed_on_to_that_service_alone() -> None:
    for name, role in ROLES.items():
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert list(statement["Principal"]) == ["Service"], name
        assert isinstance(statement["Principal"]["Service"], str), name
    passing = [(who, one) for who, one in rights() if "iam:PassRole" in listed(one["Action"])]
    assert [who for who, one in passing if "iam:PassedToService" not in str(one.get("Condition"))] == []


def test_nobody_from_outside_may_do_anything_to_a_resource() -> None:
    allowing = [(name, one) for name, one in of_resources() if one["Effect"] == "Allow"]

    assert allowing
    for name, one in allowing:
        assert list(one["Principal"]) == ["Service"], name
        assert re.search("SourceArn|SourceAccount", json.dumps(one["Condition"])), name
        assert not [action for action in listed(one["Action"]) if "*" in action], name


def test_a_key_is_of_the_account_and_of_nobody_else() -> None:
    for name, key in of_type("AWS::KMS::Key").items():
        for one in key["Properties"]["KeyPolicy"]["Statement"]:
            assert one["Principal"] == {"AWS": {"Fn::Sub": ROOT}}, name
            assert set(listed(one["Action"])) == KEY_OF_THE_ACCOUNT, name
        assert key["Properties"]["EnableKeyRotation"] is True


def test_a_permission_names_who_calls_and_from_where() -> None:
    for name, one in of_type("AWS::Lambda::Permission").items():
        assert re.fullmatch(r"[a-z]+\.amazonaws\.com", one["Properties"]["Principal"]), name
        assert "SourceArn" in one["Properties"], name
    assert of_type("AWS::Lambda::Url") == {}


def test_every_route_may_call_the_function_that_it_leads_to() -> None:
    integrations = of_type("AWS::ApiGatewayV2::Integration")
    permissions = [one["Properties"] for one in of_type("AWS::Lambda::Permission").values()]
    for name, route in of_type("AWS::ApiGatewayV2::Route").items():
        integration = route["Properties"]["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")
        function = integrations[integration]["Properties"]["IntegrationUri"]
        method, path = route["Properties"]["RouteKey"].split(" ")
        wanted = f"/*/{'*' if method == 'ANY' else method}{re.sub(r'{[^}]*}', '*', path)}"
        given = [
            one["SourceArn"]["Fn::Sub"]
            for one in permissions
            if one["FunctionName"] == function and one["Principal"] == "apigateway.amazonaws.com"
        ]
        assert [one for one in given if one.endswith(wanted)], (name, wanted, given)


def actions_of(role: str, resource: dict[str, Any] | str) -> set[str]:
    return {
        action
        for who, one in rights()
        if who == role and resource in listed(one["Resource"]) and one["Effect"] == "Allow"
        for action in listed(one["Action"])
    }


def role_of(function: str) -> str:
    return of_type("AWS::Lambda::Function")[function]["Properties"]["Role"]["Fn::GetAtt"][0]


def test_what_a_queue_feeds_may_take_from_it_and_a_dead_queue_stands_behind() -> None:
    for name, mapping in of_type("AWS::Lambda::EventSourceMapping").items():
        queue = mapping["Properties"]["EventSourceArn"]
        may = actions_of(role_of(mapping["Properties"]["FunctionName"]["Ref"]), queue)
        assert may >= {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, name
        assert "RedrivePolicy" in of_type("AWS::SQS::Queue")[queue["Fn::GetAtt"][0]]["Properties"], name


def test_a_machine_may_call_the_functions_of_its_states() -> None:
    for name, machine in of_type("AWS::StepFunctions::StateMachine").items():
        role = machine["Properties"]["RoleArn"]["Fn::GetAtt"][0]
        called = set(re.findall(r"\$\{(\w+)\.Arn\}", machine["Properties"]["DefinitionString"]["Fn::Sub"]))
        assert called, name
        for function in called:
            assert "lambda:InvokeFunction" in actions_of(role, {"Fn::GetAtt": [function, "Arn"]}), name


def test_what_a_bucket_or_a_topic_tells_a_queue_the_queue_takes() -> None:
    takes = {
        (named(one["Resource"]), one["Principal"]["Service"])
        for name, policy in of_type("AWS::SQS::QueuePolicy").items()
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
        if name and "sqs:SendMessage" in listed(one["Action"])
    }
    for bucket in of_type("AWS::S3::Bucket").values():
        for one in bucket["Properties"].get("NotificationConfiguration", {}).get("QueueConfigurations", []):
            assert (named(one["Queue"]), "s3.amazonaws.com") in takes
    for one in of_type("AWS::SNS::Subscription").values():
        if one["Properties"]["Protocol"] == "sqs":
            assert (named(one["Properties"]["Endpoint"]), "sns.amazonaws.com") in takes


def test_whoever_tells_a_topic_may() -> None:
    may = {
        (named(one["Resource"]), service)
        for policy in of_type("AWS::SNS::TopicPolicy").values()
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
        for service in listed(one["Principal"]["Service"])
    }
    told = {
        named(topic)
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        for topic in alarm["Properties"].get("AlarmActions", [])
    }

    assert told
    assert {(one, "cloudwatch.amazonaws.com") for one in told} <= may


def test_nothing_of_a_network_is_open_to_the_world() -> None:
    for name, database in of_type("AWS::RDS::DBInstance").items():
        assert database["Properties"]["PubliclyAccessible"] is False, name
        assert database["Properties"]["StorageEncrypted"] is True, name
        assert "ManageMasterUserPassword" not in database["Properties"], name
        kept = re.fullmatch(
            r"\{\{resolve:secretsmanager:\$\{(\w+)\}:SecretString:password\}\}",
            database["Properties"]["MasterUserPassword"]["Fn::Sub"],
        )
        assert kept is not None, name
        assert "GenerateSecretString" in of_type("AWS::SecretsManager::Secret")[kept[1]]["Properties"], name
    coming = [
        rule
        for group in of_type("AWS::EC2::SecurityGroup").values()
        for rule in group["Properties"].get("SecurityGroupIngress", [])
    ]
    coming += [one["Properties"] for one in of_type("AWS::EC2::SecurityGroupIngress").values()]
    assert [rule for rule in coming if "CidrIp" in rule or "CidrIpv6" in rule] == []
    for name, service in of_type("AWS::ECS::Service").items():
        network = service["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert network["AssignPublicIp"] == "DISABLED", name


def test_every_dead_queue_has_an_alarm() -> None:
    queues = of_type("AWS::SQS::Queue")
    dead = {
        one["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for one in queues.values()
        if "RedrivePolicy" in one["Properties"]
    }
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    watched = json.dumps([one["Properties"].get("Dimensions") for one in alarms])
    names = {name: queues[name]["Properties"]["QueueName"]["Fn::Sub"] for name in dead}

    assert dead
    assert [n for n in dead if f'["{n}", "QueueName"]' not in watched and names[n] not in watched] == []


@pytest.mark.parametrize("table", [*TABLES, PERSON_KEYS.name])
def test_dagster_may_use_every_table_and_its_indexes(table: str) -> None:
    may = actions_of("DagsterTables", {"Fn::Sub": f"{TABLE}{table}"})
    of_index = actions_of("DagsterIndexes", {"Fn::Sub": f"{TABLE}{table}/index/*"})

    assert {"dynamodb:Query", "dynamodb:PutItem"} <= may
    assert bool(of_index) is bool(table in TABLES and TABLES[table].indexes)


def test_dagster_may_end_large_events_and_ask_what_the_doctor_and_the_drift_sample_ask() -> None:
    originals = {"Fn::Sub": "arn:${AWS::Partition}:s3:::${NamePrefix}-originals-${AWS::AccountId}-${AWS::Region}"}
    large = {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::${{LakeBucket}}/{LARGE}*"}

    assert "s3:DeleteObjectVersion" in actions_of("DagsterRights", large)
    assert {"s3:GetBucketNotification", "s3:GetBucketVersioning"} <= actions_of("DagsterRights", originals)
    assert "rekognition:DetectLabels" in actions_of("DagsterRights", "*")


def test_the_policies_of_a_role_have_the_size_that_iam_takes() -> None:
    """IAM counts no white space; what stands for names is as long as the longest prefix and region make it."""
    longest = {
        "NamePrefix": "p" * 25,
        "AWS::Partition": "aws",
        "AWS::AccountId": "1" * 12,
        "AWS::Region": "r" * 14,
    }

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            if "Fn::Sub" in value and isinstance(value["Fn::Sub"], str):
                return re.sub(r"\$\{([^}]+)\}", lambda name: longest.get(name[1], "n" * 63), value["Fn::Sub"])
            return {name: resolved(one) for name, one in value.items()}
        return [resolved(one) for one in value] if isinstance(value, list) else value

    def size(document: Any) -> int:
        return len(json.dumps(resolved(document), separators=(",", ":")))

    managed = {name: size(one["Properties"]["PolicyDocument"]) for name, one in POLICIES.items()}
    inline = {
        name: sum(size(policy["PolicyDocument"]) for policy in one["Properties"].get("Policies", []))
        for name, one in ROLES.items()
    }
    assert {name: found for name, found in managed.items() if found > 6_144} == {}
    assert {name: found for name, found in inline.items() if found > 10_240} == {}


def counted_as_a_producers(statement: Any, method: str, path: str) -> bool:
    """What the firewall says of a request, by a statement of its template."""
    ((kind, told),) = statement.items()
    if kind in {"AndStatement", "OrStatement"}:
        found = [counted_as_a_producers(one, method, path) for one in told["Statements"]]
        return all(found) if kind == "AndStatement" else any(found)
    ((field, _),) = told["FieldToMatch"].items()
    (transformed,) = [one["Type"] for one in told["TextTransformations"]]
    text = method if field == "Method" else path
    text = posixpath.normpath(text) if transformed == "NORMALIZE_PATH" else text
    wanted = told["SearchString"]
    return text == wanted if told["PositionalConstraint"] == "EXACTLY" else text.startswith(wanted)


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("POST /api/events", True),
        ("POST /hooks/shop", True),
        ("GET /api/events", False),
        ("GET /api/events/failed", False),
        ("POST /api/events/failed/1/replay", False),
        ("POST /api/eventsx", False),
        ("POST /api/./events", False),
        ("POST /api/../hooks/shop", False),
        ("POST /hooks/../api/members", False),
        ("GET /hooks/shop", False),
        ("GET /api/members", False),
    ],
)
def test_what_goes_to_the_door_of_everybody_is_under_the_limits_of_everybody(
    request_line: str, *, expected: bool
) -> None:
    rules = decoded("edge")["Resources"]["Firewall"]["Properties"]["Rules"]
    (producers,) = [one["Statement"]["RateBasedStatement"] for one in rules if one["Name"] == "producers"]

    assert counted_as_a_producers(producers["ScopeDownStatement"], *request_line.split()) is expected


def test_one_producer_leaves_room_for_the_others_at_the_gateway() -> None:
    (stage,) = of_type("AWS::ApiGatewayV2::Stage").values()
    a_second = stage["Properties"]["DefaultRouteSettings"]["ThrottlingRateLimit"]

    assert decoded("edge")["Parameters"]["EventRequestsPerFiveMinutes"]["Default"] < 300 * a_second


def test_the_firewall_stands_before_the_one_distribution_and_the_api_behind_a_secret() -> None:
    (web,) = of_type("AWS::CloudFront::Distribution").values()
    config = web["Properties"]["DistributionConfig"]
    api = next(one for one in config["Origins"] if one["Id"] == "api")
    rates = {
        rule["Name"]: rule
        for firewall in of_type("AWS::WAFv2::WebACL").values()
        for rule in firewall["Properties"]["Rules"]
        if "RateBasedStatement" in rule["Statement"]
    }

    assert config["WebACLId"] == {"Ref": "FirewallArn"}
    assert set(rates) == {"producers", "address", "person"}
    assert [one["Action"] for one in rates.values()] == [{"Block": {}}] * 3
    scopes = {name: one["Statement"]["RateBasedStatement"]["ScopeDownStatement"] for name, one in rates.items()}
    # What one limit leaves out the other one takes: no call is counted by none.
    assert scopes["address"] == scopes["person"] == {"NotStatement": {"Statement": scopes["producers"]}}
    assert [one["HeaderName"] for one in api["OriginCustomHeaders"]] == ["x-prism-origin"]
    doors = {one["PathPattern"] for one in config["CacheBehaviors"]}
    assert doors == {"/api/*", "/hooks/*", "/public/*"}
    behind = {"ApiFunction", "IngestFunction", "PublicFunction"}
    functions = of_type("AWS::Lambda::Function")
    assert {
        name for name, one in functions.items() if
        "PRISM_ORIGIN_SECRET" in one["Properties"]["Environment"]["Variables"]
    } == behind  # fmt: skip
    told = [functions[name]["Properties"]["Environment"]["Variables"]["PRISM_ORIGIN_SECRET"] for name in behind]
    said = {text for one in told for text in re.findall(r"resolve:secretsmanager:[^\"]+", json.dumps(one))}
    (sent,) = (one["HeaderValue"]["Fn::Sub"] for one in api["OriginCustomHeaders"])
    (logging,) = of_type("AWS::WAFv2::LoggingConfiguration").values()
    (logs,) = logging["Properties"]["LogDestinationConfigs"]
    assert text_of(logs).endswith(":log-group:${FirewallLogs}")  # without the ":*" that GetAtt adds
    # Both sides change to another value by the same parameter.
    assert {one.partition(":SecretString")[2] for one in (*said, sent)} == {":::${OriginSecretVersion}}}"}


def test_whoever_writes_the_change_log_agrees_on_its_shards() -> None:
    shards = "PRISM_CHANGELOG_SHARDS"
    functions = {
        name: one["Properties"]["Environment"]["Variables"]
        for name, one in of_type("AWS::Lambda::Function").items()
    }
    writing = {name for name in functions if "dynamodb:PutItem" in actions_on_the_change_log(role_of(name))}
    tasks = [
        {one["Name"]: one["Value"] for one in container["Environment"] if "Name" in one}
        for task in of_type("AWS::ECS::TaskDefinition").values()
        for container in task["Properties"]["ContainerDefinitions"]
    ]

    assert {"ApiFunction", "PlannerFunction"} <= writing
    assert {name for name, given in functions.items() if shards in given} >= writing
    given = [functions[name][shards] for name in writing] + [one[shards] for one in tasks]
    assert given == [{"Ref": "ChangelogShards"}] * (len(writing) + 4)
    assert [one["DAGSTER_SETTINGS"] for one in tasks] == [{"Ref": "SettingsJson"}] * 4


def actions_on_the_change_log(role: str) -> set[str]:
    return actions_of(role, {"Fn::Sub": f"{TABLE}changelog"})


def test_sql_of_dagster_is_bound_to_a_workgroup_that_says_where_answers_lie_and_how_much_is_read() -> None:
    (group,) = of_type("AWS::Athena::WorkGroup").values()
    told = group["Properties"]["WorkGroupConfiguration"]

    assert told["EnforceWorkGroupConfiguration"] is True
    assert told["ResultConfiguration"]["OutputLocation"] == {"Fn::Sub": "s3://${LakeBucket}/athena/"}
    assert told["BytesScannedCutoffPerQuery"] > 0
    asking = [one for _, one in rights() if "athena:StartQueryExecution" in listed(one["Action"])]
    assert group["Properties"]["Name"] == {"Ref": "NamePrefix"}
    # Who asks from elsewhere asks there, too.
    assert Settings(name_prefix="acme").workgroup == "acme"
    assert [one["Resource"]["Fn::Sub"].rpartition(":")[2] for one in asking] == ["workgroup/${NamePrefix}"]


def test_each_part_of_dagster_may_do_its_own_and_a_run_starts_no_other() -> None:
    tasks = {
        name: one["Properties"]["TaskRoleArn"]["Fn::GetAtt"][0]
        for name, one in of_type("AWS::ECS::TaskDefinition").items()
    }
    may: dict[str, set[str]] = {}
    for who, one in rights():
        owners = [role["Ref"] for role in POLICIES[who]["Properties"]["Roles"]] if who in POLICIES else [who]
        for owner in owners:
            may.setdefault(owner, set()).update(listed(one["Action"]))

    # Sensors and schedules are asked in the code server: it needs what runs need.
    assert tasks == {
        "RunTask": "DagsterRole", "CodeTask": "DagsterRole", "WebTask": "WebRole", "DaemonTask": "DaemonRole",
    }  # fmt: skip
    assert {role for role, actions in may.items() if actions & {"ecs:RunTask", "iam:PassRole"}} == {"DaemonRole"}
    data = ("dynamodb:", "kms:", "secretsmanager:", "ses:", "sqs:", "athena:", "glue:")
    for role in ("WebRole", "DaemonRole"):
        assert [action for action in may[role] if action.startswith(data)] == []
    assert {action for action in may["WebRole"] if action.startswith("s3:")} == {"s3:GetObject", "s3:ListBucket"}
    assert [action for action in may["DaemonRole"] if action.startswith("s3:")] == []


def test_a_task_is_tagged_when_it_is_started_and_at_no_other_time() -> None:
    tagging = [one for _, one in rights() if "ecs:TagResource" in listed(one["Action"])]

    assert [one["Condition"] for one in tagging] == [{"StringEquals": {"ecs:CreateAction": "RunTask"}}]
    assert [listed(one["Action"]) for one in tagging] == [["ecs:TagResource"]]
