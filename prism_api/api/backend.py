"""Connections of a container, made on first use and kept for the next call.

Belongs here: settings, the stores of the tables, the key that signs cursors. Does not belong here: what the
running call asks for (calls.py).
"""

import json
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from prism_api.api.calls import function_name
from prism_api.api.configured import settings
from prism_api.api.start import building
from prism_core import clock
from prism_core.failures import PermanentFailure
from prism_core.models.base import Model
from prism_core.models.taxonomy import TaxonomyStatus, TaxonomyVersion
from prism_core.models.work import ThroughputWeek
from prism_core.tables import TAXONOMY, THROUGHPUT, TableSpec
from prism_core.taxonomy import Taxonomy, in_force
from prism_resources.aws import client
from prism_resources.failures import calling
from prism_resources.tables.reader import TableReader

if TYPE_CHECKING:
    from prism_resources.privacy import PersonKeys
    from prism_resources.tables.generations import Generations
    from prism_resources.tables.history import TableHistory
    from prism_resources.tables.store import TableStore

M = TypeVar("M", bound=Model)


def dynamodb() -> Any:
    """The DynamoDB client."""
    with building():
        return client(settings(), "dynamodb")


def s3() -> Any:
    """The S3 client."""
    return client(settings(), "s3")


def call_again(payload: bytes) -> None:
    """Call this very function, without waiting for it.

    Outside Lambda (the handler behind a plain server) it is the deployed one, by the name of the template.
    """
    name = function_name() or f"{settings().name_prefix}-api"
    with calling(name, "call"):
        client(settings(), "lambda").invoke(FunctionName=name, InvocationType="Event", Payload=payload)


def start_planner(payload: bytes) -> None:
    """Have the planner do something, without waiting for it."""
    _planner("Event", payload)


def ask_planner(payload: bytes) -> Any:
    """What the planner answers, as JSON values. Raises TransientFailure when it is busy, PermanentFailure when it
    failed; its log says of what."""
    answer = _planner("RequestResponse", payload)
    body = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise PermanentFailure(f"the planner failed: {str(body)[:500]}")
    return body


def _planner(way: str, payload: bytes) -> Any:
    name = f"{settings().name_prefix}-planner"
    with calling(name, "call"):
        return client(settings(), "lambda").invoke(FunctionName=name, InvocationType=way, Payload=payload)


def reader(spec: TableSpec, model: type[M]) -> TableReader[M]:
    """The reader of a table that the API does not write, such as throughput."""
    return TableReader(dynamodb(), settings(), spec, model)


_STORES: "dict[str, TableStore[Any]]" = {}


def store(spec: TableSpec, model: type[M]) -> "TableStore[M]":
    """The store of a table."""
    from prism_resources.tables.store import TableStore  # noqa: PLC0415 - a call that reads does not need it

    if spec.name not in _STORES:
        _STORES[spec.name] = TableStore(dynamodb(), settings(), spec, model, keys=person_keys())
    return _STORES[spec.name]


@lru_cache(maxsize=1)
def person_keys() -> "PersonKeys":
    """The keys that personal values are sealed with, cached once for all stores."""
    from prism_resources.privacy import PersonKeys  # noqa: PLC0415

    return PersonKeys(dynamodb(), settings())


@lru_cache(maxsize=1)
def history() -> "TableHistory":
    """The change log, read."""
    from prism_resources.tables.history import TableHistory  # noqa: PLC0415

    return TableHistory(dynamodb(), settings(), keys=person_keys())


@lru_cache(maxsize=1)
def throughput() -> "Generations[ThroughputWeek]":
    """Throughput as it is published."""
    from prism_resources.tables.generations import Generations  # noqa: PLC0415

    return Generations(dynamodb(), settings(), THROUGHPUT, ThroughputWeek)


TAXONOMY_SECONDS = 30.0
_taxonomy: list[tuple[float, Taxonomy]] = []


def taxonomy() -> Taxonomy:
    """The version in force, read again after half a minute."""
    if not _taxonomy or time.monotonic() - _taxonomy[0][0] > TAXONOMY_SECONDS:
        versions = reader(TAXONOMY, TaxonomyVersion).query("by_status", status=TaxonomyStatus.PUBLISHED)
        _taxonomy[:] = [(time.monotonic(), Taxonomy(in_force(versions, clock.now().date())))]
    return _taxonomy[0][1]


@lru_cache(maxsize=1)
def cursor_key() -> bytes:
    """The key that signs cursors: a cursor comes back from a browser and must not be made there."""
    answer = client(settings(), "secretsmanager").get_secret_value(SecretId=settings().cursor_secret_name)
    return str(answer["SecretString"]).encode()
