"""What an AWS error means to us.

Belongs here: the one mapping from botocore's errors to a failure that says whether to try again.
Does not belong here: errors that a caller expects and handles (a missing object, a lost condition).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from prism_core.failures import PermanentFailure, TransientFailure

_THROTTLED = frozenset(
    {
        "InternalServerError",
        "InternalError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_CONNECTION = (ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError)


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn AWS errors inside the block into failures that say what was being done.

    Raises TransientFailure for throttling, 5xx and lost connections, PermanentFailure for the rest.
    """
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if error_code(error) in _THROTTLED or status >= 500:
            raise TransientFailure(f"{doing}: AWS asks to try later: {error}") from error
        raise PermanentFailure(f"{doing}: {error}") from error
    except _CONNECTION as error:
        raise TransientFailure(f"{doing}: no answer from AWS: {error}; is the platform up?") from error
    except BotoCoreError as error:
        raise PermanentFailure(f"{doing}: {error}") from error
