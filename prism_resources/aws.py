"""The one factory of AWS clients.

Belongs here: everything that differs between AWS and the embedded one, and nothing else does: an
endpoint, path-style addressing, no host prefix. Retries and time limits that every client shares.
Does not belong here: what is done with a client.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

from prism_core.failures import PermanentFailure
from prism_core.settings import Environment, Settings

if TYPE_CHECKING:
    from types_boto3_athena import AthenaClient
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client
    from types_boto3_sesv2 import SESV2Client

# The embedded AWS takes any key for a call, but verifies presigned URLs against the one in its environment
# (infra/local/emulator/environment.py). No secret; never a 12-digit number, which would be an account.
LOCAL_KEY = "prism-local"
MAX_POOL_CONNECTIONS = 32


@overload
def client(settings: Settings, service: Literal["s3"]) -> "S3Client": ...
@overload
def client(settings: Settings, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(settings: Settings, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
@overload
def client(settings: Settings, service: Literal["cloudformation"]) -> "CloudFormationClient": ...
@overload
def client(settings: Settings, service: Literal["athena"]) -> "AthenaClient": ...
@overload
def client(settings: Settings, service: Literal["sesv2"]) -> "SESV2Client": ...
@overload
def client(settings: Settings, service: str) -> Any: ...
def client(settings: Settings, service: str) -> Any:
    """A low-level client of `service`, shared by the threads of this process.

    Raises PermanentFailure when the environment is local and no embedded AWS was named.
    """
    if settings.environment is Environment.AWS:
        return _client(service, settings.region, None)
    if settings.aws_endpoint_url is None:
        raise PermanentFailure(
            "no embedded AWS to talk to: run this through `prism …`, or start `prism up` and set "
            "PRISM_AWS_ENDPOINT_URL to the address that `prism status` prints"
        )
    return _client(service, settings.region, str(settings.aws_endpoint_url).rstrip("/"))


@lru_cache(maxsize=64)
def _client(service: str, region: str, endpoint: str | None) -> Any:
    shared: dict[str, Any] = {
        "retries": {"mode": "standard", "max_attempts": 5},
        "max_pool_connections": MAX_POOL_CONNECTIONS,
        "connect_timeout": 5,
        "read_timeout": 60,
        "signature_version": "s3v4" if service == "s3" else None,
    }
    session = boto3.session.Session(region_name=region)
    if endpoint is None:
        return session.client(service, config=Config(**shared))
    local = Config(**shared, s3={"addressing_style": "path"}, inject_host_prefix=False)
    return session.client(
        service,
        endpoint_url=endpoint,
        aws_access_key_id=LOCAL_KEY,
        aws_secret_access_key=LOCAL_KEY,
        config=local,
    )
