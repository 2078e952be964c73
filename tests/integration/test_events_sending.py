"""What `prism events send` tells of each event when the API stops taking them half-way.

Why real: torn connections are things of sockets; the answers are those of the ingest function (docs/events.md).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest

from infra.cli.send_events import REFUSED, Row, post
from prism_core.failures import TransientFailure

ACCEPTED_AT = "2026-11-23T08:00:00+00:00"


@contextmanager
def api(*, requests: int, then: HTTPStatus | None = None, saying: bytes = b"") -> Iterator[str]:
    """An API that takes so many requests, and answers `then` to each that follows, `saying` something; without
    `then` it cuts them off."""
    left = [requests]

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            left[0] -= 1
            if left[0] < 0:
                self.close_connection = True
                if then is not None:
                    self.send_response(then)
                    self.end_headers()
                    self.wfile.write(saying)
                return
            rows = [
                {"row": number, "status": 202, "receipt": f"of {one['id']}", "accepted_at": ACCEPTED_AT}
                for number, one in enumerate(body)
            ]
            answer = json.dumps({"accepted": len(rows), "refused": 0, "rows": rows}).encode()
            self.send_response(202)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Api) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/api/events"
        server.shutdown()


def events(count: int) -> list[Row]:
    return [Row(f"events.jsonl:{number}", {"id": f"{number}"}) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("then", "of_the_next"),
    [
        pytest.param(None, "may have taken these without an answer", id="cut-off"),
        pytest.param(HTTPStatus.BAD_GATEWAY, "may have taken these without an answer", id="function-died"),
        pytest.param(HTTPStatus.UNAUTHORIZED, "takes no events of this producer", id="token-ended"),
    ],
)
def test_what_was_accepted_keeps_its_receipt_and_the_rest_says_why_it_has_none(
    then: HTTPStatus | None, of_the_next: str
) -> None:
    rows, sent = events(301), list[int]()

    with api(requests=2, then=then) as url, httpx.Client() as http:
        post(http, url, rows, sent.append)

    assert [row.receipt for row in rows[:200]] == [f"of {number}" for number in range(1, 201)]
    assert sent == [100, 100]
    assert {row.verdict for row in rows[200:]} == {REFUSED}
    assert all(of_the_next in row.reason and "not sent" not in row.reason for row in rows[200:300])
    assert rows[300].reason.startswith("not sent: ")


@pytest.mark.parametrize(
    ("saying", "told"),
    [
        (b'{"message": "Bad Request"}', "Bad Request"),
        (b"{}", "the API answered 400"),
        (b"[]", "the API answered 400"),
    ],
)
def test_what_is_refused_by_what_stands_before_the_api_has_its_reason(saying: bytes, told: str) -> None:
    rows = events(101)

    with api(requests=1, then=HTTPStatus.BAD_REQUEST, saying=saying) as url, httpx.Client() as http:
        post(http, url, rows, lambda _: None)

    assert (rows[-1].verdict, rows[-1].reason.startswith(told)) == (REFUSED, True)


def test_an_api_that_takes_nothing_at_all_is_a_failure_that_passes() -> None:
    with (
        api(requests=0) as url,
        httpx.Client() as http,
        pytest.raises(TransientFailure, match="without an answer"),
    ):
        post(http, url, events(3), lambda _: None)
