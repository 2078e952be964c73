"""An emulator of a test's own, to kill, to starve and to start again: the shared platform outlives them all."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra.local.emulator.environment import EmulatorHome
from infra.local.emulator.process import EmulatorAddress, EmulatorProcess

REGION, ACCOUNT, TOKEN = "us-east-1", "000000000000", "token-of-a-test"
TABLES = ("even", "odd")


class OwnEmulator:
    """One state folder, and the process that serves it at the moment."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port, self.log = port, folder / "emulator.log"
        self.home = EmulatorHome(folder / "emulator")
        self._process: EmulatorProcess | None = None
        self._clients: dict[str, Any] = {}

    @property
    def process(self) -> EmulatorProcess:
        assert self._process is not None, "start it first"
        return self._process

    @property
    def address(self) -> EmulatorAddress:
        return self.process.address

    def start(self, token: str = TOKEN) -> "OwnEmulator":
        self._process = EmulatorProcess.start(
            self.home.root,
            port=self.port,
            token=token,
            region=REGION,
            account_id=ACCOUNT,
            smtp_port=self.port + 1,
            log=self.log,
        )
        self._clients = {}
        return self

    def kill(self) -> None:
        self.process.kill()
        self._process = None

    def stop(self) -> None:
        process, self._process = self.process, None
        process.stop()

    def end(self) -> None:
        """Whatever state a failed test left it in."""
        if self._process is not None:
            self.kill()

    def flush(self) -> None:
        self.address.administer("flush")

    def client(self, service: str) -> Any:
        """A client that gives up at once: a test that kills must not wait for retries."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=self.address.url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )
        return self._clients[service]

    def create_tables(self) -> None:
        for table in TABLES:
            self.client("dynamodb").create_table(
                TableName=table,
                KeySchema=[{"AttributeName": "number", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "number", "AttributeType": "N"}],
                BillingMode="PAY_PER_REQUEST",
            )

    def put(self, number: int, text: str = "") -> None:
        """Even numbers into one table, odd ones into the other."""
        item = {"number": {"N": str(number)}, "text": {"S": text}}
        self.client("dynamodb").put_item(TableName=TABLES[number % 2], Item=item)

    def numbers(self) -> list[int]:
        """Every number of both tables."""
        found: list[int] = []
        for table in TABLES:
            pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=table)
            found += [int(item["number"]["N"]) for page in pages for item in page["Items"]]
        return sorted(found)

    def snapshots(self) -> list[str]:
        """The names of what lies in the snapshots folder."""
        return sorted(path.name for path in self.home.snapshots.iterdir())

    def logged(self) -> str:
        return self.log.read_text() if self.log.exists() else ""


def await_true(condition: Callable[[], object], limit_seconds: float = 60, *, every: float = 0.01) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline, f"not true within {limit_seconds} s"
        time.sleep(every)
