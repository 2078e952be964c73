"""Services outside that enrichment may ask.

Belongs here: what a service must be named with before anything is sent to it. Does not belong here: asking
(prism_resources/events/outside.py).
"""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from prism_core.models.base import Many, Model

TEXT = "{text}"


def _network(text: str) -> str:
    ip_network(text)  # its ValueError says what is wrong
    return text


class Service(Model):
    """One allowed service. Nothing of an event can change where a call goes: `{text}` stands behind the host only.

    `answer` is the JSON pointer of the value in what it answers. `networks` are private ones in which it may be
    (`10.1.0.0/16`); without any its address must be a public one.
    """

    url: Annotated[str, Field(max_length=500, pattern=r"^https?://[A-Za-z0-9.\[\]:-]+/[!-~]*$")]
    answer: Annotated[str, Field(max_length=200, pattern=r"^(/([^~/]|~[01])*)*$")] = ""
    networks: Many[Annotated[str, AfterValidator(_network)]] = ()
    timeout_seconds: Annotated[float, Field(ge=0.05, le=5, strict=False)] = 0.5
    remember_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300

    @model_validator(mode="after")
    def _asks_of_one_host(self) -> Self:
        parts = urlsplit(self.url)
        if not parts.hostname or self.url.count(TEXT) != 1:
            raise ValueError(f"the address has a host, and {TEXT} once behind it")
        if parts.scheme == "http" and not self.networks:
            raise ValueError("http is for a service within `networks`; one outside is asked by https")
        return self

    @property
    def own_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(one) for one in self.networks)
