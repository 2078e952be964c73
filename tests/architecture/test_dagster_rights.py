"""What runs of Dagster may write: what their assets write, and nothing that is to stay."""

import pytest

from prism_core.lake import AUDIT_EXPORTS
from prism_core.privacy import PERSON_KEYS
from prism_core.settings import Settings
from prism_core.tables import CAMPAIGN_METRICS, CHANGELOG, EVENT_ROLLUPS, RESTATEMENTS, TABLES, THROUGHPUT
from prism_resources.credentials import FORMS
from tests.architecture.test_policies import actions_of, listed, rights
from tests.architecture.test_templates import TABLE

TAKES_AWAY = {"dynamodb:BatchWriteItem", "dynamodb:DeleteItem"}
# By generation, by their log, or by hour: the only ones of which an asset deletes rows.
REPLACED = {one.name for one in (CAMPAIGN_METRICS, EVENT_ROLLUPS, RESTATEMENTS, THROUGHPUT)}
APPENDED_TO = {CHANGELOG.name, PERSON_KEYS.name}
OBJECTS = "arn:${AWS::Partition}:s3:::${LakeBucket}/"
QUEUE = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${NamePrefix}-"
SECRET = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${NamePrefix}-"
IDENTITY = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/"


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
