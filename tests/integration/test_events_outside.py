"""A service outside is asked where the settings say, within its time, and left alone when it is down.

Why real: redirects, bodies that drip and addresses that change are things of sockets.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from prism_core.events.services import Service
from prism_core.failures import BadUsage
from prism_core.settings import load_settings
from prism_resources.events.outside import FAILURES_IN_A_ROW, LEFT_ALONE_SECONDS, NotAllowed, Outside, Unanswered

Act = Callable[[BaseHTTPRequestHandler], None]


class Served:
    """A server of this machine that answers by path, and knows what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.acts: dict[str, Act] = {}
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.asked.append(self.path)
                served.acts.get(self.path, served.answer(200, {"rate": {"of": self.path}}))(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, status: int, body: object, **headers: str) -> Act:
        def act(handler: BaseHTTPRequestHandler) -> None:
            payload = body if isinstance(body, bytes) else json.dumps(body).encode()
            handler.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(payload))}).items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(payload)

        return act


@pytest.fixture
def served() -> Iterator[Served]:
    running = Served()
    yield running
    running.server.shutdown()
    running.server.server_close()


def service(served: Served, **more: object) -> Service:
    """With as much time as a service may have: a busy machine needs more than the half second of the default."""
    url = f"http://127.0.0.1:{served.port}/{{text}}"
    given = {"url": url, "answer": "/rate/of", "networks": ["127.0.0.0/8"], "timeout_seconds": 5} | more
    return Service.model_validate(given)


def test_a_text_of_an_event_is_asked_for_and_cannot_change_where_the_call_goes(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"rates": service(served).model_dump()}
    monkeypatch.setenv("PRISM_EVENT_SERVICES", json.dumps(named))
    outside = Outside(load_settings().event_services)

    assert outside.ask("rates", "USD") == "/USD"
    assert outside.ask("rates", "@elsewhere.example/../x?y#z\r\nHost: w") == (
        "/%40elsewhere.example%2F..%2Fx%3Fy%23z%0D%0AHost%3A%20w"
    )
    assert [outside.ask("rates", text) for text in ("x" * 201, ".", "..")] == [None] * 3
    assert len(served.asked) == 2
    with pytest.raises(BadUsage, match="no service 'others' may be asked; the setting event_services names rates"):
        outside.ask("others", "USD")


@pytest.mark.parametrize("named", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_a_service_that_is_not_in_its_networks_is_never_called(served: Served, named: str) -> None:
    own = service(served).model_copy(
        update={"url": f"http://{named}:{served.port}/{{text}}", "networks": ("10.0.0.0/8",)}
    )

    with pytest.raises(NotAllowed, match="which is no public address and in none of its networks"):
        Outside({"rates": own}).ask("rates", "USD")

    assert served.asked == []


def test_answers_are_remembered_for_their_time_also_those_that_know_nothing(served: Served) -> None:
    clock = [0.0]
    served.acts["/none"] = served.answer(404, {})
    served.acts["/empty"] = served.answer(200, {"rate": {}})
    served.acts["/number"] = served.answer(200, {"rate": {"of": 12.5}})
    outside = Outside({"rates": service(served, remember_seconds=60)}, now=lambda: clock[0])

    for _ in range(3):
        found = [outside.ask("rates", text) for text in ("USD", "none", "empty", "number")]
    assert found == ["/USD", None, None, "12.5"]
    assert len(served.asked) == 4
    clock[0] = 61.0
    outside.ask("rates", "USD")
    assert len(served.asked) == 5


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, for two minutes if nobody hangs up."""
    handler.send_response(200)
    handler.send_header("Content-Length", "10000")
    handler.end_headers()
    for _ in range(6000):
        time.sleep(0.02)
        try:
            handler.wfile.write(b" ")
        except OSError:
            return


@pytest.mark.parametrize("wrong", ["redirect", "error", "no JSON", "too long", "drips", "hangs up"])
def test_a_wrong_answer_is_no_answer_within_the_time(served: Served, wrong: str) -> None:
    served.acts["/USD"] = {
        "redirect": served.answer(302, {}, Location=f"http://127.0.0.1:{served.port}/elsewhere"),
        "error": served.answer(500, {}),
        "no JSON": served.answer(200, b"<html>"),
        "too long": served.answer(200, b"[" + b" " * 70_000 + b"]"),
        "drips": drip,
        "hangs up": lambda handler: handler.connection.close(),
    }[wrong]
    outside = Outside({"rates": service(served, timeout_seconds=3)})
    began = time.monotonic()

    with pytest.raises(Unanswered):
        outside.ask("rates", "USD")

    assert time.monotonic() - began < 60  # 3 s are allowed; the rest is a busy machine's
    assert served.asked == ["/USD"]


def test_a_service_that_is_down_is_left_alone_and_one_call_finds_out_that_it_is_back(served: Served) -> None:
    clock = [0.0]
    outside = Outside({"rates": service(served)}, now=lambda: clock[0])
    down = {f"/{number}": served.answer(503, {}) for number in range(20)}
    served.acts |= down
    for number in range(FAILURES_IN_A_ROW + 3):
        with pytest.raises(Unanswered):
            outside.ask("rates", str(number))
    assert len(served.asked) == FAILURES_IN_A_ROW

    clock[0] = LEFT_ALONE_SECONDS + 1
    for number in (18, 19):
        with pytest.raises(Unanswered):
            outside.ask("rates", str(number))
    assert len(served.asked) == FAILURES_IN_A_ROW + 1

    clock[0] = 2 * LEFT_ALONE_SECONDS + 2
    served.acts.clear()
    assert [outside.ask("rates", text) for text in ("18", "19")] == ["/18", "/19"]


def test_a_name_that_nobody_knows_is_no_answer() -> None:
    nobody = Service(url="https://nobody.invalid/{text}", timeout_seconds=2)

    with pytest.raises(Unanswered, match=r"nobody\.invalid has no address"):
        Outside({"rates": nobody}).ask("rates", "USD")
