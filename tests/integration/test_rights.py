"""Functions under the rights of their roles: each does its work, and none does what its code must not.

Why real: whether a statement of a policy covers a call is decided where the call arrives. The embedded AWS
enforces the rights of functions, not those of services (API Gateway, Step Functions, the poller of a queue), of
which tests/architecture/test_policies.py proves that they are there. Events run under rights in
test_events_flow.py, and plans in test_api_plans.py.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from infra.declared import resources
from infra.deploy import STACKS, template
from infra.local.platform import Platform
from infra.smoke import smoke_test
from prism_api.api.calls import Role
from prism_api.api.matrix import OPERATIONS
from prism_core.models.images import ImageState
from prism_core.settings import Environment, Settings
from prism_resources.aws import client
from prism_resources.failures import error_code
from prism_resources.preflight import CHECKS, preflight
from prism_resources.returns import UNREAD, MailReturns
from prism_resources.wire.findings import Level
from tests.architecture.test_templates import decoded
from tests.aws_credentials import only_credentials
from tests.integration.deployed import Deployed
from tests.integration.emulators import await_true
from tests.integration.fresh import platform_of_this_file
from tests.integration.media_world import Studio, photograph, studio_of

platform = platform_of_this_file(rights=True)
WEEK = "2018-W40"
PROBE = """
import boto3

def handler(event, context):
    client = boto3.client(event["service"], endpoint_url=event["url"], region_name="us-east-1")
    try:
        getattr(client, event["call"])(**event["with"])
    except client.exceptions.ClientError as error:
        print(error)
        return error.response["Error"]["Code"]
    print("done")
    return "done"
