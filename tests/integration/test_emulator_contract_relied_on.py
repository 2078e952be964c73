"""What PRISM relies on the embedded AWS for, one contract a test, and where its signed URLs differ.

Why real: only the emulator can say what the emulator does. A failure here after an upgrade is a defect of that
upgrade for us, except where the docstring says that AWS does otherwise.
"""

import io
import json
import sys
import urllib.error
import urllib.request
import uuid
import zipfile
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.platform import Platform
from prism_resources.aws import client
from tests.integration.bare_role import bare_role, without_rights_alone

PNG = b"\x89PNG\r\n\x1a\n\x00\xff"


def unique(prefix: str) -> str:
    """Names of one test: the emulator is shared by all of them."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def refusal(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


@pytest.fixture
def bucket(platform: Platform) -> str:
    """A versioned bucket, as the lake's is."""
    name, s3 = unique("contract"), client(platform.settings, "s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def table(platform: Platform) -> str:
    """An empty table with the partition key `id`."""
    name = unique("contract")
    client(platform.settings, "dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    return name


def put_once(table: str, key: str, said: str = "new") -> Any:
    """Put an item unless there is one."""
    return {
        "Put": {
            "TableName": table,
            "Item": {"id": {"S": key}, "said": {"S": said}},
            "ConditionExpression": "attribute_not_exists(id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def contents(platform: Platform, table: str) -> dict[str, str]:
    items: Any = client(platform.settings, "dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
    return {item["id"]["S"]: item["said"]["S"] for item in items}


def test_a_put_on_condition_that_nothing_is_there_is_refused_where_something_is(
    platform: Platform, bucket: str
) -> None:
    """As AWS. PRISM: `Lake.put_new` decides with it who was first."""
    s3 = client(platform.settings, "s3")
    s3.put_object(Bucket=bucket, Key="claim", Body=b"first", IfNoneMatch="*")

    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="claim", Body=b"second", IfNoneMatch="*")

    assert refusal(refused.value) == "PreconditionFailed"
    assert s3.get_object(Bucket=bucket, Key="claim")["Body"].read() == b"first"


def test_a_put_on_condition_of_what_is_there_is_refused_where_it_is_another_or_gone(
    platform: Platform, bucket: str
) -> None:
    """As AWS. PRISM: of two exports of one week, `Lake.put_over` tells the one that comes second."""
    s3 = client(platform.settings, "s3")
    first = s3.put_object(Bucket=bucket, Key="week", Body=b"first")["ETag"]
    s3.put_object(Bucket=bucket, Key="week", Body=b"second", IfMatch=first)

    with pytest.raises(ClientError) as other:
        s3.put_object(Bucket=bucket, Key="week", Body=b"third", IfMatch=first)
    with pytest.raises(ClientError) as gone:
        s3.put_object(Bucket=bucket, Key="no week", Body=b"third", IfMatch=first)

    assert [refusal(one.value) for one in (other, gone)] == ["PreconditionFailed", "NoSuchKey"]
    assert s3.get_object(Bucket=bucket, Key="week")["Body"].read() == b"second"


def test_a_cancelled_transaction_says_which_items_lost_and_to_what(platform: Platform, table: str) -> None:
    """As AWS: one reason an item, in order, with the item that was there, and nothing is written. PRISM: tells
    duplicates and stale versions apart by the reasons."""
    dynamodb = client(platform.settings, "dynamodb")
    dynamodb.transact_write_items(TransactItems=[put_once(table, "b", "old")])

    with pytest.raises(ClientError) as cancelled:
        dynamodb.transact_write_items(TransactItems=[put_once(table, key) for key in "abc"])

    reasons: Any = cancelled.value.response.get("CancellationReasons")
    assert refusal(cancelled.value) == "TransactionCanceledException"
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed", "None"]
    assert reasons[1]["Item"] == {"id": {"S": "b"}, "said": {"S": "old"}}
    assert contents(platform, table) == {"b": "old"}


def test_a_transaction_repeated_with_its_token_has_won_once(platform: Platform, table: str) -> None:
    """As AWS, for ten minutes. PRISM: repeats a write whose answer was lost; its own condition would fail."""
    dynamodb, token = client(platform.settings, "dynamodb"), uuid.uuid4().hex
    dynamodb.transact_write_items(TransactItems=[put_once(table, "a")], ClientRequestToken=token)

    dynamodb.transact_write_items(TransactItems=[put_once(table, "a")], ClientRequestToken=token)
    with pytest.raises(ClientError) as other:
        dynamodb.transact_write_items(TransactItems=[put_once(table, "a", "other")], ClientRequestToken=token)

    assert refusal(other.value) == "IdempotentParameterMismatchException"
    assert contents(platform, table) == {"a": "new"}


def test_a_versioned_bucket_keeps_what_was_replaced_and_deleted(platform: Platform, bucket: str) -> None:
    """As AWS. PRISM: the versions of a partition are its generations."""
    s3 = client(platform.settings, "s3")
    versions = [s3.put_object(Bucket=bucket, Key="part", Body=body)["VersionId"] for body in (b"old", b"new")]

    s3.delete_object(Bucket=bucket, Key="part")

    kept: Any = s3.list_object_versions(Bucket=bucket, Prefix="part")
    assert [version["VersionId"] for version in kept["Versions"]] == versions[::-1]
    assert [marker["IsLatest"] for marker in kept["DeleteMarkers"]] == [True]
    bodies = [s3.get_object(Bucket=bucket, Key="part", VersionId=version)["Body"].read() for version in versions]
    assert bodies == [b"old", b"new"]


def test_an_object_is_on_disk_with_its_exact_bytes_when_the_put_answers(platform: Platform) -> None:
    """Of the emulator alone. PRISM: DuckDB reads the lake's files under `settings.local_lake_path`."""
    s3, lake = client(platform.settings, "s3"), platform.settings.lake_bucket
    key = f"lake/parquet/{unique('contract')}/week=2026-W01/part-0.parquet"
    bodies = [b"PAR1\x00first\xff", b"PAR1 second, and longer", b""]

    on_disk: list[bytes] = []
    for body in bodies:
        s3.put_object(Bucket=lake, Key=key, Body=body)
        on_disk.append((platform.settings.local_lake_path / key).read_bytes())

    assert on_disk == bodies


def test_the_file_of_a_deleted_object_lingers_in_a_versioned_bucket(platform: Platform) -> None:
    """Of the emulator alone. PRISM: DuckDB reads the files that S3 lists, never whatever lies in the folder."""
    s3, lake, key = client(platform.settings, "s3"), platform.settings.lake_bucket, f"{unique('c')}/part-0.parquet"
    s3.put_object(Bucket=lake, Key=key, Body=b"deleted")

    s3.delete_object(Bucket=lake, Key=key)

    assert s3.list_objects_v2(Bucket=lake, Prefix=key)["KeyCount"] == 0
    assert (platform.settings.local_lake_path / key).read_bytes() == b"deleted"


def test_a_sidecar_describes_the_body_and_what_was_replaced_lies_beside_the_buckets(platform: Platform) -> None:
    """Of the emulator alone. PRISM: mends an object that a kill tore in two (emulator/recovery.py)."""
    s3, lake, key = client(platform.settings, "s3"), platform.settings.lake_bucket, f"state/{unique('c')}.json"
    old, new = (s3.put_object(Bucket=lake, Key=key, Body=body) for body in (b"old", b"newer"))

    body = platform.settings.local_lake_path / key
    sidecar = body.with_name(f"{body.name}.meta.json")
    account = platform.settings.local_lake_path.parent
    replaced = account.parent / ".versions" / account.name / lake / old["VersionId"] / key

    described = json.loads(sidecar.read_text())
    assert (described["size"], described["etag"], described["version_id"]) == (5, new["ETag"], new["VersionId"])
    assert replaced.read_bytes() == b"old"
    assert sidecar.stat().st_mtime_ns >= body.stat().st_mtime_ns


def test_a_change_set_without_a_change_fails_and_says_so(platform: Platform) -> None:
    """As AWS, where only these words tell it from a real failure. PRISM: `deploy` takes it for `unchanged`."""
    cloudformation, stack = client(platform.settings, "cloudformation"), unique("contract")
    body = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    request: Any = {"StackName": stack, "TemplateBody": body}
    cloudformation.create_change_set(ChangeSetName="first", ChangeSetType="CREATE", **request)
    cloudformation.execute_change_set(StackName=stack, ChangeSetName="first")
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})

    cloudformation.create_change_set(ChangeSetName="second", ChangeSetType="UPDATE", **request)

    found: Any = cloudformation.describe_change_set(StackName=stack, ChangeSetName="second")
    assert found["Status"] == "FAILED"
    assert "didn't contain changes" in found["StatusReason"]


def test_a_task_that_outlives_its_own_time_limit_is_caught(platform: Platform) -> None:
    """As AWS. PRISM: every task has a limit and catches States.ALL; the machine's own limit is not kept here."""
    code, function = io.BytesIO(), unique("slow")
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("slow.py", "import time\ndef handler(event, context):\n    print(1)\n    time.sleep(2)\n")
    role = bare_role(platform.settings)
    arn = client(platform.settings, "lambda").create_function(
        FunctionName=function,
        Runtime=f"python3.{sys.version_info.minor}",
        Handler="slow.handler",
        Role=role,
        Timeout=10,
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    task = {"Type": "Task", "Resource": arn, "TimeoutSeconds": 1, "Catch": catch, "End": True}
    definition = {"StartAt": "Slow", "States": {"Slow": task, "Caught": {"Type": "Pass", "End": True}}}
    functions = client(platform.settings, "stepfunctions")
    machine = functions.create_state_machine(
        name=function, definition=json.dumps(definition), roleArn=role, type="EXPRESS"
    )["stateMachineArn"]

    answer = functions.start_sync_execution(stateMachineArn=machine)

    assert answer["status"] == "SUCCEEDED"
    assert json.loads(answer["output"])["Error"] == "States.Timeout"


def s3_signing_as(platform: Platform, key: str, signature_version: str = "s3v4") -> Any:
    config = Config(signature_version=signature_version, s3={"addressing_style": "path"})
    return boto3.client(
        "s3",
        region_name=platform.settings.region,
        endpoint_url=str(platform.settings.aws_endpoint_url),
        aws_access_key_id=key,
        aws_secret_access_key=key,
        config=config,
    )


def request_url(url: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    headers = {"Content-Type": "image/png"}
    request = urllib.request.Request(url, method=method, data=body, headers=headers)  # noqa: S310 - our own URL
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_presigned_url_of_version_four_permits_what_was_signed_and_nothing_else(
    platform: Platform, bucket: str
) -> None:
    """As AWS. PRISM: the emulator is given the key of our client factory in its environment, and verifies that."""
    s3 = client(platform.settings, "s3")
    params = {"Bucket": bucket, "Key": "image.png", "ContentType": "image/png"}
    url = s3.generate_presigned_url("put_object", Params=params, ExpiresIn=60)

    answers = [
        request_url(url.replace("image.png", "other.png"), "PUT", PNG),
        request_url(url),
        request_url(url, "PUT", PNG),
    ]

    assert [status for status, _ in answers] == [403, 403, 200]
    assert b"SignatureDoesNotMatch" in answers[0][1]
    assert s3.get_object(Bucket=bucket, Key="image.png")["Body"].read() == PNG


@without_rights_alone
def test_a_key_the_emulator_does_not_know_may_call_but_not_presign(platform: Platform, bucket: str) -> None:
    """AWS: refuses both. PRISM: whatever signs URLs locally must use a key that the emulator knows."""
    s3 = s3_signing_as(platform, "nobody")
    s3.put_object(Bucket=bucket, Key="image.png", Body=PNG)

    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "image.png"})
    status, answer = request_url(url)

    assert status == 403
    assert b"InvalidAccessKeyId" in answer


@without_rights_alone
def test_a_presigned_url_of_version_two_is_not_verified_at_all(platform: Platform, bucket: str) -> None:
    """AWS: refuses a false signature. It is what botocore signs by default. PRISM: the client factory asks for
    version four, so that a wrong URL fails locally too."""
    s3 = s3_signing_as(platform, "nobody", "s3")
    s3.put_object(Bucket=bucket, Key="image.png", Body=PNG)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "image.png"})

    assert request_url(url.replace("Signature=", "Signature=false")) == (200, PNG)
