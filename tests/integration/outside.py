"""The stand-ins of Meta, HubSpot and Claude on real sockets, and connectors that wait without losing time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import AnyHttpUrl

from infra.local.platform import Platform
from infra.local.serving import standins
from infra.local.standins.ads import DrawnAds, FileAds
from infra.local.standins.claude import smallest_answer
from infra.local.standins.serving import CURRENCY, ZONE, put_credentials
from infra.local.standins.world import ACCOUNT_ID, Tokens, World
from prism_core.settings import Settings
from prism_resources.hubspot.source import LiveLeads
from prism_resources.lake import Lake
from prism_resources.meta_ads.source import LiveAds
from prism_resources.wire.patience import Patience

ADS_FILE = Path(__file__).resolve().parents[1] / "data/ads/ads_daily.csv"
# Long after the weeks of the file: nothing of them changes any more.
LATER = "2023-11-13T12:00:00+00:00"
TOKENS = Tokens("EAA-meta/token+of=tests", "app-secret-of-tests", "pat-hubspot-of-tests", "sk-ant-of-tests")
CONTROL_TOKEN = "token-of-this-platform"
FILE_ADS, DRAWN_ADS = FileAds(ADS_FILE), DrawnAds()


@dataclass
class Outside:
    """The world, and connectors to it. `waits` are the seconds that they would have waited."""

    world: World
    settings: Settings
    lake: Lake
    port: int
    waits: list[float] = field(default_factory=list)

    def patience(self, cancelled: threading.Event | None = None, **more: Any) -> Patience:
        return Patience(cancelled=cancelled, wait=self.waits.append, **more)

    def ads(self, **more: Any) -> LiveAds:
        patience: Any = more.pop("patience", None) or self.patience()
        return LiveAds(self.settings, self.lake, patience=patience, **more)

    def leads(self, **more: Any) -> LiveLeads:
        patience: Any = more.pop("patience", None) or self.patience()
        return LiveLeads(self.settings, self.lake, patience=patience, **more)


def world_of_tests() -> World:
    return World(FILE_ADS, TOKENS, ZONE, smallest_answer, currency=CURRENCY)


def reaching(settings: Settings, port: int) -> Settings:
    door = f"http://127.0.0.1:{port}"
    urls = {
        f"{name}_api_url": AnyHttpUrl(f"{door}/{name}") for name in ("meta", "hubspot", "claude", "rekognition")
    }
    return settings.model_copy(update=urls | {"meta_account_id": ACCOUNT_ID})


@contextmanager
def served(platform: Platform) -> Iterator[Outside]:
    """Stand-ins on a free port, whose tokens are in the platform's Secrets Manager."""
    world = world_of_tests()
    put_credentials(platform.settings, TOKENS)
    with standins(world, 0, CONTROL_TOKEN) as port:
        yield Outside(world, reaching(platform.settings, port), Lake(platform.settings), port)


@pytest.fixture(scope="module", name="served")
def served_fixture(platform: Platform) -> Iterator[Outside]:
    with served(platform) as found:
        yield found


@pytest.fixture
def outside(served: Outside, monkeypatch: pytest.MonkeyPatch) -> Outside:
    """Stand-ins that tell of the real ads of August 2023, long after it, and do nothing wrong."""
    monkeypatch.setenv("PRISM_NOW", LATER)
    fresh, world = world_of_tests(), served.world
    for name in (
        *("ads", "zone", "currency", "page_rows", "most_rows", "scopes", "expires_at"),
        *("tier", "author"),
    ):
        setattr(world, name, getattr(fresh, name))
    world.people = fresh.people
    world.faults.clear()
    world.jobs.clear()
    served.waits.clear()
    return served


def move(outside: Outside, zone: str) -> None:
    """The account to another time zone."""
    outside.world.zone = ZoneInfo(zone)
    outside.world.people = type(outside.world.people)(outside.world.ads, outside.world.zone)
