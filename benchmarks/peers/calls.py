"""Warm calls: the contenders of api_warm.py, each a pair of `call` and `tell`.

Belongs here: one call from event to answer, and what of it must be the same for all. Does not belong here: the
clock (warm_calls.py).
"""

import json
from collections.abc import Callable
from typing import Any

from benchmarks.peers.events import event

Pair = tuple[Callable[[], Any], Callable[[Any], str]]


def prism_meta(_: Any) -> Pair:
    from prism_api.api.handler import handler  # noqa: PLC0415

    return _of(handler, event("GET", "/api/meta"), _body)


def fastapi_meta(_: Any) -> Pair:
    from benchmarks.peers.fastapi_app import function  # noqa: PLC0415

    return _of(function(), event("GET", "/api/meta"), _body)


def prism_list(given: Any) -> Pair:
    from prism_api.api.handler import handler  # noqa: PLC0415

    return _of(handler, event("GET", "/api/members", f"limit={given['items']}"), _ids)


def fastapi_list(given: Any) -> Pair:
    from benchmarks.peers.fastapi_app import function  # noqa: PLC0415

    return _of(function(), event("GET", "/api/members", f"limit={given['items']}"), _ids)


def raw_query(given: Any) -> Pair:
    """What boto3 answers, undecoded: the least that a list can cost."""
    import boto3  # noqa: PLC0415

    from prism_api.api.configured import settings  # noqa: PLC0415

    configured = settings()
    client = boto3.client(
        "dynamodb",
        region_name=configured.region,
        endpoint_url=str(configured.aws_endpoint_url),
        aws_access_key_id="prism-local",
        aws_secret_access_key="prism-local",  # noqa: S106 - the embedded AWS takes any
    )

    def call() -> Any:
        return client.query(
            TableName=configured.table_name("members"),
            IndexName="by_status",
            KeyConditionExpression="#p = :p",
            ExpressionAttributeNames={"#p": "status"},
            ExpressionAttributeValues={":p": {"S": "active"}},
            Limit=given["items"],
        )

    return call, lambda answer: json.dumps([item["member_id"]["S"] for item in answer["Items"]])


def _of(handler: Any, called: dict[str, Any], tell: Callable[[Any], str]) -> Pair:
    return lambda: handler(called, None), tell


def _body(answer: Any) -> str:
    return json.dumps([answer["statusCode"], json.loads(answer["body"])], sort_keys=True)


def _ids(answer: Any) -> str:
    return json.dumps([item["member_id"] for item in json.loads(answer["body"])["items"]])
