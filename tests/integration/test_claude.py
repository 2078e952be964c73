"""The sentences of a report by a model over the wire: whatever it does, there are words, and their writer is said.

Why real: retries, limits of time and broken answers are those of the SDK and a socket; the archive is a bucket.
"""

import dataclasses
import json
import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from infra.local.platform import Platform
from infra.local.standins.author import honest_author
from infra.local.standins.faults import Fault, How, claude_error
from prism_core.campaign.figures import Figures
from prism_core.reports.campaign import report
from prism_core.reports.content import Fallback, Provenance, Writer
from prism_core.settings import ModelProvider
from prism_resources.archive import CLAUDE, Archive
from prism_resources.aws import client
from prism_resources.credentials import secret_name
from prism_resources.reports.rendering import render
from prism_resources.writing.passes import PROMPT, Written, write
from prism_resources.writing.remembering import WHAT, Remembering
from tests.integration.fresh import platform_of_this_file
from tests.integration.outside import TOKENS, Outside, outside, served_fixture
from tests.unit.test_report_answers import fallen

__all__ = ("outside", "served_fixture")

platform = platform_of_this_file()

PASSES = ["read", "patterns", "recommend"]
MESSAGES = r"/v1/messages"
FOREVER = 1_000
BY_MODEL = Provenance(Writer.MODEL, model="claude-opus-5-5")


@pytest.fixture(autouse=True)
def _a_writer_and_an_empty_archive(outside: Outside) -> None:
    outside.world.author = honest_author
    for key in list(outside.lake.keys("raw/claude/")):
        outside.lake.delete(key)


def told(outside: Outside, found: Figures | None = None, *, live: bool = True, **settings: Any) -> "Remembered":
    found = found or fallen()
    mine = outside.settings.model_copy(update=settings)
    with Remembering(mine, outside.lake, found.week, live=live) as model:
        written = write(found, model, lambda _: None)
        model.ended(written)
    return Remembered(written, model, found)


@dataclasses.dataclass
class Remembered:
    written: Written
    model: Remembering
    figures: Figures

    @property
    def mail(self) -> str:
        content = report(self.figures, self.written.words, self.written.provenance)
        assert content.refused() == ()
        return " ".join(render(content).text.split())


def archived(outside: Outside) -> list[tuple[str, int]]:
    """Pass and status of every answer of the newest reading."""
    readings = Archive(outside.lake, CLAUDE).readings(fallen().week, WHAT)
    return [(one.step, one.status) for one in readings[-1].exchanges()] if readings else []


def message(stop_reason: str, text: str = "{}") -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": 5}
    content = [{"type": "text", "text": text}]
    return {"type": "message", "role": "assistant", "content": content, "stop_reason": stop_reason, "usage": usage}


def test_three_passes_become_words_and_every_answer_is_archived_with_its_question(outside: Outside) -> None:
    found = told(outside)

    assert found.written.provenance == BY_MODEL
    assert "Sentences by a language model, every figure by code." in found.mail
    assert "Model: claude-opus-5-5." in found.mail
    (reading,) = Archive(outside.lake, CLAUDE).readings(found.figures.week, WHAT)
    kept = list(reading.exchanges())
    assert [(one.step, one.status) for one in kept] == [(step, 200) for step in PASSES]
    assert reading.facts["prompt"] == PROMPT
    assert kept[0].asked["thinking"] == {"type": "adaptive"}
    assert json.loads(kept[-1].body)["stop_reason"] == "end_turn"
    assert TOKENS.claude not in str(kept)


def test_tokens_are_counted_and_cost_what_the_settings_say(outside: Outside) -> None:
    prices: dict[str, Any] = {"model_read_price": Decimal(15), "model_written_price": Decimal(75)}

    spent = told(outside, **prices).model.spent

    assert [one.step for one in spent] == PASSES
    for one in spent:
        assert one.dollars == (one.input_tokens * Decimal(15) + one.output_tokens * Decimal(75)) / 1_000_000
    assert all(one.input_tokens > 1_000 for one in spent)


def test_the_same_question_again_is_not_asked_and_says_the_same(outside: Outside) -> None:
    first = told(outside)
    outside.world.faults.add(Fault(MESSAGES, status=500, body="down", times=FOREVER))

    again, replayed = told(outside), told(outside, live=False)

    assert again.written == replayed.written == first.written
    assert (again.model.recalled, again.model.spent) == (len(PASSES), [])
    assert len(Archive(outside.lake, CLAUDE).readings(first.figures.week, WHAT)) == 1


def test_another_model_is_asked_anew_and_a_replay_tells_who_wrote(outside: Outside) -> None:
    told(outside)

    other = told(outside, model_name="claude-other")
    replayed = told(outside, live=False, model_name="claude-of-today")

    assert other.written.provenance.model == replayed.written.provenance.model == "claude-other"


def test_a_replay_asks_nobody_what_the_archive_does_not_hold(outside: Outside) -> None:
    outside.world.author = lambda _: pytest.fail("asked")

    assert told(outside, live=False).written.provenance.fallback is Fallback.NOT_ASKED
    without = told(outside, live=False, model_provider=ModelProvider.NONE)
    assert without.written.provenance.fallback is Fallback.NO_KEY


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        pytest.param(
            Fault(
                MESSAGES,
                status=429,
                body=claude_error("rate_limit_error", "Slow."),
                headers={"retry-after": "0.1"},
            ),
            [429, 200],
            id="429",
        ),
        pytest.param(
            Fault(MESSAGES, status=529, body=claude_error("overloaded_error", "Full.")), [529, 200], id="529"
        ),
        pytest.param(Fault(MESSAGES, status=500, body="down", times=2), [500, 500, 200], id="500 twice"),
        pytest.param(Fault(MESSAGES, how=How.CUT), [200], id="a broken line"),
    ],
)
def test_what_passes_is_tried_again_and_every_answer_is_kept(
    outside: Outside, fault: Fault, statuses: list[int]
) -> None:
    outside.world.faults.add(fault)

    found = told(outside)

    assert found.written.provenance == BY_MODEL
    assert [status for step, status in archived(outside) if step == "read"] == statuses


