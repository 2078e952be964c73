"""What runs of Dagster may write: what their assets write, and nothing that is to stay."""

import pytest

from prism_core.lake import AUDIT_EXPORTS
from prism_core.privacy import PERSON_KEYS
from prism_core.settings import Settings
from prism_core.tables import CAMPAIGN_METRICS, CHANGELOG, EVENT_ROLLUPS, RESTATEMENTS, TABLES, THROUGHPUT
from prism_resources import returns
from prism_resources.credentials import FORMS
from prism_resources.events import queue
from prism_resources.media import reconciling
from tests.architecture.test_policies import actions_of, listed, rights
from tests.architecture.test_templates import TABLE, of_type

TAKES_AWAY = {"dynamodb:BatchWriteItem", "dynamodb:DeleteItem"}
# By generation, by their log, or by hour: the only ones of which an asset deletes rows.
REPLACED = {one.name for one in (CAMPAIGN_METRICS, EVENT_ROLLUPS, RESTATEMENTS, THROUGHPUT)}
APPENDED_TO = {CHANGELOG.name, PERSON_KEYS.name}
OBJECTS = "arn:${AWS::Partition}:s3:::${LakeBucket}/"
QUEUE = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${NamePrefix}-"
SECRET = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${NamePrefix}-"
IDENTITY = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/"
CONFIGURATION = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/"


def over(action: str) -> set[str]:
    """The resources that a run of Dagster may do something to."""
    return {
        resource["Fn::Sub"]
        for who, one in rights()
        if who == "DagsterRights" and one["Effect"] == "Allow" and action in listed(one["Action"])
        for resource in listed(one["Resource"])
    }


@pytest.mark.parametrize("table", [*TABLES, PERSON_KEYS.name])
def test_a_run_takes_rows_away_only_where_it_replaces_them_and_changes_nothing_that_happened(table: str) -> None:
    may = actions_of("DagsterTables", {"Fn::Sub": f"{TABLE}{table}"})

    assert may & TAKES_AWAY == (TAKES_AWAY if table in REPLACED else set())
    assert ("dynamodb:UpdateItem" in may) is (table not in APPENDED_TO)


def test_a_run_does_not_touch_the_record_of_who_read_exports() -> None:
    denied = [one for who, one in rights() if who == "DagsterRights" and one["Effect"] == "Deny"]

    (stays,) = denied
    assert stays["Resource"] == {"Fn::Sub": f"{OBJECTS}{AUDIT_EXPORTS.partition('/')[0]}/*"}
    assert set(listed(stays["Action"])) >= {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"}
    assert "Condition" not in stays


def test_a_run_may_ask_what_the_preflight_asks_of_secrets_and_identities() -> None:
    services = {f"{SECRET}{service}-??????" for service in FORMS}
    known = Settings()
    cursor = f"{SECRET}{known.cursor_secret_name.removeprefix(f'{known.name_prefix}-')}-??????"

    assert over("secretsmanager:GetSecretValue") == services
    assert over("secretsmanager:DescribeSecret") == services | {cursor}
    assert over("ses:GetEmailIdentity") == {f"{IDENTITY}*"}  # in the sandbox those of recipients, too


def test_a_run_may_look_at_every_queue_there_is_and_takes_from_all_but_what_nobody_could_read() -> None:
    """A new queue is named by the code that looks at it, or it is none of Dagster's and is left out here."""
    named = {queue.NAME, queue.DEAD_NAME, reconciling.QUEUE, reconciling.DEAD_QUEUE, returns.QUEUE, returns.UNREAD}
    declared = {one["Properties"]["QueueName"]["Fn::Sub"] for one in of_type("AWS::SQS::Queue").values()}

    assert {f"${{NamePrefix}}-{name}" for name in named} == declared
    for look in ("sqs:GetQueueAttributes", "sqs:GetQueueUrl"):
        assert over(look) == {f"{QUEUE}{name}" for name in named}
    for take in ("sqs:ReceiveMessage", "sqs:DeleteMessage"):
        assert over(take) == {f"{QUEUE}{name}" for name in named - {returns.UNREAD}}


def test_a_run_mails_from_the_sender_alone_and_to_verified_recipients_of_the_sandbox_too() -> None:
    (mail,) = [
        one for who, one in rights() if who == "DagsterRights" and "ses:SendRawEmail" in listed(one["Action"])
    ]

    # SES asks for the right over the identities of recipients there.
    assert over("ses:SendRawEmail") == {f"{IDENTITY}*", f"{CONFIGURATION}${{NamePrefix}}-mail"}
    assert mail["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "MailSender"}}}
