"""What a container of the event functions keeps from call to call.

Belongs here: settings, stores and clients, made on first use. Does not belong here: compiled schemas and lookups
(compiled.py), and what a call is about.
"""

from functools import cache

from prism_core.settings import Settings, load_settings
from prism_resources.events.event_store import EventStore
from prism_resources.events.failed_store import FailedStore
from prism_resources.events.fates import Earlier
from prism_resources.events.outside import Outside
from prism_resources.events.queue import EventQueue
from prism_resources.events.receipts import Receipts
from prism_resources.events.rollup_store import RollupStore
from prism_resources.events.sending import Sender


@cache
def settings() -> Settings:
    return load_settings()


@cache
def sender() -> Sender:
    return Sender(settings())


@cache
def queue() -> EventQueue:
    return EventQueue(settings())


@cache
def receipts() -> Receipts:
    return Receipts(settings())


@cache
def earlier() -> Earlier:
    return Earlier(settings())


@cache
def events() -> EventStore:
    return EventStore(settings())


@cache
def failed() -> FailedStore:
    return FailedStore(settings())


@cache
def outside() -> Outside:
    return Outside(settings().event_services)


@cache
def rollups() -> RollupStore:
    return RollupStore(settings())
