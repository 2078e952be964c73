"""The stand-ins themselves. Why real: SDKs and browsers meet them on sockets, and `prism up` serves them."""

import json
from typing import Any

import anthropic
import httpx
import pytest

from infra.local.home import Ports
from infra.local.platform import Platform, standin_urls
from infra.local.standins.faults import NAMED, Fault, claude_error
from infra.local.standins.serving import home_tokens, seed_credentials
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_core.settings import load_settings
from prism_resources.aws import client
from prism_resources.credentials import claude_credentials, hubspot_credentials, meta_credentials, secret_name
from tests.integration.outside import CONTROL_TOKEN, TOKENS, Outside, outside, served_fixture
from tests.integration.test_meta_insights import assert_is_w31

__all__ = ("outside", "served_fixture")

W31 = Week.parse("2023-W31")


def call(outside: Outside, method: str, path: str, **more: Any) -> httpx.Response:
    address = f"http://127.0.0.1:{outside.port}{path}"
    return httpx.request(method, address, trust_env=False, timeout=60, **more)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Host": "evil.example"}, "Host 'evil.example' is not"),
        ({"Origin": "http://evil.example"}, "Origin 'http://evil.example' is not"),
        ({}, "needs the token of this platform"),
        ({"x-prism-token": "wrong"}, "needs the token of this platform"),
    ],
)
def test_nobody_from_elsewhere_controls_or_reads_the_stand_ins(
    outside: Outside, headers: dict[str, str], said: str
) -> None:
    answer = call(outside, "GET", "/_prism/faults", headers=headers)

    assert answer.status_code == 403
    assert said in answer.json()["detail"]


def test_a_page_of_somebody_else_reads_no_figures_even_with_a_token(outside: Outside) -> None:
    headers = {"Origin": "http://evil.example", "Authorization": f"Bearer {TOKENS.meta}"}

    assert call(outside, "GET", "/meta/v25.0/act_1/insights", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/meta/v25.0/act_1000000000000001", 401),
        ("POST", "/hubspot/crm/v3/objects/contacts/search", 401),
        ("POST", "/claude/v1/messages", 401),
    ],
)
def test_each_service_asks_for_its_own_token(outside: Outside, method: str, path: str, status: int) -> None:
    headers = {"Authorization": "Bearer x", "x-api-key": "x"}

    assert call(outside, method, path, headers=headers).status_code == status


def test_faults_are_switched_by_name_or_by_rule_and_counted(outside: Outside) -> None:
    headers = {"x-prism-token": CONTROL_TOKEN}
    rule = {"at": "^GET /meta/.*insights", "status": 503, "body": "<html/>", "skip": 1}

    added = call(outside, "POST", "/_prism/faults", headers=headers, json=["meta-throttled", rule]).json()
    assert_is_w31(outside.ads().week(W31))
    met = call(outside, "GET", "/_prism/faults", headers=headers).json()
    cleared = call(outside, "DELETE", "/_prism/faults", headers=headers).json()

    assert [one["met"] for one in added["faults"]] == [0, 0]
    assert [one["met"] for one in met["faults"]] == [1, 1]
    assert cleared == {"faults": [], "named": sorted(NAMED)}
    assert 2.0 in outside.waits


@pytest.mark.parametrize(
    "given", ['"nonsense"', '{"at": "("}', '{"when": 1}', "no json", '{"at": "x", "how": "y"}']
)
def test_a_fault_that_is_none_is_refused_with_a_reason(outside: Outside, given: str) -> None:
    answer = call(outside, "POST", "/_prism/faults", headers={"x-prism-token": CONTROL_TOKEN}, content=given)

    assert answer.status_code == 422
    assert answer.json()["detail"]


# --- Claude, with the client that PRISM uses


def claude(outside: Outside, **more: Any) -> anthropic.Anthropic:
    url = str(outside.settings.claude_api_url)
    return anthropic.Anthropic(**({"api_key": TOKENS.claude, "base_url": url, "max_retries": 0} | more))


def ask(outside: Outside, **more: Any) -> Any:
    asked = {"model": "claude-test", "max_tokens": 2000, "messages": [{"role": "user", "content": "Well?"}]}
    return claude(outside).messages.create(**(asked | more))


def test_the_client_of_anthropic_reads_an_answer_with_thinking_and_usage(outside: Outside) -> None:
    answer = ask(outside, thinking={"type": "enabled", "budget_tokens": 1024})

    assert [block.type for block in answer.content] == ["thinking", "text"]
    assert (answer.stop_reason, answer.content[1].text) == ("end_turn", "There is nothing to add.")
    assert answer.usage.output_tokens > 0


