"""Nobody but this platform's own pages and processes reads, changes or wipes the embedded AWS.

Why real: what a request means is decided by the server that parses it, by the emulator that routes it and by our
guard between them. A forged request is therefore sent as bytes to the process that `prism up` starts.
"""

import json
import re
import socket
import struct
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded

from infra.local.emulator.environment import LOOPBACK
from prism_core.failures import PermanentFailure
from tests.integration.emulators import TOKEN, OwnEmulator
from tests.integration.fresh import worker_port

RESET = "/_ministack/reset"
FOREIGN_ORIGINS = [
    "http://evil.example",
    "null",
    "",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1:1",
    "http://127.0.0.1",
    "http://127.0.0.1:{port}.evil.example",
    "http://evil.example:{port}",
    "http://127.0.0.1:{port}, http://evil.example",
]
FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "localhost.evil.example:{port}",
    "evil-localhost:{port}",
    "127.0.0.1:1",
    "127.0.0.1",
    "0.0.0.0:{port}",
    "2130706433:{port}",
    "127.0.0.1:{port}/evil",
    "user@127.0.0.1:{port}",
    "127.0.0.1:{port}@evil.example",
    "evil.example, a.localhost:{port}",
    "[::1",
    "127.0.0.1:http",
    "",
]
PATHS = ["/", "/bucket/key", RESET, "/_prism/flush", "/_ministack/ses/messages", "/2015-03-31/functions"]


@dataclass(frozen=True)
class Answer:
    """What came back: the status line's number, the head and the body."""

    status: int
    head: str
    body: str

    @property
    def refused_by_us(self) -> bool:
        return self.status == 403 and "PRISM guard" in self.body


@dataclass(frozen=True)
class Wire:
    """Requests as bytes: no client library tidies what a forger would send."""

    port: int

    def send(self, request: bytes) -> Answer:
        with socket.create_connection((LOOPBACK, self.port), timeout=60) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = received.decode("latin-1").partition("\r\n\r\n")
        status = re.match(r"HTTP/1\.[01] (\d{3})", head)
        return Answer(int(status[1]) if status else 0, head.lower(), body)

    def ask(
        self, method: str, target: str, *headers: str, host: str | None = "127.0.0.1:{port}", version: str = "1.1"
    ) -> Answer:
        lines = [f"{method} {target} HTTP/{version}", "Connection: close", *headers]
        if host is not None:
            lines.insert(1, f"Host: {host}")
        if method == "POST":
            lines.append("Content-Length: 0")
        return self.send("\r\n".join([*lines, "", ""]).replace("{port}", str(self.port)).encode("latin-1"))

    def upgrade(self, target: str, *headers: str, host: str = "127.0.0.1:{port}") -> Answer:
        """A WebSocket handshake."""
        key = b64encode(b"0123456789abcdef").decode()
        lines = [
            f"GET {target} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket",
            f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *headers, "", "",
        ]  # fmt: skip
        request = "\r\n".join(lines).replace("{port}", str(self.port)).encode("latin-1")
        with socket.create_connection((LOOPBACK, self.port), timeout=60) as connection:
            # Reset at the end: an accepted handshake would otherwise be closed in an orderly and slow way.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(request)
            head = connection.recv(65536).decode("latin-1")
        return Answer(int(head.split()[1]), head.lower(), "")

    def ask_http2(self, method: str, path: str, authority: str, *headers: tuple[str, str]) -> Answer:
        """HTTP/2 in the clear, as a client with prior knowledge speaks it."""
        client = H2Connection(H2Configuration(client_side=True))
        client.initiate_connection()
        names = {":method": method, ":path": path, ":scheme": "http", ":authority": authority}
        request = [(name, value.replace("{port}", str(self.port))) for name, value in names.items()]
        client.send_headers(1, [*request, *headers], end_stream=True)
        status, body = 0, b""
        with socket.create_connection((LOOPBACK, self.port), timeout=60) as connection:
            while True:
                connection.sendall(client.data_to_send())
                for event in client.receive_data(connection.recv(65536)):
                    if isinstance(event, ResponseReceived):
                        status = int(dict(event.headers)[b":status"])
                    elif isinstance(event, DataReceived):
                        body += event.data
                    elif isinstance(event, StreamEnded):
                        return Answer(status, "", body.decode())


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnEmulator]:
    """An emulator to attack, with one number in a table that must still be there after every test."""
    own = OwnEmulator(tmp_path_factory.mktemp("guard"), worker_port(1)).start()
    own.create_tables()
    own.put(1)
    yield own
    own.end()


@pytest.fixture
def wire(emulator: OwnEmulator) -> Iterator[Wire]:
    yield Wire(emulator.port)
    assert emulator.numbers() == [1], "the data are gone"


def test_a_reset_without_the_token_is_refused(wire: Wire) -> None:
    answer = wire.ask("POST", RESET)

    assert answer.refused_by_us
    assert "needs the token" in json.loads(answer.body)["detail"]


