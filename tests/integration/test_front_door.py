"""The front door over the deployed API, and over servers that are down, slow or break off.

Why real: what passes through unchanged, what streams and who is refused is decided by servers and sockets.
"""

import asyncio
import base64
import gc
import hashlib
import json
import re
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from infra.local.frontdoor import MAX_BODY_BYTES, MAX_CONNECTIONS, Behind, front_door_app
from infra.local.mail.mailbox import mailbox_app
from infra.local.platform import Platform
from infra.local.screens import Screens
from infra.local.serving import front_door
from prism_api.api.calls import Role
from tests.integration.deployed import PASSWORD, Deployed

SECURITY_HEADERS = {
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
}
API = "a1b2c3d4"
# The test client's own pause, not the door's.
PATIENCE = 60


@contextmanager
def serving(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """An app on a socket, in a thread."""
    loop, stopping = asyncio.new_event_loop(), asyncio.Event()
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = 0.2
    config.loglevel = "CRITICAL"
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(serve(app, config, shutdown_trigger=stopping.wait)),  # type: ignore[arg-type]
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(PATIENCE)


def listening() -> tuple[socket.socket, int]:
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, listener.getsockname()[1]


@contextmanager
def door_over(behind_port: int, **changes: Any) -> Iterator[str]:
    """A front door over whatever is on a port; its own address."""
    listener, port = listening()
    behind = Behind(f"http://127.0.0.1:{behind_port}", API, "us-east-1_Pool", **changes)
    with serving(front_door_app(port, behind), listener):
        yield f"http://127.0.0.1:{port}"


async def mirror(request: Request) -> Response:
    """What arrived."""
    return JSONResponse(
        {
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "headers": [[name.decode(), value.decode()] for name, value in request.headers.raw],
            "body": len(await request.body()),
        }
    )


async def failing(request: Request) -> Response:
    headers = {"x-of-the-function": "yes", "access-control-allow-origin": "*", "cache-control": "max-age=5"}
    return Response(f"as it was {request.path_params['status']}", request.path_params["status"], headers)


first_came = threading.Event()


async def drops(_: Request) -> Response:
    """The second line waits for the reader of the first."""

    async def body() -> AsyncIterator[bytes]:
        yield b"first\n"
        came = await asyncio.to_thread(first_came.wait, PATIENCE / 2)
        yield b"second\n" if came else b"nobody has read the first\n"

    return StreamingResponse(body(), media_type="text/plain")


async def slow(_: Request) -> Response:
    await asyncio.sleep(30)
    return Response("too late")


held = threading.Semaphore(0)
let_go = threading.Event()


async def holding(_: Request) -> Response:
    """Says that it was asked, and answers when it is let go."""
    held.release()
    while not let_go.is_set():
        await asyncio.sleep(0.01)
    return Response("at last")


@pytest.fixture(scope="module")
def stand_in() -> Iterator[int]:
    """A server in the place of the emulator; the port."""
    prefix = f"/_aws/execute-api/{API}/$default/api"
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    app = Starlette(
        routes=[
            Route(f"{prefix}/status/{{status:int}}", failing, methods=methods),
            Route(f"{prefix}/drops", drops),
            Route(f"{prefix}/slow", slow),
            Route(f"{prefix}/holding", holding),
            Route("/{rest:path}", mirror, methods=methods),
        ]
    )
    listener, port = listening()
    with serving(app, listener):
        yield port


@pytest.fixture(scope="module")
def door(stand_in: int) -> Iterator[str]:
    with door_over(stand_in) as url:
        yield url


def request_with(
    url: str, path: str, *headers: tuple[str, str], method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """A request exactly as given: no library tidies the path or adds a Host."""
    parts = urlsplit(url)
    lines = [
        f"{method} {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers),
        "Connection: close",
        "",
        "",
    ]
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=PATIENCE) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    found = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return int(status.split()[1]), found, body


def host_of(url: str) -> tuple[str, str]:
    return "Host", urlsplit(url).netloc


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_call_arrives_as_it_was_sent(door: str, method: str) -> None:
    body = b"x" * 300_000 if method in {"POST", "PUT", "PATCH"} else b""

    answer = httpx.request(
        method,
        f"{door}/api/allocations/eyJ%2F%23a?q=a%20b&q=c&flag",
        content=body,
        headers={"If-Match": '"3"'},
        timeout=PATIENCE,
    ).json()

    assert (answer["method"], answer["query"], answer["body"]) == (method, "q=a%20b&q=c&flag", len(body))
    assert answer["path"] == f"/_aws/execute-api/{API}/$default/api/allocations/eyJ%2F%23a"
    assert ["if-match", '"3"'] in answer["headers"]


def test_what_could_steer_the_embedded_aws_does_not_pass(door: str) -> None:
    steering = {
        "X-Amz-Target": "DynamoDB_20120810.Scan", "X-Amz-Date": "x", "X-Ministack-Invoke-Depth": "9",
        "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "Origin": door,
    }  # fmt: skip

    arrived = {
        name for name, _ in httpx.get(f"{door}/api/x", headers=steering, timeout=PATIENCE).json()["headers"]
    }

    assert not arrived & {name.lower() for name in steering}


@pytest.mark.parametrize("status", [200, 304, 400, 401, 403, 404, 409, 412, 422, 428, 429, 500, 502, 503])
def test_an_answer_passes_through_unchanged(door: str, status: int) -> None:
    answer = httpx.get(f"{door}/api/status/{status}", timeout=PATIENCE)

    assert answer.status_code == status
    assert answer.headers["x-of-the-function"] == "yes"
    assert answer.headers["cache-control"] == "max-age=5"
    assert answer.text == ("" if status == 304 else f"as it was {status}")
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/api/status/200", "/api/status/500", "/login", "/oauth2/authorize"]
)
def test_every_answer_has_the_security_headers(door: str, path: str) -> None:
    assert set(httpx.get(door + path, timeout=PATIENCE).headers) >= SECURITY_HEADERS


