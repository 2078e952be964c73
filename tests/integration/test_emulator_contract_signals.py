"""What the embedded AWS answers successfully and wrongly about logs, metrics and time limits.

Why real: only the emulator can say what the emulator does. A failure here after an upgrade is news, not a
defect: the docstring says what AWS does and what PRISM does about it, so decide whether PRISM may rely on it now.
"""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_resources.aws import client
from prism_resources.worker_activity.log import read_log
from tests.integration.bare_role import bare_role
from tests.integration.emulators import await_true

ERRORS = ['{"level": "ERROR"}', "an ERROR line"]
MESSAGES = ['{"level": "INFO"}', *ERRORS, "an error in lower case"]


def unique(prefix: str) -> str:
    """Names of one test: the emulator is shared by all of them."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def log_group(platform: Platform) -> Iterator[str]:
    """A log group with one stream, `s`; deleted afterwards, because every snapshot would carry its events."""
    name, logs = f"/contract/{uuid.uuid4().hex}", client(platform.settings, "logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    yield name
    logs.delete_log_group(logGroupName=name)


def write_log(platform: Platform, group: str, messages: list[str], start: int) -> None:
    """One event a millisecond, from `start` in epoch milliseconds."""
    events: Any = [{"timestamp": start + i, "message": message} for i, message in enumerate(messages)]
    client(platform.settings, "logs").put_log_events(logGroupName=group, logStreamName="s", logEvents=events)


def millis_ago(**ago: int) -> int:
    return int((datetime.now(UTC) - timedelta(**ago)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("pattern", "found", "on_aws"),
    [
        ('{ $.level = "ERROR" }', MESSAGES, "the one JSON record of that level"),
        ("ERROR", MESSAGES[1:], "those in capitals"),
        ("?INFO ?ERROR", [], "those with either word in capitals"),
    ],
    ids=["JSON", "case", "any of"],
)
def test_a_log_filter_pattern_selects_something_else(
    platform: Platform, log_group: str, pattern: str, found: list[str], on_aws: str
) -> None:
    """AWS: `on_aws`. The emulator takes JSON patterns for no pattern, ignores case and knows no `?`.
    PRISM: reads a log without a pattern and selects in its own code."""
    write_log(platform, log_group, MESSAGES, millis_ago(minutes=5))

    page = client(platform.settings, "logs").filter_log_events(logGroupName=log_group, filterPattern=pattern)

    assert [event.get("message") for event in page["events"]] == found, f"AWS answers {on_aws}"


@pytest.mark.parametrize(
    ("query", "on_aws"),
    [
        ("stats count(*) as n", "one row"),
        ('fields @message | filter level = "ERROR"', "one row"),
        ("this is no query", "MalformedQueryException"),
    ],
)
def test_logs_insights_answers_every_event_to_what_it_does_not_understand(
    platform: Platform, log_group: str, query: str, on_aws: str
) -> None:
    """AWS: `on_aws`. PRISM: its figures come from the tables; Insights is for people, in `aws`."""
    logs, now = client(platform.settings, "logs"), int(time.time())
    write_log(platform, log_group, MESSAGES, millis_ago(minutes=5))

    started = logs.start_query(logGroupName=log_group, startTime=now - 600, endTime=now, queryString=query)
    answer = logs.get_query_results(queryId=started["queryId"])

    assert answer["status"] == "Complete"
    assert len(answer["results"]) == len(MESSAGES), f"AWS answers {on_aws}"


def test_a_page_of_log_events_is_cut_at_ten_thousand_without_a_token(platform: Platform, log_group: str) -> None:
    """AWS: a nextToken while there is more. PRISM: halves a window whose page is full, which reads them all."""
    logs, start = client(platform.settings, "logs"), millis_ago(minutes=5)
    write_log(platform, log_group, ["m"] * 10_000, start)
    write_log(platform, log_group, ["the last one"], start + 10_000)

    page = logs.filter_log_events(logGroupName=log_group)
    whole = list(read_log(logs, log_group, datetime.now(UTC) - timedelta(minutes=6), datetime.now(UTC)))

    assert (len(page["events"]), "nextToken" in page) == (10_000, False)
    assert (len(whole), whole[-1].message) == (10_001, "the last one")


def test_a_limited_page_has_no_token_and_a_token_does_not_move_it(platform: Platform, log_group: str) -> None:
    """AWS: a nextToken after two of four, and InvalidParameterException for one it never gave.
    PRISM: sends only tokens that it was given, so that it never reads the first page for ever."""
    logs = client(platform.settings, "logs")
    write_log(platform, log_group, MESSAGES, millis_ago(minutes=5))

    first = logs.filter_log_events(logGroupName=log_group, limit=2)
    again = logs.filter_log_events(logGroupName=log_group, limit=2, nextToken="anything")

    assert [event.get("message") for event in first["events"]] == MESSAGES[:2]
    assert "nextToken" not in first
    assert again["events"] == first["events"]


def test_an_expression_over_metrics_has_no_values(platform: Platform) -> None:
    """AWS: a / b = 2. The emulator answers 200, and InternalError inside.
    PRISM: computes ratios in its own code and never puts one into an alarm it relies on locally."""
    cloudwatch, namespace = client(platform.settings, "cloudwatch"), unique("Contract")
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    data = [{"MetricName": name, "Value": value, "Timestamp": minute} for name, value in (("a", 6), ("b", 3))]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    queries: list[dict[str, Any]] = [
        {
            "Id": name,
            "MetricStat": {"Metric": {"Namespace": namespace, "MetricName": name}, "Period": 60, "Stat": "Sum"},
        }
        for name in ("a", "b")
    ]

    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[*queries, {"Id": "ratio", "Expression": "a / b"}],
        StartTime=minute - timedelta(minutes=5),
        EndTime=minute + timedelta(minutes=5),
    )

    found = {result["Id"]: (result["StatusCode"], result["Values"]) for result in answer["MetricDataResults"]}
    assert found == {"a": ("Complete", [6.0]), "b": ("Complete", [3.0]), "ratio": ("InternalError", [])}


def test_an_alarm_on_an_expression_never_fires(platform: Platform) -> None:
    """AWS: both go to ALARM. PRISM: alarms of the templates are tried in `aws`."""
    cloudwatch, namespace = client(platform.settings, "cloudwatch"), unique("Contract")
    metric = {"Namespace": namespace, "MetricName": "a"}
    stat = {"Metric": metric, "Period": 60, "Stat": "Sum"}
    rule = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    plain, math = f"{namespace}-plain", f"{namespace}-math"
    cloudwatch.put_metric_alarm(AlarmName=plain, **metric, Period=60, Statistic="Sum", **rule)
    expression = [{"Id": "a", "MetricStat": stat, "ReturnData": False}, {"Id": "twice", "Expression": "a * 2"}]
    cloudwatch.put_metric_alarm(AlarmName=math, Metrics=expression, **rule)

    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "a", "Value": 6}])

    alarms = cloudwatch.describe_alarms(AlarmNames=[plain, math])["MetricAlarms"]
    states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}
    assert states == {plain: "ALARM", math: "INSUFFICIENT_DATA"}


def test_neither_an_emf_record_nor_a_metric_filter_makes_a_metric(platform: Platform, log_group: str) -> None:
    """AWS: Rows from the record (embedded metric format) and Errors from the filter, within a minute.
    PRISM: locally its figures are read from the tables and from Dagster's metadata, never from metrics."""
    cloudwatch, logs = client(platform.settings, "cloudwatch"), client(platform.settings, "logs")
    namespace, start = unique("Contract"), millis_ago(minutes=1)
    transformation: Any = {"metricNamespace": namespace, "metricName": "Errors", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName=log_group, filterName="errors", filterPattern="", metricTransformations=[transformation]
    )
    metrics = [{"Namespace": namespace, "Dimensions": [[]], "Metrics": [{"Name": "Rows", "Unit": "Count"}]}]
    record = {"_aws": {"Timestamp": start, "CloudWatchMetrics": metrics}, "Rows": 3}

    write_log(platform, log_group, [json.dumps(record)], start)
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "Control", "Value": 1}])

    found = {metric["MetricName"] for metric in cloudwatch.list_metrics(Namespace=namespace)["Metrics"]}
    assert found == {"Control"}  # a metric is listed the moment it exists


