"""A producer breaks its schema, which is seen, mended by a version, and sent again: by what people type.

Why real: an event goes through the API, a queue, a state machine and its tables, and back out of them.
"""

import base64
import contextlib
import io
import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import jsonschema.validators
import msgspec
import pytest

from benchmarks.events_payloads import fetched, spoiled, webhooks
from infra.cli.app import main
from infra.local.platform import Platform
from prism_api.events.hooks import Hooks
from prism_assets.definitions import build_definitions
from prism_assets.lake.assets import asset_name
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.events.envelope import Envelope
from prism_core.events.ledger import HOUR
from prism_core.events.rollups import Grain
from prism_core.events.signatures import sign
from prism_core.events.versions import SchemaVersion
from prism_core.lake import raw_prefix
from prism_core.lake_events import EVENT_LAKE, EVENTS
from prism_core.models.reports import Recipient
from prism_core.settings import load_settings
from prism_core.tables import RECIPIENTS
from prism_resources.aws import client
from prism_resources.events.balancing import Balancing
from prism_resources.events.schema_store import SchemaStore
from prism_resources.events.scoring import Scoring, Telling
from prism_resources.lake import Lake
from prism_resources.mailing import Mailing
from prism_resources.tables.codec import encode_key
from prism_resources.tables.store import TableStore
from tests.integration.asset_runs import failed_checks, run_assets
from tests.integration.fresh import commands_of_this_file
from tests.integration.helpers import stay_within

platform = commands_of_this_file()

KIND = "com.example.labelled"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"seconds": {"type": "number"}, "worker": {"type": "string"}},
    "required": ["seconds"],
}
WIDER = SCHEMA | {"properties": {"seconds": {"type": ["number", "string"]}, "worker": {"type": "string"}}}
NARROWER = SCHEMA | {"required": ["seconds", "worker"]}
STRICTER_WORKER = SCHEMA | {"properties": {"seconds": {"type": "number"}, "worker": {"type": "integer"}}}


def event(number: int, seconds: object) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": f"e{number}", "source": "/tool", "type": KIND,
        "data": {"seconds": seconds, "worker": f"w{number}"},
    }  # fmt: skip


