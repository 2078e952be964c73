"""Why real: what becomes of an event is told by a queue, a state machine, five tables and two buckets together."""

import contextlib
import gzip
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cfnlint.decode import decode

from infra.local.platform import Platform
from prism_api.events import container, steps
from prism_core.events.enrichment import Kind
from prism_core.events.failed import FailedFilter, FailedStatus, Failure
from prism_core.events.messages import Accepted, apart, encode
from prism_core.events.outcomes import Outcome
from prism_core.events.packing import MAX_EVENTS, STATE_LIMIT_BYTES, encode_pack, packs
from prism_core.events.rollups import Grain, RollUp
from prism_core.models.base import instant_text
from prism_core.models.events import EnrichmentRule
from prism_core.settings import Settings
from prism_resources.aws import ATTEMPTS, client
from prism_resources.events import archive, objects
from prism_resources.events.large import LARGE, forget_large, put_large
from prism_resources.events.lookup_store import LookupStore
from prism_resources.events.receipts import CALL_ATTEMPTS, Receipts
from prism_resources.events.replaying import CHUNK, Replaying
from prism_resources.events.rollup_store import RollupStore
from prism_resources.events.schema_store import SchemaStore
from prism_resources.events.sending import Sender
from tests.architecture.sources import ROOT
from tests.integration.event_rows import failed
from tests.integration.event_world import MADE, Pipeline, accepted, await_true, event
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file(rights=True)


@pytest.fixture(scope="module")
def pipeline(platform: Platform) -> Iterator[Pipeline]:
    made = Pipeline(platform)
    made.add_schema(value_at="/number", label_at="/label")
    yield made
    made.http.close()


def test_a_valid_event_is_stored_and_its_receipt_says_so(pipeline: Pipeline) -> None:
    answer = pipeline.post(event(7))

    assert answer.status_code == 202, answer.text
    receipt = answer.json()["rows"][0]["receipt"]
    settled = pipeline.await_settled([receipt])
    assert settled[receipt].outcome is Outcome.STORED
    assert pipeline.problems(MADE) == ()


def settled(pipeline: Pipeline, *events: Any) -> list[Outcome | None]:
    """What became of events, posted together."""
    receipts = [row["receipt"] for row in pipeline.batch(events).json()["rows"]]
    found = pipeline.await_settled(receipts)
    return [found[one].outcome for one in receipts]


def test_an_event_that_comes_once_more_is_a_duplicate_and_another_payload_a_conflict(pipeline: Pipeline) -> None:
    first = event(1)
    assert settled(pipeline, first) == [Outcome.STORED]

    assert settled(pipeline, first, first | {"data": {"number": 2}}) == [Outcome.DUPLICATE, Outcome.CONFLICT]
    kept = [one for one in pipeline.failed(failure=Failure.CONFLICT) if one.event_id == first["id"]]
    assert len(kept) == 1
    assert sum(one.event_id == first["id"] for one in pipeline.stored()) == 1


def test_what_fails_is_kept_with_its_problems_and_does_not_hold_up_the_others(pipeline: Pipeline) -> None:
    wrong, unknown = event(data={"number": "one"}), event(type="com.example.nothing")
    later = event(1, dataschema="/schemas/made/9-9-9")

    found = settled(pipeline, event(1), wrong, unknown, event(2), later)

    assert found == [Outcome.STORED, Outcome.FAILED, Outcome.FAILED, Outcome.STORED, Outcome.FAILED]
    kept = {one.event_id: one for one in pipeline.failed()}
    assert [problem.path for problem in kept[wrong["id"]].problems] == ["/number"]
    assert kept[wrong["id"]].version == "1-0-0"
    assert kept[unknown["id"]].failure is Failure.UNKNOWN_TYPE
    assert (kept[later["id"]].failure, kept[later["id"]].version) == (Failure.UNKNOWN_VERSION, "9-9-9")
    whole = pipeline.failures.get(kept[wrong["id"]].failed_id)
    assert whole is not None
    assert whole.payload["data"] == {"number": "one"}


