"""A proxy on the wire in front of the emulator, which itself never throttles, loses an answer or breaks."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DYNAMODB = "DynamoDB_20120810"


class Proxy:
    """Forwards every call to the emulator, except where `interfere` answers itself or changes the answer."""

    def __init__(self, upstream: str) -> None:
        self.upstream, self.calls = upstream, 0
        self.interfere: Callable[[Proxy, str, dict[str, Any]], tuple[int, dict[str, Any]] | None] = lambda *_: None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service, operation = self.headers["X-Amz-Target"].split(".")
                if service != DYNAMODB:
                    self._answer(proxy.forward(operation, body, service))
                    return
                proxy.calls += 1
                self._answer(proxy.interfere(proxy, operation, body) or proxy.forward(operation, body))

            def _answer(self, answer: tuple[int, dict[str, Any]]) -> None:
                payload = json.dumps(answer[1]).encode()
                self.send_response(answer[0])
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def forward(self, operation: str, body: dict[str, Any], service: str = DYNAMODB) -> tuple[int, dict[str, Any]]:
        name = "dynamodb" if service == DYNAMODB else "kms"
        credential = f"AWS4-HMAC-SHA256 Credential=prism-local/20260105/us-east-1/{name}/aws4_request"
        headers = {
            "X-Amz-Target": f"{service}.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"{credential}, SignedHeaders=host, Signature=0",
        }
        request = urllib.request.Request(  # noqa: S310 - the emulator's own address
            self.upstream, json.dumps(body).encode(), headers
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