def test_a_reset_with_the_token_wipes_everything(emulator: OwnEmulator) -> None:
    answer = Wire(emulator.port).ask("POST", RESET, f"X-Prism-Token: {TOKEN}")

    assert answer.status == 200
    assert emulator.client("dynamodb").list_tables()["TableNames"] == []
    emulator.create_tables()
    emulator.put(1)


@pytest.mark.parametrize(
    "target",
    [
        "/" + RESET,
        "/_ministack//reset",
        "/%5fministack/reset",
        "/%5Fminist%61ck/%72eset",
        "/_ministack%2freset",
        RESET + "/",
        RESET + "?init=1",
        RESET + "?x-prism-token=" + TOKEN,
        RESET + "%00",
        RESET + ";a=b",
        RESET + "#a",
        "/a/../_ministack/reset",
        "/./_ministack/reset",
        "/_localstack/../_ministack/reset",
        "/_localstack/state/reset",
        "/_localstack/health/../reset",
        "/_ministack/health/../reset",
        "/_ministack/config",
        "http://127.0.0.1:{port}" + RESET,
        "http://evil.example" + RESET,
        "127.0.0.1:{port}" + RESET,
        "_ministack/reset",
    ],
)
def test_no_spelling_of_an_administrative_path_gets_past_the_token(wire: Wire, target: str) -> None:
    assert wire.ask("POST", target).refused_by_us


@pytest.mark.parametrize("target", ["/_MINISTACK/RESET", "/_Ministack/reset", "/%255fministack/reset", "*", "/"])
def test_a_path_that_only_resembles_an_administrative_one_resets_nothing(wire: Wire, target: str) -> None:
    assert '"reset"' not in wire.ask("POST", target).body


@pytest.mark.parametrize("method", ["POST", "post", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "X"])
def test_every_method_that_may_write_needs_the_token(wire: Wire, method: str) -> None:
    assert wire.ask(method, RESET).status in {400, 403}


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override: POST", "X-Original-URL: " + RESET])
def test_a_header_that_names_another_method_or_path_changes_nothing(wire: Wire, header: str) -> None:
    assert '"reset"' not in wire.ask("GET", RESET, header).body


@pytest.mark.parametrize("host", [None, "", "evil.example"])
def test_an_http_1_0_request_needs_a_host_of_this_machine_all_the_same(wire: Wire, host: str | None) -> None:
    assert wire.ask("POST", RESET, f"X-Prism-Token: {TOKEN}", host=host, version="1.0").refused_by_us
    assert wire.ask("GET", "/", host=host, version="1.0").refused_by_us


@pytest.mark.parametrize(
    "headers",
    [
        ["Host: evil.example"],
        ["Host: 127.0.0.1:{port}"],
        ["Origin: http://127.0.0.1:{port}", "Origin: http://evil.example"],
        ["Origin: http://evil.example", "Origin: http://127.0.0.1:{port}"],
        ["Origin: http://127.0.0.1:{port}", "Origin: http://127.0.0.1:{port}"],
        ["X-Prism-Token: wrong", f"X-Prism-Token: {TOKEN}"],
        [f"X-Prism-Token: {TOKEN}", f"X-Prism-Token: {TOKEN}"],
    ],
)
def test_a_header_given_twice_counts_for_nothing(wire: Wire, headers: list[str]) -> None:
    token = [] if "Token" in headers[0] else [f"X-Prism-Token: {TOKEN}"]

    assert wire.ask("POST", RESET, *token, *headers).status in {400, 403}


def test_a_request_hidden_in_the_body_of_another_one_needs_the_token_too(wire: Wire) -> None:
    host = f"Host: 127.0.0.1:{wire.port}\r\n"
    hidden = f"POST {RESET} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: 0\r\n\r\n"
    outer = f"GET /_ministack/health HTTP/1.1\r\n{host}"
    smuggled = outer + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + hidden
    pipelined = outer + "\r\n" + hidden

    for request in (smuggled, pipelined):
        assert '"reset"' not in wire.send(request.encode()).body


@pytest.mark.parametrize("authority", ["127.0.0.1:{port}", "evil.example:{port}", "evil.example"])
def test_http_2_is_guarded_like_http_1(wire: Wire, authority: str) -> None:
    assert wire.ask_http2("POST", RESET, authority).refused_by_us
    assert wire.ask_http2("GET", "/", authority, ("origin", "http://evil.example")).refused_by_us


@pytest.mark.parametrize(
    "token", ["", "wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\xff\xfe\x80", TOKEN + "\xe9", "tökén"]
)
@pytest.mark.parametrize("path", [RESET, "/_prism/flush", "/_prism/hold"])
def test_any_bytes_but_those_of_the_token_are_refused(wire: Wire, path: str, token: str) -> None:
    assert wire.ask("POST", path, f"X-Prism-Token: {token}").refused_by_us


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "PUT"])
@pytest.mark.parametrize("path", ["/_prism/flush", "/_prism/hold", "/_prism/anything"])
def test_our_own_actions_need_the_token_by_every_method(wire: Wire, path: str, method: str) -> None:
    assert wire.ask(method, path).status == 403


