"""The functions of the API and of the public behind a plain HTTP server of this process, for tools that speak HTTP
only."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from prism_api.api.handler import handler
from prism_api.public.handler import handler as of_the_public
from tests.unit.api_events import event

TOKEN = "Bearer of-a-test"


def _server(groups: str | None, sub: str) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()  # a Lambda container answers one call at a time

    class Server(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            found = urlsplit(self.path)
            asked = event(
                self.command,
                found.path,
                groups=groups if self.headers.get("authorization") == TOKEN else None,
                query=found.query,
                headers={name.lower(): value for name, value in self.headers.items()},
                raw=base64.b64encode(body).decode() if body else None,
                encoded=bool(body),
                sub=sub,
                request_id=f"fuzz-{id(self)}-{threading.get_ident()}-{next(_numbers)}",
            )
            asked["headers"] = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                result = (of_the_public if found.path.startswith("/public/") else handler)(asked, None)
            self._send(result)

        def _send(self, result: dict[str, Any]) -> None:
            text = result.get("body") or ""
            payload = base64.b64decode(text) if result.get("isBase64Encoded") else text.encode()
            self.send_response(int(result["statusCode"]))
            for name, value in result["headers"].items():
                self.send_header(name, value)
            if result["statusCode"] != 204:
                self.send_header("content-length", str(len(payload)))
            self.end_headers()
            if self.command != "HEAD" and result["statusCode"] != 204:
                self.wfile.write(payload)

        def __getattr__(self, name: str) -> Any:
            """Any method reaches the function, which says what it takes."""
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Nothing: the function logs each call itself."""

    return Server


def _count() -> Iterator[int]:
    number = 0
    while True:
        number += 1
        yield number


_numbers = _count()


@contextmanager
def serving(groups: str | None = "[admin]", sub: str = "sub-of-a-fuzzer") -> Iterator[str]:
    """The address, for the length of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _server(groups, sub))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
