"""Why real: what a gateway, a token and a queue refuse is seen by posting to them."""

import hmac
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from infra.local.platform import Platform
from prism_api.events.hooks import KEPT_SECONDS, Hooks
from prism_core.events.outcomes import Outcome
from prism_core.events.signatures import sign
from prism_resources.aws import client
from tests.integration.event_world import BATCH, MADE, STRUCTURED, Pipeline, event
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file()
SECRET = b"a secret of the tests, long enough"


@pytest.fixture(scope="module")
def pipeline(platform: Platform) -> Iterator[Pipeline]:
    made = Pipeline(platform)
    made.add_schema()
    made.add_producer("shop", secrets=[SECRET.decode()])
    mapping = {"source": "//forge", "type_prefix": "forge.", "type_header": "x-forge-event"}
    made.add_producer("forge", secrets=[SECRET.decode()], scheme="body_only", webhook=mapping)
    yield made
    made.http.close()


def refused(answer: Any) -> tuple[int, str]:
    """Status and kind of a refusal; every one is a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json().get("kind", "")


def deep(levels: int) -> bytes:
    return msgspec.json.encode(event(data=None))[:-1] + b',"data":' + b"[" * levels + b"]" * levels + b"}"


def with_data(text: bytes) -> bytes:
    return msgspec.json.encode(event(data=None))[:-1] + b',"data":' + text + b"}"


@pytest.mark.parametrize(
    ("body", "media", "wanted"),
    [
        pytest.param(b"no json", STRUCTURED, (400, "not_json"), id="no-json"),
        pytest.param(b"", STRUCTURED, (422, "empty"), id="nothing"),
        pytest.param(with_data(b'{"number":NaN}'), STRUCTURED, (400, "not_json"), id="nan"),
        pytest.param(with_data(b'{"number":1e999}'), STRUCTURED, (422, "unsafe_number"), id="number-without-end"),
        pytest.param(with_data(b'{"a":1,"a":2}'), STRUCTURED, (422, "duplicate_name"), id="a-name-twice"),
        pytest.param(with_data(b'"\xff\xfe"'), STRUCTURED, (400, "not_utf8"), id="no-utf-8"),
        pytest.param(with_data(b'"\xff\xfe"'), "application/json", (400, "not_utf8"), id="no-utf-8-as-text"),
        pytest.param(deep(200), STRUCTURED, (422, "too_deep"), id="deep"),
        pytest.param(deep(100_000), STRUCTURED, (422, "too_deep"), id="deep-without-end"),
        pytest.param(with_data(b'"' + b"a" * 1_000_000 + b'"'), STRUCTURED, (413, "too_large"), id="a-megabyte"),
        pytest.param(b"[" + b"{}," * 9_999 + b"{}]", BATCH, (413, "too_many"), id="ten-thousand-rows"),
        pytest.param(b"[]", BATCH, (422, "empty"), id="an-empty-batch"),
        pytest.param(b"a=1", "application/x-www-form-urlencoded", (415, "media_type"), id="a-form"),
        pytest.param(msgspec.json.encode(event(type=None)), STRUCTURED, (422, "envelope"), id="no-type"),
        pytest.param(
            msgspec.json.encode(event(specversion="0.3")), STRUCTURED, (422, "envelope"), id="old-envelope"
        ),
        pytest.param(msgspec.json.encode(event(time="yesterday")), STRUCTURED, (422, "envelope"), id="no-time"),
    ],
)
def test_what_is_no_event_is_refused_with_its_kind_and_nothing_is_accepted(
    pipeline: Pipeline, body: bytes, media: str, wanted: tuple[int, str]
) -> None:
    before = len(pipeline.all_receipts())

    assert refused(pipeline.post(body, media)) == wanted
    assert len(pipeline.all_receipts()) == before


def test_a_body_of_ten_megabytes_is_refused_before_anybody_reads_it(pipeline: Pipeline) -> None:
    answer = pipeline.post(b"[" + b" " * 10_000_000 + b"]", BATCH)

    assert answer.status_code == 413


def test_rows_are_answered_one_by_one_and_the_good_ones_are_accepted(pipeline: Pipeline) -> None:
    odd = {"number": 3, "label": "\ufffe\uffff\x7f\x00"}  # SQS takes no message with the first two or the last
    sent = [event(1), event(type=None), event(data=odd, time="1970-01-01T00:00:00Z"), 7]

    answer = pipeline.batch(sent)

    body = answer.json()
    assert (answer.status_code, body["accepted"], body["refused"]) == (202, 2, 2)
    assert [(row["row"], row["status"]) for row in body["rows"]] == [(0, 202), (1, 422), (2, 202), (3, 422)]
    assert body["rows"][1]["path"] == "/type"
    settled = pipeline.await_settled(row["receipt"] for row in body["rows"] if row["status"] == 202)
    assert {one.outcome for one in settled.values()} == {Outcome.STORED}
    mark = next(one for one in pipeline.stored() if one.event_id == sent[2]["id"])
    stored = pipeline.events.get(mark.event_key)
    assert stored is not None
    assert msgspec.json.decode(stored.data or "") == odd


def test_a_batch_without_a_good_row_is_refused_as_its_first_row_and_tells_of_each(pipeline: Pipeline) -> None:
    answer = pipeline.batch([event(id=None), event(source=None)])

    assert refused(answer) == (422, "envelope")
    assert [row["path"] for row in answer.json()["rows"]] == ["/id", "/source"]


def test_five_hundred_events_are_one_request(pipeline: Pipeline) -> None:
    answer = pipeline.batch([event(number) for number in range(500)])

    rows = answer.json()["rows"]
    assert [row["status"] for row in rows] == [202] * 500
    assert len({row["receipt"] for row in rows}) == 500
    settled = pipeline.await_settled((row["receipt"] for row in rows), 120)
    assert {one.outcome for one in settled.values()} == {Outcome.STORED}


@pytest.mark.parametrize("when", ["1970-01-01T00:00:00Z", "2099-12-31T23:59:59Z"], ids=["the-past", "the-future"])
def test_a_clock_that_is_wrong_is_kept_and_the_event_is_of_the_hour_it_was_accepted_in(
    pipeline: Pipeline, when: str
) -> None:
    sent = event(1, time=when)
    receipt = pipeline.post(sent).json()["rows"][0]["receipt"]

    pipeline.await_settled([receipt])
    kept = next(one for one in pipeline.stored() if one.event_id == sent["id"])
    assert kept.time is not None
    assert kept.time.year == int(when[:4])
    assert kept.hour >= pipeline.began.strftime("%Y-%m-%dT%H")


def test_attributes_may_come_as_headers(pipeline: Pipeline) -> None:
    sent = {"ce-specversion": "1.0", "ce-id": uuid.uuid4().hex, "ce-source": "/h", "ce-type": MADE}

    answer = pipeline.post(b'{"number":1}', "application/json", headers=sent)

    assert answer.status_code == 202
    pipeline.await_settled([answer.json()["rows"][0]["receipt"]])


def test_events_are_taken_from_app_clients_with_the_scope_and_from_nobody_else(pipeline: Pipeline) -> None:
    deployed = pipeline.deployed

    assert pipeline.post(event(), token=None).status_code == 401
    assert pipeline.post(event(), token="no.token.atall").status_code == 401
    assert pipeline.post(event(), token=deployed.signed(groups=("admin",))).status_code == 403
    other = deployed.signed(client_id=pipeline.producer, groups=(), scope="prism/events", exp=1)
    assert pipeline.post(event(), token=other).status_code == 401


def test_a_token_of_client_credentials_is_one_that_a_producer_gets(pipeline: Pipeline) -> None:
    assert pipeline.platform.emulator is not None
    from prism_resources.aws import client  # noqa: PLC0415 - this test alone needs it

    pool = pipeline.deployed.made["UserPoolId"]
    described = client(pipeline.platform.settings, "cognito-idp").describe_user_pool_client(
        UserPoolId=pool, ClientId=pipeline.producer
    )
    answer = pipeline.http.post(
        f"{pipeline.platform.emulator.url}/oauth2/token",
        data={"grant_type": "client_credentials", "scope": "prism/events"},
        auth=(pipeline.producer, described["UserPoolClient"]["ClientSecret"]),
    )
    assert answer.status_code == 200, answer.text

    assert pipeline.post(event(), token=answer.json()["access_token"]).status_code == 202


def delivery(identity: str, at: datetime | None = None, **changes: Any) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(event(**changes)).encode()
    return body, sign(SECRET, identity, at or datetime.now(UTC), body)


def test_a_signed_delivery_is_taken_and_one_that_was_changed_is_not(pipeline: Pipeline) -> None:
    body, headers = delivery("d-1")

    assert pipeline.hook("shop", body, headers).status_code == 202
    assert refused(pipeline.hook("shop", body.replace(b'"number": 1', b'"number": 2'), headers)) == (401, "")
    assert refused(pipeline.hook("nobody", body, headers)) == (401, "")
    assert refused(pipeline.hook("shop", body, {})) == (401, "")


def test_names_that_somebody_tries_make_us_forget_no_producer_and_are_asked_for_once(pipeline: Pipeline) -> None:
    settings, asked = pipeline.platform.settings, list[str]()
    secrets = client(settings, "secretsmanager")
    now = [0.0]
    hooks = Hooks(settings, clock=lambda: now[0], most_unknown=3)

    def note(params: dict[str, Any], **_: Any) -> None:
        asked.append(params["SecretId"].rpartition("/")[2])

    secrets.meta.events.register("before-parameter-build.secrets-manager.GetSecretValue", note)
    try:
        tried = ("shop", "n1", "n2", "n3", "n3", "n4", "shop", "n4", "n1")
        found = [one for one in tried if hooks.get(one) is not None]
        now[0] += KEPT_SECONDS + 1
        hooks.get("shop")
    finally:
        secrets.meta.events.unregister("before-parameter-build.secrets-manager.GetSecretValue", note)

    assert found == ["shop", "shop"]
    assert asked == ["shop", "n1", "n2", "n3", "n4", "n1", "shop"]


@pytest.mark.parametrize(
    ("minutes", "status"), [(-6, 401), (-4, 202), (4, 202), (6, 401)], ids=["old", "late", "early", "future"]
)
def test_a_delivery_may_come_within_five_minutes_of_its_timestamp(
    pipeline: Pipeline, minutes: int, status: int
) -> None:
    body, headers = delivery("d-2", datetime.now(UTC) + timedelta(minutes=minutes))

    assert pipeline.hook("shop", body, headers).status_code == status


def test_a_delivery_that_comes_again_within_the_window_is_a_duplicate(pipeline: Pipeline) -> None:
    body, headers = delivery("d-3")
    first = pipeline.hook("shop", body, headers).json()["rows"][0]["receipt"]
    pipeline.await_settled([first])

    again = pipeline.hook("shop", body, headers).json()["rows"][0]["receipt"]

    assert pipeline.await_settled([again])[again].outcome is Outcome.DUPLICATE


def test_a_plain_webhook_becomes_an_event_by_its_mapping(pipeline: Pipeline) -> None:
    body = json.dumps({"repository": uuid.uuid4().hex}).encode()
    told = {"x-forge-event": "push", "x-hub-signature-256": "sha256=" + hmac.digest(SECRET, body, "sha256").hex()}

    answer = pipeline.hook("forge", body, told)

    assert answer.status_code == 202, answer.text
    receipt = answer.json()["rows"][0]["receipt"]
    assert pipeline.await_settled([receipt])[receipt].outcome is Outcome.FAILED  # nobody has registered its type
    failed = next(one for one in pipeline.failed(type="forge.push") if one.receipt == receipt)
    assert (failed.failure, failed.producer, failed.source) == ("unknown_type", "forge", "//forge")


def test_producers_wait_while_too_much_waits(pipeline: Pipeline) -> None:
    """The function of the test's own process, whose limit is lower."""
    from prism_api.events import container, ingest  # noqa: PLC0415 - it reads the platform's settings

    container.settings.cache_clear()
    container.sender.cache_clear()
    queue = container.sender().queue
    queue._counted = (float("inf"), 10_001)
    claims = {"sub": "s", "client_id": "c", "token_use": "access", "scope": "prism/events"}
    asked = {
        "rawPath": "/api/events", "headers": {"content-type": STRUCTURED}, "body": json.dumps(event()),
        "requestContext": {"authorizer": {"jwt": {"claims": claims}}},
    }  # fmt: skip

    answer = ingest.handler(asked, None)

    container.sender.cache_clear()
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (429, "10")


def test_what_is_being_processed_waits_too(pipeline: Pipeline) -> None:
    """Of the dead queue, which nobody else reads here."""
    pipeline.dead.send([b"{}", b"{}"])
    sqs = client(pipeline.platform.settings, "sqs")
    taken = sqs.receive_message(QueueUrl=pipeline.dead.url, MaxNumberOfMessages=1, VisibilityTimeout=600)

    assert len(taken["Messages"]) == 1
    assert pipeline.dead.waiting() == 2


def test_what_was_accepted_here_is_conserved(pipeline: Pipeline) -> None:
    pipeline.await_settled(one.receipt for one in pipeline.all_receipts() if one.counts)

    assert pipeline.problems(MADE) == ()
