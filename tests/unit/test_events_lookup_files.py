"""Files of lookups are read whole or refused with the line; services are named before anything is sent."""

from decimal import Decimal
from ipaddress import ip_address

import pytest
from pydantic import ValidationError

from prism_core.events.lookup_files import entries_of, read_lookup
from prism_core.events.lookups import Rates, Texts
from prism_core.events.services import Service
from prism_core.failures import PermanentFailure
from prism_resources.events.outside import allowed


def test_a_file_says_by_its_header_what_it_is() -> None:
    texts = read_lookup(3, b'\xef\xbb\xbftext,value\njob-1,P-1\r\n\r\n"a,b",P-2\n')
    rates = read_lookup(1, b"currency,EUR\nUSD,0.90\n")
    networks = read_lookup(2, b"network,country\n203.0.113.0/24,NZ\n2001:db8::/32,DE\n")

    assert texts == Texts(3, {"job-1": "P-1", "a,b": "P-2"})
    assert rates == Rates(1, "EUR", {"USD": Decimal("0.90")})
    assert [entries_of(one) for one in (texts, rates, networks)] == [2, 1, 2]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "the first line is"),
        (b"name,project\nx,y\n", "the first line is"),
        (b"currency,euro\nUSD,1\n", "the first line is"),
        (b"text,value\na,b,c\n", "line 2 has 3 columns"),
        (b"text,value\na,\n", "line 2 has an empty column"),
        (b"text,value\na,b\na,c\n", "line 3 says 'a' once more"),
        (b'text,value\n"a,b\n', "is no CSV"),
        (b"text,value\n\xff,b\n", "is not UTF-8"),
        (b"currency,EUR\nUSD,NaN\n", "is no currency"),
        (b"currency,EUR\nUSD,-1\n", "is no currency"),
        (b"network,country\n203.0.113.7/32,NZ\n", "would name people"),
    ],
    ids=[
        "empty",
        "header",
        "base",
        "columns",
        "no value",
        "twice",
        "quote",
        "bytes",
        "nan",
        "negative",
        "address",
    ],
)
def test_what_is_no_table_is_refused_with_its_line(text: bytes, reason: str) -> None:
    with pytest.raises(PermanentFailure, match=reason):
        read_lookup(1, text)


@pytest.mark.parametrize(
    "service",
    [
        {"url": "https://api.example.com/v1/{text}", "networks": ["10.0.0.0/8", "fd00::/8"]},
        {"url": "http://127.0.0.1:80/?q={text}", "networks": ["127.0.0.0/8"], "answer": "/a/0"},
    ],
    ids=["https", "own network"],
)
def test_a_service_asks_one_host(service: dict[str, object]) -> None:
    assert Service.model_validate(service).own_networks


@pytest.mark.parametrize(
    "service",
    [
        {"url": "https://{text}.example.com/"},
        {"url": "https://example.com/none"},
        {"url": "https://example.com/{text}/{text}"},
        {"url": "http://example.com/{text}"},
        {"url": "https://user:word@example.com/{text}"},
        {"url": "file:///etc/{text}"},
        {"url": "https://example.com/{text}", "networks": ["10.0.0.1/8"]},
        {"url": "https://example.com/{text}", "answer": "a"},
        {"url": "https://example.com/{text}", "timeout_seconds": 60},
    ],
    ids=["host", "no text", "twice", "plain", "user", "file", "network", "pointer", "time-out"],
)
def test_a_service_that_an_event_could_steer_or_that_is_open_to_all_is_refused(service: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Service.model_validate(service)


PUBLIC = Service(url="https://example.com/{text}")
OWN = Service(url="http://example.com/{text}", networks=("10.1.0.0/16",))


@pytest.mark.parametrize(
    ("address", "services"),
    [
        ("93.184.216.34", "public own"),
        ("2606:2800:220:1::1", "public own"),
        ("10.1.2.3", "own"),
        ("10.2.2.3", ""),
        ("::ffff:10.1.2.3", "own"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("169.254.169.254", ""),
        ("fe80::1", ""),
        ("100.64.0.1", ""),
        ("224.0.0.1", ""),
        ("0.0.0.0", ""),  # noqa: S104 - nobody listens
        ("255.255.255.255", ""),
        ("fd00:ec2::254", ""),
        ("64:ff9b::a9fe:a9fe", ""),
        ("2002:7f00:1::1", ""),
    ],
)
def test_a_call_goes_to_public_addresses_and_named_networks_alone(address: str, services: str) -> None:
    found = {name for name, one in (("public", PUBLIC), ("own", OWN)) if allowed(ip_address(address), one)}

    assert found == set(services.split())
