"""What the embedded AWS answers successfully and wrongly about data: tables, objects, SQL over them.

Why real: only the emulator can say what the emulator does. A failure here after an upgrade is news, not a
defect: the docstring says what AWS does and what PRISM does about it, so decide whether PRISM may rely on it now.
"""

import io
import time
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from infra.local.emulator.guard import TOKEN_HEADER
from infra.local.platform import Platform, attached
from prism_core.failures import TransientFailure
from prism_core.tables import TABLES
from prism_resources.aws import client
from tests.integration.emulators import await_true
from tests.integration.fresh import worker_port


def unique(prefix: str) -> str:
    """Names of one test: the emulator is shared by all of them."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def bucket(platform: Platform) -> str:
    name = unique("contract")
    client(platform.settings, "s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def table(platform: Platform) -> str:
    """A table of one item, `{id: a, said: first}`."""
    name = unique("contract")
    dynamodb = client(platform.settings, "dynamodb")
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    dynamodb.put_item(TableName=name, Item={"id": {"S": "a"}, "said": {"S": "first"}})
    return name


def ask_athena(platform: Platform, bucket: str, sql: str, **request: Any) -> tuple[str, list[list[str | None]]]:
    """The final state with its reason, and the rows without the header."""
    athena = client(platform.settings, "athena")
    assert platform.emulator is not None
    token = {TOKEN_HEADER: platform.emulator.token}  # the guard lets nobody else ask
    athena.meta.events.register("before-call.athena", lambda params, **_: params["headers"].update(token))
    output: Any = {"OutputLocation": f"s3://{bucket}/answers/"}
    execution = athena.start_query_execution(QueryString=sql, ResultConfiguration=output, **request)
    query_id = execution["QueryExecutionId"]
    status: Any = {}

    def ended() -> bool:
        nonlocal status
        status = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"].get("Status")
        return status["State"] in {"SUCCEEDED", "FAILED", "CANCELLED"}

    await_true(ended, every=0.02)
    if status["State"] != "SUCCEEDED":
        return f"{status['State']}: {status['StateChangeReason']}", []
    rows: Any = athena.get_query_results(QueryExecutionId=query_id)["ResultSet"].get("Rows")
    return status["State"], [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]


def test_the_template_asks_for_point_in_time_recovery_and_no_table_has_it(platform: Platform) -> None:
    """AWS: ENABLED on every table of data.yaml. The emulator drops the property without a word.
    PRISM: a check of the backups (`prism doctor`) may look at this in `aws` only."""
    dynamodb = client(platform.settings, "dynamodb")

    found: set[Any] = set()
    for name in TABLES:
        answer: Any = dynamodb.describe_continuous_backups(TableName=platform.settings.table_name(name))
        backups = answer["ContinuousBackupsDescription"]
        found.add(backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"])

    assert found == {"DISABLED"}


def test_a_restore_into_the_past_brings_back_the_present(platform: Platform, table: str) -> None:
    """AWS: the items as they were at RestoreDateTime. The emulator copies what is there now.
    PRISM: the past comes from its own change log (`prism as-of`), which also reaches behind 35 days."""
    dynamodb, target = client(platform.settings, "dynamodb"), unique("restored")
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    time.sleep(1.1)  # RestoreDateTime has whole seconds
    before = datetime.now(UTC).replace(microsecond=0)
    dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}, "said": {"S": "second"}})

    dynamodb.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=target, RestoreDateTime=before)

    assert dynamodb.scan(TableName=target)["Items"] == [{"id": {"S": "a"}, "said": {"S": "second"}}]


def test_a_restore_needs_neither_recovery_switched_on_nor_an_instant_within_reach(
    platform: Platform, table: str
) -> None:
    """AWS: PointInTimeRecoveryUnavailableException; with recovery on, InvalidRestoreTimeException.
    PRISM: a rehearsal of the restore runbook counts only when it ran in `aws`."""
    dynamodb, target = client(platform.settings, "dynamodb"), unique("restored")

    dynamodb.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=target, RestoreDateTime=datetime.now(UTC) - timedelta(days=400)
    )

    assert dynamodb.scan(TableName=target)["Count"] == 1


def test_an_export_to_s3_completes_with_a_manifest_that_does_not_exist(
    platform: Platform, table: str, bucket: str
) -> None:
    """AWS: PointInTimeRecoveryUnavailableException without recovery; else data files and the manifest.
    The emulator says COMPLETED and writes nothing. PRISM: exports by a parallel scan of its own."""
    dynamodb = client(platform.settings, "dynamodb")
    arn: Any = dynamodb.describe_table(TableName=table)["Table"].get("TableArn")
    export: Any = dynamodb.export_table_to_point_in_time(TableArn=arn, S3Bucket=bucket)["ExportDescription"]

    time.sleep(1.1)  # it stays IN_PROGRESS for its first second
    answer: Any = dynamodb.describe_export(ExportArn=export["ExportArn"])["ExportDescription"]

    assert (answer["ExportStatus"], answer["ItemCount"]) == ("COMPLETED", 1)
    assert answer["ExportManifest"].endswith("manifest-summary.json")
    assert client(platform.settings, "s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_athena_divides_integers_into_fractions(platform: Platform, bucket: str) -> None:
    """AWS: Trino answers 3. The emulator hands the text to DuckDB as it is, which answers 3.5.
    PRISM: locally it asks DuckDB itself, after translating from Trino's dialect (prism_resources/query)."""
    assert ask_athena(platform, bucket, "SELECT 7 / 2 AS half") == ("SUCCEEDED", [["3.5"]])