@pytest.mark.parametrize(
    ("fault", "fallback", "reason", "kept"),
    [
        pytest.param(
            Fault(MESSAGES, status=529, body=claude_error("overloaded_error", "Full."), times=FOREVER),
            Fallback.UNREACHABLE, "pass read: 529 after all attempts", 3, id="529 for ever",
        ),
        pytest.param(
            Fault(MESSAGES, status=401, body=claude_error("authentication_error", "No."), times=FOREVER),
            Fallback.UNREACHABLE, "pass read: 401", 1, id="the key is refused",
        ),
        pytest.param(
            Fault(MESSAGES, body=message("refusal", "")), Fallback.REFUSAL, "pass read: refused", 1, id="a refusal"
        ),
        pytest.param(
            Fault(MESSAGES, body=message("max_tokens", '{"observations": ['), skip=2),
            Fallback.TRUNCATED, "pass recommend: cut off (max_tokens)", 3, id="a truncation in the last pass",
        ),
        pytest.param(
            Fault(MESSAGES, body="<html>proxy</html>", skip=1),
            Fallback.MALFORMED, "pass patterns: the answer is no message", 2, id="HTML instead of JSON",
        ),
        pytest.param(
            Fault(MESSAGES, body=message("end_turn", "Here is your JSON")),
            Fallback.MALFORMED, "not of the form", 1, id="prose instead of the form",
        ),
        pytest.param(
            Fault(MESSAGES, body=message("pause_turn")), Fallback.MALFORMED, "it stopped for 'pause_turn'", 1,
            id="an unknown end",
        ),
    ],
)  # fmt: skip
def test_what_does_not_pass_leaves_the_words_of_code_that_say_why(
    outside: Outside, fault: Fault, fallback: Fallback, reason: str, kept: int
) -> None:
    outside.world.faults.add(fault)

    found = told(outside)

    assert found.written.provenance == Provenance(Writer.CODE, fallback)
    assert any(reason in one for one in found.written.reasons), found.written.reasons
    assert f"Sentences and figures by code: {fallback.value}." in found.mail
    assert len(archived(outside)) == kept
    assert told(outside, live=False).written == found.written, "a replay falls back for the same reason"


def test_a_model_that_failed_is_asked_again_when_the_report_is_made_again(outside: Outside) -> None:
    outside.world.faults.add(Fault(MESSAGES, status=401, body=claude_error("authentication_error", "No.")))
    failed = told(outside)

    again = told(outside)

    assert failed.written.provenance.fallback is Fallback.UNREACHABLE
    assert again.written.provenance == BY_MODEL


def test_a_model_that_lies_is_asked_to_repair_and_then_left(outside: Outside) -> None:
    def liar(asked: Mapping[str, Any]) -> str:
        answer = json.loads(honest_author(asked))
        if "headline" in answer:
            answer["headline"][0]["prose"] = "Leads rose by 300 %."
        return json.dumps(answer)

    outside.world.author = liar

    found = told(outside)

    assert found.written.provenance == Provenance(Writer.CODE, Fallback.REJECTED)
    assert "300" not in found.mail
    assert [step for step, _ in archived(outside)] == [*PASSES, "repair"]
    assert told(outside, live=False).written == found.written


def test_a_model_that_is_too_slow_is_left(outside: Outside) -> None:
    left = threading.Event()

    def slow(asked: Mapping[str, Any]) -> str:
        left.wait(60)
        return honest_author(asked)

    outside.world.author = slow

    try:
        found = told(outside, model_timeout_seconds=0.2)
    finally:
        left.set()

    assert found.written.provenance.fallback is Fallback.UNREACHABLE
    assert found.written.reasons == ("pass read: APITimeoutError",)
    assert told(outside, live=False).written == found.written


def test_a_budget_that_is_used_up_ends_the_questions(outside: Outside) -> None:
    prices: dict[str, Any] = {"model_read_price": Decimal(15), "model_written_price": Decimal(75)}

    found = told(outside, **prices, model_budget=Decimal("0.00001"))

    assert found.written.provenance.fallback is Fallback.OVER_BUDGET
    assert [step for step, _ in archived(outside)] == ["read"]


def test_without_a_key_code_writes_and_nothing_is_archived(outside: Outside, platform: Platform) -> None:
    manager, name = client(platform.settings, "secretsmanager"), secret_name(platform.settings, "claude")
    manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    try:
        found = told(outside)
    finally:
        manager.create_secret(Name=name, SecretString=json.dumps({"api_key": TOKENS.claude}))

    assert found.written.provenance.fallback is Fallback.NO_KEY
    assert "there is no secret prism-claude" in found.written.reasons[0]
    assert archived(outside) == []


def test_bedrock_is_asked_by_the_same_passes_with_a_signature(outside: Outside) -> None:
    found = told(outside, model_provider=ModelProvider.BEDROCK, model_name="eu.anthropic.claude-x-v1:0")

    assert found.written.provenance == Provenance(Writer.MODEL, model="eu.anthropic.claude-x-v1:0")
    assert archived(outside) == [(step, 200) for step in PASSES]