def test_an_event_is_stored_enriched_without_its_address_and_says_from_which_versions(pipeline: Pipeline) -> None:
    kind, at = f"com.example.{uuid.uuid4().hex}", "2026-01-05T07:00:00Z"
    LookupStore(pipeline.platform.settings).add(
        "geo", b"network,country\n203.0.113.0/24,ES\n", by="test", now=datetime.now(UTC)
    )
    rules = (
        EnrichmentRule(kind=Kind.COUNTRY, path="/ip", into="country", lookup="geo"),
        EnrichmentRule(kind=Kind.AGENT, path="/agent", into="agent"),
    )
    pipeline.add_schema(kind, schema={"type": "object"}, rules=rules)
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

    assert settled(pipeline, event(type=kind, time=at, data={"ip": "203.0.113.77", "agent": agent})) == [
        Outcome.STORED
    ]

    mark = pipeline.stored(kind)[0]
    kept = pipeline.events.get(mark.event_key)
    assert kept is not None
    assert (kept.added, kept.lookups) == ({"country": "ES", "agent": "Firefox"}, {"geo": 1})
    assert "203.0.113.77" not in str(kept.data)
    assert '"ip":"203.0.113.0/24"' in str(kept.data)


def test_a_large_event_travels_beside_the_queue_and_is_stored_whole(pipeline: Pipeline) -> None:
    long = {"number": 1, "label": "b" * 400_000}

    middle = {"number": 1, "label": "c" * 200_000}
    sent = [event(data=long), event(data=middle)]
    receipts = [pipeline.post(one).json()["rows"][0]["receipt"] for one in sent]

    assert {one.outcome for one in pipeline.await_settled(receipts).values()} == {Outcome.STORED}
    pipeline.await_empty()
    s3, bucket = client(pipeline.platform.settings, "s3"), pipeline.platform.settings.lake_bucket
    waiting, refused, nameless = (accepted(event(data=long)) for _ in range(3))
    for one in (waiting, refused, nameless):
        put_large(pipeline.platform.settings, one)
    rows = Receipts(pipeline.platform.settings)
    rows.accept([waiting, refused])
    rows.refuse([refused])
    kept = sorted(one.receipt for one in (waiting, refused, nameless))
    objects.put(pipeline.platform.settings, f"{LARGE}of-another-form", b"{}", objects.JSON)

    def versions() -> list[str]:
        left = s3.list_object_versions(Bucket=bucket, Prefix=LARGE)
        assert "DeleteMarkers" not in left or left["DeleteMarkers"] == []
        found = [one.get("Key", "").rpartition("/")[2] for one in left.get("Versions", [])]
        return sorted(one for one in found if one in {*receipts, *kept})

    assert forget_large(pipeline.platform.settings) == 0  # others may read them still
    assert versions() == sorted([*receipts, *kept])
    assert forget_large(pipeline.platform.settings, kept=timedelta(0)) >= 1
    assert versions() == kept  # an event without an outcome is on its way, however long that takes
    rows.refuse([waiting])  # this one was never sent: the hour must balance without it
    keys = {one.event_id: one.event_key for one in pipeline.stored()}
    whole, inline = (pipeline.events.get(keys[one["id"]]) for one in sent)
    assert whole is not None
    assert inline is not None
    assert whole.body is not None
    assert msgspec.json.decode(objects.get(pipeline.platform.settings, whole.body)) == long
    assert msgspec.json.decode(inline.data or "") == middle


def test_stored_events_are_archived_and_counted_in_their_minute(pipeline: Pipeline) -> None:
    kind = f"com.example.{uuid.uuid4().hex}"
    pipeline.add_schema(kind, value_at="/number", label_at="/label")

    settled(pipeline, *(event(number, type=kind) for number in (10, 20, 30)))

    days = {pipeline.began.date(), datetime.now(UTC).date()}  # midnight may have passed
    keys = [key for day in days for key in archive.keys_of_day(pipeline.platform.settings, day)]
    kept = [one for one in archive.read(pipeline.platform.settings, keys) if one.type == kind]
    assert sorted(one.data["number"] for one in kept) == [10, 20, 30]
    rolled: list[RollUp] = []

    def counted() -> bool:
        first = pipeline.began.replace(second=0, microsecond=0)
        store = RollupStore(pipeline.platform.settings)
        rolled[:] = store.read(kind, Grain.MINUTE, first, datetime.now(UTC))
        return sum(one.count for one in rolled) == 3

    await_true(counted, 120)
    assert {name for one in rolled for name in one.labels.counts} == {"a"}