@pytest.fixture(scope="module")
def files(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    del platform
    stay_within(timedelta(days=1), 240)  # the last tests look for the week and the day of the first
    folder = tmp_path_factory.mktemp("events")
    for name, schema in (("first", SCHEMA), ("wider", WIDER), ("narrower", NARROWER), ("worker", STRICTER_WORKER)):
        (folder / f"{name}.json").write_text(json.dumps(schema))
    good, bad = [event(number, number) for number in range(3)], [event(number, "ten") for number in range(3, 8)]
    (folder / "mixed.json").write_text(json.dumps([*good, *bad]))
    (folder / "again.jsonl").write_text("\n".join(json.dumps(one) for one in [good[0], {"id": 7}]))
    return folder


@dataclass(frozen=True)
class Done:
    """What a command has printed."""

    stdout: str
    stderr: str


@pytest.fixture(autouse=True)
def _wide(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 200 columns, and the platform of this file as the one that commands find."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PRISM_HOME", str(platform.home.root))


def run(*arguments: str, code: int = 0) -> Done:
    """A command in this process: each of its own would take three seconds more.

    Verdicts are waited for longer than people want to.
    """
    if arguments[0] == "send" and "--wait" not in arguments:
        arguments += ("--wait", "240")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["prism", "events", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    assert (ended.value.code or 0) == code, out.getvalue() + err.getvalue()
    return Done(out.getvalue(), err.getvalue())


def said(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code).stdout)


def _recipient(platform: Platform) -> None:
    person = Recipient.model_validate(
        {
            "recipient_id": "owner", "name": "Ana", "email": "ana@example.org", "time_zone": "UTC",
            "subscriptions": [{"report": "events"}],
        }
    )  # fmt: skip
    store = TableStore(client(platform.settings, "dynamodb"), platform.settings, RECIPIENTS, Recipient)
    store.create(person, actor="test", reason="", request_id="owner", now=clock.now())


def _scorecard_tells_the_owner_once(instance: dg.DagsterInstance) -> None:
    for mails in ({"owner": "sent"}, {}):
        job = build_definitions(load_settings()).resolve_job_def("events")
        ended = job.execute_in_process(instance=instance, raise_on_error=False)
        assert ended.success
        assert failed_checks(ended) == set()
        event = instance.get_latest_materialization_event(dg.AssetKey("event_scorecard"))
        assert event is not None
        assert event.asset_materialization is not None
        found: dict[str, Any] = {name: value.value for name, value in event.asset_materialization.metadata.items()}
        assert found["mails"] == mails
        ((fields),) = found["began_to_fail"].values()
        assert fields == [{"type": KIND, "field": "/seconds", "rule": "type", "events": 5}]
        assert "| 8 | 3 | 5 | 0 | 62.5% |" in found["scores"]


@pytest.mark.timeout(900)
def test_a_breaking_producer_is_mended_by_a_version_and_its_events_are_sent_again(
    platform: Platform, files: Path, instance: dg.DagsterInstance
) -> None:
    stay_within(timedelta(hours=1), 120)
    _recipient(platform)
    run("schema", "add", KIND, "1-0-0", str(files / "first.json"), "--value-at", "/seconds", "--owner", "owner")

    sent = said("send", str(files / "mixed.json"), code=1)

    assert sent["verdicts"] == {"failed": 5, "stored": 3}
    assert [one["verdict"] for one in sent["events"]] == ["stored"] * 3 + ["failed"] * 5
    assert sent["events"][3]["reason"].startswith("/seconds: ")
    balance = sent["conservation"][-1]
    assert (balance["accepted"], balance["stored"], balance["failed"], balance["holds"]) == (8, 3, 5, True)
    counted = said("failed", "count", "--type", KIND)
    assert [(one["failure"], one["status"], one["events"]) for one in counted] == [("invalid", "open", 5)]

    _scorecard_tells_the_owner_once(instance)

    unchanged = said("replay", "--type", KIND)
    assert (unchanged["sent"], unchanged["unchanged"]) == (0, 5)

    added = run("schema", "add", KIND, "1-0-1", str(files / "wider.json"))
    assert "as in the version before it: value_at (/seconds), owner (owner)" in added.stderr
    shown = run("replay", "--type", KIND, "--path", "/seconds")
    again = said("replay", "--type", KIND)
    sys.stdout.write(shown.stdout)

    lines = [" ".join(line.replace("│", " ").split()) for line in shown.stdout.splitlines()]
    assert "open 5 0" in lines
    assert "replayed 0 5" in lines
    assert "5 sent, 5 stored, 0 failed" in shown.stdout
    assert (again["sent"], again["duplicate"], again["after"]["replayed"]) == (0, 5, 5)
    (found,) = said("failed", "list", "--type", KIND, "--limit", "1", "--payload")
    (replay,) = found["replays"]
    assert (replay["old_version"], replay["new_version"]) == ("1-0-0", "1-0-1")
    assert replay["run"] in shown.stdout
    assert found["payload"]["data"]["seconds"] == "ten"


def test_what_is_sent_twice_is_a_duplicate_and_what_is_no_event_is_refused(files: Path) -> None:
    sent = said("send", str(files / "again.jsonl"), code=1)

    assert sent["verdicts"] == {"duplicate": 1, "refused": 1}
    assert "specversion" in sent["events"][1]["reason"]
    assert sent["conservation"][-1]["holds"]


def test_a_version_is_checked_rehearsed_and_listed_before_it_is_added(files: Path) -> None:
    checked = said("schema", "check", KIND, "1-0-2", str(files / "narrower.json"), code=1)
    refused = run("schema", "add", KIND, "1-0-2", str(files / "narrower.json"), code=1)
    rehearsed = said("schema", "rehearse", KIND, str(files / "worker.json"), code=1)
    listed = said("schema", "list", KIND)

    assert (checked["taken"], checked["over"]) == (False, "1-0-1")
    assert "would break producers that keep to 1-0-1" in refused.stderr
    assert (rehearsed["judged"], list(rehearsed["failing"].values())) == (8, [8])
    assert {(one["field"], one["rule"], one["events"]) for one in rehearsed["fields"]} == {
        ("/seconds", "type", 5), ("/worker", "type", 8)
    }  # fmt: skip
    assert [one["version"] for one in listed if one["value_at"] == "/seconds"] == ["1-0-0", "1-0-1"]


def test_lookups_are_added_and_rules_refer_to_those_that_there_are(files: Path) -> None:
    (files / "geo.csv").write_text("network,country\n203.0.113.0/24,NZ\n")
    rule = {"kind": "country", "path": "/ip", "into": "country", "lookup": "geo"}
    (files / "rules.json").write_text(json.dumps([rule]))
    adding = ("schema", "add", "com.example.seen", "1-0-0", str(files / "first.json"), "--rules")

    early = run(*adding, str(files / "rules.json"), code=1)
    lookup = said("lookup", "add", "geo", str(files / "geo.csv"))
    added = said(*adding, str(files / "rules.json"))

    assert "there is no lookup geo" in early.stderr
    assert (lookup["version"], lookup["form"], lookup["entries"]) == (1, "prefixes", 1)
    assert added["rules"] == [rule | {"beside": None}]
    assert [one["name"] for one in said("lookup", "list")] == ["geo"]


def queried(sql: str) -> list[dict[str, Any]]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["prism", "query", sql, "--format", "json"])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    return json.loads(out.getvalue())


