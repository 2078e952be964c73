"""What can be switched in the templates: off unless somebody asks, whole when it is on, and names that fit.

The published version and its alias are deployed in tests/integration/test_deploying.py.
"""

import json
import re
from typing import Any, Final

import pytest

from infra.deploy import ASKED
from infra.place import regions
from infra.stacks import FINGERPRINT
from prism_api.api.calls import WARM_EVENT
from tests.architecture.test_policies import unfolded
from tests.architecture.test_templates import TRACES, decoded, of_type

# What the names of these may have; AWS says so on the page of each kind.
MOST: Final = {
    ("AWS::S3::Bucket", "BucketName"): 63,
    ("AWS::IAM::Role", "RoleName"): 64,
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::SQS::Queue", "QueueName"): 80,
    ("AWS::Cognito::UserPoolDomain", "Domain"): 63,
    ("AWS::RDS::DBInstance", "DBInstanceIdentifier"): 63,
}
# Others are in partitions of their own, which PRISM is not deployed to; with their long names a prefix is shorter.
APART: Final = ("cn-", "eusc-", "us-gov-", "us-iso", "eu-iso")
REGIONS: Final = tuple(one for one in regions() if not one.startswith(APART))


def parameters(template: str) -> dict[str, Any]:
    return dict(decoded(template)["Parameters"])


def conditions() -> dict[str, Any]:
    return dict(decoded("api")["Conditions"])


@pytest.mark.parametrize(
    ("name", "default", "values"),
    [
        ("Readiness", "cold", {"cold", "warmer", "provisioned", "snapstart"}),
        ("Mfa", "OPTIONAL", {"OFF", "OPTIONAL", "ON"}),
        ("Tracing", "PassThrough", {"PassThrough", "Active"}),
        ("AccountMail", "cognito", {"cognito", "sender"}),
    ],
)
def test_a_switch_is_asked_for_by_its_name_and_costs_nothing_until_then(
    name: str, default: str, values: set[str]
) -> None:
    found = parameters("api")[name]

    assert (found["Default"], set(found["AllowedValues"])) == (default, values)
    assert name in ASKED


def test_a_second_factor_is_what_was_asked_for_on_aws_and_none_locally() -> None:
    (pool,) = (one["Properties"] for one in of_type("AWS::Cognito::UserPool").values())

    assert pool["MfaConfiguration"] == {"Fn::If": ["TakesMfa", {"Ref": "Mfa"}, "OFF"]}
    assert pool["EnabledMfas"]["Fn::If"][:2] == ["TakesMfa", ["SOFTWARE_TOKEN_MFA"]]
    assert {"Condition": "IsAws"} in conditions()["TakesMfa"]["Fn::And"]


def test_accounts_are_mailed_by_the_sender_of_the_mail_stack_only_when_somebody_says_that_it_is_verified() -> None:
    """Cognito refuses a pool whose sender SES has not verified, which is so at every first deployment."""
    (pool,) = (one["Properties"] for one in of_type("AWS::Cognito::UserPool").values())
    identity = decoded("mail")["Resources"]["SenderIdentity"]["Properties"]["EmailIdentity"]

    switch, told, otherwise = pool["EmailConfiguration"]["Fn::If"]
    assert (switch, otherwise) == ("MailsBySender", {"Ref": "AWS::NoValue"})
    assert (told["EmailSendingAccount"], told["From"]) == ("DEVELOPER", identity)
    assert told["SourceArn"]["Fn::Sub"].endswith(f":identity/${{{identity['Ref']}}}")
    needed = conditions()["MailsBySender"]["Fn::And"]
    assert {"Condition": "IsAws"} in needed
    assert {"Fn::Equals": [{"Ref": "AccountMail"}, "sender"]} in needed