def test_messages_that_the_queue_delivers_twice_end_as_they_ended_first(pipeline: Pipeline) -> None:
    """Everything again, by the same messages: stored, failed and duplicate ones."""
    first = event(1)
    sent = [accepted(one) for one in (first, event(data={}), first | {"source": "/other"}, first)]
    sender = Sender(pipeline.platform.settings)
    assert sender.send(sent) == {one.receipt for one in sent}
    before = pipeline.await_settled(one.receipt for one in sent)
    stored, failed = len(pipeline.stored()), len(pipeline.failed())

    assert not sender.queue.send([encode(one) for one in (*sent, *sent)])

    pipeline.await_empty()
    assert pipeline.await_settled(one.receipt for one in sent) == before
    assert (len(pipeline.stored()), len(pipeline.failed())) == (stored, failed)
    first_one, wrong, other, once_more = (before[one.receipt].outcome for one in sent)
    assert (wrong, other) == (Outcome.FAILED, Outcome.STORED)
    assert {first_one, once_more} == {Outcome.STORED, Outcome.DUPLICATE}  # the queue keeps no order


def test_a_message_that_nobody_can_read_ends_in_the_dead_queue_and_its_batch_is_processed(
    pipeline: Pipeline,
) -> None:
    good = accepted(event(1))
    sender = Sender(pipeline.platform.settings)
    sender.receipts.accept([good])
    dead = pipeline.dead.waiting()

    sender.queue.send([b"poison", encode(good), b'{"receipt":1}'])

    assert pipeline.await_settled([good.receipt])[good.receipt].outcome is Outcome.STORED

    def buried() -> bool:
        pipeline.dead._counted = None
        return pipeline.dead.waiting() == dead + 2

    await_true(buried, 180)


def test_a_receipt_that_the_queue_refused_counts_only_when_its_event_comes_through(
    pipeline: Pipeline,
) -> None:
    sent = accepted(event(1))
    sender = Sender(pipeline.platform.settings)
    sender.receipts.accept([sent])
    sender.receipts.refuse([sent])
    assert sum(one.accepted for one in pipeline.balances().values()) == len(
        [one for one in pipeline.all_receipts() if one.counts]
    )

    sender.queue.send([encode(sent)])

    found = pipeline.await_settled([sent.receipt])[sent.receipt]
    assert (found.outcome, found.refused) == (Outcome.STORED, False)


def of_this_platform() -> None:
    """The states in this process, on the tables of the platform of this file."""
    made = (
        container.settings, container.receipts, container.earlier, container.events, container.failed,
        container.rollups,
    )  # fmt: skip
    for kept in (*made, steps.registry):
        kept.cache_clear()


def step_rights() -> set[tuple[str, str]]:
    """Action and table or prefix of each right over data that the role of the states has."""
    template, _ = decode(str(ROOT / "infra" / "templates" / "events.yaml"))
    assert template is not None
    (policy,) = template["Resources"]["StepRole"]["Properties"]["Policies"]
    return {
        (action, text.rpartition("${NamePrefix}-")[2].rpartition("${LakeBucket}/")[2].rstrip("*"))
        for statement in policy["PolicyDocument"]["Statement"]
        if "Action" in statement  # not what a switch adds, such as traces
        for action in statement["Action"]
        if not action.startswith("logs:")
        for text in (one["Fn::Sub"] for one in statement["Resource"])
    }


@contextlib.contextmanager
def calls_of(settings: Settings) -> Iterator[set[tuple[str, str]]]:
    """Action and table or key of each call of this process, as AWS asks for the right to it."""
    made: set[tuple[str, str]] = set()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.service_model.service_name == "s3":
            made.add((f"s3:{model.name}{'Version' if 'VersionId' in params else ''}", params["Key"]))
            return
        whole: list[tuple[str, str]] = [(model.name, name) for name in params.get("RequestItems", ())]
        for action in params.get("TransactItems", ()):
            whole += [(f"{kind}Item", told["TableName"]) for kind, told in action.items()]
        for name, table in whole or [(model.name, params["TableName"])]:
            made.add((f"dynamodb:{name}", table.removeprefix(f"{settings.name_prefix}-")))

    clients = [
        client(settings, "s3"),
        *(client(settings, "dynamodb", attempts=n) for n in (ATTEMPTS, CALL_ATTEMPTS)),
    ]
    for one in clients:
        one.meta.events.register("before-parameter-build", note)
    try:
        yield made
    finally:
        for one in clients:
            one.meta.events.unregister("before-parameter-build", note)


