"""The one factory of AWS clients.

Belongs here: everything that differs between AWS and the embedded one, and nothing else does: an
endpoint, path-style addressing, no host prefix. Retries and time limits that every client shares.
Does not belong here: what is done with a client.
The clients are botocore's own, which boto3 hands out too; boto3 loads its transfers and resources beside them.
"""

import threading
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal, overload

from prism_core.failures import PermanentFailure
from prism_core.settings import Environment, Settings, signs_as_a_role

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from botocore.session import Session
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
ATTEMPTS = 6
CONNECT_SECONDS = 5
_USER_AGENT = "prism"


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
def client(
    settings: Settings, service: str, *, attempts: int = ATTEMPTS, read_seconds: int | None = None
) -> Any: ...
def client(settings: Settings, service: str, *, attempts: int = ATTEMPTS, read_seconds: int | None = None) -> Any:
    """A low-level client of `service`, shared by the threads of this process.

    It sends a call at most `attempts` times and waits `read_seconds`, or what the settings say, for each answer.
    Raises PermanentFailure when the environment is local and no embedded AWS was named.
    """
    read_seconds = read_seconds or settings.call_seconds
    # The one service that the embedded AWS lacks, and that may be tried for real from one machine.
    elsewhere = settings.rekognition_api_url if service == "rekognition" else None
    if elsewhere is not None:
        return _client(service, settings.region, str(elsewhere).rstrip("/"), attempts, read_seconds)
    if settings.environment is Environment.AWS:
        return _client(service, settings.region, None, attempts, read_seconds)
    if settings.aws_endpoint_url is None:
        raise PermanentFailure(
            "no embedded AWS to talk to: run this through `prism …`, or start `prism up` and set "
            "PRISM_AWS_ENDPOINT_URL to the address that `prism status` prints"
        )
    return _client(service, settings.region, str(settings.aws_endpoint_url).rstrip("/"), attempts, read_seconds)


def credentials(settings: Settings) -> "Credentials":
    """What calls are signed with that no client makes. Raises PermanentFailure when this process has none."""
    from botocore.credentials import Credentials  # noqa: PLC0415

    if settings.environment is not Environment.AWS:
        return Credentials(LOCAL_KEY, LOCAL_KEY)
    with _making:
        found = _session().get_credentials()
    if found is None:
        raise PermanentFailure("there are no AWS credentials; configure some for this process")
    return found


# A session is not safe in threads while it makes a client; what it made is.
_making = threading.Lock()


@lru_cache(maxsize=64)
def _client(service: str, region: str, endpoint: str | None, attempts: int, read_seconds: int) -> Any:
    from botocore.config import Config  # noqa: PLC0415 - a process that calls no service does not pay for it

    shared: dict[str, Any] = {
        "retries": {"mode": "standard", "total_max_attempts": attempts},
        "max_pool_connections": MAX_POOL_CONNECTIONS,
        "connect_timeout": min(CONNECT_SECONDS, read_seconds),
        "read_timeout": read_seconds,
        "signature_version": "s3v4" if service == "s3" else None,
        # One that is given is taken as it is; botocore's own is put together anew for each call, which is a tenth
        # of what a call costs.
        "user_agent": _USER_AGENT,
    }
    with _making:
        if endpoint is None:
            # The host of a signed link names bucket and region: the policy of the screens lets them call that one
            # (infra/templates/web.yaml), and the global one redirects, which a browser does not follow.
            if service == "s3":
                shared["s3"] = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
            return _session().create_client(service, region_name=region, config=Config(**shared))
        local = Config(**shared, s3={"addressing_style": "path"}, inject_host_prefix=False)
        keys: dict[str, Any] = {}
        if not signs_as_a_role():
            keys = {"aws_access_key_id": LOCAL_KEY, "aws_secret_access_key": LOCAL_KEY}
        return _session().create_client(service, region_name=region, endpoint_url=endpoint, config=local, **keys)


@cache
def _session() -> "Session":
    """One for all clients: what it read of credentials and endpoints serves the next one."""
    from botocore.session import get_session  # noqa: PLC0415

    return get_session()
