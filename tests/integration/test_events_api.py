"""How events fare, by the API. Why real: what a filter, an hour and a role reach is decided by five tables."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from infra.local.platform import Platform
from prism_api.api.routes import events as routes
from prism_core.calendar import Week
from prism_core.events.envelope import Envelope
from prism_core.events.failed import Failure
from prism_core.events.messages import Accepted
from prism_core.events.outcomes import Outcome
from prism_core.events.problems import Problem
from prism_core.events.rollups import Grain, roll_ups
from prism_core.events.versions import SchemaVersion
from prism_core.models.reports import Recipient, ReportKind
from prism_core.models.work import Severity, ThroughputWeek
from prism_core.reports.hours import last_due
from prism_core.tables import RECIPIENTS, THROUGHPUT
from prism_core.version import VERSION
from prism_resources.aws import client
from prism_resources.events.balancing import Balancing
from prism_resources.events.event_store import EventStore
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.folding import counted
from prism_resources.events.ledger import Ledger
from prism_resources.events.receipts import Receipts
from prism_resources.events.rollup_store import RollupStore
from prism_resources.events.schema_store import SchemaStore
from prism_resources.reports.shelf import Shelf
from prism_resources.tables.generations import Generations
from prism_resources.tables.store import TableStore
from tests.integration import event_rows
from tests.integration.api_client import Answer, Api
from tests.integration.helpers import stay_within
from tests.integration.report_readers import reader

KIND = "api.seen"
# A day of its own: an hour is counted with all that any test left in it.
NOW = event_rows.NOW + timedelta(days=21)
DAY = NOW.date().isoformat()
LEAD = Api("[lead]", "somebody")


stored, failed = partial(event_rows.stored, now=NOW), partial(event_rows.failed, now=NOW)


def accepted(number: int, at: datetime) -> Accepted:
    event = Envelope(id=f"e{number}", source=f"/{KIND}", type=KIND, data={"seconds": number})
    return Accepted(f"{number:026d}", "tool", at, event, event.fingerprint)


@pytest.fixture(scope="module", autouse=True)
def _kept(platform: Platform) -> Iterator[None]:
    """Of an hour three stored events and one that a store lacks; two failed ones; one accepted just now."""
    settings = platform.settings
    for made in (routes._failed, routes._receipts, routes._rollups):
        made.cache_clear()
    SchemaStore(settings).add(KIND, SchemaVersion(1, 0, 0), b"{}", by="test", now=NOW)
    events = [stored(number, KIND, value=number, label="a") for number in (1, 2, 70)]
    EventStore(settings).store(events)
    receipts = Receipts(settings)
    sent = [accepted(number, NOW + timedelta(seconds=number)) for number in (1, 2, 70, 99)]
    receipts.accept(sent)
    receipts.settle([(one, Outcome.STORED) for one in sent], NOW + timedelta(seconds=99, milliseconds=700))
    hour = NOW.replace(minute=0)
    balancing = Balancing(settings, sleep=lambda _: None)
    Ledger(settings).write([balancing.of_hour(hour, hour + timedelta(hours=1))])
    folded = [
        *roll_ups(map(counted, events), Grain.DAY).values(),
        *roll_ups(map(counted, events), Grain.MINUTE).values(),
    ]
    RollupStore(settings).put_whole(folded, NOW)
    other = failed(2, KIND, failure=Failure.UNKNOWN_VERSION, problems=(), producer="other")
    FailedStore(settings).add([failed(1, KIND), other, failed(3, KIND, problems=(Problem("/n/4", "type", "x"),))])
    stay_within(timedelta(hours=1), 60)  # of the hour that runs, this one is asked for
    just = accepted(500, datetime.now(UTC))
    receipts.accept([just])
    receipts.settle([(just, Outcome.STORED)], just.accepted_at + timedelta(milliseconds=900))
    yield
    for made in (routes._failed, routes._receipts, routes._rollups):
        made.cache_clear()


def asked(path: str, *, expected: int = 200, **query: Any) -> Any:
    answer: Answer = LEAD("GET", path, **query)
    assert answer.status == expected, answer.body
    return answer.body


OF_THE_DAY: dict[str, Any] = {"since": f"{DAY}T00:00:00Z", "until": f"{DAY}T23:59:59Z", "type": KIND}


def test_failed_events_are_listed_newest_first_in_pages_and_read_with_their_payload() -> None:
    first = asked("/api/events/failed", limit=2, **OF_THE_DAY)
    second = asked("/api/events/failed", limit=2, cursor=first["next"], **OF_THE_DAY)
    whole = asked(f"/api/events/failed/{second['items'][0]['key']}")

    assert [one["event_id"] for one in (*first["items"], *second["items"])] == ["e3", "e2", "e1"]
    assert second.get("next") is None
    assert "payload" not in first["items"][0]
    assert whole["payload"]["data"] == {"seconds": "twelve", "n": 1}
    assert whole["problems"][0]["path"] == "/seconds"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param({"producer": "other"}, ["e2"], id="producer"),
        pytest.param({"failure": "unknown_version"}, ["e2"], id="failure"),
        pytest.param({"field": "/n/*"}, ["e3"], id="field"),
        pytest.param({"status": "replayed"}, [], id="status"),
        pytest.param({"until": f"{DAY}T07:30:03Z"}, ["e2", "e1"], id="time"),
        pytest.param({"since": "2000-01-01T00:00:00Z"}, ["e3", "e2", "e1"], id="from the beginning on"),
    ],
)
def test_a_filter_takes_what_it_says(filters: dict[str, Any], found: list[str]) -> None:
    listed = asked("/api/events/failed", **OF_THE_DAY | filters)

    assert [one["event_id"] for one in listed["items"]] == found
    assert asked("/api/events/failed/counts", **OF_THE_DAY | filters)["events"] == len(found)


def test_failed_events_are_counted_by_kind() -> None:
    counts = asked("/api/events/failed/counts", **OF_THE_DAY)

    assert [(one["producer"], one["failure"], one["events"]) for one in counts["items"]] == [
        (f"{KIND}-tool", "invalid", 2),
        ("other", "unknown_version", 1),
    ]


def test_an_hour_that_does_not_balance_says_what_is_missing_beside_the_one_that_runs() -> None:
    day = asked("/api/events/hours", first=DAY, last=DAY)
    today = asked("/api/events/hours")

    (hour,) = [one for one in day["items"] if one["hour"].startswith(f"{DAY}T07")]
    assert (hour["accepted"], hour["stored"], hour["lost"], hour["holds"]) == (4, 4, 1, False)
    assert hour["wrong"] == ["4 receipts say stored, and the store holds 3: 1 are lost"]
    assert hour["producers"] == [{"producer": "tool", "accepted": 4, "stored": 4, "failed": 0, "duplicate": 0}]
    assert day["running"] is None
    assert today["running"]["stored"] >= 1
    assert today["running"]["holds"] is None


def test_windows_are_answered_by_type_and_of_all_types() -> None:
    (day,) = asked("/api/events/rollups", type=KIND, first=DAY, last=DAY)["items"]
    minutes = asked("/api/events/rollups", type=KIND, grain="minute", first=DAY, last=DAY)["items"]
    every = asked("/api/events/rollups", first=DAY, last=DAY)["items"]

    assert (day["events"], day["late"], day["labels"]) == (3, 0, [{"value": "a", "events": 3}])
    assert 119 < day["delay_p50_ms"] < 122
    assert [one["events"] for one in minutes] == [2, 1]
    assert day in every


def test_promises_are_told_by_window_and_one_cold_start_tells_nobody() -> None:
    told = asked("/api/events/objectives")

    windows = {one["window"]: one for one in told["windows"]}
    assert list(windows) == ["5m", "30m", "1h", "6h", "1d", "28d"]
    assert windows["5m"]["events"] >= 1
    assert windows["5m"]["burn"] > 0
    assert windows["5m"]["holds"]
    assert (told["p95_ms"], told["success"], told["loss"]) == (500, 0.995, 0.0001)
    assert [(one["long"], one["short"], one["told"]) for one in told["burning"]] == [
        ("1h", "5m", False),
        ("6h", "30m", False),
    ]


def test_the_status_says_what_screens_checks_and_alarms_look_at(platform: Platform) -> None:
    recipients = TableStore(client(platform.settings, "dynamodb"), platform.settings, RECIPIENTS, Recipient)
    author: dict[str, Any] = {"actor": "test", "reason": "", "request_id": "status", "now": NOW}
    waits = recipients.create(reader("waits-for-ops", "UTC", "active", "ops"), **author)

    answer = LEAD("GET", "/api/status")
    recipients.delete(waits, expected_version=waits.version, **author)

    assert answer.status == 200, answer.body
    told = answer.body
    promised = LEAD("GET", "/api/events/objectives").body
    assert {one["window"] for one in told["events"]["windows"]} == {one["window"] for one in promised["windows"]}
    # The week before this one is due, and late from its second day on where nobody has published it.
    weeks, due = told["weeks"], Week.of(datetime.now(UTC)) + -1
    published = Generations(client(platform.settings, "dynamodb"), platform.settings, THROUGHPUT, ThroughputWeek)
    waited = datetime.now(UTC) > due.start + timedelta(days=8)
    assert weeks["due"] == due.label
    assert weeks["late"] is (waited and published.control(due) is None)
    week = last_due(datetime.fromisoformat(told["at"]) - timedelta(hours=2), ZoneInfo("UTC"))
    made = Shelf(platform.settings).has(ReportKind.OPERATIONS, week)
    assert ({"report": "ops", "week": week.label} in told["missing"]) is not made
    kept = all(one["holds"] for one in told["events"]["windows"])
    assert told["holds"] is (not told["missing"] and kept and not weeks["late"])
    assert told["version"] == VERSION
    assert [one["severity"] for one in told["alerts"]] == list(Severity)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        pytest.param("/api/events/hours", {"first": DAY, "last": "2026-03-05"}, id="too many days"),
        pytest.param("/api/events/hours", {"first": DAY, "last": "2026-01-04"}, id="backwards"),
        pytest.param("/api/events/rollups", {"grain": "minute", "first": "2026-01-01", "last": DAY}, id="minutes"),
        pytest.param("/api/events/failed", {"since": f"{DAY}T07:00:00Z", "until": f"{DAY}T06:00:00Z"}, id="time"),
        pytest.param("/api/events/failed", {"failure": "bad luck"}, id="no failure"),
        pytest.param("/api/events/hours", {"last": "0"}, id="epoch"),
        pytest.param("/api/events/rollups", {"last": "1788000000"}, id="seconds of an epoch"),
    ],
)
def test_what_cannot_be_asked_is_refused(path: str, query: dict[str, Any]) -> None:
    asked(path, expected=422, **query)


def test_a_failed_event_that_there_is_not_is_not_found() -> None:
    asked(f"/api/events/failed/{'0' * 32}", expected=404)


@pytest.mark.parametrize("path", ["failed", "failed/counts", "hours", "rollups", "objectives"])
def test_only_those_who_run_the_programme_see_how_events_fare(path: str) -> None:
    answers = [
        Api(f"[{role}]", "somebody")("GET", f"/api/events/{path}").status for role in ("analyst", "annotator")
    ]

    assert answers == [200, 403]


def test_days_of_the_ledger_are_kept_beside_one_another(platform: Platform) -> None:
    ledger = Ledger(platform.settings)
    before = ledger.of_days(NOW.date(), NOW.date() + timedelta(days=1))
    other = Balancing(platform.settings).of_hour(NOW.replace(hour=20, minute=0), NOW + timedelta(days=1))

    ledger.write([other])
    ledger.write([other])

    assert ledger.of_days(NOW.date(), NOW.date() + timedelta(days=1)) == [*before, other]