"""
NEEDED = {"week": WEEK, "table": "members"}
ASKS_MORE = {
    f"GET /api/{path}"
    for path in (
        "holidays", "taxonomy-map", "changes",
        "capacity/{week}/plans/{plan_id}/compare", "capacity/{week}/plans/{plan_id}/candidates",
    )
}  # fmt: skip
DENIED = {"AccessDenied", "AccessDeniedException", "AccessDeniedFault", "AuthorizationError"}


@pytest.fixture(scope="module")
def studio(platform: Platform) -> Iterator[Studio]:
    with studio_of(platform) as found:
        yield found


@pytest.fixture(scope="module")
def api(platform: Platform) -> Iterator[httpx.Client]:
    """Calls of an admin through the gateway."""
    deployed = Deployed(platform)
    headers = {"Authorization": f"Bearer {deployed.token(Role.ADMIN)}"}
    with httpx.Client(base_url=deployed.url, headers=headers, timeout=60) as http:
        yield http


@pytest.fixture(scope="module")
def probe(platform: Platform) -> Callable[..., str]:
    """What a function of a role is answered; its code is ours, and nothing else is."""
    functions, made = client(platform.settings, "lambda"), set[str]()
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("probe.py", PROBE)

    def ask(role: str, service: str, call: str, **arguments: Any) -> str:
        name = f"probe-{role}"
        if name not in made:
            arn = client(platform.settings, "iam").get_role(RoleName=f"prism-{role}-us-east-1")["Role"]["Arn"]
            functions.create_function(
                FunctionName=name, Role=arn, Runtime="python3.13", Handler="probe.handler", Timeout=30,
                Code={"ZipFile": code.getvalue()},
            )  # fmt: skip
            made.add(name)
        assert platform.emulator is not None
        asked = {"service": service, "call": call, "with": arguments, "url": platform.emulator.url}
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(asked).encode())
        return json.loads(answer["Payload"].read())

    return ask


def answer_of(call: Callable[[], object]) -> str:
    try:
        call()
    except ClientError as error:
        return error_code(error)
    return "done"


def path_of(path: str) -> str:
    named = {"{week}": WEEK, "{table}": "members", "{key}": "none", "{number}": "1"}
    return reduce(lambda found, name: found.replace(name, named[name]), named, path)


@pytest.mark.slow
def test_what_is_deployed_passes_its_smoke_test_under_rights(platform: Platform) -> None:
    assert smoke_test(platform.settings)


@pytest.mark.slow
def test_the_api_may_make_every_call_that_reading_takes(api: httpx.Client) -> None:
    # Whether a report was made is asked only where somebody waits for it.
    reader = {"recipient_id": "r", "name": "R", "email": "r@example.com", "time_zone": "UTC"}
    made = api.post("/api/recipients", json=reader | {"subscriptions": [{"report": "ops"}]})
    assert made.status_code == 201, made.text

    answers = {
        (one.name, *params): api.get(path_of(one.path), params=params)
        for one in OPERATIONS
        if one.method == "GET"
        for params in ({}, NEEDED)
    }

    assert {name: answer.text for name, answer in answers.items() if answer.status_code >= 500} == {}
    assert [one["report"] for one in answers[("GET /api/status",)].json()["missing"]] == ["ops"]
    asked = {name: {a.status_code for (n, *_), a in answers.items() if n == name} for name, *_ in answers}
    # The others name what is needed, or know nothing of the week.
    assert [name for name, statuses in asked.items() if statuses <= {422} and name not in ASKS_MORE] == []


@pytest.mark.slow
def test_the_api_writes_items_with_their_changes_and_passes_files(api: httpx.Client) -> None:
    member = {"member_id": "r-1", "name": "Ada", "email": "a@example.com", "time_zone": "UTC", "hours": {"mon": 8}}
    rows = [{"operation": "create", "fields": member | {"member_id": one}} for one in ("r-2", "r-3")]

    made = api.post("/api/members", json=member)
    changed = api.patch("/api/members/r-1", json={"name": "Bo"}, headers={"If-Match": '"1"'})
    many = api.post("/api/jobs", json={"resource": "members", "rows": rows})
    file = api.post("/api/uploads", json={"file_name": "a.xlsx", "bytes": 10})
    gone = api.delete("/api/members/r-1", headers={"If-Match": '"2"'})

    said = [(one.status_code, one.text) for one in (made, changed, many, file, gone)]
    assert [status for status, _ in said] == [201, 200, 202, 201, 204], said
    job = f"/api/jobs/{many.json()['job_id']}"
    await_true(lambda: api.get(job).json()["status"] not in {"queued", "running"}, 180, every=0.2)
    assert (api.get(job).json()["done"], api.get(job).json()["failed"]) == (2, 0), api.get(job).text
    # What a next page is asked for with is signed with a secret.
    page = api.get("/api/members", params={"limit": 1})
    assert page.status_code == 200, page.text
    assert page.json()["next"]


@pytest.mark.slow
def test_an_upload_is_analysed_published_and_read_by_the_public(studio: Studio, api: httpx.Client) -> None:
    article, url = studio.article("Rights"), Deployed(studio.platform).url
    form = studio.upload(article, "cup.jpg", photograph("coffee.png", 320))

    assert studio.settled(form).state is ImageState.ANALYSED
    assert studio.describe(form, "A cup").status == 200
    steps = f"/api/articles/{article['key']}"
    assert api.post(f"{steps}/submit", headers={"If-Match": "*"}).status_code == 200
    # A function that starts on a busy machine may take longer than a call.
    await_true(lambda: api.post(f"{steps}/publish", headers={"If-Match": "*"}).status_code != 503, 180)
    assert api.get(steps).json()["status"] == "published"
    assert studio.http.get(f"{url}/public/articles").status_code == 200
    (image,) = studio.http.get(f"{url}/public/articles/rights").json()["images"]
    copy = studio.http.get(f"{url}{image['copies'][0]['url']}")
    assert (copy.status_code, copy.headers["content-type"]) == (200, image["copies"][0]["type"])


BUCKET = "prism-lake-000000000000-us-east-1"
ORIGINALS = "prism-originals-000000000000-us-east-1"
MEDIA = "prism-media-000000000000-us-east-1"
KEY = {"member_id": {"S": "m"}}
FORBIDDEN = [
    ("api", "dynamodb", "scan", {"TableName": "prism-members"}),
    ("api", "dynamodb", "delete_item", {"TableName": "prism-changelog", "Key": {"scope": {"S": "x"}}}),
    ("api", "dynamodb", "put_item", {"TableName": "prism-throughput", "Item": {"project_id": {"S": "p"}}}),
    ("api", "s3", "get_object", {"Bucket": ORIGINALS, "Key": "originals/a.jpg"}),
    ("api", "s3", "put_object", {"Bucket": BUCKET, "Key": "lake/parquet/members/x", "Body": "x"}),
    ("api", "s3", "list_objects_v2", {"Bucket": BUCKET, "Prefix": "lake/"}),
    ("api", "secretsmanager", "get_secret_value", {"SecretId": "prism-meta"}),
    ("api", "cognito-idp", "list_users", {"UserPoolId": "us-east-1_x"}),
    ("planner", "dynamodb", "put_item", {"TableName": "prism-members", "Item": KEY}),
    ("planner", "dynamodb", "get_item", {"TableName": "prism-person_keys", "Key": {"person": {"S": "x"}}}),
    ("planner", "lambda", "invoke", {"FunctionName": "prism-api"}),
    ("events-ingest", "dynamodb", "get_item", {"TableName": "prism-members", "Key": KEY}),
    ("events-ingest", "dynamodb", "put_item", {"TableName": "prism-events", "Item": {"key": {"S": "x"}}}),
    ("events-ingest", "secretsmanager", "get_secret_value", {"SecretId": "prism-cursor-key"}),
    ("events-ingest", "s3", "get_object", {"Bucket": BUCKET, "Key": "events/large/x"}),
    ("events-dispatcher", "dynamodb", "get_item", {"TableName": "prism-receipts", "Key": {"receipt": {"S": "x"}}}),
    ("events-dispatcher", "sqs", "list_queues", {}),
    ("events-step", "dynamodb", "delete_item", {"TableName": "prism-events", "Key": {"key": {"S": "x"}}}),
    ("events-step", "dynamodb", "query", {
        "TableName": "prism-members", "KeyConditionExpression": "member_id = :m",
        "ExpressionAttributeValues": {":m": {"S": "m"}},
    }),
    ("events-step", "s3", "delete_object", {"Bucket": BUCKET, "Key": "raw/events/x"}),
    ("images", "s3", "put_object", {"Bucket": ORIGINALS, "Key": "originals/a.jpg", "Body": "x"}),
    ("images", "s3", "put_object", {"Bucket": MEDIA, "Key": "copies/a/i/v/480.webp", "Body": "x"}),
    ("copies", "s3", "put_object", {"Bucket": ORIGINALS, "Key": "originals/a.jpg", "Body": "x"}),
    ("copies", "s3", "put_object", {"Bucket": MEDIA, "Key": "analyses/a/i/v.json", "Body": "x"}),
    ("copies", "dynamodb", "put_item", {"TableName": "prism-articles", "Item": {"article_id": {"S": "a"}}}),
    ("images", "dynamodb", "put_item", {"TableName": "prism-articles", "Item": {"article_id": {"S": "a"}}}),
    ("public", "dynamodb", "put_item", {"TableName": "prism-articles", "Item": {"article_id": {"S": "a"}}}),
    ("public", "dynamodb", "get_item", {"TableName": "prism-members", "Key": KEY}),
    ("public", "s3", "get_object", {"Bucket": ORIGINALS, "Key": "originals/a.jpg"}),
]  # fmt: skip


@contextmanager
def as_a_run_of_dagster(platform: Platform, directory: Path) -> Iterator[Settings]:
    """Settings whose calls are made with the rights that the templates give to runs, which are only on AWS."""
    settings = platform.settings
    iam = client(settings, "iam")
    names = {
        "NamePrefix": settings.name_prefix, "AWS::Partition": "aws", "AWS::Region": settings.region,
        "AWS::AccountId": "000000000000", "LakeBucket": settings.lake_bucket, "MailSender": str(settings.sender),
    }  # fmt: skip

    def told(value: Any) -> Any:
        match value:
            case {"Fn::Sub": text}:
                return re.sub(r"\$\{([^}]+)}", lambda found: names.get(found[1], "none"), text)
            case {"Ref": name}:
                return names.get(name, f"arn:aws:none:::{name}")
            case {"Fn::If": [_, there, _]}:
                return told(there)
            case dict():
                return {name: told(one) for name, one in value.items()}
            case list():
                return [told(one) for one in value]
            case _:
                return value

    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="a-run", AssumeRolePolicyDocument=document)["Role"]
    kinds = decoded("dagster")["Resources"]
    for name in ("DagsterRights", "DagsterTables", "DagsterIndexes"):
        policy = json.dumps(told(kinds[name]["Properties"]["PolicyDocument"]))
        iam.put_role_policy(RoleName="a-run", PolicyName=name, PolicyDocument=policy)
    given = client(settings, "sts").assume_role(RoleArn=role["Arn"], RoleSessionName="run")["Credentials"]
    keys = {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"], "AWS_ENDPOINT_URL": str(settings.aws_endpoint_url),
    }  # fmt: skip
    with only_credentials(directory, **keys):
        yield settings.model_copy(update={"environment": Environment.AWS})


@pytest.mark.slow
def test_a_run_of_dagster_may_make_every_call_of_the_preflight(platform: Platform, tmp_path: Path) -> None:
    checks = {name: CHECKS[name] for name in ("tables", "lake", "secrets", "mail", "recipients", "media")}
    with as_a_run_of_dagster(platform, tmp_path) as settings:
        found = preflight(settings, datetime.now(UTC), checks=checks)
        sending = settings.model_copy(update={"mail_sender": platform.settings.sender})
        unread = MailReturns(sending).waiting(UNREAD)
        denied = answer_of(
            lambda: client(settings, "secretsmanager").get_secret_value(SecretId=settings.cursor_secret_name)
        )

    assert denied in DENIED
    assert unread == 0
    assert [one for one in found if "AccessDenied" in one.sentence] == []
    assert [one.level for one in found if one.subject in {"secrets", "tables"}] == [Level.OK] * 2


@pytest.mark.slow
def test_what_a_function_must_not_do_is_denied(probe: Callable[..., str]) -> None:
    answers = [(*one, probe(*one[:3], **one[3])) for one in FORBIDDEN]

    assert [one for one in answers if one[-1] not in DENIED] == []


@pytest.mark.slow
def test_a_probe_may_do_what_its_role_may(probe: Callable[..., str]) -> None:
    assert probe("api", "dynamodb", "get_item", TableName="prism-members", Key=KEY) == "done"
    assert probe("planner", "dynamodb", "get_item", TableName="prism-members", Key=KEY) == "done"


def test_every_function_is_denied_something() -> None:
    roles = {
        resource["Properties"]["RoleName"].removeprefix("${NamePrefix}-").removesuffix("-${AWS::Region}")
        for concern in STACKS
        for resource in resources(template(concern)).values()
        if resource["Type"] == "AWS::IAM::Role" and "lambda.amazonaws.com" in str(resource)
    }

    assert roles == {one[0] for one in FORBIDDEN}
