"""Whether the credentials, the account and the region are those of the installation, before anything is deployed.

Belongs here: what is asked of AWS once, and what to set when the answer is another one. Does not belong here: what
an installation needs beside AWS (prism_resources/preflight.py) and permissions, of which each call speaks itself.
"""

from functools import cache

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from infra.deploy_failures import WrongPlace
from prism_core.settings import Environment, Settings
from prism_resources.aws import client
from prism_resources.failures import error_code

_NOT_VALID = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidToken"}
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_CLOSED = frozenset({"OptInRequired", "RegionDisabledException"})


def refuse_wrong_place(settings: Settings) -> str:
    """Who deploys, as AWS calls it. Raises WrongPlace, which says what to set."""
    if settings.environment is Environment.AWS:
        _refuse_unsaid(settings)
    try:
        caller = client(settings, "sts").get_caller_identity()
    except EndpointConnectionError as error:
        raise WrongPlace(
            f"{error}: is {settings.region} (PRISM_REGION) the region, and is there a network?"
        ) from error
    except ClientError as error:
        raise WrongPlace(_advice(error, settings)) from error
    except BotoCoreError as error:
        # NoCredentialsError, a profile that there is not, a role that cannot be taken: all of this process.
        raise WrongPlace(
            f"{error}: give this process credentials of AWS (AWS_PROFILE, or AWS_ACCESS_KEY_ID with its "
            "secret), and see with `aws sts get-caller-identity` whose they are"
        ) from error
    if str(caller["Account"]) != settings.account_id:
        raise WrongPlace(
            f"these credentials are of account {caller['Account']} ({caller['Arn']}), and PRISM_ACCOUNT_ID is "
            f"{settings.account_id}: take the credentials of the other account, or set the variable"
        )
    return str(caller["Arn"])


def _refuse_unsaid(settings: Settings) -> None:
    """In `aws` nobody deploys to a default: the wrong region would become a second, empty installation."""
    for name in ("region", "account_id"):
        if name not in settings.model_fields_set:
            raise WrongPlace(f"say where to deploy: PRISM_{name.upper()} is not set")
    if settings.region not in regions():
        raise WrongPlace(f"AWS has no region {settings.region} (PRISM_REGION); it has {', '.join(regions())}")


@cache
def regions() -> tuple[str, ...]:
    """Every region of AWS that this version of botocore knows, of all partitions."""
    from botocore.session import get_session

    session = get_session()
    return tuple(
        sorted(
            region
            for partition in session.get_available_partitions()
            for region in session.get_available_regions("cloudformation", partition_name=partition)
        )
    )


def _advice(error: ClientError, settings: Settings) -> str:
    code = error_code(error)
    if code in _EXPIRED:
        return f"the credentials have expired ({code}): sign in again (`aws sso login`, or take new ones)"
    if code in _CLOSED:
        return f"the account does not use {settings.region} ({code}): set PRISM_REGION, or enable the region"
    if code in _NOT_VALID:
        return (
            f"AWS does not know these credentials in {settings.region} ({code}): renew them, and see whether the "
            "region is enabled for the account"
        )
    return f"AWS does not say whose credentials these are: {error}"