def test_states_do_what_their_role_may_and_a_replay_is_noted_after_its_outcome(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    """Stored, long, failed, and two that were sent again, of which one has no failed event any more."""
    settings = pipeline.platform.settings
    wrong = failed(1, MADE, event_id="replayed", source="/tests")
    pipeline.failures.add([wrong])
    sent = [
        accepted(one) for one in (event(1), event(2, data={"number": 2, "label": "b" * 400_000}), event(data={}))
    ]
    sent[1] = apart(sent[1], put_large(settings, sent[1]))[0]
    tried = (wrong.failed_id, "0" * 32)
    sent += [msgspec.structs.replace(accepted(event(3)), replay_of=failed_id) for failed_id in tried]
    Sender(settings).receipts.accept(sent)
    of_this_platform()

    with calls_of(settings) as made:
        state: dict[str, Any] = json.loads(encode_pack([encode(one) for one in sent], in_an_hour()))
        for step in ("validate", "enrich", "store", "aggregate"):
            state = steps.handler({"step": step, "pack": state}, None)

    found = {one["receipt"]: one["outcome"] for one in state["outcomes"]}
    assert [found[one.receipt] for one in sent] == ["stored", "stored", "failed", "stored", "stored"]
    assert state["until"]  # each state hands it on
    mended = pipeline.failures.get(wrong.failed_id)
    assert mended is not None
    assert mended.status is FailedStatus.REPLAYED
    assert "there is no failed event 0000" in caplog.text
    rights = step_rights()
    assert ("dynamodb:UpdateItem", "failed_events") in made
    assert [
        one for one in sorted(made) if not any(one[0] == a and one[1].startswith(of) for a, of in rights)
    ] == []


def in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def delivered(sent: list[Accepted], *, stores: int = 1) -> dict[str, str]:
    """Outcomes of messages by receipt, as a delivery in this process ends; `stores`: how often that state runs."""
    of_this_platform()
    state: dict[str, Any] = json.loads(encode_pack([encode(one) for one in sent], in_an_hour()))
    for step in ("validate", "enrich", *["store"] * (stores - 1)):
        done = steps.handler({"step": step, "pack": state}, None)
        state = state if step == "store" else done
    state = steps.handler({"step": "store", "pack": state}, None)
    steps.handler({"step": "aggregate", "pack": state}, None)
    return {one["receipt"]: one["outcome"] for one in state["outcomes"]}


def test_a_delivery_that_broke_off_decides_whatever_schema_there_is_when_it_comes_again(
    pipeline: Pipeline,
) -> None:
    """Stored, failed, and one that is sent once more: the first delivery finds no rows of receipts to settle, as
    if it had been broken off before. Then the schema takes what it refused, and refuses what it took."""
    kind, settings = f"com.example.{uuid.uuid4().hex}", pipeline.platform.settings
    pipeline.add_schema(kind, schema={"type": "object", "required": ["number"]})
    good = event(1, type=kind)
    sent = [accepted(good), accepted(event(type=kind, data={"text": "x"}))]
    assert list(delivered(sent, stores=2).values()) == ["stored", "failed"]
    (before,) = pipeline.stored(kind)
    pipeline.add_schema(kind, "2-0-0", schema={"type": "object", "required": ["text"]})
    once_more = accepted(good)
    Sender(settings).receipts.accept([*sent, once_more])

    again = delivered([*sent, once_more])

    assert [again[one.receipt] for one in (*sent, once_more)] == ["stored", "failed", "duplicate"]
    assert pipeline.stored(kind) == [before]
    assert [one.receipt for one in pipeline.failed(type=kind)] == [sent[1].receipt]
    keys = archive.keys_of_day(settings, before.accepted_at.date())
    lines = [line for key in keys for line in gzip.decompress(objects.get(settings, key)).splitlines()]
    of_it = {line for line in lines if kind.encode() in line}
    assert [msgspec.json.decode(line)["stored_at"] for line in of_it] == [instant_text(before.stored_at)]


def test_a_late_execution_keeps_nothing_as_failed_that_the_next_one_has_stored(
    pipeline: Pipeline,
) -> None:
    """It was given up after it had judged; the next one judges by a version that has come since."""
    kind = f"com.example.{uuid.uuid4().hex}"
    pipeline.add_schema(kind, schema={"type": "object", "required": ["number"]})
    sent = [accepted(event(type=kind, data={"text": "x"}))]
    Sender(pipeline.platform.settings).receipts.accept(sent)
    of_this_platform()
    state: dict[str, Any] = json.loads(encode_pack([encode(one) for one in sent], in_an_hour()))
    late = steps.handler({"step": "validate", "pack": state}, None)
    pipeline.add_schema(kind, "2-0-0", schema={"type": "object", "required": ["text"]})

    assert delivered(sent) == {sent[0].receipt: "stored"}
    (told,) = steps.handler({"step": "store", "pack": late}, None)["outcomes"]

    assert told["outcome"] == "stored"
    assert pipeline.failed(type=kind) == []


def test_an_event_whose_schema_is_lost_holds_up_no_other_of_its_pack(pipeline: Pipeline) -> None:
    settings, kinds = pipeline.platform.settings, [f"com.example.{uuid.uuid4().hex}" for _ in range(2)]
    for kind in kinds:
        pipeline.add_schema(
            kind, schema={"type": "object"}, rules=[EnrichmentRule(kind=Kind.AGENT, path="/agent", into="agent")]
        )
    lost, sound = (accepted(event(type=kind, data={"agent": "curl/8.5.0"})) for kind in kinds)
    Sender(settings).receipts.accept([lost, sound])
    of_this_platform()
    state: dict[str, Any] = json.loads(encode_pack([encode(lost), encode(sound)], in_an_hour()))
    state = steps.handler({"step": "validate", "pack": state}, None)
    (version,) = SchemaStore(settings).versions(kinds[0])
    schema = objects.get(settings, version.body)
    objects.put(settings, version.body, b"[]", objects.JSON)
    of_this_platform()

    for step in ("enrich", "store"):
        state = steps.handler({"step": step, "pack": state}, None)

    assert {one["receipt"]: one["outcome"] for one in state["outcomes"]} == {
        lost.receipt: "retry", sound.receipt: "stored"
    }  # fmt: skip
    objects.put(settings, version.body, schema, objects.JSON)
    assert delivered([lost]) == {lost.receipt: "stored"}


def test_a_replay_that_names_no_type_counts_each_failed_event_once(pipeline: Pipeline) -> None:
    """What its first call sends is found again under another status."""
    kind, many = f"com.example.{uuid.uuid4().hex}", CHUNK + 20
    pipeline.add_schema(kind, schema={"type": "object"})
    pipeline.failures.add([failed(number, kind, version="1-7-0") for number in range(many)])

    done = Replaying(pipeline.platform.settings).replay(
        FailedFilter(version="1-7-0"), run="r", told=lambda _: pipeline.await_empty()
    )

    assert (len(done.sent), done.matched) == (many, many)
    pipeline.await_settled([one.receipt for one in done.sent])


def test_a_pack_that_was_enriched_as_far_as_there_was_room_stays_within_the_state(pipeline: Pipeline) -> None:
    """The states in this process, on the tables of the platform, with the largest pack there is."""
    kind = f"com.example.{uuid.uuid4().hex}"
    text = "".join(f"k{number},{'v' * 900}\n" for number in range(5))
    store = LookupStore(pipeline.platform.settings)
    store.add("long", b"text,value\n" + text.encode(), by="test", now=datetime.now(UTC))
    rules = tuple(
        EnrichmentRule(kind=Kind.TEXT, path=f"/k{number}", into=f"into{number}", lookup="long")
        for number in range(5)
    )
    pipeline.add_schema(kind, schema={"type": "object"}, rules=rules)
    data = {f"k{number}": f"k{number}" for number in range(5)} | {"rest": "r" * 1_650}
    sent = [accepted(event(type=kind, data=data)) for _ in range(MAX_EVENTS)]
    Sender(pipeline.platform.settings).receipts.accept(sent)
    messages = [encode(one) for one in sent]
    assert len(list(packs(messages))) == 1
    of_this_platform()

    state = {"step": "validate", "pack": json.loads(encode_pack(messages, in_an_hour()))}
    for step in ("validate", "enrich", "store"):
        state = {"step": step, "pack": steps.handler(state | {"step": step}, None)}
        assert len(json.dumps(state)) <= STATE_LIMIT_BYTES

    assert {one["outcome"] for one in state["pack"]["outcomes"]} == {"stored"}
    kept = [pipeline.events.get(one.event_key) for one in pipeline.stored(kind)]
    assert {len(one.added) for one in kept if one is not None} == {5}


def test_everything_that_this_file_sent_is_conserved(pipeline: Pipeline) -> None:
    pipeline.await_settled(one.receipt for one in pipeline.all_receipts() if one.counts)

    assert pipeline.problems(*pipeline.types()) == ()
