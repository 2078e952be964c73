"""What the stand-ins stand for: one ad account, one customer system, one model, and who may ask.

Belongs here: the data and limits that all three share, and that a test may change. Does not belong here: the
wire.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from infra.local.standins.ads import Ads
from infra.local.standins.faults import Faults
from infra.local.standins.people import People
from prism_core import clock
from prism_core.campaign.account_days import day_of

ACCOUNT_ID: Final = "1000000000000001"
APP_ID: Final = "2000000000000002"
JOB_STATES: Final = ("Job Not Started", "Job Started", "Job Running", "Job Completed")
# What a model answers: from the request, the text of its message.
Author = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Who may ask. No secret of anybody's: a platform draws its own."""

    meta: str
    app_secret: str
    hubspot: str
    claude: str


@dataclass(slots=True)
class World:
    """`page_rows` is the most a page of Meta holds, `page_seconds` what it takes, `most_rows` from when on a
    question is too much.

    `jobs`: the states of the next jobs, in turn; without any they are JOB_STATES. `scopes`, `expires_at` (epoch
    seconds, 0 never) and `tier` are what Meta says of token and app. `author` writes for the model.
    """

    ads: Ads
    tokens: Tokens
    zone: ZoneInfo
    author: Author
    currency: str = "USD"
    name: str = "Synthetic ad account"
    account_id: str = ACCOUNT_ID
    page_rows: int = 5_000
    most_rows: int | None = None
    page_seconds: float = 0.0
    scopes: tuple[str, ...] = ("ads_read", "business_management")
    expires_at: int = 0
    tier: str = "standard_access"
    jobs: deque[tuple[str, ...]] = field(default_factory=deque)
    faults: Faults = field(default_factory=Faults)
    people: People = field(init=False)

    def __post_init__(self) -> None:
        self.people = People(self.ads, self.zone)

    def today(self) -> date:
        """The day that it is in the account's time zone."""
        return day_of(clock.now(), self.zone)
