"""Starts of a function: from nothing to the first answer.

Belongs here: the contenders of api_init.py. Each imports only its own, inside, since imports are what is measured.
Does not belong here: how they are run (first_answer.py).
"""

from typing import Any

from benchmarks.peers.events import event

META = event("GET", "/api/meta")
Answered = dict[str, Any]


def prism(_: str) -> Answered:
    from prism_api.api.handler import handler  # noqa: PLC0415

    return handler(META, None)


def prism_five_routes(path: str) -> Answered:
    """As FastAPI, which makes all routes before the first: the four of members are made too."""
    answered = prism(path)
    from prism_api.api.apps import app_of  # noqa: PLC0415

    app_of("members")
    return answered


def prism_dynamodb(path: str) -> Answered:
    answered = prism(path)
    _dynamodb()
    return answered


def fastapi(_: str) -> Answered:
    from benchmarks.peers.fastapi_app import function  # noqa: PLC0415

    return function()(META, None)  # type: ignore[arg-type]


def fastapi_dynamodb(path: str) -> Answered:
    answered = fastapi(path)
    _dynamodb()
    return answered


def empty(_: str) -> None:
    from benchmarks.peers.empty import handler  # noqa: PLC0415

    handler(META, None)


def powertools_boto3(_: str) -> None:
    """The frameworks of ours with one route that does nothing: what our own code cannot go below."""
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver  # noqa: PLC0415
    from pydantic import BaseModel  # noqa: PLC0415

    class Nothing(BaseModel):
        version: str

    app = APIGatewayHttpResolver(enable_validation=True)

    @app.get("/api/meta")
    def meta() -> Nothing:
        return Nothing(version="0")

    app.resolve(META, None)  # type: ignore[arg-type]
    boto3_dynamodb("")


def boto3_dynamodb(path: str) -> None:
    """The client as most functions make it."""
    empty(path)
    import boto3  # noqa: PLC0415

    boto3.client("dynamodb", region_name="us-east-1")


def _dynamodb() -> None:
    from prism_api.api import backend  # noqa: PLC0415

    backend.dynamodb()


def powertools_boto3_without_pauses(path: str) -> None:
    """The same while the garbage collector waits, as it does in ours."""
    from prism_api.api.start import building  # noqa: PLC0415

    with building():
        powertools_boto3(path)
