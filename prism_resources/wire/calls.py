"""Calls over HTTP that are tried again, waited for, or given up, as the service's table of errors says.

Belongs here: the one loop of attempts, limits of time, and handing every answer to the archive before anybody
looks at it. Does not belong here: what an answer means (`judge` of each connector) and what is asked.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Self, cast

import httpx
import msgspec

from prism_core import clock
from prism_core.failures import PermanentFailure, TransientFailure
from prism_resources.wire.exchanges import Exchange, Scrubber
from prism_resources.wire.patience import Patience

CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 120.0
# Before the second, third, … attempt.
BACK_OFF_SECONDS: Final = (2.0, 8.0, 30.0, 60.0)
# When the service says "not now" and not for how long.
UNTOLD_WAIT_SECONDS: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 600.0, 600.0)
# An answer of a page has a few megabytes; what is larger is none.
MOST_BYTES: Final = 64 * 1024 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Do(StrEnum):
    """What must happen after an answer that is none."""

    RETRY = "retry"
    WAIT = "wait"
    SMALLER_PAGES = "smaller_pages"
    SPLIT = "split"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` tells a person what went wrong and what to do. `seconds`: how long the service asks for."""

    do: Do
    why: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `json` is None when it is none."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any


class TooMuch(TransientFailure):
    """The same question for less may be answered: `do` says whether in smaller pages or in parts."""

    def __init__(self, verdict: Verdict) -> None:
        self.do = verdict.do
        super().__init__(verdict.why)


class Refused(PermanentFailure):
    """The service says no, and will say so again: a person must act."""


Judge = Callable[[Answer], Verdict | None]
Keep = Callable[[Exchange], None]


def keep_nothing(_: Exchange) -> None:
    """For calls that no figure comes from, such as the check of a token."""


class Calls:
    """One service with one token. A context manager: its connections go with it. For one thread."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        token: str,
        secrets: tuple[str, ...] = (),
        judge: Judge,
        patience: Patience,
        keep: Keep = keep_nothing,
        cut: Callable[[bytes], bytes] = lambda body: body,
        pause: Callable[[Answer], float] = lambda _: 0.0,
    ) -> None:
        """`secrets` must never be seen, beside the token; `pause`: seconds to wait after an answer.

        `cut` takes out of a body what must not even be archived.
        """
        _keep_addresses_out_of_logs()
        self._name, self._judge, self._patience, self._keep, self._pause = name, judge, patience, keep, pause
        self._scrub, self._cut = Scrubber((token, *secrets)), cut
        host = httpx.URL(base_url).host
        self._client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            trust_env=host not in _LOOPBACK,  # not through a proxy to this machine
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, step: str, path: str, parameters: Mapping[str, str | int]) -> Answer:
        """Ask. Raises as `_call`."""
        return self._call(step, "GET", path, parameters, {"params": parameters})

    def post(self, step: str, path: str, fields: Mapping[str, str | int]) -> Answer:
        """Send the fields of a form. Raises as `_call`."""
        return self._call(step, "POST", path, fields, {"data": fields})

    def post_json(self, step: str, path: str, body: Mapping[str, Any]) -> Answer:
        """Send JSON. Raises as `_call`."""
        return self._call(step, "POST", path, body, {"json": body})

    def _call(
        self, step: str, method: str, path: str, asked: Mapping[str, Any], sent: Mapping[str, Any]
    ) -> Answer:
        """The first answer that is one.

        Raises Refused (a person must act), TransientFailure (tried often enough, or waited long enough), TooMuch
        (ask for less) and Cancelled.
        """
        attempts = waits = 0
        while True:
            self._patience.check()
            found = self._attempt(step, method, path, asked, sent)
            if isinstance(found, Answer):
                self._slow_down(found)
                return found
            why, told = self._scrub.text(found.why), found.seconds
            match found.do:
                case Do.STOP:
                    raise Refused(why)
                case Do.SPLIT | Do.SMALLER_PAGES:
                    raise TooMuch(Verdict(found.do, why))
                case Do.WAIT:
                    if waits == len(UNTOLD_WAIT_SECONDS):
                        raise TransientFailure(f"{why}; it said so {waits + 1} times; try again later")
                    self._patience.wait(UNTOLD_WAIT_SECONDS[waits] if told is None else told, why)
                    waits += 1
                case Do.RETRY:
                    if attempts == len(BACK_OFF_SECONDS):
                        raise TransientFailure(f"{why}; {attempts + 1} attempts; try again later")
                    self._patience.wait(BACK_OFF_SECONDS[attempts] if told is None else told, why)
                    attempts += 1

    def _attempt(
        self, step: str, method: str, path: str, asked: Mapping[str, Any], sent: Mapping[str, Any]
    ) -> Answer | Verdict:
        try:
            with self._client.stream(method, path, **sent) as found:
                body = _limited(found)
        except (httpx.TransportError, httpx.DecodingError) as error:
            # The words of some of these hold the address; their kind is enough.
            return Verdict(Do.RETRY, f"{self._name} could not be reached ({type(error).__name__})")
        exchange = Exchange(
            step,
            method,
            path,
            self._scrub.asked(asked),
            clock.now().isoformat(),
            found.status_code,
            self._scrub.headers(found.headers),
            self._cut(self._scrub.body(body)),
        )
        self._keep(exchange)
        answer = answer_of(exchange)
        return self._judge(answer) or answer

    def _slow_down(self, answer: Answer) -> None:
        """What the service asks of those who come close to a limit."""
        seconds = self._pause(answer)
        if seconds > 0:
            self._patience.wait(seconds, f"{self._name} asks for a pause before its limit is reached")


def answer_of(exchange: Exchange) -> Answer:
    """An archived call as the answer that it was."""
    try:
        found = msgspec.json.decode(exchange.body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        found = None
    return Answer(exchange.status, exchange.headers, exchange.body, found)


def object_of(found: object) -> Mapping[str, Any]:
    """What JSON calls an object; an empty one for anything else."""
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def _limited(found: httpx.Response) -> bytes:
    """The body, unpacked. A longer one is refused as a broken connection would be."""
    parts, size = list[bytes](), 0
    for part in found.iter_bytes():
        size += len(part)
        if size > MOST_BYTES:
            raise httpx.ReadError(f"more than {MOST_BYTES:,} bytes")
        parts.append(part)
    return b"".join(parts)


def _keep_addresses_out_of_logs() -> None:
    """httpx writes every address to the log, and the check of a token carries it in the address."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
