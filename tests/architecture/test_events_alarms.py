"""The alarms and the dashboard of events look at figures that are sent, at the bounds that were promised."""

import json
import re
from typing import Any

import pytest

from prism_api.events import container
from prism_api.events.dispatcher import (
    AT_ONCE,
    STALE_SECONDS,
    Message,
    inputs,
    machines,
    most_together,
    seconds_until_tried,
)
from prism_core.events.objectives import (
    BURN_WINDOWS,
    FEWEST_FOR_SPEED,
    MILLION,
    P95_MS,
    QUERY_SECONDS,
    SUCCESS_SHARE,
    Figures,
    measures,
)
from prism_core.events.sketches import Percentiles
from prism_core.settings import load_settings
from prism_resources.metrics import NAMESPACE
from tests.architecture.test_templates import decoded

SENT = measures(Figures(accepted=FEWEST_FOR_SPEED, delays_ms=Percentiles.of([1.0])), BURN_WINDOWS, 1.0)
BOUNDS = {
    "EventsP95Ms": P95_MS,
    "EventsUnservedOfMillion": round((1 - SUCCESS_SHARE) * MILLION),
    # Not of a share: the hour in which it is found may have accepted nothing.
    "EventsLost": 1,
    "EventsBurning": 1,
    "EventsQueryMs": QUERY_SECONDS * 1_000,
}


def _resources(kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in decoded("events")["Resources"].values() if one["Type"] == kind]


def test_every_promise_has_an_alarm_at_its_bound() -> None:
    alarms = [one for one in _resources("AWS::CloudWatch::Alarm") if one["Namespace"] == NAMESPACE]

    assert {one["MetricName"]: one["Threshold"] for one in alarms} == BOUNDS
    assert set(BOUNDS) < set(SENT)


def test_an_alarm_is_silent_while_nothing_is_sent_and_does_no_arithmetic() -> None:
    alarms = _resources("AWS::CloudWatch::Alarm")

    assert {one["TreatMissingData"] for one in alarms} == {"notBreaching"}
    assert not [one for one in alarms if "Metrics" in one]


def test_every_alarm_tells_the_topic_when_it_begins_and_when_it_is_over() -> None:
    alarms = _resources("AWS::CloudWatch::Alarm")
    (topic,) = _resources("AWS::SNS::TopicPolicy")

    for one in alarms:
        assert one["AlarmActions"] == one["OKActions"] == [{"Ref": "AlarmsTopic"}]
    assert topic["PolicyDocument"]["Statement"][0]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}


def test_an_outage_of_three_hours_sends_no_event_to_the_dead_queue_and_half_an_hour_after_it_all_are_tried() -> (
    None
):
    (tries,) = {
        one["RedrivePolicy"]["maxReceiveCount"] for one in _resources("AWS::SQS::Queue") if "RedrivePolicy" in one
    }
    waits = [seconds_until_tried(tried) for tried in range(1, tries)]

    assert sum(waits) > 3 * 3600
    assert waits[0] == 2
    assert max(waits) <= 1800


def test_a_machine_that_is_slow_for_an_hour_sends_no_event_to_the_dead_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The dispatcher stops waiting while it has time to say when to try again, and asks for no second execution;
    were it ended each time, the queue's own wait would do."""
    (dispatcher,) = (one for one in _resources("AWS::Lambda::Function") if "dispatcher" in one["Handler"])
    (deliveries,) = _resources("AWS::Lambda::EventSourceMapping")
    (queue,) = (one for one in _resources("AWS::SQS::Queue") if "RedrivePolicy" in one)
    settings = load_settings(environment="local", aws_endpoint_url="http://127.0.0.1:9")
    monkeypatch.setattr(container, "settings", lambda: settings)
    config = machines.__wrapped__().meta.config

    assert config.retries["total_max_attempts"] == 1
    assert STALE_SECONDS + config.connect_timeout + config.read_timeout < dispatcher["Timeout"]
    assert deliveries["BatchSize"] <= AT_ONCE
    assert queue["VisibilityTimeout"] >= 6 * dispatcher["Timeout"]
    assert queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"] > 3600


def test_what_failed_again_and_again_takes_fewer_others_along_and_at_last_none() -> None:
    assert [most_together(tried) for tried in (1, 2, 3, 4, 5, 16)] == [100, 100, 5, 2, 1, 1]

    messages = [Message(b"%d" % number, [], 1 + number % 2 * 4) for number in range(6)]
    found = [json.loads(one)["events"] for one in inputs(messages)]

    assert found == [[0, 2, 4], [1], [3], [5]]


def test_the_dashboard_shows_figures_that_are_sent() -> None:
    (dashboard,) = _resources("AWS::CloudWatch::Dashboard")
    body = dashboard["DashboardBody"]["Fn::Sub"]

    shown = [metric for one in json.loads(body)["widgets"] for metric in one["properties"]["metrics"]]

    assert {name for space, name, *_ in shown if space == NAMESPACE} <= set(SENT)
    assert set(re.findall(r"\$\{(\w+)\.", body)) == {"Queue", "DeadQueue"}
