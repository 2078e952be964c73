"""Claude, at Anthropic or at Bedrock: one question, one answer as text, every raw answer kept before it is read.

Belongs here: the call and its limits, what a stop reason means, and what a call cost. Does not belong here: what
is asked (passes.py) and whether the answer may be told (prism_core/reports/answers.py).
Wire format: the Messages API with structured output. The service does not hold an answer to the bounds of a
schema, and the SDK's `parse()` loses the message of a refusal or a truncation: the body is read here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from time import monotonic
from typing import Any, Final

import httpx2
from pydantic import BaseModel, ValidationError

from prism_core.reports.content import Fallback
from prism_resources.writing.passes import Unusable

# Below the 21,334 from which an answer must be streamed; thinking counts.
MOST_TOKENS: Final = 16_000
ATTEMPTS: Final = 3
_MILLION: Final = Decimal(1_000_000)
# Step, what was asked, status, headers, body: as it came, errors and repeated attempts too.
Keep = Callable[[str, Mapping[str, Any], int, Mapping[str, str], bytes], None]


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for a million tokens; cached ones are read at a tenth and written at five quarters of `read`."""

    read: Decimal
    written: Decimal


@dataclass(frozen=True, slots=True)
class Signing:
    """Where Bedrock is, and the credentials of AWS that calls are signed with."""

    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a call took. `dollars` is None where no prices are set."""

    step: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    milliseconds: int
    stop_reason: str
    dollars: Decimal | None


class _Block(BaseModel):
    type: str
    text: str = ""


class _Usage(BaseModel):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class Message(BaseModel):
    """What is read of an answer; everything else stays in the archive."""

    content: list[_Block]
    stop_reason: str | None
    usage: _Usage


class Claude:
    """A model that is asked. Closes its connections when left."""

    def __init__(
        self,
        model: str,
        keep: Keep,
        *,
        key: "str | Signing",
        base_url: str | None = None,
        seconds: float = 120,
        attempts: int = ATTEMPTS,
        prices: Prices | None = None,
        budget: Decimal | None = None,
    ) -> None:
        """`key` of Anthropic, or with what calls to Bedrock are signed.

        `seconds` is the limit of one attempt; the SDK waits between attempts as `retry-after` says. From `budget`
        dollars on, which needs prices, nothing more is asked.
        """
        import anthropic  # noqa: PLC0415 - two seconds and 90 MB, for processes that ask and no others
        from anthropic.lib.bedrock import AnthropicBedrock  # noqa: PLC0415

        self.model, self._keep, self._prices, self._budget = model, keep, prices, budget
        self.spent: list[Spent] = []
        self._answers: list[httpx2.Response] = []
        http = anthropic.DefaultHttpxClient(event_hooks={"response": [self._answered]})
        shared: dict[str, Any] = {"base_url": base_url, "timeout": seconds, "max_retries": attempts - 1}
        if isinstance(key, str):
            self._client: Any = anthropic.Anthropic(api_key=key, http_client=http, **shared)
        else:
            self._client = AnthropicBedrock(
                aws_region=key.region,
                aws_access_key=key.access_key,
                aws_secret_key=key.secret_key,
                aws_session_token=key.token,
                http_client=http,
                **shared,
            )

    def __enter__(self) -> "Claude":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, step: str, system: str, turns: list[tuple[str, str]], schema: Mapping[str, Any]) -> str:
        """The text of the answer. Raises Unusable for whatever is none."""
        import anthropic  # noqa: PLC0415 - loaded by now

        asked: dict[str, Any] = {
            "model": self.model,
            "max_tokens": MOST_TOKENS,
            "system": [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": role, "content": text} for role, text in turns],
            "thinking": {"type": "adaptive"},
            "output_config": {
                "format": {"type": "json_schema", "schema": anthropic.transform_schema(dict(schema))}
            },
        }
        self._require_budget(step)
        began = monotonic()
        try:
            body = self._asked(step, asked)
        except anthropic.APIStatusError as error:
            detail = f"pass {step}: {error.status_code} after all attempts"
            raise Unusable(Fallback.UNREACHABLE, detail) from error
        except (anthropic.AnthropicError, httpx2.HTTPError) as error:
            raise Unusable(Fallback.UNREACHABLE, f"pass {step}: {type(error).__name__}") from error
        said = message_of(step, body)
        self.spent.append(self._cost(step, said, round((monotonic() - began) * 1_000)))
        return text_of(step, said)

    def _asked(self, step: str, asked: Mapping[str, Any]) -> bytes:
        """The body of the answer. Every answer, also one that the SDK tries again, is kept before it is read."""
        self._answers.clear()
        try:
            return self._client.messages.with_raw_response.create(**asked).http_response.content
        finally:
            for one in self._answers:
                self._keep(step, asked, one.status_code, dict(one.headers), one.content)

    def _answered(self, response: httpx2.Response) -> None:
        # Only noted: an error raised within the SDK would be taken for one of the connection, and tried again.
        response.read()
        self._answers.append(response)

    def _require_budget(self, step: str) -> None:
        spent = sum((one.dollars or Decimal(0) for one in self.spent), Decimal(0))
        if self._budget is not None and spent >= self._budget:
            detail = f"pass {step}: {spent:.4f} of {self._budget} US dollars were used"
            raise Unusable(Fallback.OVER_BUDGET, detail)

    def _cost(self, step: str, said: Message, milliseconds: int) -> Spent:
        used = said.usage
        cached, made = used.cache_read_input_tokens or 0, used.cache_creation_input_tokens or 0
        dollars = None
        if self._prices is not None:
            weighed = used.input_tokens + made * Decimal("1.25") + cached * Decimal("0.1")
            dollars = (weighed * self._prices.read + used.output_tokens * self._prices.written) / _MILLION
        return Spent(
            step,
            used.input_tokens + made + cached,
            cached,
            used.output_tokens,
            milliseconds,
            said.stop_reason or "",
            dollars,
        )


def message_of(step: str, body: bytes) -> Message:
    """An answer as it came. Raises Unusable for what is no message of Claude."""
    try:
        return Message.model_validate_json(body)
    except ValidationError as error:
        raise Unusable(Fallback.MALFORMED, f"pass {step}: the answer is no message of Claude") from error


def text_of(step: str, said: Message) -> str:
    """What it says. Raises Unusable for a refusal, for what is cut off, and for nothing."""
    match said.stop_reason:
        case "end_turn" | "stop_sequence":
            pass
        case "refusal":
            raise Unusable(Fallback.REFUSAL, f"pass {step}: refused")
        case "max_tokens" | "model_context_window_exceeded":
            raise Unusable(Fallback.TRUNCATED, f"pass {step}: cut off ({said.stop_reason})")
        case other:
            raise Unusable(Fallback.MALFORMED, f"pass {step}: it stopped for {other!r}")
    text = "".join(block.text for block in said.content if block.type == "text")
    if not text.strip():
        raise Unusable(Fallback.MALFORMED, f"pass {step}: the answer is empty")
    return text