def test_an_answer_streams_as_it_comes(door: str) -> None:
    came: list[bytes] = []
    first_came.clear()

    with httpx.stream("GET", f"{door}/api/drops", timeout=PATIENCE) as answer:
        for chunk in answer.iter_raw():
            came.append(chunk)
            first_came.set()

    assert came == [b"first\n", b"second\n"]


@pytest.fixture
def no_collection() -> Iterator[None]:
    """What nobody gives back is not given back by chance."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_clients_that_go_away_before_their_answer_take_no_connection_with_them(stand_in: int) -> None:
    """As a list does that is filtered letter by letter: two and a half as many calls as there are connections."""
    rounds, clients = 10, MAX_CONNECTIONS // 4
    with door_over(stand_in, answer_seconds=PATIENCE) as door:
        parts = urlsplit(door)
        call = f"GET /api/holding HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        for _ in range(rounds):
            let_go.clear()
            gone = [socket.create_connection((parts.hostname or "", parts.port or 0)) for _ in range(clients)]
            for one in gone:
                one.sendall(call)
            assert all(held.acquire(timeout=PATIENCE) for _ in gone), "a call did not reach what is behind"
            for one in gone:
                one.close()
            httpx.get(door, timeout=PATIENCE)  # the door's own page: by then it has heard of them
            let_go.set()
            assert httpx.get(f"{door}/api/x", timeout=PATIENCE).status_code == 200


def test_a_body_over_the_limit_is_refused_before_it_is_sent_on(door: str) -> None:
    told = httpx.post(f"{door}/api/x", content=b"x" * (MAX_BODY_BYTES + 1), timeout=PATIENCE)
    untold = httpx.post(f"{door}/api/x", content=iter([b"x" * 1_000_000] * 11), timeout=PATIENCE)

    assert [told.status_code, untold.status_code] == [413, 413]
    assert {told.headers["content-type"], untold.headers["content-type"]} == {"application/problem+json"}


def test_a_server_that_is_too_slow_gives_504(stand_in: int) -> None:
    with door_over(stand_in, answer_seconds=2.0) as door:
        answer = httpx.get(f"{door}/api/slow", timeout=PATIENCE)

    assert (answer.status_code, answer.headers["content-type"]) == (504, "application/problem+json")
    assert answer.json()["instance"] == "/api/slow"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "path", ["/api/x", "/login", "/.well-known/jwks.json", "/.well-known/openid-configuration"]
)
def test_a_server_that_is_down_gives_502(path: str) -> None:
    with socket.socket() as nobody:  # bound and deaf: nobody else can get the port meanwhile
        nobody.bind(("127.0.0.1", 0))
        with door_over(nobody.getsockname()[1]) as url:
            answer = httpx.get(url + path, timeout=PATIENCE)

    assert (answer.status_code, answer.headers["content-type"]) == (502, "application/problem+json")
    assert "prism status" in answer.json()["detail"]


def test_a_server_that_hangs_up_gives_502() -> None:
    listener, port = listening()

    def hang_up() -> None:
        connection, _ = listener.accept()
        connection.recv(65_536)
        connection.close()

    threading.Thread(target=hang_up, daemon=True).start()
    with door_over(port) as url:
        assert httpx.get(f"{url}/api/x", timeout=PATIENCE).status_code == 502
    listener.close()


@pytest.mark.parametrize("path", ["/", "/api/x", "/mailbox/", "/login", "/hooks/x"])
@pytest.mark.parametrize(
    "headers",
    [
        [("Host", "evil.example")],
        [("Host", "127.0.0.1:1")],
        [("Host", "127.0.0.1")],
        [("Host", "{own}"), ("Origin", "http://evil.example")],
        [("Host", "{own}"), ("Origin", "null")],
        [("Host", "{own}"), ("Origin", "http://{own}"), ("Origin", "http://evil.example")],
    ],
    ids=["another-name", "another-port", "no-port", "another-page", "no-page", "two-pages"],
)
def test_a_foreign_host_or_origin_is_refused_everywhere(
    door: str, path: str, headers: list[tuple[str, str]]
) -> None:
    own = urlsplit(door).netloc

    for method in ("GET", "POST", "OPTIONS"):
        given = [(name, value.replace("{own}", own)) for name, value in headers]
        status, answered, body = request_with(door, path, *given, ("Content-Length", "0"), method=method)
        assert (status, answered["content-type"]) == (403, "application/problem+json"), body


@pytest.mark.parametrize("path", ["/api/../_ministack/reset", "/api/%2e%2e/%2e%2e/x", "/api/./x", "/hooks/a/.."])
def test_a_path_that_climbs_is_refused(door: str, path: str) -> None:
    status, _, body = request_with(door, path, host_of(door))

    assert status == 400, body


@pytest.mark.parametrize(
    "path", ["/_ministack/health", "/_aws/execute-api/x/y", "/apix", "/2015-03-31/functions", "//api/x"]
)
def test_nothing_else_of_the_embedded_aws_is_served(door: str, path: str) -> None:
    status, _, _ = request_with(door, path, host_of(door))

    assert status == 404


@pytest.mark.parametrize("token", ["W10.e30.x", "MQ.e30.x", "not-a-token", "a.b.c", ".", "Ag==.x.y", "[" * 9000])
def test_a_token_that_is_none_gives_401_whatever_the_embedded_aws_makes_of_it(door: str, token: str) -> None:
    answer = httpx.get(f"{door}/api/x", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)

    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def test_a_signature_of_a_hook_is_not_taken_for_a_token(door: str) -> None:
    answer = httpx.post(f"{door}/hooks/x", headers={"Authorization": "anything"}, timeout=PATIENCE)

    assert answer.status_code == 200


def test_the_mailbox_works_below_its_path(stand_in: int, tmp_path: Path) -> None:
    with (
        door_over(stand_in, mailbox=mailbox_app(tmp_path, "127.0.0.1:2525")) as url,
        httpx.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        page = client.get("/mailbox", follow_redirects=True)
        links = re.findall(r'(?:href|src|action)="([^"]+)"', page.text)
        answers = {link: client.get(link).status_code for link in links if link.startswith("/mailbox/")}
        listed = client.get("/mailbox/api/messages")
        missing = client.get("/mailbox/api/messages/nothing")

    assert page.status_code == 200
    assert [link for link in links if link.startswith("/") and not link.startswith("/mailbox/")] == []
    assert answers
    assert set(answers.values()) == {200}
    assert listed.json()["messages"] == []
    assert missing.headers["content-type"] == "application/problem+json"


@pytest.fixture
def screens(stand_in: int, tmp_path: Path) -> Iterator[str]:
    """A door with screens of three files, beside a file that is none of theirs."""
    folder = tmp_path / "built"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>PRISM</title>")
    (folder / "prism.svg").write_text("<svg/>")
    (folder / "assets" / "index-3f2a.js").write_text("1")
    (tmp_path / "secret").write_text("no")
    (folder / "assets" / "out").symlink_to(tmp_path / "secret")
    with door_over(stand_in, screens=Screens("client-1", {"Dagster": "http://127.0.0.1:1"}, folder)) as url:
        yield url


@pytest.mark.parametrize("path", ["/", "/team", "/team/x?item=a%2Fb", "/auth/callback?code=1"])
def test_every_address_that_a_browser_opens_is_the_page_of_the_screens(screens: str, path: str) -> None:
    page = httpx.get(screens + path, headers={"Accept": "text/html,*/*;q=0.8"}, timeout=PATIENCE)

    assert (page.status_code, page.text) == (200, "<title>PRISM</title>")
    assert page.headers["cache-control"] == "no-cache"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "script-src 'self'; style-src 'self';" in page.headers["content-security-policy"]
    assert set(page.headers) >= SECURITY_HEADERS


def test_files_named_by_their_content_are_kept_for_good_and_others_asked_anew(screens: str) -> None:
    with httpx.Client(base_url=screens, timeout=PATIENCE) as client:
        hashed, plain = client.get("/assets/index-3f2a.js"), client.get("/prism.svg")
        again = client.get("/prism.svg", headers={"If-None-Match": plain.headers["etag"]})
        settings, call = client.get("/config.json"), client.get("/api/x")

    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (plain.headers["cache-control"], plain.text) == ("no-cache", "<svg/>")
    assert again.status_code in {200, 304}
    assert settings.json()["client_id"] == "client-1"
    assert call.json()["path"].endswith("/api/x")


@pytest.mark.parametrize(
    "path", ["/assets/none.js", "/assets/out", "/assets/..%2f..%2fsecret", "/..%2fsecret", "/_ministack/health"]
)
def test_what_is_no_file_of_the_screens_is_not_there_for_a_program(screens: str, path: str) -> None:
    status, _, body = request_with(screens, path, host_of(screens), ("Accept", "*/*"))

    assert status == 404, body


# Over the deployed API.


@pytest.fixture(scope="module")
def own(platform: Platform) -> Iterator[str]:
    """The front door of the platform, as `prism up` serves it."""
    with front_door(platform):
        yield f"http://127.0.0.1:{platform.ports.screens}"


def test_a_call_with_a_token_is_answered_and_one_without_is_not(platform: Platform, own: str) -> None:
    token = Deployed(platform).token(Role.LEAD)

    with_one = httpx.get(f"{own}/api/projects", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)
    without = httpx.get(f"{own}/api/projects", timeout=PATIENCE)

    assert (with_one.status_code, set(with_one.json())) == (200, {"items", "next"})
    assert without.status_code == 401
    assert set(with_one.headers) >= SECURITY_HEADERS


def test_a_person_signs_in_with_a_code_and_its_proof_and_the_token_opens_the_api(
    platform: Platform, own: str
) -> None:
    deployed = Deployed(platform)
    user, verifier = deployed.user(Role.ANALYST), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    found = httpx.get(f"{own}/.well-known/openid-configuration", timeout=PATIENCE).json()
    asked = {
        "response_type": "code", "client_id": deployed.made["ScreensClientId"], "state": "s-1",
        "redirect_uri": f"{own}/auth/callback", "scope": "openid email",
        "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip

    page = httpx.get(f"{found['authorization_endpoint']}?{urlencode(asked)}", timeout=PATIENCE)
    form = {
        unescape(name): unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page.text)
    }
    signed_in = httpx.post(
        f"{own}/login",
        data=form | {"username": user.email, "password": PASSWORD},
        headers={"Origin": own},
        timeout=PATIENCE,
    )
    back = urlsplit(signed_in.headers["location"])
    code = parse_qs(back.query)["code"][0]
    exchange = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": f"{own}/auth/callback",
        "client_id": deployed.made["ScreensClientId"],
    }  # fmt: skip
    unproved, proved = (
        httpx.post(found["token_endpoint"], data=exchange | {"code_verifier": given}, timeout=PATIENCE)
        for given in ("x" * 64, verifier)
    )
    tokens = proved.json()
    opened = httpx.get(
        f"{own}/api/projects", headers={"Authorization": f"Bearer {tokens['access_token']}"}, timeout=PATIENCE
    )

    assert (page.status_code, signed_in.status_code) == (200, 302)
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{own}/auth/callback"
    assert unproved.status_code == 400
    assert opened.status_code == 200
    assert [
        url for url in found.values() if isinstance(url, str) and not url.startswith((own, deployed.issuer))
    ] == []
    assert json.loads(httpx.get(found["jwks_uri"], timeout=PATIENCE).text)["keys"]


def test_a_sign_in_does_not_come_back_to_a_page_that_is_not_ours(platform: Platform, own: str) -> None:
    asked = {
        "response_type": "code", "client_id": Deployed(platform).made["ScreensClientId"],
        "redirect_uri": "http://evil.example/auth/callback",
    }  # fmt: skip

    assert httpx.get(f"{own}/oauth2/authorize?{urlencode(asked)}", timeout=PATIENCE).status_code == 400
