"""The Messages API of Anthropic as far as PRISM asks it, at Anthropic and at Bedrock, on loopback.

Belongs here: the wire: who may ask, what a request must have, thinking, usage, and a message around a text. Does
not belong here: who writes the text (an Author, see world.py) and faults (faults.py).
"""

import json
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.standins.faults import claude_error
from infra.local.standins.world import World

_CHARACTERS_A_TOKEN: Final = 4
_LEAST_THINKING: Final = 1024


class Claude:
    """One model that answers whatever its author writes."""

    def __init__(self, world: World) -> None:
        self._world, self._numbers = world, count(1)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/messages", self._messages, methods=["POST"]),
            Route("/model/{model:path}/invoke", self._invoke, methods=["POST"]),
        ]

    async def _messages(self, request: Request) -> Response:
        # Its own client sends the key as a bearer token, others in a header of its own.
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._world.tokens.claude not in {given, request.headers.get("x-api-key")}:
            return JSONResponse(claude_error("authentication_error", "invalid x-api-key"), 401)
        version = "" if "anthropic-version" in request.headers else "anthropic-version: header is required"
        return self._answer(await request.body(), {}, version)

    async def _invoke(self, request: Request) -> Response:
        """Bedrock: the model in the path, the version in the body, signed as every call of AWS."""
        if not request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return JSONResponse({"message": "Missing Authentication Token"}, 403)
        return self._answer(await request.body(), {"model": request.path_params["model"]})

    def _answer(self, body: bytes, named: Mapping[str, Any], wrong: str = "") -> Response:
        try:
            asked = json.loads(body) | named
            wrong = wrong or _wrong(asked)
        except (ValueError, AttributeError, TypeError) as error:
            wrong = f"the body is no request: {error!r}"
        if wrong:
            return JSONResponse(claude_error("invalid_request_error", wrong), 400)
        text = self._world.author(asked)
        tokens = max(len(text) // _CHARACTERS_A_TOKEN, 1)
        cut = tokens > asked["max_tokens"]
        if cut:
            tokens, text = asked["max_tokens"], text[: asked["max_tokens"] * _CHARACTERS_A_TOKEN]
        thinking = {"type": "thinking", "thinking": "Synthetic thoughts.", "signature": "c3RhbmQtaW4="}
        thinks = asked.get("thinking", {}).get("type", "disabled") != "disabled"
        answer = {
            "id": f"msg_standin{next(self._numbers):08d}",
            "type": "message",
            "role": "assistant",
            "model": asked["model"],
            "content": [*([thinking] if thinks else []), {"type": "text", "text": text}],
            "stop_reason": "max_tokens" if cut else "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": max(len(body) // _CHARACTERS_A_TOKEN, 1),
                "output_tokens": tokens,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "service_tier": "standard",
            },
        }
        return JSONResponse(answer, headers={"request-id": "req_stand_in"})


def _wrong(asked: Mapping[str, Any]) -> str:
    """What Anthropic would not take; nothing when it would."""
    if asked.get("stream"):
        return "the stand-in does not stream"
    missing = [name for name in ("model", "max_tokens", "messages") if name not in asked]
    if missing:
        return f"{missing[0]}: Field required"
    if "temperature" in asked and asked.get("thinking"):
        return "temperature may not be set with thinking"
    budget = asked.get("thinking", {}).get("budget_tokens")
    if budget is not None and not _LEAST_THINKING <= budget < asked["max_tokens"]:
        return f"thinking.budget_tokens: at least {_LEAST_THINKING}, and less than max_tokens"
    return ""


def smallest_answer(asked: Mapping[str, Any]) -> str:
    """An Author without opinions: the smallest text that the request's schema allows, without a digit."""
    form = asked.get("output_config", {}).get("format", {})
    if form.get("type") != "json_schema":
        return "There is nothing to add."
    return json.dumps(_smallest(form["schema"], form["schema"]))


def _smallest(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        found: Any = whole
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return _smallest(found, whole)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return _smallest(schema[word][0], whole)
    match schema.get("type"):
        case "object":
            wanted = schema.get("required", ())
            return {name: _smallest(schema["properties"][name], whole) for name in wanted}
        case "array":
            return [_smallest(schema["items"], whole)] * schema.get("minItems", 0)
        case "string":
            return "There is nothing to add."
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return False
    return None