@pytest.mark.parametrize(
    ("sql", "request_", "reason"),
    [
        ("SELECT day_of_week(DATE '2026-01-04') AS d", {}, "day_of_week does not exist"),
        ("SELECT ? AS d", {"ExecutionParameters": ["1"]}, "Values were not provided"),
    ],
    ids=["Trino function", "execution parameters"],
)
def test_athena_fails_what_trino_answers(
    platform: Platform, bucket: str, sql: str, request_: dict[str, Any], reason: str
) -> None:
    """AWS: answers both. PRISM: sends Trino SQL to Athena in `aws` only."""
    state, rows = ask_athena(platform, bucket, sql, **request_)

    assert state.startswith("FAILED: ")
    assert reason in state
    assert rows == []


def test_athena_reads_partitions_outside_the_projection(platform: Platform, bucket: str) -> None:
    """AWS: a partition exists only when the table's projection lists it. The emulator reads every file below.
    PRISM: the deploy command lists the weeks; that a week was forgotten shows in `aws` only."""
    glue, s3, database = client(platform.settings, "glue"), client(platform.settings, "s3"), unique("contract")
    for week in ("1999-W01", "2026-W01"):
        body = io.BytesIO()
        pq.write_table(pa.table({"n": [1]}), body)
        s3.put_object(Bucket=bucket, Key=f"rows/week={week}/part-0.parquet", Body=body.getvalue())
    storage = {"Location": f"s3://{bucket}/rows/", "Columns": [{"Name": "n", "Type": "bigint"}]}
    parameters = {
        "classification": "parquet",
        "projection.enabled": "true",
        "projection.week.type": "enum",
        "projection.week.values": "2026-W01",
    }
    projected = {
        "Name": "projected",
        "Parameters": parameters,
        "PartitionKeys": [{"Name": "week", "Type": "string"}],
        "StorageDescriptor": storage,
    }
    glue.create_database(DatabaseInput={"Name": database})
    glue.create_table(DatabaseName=database, TableInput=projected)

    state, rows = ask_athena(
        platform,
        bucket,
        "SELECT week, n FROM projected ORDER BY week",
        QueryExecutionContext={"Database": database},
    )

    assert (state, rows) == ("SUCCEEDED", [["1999-W01", "1"], ["2026-W01", "1"]])


@pytest.mark.usefixtures("platform", "home")
def test_after_athena_has_answered_a_date_no_state_can_be_saved() -> None:
    """AWS: no such thing. The emulator keeps answers among its state and cannot write a date or a decimal down,
    so that every later snapshot fails, tables included. PRISM: nothing asks Athena locally. The platform of this
    test is its own: the shared one could not be saved any more either."""
    with ExitStack() as stack:
        own = stack.enter_context(attached(print, port=worker_port(9)))
        client(own.settings, "s3").create_bucket(Bucket="answers")
        own.flush()
        assert ask_athena(own, "answers", "SELECT DATE '2026-01-05' AS d") == ("SUCCEEDED", [["2026-01-05"]])

        with pytest.raises(TransientFailure, match="did not flush"):
            own.flush()
        with pytest.raises(TransientFailure, match="did not save"):
            stack.close()


def test_an_object_does_not_expire_under_a_rule_of_the_past(platform: Platform, bucket: str) -> None:
    """AWS: says from the first answer on when and by which rule the object goes (x-amz-expiration), and removes
    it within days. The emulator stores the rule and looks at it never again.
    PRISM: raw inputs leave the lake in `aws` only; a local platform grows until `prism reset`."""
    s3 = client(platform.settings, "s3")
    rule: Any = {
        "ID": "gone",
        "Status": "Enabled",
        "Filter": {"Prefix": "raw/"},
        "Expiration": {"Date": datetime(2020, 1, 1, tzinfo=UTC)},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=bucket, Key="raw/old", Body=b"old")

    time.sleep(1.1)
    rules: Any = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    read = s3.get_object(Bucket=bucket, Key="raw/old")

    assert rules[0]["Expiration"]["Date"].astimezone(UTC) == datetime(2020, 1, 1, tzinfo=UTC)
    assert "Expiration" not in read
    assert read["Body"].read() == b"old"


def test_the_lifecycle_rules_of_a_template_are_dropped(platform: Platform) -> None:
    """AWS: the three rules of data.yaml. The emulator's CloudFormation does not even store them.
    PRISM: a test of the rules reads the template, not the bucket."""
    s3 = client(platform.settings, "s3")

    with pytest.raises(ClientError) as refused:
        s3.get_bucket_lifecycle_configuration(Bucket=platform.settings.lake_bucket)

    assert refused.value.response.get("Error", {}).get("Code") == "NoSuchLifecycleConfiguration"
