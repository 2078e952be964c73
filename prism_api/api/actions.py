"""Routes that change an item by a verb: decide, resolve, silence.

Belongs here: what such a route shares: the item, If-Match, the write, the answer. Does not belong here: verbs.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from prism_api.api import documents
from prism_api.api.calls import Call, current
from prism_api.api.crud import NEEDED, IfMatch, Parameters, Reason, item_answer, key_parameter, signed
from prism_api.api.problems import Problem
from prism_api.api.replays import left_at
from prism_api.api.resource import Resource, answer_model
from prism_api.api.writes import author_of, change_item, matched, read_item
from prism_core.failures import PrismFailure
from prism_core.models.base import Model

# What the verb makes of an item, from the call, the item before and the body: the item after, or fields to set.
Verb = Callable[[Call, Any, Any], Model | dict[str, Any]]


def action(
    router: APIGatewayHttpRouter,
    resource: Resource[Any],
    name: str,
    body: type[Model] | None,
    summary: str,
    verb: Verb,
) -> None:
    """`POST <resource>/<key>/<name>`: one verb on one item, under its version."""
    answer = answer_model(resource, resource.answer or resource.model)

    def act(*, key: str, **values: Any) -> Response[Any]:
        call = current()
        before = read_item(resource, call, key)
        try:
            matched(resource, call, before)
            after = verb(call, before, values.get("body"))
            state = after.plain() if isinstance(after, Model) else {**before.plain(), **after}
            given = {field: value for field, value in state.items() if value is not None}
            item = change_item(resource, author_of(call), before, given, judged=False)
        except (Problem, PrismFailure):
            left = left_at(resource, key, call.request_id)
            if left is None or left.item is None:
                raise
            item = left.item  # the verb of a repeated call, whose first answer was lost
        return item_answer(resource, answer, item)

    parameters: Parameters = {
        "key": key_parameter(resource),
        "if_match": (IfMatch, None),
        "reason": (Reason, None),
    }
    if body is not None:
        parameters["body"] = (Annotated[body, Body()], NEEDED)
    document = documents.of(resource, summary, answer, status=HTTPStatus.OK, item=True, versioned=True)
    router.post(f"{resource.path}/<key>/{name}", **document)(signed(act, parameters, Response[answer]))
