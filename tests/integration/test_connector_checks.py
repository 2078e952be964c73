"""Looking at tokens before they are needed. Why real: what a service says of a token is its own."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from infra.local.standins.faults import NAMED, Fault, hubspot_error, meta_error
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_resources.aws import client
from prism_resources.credentials import secret_name
from prism_resources.hubspot.checks import check_hubspot
from prism_resources.meta_ads.checks import check_meta
from prism_resources.wire.findings import Finding, Level
from prism_resources.writing.passes import Unusable
from prism_resources.writing.remembering import claude_of, key_of
from tests.integration.outside import LATER, TOKENS, Outside, outside, served_fixture

__all__ = ("outside", "served_fixture")

NOW = datetime.fromisoformat(LATER)


def levels(found: list[Finding]) -> dict[str, Level]:
    return {one.subject: one.level for one in found}


def of(found: list[Finding], subject: str) -> Finding:
    (one,) = [one for one in found if one.subject == subject]
    return one


def meta(outside: Outside, **changes: Any) -> list[Finding]:
    return check_meta(outside.settings.model_copy(update=changes), NOW, outside.patience())


def hubspot(outside: Outside, **changes: Any) -> list[Finding]:
    return check_hubspot(outside.settings.model_copy(update=changes), NOW, outside.patience())


def test_all_is_well_with_a_good_token(outside: Outside) -> None:
    assert levels(meta(outside)) == dict.fromkeys(
        ("meta token", "meta permissions", "meta account", "meta insights", "meta app"), Level.OK
    )
    assert levels(hubspot(outside)) == dict.fromkeys(("hubspot token", "hubspot properties"), Level.OK)


@pytest.mark.parametrize(
    ("ends", "level", "words"),
    [
        (datetime(2023, 11, 12, tzinfo=UTC), Level.FAILED, "Session has expired"),
        (datetime(2023, 11, 20, tzinfo=UTC), Level.WARNING, "ends on 2023-11-20; make a new one"),
        (datetime(2024, 6, 1, tzinfo=UTC), Level.OK, "ends on 2024-06-01"),
    ],
    ids=["ended", "soon", "later"],
)
def test_the_end_of_a_token_is_told_before_it_comes(
    outside: Outside, ends: datetime, level: Level, words: str
) -> None:
    outside.world.expires_at = int(ends.timestamp())

    found = of(meta(outside), "meta token")

    assert found.level is level
    assert words in found.sentence


def test_a_token_that_reads_the_account_and_not_its_insights_is_found_beforehand(outside: Outside) -> None:
    refused = meta_error(200, message="(#200) Ad account owner has NOT grant ads_read permission")
    outside.world.faults.add(Fault("/insights", status=403, body=refused))

    found = meta(outside)

    assert (of(found, "meta account").level, of(found, "meta insights").level) == (Level.OK, Level.FAILED)
    assert "ads_read" in of(found, "meta insights").sentence


def _read_hubspot(outside: Outside) -> bool:
    return bool(outside.leads().week(Week.parse("2023-W31"), outside.world.zone).found.leads)


def _read_meta(outside: Outside) -> bool:
    return bool(outside.ads().week(Week.parse("2023-W31")).rows)


def _asked_claude(outside: Outside) -> bool:
    """Without another attempt: a key that is refused is refused."""
    said = {"title": "said", "type": "object", "properties": {"yes": {"type": "boolean"}}}
    world, author = outside.world, outside.world.author
    world.author = lambda _: '{"yes": true}'
    try:
        with claude_of(outside.settings, key_of(outside.settings), lambda *_: None) as model:
            return bool(model.ask("ready", "You are asked.", [("user", "Are you ready?")], said))
    finally:
        world.author = author


@pytest.mark.parametrize(
    ("service", "secret", "reads", "refusal"),
    [
        ("hubspot", "access_token", _read_hubspot, PermanentFailure),
        ("meta", "access_token", _read_meta, PermanentFailure),
        ("claude", "api_key", _asked_claude, Unusable),
    ],
    ids=["hubspot", "meta", "claude"],
)
def test_a_token_that_was_replaced_serves_at_once(
    outside: Outside,
    service: str,
    secret: str,
    reads: Callable[[Outside], bool],
    refusal: type[Exception],
) -> None:
    secrets = client(outside.settings, "secretsmanager")
    name = secret_name(outside.settings, service)
    before, tokens = secrets.get_secret_value(SecretId=name)["SecretString"], outside.world.tokens
    assert reads(outside)
    outside.world.tokens = replace(tokens, **{service: "new"})
    try:
        with pytest.raises(refusal):
            reads(outside)
        secrets.put_secret_value(SecretId=name, SecretString=json.dumps(json.loads(before) | {secret: "new"}))

        assert reads(outside)
    finally:
        outside.world.tokens = tokens
        secrets.put_secret_value(SecretId=name, SecretString=before)


def test_a_missing_permission_is_named(outside: Outside) -> None:
    outside.world.scopes = ("pages_show_list",)

    found = of(meta(outside), "meta permissions")

    assert found == Finding(
        "meta permissions",
        Level.FAILED,
        "the token lacks ads_read (it has pages_show_list); make one with that permission",
    )


def test_development_access_is_a_warning(outside: Outside) -> None:
    outside.world.tier = "development_access"

    assert of(meta(outside), "meta app").level is Level.WARNING


@pytest.mark.parametrize(
    "error", [meta_error(200), meta_error(3), meta_error(100, 2446289)], ids=["200", "3", "sub"]
)
def test_an_app_in_development_mode_is_found(outside: Outside, error: dict[str, Any]) -> None:
    outside.world.faults.add(Fault("act_", status=403, body=error, times=100))

    found = of(meta(outside), "meta account")

    assert found.level is Level.FAILED
    assert "Development mode" in found.sentence or "advanced access" in found.sentence


def test_an_account_that_the_token_does_not_reach_is_found(outside: Outside) -> None:
    found = of(meta(outside, meta_account_id="42"), "meta account")

    assert found.level is Level.FAILED
    assert "the account id is wrong or the token does not reach it" in found.sentence


def test_an_account_that_nobody_has_named_is_found(outside: Outside) -> None:
    assert "set PRISM_META_ACCOUNT_ID" in of(meta(outside, meta_account_id=None), "meta account").sentence


def test_without_a_secret_everything_of_the_service_fails_with_what_to_do(outside: Outside) -> None:
    found = [*meta(outside, name_prefix="nobody"), *hubspot(outside, name_prefix="nobody")]

    assert {one.level for one in found} == {Level.FAILED}
    assert all("prism secret put" in one.sentence for one in found)


def test_a_service_that_is_down_is_a_finding_and_no_crash(outside: Outside) -> None:
    outside.world.faults.add(NAMED["meta-down"], Fault("/hubspot/", status=503, body="<html/>", times=100))

    found = [*meta(outside), *hubspot(outside)]

    assert {one.level for one in found} == {Level.FAILED}


def test_a_token_of_hubspot_that_ended_is_found(outside: Outside) -> None:
    outside.world.faults.add(NAMED["hubspot-token-expired"])

    found = of(hubspot(outside), "hubspot token")

    assert found.level is Level.FAILED
    assert "make a new one of the private app" in found.sentence


def test_a_property_that_hubspot_does_not_have_is_found_because_a_search_would_not_say(outside: Outside) -> None:
    found = hubspot(outside, hubspot_ad_property="utm_add_id")

    assert [one.level for one in found] == [Level.OK, Level.OK, Level.OK, Level.WARNING]
    assert "contacts have no property utm_add_id" in found[-1].sentence


def test_no_finding_says_a_token(outside: Outside) -> None:
    leaking = f"bad {TOKENS.meta} {TOKENS.hubspot} {TOKENS.app_secret}"
    outside.world.faults.add(
        Fault("/meta/", status=400, body=meta_error(190, message=leaking), times=100),
        Fault("/hubspot/", status=401, body=hubspot_error("X", leaking.replace(TOKENS.meta, "")), times=100),
    )

    said = " ".join(one.sentence for one in [*meta(outside), *hubspot(outside)])

    assert TOKENS.meta not in said
    assert TOKENS.hubspot not in said.partition("HubSpot")[2]


def test_no_log_of_any_level_holds_a_token(outside: Outside, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    meta(outside)
    hubspot(outside)

    said = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("http"))
    for token in (TOKENS.meta, quote(TOKENS.meta, safe=""), TOKENS.app_secret, TOKENS.hubspot):
        assert token not in said