def test_weeks_of_events_lie_in_the_lake_and_answer_sql(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    week, later = clock.this_week(), clock.now() + timedelta(hours=1)
    monkeypatch.setenv("PRISM_NOW", later.isoformat())
    hourly = build_definitions(load_settings()).resolve_job_def("events")
    assert failed_checks(hourly.execute_in_process(instance=instance, raise_on_error=False)) == set()

    done = run_assets(instance, WeekRange(week, Week.of(later)), *(asset_name(table) for table in EVENT_LAKE))

    assert done.success
    assert failed_checks(done) == set()
    (events,) = queried("SELECT type, count(*) AS n, min(value) AS low FROM events GROUP BY 1")
    assert (events["type"], events["n"], events["low"]) == (KIND, 8, 0)
    failed = queried("SELECT field, rule, status, count(*) AS n FROM failed_events GROUP BY 1, 2, 3")
    assert failed == [{"field": "/seconds", "rule": "type", "status": "replayed", "n": 5}]
    days = queried("SELECT type, sum(events) AS events, max(delay_p95_ms) AS p95 FROM event_days GROUP BY 1")
    assert [(one["type"], one["events"]) for one in days] == [(KIND, 8)]
    assert days[0]["p95"] > 0
    (score,) = queried("SELECT accepted, stored, failed, duplicate, failed_share, fields FROM event_scores")
    assert (score["accepted"], score["stored"], score["failed"], score["duplicate"]) == (9, 3, 5, 1)
    assert json.loads(score["fields"]) == [{"type": KIND, "field": "/seconds", "rule": "type", "events": 5}]


def test_a_week_whose_archive_has_expired_is_left_as_it_was_compacted(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    week = clock.this_week()
    before = Lake(load_settings()).manifest(EVENTS.partition(week))
    monkeypatch.setenv("PRISM_NOW", (clock.now() + timedelta(days=97)).isoformat())
    lake, prefix = Lake(load_settings()), raw_prefix("events", week)
    for key in list(lake.keys(prefix)):
        lake.delete(key)

    assert run_assets(instance, WeekRange(week, week), asset_name(EVENTS)).success

    assert before is not None
    assert before.rows == 8
    assert lake.manifest(EVENTS.partition(week)) == before


def reference(schema: dict[str, Any], body: bytes) -> bool:
    return jsonschema.validators.validator_for(schema)(schema).is_valid(json.loads(body))


def balances() -> dict[str, dict[str, Any]]:
    """By hour, from the receipts and the stores of this hour and the one before."""
    hour, now = Grain.HOUR.start_of(clock.now()), clock.now()
    found = [Balancing(load_settings()).of_hour(hour + number * HOUR, now) for number in (-1, 0)]
    return {one.hour.isoformat(): msgspec.to_builtins(one) for one in found}


@pytest.mark.timeout(900)
def test_webhooks_of_github_end_as_the_reference_validator_judges_them(files: Path) -> None:
    """Every example and a spoiled copy of each; `GITHUB_EXAMPLES=all` are those of the package."""
    here = Path(__file__).parents[1] / "data" / "github"
    cases = webhooks(fetched() if os.environ.get("GITHUB_EXAMPLES") == "all" else here, 1)
    stay_within(timedelta(hours=1), 120)
    schemas = SchemaStore(load_settings())
    for kind, schema in cases.schemas.items():
        schemas.add(kind, SchemaVersion(1, 0, 0), json.dumps(schema).encode(), by="test", now=clock.now())
    rows = [*cases.rows, *spoiled(cases.rows, 1)]
    sent = [
        {"specversion": "1.0", "id": f"g{number}", "source": "/github", "type": kind, "data": json.loads(body)}
        for number, (kind, body) in enumerate(rows)
    ]
    (files / "github.jsonl").write_text("\n".join(map(json.dumps, sent)))
    expected = ["stored" if reference(cases.schemas[kind], body) else "failed" for kind, body in rows]
    before = balances()

    done = said("send", str(files / "github.jsonl"), "--wait", "600", code=1)

    assert [one["verdict"] for one in done["events"]] == expected
    assert 0 < expected.count("failed") < len(rows)
    sums = {
        name: sum(one[name] for one in done["types"]) for name in ("accepted", "stored", "failed", "duplicate")
    }
    assert sums == {
        "accepted": len(rows), "stored": expected.count("stored"), "failed": expected.count("failed"),
        "duplicate": 0,
    }  # fmt: skip
    after = balances()
    assert all(one["holds"] for one in done["conservation"])
    assert [one["wrong"] for one in after.values()] == [()] * 2
    for name, number in sums.items():
        assert sum(one[name] for one in after.values()) - sum(one[name] for one in before.values()) == number
    sys.stdout.write(f"{len(rows):,} webhooks: {sums}\n")


@pytest.mark.timeout(600)
def test_sending_says_when_a_store_lacks_what_receipts_of_the_hour_say(files: Path) -> None:
    stay_within(timedelta(hours=1), 90)
    kind, settings = "com.example.gone", load_settings()
    SchemaStore(settings).add(kind, SchemaVersion(1, 0, 0), b"{}", by="test", now=clock.now())
    (files / "gone.json").write_text(json.dumps(event(900, 1) | {"type": kind}))
    (files / "next.json").write_text(json.dumps(event(901, 1) | {"type": kind}))
    before = said("send", str(files / "gone.json"))
    key = encode_key({"event_key": Envelope(id="e900", source="/tool", type=kind, data=None).key})
    client(settings, "dynamodb").delete_item(TableName=settings.table_name("events"), Key=key)

    after = said("send", str(files / "next.json"), code=1)

    assert [(one["holds"], one["running"], one["wrong"]) for one in before["conservation"]] == [(True, True, [])]
    (hour,) = after["conservation"]
    assert (hour["holds"], [one.rpartition(": ")[2] for one in hour["wrong"]]) == (False, ["1 are lost"])


def test_unknown_types_and_versions_and_conflicts_are_told_and_a_replay_of_a_replay_sends_nothing(
    files: Path,
) -> None:
    kind, settings = "com.example.nobody", load_settings()
    untyped = [event(number, number) | {"type": kind} for number in range(910, 913)]
    unversioned = [event(number, number) | {"dataschema": "/schemas/x/9-9-9"} for number in range(920, 923)]
    taken = [event(number, 1_000 + number) for number in range(3)]
    (files / "odd.json").write_text(json.dumps([*untyped, *unversioned, *taken]))

    sent = said("send", str(files / "odd.json"), code=1)

    assert sent["verdicts"] == {"failed": 6, "conflict": 3}
    now, scoring = clock.now(), Scoring(settings)
    began = scoring.began(scoring.lately(now), now)
    told = Telling(settings).tell(began, now)
    assert [one.status.value for outcome in told for one in outcome.deliveries] == ["sent"]
    (letter,) = Mailing(settings).content(told[-1].edition).letters
    assert f"- {kind}: there is no schema of this type" in letter.text
    assert f"- {KIND}: their dataschema names a version that there is not" in letter.text
    assert f"- {KIND}: source and id are those of another event" in letter.text

    run("schema", "add", kind, "1-0-0", str(files / "worker.json"))
    failing = said("replay", "--type", kind, code=1)
    again = said("replay", "--type", kind)
    assert (failing["sent"], failing["stored"], failing["failed"]) == (3, 0, 3)
    assert (again["sent"], again["duplicate"], again["closed"]) == (0, 3, 3)

    assert said("replay", "--type", KIND, "--version", "9-9-9")["unchanged"] == 3
    assert "narrow it, or repeat it with --all" in run("failed", "give-up", code=2).stderr
    assert said("failed", "give-up", "--type", kind)["given_up"] == 3
    assert said("replay", "--type", kind)["closed"] == 6


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--source", "my shop", "--type-header", "x-event"), "source is a URI"),
        (("--source", "", "--type-header", "x-event"), "source has 1 to 512"),
        (("--source", "/shop", "--type-header", "x-event", "--type-prefix", "shop/"), "a type has letters"),
        (("--source", "/shop", "--type-header", "x event"), "is no name of a header"),
        (("--type-prefix", "shop."), "need both --source and --type-header"),
    ],
)
def test_a_producer_whose_every_delivery_would_be_refused_is_not_made(options: tuple[str, ...], told: str) -> None:
    assert told in run("producer", "add", "refused", *options, code=2).stderr


def test_a_producer_that_signs_is_made_delivers_and_gets_another_secret() -> None:
    made = said("producer", "add", "shop")
    body = json.dumps(event(930, 1)).encode()
    key = base64.b64decode(made["secret"].removeprefix("whsec_"))
    headers = {"content-type": "application/cloudevents+json", **sign(key, "d-1", datetime.now(UTC), body)}

    answer = httpx.post(made["address"], content=body, headers=headers, timeout=60, trust_env=False)
    taken = run("producer", "add", "shop", code=2)
    rotated = said("producer", "add", "shop", "--rotate")
    after = Hooks(load_settings()).get("shop")
    last = said("producer", "add", "shop", "--rotate")

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert "there is a producer shop" in taken.stderr
    assert after is not None
    assert after.secrets == (rotated["secret"], made["secret"])
    # Twice, and what the producer signs with is taken no more: so it is stopped.
    stopped = Hooks(load_settings()).get("shop")
    assert stopped is not None
    assert stopped.secrets == (last["secret"], rotated["secret"])