def test_our_own_actions_answer_to_the_token(wire: Wire) -> None:
    token = f"X-Prism-Token: {TOKEN}"

    assert [wire.ask("POST", f"/_prism/{action}", token).status for action in ("hold", "flush", "else")] == [
        200,
        200,
        404,
    ]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_page_is_refused_on_every_path_by_every_method(wire: Wire, origin: str) -> None:
    for path in PATHS:
        for method in ("GET", "POST", "OPTIONS"):
            answer = wire.ask(method, path, f"Origin: {origin}", f"X-Prism-Token: {TOKEN}")
            assert answer.refused_by_us, (method, path)
            assert "access-control-allow" not in answer.head


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_name_that_was_bent_to_this_machine_is_refused_on_every_path(wire: Wire, host: str) -> None:
    for path in PATHS:
        for method in ("GET", "POST", "OPTIONS"):
            answer = wire.ask(method, path, f"X-Prism-Token: {TOKEN}", host=host)
            assert answer.refused_by_us, (method, path)


def test_a_preflight_of_a_foreign_page_allows_it_nothing(wire: Wire) -> None:
    asked = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-prism-token")

    answer = wire.ask("OPTIONS", "/", "Origin: http://evil.example", *asked)

    assert answer.refused_by_us
    assert "access-control-allow" not in answer.head


@pytest.mark.parametrize("origin", ["http://127.0.0.1:{port}", "http://localhost:{port}", "http://[::1]:{port}"])
def test_a_page_of_this_platform_may_ask(wire: Wire, origin: str) -> None:
    preflight = wire.ask("OPTIONS", "/bucket/key", f"Origin: {origin}", "Access-Control-Request-Method: GET")

    assert preflight.status == 200
    assert "access-control-allow-origin" in preflight.head
    assert not wire.ask("GET", "/", f"Origin: {origin}").refused_by_us


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "LocalHost:{port}", "[::1]:{port}", "a-b.s3.localhost:{port}"]
)
def test_every_name_of_this_machine_is_taken(wire: Wire, host: str) -> None:
    answer = wire.ask("GET", "/", host=host)

    assert answer.status != 403
    assert answer.status < 500


@pytest.mark.parametrize("path", ["/_ministack/health", "/_ministack/ready", "/_localstack/health", "/health"])
def test_whether_it_lives_may_be_asked_by_anybody(wire: Wire, path: str) -> None:
    assert wire.ask("GET", path, "Origin: http://evil.example", host="evil.example").status == 200
    assert wire.ask("POST", path, "Origin: http://evil.example").refused_by_us


@pytest.mark.parametrize(
    "query", ["Action=DeleteQueue", "%41ction=DeleteQueue", "a=b&Action=DeleteQueue", "Action=", "a&Action"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_picture_tag_cannot_call_an_aws_action(
    wire: Wire, emulator: OwnEmulator, method: str, query: str
) -> None:
    """A browser sends no Origin with a picture, and the emulator takes an action from any query string."""
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]

    answer = wire.ask(method, f"/000000000000/kept?{query}&QueueUrl={url}&Version=2012-11-05")

    assert answer.status == 403
    assert sqs.list_queues()["QueueUrls"] == [url]


@pytest.mark.parametrize("service", ["AmazonAthena", "AmazonSSM", "x", ""])
def test_sql_for_athena_needs_the_token(wire: Wire, service: str) -> None:
    """The emulator's Athena opens any file that the user can read, and nothing of PRISM asks it locally."""
    scope = "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/athena/aws4_request"
    target = f"X-Amz-Target: {service}.StartQueryExecution"

    assert wire.ask("POST", "/", scope, target).refused_by_us
    assert wire.ask("POST", "/", scope, target, "X-Prism-Token: wrong").refused_by_us
    assert not wire.ask("POST", "/", scope, target, f"X-Prism-Token: {TOKEN}").refused_by_us


@pytest.fixture(scope="module")
def websocket(emulator: OwnEmulator) -> str:
    """The path of a WebSocket API that accepts whoever gets through."""
    gateway: Any = emulator.client("apigatewayv2")
    api = gateway.create_api(Name="ws", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")
    gateway.create_stage(ApiId=api["ApiId"], StageName="live")
    return f"/_aws/execute-api/{api['ApiId']}/live"


def test_a_websocket_of_a_page_of_this_platform_is_accepted(wire: Wire, websocket: str) -> None:
    assert wire.upgrade(websocket, "Origin: http://127.0.0.1:{port}").status == 101
    assert wire.upgrade(websocket).status == 101


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_websocket_of_a_foreign_page_is_refused(wire: Wire, websocket: str, origin: str) -> None:
    assert wire.upgrade(websocket, f"Origin: {origin}").status == 403


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_websocket_under_a_bent_name_is_refused(wire: Wire, websocket: str, host: str) -> None:
    assert wire.upgrade(websocket, host=host).status == 403


def test_without_a_token_nothing_is_served(tmp_path: Path) -> None:
    own = OwnEmulator(tmp_path, worker_port(6))

    with pytest.raises(PermanentFailure, match="refuses to start: no token"):
        own.start(token="")
