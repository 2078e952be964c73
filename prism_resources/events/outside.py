"""What a service outside knows of a text.

Belongs here: asking one of the services that the settings name, so that neither an event nor a name server can
send the call elsewhere, and so that a service that is down costs little. Does not belong here: which event is
enriched by what (rules of its type).
The standard library's client, over an address that was looked at first: it follows no redirect and knows no proxy.
"""

import http.client
import ipaddress
import json
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from prism_core.events.enrichment import at
from prism_core.events.services import TEXT, Service
from prism_core.failures import BadUsage, PermanentFailure, TransientFailure

MAX_TEXT: Final = 200
# These alone would be steps of a path, which no quoting hides.
_STEPS: Final = frozenset({".", ".."})
MAX_ANSWER_BYTES: Final = 64 * 1024
MAX_REMEMBERED: Final = 10_000
# After so many failures in a row nobody asks for a while; then one call finds out.
FAILURES_IN_A_ROW: Final = 5
LEFT_ALONE_SECONDS: Final = 30.0
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unanswered(TransientFailure):
    """The service did not answer in time, not in its form, or is left alone for a while."""


class NotAllowed(PermanentFailure):
    """The call would go where no call may go."""


@dataclass(slots=True)
class _Breaker:
    """Failures in a row of a service, and until when it is left alone."""

    failures: int = 0
    until: float = 0.0


class Outside:
    """The allowed services, with what they answered. For many threads; one a container."""

    def __init__(self, services: Mapping[str, Service], *, now: Callable[[], float] = time.monotonic) -> None:
        self._services, self._now = services, now
        self._known: OrderedDict[tuple[str, str], tuple[float, str | None]] = OrderedDict()
        self._breakers = {name: _Breaker() for name in services}
        self._lock = threading.Lock()

    def ask(self, name: str, text: str) -> str | None:
        """What the service says of a text; None when it knows nothing.

        Raises BadUsage for a service that the settings do not name, NotAllowed, Unanswered.
        """
        service = self._services.get(name)
        if service is None:
            raise BadUsage(f"no service {name!r} may be asked; the setting event_services names {self._names()}")
        if len(text) > MAX_TEXT or text in _STEPS:
            return None
        remembered = self._remembered(name, text)
        if remembered is not None:
            return remembered[0]
        with self._guarded(name):
            answer = _asked(service, text)
        self._remember(name, text, answer, service.remember_seconds)
        return answer

    def _names(self) -> str:
        return ", ".join(sorted(self._services)) or "none"

    def _remembered(self, name: str, text: str) -> tuple[str | None] | None:
        with self._lock:
            until, answer = self._known.get((name, text), (0.0, None))
            return (answer,) if self._now() < until else None

    def _remember(self, name: str, text: str, answer: str | None, seconds: int) -> None:
        with self._lock:
            self._known[name, text] = (self._now() + seconds, answer)
            self._known.move_to_end((name, text))
            while len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)

    @contextmanager
    def _guarded(self, name: str) -> Iterator[None]:
        breaker = self._breakers[name]
        with self._lock:
            if self._now() < breaker.until:
                raise Unanswered(f"{name} failed {breaker.failures} times in a row and is left alone for a while")
            if breaker.failures >= FAILURES_IN_A_ROW:
                breaker.until = self._now() + LEFT_ALONE_SECONDS  # one finds out, the others wait for it
        try:
            yield
        except (Unanswered, NotAllowed):
            with self._lock:
                breaker.failures += 1
                if breaker.failures >= FAILURES_IN_A_ROW:
                    breaker.until = self._now() + LEFT_ALONE_SECONDS
            raise
        with self._lock:
            breaker.failures, breaker.until = 0, 0.0


def allowed(address: Address, service: Service) -> bool:
    """Whether a call may go to an address: a public one, or one of the networks that the service has."""
    plain = (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address
    if any(plain.version == network.version and plain in network for network in service.own_networks):
        return True
    if isinstance(plain, ipaddress.IPv6Address) and (plain.sixtofour or plain.teredo or plain in _NAT64):
        return False  # it leads to an address of version 4 that nobody has looked at
    return plain.is_global and not (plain.is_multicast or plain.is_reserved or plain.is_unspecified)


def _asked(service: Service, text: str) -> str | None:
    parts = urlsplit(service.url.replace(TEXT, quote(text, safe="")))
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    deadline = time.monotonic() + service.timeout_seconds
    address = _address(service, host, port)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    try:
        status, body = _get(parts.scheme, host, str(address), port, path, deadline)
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(f"{host} did not answer within {service.timeout_seconds:g} s: {error}") from error
    if status in {404, 204}:
        return None
    if status != 200:
        raise Unanswered(f"{host} answered {status}")
    return _value(service, host, body)


def _address(service: Service, host: str, port: int) -> Address:
    """The address to connect to. One that may not be called spoils the others: somebody plays with the name."""
    found: list[Address] = []
    problem: list[OSError] = []

    def resolve() -> None:
        try:
            for *_, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                found.append(ipaddress.ip_address(str(where[0]).partition("%")[0]))
        except OSError as error:
            problem.append(error)

    resolver = threading.Thread(target=resolve, daemon=True)  # the resolver itself knows no time limit
    resolver.start()
    resolver.join(service.timeout_seconds)
    if not found:
        raise Unanswered(f"{host} has no address{f': {problem[0]}' if problem else ' in time'}")
    for one in found:
        if not allowed(one, service):
            raise NotAllowed(f"{host} is {one}, which is no public address and in none of its networks")
    return found[0]


def _get(scheme: str, host: str, address: str, port: int, path: str, deadline: float) -> tuple[int, bytes]:
    """Status and body, of at most 64 KiB. The socket is cut off at the deadline, however slowly the bytes drip."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no time was left")
    plain = socket.create_connection((address, port), timeout=left)
    cut = threading.Timer(max(0.0, deadline - time.monotonic()), _shut, [plain])
    cut.daemon = True
    cut.start()
    connection = http.client.HTTPConnection(host, port)
    try:
        connection.sock = _secured(plain, host) if scheme == "https" else plain
        connection.request("GET", path, headers={"Accept": "application/json", "Accept-Encoding": "identity"})
        answer = connection.getresponse()
        body = answer.read(MAX_ANSWER_BYTES + 1)
        if time.monotonic() >= deadline:
            raise TimeoutError("it took too long")
        return answer.status, body
    finally:
        cut.cancel()
        connection.close()
        plain.close()


def _secured(plain: socket.socket, host: str) -> socket.socket:
    import ssl  # noqa: PLC0415 - 10 ms of a cold start, for those that ask somebody

    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _shut(plain: socket.socket) -> None:
    try:
        plain.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed in the same moment


def _value(service: Service, host: str, body: bytes) -> str | None:
    if len(body) > MAX_ANSWER_BYTES:
        raise Unanswered(f"{host} answered more than {MAX_ANSWER_BYTES:,} bytes")
    try:
        found: Any = at(json.loads(body), service.answer)
    except (ValueError, RecursionError) as error:
        raise Unanswered(f"{host} answered no JSON") from error
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    return str(found)[:MAX_TEXT]
