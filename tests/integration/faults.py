"""The fault proxy `microburst` in front of the emulator: throttling, 503s and broken bodies as AWS sends them."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import AnyHttpUrl

from prism_core.settings import Settings
from tests.integration.emulators import await_true

MICROBURST = str(Path(sys.executable).with_name("microburst"))


class FaultProxy:
    """Forwards every call but those that a rule says otherwise of."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rule(self, **rule: Any) -> None:
        """One more rule, in microburst's words."""
        self._call("PATCH", "rules", [rule])

    def clear(self) -> None:
        """No rule any more."""
        self._call("POST", "rules", [])

    def fired(self) -> int:
        """How many calls met a fault."""
        return self._call("GET", "stats")["requests"]["faulted"]

    def calls(self) -> int:
        """How many calls there were, with a fault or without."""
        return self._call("GET", "stats")["requests"]["total"]

    def settings(self, settings: Settings) -> Settings:
        """The same platform, reached through the proxy."""
        return settings.model_copy(update={"aws_endpoint_url": AnyHttpUrl(self.url)})

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - a proxy of this test
            f"{self.url}/_microburst/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    def answers(self) -> bool:
        try:
            self._call("GET", "rules")
        except OSError:
            return False
        return True


@contextmanager
def fault_proxy(upstream: str, port: int, log: Path) -> Iterator[FaultProxy]:
    """A proxy of its own on a port, ended afterwards."""
    names = {"PATH", "HOME", "LANG"}
    environment = {name: value for name, value in os.environ.items() if name in names}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [MICROBURST, "--upstream", upstream.rstrip("/"), "--port", str(port), "--no-resign"],
            stdout=out,
            stderr=out,
            env=environment,
        )
        try:
            proxy = FaultProxy(f"http://127.0.0.1:{port}")
            await_true(proxy.answers, 60, every=0.05)
            yield proxy
        finally:
            process.kill()
            process.wait()
