"""Tables that events are enriched from, each of a version that never changes.

Belongs here: looking up an exact text, the country of an address's prefix, and an amount in another currency.
Does not belong here: where versions are kept, and which event asks for what (enrichment.py).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from prism_core.failures import PermanentFailure

# A network of 256 addresses, or of a site: nothing longer is looked up or kept.
PREFIX_BITS: Final[Mapping[int, int]] = {4: 24, 6: 48}
_WIDTH: Final[Mapping[int, int]] = {4: 32, 6: 128}
_LONGEST: Final = 100  # characters of an address, with its zone and spaces around it
_CENT: Final = Decimal("0.01")
_ONE: Final = Decimal(1)
_OCTET: Final = r"25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9]"
_IPV4: Final = re.compile(rf"({_OCTET})\.({_OCTET})\.({_OCTET})\.(?:{_OCTET})")


@dataclass(frozen=True, slots=True)
class Texts:
    """Text to text: a labelling job to its project, a worker to the member."""

    version: int
    entries: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Networks to countries; the longest prefix that holds an address answers."""

    version: int
    # By version of addresses, the longest networks first: by how many bits a prefix is longer, and its countries.
    by_family: Mapping[int, Sequence[tuple[int, Mapping[int, str]]]] = field(repr=False)

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
        families = {
            family: [
                (bits - length, found[one, length]) for one, length in sorted(found, reverse=True) if one == family
            ]
            for family, bits in PREFIX_BITS.items()
        }
        return cls(version, families)

    def country(self, address: str) -> str | None:
        """The country of an address or of its prefix; None when no network holds it, or it is no address."""
        known = read_prefix(address.partition("/")[0])
        return None if known is None else self.country_of(known)

    def country_of(self, prefix: "Prefix") -> str | None:
        """The country of a prefix that was read."""
        number = prefix[1]
        for shift, networks in self.by_family[prefix[0]]:
            if (country := networks.get(number >> shift)) is not None:
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
        rate = _ONE if currency == self.base else self.entries.get(currency)
        return None if rate is None else (amount * rate).quantize(_CENT, ROUND_HALF_EVEN)


# Of an address: its version, the number of its prefix (24 bits, of version 6 48), and the text of that.
Prefix = tuple[int, int, str]


def read_prefix(address: str) -> Prefix | None:
    """What may be known of an address, of one of version 4 also where it is written as one of version 6.

    A prefix of the kept length is that prefix: an event that failed is kept with it, and is sent again so."""
    found = _IPV4.fullmatch(address)
    if found is not None:  # a tenth of what ipaddress takes for it
        first, second, third = found.groups()
        number = int(first) << 16 | int(second) << 8 | int(third)
        return 4, number, f"{first}.{second}.{third}.0/24"
    return _other_prefix(address) if len(address) <= _LONGEST else None


def prefix_of(address: str) -> str | None:
    """`203.0.113.0/24` of an address: what may be kept of it; None when it is none."""
    known = read_prefix(address)
    return None if known is None else known[2]


@lru_cache(maxsize=1_024)
def _other_prefix(text: str) -> Prefix | None:
    address, slash, length = text.strip().partition("/")
    try:
        known = ip_address(address)
    except ValueError:
        return None
    if isinstance(known, IPv6Address):
        known = known.ipv4_mapped or IPv6Address(int(known))  # without its zone
    bits = PREFIX_BITS[known.version]
    if slash and length != str(bits):
        return None
    cut = _WIDTH[known.version] - bits
    number = int(known) >> cut
    return known.version, number, f"{type(known)(number << cut)}/{bits}"


Lookup = Texts | Prefixes | Rates