def test_a_published_version_is_made_anew_with_its_function_and_answers_in_its_place() -> None:
    (version,), (alias,) = (list(of_type(f"AWS::Lambda::{kind}").values()) for kind in ("Version", "Alias"))
    either = {"Fn::If": ["Published", {"Ref": "ApiAlias"}, {"Fn::GetAtt": ["ApiFunction", "Arn"]}]}

    # Another description is another version; nothing else of it can change.
    assert f"${{{FINGERPRINT}}}" in version["Properties"]["Description"]["Fn::Sub"]
    assert alias["Properties"]["FunctionVersion"] == {"Fn::GetAtt": ["ApiVersion", "Version"]}
    assert {version["Condition"], alias["Condition"]} == {"Published"}
    assert of_type("AWS::ApiGatewayV2::Integration")["ApiIntegration"]["Properties"]["IntegrationUri"] == either
    assert of_type("AWS::Lambda::Permission")["ApiMayBeCalled"]["Properties"]["FunctionName"] == either
    function = of_type("AWS::Lambda::Function")["ApiFunction"]["Properties"]
    assert function["Environment"]["Variables"]["DEPLOYED_AS"]["Fn::If"][:2] == ["Published", {"Ref": FINGERPRINT}]
    assert function["SnapStart"]["Fn::If"][:2] == ["SnapStarted", {"ApplyOn": "PublishedVersions"}]
    assert alias["Properties"]["ProvisionedConcurrencyConfig"]["Fn::If"][0] == "Provisioned"


def test_the_warmer_calls_the_api_every_five_minutes_of_working_hours_with_what_it_knows() -> None:
    (schedule,) = of_type("AWS::Scheduler::Schedule").values()
    told, target = schedule["Properties"], schedule["Properties"]["Target"]

    assert told["ScheduleExpression"] == {"Fn::Sub": "cron(0/5 ${WarmHours} ? * MON-FRI *)"}
    assert json.loads(target["Input"]) == {WARM_EVENT: True}
    assert target["Arn"] == {"Fn::GetAtt": ["ApiFunction", "Arn"]}
    role = of_type("AWS::IAM::Role")[target["RoleArn"]["Fn::GetAtt"][0]]
    ((may,),) = (one["PolicyDocument"]["Statement"] for one in role["Properties"]["Policies"])
    assert (may["Action"], may["Resource"]) == ("lambda:InvokeFunction", target["Arn"])
    assert schedule["Condition"] == role["Condition"] == "Warmed"
    hours = parameters("api")["WarmHours"]
    assert re.fullmatch(hours["AllowedPattern"], hours["Default"])


def guarded(role: str) -> dict[str, set[str]]:
    """What a role may only if a condition holds: its actions by condition."""
    return {
        one["Fn::If"][0]: set(next(unfolded(one))["Action"])
        for policy in of_type("AWS::IAM::Role")[role]["Properties"]["Policies"]
        for one in policy["PolicyDocument"]["Statement"]
        if "Fn::If" in one
    }


@pytest.mark.parametrize("name", of_type("AWS::Lambda::Function"))
def test_every_function_can_be_traced_and_may_send_its_traces_only_then(name: str) -> None:
    function = of_type("AWS::Lambda::Function")[name]["Properties"]

    assert function["TracingConfig"] == {"Mode": {"Ref": "Tracing"}}
    assert guarded(function["Role"]["Fn::GetAtt"][0])["Traced"] == TRACES


def test_the_machine_of_events_is_traced_with_its_functions_and_asks_how_many_to_take() -> None:
    machine = of_type("AWS::StepFunctions::StateMachine")["Machine"]["Properties"]
    sampling = {"xray:GetSamplingRules", "xray:GetSamplingTargets"}

    assert machine["TracingConfiguration"] == {"Fn::If": ["Traced", {"Enabled": True}, {"Ref": "AWS::NoValue"}]}
    assert guarded(machine["RoleArn"]["Fn::GetAtt"][0])["Traced"] == TRACES | sampling


@pytest.mark.parametrize("template", ["data", "catalog", "mail", "planner", "api", "edge", "web", "dagster"])
def test_a_prefix_that_a_template_takes_gives_names_that_fit_everywhere(template: str) -> None:
    prefix = parameters(template)["NamePrefix"]
    longest = "p" * 25

    assert re.fullmatch(prefix["AllowedPattern"], longest)
    assert not re.fullmatch(prefix["AllowedPattern"], f"{longest}p")
    assert "3 to 25" in prefix["ConstraintDescription"]


@pytest.mark.parametrize(("kind", "of"), MOST)
def test_the_longest_prefix_gives_names_that_aws_takes(kind: str, of: str) -> None:
    region = max(REGIONS, key=len)
    given = {"NamePrefix": "p" * 25, "AWS::AccountId": "1" * 12, "AWS::Region": region}
    named = [one["Properties"][of]["Fn::Sub"] for one in of_type(kind).values() if of in one["Properties"]]
    full = [re.sub(r"\$\{([^}]+)\}", lambda name: given[name[1]], one) for one in named]

    assert full
    assert [one for one in full if len(one) > MOST[kind, of]] == []
