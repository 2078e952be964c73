"""Where the parts of an installation answer that are asked from outside.

Belongs here: addresses that differ between AWS and the embedded one. Does not belong here: who asks
(smoke_asking.py, users.py), and the clients of services (prism_resources/aws.py).
"""

from infra.deploy import outputs
from prism_core.settings import Environment, Settings


def api_url(settings: Settings) -> str:
    """Of the HTTP API. On AWS by the way through the firewall: the functions answer nobody else."""
    if settings.environment is Environment.AWS:
        return outputs(settings, "web")["ScreensUrl"]
    return f"{_local(settings)}/_aws/execute-api/{outputs(settings, 'api')['ApiId']}/$default"


def token_url(settings: Settings) -> str:
    """Where the app client of producers gets its token."""
    if settings.environment is Environment.AWS:
        domain = outputs(settings, "api")["UsersDomainName"]
        return f"https://{domain}.auth.{settings.region}.amazoncognito.com/oauth2/token"
    return f"{_local(settings)}/oauth2/token"


def _local(settings: Settings) -> str:
    return str(settings.aws_endpoint_url).rstrip("/")
