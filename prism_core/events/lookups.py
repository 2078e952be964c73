"""Tables that events are enriched from, each of a version that never changes.

Belongs here: looking up an exact text, the country of an address's prefix, and an amount in another currency.
Does not belong here: where versions are kept, and which event asks for what (enrichment.py).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from prism_core.failures import PermanentFailure

# A network of 256 addresses, or of a site: nothing longer is looked up or kept.
PREFIX_BITS: Final[Mapping[int, int]] = {4: 24, 6: 48}
_WIDTH: Final[Mapping[int, int]] = {4: 32, 6: 128}
_LONGEST: Final = 100  # characters of an address, with its zone and spaces around it
_CENT: Final = Decimal("0.01")
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Texts:
    """Text to text: a labelling job to its project, a worker to the member."""

    version: int
    entries: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Networks to countries; the longest prefix that holds an address answers."""

    version: int
    by_length: Mapping[tuple[int, int], Mapping[int, str]] = field(repr=False)

    @classmethod
    def of(cls, version: int, rows: Iterable[tuple[str, str]]) -> "Prefixes":
        """Rows of network (`203.0.113.0/24`) and country. Raises PermanentFailure for a finer one."""
        found: dict[tuple[int, int], dict[int, str]] = {}
        for text, country in rows:
            try:
                network = ip_network(text)
            except ValueError as error:
                raise PermanentFailure(f"{text!r:.60} is not a network such as 203.0.113.0/24: {error}") from error
            if network.prefixlen > PREFIX_BITS[network.version]:
                raise PermanentFailure(
                    f"{text} is finer than /{PREFIX_BITS[network.version]}: it would name people"
                )
            at = int(network.network_address) >> (_WIDTH[network.version] - network.prefixlen)
            found.setdefault((network.version, network.prefixlen), {})[at] = country
        return cls(version, dict(sorted(found.items(), reverse=True)))

    def country(self, address: str) -> str | None:
        """The country of an address or of its prefix; None when no network holds it, or it is no address."""
        known = _address(address.partition("/")[0])
        if known is None:
            return None
        for (version, length), networks in self.by_length.items():
            if version == known.version:
                country = networks.get(int(known) >> (_WIDTH[version] - length))
                if country is not None:
                    return country
        return None


@dataclass(frozen=True, slots=True)
class Rates:
    """What one unit of a currency is in the base currency."""

    version: int
    base: str
    entries: Mapping[str, Decimal]

    def converted(self, amount: Decimal, currency: str) -> Decimal | None:
        """The amount in the base currency at two decimals; None for a currency that has no rate."""
        if not _CURRENCY.fullmatch(currency) or not amount.is_finite():
            return None
        rate = Decimal(1) if currency == self.base else self.entries.get(currency)
        return None if rate is None else (amount * rate).quantize(_CENT, rounding=ROUND_HALF_EVEN)


def prefix_of(address: str) -> str | None:
    """`203.0.113.0/24` of an address: what may be kept of it; None when it is none."""
    known = _address(address)
    if known is None:
        return None
    length = PREFIX_BITS[known.version]
    cut = _WIDTH[known.version] - length
    return f"{type(known)(int(known) >> cut << cut)}/{length}"


@lru_cache(maxsize=1_024)  # of one event it is looked up, then cut
def _known_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        known = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(known, IPv6Address):
        return known.ipv4_mapped or IPv6Address(int(known))  # without its zone
    return known


def _address(text: str) -> IPv4Address | IPv6Address | None:
    return _known_address(text) if len(text) <= _LONGEST else None


Lookup = Texts | Prefixes | Rates
