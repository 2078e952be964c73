"""Where the parts of an installation answer that are asked from outside.

Belongs here: addresses that differ between AWS and the embedded one. Does not belong here: who asks
(smoke_asking.py, users.py), and the clients of services (prism_resources/aws.py).
"""

from collections.abc import Mapping, Sequence

from infra.deploy import outputs
from prism_core.settings import Environment, Settings


def api_url(settings: Settings) -> str:
    """Of the HTTP API. On AWS by the way through the firewall: the functions answer nobody else.

    There by CloudFront's own name, which answers before anybody has pointed an own name at it.
    """
    if settings.environment is Environment.AWS:
        made = outputs(settings, "web")  # an older stack says its own name alone
        return f"https://{made['DistributionDomain']}" if "DistributionDomain" in made else made["ScreensUrl"]
    return f"{_local(settings)}/_aws/execute-api/{outputs(settings, 'api')['ApiId']}/$default"


def told_url(settings: Settings) -> str:
    """The same as people and producers are told it: an own name outlives a distribution."""
    if settings.environment is Environment.AWS:
        return outputs(settings, "web")["ScreensUrl"]
    return api_url(settings)


def advice_on_names(web: Mapping[str, str], origins: Sequence[str]) -> list[str]:
    """What is left to do before people can open the screens. `web` are the outputs of that stack, `origins` what
    sign-ins may come back to."""
    url, ours = web["ScreensUrl"], f"https://{web['DistributionDomain']}"
    said: list[str] = []
    if url != ours:
        name = url.removeprefix("https://")
        said.append(f"point {name} at {web['DistributionDomain']}: a CNAME record, or an alias in Route 53")
    if url not in [one.rstrip("/") for one in origins]:
        said.append(
            f"nobody can sign in at {url}: deploy again with --origin {url}, or, to use an own name, with --set "
            "ScreensDomain and CertificateArn"
        )
    return said


def token_url(settings: Settings) -> str:
    """Where the app client of producers gets its token."""
    if settings.environment is Environment.AWS:
        domain = outputs(settings, "api")["UsersDomainName"]
        return f"https://{domain}.auth.{settings.region}.amazoncognito.com/oauth2/token"
    return f"{_local(settings)}/oauth2/token"


def _local(settings: Settings) -> str:
    return str(settings.aws_endpoint_url).rstrip("/")
