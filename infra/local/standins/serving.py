"""The stand-ins of one platform: what they tell of, and the tokens that open them.

Belongs here: the world of a PRISM_HOME, and putting its tokens where connectors look. Does not belong here: the
sockets (infra/local/serving.py) and the wire.
"""

import json
import secrets
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError

from infra.local.home import Home
from infra.local.platform import Platform
from infra.local.standins.ads import Ads, DrawnAds
from infra.local.standins.author import honest_author
from infra.local.standins.world import APP_ID, Tokens, World
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.credentials import secret_name
from prism_resources.failures import calling, error_code

# Two hours from UTC and with clocks that change: days of the account are not those of the platform.
ZONE = ZoneInfo("Europe/Athens")
CURRENCY = "EUR"


def home_tokens(home: Home) -> Tokens:
    """The tokens of this platform's stand-ins, drawn once."""
    names = ("meta-token", "meta-app-secret", "hubspot-token", "claude-key")
    return Tokens(*(home.secret(f"standin-{name}", lambda: secrets.token_urlsafe(24)) for name in names))


def home_world(home: Home, ads: Ads | None = None) -> World:
    """What the stand-ins of a platform tell of: synthetic ads of any day, unless there are others."""
    return World(ads or DrawnAds(), home_tokens(home), ZONE, honest_author, currency=CURRENCY)


def seed_credentials(platform: Platform) -> None:
    """Give the connectors of a local platform the tokens of its stand-ins; a secret that is there stays."""
    put_credentials(platform.settings, home_tokens(platform.home))


def put_credentials(settings: Settings, tokens: Tokens) -> None:
    """One secret a service, in the form of prism_resources/credentials.py."""
    values = {
        "meta": {"access_token": tokens.meta, "app_id": APP_ID, "app_secret": tokens.app_secret},
        "hubspot": {"access_token": tokens.hubspot},
        "claude": {"api_key": tokens.claude},
    }
    manager = client(settings, "secretsmanager")
    for service, value in values.items():
        name = secret_name(settings, service)
        with calling(f"secret {name}", "create"):
            try:
                manager.create_secret(Name=name, SecretString=json.dumps(value))
            except ClientError as error:
                if error_code(error) != "ResourceExistsException":
                    raise