def test_a_synchronous_execution_is_kept_after_its_answer(platform: Platform) -> None:
    """AWS keeps none of an Express one. PRISM: what ended a minute ago is forgotten (emulator/executions.py)."""
    functions = client(platform.settings, "stepfunctions")
    definition = json.dumps({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}})
    role = bare_role(platform.settings)
    made = functions.create_state_machine(name=unique("kept"), definition=definition, roleArn=role, type="EXPRESS")

    done = functions.start_sync_execution(stateMachineArn=made["stateMachineArn"], input="{}")

    assert functions.describe_execution(executionArn=done["executionArn"])["status"] == "SUCCEEDED"


def test_a_state_machine_outlives_its_timeout(platform: Platform) -> None:
    """AWS: TIMED_OUT after one second, Standard and Express. PRISM: the limits are on the tasks, and the
    dispatcher's own client has one."""
    functions = client(platform.settings, "stepfunctions")
    wait = {"Type": "Wait", "Seconds": 2, "End": True}
    definition = json.dumps({"StartAt": "Wait", "TimeoutSeconds": 1, "States": {"Wait": wait}})
    role = bare_role(platform.settings)
    standard, express = (
        functions.create_state_machine(name=unique(kind), definition=definition, roleArn=role, type=kind)[
            "stateMachineArn"
        ]
        for kind in ("STANDARD", "EXPRESS")
    )

    started = functions.start_execution(stateMachineArn=standard)["executionArn"]
    synchronous = functions.start_sync_execution(stateMachineArn=express)["status"]

    def asynchronous() -> str:
        return functions.describe_execution(executionArn=started)["status"]

    await_true(lambda: asynchronous() != "RUNNING", every=0.02)

    assert (synchronous, asynchronous()) == ("SUCCEEDED", "SUCCEEDED")