def test_an_answer_keeps_to_the_schema_that_was_asked_for(outside: Outside) -> None:
    schema = {
        "type": "object",
        "properties": {
            "headline": {"type": "string"},
            "kind": {"enum": ["read", "other"]},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}, "minItems": 1},
        },
        "required": ["headline", "kind", "parts"],
        "$defs": {"part": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
        "additionalProperties": False,
    }

    answer = ask(outside, output_config={"format": {"type": "json_schema", "schema": schema}})

    found = json.loads(answer.content[0].text)
    assert found == {"headline": "There is nothing to add.", "kind": "read", "parts": [{"n": 0}]}


def test_another_author_may_write_and_is_cut_at_the_limit_of_tokens(outside: Outside) -> None:
    outside.world.author = lambda asked: f"{asked['messages'][0]['content']} " * 100

    answer = ask(outside, max_tokens=10)

    assert (answer.stop_reason, len(answer.content[0].text)) == ("max_tokens", 40)


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (429, "rate_limit_error", anthropic.RateLimitError),
        (529, "overloaded_error", anthropic.InternalServerError),
        (500, "api_error", anthropic.InternalServerError),
        (401, "authentication_error", anthropic.AuthenticationError),
        (403, "permission_error", anthropic.PermissionDeniedError),
    ],
)
def test_the_errors_of_claude_are_those_that_its_client_knows(
    outside: Outside, status: int, kind: str, error: type[Exception]
) -> None:
    outside.world.faults.add(Fault("/v1/messages", status=status, body=claude_error(kind, "No.")))

    with pytest.raises(error):
        ask(outside)


def test_a_request_that_anthropic_would_not_take_is_refused(outside: Outside) -> None:
    with pytest.raises(anthropic.BadRequestError, match="budget_tokens"):
        ask(outside, thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=500)


# --- as a part of a platform


def test_a_platform_names_its_stand_ins_to_every_process(platform: Platform) -> None:
    urls = standin_urls(Ports(platform.ports.base))
    variables = platform.environment()

    assert urls["Meta"] == f"http://127.0.0.1:{platform.ports.base + 5}/meta"
    assert variables["PRISM_META_API_URL"] == urls["Meta"] == str(platform.settings.meta_api_url)
    assert variables["PRISM_HUBSPOT_API_URL"] == urls["HubSpot"]
    assert variables["PRISM_CLAUDE_API_URL"] == urls["Claude"]
    assert variables["PRISM_META_ACCOUNT_ID"] == "1000000000000001"


def test_tokens_are_put_where_connectors_look_and_those_of_a_person_stay(platform: Platform) -> None:
    own = platform.settings.model_copy(update={"name_prefix": "seeded"})
    manager = client(own, "secretsmanager")
    manager.create_secret(Name=secret_name(own, "hubspot"), SecretString='{"access_token": "my own"}')
    from dataclasses import replace  # noqa: PLC0415

    for _ in range(2):
        seed_credentials(replace(platform, settings=own))

    tokens = home_tokens(platform.home)
    assert meta_credentials(own).access_token == tokens.meta
    assert claude_credentials(own).api_key == tokens.claude
    assert hubspot_credentials(own).access_token == "my own"
    assert tokens.meta not in repr(meta_credentials(own))


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (None, "there is no secret unset-meta; `prism secret put meta FILE` makes one"),
        ("no json", "the secret wrong-0-meta lacks access_token, app_id, app_secret"),
        ('{"access_token": "t", "app_id": " "}', "the secret wrong-1-meta lacks app_id, app_secret"),
    ],
    ids=["none", "no-json", "half"],
)
def test_a_secret_that_is_missing_or_half_says_how_to_make_it(
    platform: Platform, stored: str | None, said: str
) -> None:
    prefix = said.partition("secret ")[2].partition("-meta")[0]
    own = platform.settings.model_copy(update={"name_prefix": prefix})
    if stored is not None:
        client(own, "secretsmanager").create_secret(Name=secret_name(own, "meta"), SecretString=stored)

    with pytest.raises(PermanentFailure) as failed:
        meta_credentials(own)

    assert said in str(failed.value)
    assert stored is None or stored not in str(failed.value)


def test_a_service_that_a_person_named_is_not_replaced_by_a_stand_in(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infra.local.platform import _reaching  # noqa: PLC0415

    monkeypatch.setenv("PRISM_META_API_URL", "https://graph.facebook.com")
    monkeypatch.setenv("PRISM_META_ACCOUNT_ID", "42")

    found = _reaching(load_settings(home=platform.settings.home), str(platform.settings.aws_endpoint_url))

    assert not {"PRISM_META_API_URL", "PRISM_META_ACCOUNT_ID"} & found.keys()
    assert found["PRISM_HUBSPOT_API_URL"] == standin_urls(platform.ports)["HubSpot"]
