"""What a failed call to AWS means.

Belongs here: the one place where client errors become failures of intent. Does not belong here: retry loops
(the store) and lost conditions, which the caller understands better.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - its name there
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)

from prism_core.failures import PermanentFailure, PrismFailure, TransientFailure

THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "ThrottlingException",
        "Throttling",
        "ThrottlingError",
        "TooManyRequestsException",
        "TransactionInProgressException",
        "TransactionConflict",
        "TransactionConflictException",
        "LimitExceededException",
        "SlowDown",
    }
)
_BROKEN = frozenset(
    {"InternalError", "InternalServerError", "InternalFailure", "ServiceUnavailable", "RequestTimeout"}
)
# The container's or the machine's credentials were not to be had; an answer was cut off or damaged on its way.
_PASSING = (CredentialRetrievalError, MetadataRetrievalError, FlexibleChecksumError, IncompleteReadError)
_WHAT_TO_DO = {
    "NoSuchBucket": "the bucket does not exist; deploy the stacks (locally: `prism up --once`)",
    "AccessDenied": "this role may not do that; add the action to its policy",
    "ResourceNotFoundException": (
        "it does not exist; check its name in the settings, or deploy the stacks (locally: `prism up --once`)"
    ),
    "AccessDeniedException": "this role may not do that; add the action to its policy",
    "UnrecognizedClientException": "the credentials are not valid; renew them",
    "ExpiredTokenException": "the credentials have expired; renew them",
    "InvalidSignatureException": "the signature was refused; check the credentials and this machine's clock",
    "ItemCollectionSizeLimitExceededException": "one partition holds more than 10 GB; split it",
    "ValidationException": "the request is not valid; this is a fault in PRISM, report it with this message",
    "IdempotentParameterMismatchException": "one token was used for two writes; use a new request id",
}


def error_code(error: ClientError) -> str:
    """The code that the service gave, such as `ThrottlingException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def failure_of_code(code: str, message: str, subject: str, action: str) -> PrismFailure:
    """The failure for an error code, from a response or from one reason of a cancelled transaction."""
    if code in THROTTLED or code in _BROKEN:
        return TransientFailure(f"{action} of {subject}: {code}; try again later")
    advice = _WHAT_TO_DO.get(code, "a person must look at it")
    return PermanentFailure(f"{action} of {subject}: {code}: {message}; {advice}")


def failure_of(error: ClientError | BotoCoreError, subject: str, action: str) -> PrismFailure:
    """Throttling, 5xx, connections, time limits and answers that are cut off are transient, and so are credentials
    that cannot be fetched at this moment; everything else waits for a person."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500:
            return TransientFailure(f"{action} of {subject}: the service answered {status}; try again later")
        return failure_of_code(
            error_code(error), str(error.response.get("Error", {}).get("Message", "")), subject, action
        )
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return PermanentFailure(f"{action} of {subject}: {error}; configure AWS credentials for this process")
    if isinstance(error, HTTPClientError | ConnectionError):
        return TransientFailure(
            f"{action} of {subject}: the service could not be reached ({error}); try again later"
        )
    if isinstance(error, _PASSING):
        return TransientFailure(f"{action} of {subject}: {error}; try again later")
    return PermanentFailure(
        f"{action} of {subject}: {error}; this is a fault in PRISM, report it with this message"
    )


@contextmanager
def calling(subject: str, action: str) -> Iterator[None]:
    """Turn what a client raises inside into a failure that names the subject (a table, a key) and the action."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise failure_of(error, subject, action) from error
